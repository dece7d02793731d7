"""The log of work in few numbers: one scan gives what the levels, the match of qualifications and the roles begin with."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, flag, with_groups
from funnel_lib.labour import hour_costs, priced
from funnel_lib.periods import DAYS_PER_MONTH, days_between
from funnel_lib.rates import rate
from funnel_lib.schema import MISSING

GROUPS = ["card", "stage", "role", "employee"]
SUMS = ["executions_count", "hours", "squares", "automated", "labour_amount", "labour_squares", "uncosted_hours"]
MONTHS_PER_YEAR = 12


def work_cells(process: Process) -> pd.DataFrame:
    """Sums of the log of work per card, stage, role and employee; a missing one is "(missing)".

    Columns: `executions_count` (rows of work), `hours`, `squares` (Σ hours²), `automated` (rows), `labour_amount`,
    `labour_squares` (Σ labour²), `uncosted_hours`. Raises `MeasureError` without the table `work`.
    """
    return process.remembered(("work_cells",), lambda: _cells(process)).copy()


def _cells(process: Process) -> pd.DataFrame:
    work = with_groups(priced(process.table("work"), process), GROUPS)
    work = work.with_columns(automated=flag(nw.col("automated")), squares=nw.col("hours") * nw.col("hours"))
    sums = ("hours", "squares", "automated", "labour", "uncosted_hours")
    cells = collect(work.group_by(*GROUPS).agg(nw.len().alias("executions_count"), *[nw.col(name).sum() for name in sums]))
    cells[list(sums)] = cells[list(sums)].fillna(0.0)
    cells["labour_amount"] = cells["labour"] / process.minor_units
    cost = cells["role"].map(hour_costs(process)).fillna(0.0)
    cells["labour_squares"] = cells["squares"] * cost**2
    return cells.sort_values(GROUPS)[[*GROUPS, *SUMS]].reset_index(drop=True)


def on_cards(process: Process) -> pd.DataFrame:
    """The cells of work that names a card."""
    cells = work_cells(process)
    return cells[cells["card"] != MISSING].reset_index(drop=True)


def repeated_work(process: Process) -> pd.DataFrame:
    """Per card: leads worked on, and those on which the same work was done more than once, with the Wilson limits of the share."""
    work = process.table("work").filter(~nw.col("card").is_null() & ~nw.col("lead_id").is_null())
    per_lead = work.group_by("card", "lead_id").agg(nw.len().alias("times")).with_columns(again=flag(nw.col("times") > 1))
    table = collect(per_lead.group_by("card").agg(nw.len().alias("worked_leads_count"),
                                                  nw.col("again").sum().alias("repeated_leads_count")))
    share = rate(table["repeated_leads_count"], table["worked_leads_count"])
    return table.assign(repeated_leads_share=share.share, repeated_leads_low_share=share.low_share,
                        repeated_leads_high_share=share.high_share)


def observed_months(process: Process) -> float:
    """How many months were observed; missing where no table has a time."""
    if process.as_of is None or process.observed_from is None:
        return np.nan
    days = days_between(process.observed_from, process.as_of)
    return days / DAYS_PER_MONTH if days > 0 else np.nan
