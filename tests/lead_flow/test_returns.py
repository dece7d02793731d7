"""Returns of channels: a toy worked out by hand, plain pandas, a year later, planted differences, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import CallError, MeasureError, Process, lead_flow, read_company
from funnel_lib.customers import new_customers
from funnel_lib.engine import collect
from tests.conftest import ROOT
from tests.engines import assert_parity, on_engines
from tests.test_lead_flow import COMPANY, COMPANY_SETTINGS

# Three mature creation months (January to March), two young ones (April: all leads 2 months old on 5 July, May: 1), June left out.
MONTHS = ["2025-01", "2025-02", "2025-03", "2025-04", "2025-05", "2025-06"]


def _lead(number: int, month: str, channel: str, customer: str | None = None) -> tuple:
    return f"{channel}{month}{number}", f"{month}-02", channel, customer


TOY = {
    "leads": pd.DataFrame(
        # a has 10 leads a month, so 30 mature ones, and 6 of April; b has 10 of March and 4 of May.
        [_lead(n, month, "a", {("2025-01", 0): "A1", ("2025-02", 0): "A2"}.get((month, n))) for month in MONTHS[:3] for n in range(10)]
        + [_lead(n, "2025-04", "a", "A3" if n == 0 else None) for n in range(6)]
        + [_lead(n, "2025-03", "b", "B1" if n == 0 else None) for n in range(10)]
        + [_lead(n, "2025-05", "b", "B2" if n == 0 else None) for n in range(4)],
        columns=["lead_id", "created_at", "channel", "customer_id"]),
    # 5, 40 and 70 days after the lead of the 2nd are ages of 0, 1 and 2 months.
    "orders": pd.DataFrame(
        [("A1", "2025-01-07", 60), ("A1", "2025-02-11", 30), ("A1", "2025-03-13", 10), ("A1", "2025-06-20", 7_000),
         ("A2", "2025-02-07", 40), ("A2", "2025-04-13", 60), ("B1", "2025-03-07", 100),
         ("A3", "2025-04-07", 50), ("A3", "2025-05-12", 20), ("A3", "2025-06-11", 1_000),  # not all of April is so old
         ("B2", "2025-05-07", 30), ("B2", "2025-06-11", 500)], columns=["customer_id", "ordered_at", "margin"]),
    "spend": pd.DataFrame([("lead_generation", channel, f"{month}-01", amount) for month in MONTHS
                           for channel, amount in (("a", 20), ("b", 10), (None, 5))],
                          columns=["stage", "channel", "date", "amount"]),
}
TOY["orders"] = TOY["orders"].assign(order_id=[str(n) for n in range(12)], amount=TOY["orders"]["margin"] * 2)
TOY_SETTINGS = {"as_of": "2025-07-05", "observed_from": "2025-01-01"}


def toy(**changes) -> pd.DataFrame:
    process = Process.from_tables("p", **{**TOY, **TOY_SETTINGS, **changes})
    return lead_flow.channel_returns(process, horizon_months=3).set_index("channel")


def test_the_share_earned_by_age_is_the_chain_ladder_by_hand():
    """Of the 300 of margin of January to March 200 came in the first month of age, 30 in the second, 70 in the third."""
    process = Process.from_tables("p", **TOY, **TOY_SETTINGS)
    table = lead_flow.margin_development(process, horizon_months=3)
    assert table["earned_share"].tolist() == pytest.approx([0, 200 / 300, 230 / 300, 1])
    assert (table["earned_low_share"] <= table["earned_share"]).all() and (table["earned_share"] <= table["earned_high_share"]).all()


def test_young_leads_are_projected_by_hand():
    table = assert_parity(lambda p: lead_flow.channel_returns(p, horizon_months=3), on_engines("p", TOY, **TOY_SETTINGS))
    table = table.set_index("channel")
    assert list(table.index) == ["a", "b", "(not allocated)", "all"]
    assert table["mature_leads_count"].tolist() == [30, 10, 0, 40] and table["young_leads_count"].tolist() == [6, 4, 0, 10]
    assert table["mature_cost_amount"].tolist() == [60, 30, 15, 105] and table["mature_margin_amount"].tolist() == [200, 100, 0, 300]
    assert table.loc[["a", "b", "all"], "romi_share"].tolist() == pytest.approx([140 / 60, 70 / 30, 195 / 105])
    # April and May are projected, June is left out.
    assert table["projected_cost_amount"].tolist() == [100, 50, 25, 175]
    assert table["left_out_cost_amount"].tolist() == [20, 10, 5, 35]
    # a: 70 by two months of age, and 6 leads × 200/30 a lead × the 70/300 that is earned later; b has too few mature leads of its
    # own and takes the 300/40 of all: 30 by one month, and 4 × 7.5 × 1/3.
    a, b = 200 + 70 + 6 * 200 / 30 * 70 / 300, 100 + 30 + 4 * 7.5 / 3
    assert table["projected_margin_amount"].tolist() == pytest.approx([a, b, 0, a + b])
    assert table.loc["a", "projected_romi_share"] == pytest.approx((a - 100) / 100)
    assert table["projected"].tolist() == [True, True, True, True]


def test_limits_are_those_of_the_customers_squared_margins():
    """a: two customers of 100 each, so an error of √20 000; nobody brought a loss, so the margin is not below 0."""
    row = toy().loc["a"]
    half = 1.959963984540054 * np.sqrt(20_000)
    assert row.romi_high_share == pytest.approx((200 + half - 60) / 60) and row.romi_low_share == -1
    assert row.projected_romi_low_share <= row.projected_romi_share <= row.projected_romi_high_share


def test_payback_by_hand():
    """a has 100 by one month and 130 by two; at a cost of 120 it is paid back in the second, at 1,000 not within three."""
    assert toy()["payback_months"].dropna().to_dict() == {"a": 1, "b": 1, "all": 1}
    for cost, month in ((40, 2.0), (1_000 / 3, np.nan)):
        spend = TOY["spend"].assign(amount=TOY["spend"]["amount"].mask(TOY["spend"]["channel"] == "a", cost))
        assert toy(spend=spend).loc["a", "payback_months"] == pytest.approx(month, nan_ok=True)


def test_first_orders_at_a_loss_do_not_break_the_projection():
    """The share earned by one month is negative: dividing by it would turn a profit into a loss."""
    orders = TOY["orders"].assign(margin=TOY["orders"]["margin"].mask(TOY["orders"]["customer_id"].eq("B1"), -150.0))
    table = toy(orders=orders)
    assert table.loc["b", "projected_margin_amount"] == pytest.approx(-150 + 30 + 4 * 50 / 40 * (1 - (100 - 150) / 50))


def test_revenue_is_the_labelled_option():
    """Amounts are twice the margins here."""
    process = Process.from_tables("p", **TOY, **TOY_SETTINGS)
    table = lead_flow.channel_returns(process, on="revenue", horizon_months=3).set_index("channel")
    assert table.loc["all", "mature_margin_amount"] == 600 and (table["measured_on"] == "revenue").all()
    with pytest.raises(CallError, match="expected 'margin' or 'revenue'"):
        lead_flow.channel_returns(process, on="profit")
    with pytest.raises(CallError, match="whole number of months"):
        lead_flow.channel_returns(process, horizon_months=0)


# -- the company of the other measures, with money and hours that name no channel ----------------------------------------


def test_rows_sum_to_the_total_and_agree_with_the_economics():
    """Full cost of the mature months: ads 100 + 20 + 21 + 20 (2.1 h × 10, 1 h × 20), fair 60 + 10, tv 45, nobody's 5 of
    L5's half hour, not allocated 33.33 + 10 + 30 + 20: 374.33 in all. Margins: 56, 80, 12."""
    for settings in (COMPANY_SETTINGS, {**COMPANY_SETTINGS, "as_of": "2025-02-01"}):
        process = Process.from_tables("p", **COMPANY, **settings)
        table = lead_flow.channel_returns(process).set_index("channel")
        ours = lead_flow.channel_economics(process).set_index("channel").drop(index="(unattributed)", errors="ignore")
        for name in ("mature_cost_amount", "mature_margin_amount", "romi_share", "mature_customers_count"):
            assert table.loc[ours.index, name].tolist() == pytest.approx(ours[name].tolist(), nan_ok=True), name
        for name in table.columns[table.columns.str.endswith(("_count", "_amount"))]:
            assert table.drop(index="all")[name].sum(skipna=False) == pytest.approx(table.loc["all", name], nan_ok=True), name
    table = lead_flow.channel_returns(Process.from_tables("p", **COMPANY, **COMPANY_SETTINGS)).set_index("channel")
    assert table["mature_cost_amount"].round(2).to_dict() == {"ads": 161, "fair": 70, "tv": 45, "(missing)": 5,
                                                              "(not allocated)": 93.33, "all": 374.33}
    assert table.loc["all", "romi_share"] == pytest.approx((148 - 374.33) / 374.33)
    # The television has no lead, so nothing was hidden by chance: it earned nothing back.
    assert table.loc["tv", ["romi_share", "romi_low_share", "romi_high_share"]].tolist() == [-1, -1, -1]


def test_nobody_yet_may_stand_for_a_few():
    """10 leads without a customer: up to 3.69 (Garwood 1936) customers of the mean margin of 100."""
    orders = TOY["orders"][TOY["orders"]["customer_id"] != "B1"]
    row = toy(orders=orders).loc["b"]
    assert (row.romi_share, row.romi_low_share) == (-1, -1) and row.romi_high_share == pytest.approx((368.888 - 30) / 30, rel=1e-4)


def test_the_demonstration_company_in_plain_pandas(demo):
    process = demo.process("wholesale")
    people, orders, leads = collect(new_customers(process)), collect(process.table("orders")), collect(process.leads())
    months = people["lead_created_at"].dt.to_period("M")
    last, end = pd.Period("2025-05"), process.as_of
    people = people[months.notna()].assign(month=months)
    people["reached"] = [min(12, int((end - (month + 1).start_time) / pd.Timedelta(days=30.4375))) for month in people["month"]]
    money = orders[orders["amount"] != 0].drop(columns=["channel", "lead_id"]).merge(people, on="customer_id")
    money["age"] = ((money["ordered_at"] - money["lead_created_at"]) / pd.Timedelta(days=30.4375)).clip(lower=0).astype(int)
    mature = money[(money["month"] <= last) & (money["age"] < 12)]
    earned = mature.groupby("age")["margin"].sum().reindex(range(12)).cumsum() / mature["margin"].sum()
    found = lead_flow.margin_development(process)
    assert found["earned_share"].tolist()[1:] == pytest.approx(earned.tolist())
    states = collect(lead_flow.counts.new_leads(process).select("lead_id", "channel", "created_at"))
    assert len(states) < len(leads)  # those that never were leads
    counts = states.assign(month=states["created_at"].dt.to_period("M")).groupby(["channel", "month"]).size()
    table = lead_flow.channel_returns(process).set_index("channel")
    for channel in ("cold_call", "partner"):
        whole = mature.loc[mature["channel"] == channel, "margin"].sum()
        per_lead = whole / counts[channel][counts[channel].index <= last].sum()
        for month in pd.period_range("2025-06", "2026-05", freq="M"):
            reached = int((end - (month + 1).start_time) / pd.Timedelta(days=30.4375))
            if reached >= 1:
                so_far = money[(money["channel"] == channel) & (money["month"] == month) & (money["age"] < reached)]["margin"].sum()
                whole += so_far + counts[channel].get(month, 0) * per_lead * (1 - earned[reached - 1])
        assert table.loc[channel, "projected_margin_amount"] == pytest.approx(whole / 100)


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_a_year_later_the_projection_is_true(demo, name):
    """What was projected on 2 July 2025 against what those same months had really brought by July 2026."""
    then = read_company(ROOT / "data" / "demo", as_of="2025-07-02").process(name)
    before = lead_flow.channel_returns(then).set_index("channel").loc["all"]
    after = lead_flow.channel_returns(demo.process(name)).set_index("channel").loc["all"]
    assert before.projected_cost_amount == pytest.approx(after.mature_cost_amount)
    assert before.projected_romi_low_share < after.romi_share < before.projected_romi_high_share


def test_intervals_hold_the_planted_return():
    """Customers come by chance and bring a lognormal margin: the limits hold the true return of a lead in 95 of 100 companies."""
    rng, held = np.random.default_rng(1), 0
    for _ in range(40):
        leads = pd.DataFrame({"lead_id": [str(n) for n in range(400)], "created_at": "2025-01-10", "channel": "a"})
        bought = rng.random(400) < 0.2
        leads["customer_id"] = leads["lead_id"].where(bought)
        orders = pd.DataFrame({"customer_id": leads.loc[bought, "lead_id"], "ordered_at": "2025-01-20",
                               "margin": rng.lognormal(0, 1, bought.sum()) * 100})
        orders = orders.assign(order_id=orders["customer_id"], amount=orders["margin"])
        spend = pd.DataFrame({"stage": ["lead_generation"], "channel": "a", "date": "2025-01-05", "amount": 5_000})
        row = lead_flow.channel_returns(Process.from_tables("p", leads=leads, orders=orders, spend=spend, as_of="2026-03-01",
                                                            observed_from="2025-01-01")).iloc[0]
        held += row.romi_low_share <= (400 * 0.2 * 100 * np.exp(0.5) - 5_000) / 5_000 <= row.romi_high_share
    assert held >= 34  # fewer happen by chance once in a hundred


# -- which channels differ ---------------------------------------------------------------------------------------------------


def test_only_what_the_data_carry_is_ranked(demo):
    """The simulated students buy rarely and the recommended often; custom has too few customers to tell anything apart."""
    verdicts = {name: lead_flow.channel_returns(demo.process(name)).set_index("channel")["verdict"] for name in ("retail", "custom")}
    assert verdicts["retail"]["student_blog"] == "below" and verdicts["retail"]["recommendation"] == "above"
    assert set(verdicts["custom"]) <= {"no_difference", "too_few", "not_compared"}
    assert verdicts["retail"]["all"] == verdicts["retail"]["(not allocated)"] == "not_compared"


def test_a_channel_that_differs_excludes_the_return_of_the_others(demo):
    table = lead_flow.channel_returns(demo.process("retail"))
    named = table[~table["channel"].isin(["all", "(not allocated)"])]
    for row in named[named["verdict"].isin(["above", "below"])].itertuples():
        rest = named[named["channel"] != row.channel][["mature_margin_amount", "mature_cost_amount"]].sum()
        others = rest["mature_margin_amount"] / rest["mature_cost_amount"] - 1
        assert not row.romi_low_share <= others <= row.romi_high_share and row.adjusted_p_value < 0.05


def test_one_channel_is_compared_with_nobody():
    table = toy(leads=TOY["leads"].query("channel == 'a'"), spend=TOY["spend"].query("channel == 'a'"))
    assert list(table.index) == ["a", "all"] and table.loc["a", "verdict"] == "too_few"


# -- small channels drawn towards the common one -------------------------------------------------------------------------------


def test_cost_of_a_customer_by_hand():
    """Leads of January to March are 30 days old within which a got 2 of its 36 (April too), b 1 of its 10 and of May's 4."""
    process = Process.from_tables("p", **TOY, **TOY_SETTINGS, conversion_window_days=30)
    table = assert_parity(lead_flow.channel_customers, on_engines("p", TOY, **TOY_SETTINGS, conversion_window_days=30))
    table = table.set_index("channel")
    assert table["followed_leads_count"].to_dict() == {"a": 36, "b": 14}
    assert table["followed_customers_count"].to_dict() == {"a": 3, "b": 2}
    # 120 of spend for 36 leads, 60 for 14.
    assert table["cost_per_lead_amount"].tolist() == pytest.approx([120 / 36, 60 / 14])
    assert table["cost_per_followed_customer_amount"].tolist() == pytest.approx([120 / 3, 60 / 2])
    # 3 of 36 and 2 of 14 differ no more than by chance: both get 5 of 50.
    assert table["pooled_won_share"].tolist() == pytest.approx([0.1, 0.1])
    assert table["pooled_cost_per_customer_amount"].tolist() == pytest.approx([1_200 / 36, 600 / 14])
    assert lead_flow.channel_customers(process)["few"].tolist() == [False, True]


def test_a_small_channel_is_drawn_further(demo):
    table = lead_flow.channel_customers(demo.process("wholesale")).set_index("channel")
    moved = (table["pooled_won_share"] - table["customer_share"]).abs()
    assert moved["other"] > moved["recommendation"] > moved["cold_call"]


def test_counts_without_leads_have_a_cost_per_customer_too(open_data):
    """KAG: 1,079 purchases of 3,264 enquiries, 54.41 each; pooled ones stay within the limits."""
    ads = pd.read_csv(open_data / "kag_facebook_ads" / "KAG_conversion_data.csv")
    ads["channel"] = ads["xyz_campaign_id"].astype(str)
    counts = pd.concat([ads[["channel"]].assign(step=step, count=ads[column])
                        for step, column in (("lead", "Total_Conversion"), ("purchase", "Approved_Conversion"))])
    spend = ads[["channel"]].assign(stage="lead_generation", amount=ads["Spent"])
    process = Process.from_tables("ads", counts=counts, spend=spend, steps=["purchase"], currency="USD")
    table = lead_flow.channel_customers(process)
    assert table["followed_leads_count"].sum() == 3264 and table["followed_customers_count"].sum() == 1079
    cost = (table["cost_per_followed_customer_amount"] * table["followed_customers_count"]).sum() / 1079
    assert cost == pytest.approx(54.41, abs=0.01)
    with pytest.raises(MeasureError, match="needs the table 'leads'"):
        lead_flow.channel_returns(process)
    marginal = lead_flow.marginal_cost(process)
    assert set(marginal["reason"]) == {"undated_spend"} and set(marginal["verdict"]) == {"cannot_tell"}


# -- bad input -------------------------------------------------------------------------------------------------------------------


def test_what_is_missing_is_said():
    for missing, needed in (("leads", "'leads'"), ("orders", "'orders'"), ("spend", "'spend'")):
        tables = {name: frame for name, frame in TOY.items() if name != missing}
        with pytest.raises(MeasureError, match=f"needs the table {needed}"):
            lead_flow.channel_returns(Process.from_tables("p", **tables, **TOY_SETTINGS))


def test_undated_spend_and_unknown_margins_are_missing_and_not_zero():
    table = toy(spend=TOY["spend"].assign(date=None))
    assert table.loc[["a", "b", "all"], ["romi_share", "projected_romi_share", "payback_months"]].isna().all(axis=None)
    orders = TOY["orders"].assign(margin=TOY["orders"]["margin"].where(TOY["orders"]["customer_id"] != "B1"))
    table = toy(orders=orders)
    assert np.isnan(table.loc["b", "romi_share"]) and table.loc["a", "romi_share"] == pytest.approx(140 / 60)
    assert table.loc["b", "verdict"] == "not_compared"


def test_two_weeks_old_companies_have_no_return_yet():
    leads = pd.DataFrame({"lead_id": ["1", "2"], "created_at": "2026-01-05", "channel": "a", "customer_id": ["x", None]})
    orders = pd.DataFrame({"order_id": ["1"], "customer_id": ["x"], "ordered_at": "2026-01-09", "amount": [9], "margin": [3]})
    spend = pd.DataFrame({"stage": ["lead_generation"], "channel": "a", "date": "2026-01-05", "amount": 5})
    process = Process.from_tables("p", leads=leads, orders=orders, spend=spend, as_of="2026-01-15")
    table = lead_flow.channel_returns(process)
    assert table[["romi_share", "projected_romi_share"]].isna().all(axis=None) and not table["projected"].any()
    assert table["left_out_cost_amount"].tolist() == [5, 5] and lead_flow.margin_development(process).empty
    assert lead_flow.marginal_cost(process)["reason"].tolist() == ["few_periods"]


def test_spend_without_leads_and_leads_without_channel():
    leads = TOY["leads"].assign(channel=None)
    table = toy(leads=leads)
    assert set(table.index) == {"a", "b", "(missing)", "(not allocated)", "all"}
    assert table.loc["a", "romi_share"] == -1 and np.isnan(table.loc["(missing)", "romi_share"])
    assert table.loc["all", "mature_margin_amount"] == 300
