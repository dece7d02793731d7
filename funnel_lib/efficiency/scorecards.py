"""Scorecards: each role, and each employee, on the indicators of their own stage only."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion import comparison
from funnel_lib.efficiency.indicators import indicators
from funnel_lib.efficiency.roles import roles
from funnel_lib.efficiency.work_log import work_cells
from funnel_lib.engine import collect, flag
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.new_leads import new_leads
from funnel_lib.pooling import ABOVE, BELOW, pooled_shares, verdicts_against_the_rest
from funnel_lib.rates import is_few, rate
from funnel_lib.schema import MISSING, STAGES

SCORES = ["role", "stage", "stage_from", "indicator", "step", "unit", "last_value", "last_low", "last_high", "cases_count",
          "of_count", "before_value", "before_low", "before_high", "before_cases_count", "before_of_count", "adjusted_p_value",
          "verdict", "reason"]
EMPLOYEES = ["stage", "indicator", "employee", "role", "cases_count", "of_count", "share", "low_share", "high_share",
             "pooled_share", "pooled_low_share", "pooled_high_share", "adjusted_p_value", "few", "verdict"]


def scorecards(process: Process) -> pd.DataFrame:
    """Each role on the indicators of its own stage, the last year against the year before.

    One row is a role × an indicator of its stage (`roles` says which, `indicators` what they are). Roles of one stage share its
    figures: they are what the stage brings, not what one role alone did. Columns: `role`, `stage`, `stage_from`, then those of
    `indicators`. Raises `MeasureError` as these two do.
    """
    own = roles(process)[["role", "stage", "stage_from"]]
    own = own[own["role"].isin(_people(process))]
    table = own.merge(indicators(process).drop(columns="year_start"), on="stage", how="inner")
    return process.tidy(table[SCORES])


def _people(process: Process) -> list[str]:
    """Roles that are described; of others, and of a robot that nobody plays, nobody can be asked for a result."""
    done = work_cells(process) if process.has("work") else pd.DataFrame(columns=["role", "executions_count", "automated"])
    sums = done.groupby("role")[["executions_count", "automated"]].sum()
    machines = set(sums.index[(sums["executions_count"] > 0) & (sums["automated"] == sums["executions_count"])])
    return [role for role in process.company.roles or set(done["role"]) if role not in machines]


def employee_scores(process: Process) -> pd.DataFrame:
    """Employees on one indicator of their own stage, drawn towards the common value, with what chance would do.

    One row is an employee × indicator of the stage that their role belongs to: of conversion `win_rate` (leads they own, as
    `conversion.comparison` counts them), of lead generation `target_share` (new leads with a known segment that they worked on
    in this stage; a lead counts for each who did). Columns: `stage`, `indicator`, `employee`, `role` (most of their hours),
    `cases_count`, `of_count`, `share` with Wilson limits; `pooled_share` with its limits, `adjusted_p_value`, `few` (under
    30), `verdict` (above, below, no_difference, too_few). Rows of an indicator go by pooled share only where somebody differs,
    else by name: there is no ranking then. Who serves which clients is not recorded well enough to score account managers.
    Raises `MeasureError` where neither indicator can be told by employee.
    Source: Efron and Morris 1975; Fisher 1935; Benjamini and Hochberg 1995.
    """
    parts = [_scored(counts, stage, name) for stage, name, counts in _counts(process) if len(counts)]
    if not parts:
        raise MeasureError(message("{process}: needs the column 'owner' in the leads, or 'employee' and 'lead_id' in the table "
                                   "'work', to tell what each employee brings", process=process.name))
    return process.tidy(pd.concat(parts, ignore_index=True)[EMPLOYEES])


def _counts(process: Process) -> list[tuple[str, str, pd.DataFrame]]:
    found = []
    for stage, name, count in ((STAGES[0], "target_share", _on_target), (STAGES[1], "win_rate", _won)):
        try:
            found.append((stage, name, _of_stage(count(process), stage, process)))
        except MeasureError:  # the other indicator can still be told
            continue
    return found


def _of_stage(counts: pd.DataFrame, stage: str, process: Process) -> pd.DataFrame:
    """With the role of each employee; those whose role belongs to another stage are scored there, not here."""
    role_of = _roles_of(process)
    role = counts["employee"].map(role_of).astype("str").where(counts["employee"].isin(role_of))
    stage_of = dict(roles(process)[["role", "stage"]].to_numpy()) if process.has("work") else {}
    here = [stage_of.get(name, stage) == stage for name in role]
    return counts.assign(role=role)[here]


def _won(process: Process) -> pd.DataFrame:
    table = comparison(process, by="owner")
    return table.rename(columns={"owner": "employee", "won_count": "cases_count", "leads_count": "of_count"})


def _on_target(process: Process) -> pd.DataFrame:
    targets = list(process.settings.target_segments)
    if not (targets and process.has("leads", "segment") and process.has("work", "employee", "lead_id")):
        raise MeasureError(message("{process}: needs target segments and work with its employee and lead", process=process.name))
    work = process.table("work").filter((nw.col("stage") == STAGES[0]).fill_null(False) & ~nw.col("employee").is_null())
    pairs = work.filter(~nw.col("lead_id").is_null()).select("employee", "lead_id").unique()
    leads = new_leads(process).filter(~nw.col("segment").is_null())
    leads = leads.select("lead_id", target=flag(nw.col("segment").is_in(targets).fill_null(False)))
    counts = pairs.join(leads, on="lead_id", how="inner").group_by("employee").agg(
        nw.len().alias("of_count"), nw.col("target").sum().alias("cases_count"))
    return collect(counts)


def _scored(counts: pd.DataFrame, stage: str, name: str) -> pd.DataFrame:
    table = counts[["employee", "role", "cases_count", "of_count"]].reset_index(drop=True)
    part, whole = (table[column].to_numpy(dtype=float) for column in ("cases_count", "of_count"))
    raw, pooled, few = rate(part, whole), pooled_shares(part, whole), is_few(whole)
    adjusted, verdict = verdicts_against_the_rest(part, whole, ~few & (table["employee"] != MISSING))
    table = table.assign(
        stage=stage, indicator=name, share=raw.share, low_share=raw.low_share,
        high_share=raw.high_share, pooled_share=pooled.share, pooled_low_share=pooled.low_share,
        pooled_high_share=pooled.high_share, adjusted_p_value=adjusted, few=few, verdict=verdict)
    ranked = np.isin(verdict, (ABOVE, BELOW)).any()
    return table.sort_values(["pooled_share", "employee"] if ranked else ["employee"], ascending=[False, True] if ranked else True)


def _roles_of(process: Process) -> dict[str, str]:
    """Employee → the role in which most of their hours were worked."""
    if not process.has("work"):
        return {}
    hours = work_cells(process).groupby(["employee", "role"], as_index=False)["hours"].sum()
    hours = hours.sort_values(["hours", "role"], ascending=[False, True]).drop_duplicates("employee")
    return dict(zip(hours["employee"], hours["role"], strict=True))
