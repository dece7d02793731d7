"""New leads that really were leads, whether or not the process records movement through steps."""

from __future__ import annotations

import narwhals as nw

from funnel_lib.company import Process
from funnel_lib.journeys import WON, lead_states


def new_leads(process: Process) -> nw.LazyFrame:
    """One row per new lead with `is_won` (1 or 0).

    Where movement is recorded, leads lost for a reason of `not_leads` are left out and `is_won` says whether the last step
    is reached; without it nobody is known to have won. Raises `MeasureError` where there are no leads.
    """
    if process.steps and process.has("stage_events"):
        states = lead_states(process)
        return states.with_columns(is_won=nw.when(nw.col("state") == WON).then(nw.lit(1)).otherwise(nw.lit(0)))
    return process.leads().with_columns(is_won=nw.lit(0))


def all_leads(process: Process) -> nw.LazyFrame:
    """One row per lead that really was one, new or returning, with the lead's columns."""
    if process.settings.not_leads and process.steps and process.has("stage_events"):
        return lead_states(process, returning=None)
    return process.leads(returning=None)
