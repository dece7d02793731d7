"""What is earned with whom: seven orders counted by hand, plain pandas on the demonstration company, its planted truth, laws."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import MeasureError, Process, efficiency, loyalty
from funnel_lib.customers import money_rows, new_customers
from funnel_lib.engine import collect
from funnel_lib.loyalty.costs import CustomerCosts
from funnel_lib.rates import Z_95, clustered_ratio, clustered_share
from tests.conftest import ROOT
from tests.engines import assert_parity, on_engines
from tests.loyalty.bad_input import BAD, MANY, NAMES, ORDERS, SETTINGS, TABLES, orders
from tests.loyalty.plain_curve import plain_curve

MONTH = 365.25 / 12


def small(**changes) -> Process:
    return Process.from_tables("p", **{**TABLES, **SETTINGS, **changes})


def group(count: int, margins: list[float], first: str = "2026-01-02", name: str = "c") -> list[tuple]:
    """So many clients with orders of these margins, the first in January, then every 40 days."""
    return [(f"{name}{number}", str(pd.Timestamp(first) + pd.Timedelta(days=40 * turn)), 100, margin)
            for number in range(count) for turn, margin in enumerate(margins)]


def company(rows: list[tuple], spend: tuple = (60, 40, 12), **changes) -> Process:
    """A company whose clients all came by leads, so that nobody is perhaps older."""
    tables = orders(rows)
    people = tables["orders"]["customer_id"].unique()
    leads = pd.DataFrame({"lead_id": people, "customer_id": people, "created_at": "2026-01-01"})
    return Process.from_tables("p", **{**tables, **SETTINGS, "leads": leads, "spend": TABLES["spend"].assign(amount=spend), **changes})


# -- costs -----------------------------------------------------------------------------------------------------------------


def test_costs_by_hand():
    """60 + 40 for the two new clients a and b; 12 for three repeat orders: a2, b2 and the one of d, who is older."""
    for process in on_engines("p", TABLES, **SETTINGS).values():
        assert loyalty.customer_costs(process) == CustomerCosts(50.0, 100.0, 2, 0.0, 4.0, 12.0, 3)


def test_clients_perhaps_older_are_no_new_ones():
    """Without their leads a and b were first seen nine days after the records began, within two median gaps of 41 days."""
    costs = loyalty.customer_costs(small(leads=None))
    assert (costs.new_customers_count, costs.repeat_orders_count) == (0, 3) and math.isnan(costs.cac_amount)


def test_running_leads_are_to_bring_clients_too():
    """Of 100 leads 40 were won at once and 20 lost at once, 40 are as young as can be: they win 40 in 60 cases."""
    leads = pd.DataFrame({"lead_id": range(100), "customer_id": range(100), "created_at": ["2026-01-10"] * 60 + ["2026-04-14"] * 40})
    events = pd.DataFrame({"lead_id": range(60), "step": ["won"] * 40 + ["lost"] * 20, "entered_at": "2026-01-12"})
    bought = pd.DataFrame([(f"o{n}", str(n), "2026-01-12", 100, 10) for n in range(40)], columns=NAMES)
    process = Process.from_tables("p", **{**TABLES, **SETTINGS, "leads": leads.astype({"lead_id": str, "customer_id": str}),
                                          "stage_events": events.astype({"lead_id": str}), "orders": bought, "steps": ["won"],
                                          "conversion_window_days": 60})
    costs = loyalty.customer_costs(process)
    assert (costs.new_customers_count, costs.coming_customers_count) == (40, pytest.approx(40 * 40 / 60))
    assert costs.cac_amount == pytest.approx(100 / (40 + 40 * 40 / 60))


@pytest.mark.parametrize("name", ["wholesale", "retail", "custom"])
def test_costs_are_those_of_the_efficiency_sheet(demo, name):
    sheet, costs = efficiency.efficiency_sheet(demo.process(name)).set_index("stage"), loyalty.customer_costs(demo.process(name))
    assert costs.care_cost_amount == sheet.loc["account_management", "cost_amount"]
    assert costs.cost_per_repeat_order_amount == pytest.approx(sheet.loc["account_management", "cost_per_result_amount"])
    assert costs.acquisition_cost_amount == pytest.approx(sheet.loc[["lead_generation", "conversion"], "cost_amount"].sum())
    assert costs.new_customers_count == sheet.loc["conversion", "result_count"]


def test_unknown_costs_are_missing_and_not_zero():
    assert math.isnan(loyalty.customer_costs(Process.from_tables("p", **BAD["spend for clients one has only"], **SETTINGS)).cac_amount)
    with pytest.raises(MeasureError, match="p: needs the table 'spend', or 'work'"):
        loyalty.customer_costs(small(spend=None))
    hours = pd.DataFrame({"date": "2026-01-05", "stage": "conversion", "role": ["seller", "other"], "hours": [5.0, 5.0]})
    roles = {"seller": {"name": "Seller", "hour_cost": 10}}
    assert math.isnan(loyalty.customer_costs(small(work=hours, roles=roles)).cac_amount)
    assert loyalty.customer_costs(small(work=hours.head(1), roles=roles)).cac_amount == 75
    assert loyalty.customer_costs(small(work=hours)).cac_amount == 50  # no role has a cost: the money alone


# -- margin by order ------------------------------------------------------------------------------------------------------


def test_margin_by_order_by_hand():
    """First orders −20 and −10; second ones 30 − 15 (the refund) and 40; d's 50 and the nameless 8 have no number; 83 in all."""
    table = assert_parity(loyalty.margin_by_order, on_engines("p", TABLES, **SETTINGS)).set_index("order_number")
    assert table.index.tolist() == ["1", "2", "3", "4", "5_and_later", "number_unknown"]
    assert table["orders_count"].tolist() == [2, 2, 0, 0, 0, 2] and table["customers_count"].tolist() == [2, 2, 0, 0, 0, 2]
    assert table["margin_amount"].tolist() == [-30, 55, 0, 0, 0, 58] and table["amount"].tolist() == [200, 150, 0, 0, 0, 280]
    assert table["margin_share"].tolist() == pytest.approx([-30 / 83, 55 / 83, 0, 0, 0, 58 / 83])
    assert table.loc[["1", "2"], "margin_per_order_amount"].tolist() == [-15, 27.5]
    assert table.loc[["1", "2"], "cost_per_order_amount"].tolist() == [50, 4]
    assert table.loc[["1", "2"], "net_per_order_amount"].tolist() == [-65, 23.5]
    # −20 and −10: a standard deviation of √50, a standard error of 5.
    assert table.loc["1", ["net_per_order_low_amount", "net_per_order_high_amount"]].tolist() == pytest.approx(
        [-65 - 5 * Z_95, -65 + 5 * Z_95])
    assert table["few"].all() and set(table["verdict"]) == {"cannot_tell"}


def test_same_moment_orders_follow_their_id_and_a_refund_the_order_before_it():
    changed = ORDERS.assign(order_id=ORDERS["order_id"].replace({"b1": "b3"}))  # now b2 comes first
    table = loyalty.margin_by_order(small(orders=changed)).set_index("order_number")
    assert table.loc[["1", "2"], "margin_amount"].tolist() == [-20 + 40, 15 - 10]
    early = ORDERS.assign(ordered_at=ORDERS["ordered_at"].replace({"2026-02-25": "2026-01-12"}))  # the refund is of a1 now
    assert loyalty.margin_by_order(small(orders=early)).set_index("order_number").loc["1", "margin_amount"] == -45


def test_verdicts_need_limits_on_one_side():
    """Clients who bring 20 and 40 by turns: 30 ± 3.1 a first order."""
    rows = [row for low, high in zip(group(20, [20]), group(20, [40], name="d"), strict=True) for row in (low, high)]
    for spend, verdict in ((800, "earns"), (1_200, "cannot_tell"), (1_600, "loss")):
        table = loyalty.margin_by_order(company(rows, spend=(spend, 0, 0)))
        assert table.iloc[0].verdict == verdict, spend
    # A loss before any cost is a loss; of clients all alike there are no limits, and what they bring decides.
    assert loyalty.margin_by_order(company(group(40, [-5]), spend=(0, 0, 0))).iloc[0].verdict == "loss"
    for spend, verdict in ((800, "earns"), (1_600, "loss")):
        row = loyalty.margin_by_order(company(group(40, [30]), spend=(spend, 0, 0))).iloc[0]
        assert row.verdict == verdict and math.isnan(row.net_per_order_low_amount)


def test_limits_take_the_client_as_the_unit():
    """Ten clients with 5 to 14 orders each: the ratio estimator of `clustered_share`, where its share is far from 0 and 1."""
    rows = [(f"c{n:02}", f"2026-02-{day:02}", 100, 10 if n % 2 else 6) for n in range(10) for day in range(1, 10 + n)]
    table = loyalty.margin_by_order(company(rows)).set_index("order_number")
    frame = pd.DataFrame(rows, columns=["c", "day", "amount", "margin"])
    sums = frame[frame.groupby("c").cumcount() >= 4].groupby("c")["margin"].agg(["sum", "size"])
    error = np.sqrt(10 / 9 * ((sums["sum"] - sums["sum"].sum() / sums["size"].sum() * sums["size"])**2).sum()) / sums["size"].sum()
    row = table.loc["5_and_later"]
    assert row.margin_per_order_amount == pytest.approx(sums["sum"].sum() / sums["size"].sum())
    assert row.margin_per_order_high_amount - row.margin_per_order_amount == pytest.approx(Z_95 * error)


def plain_numbers(process: Process) -> pd.DataFrame:
    """A second way: every order and refund of the certainly new clients with its number, client by client."""
    rows = collect(money_rows(process)).sort_values(["customer_id", "ordered_at", "order_id"])
    rows = rows[rows["customer_id"].isin(collect(new_customers(process))["customer_id"])]
    rows["number"] = (rows["amount"] > 0).groupby(rows["customer_id"]).cumsum().clip(1, 5)
    return rows.assign(margin=rows["margin"] / 100, began=rows.groupby("customer_id")["ordered_at"].transform("min"))


@pytest.mark.parametrize("name", ["wholesale", "retail", "custom"])
def test_margins_of_the_demonstration_company_in_plain_pandas(demo, name):
    process = demo.process(name)
    expected = plain_numbers(process).groupby("number")["margin"].sum()
    table = loyalty.margin_by_order(process)
    assert table["margin_amount"].head(5).tolist() == pytest.approx(expected.tolist())
    whole = collect(money_rows(process))["margin"].sum() / 100
    assert table["margin_amount"].sum() == pytest.approx(whole) and table["margin_share"].sum() == pytest.approx(1)


def test_the_first_order_of_wholesale_is_at_its_planted_loss(demo, truth):
    row = loyalty.margin_by_order(demo.process("wholesale")).iloc[0]
    assert row.margin_amount / row.amount == pytest.approx(truth["first_order_margin_share"], abs=0.002) and row.verdict == "loss"


@pytest.fixture(scope="module")
def truth() -> dict:
    return json.loads((ROOT / "data" / "demo" / "truth.json").read_text(encoding="utf-8"))["processes"]["wholesale"]["stories"]


# -- after the first order ------------------------------------------------------------------------------------------------


def test_margin_after_the_first_order_by_hand():
    """a: 15 of −5; b: 40 of 30; d, known from before: all of 50. The nameless order is in neither."""
    for process in on_engines("p", TABLES, **SETTINGS).values():
        found = loyalty.margin_after_first(process)
        assert (found.after_first_margin_amount, found.margin_amount, found.customers_count) == (105, 75, 3)
        assert (found.new_after_first_margin_amount, found.new_margin_amount, found.new_customers_count) == (55, 25, 2)
        assert found.after_first_share == pytest.approx(1.4) and found.new_after_first_share == pytest.approx(2.2)
    assert loyalty.margin_after_first(small(leads=None)).after_first_margin_amount == 105  # perhaps older: the first seen is first


@pytest.mark.parametrize(("margins", "verdict"), [([10, 40], "claim_holds"), ([40, 10], "claim_fails"), ([10, 10], "claim_about_half")])
def test_the_articles_claim_is_checked(margins, verdict):
    assert loyalty.margin_after_first(company(group(40, margins))).verdict == verdict
    assert loyalty.margin_after_first(company(group(20, margins))).verdict == "cannot_tell"  # too few who are all alike


def test_no_gain_has_no_parts():
    found = loyalty.margin_after_first(company(group(40, [-10, 5])))
    assert math.isnan(found.after_first_share) and found.verdict == "cannot_tell"
    assert loyalty.margin_by_order(company(group(40, [-10, 5])))["margin_share"].isna().all()


# -- payback -----------------------------------------------------------------------------------------------------------------


def test_payback_by_hand():
    """Day one: a −20, b −10 + 40. a's 30 − 15 come 41 and 46 days later: month 2. Both are 95 days old: three months."""
    table = assert_parity(loyalty.payback, on_engines("p", TABLES, **SETTINGS))
    assert table["age_months"].tolist() == [0, 1, 2, 3] and table["customers_count"].tolist() == [2, 2, 2, 2]
    assert table["margin_per_customer_amount"].tolist() == [5, 5, 12.5, 12.5]
    # −20 and 30 have a standard error of 25, −5 and 30 one of 17.5.
    half = table["margin_per_customer_high_amount"] - table["margin_per_customer_amount"]
    assert half.tolist() == pytest.approx([25 * Z_95, 25 * Z_95, 17.5 * Z_95, 17.5 * Z_95])
    assert set(table["cac_amount"]) == {50} and not table["paid_back"].any()
    assert table["perhaps_paid_back"].tolist() == [True, True, False, False] and table["few"].all()
    cheap = loyalty.payback(small(spend=TABLES["spend"].assign(amount=[12, 8, 0])))
    assert cheap["paid_back"].tolist() == [False, False, True, True] and not cheap["surely_paid_back"].any()


def test_the_curve_does_not_jump_where_young_clients_drop_out():
    """30 clients, three months old: 10 on the first day, 20 after 40 days. Ten of yesterday: 50. The first day is 20 on average.

    The 30 are 10 / 40 off on the first day and nothing later, the ten 30 / 40: 7.5 together, and so from then on.
    """
    young = [(f"y{n}", "2026-04-14", 100, 50) for n in range(10)]
    table = loyalty.payback(company([*group(30, [10, 20]), *young]))
    assert table["customers_count"].tolist() == [40, 30, 30, 30]
    assert table["margin_per_customer_amount"].tolist() == [20, 20, 40, 40]
    half = table["margin_per_customer_high_amount"] - table["margin_per_customer_amount"]
    assert half.tolist() == pytest.approx([Z_95 * np.sqrt(7.5 * 40 / 39), *[Z_95 * np.sqrt(7.5 * 30 / 29)] * 3])


def test_payback_of_the_demonstration_company_in_plain_pandas(demo, truth):
    process = demo.process("wholesale")
    rows, table = plain_numbers(process), loyalty.payback(process)
    first = rows.groupby("customer_id")["ordered_at"].min()
    seen = np.floor((process.as_of - first) / pd.Timedelta(days=1) / MONTH).astype(int)
    days = (rows["ordered_at"] - rows["began"]) / pd.Timedelta(days=1)
    rows["age"] = np.where(rows["ordered_at"].dt.normalize() <= rows["began"].dt.normalize(), 0, np.floor(days / MONTH) + 1)
    size, mean, error = plain_curve(seen.to_dict(), rows.assign(value=rows["margin"]), 24)
    assert table["customers_count"].tolist() == size.tolist()
    assert table["margin_per_customer_amount"].tolist() == pytest.approx(mean)
    assert table["margin_per_customer_high_amount"].tolist() == pytest.approx(mean + Z_95 * error)
    assert table["age_months"][table["paid_back"]].iloc[0] == truth["payback_month"]


def test_without_costs_there_is_the_margin_alone():
    table = loyalty.payback(small(spend=None))
    assert table["cac_amount"].isna().all() and not table[["paid_back", "perhaps_paid_back", "surely_paid_back"]].any(axis=None)
    assert loyalty.margin_by_order(small(spend=None))["net_per_order_amount"].isna().all()


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 100), st.integers(0, 9)), min_size=35, max_size=80), st.randoms())
def test_laws(rows, random):
    """Without losses the curve never falls; the rows of the orders add up; their order in the file does not matter."""
    rows = [(f"c{client}", str(pd.Timestamp(2026, 1, 2) + pd.Timedelta(days=day)), margin + 1, margin) for client, day, margin in rows]
    process, mixed = company(rows), list(rows)
    table = loyalty.payback(process)
    random.shuffle(mixed)
    assert (np.diff(table["margin_per_customer_amount"]) >= -1e-9).all() and table["customers_count"].is_monotonic_decreasing
    by_order = loyalty.margin_by_order(process)
    assert by_order["margin_amount"].sum() == sum(row[3] for row in rows) and by_order["orders_count"].sum() == len(rows)
    assert by_order["customers_count"].head(5).is_monotonic_decreasing
    # Same-moment orders follow their id, which goes by the row: only what does not depend on it is compared.
    pd.testing.assert_frame_equal(loyalty.payback(company(mixed)), table)
    share = loyalty.margin_after_first(process).after_first_share
    assert math.isnan(share) or 0 <= share <= 1


def test_the_ratio_of_money_agrees_with_the_ratio_of_shares():
    """Both are the same estimator; the limits of shares are Wilson's, which are near the plain ones in the middle."""
    rng = np.random.default_rng(1)
    whole = rng.gamma(2, 10, 4_000)
    part = whole * rng.beta(4, 4, 4_000)
    plain = clustered_ratio(4_000, part.sum(), whole.sum(), (part**2).sum(), (part * whole).sum(), (whole**2).sum())
    assert list(plain) == pytest.approx(list(clustered_share(part, whole)[:3]), abs=1e-4)
    alike = clustered_ratio(40, 200.0, 40, 1000.0, 200.0, 40)
    assert alike.value == 5 and math.isnan(alike.low) and math.isnan(alike.high)  # 40 clients alike do not show how others differ
    assert math.isnan(clustered_ratio(1, 5.0, 1, 25.0, 5.0, 1).low) and math.isnan(clustered_ratio(0, 0, 0, 0, 0, 0).value)


# -- bad input ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gives_a_table_or_a_reason(case):
    process = Process.from_tables("p", **{**SETTINGS, **BAD[case]})
    for measure in (loyalty.margin_by_order, loyalty.margin_after_first, loyalty.payback):
        if case in ("no margin", "some margins", "no orders"):
            with pytest.raises(MeasureError, match=r"p: needs the (margin of every order|table 'orders')"):
                measure(process)
        else:
            found = measure(process)
            assert not (isinstance(found, pd.DataFrame) and np.isinf(found.select_dtypes("number")).any(axis=None))


def test_orders_without_a_margin_are_counted_in_the_reason():
    with pytest.raises(MeasureError, match=r"1 of 7 have none\), or margin_share in the description"):
        loyalty.payback(Process.from_tables("p", **BAD["some margins"], **SETTINGS))
    assert len(loyalty.payback(Process.from_tables("p", **BAD["some margins"], **SETTINGS, margin_share=0.2)))


def test_one_order_each_is_all_first_orders():
    """Everybody was seen soon after the records began, but nobody came twice: no gap, so nobody is perhaps older."""
    process = Process.from_tables("p", **BAD["everybody once"], **SETTINGS)
    assert loyalty.margin_by_order(process)["orders_count"].tolist() == [len(MANY), 0, 0, 0, 0]
    assert loyalty.margin_after_first(process).after_first_share == 0
