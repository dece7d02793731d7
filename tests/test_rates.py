"""Rates against published intervals, laws, and a second way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from funnel_lib.rates import clustered_share, interval_of_share, is_few, rate, ratio


@pytest.mark.parametrize(("part", "whole", "low", "high"), [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)])
def test_wilson_as_published_by_newcombe_1998(part, whole, low, high):
    result = rate(part, whole)
    assert (round(result.low_share, 4), round(result.high_share, 4)) == (low, high)


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_equals_scipy(part, whole):
    part = min(part, whole)
    expected = binomtest(part, whole).proportion_ci(method="wilson")
    result = rate(part, whole)
    assert result.low_share == pytest.approx(expected.low, abs=1e-12)
    assert result.high_share == pytest.approx(expected.high, abs=1e-12)
    assert 0 <= result.low_share <= result.share <= result.high_share <= 1


def test_empty_whole_is_undefined_not_zero():
    result = rate([0, 3], [0, 4])
    assert np.isnan([result.share[0], result.low_share[0], result.high_share[0]]).all()
    assert result.share[1] == 0.75
    assert np.isnan(ratio(0, 0)) and np.isnan(ratio(5, 0)) and np.isnan(ratio(np.nan, 2))


def test_ratio_broadcasts():
    assert ratio([2, 4, 1], 2).tolist() == [1.0, 2.0, 0.5]


def test_interval_at_the_binomial_error_is_wilson():
    share, size = 0.3, 200
    low, high = interval_of_share(share, np.sqrt(share * (1 - share) / size), size)
    expected = rate(share * size, size)
    assert (low, high) == pytest.approx((expected.low_share, expected.high_share))


def test_interval_without_error_falls_back_on_the_known_cases():
    low, high = interval_of_share(0.0, 0.0, 20)
    assert low == 0 and high == pytest.approx(rate(0, 20).high_share)


def test_few_is_below_thirty():
    assert is_few([29, 30]).tolist() == [True, False]


def test_clustered_share_of_single_orders_is_nearly_binomial():
    part = np.repeat([1.0, 0.0], [60, 140])
    result = clustered_share(part, np.ones(200))
    binomial = rate(60, 200)
    assert result.share == 0.3
    assert (result.low_share, result.high_share) == pytest.approx((binomial.low_share, binomial.high_share), abs=1e-3)


def test_clustered_share_is_wider_when_customers_buy_in_bulk():
    """Hand-made: the same 30 % of the orders, but all orders of a customer alike, ten each: an effective size of twenty."""
    alike = clustered_share(np.repeat([10.0, 0.0], [6, 14]), np.full(20, 10.0))
    assert alike.share == 0.3
    assert (alike.low_share, alike.high_share) == pytest.approx(rate(6, 20)[1:3], abs=0.01)
