"""Payback: by which month of their age new clients have earned back what it cost to win them."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import money_rows, new_customers
from funnel_lib.loyalty.costs import costs_if_known
from funnel_lib.loyalty.earned import needs_margins
from funnel_lib.loyalty.mean_curve import mean_curve, month_of_age, months_seen
from funnel_lib.rates import FEW, is_few

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
    jump where the young ones drop out, and uses what is known of all. Limits (`mean_curve`) are missing under two customers and
    where all are alike; there `perhaps_paid_back` is `paid_back`, and nothing is sure. The cost is taken as known.
    Raises `MeasureError` where there are no orders or an order's margin is not known. Source: Nelson 1988 (mean cumulative
    function); Lawless and Nadeau 1995 (its variance).
    """
    needs_margins(process)
    people = new_customers(process)
    people = people.with_columns(seen=months_seen(nw.col("began_at"), process.needs_as_of(), people))
    curve = mean_curve(people, _margins(process, people), MOST_MONTHS)
    count = curve["customers_count"]
    curve = curve[count >= min(FEW, count.max())] if len(curve) else curve
    costs = costs_if_known(process)
    table = pd.DataFrame({
        "age_months": curve.index, "customers_count": curve["customers_count"].astype(int),
        **{f"margin_per_customer{side}_amount": curve[name] / process.minor_units
           for name, side in (("mean", ""), ("low", "_low"), ("high", "_high"))},
        "cac_amount": np.nan if costs is None else costs.cac_amount, "few": is_few(curve["customers_count"])})
    table["paid_back"] = table["margin_per_customer_amount"] >= table["cac_amount"]
    without_limits = table["margin_per_customer_high_amount"].isna()
    table["perhaps_paid_back"] = (table["margin_per_customer_high_amount"] >= table["cac_amount"]) | (
        without_limits & table["paid_back"])
    table["surely_paid_back"] = table["margin_per_customer_low_amount"] >= table["cac_amount"]
    return process.tidy(table[COLUMNS])


def _margins(process: Process, people: nw.LazyFrame) -> nw.LazyFrame:
    """One row per order or refund of a new customer: its margin in minor units and the month of age."""
    money = money_rows(process).select("customer_id", "ordered_at", "margin").join(
        people.select("customer_id", "began_at", "seen"), on="customer_id", how="inner")
    return money.with_columns(age=month_of_age(nw.col("began_at"), nw.col("ordered_at"), money), value=nw.col("margin"))
