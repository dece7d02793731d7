"""What a customer has brought on average by each month of age, where not all could be followed for as long."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.engine import collect
from funnel_lib.periods import DAYS_PER_MONTH, elapsed_days
from funnel_lib.rates import Z_95, ratio

# Less than this part of the squares is what rounding leaves of customers who are all alike.
ROUNDING = 1e-9


def months_seen(start: nw.Expr, until: pd.Timestamp, frame: nw.LazyFrame) -> nw.Expr:
    """For how many whole months (of 30.4375 days) somebody was followed."""
    return (elapsed_days(start, until, frame) / DAYS_PER_MONTH).floor()


def month_of_age(start: nw.Expr, moment: nw.Expr, frame: nw.LazyFrame) -> nw.Expr:
    """0 on the day on which somebody began (or before it), then 1 for the first month, 2 for the second …"""
    on_first_day = moment.dt.truncate("1d") <= start.dt.truncate("1d")
    later = (elapsed_days(start, moment, frame) / DAYS_PER_MONTH).floor() + 1
    return nw.when(on_first_day).then(nw.lit(0.0)).otherwise(later)


def mean_curve(people: nw.LazyFrame, rows: nw.LazyFrame, most: int, beside: tuple[str, ...] = ()) -> pd.DataFrame:
    """The mean of a value by each month of age, with limits.

    `people` has one row per customer (`customer_id`, `seen`: whole months followed), `rows` any number of rows per customer
    (`customer_id`, `seen`, `age` in months, `value`, the columns `beside`). One row of the result is a month of age, 0 to the
    longest that anybody was followed, at most `most`. Columns: `customers_count` followed at least so long; `mean` by then with
    95 % limits `low` and `high`; of the columns `beside` the mean by then.

    Each month's mean is taken over all who were followed to its end, and the means are added up: so the curve does not jump
    where the young ones drop out, and uses what is known of all. The variance is the robust one, Σ A² over customers with
    A = Σ (value of the month − its mean) / customers followed to its end, over the months for which the customer was followed;
    × n / (n − 1) with n the customers followed to the end of the last month, so that of customers all followed for as long it is
    the usual variance of a mean. No limits for fewer than two customers, or for customers who are all alike: these do not
    show how much others would differ.
    Source: Nelson 1988 (mean cumulative function); Lawless and Nadeau 1995 (robust variance).
    """
    by_seen = _customers_by_seen(people, most)
    count = np.cumsum(by_seen[::-1])[::-1]
    months = np.flatnonzero(count)
    if not len(months):
        return pd.DataFrame(columns=["customers_count", "mean", "low", "high", *beside], dtype=float)
    size, by_seen = count[months], by_seen[months]
    # In parts of all customers, so that whole numbers stay whole where all were followed for as long.
    weight = np.asarray(ratio(size[0], size))
    cells = collect(_by_seen_and_age(rows, weight, beside))
    value, square, *others = (_grid(cells, name, len(months)) for name in ("value", "square", *beside))
    mean, *means = (np.cumsum(ratio(grid.sum(axis=0), size)) for grid in (value, *others))
    error = _error(by_seen, size, weight, value, square)
    return pd.DataFrame({"customers_count": size.astype(int), "mean": mean, "low": mean - Z_95 * error, "high": mean + Z_95 * error,
                         **dict(zip(beside, means, strict=True))})


def _customers_by_seen(people: nw.LazyFrame, most: int) -> np.ndarray:
    """Customers per whole months for which they were followed, longer ones among those of `most`."""
    counted = collect(people.group_by("seen").agg(nw.len().alias("customers")))
    return np.bincount(counted["seen"].clip(upper=most).astype(int), counted["customers"], minlength=most + 1)


def _by_seen_and_age(rows: nw.LazyFrame, weight: np.ndarray, beside: tuple[str, ...]) -> nw.LazyFrame:
    """Sums by months followed and month of age, and the growth of each customer's squared sum of weighted values."""
    last = len(weight) - 1
    seen = nw.when(nw.col("seen") > last).then(nw.lit(float(last))).otherwise(nw.col("seen"))
    rows = rows.with_columns(seen=seen).filter(nw.col("age") <= nw.col("seen"))
    own = rows.group_by("customer_id", "seen", "age").agg(nw.col("value", *beside).sum())
    own = own.with_columns(_part=nw.col("value") * _by_age(weight, 0))
    own = own.with_columns(_by_then=nw.col("_part").cum_sum().over("customer_id", order_by="age"))
    # (before + part)² − before²: added up over ages it is the square of the sum by then.
    own = own.with_columns(square=nw.col("_part") * (2 * nw.col("_by_then") - nw.col("_part")))
    return own.group_by("seen", "age").agg(nw.col("value", "square", *beside).sum())


def _by_age(numbers: np.ndarray, first: int) -> nw.Expr:
    """The number of each row's `age`; halved again and again, since a chain of all ages would be deep."""
    if len(numbers) == 1:
        return nw.lit(float(numbers[0]))
    half = len(numbers) // 2
    return nw.when(nw.col("age") < first + half).then(_by_age(numbers[:half], first)).otherwise(
        _by_age(numbers[half:], first + half))


def _grid(cells: pd.DataFrame, name: str, length: int) -> np.ndarray:
    """Months followed × month of age, zeros where there is nothing."""
    grid = np.zeros((length, length))
    grid[cells["seen"].astype(int), cells["age"].astype(int)] = cells[name]
    return grid


def _error(by_seen: np.ndarray, size: np.ndarray, weight: np.ndarray, value: np.ndarray, square: np.ndarray) -> np.ndarray:
    """Standard error by month: of each customer Z − B, the weighted sum of what they brought less that of the months' means.

    B is the same for all who were followed for as long, so Σ (Z − B)² = Σ Z² − 2 B Σ Z + B² × customers for each of them.
    """
    followed = np.tril(np.ones_like(value))
    brought = np.cumsum(value * weight, axis=1)
    means = np.cumsum(followed * (weight * ratio(value.sum(axis=0), size)), axis=1)
    whole = np.cumsum(square, axis=1).sum(axis=0)
    squares = whole + (means * (by_seen[:, None] * means - 2 * brought)).sum(axis=0)
    squares = np.where(squares > ROUNDING * whole, squares, np.nan)
    return np.asarray(ratio(np.sqrt(ratio(size, np.where(size > 1, size - 1, np.nan)) * squares), size[0]))
