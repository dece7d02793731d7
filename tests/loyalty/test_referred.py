"""Referred clients against the others: counted by hand, in plain pandas, and no verdict that chance can make."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from funnel_lib import MeasureError, Process, loyalty
from funnel_lib.customers import customers
from funnel_lib.engine import collect
from funnel_lib.journeys import lead_states
from funnel_lib.loyalty.referred import _with_verdicts
from funnel_lib.rates import rate
from tests.engines import assert_parity, on_engines

SETTINGS = {"as_of": "2026-01-01", "observed_from": "2024-01-01", "steps": ["won"], "conversion_window_days": 30}


def shop(referred: tuple[int, int, int], other: tuple[int, int, int], margins: tuple[float, float] = (10, 10)) -> dict:
    """Of each origin so many leads of June 2024, of whom so many won after 9 days, of whom so many bought again after 100."""
    leads, events, orders = [], [], []
    for origin, (asked, won, again), margin in (("r", referred, margins[0]), ("o", other, margins[1])):
        for n in range(asked):
            name = f"{origin}{n:03d}"
            leads.append((name, "2024-06-01", name if n < won else None, "boss" if origin == "r" else None, "ads"))
            if n < won:
                events.append((name, "won", "2024-06-10"))
                orders.append((f"1{name}", name, "2024-06-10", 50, margin + n % 2))
            if n < again:
                orders.append((f"2{name}", name, "2024-09-18", 50, margin))
    return {"leads": pd.DataFrame(leads, columns=["lead_id", "created_at", "customer_id", "referred_by", "channel"]),
            "stage_events": pd.DataFrame(events, columns=["lead_id", "step", "entered_at"]),
            "orders": pd.DataFrame(orders, columns=["order_id", "customer_id", "ordered_at", "amount", "margin"])}


def compared(*arguments, **changes) -> pd.DataFrame:
    return loyalty.referred_comparison(Process.from_tables("p", **{**shop(*arguments), **SETTINGS, **changes})).set_index("origin")


def test_counts_and_limits_by_hand():
    """40 referred leads, 30 won, 15 again; 100 others, 40 won, 10 again. Margins 10 and 11 in turn, and 10 again."""
    table = assert_parity(loyalty.referred_comparison, on_engines("p", shop((40, 30, 15), (100, 40, 10)), **SETTINGS)).set_index("origin")
    assert table.loc["referred", ["leads_count", "base_count", "won_count", "customers_count", "year_customers_count", "again_count"]].tolist() == [
        40, 40, 30, 30, 30, 15]
    assert table.loc["other", ["leads_count", "won_count", "customers_count", "again_count"]].tolist() == [100, 40, 40, 10]
    assert table.loc["unknown", ["leads_count", "won_count", "customers_count"]].tolist() == [0, 0, 0]
    assert table.loc["referred", ["won_share", "won_low_share", "won_high_share"]].tolist() == pytest.approx(rate(30, 40)[:3])
    assert table.loc["other", ["again_share", "again_low_share", "again_high_share"]].tolist() == pytest.approx(rate(10, 40)[:3])
    own = np.array([10 + n % 2 + 10 * (n < 15) for n in range(30)])
    half = 1.959964 * own.std(ddof=1) / math.sqrt(30)
    assert table.loc["referred", ["customer_margin_amount", "customer_margin_low_amount", "customer_margin_high_amount"]].tolist() == (
        pytest.approx([own.mean(), own.mean() - half, own.mean() + half], rel=1e-6))
    # 30 of 40 against 40 of 100 and 15 of 30 against 10 of 40: the largest of three p-values is left as it is by the adjustment.
    assert fisher_exact([[30, 10], [40, 60]]).pvalue < 0.001 < fisher_exact([[15, 15], [10, 30]]).pvalue < 0.05
    assert table.loc["referred", ["won_verdict", "again_verdict", "margin_verdict"]].tolist() == ["above"] * 3
    assert table.loc["other", ["won_verdict", "again_verdict", "margin_verdict"]].tolist() == ["below"] * 3
    assert table.loc["unknown", ["won_verdict", "again_verdict", "margin_verdict"]].tolist() == ["not_compared"] * 3


def test_what_comes_after_a_year_or_before_one_is_over_does_not_count():
    """Everybody comes back after 400 days; on 1 June 2025 nobody is a year old, ten days later all are."""
    tables = shop((40, 35, 0), (40, 35, 0))
    late = tables["orders"].assign(order_id="3" + tables["orders"]["order_id"], ordered_at="2025-07-15", margin=1_000)
    table = compared((40, 35, 0), (40, 35, 0), orders=pd.concat([tables["orders"], late]))
    assert table["again_count"].sum() == 0 and table["customer_margin_amount"].max() < 11
    assert compared((40, 35, 5), (40, 35, 5), as_of="2025-06-10")["year_customers_count"].sum() == 70
    young = compared((40, 35, 5), (40, 35, 5), as_of="2025-06-01")
    assert young["year_customers_count"].sum() == 0 and young["again_share"].isna().all()
    assert young.loc["referred", ["again_verdict", "margin_verdict"]].tolist() == ["too_few", "not_compared"]


def test_refunds_above_purchases_are_taken_off():
    tables = shop((40, 35, 0), (40, 35, 0), margins=(10, 10))
    refunds = tables["orders"].query("customer_id.str.startswith('r')").assign(ordered_at="2024-07-01", amount=-100, margin=-30)
    refunds = refunds.assign(order_id="9" + refunds["order_id"])
    table = compared((40, 35, 0), (40, 35, 0), orders=pd.concat([tables["orders"], refunds]))
    assert table.loc["referred", "customer_margin_amount"] == pytest.approx(np.mean([n % 2 - 20 for n in range(35)]))
    assert table.loc["referred", "margin_verdict"] == "below" and table["again_count"].sum() == 0


def test_no_verdict_that_chance_makes():
    equal = compared((60, 40, 20), (60, 40, 20))
    assert equal.loc["referred", ["won_verdict", "again_verdict", "margin_verdict"]].tolist() == ["no_difference"] * 3
    assert compared((20, 15, 10), (200, 20, 5)).loc["referred", ["won_verdict", "again_verdict"]].tolist() == ["too_few"] * 2


def test_of_two_equal_groups_one_in_twenty_is_called_different():
    """300 pairs of groups that differ by chance only: at most 5 % of them get any verdict, and the margin's test is not lame."""
    rng, verdicts = np.random.default_rng(2), []
    for _ in range(300):
        margins = rng.exponential(100, (2, 60))
        table = pd.DataFrame({"won_count": rng.binomial(100, 0.5, 2), "base_count": 100, "again_count": rng.binomial(60, 0.3, 2),
                              "year_customers_count": 60, "won_share": 0.0, "again_share": 0.0,
                              "customer_margin_amount": margins.mean(axis=1)}, index=["referred", "other"])
        table.loc["unknown"] = table.iloc[0]
        verdicts.append(_with_verdicts(table, margins.std(axis=1, ddof=1) / math.sqrt(60)).iloc[0])
    said = pd.DataFrame(verdicts)[["won_verdict", "again_verdict", "margin_verdict"]].isin(["above", "below"])
    assert said.any(axis=1).mean() < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 300) and said["margin_verdict"].any()


def test_without_leads_margins_or_movement_the_rest_is_shown():
    tables = shop((40, 35, 5), (40, 35, 5))
    only_orders = Process.from_tables("p", orders=tables["orders"].drop(columns="margin").assign(channel="friends"), as_of="2026-01-01",
                                      referral_channels=["friends"])
    table = loyalty.referred_comparison(only_orders).set_index("origin")
    assert table.loc["referred", ["customers_count", "again_count"]].tolist() == [70, 10]
    assert table[["leads_count", "won_share", "customer_margin_amount"]].isna().all(axis=None)
    assert set(table["won_verdict"]) == {"not_compared"} == set(table["margin_verdict"])
    still = compared((40, 35, 5), (40, 35, 5), stage_events=None)
    assert still["leads_count"].tolist() == [40, 40, 0] and still["won_share"].isna().all()
    with pytest.raises(MeasureError, match="needs the table 'orders'"):
        compared((40, 35, 5), (40, 35, 5), orders=None)


def test_one_unknown_margin_leaves_the_mean_open():
    tables = shop((40, 35, 5), (40, 35, 5))
    tables["orders"].loc[0, "margin"] = np.nan
    table = compared((40, 35, 5), (40, 35, 5), orders=tables["orders"])
    assert np.isnan(table.loc["referred", "customer_margin_amount"]) and table.loc["other", "customer_margin_amount"] > 10
    assert table.loc["referred", "margin_verdict"] == "not_compared"


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_the_demonstration_company_in_plain_pandas(demo, name):
    process = demo.process(name)
    table = loyalty.referred_comparison(process).set_index("origin")
    keys = process.settings.referral_channels
    leads = collect(lead_states(process).select("lead_id", "created_at", "customer_id", "referred_by", "channel", "won_at"))
    named = leads["referred_by"].notna() & (leads["referred_by"] != leads["customer_id"])
    leads["origin"] = np.where(named | leads["channel"].isin(keys), "referred", np.where(leads["channel"].isna(), "unknown", "other"))
    window = pd.Timedelta(days=process.settings.conversion_window_days)
    old = leads[leads["created_at"] <= process.as_of - window]
    assert table["base_count"].to_dict() == old["origin"].value_counts().reindex(table.index, fill_value=0).to_dict()
    won = old[old["won_at"] <= old["created_at"] + window]["origin"].value_counts().reindex(table.index, fill_value=0)
    assert table["won_count"].to_dict() == won.to_dict()
    people = collect(customers(process).select("customer_id", "origin", "is_older", "first_order_at")).query("is_older == 0")
    people = people[people["first_order_at"] <= process.as_of - pd.Timedelta(days=365)]
    money = collect(process.table("orders")).query("amount != 0").merge(people, on="customer_id")
    money = money[(money["ordered_at"] >= money["first_order_at"]) & (money["ordered_at"] - money["first_order_at"] < pd.Timedelta(days=365))]
    again = money[money["amount"] > 0].groupby(["origin", "customer_id"]).size().gt(1).groupby("origin").sum()
    assert table["again_count"].to_dict() == again.reindex(table.index, fill_value=0).to_dict()
    margin = money["margin"].fillna((money["amount"] * process.settings.margin_share + 0.5).floordiv(1)) / process.minor_units
    means = margin.groupby([money["origin"], money["customer_id"]]).sum().groupby("origin").mean()
    assert table["customer_margin_amount"].dropna().to_dict() == pytest.approx(means.to_dict())
