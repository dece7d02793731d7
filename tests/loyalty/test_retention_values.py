"""Retention by value and by group: cells counted by hand, a second way in plain pandas, laws, what comes with bad data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import Process, loyalty
from funnel_lib.engine import collect
from funnel_lib.errors import CallError
from tests.engines import assert_parity, on_engines
from tests.test_loyalty import SETTINGS, TABLES, small


def january(table: pd.DataFrame, *columns: str) -> list:
    return table.loc[table["cohort"] == "2026-01-01", list(columns)].to_numpy().tolist()


# -- values ------------------------------------------------------------------------------------------------------------------


def test_amounts_by_hand():
    """January's a and b pay 210 + 20 in January, 20 less a's refund of 20 in February, nothing in March, 40 in April."""
    table = assert_parity(loyalty.cohort_retention, on_engines("p", TABLES, **SETTINGS), value="amount")
    assert january(table, "amount", "paid_per_customer_amount") == [[230, 115], [0, 0], [0, 0], [40, 20], [0, 0]]
    assert [row[0] for row in january(table, "retained_value_share")] == [1, 0, 0, pytest.approx(40 / 230), 0]
    assert [row[0] for row in january(table, "active_count")] == [2, 1, 0, 1, 0], "a refund is no order"


def test_orders_and_margin_by_hand():
    processes = on_engines("p", TABLES, **SETTINGS)
    orders = assert_parity(loyalty.cohort_retention, processes, value="orders")
    assert january(orders, "orders_count", "orders_per_customer") == [[5, 2.5], [1, 0.5], [0, 0], [1, 0.5], [0, 0]]
    margin = assert_parity(loyalty.cohort_retention, processes, value="margin")
    assert january(margin, "margin_amount", "earned_per_customer_amount") == [[23, 11.5], [0, 0], [0, 0], [4, 2], [0, 0]]


def test_rolling_amounts_by_hand():
    """a's refund comes 30.5 days after the first order, its last order after 119; b's second after exactly 30."""
    table = assert_parity(loyalty.cohort_retention, on_engines("p", TABLES, **SETTINGS), rolling=True, value="amount")
    assert [row[0] for row in january(table, "amount")] == [230, 0, 0, 40, 0, 0]


def test_an_unknown_margin_makes_its_cell_unknown():
    orders = TABLES["orders"].assign(margin=np.where(TABLES["orders"]["order_id"] == "b2", np.nan, TABLES["orders"]["margin"]))
    for process in on_engines("p", {**TABLES, "orders": orders}, **SETTINGS).values():
        table = loyalty.cohort_retention(process, value="margin")
        assert pd.Series([row[0] for row in january(table, "margin_amount")]).isna().tolist() == [False, True, False, False, False]
        average = loyalty.average_retention(table).set_index("age")
        # March's cohort alone tells of age 1: it earned nothing then.
        assert np.isnan(average.loc[1, "margin_amount"]) and average.loc[1, "retained_value_share"] == 0


def test_refunds_above_purchases_leave_no_share():
    """a's 100 of January are refunded with 150: nothing is left to compare later months with."""
    orders = pd.DataFrame([("1", "a", "2026-01-02", 100), ("2", "a", "2026-01-03", -150), ("3", "a", "2026-02-03", 30)],
                          columns=["order_id", "customer_id", "ordered_at", "amount"])
    table = loyalty.cohort_retention(Process.from_tables("p", orders=orders, as_of="2026-04-01"), value="amount")
    assert table["amount"].tolist() == [-50, 30, 0] and table["retained_value_share"].isna().all()
    assert loyalty.average_retention(table)["retained_value_share"].isna().all()


def test_pooled_values_and_their_limits_by_the_formula():
    """Three cohorts of 100, 200 and 300 in their first month pay 50, 60 and 240 in the next: 350 / 600."""
    rows = [(f"{n}", f"c{n}", start, first) for n, (start, first) in enumerate((("2026-01-05", 100), ("2026-02-05", 200), ("2026-03-05", 300)))]
    rows += [("7", "c0", "2026-02-05", 50), ("8", "c1", "2026-03-05", 60), ("9", "c2", "2026-04-05", 240)]
    orders = pd.DataFrame(rows, columns=["order_id", "customer_id", "ordered_at", "amount"])
    process = Process.from_tables("p", orders=orders, as_of="2026-05-01")
    row = loyalty.average_retention(loyalty.cohort_retention(process, value="amount")).set_index("age").loc[1]
    part, whole = np.array([50, 60, 240]), np.array([100, 200, 300])
    error = np.sqrt(3 / 2 * ((part - 350 / 600 * whole) ** 2).sum()) / 600
    factor = np.exp(4.302652730 * error / (350 / 600))  # Student's t with two degrees of freedom
    assert (row["amount"], row["paid_per_customer_amount"]) == (350, 350 / 3)
    assert row[["retained_value_share", "retained_value_low_share", "retained_value_high_share"]].tolist() == pytest.approx(
        [350 / 600, 350 / 600 / factor, 350 / 600 * factor])


# -- groups --------------------------------------------------------------------------------------------------------------------


def test_groups_by_hand():
    """a and b came by ads, nobody knows about c; b was recommended; all began in the first quarter."""
    processes = on_engines("p", TABLES, **SETTINGS)
    by_channel = assert_parity(loyalty.cohort_retention, processes, by="channel")
    assert list(by_channel.columns[:2]) == ["channel", "cohort"]
    sizes = by_channel.drop_duplicates(["channel", "cohort"]).set_index(["channel", "cohort"])["customers_count"]
    assert sizes.to_dict() == {("(missing)", pd.Timestamp(2026, 3, 1)): 1, ("ads", pd.Timestamp(2026, 1, 1)): 2}
    both = assert_parity(loyalty.cohort_retention, processes, by=["origin", "quarter"], value="amount")
    referred = both[both["origin"] == "referred"]
    assert referred["active_count"].tolist() == [1, 1, 0, 0, 0] and referred["amount"].tolist() == [20, 20, 0, 0, 0]
    assert set(both["quarter"]) == {pd.Timestamp(2026, 1, 1)}
    average = loyalty.average_retention(both)
    assert list(average.columns[:3]) == ["origin", "quarter", "age"]
    assert average.loc[(average["origin"] == "referred") & (average["age"] == 1), "retained_value_share"].tolist() == [1]


def test_the_segment_is_that_of_the_list_else_of_the_lead():
    leads = TABLES["leads"].assign(segment=["shop", "chain"], owner=["olga", None])
    known = pd.DataFrame({"customer_id": ["a", "d"], "first_order_at": ["2026-01-01", "2020-05-05"], "segment": ["family", "shop"]})
    for process in on_engines("p", {"orders": TABLES["orders"], "leads": leads, "customers": known}, **SETTINGS).values():
        sizes = loyalty.cohort_retention(process, by="segment").drop_duplicates("segment").set_index("segment")["customers_count"]
        assert sizes.to_dict() == {"(missing)": 1, "chain": 1, "family": 1}
        assert set(loyalty.cohort_retention(process, by="owner")["owner"]) == {"olga", "(missing)"}
    assert set(loyalty.cohort_retention(small(leads=None), by="owner")["owner"]) == {"(missing)"}


@pytest.mark.parametrize(("call", "words"), [
    ({"by": "chanel"}, "Did you mean 'channel'"), ({"value": "margins"}, "Did you mean 'margin'"),
    ({"per": "months"}, "Did you mean 'month'"), ({"value": "amount", "bounded": False}, "leave bounded=True")])
def test_wrong_calls_say_what_to_do(call, words):
    with pytest.raises(CallError, match=words):
        loyalty.cohort_retention(small(), **call)


def test_tables_without_rows_keep_their_columns():
    nothing = Process.from_tables("p", orders=TABLES["orders"].head(0), as_of="2026-06-01")
    table = loyalty.cohort_retention(nothing, by="channel", value="margin")
    assert len(table) == 0 and list(table.columns[:2]) == ["channel", "cohort"] and "retained_value_share" in table
    assert len(loyalty.average_retention(table)) == 0


# -- a second way and laws -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wholesale", "retail"])
def test_amounts_of_the_demonstration_company_in_plain_pandas(demo, name):
    process = demo.process(name)
    rows = collect(process.table("orders")).query("amount != 0").dropna(subset="customer_id")
    older = set(collect(process.table("customers"))["customer_id"]) if process.has("customers") else set()
    returning = set(collect(process.table("leads")).query("returning == True")["customer_id"])
    first = rows[rows["amount"] > 0].groupby("customer_id")["ordered_at"].min().rename("first")
    rows = rows.join(first, on="customer_id", how="inner").query("ordered_at >= first")
    rows["cohort"] = rows["first"].dt.to_period("M")
    rows["age"] = (rows["ordered_at"].dt.to_period("M") - rows["cohort"]).map(lambda months: months.n)
    plain = rows[~rows["customer_id"].isin(older | returning)].groupby(["cohort", "age"])["amount"].sum() / process.minor_units
    table = loyalty.cohort_retention(process, value="amount")
    found = table.assign(cohort=table["cohort"].dt.to_period("M")).set_index(["cohort", "age"])["amount"]
    pd.testing.assert_series_equal(found[found != 0], plain[plain != 0], check_names=False)


rows = st.lists(st.tuples(st.integers(0, 150), st.sampled_from("abcde"), st.integers(-3, 9)), min_size=1, max_size=25)


@settings(max_examples=10)
@given(rows, st.booleans(), st.sampled_from(["week", "month", "quarter"]))
def test_laws(rows, rolling, per):
    """Cells add up to what was paid since the first order; groups add up to the whole; unbounded ≥ bounded and never rises."""
    orders = pd.DataFrame(rows, columns=["day", "customer_id", "amount"]).assign(order_id=[f"{n:02}" for n in range(len(rows))])
    orders["ordered_at"] = pd.Timestamp(2026, 1, 1) + pd.to_timedelta(orders.pop("day"), unit="D")
    orders["channel"] = orders["customer_id"].map({"a": "x", "b": "x", "c": "y", "d": None, "e": "y"})
    process = Process.from_tables("p", orders=orders, as_of="2026-07-01")
    amounts = loyalty.cohort_retention(process, per, rolling=rolling, value="amount")
    counts = loyalty.cohort_retention(process, per, rolling=rolling, value="orders")
    grouped = loyalty.cohort_retention(process, per, rolling=rolling, by="channel", value="amount")
    positive = orders[orders["amount"] > 0]
    assert counts["orders_count"].sum() == len(positive) and (counts["active_count"] <= counts["orders_count"]).all()
    since = orders.join(positive.groupby("customer_id")["ordered_at"].min().rename("first"), on="customer_id", how="inner")
    assert amounts["amount"].sum() == since.loc[since["ordered_at"] >= since["first"], "amount"].sum()
    # With own ages a cohort's oldest cells have begun only for those who began first: cells that are over have everybody.
    over = amounts[amounts["complete"]].set_index(["cohort", "age"]) if rolling else amounts.set_index(["cohort", "age"])
    for name in ("customers_count", "active_count", "amount"):
        pieces = grouped.groupby(["cohort", "age"])[name].sum().loc[over.index]
        pd.testing.assert_series_equal(pieces, over[name], check_names=False)
    bounded = loyalty.cohort_retention(process, per, rolling=rolling, by="channel")
    unbounded = loyalty.cohort_retention(process, per, bounded=False, rolling=rolling, by="channel")
    assert (bounded["active_count"] <= unbounded["active_count"]).all()
    assert unbounded.groupby(["channel", "cohort"])["active_count"].apply(lambda own: own.is_monotonic_decreasing).all()


@pytest.mark.parametrize("rolling", [False, True])
def test_a_refund_before_the_first_order_is_in_no_cell(rolling):
    """Whatever it refunds was bought before the records: also where it falls into the month of the first order."""
    orders = pd.DataFrame([("1", "2026-01-05", -40), ("2", "2026-01-20", 100), ("3", "2026-01-25", -10)],
                          columns=["order_id", "ordered_at", "amount"]).assign(customer_id="a")
    table = loyalty.cohort_retention(Process.from_tables("p", orders=orders, as_of="2026-03-01"), rolling=rolling, value="amount")
    assert table["amount"].iloc[0] == 90 and table["amount"].sum() == 90


def test_a_customer_of_two_processes_begins_in_each():
    orders = pd.DataFrame([("1", "a", "2026-01-02", "p"), ("2", "a", "2026-03-02", "q")],
                          columns=["order_id", "customer_id", "ordered_at", "process"]).assign(amount=10)
    cohorts = {name: loyalty.cohort_retention(Process.from_tables(name, orders=orders, as_of="2026-05-01"), value="amount")
               for name in "pq"}
    assert [str(table["cohort"].iloc[0].date()) for table in cohorts.values()] == ["2026-01-01", "2026-03-01"]
    assert all(table["amount"].sum() == 10 for table in cohorts.values())
