"""Capacity: counted by hand, planted bottlenecks, Little's law of a steady flow, and the load over time."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from funnel_lib import MeasureError, Process, charts, conversion, efficiency
from tests.bench.planted import planted_bottleneck
from tests.conftest import ROOT
from tests.efficiency.company import SETTINGS, TABLES
from tests.engines import assert_parity, on_engines


def test_capacity_by_hand():
    # Of the 12 complete weeks, 5 January to 29 March, only the lead `d` is in one.
    leads = pd.concat([TABLES["leads"], pd.DataFrame([("d", "2026-02-02", None, None)], columns=TABLES["leads"].columns)])
    roles = assert_parity(efficiency.capacity, on_engines("p", {**TABLES, "leads": leads}, **SETTINGS)).set_index("role")
    per_month = 1 / 12 * 30.4375 / 7
    assert roles.loc["caller", "hours_per_lead"] == pytest.approx(5 / 4)
    assert roles.loc["caller", "needed_hours"] == pytest.approx(5 / 4 * per_month)
    assert roles.loc["caller", "paid_hours"] == 4
    assert roles.loc["caller", "load_share"] == pytest.approx(5 / 4 * per_month / 4)
    assert np.isnan(roles.loc["seller", "load_share"])


def test_people_are_shared_between_processes_by_hours_worked(demo):
    shares = pd.concat([efficiency.capacity(demo.process(name)) for name in demo.process_names])
    whole = shares[shares["role"] != "other"].groupby("role")["process_hours_share"].sum()
    assert np.allclose(whole, 1)


def test_the_planted_bottleneck_is_found(demo):
    truth = json.loads((ROOT / "data" / "demo" / "truth.json").read_text("utf-8"))
    row = efficiency.capacity(demo.process("wholesale")).iloc[0]
    assert row["role"] == truth["processes"]["wholesale"]["stories"]["binding_role"]
    assert row["load_share"] > 1


# -- the bottleneck ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_a_planted_bottleneck_is_found_and_costs_customers(seed):
    one = planted_bottleneck(seed)
    assert one.found == one.planted
    assert one.lost_customers > 0


@pytest.mark.parametrize("seed", range(10))
def test_where_no_role_binds_none_is_found_and_no_customer_is_lost(seed):
    one = planted_bottleneck(seed, short=False)
    assert (one.found, one.lost_customers) == (None, 0)


def _steady(paid: float, **more) -> Process:
    """Ten leads a week for 52 weeks, each with two hours of the seller; every other one wins after 7 days."""
    created = pd.date_range("2025-06-30", periods=520, freq="16h48min")
    leads = pd.DataFrame({"lead_id": [f"L{number}" for number in range(520)], "created_at": created})
    events = pd.DataFrame({"lead_id": leads["lead_id"], "step": ["won", "lost"] * 260, "entered_at": created + pd.Timedelta(days=7)})
    work = pd.DataFrame({"date": created, "stage": "conversion", "role": "seller", "hours": 2.0})
    tables = {"leads": leads, "stage_events": events, "work": work, **more}
    return Process.from_tables("p", **{name: table for name, table in tables.items() if table is not None}, steps=["contacted", "won"],
                               as_of="2026-06-29", observed_from="2025-06-30", cards=[
                                   {"key": "sell", "stage": "conversion", "role": "seller", "step": "won", "norm_minutes": 90}],
                               roles={"seller": {"name": "Seller", "hour_cost": 20, "paid_hours_per_month": paid, "people": 1}})


def test_lost_customers_by_hand():
    month = 30.4375 / 7
    # 10 leads a week; paid for 8 of them: 2 a week are left, half of which would have bought.
    row = efficiency.capacity(_steady(paid=16 * month)).iloc[0]
    assert row["is_bottleneck"] and row["unserved_leads"] == pytest.approx(2 * month)
    eventual = conversion.eventual_conversion(_steady(paid=16 * month)).iloc[0]
    assert row["lost_customers"] == pytest.approx(2 * month * eventual["eventual_share"])
    assert eventual["eventual_share"] == pytest.approx(0.5, abs=0.01)
    assert row["lost_customers_low"] < row["lost_customers"] < row["lost_customers_high"]


def test_norms_stand_in_for_work():
    month = 30.4375 / 7
    process = _steady(paid=100, work=None)
    row = efficiency.capacity(process).iloc[0]
    # 260 wins in the year, those of its last week fall after it: 51 of 52 weeks, 5 a week, 1.5 hours each.
    assert row["hours_basis"] == "by_norm"
    won = 255 / 52 * month * 1.5
    assert row["needed_hours"] == pytest.approx(won, rel=0.01)
    assert row["load_share"] == pytest.approx(row["needed_hours"] / 100)


def test_without_work_and_norms_it_says_what_would_tell():
    with pytest.raises(MeasureError, match="norm_minutes"):
        efficiency.capacity(Process.from_tables("p", leads=TABLES["leads"], steps=["won"], as_of="2026-04-01"))


def test_load_of_the_months_and_weeks_by_hand():
    process = _steady(paid=16 * 30.4375 / 7)
    weeks = efficiency.role_load(process, per="week")
    assert len(weeks) == 52 and weeks["complete"].all()
    assert (weeks["leads_count"] == 10).all() and np.allclose(weeks["load_share"], 20 / 16)
    assert weeks["is_bottleneck"].all() and np.allclose(weeks["worked_hours"], 20)
    months = efficiency.role_load(process)
    assert months["leads_count"].sum() == 520 and months["worked_hours"].sum() == 1040
    assert np.allclose(months["needed_hours"], 2 * months["leads_count"])


# -- Little's law --------------------------------------------------------------------------------------------------------


def test_littles_law_holds_stage_by_stage_in_a_steady_flow():
    created = pd.date_range("2025-06-30", periods=520, freq="16h48min")
    leads = pd.DataFrame({"lead_id": [f"L{number}" for number in range(520)], "created_at": created})
    contacted = pd.DataFrame({"lead_id": leads["lead_id"], "step": "contacted", "entered_at": created + pd.Timedelta(days=2)})
    won = pd.DataFrame({"lead_id": leads["lead_id"], "step": "won", "entered_at": created + pd.Timedelta(days=9)})
    events = pd.concat([contacted, won])
    tables = {"leads": leads, "stage_events": events[events["entered_at"] < pd.Timestamp("2026-06-29")]}
    law = assert_parity(efficiency.stage_queues, on_engines("p", tables, steps=["contacted", "won"], as_of="2026-06-29",
                                                            observed_from="2025-06-30")).set_index("stage")
    # 10 a week: two days' and seven days' worth of them stand there.
    assert law.loc["lead_generation", "running_mean_count"] == pytest.approx(10 / 7 * 2, rel=0.02)
    assert law.loc["conversion", "running_mean_count"] == pytest.approx(10 / 7 * 7, rel=0.02)
    assert law.loc[["lead_generation", "conversion"], "law_ratio"].to_numpy() == pytest.approx([1, 1], rel=0.03)
    assert law.loc["lead_generation", "mean_days"] == pytest.approx(2)
    assert law.loc[["lead_generation", "conversion"], "verdict"].tolist() == ["steady", "steady"]


def test_leads_in_both_stages_are_those_in_the_process(demo):
    for name in demo.process_names:
        process = demo.process(name)
        law, whole = efficiency.stage_queues(process).set_index("stage"), conversion.littles_law(process)
        new = law.loc[["lead_generation", "conversion"]]
        assert new["running_count"].sum() == whole.running_count
        assert new["running_mean_count"].sum() == pytest.approx(whole.running_mean_count, rel=0.01)


# -- charts --------------------------------------------------------------------------------------------------------------


def test_bars_of_load_are_those_of_the_table():
    roles = efficiency.capacity(Process.from_tables("p", **TABLES, **SETTINGS))
    ax = charts.plot_capacity(roles)
    assert np.allclose([bar.get_width() for bar in ax.patches], roles["load_share"].fillna(0))
    assert "paid hours not described" in " ".join(text.get_text() for text in ax.texts)
    bottleneck = efficiency.capacity(_steady(paid=16 * 30.4375 / 7))
    assert "is the bottleneck: it needs 125" in charts.plot_capacity(bottleneck).get_title(loc="left")


def test_lines_of_load_are_those_of_the_table():
    load = efficiency.role_load(_steady(paid=16 * 30.4375 / 7), per="week")
    ax = charts.plot_role_load(load)
    assert np.allclose(ax.lines[0].get_ydata(), 1.25)
    assert ax.get_title(loc="left") == "“Seller” needed more hours than paid for in 52 of 52 weeks"
