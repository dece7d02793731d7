"""Paths counted by hand for every kind of move and every edge; laws; a second way in pandas on the demonstration company."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import MeasureError, Process, conversion, simulate
from funnel_lib.answers.of_conversion_paths import conversion_paths, path_followed, returns
from tests.conftest import ROOT
from tests.conversion.seven_rows import EVENTS, LEADS, SETTINGS, STEPS, TABLES
from tests.conversion.test_steps import funnels
from tests.engines import assert_parity, on_engines


@pytest.fixture(scope="module")
def small():
    return on_engines("small", TABLES, **SETTINGS)


def _process(rows: list[tuple], steps=("contacted", "proposal", "won"), created="2026-01-01", **settings) -> Process:
    """A process from (lead, step, time) rows; every lead created on the same day."""
    events = pd.DataFrame(rows, columns=["lead_id", "step", "entered_at"])
    leads = pd.DataFrame({"lead_id": list(dict.fromkeys(events["lead_id"])), "created_at": created})
    return Process.from_tables("p", leads=leads, stage_events=events, steps=list(steps),
                               **{"as_of": "2026-04-01", "observed_from": "2026-01-01", **settings})


def _moves(table: pd.DataFrame) -> dict[tuple[str, str], tuple]:
    return {(row.from_step, row.to_step): (row.kind, row.events_count) for row in table.itertuples()}


def test_every_move_of_the_hand_counted_funnel(small):
    """Way by way: straight forward; skipper leaps to won; returner goes out and back; tied is lost at the proposal; `early`
    has a proposal without a time after its contact; `backwards` leaps to the proposal, goes back, and once again."""
    table = assert_parity(conversion.transitions, small)
    assert _moves(table) == {
        ("lead", "contacted"): ("forward", 5), ("lead", "proposal"): ("skip", 1), ("lead", "won"): ("skip", 1),
        ("lead", "lost"): ("lost", 1), ("contacted", "contacted"): ("return", 1), ("contacted", "meeting"): ("forward", 1),
        ("contacted", "proposal"): ("forward", 2), ("contacted", "lost"): ("lost", 2), ("meeting", "proposal"): ("forward", 1),
        ("proposal", "contacted"): ("return", 1), ("proposal", "won"): ("forward", 1), ("proposal", "lost"): ("lost", 1),
        ("lost", "contacted"): ("return", 1), ("lost", "proposal"): ("return", 1)}
    row = table.set_index(["from_step", "to_step"])
    # Five first contacts, one of them a day before its lead: counted, not timed; the others after a day each.
    assert row.loc[("lead", "contacted"), ["leads_count", "timed_count", "median_days"]].tolist() == [5, 4, 1]
    # tied after 4 days; early's has no time.
    assert row.loc[("contacted", "proposal"), ["timed_count", "median_days"]].tolist() == [1, 4]
    # The returner twice: 2 and 5 days, one lead.
    assert row.loc[("contacted", "lost"), ["leads_count", "median_days"]].tolist() == [1, 3.5]
    assert row.loc[("lead", "lost"), "moves_share"] == 1 / 8
    assert table["from_step"].drop_duplicates().tolist() == ["lead", "contacted", "meeting", "proposal", "lost"]


def test_entries_of_one_moment_follow_the_steps_then_lost_the_last_step_after_all():
    day = "2026-01-02"
    assert _moves(conversion.transitions(_process([("a", "lost", day), ("a", "proposal", day), ("a", "contacted", day)]))) == {
        ("lead", "contacted"): ("forward", 1), ("contacted", "proposal"): ("forward", 1), ("proposal", "lost"): ("lost", 1)}
    assert _moves(conversion.transitions(_process([("a", "won", day), ("a", "lost", day)]))) == {
        ("lead", "lost"): ("lost", 1), ("lost", "won"): ("return", 1)}


def test_optional_steps_are_no_skip_and_the_same_entry_twice_is_one():
    steps = ["contacted", {"key": "meeting", "optional": True}, "won"]
    rows = [("a", "contacted", "2026-01-02"), ("a", "contacted", "2026-01-02"), ("a", "won", "2026-01-03")]
    table = conversion.transitions(_process(rows, steps))
    assert _moves(table) == {("lead", "contacted"): ("forward", 1), ("contacted", "won"): ("forward", 1)}
    assert path(rows, steps) == (1, 1, 0, 0)


def test_the_same_entry_without_a_time_twice_is_one_and_the_one_with_a_time_another():
    rows = [("a", "contacted", None), ("a", "contacted", "2026-01-05"), ("a", "contacted", None), ("a", "contacted", "2026-01-05"),
            ("a", "won", "2026-01-05")]
    # The entry without a time stands right before the win: at the moment of the other one.
    assert _moves(conversion.transitions(_process(rows))) == {
        ("lead", "contacted"): ("forward", 1), ("contacted", "contacted"): ("return", 1), ("contacted", "won"): ("skip", 1)}


def path(rows, steps=("contacted", "proposal", "won"), state="all") -> tuple[int, ...]:
    row = conversion.path_following(_process(rows, steps)).set_index("state").loc[state]
    return tuple(int(row[name]) for name in ("leads_count", "following_count", "skipping_count", "returning_count"))


def test_an_entry_without_a_time_stands_before_later_steps_and_is_never_timed():
    rows = [("a", "proposal", "2026-01-05"), ("a", "contacted", None), ("b", "contacted", "2026-01-02"), ("b", "won", None)]
    table = conversion.transitions(_process(rows)).set_index(["from_step", "to_step"])
    assert table.loc[("lead", "contacted"), ["events_count", "timed_count", "median_days"]].tolist() == [2, 1, 1]
    assert table.loc[("contacted", "proposal"), ["events_count", "timed_count"]].tolist() == [1, 0]
    assert table.loc[("contacted", "won"), "kind"] == "skip" and np.isnan(table.loc[("contacted", "won"), "median_days"])


def test_a_step_that_is_not_described_is_other_and_said():
    """A step renamed halfway: later leads go through a name that nobody described."""
    rows = [("a", "contacted", "2026-01-02"), ("a", "proposal", "2026-01-03"), ("a", "won", "2026-01-04"),
            ("b", "contacted", "2026-02-02"), ("b", "offer", "2026-02-03"), ("b", "won", "2026-02-04")]
    table = _moves(conversion.transitions(_process(rows)))
    assert table[("contacted", "other")] == ("other", 1) and table[("other", "won")] == ("other", 1)
    row = conversion.path_following(_process(rows)).set_index("state").loc["won"]
    assert (row.leads_count, row.following_count, row.undescribed_count) == (2, 1, 1)
    assert "renamed" in path_followed(_process(rows))[1]


def test_a_loop_of_five_hundred_returns():
    times = pd.date_range("2026-01-01", periods=1000, freq="h").astype(str)
    rows = [("l", step, time) for step, time in zip(["contacted", "lost"] * 500, times, strict=True)]
    table = conversion.transitions(_process(rows)).set_index(["from_step", "to_step"])
    assert table["events_count"].to_dict() == {("lead", "contacted"): 1, ("contacted", "lost"): 500, ("lost", "contacted"): 499}
    assert table.loc[("lost", "contacted"), ["leads_count", "median_days"]].tolist() == pytest.approx([1, 1 / 24])
    assert conversion.returns_after_loss(_process(rows)).returned_count == 1


def test_who_follows_the_path_by_hand(small):
    """Seven leads entered a step. Follow: straight, tied, early, young. Skip: skipper, backwards. Go back: returner, backwards."""
    table = assert_parity(conversion.path_following, small).set_index("state")
    names = ["leads_count", "following_count", "skipping_count", "returning_count", "undescribed_count"]
    assert table.loc["all", names].tolist() == [7, 4, 2, 2, 0]
    assert table.loc["won", names].tolist() == [2, 1, 1, 0, 0] and table.loc["lost", names].tolist() == [1, 1, 0, 0, 0]
    assert table.loc["running", names].tolist() == [4, 2, 1, 2, 0]
    assert table.loc["all", "following_share"] == 4 / 7


def test_steps_by_hand(small):
    """Contacted: all seven reached it, skipper without entering; the returner and backwards came back into it. Proposal:
    six reached, skipper without; the returner came back into it from a loss."""
    table = assert_parity(conversion.path_steps, small).set_index("step")
    names = ["reached_count", "entered_count", "skipped_count", "returned_count", "running_count"]
    assert table.loc["contacted", names].tolist() == [7, 6, 1, 2, 2]
    assert table.loc["meeting", names].tolist() == [6, 1, 0, 0, 0] and np.isnan(table.loc["meeting", "skipped_share"])
    assert table.loc["proposal", names].tolist() == [6, 5, 1, 1, 2]
    assert table.loc["won", names].tolist() == [2, 2, 0, 0, 0]
    assert table.loc["contacted", "returned_share"] == 2 / 6


def test_returns_after_a_loss_by_hand(small):
    """Lost at least once: returner, tied, lost (spam never was a lead). Only the returner came back, and has not bought."""
    found = conversion.returns_after_loss(small["duckdb"])
    assert (found.lost_once_count, found.returned_count, found.won_count) == (3, 1, 0)
    assert "1 of 3" in returns(small["pandas"])[0] and "came back after a loss" in returns(small["pandas"])[0]


# -- deadlines ---------------------------------------------------------------------------------------------------------

DATED = ["contacted", {"key": "proposal", "deadline_days": 2}, "won"]
# Thursday 1 January 2026 is worked in this calendar: no holidays. Contact on Thursday; the week-end is no working time.
DEADLINES = [("in time", "contacted", "2026-01-01"), ("in time", "proposal", "2026-01-03"),
             ("over the week-end", "contacted", "2026-01-02"), ("over the week-end", "proposal", "2026-01-06"),
             ("late", "contacted", "2026-01-02"), ("late", "proposal", "2026-01-06 09:01"),
             ("no time", "contacted", "2026-01-02"), ("no time", "proposal", None),
             ("waits", "contacted", "2026-03-26"), ("just", "contacted", "2026-03-30"), ("gone", "contacted", "2026-01-02"),
             ("gone", "lost", "2026-01-20")]


def test_deadlines_in_working_days_by_hand():
    """Friday to Tuesday midnight is two working days, a minute of Tuesday's work later is too late. On Wednesday 1 April the
    contact of Thursday before waits for four working days, that of Monday for two."""
    leads = pd.DataFrame({"lead_id": list(dict.fromkeys(row[0] for row in DEADLINES)), "created_at": "2026-01-01"})
    events = pd.DataFrame(DEADLINES, columns=["lead_id", "step", "entered_at"])
    processes = on_engines("p", {"leads": leads, "stage_events": events.assign(
        entered_at=pd.to_datetime(events["entered_at"], format="ISO8601"))}, steps=DATED, as_of="2026-04-01")
    row = assert_parity(conversion.deadlines, processes).iloc[0]
    assert (row.step, row.entries_count, row.in_time_count, row.untimed_count, row.overdue_count) == ("proposal", 3, 2, 1, 1)
    assert row.mean_work_days == pytest.approx((2 + 2 + 2 + 1 / 540) / 3)


def test_a_holiday_gives_more_time():
    rows = [("a", "contacted", "2026-04-30"), ("a", "proposal", "2026-05-05")]  # 1 May is free in Russia
    settings = {"steps": DATED, "as_of": "2026-06-01"}
    for holidays, in_time in (("RU", 1), (None, 0)):
        process = _process(rows, created="2026-04-30", calendar={"holidays": holidays} if holidays else None, **settings)
        assert conversion.deadlines(process)["in_time_count"].tolist() == [in_time]


def test_an_optional_step_keeps_nobody_waiting():
    steps = [{"key": "contacted"}, {"key": "meeting", "optional": True, "deadline_days": 1}, {"key": "won", "deadline_days": 3}]
    process = _process([("a", "contacted", "2026-01-02"), ("b", "meeting", "2026-01-02")], steps)
    assert conversion.deadlines(process)["overdue_count"].tolist() == [0, 2]


# -- laws --------------------------------------------------------------------------------------------------------------


def _measured(leads, events) -> Process:
    return Process.from_tables("x", leads=leads, stage_events=events, steps=["a", "b", "won"], as_of="2026-03-01")


@settings(max_examples=12)
@given(funnels())
def test_who_comes_to_a_step_leaves_it_or_stands_there(funnel):
    process = _measured(*funnel)
    table = conversion.transitions(process)
    came, left = table.groupby("to_step")["events_count"].sum(), table.groupby("from_step")["events_count"].sum()
    standing = conversion.work_in_progress_summary(process).set_index("step")["running_count"]
    assert left.get("lead", 0) + standing["lead"] == len(funnel[0])
    for step in ("a", "b"):
        assert came.get(step, 0) == left.get(step, 0) + _resting(process, step)
    distinct = funnel[1].drop_duplicates()
    assert table["events_count"].sum() == len(distinct)


def _resting(process: Process, step: str) -> int:
    """Leads whose last entry is this step, whatever their state: counted from the events themselves."""
    events = process.table("stage_events").collect().to_native()
    rank = events["step"].map({"a": 0, "b": 1, "lost": 2, "won": 3})
    ordered = events.assign(_rank=rank).sort_values(["entered_at", "_rank"], kind="stable")
    return int((ordered.groupby("lead_id")["step"].last() == step).sum()) if len(events) else 0


@settings(max_examples=12)
@given(funnels(), st.randoms(use_true_random=False))
def test_shuffling_and_repeating_rows_change_nothing(funnel, random):
    leads, events = funnel
    order = list(range(len(events)))
    random.shuffle(order)
    other = _measured(leads.iloc[::-1], pd.concat([events.iloc[order], events], ignore_index=True))
    first = _measured(leads, events)
    pd.testing.assert_frame_equal(conversion.transitions(first), conversion.transitions(other))
    one, two = (conversion.returns_after_loss(process) for process in (first, other))
    assert (one.lost_once_count, one.returned_count, one.won_count) == (two.lost_once_count, two.returned_count, two.won_count)


@settings(max_examples=12)
@given(funnels())
def test_a_lead_follows_or_leaves_the_path_never_both(funnel):
    process = _measured(*funnel)
    if not funnel[1]["step"].isin(["a", "b"]).any():
        with pytest.raises(MeasureError, match="only the end"):
            conversion.path_following(process)
        return
    table = conversion.path_following(process).set_index("state")
    left = table["skipping_count"] + table["returning_count"]
    assert (table["following_count"] + left >= table["leads_count"]).all()
    assert (table["following_count"] + table[["skipping_count", "returning_count"]].max(axis=1) <= table["leads_count"]).all()
    assert (table.loc[["won", "lost", "running"]].sum() == table.loc["all"])[["leads_count", "following_count"]].all()


# -- bad input ---------------------------------------------------------------------------------------------------------

HARD = {
    "one lead": [("a", "contacted", "2026-01-02")],
    "all at midnight of one day": [(lead, step, "2026-01-02") for lead in "abc" for step in ("contacted", "proposal", "won")],
    "a step nobody reached": [("a", "contacted", "2026-01-02"), ("b", "lost", "2026-01-03")],
    "nothing lost": [("a", "contacted", "2026-01-02"), ("a", "won", "2026-01-03"), ("b", "contacted", "2026-01-03")],
    "only the final state": [("a", "won", "2026-01-02"), ("b", "lost", "2026-01-03")],
    "no time at all": [("a", "contacted", None), ("a", "won", None), ("b", "lost", None)],
}


@pytest.mark.parametrize("case", HARD)
def test_hard_input_gives_tables_and_sentences_without_nan(case):
    process = _process(HARD[case])
    table = conversion.transitions(process)
    assert table["events_count"].sum() == len(HARD[case])
    said = " ".join(conversion_paths(process)).lower()
    assert said and "nan" not in said and "inf " not in said and "none " not in said


def test_what_cannot_be_told_is_said():
    only_end = _process(HARD["only the final state"])
    with pytest.raises(MeasureError, match="only the end of each way is recorded"):
        conversion.path_following(only_end)
    assert any("Only the end of each way" in sentence for sentence in conversion_paths(only_end))
    with pytest.raises(MeasureError, match="deadline_days"):
        conversion.deadlines(only_end)
    assert "No loss is recorded" in returns(_process(HARD["nothing lost"]))[0]


def test_no_event_at_all_gives_empty_tables():
    process = Process.from_tables("x", leads=LEADS, stage_events=EVENTS.head(0), **SETTINGS)
    assert conversion.transitions(process).empty and "median_days" in conversion.transitions(process)
    assert conversion.returns_after_loss(process).lost_once_count == 0


# -- second ways -------------------------------------------------------------------------------------------------------


def test_the_demo_counted_in_plain_pandas(demo):
    """Transitions of wholesale by sorting and shifting the file itself; leads of other kinds left out as the measure does."""
    events = duckdb.read_parquet(str(ROOT / "data" / "demo" / "stage_events.parquet")).df()
    process = demo.process("wholesale")
    leads = conversion.stays.lead_states(process).select("lead_id").collect("pandas").to_native()["lead_id"]
    events = events[events["lead_id"].isin(set(leads)) & (events["entered_at"] < "2026-07-01")].drop_duplicates(
        ["lead_id", "step", "entered_at"])
    order = {"contacted": 0, "meeting": 1, "proposal": 2, "lost": 3, "won": 4}
    events = events.assign(rank=events["step"].map(order)).sort_values(["lead_id", "entered_at", "rank"])
    events["before"] = events.groupby("lead_id")["step"].shift().fillna("lead")
    expected = events.groupby(["before", "step"]).size()
    table = conversion.transitions(process).set_index(["from_step", "to_step"])["events_count"]
    assert table.sort_index().to_dict() == expected.sort_index().to_dict()


def test_planted_returns_are_found():
    """Simulated retail: 6 % of the leads that are lost come back."""
    leads, events = simulate.make_leads("retail", seed=3, leads=20_000)
    process = Process.from_tables("retail", leads=leads, stage_events=events, steps=["contacted", "fitting", "won"],
                                  as_of="2026-07-01", not_leads=["duplicate", "spam", "test"])
    found = conversion.returns_after_loss(process)
    assert found.returned_low_share < 0.06 < found.returned_high_share


def test_steps_keep_the_order_of_the_description():
    keys = [step if isinstance(step, str) else step["key"] for step in STEPS]
    assert conversion.path_steps(Process.from_tables("x", **TABLES, **SETTINGS))["step"].tolist() == keys
