"""BG/NBD: how often customers without a contract come, and whether they have left, from grouped purchase histories."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.lifetime.maximum import checked, maximum, total
from funnel_lib.rates import ratio

HISTORY = ["frequency", "recency", "age"]
_STARTS = np.log([[0.5, 0.3, 0.8, 2.5], [1.0, 1.0, 0.3, 3.0], [3.0, 0.5, 1.0, 8.0], [0.2, 0.1, 2.0, 2.0]])
# Where a maximum is, times cut to this many steps of the longest age tell almost as well as the times themselves.
_ROUGH_STEPS = 60


@dataclass(frozen=True)
class BgNbd:
    """The BG/NBD model as fitted: rates of purchase ~ gamma(`r`, `alpha`), chances to leave after a repeat one ~ beta(`a`, `b`).

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
    table = checked(purchases, HISTORY)
    scale = float(ratio(table["age"] @ table["customers_count"], table["customers_count"].sum()))
    repeaters = int(table["customers_count"][table["frequency"] > 0].sum())
    if not (repeaters and scale > 0):
        raise MeasureError(message("needs customers who came back, to tell how they do"))
    step = float(table["age"].max()) / _ROUGH_STEPS
    blurred = table.assign(**{name: (table[name] / step).round() * step for name in ("recency", "age")})
    exact, rough = _grouped(table, scale), _grouped(blurred, scale)
    point, value, covariance = maximum(lambda logs: _bg_nbd(exact, logs), lambda logs: _bg_nbd(rough, logs), _STARTS,
                                        ("r", "alpha", "a", "b"), "BG/NBD")
    r, alpha, a, b = np.exp(point)
    # Densities of the repeat purchases' times are per unit of time.
    value -= float(table["frequency"] @ table["customers_count"]) * np.log(scale)
    size = int(table["customers_count"].sum())
    return BgNbd(float(r), float(alpha * scale), float(a), float(b), float(value), size, repeaters, covariance)


def probability_alive(fit: BgNbd, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> np.ndarray:
    """The chance that customers with these histories have not left for good; 1 for those who came once.

    Source: Fader, Hardie and Lee 2008.
    """
    from scipy.special import expit  # loaded here: scipy is slow to import

    x, recency, age = (np.asarray(values, dtype=float) for values in (frequency, recency, age))
    odds = _log_odds_gone(fit.r, fit.a, fit.b, np.maximum(x, 1), np.log(fit.alpha + recency), np.log(fit.alpha + age))
    return np.where(x > 0, expit(-odds), 1.0)


def expected_purchases(fit: BgNbd, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, ahead: ArrayLike) -> np.ndarray:
    """How many purchases customers with these histories will make in the time `ahead`; a new one has 0, 0 and 0.

    Source: Fader, Hardie and Lee 2005 (conditional expectation), by Euler's transformation of the hypergeometric function, whose
    parameters then do not grow with the number of purchases.
    """
    from scipy.special import hyp2f1  # loaded here: scipy is slow to import

    x, age, ahead = (np.asarray(values, dtype=float) for values in (frequency, age, ahead))
    a, b = fit.a, fit.b
    if min(abs(a - 1), abs(a + b - 1)) < 1e-6:
        a += 2e-6  # the formula is 0 / 0 there, its value is not
    c, z = a + b + x - 1, ahead / (fit.alpha + age + ahead)
    none = (1 - z) ** (a - 1) * hyp2f1(a - 1, a + b - 1 - fit.r, c, z)
    return probability_alive(fit, x, recency, age) * c / (a - 1) * (1 - none) + 0.0  # no minus before a zero


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
    constant = gammaln(a + b) - gammaln(b) - gammaln(r) + r * logs[1]
    value = (total(per_x, gammaln(r + x) + gammaln(b + x) - gammaln(a + b + x) + constant)
             - r * total(once, log_ages) - total(count, (r + own) * log_age + log_expit(-odds)))
    by_r = (total(per_x, psi(r + x) - psi(r) + logs[1]) - total(once, log_ages) - total(count, log_age)
            + total(gone, log_age - log_recency))
    inverse_age, inverse_recency = (1 / ages)[histories.age_at], (1 / recencies)[histories.recency_at]
    by_alpha = (per_x.sum() * r / alpha - r * total(once, 1 / ages) - total(count, (r + own) * inverse_age)
                - total(gone, (r + own) * (inverse_recency - inverse_age)))
    both = psi(a + b) - psi(a + b + x)
    by_a = total(per_x, both) + gone.sum() / a
    by_b = total(per_x, both + psi(b + x) - psi(b)) - total(gone, 1 / (b + own - 1))
    return value, np.array([by_r, by_alpha, by_a, by_b]) * (r, alpha, a, b)


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
