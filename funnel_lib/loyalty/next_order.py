"""Time to the next order: after order n, which share of the customers has come again by each age, and how soon."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, flag
from funnel_lib.errors import CallError
from funnel_lib.language.messages import message
from funnel_lib.loyalty.retention import customer_orders
from funnel_lib.periods import elapsed_days
from funnel_lib.rates import is_few
from funnel_lib.survival import Curve, aalen_johansen, first_day_reaching, grouped

YEAR_DAYS = 365
# A share this long after the order is said only where so many are still followed.
MIN_AT_RISK = 10
QUARTILES = {"quarter_days": 0.25, "median_days": 0.5, "three_quarters_days": 0.75}


def next_order(process: Process, most: int = 4) -> pd.DataFrame:
    """What share of the customers has come again by each age after their first, second, … order.

    One row is an `order_number` n (1 to `most`) × a whole day. Columns: `age_days` since order n, `came_share` (came for order
    n + 1 by the end of the day; Kaplan-Meier: who has not come by `as_of` is not taken for lost) with its pointwise 95 %
    limits, `at_risk_count` (customers not come before that day and still followed). Orders of one day share a visit and count
    as one; time runs from the last of them, and is at least a day. Customers known from before the records are left out: the
    number of their orders is not known. Raises `MeasureError` where there are no orders. Source: Kaplan and Meier 1958; limits
    by Greenwood's error and Wilson's form.

    >>> sales = Process.from_tables("x", as_of="2026-01-31", orders=pd.DataFrame({
    ...     "order_id": ["1", "2", "3"], "customer_id": ["a", "b", "a"], "amount": [10, 20, 30],
    ...     "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-01", "2026-01-03"])}))
    >>> next_order(sales, most=1)[["age_days", "came_share", "at_risk_count"]].values.tolist()[:4]
    [[0.0, 0.0, 2.0], [1.0, 0.0, 2.0], [2.0, 0.5, 2.0], [3.0, 0.5, 1.0]]
    """
    tables = []
    for number, curve in _curves(process, most).items():
        low, high = curve.limits()
        tables.append(pd.DataFrame({
            "order_number": number, "age_days": np.arange(curve.last_day + 1), "came_share": curve.event_share,
            "came_low_share": low, "came_high_share": high, "at_risk_count": curve.at_risk_count.astype(int)}))
    columns = ["order_number", "age_days", "came_share", "came_low_share", "came_high_share", "at_risk_count"]
    return process.tidy(pd.concat(tables) if tables else pd.DataFrame(columns=columns))


def next_order_times(process: Process, most: int = 4) -> pd.DataFrame:
    """How many come again after their first, second, … order, and how soon.

    One row is an `order_number` n (1 to `most`). Columns: `customers_count` (with n orders or more), `came_count` (of them with
    n + 1 or more so far), `came_share` by `horizon_days` after order n (a year, or the last age at which 10 customers are
    still followed) with 95 % limits, `quarter_days`, `median_days`, `three_quarters_days` by which a quarter, half, three
    quarters of them have come (missing: not reached), `few` (fewer than 30 customers). Otherwise as `next_order`.
    """
    counts, rows = _counts(process, most), []
    for number, curve in _curves(process, most).items():
        own = counts[counts["order_number"] == number]
        low, high = curve.limits()
        at = _horizon(curve)
        quartiles = {name: first_day_reaching(curve, share) for name, share in QUARTILES.items()}
        rows.append({"order_number": number, "customers_count": own["customers"].sum(),
                     "came_count": own.loc[own["came"] == 1, "customers"].sum(), "came_share": curve.event_share[at],
                     "came_low_share": low[at], "came_high_share": high[at], "horizon_days": at, **quartiles})
    columns = ["order_number", "customers_count", "came_count", "came_share", "came_low_share", "came_high_share", "horizon_days",
               *QUARTILES]
    types = {"customers_count": int, "came_count": int, **dict.fromkeys(QUARTILES, float)}
    table = pd.DataFrame(rows, columns=columns).astype(types)
    return process.tidy(table.assign(few=is_few(table["customers_count"])))


def _horizon(curve: Curve) -> int:
    followed = np.flatnonzero(curve.at_risk_count >= MIN_AT_RISK)
    return min(YEAR_DAYS, int(followed[-1]) if len(followed) else curve.last_day)


def _curves(process: Process, most: int) -> dict[int, Curve]:
    """For each number of an order that somebody has reached the curve of coming again."""
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise CallError(message("most={most!r}: expected how many orders to follow, a whole number from 1", most=most))
    counts = _counts(process, most)
    curves = {}
    for number, own in counts.groupby("order_number"):
        length = int(own["day"].max()) + 1
        came, still = (grouped(part["day"], part["customers"], length) for part in (own[own["came"] == 1], own[own["came"] == 0]))
        curves[int(number)] = aalen_johansen(came, np.zeros(length), still)
    return curves


def _counts(process: Process, most: int) -> pd.DataFrame:
    """Customers per number of their order, whether they came again, and the whole days until then or until `as_of`."""
    return process.remembered(("next_order", most), lambda: _counted(process, most))


def _counted(process: Process, most: int) -> pd.DataFrame:
    as_of = process.needs_as_of()
    orders = customer_orders(process).filter(nw.col("is_older") == 0)
    # Every gap between two days ends with the next order; they are numbered in the customer's own order of time.
    gaps = orders.filter((nw.col("gap_days") > 0).fill_null(False)).select("customer_id", "ordered_at", "gap_days")
    gaps = gaps.with_columns(order_number=nw.col("gap_days").cum_count().over("customer_id", order_by="ordered_at"),
                             day=nw.col("gap_days").floor())
    came = gaps.filter(nw.col("order_number") <= most).group_by("order_number", "day").agg(nw.len().alias("customers"))
    visits = orders.with_columns(order_number=flag(nw.col("gap_days").fill_null(1.0) > 0))
    last = visits.group_by("customer_id").agg(nw.col("order_number").sum(), nw.col("ordered_at").max())
    last = last.filter(nw.col("order_number") <= most)
    last = last.with_columns(day=elapsed_days(nw.col("ordered_at"), as_of, last).floor())
    still = last.group_by("order_number", "day").agg(nw.len().alias("customers"))
    counts = pd.concat([collect(came).assign(came=1), collect(still).assign(came=0)], ignore_index=True)
    return counts.sort_values(["order_number", "came", "day"], ignore_index=True)
