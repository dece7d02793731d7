"""How long each stage takes: median days with their 95 % limits."""

from __future__ import annotations

import narwhals as nw
import numpy as np

from funnel_lib.company import Process
from funnel_lib.customers import paid_orders
from funnel_lib.engine import collect
from funnel_lib.journeys import WON, entries, lead_states
from funnel_lib.periods import elapsed_days
from funnel_lib.rates import Limited, median_rank
from funnel_lib.schema import LOST
from funnel_lib.survival import aalen_johansen, first_day_reaching, grouped

UNKNOWN = Limited(np.nan, np.nan, np.nan)
HALF = 0.5
HOURS_PER_DAY = 24


def median_days(process: Process) -> dict[str, Limited]:
    """Elapsed days of each stage: median creation → first step, creation → won, order → next order (Kaplan-Meier).

    Limits: order statistics; of orders the days at which the limits of the curve pass one half (Brookmeyer and Crowley 1982).
    """
    first_step, won = UNKNOWN, UNKNOWN
    if process.has("leads") and process.has("stage_events") and process.steps:
        first_step, won = _days_to_first_step(process), _days_to_win(process)
    between = _days_between_orders(process) if process.has("orders") and process.as_of is not None else UNKNOWN
    return {"lead_generation": first_step, "conversion": won, "account_management": between, "all": won}


def _days_to_first_step(process: Process) -> Limited:
    """Of the leads whose first step is not before the lead itself: their second step does not stand in for it."""
    timed = entries(process).filter((nw.col("step") != LOST) & ~nw.col("age_days").is_null())
    timed = timed.join(lead_states(process).select("lead_id"), on="lead_id", how="semi")
    timed = timed.with_columns(before=nw.when(nw.col("is_before_lead")).then(nw.lit(1)).otherwise(nw.lit(0)))
    first = timed.group_by("lead_id").agg(nw.col("age_days").min(), nw.col("before").max())
    return median_of(first.filter(nw.col("before") == 0), "age_days")


def _days_to_win(process: Process) -> Limited:
    wins = lead_states(process).filter((nw.col("state") == WON) & (nw.col("won_at") >= nw.col("created_at")).fill_null(False))
    return median_of(wins, "outcome_days")


def median_of(frame: nw.LazyFrame, column: str) -> Limited:
    """The median and its limits; counted by hours, of which the first and the last value are kept."""
    days = nw.col("_days")
    hours = frame.select(_days=nw.col(column)).filter(~days.is_null()).with_columns(
        _hour=(days * HOURS_PER_DAY).floor(), _least=days, _most=days)
    hours = collect(hours.group_by("_hour").agg(nw.len().alias("_count"), nw.col("_least").min(), nw.col("_most").max()))
    median = float(collect(frame.select(nw.col(column).median()))[column].iloc[0])
    hours, count = hours.sort_values("_hour"), int(hours["_count"].sum())
    rank = median_rank(count)
    if rank is None:
        return Limited(median, np.nan, np.nan)
    low, high = np.searchsorted(hours["_count"].cumsum(), [rank, count - rank + 1])
    return Limited(median, float(hours["_least"].iloc[low]), float(hours["_most"].iloc[high]))


def _days_between_orders(process: Process) -> Limited:
    """The day by which half of the orders were followed by the customer's next one; missing where that is not reached."""
    orders = paid_orders(process)
    followed = collect(orders.filter(~nw.col("gap_days").is_null()).group_by("gap_days").agg(nw.len().alias("orders")))
    last = orders.group_by("customer_id").agg(nw.col("ordered_at").max())
    silent = last.with_columns(silence=elapsed_days(nw.col("ordered_at"), process.needs_as_of(), last).floor())
    open_ends = collect(silent.group_by("silence").agg(nw.len().alias("orders")))
    if open_ends.empty:
        return UNKNOWN
    length = int(max(open_ends["silence"].max(), followed["gap_days"].max() if len(followed) else 0)) + 1
    event = grouped(followed["gap_days"], followed["orders"], length)
    censored = grouped(open_ends["silence"], open_ends["orders"], length)
    curve = aalen_johansen(event, event * 0, censored)
    day = first_day_reaching(curve, HALF)
    if day is None:
        return UNKNOWN
    low, high = (np.flatnonzero(shares >= HALF) for shares in curve.limits())
    return Limited(float(day), float(high[0]), float(low[0]) if len(low) else np.nan)
