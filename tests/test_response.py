"""Response time held against cases worked out by hand, Kaplan-Meier by hand and by statsmodels, plain pandas and SQL."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_lib import MeasureError, Process, lead_flow
from funnel_lib.lead_flow.waiting import against_the_rest, by_time, quartiles
from funnel_lib.working_time import WorkCalendar, work_hours
from tests.bench import many_events, response_sql
from tests.bench.conversion_sql import BASE
from tests.engines import assert_parity, on_engines

STEPS = ["talk", "won"]
RUSSIA = {"holidays": "RU"}


def tables_of(leads: list[tuple], events: list[tuple] = (), work: list[tuple] = ()) -> dict[str, pd.DataFrame]:
    """Leads (id, created_at, owner); events (id, step, entered_at, employee, automated); work (id, date, automated, stage)."""
    frames = {"leads": pd.DataFrame(leads, columns=["lead_id", "created_at", "owner"]),
              "stage_events": pd.DataFrame(events, columns=["lead_id", "step", "entered_at", "employee", "automated"])}
    frames["stage_events"] = frames["stage_events"].astype({"automated": "boolean", "employee": "str", "lead_id": "str", "step": "str"})
    if work:
        frames["work"] = pd.DataFrame(work, columns=["lead_id", "date", "automated", "stage"]).assign(role="r", hours=0.1).astype(
            {"automated": "boolean"})
        frames["work"]["date"] = pd.to_datetime(frames["work"]["date"], format="ISO8601").astype("datetime64[us]")
    for name, column in (("leads", "created_at"), ("stage_events", "entered_at")):
        frames[name][column] = pd.to_datetime(frames[name][column], format="ISO8601").astype("datetime64[us]")
    return frames


def process_of(leads: list[tuple], events: list[tuple] = (), work: list[tuple] = (), **settings) -> Process:
    settings = {"steps": STEPS, "as_of": "2026-06-01", "observed_from": "2025-01-01", "conversion_window_days": 30} | settings
    return Process.from_tables("p", **tables_of(leads, events, work), **settings)


def row_of(process: Process) -> pd.Series:
    return lead_flow.response_time(process).iloc[0]


# -- one lead, counted by hand -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("created", "answered", "work", "clock"), [
    ("2026-03-02 10:00", "2026-03-02 10:07", 7 / 60, 7 / 60),  # inside one Monday
    ("2026-03-02 17:00", "2026-03-03 10:00", 2.0, 17.0),  # over a night
    ("2026-03-02 20:00", "2026-03-03 07:00", 0.0, 11.0),  # from evening to early morning
    ("2026-02-27 17:00", "2026-03-02 10:30", 2.5, 65.5),  # over a week-end
    ("2026-02-28 12:00", "2026-03-02 09:15", 0.25, 45.25),  # from a Saturday
    ("2026-04-30 17:00", "2026-05-04 10:00", 2.0, 89.0),  # 1 May 2026 is a Friday and free in Russia
    ("2025-11-01 09:00", "2025-11-05 09:00", 9.0, 96.0),  # a Saturday worked instead of Monday 3 November; the 4th is free
    ("2026-03-02 10:00", "2026-03-02 10:00", 0.0, 0.0)])  # at the creation itself
def test_hours_of_one_lead(created, answered, work, clock):
    row = row_of(process_of([("a", created, "o")], [("a", "talk", answered, "ann", False)], calendar=RUSSIA))
    assert row["median_hours"] == pytest.approx(clock) and row["median_work_hours"] == pytest.approx(work)
    assert float(work_hours(WorkCalendar(holidays="RU"), created, answered)) == pytest.approx(work)


@pytest.mark.parametrize(("waited_minutes", "kept_minutes"), [
    (0.5, 1), (599, 599), (599.5, 600), (600, 600), (601, 615), (615, 615), (14386, 14400), (14400, 14400), (14401, 14460)])
def test_long_waits_are_rounded_up_ever_more(waited_minutes, kept_minutes):
    created = pd.Timestamp("2026-01-12 09:30")
    answered = created + pd.Timedelta(minutes=waited_minutes)
    row = row_of(process_of([("a", created, "o")], [("a", "talk", answered, "ann", False)]))
    assert row["median_hours"] == pytest.approx(kept_minutes / 60)


@pytest.mark.parametrize(("events", "work", "clock"), [
    # A missing `automated` is not automated; an entry without an employee, an automated one and one before the lead are none.
    ([("talk", "2026-03-02 11:00", "ann", None)], [], 1.0),
    ([("talk", "2026-03-02 11:00", None, False), ("talk", "2026-03-02 13:00", "ann", False)], [], 3.0),
    ([("talk", "2026-03-02 11:00", "bot", True), ("talk", "2026-03-02 14:00", "ann", False)], [], 4.0),
    ([("talk", "2026-03-02 09:00", "ann", False), ("won", "2026-03-02 12:00", "ann", False)], [], 2.0),
    ([("talk", None, "ann", False), ("lost", "2026-03-02 15:00", "ann", False)], [], 5.0),
    ([("unheard_of", "2026-03-02 10:30", "ann", False)], [], 0.5),
    # Work counts without an employee; automated work and work before the lead do not.
    ([("talk", "2026-03-02 13:00", "ann", False)], [("2026-03-02 11:00", None, "conversion")], 1.0),
    ([("talk", "2026-03-02 13:00", "ann", False)], [("2026-03-02 11:00", True, "conversion")], 3.0),
    ([("talk", "2026-03-02 13:00", "ann", False)], [("2026-03-02 09:30", False, "lead_generation")], 3.0),
    # A date alone counts at the end of its day, unless it may have been the work that brought the lead.
    ([], [("2026-03-02", False, "conversion")], 14.0),
    ([("talk", "2026-03-02 13:00", "ann", False)], [("2026-03-02", False, "conversion")], 3.0),
    ([("talk", "2026-03-04 13:00", "ann", False)], [("2026-03-02", False, "lead_generation")], 51.0),
    ([("talk", "2026-03-03", "ann", False)], [], 38.0)])
def test_what_is_an_answer(events, work, clock):
    """One lead of Monday, 10:00; a second one, answered at once, keeps the medians known where the first has dates only."""
    process = process_of([("a", "2026-03-02 10:00", "o"), ("b", "2026-03-02 10:01", "o")],
                         [("b", "talk", "2026-03-02 10:01", "ann", False), *(("a", *event) for event in events)],
                         [("a", *row) for row in work])
    row = row_of(process)
    assert row["answered_count"] == 2
    assert row["three_quarters_work_hours"] >= 0
    counts = lead_flow.response_time(process, by="arrival_hour")
    assert counts["leads_count"].tolist() == [2]
    from funnel_lib.engine import collect
    from funnel_lib.lead_flow.reactions import reactions

    assert collect(reactions(process, []))["minutes"].max() == pytest.approx(clock * 60)


def test_first_seen_at_the_outcome():
    """The loss or the win as first entry by a person; a step at the same moment is an answer, work at it is not."""
    leads = [(name, "2026-03-02 10:00", "o") for name in "abcde"]
    events = [("a", "lost", "2026-03-09 10:00", "ann", False), ("b", "won", "2026-03-09 10:00", "ann", False),
              ("c", "talk", "2026-03-09 10:00", "ann", False), ("c", "lost", "2026-03-09 10:00", "ann", False),
              ("d", "won", "2026-03-09 10:00", "ann", False), ("e", "talk", "2026-03-03 10:00", "ann", False),
              ("e", "won", "2026-03-09 10:00", "ann", False)]
    process = process_of(leads, events, [("d", "2026-03-09 10:00", False, "conversion")])
    assert row_of(process)["at_outcome_count"] == 3
    bands = lead_flow.response_bands(process).set_index("answer_band")
    assert bands.loc["at_outcome", ["leads_count", "won_count"]].tolist() == [3, 2]
    assert bands.loc["within_1_day", ["leads_count", "won_count"]].tolist() == [1, 1]
    assert bands.loc["later", ["leads_count", "won_count"]].tolist() == [1, 0]


# -- the curve -----------------------------------------------------------------------------------------------------------


def _counts(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["minutes", "answered", "leads"])


def test_kaplan_meier_by_hand():
    """At risk 6, 5, 3, 2: 1/6; then 1/5 (2 censored after it leave 3 … ); S = 5/6 · 4/5 · 2/3 · 1/2 = 2/9."""
    found = quartiles(_counts([(10, 1, 1), (20, 1, 1), (20, 0, 1), (30, 1, 1), (40, 1, 1), (50, 0, 1)]), "minutes")
    assert (found.quarter, found.median, found.three_quarters) == (20, 30, 40)


def test_the_median_is_missing_where_half_is_not_reached():
    """Two of six answered, the rest censored: the curve ends at 1/3."""
    found = quartiles(_counts([(10, 1, 2), (100, 0, 4)]), "minutes")
    assert found.quarter == 10 and np.isnan(found.median) and np.isnan(found.median_high)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=2, max_size=60))
def test_quartiles_as_statsmodels_has_them(cases):
    duration = pytest.importorskip("statsmodels.duration.survfunc")
    times, answered = (np.array(values) for values in zip(*cases, strict=True))
    found = quartiles(_counts([(time, int(event), 1) for time, event in cases]), "minutes")
    curve = duration.SurvfuncRight(times.astype(float), answered.astype(int))
    for mine, share in ((found.quarter, 0.25), (found.median, 0.5), (found.three_quarters, 0.75)):
        reached = np.flatnonzero(1 - curve.surv_prob >= share - 1e-9)
        expected = curve.surv_times[reached[0]] if len(reached) else np.nan
        assert mine == expected or (np.isnan(mine) and np.isnan(expected))
    assert not found.median_low > found.median and not found.median > found.median_high


def test_log_rank_as_statsmodels_has_it():
    duration = pytest.importorskip("statsmodels.duration.survfunc")
    rng = np.random.default_rng(3)
    times, events, group = rng.integers(0, 30, 200), rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    frame = pd.DataFrame({"minutes": times, "answered": events, "leads": 1})
    surplus, p_value = against_the_rest(frame[group == 1], by_time(frame, "minutes"), "minutes")
    assert p_value == pytest.approx(duration.survdiff(times.astype(float), events, group)[1])
    assert against_the_rest(frame[group == 0], by_time(frame, "minutes"), "minutes")[0] == pytest.approx(-surplus)


def test_the_limits_of_the_median_hold_it():
    """150 leads, exponential waits, half of them censored: the 95 % limits hold the true median in 93 to 98 of 100 samples."""
    rng, held = np.random.default_rng(11), 0
    for _ in range(400):
        wait, until = rng.exponential(600, 150), rng.uniform(100, 2000, 150)
        counts = pd.DataFrame({"minutes": np.floor(np.minimum(wait, until)), "answered": (wait <= until).astype(int), "leads": 1})
        found = quartiles(counts, "minutes")
        held += found.median_low <= 600 * np.log(2) <= (found.median_high if not np.isnan(found.median_high) else np.inf)
    assert 0.93 <= held / 400 <= 0.98


def test_unanswered_leads_are_censored_at_the_end_even_when_lost():
    """Four of eight answered within an hour, two lost unseen by a robot, two running: half is reached, never more."""
    leads = [(f"l{n}", "2026-03-02 10:00", "o") for n in range(8)]
    events = [*((f"l{n}", "talk", "2026-03-02 11:00", "ann", False) for n in range(4)),
              ("l4", "lost", "2026-03-02 10:30", None, True), ("l5", "lost", "2026-03-02 10:30", None, True)]
    row = row_of(process_of(leads, events))
    assert row[["leads_count", "answered_count", "unanswered_count"]].tolist() == [8, 4, 4]
    assert row["median_hours"] == 1 and np.isnan(row["three_quarters_work_hours"])
    assert row["unanswered_share"] == 0.5 and row["unanswered_low_share"] < 0.25 < 0.75 < row["unanswered_high_share"]


# -- groups ----------------------------------------------------------------------------------------------------------------


def test_arrivals_by_hour_weekday_and_working_time():
    leads = [("a", "2026-03-02 09:00", "o"), ("b", "2026-03-02 18:00", "o"), ("c", "2026-03-01 12:00", None),
             ("d", "2026-05-01 12:00", "o"), ("e", "2025-11-01 17:59", "o")]
    events = [(name, "talk", pd.Timestamp(at) + pd.Timedelta(hours=1), "ann", False) for name, at, _ in leads]
    process = process_of(leads, events, calendar=RUSSIA)
    table = lead_flow.response_time(process, by="arrival_time")
    assert table[["arrival_time", "leads_count"]].to_numpy().tolist() == [["in_hours", 2], ["after_hours", 1], ["day_off", 2]]
    table = lead_flow.response_time(process, by="arrival_hour")
    assert table[["arrival_hour", "leads_count"]].to_numpy().tolist() == [[9, 1], [12, 2], [17, 1], [18, 1]]
    table = lead_flow.response_time(process, by="arrival_weekday")
    assert table[["arrival_weekday", "leads_count"]].to_numpy().tolist() == [["mon", 2], ["fri", 1], ["sat", 1], ["sun", 1]]
    table = lead_flow.response_time(process, by="owner")
    assert table[["owner", "leads_count"]].to_numpy().tolist() == [["o", 4], ["(missing)", 1]]
    assert lead_flow.response_time(process, by=["owner", "arrival_weekday", "month"])["leads_count"].sum() == 5
    assert lead_flow.response_time(process, by="lead_id")["leads_count"].tolist() == [1] * 5


def _two_owners() -> dict[str, pd.DataFrame]:
    """60 leads of two owners: ann answers after 1 to 60 minutes, bob three hours later, three of his never."""
    leads = [(f"{owner}{n}", f"2026-03-{2 + n % 5:02d} 10:00", owner) for owner in ("ann", "bob") for n in range(60)]
    events = [(name, "talk", pd.Timestamp(at) + pd.Timedelta(minutes=1 + int(name[3:]) + 180 * (owner == "bob")), owner, None)
              for name, at, owner in leads if name not in ("bob0", "bob1", "bob2")]
    won = [(name, "won", pd.Timestamp("2026-03-10 10:00"), owner, None) for name, _, owner in leads if int(name[3:]) % 3 == 0]
    return tables_of(leads, events + won)


def test_owners_that_differ_are_named_and_equal_ones_are_not():
    settings = {"steps": STEPS, "as_of": "2026-06-01", "observed_from": "2025-01-01"}
    table = lead_flow.response_time(Process.from_tables("p", **_two_owners(), **settings), by="owner").set_index("owner")
    assert table["verdict"].to_dict() == {"ann": "quicker", "bob": "slower"}
    assert table.loc["ann", "median_work_hours"] == pytest.approx(0.5)
    swapped = _two_owners()
    swapped["leads"]["owner"] = ["x" if n % 2 else "y" for n in range(120)]
    assert set(lead_flow.response_time(Process.from_tables("p", **swapped, **settings), by="owner")["verdict"]) == {"no_difference"}


# -- bands ------------------------------------------------------------------------------------------------------------------


def test_bands_hold_every_lead_old_enough_once():
    """Bounds belong to the lower band; a win after the window is none; a lead younger than the window is left out."""
    answered = {"a": "2026-03-02 11:00", "b": "2026-03-02 11:01", "c": "2026-03-02 14:00", "d": "2026-03-03 10:00",
                "e": "2026-03-05 10:00", "f": "2026-03-05 10:01", "g": None, "h": "2026-04-20 10:00"}
    leads = [(name, "2026-03-02 10:00", "o") for name in answered] + [("young", "2026-05-20 10:00", "o")]
    events = [(name, "talk", at, "ann", False) for name, at in answered.items() if at]
    events += [("a", "won", "2026-04-01 10:00", "ann", False), ("b", "won", "2026-04-01 10:01", "ann", False),
               ("g", "won", "2026-03-03 10:00", None, True), ("h", "won", "2026-04-21 10:00", "ann", False)]
    bands = lead_flow.response_bands(process_of(leads, events))
    assert bands["answer_band"].tolist() == ["within_1_hour", "within_4_hours", "within_1_day", "within_3_days", "later",
                                             "at_outcome", "no_answer_yet"]
    assert bands["leads_count"].tolist() == [1, 2, 1, 1, 1, 0, 2]
    assert bands["won_count"].tolist() == [1, 0, 0, 0, 0, 0, 1]
    assert bands["few"].all() and np.isnan(bands["won_share"].iloc[5]) and bands["to_work_hours"].tolist()[:4] == [1, 4, 9, 27]


def test_a_short_day_has_fewer_bands():
    process = process_of([("a", "2026-03-02 10:00", "o")], [("a", "talk", "2026-03-02 11:00", "ann", False)],
                         calendar={"hours": ["10:00", "13:00"]})
    assert lead_flow.response_bands(process)["answer_band"].tolist()[:4] == ["within_1_hour", "within_1_day", "within_3_days", "later"]


# -- other ways ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [None, "owner", "arrival_hour", "arrival_weekday", "arrival_time"])
def test_two_engines(by):
    process = on_engines("p", _two_owners(), steps=STEPS, as_of="2026-06-01", observed_from="2025-01-01", conversion_window_days=30,
                         calendar=RUSSIA)
    assert assert_parity(lead_flow.response_time, process, by=by)["leads_count"].sum() == 120


def test_the_demonstration_company_in_plain_pandas(demo):
    """Every answered lead one by one: its first entry or work by a person, and the hours between by the table's way."""
    from funnel_lib.engine import collect
    from funnel_lib.lead_flow.reactions import reactions
    from funnel_lib.new_leads import new_leads

    process = demo.process("retail")
    leads = collect(new_leads(process).select("lead_id", "created_at"))
    events = collect(process.table("stage_events")).query("automated != True and employee.notna()")
    work = collect(process.table("work")).query("automated != True and lead_id.notna()")
    acts = pd.concat([events[["lead_id", "entered_at"]].set_axis(["lead_id", "at"], axis=1),
                      work[["lead_id", "date"]].set_axis(["lead_id", "at"], axis=1)])
    acts = acts.merge(leads, on="lead_id").query("at >= created_at")
    first = acts.groupby("lead_id").agg(at=("at", "min"), created_at=("created_at", "first"))
    row = row_of(process)
    assert row["answered_count"] == len(first) and row["leads_count"] == len(leads)
    found = collect(reactions(process, []).select("created_at", "answered", "work_minutes")).query("answered == 1")
    hours = work_hours(WorkCalendar.of(process.company.calendar), first["created_at"], first["at"])
    short = np.sort(hours[hours < 10])
    np.testing.assert_allclose(np.sort(found["work_minutes"])[:len(short)], np.ceil(short * 60 - 1e-6))


def _as_sets(table: pd.DataFrame, names: list[str]) -> set:
    table = table.set_axis(names, axis=1)
    return {tuple(int(value) if not isinstance(value, str) else value for value in row) for row in table.itertuples(index=False)}


def test_counts_as_hand_written_sql_has_them(tmp_path):
    """The benchmark's SQL on 20,000 drawn leads, some events automated or by nobody, work of half of the leads."""
    from funnel_lib.lead_flow import response

    many_events.write(tmp_path, leads=20_000)
    connection = duckdb.connect()
    connection.execute(f"""
        create table leads_file as from '{tmp_path / 'leads.parquet'}';
        create table events_file as select *, case when hash(lead_id, step) % 10 > 0 then 'e' end as employee,
          hash(step, lead_id) % 7 = 0 as automated from '{tmp_path / 'stage_events.parquet'}';
        create table work_file as select case when hash(lead_id) % 5 = 0 then date_trunc('day', created_at) else created_at
          + to_minutes((hash(lead_id) % 5000)::int - 100) end as date, 'sales' as process, case when hash(lead_id) % 3 = 0 then
          'lead_generation' else 'conversion' end as stage, 'caller' as role, 0.2 as hours, lead_id, hash(lead_id) % 11 = 0 as automated
          from leads_file where hash(lead_id) % 2 = 0""")
    connection.execute(BASE)
    expected = response_sql.tables(connection)
    process = Process.from_tables("sales", leads=connection.table("leads_file"), stage_events=connection.table("events_file"),
                                  work=connection.table("work_file"), **many_events.SETTINGS)
    names = {"": None, "owner": "owner", "arrival hour": "arrival_hour", "weekday": "arrival_weekday", "arrival": "arrival_time"}
    for name, by in names.items():
        groups = [by] if by else []
        clock, work = (response._counts(process, groups, time) for time in ("minutes", "work_minutes"))
        columns = [*groups, "answered", "minutes", "leads", "at_outcome", "dated"]
        sql_clock, sql_work = expected[f"response time {name}"]
        if by == "arrival_weekday":
            sql_clock, sql_work = (table.assign(**{table.columns[0]: table.iloc[:, 0] - 1}) for table in (sql_clock, sql_work))
        assert _as_sets(clock[columns], columns) == _as_sets(sql_clock, columns)
        columns = [*groups, "answered", "work_minutes", "leads"]
        assert _as_sets(work[columns], columns) == _as_sets(sql_work, columns)
    bands = lead_flow.response_bands(process)
    counts = {number: (int(row.leads_count), int(row.won_count)) for number, row in enumerate(bands.itertuples()) if row.leads_count}
    assert counts == {int(row[0]): (int(row[1]), int(row[2])) for row in expected["response bands"][0].itertuples(index=False)}


# -- bad input ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("events", "why"), [
    ([("a", "talk", "2026-03-02 11:00", None, False)], "whether leads are answered cannot be told"),
    ([("a", "talk", "2026-03-02 11:00", "bot", True)], "whether leads are answered cannot be told"),
    ([], "whether leads are answered cannot be told"),
    ([("a", "talk", "2026-03-02 09:00", "ann", False)], "whether leads are answered cannot be told")])
def test_nobody_ever_answered(events, why):
    with pytest.raises(MeasureError, match=why):
        lead_flow.response_time(process_of([("a", "2026-03-02 10:00", "o")], events))


def test_no_column_that_tells_who():
    tables = tables_of([("a", "2026-03-02 10:00", "o")], [("a", "talk", "2026-03-02 11:00", "ann", False)])
    tables["stage_events"] = tables["stage_events"].drop(columns=["employee", "automated"])
    with pytest.raises(MeasureError, match="needs the employee of stage_events, or work that names its lead"):
        lead_flow.response_time(Process.from_tables("p", **tables, steps=STEPS, as_of="2026-06-01"))


def test_events_without_described_steps_are_answers():
    process = process_of([("a", "2026-03-02 10:00", "o")], [("a", "talk", "2026-03-02 11:00", "ann", False)], steps=[])
    assert row_of(process)["median_hours"] == 1
    with pytest.raises(MeasureError, match="needs steps"):
        lead_flow.response_bands(process)


def test_everything_at_midnight():
    process = process_of([(f"l{n}", "2026-03-02", "o") for n in range(40)],
                         [(f"l{n}", "talk", "2026-03-03", "ann", False) for n in range(40)])
    row = row_of(process)
    assert row["dated_count"] == 40 and row["answered_share"] == 1 and np.isnan(row["median_hours"]) and np.isnan(row["median_work_hours"])
    assert lead_flow.response_time(process, by="owner")["verdict"].tolist() == ["no_difference"]
    with pytest.raises(MeasureError, match="hour of arrival cannot be told"):
        lead_flow.response_time(process, by="arrival_hour")
    with pytest.raises(MeasureError, match="date without a time of day"):
        lead_flow.response_bands(process)


def test_no_lead_and_one_lead():
    assert lead_flow.response_time(process_of([])).empty and lead_flow.response_time(process_of([]), by="owner").empty
    row = row_of(process_of([("a", "2026-03-02 10:00", "o")], [("a", "talk", "2026-03-02 11:00", "ann", False)]))
    assert row["few"] and row["median_low_hours"] == 1


def test_nobody_won_and_no_window():
    process = process_of([("a", "2026-03-02 10:00", "o")], [("a", "talk", "2026-03-02 11:00", "ann", False)], conversion_window_days=None)
    with pytest.raises(MeasureError, match="conversion_window_days"):
        lead_flow.response_bands(process)


def test_a_company_two_weeks_old():
    process = process_of([("a", "2026-03-02 10:00", "o")], [("a", "talk", "2026-03-02 11:00", "ann", False)], as_of="2026-03-15",
                         observed_from="2026-03-01")
    assert row_of(process)["median_hours"] == 1
    bands = lead_flow.response_bands(process)
    assert bands["leads_count"].sum() == 0 and bands["won_share"].isna().all()


def test_a_group_that_is_not_there():
    from funnel_lib import CallError

    process = process_of([("a", "2026-03-02 10:00", "o")], [("a", "talk", "2026-03-02 11:00", "ann", False)])
    with pytest.raises(CallError, match="arival_hour"):
        lead_flow.response_time(process, by="arival_hour")


def test_no_lead_and_no_moment_at_all_is_an_empty_answer():
    """Nothing has a time, so nothing says where the records begin."""
    leads = pd.DataFrame({"lead_id": pd.Series([], dtype="str"), "created_at": pd.Series([], dtype="datetime64[us]")})
    events = pd.DataFrame({"lead_id": ["x"], "step": ["one"], "entered_at": pd.Series([None], dtype="datetime64[us]"),
                           "employee": ["ann"]})
    process = Process.from_tables("p", leads=leads, stage_events=events, steps=["one", "won"], as_of="2026-02-01")
    assert process.observed_from is None
    assert lead_flow.response_time(process)["leads_count"].sum() == 0
    assert lead_flow.response_time(process, by="arrival_time").empty
