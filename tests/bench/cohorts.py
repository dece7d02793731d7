"""Young cohorts: how far the eventual conversion and the naive rate are from the truth, and how often the interval holds it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from funnel_lib import Process, conversion, simulate
from tests.bench.coverage import AS_OF, OBSERVED_FROM

# Custom-made goods are sold over more than a year: leads of January 2026 have 30 % of the 540 days behind them.
PROCESS, LEADS = "custom", 4000
COHORT = pd.Timestamp("2026-01-01"), pd.Timestamp("2026-02-01")


class Miss(NamedTuple):
    """By how much (share) the estimate and the naive rate of one seed's cohort miss the truth; does the interval hold it?"""

    estimate: float
    naive: float
    held: bool


def misses(seeds: Iterable[int]) -> list[Miss]:
    """One cohort per seed."""
    truth = simulate.true_rates(PROCESS)
    return [_miss(seed, truth) for seed in seeds]


def _miss(seed: int, truth: dict) -> Miss:
    leads, events = simulate.make_leads(PROCESS, seed, leads=LEADS)
    young = (leads["created_at"] >= COHORT[0]) & (leads["created_at"] < COHORT[1])
    leads["group"] = young.map({True: "young", False: "older"})
    steps = [{"key": step["step"], "optional": step["optional"]} for step in truth["steps"]]
    process = Process.from_tables(PROCESS, leads=leads, stage_events=events, steps=steps, as_of=AS_OF,
                                  observed_from=OBSERVED_FROM, conversion_window_days=truth["window_days"],
                                  not_leads=truth["not_leads"])
    row = conversion.eventual_conversion(process, by="group").set_index("group").loc["young"]
    true = truth["eventual_share"]
    return Miss(row.eventual_share - true, row.won_count / row.leads_count - true,
                bool(row.eventual_low_share <= true <= row.eventual_high_share))
