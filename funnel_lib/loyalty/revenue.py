"""Revenue retention: what the customers of two years ago and more paid this year against the year before."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import customers
from funnel_lib.engine import collect, flag, kept, left_join
from funnel_lib.loyalty.retention import customer_orders, customer_refunds
from funnel_lib.rates import error_of_ratio, interval_of_share, limits_of_ratio, ratio

YEAR = pd.Timedelta(days=365)
OBSERVED_MONTHS = 24
SHORT_RECORDS, NO_OLDER_CUSTOMERS, NOTHING_PAID = "short_records", "no_older_customers", "nothing_paid"
BEFORE, JOINED, NEW = "before", "joined", "new"
FIGURES = ("nrr", "nrr_low_share", "nrr_high_share", "grr", "grr_low_share", "grr_high_share", "largest_customer_share")


@dataclass(frozen=True)
class RevenueRetention:
    """Net and gross revenue retention of the customers who began before the base year, with 95 % limits.

    This year are the 365 days before `as_of`, the base year the 365 before them. `nrr` = their amount this year / in the base
    year, `grr` the same with each customer capped at their own base year, so never above 1 or `nrr`; refunds taken off.
    `customers_count` customers, of whom `buyers_count` ordered in the base year and `lost_count` of these not since;
    `base_year_amount` and `this_year_amount` are theirs, `largest_customer_share` is the part of the largest of them in the base
    year.
    `joined_count` customers began in the base year and paid `joined_amount` this year: they are in neither figure, since their
    base year was no whole one. A customer began on the day of the first order, or on an earlier day that the list of customers
    names. `reason` says why the figures are missing, '' where they are not.
    """

    nrr: float
    nrr_low_share: float
    nrr_high_share: float
    grr: float
    grr_low_share: float
    grr_high_share: float
    customers_count: int
    buyers_count: int
    lost_count: int
    base_year_amount: float
    this_year_amount: float
    largest_customer_share: float
    joined_count: int
    joined_amount: float
    reason: str


def revenue_retention(process: Process) -> RevenueRetention:
    """How much of last year's revenue from old customers came again this year, with and without the growth of those who stayed.

    Not shown (NaN and a `reason`) under 24 observed months (`short_records`), where no customer began before the base year
    (`no_older_customers`) or where refunds left nothing of the base year (`nothing_paid`). Customers known from before the
    records, of whom the list names no day, began before the base year. The limits take the customer for what varies.
    Raises `MeasureError` where there are no orders. Source: ratio estimator, Cochran 1977; limits of `grr` by Wilson's form.
    """
    as_of = process.needs_as_of()
    people = kept(_two_years_of_all(process, as_of - 2 * YEAR, as_of - YEAR))
    sums = _sums(people)
    old, joined = sums.loc[BEFORE], sums.loc[JOINED]
    reason = _reason(process, as_of, old)
    figures = dict.fromkeys(FIGURES, np.nan) if reason else _figures(people, old)
    counts = {name: int(old[name]) for name in ("customers_count", "buyers_count", "lost_count")}
    last, this, of_joined = (float(amount) / process.minor_units for amount in (old["last"], old["this"], joined["this"]))
    return RevenueRetention(**figures, **counts, base_year_amount=last, this_year_amount=this, joined_amount=of_joined,
                            joined_count=int(joined["customers_count"]), reason=reason)


def _reason(process: Process, as_of: pd.Timestamp, old: pd.Series) -> str:
    if process.observed_from is None or process.observed_from + pd.DateOffset(months=OBSERVED_MONTHS) > as_of:
        return SHORT_RECORDS
    if not old["customers_count"]:
        return NO_OLDER_CUSTOMERS
    return "" if old["last"] > 0 else NOTHING_PAID


def _figures(people: nw.LazyFrame, old: pd.Series) -> dict[str, float]:
    """The two ratios with their limits, the customer as cluster."""
    last, size = old["last"], old["customers_count"]
    nrr, grr = (float(ratio(old[name], last)) for name in ("this", "kept"))
    off = {name: nw.col(name) - nw.col("last") * share for name, share in (("this", nrr), ("kept", grr))}
    squares = collect(people.filter(nw.col("began") == BEFORE).select(
        **{name: (residual * residual).sum() for name, residual in off.items()})).iloc[0]
    errors = {name: float(error_of_ratio(squares[name], last, size)) for name in off}
    low, high = limits_of_ratio(nrr, errors["this"], size)
    # Refunds above purchases can take the kept part below nothing, where Wilson's form has no meaning.
    wilson = grr >= 0 and not np.isnan(errors["kept"])
    grr_low, grr_high = (interval_of_share if wilson else limits_of_ratio)(grr, errors["kept"], size)
    return dict(zip(FIGURES, map(float, (nrr, low, high, grr, grr_low, grr_high, ratio(old["largest"], last))), strict=True))


def _two_years_of_all(process: Process, base_start: pd.Timestamp, this_start: pd.Timestamp) -> nw.LazyFrame:
    """One row per customer: when they `began`, what they paid in the base year and this year, and the smaller of the two."""
    people = _with_beginning(process, base_start, this_start)
    people = left_join(people, _two_years(process, base_start, this_start), "customer_id")
    people = people.with_columns(*[nw.col(name).fill_null(0) for name in ("last", "this", "last_orders", "this_orders")])
    bought = nw.col("last_orders") > 0
    return people.with_columns(kept=nw.when(nw.col("this") < nw.col("last")).then(nw.col("this")).otherwise(nw.col("last")),
                               largest=nw.col("last"), buyers_count=flag(bought),
                               lost_count=flag(bought & (nw.col("this_orders") == 0)))


def _sums(people: nw.LazyFrame) -> pd.DataFrame:
    """The sums over those who began before the base year, in it, and since; amounts in minor units."""
    sums = people.group_by("began").agg(nw.len().alias("customers_count"), nw.col("largest").max(), *[
        nw.col(name).sum() for name in ("last", "this", "kept", "buyers_count", "lost_count")])
    return collect(sums).set_index("began").reindex([BEFORE, JOINED, NEW], fill_value=0.0)


def _with_beginning(process: Process, base_start: pd.Timestamp, this_start: pd.Timestamp) -> nw.LazyFrame:
    people = customers(process).select("customer_id", "first_order_at", "is_older")
    known_at = nw.lit(None, dtype=nw.Datetime("us"))
    if process.has("customers"):
        people, known_at = left_join(people, process.known_customers(), "customer_id"), nw.col("known_at")
    # The list may name a day within the base year itself, or since.
    people = people.with_columns(_known_at=nw.when(nw.col("is_older") == 1).then(known_at))
    listed = ~nw.col("_known_at").is_null()
    people = people.with_columns(_at=nw.when(listed).then(nw.col("_known_at")).otherwise(nw.col("first_order_at")))
    before = ((nw.col("is_older") == 1) & ~listed) | (nw.col("_at") < base_start.to_pydatetime())
    joined = nw.col("_at") < this_start.to_pydatetime()
    began = nw.when(before).then(nw.lit(BEFORE)).otherwise(nw.when(joined).then(nw.lit(JOINED)).otherwise(nw.lit(NEW)))
    return people.with_columns(began=began).select("customer_id", "began")


def _two_years(process: Process, base_start: pd.Timestamp, this_start: pd.Timestamp) -> nw.LazyFrame:
    """Per customer the amount and the number of orders of the base year (`last`) and of this year."""
    rows = nw.concat([customer_orders(process).drop("gap_days"), customer_refunds(process)])
    rows = rows.filter(nw.col("ordered_at") >= base_start.to_pydatetime())
    is_last = nw.col("ordered_at") < this_start.to_pydatetime()
    is_order = nw.col("amount") > 0
    rows = rows.with_columns(
        last=nw.when(is_last).then(nw.col("amount")).otherwise(0.0), this=nw.when(is_last).then(0.0).otherwise(nw.col("amount")),
        last_orders=flag(is_last & is_order), this_orders=flag(~is_last & is_order))
    return rows.group_by("customer_id").agg(*[nw.col(name).sum() for name in ("last", "this", "last_orders", "this_orders")])
