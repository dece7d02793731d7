"""The chain from a CRM's figure to ours: counted by hand, plain pandas as a second way, adding up by law."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import MeasureError, Process, conversion
from funnel_lib.conversion.reconciliation import CHANGES
from funnel_lib.engine import collect
from tests.conversion.cases import BAD_INPUTS
from tests.conversion.seven_rows import EVENTS, LEADS, SETTINGS, TABLES
from tests.engines import assert_parity, on_engines


def test_every_rule_by_hand():
    """Nine entries, window 30 days. Proposal was entered by straight, returner (day 54), tied, early (no time), backwards: 5 / 9.
    Without spam 5 / 8; without the young one 5 / 7; the returner's is too late: 4 / 7; the skipper won, so was there: 5 / 7."""
    table = assert_parity(conversion.reconciliation, on_engines("small", TABLES, **SETTINGS), window_days=30)
    row = table.set_index("step").loc["proposal"]
    assert (row.crm_count, row.crm_leads_count, row.reached_count, row.leads_count) == (5, 9, 5, 7)
    expected = [0, 5 / 8 - 5 / 9, 0, 5 / 7 - 5 / 8, 4 / 7 - 5 / 7, 5 / 7 - 4 / 7]
    assert row[CHANGES].tolist() == pytest.approx(expected)


def test_a_returning_customer_leaves_first():
    """The customer of `straight` had bought in December: of the nine entries one of the two wins leaves."""
    leads = LEADS.assign(returning=LEADS["lead_id"] == "straight")
    process = Process.from_tables("x", leads=leads, stage_events=EVENTS, **SETTINGS)
    row = conversion.reconciliation(process).set_index("step").loc["won"]
    assert row.crm_share == 2 / 9 and row.returning_change_share == pytest.approx(1 / 8 - 2 / 9)
    assert row.overall_share == pytest.approx(1 / 7)


def test_the_crm_figure_in_plain_pandas(demo):
    process = demo.process("wholesale")
    leads, events = (collect(process.table(name)) for name in ("leads", "stage_events"))
    events = events[events["lead_id"].isin(leads["lead_id"])]
    visited = events.drop_duplicates(["lead_id", "step"]).groupby("step").size()
    for row in conversion.reconciliation(process).itertuples():
        assert (row.crm_count, row.crm_leads_count) == (visited[row.step], len(leads))


@pytest.mark.parametrize("process", ["retail", "wholesale", "custom"])
def test_the_end_of_the_chain_is_the_figure_of_step_rates(demo, process):
    table, rates = conversion.reconciliation(demo.process(process)), conversion.step_rates(demo.process(process))
    assert table["reached_count"].tolist() == rates["reached_count"].tolist()
    assert table["leads_count"].tolist() == rates["leads_count"].tolist()
    np.testing.assert_allclose(table["crm_share"] + table[CHANGES].sum(axis=1), rates["overall_share"], atol=1e-12)


@settings(max_examples=12)
@given(st.lists(st.sampled_from(list(LEADS["lead_id"])), unique=True, min_size=1), st.sampled_from([None, 1, 12, 30, 60]),
       st.randoms(use_true_random=False))
def test_the_changes_add_up_in_any_order_of_rows(chosen, window, random):
    leads = LEADS[LEADS["lead_id"].isin(chosen)]
    order = list(range(len(EVENTS)))
    random.shuffle(order)
    tables = [conversion.reconciliation(Process.from_tables("x", leads=leads, stage_events=events, **SETTINGS), window_days=window)
              for events in (EVENTS, EVENTS.iloc[order])]
    for table in tables:
        table.attrs.clear()
    pd.testing.assert_frame_equal(*tables)
    known = tables[0].dropna(subset=["overall_share"])
    np.testing.assert_allclose(known["crm_share"] + known[CHANGES].sum(axis=1), known["overall_share"], atol=1e-12)


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_gives_a_table(name):
    table = conversion.reconciliation(BAD_INPUTS[name]())
    assert len(table) >= 2 and (table["crm_count"] <= table["crm_leads_count"]).all()


def test_without_events_the_reason_is_given():
    with pytest.raises(MeasureError, match="stage_events"):
        conversion.reconciliation(Process.from_tables("x", leads=LEADS, **SETTINGS))
