"""The margin that new customers have brought by each month since their first order, in money of the day of that order."""

from __future__ import annotations

from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, flag
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.loyalty.holdout import standard_error
from funnel_lib.loyalty.mean_curve import mean_curve, month_of_age, months_seen
from funnel_lib.loyalty.purchases import DAY, days_of_new_customers, last_day
from funnel_lib.rates import ratio

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
    with limits, `observed_orders`. Means and limits as in `mean_curve`.
    """
    days = days_of_new_customers(process)
    days = days.with_columns(seen=months_seen(nw.col("first_day"), last_day(process) + DAY, days))
    people = days.select("customer_id", "seen").unique()
    curve = mean_curve(people, _discounted(process, days), horizon_months, beside=("visits",))
    amounts = {f"observed_value{side}_amount": curve[name] / process.minor_units
               for name, side in (("mean", ""), ("low", "_low"), ("high", "_high"))}
    return pd.DataFrame({"since_first_months": curve.index, "customers_count": curve["customers_count"], **amounts,
                         "observed_orders": curve["visits"]})


def _discounted(process: Process, days: nw.LazyFrame) -> nw.LazyFrame:
    """One row per customer and day with the month of age, the margin discounted to the first day, and the repeat visit."""
    rate = np.log1p(process.settings.discount_rate_per_year)
    days = days.with_columns(age=month_of_age(nw.col("first_day"), nw.col("day"), days),
                             visits=flag(nw.col("day") > nw.col("first_day")) * nw.col("is_visit"))
    years = nw.when(nw.col("age") > 0).then((nw.col("age") - 0.5) / YEAR_MONTHS).otherwise(nw.lit(0.0))
    return days.with_columns(value=nw.col("margin") * (years * -rate).exp())


def margins(process: Process) -> Margins:
    """What the value of a new customer is made of, beside the number of orders.

    Raises `MeasureError` where the margin of an order is not known. Source of the second variance: Cochran 1977 (ratio estimator).
    """
    row = collect(_sums(process)).iloc[0]
    if row["unknown_count"]:
        raise MeasureError(message("{process}: needs the margin of every order, and {count:.0f} have none; give it in the table "
                                   "'orders' or say margin_share", process=process.name, count=row["unknown_count"]))
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
