"""The efficiency sheet: a company counted by hand, laws, planted stories, bad input."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from funnel_lib import MeasureError, Process, charts, efficiency, lead_flow, overview
from funnel_lib.engine import collect
from tests.conftest import ROOT
from tests.efficiency.company import SETTINGS, SHEET, TABLES, changed
from tests.engines import assert_parity, on_engines


def test_every_cell_of_the_sheet_by_hand():
    sheet = assert_parity(efficiency.efficiency_sheet, on_engines("p", TABLES, **SETTINGS))
    expected = pd.DataFrame(SHEET)
    pd.testing.assert_frame_equal(sheet[list(expected)], expected, check_dtype=False)
    # Conversion was asked three times: 4 ± 4.303 · 1 / √3, cut at 1 and 5; one answer has no interval.
    assert sheet.loc[1, "strain_low"] == pytest.approx(4 - 4.302653 / np.sqrt(3), abs=1e-5)
    assert sheet.loc[1, "strain_high"] == 5
    assert np.isnan(sheet.loc[0, "strain_low"])


def test_order_of_rows_changes_nothing():
    shuffled = {name: table.sample(frac=1, random_state=1) for name, table in TABLES.items()}
    pd.testing.assert_frame_equal(efficiency.efficiency_sheet(changed(**shuffled)), efficiency.efficiency_sheet(changed()))


def test_a_stage_without_result_is_undefined_and_not_infinite():
    one_order_each = TABLES["orders"].iloc[[0, 2]]
    row = efficiency.efficiency_sheet(changed(orders=one_order_each)).set_index("stage").loc["account_management"]
    assert row["result_count"] == 0
    assert row[["cost_per_result_amount", "hours_per_result", "strain_hours_per_result"]].isna().all()
    assert row["cost_amount"] == 30


@pytest.mark.parametrize(("table", "unknown", "cost"), [
    ("work", ["labour_amount", "hours", "hours_per_result", "strain_hours", "margin_per_hour_amount"], 280),
    ("spend", ["spend_amount"], 170), ("pulse", ["strain", "strain_hours"], 450), ("orders", ["margin_per_cost"], 450)])
def test_what_a_missing_table_would_tell_is_unknown(table, unknown, cost):
    row = efficiency.efficiency_sheet(changed(drop=table)).set_index("stage").loc["all"]
    assert row[unknown].isna().all()
    assert row["cost_amount"] == cost
    assert row["result_count"] == 2


def test_a_first_step_before_its_lead_is_not_replaced_by_the_second():
    # `a` was contacted before it was entered and won after ten days; `b` and `c` were contacted after 3 and 2 days.
    events = TABLES["stage_events"].copy()
    events.loc[(events["lead_id"] == "a") & (events["step"] == "contacted"), "entered_at"] = "2025-12-31"
    sheet = assert_parity(efficiency.efficiency_sheet, on_engines("p", {**TABLES, "stage_events": events}, **SETTINGS))
    assert sheet.set_index("stage").loc["lead_generation", "elapsed_days"] == 2.5


def test_without_money_and_hours_there_is_no_sheet():
    with pytest.raises(MeasureError, match="needs the table 'spend'"):
        efficiency.efficiency_sheet(Process.from_tables("p", leads=TABLES["leads"]))


def test_a_role_without_hour_cost_makes_its_labour_unknown():
    roles = {"caller": {"name": "Caller", "hour_cost": 10}, "seller": {"name": "Seller"}}
    sheet = efficiency.efficiency_sheet(Process.from_tables("p", **TABLES, **{**SETTINGS, "roles": roles})).set_index("stage")
    assert sheet["labour_amount"].isna().to_dict() == {"lead_generation": False, "conversion": True, "account_management": True,
                                                       "all": True}
    assert sheet["uncosted_hours"].tolist() == [0, 3, 1, 4]
    assert sheet["cost_amount"].notna().tolist() == [True, False, False, False]


def test_a_few_hours_without_a_cost_are_left_out_and_counted():
    typo = pd.DataFrame([("2026-01-08", "conversion", None, 0.25)], columns=TABLES["work"].columns)
    row = efficiency.efficiency_sheet(changed(work=pd.concat([TABLES["work"], typo]))).set_index("stage").loc["conversion"]
    assert (row["labour_amount"], row["hours"], row["uncosted_hours"]) == (110, 5.25, 0.25)


def test_hours_without_a_stage_have_their_own_row_and_still_add_up():
    nowhere = pd.DataFrame([("2026-01-08", None, "seller", 2.0)], columns=TABLES["work"].columns)
    sheet = efficiency.efficiency_sheet(changed(work=pd.concat([TABLES["work"], nowhere]))).set_index("stage")
    assert list(sheet.index) == ["lead_generation", "conversion", "account_management", "(missing)", "all"]
    assert sheet.loc["(missing)", ["hours", "labour_amount", "spend_amount"]].tolist() == [2, 60, 0]
    assert np.isnan(sheet.loc["(missing)", "result_count"])
    assert sheet.loc["all", "hours"] == 11


def test_counts_and_undated_spend_alone():
    counts = pd.DataFrame([("lead", 40), ("won", 8)], columns=["step", "count"])
    spend = pd.DataFrame([("lead_generation", 200.0)], columns=["stage", "amount"])
    sheet = efficiency.efficiency_sheet(Process.from_tables("p", counts=counts, spend=spend, steps=["won"])).set_index("stage")
    assert sheet.loc["lead_generation", "cost_per_result_amount"] == 5
    assert sheet.loc["all", "cost_per_result_amount"] == 25
    assert sheet["elapsed_days"].isna().all()


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_stages_add_up_to_the_process_and_hours_cost_what_they_cost(demo, name):
    process = demo.process(name)
    sheet = efficiency.efficiency_sheet(process).set_index("stage")
    parts = sheet.drop(index="all")
    for column in ("spend_amount", "labour_amount", "cost_amount", "hours", "strain_hours", "strain_answers_count"):
        assert parts[column].sum() == pytest.approx(sheet.loc["all", column])
    assert np.allclose(sheet["spend_amount"] + sheet["labour_amount"], sheet["cost_amount"])
    # A second way, in plain pandas; each piece of work is rounded to a kopeck.
    work = collect(process.table("work"))
    cost = work["role"].map({key: role.hour_cost for key, role in process.company.roles.items()})
    assert sheet.loc["all", "labour_amount"] == pytest.approx((work["hours"] * cost).sum(), abs=0.005 * len(work) + 0.01)
    assert parts["result_count"].iloc[1:3].sum() <= len(collect(process.table("orders")))


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_lead_generation_costs_what_its_channels_cost(demo, name):
    process = demo.process(name)
    sheet = efficiency.efficiency_sheet(process).set_index("stage")
    channels = lead_flow.channel_economics(process)
    assert channels["cost_amount"].sum() == pytest.approx(sheet.loc["lead_generation", "cost_amount"])


def test_planted_strain_is_found(demo):
    truth = json.loads((ROOT / "data" / "demo" / "truth.json").read_text("utf-8"))
    for name, process in truth["processes"].items():
        sheet = efficiency.efficiency_sheet(demo.process(name)).set_index("stage")
        planted = process["stories"]["strain_mean"]["conversion"]
        assert sheet.loc["conversion", "strain_low"] <= planted <= sheet.loc["conversion", "strain_high"]


# -- limits, shares and additions ----------------------------------------------------------------------------------------


def test_limits_of_a_price_are_those_of_the_count_of_results():
    # Garwood's exact limits of 3 and of 2 events, from the tables of the Poisson distribution.
    sheet = efficiency.efficiency_sheet(changed()).set_index("stage")
    three, two = (0.6187, 8.7673), (0.2422, 7.2247)
    assert sheet.loc["lead_generation", "cost_per_result_low_amount"] == pytest.approx(210 / three[1], rel=1e-4)
    assert sheet.loc["lead_generation", "cost_per_result_high_amount"] == pytest.approx(210 / three[0], rel=1e-3)
    assert sheet.loc["conversion", "hours_per_result_low"] == pytest.approx(5 / two[1], rel=1e-4)
    assert sheet.loc["conversion", "hours_per_result_high"] == pytest.approx(5 / two[0], rel=1e-3)


def test_orders_of_one_customer_tell_less_than_orders_of_two():
    # Two customers with one repeat order each, against one customer with both: half as much is known of the rate.
    apart = efficiency.efficiency_sheet(changed()).set_index("stage").loc["account_management"]
    orders = TABLES["orders"].assign(customer_id=["anna", "anna", "clara", "anna"])
    together = efficiency.efficiency_sheet(changed(orders=orders)).set_index("stage").loc["account_management"]
    assert apart["result_count"] == together["result_count"] == 2
    # One effective event, scaled by two: Garwood's limits of 1 are 0.0253 and 5.5716.
    assert together["cost_per_result_low_amount"] == pytest.approx(30 / (2 * 5.5716), rel=1e-4)
    assert together["cost_per_result_high_amount"] == pytest.approx(30 / (2 * 0.02532), rel=1e-3)
    assert together["cost_per_result_high_amount"] > apart["cost_per_result_high_amount"]


def test_shares_and_the_target_lead_by_hand():
    sheet = efficiency.efficiency_sheet(changed()).set_index("stage")
    assert sheet["cost_share"].tolist() == pytest.approx([210 / 450, 210 / 450, 30 / 450, 1])
    assert sheet["hours_share"].tolist() == pytest.approx([3 / 9, 5 / 9, 1 / 9, 1])
    assert sheet["strain_hours_share"].tolist() == pytest.approx([3 / 17.5, 14.5 / 17.5, 0, 1])
    assert sheet.loc["lead_generation", "cost_per_target_lead_amount"] == 105


def test_the_margin_varies_with_its_customers():
    # Anna brought 400, Clara 1,100: 1,500 ± 1.96 √(400² + 1,100²).
    half = 1.959964 * np.hypot(400, 1100)
    row = efficiency.efficiency_sheet(changed()).set_index("stage").loc["all"]
    assert row["margin_per_cost_low"] == pytest.approx((1500 - half) / 450)
    assert row["margin_per_cost_high"] == pytest.approx((1500 + half) / 450)
    assert row["margin_per_hour_high_amount"] == pytest.approx((1500 + half) / 9)


def test_limits_of_the_median_days_by_order_statistics():
    # Of 20 values the 6th and the 15th are the limits (binomial: P(B < 6) = 0.0207); days 1 to 20.
    leads = pd.DataFrame({"lead_id": [f"L{day}" for day in range(1, 21)], "created_at": "2026-01-01"})
    events = pd.DataFrame({"lead_id": leads["lead_id"], "step": "won",
                           "entered_at": [f"2026-01-{day + 1:02d}" for day in range(1, 21)]})
    work = TABLES["work"]
    sheets = assert_parity(efficiency.efficiency_sheet, on_engines(
        "p", {"leads": leads, "stage_events": events, "work": work}, steps=["won"], as_of="2026-04-01"))
    row = sheets.set_index("stage").loc["conversion"]
    assert row[["elapsed_days", "elapsed_low_days", "elapsed_high_days"]].tolist() == [10.5, 6, 15]


def test_time_driven_costing_by_hand():
    # Kaplan and Anderson: cost of a role / practical capacity × hours. 1,600 a month for 160 hours paid is 10 an hour.
    hour_cost = 1600 / 160
    roles = {"caller": {"name": "Caller", "hour_cost": hour_cost}, "seller": {"name": "Seller", "hour_cost": 4800 / 160}}
    sheet = efficiency.efficiency_sheet(Process.from_tables("p", **TABLES, **{**SETTINGS, "roles": roles})).set_index("stage")
    assert sheet["labour_amount"].tolist() == [3 * 10, 3 * 30 + 2 * 10, 1 * 30, 170]


def test_processes_add_up_to_the_company(demo):
    table = overview.stage_efficiency(demo).set_index(["stage", "process"])
    for column in ("result_count", "spend_amount", "labour_amount", "cost_amount", "hours", "strain_hours"):
        for stage in ("lead_generation", "conversion", "account_management", "all"):
            parts = table.loc[stage, column]
            assert parts.drop("all").sum() == pytest.approx(parts["all"])
    for name in demo.process_names:
        sheet = efficiency.efficiency_sheet(demo.process(name)).set_index("stage")
        assert table.loc[("conversion", name), "cost_amount"] == sheet.loc["conversion", "cost_amount"]
    whole = table.loc[("conversion", "all")]
    assert whole["cost_per_result_amount"] == pytest.approx(whole["cost_amount"] / whole["result_count"])


# -- bad input: measure and chart ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tables", [
    {name: TABLES[name] for name in ("leads", "stage_events", "spend")}, {name: TABLES[name] for name in ("leads", "work")},
    {**TABLES, "orders": TABLES["orders"].iloc[[0, 2]]}, {**TABLES, "pulse": None}], ids=["money", "hours", "no result", "no pulse"])
@pytest.mark.parametrize("chart", ["plot_efficiency_sheet", "plot_stage_shares"])
def test_charts_of_a_sheet_with_gaps_draw_nothing_that_is_not_known(tables, chart):
    sheet = efficiency.efficiency_sheet(Process.from_tables("p", **{name: table for name, table in tables.items() if table is not None},
                                                            **SETTINGS))
    ax = getattr(charts, chart)(sheet)
    texts = [text.get_text() for part in (ax, *ax.child_axes) for text in part.texts] + [ax.get_title(loc="left")]
    assert not any(word in ("nan", "inf") for text in texts for word in text.lower().split())
    assert np.isfinite([bar.get_width() for part in (ax, *ax.child_axes) for bar in part.patches]).all()


def test_work_on_unknown_leads_and_thirty_hours_a_day_are_in_the_sums_and_found():
    columns = ["date", "stage", "role", "hours", "employee", "lead_id"]
    work = pd.DataFrame([("2026-01-08", "conversion", "seller", 20.0, "ann", "a"), ("2026-01-08", "conversion", "seller", 10.0, "ann", None),
                         ("2026-01-09", "conversion", "seller", 8.0, "ann", "nobody"), ("2026-01-09", "conversion", "seller", 24.0, "bob", "b"),
                         ("2026-01-10", "conversion", "seller", -1.0, "bob", "b")], columns=columns)
    found = assert_parity(efficiency.doubtful_hours, on_engines("p", {**TABLES, "work": work}, **SETTINGS)).set_index("doubt")
    assert found["pieces_count"].to_dict() == {"negative_hours": 1, "over_24_hours": 2, "unknown_lead": 1}
    assert found["hours"].to_dict() == {"negative_hours": -1, "over_24_hours": 30, "unknown_lead": 8}
    assert found.loc["over_24_hours", "hours_share"] == pytest.approx(30 / 61)
    assert efficiency.efficiency_sheet(changed(work=work)).set_index("stage").loc["all", "hours"] == 61
