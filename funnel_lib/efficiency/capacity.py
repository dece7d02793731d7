"""Capacity: the hours that the flow of leads needs against the hours that are paid for, role by role."""

from __future__ import annotations

import pandas as pd

from funnel_lib.company import Process
from funnel_lib.last_year import leads_per_month
from funnel_lib.rates import ratio
from funnel_lib.staffing import hours_by_role

COLUMNS = ["role", "needed_hours", "paid_hours", "load_share", "hours_per_lead", "process_hours_share"]


def capacity(process: Process) -> pd.DataFrame:
    """The hours of an average month that each role needs, against those it is paid for; the tightest role first.

    One row is a role with work in this process. Columns: `role`, `needed_hours` = new leads per month (last 52 complete
    weeks) × `hours_per_lead` (hours of the role / new leads, everything observed), `paid_hours` = `paid_hours_per_month` ×
    people × `process_hours_share` (the part of the role's hours that this process takes), `load_share` = needed / paid,
    missing where the role's paid hours are not described.
    Raises `MeasureError` without leads or the table `work`.
    """
    table = hours_by_role(process).rename_axis("role").reset_index()
    table["needed_hours"] = table["hours_per_lead"] * leads_per_month(process)
    table["load_share"] = ratio(table["needed_hours"], table["paid_hours"])
    return process.tidy(table.sort_values(["load_share", "needed_hours"], ascending=False)[COLUMNS])
