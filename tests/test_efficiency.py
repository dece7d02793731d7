"""The efficiency sheet, the levels of technology and the capacity: a company counted by hand, laws, planted stories."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from funnel_lib import MeasureError, Process, efficiency, lead_flow
from funnel_lib.engine import collect
from tests.conftest import ROOT
from tests.engines import assert_parity, on_engines

# -- three leads, two roles, five pieces of work -------------------------------------------------------------------------

TABLES = {
    "leads": pd.DataFrame(
        [("a", "2026-01-01", "anna", "shop"), ("b", "2026-01-01", None, "reseller"), ("c", "2026-01-02", "clara", "shop")],
        columns=["lead_id", "created_at", "customer_id", "segment"]),
    "stage_events": pd.DataFrame(
        [("a", "contacted", "2026-01-02"), ("b", "contacted", "2026-01-04"), ("c", "contacted", "2026-01-04"),
         ("b", "lost", "2026-01-06"), ("a", "won", "2026-01-11"), ("c", "won", "2026-01-22")],
        columns=["lead_id", "step", "entered_at"]),
    "orders": pd.DataFrame(
        [("1", "anna", "2026-01-11", 1000.0, 300.0, "a"), ("2", "anna", "2026-02-10", 500.0, 100.0, None),
         ("3", "clara", "2026-01-22", 2000.0, 600.0, "c"), ("4", "clara", "2026-03-03", 1500.0, 500.0, None)],
        columns=["order_id", "customer_id", "ordered_at", "amount", "margin", "lead_id"]),
    "spend": pd.DataFrame([("lead_generation", 120.0, "2026-01-01"), ("lead_generation", 60.0, "2026-02-01"),
                           ("conversion", 100.0, "2026-01-01")], columns=["stage", "amount", "date"]),
    "work": pd.DataFrame(
        [("2026-01-02", "lead_generation", "caller", 2.0), ("2026-01-04", "lead_generation", "caller", 1.0),
         ("2026-01-08", "conversion", "seller", 3.0), ("2026-01-15", "conversion", "caller", 2.0),
         ("2026-02-05", "account_management", "seller", 1.0)], columns=["date", "stage", "role", "hours"]),
    "pulse": pd.DataFrame(
        [("2026-01-05", "lead_generation", "caller", 2), ("2026-01-09", "conversion", "seller", 4),
         ("2026-01-12", "conversion", "seller", 5), ("2026-01-16", "conversion", "caller", 3),
         ("2026-02-06", "account_management", "seller", 1)], columns=["date", "stage", "role", "strain"]),
}
SETTINGS = {"steps": ["contacted", "won"], "as_of": "2026-04-01", "observed_from": "2026-01-01", "target_segments": ["shop"],
            "roles": {"caller": {"name": "Caller", "hour_cost": 10, "paid_hours_per_month": 2, "people": 2},
                      "seller": {"name": "Seller", "hour_cost": 30}}}

SHEET = {
    "stage": ["lead_generation", "conversion", "account_management", "all"],
    "result": ["new_leads", "new_customers", "repeat_orders", "new_customers"],
    "result_count": [3, 2, 2, 2],
    "target_count": [2, np.nan, np.nan, np.nan],
    "spend_amount": [180, 100, 0, 280],
    "labour_amount": [30, 3 * 30 + 2 * 10, 30, 170],
    "cost_amount": [210, 210, 30, 450],
    "cost_per_result_amount": [70, 105, 15, 225],
    "hours": [3, 5, 1, 9],
    "hours_per_result": [1, 2.5, 0.5, 4.5],
    # 1, 2, 3 days to the first step; 10 and 20 to the win; orders followed after 30 and 40 days, open for 29 and 50: at day 30
    # one of three at risk, at day 40 one of two, so that two thirds are followed by then.
    "elapsed_days": [2, 15, 40, 15],
    "strain": [2, 4, 1, 3],
    "strain_answers_count": [1, 3, 1, 5],
    # By role: in conversion 3 hours at 4.5 and 2 hours at 3.
    "strain_hours": [3, 3 * 3.5 + 2 * 2, 0, 17.5],
    "strain_hours_per_result": [1, 7.25, 0, 8.75],
    "margin_per_cost": [1500 / 210, 1500 / 210, 50, 1500 / 450],
    "margin_per_hour_amount": [500, 300, 1500, 1500 / 9],
    "uncosted_hours": [0, 0, 0, 0],
}


def changed(drop: str | None = None, **tables: pd.DataFrame) -> Process:
    """The hand-made company with other tables."""
    kept = {name: table for name, table in {**TABLES, **tables}.items() if name != drop}
    return Process.from_tables("p", **kept, **SETTINGS)


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


# -- the levels of technology --------------------------------------------------------------------------------------------

CARDS = [{"key": key, "stage": "conversion", "role": "caller", "level": level} for key, level in
         [("automatic", 4), ("assisted", 3), ("scripted", 2), ("described", 3), ("craft", 0), ("rare", 2), ("idle", 1)]]


def _log(card: str, executions: list[tuple[str, str, float, bool]]) -> list[tuple]:
    return [("2026-01-05", "conversion", role, hours, employee, card, automated)
            for role, employee, hours, automated in executions]


# One log per level, at the edge of its rule.
LOG = pd.DataFrame(
    _log("automatic", [("caller", "ann", 1.0, False)] * 2 + [("robot", None, 0.1, True)] * 18)
    + _log("assisted", [("caller", "ann", 1.0, False)] * 14 + [("caller", "ann", 1.0, True)] * 6)
    + _log("scripted", [("caller", "ann", 1.0, False)] * 16 + [("caller", "bob", 2.0, False)] * 4)
    # Two employees, but the second does less than a fifth.
    + _log("described", [("caller", "ann", 1.0, False)] * 18 + [("caller", "bob", 1.0, False)] * 3)
    # Two employees, but the hours vary too much, and 65 % are by the card's role.
    + _log("craft", [("caller", "ann", 0.1, False)] * 13 + [("seller", "sue", 5.0, False)] * 7)
    + _log("rare", [("caller", "ann", 1.0, False)] * 19)
    + _log("undescribed", [("caller", "ann", 1.0, False)] * 20),
    columns=["date", "stage", "role", "hours", "employee", "card", "automated"])
LEVEL_SETTINGS = {"as_of": "2026-03-02", "observed_from": "2026-01-01", "cards": CARDS, "roles": SETTINGS["roles"]}


def test_one_log_for_each_level():
    cards = assert_parity(efficiency.technologization, on_engines("p", {"work": LOG}, **LEVEL_SETTINGS)).set_index("card")
    assert cards["shown_level"].dropna().to_dict() == {"automatic": 4, "assisted": 3, "scripted": 2, "described": 1, "craft": 0,
                                                       # Nobody says whose work it is, and one employee does it.
                                                       "undescribed": 0}
    assert cards.loc["rare", "executions_count"] == 19
    assert cards.loc["idle", ["executions_count", "hours"]].tolist() == [0, 0]
    assert cards.loc["described", "level_gap"] == 2
    assert np.isnan(cards.loc["undescribed", "claimed_level"])


def test_the_evidence_beside_the_level():
    row = efficiency.technologization(Process.from_tables("p", work=LOG, **LEVEL_SETTINGS)).set_index("card").loc["scripted"]
    hours = np.array([1.0] * 16 + [2.0] * 4)
    assert row["performers_count"] == 2
    assert row["hours_variation"] == pytest.approx(hours.std(ddof=1) / hours.mean())
    assert (row["automated_share"], row["by_role_share"]) == (0, 1)


def test_the_level_of_a_stage_weighs_cards_by_their_hours():
    levels = efficiency.stage_levels(Process.from_tables("p", work=LOG, **LEVEL_SETTINGS)).set_index("stage")
    hours = LOG.groupby("card")["hours"].sum()
    shown = pd.Series({"automatic": 4, "assisted": 3, "scripted": 2, "described": 1, "craft": 0, "undescribed": 0})
    weights = hours[shown.index]
    assert levels.loc["conversion", "shown_level"] == pytest.approx((shown * weights).sum() / weights.sum())
    assert levels.loc["all", "hours"] == pytest.approx(hours.sum())
    assert levels.loc["conversion", "known_hours_share"] == pytest.approx(weights.sum() / hours.sum())


def test_payback_of_the_next_level_by_hand():
    # 60 hours in two months of 30.4375 days, at 10 an hour: 30 hours a month, of which half are freed: 150 a month.
    month = 30.4375
    work = pd.DataFrame([("2026-01-05", "conversion", "caller", 3.0, "call")] * 20,
                        columns=["date", "stage", "role", "hours", "card"])
    settings = {"as_of": pd.Timestamp("2026-01-01") + pd.Timedelta(days=2 * month), "observed_from": "2026-01-01",
                "roles": SETTINGS["roles"]}
    for monthly, payback in [(50, 3.0), (150, np.nan), (200, np.nan)]:
        card = {"key": "call", "stage": "conversion", "role": "caller",
                "next_level": {"setup_cost": 300, "monthly_cost": monthly, "hours_saved_share": 0.5}}
        row = efficiency.technologization(Process.from_tables("p", work=work, cards=[card], **settings)).iloc[0]
        assert row["freed_hours_per_month"] == pytest.approx(15)
        assert row["monthly_gain_amount"] == pytest.approx(150 - monthly)
        assert row["payback_months"] == pytest.approx(payback, nan_ok=True)


def test_cards_without_a_log_claim_and_show_nothing():
    cards = efficiency.technologization(Process.from_tables("p", leads=TABLES["leads"], cards=CARDS))
    assert len(cards) == len(CARDS)
    assert cards["shown_level"].isna().all()
    with pytest.raises(MeasureError, match="technology cards"):
        efficiency.technologization(Process.from_tables("p", leads=TABLES["leads"]))


def test_planted_levels_are_found(demo):
    truth = json.loads((ROOT / "data" / "demo" / "truth.json").read_text("utf-8"))
    for name, process in truth["processes"].items():
        cards = efficiency.technologization(demo.process(name)).set_index("card")
        planted = process["stories"]["card_levels"]
        assert cards["claimed_level"].to_dict() == {card: levels["claimed"] for card, levels in planted.items()}
        assert cards["shown_level"].to_dict() == {card: levels["shown"] for card, levels in planted.items()}


# -- capacity ------------------------------------------------------------------------------------------------------------


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
