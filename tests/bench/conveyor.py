"""The weekly model: how often its 90 % bands hold the next quarter of the simulator, and what a run costs."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable

import numpy as np
import pandas as pd
from joblib import Parallel, cpu_count, delayed

from funnel_lib import Process, improvement, simulate
from funnel_lib.improvement.conveyor import REPEAT, Conveyor, Stop, run_conveyor
from tests.bench.coverage import AS_OF, OBSERVED_FROM

QUARTER_WEEKS = 13
LEADS = {"retail": 7000, "wholesale": 3000, "custom": 1500}
SEEDS = 100
DRAWS, WEEKS, STEPS, ROLES = 10_000, 52, 4, 3


def held(name: str, seeds: Iterable[int]) -> list[dict[str, bool]]:
    """Per seed: do the 90 % bands hold the leads and the customers of the 13 weeks that were held out?"""
    return [_held(name, seed) for seed in seeds]


def _held(name: str, seed: int) -> dict[str, bool]:
    truth = simulate.true_rates(name)
    end = pd.Timestamp(AS_OF)
    as_of = end - pd.Timedelta(weeks=QUARTER_WEEKS)
    leads, events = simulate.make_leads(name, seed, leads=int(np.random.default_rng(seed).poisson(LEADS[name])))
    process = Process.from_tables(
        name, leads=leads, stage_events=events, as_of=as_of, observed_from=OBSERVED_FROM,
        steps=[{"key": step["step"], "optional": step["optional"]} for step in truth["steps"]],
        conversion_window_days=truth["window_days"], not_leads=truth["not_leads"])
    forecast = improvement.conveyor_forecast(process, weeks=QUARTER_WEEKS).groupby("quantity").last()
    never = events[(events["step"] == "lost") & events["reason"].isin(truth["not_leads"])]["lead_id"]
    real = leads[~leads["lead_id"].isin(never)]
    won = events[events["step"] == "won"].groupby("lead_id")["entered_at"].min()
    came = {"leads_count": ((real["created_at"] >= as_of) & (real["created_at"] < end)).sum(),
            "customers_count": ((won >= as_of) & (won < end)).sum()}
    return {name: bool(forecast.loc[name, "so_far_low"] <= count <= forecast.loc[name, "so_far_high"])
            for name, count in came.items()}


def compare() -> list[str]:
    """Coverage of the bands, and the cost of one run on one core in a process of its own."""
    slices = [(name, range(start, start + 20)) for name in LEADS for start in range(0, SEEDS, 20)]
    parts = Parallel(n_jobs=cpu_count())(delayed(held)(*one) for one in slices)
    inside: dict[tuple[str, str], list[bool]] = {}
    for (name, _), cases in zip(slices, parts, strict=True):
        for case in cases:
            for quantity, holds in case.items():
                inside.setdefault((name, quantity), []).append(holds)
    rows = [f"| {name} | {quantity} | {len(holds)} | {np.mean(holds):.1%} |" for (name, quantity), holds in inside.items()]
    return ["| process | quantity | seeds | bands that hold the next quarter |", "|---|---|---|---|", *rows, "",
            "The bound is 85 % to 95 % (90 % bands).", "", *_cost()]


def _cost() -> list[str]:
    command = [sys.executable, "-c", "from tests.bench.conveyor import measured; print(*measured())"]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    seconds = [subprocess.run([*command[:2], command[2].replace("measured()", f"measured({limited})")], check=True, text=True,
                              capture_output=True, env={**os.environ, **threads}).stdout.split() for limited in (True, False)]
    return [f"A run of {DRAWS:,} draws × {WEEKS} weeks × {STEPS} steps × {ROLES} roles on one core (time at work, one thread): {float(seconds[1][0]):.2f} s with "
            f"hours enough, {float(seconds[0][0]):.2f} s where all three roles are full and work waits (median of 5; the bound is "
            f"2 s); peak memory of the process {float(seconds[0][1]):.0f} MB (the bound is 1 GB)."]


def measured(limited: bool) -> tuple[float, float]:
    """Median seconds that one core is at work for a run (others may be busy), and the peak memory of this process in MB."""
    conveyor, times = example(limited), []
    for _ in range(5):
        start = time.process_time()
        run_conveyor(conveyor)
        times.append(time.process_time() - start)
    return float(np.median(times)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def example(limited: bool) -> Conveyor:
    """Four steps, five numbers of orders, three roles; `limited`: leads need about a tenth more hours than there are."""
    random = np.random.default_rng(1)

    def stop(key: str, rate: float, days: float) -> Stop:
        lags = 1 - np.exp(-np.arange(1, 366) / days)
        return Stop(key, random.beta(100 * rate, 100 * (1 - rate), DRAWS), lags / lags[-1], lags, 100.0, np.full(WEEKS, 0.5),
                    np.full(WEEKS, 0.5), rate)

    roles = [f"role {number}" for number in range(ROLES)]
    need = {place: {role: random.gamma(100, 0.01, DRAWS) for role in roles} for place in [*range(STEPS), REPEAT]}
    return Conveyor(
        WEEKS, {"site": random.gamma(400, 0.05, DRAWS)}, random.gamma(20, 0.05, (WEEKS, DRAWS)),
        [stop(f"step {number}", 0.6, 10) for number in range(STEPS)], [stop(f"order {number}", 0.6, 60) for number in range(5)],
        np.ones(DRAWS), np.zeros(DRAWS), np.zeros(DRAWS), [np.full(DRAWS, 100.0)] * 6, [300.0] * 6, [1e4] * 6,
        random.gamma(20, 0.01, DRAWS), 0.1, np.full(WEEKS, 10.0), need=need,
        capacity=dict.fromkeys(roles, 45.0 if limited else 1e6))
