"""The paths of leads over the channels that touched them, counted once on the engine for every model of attribution."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.cohorts import equal_window_days
from funnel_lib.engine import collect, flag
from funnel_lib.errors import MeasureError
from funnel_lib.journeys import WON, lead_states
from funnel_lib.language.messages import message
from funnel_lib.periods import FIRST_YEAR, duration, elapsed_days
from funnel_lib.schema import MISSING

HALF_LIFE_DAYS = 7
# The place before the first touch. No channel has this name: an empty one is a missing one.
START = ""
# A weight of 2^-1000 is still a number, so that touches of thousands of days ago have a share too.
LEAST_LOG_WEIGHT = -1000 * math.log(2)


@dataclass(frozen=True)
class Paths:
    """What attribution counts.

    `touches`: one row per channel × `before` (the channel touched before it, "" for none) × `is_last` × `converted` ×
    `path_count` (number of touches on the path, 0 where the lead did not convert), with `touches_count` and `decayed` (sum of
    the time-decay shares). `leads_count` leads are old enough, `conversions_count` of them converted; `window_days` is the
    time they are followed, None where the moments of wins are not known.
    """

    touches: pd.DataFrame = field(repr=False)
    leads_count: int
    conversions_count: int
    window_days: float | None


def paths(process: Process) -> Paths:
    """The counted paths of the new leads that are old enough, counted once per process.

    Raises `MeasureError` without leads, events, described steps or touches, and where no lead is old enough yet.
    """
    return process.remembered(("touch_paths",), lambda: _paths(process))


def touched_leads(process: Process) -> pd.Series:
    """Channel → leads that it touched at least once; a lead counts once at every channel of its path."""
    return process.remembered(("touched_leads",), lambda: _touched_leads(process))


def _paths(process: Process) -> Paths:
    process.table("touches")  # says what is needed
    leads, window = _followed(process), equal_window_days(process)
    totals = collect(leads.select(nw.len().alias("leads"), nw.col("_converted").sum())).fillna(0).iloc[0]
    if not totals["leads"]:
        raise MeasureError(
            message("{process}: needs leads created since the records began to attribute conversions; there is none yet",
                    process=process.name) if window is None else
            message("{process}: needs leads at least {days:g} days old and created since the records began to attribute "
                    "conversions; there is none yet", process=process.name, days=window))
    return Paths(_counted(process), int(totals["leads"]), int(totals["_converted"]), window)


def _followed(process: Process) -> nw.LazyFrame:
    """One row per new lead that is old enough: `lead_id`, `_converted` (1 or 0), `_end` (touches after it do not count).

    Under a window W as in the step rates: leads at least W old and created since `observed_from`, won within W. The end is the
    win, else creation + W: whoever did not convert is looked at for as long as whoever did.
    """
    window, leads, as_of = equal_window_days(process), lead_states(process), process.needs_as_of()
    won_at = nw.col("won_at")
    if window is None:
        # Without moments of wins nothing tells how long to follow: everybody up to the end of observation.
        now = nw.lit(as_of.to_pydatetime()).cast(nw.Datetime("us"))
        return leads.select("lead_id", _converted=flag(nw.col("state") == WON),
                            _end=nw.when(won_at.is_null()).then(now).otherwise(won_at))
    old = nw.col("created_at") <= (as_of - pd.Timedelta(days=window)).to_pydatetime()
    recorded = nw.col("created_at") >= process.observed_from.to_pydatetime()
    limit = nw.col("created_at").dt.offset_by(duration(window))
    in_time = (won_at <= limit).fill_null(False)
    untimed = (nw.col(f"untimed_{len(process.steps) - 1}") == 1).fill_null(False)
    return leads.filter(old & recorded).select("lead_id", _converted=flag(in_time | untimed),
                                               _end=nw.when(in_time).then(won_at).otherwise(limit))


def _counting_touches(process: Process) -> nw.LazyFrame:
    """Touches of these leads up to the end of each: `lead_id`, `channel`, `touched_at`, `_converted`, `_end`."""
    time = nw.col("touched_at")
    observed = (time >= FIRST_YEAR.to_pydatetime()) & (time < process.needs_as_of().to_pydatetime())
    # Joining the leads takes out touches of other processes and of unknown leads.
    touches = process.source_tables["touches"].filter(observed & ~nw.col("lead_id").is_null()).select(
        "lead_id", "touched_at", channel=nw.col("channel").fill_null(MISSING))
    return touches.join(_followed(process), on="lead_id", how="inner").filter(time <= nw.col("_end"))


def _counted(process: Process) -> pd.DataFrame:
    """The touches with their place on the path, grouped; nothing but this runs over all of them."""
    one_path, in_turn = "lead_id", ["touched_at", "channel"]
    converted = nw.col("_converted") == 1
    touches = _counting_touches(process)
    log_weight = elapsed_days(nw.col("touched_at"), nw.col("_end"), touches) * (-math.log(2) / HALF_LIFE_DAYS)
    log_weight = nw.when(log_weight < LEAST_LOG_WEIGHT).then(nw.lit(LEAST_LOG_WEIGHT)).otherwise(log_weight)
    touches = touches.with_columns(_log_weight=nw.when(converted).then(log_weight))
    touches = touches.with_columns(_weight=nw.col("_log_weight").exp())
    placed = touches.with_columns(
        before=nw.col("channel").shift(1).over(one_path, order_by=in_turn),
        _after=nw.col("channel").shift(-1).over(one_path, order_by=in_turn),
        _count=nw.len().over(one_path), _weights=nw.col("_weight").sum().over(one_path))
    # weight / weights, by logarithms.
    decayed = (nw.col("_log_weight") - nw.when(converted).then(nw.col("_weights")).log()).exp()
    placed = placed.select("channel", before=nw.col("before").fill_null(START), is_last=flag(nw.col("_after").is_null()),
                           converted=nw.col("_converted"),
                           path_count=nw.when(converted).then(nw.col("_count")).otherwise(nw.lit(0)),
                           decayed=nw.when(converted).then(decayed).otherwise(nw.lit(0.0)))
    keys = ["channel", "before", "is_last", "converted", "path_count"]
    table = collect(placed.group_by(keys).agg(nw.len().alias("touches_count"), nw.col("decayed").sum()))
    # Fractions are added up in this order later, the same on every engine.
    return table.sort_values(keys, ignore_index=True)


def _touched_leads(process: Process) -> pd.Series:
    # Unique pairs first: counting distinct leads within each channel takes longer.
    pairs = _counting_touches(process).group_by("channel", "lead_id").agg(nw.len().alias("touches_count"))
    return collect(pairs.group_by("channel").agg(nw.len().alias("leads_count"))).set_index("channel")["leads_count"].sort_index()
