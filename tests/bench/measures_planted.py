"""Whether started measures are judged rightly: planted uplifts and placebos, in two groups and before against after."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from funnel_lib import Process, improvement
from funnel_lib.simulate.clock import AS_OF_SECONDS, DAY_SECONDS, seconds
from funnel_lib.simulate.leads import events_frame, lead_ids, leads_frame, stream
from funnel_lib.simulate.profiles import Profile, profile
from funnel_lib.simulate.stories import draw_company, tested
from funnel_lib.simulate.truth import first_ages
from tests.bench.coverage import AS_OF, OBSERVED_FROM


class Planted(NamedTuple):
    """A started measure of the simulator: the points by which it raises the chance of its step (0 of a placebo)."""

    name: str
    process: str
    step: str
    starts: str
    points: float
    randomised: bool


PLANTED = (Planted("uplift in two groups", "retail", "contacted", "2025-01-01", 0.04, True),
           Planted("placebo in two groups", "wholesale", "proposal", "2025-04-01", 0.0, True),
           Planted("uplift, before and after", "wholesale", "proposal", "2025-01-01", 0.06, False),
           Planted("placebo, before and after", "wholesale", "contacted", "2025-01-01", 0.0, False))
LARGE = 400_000


class Judged(NamedTuple):
    """What one company was told of one measure, and whether its interval holds the true effect."""

    name: str
    verdict: str
    holds: bool


def judged(seeds: Iterable[int]) -> list[Judged]:
    """Every planted measure once per seed; the effect foretold is 3 points, whatever the true one."""
    found = []
    for seed in seeds:
        for name in dict.fromkeys(planted.process for planted in PLANTED):
            measures = [planted for planted in PLANTED if planted.process == name]
            table = improvement.did_it_work(company(profile(name), seed, measures)).set_index("measure")
            for planted in measures:
                row = table.loc[planted.name]
                found.append(Judged(planted.name, row.verdict, bool(row.low <= true_effect(planted) <= row.high)))
    return found


def company(process: Profile, seed: int, measures: list[Planted]) -> Process:
    """A process of its usual size, with what the stories change in its steps."""
    rng = stream(seed, process.key, "planted measures")
    leads, events = draw_company(process)(rng, process.leads_count)
    ids = lead_ids(process, len(leads.created))
    frame = leads_frame(process, leads, ids, rng)
    frame["group"] = frame["group"].where(tested(process, leads), None)
    described = [{"key": one.name, "moves": f"step_rate.{one.step}", "effect": {"low": 0.0, "likely": 0.03, "high": 0.06},
                  "starts": one.starts, "groups": {"treated": "B", "control": "A"} if one.randomised else None} for one in measures]
    return Process.from_tables(
        process.key, leads=frame, stage_events=events_frame(process, leads, events, ids, rng), as_of=AS_OF, observed_from=OBSERVED_FROM,
        steps=[{"key": step.key, "optional": step.optional} for step in process.steps], conversion_window_days=process.window_days,
        not_leads=[reason for reason, _ in process.not_leads], measures=described)


@cache
def true_effect(planted: Planted) -> float:
    """The difference that it makes to the share of those at the step before, from very many leads counted in numpy."""
    if planted.points == 0:
        return 0.0
    process = profile(planted.process)
    leads, events = draw_company(process)(np.random.default_rng(1), LARGE)
    reached = first_ages(process, leads, events) <= process.window_days
    reached = np.flip(np.logical_or.accumulate(np.flip(reached, axis=1), axis=1), axis=1)
    mandatory = [number for number, step in enumerate(process.steps) if not step.optional]
    at = next(number for number in mandatory if process.steps[number].key == planted.step)
    before = [number for number in mandatory if number < at]
    real = (leads.not_lead < 0) & (leads.created <= AS_OF_SECONDS - process.window_days * DAY_SECONDS)
    base = real & (reached[:, before[-1]] if before else True)
    later = leads.created >= seconds(planted.starts)
    if planted.randomised:
        sides = base & later & (leads.group == 0), base & later & (leads.group == 1)
    else:
        sides = base & (leads.created + process.window_days * DAY_SECONDS <= seconds(planted.starts)), base & later
    return float(reached[sides[1], at].mean() - reached[sides[0], at].mean())


def summed(found: list[Judged]) -> pd.DataFrame:
    """Per planted measure: seeds, how many of each verdict, how many intervals hold the truth."""
    table = pd.DataFrame(found)
    counts = table.pivot_table(index="name", columns="verdict", aggfunc="size", fill_value=0, observed=True)
    counts = counts.reindex(columns=["worked", "did not", "cannot be told"], fill_value=0)
    return counts.assign(seeds=table.groupby("name").size(), holds=table.groupby("name")["holds"].sum()).reindex(
        [planted.name for planted in PLANTED])
