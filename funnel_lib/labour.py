"""Hours and what they cost: work priced by the hour cost of the role that did it."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, with_groups
from funnel_lib.periods import FIRST_YEAR, Span
from funnel_lib.rates import steady
from funnel_lib.schema import MISSING

COSTED = ["hours", "labour_amount", "uncosted_hours"]
_SUMMED = ["hours", "labour", "uncosted_hours"]


def hour_costs(process: Process) -> dict[str, float]:
    """Role → money per hour, of the roles whose cost is described."""
    return {key: role.hour_cost for key, role in process.company.roles.items() if role.hour_cost is not None}


def priced(work: nw.LazyFrame, process: Process) -> nw.LazyFrame:
    """Rows of work with `labour` in whole minor units (none without an hour cost) and `uncosted_hours`.

    Each piece of work is rounded by itself, halves up, so that sums are exact and the same on every engine.
    """
    work = work.with_columns(_hour_cost=_minor_units_per_hour(process))
    return work.with_columns(
        labour=_labour(process).fill_null(0.0),
        uncosted_hours=nw.when(nw.col("_hour_cost").is_null()).then(nw.col("hours")).otherwise(nw.lit(0.0)))


def _minor_units_per_hour(process: Process) -> nw.Expr:
    """The hour cost of the row's role in minor units; missing where none is known."""
    cost = nw.lit(None, dtype=nw.Float64)
    for role, hour_cost in hour_costs(process).items():
        cost = nw.when(nw.col("role") == role).then(nw.lit(hour_cost * process.minor_units)).otherwise(cost)
    return cost


def _labour(process: Process) -> nw.Expr:
    return (nw.col("hours") * _minor_units_per_hour(process) + 0.5).floor()


def work_by_day(process: Process) -> pd.DataFrame:
    """The hours of every day by stage and role: the one pass over the table `work` that the sums of hours share.

    One row is `is_own` (of this process, else of the others of the company: people are shared) × `stage` × `role` ×
    `is_automatic` × `day`. Columns: `hours`, `labour` in whole minor units, `uncosted_hours`. It is kept: do not change it.
    Raises `MeasureError` without the table `work`.
    """
    return process.remembered(("work_by_day",), lambda: _work_by_day(process))


def _work_by_day(process: Process) -> pd.DataFrame:
    process.table("work")
    work, date = process.source_tables["work"], nw.col("date")
    if process.as_of is not None:
        work = work.filter((date >= FIRST_YEAR.to_pydatetime()) & (date < process.as_of.to_pydatetime()))
    # On many rows every further expression is felt: what the groups tell as well is worked out on them.
    work = work.with_columns(labour=_labour(process), day=date.dt.truncate("1d"))
    sums = collect(work.group_by("process", "stage", "role", "automated", "day").agg(nw.col("hours").sum(), nw.col("labour").sum()))
    keys = ["is_own", "stage", "role", "is_automatic", "day"]
    sums = sums.assign(is_own=sums["process"].eq(process.name), stage=sums["stage"].fillna(MISSING),
                       role=sums["role"].fillna(MISSING), is_automatic=sums["automated"].eq(True).fillna(False).astype(bool))
    sums = sums.sort_values([*keys, "hours"]).reset_index(drop=True)
    return sums.assign(uncosted_hours=sums["hours"].mask(sums["role"].isin(hour_costs(process)), 0.0))[[*keys, *_SUMMED]]


def own_work(process: Process, span: Span | None = None) -> pd.DataFrame:
    """The rows of `work_by_day` of this process, in a span of time if one is given."""
    rows = work_by_day(process)
    rows = rows[rows["is_own"]]
    return rows if span is None else rows[(rows["day"] >= span.since) & (rows["day"] < span.until)]


def summed(rows: pd.DataFrame, by: str | list[str], process: Process) -> pd.DataFrame:
    """Rows of `work_by_day` added up by some of its columns: `by`, `hours`, `labour_amount`, `uncosted_hours`."""
    sums = rows.groupby(by)[_SUMMED].sum()
    sums = sums.assign(**{name: steady(sums[name]) for name in _SUMMED}).reset_index()
    return sums.assign(labour_amount=sums["labour"] / process.minor_units).drop(columns="labour")


def costed_hours(process: Process, by: str, work: nw.LazyFrame | None = None) -> pd.DataFrame:
    """Hours of work and what they cost, per value of the work column `by`.

    Columns: `by`, `hours`, `labour_amount` = Σ hours × hour cost of the role, `uncosted_hours` (role missing, not described
    or without an hour cost), which the labour leaves out.
    """
    if work is None and by in ("stage", "role"):
        return summed(own_work(process), by, process)[[by, *COSTED]]
    work = with_groups(priced(process.table("work") if work is None else work, process), [by])
    sums = work.group_by(by).agg(*[nw.col(name).sum() for name in _SUMMED])
    costed = collect(sums).sort_values(by).reset_index(drop=True)
    costed["labour_amount"] = costed["labour"] / process.minor_units
    return costed[[by, *COSTED]]


def has_costs(process: Process) -> bool:
    """Whether there is spend, or work of roles with an hour cost."""
    return process.has("spend") or (process.has("work") and bool(hour_costs(process)))


def without_cost(costed: pd.DataFrame, process: Process) -> pd.Series:
    """Whether so much of the `hours` are `uncosted_hours` (more than `allow_set_aside_share`) that the cost is not known."""
    return costed["uncosted_hours"] > process.settings.allow_set_aside_share * costed["hours"]


def without_unknown(costed: pd.DataFrame, process: Process) -> pd.Series:
    """The labour amounts, missing where more of the hours than `allow_set_aside_share` have no cost."""
    return costed["labour_amount"].mask(without_cost(costed, process))


def roles_without_cost(process: Process) -> list[str]:
    """Roles that did work here and have no hour cost, most hours first; "(missing)" for work without a role."""
    if not process.has("work"):
        return []
    by_role = costed_hours(process, "role")
    return by_role[by_role["uncosted_hours"] > 0].sort_values("hours", ascending=False)["role"].to_list()
