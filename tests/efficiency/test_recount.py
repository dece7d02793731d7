"""Figures that a second count in plain pandas found apart from their definitions; each is worked out by hand here."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from funnel_lib import Process, answers, efficiency
from funnel_lib.improvement import next_unit
from tests.efficiency.company import SETTINGS, TABLES, changed
from tests.efficiency.test_scorecards import SETTINGS as TWO_YEARS
from tests.efficiency.test_scorecards import tables
from tests.engines import assert_parity, on_engines


def indicator(process: Process, name: str) -> pd.Series:
    return efficiency.indicators(process).set_index("indicator").loc[name]


def test_the_first_order_seen_of_a_customer_known_from_before_is_a_repeat_one():
    # "old" bought in 2020: all of their orders are repeat ones, as in the sheet; of "new" the first one is not.
    orders = pd.DataFrame([("old", "2025-02-01", 30.0), ("new", "2025-03-01", 10.0), ("new", "2025-04-01", 50.0)],
                          columns=["customer_id", "ordered_at", "margin"]).assign(order_id=["1", "2", "3"], amount=100.0)
    known = pd.DataFrame({"customer_id": ["old"], "first_order_at": ["2020-01-01"]})
    settings = {"as_of": "2026-01-01", "observed_from": "2022-01-01"}
    table = assert_parity(efficiency.indicators, on_engines("p", {"orders": orders, "customers": known}, **settings))
    rows = table.set_index("indicator")
    assert rows.loc["repeat_share", ["cases_count", "of_count"]].tolist() == [2, 3]
    assert rows.loc["margin_per_repeat", "last_value"] == 40


def test_spending_without_a_date_is_part_of_what_a_lead_costs():
    # 1,461 money units over the 1,461 days of 2022 to 2025: 365 of them fall to 2025 with its 120 leads, 366 to 2024.
    spend = pd.DataFrame([("lead_generation", 1461.0, None), ("lead_generation", 235.0, "2025-05-01")],
                         columns=["stage", "amount", "date"])
    data = {name: table for name, table in tables().items() if name != "work"}
    row = indicator(Process.from_tables("p", **data, spend=spend, **TWO_YEARS), "cost_per_lead")
    assert row["last_value"] == pytest.approx((365 + 235) / 120)
    assert row["before_value"] == pytest.approx(366 / 100)


def test_a_year_without_spending_has_no_cost_per_lead():
    # Nothing at all is more likely not recorded than free: no zero, and no logarithm of it.
    spend = pd.DataFrame([("lead_generation", 100.0, "2024-05-01")], columns=["stage", "amount", "date"])
    data = {name: table for name, table in tables().items() if name != "work"}
    found = efficiency.indicators(Process.from_tables("p", **data, spend=spend, **TWO_YEARS))
    assert "cost_per_lead" not in set(found["indicator"]) and "target_share" in set(found["indicator"])


def test_days_to_win_are_exact_and_leave_out_wins_before_the_lead():
    # Wins after 3 days and a minute, and one recorded before its lead was: the median of 2025 is that of the others.
    data = tables()
    events = data["stage_events"].assign(entered_at=pd.to_datetime(data["stage_events"]["entered_at"]))
    won = (events["step"] == "won") & events["lead_id"].str.startswith("2025")
    events.loc[won, "entered_at"] += pd.Timedelta(minutes=1)
    early = won & (np.cumsum(won) <= 40)
    events.loc[early, "entered_at"] -= pd.Timedelta(days=4)
    row = indicator(Process.from_tables("p", **{**data, "stage_events": events}, **TWO_YEARS), "days_to_win")
    assert row["last_value"] == pytest.approx(3 + 1 / 1440)
    assert row["of_count"] == 20


def test_a_stage_of_robots_has_no_nerves_and_hides_nobody_elses():
    work = TABLES["work"].assign(automated=TABLES["work"]["stage"] == "account_management")
    pulse = TABLES["pulse"][TABLES["pulse"]["stage"] != "account_management"]
    process = changed(work=work, pulse=pulse)
    sheet = efficiency.efficiency_sheet(process).set_index("stage")["strain_hours"]
    assert sheet.tolist() == [3, 14.5, 0, 17.5]
    assert efficiency.nerves(process)["strain_hours"].tolist() == sheet.tolist()


def test_money_given_back_is_no_price_of_leads():
    # More came back than was spent: one unit more would not bring fewer leads.
    spend = pd.DataFrame([("lead_generation", -500.0, "2026-02-01")], columns=["stage", "amount", "date"])
    settings = {**SETTINGS, "observed_from": "2025-12-29"}
    row = next_unit(Process.from_tables("p", **{**TABLES, "spend": spend}, **settings)).set_index("stage").loc["lead_generation"]
    assert np.isnan(row["cost_per_lead_amount"]) and np.isnan(row["money_brings_amount"])


def test_owners_without_any_work_are_scored_without_a_warning():
    data = {name: table for name, table in tables().items() if name != "work"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = efficiency.employee_scores(Process.from_tables("p", **data, **TWO_YEARS))
    assert set(found["employee"]) == {"ann", "bob"} and found["role"].isna().all()


def test_money_given_back_is_no_price_that_fell():
    # Conversion cost 100 in the first half of the records, in the second half more came back than was spent.
    spend = pd.DataFrame([("conversion", 100.0, "2026-01-05"), ("conversion", -300.0, "2026-03-01")], columns=["stage", "amount", "date"])
    late = TABLES["orders"].assign(ordered_at=["2026-01-11", "2026-02-10", "2026-02-22", "2026-03-03"])
    process = Process.from_tables("p", leads=TABLES["leads"], orders=late, spend=spend, **SETTINGS)
    row = efficiency.stage_change(process).set_index("stage").loc["conversion"]
    assert row["after_cost_per_result_amount"] == -300 and np.isnan(row["cost_per_result_change_share"])
    assert row["cost_per_result_verdict"] == "cannot tell"
    sheet = efficiency.efficiency_sheet(process).set_index("stage").loc["conversion"]
    assert sheet["cost_per_result_amount"] == -100
    assert sheet[["cost_per_result_low_amount", "cost_per_result_high_amount", "margin_per_cost"]].isna().all()


def test_no_stage_takes_most_of_nothing():
    # All work names no stage: no stage takes the most hours.
    said = answers.efficiency(changed(work=TABLES["work"].assign(stage=None)))[0]
    assert said.key == "dearest_stage" and "hours" not in said


def test_a_change_that_nothing_could_show_is_not_said_to_be_none():
    said = {one.key: one for one in answers.efficiency(changed(drop="orders", stage_events=TABLES["stage_events"].iloc[:0]))}
    assert said["period_change"].startswith("Whether a result has become dearer cannot be told")


def test_hours_of_roles_nobody_asked_have_the_error_of_all_answers():
    # Only the seller was asked (4 and 5): the strain-hours of both roles are 5 hours × 3.5, and err as one figure does.
    pulse = TABLES["pulse"].iloc[1:3]
    row = efficiency.nerves(changed(pulse=pulse)).set_index("stage").loc["conversion"]
    assert row["strain_hours"] == 17.5
    # The mean of 4 and 5 errs by ½; two customers are a Poisson count.
    half = 1.959964 * np.sqrt((5 * 0.5 / 17.5)**2 + 1 / 2)
    assert row["strain_hours_per_result_high"] == pytest.approx(8.75 * np.exp(half), rel=1e-6)
