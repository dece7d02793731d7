"""Little's law stage by stage: whether the leads that wait in a stage are as many as its flow explains."""

from __future__ import annotations

from dataclasses import asdict

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.flow import LittlesLaw, law_between, littles_law, outcome_moment
from funnel_lib.errors import MeasureError
from funnel_lib.journeys import RUNNING, lead_states
from funnel_lib.schema import STAGES

COLUMNS = ["stage", "running_count", "running_mean_count", "arrivals_per_day", "mean_days", "law_ratio", "arrivals_count",
           "ended_count", "left_out_count", "verdict"]


def stage_queues(process: Process) -> pd.DataFrame:
    """How many leads stand in each stage, against those that its flow explains: L = λ · W of the last 90 days.

    One row is a stage: in `lead_generation` a new lead waits from its creation to its first step (or its end), in `conversion`
    from there to the outcome; in `account_management` the leads of customers who came back wait from creation to outcome.
    Columns: `running_count` now, `running_mean_count` (L), `arrivals_per_day` (λ), `mean_days` (W), `law_ratio` = L / (λ · W),
    `arrivals_count`, `ended_count`, `left_out_count` (no known moment), `verdict`: "steady" (0.8 to 1.25), "too many", "too few",
    or "cannot tell" (under 30 leads ended). Raises `MeasureError` without leads, events, described steps, or any time.
    Source: Little 1961.
    """
    laws = (_waiting(process), _in_conversion(process), _returning(process))
    rows = [{"stage": stage, **asdict(law)} for stage, law in zip(STAGES, laws, strict=True) if law is not None]
    return process.tidy(pd.DataFrame(rows)[COLUMNS])


def _first_step(process: Process) -> nw.Expr:
    return nw.min_horizontal(*[f"first_{number}_at" for number in range(len(process.steps))])


def _entered(process: Process) -> nw.Expr:
    """Whether the lead has entered any step, at a known moment or not."""
    return (nw.col("entries_count") > nw.col("lost_entries")).fill_null(False)


def _waiting(process: Process) -> LittlesLaw:
    leads = lead_states(process).with_columns(_first=_first_step(process))
    entered = _entered(process)
    end = nw.when(entered).then(nw.col("_first")).otherwise(outcome_moment())
    return law_between(process, leads, nw.col("created_at"), end, entered | (nw.col("state") != RUNNING))


def _in_conversion(process: Process) -> LittlesLaw:
    leads = lead_states(process).filter(_entered(process)).with_columns(_first=_first_step(process))
    return law_between(process, leads, nw.col("_first"), outcome_moment())


def _returning(process: Process) -> LittlesLaw | None:
    try:
        return littles_law(process, returning=True)
    except MeasureError:
        return None
