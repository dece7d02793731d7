"""Purchase histories of new customers: how often, how recently, since when, and what they spent, as grouped counts."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import customers, money_rows
from funnel_lib.engine import collect, flag, kept
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.periods import elapsed_days
from funnel_lib.rates import ratio

WEEK_DAYS = 7
DAY = pd.Timedelta(days=1)
MOMENT = pd.Timedelta(microseconds=1)


def purchases(process: Process) -> pd.DataFrame:
    """The histories of customers whose first order was seen, as the purchase models take them.

    One row is all customers with the same history. Columns: `frequency` (days with an order after the first one),
    `recency` (weeks from the first day with an order to the last one), `age` (weeks from the first one to the last day observed;
    both are whole days / 7), `customers_count`, `amount` of the orders after the first day (refunds are not taken off).
    Orders of one day are one visit. Customers known, or perhaps known, from before the records are left out: their first order was
    not seen. Raises `MeasureError` where there are no orders or no such customer.
    """
    table = histories(process, last_day(process))
    table = table.groupby(["frequency", "recency", "age"], as_index=False)[["customers_count", "amount"]].sum()
    return process.tidy(table.astype({"frequency": int, "customers_count": int}))


def last_day(process: Process) -> pd.Timestamp:
    """The last day observed."""
    return (process.needs_as_of() - MOMENT).normalize()


def days_of_new_customers(process: Process) -> nw.LazyFrame:
    """One row per new customer × day with an order or a refund, from the day of the first order on.

    Columns: `customer_id`, `first_day`, `day`, `is_visit` (1 where something was ordered), `paid` (orders only) and `margin`
    (refunds taken off) in minor units, `unknown_count` of orders without a margin, `is_first` (1 before the second visit:
    a refund belongs to the visit before it).
    """
    return process.remembered(("days_of_new_customers",), lambda: kept(_days(process)))


def _days(process: Process) -> nw.LazyFrame:
    new = customers(process).filter((nw.col("is_older") == 0) & (nw.col("is_perhaps_older") == 0))
    rows = money_rows(process).select("customer_id", "day", "amount", "margin").join(
        new.select("customer_id", "first_day"), on="customer_id", how="inner").filter(nw.col("day") >= nw.col("first_day"))
    is_order = nw.col("amount") > 0
    rows = rows.with_columns(is_visit=flag(is_order), paid=nw.when(is_order).then(nw.col("amount")).otherwise(nw.lit(0.0)),
                             unknown_count=flag(nw.col("margin").is_null()), margin=nw.col("margin").fill_null(0.0))
    days = rows.group_by("customer_id", "first_day", "day").agg(
        nw.col("is_visit").max(), nw.col("paid", "margin", "unknown_count").sum())
    again = nw.when((nw.col("is_visit") == 1) & (nw.col("day") > nw.col("first_day"))).then(nw.col("day"))
    days = days.with_columns(_again=again)
    days = days.with_columns(_second=nw.col("_again").min().over("customer_id"))
    before_second = nw.col("_second").is_null() | (nw.col("day") < nw.col("_second")).fill_null(False)
    return days.with_columns(is_first=flag(before_second)).drop("_again", "_second")


def histories(process: Process, until: pd.Timestamp, then: pd.Timestamp | None = None) -> pd.DataFrame:
    """Histories up to and with the day `until` of the customers who had begun by then; times in weeks, money in major units.

    Columns: `frequency`, `recency`, `age`, `later_count` (visits after `until`, up to and with the day `then`; 0 without it),
    `customers_count`, `amount` of the repeat visits.
    """
    key = ("histories", until, then)
    return process.remembered(key, lambda: _histories(process, until, then or until)).copy()


def _histories(process: Process, until: pd.Timestamp, then: pd.Timestamp) -> pd.DataFrame:
    end, last = until.to_pydatetime(), then.to_pydatetime()
    days = days_of_new_customers(process).filter((nw.col("first_day") <= end) & (nw.col("day") <= last))
    visit, before = nw.col("is_visit") == 1, nw.col("day") <= end
    again = visit & before & (nw.col("day") > nw.col("first_day"))
    days = days.with_columns(frequency=flag(again), later_count=flag(visit & ~before),
                             _last=nw.when(visit & before).then(nw.col("day")),
                             amount=nw.when(again).then(nw.col("paid")).otherwise(nw.lit(0.0)))
    people = days.group_by("customer_id", "first_day").agg(
        nw.col("frequency", "later_count", "amount").sum(), nw.col("_last").max())
    people = people.with_columns(recency=elapsed_days(nw.col("first_day"), nw.col("_last"), people),
                                 age=elapsed_days(nw.col("first_day"), until, people))
    keys = ["frequency", "recency", "age", "later_count"]
    table = collect(people.group_by(*keys).agg(nw.len().alias("customers_count"), nw.col("amount").sum()))
    if table.empty:
        raise MeasureError(message("{process}: needs customers whose first order was seen; all are known, or perhaps known, from "
                                   "before the records", process=process.name))
    table[["recency", "age"]] /= WEEK_DAYS
    table["amount"] /= process.minor_units
    return table.sort_values(keys, ignore_index=True)


def repeat_amounts(process: Process) -> pd.DataFrame:
    """Repeaters who spent alike: `frequency`, `mean_amount` per repeat visit (major units), `customers_count`."""
    days = days_of_new_customers(process).filter((nw.col("is_visit") == 1) & (nw.col("day") > nw.col("first_day")))
    people = days.group_by("customer_id").agg(nw.len().alias("frequency"), nw.col("paid").sum().alias("amount"))
    table = collect(people.group_by("frequency", "amount").agg(nw.len().alias("customers_count")))
    table = table.sort_values(["frequency", "amount"], ignore_index=True)
    return table.assign(mean_amount=ratio(table["amount"] / process.minor_units, table["frequency"]))
