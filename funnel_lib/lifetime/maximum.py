"""The maximum of a likelihood of a few parameters, found for certain or not at all; what the models are given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from funnel_lib.errors import CallError, MeasureError, nearest
from funnel_lib.language.messages import message

# Logarithms of the parameters, time and money counted in their means: what runs to this edge, the data do not determine.
EDGE = 9.0
_STEP = 1e-4
# An optimum is found where a further step would gain less likelihood than this.
_LEAST_GAIN = 1e-8
_MOST_STEPS = 40
Likelihood = Callable[[np.ndarray], tuple[float, np.ndarray]]


def maximum(likelihood: Likelihood, rough: Likelihood, starts: np.ndarray, names: tuple[str, ...],
             model: str) -> tuple[np.ndarray, float, np.ndarray]:
    """The logarithms of the parameters of maximum likelihood, its value, and their covariance from the curvature.

    The two most promising starts are followed on the `rough` likelihood; steps by its curvature finish the better end on the
    true one. Raises `MeasureError` where there is no maximum.
    """
    from scipy.optimize import minimize  # loaded here: scipy is slow to import

    ranked = sorted(starts, key=lambda point: -rough(point)[0])[:2]
    fits = [minimize(lambda point: _negative(rough(point)), point, jac=True, method="L-BFGS-B", bounds=[(-EDGE, EDGE)] * len(names),
                     options={"maxiter": 500}) for point in ranked]
    point = min(fits, key=lambda fit: fit.fun).x
    loose = [name for name, at in zip(names, point, strict=True) if abs(at) > EDGE - 0.01]
    if loose:
        raise MeasureError(message("needs more customers who came back: the {model} model does not settle on these (no best "
                                   "{loose})", model=model, loose=", ".join(loose)))
    curvature = _curvature(rough, point)
    for _ in range(_MOST_STEPS):
        value, gradient = likelihood(point)
        step = np.linalg.solve(curvature, gradient) if _is_top(curvature) else np.full(len(point), np.nan)
        if not gradient @ step >= _LEAST_GAIN:
            break
        point = point + step * min(1.0, 1.0 / np.abs(step).max())
    curvature = _curvature(likelihood, point)
    if not (np.isfinite(step).all() and gradient @ step < _LEAST_GAIN and _is_top(curvature)):
        raise MeasureError(message("needs more customers who came back: the {model} model does not settle on these", model=model))
    return point, value, np.linalg.inv(curvature)


def _negative(value_and_gradient: tuple[float, np.ndarray]) -> tuple[float, np.ndarray]:
    return -value_and_gradient[0], -value_and_gradient[1]


def _is_top(curvature: np.ndarray) -> bool:
    return bool(np.isfinite(curvature).all() and np.linalg.eigvalsh(curvature)[0] > 0)


def _curvature(likelihood: Likelihood, point: np.ndarray) -> np.ndarray:
    """Minus the second derivatives, from differences of the gradient."""
    steps = _STEP * np.eye(len(point))
    rows = np.array([(likelihood(point - step)[1] - likelihood(point + step)[1]) / (2 * _STEP) for step in steps])
    return (rows + rows.T) / 2


def total(count: np.ndarray, values: np.ndarray) -> float:
    """Σ count × value, by one thread: those of a matrix product would add up in another order on another machine."""
    return float(np.einsum("i,i", count, values))


def checked(purchases: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The columns needed as floats, with `customers_count` (1 where there is none)."""
    for name in columns:
        if name not in purchases:
            raise CallError(message("purchases: column {name!r} is missing; it needs {known}.{nearest}", name=name,
                                    known=", ".join(columns), nearest=nearest(name, purchases.columns)))
    table = purchases[columns].astype(float)
    table["customers_count"] = purchases["customers_count"].astype(float) if "customers_count" in purchases else 1.0
    x = table["frequency"]
    wrong = (x < 0) | (x % 1 != 0) | table[["frequency", "customers_count"]].isna().any(axis=1)
    if "age" in columns:
        wrong |= ~((table["recency"] >= 0) & (table["recency"] <= table["age"])) | ((x == 0) & (table["recency"] > 0))
    if wrong.any():
        row = wrong.idxmax()
        found = ", ".join(f"{name} {value:g}" for name, value in table.loc[row].items()) if wrong.index.is_unique else ""
        raise CallError(message("purchases, row {row}: {found}: expected a whole frequency and 0 ≤ recency ≤ age, recency 0 for "
                                "frequency 0", row=row, found=found))
    return table
