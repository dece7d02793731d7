"""The new customers of the next weeks against the plan: from today's running leads and from those still to come."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.curves import curve_of, horizon_of, outcome_counts
from funnel_lib.errors import MeasureError
from funnel_lib.journeys import RUNNING
from funnel_lib.language.messages import message
from funnel_lib.lead_flow.sufficiency import DRAWS, HORIZON_WEEKS, SEED, WEEK_DAYS, Flow, drawn_flow, planned_per_month
from funnel_lib.periods import DAYS_PER_MONTH
from funnel_lib.rates import ratio
from funnel_lib.survival import Curve

TAILS = {"expected_low_count": 0.025, "half_from_count": 0.25, "half_to_count": 0.75, "expected_high_count": 0.975}
COLUMNS = ["week", "week_end", "from_running_count", "from_new_count", "expected_count", *TAILS, "planned_count"]


def customer_forecast(process: Process, weeks: int = HORIZON_WEEKS) -> pd.DataFrame:
    """How many new customers will have come by the end of each of the next weeks, all since `as_of` added up.

    One row is a week from `as_of` on. Columns: `week` (1, 2, …), `week_end` (its last day), `from_running_count` expected
    from leads that run today, `from_new_count` from leads still to come, `expected_count` of both; `expected_low_count` and
    `expected_high_count` between which 95 of 100 draws lie, `half_from_count` and `half_to_count` for half of them;
    `planned_count` by then, missing without a plan.
    Running leads win as the curve of time to win says for their age, coming ones as it says from the beginning; flow and
    conversion are as uncertain as in `sufficiency`. Raises `MeasureError` without a list of leads, moments of wins or two
    complete weeks.
    """
    process.table("leads")
    counts = outcome_counts(process, [])
    counts = counts[counts["day"].notna()].astype({"day": int})
    if counts.empty:
        raise MeasureError(message("{process}: needs leads with known moments to tell when customers will come",
                                   process=process.name))
    curve = curve_of(counts)
    cumulative = _up_to_horizon(curve, horizon_of(process, curve))
    random = np.random.default_rng(SEED + 2)
    flow = drawn_flow(process, random)
    running, new = _from_running(counts, curve, cumulative, weeks), _shares_of_new(cumulative, weeks)
    drawn = _drawn(flow, running, float(counts.loc[counts["state"] == RUNNING, "leads"].sum()), new, random)
    by_week = np.arange(1, weeks + 1)
    ends = pd.date_range(process.as_of.normalize() + pd.Timedelta(days=WEEK_DAYS - 1), periods=weeks, freq="7D")
    table = pd.DataFrame({
        "week": by_week, "week_end": ends,
        "from_running_count": running.cumsum(), "from_new_count": flow.mean.mean() * np.cumsum(new).cumsum()})
    table["expected_count"] = table["from_running_count"] + table["from_new_count"]
    for name, tail in TAILS.items():
        table[name] = np.quantile(drawn, tail, axis=0)
    table["planned_count"] = by_week * WEEK_DAYS / DAYS_PER_MONTH * _plan_or_missing(process)
    return process.tidy(table[COLUMNS])


def _plan_or_missing(process: Process) -> float:
    return planned_per_month(process) if process.settings.plan is not None else np.nan


def _up_to_horizon(curve: Curve, horizon: int) -> np.ndarray:
    """The won share by each day; who buys after the horizon does not count."""
    return np.concatenate([curve.event_share[:horizon + 1], np.full(max(horizon - curve.last_day, 0), curve.event_share[-1])])


def _at(cumulative: np.ndarray, days: np.ndarray) -> np.ndarray:
    return cumulative[np.clip(np.floor(days).astype(int), 0, len(cumulative) - 1)]


def _from_running(counts: pd.DataFrame, curve: Curve, cumulative: np.ndarray, weeks: int) -> np.ndarray:
    """Expected wins of today's running leads in each week."""
    running = counts[(counts["state"] == RUNNING) & (counts["day"] < len(cumulative) - 1)]
    age = running["day"].to_numpy()[:, None]
    gained = _at(cumulative, age + WEEK_DAYS * np.arange(weeks + 1)[None, :]) - _at(cumulative, age)
    chance = np.clip(np.nan_to_num(np.asarray(ratio(gained, curve.at(age, "still_share")))), 0, 1)
    return np.diff((running["leads"].to_numpy()[:, None] * chance).sum(axis=0))


def _shares_of_new(cumulative: np.ndarray, weeks: int) -> np.ndarray:
    """Of leads created evenly over a week: the share that wins in that week, in the one after it, and so on."""
    within = np.arange(WEEK_DAYS) + 0.5
    by_end = np.array([_at(cumulative, WEEK_DAYS * (week + 1) - within).mean() for week in range(weeks)])
    return np.diff(by_end, prepend=0.0)


def _drawn(flow: Flow, running: np.ndarray, running_count: float, new: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draws × weeks: customers so far."""
    weeks = len(running)
    scale = np.asarray(ratio(flow.share, flow.share.mean()))[:, None]
    beyond = np.maximum(flow.variance - flow.mean, 1e-9)[:, None]
    mean = np.broadcast_to(flow.mean[:, None], (DRAWS, weeks))
    leads = random.poisson(random.gamma(np.asarray(ratio(mean**2, beyond)), np.asarray(ratio(beyond, mean))))
    expected = np.stack([(leads[:, :week + 1] * new[week::-1]).sum(axis=1) for week in range(weeks)], axis=1)
    drawn = random.poisson(expected * scale)
    if running_count:
        chance = np.clip(np.asarray(ratio(running[None, :] * scale, running_count)), 0, 1)
        drawn = drawn + random.binomial(int(running_count), chance)
    return drawn.cumsum(axis=1)
