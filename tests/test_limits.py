"""Process limits: a textbook example worked by hand, the rules for signals, laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_lib.limits import is_in_run, is_outside, process_limits

# Twelve single values; their moving ranges are 5 5 4 8 5 1 4 6 7 3 4, 52 in all, mean 52 / 11.
VALUES = [20, 25, 20, 24, 16, 21, 20, 24, 18, 25, 22, 26]


def test_limits_by_hand():
    limits = process_limits(VALUES)
    assert limits.mean == pytest.approx(261 / 12) and limits.moving_range == pytest.approx(52 / 11)
    assert limits.low == pytest.approx(261 / 12 - 2.66 * 52 / 11) and limits.high == pytest.approx(261 / 12 + 2.66 * 52 / 11)
    assert not is_outside(VALUES, limits).any() and not is_in_run(VALUES, limits).any()


def test_limits_do_not_leave_what_is_possible():
    limits = process_limits([0.0, 1.0] * 6, highest=1.0)
    assert (limits.low, limits.high) == (0.0, 1.0)


def test_fewer_than_twelve_known_values_have_no_limits_and_no_signals():
    for values in (VALUES[:11], [*VALUES[:11], np.nan], []):
        limits = process_limits(values)
        assert np.isnan([limits.mean, limits.moving_range, limits.low, limits.high]).all()
        assert not is_outside(values, limits).any() and not is_in_run(values, limits).any()


def test_one_far_value_is_a_signal():
    values = [10, 11] * 10 + [30]
    assert is_outside(values, process_limits(values)).tolist() == [False] * 20 + [True]


def test_eight_on_one_side_are_a_signal_seven_are_not():
    limits = process_limits([10.0, 12.0] * 6)
    eight = [10, *[12] * 8, 10]
    assert is_in_run(eight, limits).tolist() == [False, *[True] * 8, False]
    assert not is_in_run([10, *[12] * 7, 10, 12, 12], limits).any()
    # A value on the mean ends the run, a missing one does not.
    assert not is_in_run([12] * 4 + [11] + [12] * 4, limits).any()
    assert is_in_run([12.0] * 4 + [np.nan] + [12.0] * 4, limits).tolist() == [True] * 4 + [False] + [True] * 4


@given(st.floats(0, 1e6), st.integers(12, 30))
def test_a_constant_gives_no_signal(value, count):
    limits = process_limits([value] * count)
    assert not is_outside([value] * count, limits).any() and not is_in_run([value] * count, limits).any()


@given(st.lists(st.floats(0, 1000), min_size=12, max_size=40), st.floats(0.1, 10))
def test_limits_scale_with_the_values(values, factor):
    limits, scaled = process_limits(values), process_limits([value * factor for value in values])
    assert scaled.high == pytest.approx(limits.high * factor) and scaled.mean == pytest.approx(limits.mean * factor)
    assert limits.low <= limits.mean <= limits.high
