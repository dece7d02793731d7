"""Time curves against a textbook data set, statsmodels, and hand-counted tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from funnel_lib.survival import aalen_johansen, expected_share, first_day_reaching, grouped


def _by_day(days, states, length):
    return [np.bincount(days[states == state], minlength=length) for state in (1, 2, 0)]


@given(st.integers(0, 10_000))
def test_aalen_johansen_and_its_error_equal_statsmodels(seed):
    random = np.random.default_rng(seed)
    days, states = random.integers(0, 40, 150), random.choice([0, 1, 2], 150, p=[0.4, 0.35, 0.25])
    curve = aalen_johansen(*_by_day(days, states, 40))
    with np.errstate(divide="ignore", invalid="ignore"):  # its own error term where everybody leaves at once
        other = CumIncidenceRight(days.astype(float), states)
    at = other.times.astype(int)
    np.testing.assert_allclose(curve.event_share[at], other.cinc[0], atol=1e-12)
    np.testing.assert_allclose(curve.competing_share[at], other.cinc[1], atol=1e-12)
    known = np.isfinite(other.cinc_se[0])
    np.testing.assert_allclose(curve.standard_error[at][known], other.cinc_se[0][known], atol=1e-12)


@given(st.integers(0, 10_000))
def test_without_competition_it_is_kaplan_meier_with_greenwoods_error(seed):
    random = np.random.default_rng(seed)
    days, died = random.integers(0, 60, 120), random.random(120) < 0.6
    curve = aalen_johansen(*_by_day(days, died.astype(int), 60))
    other = SurvfuncRight(days.astype(float), died.astype(int))
    at = other.surv_times.astype(int)
    np.testing.assert_allclose(curve.still_share[at], other.surv_prob, atol=1e-12)
    alive = other.surv_prob > 0
    np.testing.assert_allclose(curve.standard_error[at][alive], other.surv_prob_se[alive], atol=1e-12)


def test_hand_counted_with_a_tie():
    """Four cases: won on day 1, lost and censored on day 2, won on day 3. F(1) = 1/4, F(3) = 1/4 + 1/2 × 1."""
    curve = aalen_johansen([0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 1, 0])
    assert curve.event_share.tolist() == [0, 0.25, 0.25, 0.75]
    assert curve.competing_share.tolist() == [0, 0, 0.25, 0.25]
    assert curve.at_risk_count.tolist() == [4, 4, 3, 1]
    assert first_day_reaching(curve, 0.5) == 3 and first_day_reaching(curve, 0.9) is None


def test_expected_share_of_running_cases():
    """From the curve above: of cases running after day 1, (0.75 − 0.25) / 0.75 win by day 3; at the horizon none."""
    curve = aalen_johansen([0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 1, 0])
    assert expected_share(curve, np.array([1, 2, 3]), 3) == pytest.approx([2 / 3, 1, 0])


def test_several_samples_at_once_equal_one_by_one():
    random = np.random.default_rng(5)
    parts = random.integers(0, 5, (3, 4, 30))
    together = aalen_johansen(*parts)
    for sample in range(4):
        alone = aalen_johansen(*(part[sample] for part in parts))
        np.testing.assert_array_equal(together.event_share[sample], alone.event_share)


def test_nobody_at_all_gives_zeros_not_nan():
    curve = aalen_johansen([0, 0], [0, 0], [0, 0])
    assert curve.event_share.tolist() == [0, 0] and not np.isnan(curve.standard_error).any()


def test_grouped_counts():
    assert grouped(pd.Series([0.0, 2.0, 2.0]), pd.Series([1, 2, 3]), 4).tolist() == [1, 0, 5, 0]
