"""The last year of a process: the new leads of its last 52 complete weeks, and a year's money and hours."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, with_groups
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import DAYS_PER_MONTH, days_between, period_starts
from funnel_lib.rates import ratio

WEEKS = 52
WEEK_DAYS = 7
YEAR_DAYS = 365.25
WEEKS_PER_MONTH = DAYS_PER_MONTH / WEEK_DAYS


def complete_weeks(process: Process) -> pd.DatetimeIndex:
    """Mondays of the last complete weeks observed, at most 52.

    Raises `MeasureError` where not one week is complete.
    """
    end = process.needs_as_of()
    last = end.normalize() - pd.Timedelta(days=end.weekday() + WEEK_DAYS)
    mondays = pd.date_range(end=last, periods=WEEKS, freq="7D")
    weeks = mondays[mondays >= process.observed_from] if process.observed_from is not None else mondays[:0]
    if not len(weeks):
        raise MeasureError(message("{process}: needs at least one complete week, Monday to Sunday, of records",
                                   process=process.name))
    return weeks


def weekly_leads(process: Process) -> pd.DataFrame:
    """New leads of the last complete weeks: one row per Monday, one column per channel, zeros where none came.

    Raises `MeasureError` where there is no list of leads or no complete week.
    """
    return process.remembered(("weekly_leads",), lambda: _weekly_leads(process)).copy()


def _weekly_leads(process: Process) -> pd.DataFrame:
    weeks = complete_weeks(process)
    end = weeks[-1] + pd.Timedelta(weeks=1)
    created = nw.col("created_at")
    leads = new_leads(process).filter((created >= weeks[0].to_pydatetime()) & (created < end.to_pydatetime()))
    leads = with_groups(leads, ["channel"]).with_columns(day=created.dt.truncate("1d"))
    counts = collect(leads.group_by("channel", "day").agg(nw.len().alias("leads_count")))
    counts["week"] = period_starts(counts["day"], "week")
    table = counts.pivot_table(index="week", columns="channel", values="leads_count", aggfunc="sum", fill_value=0)
    return table.reindex(index=weeks, fill_value=0).sort_index(axis=1).astype(float)


def leads_per_month(process: Process) -> float:
    """New leads per month, from the last 52 complete weeks."""
    weekly = weekly_leads(process)
    return ratio(weekly.to_numpy().sum(), len(weekly)) * WEEKS_PER_MONTH


def year_start(process: Process) -> pd.Timestamp:
    """Where the last year of money and hours begins: a year before `as_of`, or where the recording began."""
    return max(process.needs_as_of() - pd.DateOffset(years=1), process.observed_from)


def yearly_factor(process: Process) -> float:
    """What makes the sums since `year_start` those of a whole year: 1, or more where less than a year was observed."""
    days = days_between(year_start(process), process.needs_as_of())
    full = process.needs_as_of() - pd.DateOffset(years=1) >= process.observed_from
    return 1.0 if full else ratio(YEAR_DAYS, days)


def of_last_year(process: Process, table: str) -> nw.LazyFrame:
    """The rows of `spend` or `work` since `year_start`; rows without a date are left out: see `undated_of_last_year`."""
    since = year_start(process).to_pydatetime()
    return process.table(table).filter((nw.col("date") >= since).fill_null(False))


def undated_of_last_year(process: Process) -> float:
    """Money of `spend` without a date, in major units, that falls to the time since `year_start` when it is spread evenly
    over the time observed.

    Raises `MeasureError` where there is such money and no time observed to spread it over.
    """
    undated = process.table("spend").filter(nw.col("date").is_null()) if process.has("spend", "date") else process.table("spend")
    amount = float(np.nan_to_num(collect(undated.select(nw.col("amount").sum()))["amount"].astype(float).iloc[0]))
    if amount == 0:
        return 0.0
    days = 0.0 if process.observed_from is None else days_between(process.observed_from, process.needs_as_of())
    if not days > 0:
        raise MeasureError(message("{process}: needs the date of its spending, or observed_from in company.yaml, to tell what a "
                                   "year costs", process=process.name))
    return ratio(amount / process.minor_units * days_between(year_start(process), process.needs_as_of()), days)
