"""The repeat share and the repeat rate beside each other, and whether the repeat share moved from one year to the next."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, flag
from funnel_lib.loyalty.sales import is_first, orders_with_customers, repeat_rate, repeat_share
from funnel_lib.rates import clustered_share, difference_limits, ratio

YEAR_DAYS = 365
ROSE, FELL, NO_DIFFERENCE, CANNOT_TELL = "rose", "fell", "no_difference", "cannot_tell"
SHORT_HISTORY, NO_ORDERS, PERHAPS_OLDER = "short_history", "no_orders", "perhaps_older"
COUNTS = ["repeat_before_count", "orders_before_count", "repeat_after_count", "orders_after_count"]


@dataclass(frozen=True)
class RepeatChange:
    """The repeat share of the orders in the last year and in the year before, the difference, and whether it is one."""

    before_from: pd.Timestamp
    after_from: pd.Timestamp
    repeat_before_count: int
    orders_before_count: int
    repeat_before_share: float
    repeat_before_low_share: float
    repeat_before_high_share: float
    repeat_after_count: int
    orders_after_count: int
    repeat_after_share: float
    repeat_after_low_share: float
    repeat_after_high_share: float
    repeat_change_share: float
    repeat_change_low_share: float
    repeat_change_high_share: float
    perhaps_older_count: int
    verdict: str
    reason: str


def repeat_figures(process: Process) -> pd.DataFrame:
    """Two figures that are often mixed up: the repeat share (of sales) and the repeat rate (of customers).

    One row is a `figure`: `repeat_share`, orders of customers who had bought before / all orders of known customers, with
    limits that take the customer as the unit; `repeat_rate`, customers with two orders or more / customers who began at least
    365 days ago, with Wilson limits. Columns: `figure`, `part_count`, `whole_count`, `share` with its 95 % limits.
    Raises `MeasureError` where there are no orders.
    """
    figures = {"repeat_share": repeat_share(process), "repeat_rate": repeat_rate(process, at_least_days=YEAR_DAYS)}
    names = ["part_count", "whole_count", "share", "low_share", "high_share"]
    rows = [{"figure": key, **{name: getattr(result, name) for name in names}} for key, result in figures.items()]
    return process.tidy(pd.DataFrame(rows))


def repeat_change(process: Process) -> RepeatChange:
    """Whether the repeat share of the orders grew: the last 365 days against the 365 before them.

    A frozen dataclass: of both years the share with its limits and its counts; `repeat_change_share` (after − before) with its
    limits, which know that many customers are in both years; `perhaps_older_count` first orders of the earlier year that may
    be repeat ones; `verdict` (rose, fell, no_difference, cannot_tell) and the `reason` where it cannot be told: short_history
    (under two years of records), no_orders (in one of the years), perhaps_older (those orders could make the whole
    difference). Orders that name no customer are left out. Raises `MeasureError` where there are no orders.
    Source: Cochran 1977 (ratio estimator); Newcombe 1998 (limits of the difference).
    """
    middle = (process.needs_as_of() - pd.Timedelta(days=YEAR_DAYS)).normalize()
    start = middle - pd.Timedelta(days=YEAR_DAYS)
    people = _customers_of_two_years(process, start, middle)
    counts = {name: int(people[name].sum()) for name in COUNTS}
    older = int(people["perhaps_older_count"].sum())
    before, after = (_share(people, side) for side in ("before", "after"))
    low, high = difference_limits(before, after, _correlation(people, before.share, after.share))
    change = after.share - before.share
    reason = _reason(process, start, before.share, after, counts, older, low)
    verdict = CANNOT_TELL if reason else ROSE if low > 0 else FELL if high < 0 else NO_DIFFERENCE
    return RepeatChange(
        start, middle, counts["repeat_before_count"], counts["orders_before_count"], *before[:3], counts["repeat_after_count"],
        counts["orders_after_count"], *after[:3], change, low, high, older, verdict, reason)


def _customers_of_two_years(process: Process, start: pd.Timestamp, middle: pd.Timestamp) -> pd.DataFrame:
    """Per customer of the two years their orders in each, and what of them is repeat: numbers only."""
    orders = orders_with_customers(process).filter(nw.col("day") >= start.to_pydatetime())
    later, first = nw.col("day") >= middle.to_pydatetime(), is_first()
    orders = orders.with_columns(
        repeat_before_count=flag(~later & ~first), orders_before_count=flag(~later), repeat_after_count=flag(later & ~first),
        orders_after_count=flag(later), perhaps_older_count=flag(~later & first & (nw.col("is_perhaps_older") == 1)))
    sums = [*COUNTS, "perhaps_older_count"]
    totals = orders.group_by("customer_id").agg(*[nw.col(name).sum() for name in sums])
    alike = collect(totals.group_by(*sums).agg(nw.len().alias("customers_count"))).sort_values(sums)
    return alike.loc[alike.index.repeat(alike["customers_count"].astype(int)), sums]


def _share(people: pd.DataFrame, side: str) -> tuple:
    there = people[people[f"orders_{side}_count"] > 0]
    return clustered_share(there[f"repeat_{side}_count"], there[f"orders_{side}_count"])


def _correlation(people: pd.DataFrame, before: float, after: float) -> float:
    """How the two shares go together, by the customers who are in both years; 0 where one of them cannot vary."""
    old = people["repeat_before_count"] - before * people["orders_before_count"]
    new = people["repeat_after_count"] - after * people["orders_after_count"]
    return float(np.nan_to_num(ratio((old * new).sum(), np.sqrt((old**2).sum() * (new**2).sum()))))


def _reason(process: Process, start: pd.Timestamp, before: float, after: tuple, counts: dict, older: int, low: float) -> str:
    """Why it cannot be told whether the share moved; empty where it can."""
    if process.observed_from is None or process.observed_from > start:
        return SHORT_HISTORY
    if not (counts["orders_before_count"] and counts["orders_after_count"]):
        return NO_ORDERS
    # Taken as repeat orders, they would lift the earlier share into the interval of the later one.
    most = ratio(counts["repeat_before_count"] + older, counts["orders_before_count"])
    return PERHAPS_OLDER if low > 0 and most >= after.low_share else ""
