"""Hours and what they cost: work priced by the hour cost of the role that did it."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, with_groups

COSTED = ["hours", "labour_amount", "uncosted_hours"]


def hour_costs(process: Process) -> dict[str, float]:
    """Role → money per hour, of the roles whose cost is described."""
    return {key: role.hour_cost for key, role in process.company.roles.items() if role.hour_cost is not None}


def priced(work: nw.LazyFrame, process: Process) -> nw.LazyFrame:
    """Rows of work with `labour` in whole minor units (none without an hour cost) and `uncosted_hours`.

    Each piece of work is rounded by itself, halves up, so that sums are exact and the same on every engine.
    """
    cost = nw.lit(None, dtype=nw.Float64)
    for role, hour_cost in hour_costs(process).items():
        cost = nw.when((nw.col("role") == role).fill_null(False)).then(nw.lit(hour_cost * process.minor_units)).otherwise(cost)
    work = work.with_columns(_hour_cost=cost)
    return work.with_columns(
        labour=(nw.col("hours") * nw.col("_hour_cost") + 0.5).floor().fill_null(0.0),
        uncosted_hours=nw.when(nw.col("_hour_cost").is_null()).then(nw.col("hours")).otherwise(nw.lit(0.0)))


def costed_hours(process: Process, by: str, work: nw.LazyFrame | None = None) -> pd.DataFrame:
    """Hours of work and what they cost, per value of the work column `by`.

    Columns: `by`, `hours`, `labour_amount` = Σ hours × hour cost of the role, `uncosted_hours` (role missing, not described
    or without an hour cost), which the labour leaves out.
    """
    work = with_groups(priced(process.table("work") if work is None else work, process), [by])
    sums = work.group_by(by).agg(nw.col("hours").sum(), nw.col("labour").sum(), nw.col("uncosted_hours").sum())
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
