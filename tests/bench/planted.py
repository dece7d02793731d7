"""Planted bottlenecks: a small company in which one role has too few paid hours, and whether the capacity finds it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from funnel_lib import Process, efficiency

ROLES = ("caller", "negotiator", "manager")
SEEDS = 100
AS_OF, OBSERVED_FROM = pd.Timestamp("2026-07-01"), pd.Timestamp("2025-07-01")
LEADS, HOURS_PER_LEAD = 600, 2.0
# The planted role is paid for four fifths of the hours that the flow needs, the others for a quarter more than needed.
SHORT, AMPLE = 0.8, 1.25


class Found(NamedTuple):
    """The role planted in one company, and the one found (None: no role binds)."""

    planted: str | None
    found: str | None
    lost_customers: float


def planted_bottleneck(seed: int, short: bool = True) -> Found:
    """One company per seed: a random role is short of hours, or none with `short=False`."""
    random = np.random.default_rng(seed)
    planted = str(random.choice(ROLES)) if short else None
    process = Process.from_tables("p", **_tables(random), steps=["won"], as_of=AS_OF, observed_from=OBSERVED_FROM,
                                  roles={role: _role(role, planted) for role in ROLES})
    row = efficiency.capacity(process).iloc[0]
    return Found(planted, row["role"] if row["is_bottleneck"] else None, float(row["lost_customers"]))


def _role(role: str, planted: str | None) -> dict:
    needed = LEADS / 12 * HOURS_PER_LEAD
    return {"name": role, "hour_cost": 10, "people": 1, "paid_hours_per_month": round(needed * (SHORT if role == planted else AMPLE), 1)}


def _tables(random: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Leads spread over the year; each takes hours of every role that vary by as much as their mean."""
    count = random.poisson(LEADS)
    created = OBSERVED_FROM + pd.to_timedelta(np.sort(random.uniform(0, 364, count)), unit="D").round("min")
    leads = pd.DataFrame({"lead_id": [f"L{number}" for number in range(count)], "created_at": created})
    won = leads[random.random(count) < 0.3]
    events = pd.DataFrame({"lead_id": won["lead_id"], "step": "won", "entered_at": won["created_at"] + pd.Timedelta(hours=4)})
    work = pd.concat([pd.DataFrame({"date": created, "stage": "conversion", "role": role,
                                    "hours": random.exponential(HOURS_PER_LEAD, count)}) for role in ROLES])
    return {"leads": leads, "stage_events": events[events["entered_at"] < AS_OF], "work": work}


def bottlenecks(seeds: int = SEEDS) -> list[str]:
    """How often the planted role is found, and how often one is found where none was planted."""
    short, ample = ([planted_bottleneck(seed, planted) for seed in range(seeds)] for planted in (True, False))
    return ["| companies | seeds | told rightly |", "|---|---|---|",
            f"| one role short of a fifth of its hours | {seeds} | {sum(one.found == one.planted for one in short)} |",
            f"| every role with a quarter more than needed | {seeds} | {sum(one.found is None for one in ample)} |", "",
            "The bound is 95 of 100."]
