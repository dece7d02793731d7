"""Lost reasons counted by hand."""

from __future__ import annotations

import pandas as pd

from funnel_lib import Process, conversion
from tests.conversion.seven_rows import SETTINGS, TABLES
from tests.engines import assert_parity, on_engines


def test_last_step_and_final_reason_by_hand():
    """`tied` was at the proposal, `lost` nowhere; the returner's two losses were none, spam never was a lead."""
    table = assert_parity(conversion.lost_reasons, on_engines("small", TABLES, **SETTINGS))
    assert table[["from_step", "reason", "lost_count", "amount"]].values.tolist() == [
        ["lead", "(missing)", 1, 500.0], ["proposal", "price", 1, 400.0]]
    assert table["lost_share"].tolist() == [0.5, 0.5]
    assert table["amount_share"].tolist() == [5 / 9, 4 / 9] and table["cumulative_share"].tolist() == [5 / 9, 1.0]


def test_the_later_loss_and_the_later_step_count():
    leads = pd.DataFrame({"lead_id": ["a", "b", "c"], "created_at": "2026-01-01"})
    events = pd.DataFrame([("a", "one", "2026-01-02", None), ("a", "lost", "2026-01-03", "early"),
                           ("a", "two", "2026-01-04", None), ("a", "lost", "2026-01-05", "late"),
                           ("b", "two", None, None), ("b", "lost", None, "why"),
                           ("c", "lost", None, "why")], columns=["lead_id", "step", "entered_at", "reason"])
    process = Process.from_tables("p", leads=leads, stage_events=events, steps=["one", "two", "won"], as_of="2026-02-01")
    table = conversion.lost_reasons(process)
    assert sorted(table[["from_step", "reason"]].values.tolist()) == [["two", "late"], ["two", "why"], ["unknown", "why"]]


def test_a_later_step_without_a_time_is_the_last_one():
    """Contacted, then a proposal that nobody dated, then lost: the proposal is where the lead was lost, as the moves say."""
    leads = pd.DataFrame({"lead_id": ["a"], "created_at": "2026-01-01"})
    events = pd.DataFrame([("a", "one", "2026-01-02", None), ("a", "two", None, None), ("a", "lost", "2026-01-05", "price")],
                          columns=["lead_id", "step", "entered_at", "reason"])
    process = Process.from_tables("p", leads=leads, stage_events=events, steps=["one", "two", "won"], as_of="2026-02-01")
    assert conversion.lost_reasons(process)["from_step"].tolist() == ["two"]
    assert conversion.transitions(process)["from_step"].tolist()[-1] == "two"


def test_no_loss_at_all_gives_an_empty_table_with_columns():
    events = TABLES["stage_events"][TABLES["stage_events"]["step"] != "lost"]
    table = conversion.lost_reasons(Process.from_tables("p", leads=TABLES["leads"], stage_events=events, **SETTINGS))
    assert len(table) == 0 and "lost_share" in table


def test_sum_equals_the_lost_of_the_states(demo):
    for name in demo.process_names:
        process = demo.process(name)
        assert conversion.lost_reasons(process)["lost_count"].sum() == conversion.states(process)["lost_count"].iloc[0]
