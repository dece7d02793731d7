"""The margin that new customers have brought by each month since their first order, in money of the day of that order."""

from __future__ import annotations

from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, flag
from funnel_lib.errors import MeasureError
from funnel_lib.loyalty.holdout import standard_error
from funnel_lib.loyalty.purchases import DAY, days_of_new_customers, last_day
from funnel_lib.periods import DAYS_PER_MONTH, elapsed_days
from funnel_lib.rates import Z_95, ratio

YEAR_MONTHS = 12


class Margins(NamedTuple):
    """Means over new customers with the variances of these means: the margin of the first order, and the margin of later orders as
    a share of their amount (refunds taken off the margins); the largest share of all margin that is one customer's."""

    first_amount: float
    first_variance: float
    repeat_share: float
    repeat_variance: float
    largest_margin_share: float


def discounts(months: np.ndarray, rate_per_year: float) -> np.ndarray:
    """What one unit of money of each month is worth on the day of the first order; month 0 is that day, the others their middle."""
    return (1 + rate_per_year) ** -(np.maximum(np.asarray(months) - 0.5, 0) / YEAR_MONTHS)


def observed_values(process: Process, horizon_months: int) -> pd.DataFrame:
    """Per month since the first order: the discounted margin per customer by then, refunds taken off, and the repeat visits.

    Columns: `since_first_months` (0 is the day of the first visit), `customers_count` at least that old, `observed_value_amount`
    with limits, `observed_orders`. Each month's mean is that of the customers at least that old, and the means are added up, so
    that the curve does not jump where the young ones drop out; limits: the spread of what the customers at least that old had
    brought by then. Source: Nelson 1988 (mean cumulative function).
    """
    cells = _cells(process, horizon_months)
    months = np.arange(min(horizon_months, int(cells["seen"].max())) + 1)
    size = _seen_for(cells.assign(first=cells["customers_count"].where(cells["month"] == 0, 0)), "first", months)[:, 0]
    value, squares, visits = (_seen_for(cells, name, months) for name in ("value", "squares", "visits"))
    mean, orders = (np.cumsum(ratio(np.diag(grid), size)) for grid in (value, visits))
    half = Z_95 * standard_error(size, *(np.diag(grid.cumsum(axis=1)) for grid in (value, squares)))
    table = pd.DataFrame({"since_first_months": months, "customers_count": size.astype(int), "observed_value_amount": mean,
                          "observed_value_low_amount": mean - half, "observed_value_high_amount": mean + half,
                          "observed_orders": orders})
    amounts = [name for name in table if name.endswith("_amount")]
    table[amounts] /= process.minor_units
    return table


def _cells(process: Process, horizon_months: int) -> pd.DataFrame:
    """Sums per whole months that customers could be `seen` for × `month` of age at the order.

    `squares` add up to the sum of the squares of what each customer had brought by the end of a month.
    """
    days = days_of_new_customers(process)
    rate = np.log1p(process.settings.discount_rate_per_year)
    later = nw.col("day") > nw.col("first_day")
    month = (elapsed_days(nw.col("first_day"), nw.col("day"), days) / DAYS_PER_MONTH).floor() + 1
    days = days.with_columns(month=nw.when(later).then(month).otherwise(nw.lit(0.0)), visits=flag(later) * nw.col("is_visit"),
                             seen=(elapsed_days(nw.col("first_day"), last_day(process) + DAY, days) / DAYS_PER_MONTH).floor())
    days = days.filter(nw.col("month") <= horizon_months)
    years = nw.when(nw.col("month") > 0).then((nw.col("month") - 0.5) / YEAR_MONTHS).otherwise(nw.lit(0.0))
    days = days.with_columns(value=nw.col("margin") * (years * -rate).exp())
    people = days.group_by("customer_id", "seen", "month").agg(nw.col("value", "visits").sum())
    people = people.with_columns(_brought=nw.col("value").cum_sum().over("customer_id", order_by="month"))
    people = people.with_columns(squares=nw.col("value") * (2 * nw.col("_brought") - nw.col("value")))
    return collect(people.group_by("seen", "month").agg(
        nw.col("value", "squares", "visits").sum(), nw.len().alias("customers_count"))).sort_values(["seen", "month"])


def _seen_for(cells: pd.DataFrame, name: str, months: np.ndarray) -> np.ndarray:
    """Totals by month of age (columns) of the customers who could be seen for at least so many months (rows)."""
    grid = cells.pivot_table(index="seen", columns="month", values=name, aggfunc="sum").reindex(
        index=np.arange(cells["seen"].max() + 1), columns=np.arange(len(months)), fill_value=0.0).fillna(0.0).to_numpy()
    return np.flip(np.flip(grid, 0).cumsum(0), 0)[months]


def margins(process: Process) -> Margins:
    """What the value of a new customer is made of, beside the number of orders.

    Raises `MeasureError` where the margin of an order is not known. Source of the second variance: Cochran 1977 (ratio estimator).
    """
    row = collect(_sums(process)).iloc[0]
    if row["unknown_count"]:
        raise MeasureError(f"{process.name}: needs the margin of every order, and {row['unknown_count']:.0f} have none; give it "
                           "in the table 'orders' or say margin_share")
    size = row["customers_count"]
    first = float(ratio(row["first"], size))
    error = standard_error(*(np.array([row[name]]) for name in ("customers_count", "first", "first_squares")))[0]
    share = float(ratio(row["later"], row["paid"]))
    residual = row["later_squares"] - 2 * share * row["both"] + share**2 * row["paid_squares"]
    variance = float(ratio(max(residual, 0.0), row["paid"] ** 2)) * float(ratio(size, size - 1))
    largest = float(ratio(row["largest"], max(row["whole"], 0.0)))
    return Margins(first / process.minor_units, float(error / process.minor_units) ** 2, share, variance, largest)


def _sums(process: Process) -> nw.LazyFrame:
    def part(of_first: int, name: str) -> nw.Expr:
        return nw.when(nw.col("is_first") == of_first).then(nw.col(name)).otherwise(nw.lit(0.0))

    days = days_of_new_customers(process).with_columns(first=part(1, "margin"), later=part(0, "margin"), paid=part(0, "paid"))
    people = days.group_by("customer_id").agg(nw.col("first", "later", "paid", "unknown_count").sum())
    first, later, paid = (nw.col(name) for name in ("first", "later", "paid"))
    people = people.with_columns(first_squares=first**2, later_squares=later**2, paid_squares=paid**2, both=later * paid,
                                 whole=first + later, largest=first + later)
    return people.select(nw.len().alias("customers_count"), nw.col("largest").max(), nw.col(
        "first", "later", "paid", "unknown_count", "first_squares", "later_squares", "paid_squares", "both", "whole").sum())
