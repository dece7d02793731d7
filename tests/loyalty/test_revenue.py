"""Revenue retention: counted by hand, its limits by bootstrap, laws, and the reasons why it is not shown."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import MeasureError, Process, loyalty
from funnel_lib.engine import collect
from funnel_lib.loyalty.revenue import RevenueRetention
from funnel_lib.rates import rate
from tests.engines import on_engines

SETTINGS = {"as_of": "2026-07-01", "observed_from": "2023-07-01"}
# Base year from 1 July 2024, this year from 1 July 2025. Base → this: a 100 → 150, b 100 → 60 less a refund of 20, c 50 → 0,
# d 0 → 30 (came back after a year); e began in the base year (80 → 60), on its very first moment; f is new.
ORDERS = pd.DataFrame([
    ("a1", "a", "2023-08-01", 10), ("a2", "a", "2024-09-01", 100), ("a3", "a", "2025-07-01", 150),
    ("b1", "b", "2024-06-30 23:59", 10), ("b2", "b", "2025-06-30 23:59", 100), ("b3", "b", "2025-09-01", 60),
    ("b4", "b", "2025-09-02", -20), ("c1", "c", "2024-02-01", 10), ("c2", "c", "2025-02-01", 50), ("d1", "d", "2023-09-01", 90),
    ("d2", "d", "2026-06-30", 30), ("e1", "e", "2024-07-01", 80), ("e2", "e", "2025-08-01", 60), ("f1", "f", "2025-10-01", 99),
    ("n1", None, "2025-01-01", 1000)], columns=["order_id", "customer_id", "ordered_at", "amount"])


def of(orders: pd.DataFrame = ORDERS, **changes) -> RevenueRetention:
    return loyalty.revenue_retention(Process.from_tables("p", orders=orders, **{**SETTINGS, **changes}))


def test_by_hand():
    """NRR (150 + 40 + 0 + 30) / 250; GRR (100 + 40 + 0 + 0) / 250; e and f are in neither."""
    for process in on_engines("p", {"orders": ORDERS}, **SETTINGS).values():
        result = loyalty.revenue_retention(process)
        assert (result.nrr, result.grr, result.reason) == (pytest.approx(220 / 250), pytest.approx(140 / 250), "")
        assert (result.customers_count, result.buyers_count, result.lost_count, result.joined_count) == (4, 3, 1, 1)
        assert (result.base_year_amount, result.this_year_amount, result.joined_amount) == (250, 220, 60)
        assert result.largest_customer_share == pytest.approx(0.4)
        assert result.grr_low_share < result.grr < result.grr_high_share <= 1
        assert 0 < result.nrr_low_share < result.nrr < result.nrr_high_share


def test_customers_from_before_the_records_began_before():
    """e is listed with a day before the records, f without a day; a listed day within the base year leaves a joiner a joiner."""
    listed = pd.DataFrame({"customer_id": ["e", "f"], "first_order_at": ["2020-01-01", None]})
    for process in on_engines("p", {"orders": ORDERS, "customers": listed}, **SETTINGS).values():
        result = loyalty.revenue_retention(process)
        assert (result.customers_count, result.joined_count) == (6, 0)
        assert result.nrr == pytest.approx((220 + 60 + 99) / (250 + 80))
    late = pd.DataFrame({"customer_id": ["g"], "first_order_at": ["2024-09-09"]})
    orders = pd.concat([ORDERS, pd.DataFrame([("g1", "g", "2024-10-10", 5)], columns=ORDERS.columns)])
    assert of(orders, customers=late).joined_count == 2
    # The day of the list counts, though the first order that was seen came this year only.
    assert of(orders.replace({"2024-10-10": "2025-10-10"}), customers=late).joined_count == 2


def test_limits_by_bootstrap(demo):
    """Customers drawn anew, 4000 times, in plain pandas."""
    process = demo.process("wholesale")
    rows = collect(process.table("orders")).dropna(subset="customer_id")
    base, this = process.as_of - pd.Timedelta(days=730), process.as_of - pd.Timedelta(days=365)
    before = set(rows[(rows["amount"] > 0) & (rows["ordered_at"] < base)]["customer_id"])
    before |= set(collect(process.table("customers")).query("first_order_at < @base or first_order_at.isna()")["customer_id"])
    rows = rows[rows["customer_id"].isin(before) & (rows["ordered_at"] >= base)]
    own = rows.groupby(["customer_id", np.where(rows["ordered_at"] < this, "last", "this")])["amount"].sum().unstack(fill_value=0)
    result = loyalty.revenue_retention(process)
    assert result.nrr == pytest.approx(own["this"].sum() / own["last"].sum())
    kept = own.min(axis=1)
    assert result.grr == pytest.approx(kept.sum() / own["last"].sum())
    draws = np.random.default_rng(3).multinomial(len(own), np.full(len(own), 1 / len(own)), 4000)
    for name, part in (("nrr", own["this"]), ("grr", kept)):
        shares = draws @ part.to_numpy() / (draws @ own["last"].to_numpy())
        limits = [getattr(result, f"{name}_low_share"), getattr(result, f"{name}_high_share")]
        assert limits == pytest.approx(np.quantile(shares, [0.025, 0.975]), abs=0.03), name


@pytest.mark.parametrize(("changes", "reason"), [
    ({"observed_from": "2024-08-01"}, "short_records"), ({"as_of": "2026-07-01", "observed_from": "2024-07-01"}, "no_older_customers"),
    ({"orders": ORDERS.query("customer_id in ['e', 'f']")}, "no_older_customers"),
    ({"orders": ORDERS.query("customer_id == 'd'")}, "nothing_paid"),
    ({"orders": pd.concat([ORDERS, ORDERS.query("order_id == 'a2'").assign(order_id="r", amount=-900)])}, "nothing_paid"),
    ({"orders": ORDERS.head(0)}, "no_older_customers"), ({"orders": ORDERS.assign(customer_id=None)}, "no_older_customers"),
    ({"orders": ORDERS.query("customer_id in ['e', 'f']"), "observed_from": "2026-06-01"}, "short_records")])
def test_why_it_is_not_shown(changes, reason):
    if changes.get("observed_from") == "2024-07-01":
        changes = {**changes, "orders": ORDERS[ORDERS["ordered_at"] >= "2024-07-01"]}
    result = of(**changes)
    assert result.reason == reason and math.isnan(result.nrr) and math.isnan(result.grr)
    assert all(math.isnan(value) for name, value in asdict(result).items() if name.endswith("_share"))


def test_without_orders_and_with_one_client():
    with pytest.raises(MeasureError, match="needs the table 'orders'"):
        loyalty.revenue_retention(Process.from_tables("p", leads=pd.DataFrame({"lead_id": ["1"], "created_at": ["2026-01-01"]})))
    one = of(ORDERS.query("customer_id == 'a'"))
    assert (one.nrr, one.grr, one.largest_customer_share) == (1.5, 1, 1) and math.isnan(one.nrr_low_share + one.grr_low_share)


def test_clients_all_alike_leave_room():
    """40 clients who paid 100 in each year: as many as Wilson's limit of 40 of 40 leaves room for may yet have left, or grown."""
    days = ("2023-08-01", "2024-08-01", "2025-08-01")
    orders = pd.DataFrame([(f"{n}{day}", f"c{n}", day, 100) for n in range(40) for day in days], columns=ORDERS.columns)
    result, room = of(orders), rate(40, 40).low_share
    assert (result.nrr, result.grr) == (1, 1)
    assert (result.nrr_low_share, result.nrr_high_share) == pytest.approx((room, 1 / room))
    assert (result.grr_low_share, result.grr_high_share) == pytest.approx((room, 1))
    part = of(orders.assign(amount=[100, 90, 81] * 40))  # the ratio is a fraction that no number holds exactly
    assert (part.nrr_low_share, part.nrr_high_share) == pytest.approx((0.9 * room, 0.9 / room))
    assert (part.grr_low_share, part.grr_high_share) == pytest.approx(rate(36, 40)[1:3])


def test_a_giant_widens_the_limits():
    giant = pd.concat([ORDERS, pd.DataFrame([("z1", "z", "2024-01-01", 1), ("z2", "z", "2025-01-01", 9000)], columns=ORDERS.columns)])
    result = of(giant)
    assert result.largest_customer_share > 0.97 and result.nrr_high_share > 10 * result.nrr


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 1094), st.sampled_from("abcdef"), st.integers(-4, 9)), min_size=3, max_size=40))
def test_laws(rows):
    orders = pd.DataFrame(rows, columns=["day", "customer_id", "amount"]).assign(order_id=[f"{n:02}" for n in range(len(rows))])
    orders["ordered_at"] = pd.Timestamp(2023, 7, 1) + pd.to_timedelta(orders.pop("day"), unit="D")
    result = of(orders)
    assert result.lost_count <= result.buyers_count <= result.customers_count
    if result.reason:
        return
    assert result.grr <= 1 + 1e-12 and result.grr <= result.nrr + 1e-12
    for name in ("nrr", "grr"):
        low, share, high = (getattr(result, key) for key in (f"{name}_low_share", name, f"{name}_high_share"))
        assert math.isnan(low) or low <= share + 1e-9 <= high + 2e-9
