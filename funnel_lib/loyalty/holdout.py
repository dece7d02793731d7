"""Whether the purchase model holds: fitted on the older part of the records, held against what came in the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.lifetime import expected_purchases, fit_bg_nbd
from funnel_lib.loyalty.purchases import DAY, WEEK_DAYS, histories, last_day
from funnel_lib.rates import Z_95, poisson_limits, ratio

# The rest is half of the time observed, at most a year: so the seasons even out.
MOST_WEEKS = 52
# Less time observed shows no rhythm that could be carried on for years.
LEAST_WEEKS_OBSERVED = 26
# Customers with more orders are one row: they are few.
MOST_ORDERS = 7
COLUMNS = ["calibration_orders_count", "customers_count", "expected_orders_count", "actual_orders_count", "expected_mean_orders",
           "actual_mean_orders", "actual_mean_low_orders", "actual_mean_high_orders", "holdout_weeks"]


def holdout(process: Process) -> pd.DataFrame:
    """The orders that the model expected of customers in the last part of the records, and those that came.

    The BG/NBD model is fitted on what was seen before the last `holdout_weeks` (half of the time since the first new customer, at
    most 52) and told nothing of these weeks. One row is the customers who had ordered again so often before them
    (`calibration_orders_count`; 7 stands for 7 or more). Columns: `customers_count`, `expected_orders_count` and
    `actual_orders_count` in the weeks held out, the same per customer (`expected_mean_orders`, `actual_mean_orders` with 95 %
    limits), `holdout_weeks`. Where all customers of a row ordered equally often, the limits are those of a Poisson count.
    Raises `MeasureError` where nobody came back before, fewer than 26 weeks were observed, or the model
    does not settle. Source: Fader, Hardie and Lee 2005.
    """
    weeks = holdout_weeks(process)
    end = last_day(process)
    table = histories(process, end - weeks * WEEK_DAYS * DAY, end)
    fit = settled(process, fit_bg_nbd, table)
    count, later = table["customers_count"], table["later_count"]
    table["expected"] = count * expected_purchases(fit, table["frequency"], table["recency"], table["age"], weeks)
    table["actual"], table["squares"] = count * later, count * later**2
    table["calibration_orders_count"] = table["frequency"].clip(upper=MOST_ORDERS)
    rows = table.groupby("calibration_orders_count", as_index=False)[["customers_count", "expected", "actual", "squares"]].sum()
    size = rows["customers_count"].to_numpy()
    mean = np.asarray(ratio(rows["actual"], size))
    low, high = _limits(size, rows["actual"].to_numpy(), rows["squares"].to_numpy())
    rows = rows.assign(expected_orders_count=rows["expected"], actual_orders_count=rows["actual"].astype(int),
                       expected_mean_orders=ratio(rows["expected"], size), actual_mean_orders=mean,
                       actual_mean_low_orders=low, actual_mean_high_orders=high, holdout_weeks=weeks)
    return process.tidy(rows[COLUMNS].astype({"calibration_orders_count": int, "customers_count": int}))


def _limits(size: np.ndarray, total: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, error = np.asarray(ratio(total, size)), standard_error(size, total, squares)
    counted = np.array([poisson_limits(count) for count in total]).reshape(-1, 2).T
    low, high = np.where(error == 0, ratio(counted, size), (mean - Z_95 * error, mean + Z_95 * error))
    return np.maximum(low, 0), high


def holdout_weeks(process: Process) -> int:
    """How many weeks are held out. Raises `MeasureError` where too little time was observed."""
    table = histories(process, last_day(process))
    weeks = float(table["age"].max())
    if weeks < LEAST_WEEKS_OBSERVED:
        raise MeasureError(message("{process}: needs {weeks} weeks of orders of new customers to check a purchase model",
                                   process=process.name, weeks=LEAST_WEEKS_OBSERVED))
    return min(MOST_WEEKS, round(weeks / 2))


def settled(process: Process, fit, table: pd.DataFrame):
    """The model fitted, or `MeasureError` that names the process."""
    try:
        return fit(table)
    except MeasureError as error:
        raise MeasureError(message("{process}: {error}", process=process.name, error=error.args[0])) from error


def standard_error(size: np.ndarray, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Of a mean, from the number of cases, their sum and the sum of their squares; NaN below two."""
    spread = np.maximum(squares - np.asarray(ratio(total**2, size)), 0)
    return np.sqrt(ratio(spread, np.where(size > 1, size * (size - 1), np.nan)))

