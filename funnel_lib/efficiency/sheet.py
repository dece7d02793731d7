"""The efficiency sheet: what the result of each stage costs in money, hours, days and nerves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.efficiency.results import RESULTS, median_days, process_margin, results
from funnel_lib.efficiency.strain import STRAIN, mean_strain, strain_answers, strain_hours
from funnel_lib.errors import MeasureError
from funnel_lib.rates import ratio
from funnel_lib.schema import STAGES
from funnel_lib.stage_costs import MONEY_AND_HOURS, stage_sums

ALL = "all"
COLUMNS = ["stage", "result", "result_count", "target_count", "spend_amount", "labour_amount", "cost_amount",
           "cost_per_result_amount", "hours", "hours_per_result", "elapsed_days", *STRAIN, "strain_hours",
           "strain_hours_per_result", "margin_per_cost", "margin_per_hour_amount", "uncosted_hours"]


def efficiency_sheet(process: Process) -> pd.DataFrame:
    """What each stage brings, and at what price in money, hours, days and nerves; everything observed.

    One row per stage and the row `all`; a row "(missing)" or `other` stands for money or hours that name no known stage, so
    that the rows always add up to `all`. Columns:
    `result` (what is counted: new leads, new customers, repeat orders; for `all` new customers), `result_count`,
    `target_count` (leads in a target segment); `spend_amount`, `labour_amount` (hours × hour cost of the role),
    `cost_amount` (both; without one of the two tables the other alone); `hours`; `elapsed_days` (median: creation → first
    step, creation → won, order → next order by Kaplan-Meier, `all`: creation → won); `strain` (1 to 5) with 95 % limits and
    `strain_answers_count`; `strain_hours` = Σ hours × (strain − 1); each per result; `margin_per_cost` and
    `margin_per_hour_amount` = margin of the whole process / cost or hours of the stage, which do not add up over stages;
    `uncosted_hours` (no hour cost known). What a missing table would tell is NaN, and so is anything per result where a
    stage has no result.
    Raises `MeasureError` where the process has neither spending nor work.
    """
    if not (process.has("spend") or process.has("work")):
        raise MeasureError(f"{process.name}: needs the table 'spend' (what the results cost in money) or 'work' (in hours)")
    table = _with_strain(_with_all(stage_sums(process)), process)
    found, days = results(process), median_days(process)
    table["result"] = table["stage"].map(RESULTS)
    table["result_count"] = [found.of(stage) for stage in table["stage"]]
    table["target_count"] = np.where(table["stage"] == STAGES[0], found.target_count, np.nan)
    table["elapsed_days"] = table["stage"].map(days).astype(float)
    parts = [column for column, source in (("spend_amount", "spend"), ("labour_amount", "work")) if process.has(source)]
    table["cost_amount"] = table[parts].sum(axis=1, skipna=False)
    for name, total in (("cost_per_result_amount", "cost_amount"), ("hours_per_result", "hours"),
                        ("strain_hours_per_result", "strain_hours")):
        table[name] = ratio(table[total], table["result_count"])
    margin = process_margin(process)
    table["margin_per_cost"] = ratio(margin, table["cost_amount"])
    table["margin_per_hour_amount"] = ratio(margin, table["hours"])
    return process.tidy(table[COLUMNS])


def _with_strain(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    """Strain and strain-hours of each row; `all` has the mean of all answers and the sum of the hours."""
    if not process.has("pulse"):
        return table.assign(**dict.fromkeys([*STRAIN, "strain_hours"], np.nan))
    answers = strain_answers(process)
    groups = [*answers.groupby("stage"), (ALL, answers)]
    means = pd.DataFrame([{"stage": stage, **mean_strain(part)} for stage, part in groups])
    table = table.merge(means, on="stage", how="left")
    if not process.has("work"):
        return table.assign(strain_hours=np.nan)
    hard = table["stage"].map(strain_hours(process, answers)).astype(float)
    # A stage without any work adds no hard hour; one that nobody was asked about leaves the sum unknown.
    stages = table["stage"] != ALL
    hard = hard.mask((table["hours"] == 0) & stages, 0.0)
    return table.assign(strain_hours=hard.mask(~stages, hard[stages].sum(skipna=False)))


def _with_all(table: pd.DataFrame) -> pd.DataFrame:
    """The rows and the row `all`, which sums them; a sum with an unknown part is unknown."""
    total = table[MONEY_AND_HOURS].sum(skipna=False)
    return pd.concat([table, pd.DataFrame([{"stage": ALL, **total}])], ignore_index=True)
