"""Process limits: what of the ups and downs from period to period is a signal, and what is noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

# 3 standard deviations in units of the mean moving range of two.
WIDTH = 2.66
MIN_PERIODS = 12
RUN_LENGTH = 8
# What a period is: something happened in it, the level has moved, or nothing to look for.
OUTSIDE, RUN, NOISE = "outside_limits", "run_of_eight", "noise"


@dataclass(frozen=True)
class Limits:
    """The centre line, the mean moving range and the limits; all NaN where fewer than 12 periods are known."""

    mean: float
    moving_range: float
    low: float
    high: float


def process_limits(values: ArrayLike, lowest: float = 0.0, highest: float = np.inf) -> Limits:
    """Limits of single values in the order of time (XmR chart): mean ± 2.66 × mean moving range.

    Limits do not leave `lowest` to `highest`; missing values are left out, the range then spans the gap.
    Source: Shewhart 1931; Wheeler and Chambers 1992.

    >>> process_limits([10, 12] * 6)
    Limits(mean=11.0, moving_range=2.0, low=5.68, high=16.32)
    """
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    if len(values) < MIN_PERIODS:
        return Limits(np.nan, np.nan, np.nan, np.nan)
    mean, moving_range = float(values.mean()), float(np.abs(np.diff(values)).mean())
    return Limits(mean, moving_range, max(mean - WIDTH * moving_range, lowest), min(mean + WIDTH * moving_range, highest))


def is_outside(values: ArrayLike, limits: Limits) -> np.ndarray:
    """Whether each value lies outside the limits: something happened in that very period."""
    values = np.asarray(values, dtype=float)
    # Not a matter of rounding: of equal values none is outside.
    slack = 1e-9 * max(abs(np.nan_to_num(limits.mean)), 1e-9)
    return (values < limits.low - slack) | (values > limits.high + slack)


def is_in_run(values: ArrayLike, limits: Limits, length: int = RUN_LENGTH) -> np.ndarray:
    """Whether each value is one of at least 8 in a row on one side of the mean: the level itself has moved.

    A value on the mean ends a run; a missing one neither ends nor lengthens it.
    """
    values = np.asarray(values, dtype=float)
    result = np.zeros(len(values), dtype=bool)
    if np.isnan(limits.mean):
        return result
    known = np.flatnonzero(~np.isnan(values))
    distance = values[known] - limits.mean
    sides = np.where(np.abs(distance) <= 1e-9 * max(abs(limits.mean), 1e-9), 0, np.sign(distance))
    borders = np.flatnonzero(np.diff(sides)) + 1
    for part in np.split(np.arange(len(known)), borders):
        if len(part) >= length and sides[part[0]] != 0:
            result[known[part]] = True
    return result


def signals(values: ArrayLike, limits: Limits) -> np.ndarray:
    """What each value is: outside_limits, run_of_eight, noise; empty where it is missing or there are no limits.

    >>> signals([10, 12] * 6 + [40], process_limits([10, 12] * 6))[-2:].tolist()
    ['noise', 'outside_limits']
    """
    values = np.asarray(values, dtype=float)
    words = np.where(is_outside(values, limits), OUTSIDE, np.where(is_in_run(values, limits), RUN, NOISE))
    return np.where(np.isnan(limits.mean) | np.isnan(values), "", words)
