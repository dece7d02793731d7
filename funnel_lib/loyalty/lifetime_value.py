"""Lifetime value: what a new customer is worth within a horizon, by a model where it holds, else by plain means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import customers
from funnel_lib.engine import collect
from funnel_lib.errors import CallError, MeasureError
from funnel_lib.language.messages import message
from funnel_lib.lifetime import BgNbd, GammaGamma, expected_purchases, expected_spend, fit_bg_nbd, fit_gamma_gamma
from funnel_lib.loyalty.holdout import LEAST_WEEKS_OBSERVED, holdout
from funnel_lib.loyalty.observed_value import YEAR_MONTHS, Margins, discounts, margins, observed_values
from funnel_lib.loyalty.purchases import WEEK_DAYS, purchases, repeat_amounts
from funnel_lib.periods import DAYS_PER_MONTH
from funnel_lib.rates import FEW, Z_95, ratio

HORIZON_MONTHS = 24
MODEL, PLAIN = "model", "plain"
LEAST_REPEATERS = 200
MOST_ERROR_SHARE = 0.2
FEW_REPEATERS, SHORT_HISTORY, HOLDOUT_OFF, UNSETTLED = "few_repeaters", "short_history", "holdout_off", "model_unsettled"
MONTH_WEEKS = DAYS_PER_MONTH / WEEK_DAYS


@dataclass(frozen=True)
class LifetimeValue:
    """The margin that a new customer brings within `horizon_months` of the first order, and why it may be believed.

    `ltv_amount` with 95 % limits, discounted to the day of the first order by `discount_rate_per_year`; `method` is "model" (BG/NBD
    for the orders, gamma-gamma for their amounts × `repeat_margin_share`, the first order's margin as observed) or "plain" (mean
    margin of customers old enough) with its `reason` (few_repeaters, short_history, holdout_off, model_unsettled); `reached_months`
    is the age that the value reaches, below the horizon where not enough customers are old enough. `expected_orders` are those
    after the first one. The holdout: orders expected and seen in the last `holdout_weeks`; missing where no check could be made.
    `present_amount` is the margin to expect of the customers followed (`customers_count`) in the next 12 months by the model,
    missing without it; its limits are those of the expectation, what comes varies more. `unseen_count` customers are known, or
    perhaps known, from before the records and left out. `largest_margin_share` of all their margin is one customer's.
    """

    ltv_amount: float
    ltv_low_amount: float
    ltv_high_amount: float
    horizon_months: int
    reached_months: int
    method: str
    reason: str
    discount_rate_per_year: float
    expected_orders: float
    first_margin_amount: float
    repeat_amount: float
    repeat_margin_share: float
    customers_count: int
    repeaters_count: int
    unseen_count: int
    largest_margin_share: float
    holdout_weeks: float
    holdout_expected_orders: float
    holdout_actual_orders: float
    holdout_error_share: float
    present_amount: float
    present_low_amount: float
    present_high_amount: float


class _Model(NamedTuple):
    """Both models as fitted, and all as one point: 4 + 3 logarithms, the first margin, the margin share of later amounts."""

    orders: BgNbd
    amounts: GammaGamma
    point: np.ndarray
    covariance: np.ndarray


class _Trust(NamedTuple):
    """The model, or None and the reason, with the check on the weeks held out."""

    model: _Model | None
    reason: str
    weeks: float = np.nan
    expected: float = np.nan
    actual: float = np.nan

    @property
    def error_share(self) -> float:
        return float(ratio(self.expected - self.actual, self.actual))


def lifetime_value(process: Process, horizon_months: int = HORIZON_MONTHS) -> LifetimeValue:
    """What a new customer is worth: `LifetimeValue`.

    The model is used with at least 200 repeaters, 26 weeks observed and a holdout within 20 % of what came; else the plain mean
    margin per customer of the age reached by at least 30 customers. Limits: the models' curvature and the spread of the margins
    by the delta method; of the plain figure the customer is the unit. Raises `CallError` for a horizon that is no whole number of
    months, `MeasureError` without orders, margins, or customers whose first order was seen.
    Source: Fader, Hardie and Lee 2005; Fader and Hardie 2013.
    """
    _check_horizon(horizon_months)
    table, parts, trust = purchases(process), margins(process), _trust(process)
    count = table["customers_count"]
    values = value_by_age(process, horizon_months)
    row = _reached(values, trust)
    kind = "observed" if trust.model is None else "expected"
    every = int(collect(customers(process).select(nw.len().alias("customers_count")))["customers_count"].iloc[0])
    present = (np.nan,) * 3
    if trust.model is not None:
        present = _with_limits(trust.model, lambda point: _present(trust.model, point, table))
    return LifetimeValue(
        *(float(row[f"{kind}_value{side}_amount"]) for side in ("", "_low", "_high")), horizon_months,
        int(row["since_first_months"]), PLAIN if trust.model is None else MODEL, trust.reason,
        process.settings.discount_rate_per_year, float(row[f"{kind}_orders"]), parts.first_amount,
        float(ratio(table["amount"].sum(), table["frequency"] @ count)), parts.repeat_share, int(count.sum()),
        int(count[table["frequency"] > 0].sum()), every - int(count.sum()), parts.largest_margin_share, trust.weeks, trust.expected,
        trust.actual, trust.error_share, *(float(value) for value in present))


def value_by_age(process: Process, horizon_months: int = HORIZON_MONTHS) -> pd.DataFrame:
    """What a new customer has brought, and is expected to bring, by each month since the first order.

    One row is a month, 0 (the first visit alone) to the horizon. Columns: `since_first_months`; `customers_count` who could be
    observed for so long; `observed_value_amount` (each month's mean margin of the customers at least that old, added up, discounted
    to the day of the first order, refunds taken off) with 95 % limits and `observed_orders` after the first one, both missing where
    nobody was; `expected_value_amount` with limits and `expected_orders` by the model, missing where it is not to be trusted; `few`
    (below 30 customers). Errors as in `lifetime_value`.
    """
    _check_horizon(horizon_months)
    purchases(process), margins(process)  # they say what is missing before anything is counted
    months = pd.DataFrame({"since_first_months": np.arange(horizon_months + 1)})
    table = months.merge(observed_values(process, horizon_months), on="since_first_months", how="left")
    table = table.fillna({"customers_count": 0}).astype({"customers_count": int})
    model, names = _trust(process).model, [f"expected_value{side}_amount" for side in ("", "_low", "_high")]
    if model is None:
        return process.tidy(table.assign(**dict.fromkeys([*names, "expected_orders"], np.nan), few=table["customers_count"] < FEW))
    rate = process.settings.discount_rate_per_year
    limits = _with_limits(model, lambda point: _value(model, point, horizon_months, rate))
    return process.tidy(table.assign(**dict(zip(names, limits, strict=True)), expected_orders=_orders(model.orders, horizon_months),
                                     few=table["customers_count"] < FEW))


def _check_horizon(horizon_months: int) -> None:
    if not (isinstance(horizon_months, int) and horizon_months >= 1):
        raise CallError(message("horizon_months={horizon_months!r}: expected a whole number of months, at least 1",
                                horizon_months=horizon_months))


def _reached(values: pd.DataFrame, trust: _Trust) -> pd.Series:
    """The row of the horizon, or of the last age that enough customers have reached."""
    if trust.model is not None:
        return values.iloc[-1]
    enough = values[~values["few"]]
    return enough.iloc[-1] if len(enough) else values.iloc[0]


# -- whether the model is to be trusted ------------------------------------------------------------------------------------


def _trust(process: Process) -> _Trust:
    return process.remembered(("lifetime_trust",), lambda: _checked(process))


def _checked(process: Process) -> _Trust:
    table = purchases(process)
    repeaters = table.loc[table["frequency"] > 0, "customers_count"].sum()
    reason = (FEW_REPEATERS if repeaters < LEAST_REPEATERS else
              SHORT_HISTORY if table["age"].max() < LEAST_WEEKS_OBSERVED else "")
    try:
        rows = holdout(process)
    except MeasureError:
        return _Trust(None, reason or UNSETTLED)
    held = _Trust(None, reason, float(rows["holdout_weeks"].iloc[0]), float(rows["expected_orders_count"].sum()),
                  float(rows["actual_orders_count"].sum()))
    if reason:
        return held
    if not abs(held.error_share) <= MOST_ERROR_SHARE:
        return held._replace(reason=HOLDOUT_OFF)
    try:
        return held._replace(model=_fitted(table, repeat_amounts(process), margins(process)))
    except MeasureError:
        return held._replace(reason=UNSETTLED)


def _fitted(table: pd.DataFrame, amounts: pd.DataFrame, parts: Margins) -> _Model:
    from scipy.linalg import block_diag  # loaded here: scipy is slow to import

    orders, spend = fit_bg_nbd(table), fit_gamma_gamma(amounts)
    point = np.concatenate([np.log([orders.r, orders.alpha, orders.a, orders.b, spend.p, spend.q, spend.gamma]),
                            [parts.first_amount, parts.repeat_share]])
    covariance = block_diag(orders.covariance, spend.covariance, parts.first_variance, parts.repeat_variance)
    return _Model(orders, spend, point, covariance)


# -- what the model expects --------------------------------------------------------------------------------------------------


def _with_limits(model: _Model, function: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A function of the point with its 95 % limits by the delta method."""
    steps = np.diag(1e-4 * np.maximum(1.0, np.abs(model.point)))
    slopes = np.array([ratio(function(model.point + step) - function(model.point - step), 2 * step.max()) for step in steps])
    value = function(model.point)
    half = Z_95 * np.sqrt(np.einsum("i...,ij,j...->...", slopes, model.covariance, slopes))
    return value, value - half, value + half


def _at(model: _Model, point: np.ndarray) -> tuple[BgNbd, GammaGamma, float, float]:
    r, alpha, a, b, p, q, gamma = (float(value) for value in np.exp(point[:7]))
    return replace(model.orders, r=r, alpha=alpha, a=a, b=b), replace(model.amounts, p=p, q=q, gamma=gamma), point[7], point[8]


def _orders(orders: BgNbd, horizon_months: int) -> np.ndarray:
    """Orders after the first one that a new customer makes by the end of each month, 0 to the horizon."""
    return expected_purchases(orders, 0, 0, 0, MONTH_WEEKS * np.arange(horizon_months + 1))


def _value(model: _Model, point: np.ndarray, horizon_months: int, rate: float) -> np.ndarray:
    """The discounted margin of a new customer by the end of each month, 0 to the horizon."""
    orders, spend, first, share = _at(model, point)
    by_month = np.diff(_orders(orders, horizon_months), prepend=0.0)
    repeated = np.cumsum(by_month * discounts(np.arange(horizon_months + 1), rate))
    return first + share * float(expected_spend(spend, 0, 0)) * repeated


def _present(model: _Model, point: np.ndarray, table: pd.DataFrame) -> float:
    """The margin that today's customers will bring in the next 12 months.

    The spend to expect is linear in a customer's own mean amount: the sum over customers who are alike needs their total only.
    """
    orders, spend, _, share = _at(model, point)
    coming = expected_purchases(orders, table["frequency"], table["recency"], table["age"], YEAR_MONTHS * MONTH_WEEKS)
    mean = np.nan_to_num(np.asarray(ratio(table["amount"], table["frequency"] * table["customers_count"])))
    return share * float((coming * table["customers_count"] * expected_spend(spend, table["frequency"], mean)).sum())
