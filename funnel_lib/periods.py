"""Time: elapsed days on every engine, periods, and where observation begins and ends."""

from __future__ import annotations

from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

PERIODS = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}
DAYS_PER_MONTH = 365.25 / 12
US_PER_DAY = 86_400_000_000
SECONDS_PER_DAY = 86400
# A time further than this beyond the 99.9th percentile of all times is taken for a typing error.
LAST_EVENT_SLACK_DAYS = 31
# No sales process was recorded before the one, and none of today's reports sees the other.
FIRST_YEAR = pd.Timestamp(1970, 1, 2)
LAST_YEAR = pd.Timestamp(2100, 1, 1)
# Where nothing at all happens for so long, the few times beyond are typing errors of the year, however many they are.
LONGEST_SILENCE_DAYS = 5 * 366


class Span(NamedTuple):
    """A span of time: from the moment `since`, before the moment `until`; both at midnight."""

    since: pd.Timestamp
    until: pd.Timestamp

    @property
    def days(self) -> float:
        """Its length."""
        return days_between(self.since, self.until)

    def holds(self, time: nw.Expr) -> nw.Expr:
        """Whether a time lies in it; a missing one does not."""
        return ((time >= self.since.to_pydatetime()) & (time < self.until.to_pydatetime())).fill_null(False)


def elapsed_days(start: nw.Expr | pd.Timestamp, end: nw.Expr | pd.Timestamp, frame: nw.LazyFrame) -> nw.Expr:
    """Days from `start` to `end` as a float; either may be a fixed moment. Times are subtracted nowhere else.

    `frame` is the one that the expression is for: DuckDB can count microseconds itself. Elsewhere whole days and the time of day
    are subtracted apart: as one number each moment would be rounded, and twenty days would sometimes be a little less than twenty.
    """
    if frame.implementation.is_duckdb():
        first, last = (nw.lit(moment.to_pydatetime()) if isinstance(moment, pd.Timestamp) else moment for moment in (start, end))
        return (last - first).dt.total_microseconds() / US_PER_DAY
    (first, since), (last, until) = _day_and_second(start), _day_and_second(end)
    return (last - first) + (until - since) / SECONDS_PER_DAY


def _day_and_second(time: nw.Expr | pd.Timestamp) -> tuple[nw.Expr, nw.Expr]:
    """Whole days since 1970 and seconds since midnight (floats), from the calendar's parts: the only way on all four engines.

    The parts are cast first: Polars keeps hours in 8 bits, and hour × 3600 overflows there in silence.
    """
    if isinstance(time, pd.Timestamp):
        day = time.normalize()
        return (nw.lit(float((day - pd.Timestamp(1970, 1, 1)).days)),
                nw.lit((time - day) / pd.Timedelta(seconds=1)))
    year = time.dt.year().cast(nw.Float64)
    leaps = ((year - 1969) / 4).floor() - ((year - 1901) / 100).floor() + ((year - 1601) / 400).floor()
    seconds = (time.dt.hour().cast(nw.Float64) * 3600 + time.dt.minute().cast(nw.Float64) * 60
               + time.dt.second().cast(nw.Float64) + time.dt.microsecond().cast(nw.Float64) / 1e6)
    return (year - 1970) * 365 + leaps + (time.dt.ordinal_day().cast(nw.Float64) - 1), seconds


def days_between(start: pd.Timestamp | pd.Series, end: pd.Timestamp | pd.Series) -> float | pd.Series:
    """Days (float) from `start` to `end` of a small table or of two moments; `elapsed_days` does it on the engine.

    >>> days_between(pd.Timestamp("2026-02-28"), pd.Timestamp("2026-03-01 12:00"))
    1.5
    """
    return (end - start) / pd.Timedelta(days=1)


def duration(days: float) -> str:
    """So many days as Narwhals writes a length of time, whole days as days.

    >>> duration(30.0), duration(1.5)
    ('30d', '2160m')
    """
    return f"{int(days)}d" if float(days).is_integer() else f"{round(days * 1440)}m"


def elapsed_months(start: pd.Series, end: pd.Series) -> pd.Series:
    """Whole calendar months between two columns of period starts (0 for the same month)."""
    return (end.dt.year - start.dt.year) * 12 + end.dt.month - start.dt.month


def period_starts(times: pd.Series, per: str) -> pd.Series:
    """The first day of the day, ISO week (Monday), month, quarter or year of each time.

    Raises `ValueError` for another word.
    """
    if per not in PERIODS:
        raise ValueError(f"per={per!r}: expected one of {', '.join(PERIODS)}")
    return times.dt.to_period(PERIODS[per]).dt.start_time


def next_period_start(start: pd.Timestamp, per: str) -> pd.Timestamp:
    """The first day of the period after the one that begins at `start`."""
    return (start.to_period(PERIODS[per]) + 1).start_time


def are_complete(starts: pd.Series, per: str, observed_from: pd.Timestamp, as_of: pd.Timestamp) -> pd.Series:
    """Whether each period was observed as a whole: it did not begin before the records and is over."""
    known = {start: next_period_start(start, per) <= as_of and start >= observed_from for start in starts.unique()}
    return starts.map(known).astype(bool)


def all_periods(first: pd.Timestamp, before: pd.Timestamp, per: str) -> pd.DatetimeIndex:
    """Starts of every period touched from `first` up to but not including the moment `before`."""
    last = before - pd.Timedelta(microseconds=1)
    return pd.period_range(first, last, freq=PERIODS[per]).start_time


def last_possible(day_counts: pd.Series, as_of: pd.Timestamp | None = None) -> pd.Timestamp:
    """The moment from which on no time can be that of an event: years mistyped, `9999-12-31` for "never".

    It is 2100, or the day after which nothing happens for more than five years where the smaller part of all times lies
    beyond that silence. So it depends neither on how far the typing errors are off nor, up to a half, on their number. What
    lies before an `as_of` that was said is possible.

    >>> last_possible(pd.Series([150, 12], index=pd.to_datetime(["2026-01-28", "2062-01-02"])))
    Timestamp('2026-01-29 00:00:00')
    """
    counts = _within(day_counts, LAST_YEAR)
    days, beyond = counts.index, counts.sum() - counts.cumsum().to_numpy()
    silent = np.diff(days.to_numpy()) > np.timedelta64(LONGEST_SILENCE_DAYS, "D")
    breaks = np.flatnonzero(silent & (beyond[:-1] < counts.sum() / 2))
    last = days[breaks[0]].normalize() + pd.Timedelta(days=1) if len(breaks) else LAST_YEAR
    return last if as_of is None else max(last, as_of)


def possible_days(day_counts: pd.Series) -> pd.Series:
    """The days on which an event can have been, in order."""
    return _within(day_counts, last_possible(day_counts))


def _within(day_counts: pd.Series, before: pd.Timestamp) -> pd.Series:
    # No day at all has an index of no kind.
    days = pd.DatetimeIndex(day_counts.index)
    return day_counts.set_axis(days)[(days >= FIRST_YEAR) & (days < before)].sort_index()


def observation_end(day_counts: pd.Series) -> pd.Timestamp | None:
    """The default end of observation: the day after the last event that is not a typing error.

    `day_counts` holds the number of times per day (index: day), all tables together. Impossible times (`last_possible`) are
    none; of the rest, events more than 31 days beyond the 99.9th percentile do not count. None where there is no time at
    all.
    """
    counts = possible_days(day_counts)
    if counts.empty:
        return None
    # The interpolated percentile: with few events the nearest one would be the typing error itself.
    rank = 0.999 * (counts.sum() - 1)
    below, above = (counts.index[np.searchsorted(counts.cumsum().to_numpy(), number, side="right")]
                    for number in (np.floor(rank), np.ceil(rank)))
    limit = below + (above - below) * (rank - np.floor(rank)) + pd.Timedelta(days=LAST_EVENT_SLACK_DAYS)
    return counts.index[counts.index <= limit][-1].normalize() + pd.Timedelta(days=1)
