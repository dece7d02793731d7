"""Money and hours of each stage, of everything observed or of a span of time."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, with_groups
from funnel_lib.errors import MeasureError
from funnel_lib.labour import own_work, summed, without_unknown
from funnel_lib.language.messages import message
from funnel_lib.periods import Span, days_between
from funnel_lib.rates import ratio
from funnel_lib.schema import STAGES

MONEY_AND_HOURS = ["spend_amount", "labour_amount", "hours", "uncosted_hours"]


def stage_sums(process: Process, span: Span | None = None) -> pd.DataFrame:
    """Money and hours per stage: the three stages, then what names no known stage.

    Of a span, spending without a date is spread evenly over the time observed. Raises `MeasureError` where there is such
    spending and no time observed.
    """
    parts = []
    if process.has("spend"):
        parts.append(_spent(process, span))
    if process.has("work"):
        costed = summed(own_work(process, span), "stage", process)
        parts.append(costed.assign(labour_amount=without_unknown(costed, process)))
    found = {stage for part in parts for stage in part["stage"]}
    stages = [*STAGES, *sorted(found - set(STAGES))]
    # A stage without rows has cost nothing; one whose cost is unknown stays so.
    known = [part.set_index("stage").reindex(stages, fill_value=0.0) for part in parts]
    return pd.concat(known, axis=1).reindex(columns=MONEY_AND_HOURS).rename_axis("stage").reset_index()


def _spent(process: Process, span: Span | None) -> pd.DataFrame:
    rows, date = with_groups(process.table("spend"), ["stage"]), nw.col("date")
    if span is None:
        spent = _by_stage(rows)
    else:
        undated = _by_stage(rows.filter(date.is_null()))
        part = _part_observed(process, span) if undated.abs().sum() > 0 else 0.0
        spent = _by_stage(rows.filter(span.holds(date))).add(undated * part, fill_value=0.0)
    return (spent / process.minor_units).rename("spend_amount").rename_axis("stage").reset_index()


def _by_stage(rows: nw.LazyFrame) -> pd.Series:
    return collect(rows.group_by("stage").agg(nw.col("amount").sum())).set_index("stage")["amount"].sort_index()


def _part_observed(process: Process, span: Span) -> float:
    days = 0.0 if process.observed_from is None else days_between(process.observed_from, process.needs_as_of())
    if not days > 0:
        raise MeasureError(message("{process}: needs the date of its spending, or observed_from in company.yaml, to tell what a "
                                   "period costs", process=process.name))
    return ratio(span.days, days)
