"""Indicators of each stage in the last year and in the year before: other work, other figures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.efficiency.stage_indicators import account_management, conversion, lead_generation
from funnel_lib.efficiency.years import WITHIN_ERROR, Years
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.pooling import SIGNIFICANT, adjusted_p_values, p_values_of_limits
from funnel_lib.schema import STAGES

BETTER, WORSE, CANNOT_TELL = "better", "worse", "cannot_tell"
COLUMNS = ["stage", "indicator", "step", "unit", "last_value", "last_low", "last_high", "cases_count", "of_count", "before_value",
           "before_low", "before_high", "before_cases_count", "before_of_count", "adjusted_p_value", "verdict", "reason",
           "year_start"]


def indicators(process: Process) -> pd.DataFrame:
    """The indicators of each stage in the last twelve months, against the twelve before them.

    One row is an indicator of a stage; what the process has no data for is left out. Lead generation: `lead_flow` (new leads a
    week; limits of a count, widened where weeks vary more than chance makes them), `target_share` (of known segments),
    `cost_per_lead` (spending and labour of the stage / new leads; the outlay is known, the number of leads is one draw).
    Conversion, by the day of the decision, so that running leads are no losses: `step_rate` of each mandatory step (reached /
    reached or lost after the step before), `win_rate` (won / won or lost), `days_to_win` (median of those won; limits by order
    statistics). Account management: `retention` (customers with an order in the year before who ordered in this one),
    `repeat_share` (orders that are not a customer's first; customers as clusters), `margin_per_repeat` (margin of such an
    order), `referred_share` (new customers who came by recommendation).
    Columns: `stage`, `indicator`, `step`, `unit` (of the values: count, share, days, amount), `last_value` with `last_low` and
    `last_high`, `cases_count` and `of_count` behind it, the same of the year before, `verdict` (better, worse, cannot_tell): the
    difference is larger than chance makes one of so many (`adjusted_p_value` from its limits, below 0.05), `reason` where it
    cannot be told (short_history, no_cases, few_cases, within_error), `year_start`.
    Raises `MeasureError` without an end of observation or where nothing can be measured.
    Source: Wilson 1927; Newcombe 1998; Cochran 1977 (ratio estimator); Conover 1999 (order statistics);
    Benjamini and Hochberg 1995.
    """
    return process.tidy(process.remembered(("indicators",), lambda: _indicators(process)).copy())


def _indicators(process: Process) -> pd.DataFrame:
    end = process.needs_as_of()
    years = Years(*(end - pd.DateOffset(years=back) for back in (3, 2, 1)), end)
    rows = [{"stage": stage, **row} for stage, measure in _MEASURES.items() for row in _rows(process, years, measure)]
    if not rows:
        raise MeasureError(message("{process}: needs leads or orders of the last year to score anybody's stage",
                                   process=process.name))
    return with_verdicts(pd.DataFrame(rows))[COLUMNS]


def _rows(process: Process, years: Years, measure: Callable) -> list[dict]:
    try:
        return measure(process, years)
    except MeasureError:  # the other stages can still be told
        return []


def with_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Better or worse where the difference stands among all that are compared: of twenty figures one moves by chance alone."""
    told = table["reason"] == ""
    p_value = p_values_of_limits(table["gain_low"], table["gain_high"])
    table["adjusted_p_value"] = adjusted_p_values(np.where(told, p_value, np.nan))
    clear = table["adjusted_p_value"] < SIGNIFICANT
    table["reason"] = table["reason"].mask(told & ~clear, WITHIN_ERROR)
    table["verdict"] = np.select([~clear, table["gain_low"] + table["gain_high"] > 0], [CANNOT_TELL, BETTER], WORSE)
    return table


_MEASURES = dict(zip(STAGES, (lead_generation, conversion, account_management), strict=True))
