"""The figure of each started measure, period by period, with the process limits of the time before it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.description import Measure
from funnel_lib.errors import CallError, MeasureError
from funnel_lib.improvement.figures import FLOW, SHARE, Figure, figure_of
from funnel_lib.improvement.measures import pert
from funnel_lib.improvement.vocabulary import ALL_PLACES, Lever, known_places, lever_of
from funnel_lib.limits import process_limits, signals
from funnel_lib.periods import days_between, next_period_start, period_starts
from funnel_lib.rates import ratio

BEFORE, BETWEEN, AFTER = "before", "between", "after"
TREND = ["measure", "moves", "place", "kind", "per", "period_start", "side", "whole_count", "value", "mean_value", "low_value",
         "high_value", "forecast_value", "signal"]
# Months make limits where so many lie before the start, else weeks do.
MIN_PERIODS = 12


def measure_trend(process: Process) -> pd.DataFrame:
    """The figure of each started measure, period by period, with the process limits of the time before it.

    One row is a measure × complete period: months where at least 12 lie before the start, else weeks. Columns: `measure`, `moves`,
    `place`, `kind` (share, flow, mean), `per`, `period_start`, `side` (before, between: under way at the start or before it works,
    after), `whole_count` (cases), `value` (a share, leads a week, money per order), `mean_value` of before with the limits
    `low_value` and `high_value` = mean ± 2.66 × mean moving range (missing with fewer than 12 periods), `forecast_value` (mean of
    before and the effect foretold), `signal` against them.
    Measures with groups drawn at random, and those whose figure the tables do not show, are left out.
    Source: Shewhart 1931; Wheeler and Chambers 1992. Raises `MeasureError` without a time.
    """
    parts = []
    for measure in past_measures(process):
        if measure.groups:
            continue  # one group only was treated: the mean of both says little
        try:
            lever = past_lever(process, measure)
            figure = figure_of(process, lever)
        except (CallError, MeasureError):
            continue
        parts.append(trend_of(figure, measure).assign(measure=measure.key, moves=lever.label_key, place=lever.place or ALL_PLACES))
    table = pd.concat(parts)[TREND] if parts else pd.DataFrame(columns=TREND)
    return process.tidy(table)


def trend_of(figure: Figure, measure: Measure) -> pd.DataFrame:
    """The periods of one figure; see `measure_trend`."""
    months = _periods(figure, measure, "month")
    per = "month" if (months["side"] == BEFORE).sum() >= MIN_PERIODS else "week"
    table = months if per == "month" else _periods(figure, measure, "week")
    before = table.loc[table["side"] == BEFORE, "value"]
    limits = process_limits(before, highest=1.0 if figure.kind == SHARE else np.inf)
    forecast = float(pert(measure.effect)[0])
    mean = limits.mean if not np.isnan(limits.mean) else before.mean()
    signal = pd.Series("", index=table.index, dtype=object)
    for side in (BEFORE, AFTER):
        rows = table["side"] == side
        signal[rows] = signals(table.loc[rows, "value"], limits)
    return table.assign(kind=figure.kind, per=per, mean_value=mean, low_value=limits.low, high_value=limits.high, signal=signal,
                        forecast_value=mean + forecast if figure.kind == SHARE else mean * (1 + forecast))


def _periods(figure: Figure, measure: Measure, per: str) -> pd.DataFrame:
    """The figure by complete period: the first and the last one are left out where records or leads old enough cover a part."""
    days = figure.days.assign(period_start=period_starts(figure.days["day"], per))
    sums = days.groupby("period_start")[["part", "whole"]].sum()
    starts = pd.Series(sums.index, dtype="datetime64[us]")
    ends = starts.map(lambda start: next_period_start(start, per)) if len(starts) else starts
    length = 7 if figure.kind == FLOW else 1
    first, last = days["day"].min(), days["day"].max() + pd.Timedelta(days=length)
    table = pd.DataFrame({"period_start": starts, "side": side_of(figure, measure, starts, ends),
                          "whole_count": sums["whole"].to_numpy(), "value": ratio(sums["part"], sums["whole"])})
    slack = 1 if per == "week" else 3  # days without a case at the edges are no gaps in the records
    whole = [days_between(start, first) <= slack and days_between(last, end) <= slack
             for start, end in zip(starts, ends, strict=True)]
    return table[np.array(whole, dtype=bool)].reset_index(drop=True)


def past_measures(process: Process) -> list[Measure]:
    """The measures that started before `as_of`, the earliest first."""
    as_of = process.needs_as_of()
    started = [measure for measure in process.settings.measures if measure.starts and pd.Timestamp(measure.starts) < as_of]
    return sorted(started, key=lambda measure: (pd.Timestamp(measure.starts), measure.key))


def past_lever(process: Process, measure: Measure) -> Lever:
    """Its lever, by what is described; a channel nobody described is looked for in the leads."""
    place = measure.moves.partition(".")[2]
    cards = [card.key for card in process.settings.cards]
    return lever_of(measure.moves, known_places(process, [] if process.settings.channels or not place else [place], cards))


def since_it_works(measure: Measure, days: pd.DataFrame) -> pd.DataFrame:
    """The days on which it is at work."""
    begins, ends = _times(measure)
    return days[(days["day"] >= begins) & (days["day"] < ends)]


def _times(measure: Measure) -> tuple[pd.Timestamp, pd.Timestamp]:
    """From when it works, and until when."""
    begins = pd.Timestamp(measure.starts) + pd.Timedelta(days=measure.works_after_days)
    return begins, pd.Timestamp(measure.ends) if measure.ends else pd.Timestamp.max


def side_of(figure: Figure, measure: Measure, starts: pd.Series, lasting: pd.Series | None = None) -> np.ndarray:
    """before, between or after for days or periods (`lasting` holds their ends): what was under way at the start is between."""
    begins, ends = _times(measure)
    until = starts + pd.Timedelta(days=1) if lasting is None else lasting
    if figure.kind == FLOW and lasting is None:
        until = starts + pd.Timedelta(weeks=1)
    is_before = until + pd.Timedelta(days=figure.followed_days) <= pd.Timestamp(measure.starts)
    return np.where(is_before, BEFORE, np.where((starts >= begins) & (until <= ends), AFTER, BETWEEN))
