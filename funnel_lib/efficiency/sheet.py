"""The efficiency sheet: what the result of each stage costs in money, hours, days and nerves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.efficiency.durations import UNKNOWN, median_days
from funnel_lib.efficiency.results import RESULTS, Results, process_margin, results
from funnel_lib.efficiency.strain import STRAIN, mean_strain, strain_answers, strain_hours
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.rates import ratio
from funnel_lib.schema import STAGES
from funnel_lib.stage_costs import MONEY_AND_HOURS, stage_sums

ALL = "all"
COLUMNS = ["stage", "result", "result_count", "target_count", "spend_amount", "labour_amount", "cost_amount", "cost_share",
           "cost_per_result_amount", "cost_per_result_low_amount", "cost_per_result_high_amount", "cost_per_target_lead_amount",
           "hours", "hours_share", "hours_per_result", "hours_per_result_low", "hours_per_result_high", "elapsed_days",
           "elapsed_low_days", "elapsed_high_days", *STRAIN, "strain_hours", "strain_hours_share", "strain_hours_per_result",
           "margin_per_cost", "margin_per_cost_low", "margin_per_cost_high", "margin_per_hour_amount",
           "margin_per_hour_low_amount", "margin_per_hour_high_amount", "uncosted_hours"]


def efficiency_sheet(process: Process) -> pd.DataFrame:
    """What each stage brings, and at what price in money, hours, days and nerves; everything observed.

    One row per stage and the row `all`; a row "(missing)" or `other` stands for money or hours that name no known stage, so
    that the rows always add up to `all`. Columns:
    `result` (what is counted: new leads, new customers, repeat orders; for `all` new customers), `result_count`,
    `target_count` (leads in a target segment) and `cost_per_target_lead_amount`; `spend_amount`, `labour_amount` (hours × hour
    cost of the role), `cost_amount` (both; without one of the two tables the other alone); `hours`; `elapsed_days` (median:
    creation → first step, creation → won, order → next order by Kaplan-Meier, `all`: creation → won); `strain` (1 to 5) and
    `strain_answers_count`; `strain_hours` = Σ hours × (strain − 1); cost, hours and strain-hours each per result and as the
    stage's share of `all`; `margin_per_cost` and `margin_per_hour_amount` = margin of the whole process / cost or hours of the
    stage, which do not add up over stages; `uncosted_hours` (no hour cost known).
    95 % limits (`…_low…`, `…_high…`) of what a sample tells: the results are one draw of a Poisson count (of repeat orders one
    per customer), money and hours are counted; the margin varies with its customers; the median days by order statistics; the
    strain by Student's t. What a missing table would tell is NaN, and so is anything per result where a stage has no result.
    Raises `MeasureError` where the process has neither spending nor work.
    """
    return process.remembered(("efficiency_sheet",), lambda: _efficiency_sheet(process)).copy()


def _efficiency_sheet(process: Process) -> pd.DataFrame:
    if not (process.has("spend") or process.has("work")):
        raise MeasureError(message("{process}: needs the table 'spend' (what the results cost in money) or 'work' (in hours)",
                                   process=process.name))
    table = _with_strain(_with_all(stage_sums(process)), process)
    found, days = results(process), median_days(process)
    table["result"] = table["stage"].map(RESULTS)
    table["result_count"] = [found.of(stage) for stage in table["stage"]]
    table["target_count"] = np.where(table["stage"] == STAGES[0], found.target_count, np.nan)
    for position, name in enumerate(("elapsed_days", "elapsed_low_days", "elapsed_high_days")):
        table[name] = [float(days.get(stage, UNKNOWN)[position]) for stage in table["stage"]]
    table["cost_amount"] = cost_of(table, process)
    table["cost_per_target_lead_amount"] = ratio(table["cost_amount"], table["target_count"])
    table = _with_shares(_per_result(table, found))
    return process.tidy(_with_margin(table, process)[COLUMNS])


def cost_of(sums: pd.DataFrame, process: Process) -> pd.Series:
    """Spending and labour of each row of `stage_sums`; where the process has only one of the tables, that one alone."""
    parts = [column for column, source in (("spend_amount", "spend"), ("labour_amount", "work")) if process.has(source)]
    return sums[parts].sum(axis=1, skipna=False)


def _per_result(table: pd.DataFrame, found: Results) -> pd.DataFrame:
    """Cost, hours and strain-hours for one result; the limits are those of the number of results."""
    low, high = np.array([found.limits(stage) for stage in table["stage"]]).T
    # Without a result the limits are as undefined as the figure between them.
    low, high = (np.where(table["result_count"] > 0, limit, np.nan) for limit in (low, high))
    cost, hours, results_count = table["cost_amount"], table["hours"], table["result_count"]
    spent = cost.where(cost >= 0)
    return table.assign(
        cost_per_result_amount=ratio(cost, results_count), cost_per_result_low_amount=ratio(spent, high),
        cost_per_result_high_amount=ratio(spent, low), hours_per_result=ratio(hours, results_count),
        hours_per_result_low=ratio(hours, high), hours_per_result_high=ratio(hours, low),
        strain_hours_per_result=ratio(table["strain_hours"], results_count))


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    """What part of all cost, hours and strain-hours each row takes."""
    whole = table[table["stage"] == ALL].iloc[0]
    return table.assign(cost_share=ratio(table["cost_amount"], whole["cost_amount"]),
                        hours_share=ratio(table["hours"], whole["hours"]),
                        strain_hours_share=ratio(table["strain_hours"], whole["strain_hours"]))


def _with_margin(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    margin = process_margin(process)
    # Of more money given back than spent nothing is earned.
    cost, hours = (table[name].where(table[name] > 0) for name in ("cost_amount", "hours"))
    for side, value in (("", margin.value), ("_low", margin.low), ("_high", margin.high)):
        table[f"margin_per_cost{side}"] = ratio(value, cost)
        table[f"margin_per_hour{side}_amount"] = ratio(value, hours)
    return table


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
    hard = table["stage"].map(strain_hours(process)).astype(float)
    # A stage without any work adds no hard hour; one that nobody was asked about leaves the sum unknown.
    stages = table["stage"] != ALL
    hard = hard.mask((table["hours"] == 0) & stages, 0.0)
    return table.assign(strain_hours=hard.mask(~stages, hard[stages].sum(skipna=False)))


def _with_all(table: pd.DataFrame) -> pd.DataFrame:
    """The rows and the row `all`, which sums them; a sum with an unknown part is unknown."""
    total = table[MONEY_AND_HOURS].sum(skipna=False)
    return pd.concat([table, pd.DataFrame([{"stage": ALL, **total}])], ignore_index=True)
