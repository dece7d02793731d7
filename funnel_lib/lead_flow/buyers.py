"""New customers and their margin by the channel of the lead that brought them."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import customers, money_rows, new_customers, paid_orders
from funnel_lib.engine import collect, kept
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
    people = new_customers(process)
    lately = people.filter((elapsed_days(nw.col("began_at"), end, people) <= days).fill_null(False))
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
    new, money = led_customers(process), _led_money(process, on, HORIZON_MONTHS)
    sums = collect(money.group_by("channel", "month").agg(nw.col("margin").sum(), nw.col("unknown_count").sum()))
    people = collect(new.group_by("channel", "month").agg(nw.len().alias("people_count")))
    return people.merge(sums, on=["channel", "month"], how="left").fillna({"margin": 0.0, "unknown_count": 0})


def margins_by_age(process: Process, on: str, horizon_months: int) -> nw.LazyFrame:
    """One row per new customer with a lead × month of the lead's age at the order, up to the horizon.

    Columns: `customer_id`, `channel`, `month` of creation (year × 12 + month − 1), `age` (whole months of 30.4375 days; what
    was ordered before the lead has age 0), `margin` and `unknown_count` as in `margins`.
    """
    return process.remembered(("margins_by_age", on, horizon_months), lambda: kept(
        _led_money(process, on, horizon_months).group_by("customer_id", "channel", "month", "age").agg(
            nw.col("margin").sum(), nw.col("unknown_count").sum())))


def led_customers(process: Process) -> nw.LazyFrame:
    """New customers who came by a lead, with the month in which it was created."""
    return new_customers(process).filter(~nw.col("lead_created_at").is_null()).with_columns(
        month=month_number(nw.col("lead_created_at")))


def _led_money(process: Process, on: str, horizon_months: int) -> nw.LazyFrame:
    """Orders and refunds of those customers within the horizon, each with the whole months since the lead was created."""
    money = money_rows(process).select("customer_id", "ordered_at", value=nw.col("margin" if on == "margin" else "amount"))
    money = money.join(led_customers(process), on="customer_id", how="inner")
    days = elapsed_days(nw.col("lead_created_at"), nw.col("ordered_at"), money)
    age = (days / DAYS_PER_MONTH).floor()
    return money.filter(days < horizon_months * DAYS_PER_MONTH).with_columns(
        age=nw.when(age < 0).then(nw.lit(0.0)).otherwise(age), margin=nw.col("value").fill_null(0.0),
        unknown_count=nw.when(nw.col("value").is_null()).then(nw.lit(1)).otherwise(nw.lit(0)))
