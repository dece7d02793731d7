"""Rates, ratios and their intervals: the only place where two measured totals are divided."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

# A rate on fewer than this many is marked *few*.
FEW = 30
STEADY_DIGITS = 10
Z_95 = 1.959963984540054
# A smaller standard error of a share is what rounding leaves of none.
NO_ERROR = 1e-9


class Rate(NamedTuple):
    """A share with its counts and 95 % limits; NaN where the whole is empty. Arrays or single numbers."""

    share: np.ndarray | float
    low_share: np.ndarray | float
    high_share: np.ndarray | float
    part_count: np.ndarray | float
    whole_count: np.ndarray | float


def ratio(total: ArrayLike, by: ArrayLike) -> np.ndarray | float:
    """`total / by` of measured totals (money per lead, hours per result); NaN where `by` is zero or unknown.

    >>> float(ratio(300, 4)), float(ratio(300, 0))
    (75.0, nan)
    """
    total, by = np.asarray(total, dtype=float), np.asarray(by, dtype=float)
    result = np.divide(total, by, out=np.full(np.broadcast(total, by).shape, np.nan), where=by != 0)
    return result if result.ndim else float(result)


def steady(values: ArrayLike) -> np.ndarray:
    """Numbers to ten significant digits, whole ones as they are: what threads and processors leave in the digits after that
    differs from run to run.

    >>> steady([0.1 + 0.2, 12345678901234567, 2 / 3, np.nan]).tolist()
    [0.3, 1.2345678901234568e+16, 0.6666666667, nan]
    """
    values = np.asarray(values, dtype=float)
    loose = np.isfinite(values) & (values != np.round(values))
    digits = STEADY_DIGITS - 1 - np.floor(np.log10(np.abs(values), out=np.zeros_like(values), where=loose))
    scale = 10.0 ** np.clip(digits, 0, 300)
    return np.where(loose, np.round(np.where(loose, values, 0) * scale) / scale, values)


def rate(part: ArrayLike, whole: ArrayLike) -> Rate:
    """`part / whole` of counts of independent things, with the Wilson 95 % interval.

    The counts may be effective ones (not whole). An empty whole gives NaN: undefined, not zero.
    Source: Wilson 1927; checked against Newcombe 1998, Table I.

    >>> result = rate(81, 263)
    >>> round(result.low_share, 4), round(result.high_share, 4)
    (0.2553, 0.3662)
    """
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    share = np.asarray(ratio(part, whole))
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = Z_95**2 / whole
        centre = (share + weight / 2) / (1 + weight)
        half = Z_95 * np.sqrt(share * (1 - share) / whole + weight / (4 * whole)) / (1 + weight)
    low = np.where(part <= 0, 0.0, np.clip(centre - half, 0, 1))
    high = np.where(part >= whole, 1.0, np.clip(centre + half, 0, 1))
    low, high = np.where(whole > 0, low, np.nan), np.where(whole > 0, high, np.nan)
    return Rate(*(value if np.ndim(value) else float(value) for value in (share, low, high, part, whole)))


def interval_of_share(share: ArrayLike, standard_error: ArrayLike, known_count: ArrayLike) -> tuple:
    """95 % limits of an estimated share: Wilson's interval at the sample size that this standard error stands for.

    Plain ± 1.96 errors leave 0..1 and are too narrow near the ends. Where the standard error is zero (nobody or
    everybody yet, or all alike) the size is `known_count`, the number of cases whose outcome is known.
    """
    share, error = np.asarray(share, dtype=float), np.asarray(standard_error, dtype=float)
    known = np.asarray(known_count, dtype=float)
    size = np.divide(share * (1 - share), error**2, out=np.array(np.broadcast_to(known, share.shape), dtype=float),
                     where=error > NO_ERROR)
    limits = rate(share * size, size)
    # With no known outcome anything is possible.
    nothing = (size <= 0) & ~np.isnan(share)
    return np.where(nothing, 0.0, limits.low_share), np.where(nothing, 1.0, limits.high_share)


def poisson_limits(count: float) -> tuple[float, float]:
    """95 % limits of the mean of which this count of independent events is one draw.

    Source: Garwood 1936 (exact).

    >>> [round(limit, 3) for limit in poisson_limits(10)]
    [4.795, 18.39]
    """
    from scipy.special import gammaincinv  # loaded here: scipy is slow to import

    low = gammaincinv(count, 0.025) if count > 0 else 0.0
    return float(low), float(gammaincinv(count + 1, 0.975))


def scaled_poisson_limits(count: float, squares: float) -> tuple[float, float]:
    """95 % limits of the mean of which `count` is one draw, where the events come in groups (orders of one customer).

    `squares` is Σ (size of a group)²: the count has as much information as count² / squares independent events. With groups of
    one it is `poisson_limits`. Source: Bohm and Zech 2014 (scaled Poisson distribution).

    >>> [round(limit, 2) for limit in scaled_poisson_limits(20, 40)]
    [9.59, 36.78]
    """
    if not squares > 0:
        return poisson_limits(count)
    low, high = poisson_limits(ratio(count**2, squares))
    return low * ratio(squares, count), high * ratio(squares, count)


def odds(part: float, other: float) -> Limited:
    """`part / other` of independent events of two kinds (refusals per win), with 95 % limits.

    They follow from Wilson's of part / (part + other). NaN without any of the other kind: undefined, not infinite.

    >>> [round(number, 3) for number in odds(60, 20)]
    [3.0, 1.818, 4.95]
    """
    whole = rate(part, np.asarray(part, dtype=float) + other)
    low, high = ratio(whole.low_share, 1 - whole.low_share), ratio(whole.high_share, 1 - whole.high_share)
    return Limited(ratio(part, other), low, high) if other > 0 else Limited(np.nan, np.nan, np.nan)


def difference_by_parts(before: Limited, after: Limited) -> Limited:
    """`after − before` of two independent figures with 95 % limits from the limits of each.

    Source: Zou and Donner 2008 (the distances of `difference_limits`, for any figure).

    >>> [round(float(number), 2) for number in difference_by_parts(Limited(10, 8, 13), Limited(15, 11, 20))]
    [5.0, 0.0, 10.39]
    """
    change = np.subtract(after.value, before.value)
    low = np.hypot(np.subtract(after.value, after.low), np.subtract(before.high, before.value))
    high = np.hypot(np.subtract(after.high, after.value), np.subtract(before.value, before.low))
    return Limited(change, change - low, change + high)


def median_rank(count: int) -> int | None:
    """The rank r (from 1) so that the values of rank r and count − r + 1 are 95 % limits of the median; None under six values.

    Source: order statistics, Conover 1999, section 3.2.

    >>> median_rank(6), median_rank(20), median_rank(5)
    (1, 6, None)
    """
    from scipy.stats import binom  # loaded here: scipy is slow to import

    return int(binom.ppf(0.025, count, 0.5)) or None if count else None


def difference_limits(before: Rate, after: Rate, correlation: float = 0.0) -> tuple[float, float]:
    """95 % limits of the difference of two shares from the limits of each; they may be correlated (the same customers in both).

    Source: Newcombe 1998, method 10; of correlated shares the same distances with their correlation.

    >>> [round(limit, 3) for limit in difference_limits(rate(48, 80), rate(56, 70))]
    [0.052, 0.334]
    """
    def distance(own: float, other: float) -> float:
        return float(np.sqrt(max(own**2 - 2 * correlation * own * other + other**2, 0.0)))

    change = float(after.share - before.share)
    return (change - distance(after.share - after.low_share, before.high_share - before.share),
            change + distance(after.high_share - after.share, before.share - before.low_share))


def is_few(whole: ArrayLike) -> np.ndarray:
    """Whether a rate on this many is marked *few* (below 30)."""
    return np.asarray(whole, dtype=float) < FEW


def clustered_share(part: ArrayLike, whole: ArrayLike) -> Rate:
    """Σ part / Σ whole over clusters (customers), with the 95 % interval of the ratio estimator.

    `part` and `whole` hold one number per cluster (orders or money of one customer); `part_count` and `whole_count`
    of the result are the two totals. Source: Cochran 1977, section 6.3.
    """
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    size, total = len(whole), whole.sum()
    share = float(ratio(part.sum(), total))
    if size < 2 or np.isnan(share):
        return Rate(share, np.nan, np.nan, float(part.sum()), float(total))
    residual = part - share * whole
    error = np.sqrt(size / (size - 1) * (residual**2).sum()) / abs(total)
    low, high = interval_of_share(np.clip(share, 0, 1), error, size)
    return Rate(share, float(low), float(high), float(part.sum()), float(total))


def error_of_ratio(squares: ArrayLike, whole: ArrayLike, size: ArrayLike) -> np.ndarray:
    """Standard error of Σ part / Σ whole over `size` clusters (customers, cohorts); NaN for fewer than two.

    `squares` is the sum of (part − ratio × whole)² over them, `whole` is Σ whole. Source: ratio estimator, Cochran 1977, section
    6.3.

    >>> round(float(error_of_ratio((0 - 0.5 * 2)**2 + (2 - 0.5 * 2)**2, 4, 2)), 6)
    0.5
    """
    size = np.asarray(size, dtype=float)
    error = np.sqrt(np.asarray(ratio(size, size - 1)) * np.asarray(squares, dtype=float))
    return np.where(size > 1, ratio(error, np.abs(np.asarray(whole, dtype=float))), np.nan)


def limits_of_ratio(share: ArrayLike, error: ArrayLike, size: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """95 % limits of a ratio of money over so many clusters; unlike a share of cases it may lie above 1.

    Student's t × standard error on the scale of logarithms, so that the limits stay above zero; a ratio below zero (refunds above
    purchases) has them on its own scale, and one of zero has none: nobody paid yet. Where the clusters are all alike and so show
    no error, as many as Wilson's limit leaves room for may still differ.

    >>> low, high = limits_of_ratio(0.8, 0.1, 1000)
    >>> round(float(low), 3), round(float(high), 3)
    (0.626, 1.022)
    >>> low, high = limits_of_ratio(1, 0, 40)
    >>> round(float(low), 3), round(float(high), 3)
    (0.912, 1.096)
    """
    from scipy.special import stdtrit  # loaded here: scipy is slow to import

    share, error = np.asarray(share, dtype=float), np.asarray(error, dtype=float)
    reach = stdtrit(np.maximum(np.asarray(size, dtype=float) - 1, 1), 0.975) * error
    room, alike = np.asarray(rate(size, size).low_share), error <= NO_ERROR * np.abs(share)
    reach = np.where(alike, (1 - room) * np.abs(share), reach)
    factor = np.where(alike, ratio(1, room), np.exp(np.where(share > 0, ratio(reach, share), np.nan)))
    low, high = np.where(share > 0, ratio(share, factor), share - reach), np.where(share > 0, share * factor, share + reach)
    return np.where(share == 0, np.nan, low), np.where(share == 0, np.nan, high)


class Limited(NamedTuple):
    """A ratio of measured totals with 95 % limits; NaN where it is undefined. Arrays or single numbers."""

    value: np.ndarray | float
    low: np.ndarray | float
    high: np.ndarray | float


def clustered_ratio(size: ArrayLike, part: ArrayLike, whole: ArrayLike, part_square: ArrayLike, product: ArrayLike,
                    whole_square: ArrayLike) -> Limited:
    """Σ part / Σ whole over `size` clusters (customers), from their sums, sums of squares and of products; plain 95 % limits.

    For money that may be a loss, so that the ratio is not held between 0 and 1 as in `clustered_share`. With a whole of 1 per
    cluster it is the mean with its usual limits. No limits for fewer than two clusters, or for clusters that are all alike: these
    do not show how much others would differ. Source: Cochran 1977, section 6.3.

    >>> [round(number, 2) for number in clustered_ratio(3, 60, 3, 10**2 + 20**2 + 30**2, 60, 3)]
    [20.0, 8.68, 31.32]
    """
    size, part_square, product, whole_square = (np.asarray(values, dtype=float) for values in
                                                (size, part_square, product, whole_square))
    value = np.asarray(ratio(part, whole))
    squares = part_square - 2 * value * product + value**2 * whole_square
    # Of clusters that are all alike the difference is a rounding error.
    squares = np.where(squares > NO_ERROR * np.abs(part_square), squares, np.nan)
    half = Z_95 * error_of_ratio(squares, whole, size)
    return Limited(*(found if found.ndim else float(found) for found in (value, value - half, value + half)))
