"""Whether the stated probability of meeting the plan is true: the 13 weeks that follow, fully matured, over many seeds."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from funnel_lib import Process, lead_flow, simulate
from funnel_lib.lead_flow.sufficiency import HORIZON_WEEKS, WEEK_DAYS
from funnel_lib.periods import DAYS_PER_MONTH
from tests.bench import coverage

AS_OF, OBSERVED_FROM = pd.Timestamp(coverage.AS_OF), pd.Timestamp(coverage.OBSERVED_FROM)
HORIZON = pd.Timedelta(weeks=HORIZON_WEEKS)
# Plans as shares of what the process really brings.
LEAST, MOST = 0.7, 1.3
LEADS = {"retail": 7000, "wholesale": 3000, "custom": 1500}


class Case(NamedTuple):
    """What one company was told, and what happened to it."""

    probability: float
    met: bool


def cases(name: str, seeds: Iterable[int]) -> list[Case]:
    """One company per seed, its plan between 70 and 130 % of what the process brings."""
    truth = simulate.true_rates(name)
    return [_case(name, seed, truth) for seed in seeds]


def _case(name: str, seed: int, truth: dict) -> Case:
    random = np.random.default_rng(seed)
    window = pd.Timedelta(days=truth["window_days"])
    as_of = AS_OF - window - HORIZON
    leads, events = simulate.make_leads(name, seed, leads=int(random.poisson(LEADS[name])))
    planned = _customers_per_month(name) * random.uniform(LEAST, MOST)
    process = Process.from_tables(
        name, leads=leads, stage_events=events, as_of=as_of, observed_from=OBSERVED_FROM, plan={"new_customers_per_month": planned},
        steps=[{"key": step["step"], "optional": step["optional"]} for step in truth["steps"]],
        conversion_window_days=truth["window_days"], not_leads=truth["not_leads"])
    came = _customers(leads, events, window, as_of, as_of + HORIZON)
    return Case(lead_flow.sufficiency(process).plan_met_probability, came >= planned * HORIZON_WEEKS * WEEK_DAYS / DAYS_PER_MONTH)


def _customers(leads: pd.DataFrame, events: pd.DataFrame, window: pd.Timedelta, since: pd.Timestamp, until: pd.Timestamp) -> int:
    """New leads created in that time who bought within the window."""
    created = leads[(leads["created_at"] >= since) & (leads["created_at"] < until)]
    if "returning" in created:
        created = created[~created["returning"].fillna(False).astype(bool)]
    won = events[events["step"] == "won"].groupby("lead_id")["entered_at"].min()
    return int((created["lead_id"].map(won) <= created["created_at"] + window).sum())


@cache
def _customers_per_month(name: str) -> float:
    """What the process brings on average, from a company a hundred times as large."""
    scale, window = 100, pd.Timedelta(days=simulate.true_rates(name)["window_days"])
    leads, events = simulate.make_leads(name, 0, leads=LEADS[name] * scale)
    until = AS_OF - window
    return _customers(leads, events, window, OBSERVED_FROM, until) / scale / ((until - OBSERVED_FROM).days / DAYS_PER_MONTH)
