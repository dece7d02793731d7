"""People and their hours: what a lead takes of each role, and how many leads the paid hours serve."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect
from funnel_lib.errors import MeasureError
from funnel_lib.labour import work_by_day
from funnel_lib.language.messages import message
from funnel_lib.last_year import WEEKS_PER_MONTH
from funnel_lib.new_leads import new_leads
from funnel_lib.rates import ratio


def hours_by_role(process: Process) -> pd.DataFrame:
    """What new leads take of each role, and what is paid for; index: role.

    Columns: `hours_per_lead` (hours of the role in this process / new leads, everything observed), `process_hours_share`
    (the part of the role's hours that this process takes) and `paid_hours` a month = `paid_hours_per_month` × people ×
    that share, missing where they are not described. Raises `MeasureError` without leads or the table `work`.
    """
    return process.remembered(("hours_by_role",), lambda: _hours_by_role(process)).copy()


def _hours_by_role(process: Process) -> pd.DataFrame:
    leads = float(collect(new_leads(process).select(nw.len().alias("leads_count")))["leads_count"].iloc[0])
    worked = work_by_day(process)
    hours = _sums(worked[worked["is_own"]])
    if leads == 0 or hours.empty:
        raise MeasureError(message("{process}: needs leads and rows in the table 'work' (hours) to tell what a lead takes",
                                   process=process.name))
    table = pd.DataFrame({"hours_per_lead": ratio(hours, leads)}, index=hours.index)
    table["process_hours_share"] = ratio(hours, _sums(worked).reindex(hours.index))
    paid = pd.Series(paid_by_role(process), dtype=float).reindex(hours.index)
    return table.assign(paid_hours=paid * table["process_hours_share"])


def leads_per_week_by_role(process: Process) -> pd.Series:
    """How many new leads a week the paid hours of each role serve; missing where they are not described."""
    table = hours_by_role(process)
    return pd.Series(ratio(table["paid_hours"] / WEEKS_PER_MONTH, table["hours_per_lead"]), index=table.index)


def _sums(rows: pd.DataFrame) -> pd.Series:
    return rows.groupby("role")["hours"].sum().sort_index()


def work_of_company(process: Process) -> nw.LazyFrame:
    """The work of all processes: people are shared."""
    work = process.source_tables["work"]
    return work if process.as_of is None else work.filter(nw.col("date") < process.as_of.to_pydatetime())


def paid_by_role(process: Process) -> dict[str, float]:
    """Role → hours paid per month for all its people."""
    return {key: role.paid_hours_per_month * (1 if role.people is None else role.people)
            for key, role in process.company.roles.items() if role.paid_hours_per_month is not None}
