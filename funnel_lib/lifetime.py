"""Purchase models of customers without a contract: BG/NBD for how often they come, gamma-gamma for how much they spend.

Maximum likelihood on grouped counts: customers who are alike are one row with a count. Times are in any one unit, weeks elsewhere
in this package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from funnel_lib.errors import CallError, MeasureError, nearest
from funnel_lib.rates import ratio

HISTORY = ["frequency", "recency", "age"]
# Logarithms of the parameters, time and money counted in their means: what runs to this edge, the data do not determine.
EDGE = 9.0
_STEP = 1e-4
# An optimum is found where a further step would gain less likelihood than this.
_LEAST_GAIN = 1e-8
_BG_NBD_STARTS = np.log([[0.5, 0.3, 0.8, 2.5], [1.0, 1.0, 0.3, 3.0], [3.0, 0.5, 1.0, 8.0], [0.2, 0.1, 2.0, 2.0]])
_GAMMA_GAMMA_STARTS = np.log([[6.0, 4.0, 0.5], [1.5, 2.0, 0.7], [30.0, 10.0, 0.3]])


@dataclass(frozen=True)
class BgNbd:
    """The BG/NBD model as fitted: rates of purchase ~ gamma(`r`, `alpha`), chances to leave after a repeat purchase ~ beta(`a`, `b`).

    `alpha` is in the unit of time of the data. `customers_count` and `repeaters_count` are whom it rests on; `covariance` is that
    of the logarithms of the four parameters, in this order.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    customers_count: int
    repeaters_count: int
    covariance: np.ndarray = field(repr=False, compare=False)


@dataclass(frozen=True)
class GammaGamma:
    """The gamma-gamma model as fitted: amounts of one customer ~ gamma(`p`, rate), the rates of customers ~ gamma(`q`, `gamma`).

    `customers_count` are the repeaters it rests on; `covariance` is that of the logarithms of the three parameters.
    """

    p: float
    q: float
    gamma: float
    log_likelihood: float
    customers_count: int
    covariance: np.ndarray = field(repr=False, compare=False)


class _Histories(NamedTuple):
    """Grouped histories: customers without a repeat purchase by age, the others by kind of history.

    The values of times and of numbers of purchases are few and the groups many: logarithms are taken of the values, and
    `…_at` says which of them each group has.
    """

    ages: np.ndarray
    recencies: np.ndarray
    once_count: np.ndarray  # per age
    frequencies: np.ndarray
    frequency_count: np.ndarray
    frequency_at: np.ndarray
    recency_at: np.ndarray
    age_at: np.ndarray
    count: np.ndarray


def fit_bg_nbd(purchases: pd.DataFrame) -> BgNbd:
    """The BG/NBD model of these customers, by maximum likelihood.

    `purchases` has one row per customer, or per group of such who are alike: `frequency` (purchases after the first one),
    `recency` (time from the first one to the last one), `age` (time from the first one to the end of observation) and, when
    grouped, `customers_count`. Raises `CallError` for histories that cannot be and `MeasureError` where nobody came back or no
    parameters fit best. Source: Fader, Hardie and Lee 2005.
    """
    table = _checked(purchases, HISTORY)
    scale = float(ratio(table["age"] @ table["customers_count"], table["customers_count"].sum()))
    repeaters = int(table["customers_count"][table["frequency"] > 0].sum())
    if not (repeaters and scale > 0):
        raise MeasureError("needs customers who came back, to tell how they do")
    histories = _grouped(table, scale)
    point, value, covariance = _maximum(lambda logs: _bg_nbd(histories, logs), _BG_NBD_STARTS, ("r", "alpha", "a", "b"), "BG/NBD")
    r, alpha, a, b = np.exp(point)
    # Densities of the repeat purchases' times are per unit of time.
    value -= float(table["frequency"] @ table["customers_count"]) * np.log(scale)
    return BgNbd(float(r), float(alpha * scale), float(a), float(b), value, int(table["customers_count"].sum()), repeaters, covariance)


def fit_gamma_gamma(purchases: pd.DataFrame) -> GammaGamma:
    """The gamma-gamma model of the amounts of repeat purchases, by maximum likelihood.

    `purchases` has one row per customer (or group): `frequency` (repeat purchases), `mean_amount` of them and, when grouped,
    `customers_count`; rows without a repeat purchase are left out. Raises `CallError` for amounts that are not positive and
    `MeasureError` where no parameters fit best or the mean amount is infinite. Source: Fader and Hardie 2013.
    """
    table = _checked(purchases, ["frequency", "mean_amount"])
    table = table[table["frequency"] > 0]
    count = table["customers_count"].to_numpy()
    if not count.sum():
        raise MeasureError("needs customers who came back, to tell what they spend")
    if not (table["mean_amount"] > 0).all():
        raise CallError("mean_amount: expected amounts above zero where there are repeat purchases")
    scale = float(ratio(table["mean_amount"] @ count, count.sum()))
    frequency, amount = table["frequency"].to_numpy(), table["mean_amount"].to_numpy() / scale
    point, value, covariance = _maximum(lambda logs: _gamma_gamma(frequency, amount, count, logs), _GAMMA_GAMMA_STARTS,
                                        ("p", "q", "gamma"), "gamma-gamma")
    p, q, gamma = np.exp(point)
    if q <= 1:
        raise MeasureError("the amounts differ so much that the gamma-gamma model gives them no mean")
    return GammaGamma(float(p), float(q), float(gamma * scale), value - float(count.sum() * np.log(scale)), int(count.sum()), covariance)


def probability_alive(fit: BgNbd, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> np.ndarray:
    """The chance that customers with these histories have not left for good; 1 for those who came once. Source: Fader et al. 2008."""
    from scipy.special import expit  # loaded here: scipy is slow to import

    x, recency, age = (np.asarray(values, dtype=float) for values in (frequency, recency, age))
    return np.where(x > 0, expit(-_log_odds_gone(fit.r, fit.a, fit.b, np.maximum(x, 1), np.log(fit.alpha + recency), np.log(fit.alpha + age))), 1.0)


def expected_purchases(fit: BgNbd, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, ahead: ArrayLike) -> np.ndarray:
    """How many purchases customers with these histories will make in the time `ahead`; a new one has 0, 0 and 0.

    Source: Fader, Hardie and Lee 2005, equation 10, by Euler's transformation of the hypergeometric function, whose parameters
    then do not grow with the number of purchases.
    """
    from scipy.special import hyp2f1  # loaded here: scipy is slow to import

    x, age, ahead = (np.asarray(values, dtype=float) for values in (frequency, age, ahead))
    a, b = fit.a, fit.b
    if min(abs(a - 1), abs(a + b - 1)) < 1e-6:
        a += 2e-6  # the formula is 0 / 0 there, its value is not
    c, z = a + b + x - 1, ahead / (fit.alpha + age + ahead)
    none = (1 - z) ** (a - 1) * hyp2f1(a - 1, a + b - 1 - fit.r, c, z)
    return probability_alive(fit, x, recency, age) * c / (a - 1) * (1 - none) + 0.0  # no minus before a zero


def expected_spend(fit: GammaGamma, frequency: ArrayLike, mean_amount: ArrayLike) -> np.ndarray:
    """The mean amount to expect of customers with so many repeat purchases of this mean amount: between their own and everybody's.

    Those who came once (frequency 0) get everybody's, p · gamma / (q − 1). Source: Fader and Hardie 2013, equation 5.
    """
    x = np.asarray(frequency, dtype=float)
    spent = np.where(x > 0, x * np.asarray(mean_amount, dtype=float), 0.0)
    return fit.p * (fit.gamma + spent) / (fit.p * x + fit.q - 1)


# -- the likelihoods -----------------------------------------------------------------------------------------------------


def _log_odds_gone(r, a, b, x, log_recency, log_age) -> np.ndarray:
    """Log-odds that a customer with x > 0 repeat purchases has left, from the logarithms of alpha + recency and alpha + age."""
    return np.log(a) - np.log(b + x - 1) + (r + x) * (log_age - log_recency)


def _bg_nbd(histories: _Histories, logs: np.ndarray) -> tuple[float, np.ndarray]:
    """Log-likelihood and its gradient by the logarithms of r, alpha, a and b."""
    from scipy.special import expit, gammaln, log_expit, psi  # loaded here: scipy is slow to import

    r, alpha, a, b = np.exp(logs)
    x, per_x, count, once = histories.frequencies, histories.frequency_count, histories.count, histories.once_count
    ages, recencies = alpha + histories.ages, alpha + histories.recencies
    log_ages = np.log(ages)
    log_age, log_recency = log_ages[histories.age_at], np.log(recencies)[histories.recency_at]
    own = x[histories.frequency_at]
    odds = _log_odds_gone(r, a, b, own, log_recency, log_age)
    gone = count * expit(odds)
    value = (per_x @ (gammaln(r + x) - gammaln(r) + r * logs[1] + gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x))
             - r * (once @ log_ages) - count @ ((r + own) * log_age) - count @ log_expit(-odds))
    by_r = (per_x @ (psi(r + x) - psi(r) + logs[1]) - once @ log_ages - count @ log_age + gone @ (log_age - log_recency))
    inverse_age, inverse_recency = (1 / ages)[histories.age_at], (1 / recencies)[histories.recency_at]
    by_alpha = (per_x.sum() * r / alpha - r * (once @ (1 / ages)) - count @ ((r + own) * inverse_age)
                - gone @ ((r + own) * (inverse_recency - inverse_age)))
    both = psi(a + b) - psi(a + b + x)
    by_a = per_x @ both + gone.sum() / a
    by_b = per_x @ (both + psi(b + x) - psi(b)) - gone @ (1 / (b + own - 1))
    return float(value), np.array([by_r, by_alpha, by_a, by_b]) * (r, alpha, a, b)


def _gamma_gamma(x: np.ndarray, mean: np.ndarray, count: np.ndarray, logs: np.ndarray) -> tuple[float, np.ndarray]:
    """Log-likelihood and its gradient by the logarithms of p, q and gamma."""
    from scipy.special import gammaln, psi  # loaded here: scipy is slow to import

    p, q, gamma = np.exp(logs)
    spent, shape = gamma + x * mean, p * x + q
    log_spent, log_total = np.log(spent), np.log(x * mean)
    value = count @ (gammaln(shape) - gammaln(p * x) - gammaln(q) + q * logs[2] + p * x * log_total - np.log(mean) - shape * log_spent)
    by_p = count @ (x * (psi(shape) - psi(p * x) + log_total - log_spent))
    by_q = count @ (psi(shape) - psi(q) + logs[2] - log_spent)
    by_gamma = count @ (q / gamma - shape / spent)
    return float(value), np.array([by_p, by_q, by_gamma]) * (p, q, gamma)


# -- the maximum ---------------------------------------------------------------------------------------------------------


def _maximum(likelihood: Callable[[np.ndarray], tuple[float, np.ndarray]], starts: np.ndarray, names: tuple[str, ...],
             model: str) -> tuple[np.ndarray, float, np.ndarray]:
    """The logarithms of the parameters of maximum likelihood, its value, and their covariance from the curvature.

    The two most promising starts are followed, Newton's steps finish the better end.
    """
    from scipy.optimize import minimize  # loaded here: scipy is slow to import

    def cost(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = likelihood(point)
        return -value, -gradient

    ranked = sorted(starts, key=lambda point: cost(point)[0])[:2]
    fits = [minimize(cost, point, jac=True, method="L-BFGS-B", bounds=[(-EDGE, EDGE)] * len(names),
                     options={"ftol": 1e-13, "maxiter": 500}) for point in ranked]
    point = min(fits, key=lambda fit: fit.fun).x
    loose = [name for name, at in zip(names, point, strict=True) if abs(at) > EDGE - 0.01]
    if loose:
        raise MeasureError(f"the {model} model does not settle on these purchases : there is no best {', '.join(loose)}")
    for _ in range(8):
        gradient, curvature = cost(point)[1], _curvature(cost, point)
        if not np.linalg.eigvalsh(curvature)[0] > 0:
            break
        step = np.linalg.solve(curvature, gradient)
        if gradient @ step < _LEAST_GAIN:
            return point, float(-cost(point)[0]), np.linalg.inv(curvature)
        point = point - step * min(1.0, 1.0 / np.abs(step).max())
    raise MeasureError(f"the {model} model does not settle on these purchases")


def _curvature(cost: Callable[[np.ndarray], tuple[float, np.ndarray]], point: np.ndarray) -> np.ndarray:
    """Second derivatives, from differences of the gradient."""
    steps = _STEP * np.eye(len(point))
    rows = np.array([(cost(point + step)[1] - cost(point - step)[1]) / (2 * _STEP) for step in steps])
    return (rows + rows.T) / 2


# -- what comes in -------------------------------------------------------------------------------------------------------


def _checked(purchases: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The columns needed as floats, with `customers_count` (1 where there is none)."""
    for name in columns:
        if name not in purchases:
            raise CallError(f"purchases: column {name!r} is missing; it needs {', '.join(columns)}." + nearest(name, purchases.columns))
    table = purchases[columns].astype(float)
    table["customers_count"] = purchases["customers_count"].astype(float) if "customers_count" in purchases else 1.0
    x = table["frequency"]
    wrong = (x < 0) | (x % 1 != 0) | table[["frequency", "customers_count"]].isna().any(axis=1)
    if "age" in columns:
        wrong |= ~((table["recency"] >= 0) & (table["recency"] <= table["age"])) | ((x == 0) & (table["recency"] > 0))
    if wrong.any():
        row = wrong.idxmax()
        found = ", ".join(f"{name} {value:g}" for name, value in table.loc[row].items()) if wrong.index.is_unique else ""
        raise CallError(f"purchases, row {row}: {found}: expected a whole frequency and 0 ≤ recency ≤ age, recency 0 for frequency 0")
    return table


def _grouped(table: pd.DataFrame, scale: float) -> _Histories:
    """Customers who are alike added up; times in units of `scale`."""
    count = table["customers_count"].to_numpy()
    (x_at, x), (recency_at, recencies), (age_at, ages) = (pd.factorize(table[name].to_numpy(), sort=True) for name in HISTORY)
    again = table["frequency"].to_numpy() > 0
    key = (x_at[again] * len(recencies) + recency_at[again]) * len(ages) + age_at[again]
    kinds, which = np.unique(key, return_inverse=True)
    rest, age_of = np.divmod(kinds, len(ages))
    x_of, recency_of = np.divmod(rest, len(recencies))
    return _Histories(ages / scale, recencies / scale, np.bincount(age_at[~again], count[~again], len(ages)), x,
                      np.bincount(x_at, count, len(x)), x_of, recency_of, age_of, np.bincount(which, count[again], len(kinds)))
