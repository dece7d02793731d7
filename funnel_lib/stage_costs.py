"""Money and hours of each stage, everything observed."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, with_groups
from funnel_lib.labour import costed_hours, without_unknown
from funnel_lib.schema import STAGES

MONEY_AND_HOURS = ["spend_amount", "labour_amount", "hours", "uncosted_hours"]


def stage_sums(process: Process) -> pd.DataFrame:
    """Money and hours per stage: the three stages, then what names no known stage."""
    parts = []
    if process.has("spend"):
        spend = collect(with_groups(process.table("spend"), ["stage"]).group_by("stage").agg(nw.col("amount").sum()))
        parts.append(pd.DataFrame({"stage": spend["stage"], "spend_amount": spend["amount"] / process.minor_units}))
    if process.has("work"):
        costed = costed_hours(process, "stage")
        parts.append(costed.assign(labour_amount=without_unknown(costed, process)))
    found = {stage for part in parts for stage in part["stage"]}
    stages = [*STAGES, *sorted(found - set(STAGES))]
    # A stage without rows has cost nothing; one whose cost is unknown stays so.
    known = [part.set_index("stage").reindex(stages, fill_value=0.0) for part in parts]
    return pd.concat(known, axis=1).reindex(columns=MONEY_AND_HOURS).rename_axis("stage").reset_index()
