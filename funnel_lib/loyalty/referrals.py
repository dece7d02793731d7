"""Customers who come by recommendation."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import ORIGINS, REFERRED, customers, money_rows, paid_orders
from funnel_lib.engine import collect, left_join
from funnel_lib.periods import days_between
from funnel_lib.rates import error_of_ratio, interval_of_share, rate, ratio

YEAR_DAYS = 365


@dataclass(frozen=True)
class ReferralCoefficient:
    """How many new customers one active customer brought by recommendation in the last 365 days, or since records began."""

    referrals_per_customer: float
    referred_count: int
    active_count: int
    window_days: float


def referral_share(process: Process) -> pd.DataFrame:
    """Where new customers came from: a recommendation, another channel, or nobody knows.

    One row is an `origin` (referred, other, unknown: the channel is missing). Columns: `customers_count`,
    `customers_share` of all new customers with Wilson limits, `amount` (all that they paid so far, refunds taken off),
    `amount_share` with limits that take the customer as the unit (missing where all together paid nothing),
    `perhaps_older_count`. New customers are those whose first order was observed. A customer is referred if
    the lead of the first order names another customer as recommender or came through a referral channel.
    Raises `MeasureError` where there are no orders. Source: Wilson 1927; Cochran 1977 (ratio estimator).
    """
    people = customers(process).filter(nw.col("is_older") == 0)
    known = money_rows(process).filter(~nw.col("customer_id").is_null())
    totals = known.group_by("customer_id").agg(nw.col("amount").sum()).with_columns(square=nw.col("amount") * nw.col("amount"))
    grouped = left_join(people, totals, "customer_id").group_by("origin").agg(
        nw.len().alias("customers_count"), nw.col("amount", "square").sum(),
        nw.col("is_perhaps_older").sum().alias("perhaps_older_count"))
    table = collect(grouped).set_index("origin").reindex(list(ORIGINS), fill_value=0)
    table = table.rename_axis("origin").reset_index()
    money, money_low, money_high = _share_of_amount(table)
    table["amount"] = table["amount"] / process.minor_units
    share, low, high, *_ = rate(table["customers_count"], table["customers_count"].sum())
    table = table.assign(customers_share=share, customers_low_share=low, customers_high_share=high,
                         amount_share=money, amount_low_share=money_low, amount_high_share=money_high)
    table = table.astype({"customers_count": int, "perhaps_older_count": int})
    return process.tidy(table[["origin", "customers_count", "customers_share", "customers_low_share",
                               "customers_high_share", "amount", "amount_share", "amount_low_share", "amount_high_share",
                               "perhaps_older_count"]])


def _share_of_amount(table: pd.DataFrame) -> tuple:
    """Each origin's share of the amount with limits, the customer as cluster."""
    size, total = table["customers_count"].sum(), max(table["amount"].sum(), 0.0)
    share = np.asarray(ratio(table["amount"], total))
    # Σ (own − share × whole)² over customers, of whom those of another origin have nothing of their own.
    squares = np.maximum((1 - 2 * share) * table["square"] + share**2 * table["square"].sum(), 0)
    return share, *interval_of_share(np.clip(share, 0, 1), error_of_ratio(squares, total, size), size)


def referral_coefficient(process: Process) -> ReferralCoefficient:
    """k: new customers of the last 365 days who were referred / customers active in those days.

    Referred are also those who came through a referral channel and name nobody: they were recommended, though it is not known by
    whom. So k says how many come by recommendation, and `referral_summary` by whom. A ratio of two totals, without limits.
    A frozen dataclass: `referrals_per_customer`, `referred_count`, `active_count`, and `window_days`: 365, or less where less was
    observed.
    """
    end = process.needs_as_of()
    start = (end - pd.Timedelta(days=YEAR_DAYS)).to_pydatetime()
    observed = YEAR_DAYS if process.observed_from is None else days_between(process.observed_from, end)
    new = customers(process).filter((nw.col("is_older") == 0) & (nw.col("origin") == REFERRED)
                                    & (nw.col("first_order_at") >= start))
    active = paid_orders(process).filter(nw.col("ordered_at") >= start).select("customer_id").unique()
    referred = int(collect(new.select(nw.len().alias("n")))["n"].iloc[0])
    count = int(collect(active.select(nw.len().alias("n")))["n"].iloc[0])
    return ReferralCoefficient(ratio(referred, count), referred, count, float(min(observed, YEAR_DAYS)))
