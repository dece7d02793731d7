"""Retention: which share of the customers of a month orders again later."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import customers, paid_orders
from funnel_lib.engine import collect
from funnel_lib.loyalty.rhythm import lapse_limit_days
from funnel_lib.periods import PERIODS, elapsed_days, next_period_start
from funnel_lib.rates import rate

ROLLING_DAYS = 30
DAY = pd.Timedelta(days=1)
COLUMNS = ["cohort", "age", "customers_count", "active_count", "retained_share", "retained_low_share",
           "retained_high_share", "complete", "perhaps_older_count"]
# A Monday: whole weeks are counted from it.
FIRST_MONDAY = pd.Timestamp(1969, 12, 29)


def cohort_retention(process: Process, per: str = "month", bounded: bool = True, rolling: bool = False) -> pd.DataFrame:
    """How many customers of each cohort order again, by their age.

    One row is a cohort (customers by the day, week, month, quarter or year of their first order) × `age` (0 = the period of
    the first order). Columns: `cohort` (first day), `age` in periods, `customers_count`, `active_count` (who ordered in
    that period; with `bounded=False` in it or after), `retained_share` with Wilson limits, `complete`,
    `perhaps_older_count` of the cohort. With `rolling=True` ages are 30 days from each customer's own first order.
    A cell is complete only if every customer of the cohort could be observed for the whole of it; unbounded cells only if
    they end at least one lapse limit before `as_of`, since who is silent for less may still come. Customers known from
    before the records belong to no cohort. Raises `MeasureError` where there are no orders.

    >>> sales = Process.from_tables("x", as_of="2026-04-01", orders=pd.DataFrame({
    ...     "order_id": ["1", "2", "3"], "customer_id": ["a", "b", "a"], "amount": [10, 20, 30],
    ...     "ordered_at": pd.to_datetime(["2026-01-05", "2026-01-09", "2026-03-02"])}))
    >>> cohort_retention(sales)[["age", "customers_count", "active_count", "complete"]].values.tolist()
    [[0, 2, 2, True], [1, 2, 0, True], [2, 2, 1, True]]
    """
    if per not in PERIODS:
        raise ValueError(f"per={per!r}: expected one of {', '.join(PERIODS)}")
    people = customers(process).filter(nw.col("is_older") == 0)
    people = people.with_columns(cohort_number=_period_number(nw.col("first_day"), per, people))
    cohorts = _cohorts(people, per)
    if cohorts.empty:
        return process.tidy(pd.DataFrame(columns=COLUMNS))
    cells = _cells(cohorts, process.needs_as_of(), per, rolling)
    active = _active(process, people, per, bounded, rolling)
    table = cells.merge(active, on=["cohort_number", "age"], how="left")
    if not bounded:
        table["active_count"] = _in_or_after(table)
        limit = lapse_limit_days(process)
        end = process.as_of - (pd.Timedelta(days=limit) if limit == limit else pd.Timedelta.max)
        table["complete"] = table["complete"] & (table["cell_end"] <= end)
    table["active_count"] = table["active_count"].fillna(0).astype(int)
    table["retained_share"], table["retained_low_share"], table["retained_high_share"], *_ = rate(
        table["active_count"], table["customers_count"])
    return process.tidy(table.sort_values(["cohort", "age"])[COLUMNS])


def average_retention(retention: pd.DataFrame) -> pd.DataFrame:
    """The average curve of a table of `cohort_retention`: numerators and denominators pooled over complete cells.

    One row is an age. Columns: `age`, `customers_count`, `active_count`, `retained_share` with Wilson limits.
    """
    if "age" not in retention:
        return retention  # a measure that could not be made stays the note that says why
    whole = retention[retention["complete"].astype(bool)]
    pooled = whole.groupby("age", as_index=False)[["customers_count", "active_count"]].sum()
    shares = rate(pooled["active_count"], pooled["customers_count"])
    pooled = pooled.assign(retained_share=shares.share, retained_low_share=shares.low_share,
                           retained_high_share=shares.high_share)
    pooled.attrs.update(retention.attrs)
    return pooled


def _period_number(day: nw.Expr, per: str, frame: nw.LazyFrame) -> nw.Expr:
    """A number that grows by one with each period, from the calendar's parts, so that it is the same on every engine."""
    year, month = day.dt.year().cast(nw.Float64), day.dt.month().cast(nw.Float64)
    days = elapsed_days(FIRST_MONDAY, day, frame)
    return {"day": days, "week": (days / 7).floor(), "month": year * 12 + month - 1,
            "quarter": ((year * 12 + month - 1) / 3).floor(), "year": year}[per]


def _cohorts(people: nw.LazyFrame, per: str) -> pd.DataFrame:
    """Per cohort its size, and when its first and its last customer began."""
    grouped = people.with_columns(last_at=nw.col("first_order_at")).group_by("cohort_number").agg(
        nw.len().alias("customers_count"), nw.col("first_order_at").min(), nw.col("last_at").max(),
        nw.col("is_perhaps_older").sum().alias("perhaps_older_count"))
    table = collect(grouped).sort_values("cohort_number", ignore_index=True)
    table["cohort"] = table["first_order_at"].dt.to_period(PERIODS[per]).dt.start_time
    return table.astype({"customers_count": int, "perhaps_older_count": int})


def _cells(cohorts: pd.DataFrame, as_of: pd.Timestamp, per: str, rolling: bool) -> pd.DataFrame:
    """Every cohort × age that began before `as_of`, where it ends, and whether all of the cohort was seen through it."""
    last = (as_of - pd.Timedelta(microseconds=1)).to_period(PERIODS[per])
    if rolling:
        seen_days = (as_of - cohorts["first_order_at"]) / DAY
        lengths = np.ceil(seen_days / ROLLING_DAYS).astype(int)
    else:
        lengths = cohorts["cohort"].map(lambda start: (last - start.to_period(PERIODS[per])).n + 1)
    cells = cohorts.loc[cohorts.index.repeat(lengths)]
    cells = cells.assign(age=cells.groupby("cohort_number").cumcount())
    cohort_end = cells["cohort"].map({start: next_period_start(start, per) for start in cohorts["cohort"]})
    if rolling:
        ends = cells["last_at"] + pd.to_timedelta((cells["age"] + 1) * ROLLING_DAYS, unit="D")
    else:
        periods = cells["cohort"].dt.to_period(PERIODS[per])
        ends = (periods + cells["age"] + 1).dt.start_time
    return cells.assign(cell_end=ends, complete=(ends <= as_of) & (cohort_end <= as_of))


def _active(process: Process, people: nw.LazyFrame, per: str, bounded: bool, rolling: bool) -> pd.DataFrame:
    """Customers per cohort and age of an order, each once; unbounded: per age of their last order."""
    orders = paid_orders(process).select("customer_id", "ordered_at", "day")
    orders = orders.join(people.select("customer_id", "cohort_number", "first_order_at"), on="customer_id", how="inner")
    if rolling:
        age = (elapsed_days(nw.col("first_order_at"), nw.col("ordered_at"), orders) / ROLLING_DAYS).floor()
    else:
        age = _period_number(nw.col("day"), per, orders) - nw.col("cohort_number")
    orders = orders.with_columns(age=age)
    if bounded:
        counted = orders.group_by("cohort_number", "age").agg(nw.col("customer_id").n_unique().alias("active_count"))
    else:
        last = orders.group_by("customer_id", "cohort_number").agg(nw.col("age").max())
        counted = last.group_by("cohort_number", "age").agg(nw.len().alias("active_count"))
    return collect(counted)


def _in_or_after(table: pd.DataFrame) -> pd.Series:
    """From customers per age of their last order to customers active in that period or after."""
    backwards = table.sort_values("age", ascending=False).fillna({"active_count": 0})
    return backwards.groupby("cohort_number")["active_count"].cumsum()
