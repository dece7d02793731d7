"""The rate of each step from period to period, with the limits inside which changes are noise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.cohorts import counts_by_day, equal_window_days
from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import message
from funnel_lib.limits import process_limits, signals
from funnel_lib.periods import PERIODS, all_periods, days_between, next_period_start, period_starts
from funnel_lib.rates import is_few, rate

COLUMNS = ["step", "period_start", "base_count", "reached_count", "step_share", "step_low_share", "step_high_share",
           "mean_share", "lower_limit_share", "upper_limit_share", "signal", "few", "equal_window_days"]


def step_trend(process: Process, per: str = "month", window_days: float | None = None) -> pd.DataFrame:
    """The rate of each step by the period in which the leads were created, with process limits.

    One row is a step × period, of complete periods only: all their leads are at least the equal window old (the process's
    window; without one the age by which nine tenths of the wins are in) and were created since `observed_from`.
    Columns: `step`, `period_start`, `base_count`, `reached_count`, `step_share` with its 95 % limits; `mean_share` (mean of the
    periods) and `lower_limit_share`, `upper_limit_share` = mean ± 2.66 × mean moving range, within 0 to 1 (missing with fewer
    than 12 periods); `signal`: outside_limits, run_of_eight (8 or more in a row on one side of the mean), noise, or empty where
    there are no limits; `few` (base under 30); `equal_window_days`.
    Source: Shewhart 1931; Wheeler and Chambers 1992. Raises `MeasureError` without leads, events or described steps;
    `CallError` for another period.
    """
    if per not in PERIODS:
        raise CallError(message("per={per!r}: expected one of {known}.{nearest}", per=per, known=", ".join(PERIODS),
                                nearest=nearest(per, PERIODS)))
    process.needs_as_of()
    window = equal_window_days(process, window_days)
    counts = counts_by_day(process, [], window)
    periods = _complete_periods(process, per, window or 0.0, counts)
    if not len(periods):
        return process.tidy(pd.DataFrame(columns=COLUMNS))
    counts["period_start"] = period_starts(counts["day"], per)
    sums = counts.groupby("period_start")[[name for name in counts if name not in ("day", "period_start")]].sum()
    sums = sums.reindex(periods, fill_value=0)
    rows, base = [], sums["leads"]
    for number, step in enumerate(process.steps):
        reached = sums[f"reached_{number}"]
        rows.append(_of_step(step.key, base, reached))
        if not step.optional:
            base = reached
    return process.tidy(pd.concat(rows).assign(equal_window_days=np.nan if window is None else window)[COLUMNS])


def _complete_periods(process: Process, per: str, window: float, counts: pd.DataFrame) -> pd.DatetimeIndex:
    """Starts of the periods all of whose leads were recorded from the start and followed for the whole window."""
    if counts.empty:
        return pd.DatetimeIndex([])
    periods = all_periods(counts["day"].min(), process.as_of, per)
    begun = pd.Timestamp(process.company.observed_from or pd.Timestamp.min)
    return pd.DatetimeIndex([start for start in periods if start >= begun
                             and days_between(next_period_start(start, per), process.as_of) >= window])


def _of_step(step: str, base: pd.Series, reached: pd.Series) -> pd.DataFrame:
    found = rate(reached, base)
    limits = process_limits(found.share, highest=1.0)
    return pd.DataFrame({
        "step": step, "period_start": base.index, "base_count": base.to_numpy().astype(int),
        "reached_count": reached.to_numpy().astype(int), "step_share": found.share, "step_low_share": found.low_share,
        "step_high_share": found.high_share, "mean_share": limits.mean, "lower_limit_share": limits.low,
        "upper_limit_share": limits.high, "signal": signals(found.share, limits), "few": is_few(base)})
