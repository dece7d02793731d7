"""Pooling: scipy's beta-binomial by grid, binomial tables, published adjustment, no discoveries among equals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom, binom, false_discovery_control

from funnel_lib.pooling import adjusted_p_values, fitted_prior, funnel_limits, p_values_against_the_rest, pooled_shares

PART, WHOLE = np.array([18, 30, 10, 4, 22]), np.array([100, 100, 100, 5, 60])


def test_prior_is_the_best_of_a_grid_of_scipys_likelihood():
    means, sizes = np.linspace(0.1, 0.5, 161)[:, None, None], np.geomspace(2, 300, 161)[None, :, None]
    likelihood = betabinom.logpmf(PART, WHOLE, means * sizes, (1 - means) * sizes).sum(axis=-1)
    row, column = np.unravel_index(likelihood.argmax(), likelihood.shape)
    prior = fitted_prior(PART, WHOLE)
    assert prior.mean == pytest.approx(means[row, 0, 0], abs=0.005)
    assert prior.concentration == pytest.approx(sizes[0, column, 0], rel=0.07)
    found = betabinom.logpmf(PART, WHOLE, prior.mean * prior.concentration, (1 - prior.mean) * prior.concentration).sum()
    assert found >= likelihood.max()


def test_pooled_share_is_the_mean_of_the_posterior():
    prior, pooled = fitted_prior(PART, WHOLE), pooled_shares(PART, WHOLE)
    by_hand = (PART + prior.mean * prior.concentration) / (WHOLE + prior.concentration)
    np.testing.assert_allclose(pooled.share, by_hand)
    assert (pooled.low_share < pooled.share).all() and (pooled.share < pooled.high_share).all()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=8))
def test_pooled_shares_lie_between_the_raw_and_the_common_mean_in_any_order(groups):
    part, whole = np.array([min(pair) for pair in groups]), np.array([max(pair) for pair in groups])
    if whole.sum() == 0:
        return
    prior, pooled = fitted_prior(part, whole), pooled_shares(part, whole)
    known = whole > 0
    raw = part[known] / whole[known]
    low, high = np.minimum(raw, prior.mean), np.maximum(raw, prior.mean)
    assert (pooled.share[known] >= low - 1e-9).all() and (pooled.share[known] <= high + 1e-9).all()
    back = pooled_shares(part[::-1], whole[::-1]).share[::-1]
    np.testing.assert_allclose(back, pooled.share, atol=1e-9)


@pytest.mark.parametrize(("part", "whole", "mean"), [
    ([3], [10], 0.3), ([0, 0], [5, 50], 0.0), ([5, 50], [5, 50], 1.0), ([1, 10], [10, 100], 0.1), ([2, 0], [4, 0], 0.5)])
def test_without_variation_there_is_one_share(part, whole, mean):
    assert fitted_prior(part, whole) == (mean, np.inf)
    assert pooled_shares(part, whole).share.tolist() == [mean] * len(part)


def test_no_cases_at_all_are_undefined():
    assert np.isnan(fitted_prior([0], [0]).mean) and np.isnan(pooled_shares([0], [0]).share[0])


def test_different_groups_keep_their_distance():
    """Twenty groups of 1,000 drawn from a beta distribution with mean 0.3 worth 50 cases: the prior is found again."""
    random = np.random.default_rng(5)
    whole = np.full(200, 1000)
    prior = fitted_prior(random.binomial(whole, random.beta(15, 35, 200)), whole)
    assert prior.mean == pytest.approx(0.3, abs=0.02) and prior.concentration == pytest.approx(50, rel=0.25)


def test_funnel_limits_hold_their_probability():
    """By Spiegelhalter's interpolation the limits lie between the binomial quantiles and the count below."""
    for size in (12, 100, 1000):
        low, high = (float(limit) * size for limit in funnel_limits(0.24, size))
        assert binom.ppf(0.975, size, 0.24) - 1 <= high <= binom.ppf(0.975, size, 0.24)
        assert max(binom.ppf(0.025, size, 0.24) - 1, 0) <= low <= binom.ppf(0.025, size, 0.24)
    low, high = (float(limit) for limit in funnel_limits(0.24, 100_000))
    assert (low, high) == pytest.approx((0.24 - 1.96 * 0.00135056, 0.24 + 1.96 * 0.00135056), abs=2e-5)


def test_adjustment_of_benjamini_and_hochberg_1995():
    """Their example of 15 comparisons: with 5 % the four smallest are rejected."""
    published = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
                 0.7590, 1.0]
    adjusted = adjusted_p_values([*published, np.nan])
    assert (adjusted[:-1] < 0.05).sum() == 4 and np.isnan(adjusted[-1])
    assert adjusted[3] == pytest.approx(0.0095 * 15 / 4)


def test_adjustment_is_that_of_scipy():
    random = np.random.default_rng(5)
    for size in (1, 2, 7, 60):
        p_values = np.round(random.uniform(size=size), 2)  # with ties
        assert adjusted_p_values(p_values) == pytest.approx(false_discovery_control(p_values))
    assert np.isnan(adjusted_p_values([np.nan])).all() and len(adjusted_p_values([])) == 0


def test_against_the_rest_is_fishers_tea():
    """Fisher's tea: 3 of 4 against 1 of 4: 34/70 two-sided."""
    assert p_values_against_the_rest([3, 1], [4, 4]) == pytest.approx([34 / 70, 34 / 70])


def test_equal_groups_are_rarely_called_different():
    """Eight groups of one true share, 200 fixed seeds: at least one false discovery in at most about 5 % of them."""
    wrong = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        whole = random.integers(40, 600, 8)
        wrong += (adjusted_p_values(p_values_against_the_rest(random.binomial(whole, 0.24), whole)) < 0.05).any()
    assert wrong <= 18  # 95 % of binomial(200, 0.06) is at most that
