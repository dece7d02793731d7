"""The usual gap between a customer's orders, and which orders come back after a silence longer than that."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import customers, median_gap_days, paid_orders
from funnel_lib.engine import collect, left_join
from funnel_lib.rates import ratio

# The process's median counts as much as this many gaps of the customer's own.
PROCESS_WEIGHT = 2


def usual_gap_days(own_median_days: np.ndarray, own_count: np.ndarray, process_days: float) -> np.ndarray:
    """The gap to expect of customers with these own gaps: between their own median and that of the process.

    exp((n · ln own median + 2 · ln process median) / (n + 2)); with n = 0 the process's median alone.

    >>> usual_gap_days(np.array([np.nan, 10.0]), np.array([0, 2]), 40.0).round(6).tolist()
    [40.0, 20.0]
    """
    own, count = np.asarray(own_median_days, dtype=float), np.asarray(own_count, dtype=float)
    logs = np.where(count > 0, np.log(np.where(count > 0, own, 1.0)), 0.0)
    return np.exp(ratio(count * logs + PROCESS_WEIGHT * np.log(process_days), count + PROCESS_WEIGHT))


def return_visits(process: Process) -> pd.DataFrame:
    """One row per day on which a customer ordered again, in order of customer and time.

    It is collected, repeaters only: the median of what came before each order is a running one, which not every engine's
    windows can express. Columns: `customer_id`, `day`, `ordered_at`, `gap_days` (at least 1), `amount` and `margin` of the
    first order of that day (minor units), `origin`, `usual_gap_days` as known before the order, `is_reactivated` (the gap
    is above `lapse_factor` × the usual one).
    """
    return process.remembered(("return_visits",), lambda: _return_visits(process)).copy()


def _return_visits(process: Process) -> pd.DataFrame:
    visits = paid_orders(process).filter((nw.col("gap_days") > 0).fill_null(False))
    visits = left_join(visits.select("customer_id", "day", "ordered_at", "gap_days", "amount", "margin"),
                       customers(process).select("customer_id", "origin"), "customer_id")
    frame = collect(visits).sort_values(["customer_id", "day"], ignore_index=True)
    number = frame.groupby("customer_id").cumcount().to_numpy()
    medians = medians_before(frame["gap_days"].to_numpy(), number)
    usual = usual_gap_days(medians, number, median_gap_days(process))
    return frame.assign(usual_gap_days=usual, is_reactivated=frame["gap_days"] > process.settings.lapse_factor * usual)


def medians_before(gaps: np.ndarray, number: np.ndarray) -> np.ndarray:
    """For each gap the median of the same customer's gaps before it; NaN for the first.

    `number` counts each customer's gaps from 0, rows in order. One step per number of gaps, not per customer.

    >>> medians_before(np.array([5.0, 9.0, 1.0, 7.0]), np.array([0, 1, 2, 0]))
    array([nan,  5.,  7., nan])
    """
    medians = np.full(len(gaps), np.nan)
    rows = np.arange(len(gaps))
    for before in range(1, int(number.max(initial=0)) + 1):
        at = rows[number == before]
        medians[at] = np.median(gaps[at[:, None] - np.arange(1, before + 1)], axis=1)
    return medians


def lapse_limit_days(process: Process) -> float:
    """The silence above which a customer without a rhythm of their own counts as lapsed; NaN where nobody came twice."""
    return process.settings.lapse_factor * median_gap_days(process)
