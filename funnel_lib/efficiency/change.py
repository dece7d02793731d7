"""This period against the last: whether a result of each stage has become dearer, longer or harder work."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.efficiency.results import RESULTS, results
from funnel_lib.efficiency.sheet import ALL, cost_of
from funnel_lib.efficiency.strain import mean_strain, strain_answers
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.periods import Span
from funnel_lib.pooling import SIGNIFICANT, adjusted_p_values, p_values_of_limits
from funnel_lib.rates import Z_95, Limited, difference_by_parts, ratio
from funnel_lib.schema import STAGES
from funnel_lib.stage_costs import stage_sums

PERIOD_DAYS = 365
SHORTEST_DAYS = 28
ROSE, FELL, CANNOT_TELL = "rose", "fell", "cannot tell"
_PRICES = ("cost_per_result", "hours_per_result")
COLUMNS = ["stage", "result", "before_from", "after_from", "period_days", "before_result_count", "after_result_count",
           "before_cost_per_result_amount", "after_cost_per_result_amount", "cost_per_result_change_amount",
           "cost_per_result_change_share", "cost_per_result_change_low_share", "cost_per_result_change_high_share",
           "cost_per_result_verdict", "before_hours_per_result", "after_hours_per_result", "hours_per_result_change",
           "hours_per_result_change_share", "hours_per_result_change_low_share", "hours_per_result_change_high_share",
           "hours_per_result_verdict", "before_strain", "after_strain", "strain_change", "strain_change_low", "strain_change_high",
           "strain_verdict"]


def periods_compared(process: Process) -> tuple[Span, Span]:
    """The last 365 days and the 365 before them; where less was observed, its two halves in whole days.

    Raises `MeasureError` where each half has fewer than 28 days.
    """
    until = process.needs_as_of().ceil("D")
    observed = 0 if process.observed_from is None else (until - process.observed_from.ceil("D")).days
    days = min(PERIOD_DAYS, observed // 2)
    if days < SHORTEST_DAYS:
        raise MeasureError(message("{process}: needs at least {days} days of records to set this period against the last",
                                   process=process.name, days=2 * SHORTEST_DAYS))
    middle = until - pd.Timedelta(days=days)
    return Span(middle - pd.Timedelta(days=days), middle), Span(middle, until)


def stage_change(process: Process) -> pd.DataFrame:
    """What a result of each stage cost in this period and in the last one, and whether it changed beyond chance.

    One row is a stage or `all`. Columns: `result`; the periods (`before_from` to `after_from`, and from there, `period_days`
    each: the last 365 days and the 365 before, or the halves of a shorter observation); `before_result_count` and
    `after_result_count`; of the cost per result `before_…`, `after_…`, their difference, the relative change
    (`cost_per_result_change_share`, −0.1 = a tenth cheaper) with 95 % limits and `cost_per_result_verdict`: "rose", "fell" or
    "cannot tell" (within what chance does in one of so many comparisons, Benjamini and Hochberg 1995); the same of the hours
    per result, and of the mean strain. The limits are those of the counts of results (Poisson; of repeat orders one per
    customer) on the scale of logarithms; of the strain by parts. Spending without a date is spread evenly. Leads belong to the
    day they were created, customers to their first order.
    Raises `MeasureError` where there is neither spending nor work, or too little time.
    """
    if not (process.has("spend") or process.has("work")):
        raise MeasureError(message("{process}: needs the table 'spend' (what the results cost in money) or 'work' (in hours)",
                                   process=process.name))
    before, after = periods_compared(process)
    (old, then), (new, now) = ((_period(process, span), results(process, span)) for span in (before, after))
    table = pd.DataFrame({"stage": [*STAGES, ALL], "before_from": before.since, "after_from": after.since,
                          "period_days": after.days})
    table["result"] = table["stage"].map(RESULTS)
    for side, sums, found in (("before", old, then), ("after", new, now)):
        counts = np.array([found.of(stage) for stage in table["stage"]])
        table[f"{side}_result_count"] = counts
        table[f"{side}_cost_per_result_amount"] = ratio(table["stage"].map(sums["cost_amount"]), counts)
        table[f"{side}_hours_per_result"] = ratio(table["stage"].map(sums["hours"]), counts)
    error = np.sqrt([then.relative_variance(stage) + now.relative_variance(stage) for stage in table["stage"]])
    for name, unit in zip(_PRICES, ("_amount", ""), strict=True):
        table = _changed(table, name, unit, error)
    return process.tidy(_with_verdicts(_with_strain(table, process, before, after))[COLUMNS])


def _period(process: Process, span: Span) -> pd.DataFrame:
    """Cost and hours of each stage and of all in a span; index: stage."""
    sums = stage_sums(process, span)
    sums["cost_amount"] = cost_of(sums, process)
    table = sums.set_index("stage")[["cost_amount", "hours"]]
    return pd.concat([table, table.sum(skipna=False).to_frame(ALL).T])


def _changed(table: pd.DataFrame, name: str, unit: str, error: np.ndarray) -> pd.DataFrame:
    before, after = table[f"before_{name}{unit}"], table[f"after_{name}{unit}"]
    # Money given back, or none at all, is no price that rises or falls.
    times = ratio(after.where(after > 0), before.where(before > 0))
    change = {"": times - 1, "_low": times * np.exp(-Z_95 * error) - 1, "_high": times * np.exp(Z_95 * error) - 1}
    for side, values in change.items():
        table[f"{name}_change{side}_share"] = values
    table[f"{name}_change{unit}"] = after - before
    return table


def _with_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Rose or fell where the change stands among all that are compared: of a dozen one moves by chance every other time."""
    limits = {name: [np.log1p(table[f"{name}_change_{side}_share"]) for side in ("low", "high")] for name in _PRICES}
    limits["strain"] = [table["strain_change_low"], table["strain_change_high"]]
    p_values = np.array([p_values_of_limits(*pair) for pair in limits.values()])
    adjusted = adjusted_p_values(p_values.ravel()).reshape(p_values.shape)
    for (name, (low, high)), p_value in zip(limits.items(), adjusted, strict=True):
        table[f"{name}_verdict"] = np.select([~(p_value < SIGNIFICANT), low + high > 0], [CANNOT_TELL, ROSE], FELL)
    return table


def _with_strain(table: pd.DataFrame, process: Process, before: Span, after: Span) -> pd.DataFrame:
    rows = [_strain_row(process, stage, before, after) for stage in table["stage"]]
    names = ["before_strain", "after_strain", "strain_change", "strain_change_low", "strain_change_high"]
    table[names] = np.array(rows, dtype=float)
    return table


def _strain_row(process: Process, stage: str, before: Span, after: Span) -> tuple[float, ...]:
    if not process.has("pulse"):
        return (np.nan,) * 5
    then, now = (_strain_of(process, stage, span) for span in (before, after))
    return (then.value, now.value, *difference_by_parts(then, now))


def _strain_of(process: Process, stage: str, span: Span) -> Limited:
    answers = strain_answers(process, span)
    found = mean_strain(answers if stage == ALL else answers[answers["stage"] == stage])
    return Limited(found["strain"], found["strain_low"], found["strain_high"])
