"""Customers who come by recommendation."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import ORIGINS, REFERRED, customers, money_rows, paid_orders
from funnel_lib.engine import collect, left_join
from funnel_lib.periods import days_between
from funnel_lib.rates import rate, ratio

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
    `amount_share`, `perhaps_older_count`. New customers are those whose first order was observed. A customer is referred if
    the lead of the first order names another customer as recommender or came through a referral channel.
    Raises `MeasureError` where there are no orders.
    """
    people = customers(process).filter(nw.col("is_older") == 0)
    known = money_rows(process).filter(~nw.col("customer_id").is_null())
    totals = known.group_by("customer_id").agg(nw.col("amount").sum())
    grouped = left_join(people, totals, "customer_id").group_by("origin").agg(
        nw.len().alias("customers_count"), nw.col("amount").sum(),
        nw.col("is_perhaps_older").sum().alias("perhaps_older_count"))
    table = collect(grouped).set_index("origin").reindex(list(ORIGINS), fill_value=0)
    table = table.rename_axis("origin").reset_index()
    table["amount"] = table["amount"] / process.minor_units
    share, low, high, *_ = rate(table["customers_count"], table["customers_count"].sum())
    table = table.assign(customers_share=share, customers_low_share=low, customers_high_share=high,
                         amount_share=ratio(table["amount"], table["amount"].sum()))
    table = table.astype({"customers_count": int, "perhaps_older_count": int})
    return process.tidy(table[["origin", "customers_count", "customers_share", "customers_low_share",
                               "customers_high_share", "amount", "amount_share", "perhaps_older_count"]])


def referral_coefficient(process: Process) -> ReferralCoefficient:
    """k: new customers of the last 365 days who were referred / customers active in those days.

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
