"""New customers and their margin by the channel of the lead that brought them."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import customers, money_rows, new_customers, paid_orders
from funnel_lib.engine import collect
from funnel_lib.lead_flow.costs import month_number
from funnel_lib.periods import DAYS_PER_MONTH, elapsed_days
from funnel_lib.rates import ratio

HORIZON_MONTHS = 12
LATELY_DAYS = 365
DAY = pd.Timedelta(days=1)


def customer_counts(process: Process) -> pd.DataFrame:
    """New customers per channel, each once; who is one: `funnel_lib.customers.new_customers`.

    One row is a channel. Columns: `channel`, `customers_count`. A customer belongs to the lead that closed the first order,
    else to the earliest one. Customers without a lead have the channel of their order, else "(unattributed)".
    """
    if not (process.has("orders") or process.has("leads")):
        return pd.DataFrame({"channel": [], "customers_count": []})
    return collect(new_customers(process).group_by("channel").agg(nw.len().alias("customers_count")))


def lately_per_month(process: Process) -> tuple[float, int, float]:
    """New customers per month of the last 365 days (or of the shorter time observed), their number, and those days.

    By the day of the first order; where there are no orders, of the win. NaN where nothing can be counted.
    """
    end = process.needs_as_of()
    days = min(LATELY_DAYS, (end - process.observed_from) / DAY)
    lately = new_customers(process).filter((elapsed_days(nw.col("began_at"), end) <= days).fill_null(False))
    count = int(collect(lately.select(nw.len().alias("customers_count")))["customers_count"].iloc[0])
    return float(ratio(count, days)) * DAYS_PER_MONTH, count, days


def first_order_amount(process: Process) -> float:
    """Mean first order, in major units, of customers not known from before; NaN where there are none."""
    if not process.has("orders"):
        return float("nan")
    people = customers(process).filter(nw.col("is_older") == 0).select("customer_id")
    first = paid_orders(process).filter(nw.col("gap_days").is_null()).join(people, on="customer_id", how="semi")
    totals = collect(first.select(nw.col("amount").sum(), orders_count=nw.len()))
    if not totals["orders_count"].iloc[0]:
        return float("nan")
    return float(ratio(totals["amount"].iloc[0], totals["orders_count"].iloc[0])) / process.minor_units


def margins(process: Process, on: str = "margin") -> pd.DataFrame:
    """What the customers of each channel's leads brought within 12 months of the lead's creation.

    One row is a channel × creation month. Columns: `channel`, `month` (year × 12 + month − 1), `margin` in whole minor units
    (refunds taken off; with `on="revenue"` the amount), `unknown_count` (orders whose margin is not known), `people_count`
    (new customers whose leads these are).
    """
    new = new_customers(process).filter(~nw.col("lead_created_at").is_null()).with_columns(
        month=month_number(nw.col("lead_created_at")))
    value = "margin" if on == "margin" else "amount"
    money = money_rows(process).select("customer_id", "ordered_at", value=nw.col(value))
    money = money.join(new, on="customer_id", how="inner")
    age = elapsed_days(nw.col("lead_created_at"), nw.col("ordered_at"))
    money = money.filter(age < HORIZON_MONTHS * DAYS_PER_MONTH).with_columns(
        margin=nw.col("value").fill_null(0.0),
        unknown_count=nw.when(nw.col("value").is_null()).then(nw.lit(1)).otherwise(nw.lit(0)))
    sums = collect(money.group_by("channel", "month").agg(nw.col("margin").sum(), nw.col("unknown_count").sum()))
    people = collect(new.group_by("channel", "month").agg(nw.len().alias("people_count")))
    return people.merge(sums, on=["channel", "month"], how="left").fillna({"margin": 0.0, "unknown_count": 0})
