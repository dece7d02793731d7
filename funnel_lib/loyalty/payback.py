"""Payback: by which month of their age new clients have earned back what it cost to win them."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import money_rows, new_customers
from funnel_lib.engine import collect
from funnel_lib.loyalty.costs import costs_if_known
from funnel_lib.loyalty.earned import needs_margins
from funnel_lib.periods import DAYS_PER_MONTH, elapsed_days
from funnel_lib.rates import FEW, Z_95, is_few, ratio

MOST_MONTHS = 24
COLUMNS = ["age_months", "customers_count", "margin_per_customer_amount", "margin_per_customer_low_amount",
           "margin_per_customer_high_amount", "cac_amount", "paid_back", "perhaps_paid_back", "surely_paid_back", "few"]


def payback(process: Process) -> pd.DataFrame:
    """How the margin of a new client adds up with age, against the cost of winning one (CAC).

    One row is an age in months of 30.4375 days since the first order: 0 (the day of the first order alone) to 24, as far as at
    least 30 customers were followed (all of them, where there are fewer). Columns: `age_months`; `customers_count`: customers
    at least that old, perhaps older ones left out; `margin_per_customer_amount`: the margin by that age, refunds taken off, with
    its 95 % limits; `cac_amount` (`customer_costs`; missing where no cost is known); `paid_back` (margin ≥ CAC),
    `perhaps_paid_back` and `surely_paid_back` (the same of the upper and the lower limit); `few` (under 30 customers).

    Each month's margin is averaged over the customers at least that old, and the averages are added up: so the curve does not
    jump where the young ones drop out, and uses what is known of all. Limits: the spread of the margins of the customers at
    least that old, which is a little wider than need be; the cost is taken as known.
    Raises `MeasureError` where there are no orders or an order's margin is not known. Source: Nelson 1988 (mean cumulative
    function).
    """
    needs_margins(process)
    process.needs_as_of()
    count, added, total, square = _sums_by_age(process)
    ages = np.flatnonzero((count >= min(FEW, count[0])) & (count > 0))
    mean = np.cumsum(np.nan_to_num(ratio(added, count)))
    variance = np.maximum(ratio(square - count * ratio(total, count)**2, count - 1), 0)
    half = Z_95 * np.sqrt(ratio(variance, count))
    costs = costs_if_known(process)
    cac = np.nan if costs is None else costs.cac_amount
    table = pd.DataFrame({
        "age_months": ages, "customers_count": count[ages].astype(int), "margin_per_customer_amount": mean[ages],
        "margin_per_customer_low_amount": (mean - half)[ages], "margin_per_customer_high_amount": (mean + half)[ages],
        "cac_amount": cac, "few": is_few(count[ages])})
    for name, side in (("paid_back", ""), ("perhaps_paid_back", "_high"), ("surely_paid_back", "_low")):
        table[name] = table[f"margin_per_customer{side}_amount"] >= table["cac_amount"]
    return process.tidy(table[COLUMNS])


def _sums_by_age(process: Process) -> tuple[np.ndarray, ...]:
    """Per age 0 to 24, over the customers at least that old: their number, the margin of that month, the margin by then, and the
    sum of the squares of each one's margin by then; major units."""
    people = new_customers(process)
    months = elapsed_days(nw.col("began_at"), process.as_of, people) / DAYS_PER_MONTH
    seen = nw.when(months > MOST_MONTHS).then(nw.lit(float(MOST_MONTHS))).otherwise(months.floor())
    people = people.with_columns(seen=seen).select("customer_id", "began_at", "seen")
    followed = collect(people.group_by("seen").agg(nw.len().alias("people")))
    cells = collect(_by_seen_and_age(process, people))
    count = _at_least(_grid(followed.assign(age=0), "people")[:, 0])
    margin, square = _grid(cells, "margin") / process.minor_units, _grid(cells, "square")
    added = np.diag(np.cumsum(margin[::-1], axis=0)[::-1])
    total, squares = (np.diag(np.cumsum(np.cumsum(grid[::-1], axis=0)[::-1], axis=1)) for grid in (margin, square))
    return count, added, total, squares


def _by_seen_and_age(process: Process, people: nw.LazyFrame) -> nw.LazyFrame:
    """Margin (minor units) and growth of each customer's squared margin (major ones), by months observed and month of age."""
    money = money_rows(process).select("customer_id", "ordered_at", "day", "margin").join(people, on="customer_id", how="inner")
    days = elapsed_days(nw.col("began_at"), nw.col("ordered_at"), money)
    first = nw.col("day") <= nw.col("began_at").dt.truncate("1d")
    money = money.with_columns(age=nw.when(first).then(nw.lit(0.0)).otherwise((days / DAYS_PER_MONTH).floor() + 1))
    own = money.filter(nw.col("age") <= nw.col("seen")).group_by("customer_id", "seen", "age").agg(nw.col("margin").sum())
    own = own.with_columns(part=nw.col("margin") / process.minor_units)
    own = own.with_columns(by_then=nw.col("part").cum_sum().over("customer_id", order_by="age"))
    # (before + part)² − before²: added up over ages it is the square of the margin by then.
    own = own.with_columns(square=nw.col("part") * (2 * nw.col("by_then") - nw.col("part")))
    return own.group_by("seen", "age").agg(nw.col("margin", "square").sum())


def _grid(table: pd.DataFrame, name: str) -> np.ndarray:
    """Months observed × month of age, zeros where there is nothing."""
    grid = np.zeros((MOST_MONTHS + 1, MOST_MONTHS + 1))
    grid[table["seen"].astype(int), table["age"].astype(int)] = table[name]
    return grid


def _at_least(counts: np.ndarray) -> np.ndarray:
    """From customers per months observed to customers observed for at least so many."""
    return np.cumsum(counts[::-1])[::-1]
