"""The purchase models: published numbers of CDNOW, integrals as a second way, `lifetimes` where it is, planted parameters, laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta as beta_law
from scipy.stats import gamma as gamma_law

from funnel_lib import CallError, MeasureError, lifetime
from funnel_lib.lifetime import BgNbd, GammaGamma, bg_nbd, gamma_gamma

TRUE = {"r": 0.55, "alpha": 22.0, "a": 0.8, "b": 2.6}


def model(r: float, alpha: float, a: float, b: float) -> BgNbd:
    return BgNbd(r, alpha, a, b, 0.0, 1, 1, np.eye(4))


def simulated(size: int, seed: int, r: float = 0.55, alpha: float = 22.0, a: float = 0.8, b: float = 2.6, weeks: float = 150.0,
              least_weeks: float = 0.0) -> pd.DataFrame:
    """Customers of a BG/NBD world, one event at a time, with no formula of the package."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(least_weeks, weeks, size)
    rate, leave = rng.gamma(r, 1 / alpha, size), rng.beta(a, b, size)
    frequency, recency, time, there = np.zeros(size), np.zeros(size), np.zeros(size), np.full(size, True)
    while there.any():
        time = time + rng.exponential(1.0, size) / np.maximum(rate, 1e-12)
        came = there & (time < age)
        frequency, recency = frequency + came, np.where(came, time, recency)
        there = came & (rng.random(size) >= leave)
    return pd.DataFrame({"frequency": frequency, "recency": recency, "age": age})


@pytest.fixture(scope="module")
def cdnow(open_data) -> pd.DataFrame:
    """The 2,357 customers of the literature: times in weeks."""
    table = pd.read_csv(open_data / "cdnow" / "cdnow_customers_summary_with_transactions.csv")
    return table.rename(columns={"x": "frequency", "t_x": "recency", "T": "age", "zbar": "mean_amount"})


# -- published numbers -----------------------------------------------------------------------------------------------------


def test_bg_nbd_on_cdnow_as_published(cdnow):
    """Fader, Hardie and Lee 2005: parameters, likelihood, and the expectation of customer 0001 for the next 39 weeks."""
    fit = lifetime.fit_bg_nbd(cdnow)
    assert [round(value, 3) for value in (fit.r, fit.alpha, fit.a, fit.b)] == [0.243, 4.414, 0.793, 2.426]
    assert fit.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert (fit.customers_count, fit.repeaters_count) == (2357, 946)
    assert round(float(lifetime.expected_purchases(fit, 2, 30.43, 38.86, 39)), 3) == 1.226


def test_gamma_gamma_on_cdnow_as_published(cdnow):
    """Fader and Hardie 2013: p 6.25, q 3.74, γ 15.44, mean spend about 35.25; 946 repeaters."""
    fit = lifetime.fit_gamma_gamma(cdnow)
    assert [round(fit.p, 2), round(fit.q, 2)] == [6.25, 3.74] and fit.gamma == pytest.approx(15.44, abs=0.02)
    assert float(lifetime.expected_spend(fit, 0, 0)) == pytest.approx(35.25, abs=0.1)
    assert fit.customers_count == 946


def test_the_same_as_lifetimes(cdnow):
    """Another program, with its own likelihood and its own optimiser."""
    others = pytest.importorskip("lifetimes")
    ours, theirs = lifetime.fit_bg_nbd(cdnow), others.BetaGeoFitter()
    theirs.fit(cdnow["frequency"], cdnow["recency"], cdnow["age"])
    assert [ours.r, ours.alpha, ours.a, ours.b] == pytest.approx(theirs.params_[["r", "alpha", "a", "b"]].tolist(), rel=1e-4)
    alive = theirs.conditional_probability_alive(cdnow["frequency"], cdnow["recency"], cdnow["age"])
    assert lifetime.probability_alive(ours, cdnow["frequency"], cdnow["recency"], cdnow["age"]) == pytest.approx(alive, rel=1e-4)
    coming = theirs.conditional_expected_number_of_purchases_up_to_time(39, cdnow["frequency"], cdnow["recency"], cdnow["age"])
    assert lifetime.expected_purchases(ours, cdnow["frequency"], cdnow["recency"], cdnow["age"], 39) == pytest.approx(
        coming.to_numpy(), rel=1e-4)
    repeaters = cdnow[cdnow["frequency"] > 0]
    ours, theirs = lifetime.fit_gamma_gamma(repeaters), others.GammaGammaFitter()
    theirs.fit(repeaters["frequency"], repeaters["mean_amount"])
    assert [ours.p, ours.q, ours.gamma] == pytest.approx(theirs.params_[["p", "q", "v"]].tolist(), rel=1e-3)


# -- a second way: the integrals that the formulas solve -----------------------------------------------------------------------


def likelihood_by_integrals(fit: BgNbd, x: float, recency: float, age: float) -> float:
    """Of one customer: the rate of purchase and the chance to leave integrated out one after the other, by numbers."""
    def over_rates(until: float) -> float:
        return quad(lambda rate: rate**x * np.exp(-rate * until) * gamma_law.pdf(rate, fit.r, scale=1 / fit.alpha), 0, np.inf)[0]

    def over_chances(function) -> float:
        return quad(lambda chance: function(chance) * beta_law.pdf(chance, fit.a, fit.b), 0, 1)[0]

    stayed = over_chances(lambda chance: (1 - chance) ** x) * over_rates(age)
    left = over_chances(lambda chance: chance * (1 - chance) ** (x - 1)) * over_rates(recency) if x else 0.0
    return float(np.log(stayed + left))


def test_the_likelihood_is_that_of_the_integrals():
    table = pd.DataFrame([(0, 0, 10), (1, 3, 10), (2, 9, 10), (5, 30, 31), (12, 20, 60)], columns=["frequency", "recency", "age"])
    fit = model(1.3, 6.0, 1.7, 2.2)
    scale = table["age"].mean()
    histories = bg_nbd._grouped(bg_nbd.checked(table, bg_nbd.HISTORY), scale)
    found, _ = bg_nbd._bg_nbd(histories, np.log([fit.r, fit.alpha / scale, fit.a, fit.b]))
    found -= table["frequency"].sum() * np.log(scale)
    assert found == pytest.approx(sum(likelihood_by_integrals(fit, *row) for row in table.to_numpy(dtype=float)), rel=1e-7)


def purchases_by_integral(fit: BgNbd, x: float, recency: float, age: float, ahead: float) -> float:
    """P(alive) × the mean over the chances to leave of (1 − (1 + chance · ahead / (α + age))^−(r + x)) / chance."""
    law, s = beta_law(fit.a, fit.b + x), ahead / (fit.alpha + age)

    def by_quantile(u: float) -> float:
        chance = max(law.ppf(u), 1e-300)
        return -np.expm1(-(fit.r + x) * np.log1p(chance * s)) / chance

    mean = quad(by_quantile, 0, 1, limit=400, epsabs=1e-10, epsrel=1e-10)[0]
    return float(lifetime.probability_alive(fit, x, recency, age)) * mean


@pytest.mark.filterwarnings("ignore:.*:scipy.integrate.IntegrationWarning")
@given(st.floats(0.1, 6), st.floats(1, 90), st.floats(0.3, 5), st.floats(0.3, 12), st.integers(0, 150), st.floats(0.05, 1),
       st.floats(1, 500), st.floats(1, 600))
def test_expected_purchases_are_those_of_the_integral(r, alpha, a, b, x, part, age, ahead):
    fit = model(r, alpha, a, b)
    recency = age * part if x else 0.0
    found = float(lifetime.expected_purchases(fit, x, recency, age, ahead))
    assert found == pytest.approx(purchases_by_integral(fit, x, recency, age, ahead), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize(("a", "b"), [(1.0, 2.0), (0.4, 0.6), (1.0, 1e-9)])
def test_where_the_formula_is_nought_by_nought(a, b):
    fit = model(0.8, 10.0, a, b)
    for x, recency in ((0, 0.0), (3, 8.0)):
        found = float(lifetime.expected_purchases(fit, x, recency, 20.0, 52.0))
        near = [float(lifetime.expected_purchases(model(0.8, 10.0, a + step, b), x, recency, 20.0, 52.0)) for step in (-1e-4, 1e-4)]
        assert found == pytest.approx(np.mean(near), rel=1e-3)


def test_expected_spend_is_drawn_from_the_own_mean_to_that_of_all():
    """p 2, q 3, γ 10: everybody's 2 × 10 / 2 = 10; one order of 40: (10 + 40) × 2 / (2 + 2) = 25; a hundred of 40: about 40."""
    fit = GammaGamma(2.0, 3.0, 10.0, 0.0, 1, np.eye(3))
    assert lifetime.expected_spend(fit, [0, 1, 100], [np.nan, 40.0, 40.0]).round(2).tolist() == [10.0, 25.0, 39.7]


def test_the_gradients_are_those_of_differences(cdnow):
    histories = bg_nbd._grouped(bg_nbd.checked(cdnow, bg_nbd.HISTORY), 30.0)
    again = cdnow[cdnow["frequency"] > 0]
    amounts = again["frequency"].to_numpy(float), again["mean_amount"].to_numpy(), np.ones(len(again))
    for function, point in ((lambda logs: bg_nbd._bg_nbd(histories, logs), np.array([-1.0, -0.7, 0.3, 0.9])),
                            (lambda logs: gamma_gamma._gamma_gamma(*amounts, logs), np.array([1.5, 1.2, 2.5]))):
        steps = 1e-5 * np.eye(len(point))
        slopes = [(function(point + step)[0] - function(point - step)[0]) / 2e-5 for step in steps]
        assert function(point)[1] == pytest.approx(slopes, rel=1e-6)


# -- planted parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_planted_parameters_are_found_within_their_errors(seed):
    fit = lifetime.fit_bg_nbd(simulated(4000, seed))
    away = (np.log([fit.r, fit.alpha, fit.a, fit.b]) - np.log(list(TRUE.values()))) / np.sqrt(np.diag(fit.covariance))
    assert np.abs(away).max() < 3
    # All four together: the distance of four standard normals (99.9 %).
    gone = np.log([fit.r, fit.alpha, fit.a, fit.b]) - np.log(list(TRUE.values()))
    assert gone @ np.linalg.solve(fit.covariance, gone) < 18.5


def test_the_planted_future_is_expected():
    """20,000 customers, cut at week 75: the model told of the first half expects what comes in the second within 5 %."""
    rng = np.random.default_rng(5)
    size = 20_000
    rate, leave = rng.gamma(TRUE["r"], 1 / TRUE["alpha"], size), rng.beta(TRUE["a"], TRUE["b"], size)
    seen, recency, later, time, there = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size), np.full(size, True)
    while there.any():
        time = time + rng.exponential(1.0, size) / np.maximum(rate, 1e-12)
        there &= time < 150
        before = there & (time <= 75)
        seen, recency, later = seen + before, np.where(before, time, recency), later + (there & ~before)
        there &= rng.random(size) >= leave
    table = pd.DataFrame({"frequency": seen, "recency": recency, "age": 75.0})
    fit = lifetime.fit_bg_nbd(table)
    assert lifetime.expected_purchases(fit, seen, recency, 75.0, 75.0).sum() == pytest.approx(later.sum(), rel=0.05)
    assert lifetime.expected_purchases(fit, 0, 0, 0, 75.0) * size == pytest.approx(seen.sum(), rel=0.03)


def test_planted_amounts_are_found_within_their_errors():
    rng = np.random.default_rng(3)
    frequency = 1 + rng.poisson(1.5, 3000)
    level = rng.gamma(4.0, 1 / 11_000.0, 3000)
    table = pd.DataFrame({"frequency": frequency, "mean_amount": rng.gamma(6.0 * frequency, 1.0) / frequency / level})
    fit = lifetime.fit_gamma_gamma(table)
    away = np.log([fit.p, fit.q, fit.gamma]) - np.log([6.0, 4.0, 11_000.0])
    assert np.abs(away / np.sqrt(np.diag(fit.covariance))).max() < 3


# -- laws ----------------------------------------------------------------------------------------------------------------------


def parameters(fit: BgNbd) -> list[float]:
    return [fit.r, fit.alpha, fit.a, fit.b, fit.log_likelihood]


def test_rows_grouped_or_not_and_in_any_order():
    table = simulated(1500, 11).round({"recency": 0, "age": 0})
    table["recency"] = np.minimum(table["recency"].where(table["frequency"] > 0, 0), table["age"])
    plain = lifetime.fit_bg_nbd(table)
    grouped = table.groupby(["frequency", "recency", "age"]).size().reset_index(name="customers_count")
    assert parameters(lifetime.fit_bg_nbd(grouped)) == pytest.approx(parameters(plain), rel=1e-6)
    assert parameters(lifetime.fit_bg_nbd(table.sample(frac=1, random_state=1))) == pytest.approx(parameters(plain), rel=1e-6)


def test_every_customer_twice_is_the_same_model_with_half_the_variance():
    table = simulated(1500, 12)
    once, twice = lifetime.fit_bg_nbd(table), lifetime.fit_bg_nbd(pd.concat([table, table]))
    assert parameters(twice)[:4] == pytest.approx(parameters(once)[:4], rel=1e-5)
    assert twice.log_likelihood == pytest.approx(2 * once.log_likelihood)
    assert twice.covariance == pytest.approx(once.covariance / 2, rel=1e-3)


@pytest.mark.parametrize("factor", [7.0, 1 / 52.18, 10_000.0])
def test_another_unit_of_time_scales_alpha_alone(factor):
    table = simulated(1500, 13)
    weeks, others = lifetime.fit_bg_nbd(table), lifetime.fit_bg_nbd(table.assign(recency=table["recency"] * factor, age=table["age"] * factor))
    assert [others.r, others.alpha / factor, others.a, others.b] == pytest.approx(parameters(weeks)[:4], rel=1e-6)
    assert others.log_likelihood == pytest.approx(weeks.log_likelihood - table["frequency"].sum() * np.log(factor))


def test_another_currency_scales_gamma_alone(cdnow):
    dollars, cents = lifetime.fit_gamma_gamma(cdnow), lifetime.fit_gamma_gamma(cdnow.assign(mean_amount=cdnow["mean_amount"] * 100))
    assert [cents.p, cents.q, cents.gamma / 100] == pytest.approx([dollars.p, dollars.q, dollars.gamma], rel=1e-6)


@given(st.floats(0.2, 3), st.floats(2, 60), st.floats(0.3, 4), st.floats(0.5, 9), st.integers(0, 30), st.floats(0.1, 1), st.floats(5, 200))
def test_more_time_brings_no_fewer_purchases_and_silence_no_better_chances(r, alpha, a, b, x, part, age):
    fit, recency = model(r, alpha, a, b), age * part if x else 0.0
    coming = lifetime.expected_purchases(fit, x, recency, age, np.linspace(0, 300, 30))
    assert coming[0] == pytest.approx(0, abs=1e-9) and (np.diff(coming) >= -1e-9).all() and np.isfinite(coming).all()
    alive = lifetime.probability_alive(fit, x, recency, age + np.linspace(0, 300, 30))
    assert (np.diff(alive) <= 1e-12).all() and (alive >= 0).all() and (alive <= 1).all()


# -- bad input -------------------------------------------------------------------------------------------------------------------


def test_nobody_came_back():
    once = pd.DataFrame({"frequency": [0, 0], "recency": [0, 0], "age": [5, 9]})
    with pytest.raises(MeasureError, match="came back"):
        lifetime.fit_bg_nbd(once)
    with pytest.raises(MeasureError, match="came back"):
        lifetime.fit_gamma_gamma(once.assign(mean_amount=0.0))


def test_what_does_not_settle_is_an_error_and_no_number():
    """Everybody comes every week to the day and nobody leaves: no rates differ, nobody's chance to leave is seen."""
    clocks = pd.DataFrame({"frequency": [50] * 300, "recency": [50.0] * 300, "age": [50.0] * 300})
    with pytest.raises(MeasureError, match="does not settle"):
        lifetime.fit_bg_nbd(clocks)
    with pytest.raises(MeasureError, match="does not settle"):
        lifetime.fit_gamma_gamma(clocks.assign(mean_amount=10.0))


def test_amounts_without_a_mean():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"frequency": 3, "mean_amount": rng.gamma(6.0, 1.0, 2000) / rng.gamma(0.6, 1.0, 2000)})
    with pytest.raises(MeasureError, match="no mean"):
        lifetime.fit_gamma_gamma(table)


@pytest.mark.parametrize("row", [(1, 5, 3), (0, 2, 3), (-1, 0, 3), (1.5, 1, 3), (1, np.nan, 3), (np.nan, 0, 3)])
def test_histories_that_cannot_be(row):
    with pytest.raises(CallError, match="row 0"):
        lifetime.fit_bg_nbd(pd.DataFrame([row], columns=["frequency", "recency", "age"]))


def test_wrong_columns_name_the_nearest():
    with pytest.raises(CallError, match="Did you mean 'freqency'"):
        lifetime.fit_bg_nbd(pd.DataFrame({"freqency": [1], "recency": [1], "age": [2]}))
    with pytest.raises(CallError, match="above zero"):
        lifetime.fit_gamma_gamma(pd.DataFrame({"frequency": [1], "mean_amount": [0.0]}))
