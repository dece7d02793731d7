"""Gamma-gamma: what customers spend per purchase, from the mean amounts of those who came back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from funnel_lib.errors import CallError, MeasureError
from funnel_lib.language.messages import message
from funnel_lib.lifetime.maximum import checked, maximum, total
from funnel_lib.rates import ratio

_STARTS = np.log([[6.0, 4.0, 0.5], [1.5, 2.0, 0.7], [30.0, 10.0, 0.3]])


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


def fit_gamma_gamma(purchases: pd.DataFrame) -> GammaGamma:
    """The gamma-gamma model of the amounts of repeat purchases, by maximum likelihood.

    `purchases` has one row per customer (or group): `frequency` (repeat purchases), `mean_amount` of them and, when grouped,
    `customers_count`; rows without a repeat purchase are left out. Raises `CallError` for amounts that are not positive and
    `MeasureError` where no parameters fit best or the mean amount is infinite. Source: Fader and Hardie 2013.
    """
    table = checked(purchases, ["frequency", "mean_amount"])
    table = table[table["frequency"] > 0]
    count = table["customers_count"].to_numpy()
    if not count.sum():
        raise MeasureError(message("needs customers who came back, to tell what they spend"))
    if not (table["mean_amount"] > 0).all():
        raise CallError(message("mean_amount: expected amounts above zero where there are repeat purchases"))
    scale = float(ratio(table["mean_amount"] @ count, count.sum()))
    frequency, amount = table["frequency"].to_numpy(), table["mean_amount"].to_numpy() / scale

    def likelihood(logs: np.ndarray) -> tuple[float, np.ndarray]:
        return _gamma_gamma(frequency, amount, count, logs)

    point, value, covariance = maximum(likelihood, likelihood, _STARTS, ("p", "q", "gamma"), "gamma-gamma")
    p, q, gamma = np.exp(point)
    if q <= 1:
        raise MeasureError(message("the amounts differ so much that the gamma-gamma model gives them no mean"))
    size = int(count.sum())
    return GammaGamma(float(p), float(q), float(gamma * scale), float(value - size * np.log(scale)), size, covariance)


def expected_spend(fit: GammaGamma, frequency: ArrayLike, mean_amount: ArrayLike) -> np.ndarray:
    """The mean amount to expect of customers with so many repeat purchases of this mean amount: between their own and everybody's.

    Those who came once (frequency 0) get everybody's, p · gamma / (q − 1). Source: Fader and Hardie 2013.
    """
    x = np.asarray(frequency, dtype=float)
    spent = np.where(x > 0, x * np.asarray(mean_amount, dtype=float), 0.0)
    return fit.p * (fit.gamma + spent) / (fit.p * x + fit.q - 1)


def _gamma_gamma(x: np.ndarray, mean: np.ndarray, count: np.ndarray, logs: np.ndarray) -> tuple[float, np.ndarray]:
    """Log-likelihood and its gradient by the logarithms of p, q and gamma."""
    from scipy.special import gammaln, psi  # loaded here: scipy is slow to import

    p, q, gamma = np.exp(logs)
    spent, shape = gamma + x * mean, p * x + q
    log_spent, log_total = np.log(spent), np.log(x * mean)
    value = total(count, gammaln(shape) - gammaln(p * x) - gammaln(q) + q * logs[2] + p * x * log_total - np.log(mean)
                   - shape * log_spent)
    by_p = total(count, x * (psi(shape) - psi(p * x) + log_total - log_spent))
    by_q = total(count, psi(shape) - psi(q) + logs[2] - log_spent)
    by_gamma = total(count, q / gamma - shape / spent)
    return value, np.array([by_p, by_q, by_gamma]) * (p, q, gamma)
