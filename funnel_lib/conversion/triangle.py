"""The cohort triangle: what share of each month's leads has bought by each age, young cohorts projected."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.curves import (
    BOOTSTRAP_DRAWS,
    BOOTSTRAP_SEED,
    _needs_moments,
    _redrawn,
    curve_of,
    horizon_of,
)
from funnel_lib.engine import TRUNCATED, collect
from funnel_lib.errors import CallError, nearest
from funnel_lib.journeys import RUNNING, WON, lead_states
from funnel_lib.language.messages import message
from funnel_lib.periods import DAYS_PER_MONTH, PERIODS, elapsed_days, period_starts
from funnel_lib.rates import FEW, interval_of_share, rate
from funnel_lib.schema import LOST
from funnel_lib.survival import Curve, aalen_johansen, expected_share

COLUMNS = ["cohort", "age", "age_days", "leads_count", "won_count", "running_count", "won_share", "won_low_share",
           "won_high_share", "projected"]
_DAYS = {"day": 1.0, "week": 7.0, "month": DAYS_PER_MONTH, "quarter": 3 * DAYS_PER_MONTH, "year": 12 * DAYS_PER_MONTH}
LEAST_AGES, MOST_AGES = 4, 12


def cohort_triangle(process: Process, per: str = "month", horizon_days: float | None = None,
                    returning: bool = False) -> pd.DataFrame:
    """What share of the leads created in each period has bought by each age.

    One row is a cohort (`cohort`: first day of the period of creation) × `age` in periods (months; in weeks or days where
    the horizon is shorter than four periods), with the same age as `age_days`, the last one being the horizon. Columns:
    `leads_count`, `won_count` (by that age, so far), `running_count` (undecided and younger than that), `won_share` =
    (won + Σ over those running of [F(age) − F(their age)] / S(their age)) / leads with its 95 % limits, `projected` (some lead
    of the cohort is younger than that, so that the cell could not be observed in full). A cohort uses its own curve where at least
    30 of its leads are as old as the horizon, else that of the whole process.
    Only leads created since `observed_from` whose outcome has a known moment count. Limits: Wilson's for observed cells,
    else as in `eventual_conversion`. Raises `MeasureError` where no moments are known, `CallError` for another period.
    """
    if per not in PERIODS:
        raise CallError(message("per={per!r}: expected one of {known}.{nearest}", per=per, known=", ".join(PERIODS),
                                nearest=nearest(per, PERIODS)))
    counts = _cohort_counts(process, per, returning)
    _needs_moments(process, counts)
    counts = counts[counts["day"].notna()].astype({"day": int})
    if counts.empty:
        return process.tidy(pd.DataFrame(columns=COLUMNS))
    everyone = counts.groupby(["state", "day"], as_index=False)["leads"].sum()
    curve = curve_of(everyone)
    ages = _ages(per, horizon_of(process, curve, horizon_days))
    draws = _Draws(everyone, int(ages[1][-1]))
    rows = [row for cohort, part in counts.groupby("cohort") for row in _of_cohort(cohort, part, curve, ages, draws)]
    return process.tidy(pd.DataFrame(rows, columns=COLUMNS))


def _cohort_counts(process: Process, per: str, returning: bool) -> pd.DataFrame:
    """Leads per cohort, state, whole day of age at the outcome (or at `as_of`) and age at `as_of` beyond that or not."""
    process.needs_as_of()
    leads = lead_states(process, returning)
    if process.observed_from is not None:
        leads = leads.filter(nw.col("created_at") >= process.observed_from.to_pydatetime())
    age = elapsed_days(nw.col("created_at"), process.needs_as_of(), leads).floor()
    # Weeks do not begin on the same day everywhere and are cut afterwards.
    leads = leads.with_columns(cohort=nw.col("created_at").dt.truncate(TRUNCATED.get(per, "1d")), age=age,
                               day=nw.col("outcome_days").floor())
    counts = collect(leads.group_by(["cohort", "state", "day", "age"]).agg(nw.len().alias("leads")))
    if per not in TRUNCATED and len(counts):
        counts["cohort"] = period_starts(counts["cohort"], per)
        counts = counts.groupby(["cohort", "state", "day", "age"], as_index=False, dropna=False)["leads"].sum()
    return counts.sort_values(["cohort", "state", "day", "age"], ignore_index=True)


def _ages(per: str, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """The ages shown, in periods and in whole days: full periods (shorter ones for a short horizon) and the horizon itself."""
    shorter = [name for name in _DAYS if _DAYS[name] <= _DAYS[per]]
    length = next((_DAYS[name] for name in reversed(shorter) if horizon >= LEAST_AGES * _DAYS[name]), 1.0)
    last = max(int(-(-horizon // length)), 1)
    every = max(int(-(-last // MOST_AGES)), 1)
    ages = np.array([*range(every, last, every), last])
    return ages, np.minimum(np.floor(ages * length).astype(int), horizon)


def _of_cohort(cohort: pd.Timestamp, part: pd.DataFrame, everyone: Curve, ages: tuple, draws: _Draws) -> list[tuple]:
    horizon = int(ages[1][-1])
    # One curve at all ages: with two of them the share could fall from one age to the next.
    has_own = part.loc[part["age"] >= horizon, "leads"].sum() >= FEW
    curve = curve_of(part) if has_own else everyone
    leads, youngest = int(part["leads"].sum()), part["age"].min()
    (won_days, won_leads), (running_days, running_leads) = (
        part.loc[part["state"] == state, ["day", "leads"]].to_numpy().T for state in (WON, RUNNING))
    rows = []
    for age, day in zip(*ages, strict=True):
        won, young = won_leads[won_days <= day].sum(), running_days < day
        waiting = int(running_leads[young].sum())
        if not waiting:
            share, low, high = rate(won, leads)[:3]
        else:
            expected = (running_leads[young] * expected_share(curve, running_days[young].astype(int), int(day))).sum()
            share = rate(won + expected, leads).share
            error = float(curve.at(day, "standard_error")) if has_own else draws.error(part, int(day))
            low, high = interval_of_share(share, error, leads - waiting)
        rows.append((cohort, int(age), int(day), leads, int(won), waiting, float(share), float(low), float(high),
                     bool(youngest < day)))
    return rows


class _Draws:
    """Bootstrap draws of everyone's curve, made once and only if a cohort needs them."""

    def __init__(self, everyone: pd.DataFrame, horizon: int) -> None:
        self._everyone, self._horizon = everyone, horizon
        self._random = np.random.default_rng(BOOTSTRAP_SEED)
        self._curves: Curve | None = None

    def error(self, part: pd.DataFrame, day: int) -> float:
        """Standard error of a cohort's share by everyone's curve: both the cohort and the curve are drawn anew."""
        part = part.groupby(["state", "day"], as_index=False)["leads"].sum()
        chance = expected_share(self._all_curves(), part["day"].to_numpy(), day)
        won = ((part["state"] == WON) & (part["day"] <= day)).to_numpy()
        running = (part["state"] == RUNNING).to_numpy()
        drawn = (_redrawn(part["leads"], self._random) * (won + running * chance)).sum(axis=1)
        return float(np.std(rate(drawn, part["leads"].sum()).share, ddof=1))

    def _all_curves(self) -> Curve:
        if self._curves is None:
            everyone = self._everyone
            length = int(max(everyone["day"].max(), self._horizon)) + 1
            drawn = _redrawn(everyone["leads"], self._random)
            parts = []
            for state in (WON, LOST, RUNNING):
                daily = np.zeros((BOOTSTRAP_DRAWS, length))
                cells = (everyone["state"] == state).to_numpy()
                daily[:, everyone["day"].to_numpy()[cells]] = drawn[:, cells]
                parts.append(daily)
            self._curves = aalen_johansen(*parts)
        return self._curves
