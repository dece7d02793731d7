"""Who is late: customers silent for longer than they usually are, and the money at stake."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import median_gap_days, money_rows, paid_orders
from funnel_lib.engine import collect, left_join
from funnel_lib.loyalty.rhythm import usual_gap_days
from funnel_lib.periods import elapsed_days
from funnel_lib.rates import ratio

YEAR_DAYS = 365
DAY = pd.Timedelta(days=1)
COLUMNS = ["customer_id", "silence_days", "usual_gap_days", "lateness", "yearly_amount", "orders_count", "is_late"]


def lateness(process: Process) -> pd.DataFrame:
    """Every customer by how long they have been silent against their own rhythm, the most money at stake first.

    One row is a customer. Columns: `customer_id`, `silence_days` from the last order to `as_of`,
    `usual_gap_days` (between the customer's own median gap and that of the process), `lateness` (silence / usual gap; 1 is
    on time), `yearly_amount` (paid in the 365 days up to the last order, refunds taken off), `orders_count`, `is_late`
    (lateness above `lapse_factor`). Where nobody came twice there is no rhythm, and `lateness` is missing.
    Raises `MeasureError` where there are no orders.
    """
    as_of = process.needs_as_of()
    orders = paid_orders(process)
    last = orders.group_by("customer_id").agg(nw.col("ordered_at").max().alias("last_at"),
                                                nw.len().alias("orders_count"))
    money = left_join(money_rows(process).select("customer_id", "ordered_at", "amount"), last, "customer_id")
    yearly = money.filter((elapsed_days(nw.col("ordered_at"), nw.col("last_at"), money) < YEAR_DAYS).fill_null(False))
    yearly = yearly.group_by("customer_id").agg(nw.col("amount").sum().alias("yearly_amount"))
    table = collect(left_join(last, yearly, "customer_id"))
    table = table.merge(_own_gaps(orders), on="customer_id", how="left").fillna({"own_count": 0})
    table["silence_days"] = (as_of - table["last_at"]) / DAY
    table["usual_gap_days"] = usual_gap_days(table["own_median"], table["own_count"], median_gap_days(process))
    table["lateness"] = ratio(table["silence_days"], table["usual_gap_days"])
    table["is_late"] = table["lateness"] > process.settings.lapse_factor
    table["yearly_amount"] = table["yearly_amount"] / process.minor_units
    table = table.sort_values(["is_late", "yearly_amount", "customer_id"], ascending=[False, False, True])
    return process.tidy(table.astype({"orders_count": int})[COLUMNS])


def _own_gaps(orders: nw.LazyFrame) -> pd.DataFrame:
    """Median and number of each repeater's gaps."""
    gaps = orders.filter((nw.col("gap_days") > 0).fill_null(False))
    return collect(gaps.group_by("customer_id").agg(nw.col("gap_days").median().alias("own_median"),
                                                    nw.len().alias("own_count")))
