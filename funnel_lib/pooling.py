"""Partial pooling of rates: what a group's share is worth beside the others', and which of many differences are real."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from funnel_lib.rates import Z_95, is_few, rate, ratio

LEVEL = 0.95
SIGNIFICANT = 0.05
ABOVE, BELOW, NO_DIFFERENCE, TOO_FEW = "above", "below", "no_difference", "too_few"
# Above this concentration the groups vary no more than chance makes them.
MOST_CONCENTRATED = 1e6
_STARTS = (2.0, 30.0, 500.0, 20_000.0)


class Prior(NamedTuple):
    """How the true shares of groups vary: a beta distribution with this mean; `concentration` counts the cases that the
    prior is worth (infinite: all groups have the same share)."""

    mean: float
    concentration: float


class Pooled(NamedTuple):
    """Shares drawn towards the common one, with 95 % limits: one array element per group."""

    share: np.ndarray
    low_share: np.ndarray
    high_share: np.ndarray


def log_likelihood(part: ArrayLike, whole: ArrayLike, mean: float, concentration: float) -> float:
    """Log-likelihood of grouped counts under a beta-binomial, without the binomial coefficients."""
    from scipy.special import betaln, xlogy  # loaded here: scipy is slow to import

    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    if not np.isfinite(concentration):
        return float(np.sum(xlogy(part, mean) + xlogy(whole - part, 1 - mean)))
    a, b = mean * concentration, (1 - mean) * concentration
    return float(np.sum(betaln(part + a, whole - part + b) - betaln(a, b)))


def fitted_prior(part: ArrayLike, whole: ArrayLike) -> Prior:
    """The prior of maximum likelihood from `part` of `whole` per group.

    With fewer than two groups, nobody or everybody in all of them, or no more variation than chance makes, the
    concentration is infinite: one common share. No cases at all give a mean of NaN.
    Source: Skellam 1948 (beta-binomial); Efron and Morris 1975 (empirical Bayes).

    >>> fitted_prior([5, 50], [10, 100])
    Prior(mean=0.5, concentration=inf)
    """
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    part, whole = part[whole > 0], whole[whole > 0]
    common = ratio(part.sum(), whole.sum())
    same = Prior(float(common), np.inf)
    if len(whole) < 2 or not 0 < common < 1:
        return same
    from scipy.optimize import minimize, root  # loaded here: scipy is slow to import
    from scipy.special import expit, logit

    def cost(point: np.ndarray) -> tuple[float, np.ndarray]:
        value = log_likelihood(part, whole, float(expit(point[0])), float(np.exp(point[1])))
        return -value, -_slope(point, part, whole)

    bounds = [(-14, 14), (np.log(1e-2), np.log(MOST_CONCENTRATED))]
    fits = [minimize(cost, [logit(common), np.log(start)], jac=True, bounds=bounds, method="L-BFGS-B") for start in _STARTS]
    best = min(fits, key=lambda fit: fit.fun)
    # A gain of likelihood this small is the rounding of the same model.
    if -best.fun <= log_likelihood(part, whole, float(common), np.inf) + 1e-4:
        return same
    # The search stops where it gains no more, which another processor sees some digits earlier: the top itself is one point.
    top = root(_slope, best.x, args=(part, whole), options={"xtol": 1e-14})
    mean, concentration = top.x if np.abs(top.x - best.x).max() < 0.01 else best.x
    return Prior(float(expit(mean)), float(np.exp(concentration)))


def _slope(point: np.ndarray, part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """First derivatives of the log-likelihood by the logit of the mean and the logarithm of the concentration."""
    from scipy.special import digamma, expit

    mean, concentration = expit(point[0]), np.exp(point[1])
    a, b = mean * concentration, (1 - mean) * concentration
    both = digamma(concentration) - digamma(whole + concentration)
    by_a, by_b = (float(np.sum(digamma(count + of) - digamma(of) + both)) for count, of in ((part, a), (whole - part, b)))
    return np.array([a * (1 - mean) * (by_a - by_b), a * by_a + b * by_b])


def pooled_shares(part: ArrayLike, whole: ArrayLike) -> Pooled:
    """Every group's share drawn towards the common one, the more the fewer its cases and the less the groups vary.

    (part + mean × concentration) / (whole + concentration) of `fitted_prior`; limits are quantiles of the beta
    distribution, or Wilson's of all cases together where all groups have one share. Empty groups get the common share.
    """
    from scipy.special import betaincinv  # loaded here: scipy is slow to import

    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    prior = fitted_prior(part, whole)
    if not np.isfinite(prior.concentration):
        together = rate(part.sum(), whole.sum())
        return Pooled(*(np.full(len(part), value) for value in (together.share, together.low_share, together.high_share)))
    a, b = prior.mean * prior.concentration + part, (1 - prior.mean) * prior.concentration + whole - part
    tail = (1 - LEVEL) / 2
    return Pooled(np.asarray(ratio(a, a + b)), betaincinv(a, b, tail), betaincinv(a, b, 1 - tail))


def funnel_limits(share: float, whole: ArrayLike, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Between which shares a group of this many cases lies with this probability if it is like all the others.

    Interpolated binomial quantiles, at least 0 and at most 1. Source: Spiegelhalter 2005, appendix A.1.1.
    """
    from scipy.stats import binom  # loaded here: scipy is slow to import

    whole = np.asarray(whole, dtype=float)

    def limit(tail: float) -> np.ndarray:
        count = binom.ppf(tail, whole, share)
        above, step = binom.cdf(count, whole, share) - tail, binom.pmf(count, whole, share)
        return np.clip(np.asarray(ratio(count - np.nan_to_num(np.asarray(ratio(above, step))), whole)), 0, 1)

    return limit((1 - level) / 2), limit((1 + level) / 2)


def p_values_against_the_rest(part: ArrayLike, whole: ArrayLike) -> np.ndarray:
    """Two-sided exact probability, per group, of a difference from all the others this large by chance alone.

    1 where there are no others or no cases. Source: Fisher 1935.
    """
    from scipy.stats import fisher_exact  # loaded here: scipy is slow to import

    part, whole = np.asarray(part, dtype=int), np.asarray(whole, dtype=int)
    rest_part, rest_whole = part.sum() - part, whole.sum() - whole
    tables = zip(part, whole - part, rest_part, rest_whole - rest_part, strict=True)
    return np.array([fisher_exact([[won, not_won], [others, not_others]]).pvalue
                     for won, not_won, others, not_others in tables], dtype=float)


def p_values_of_limits(low: ArrayLike, high: ArrayLike) -> np.ndarray:
    """Two-sided probability of a difference this large by chance, from its 95 % limits; the side towards zero counts.

    1 where the limits coincide, missing where one is.
    """
    from scipy.special import ndtr  # loaded here: scipy is slow to import

    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    centre = (low + high) / 2
    half = np.where(centre > 0, centre - low, high - centre)
    standing = np.where(np.isnan(centre), np.nan, np.nan_to_num(np.asarray(ratio(np.abs(centre), half))))
    return 2 * ndtr(-Z_95 * standing)


def adjusted_p_values(p_values: ArrayLike) -> np.ndarray:
    """p-values adjusted for the number of comparisons, so that 5 % of what is called different is so by chance at most.

    Missing ones stay missing. Source: Benjamini and Hochberg 1995.
    """
    p_values = np.asarray(p_values, dtype=float)
    known = ~np.isnan(p_values)
    adjusted = p_values.copy()
    if known.any():
        order = np.argsort(-p_values[known], kind="stable")  # the largest first
        count = len(order)
        # Written out: loading scipy.stats for this one function takes longer than most measures.
        adjusted[np.flatnonzero(known)[order]] = np.minimum.accumulate(
            np.minimum(p_values[known][order] * np.asarray(ratio(count, np.arange(count, 0, -1))), 1))
    return adjusted


def verdicts_against_the_rest(part: ArrayLike, whole: ArrayLike, tested: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Which groups differ from all the others together: p-values adjusted for their number, and a word for each.

    `tested` marks those that can be (enough cases, somebody's figure); with fewer than two of them nothing is. The word is
    above, below, no_difference, or too_few (under 30 cases).
    """
    part, whole, tested = np.asarray(part, dtype=float), np.asarray(whole, dtype=float), np.asarray(tested, dtype=bool)
    p_values = np.full(len(part), np.nan)
    if tested.sum() > 1:
        p_values = np.where(tested, p_values_against_the_rest(part, whole), np.nan)
    adjusted = adjusted_p_values(p_values)
    differs = np.nan_to_num(adjusted, nan=1.0) < SIGNIFICANT
    higher = np.asarray(ratio(part, whole)) > ratio(part.sum(), whole.sum())
    return adjusted, np.select([is_few(whole), ~differs, higher], [TOO_FEW, NO_DIFFERENCE, ABOVE], BELOW)
