"""Lead flow: every figure of a hand-made company, the demonstration company in plain pandas, an open data set, laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import CallError, MeasureError, Process, efficiency, lead_flow
from funnel_lib.efficiency.results import results
from funnel_lib.engine import collect
from funnel_lib.lead_flow.buyers import customer_counts, first_order_amount, lately_per_month
from tests.engines import assert_parity, on_engines

# -- the flow ----------------------------------------------------------------------------------------------------------

FLOW = {
    "leads": pd.DataFrame(
        [("1", "2026-01-05", "ads"), ("2", "2026-01-11 23:59", "ads"), ("3", "2026-01-20", "fair"), ("4", "2026-01-21", None),
         ("5", "2026-01-27", "ads"), ("spam", "2026-01-27", "ads"), ("unknown", "2026-01-06", "unknown"),
         ("too late", "2026-01-28", "ads")], columns=["lead_id", "created_at", "channel"]),
    "stage_events": pd.DataFrame([("spam", "lost", "2026-01-27", "spam")], columns=["lead_id", "step", "entered_at", "reason"]),
}
FLOW_SETTINGS = {"as_of": "2026-01-28", "steps": ["won"], "not_leads": ["spam"]}
# Mondays of January 2026; the 28th is a Wednesday, so that the last week is not finished.
WEEKS = [pd.Timestamp(2026, 1, day) for day in (5, 12, 19, 26)]


def test_weeks_and_channels_by_hand():
    table = assert_parity(lead_flow.lead_counts, on_engines("p", FLOW, **FLOW_SETTINGS))
    wide = table.pivot(index="period_start", columns="channel", values="leads_count")
    assert list(wide.index) == WEEKS
    assert {name: list(wide[name]) for name in wide} == {
        "ads": [2, 0, 0, 1], "fair": [0, 0, 1, 0], "(missing)": [0, 0, 1, 0], "unknown": [1, 0, 0, 0]}
    assert table["channel"].iloc[0] == "ads"
    assert table.groupby("period_start")["complete"].agg(["min", "max"]).to_numpy().tolist() == [
        [True, True], [True, True], [True, True], [False, False]]


@pytest.mark.parametrize(("per", "counts"), [("month", [6]), ("day", [1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0,
                                                                      0, 0, 0, 0, 1])])
def test_other_periods_by_hand(per, counts):
    table = lead_flow.lead_counts(Process.from_tables("p", **FLOW, **FLOW_SETTINGS), by=None, per=per)
    assert table["leads_count"].tolist() == counts
    assert table["complete"].all() == (per == "day")


def test_a_period_that_began_before_the_records_is_not_complete():
    table = lead_flow.lead_counts(Process.from_tables("p", **FLOW, **FLOW_SETTINGS, observed_from="2025-12-31"), by=None)
    assert table["period_start"].iloc[0] == pd.Timestamp(2025, 12, 29)
    assert table["leads_count"].tolist() == [0, 3, 0, 2, 1]
    assert table["complete"].tolist() == [False, True, True, True, False]


def test_an_unknown_period_is_an_error():
    with pytest.raises(ValueError, match="expected one of day, week"):
        lead_flow.lead_counts(Process.from_tables("p", **FLOW, **FLOW_SETTINGS), per="fortnight")


def test_counts_stand_in_for_leads():
    counts = pd.DataFrame({"step": ["lead", "lead", "won", "lead"], "count": [5, 7, 2, 1], "channel": ["a", "a", "a", "b"],
                           "period_start": ["2026-01-05", "2026-01-12", "2026-01-12", "2026-01-12"]})
    table = assert_parity(lead_flow.lead_counts, on_engines("p", {"counts": counts}, as_of="2026-01-19"))
    assert table[["channel", "leads_count"]].to_numpy().tolist() == [["a", 5], ["b", 0], ["a", 7], ["b", 1]]
    with pytest.raises(MeasureError, match="known by channel only"):
        lead_flow.lead_counts(Process.from_tables("p", counts=counts, as_of="2026-01-19"), by="owner")


def test_monthly_counts_are_not_read_as_weekly_ones():
    """Beginnings 28 to 31 days apart: finer than months nothing can be told."""
    counts = pd.DataFrame({"step": "lead", "count": 100, "channel": "a", "period_start": ["2026-01-01", "2026-02-01", "2026-03-01"]})
    process = Process.from_tables("p", counts=counts, as_of="2026-04-01")
    assert lead_flow.lead_counts(process, per="month")["leads_count"].tolist() == [100] * 3
    for per in ("day", "week"):
        with pytest.raises(MeasureError, match="once a month"):
            lead_flow.lead_counts(process, per=per)


def test_the_first_broken_week_is_not_complete_without_a_described_beginning():
    """8 January 2025 is a Wednesday; observation begins there by default. From Monday the 6th on the week is whole."""
    leads = pd.DataFrame({"lead_id": ["1", "2"], "created_at": ["2025-01-08", "2025-01-14"]})
    for begins, complete in ((None, [False, True]), ("2025-01-06", [True, True])):
        process = Process.from_tables("p", leads=leads, as_of="2025-01-20", observed_from=begins)
        assert lead_flow.lead_counts(process, by=None)["complete"].tolist() == complete


def test_nobody_came():
    for process in on_engines("p", {name: table.head(0) for name, table in FLOW.items()}, **FLOW_SETTINGS).values():
        assert list(lead_flow.lead_counts(process).columns) == ["period_start", "channel", "leads_count", "complete"]
        assert len(lead_flow.lead_counts(process)) == 0
        assert lead_flow.channel_economics(process)["leads_count"].sum() == 0


def test_weeks_of_the_demonstration_company_in_plain_pandas(demo):
    process = demo.process("retail")
    leads, events = collect(process.table("leads")), collect(process.table("stage_events"))
    last = events[events["step"] == "lost"].merge(events.groupby("lead_id")["entered_at"].max().rename("last"), on="lead_id")
    never = last[(last["entered_at"] == last["last"]) & last["reason"].isin(process.settings.not_leads)]
    first_order = collect(process.table("orders")).query("amount > 0").groupby("customer_id")["ordered_at"].min()
    known = collect(process.table("customers")).set_index("customer_id")["first_order_at"]
    since = leads["customer_id"].map(pd.concat([first_order, known]).groupby(level=0).min())
    new = leads[~leads["lead_id"].isin(never["lead_id"]) & ~(since < leads["created_at"])]
    expected = new.groupby([new["created_at"].dt.to_period("W-SUN").dt.start_time, "channel"]).size()
    table = lead_flow.lead_counts(process).set_index(["period_start", "channel"])["leads_count"]
    assert table[table > 0].sort_index().to_dict() == expected.to_dict()
    assert len(table) == new["channel"].nunique() * table.index.get_level_values(0).nunique()


# -- a company worked out by hand --------------------------------------------------------------------------------------

COMPANY = {
    "leads": pd.DataFrame(
        [("L1", "2024-01-05", "ads", "shop", "C1"), ("L2", "2024-01-20", "ads", "student", None),
         ("L3", "2024-01-25", "fair", "shop", "C2"), ("L4", "2024-02-10", "fair", None, None),
         ("L5", "2024-02-11", None, "unknown", "C3"), ("L6", "2024-02-12", "ads", "shop", None)],
        columns=["lead_id", "created_at", "channel", "segment", "customer_id"]),
    "stage_events": pd.DataFrame(
        [("L1", "won", "2024-01-15", None), ("L3", "won", "2024-02-01", None), ("L5", "won", "2024-03-01", None),
         ("L6", "lost", "2024-02-13", "spam")], columns=["lead_id", "step", "entered_at", "reason"]),
    "orders": pd.DataFrame(
        [("O1", "C1", "L1", "2024-01-15", 100, 40), ("O2", "C1", None, "2024-06-01", 50, 20),
         ("O3", "C1", None, "2025-02-15", 1000, 400),  # more than 12 months after its lead
         ("O4", "C2", None, "2024-02-01", 200, 80), ("O5", "C3", "L5", "2024-03-01", 30, 12),
         ("O6", "C1", None, "2024-07-01", -10, -4),  # a refund
         ("O7", "C9", None, "2025-06-01", 70, 30),  # a customer without a lead
         ("O8", "C8", None, "2024-02-02", 70, 30)],  # seen so early that perhaps it is an old one
        columns=["order_id", "customer_id", "lead_id", "ordered_at", "amount", "margin"]),
    "spend": pd.DataFrame(
        [("lead_generation", "ads", "2024-01-10", 100), ("lead_generation", "fair", "2024-01-31", 60),
         ("lead_generation", "tv", "2024-02-01", 45), ("lead_generation", None, "2024-02-05", 33.33),
         ("conversion", "ads", "2024-01-20", 20), ("conversion", None, "2024-03-03", 10),
         ("account_management", "ads", "2024-01-20", 999)], columns=["stage", "channel", "date", "amount"]),
    "work": pd.DataFrame(
        [("lead_generation", "caller", 2, "ads", None), ("lead_generation", "caller", 1, None, "L3"),
         ("lead_generation", "caller", 0.5, None, "L5"), ("lead_generation", "caller", 3, None, None),
         ("lead_generation", "trainee", 0.1, "ads", None), ("lead_generation", "caller", 0.1, None, "L6"),
         ("conversion", "seller", 1, None, "L1"), ("conversion", "seller", 1, None, "nobody"),
         ("account_management", "seller", 9, "ads", None)],
        columns=["stage", "role", "hours", "channel", "lead_id"]).assign(date="2024-02-08"),
}
COMPANY_SETTINGS = {
    "as_of": "2025-07-01", "observed_from": "2024-01-01", "steps": ["won"], "not_leads": ["spam"],
    "target_segments": ["shop"],
    "roles": {"caller": {"name": "Caller", "hour_cost": 10}, "seller": {"name": "Seller", "hour_cost": 20},
              "trainee": {"name": "Trainee"}}}


def economics(**changes) -> pd.DataFrame:
    process = Process.from_tables("p", **{**COMPANY, **COMPANY_SETTINGS, **changes})
    return lead_flow.channel_economics(process).set_index("channel")


def test_target_share_by_hand():
    """L4's segment is missing and L5's is called unknown: neither is in a denominator; L6 never was a lead."""
    table = assert_parity(lead_flow.target_share, on_engines("p", COMPANY, **COMPANY_SETTINGS)).set_index("channel")
    assert table.loc[["ads", "fair", "(missing)"], ["leads_count", "known_count", "unknown_count", "target_count"]].to_numpy(
        ).tolist() == [[2, 2, 0, 1], [2, 1, 1, 1], [1, 0, 1, 0]]
    assert table["target_share"].round(6).fillna(-1).to_dict() == {"ads": 0.5, "fair": 1.0, "(missing)": -1}
    # Wilson 1927 for 1 of 2: centre 1/2, half width z/2 · sqrt(1/(2 + z²)).
    half = 1.959963984540054 / 2 / np.sqrt(2 + 1.959963984540054**2)
    assert table.loc["ads", ["target_low_share", "target_high_share"]].tolist() == pytest.approx([0.5 - half, 0.5 + half])
    assert table["few"].all()


def test_unknown_is_no_target_even_if_it_is_described_as_one():
    table = lead_flow.target_share(Process.from_tables("p", **{**COMPANY, **COMPANY_SETTINGS, "target_segments": ["shop", "unknown"]}))
    assert table.set_index("channel")["target_count"].to_dict() == {"ads": 1, "fair": 1, "(missing)": 0}


def test_target_share_says_what_it_needs():
    with pytest.raises(MeasureError, match="needs target_segments"):
        lead_flow.target_share(Process.from_tables("p", **{**COMPANY, **COMPANY_SETTINGS, "target_segments": []}))
    leads = COMPANY["leads"].drop(columns="segment")
    with pytest.raises(MeasureError, match="needs the column 'segment'"):
        lead_flow.target_share(Process.from_tables("p", **{**COMPANY, **COMPANY_SETTINGS, "leads": leads}))


def test_channels_by_hand():
    table = assert_parity(lead_flow.channel_economics, on_engines("p", COMPANY, **COMPANY_SETTINGS)).set_index("channel")
    assert list(table.index) == ["ads", "fair", "tv", "(missing)", "(not allocated)", "(unattributed)"]

    def column(name: str) -> dict:
        return table[name].round(6).dropna().to_dict()

    assert column("leads_count") == {"ads": 2, "fair": 2, "tv": 0, "(missing)": 1, "(not allocated)": 0, "(unattributed)": 0}
    assert column("customers_count") == {"ads": 1, "fair": 1, "tv": 0, "(missing)": 1, "(not allocated)": 0,
                                         "(unattributed)": 1}
    assert column("spend_amount") == {"ads": 100, "fair": 60, "tv": 45, "(missing)": 0, "(not allocated)": 33.33,
                                      "(unattributed)": 0}
    assert column("hours") == {"ads": 2.2, "fair": 1, "tv": 0, "(missing)": 0.5, "(not allocated)": 3, "(unattributed)": 0}
    # ads: 2 h and 0.1 h (spent on spam) × 10, nothing for the trainee, whose hour cost is not known.
    assert column("cost_amount") == {"ads": 121, "fair": 70, "tv": 45, "(missing)": 5, "(not allocated)": 63.33,
                                     "(unattributed)": 0}
    # Conversion: 20 of spend and an hour of 20 for ads; 10 of spend and an hour for an unknown lead are nobody's.
    assert column("full_cost_amount") == {"ads": 161, "fair": 70, "tv": 45, "(missing)": 5, "(not allocated)": 93.33,
                                          "(unattributed)": 0}
    assert column("cost_per_lead_amount") == {"ads": 60.5, "fair": 35, "(missing)": 5}
    assert column("cost_per_target_lead_amount") == {"ads": 121, "fair": 70}
    assert column("cost_per_customer_amount") == {"ads": 121, "fair": 70, "(missing)": 5}
    assert column("off_target_amount") == {"ads": 60.5, "fair": 0}


def test_hours_without_a_cost_make_the_cost_unknown():
    """Four of the six hours of ads are a trainee's, whose hour cost nobody gave: what ads cost is not known, as in the
    efficiency sheet; the other channels keep theirs."""
    work = COMPANY["work"].assign(hours=COMPANY["work"]["hours"].mask(COMPANY["work"]["role"] == "trainee", 4.0))
    table = economics(work=work)
    assert table.loc["ads", ["labour_amount", "cost_amount", "full_cost_amount", "romi_share", "cost_per_lead_amount"]].isna().all()
    assert table.loc["fair", "cost_amount"] == 70 and table.loc["ads", "spend_amount"] == 100
    sheet = efficiency.efficiency_sheet(Process.from_tables("p", **{**COMPANY, "work": work}, **COMPANY_SETTINGS))
    assert np.isnan(sheet.set_index("stage").loc["lead_generation", "cost_amount"])


def test_return_of_channels_by_hand():
    """Months January to May 2024 are old enough; C1 brought 40 + 20 − 4 within 12 months of its lead, C2 80, C3 12."""
    table = economics()
    assert table["romi_share"].dropna().round(9).to_dict() == {
        "ads": round((56 - 161) / 161, 9), "fair": round((80 - 70) / 70, 9), "tv": -1.0,
        "(missing)": round((12 - 5) / 5, 9)}
    on_revenue = lead_flow.channel_economics(Process.from_tables("p", **COMPANY, **COMPANY_SETTINGS), on="revenue")
    assert on_revenue.set_index("channel").loc["ads", "mature_margin_amount"] == 100 + 50 - 10


def test_young_leads_are_in_no_return():
    """On 1 February 2025 only January 2024 has leads at least 12 months old."""
    table = economics(as_of="2025-02-01")
    assert table.loc["ads", ["mature_margin_amount", "mature_cost_amount"]].tolist() == [56, 120]
    assert table.loc["fair", ["mature_margin_amount", "mature_cost_amount"]].tolist() == [80, 60]
    assert economics(as_of="2025-01-31")["romi_share"].isna().all()


def test_margins_come_from_the_margin_share_where_orders_have_none():
    orders = COMPANY["orders"].assign(margin=[np.nan, 20, 400, 80, 12, -4, 30, 30])
    assert economics(orders=orders, margin_share=0.25).loc["ads", "mature_margin_amount"] == 25 + 20 - 4
    unknown = economics(orders=orders)["romi_share"]
    assert np.isnan(unknown["ads"]) and unknown["fair"] == pytest.approx(10 / 70)


def test_rows_sum_to_the_total_exactly():
    process = Process.from_tables("p", **COMPANY, **COMPANY_SETTINGS)
    table, whole = lead_flow.channel_economics(process), lead_flow.channel_economics(process, by=None).iloc[0]
    spend = COMPANY["spend"].query("stage == 'lead_generation'")["amount"].sum()
    assert whole.spend_amount == pytest.approx(spend, abs=1e-9)
    assert whole.cost_amount == pytest.approx(spend + 6.6 * 10, abs=1e-9)
    assert whole.full_cost_amount == pytest.approx(spend + 66 + 30 + 40, abs=1e-9)
    for name in ("leads_count", "customers_count", "spend_amount", "hours", "cost_amount", "full_cost_amount"):
        assert whole[name] == pytest.approx(table[name].sum(), abs=1e-9), name
    assert whole.customers_count == 4 and whole.cost_per_customer_amount == pytest.approx(whole.cost_amount / 4)


def test_undated_spend_gives_costs_but_no_return():
    spend = COMPANY["spend"].assign(date=[None, *COMPANY["spend"]["date"][1:]])
    table = economics(spend=spend)
    assert table.loc["ads", "cost_amount"] == 121 and np.isnan(table.loc["ads", "romi_share"])
    assert table.loc["fair", "romi_share"] == pytest.approx(10 / 70)


def test_what_is_not_recorded_is_missing_and_not_zero():
    leads_only = {"leads": COMPANY["leads"], "as_of": "2025-07-01"}
    row = lead_flow.channel_economics(Process.from_tables("p", **leads_only)).set_index("channel").loc["ads"]
    assert row["leads_count"] == 3
    assert row[["customers_count", "cost_amount", "hours", "cost_per_lead_amount", "target_share", "romi_share"]].isna().all()
    orders_only = Process.from_tables("p", orders=COMPANY["orders"])
    with pytest.raises(MeasureError, match="needs the table 'leads'"):
        lead_flow.channel_economics(orders_only)
    with pytest.raises(CallError, match="expected 'channel' or None"):
        lead_flow.channel_economics(Process.from_tables("p", **leads_only), by="owner")


def test_won_leads_are_customers_where_there_are_no_orders():
    """X wins with two leads and is one customer, of the earlier one; leads without a customer are one each."""
    leads = pd.DataFrame([("1", "2026-01-02", "a", "X"), ("2", "2026-01-01", "b", "X"), ("3", "2026-01-03", "a", None),
                          ("4", "2026-01-03", "a", None)], columns=["lead_id", "created_at", "channel", "customer_id"])
    won = pd.DataFrame({"lead_id": ["1", "2", "3", "4"], "step": "won", "entered_at": "2026-01-09"})
    tables = {"leads": leads, "stage_events": won}
    table = assert_parity(lead_flow.channel_economics, on_engines("p", tables, steps=["won"], as_of="2026-02-01"))
    assert table.set_index("channel")["customers_count"].to_dict() == {"a": 2, "b": 1}


BUYERS = {
    "leads": pd.DataFrame([("spam", "2026-01-01", "ads", "A"), ("a", "2026-01-02", "fair", "A"), ("b", "2026-01-03", "ads", "B"),
                           ("b2", "2026-02-01", "fair", None), ("z", "2026-01-03", "ads", "Z"), ("n", "2026-01-03", "ads", "N")],
                          columns=["lead_id", "created_at", "channel", "customer_id"]),
    "stage_events": pd.DataFrame([("spam", "lost", "2026-01-02", "spam"), *[(lead, "won", "2026-01-09", None) for lead in "abzn"],
                                  ("b2", "won", "2026-02-09", None)], columns=["lead_id", "step", "entered_at", "reason"]),
    "orders": pd.DataFrame([("1", "A", None, "2026-01-09", 5), ("2", "B", "b", "2026-01-09", 5), ("3", "B", "b2", "2026-02-09", 5),
                            ("4", "Z", "z", "2026-01-09", 0)], columns=["order_id", "customer_id", "lead_id", "ordered_at", "amount"]),
}
BUYERS_SETTINGS = {"as_of": "2026-03-01", "observed_from": "2025-12-01", "steps": ["won"], "not_leads": ["spam"]}


@pytest.mark.parametrize(("tables", "channels"), [
    # A came by the lead that was one, B once though a lead without a customer closed the second order; Z paid nothing.
    (BUYERS, {"ads": 1, "fair": 1}),
    # Without orders: A, B, Z, N by their first won lead, and the lead b2 that names nobody.
    ({name: BUYERS[name] for name in ("leads", "stage_events")}, {"ads": 3, "fair": 2})])
def test_new_customers_are_one_number_everywhere(tables, channels):
    for process in on_engines("p", tables, **BUYERS_SETTINGS).values():
        assert customer_counts(process).set_index("channel")["customers_count"].to_dict() == channels
        assert lately_per_month(process)[1] == results(process).customers_count == sum(channels.values())


def test_first_orders_of_customers_known_from_before_are_not_in_the_mean():
    """K is listed: C1's 100, C2's 200, C3's 30, C9's 70 remain without C8's."""
    known = pd.DataFrame({"customer_id": ["C8"], "first_order_at": ["2020-01-01"]})
    assert first_order_amount(Process.from_tables("p", **COMPANY, **COMPANY_SETTINGS, customers=known)) == pytest.approx(100)


def test_customers_behind_a_return_are_counted():
    """C1 and C2 by leads of January, C3 by one of February 2024; on 1 February 2025 only January is old enough."""
    assert economics()["mature_customers_count"].sum() == 3
    assert economics(as_of="2025-02-01")["mature_customers_count"].sum() == 2


def test_nothing_is_not_a_cost():
    """No lead and no table of costs: the total is unknown, not zero."""
    row = lead_flow.channel_economics(Process.from_tables("p", leads=COMPANY["leads"].head(0), as_of="2025-07-01"), by=None)
    assert row[["cost_amount", "full_cost_amount", "hours"]].isna().all(axis=None) and row["leads_count"].tolist() == [0]


def test_costs_of_the_demonstration_company_in_plain_pandas(demo):
    process = demo.process("wholesale")
    spend, work, leads = (collect(process.table(name)) for name in ("spend", "work", "leads"))
    channels = work["channel"].fillna(work["lead_id"].map(leads.set_index("lead_id")["channel"])).fillna("(not allocated)")
    cost = work["role"].map({key: role.hour_cost for key, role in process.company.roles.items()}) * work["hours"]
    table = lead_flow.channel_economics(process).set_index("channel")
    for stages, name in ((["lead_generation"], "cost_amount"), (["lead_generation", "conversion"], "full_cost_amount")):
        by_spend = spend[spend["stage"].isin(stages)].groupby(spend["channel"].fillna("(not allocated)"))["amount"].sum() / 100
        by_work = cost[work["stage"].isin(stages)].groupby(channels).sum()
        expected = by_spend.add(by_work, fill_value=0)
        assert table.loc[expected.index, name].to_numpy() == pytest.approx(expected.to_numpy(), abs=0.5)
        assert table[name].sum() == pytest.approx(expected.sum(), rel=1e-6)


def test_the_student_blog_is_off_target_in_retail(demo):
    """The story of the demonstration company: 35 % of the leads, 8 % of them on target."""
    table = lead_flow.target_share(demo.process("retail")).set_index("channel")
    blog = table.loc["student_blog"]
    assert blog["target_low_share"] < 0.08 < blog["target_high_share"]
    assert blog["leads_count"] / table["leads_count"].sum() == pytest.approx(0.35, abs=0.02)


def test_parity_on_the_demonstration_company(demo):
    """Whole tables of the custom process on pandas and on DuckDB."""
    process = demo.process("custom")
    tables = {name: collect(process.table(name)) for name in ("leads", "stage_events", "orders", "customers", "spend", "work")}
    for table in tables.values():
        amounts = table.columns.intersection(["amount", "margin", "expected_amount"])
        table[amounts] /= 100
    settings = {name: getattr(process.settings, name) for name in ("not_leads", "target_segments", "referral_channels")}
    roles = {key: {"name": key, "hour_cost": role.hour_cost} for key, role in process.company.roles.items()}
    engines = on_engines("custom", tables, as_of=process.as_of, observed_from=process.observed_from, currency="RUB",
                         steps=[step.key for step in process.steps], roles=roles, **settings)
    table = assert_parity(lead_flow.channel_economics, engines)
    ours = lead_flow.channel_economics(process)
    assert table["cost_amount"].tolist() == pytest.approx(ours["cost_amount"].tolist())
    assert table["romi_share"].tolist() == pytest.approx(ours["romi_share"].tolist(), nan_ok=True)
    assert_parity(lead_flow.lead_counts, engines, per="month")


# -- an open data set ---------------------------------------------------------------------------------------------------


@pytest.fixture
def kag(open_data):
    """Enquiries and purchases as counts, spend without dates: KAG's advertising, read here in plain pandas."""
    ads = pd.read_csv(open_data / "kag_facebook_ads" / "KAG_conversion_data.csv").drop(columns="Date")
    ads["channel"] = ads["xyz_campaign_id"].astype(str)
    counts = pd.concat([ads[["channel"]].assign(step="lead", count=ads["Total_Conversion"]),
                        ads[["channel"]].assign(step="purchase", count=ads["Approved_Conversion"])])
    spend = ads[["channel"]].assign(stage="lead_generation", amount=ads["Spent"])
    return Process.from_tables("ads", counts=counts, spend=spend, steps=["purchase"], currency="USD")


def test_kag_cost_of_an_enquiry_and_of_a_purchase(kag):
    whole = lead_flow.channel_economics(kag, by=None).iloc[0]
    assert (whole.leads_count, whole.customers_count) == (3264, 1079)
    assert round(whole.cost_per_lead_amount, 2) == 17.99 and round(whole.cost_per_customer_amount, 2) == 54.41
    # Each advertisement's spend is whole cents: 1,143 roundings of at most half a cent each.
    assert whole.spend_amount == pytest.approx(58705.23, abs=1143 * 0.005)
    assert np.isnan(whole.labour_amount) and np.isnan(whole.hours)
    by_campaign = lead_flow.channel_economics(kag)
    assert by_campaign["spend_amount"].sum() == pytest.approx(whole.spend_amount) and by_campaign["romi_share"].isna().all()
    with pytest.raises(MeasureError, match="no period_start"):
        lead_flow.lead_counts(kag)


# -- laws ------------------------------------------------------------------------------------------------------------------

channels = st.sampled_from(["a", "b", "unknown", None])
flows = st.lists(st.tuples(st.integers(0, 60), channels, st.sampled_from(["x", "y", None])), min_size=1, max_size=30)


@settings(max_examples=12)
@given(flows, st.randoms())
def test_groups_add_up_and_row_order_does_not_matter(rows, random):
    leads = pd.DataFrame(rows, columns=["day", "channel", "segment"]).assign(lead_id=[str(n) for n in range(len(rows))])
    leads["created_at"] = pd.Timestamp(2026, 1, 1) + pd.to_timedelta(leads.pop("day"), unit="D")
    order = list(range(len(leads)))
    random.shuffle(order)
    settings = {"as_of": "2026-03-10", "target_segments": ["x"]}
    process = Process.from_tables("p", leads=leads, **settings)
    mixed = Process.from_tables("p", leads=leads.iloc[order], **settings)
    pd.testing.assert_frame_equal(lead_flow.lead_counts(process), lead_flow.lead_counts(mixed))
    by_channel, whole = lead_flow.lead_counts(process), lead_flow.lead_counts(process, by=None)
    assert by_channel["leads_count"].sum() == whole["leads_count"].sum() == len(leads)
    shares = lead_flow.target_share(process)
    assert (shares["target_count"] <= shares["known_count"]).all() and (shares["known_count"] <= shares["leads_count"]).all()
    known = shares.dropna(subset="target_share")
    assert ((known["target_low_share"] <= known["target_share"]) & (known["target_share"] <= known["target_high_share"])).all()
