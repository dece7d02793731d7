"""States of leads: every edge counted by hand, laws, and the separation of new, returning and never-leads."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings

from funnel_lib import Process, conversion
from funnel_lib.engine import collect
from funnel_lib.journeys import lead_states
from tests.conversion.seven_rows import SETTINGS, TABLES
from tests.conversion.test_steps import funnels
from tests.engines import assert_parity, on_engines


def test_each_edge_by_hand():
    """Won: straight, skipper. Lost: tied (loss after the step of the same moment), lost. Running: the rest; spam is no lead."""
    for process in on_engines("small", TABLES, **SETTINGS).values():
        leads = collect(lead_states(process)).set_index("lead_id")["state"]
        assert leads.to_dict() == {"straight": "won", "skipper": "won", "returner": "running", "tied": "lost", "lost": "lost",
                                   "early": "running", "young": "running", "backwards": "running"}


def test_groups_add_up_with_both_shares():
    table = assert_parity(conversion.states, on_engines("small", TABLES, **SETTINGS), by="channel")
    assert table["leads_count"].sum() == 8 and table["channel"].tolist()[-1] in ("(missing)", "unknown")
    whole = conversion.states(Process.from_tables("small", **TABLES, **SETTINGS)).iloc[0]
    assert (whole.won_count, whole.lost_count, whole.running_count) == (2, 2, 4)
    assert (whole.won_share, whole.win_rate_share) == (2 / 8, 2 / 4)


def _simple(events: list[tuple], **settings) -> str:
    leads = pd.DataFrame({"lead_id": ["x"], "created_at": ["2026-01-01"]})
    table = pd.DataFrame(events, columns=["lead_id", "step", "entered_at"])
    process = Process.from_tables("p", leads=leads, stage_events=table, steps=["a", "won"], as_of="2026-02-01", **settings)
    return collect(lead_states(process))["state"].iloc[0]


def test_won_stays_won_even_if_a_loss_follows():
    assert _simple([("x", "won", "2026-01-02"), ("x", "lost", "2026-01-09")]) == "won"


def test_last_step_on_the_moment_of_the_loss_is_won():
    assert _simple([("x", "won", "2026-01-02"), ("x", "lost", "2026-01-02")]) == "won"


def test_a_snapshot_loss_without_time_is_a_loss():
    assert _simple([("x", "a", "2026-01-02"), ("x", "lost", None)]) == "lost"
    assert _simple([("x", "a", None), ("x", "lost", "2026-01-02")]) == "lost"
    assert _simple([("x", "won", None)]) == "won"


def test_events_at_or_after_the_end_of_observation_do_not_count():
    assert _simple([("x", "won", "2026-02-01")]) == "running"


def test_returning_leads_are_apart():
    """`b` bought before its second lead; `c` is said to return; `d` is known from before."""
    leads = pd.DataFrame({"lead_id": ["a", "b", "c", "d"], "created_at": "2026-01-10", "customer_id": ["A", "B", "C", "D"],
                          "returning": [None, None, True, None]})
    orders = pd.DataFrame({"order_id": ["1", "2", "3"], "customer_id": ["A", "B", "A"], "amount": [5, 5, 0],
                           "ordered_at": ["2026-01-12", "2026-01-05", "2026-01-01"]})
    customers = pd.DataFrame({"customer_id": ["D"], "first_order_at": ["2020-01-01"]})
    events = pd.DataFrame({"lead_id": ["a"], "step": ["won"], "entered_at": ["2026-01-12"]})
    tables = {"leads": leads, "orders": orders, "customers": customers, "stage_events": events}
    for process in on_engines("p", tables, steps=["won"], as_of="2026-02-01").values():
        assert conversion.states(process)["leads_count"].tolist() == [1]
        assert conversion.states(process, returning=True)["leads_count"].tolist() == [3]


def test_nobody_gives_one_row_of_zeros():
    empty = {name: table.head(0) for name, table in TABLES.items()}
    row = conversion.states(Process.from_tables("p", **empty, **SETTINGS)).iloc[0]
    assert row.leads_count == 0 and pd.isna(row.won_share)


@settings(max_examples=12)
@given(funnels())
def test_won_lost_and_running_add_up(funnel):
    leads, events = funnel
    process = Process.from_tables("x", leads=leads, stage_events=events, steps=["a", "b", "won"], as_of="2026-03-01")
    row = conversion.states(process).iloc[0]
    assert row.won_count + row.lost_count + row.running_count == row.leads_count == len(leads)
    by_channel = conversion.states(process, by="channel")
    assert by_channel[["won_count", "lost_count"]].sum().tolist() == [row.won_count, row.lost_count]
