"""Work in progress, flow and speed: counted by hand, laws, a second way on the demonstration company."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import MeasureError, Process, conversion
from funnel_lib.answers.of_conversion_paths import littles_law, sales_velocity, whom_to_act_on
from tests.conversion.seven_rows import SETTINGS, TABLES
from tests.conversion.test_steps import funnels
from tests.engines import assert_parity, on_engines

STEPS = ["contacted", "won"]


def _tables(winners: int = 10) -> dict[str, pd.DataFrame]:
    """Winners contacted after 1, 2, … days, won 10, 20, … days after that; four running leads and one lost."""
    first = pd.Timestamp("2026-01-01")
    rows, leads = [], []
    for number in range(1, winners + 1):
        lead = f"w{number}"
        leads.append((lead, first, "anna", 1000.0))
        rows += [(lead, "contacted", first + pd.Timedelta(days=number)), (lead, "won", first + pd.Timedelta(days=number * 11))]
    for lead, created, contacted, amount in (("fresh", "2026-06-20", "2026-06-22", 100.0), ("usual", "2026-04-01", "2026-04-02", 200),
                                             ("late", "2026-02-15", "2026-03-01", 300), ("waits", "2026-06-20", None, 400),
                                             ("forgotten", "2025-09-01", "2025-09-02", 500), ("late too", "2026-02-15", "2026-02-16", 50)):
        leads.append((lead, pd.Timestamp(created), "boris", amount))
        if contacted:
            rows.append((lead, "contacted", pd.Timestamp(contacted)))
    rows.append(("gone", "lost", pd.Timestamp("2026-06-05")))
    leads.append(("gone", pd.Timestamp("2026-06-01"), None, 1.0))
    return {"leads": pd.DataFrame(leads, columns=["lead_id", "created_at", "owner", "expected_amount"]),
            "stage_events": pd.DataFrame(rows, columns=["lead_id", "step", "entered_at"])}


SETTING = {"steps": STEPS, "as_of": "2026-07-01", "observed_from": "2025-09-01"}


@pytest.fixture(scope="module")
def small():
    return on_engines("small", _tables(), **SETTING)


def test_norms_are_half_and_nine_in_ten_of_the_winners_stays(small):
    """To the contact 1 … 10 days: half by day 5, nine of ten by day 9. From there 10 … 100: 50 and 90."""
    table = assert_parity(conversion.step_norms, small).set_index("step")
    assert table.loc["lead", ["winners_count", "half_days", "norm_days"]].tolist() == [10, 5, 9]
    assert table.loc["contacted", ["winners_count", "half_days", "norm_days"]].tolist() == [10, 50, 90]


def test_under_ten_winners_there_is_no_norm():
    process = Process.from_tables("x", **_tables(9), **SETTING)
    table = conversion.work_in_progress(process)
    assert table["norm_days"].isna().all() and set(table["band"]) == {"age_unknown"}
    assert "cannot be told" in whom_to_act_on(process)[0]


def test_the_list_by_hand(small):
    """On 1 July: `late` stands for 122 days, `late too` for 135 (norm 90); `forgotten` for 302; `usual` exactly at its norm."""
    table = assert_parity(conversion.work_in_progress, small)
    assert table[["lead_id", "step", "owner", "expected_amount", "band", "age_days"]].values.tolist() == [
        ["waits", "lead", "boris", 400, "late", 11], ["late", "contacted", "boris", 300, "late", 122], ["late too", "contacted", "boris", 50, "late", 135],
        ["forgotten", "contacted", "boris", 500, "forgotten", 302], ["usual", "contacted", "boris", 200, "usual", 90],
        ["fresh", "contacted", "boris", 100, "fresh", 9]]
    assert table["lateness"].tolist() == pytest.approx([11 / 9, 122 / 90, 135 / 90, 302 / 90, 1, 0.1])


def test_the_summary_by_hand(small):
    table = assert_parity(conversion.work_in_progress_summary, small).set_index("step")
    bands = ["running_count", "fresh_count", "usual_count", "late_count", "forgotten_count", "age_unknown_count"]
    assert table.loc["lead", bands].tolist() == [1, 0, 0, 1, 0, 0]
    assert table.loc["contacted", bands].tolist() == [5, 1, 1, 2, 1, 0]
    assert table.loc["contacted", ["late_share", "median_age_days", "amount", "late_amount"]].tolist() == [3 / 5, 122, 1150, 850]
    sentence = whom_to_act_on(small["pandas"])[0]
    assert sentence.startswith("Act today on 3 of 6 running leads") and "1 more" in sentence


def test_an_entry_without_a_moment_has_no_age():
    tables = _tables()
    tables["stage_events"].loc[len(tables["stage_events"])] = ["waits", "contacted", pd.NaT]
    table = conversion.work_in_progress(Process.from_tables("x", **tables, **SETTING)).set_index("lead_id")
    assert table.loc["waits", ["step", "band"]].tolist() == ["contacted", "age_unknown"] and np.isnan(table.loc["waits", "age_days"])


def test_seven_rows_stand_where_their_last_entry_is():
    table = assert_parity(conversion.work_in_progress, on_engines("small", TABLES, **SETTINGS)).set_index("lead_id")
    assert table["step"].to_dict() == {"returner": "proposal", "early": "proposal", "young": "contacted", "backwards": "contacted"}


# -- cumulative flow ---------------------------------------------------------------------------------------------------


def test_flow_by_hand_the_returner_leaves_the_lost_again():
    table = assert_parity(conversion.cumulative_flow, on_engines("small", TABLES, **SETTINGS), per="month")
    wide = table.pivot_table(index="period_start", columns="step", values="leads_count")
    # End of January: straight and skipper won; returner, tied and `lost` lost; early in contact, backwards too.
    january = wide.iloc[0]
    assert january[["lead", "contacted", "meeting", "proposal", "won", "lost"]].tolist() == [0, 2, 0, 0, 2, 3]
    # The returner's proposal in February; in March young was contacted, early's proposal without a time is known by now.
    assert wide.iloc[1][["contacted", "proposal", "lost"]].tolist() == [2, 1, 2]
    assert wide.iloc[2][["contacted", "proposal", "lost"]].tolist() == [2, 2, 2]
    assert table["complete"].all() and len(wide) == 3
    unfinished = conversion.cumulative_flow(Process.from_tables("x", **TABLES, **{**SETTINGS, "as_of": "2026-03-31"}), per="month")
    assert unfinished.groupby("period_start")["complete"].first().tolist() == [True, True, False]


@settings(max_examples=12)
@given(funnels(), st.sampled_from(["day", "week", "month"]))
def test_flow_keeps_every_lead_and_ends_in_the_states(funnel, per):
    process = Process.from_tables("x", leads=funnel[0], stage_events=funnel[1], steps=["a", "b", "won"], as_of="2026-03-01")
    table = conversion.cumulative_flow(process, per=per)
    assert (table.groupby("period_start")["leads_count"].sum() == len(funnel[0])).all() and (table["leads_count"] >= 0).all()
    last = table[table["period_start"] == table["period_start"].max()].set_index("step")["leads_count"]
    states = conversion.states(process).iloc[0]
    assert (last["won"], last["lost"]) == (states.won_count, states.lost_count)
    running = conversion.work_in_progress_summary(process).set_index("step")["running_count"]
    assert last[["lead", "a", "b"]].tolist() == running[["lead", "a", "b"]].tolist()


# -- Little's law ------------------------------------------------------------------------------------------------------


def _steady(days: int = 400, stay: float = 10.0, per_day: int = 2, closed_share: float = 1.0) -> Process:
    """So many leads every day, each won after `stay` days; a share of them is never closed."""
    created = np.repeat(pd.date_range("2025-01-01", periods=days), per_day)
    ids = [f"l{number}" for number in range(len(created))]
    closed = np.arange(len(created)) < closed_share * len(created)
    rng = np.random.default_rng(1)
    rng.shuffle(closed)
    leads = pd.DataFrame({"lead_id": ids, "created_at": created, "expected_amount": 50.0})
    events = leads[closed].assign(step="won", entered_at=lambda frame: frame["created_at"] + pd.Timedelta(days=stay))
    as_of = pd.Timestamp("2025-01-01") + pd.Timedelta(days=days)
    return Process.from_tables("x", leads=leads, stage_events=events[["lead_id", "step", "entered_at"]], steps=["won"], as_of=as_of)


def test_a_steady_flow_obeys_the_law():
    """2 leads a day for 10 days each are 20 running leads (counted at midnight, when one day's leads just came)."""
    law = conversion.littles_law(_steady())
    assert (law.running_mean_count, law.arrivals_per_day, law.mean_days) == pytest.approx((20, 2, 10))
    assert law.law_ratio == pytest.approx(1) and law.verdict == "steady"
    assert "steady" in littles_law(_steady())[0]


def test_forgotten_leads_pile_up():
    law = conversion.littles_law(_steady(closed_share=0.7))
    assert law.law_ratio > 1.25 and law.verdict == "too many" and "pile up" in littles_law(_steady(closed_share=0.7))[0]


def test_a_flow_that_became_thinner_leaves_leads_from_before():
    """Nobody new since 20 November, each lead won after 40 days: what runs comes from more plentiful times."""
    process = _steady()
    leads, events = (process.table(name).collect().to_native() for name in ("leads", "stage_events"))
    thinner = Process.from_tables("x", leads=leads[leads["created_at"] < "2025-11-20"], steps=["won"], as_of=process.as_of,
                                  stage_events=events.assign(entered_at=events["entered_at"] + pd.Timedelta(days=30)))
    law = conversion.littles_law(thinner)
    # The 90 days begin on 7 November: 13 days of arrivals; those of 53 days ended (28 September to 19 November).
    assert (law.arrivals_count, law.ended_count) == (26, 106)
    assert law.verdict == "too many" and "more new leads" in littles_law(thinner)[0]


def test_closing_old_leads_makes_fewer_than_the_flow_explains():
    process = _steady()
    leads, events = (process.table(name).collect().to_native() for name in ("leads", "stage_events"))
    old = pd.DataFrame({"lead_id": [f"old{number}" for number in range(100)], "process": "x",
                        "created_at": pd.Timestamp("2025-01-01")})
    closed = pd.DataFrame({"lead_id": old["lead_id"], "step": "lost", "entered_at": pd.Timestamp("2025-11-08")})
    tidied = Process.from_tables("x", leads=pd.concat([leads, old]), stage_events=pd.concat([events, closed]), steps=["won"],
                                 as_of=process.as_of)
    assert conversion.littles_law(tidied).verdict == "too few" and "old leads were closed" in littles_law(tidied)[0]


def test_lead_days_of_the_last_ninety_days_by_hand(small):
    """From 2 April: `late` and `late too`, `forgotten` and `usual` all 90 days, fresh 11, waits 11, gone 4; w9 (won on day 99,
    10 April) 8 days and w10 (21 April) 19."""
    law = conversion.littles_law(small["duckdb"])
    assert law.running_mean_count * 90 == pytest.approx(4 * 90 + 11 + 11 + 4 + 8 + 19)
    assert (law.arrivals_count, law.ended_count, law.running_count) == (3, 3, 6)
    assert law.mean_days == pytest.approx((99 + 110 + 4) / 3) and law.verdict == "cannot tell"
    assert conversion.littles_law(small["pandas"]) == law
    assert "cannot be told" in littles_law(small["pandas"])[0]


# -- sales velocity ----------------------------------------------------------------------------------------------------


def test_velocity_by_hand(small):
    """6 running × eventual share × 1,000 / mean of 11 … 110 days won (60.5 on average) and 4 days lost."""
    speed = conversion.sales_velocity(small["duckdb"])
    eventual = conversion.eventual_conversion(small["duckdb"])["eventual_share"].iloc[0]
    mean_days = (11 * 55 + 4) / 11
    assert (speed.running_count, speed.mean_won_amount) == (6, 1000) and speed.mean_days == pytest.approx(mean_days)
    assert speed.velocity_per_day_amount == pytest.approx(6 * eventual * 1000 / mean_days)
    # Of the last 90 days: w9 and w10.
    assert speed.won_count == 2 and speed.won_per_day_amount == pytest.approx(2000 / 90)


def test_a_steady_process_promises_what_it_wins():
    """20 running × 1 × 50 / 10 days = 100 a day, and 2 × 50 are won every day."""
    speed = conversion.sales_velocity(_steady())
    assert speed.won_per_day_amount == pytest.approx(100) and speed.velocity_per_day_amount == pytest.approx(100, rel=0.02)


def test_what_the_orders_paid_comes_before_what_was_expected():
    orders = pd.DataFrame({"order_id": ["o1", "o2", "o3"], "customer_id": "c", "ordered_at": pd.Timestamp("2026-01-12"),
                           "amount": [300.0, 200.0, -50.0], "lead_id": ["w1", "w1", "w1"]})
    process = Process.from_tables("x", **_tables(), orders=orders, **SETTING)
    assert conversion.sales_velocity(process).mean_won_amount == pytest.approx((500 + 9 * 1000) / 10)


def test_without_money_the_velocity_says_what_it_needs():
    tables = _tables()
    process = Process.from_tables("x", leads=tables["leads"].drop(columns="expected_amount"),
                                  stage_events=tables["stage_events"], **SETTING)
    with pytest.raises(MeasureError, match="expected_amount"):
        conversion.sales_velocity(process)
    assert conversion.work_in_progress_summary(process)["amount"].isna().all()


def test_all_running_and_nobody_running():
    tables = _tables()
    running = Process.from_tables("x", leads=tables["leads"], stage_events=tables["stage_events"].head(0), **SETTING)
    assert conversion.work_in_progress_summary(running)["running_count"].tolist() == [17, 0]
    assert np.isnan(conversion.sales_velocity(running).velocity_per_day_amount)
    assert "cannot be told yet" in sales_velocity(running)[0]
    won = tables["leads"].head(3)
    done = Process.from_tables("x", leads=won, stage_events=tables["stage_events"].head(6), **SETTING)
    assert conversion.work_in_progress(done).empty and "nobody to act on" in whom_to_act_on(done)[0]


# -- the demonstration company -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_the_list_the_summary_the_flow_and_the_states_agree(demo, name):
    process = demo.process(name)
    cases, summary = conversion.work_in_progress(process), conversion.work_in_progress_summary(process)
    running = conversion.states(process)["running_count"].iloc[0]
    assert len(cases) == summary["running_count"].sum() == running == conversion.littles_law(process).running_count
    bands = cases.groupby(["step", "band"]).size()
    for row in summary.itertuples():
        for band in ("fresh", "usual", "late", "forgotten", "age_unknown"):
            assert bands.get((row.step, band), 0) == getattr(row, f"{band}_count"), (row.step, band)
    assert summary["amount"].sum() == pytest.approx(cases["expected_amount"].sum())
    flow = conversion.cumulative_flow(process)
    now = flow[flow["period_start"] == flow["period_start"].max()].set_index("step")["leads_count"]
    assert {step: count for step, count in now.items() if step not in ("won", "lost")} == {
        **dict.fromkeys(now.index.drop(["won", "lost"]), 0), **summary.set_index("step")["running_count"].to_dict()}


def test_norms_of_the_demo_in_plain_pandas(demo):
    """A second way: quantiles of the winners' stays, sorted and shifted outside the measure, to the hour above."""
    process = demo.process("wholesale")
    frame = conversion.stays.stays(process).collect("pandas").to_native()
    won = frame[(frame["state"] == "won") & frame["days"].notna()]
    names = conversion.stays.places(process)
    for row in conversion.step_norms(process).dropna().itertuples():
        days = won.loc[won["place"] == names.index(row.step), "days"]
        assert row.winners_count == len(days)
        for share, found in ((0.5, row.half_days), (0.9, row.norm_days)):
            assert (days <= found + 1e-9).sum() >= share * len(days) - 1e-9
            assert (days <= found - 1 / 24).sum() < share * len(days)
