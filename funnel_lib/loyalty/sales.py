"""Sales split into first, repeat and reactivated orders; the repeat share and the repeat rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import REFERRED, customers, money_rows, paid_orders
from funnel_lib.engine import collect, left_join
from funnel_lib.loyalty.rhythm import return_visits
from funnel_lib.periods import are_complete, elapsed_days, period_starts
from funnel_lib.rates import clustered_share, rate, ratio

FIRST, REPEAT, REACTIVATED, UNATTRIBUTED = "first", "repeat", "reactivated", "unattributed"
KINDS = (FIRST, REPEAT, REACTIVATED, UNATTRIBUTED)
SUMS = ["orders_count", "amount", "margin_amount", "margin_count", "perhaps_older_count"]


@dataclass(frozen=True)
class RepeatShare:
    """Repeat and reactivated orders / all orders of known customers, and the same in money, with 95 % limits."""

    share: float
    low_share: float
    high_share: float
    part_count: int
    whole_count: int
    amount_share: float
    amount_low_share: float
    amount_high_share: float
    part_amount: float
    whole_amount: float


@dataclass(frozen=True)
class RepeatRate:
    """Customers with two orders or more / customers at least `at_least_days` old, with 95 % limits."""

    share: float
    low_share: float
    high_share: float
    part_count: int
    whole_count: int
    at_least_days: float


def sales_split(process: Process, per: str | None = None, since: Any = None, until: Any = None) -> pd.DataFrame:
    """Every paid order by what was known of its customer before it; adds up to 100 %.

    One row is a `kind` × `referred` (of a period, with `per`). Kinds: *first*; *reactivated* (after a silence above the
    lapse limit); *repeat*; *unattributed* (the order names no customer; only if there are such). Columns: `orders_count`,
    `orders_share`, `amount`, `amount_share`, `margin_amount` (missing where a margin is unknown), `margin_share`,
    `perhaps_older_count` (first orders of customers who may be older), with `per` also
    `complete` (the whole period was observed). Shares are of all orders of the period. Refunds are
    no orders and are left out. The first order observed of a customer known from before is *repeat*. `since` and `until`
    (excluded) narrow the period, not what is known. Raises `MeasureError` where there are no orders.
    """
    parts = [_split_on_engine(process), _returns(process), _unattributed(process)]
    days = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    days = _within(days, since, until)
    keys = ["kind", "referred"]
    if per:
        days, keys = days.assign(period_start=period_starts(days["day"], per)), ["period_start", "kind", "referred"]
    table = days.groupby(keys, as_index=False)[SUMS].sum()
    table = _every_kind(table, per)
    table["margin_amount"] = table["margin_amount"].where(table["margin_count"] == table["orders_count"])
    table[["amount", "margin_amount"]] /= process.minor_units
    totals = table.groupby("period_start") if per else table.assign(_all=0).groupby("_all")
    for name in ("orders_count", "amount", "margin_amount"):
        # A total with an unknown part is unknown.
        total = totals[name].transform(lambda values: values.sum(skipna=False))
        table[name.replace("_count", "").replace("_amount", "") + "_share"] = ratio(table[name], total)
    table = table.astype({"orders_count": int, "perhaps_older_count": int})
    columns = [*keys, "orders_count", "orders_share", "amount", "amount_share", "margin_amount", "margin_share",
               "perhaps_older_count"]
    if per:
        table["complete"] = are_complete(table["period_start"], per, process.observed_from, process.needs_as_of())
        columns.append("complete")
    return process.tidy(table[columns])


def repeat_share(process: Process, since: Any = None, until: Any = None) -> RepeatShare:
    """What share of the sales is made with clients who had bought before; in orders and in money.

    A frozen dataclass: `share` of orders with limits, `part_count` of `whole_count` orders, and `amount_share` with limits,
    `part_amount` of `whole_amount`. The limits treat the customer as the unit that varies, since one client's orders go
    together. Orders without a customer are left out. Source: ratio estimator, Cochran 1977.
    """
    totals = _per_customer(process, since, until)
    orders = clustered_share(totals["repeat_count"], totals["orders_count"])
    money = clustered_share(totals["repeat_amount"] / process.minor_units, totals["amount"] / process.minor_units)
    return RepeatShare(orders.share, orders.low_share, orders.high_share, int(orders.part_count), int(orders.whole_count),
                       money.share, money.low_share, money.high_share, money.part_count, money.whole_count)


def repeat_rate(process: Process, at_least_days: float = 0) -> RepeatRate:
    """What share of the customers came back: those with two orders or more among those at least `at_least_days` old.

    Age runs from the first order to `as_of`; orders at any later age count, also a second one of the same day: the rate counts
    orders, as the split of sales does, where that order is a repeat one. Time to the next order, lateness and the lifetime value
    count visits, for which orders of one day are one: so fewer clients come again there. Customers known from before the records
    are left out: of them only those who came back are seen. Source of the limits: Wilson 1927.
    """
    totals = paid_orders(process).group_by("customer_id").agg(nw.len().alias("orders_count"))
    people = left_join(customers(process).filter(nw.col("is_older") == 0), totals, "customer_id")
    old_enough = elapsed_days(nw.col("first_order_at"), process.needs_as_of(), people) >= at_least_days
    people = people.filter(old_enough).with_columns(
        came_back=nw.when(nw.col("orders_count") >= 2).then(nw.lit(1)).otherwise(nw.lit(0)))
    counts = collect(people.group_by("came_back").agg(nw.len().alias("customers_count")))
    result = rate(counts.loc[counts["came_back"] == 1, "customers_count"].sum(), counts["customers_count"].sum())
    return RepeatRate(result.share, result.low_share, result.high_share, int(result.part_count), int(result.whole_count),
                      at_least_days)


def orders_with_customers(process: Process) -> nw.LazyFrame:
    """One row per paid order with what is known of its customer: `origin`, `is_older`, `is_perhaps_older`."""
    people = customers(process).select("customer_id", "origin", "is_older", "is_perhaps_older")
    return left_join(paid_orders(process), people, "customer_id")


def is_first() -> nw.Expr:
    """Whether the order starts the relation: the first one observed of a customer who was not known before."""
    return nw.col("gap_days").is_null() & (nw.col("is_older") == 0)


def _split_on_engine(process: Process) -> pd.DataFrame:
    """First orders and later ones of the same day: no rhythm is needed to tell what they are."""
    orders = orders_with_customers(process).filter((nw.col("gap_days") == 0).fill_null(False) | nw.col("gap_days").is_null())
    first = is_first()
    orders = orders.with_columns(
        kind=nw.when(first).then(nw.lit(FIRST)).otherwise(nw.lit(REPEAT)),
        has_margin=nw.when(nw.col("margin").is_null()).then(nw.lit(0)).otherwise(nw.lit(1)),
        perhaps=nw.when(first).then(nw.col("is_perhaps_older")).otherwise(nw.lit(0)))
    table = collect(orders.group_by("kind", "origin", "day").agg(
        nw.len().alias("orders_count"), nw.col("amount").sum(), nw.col("margin").sum().alias("margin_amount"),
        nw.col("has_margin").sum().alias("margin_count"), nw.col("perhaps").sum().alias("perhaps_older_count")))
    return table.assign(referred=table["origin"] == REFERRED)


def _returns(process: Process) -> pd.DataFrame:
    visits = return_visits(process)
    return visits.assign(kind=np.where(visits["is_reactivated"], REACTIVATED, REPEAT), orders_count=1,
                         margin_amount=visits["margin"], margin_count=visits["margin"].notna().astype(int),
                         perhaps_older_count=0, referred=visits["origin"] == REFERRED)


def _unattributed(process: Process) -> pd.DataFrame:
    nameless = money_rows(process).filter((nw.col("amount") > 0) & nw.col("customer_id").is_null())
    nameless = nameless.with_columns(has_margin=nw.when(nw.col("margin").is_null()).then(nw.lit(0)).otherwise(nw.lit(1)))
    table = collect(nameless.group_by("day").agg(
        nw.len().alias("orders_count"), nw.col("amount").sum(), nw.col("margin").sum().alias("margin_amount"),
        nw.col("has_margin").sum().alias("margin_count")))
    return table.assign(kind=UNATTRIBUTED, referred=False, perhaps_older_count=0)


def _within(days: pd.DataFrame, since: Any, until: Any) -> pd.DataFrame:
    if since is not None:
        days = days[days["day"] >= pd.Timestamp(since).normalize()]
    return days if until is None else days[days["day"] < pd.Timestamp(until).normalize()]


def _every_kind(table: pd.DataFrame, per: str | None) -> pd.DataFrame:
    """A row for each kind that can be, also where there is none; unattributed orders only where there are such."""
    wanted = pd.MultiIndex.from_product([KINDS[:3], [False, True]], names=["kind", "referred"]).to_frame(index=False)
    if per:
        wanted = table[["period_start"]].drop_duplicates().merge(wanted, how="cross")
    keys = list(wanted.columns)
    table = wanted.merge(table, on=keys, how="outer")
    table[SUMS] = table[SUMS].fillna(0)
    table["position"] = table["kind"].map(KINDS.index)
    order = (["period_start"] if per else []) + ["position", "referred"]
    return table.sort_values(order, ignore_index=True).drop(columns="position")


def _per_customer(process: Process, since: Any, until: Any) -> pd.DataFrame:
    """Per customer of the period their orders and money, and what of it is repeat: numbers only."""
    orders = orders_with_customers(process)
    if since is not None:
        orders = orders.filter(nw.col("day") >= pd.Timestamp(since).normalize().to_pydatetime())
    if until is not None:
        orders = orders.filter(nw.col("day") < pd.Timestamp(until).normalize().to_pydatetime())
    first = is_first()
    orders = orders.with_columns(repeat_count=nw.when(first).then(nw.lit(0)).otherwise(nw.lit(1)),
                                 repeat_amount=nw.when(first).then(nw.lit(0.0)).otherwise(nw.col("amount")))
    totals = orders.group_by("customer_id").agg(
        nw.len().alias("orders_count"), nw.col("repeat_count").sum(), nw.col("amount").sum(), nw.col("repeat_amount").sum())
    # Customers who are alike are counted, not listed.
    sums = ["orders_count", "repeat_count", "amount", "repeat_amount"]
    alike = collect(totals.group_by(*sums).agg(nw.len().alias("customers_count"))).sort_values(sums)
    return alike.loc[alike.index.repeat(alike["customers_count"].astype(int)), sums]
