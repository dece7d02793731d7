"""Channels against segments, target leads against others: by hand, in plain pandas, sums, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import CallError, MeasureError, Process, lead_flow
from funnel_lib.engine import collect
from funnel_lib.new_leads import new_leads
from funnel_lib.rates import rate
from tests.engines import assert_parity, on_engines

LEADS = pd.DataFrame(
    [("1", "2024-01-01", "ads", "shop", "C1"), ("2", "2024-01-02", "ads", "shop", "C2"), ("3", "2024-01-03", "ads", "student", "C3"),
     ("4", "2024-01-04", "fair", "shop", None), ("5", "2024-01-05", "fair", None, None), ("6", "2024-01-06", None, "unknown", "C6"),
     ("young", "2025-05-30", "ads", "shop", "C7"), ("spam", "2024-01-05", "ads", "shop", None)],
    columns=["lead_id", "created_at", "channel", "segment", "customer_id"])
EVENTS = pd.DataFrame(
    [("1", "won", "2024-01-11", None), ("2", "won", "2024-03-01", None),  # after the window of 30 days
     ("3", "won", "2024-01-20", None), ("6", "won", "2024-01-09", None), ("young", "won", "2025-05-31", None),
     ("4", "lost", "2024-01-07", None), ("spam", "lost", "2024-01-06", "spam")], columns=["lead_id", "step", "entered_at", "reason"])
ORDERS = pd.DataFrame(
    [("O1", "C1", "1", "2024-01-11", 100, 40), ("O2", "C1", None, "2024-12-30", 50, 20),
     ("O3", "C1", None, "2025-03-01", 999, 400),  # more than 12 months after the lead
     ("O4", "C2", "2", "2024-03-01", 10, 4), ("O5", "C3", "3", "2024-01-20", 70, 30), ("O6", "C1", None, "2024-05-01", -10, -4),
     ("O7", "C6", "6", "2024-01-09", 20, 8), ("O8", "C7", "young", "2025-05-31", 100, 40)],
    columns=["order_id", "customer_id", "lead_id", "ordered_at", "amount", "margin"])
TABLES = {"leads": LEADS, "stage_events": EVENTS, "orders": ORDERS}
SETTINGS = {"steps": ["won"], "not_leads": ["spam"], "target_segments": ["shop"], "conversion_window_days": 30,
            "as_of": "2025-06-15", "observed_from": "2023-12-01"}


def test_the_matrix_by_hand():
    table = assert_parity(lead_flow.channel_segments, on_engines("p", TABLES, **SETTINGS))
    wide = table.pivot_table(index="channel", columns="segment", values="leads_count", sort=False)
    assert wide.index.tolist() == ["ads", "fair", "(missing)"] and wide.columns.tolist() == ["shop", "student", "(missing)", "unknown"]
    assert wide.to_numpy().tolist() == [[3, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]]
    first = table.iloc[0]
    assert (first.leads_share, first.base_count, first.won_count, first.won_share) == (0.75, 2, 1, 0.5)  # the young one is not in
    assert table["target_group"].tolist() == ["target", "other", "unknown", "unknown"] * 3
    assert table["few"].all() and (table["equal_window_days"] == 30).all()


def test_rows_of_the_matrix_add_up_to_the_channels(demo):
    for name in demo.process_names:
        process = demo.process(name)
        table = lead_flow.channel_segments(process)
        by_channel = lead_flow.lead_counts(process).groupby("channel")["leads_count"].sum()
        assert table.groupby("channel")["leads_count"].sum().to_dict() == by_channel.to_dict()
        assert table.groupby("channel")["leads_share"].sum().to_numpy() == pytest.approx(1)
        target = lead_flow.target_conversion(process)
        assert target["leads_count"].sum() == table["leads_count"].sum()
        assert target["won_count"].tolist() == [table.loc[table["target_group"] == kind, "won_count"].sum() for kind in target["target_group"]]


def test_the_matrix_without_movement_targets_or_columns():
    table = lead_flow.channel_segments(Process.from_tables("p", leads=LEADS, as_of="2025-06-15"))
    assert table["won_share"].isna().all() and (table["target_group"] == "").all() and table["leads_count"].sum() == 8
    for column in ("channel", "segment"):
        with pytest.raises(MeasureError, match=f"needs the column '{column}'"):
            lead_flow.channel_segments(Process.from_tables("p", leads=LEADS.drop(columns=column), as_of="2025-06-15"))
    with pytest.raises(CallError, match="two different columns"):
        lead_flow.channel_segments(Process.from_tables("p", leads=LEADS, as_of="2025-06-15"), rows="segment")
    counts = pd.DataFrame({"step": ["lead"], "count": [5], "period_start": ["2026-01-05"]})
    with pytest.raises(MeasureError, match="needs the table 'leads'"):
        lead_flow.channel_segments(Process.from_tables("p", counts=counts, as_of="2026-02-01"))


def test_target_against_other_by_hand():
    """Margins within 12 months: lead 1 brings 40 + 20 − 4, lead 2 brings 4, lead 4 nothing: 60 by three leads on target."""
    table = assert_parity(lead_flow.target_conversion, on_engines("p", TABLES, **SETTINGS))
    assert table["target_group"].tolist() == ["target", "other", "unknown"]
    assert table["leads_count"].tolist() == [4, 1, 2]
    assert table[["base_count", "won_count"]].to_numpy().tolist() == [[3, 1], [1, 1], [2, 1]]
    assert table["won_low_share"].tolist() == pytest.approx(rate([1, 1, 1], [3, 1, 2]).low_share)
    assert table["customers_count"].tolist() == [3, 1, 1]
    assert table["mature_leads_count"].tolist() == [3, 1, 2]
    assert table["year_margin_amount"].tolist() == [60, 30, 8]
    assert table["margin_per_lead_amount"].tolist() == [20, 30, 4]
    assert table["margin_per_lead_low_amount"].isna().all()  # fewer than 30 leads


def test_the_spread_from_lead_to_lead_in_plain_pandas(demo):
    process = demo.process("retail")
    row = lead_flow.target_conversion(process).set_index("target_group").loc["target"]
    end = process.as_of - pd.Timedelta(days=365.25)
    leads = collect(new_leads(process).select("lead_id", "created_at", "segment"))
    leads = leads[leads["segment"].isin(process.settings.target_segments) & (leads["created_at"] <= end)]
    assert row.mature_leads_count == len(leads)
    width = row.margin_per_lead_high_amount - row.margin_per_lead_amount
    assert row.margin_per_lead_amount == pytest.approx(row.year_margin_amount / len(leads))
    # A second way: draw the leads again and again.
    from funnel_lib.lead_flow.segments import _margin_per_lead, _mature_leads

    sums = collect(_margin_per_lead(process, _mature_leads(process))).set_index("lead_id")["margin"] / 100
    values = leads["lead_id"].map(sums).fillna(0).to_numpy()
    rng = np.random.default_rng(0)
    means = [rng.choice(values, len(values)).mean() for _ in range(500)]
    assert 1.96 * np.std(means) == pytest.approx(width, rel=0.15)


def test_unknown_segments_everywhere_and_what_is_not_described():
    leads = LEADS.assign(segment=["unknown", None] * 4)
    table = lead_flow.target_conversion(Process.from_tables("p", **{**TABLES, "leads": leads}, **SETTINGS))
    assert table["leads_count"].tolist() == [0, 0, 7]
    assert table["won_share"].iloc[:2].isna().all() and table["margin_per_lead_amount"].iloc[:2].isna().all()
    with pytest.raises(MeasureError, match="target_segments"):
        lead_flow.target_conversion(Process.from_tables("p", leads=LEADS, as_of="2025-06-15"))
    bare = lead_flow.target_conversion(Process.from_tables("p", leads=LEADS, target_segments=["shop"], as_of="2025-06-15"))
    assert bare[["won_share", "customers_count", "margin_per_lead_amount"]].isna().all(axis=None)
    without = lead_flow.target_conversion(Process.from_tables("p", **{**TABLES, "orders": ORDERS.drop(columns="margin")}, **SETTINGS))
    assert without["year_margin_amount"].isna().all() and without["customers_count"].tolist() == [3, 1, 1]


def test_a_company_two_weeks_old_has_nobody_followed():
    process = Process.from_tables("p", **TABLES, **{**SETTINGS, "as_of": "2024-01-14"})
    table = lead_flow.target_conversion(process)
    assert table["base_count"].sum() == 0 and table["won_share"].isna().all() and table["mature_leads_count"].sum() == 0
