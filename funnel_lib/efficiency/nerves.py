"""Nerves: how hard the work of a stage is, and how often people hear a no or have to begin again."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.backward import moves_back
from funnel_lib.efficiency.results import RESULTS, Results, results
from funnel_lib.efficiency.strain import STRAIN, hard_hours, mean_strain, strain_answers
from funnel_lib.engine import collect, flag
from funnel_lib.errors import CallError, MeasureError
from funnel_lib.journeys import WON, lead_states
from funnel_lib.labour import own_work, summed
from funnel_lib.language.messages import message
from funnel_lib.rates import Z_95, odds, ratio, steady
from funnel_lib.schema import LOST, STAGES

ALL = "all"
_HARD = ["strain_hours_per_result", "strain_hours_per_result_low", "strain_hours_per_result_high"]
_LOG = ["refusals_count", "wins_count", "refusals_per_win", "refusals_per_win_low", "refusals_per_win_high", "returns_count",
        "returns_per_win", "returns_per_win_low", "returns_per_win_high"]
COLUMNS = [*STRAIN, "hours", "strain_hours"]


def nerves(process: Process, by: str | None = None) -> pd.DataFrame:
    """How hard the work of each stage is on people: what they say, and what the log shows.

    One row is a stage or `all`. Columns: `strain` (1 to 5) with 95 % limits and `strain_answers_count`; `hours` done by people
    and `strain_hours` = Σ hours × (strain − 1), in all and `strain_hours_per_result` with limits (error of the strain and of the
    number of results); `refusals_count`, lost leads, and `returns_count`, moves back (into an earlier or the same step, or after
    a loss), against `wins_count`, each per win with 95 % limits. Lead generation has the refusals before the first step,
    conversion the later ones and all moves back of new leads, account management those of the leads of returning customers.
    With `by="role"` one row is a stage × role, of strain and hours only.
    What the process has no table for is missing. Raises `MeasureError` where there is neither `pulse` nor movement through the
    steps, and with `by="role"` without `pulse`.
    """
    if by not in (None, "role"):
        raise CallError(message("nerves: by={by!r}: expected None or 'role'", by=by))
    if by == "role":
        return process.tidy(_by_role(process))
    if not (process.has("pulse") or _has_log(process)):
        raise MeasureError(message("{process}: needs the table 'pulse' (how hard the work was) or 'stage_events' (refusals and "
                                   "returns) to tell what the work takes in nerves", process=process.name))
    table = pd.DataFrame({"stage": [*STAGES, ALL]})
    table["result"] = table["stage"].map(RESULTS)
    found = results(process)
    table["result_count"] = [found.of(stage) for stage in table["stage"]]
    table[[*COLUMNS, *_HARD]] = np.array([_said(process, stage, found) for stage in table["stage"]], dtype=float)
    table[_LOG] = np.array(_logged(process) if _has_log(process) else [[np.nan] * len(_LOG)] * len(table), dtype=float)
    return process.tidy(table[["stage", "result", "result_count", *COLUMNS, *_HARD, *_LOG]])


def _has_log(process: Process) -> bool:
    return bool(process.has("leads") and process.has("stage_events") and process.steps)


def _said(process: Process, stage: str, found: Results) -> list[float]:
    """Strain, hours by people and strain-hours of a stage."""
    hours = own_work(process) if process.has("work") else None
    if hours is not None:
        hours = hours[~hours["is_automatic"] & (hours["stage"].isin(STAGES) if stage == ALL else hours["stage"] == stage)]
    spent = np.nan if hours is None else float(steady(hours["hours"].sum()))
    if not process.has("pulse"):
        return [np.nan, np.nan, np.nan, 0, spent, *[np.nan] * 4]
    answers = strain_answers(process)
    mean = mean_strain(answers if stage == ALL else answers[answers["stage"] == stage])
    hard, error = _hard_hours(process, stage) if hours is not None else (np.nan, np.nan)
    per_result = ratio(hard, found.of(stage))
    half = Z_95 * np.sqrt(ratio(error**2, hard**2) + found.relative_variance(stage))
    return [*(mean[name] for name in STRAIN), spent, hard, per_result, per_result * np.exp(-half), per_result * np.exp(half)]


def _hard_hours(process: Process, stage: str) -> tuple[float, float]:
    """Strain-hours of a stage (of all three) and their standard error, which is that of the answers."""
    hard, answers = hard_hours(process), strain_answers(process)
    rows = hard[hard["stage"].isin(STAGES) if stage == ALL else hard["stage"] == stage]
    if rows.empty or rows["strain_hours"].isna().any():
        return (np.nan if len(rows) else 0.0), np.nan
    variance = 0.0
    for key, own in rows.groupby("stage"):
        asked, hours = answers[answers["stage"] == key], own.set_index("role")["hours"]
        # Hours of roles nobody asked lean on every answer of the stage, those of one role and of another alike.
        leaning = ratio(hours[~hours.index.isin(asked["role"])].sum(), asked["answers"].sum())
        for row in asked.itertuples():
            weight = hours.get(row.role, 0.0) + leaning * row.answers
            variance += weight**2 * _error_square(asked[asked["role"] == row.role], asked)
    return float(steady(rows["strain_hours"].sum())), float(np.sqrt(variance))


def _error_square(answers: pd.DataFrame, of_stage: pd.DataFrame) -> float:
    """Square of the standard error of these answers' mean; a single answer varies as the whole stage does."""
    enough = answers if answers["answers"].sum() > 1 else of_stage
    count, total, squares = (float(enough[name].sum()) for name in ("answers", "total", "squares"))
    variance = ratio(max(squares - ratio(total**2, count), 0.0), count - 1)
    return ratio(variance, float(answers["answers"].sum()))


def _logged(process: Process) -> list[list[float]]:
    """Refusals, wins and moves back, per row of the table."""
    new, back = _outcomes(process, False), _outcomes(process, True)
    returns, returns_back = moves_back(process), moves_back(process, returning=True)
    rows = [(new["early"], new["wins"], np.nan), (new["late"], new["wins"], returns), (back["lost"], back["wins"], returns_back),
            (new["lost"] + back["lost"], new["wins"] + back["wins"], returns + returns_back)]
    return [[lost, wins, *odds(lost, wins), moved, *(odds(moved, wins) if moved == moved else [np.nan] * 3)]
            for lost, wins, moved in rows]


def _outcomes(process: Process, returning: bool) -> pd.Series:
    """Leads won and lost; of the lost ones those that never entered a step (`early`) and the others (`late`)."""
    lost, entered = nw.col("state") == LOST, (nw.col("entries_count") > nw.col("lost_entries")).fill_null(False)
    leads = lead_states(process, returning).with_columns(wins=flag(nw.col("state") == WON), lost=flag(lost),
                                                         late=flag(lost & entered))
    sums = collect(leads.select(*[nw.col(name).sum() for name in ("wins", "lost", "late")])).fillna(0).iloc[0]
    return pd.concat([sums, pd.Series({"early": sums["lost"] - sums["late"]})])


def _by_role(process: Process) -> pd.DataFrame:
    answers = strain_answers(process)
    means = pd.DataFrame([{"stage": stage, "role": role, **mean_strain(part)} for (stage, role), part in
                          answers.groupby(["stage", "role"])], columns=["stage", "role", *STRAIN])
    if not process.has("work"):
        return means.assign(hours=np.nan, strain_hours=np.nan)
    work = own_work(process)
    hours = summed(work[~work["is_automatic"]], ["stage", "role"], process)[["stage", "role", "hours"]]
    table = means.merge(hours, on=["stage", "role"], how="outer").fillna({"hours": 0.0})
    hard = hard_hours(process)[["stage", "role", "strain_hours"]]
    table = table.merge(hard, on=["stage", "role"], how="left")
    order = {stage: number for number, stage in enumerate(STAGES)}
    table["_order"] = table["stage"].map(order).fillna(len(order))
    return table.sort_values(["_order", "strain_hours"], ascending=[True, False])[["stage", "role", *COLUMNS]]
