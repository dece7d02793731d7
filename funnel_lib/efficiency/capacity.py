"""Capacity: the hours that the flow of leads needs against the hours that are paid for, role by role."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, with_groups
from funnel_lib.errors import MeasureError
from funnel_lib.last_year import leads_per_month
from funnel_lib.new_leads import new_leads
from funnel_lib.rates import ratio

COLUMNS = ["role", "needed_hours", "paid_hours", "load_share", "hours_per_lead", "process_hours_share"]


def capacity(process: Process) -> pd.DataFrame:
    """The hours of an average month that each role needs, against those it is paid for; the tightest role first.

    One row is a role with work in this process. Columns: `role`, `needed_hours` = new leads per month (last 52 complete
    weeks) × `hours_per_lead` (hours of the role / new leads, everything observed), `paid_hours` = `paid_hours_per_month` ×
    people × `process_hours_share` (the part of the role's hours that this process takes), `load_share` = needed / paid,
    missing where the role's paid hours are not described.
    Raises `MeasureError` without leads or the table `work`.
    """
    leads = float(collect(new_leads(process).select(nw.len().alias("leads_count")))["leads_count"].iloc[0])
    hours = _by_role(process.table("work"))
    if leads == 0 or hours.empty:
        raise MeasureError(f"{process.name}: needs leads and rows in the table 'work' (hours) to tell what a lead takes")
    table = pd.DataFrame({"role": hours.index, "hours_per_lead": ratio(hours, leads)})
    table["needed_hours"] = table["hours_per_lead"] * leads_per_month(process)
    table["process_hours_share"] = ratio(hours, _by_role(_work_of_company(process)).reindex(hours.index))
    table["paid_hours"] = table["role"].map(_paid_hours(process)).astype(float) * table["process_hours_share"]
    table["load_share"] = ratio(table["needed_hours"], table["paid_hours"])
    return process.tidy(table.sort_values(["load_share", "needed_hours"], ascending=False)[COLUMNS])


def _by_role(work: nw.LazyFrame) -> pd.Series:
    hours = collect(with_groups(work, ["role"]).group_by("role").agg(nw.col("hours").sum()))
    return hours.set_index("role")["hours"].sort_index()


def _work_of_company(process: Process) -> nw.LazyFrame:
    """The work of all processes: people are shared."""
    work = process.source_tables["work"]
    return work if process.as_of is None else work.filter(nw.col("date") < process.as_of.to_pydatetime())


def _paid_hours(process: Process) -> dict[str, float]:
    """Role → hours paid per month for all its people."""
    return {key: role.paid_hours_per_month * (1 if role.people is None else role.people)
            for key, role in process.company.roles.items() if role.paid_hours_per_month is not None} or {"": np.nan}
