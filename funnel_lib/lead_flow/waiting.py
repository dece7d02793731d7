"""Curves of waiting on grouped counts: quartiles with limits, and which of many groups wait longer than the others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from funnel_lib.rates import ratio
from funnel_lib.survival import aalen_johansen


class Quartiles(NamedTuple):
    """Times by which a quarter, half (with 95 % limits) and three quarters were answered; NaN where the curve stays below."""

    quarter: float
    median: float
    median_low: float
    median_high: float
    three_quarters: float


def quartiles(counts: pd.DataFrame, time: str) -> Quartiles:
    """Quartiles of the Kaplan-Meier curve from the `leads` per `time` and `answered` (1, or 0: censored then).

    The limits of the median are where the pointwise limits of the curve reach one half.
    Source: Kaplan and Meier 1958; Brookmeyer and Crowley 1982.
    """
    times, answered, censored = by_time(counts, time)
    if not len(times):
        return Quartiles(*[np.nan] * len(Quartiles._fields))
    curve = aalen_johansen(answered, np.zeros(len(times)), censored)
    low, high = curve.limits()

    def first(share: np.ndarray, at_least: float) -> float:
        reached = np.flatnonzero(share >= at_least - 1e-12)
        return float(times[reached[0]]) if len(reached) else np.nan

    share = curve.event_share
    return Quartiles(first(share, 0.25), first(share, 0.5), first(high, 0.5), first(low, 0.5), first(share, 0.75))


def by_time(counts: pd.DataFrame, time: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct times in order, with the leads answered and censored at each."""
    times, place = np.unique(counts[time].to_numpy(dtype=float), return_inverse=True)
    leads, is_answer = counts["leads"].to_numpy(dtype=float), counts["answered"].to_numpy(dtype=float)
    return (times, np.bincount(place, leads * is_answer, len(times)), np.bincount(place, leads * (1 - is_answer), len(times)))


def against_the_rest(group: pd.DataFrame, every: tuple[np.ndarray, np.ndarray, np.ndarray], time: str) -> tuple[float, float]:
    """(answers more than expected of a group like all the others, p-value of the log-rank test against the rest).

    `every` is `by_time` of all groups together. The p-value is NaN where there is nothing to compare. Source: Mantel 1966.
    """
    times, answered, censored = every
    place, leads = np.searchsorted(times, group[time].to_numpy(dtype=float)), group["leads"].to_numpy(dtype=float)
    own_answered = np.bincount(place, leads * group["answered"].to_numpy(dtype=float), len(times))
    at_risk, own_at_risk = (np.cumsum(leaving[::-1])[::-1] for leaving in
                            (answered + censored, np.bincount(place, leads, len(times))))
    part = np.nan_to_num(np.asarray(ratio(own_at_risk, at_risk)))
    surplus = float((own_answered - part * answered).sum())
    spread = np.nan_to_num(np.asarray(ratio(at_risk - answered, at_risk - 1)))
    variance = float((part * (1 - part) * answered * spread).sum())
    if variance <= 0:
        return surplus, np.nan
    from scipy.special import chdtrc  # loaded here: scipy is slow to import

    return surplus, float(chdtrc(1, float(ratio(surplus**2, variance))))
