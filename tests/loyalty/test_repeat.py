"""Whether the repeat share moved: two years counted by hand, the interval by bootstrap, a planted rise, what cannot be told."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from funnel_lib import MeasureError, Process, loyalty
from funnel_lib.engine import collect
from funnel_lib.loyalty.repeat import _correlation, _customers_of_two_years
from funnel_lib.rates import Rate, difference_limits, rate
from tests.engines import assert_parity, on_engines

# On 1 January 2026 the last year begins on 1 January 2025 and the one before on 2 January 2024.
ORDERS = pd.DataFrame(
    [("a", "2023-05-01"), ("a", "2024-03-01"), ("a", "2025-03-01"), ("a", "2025-06-01"), ("b", "2024-05-01"), ("b", "2025-05-01"),
     ("c", "2025-07-01"), ("z", "2025-07-01")], columns=["customer_id", "ordered_at"]).assign(amount=[10, 10, 10, 10, 10, 10, 10, 0])
ORDERS["order_id"] = ORDERS.index.astype(str)
SETTINGS = {"as_of": "2026-01-01", "observed_from": "2023-01-01"}


def shop(orders: pd.DataFrame = ORDERS, **changes) -> Process:
    return Process.from_tables("p", orders=orders, **{**SETTINGS, **changes})


def test_two_years_by_hand():
    """Before: a repeat, b first. After: a twice and b repeat, c first. z paid nothing."""
    for process in on_engines("p", {"orders": ORDERS}, **SETTINGS).values():
        result = loyalty.repeat_change(process)
        assert (result.before_from, result.after_from) == (pd.Timestamp(2024, 1, 2), pd.Timestamp(2025, 1, 1))
        assert (result.repeat_before_count, result.orders_before_count, result.repeat_before_share) == (1, 2, 0.5)
        assert (result.repeat_after_count, result.orders_after_count, result.repeat_after_share) == (3, 4, 0.75)
        assert result.repeat_change_share == 0.25 and result.verdict == "no_difference" and result.reason == ""


def test_correlation_of_the_two_years_by_hand():
    """Residuals before ½, −½, 0 and after ½, ¼, −¾: 0.125 / √(0.5 · 0.875)."""
    people = _customers_of_two_years(shop(), pd.Timestamp(2024, 1, 2), pd.Timestamp(2025, 1, 1))
    assert _correlation(people, 0.5, 0.75) == pytest.approx(0.125 / math.sqrt(0.5 * 0.875))


def test_both_shares_are_those_of_the_two_periods(demo):
    process = demo.process("retail")
    result = loyalty.repeat_change(process)
    before = loyalty.repeat_share(process, since=result.before_from, until=result.after_from)
    after = loyalty.repeat_share(process, since=result.after_from)
    assert (result.repeat_before_share, result.repeat_before_low_share, result.repeat_before_high_share) == before_limits(before)
    assert (result.repeat_after_share, result.repeat_after_low_share, result.repeat_after_high_share) == before_limits(after)


def before_limits(share: loyalty.sales.RepeatShare) -> tuple:
    return share.share, share.low_share, share.high_share


@pytest.mark.parametrize("name", ["retail", "custom"])
def test_limits_of_the_change_by_bootstrap_over_customers(demo, name):
    process = demo.process(name)
    result = loyalty.repeat_change(process)
    people = _customers_of_two_years(process, result.before_from, result.after_from).to_numpy(dtype=float)
    draws = np.random.default_rng(11).multinomial(len(people), np.full(len(people), 1 / len(people)), 4_000) @ people
    changes = draws[:, 2] / draws[:, 3] - draws[:, 0] / draws[:, 1]
    assert [result.repeat_change_low_share, result.repeat_change_high_share] == pytest.approx(np.quantile(changes, [0.025, 0.975]), abs=0.012)


def test_limits_of_a_difference_against_the_published_example():
    """Newcombe 1998, method 10, 56/70 against 48/80: 0.0524 to 0.3339. Correlated shares differ more surely."""
    low, high = difference_limits(rate(48, 80), rate(56, 70))
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    closer = difference_limits(rate(48, 80), rate(56, 70), correlation=0.6)
    assert low < closer[0] < closer[1] < high
    same = Rate(0.4, 0.3, 0.5, 40, 100)
    assert difference_limits(same, same, correlation=1.0) == (0, 0)


def regulars(again_before: int, again_after: int) -> pd.DataFrame:
    """200 customers who began in 2023; so many of them buy again in each year; 200 more begin in each year."""
    rows = [(f"old{n}", "2023-03-01") for n in range(200)]
    rows += [(f"old{n}", "2024-06-01") for n in range(again_before)] + [(f"old{n}", "2025-06-01") for n in range(again_after)]
    rows += [(f"new{year}{n}", f"{year}-07-01") for year in (2024, 2025) for n in range(200)]
    orders = pd.DataFrame(rows, columns=["customer_id", "ordered_at"])
    return orders.assign(order_id=orders.index.astype(str), amount=10)


def test_a_planted_rise_and_fall_are_seen_and_a_small_one_is_not():
    for before, after, verdict in ((50, 120, "rose"), (120, 50, "fell"), (100, 104, "no_difference")):
        assert loyalty.repeat_change(shop(regulars(before, after), observed_from="2019-01-01")).verdict == verdict


def test_under_two_years_of_records_nothing_is_said_to_grow():
    for observed in ("2024-06-01", "2025-12-01"):
        result = loyalty.repeat_change(shop(regulars(50, 120), observed_from=observed))
        assert (result.verdict, result.reason) == ("cannot_tell", "short_history")
    assert loyalty.repeat_change(shop(ORDERS.query("ordered_at > '2025'"), observed_from="2020-01-01")).reason == "no_orders"
    assert loyalty.repeat_change(shop(ORDERS.head(0), observed_from="2020-01-01")).reason == "no_orders"


def test_first_orders_that_may_be_repeat_ones_leave_a_rise_open():
    """Two years of records exactly: all 150 seen in the first weeks, whose later orders come in 2025, may have bought before."""
    rows = [(f"old{n}", f"2024-01-{2 + n % 20:02d}") for n in range(150)] + [(f"old{n}", "2025-03-01") for n in range(150)]
    orders = pd.DataFrame(rows, columns=["customer_id", "ordered_at"])
    process = shop(orders.assign(order_id=orders.index.astype(str), amount=10), observed_from="2024-01-02")
    result = loyalty.repeat_change(process)
    assert (result.repeat_before_share, result.repeat_after_share, result.perhaps_older_count) == (0, 1, 150)
    assert (result.verdict, result.reason) == ("cannot_tell", "perhaps_older")


def test_the_two_figures_stand_beside_each_other():
    """Seven orders, four of them repeat; a and b began a year ago and more, both came back."""
    table = assert_parity(loyalty.repeat_figures, on_engines("p", {"orders": ORDERS}, **SETTINGS)).set_index("figure")
    assert table[["part_count", "whole_count", "share"]].to_numpy().tolist() == [[4, 7, 4 / 7], [2, 2, 1]]
    with pytest.raises(MeasureError, match="needs the table 'orders'"):
        loyalty.repeat_figures(Process.from_tables("p", leads=pd.DataFrame({"lead_id": ["1"], "created_at": ["2025-01-01"]})))


def test_unfinished_periods_of_the_split_are_marked():
    """On 1 June 2025 the second quarter is not over; the records begin within the first quarter of 2023."""
    process = shop(as_of="2025-06-01", observed_from="2023-04-01")
    table = assert_parity(loyalty.sales_split, on_engines("p", {"orders": ORDERS}, as_of="2025-06-01", observed_from="2023-04-01"),
                          per="quarter").groupby("period_start")["complete"].all()
    assert table.tolist() == [True, True, True, True, False]
    later = loyalty.sales_split(shop(as_of="2025-06-01", observed_from="2023-05-01"), per="quarter")
    assert not later.loc[later["period_start"] == "2023-04-01", "complete"].any()
    assert len(collect(process.table("orders"))) == 5
