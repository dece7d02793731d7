"""The purchase models on a hundred thousand and a million customers: this package and `lifetimes`, each in a process of its own.

`python -m tests.bench.lifetime_speed SIDE FILE` fits one side and prints its seconds and its peak memory in MB. The environment variable
`LIFETIMES_PYTHON` names a Python that can import `lifetimes`.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.bench import sides

SIZES = {100_000: 4, 1_000_000: 6}
SIDES = ("funnel_lib", "lifetimes")
PARAMETERS = ("r", "alpha", "a", "b")


def compare(runs: int = 3) -> list[str]:
    """BG/NBD of both sides in turn, from one row per customer to the parameters; the ratio is that of the medians.

    Nothing where `LIFETIMES_PYTHON` is not given.
    """
    python = os.environ.get("LIFETIMES_PYTHON")
    if not python:
        return []
    rows, notes = [], []
    with tempfile.TemporaryDirectory() as name:
        for size, bound in SIZES.items():
            file = Path(name) / f"{size}.npz"
            np.savez(file, *histories(size))
            found = sides.in_turn(__spec__.name, {side: runs for side in SIDES}, file, {"lifetimes": python})
            seconds = sides.median_seconds(found)
            rows += [f"| {size:,} | {side} | {seconds[side]:.2f} | {sides.peak(found, side):,.0f} |" for side in SIDES]
            apart = max(abs(ours / theirs - 1) for ours, theirs in zip(found["funnel_lib"][0][2:], found["lifetimes"][0][2:], strict=True))
            notes.append(f"{size:,} customers: {seconds['lifetimes'] / seconds['funnel_lib']:.1f} times faster (bound {bound}), parameters "
                         f"at most {apart:.1e} apart")
    return ["| customers | side | median seconds | peak memory, MB |", "|---|---|---|---|", *rows, "",
            f"BG/NBD by maximum likelihood, one row per customer in, whole days; {'; '.join(notes)}. Runs of each side: {runs}."]


def histories(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frequency, recency and age in weeks (whole days) of customers of a BG/NBD world over two years, seeded."""
    rng = np.random.default_rng(20260701)
    age = rng.integers(1, 730, size) / 7
    rate, leave = rng.gamma(0.55, 1 / 22.0, size), rng.beta(0.8, 2.6, size)
    frequency, recency, time_, there = np.zeros(size), np.zeros(size), np.zeros(size), np.full(size, True)
    while there.any():
        time_ = time_ + np.ceil(7 * rng.exponential(1.0, size) / np.maximum(rate, 1e-9)) / 7
        came = there & (time_ <= age)
        frequency, recency = frequency + came, np.where(came, time_, recency)
        there = came & (rng.random(size) >= leave)
    return frequency, recency, age


def run(side: str, file: Path) -> None:
    """One side, in this process; the import is not counted."""
    frequency, recency, age = np.load(file).values()
    if side == "lifetimes":
        from lifetimes import BetaGeoFitter

        start = time.perf_counter()
        fit = BetaGeoFitter().fit(frequency, recency, age)
        values = [float(fit.params_[name]) for name in PARAMETERS]
    else:
        import pandas as pd
        import scipy.optimize
        import scipy.special  # noqa: F401

        from funnel_lib import lifetime

        start = time.perf_counter()
        fit = lifetime.fit_bg_nbd(pd.DataFrame({"frequency": frequency, "recency": recency, "age": age}))
        values = [getattr(fit, name) for name in PARAMETERS]
    sides.say(start, *values)


if __name__ == "__main__":
    sides.main(run)
