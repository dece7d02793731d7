"""Time to the next order: curves counted by hand, statsmodels as a second way, laws, bad data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from funnel_lib import MeasureError, Process, loyalty
from funnel_lib.customers import paid_orders
from funnel_lib.engine import collect
from funnel_lib.errors import CallError
from tests.engines import assert_parity, on_engines

# x: two orders of one moment, then after 10 and 20 days; y after 20 days; z once. Ten days after x's last order all ends.
SEVEN = {"orders": pd.DataFrame([
    ("x1", "x", "2026-01-01", 10), ("x2", "x", "2026-01-01", 10), ("x3", "x", "2026-01-11", 10), ("x4", "x", "2026-01-31", 10),
    ("y1", "y", "2026-01-01", 10), ("y2", "y", "2026-01-21", 10), ("z1", "z", "2026-01-05", 10)],
    columns=["order_id", "customer_id", "ordered_at", "amount"])}
AS_OF = {"as_of": "2026-02-10"}


def curve(process: Process, number: int) -> pd.Series:
    table = loyalty.next_order(process)
    return table[table["order_number"] == number].set_index("age_days")["came_share"]


def test_curves_by_hand():
    """After order 1: x of three after 10 days, y of the two left after 20; after order 2: x of two after 20 days, when y's time
    ends too; after order 3 nobody."""
    table = assert_parity(loyalty.next_order, on_engines("p", SEVEN, **AS_OF))
    one, two, three = (table[table["order_number"] == number].set_index("age_days") for number in (1, 2, 3))
    assert one["came_share"].loc[[9, 10, 19, 20, 36]].tolist() == pytest.approx([0, 1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert one["at_risk_count"].loc[[0, 10, 11, 20, 21, 36]].tolist() == [3, 3, 2, 2, 1, 1] and one.index.max() == 36
    assert two["came_share"].loc[[19, 20]].tolist() == [0, 0.5] and two.index.max() == 20
    assert three["came_share"].tolist() == [0] * 11 and set(table["order_number"]) == {1, 2, 3}


def test_times_by_hand():
    table = assert_parity(loyalty.next_order_times, on_engines("p", SEVEN, **AS_OF))
    assert table[["order_number", "customers_count", "came_count", "horizon_days"]].to_numpy().tolist() == [
        [1, 3, 2, 36], [2, 2, 1, 20], [3, 1, 0, 10]]
    quartiles = table[["quarter_days", "median_days", "three_quarters_days"]]
    assert quartiles.fillna(-1).to_numpy().tolist() == [[10, 20, -1], [20, 20, -1], [-1, -1, -1]]
    assert table["came_share"].tolist() == pytest.approx([2 / 3, 1 / 2, 0]) and table["few"].all()


def test_only_as_many_orders_as_asked_for():
    process = Process.from_tables("p", **SEVEN, **AS_OF)
    assert loyalty.next_order_times(process, most=1)["order_number"].tolist() == [1]
    for most in (0, 1.5, True, "2"):
        with pytest.raises(CallError, match="a whole number from 1"):
            loyalty.next_order(process, most=most)


def test_customers_from_before_are_left_out():
    """x was known before: which order was the third is not known."""
    known = pd.DataFrame({"customer_id": ["x"], "first_order_at": ["2020-01-01"]})
    for process in on_engines("p", {**SEVEN, "customers": known}, **AS_OF).values():
        assert loyalty.next_order_times(process)["customers_count"].tolist() == [2, 1]


def test_orders_of_one_day_share_a_visit_and_time_runs_from_the_last():
    orders = pd.DataFrame({"order_id": list("123"), "customer_id": "a", "amount": 5,
                           "ordered_at": ["2026-01-01 08:00", "2026-01-01 20:00", "2026-01-04 14:00"]})
    table = loyalty.next_order_times(Process.from_tables("p", orders=orders, as_of="2026-02-01"))
    assert table[["customers_count", "came_count", "median_days"]].iloc[0].tolist() == [1, 1, 2]  # 2.75 days, rounded down


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_demonstration_company_against_statsmodels(demo, number):
    process = demo.process("retail")
    orders = collect(paid_orders(process)).sort_values(["customer_id", "ordered_at", "order_id"])
    known = set(collect(process.table("customers"))["customer_id"]) if process.has("customers") else set()
    returning = set(collect(process.table("leads")).query("returning == True")["customer_id"])
    orders = orders[~orders["customer_id"].isin(known | returning)]
    days, came = [], []
    for _, own in orders.groupby("customer_id"):
        last = own.groupby(own["ordered_at"].dt.normalize())["ordered_at"].agg(["min", "max"])
        if len(last) >= number:
            following = last["min"].iloc[number] if len(last) > number else process.as_of
            gap = (following - last["max"].iloc[number - 1]) / pd.Timedelta(days=1)
            came.append(len(last) > number)
            days.append(np.floor(max(gap, 1) if came[-1] else gap))
    plain = SurvfuncRight(np.array(days), np.array(came, dtype=int))
    found = curve(process, number)
    assert found.loc[plain.surv_times].tolist() == pytest.approx((1 - plain.surv_prob).tolist())
    row = loyalty.next_order_times(process).set_index("order_number").loc[number]
    assert (row["customers_count"], row["came_count"]) == (len(days), sum(came))


def test_cdnow_customers_of_more_than_one_day(open_data):
    """Published customers and those with orders on a second day, each row its own order."""
    rows = pd.read_csv(open_data / "cdnow" / "CDNOW_master.txt", sep=r"\s+", header=0, names=["customer_id", "ordered_at", "n", "amount"],
                       dtype={"customer_id": str, "ordered_at": str})
    rows["ordered_at"] = pd.to_datetime(rows["ordered_at"], format="%Y%m%d")
    process = Process.from_tables("cdnow", orders=rows.assign(order_id=rows.index.astype(str)).drop(columns="n"), currency="USD")
    first = loyalty.next_order_times(process).iloc[0]
    assert (first["customers_count"], first["came_count"]) == (23502, 11513)
    amounts = loyalty.cohort_retention(process, value="amount")
    assert amounts["amount"].sum() == pytest.approx(2500315.63, abs=0.005)


@settings(max_examples=12)
@given(st.lists(st.tuples(st.integers(0, 90), st.sampled_from("abcdef"), st.integers(-1, 3)), min_size=1, max_size=30))
def test_laws(rows):
    """Who came for order n + 1 has it; curves never fall; no more are at risk later."""
    orders = pd.DataFrame(rows, columns=["day", "customer_id", "amount"]).assign(order_id=[f"{n:02}" for n in range(len(rows))])
    orders["ordered_at"] = pd.Timestamp(2026, 1, 1) + pd.to_timedelta(orders.pop("day"), unit="D")
    process = Process.from_tables("p", orders=orders, as_of="2026-04-05")
    times, table = loyalty.next_order_times(process, most=30), loyalty.next_order(process, most=30)
    assert times["customers_count"].iloc[1:].tolist() == times["came_count"].iloc[:-1].tolist()
    positive = orders[orders["amount"] > 0]
    assert times["customers_count"].sum() == len(positive[["customer_id", "ordered_at"]].drop_duplicates())
    for _, own in table.groupby("order_number"):
        assert own["came_share"].is_monotonic_increasing and own["at_risk_count"].is_monotonic_decreasing
        assert own["came_share"].between(own["came_low_share"] - 1e-12, own["came_high_share"] + 1e-12).all()


def test_nobody_came_twice_zero_amounts_and_nothing_at_all():
    once = SEVEN["orders"].drop_duplicates("customer_id")
    zero = pd.DataFrame([("x9", "x", "2026-01-20", 0)], columns=once.columns)
    times = loyalty.next_order_times(Process.from_tables("p", orders=pd.concat([once, zero]), **AS_OF))
    assert times[["customers_count", "came_count", "came_share"]].to_numpy().tolist() == [[3, 0, 0]]
    assert 0 < times["came_high_share"].iloc[0] < 1 and times["median_days"].isna().all()
    for process in on_engines("p", {"orders": once.head(0)}, **AS_OF).values():
        assert len(loyalty.next_order(process)) == 0 and len(loyalty.next_order_times(process)) == 0
    nameless = SEVEN["orders"].assign(customer_id=None)
    assert len(loyalty.next_order_times(Process.from_tables("p", orders=nameless, **AS_OF))) == 0
    with pytest.raises(MeasureError, match="needs the table 'orders'"):
        loyalty.next_order(Process.from_tables("p", leads=pd.DataFrame({"lead_id": ["1"], "created_at": ["2026-01-01"]})))
