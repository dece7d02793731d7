"""Working time: hours and days between two moments by a company's calendar, on small tables and on every engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from funnel_lib.errors import CallError
from funnel_lib.language.messages import message
from funnel_lib.periods import elapsed_days

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK_DAYS, DAY_HOURS = 7, 24
# A Monday: weeks are counted from here.
_MONDAY = pd.Timestamp(1970, 1, 5)


@dataclass(frozen=True)
class WorkCalendar:
    """When a company works: days of the week, from when to when, and the country whose public holidays are free.

    `holidays` is a country code ("RU"), with a part of the country where that matters ("DE-BY"); None: no holidays.
    """

    work_days: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri")
    hours: tuple[str, str] = ("09:00", "18:00")
    holidays: str | None = None

    @classmethod
    def of(cls, described: Any) -> WorkCalendar:
        """The calendar as `company.yaml` describes it (`calendar`: work_days, hours, holidays)."""
        return cls(tuple(described.work_days), tuple(described.hours), described.holidays)

    @property
    def opens_hours(self) -> float:
        """When the working day begins, in hours after midnight."""
        return _clock_hours(self.hours[0])

    @property
    def day_hours(self) -> float:
        """Hours in one working day."""
        return _clock_hours(self.hours[1]) - self.opens_hours

    def exceptions(self, first_year: int, last_year: int) -> tuple[set[date], set[date]]:
        """(days off that the week would have worked, days worked that the week would have had off) of these years.

        Raises `CallError` for a country that the holidays package does not know.
        """
        if self.holidays is None:
            return set(), set()
        import holidays  # loaded here: only measures of working time pay for it

        country, _, part = self.holidays.partition("-")
        try:
            known = holidays.country_holidays(country, subdiv=part or None, years=range(first_year, last_year + 1))
        except NotImplementedError as error:
            raise CallError(message("calendar: holidays: {holidays!r} is no country (or part of one) whose public holidays are "
                                    "known; expected a code such as RU, DE or DE-BY", holidays=self.holidays)) from error
        works = {WEEK.index(day) for day in self.work_days}
        moved = set(getattr(known, "weekend_workdays", ()))
        return ({day for day in known if day.weekday() in works},
                {day for day in moved if day.weekday() not in works and first_year <= day.year <= last_year})


def _clock_hours(text: str) -> float:
    clock = time.fromisoformat(text)
    return clock.hour + clock.minute / 60 + clock.second / 3600


def work_hours(calendar: WorkCalendar, start: ArrayLike, end: ArrayLike) -> np.ndarray:
    """Working hours from each `start` to its `end` (negative where the end comes first, NaN where one is missing).

    >>> float(work_hours(WorkCalendar(), "2026-02-27 17:00", "2026-03-02 10:30"))  # Friday to Monday
    2.5
    """
    start, end = np.broadcast_arrays(np.asarray(start, dtype="datetime64[us]"), np.asarray(end, dtype="datetime64[us]"))
    known = ~(np.isnat(start) | np.isnat(end))
    result = np.full(start.shape, np.nan)
    if known.any():
        moments = np.concatenate([start[known], end[known]]).astype("datetime64[D]")
        table = _day_table(calendar, moments.min(), moments.max())
        result[known] = _hours_until(calendar, table, end[known]) - _hours_until(calendar, table, start[known])
    return result


def work_days(calendar: WorkCalendar, start: ArrayLike, end: ArrayLike) -> np.ndarray:
    """Working days (float) from each `start` to its `end`: working hours / hours of a working day.

    >>> float(work_days(WorkCalendar(), "2026-02-27", "2026-03-03"))  # Friday and Monday
    2.0
    """
    return work_hours(calendar, start, end) / calendar.day_hours


def _day_table(calendar: WorkCalendar, first: np.datetime64, last: np.datetime64) -> tuple[np.datetime64, np.ndarray]:
    """The first day, and for it and each day up to the last whether it is worked."""
    days = np.arange(first, last + np.timedelta64(1, "D"))
    works = np.is_busday(days, weekmask=[day in calendar.work_days for day in WEEK])
    off, on = calendar.exceptions(pd.Timestamp(first).year, pd.Timestamp(last).year)
    works[np.isin(days, np.array(sorted(off), dtype="datetime64[D]"))] = False
    works[np.isin(days, np.array(sorted(on), dtype="datetime64[D]"))] = True
    return first, works


def _hours_until(calendar: WorkCalendar, table: tuple[np.datetime64, np.ndarray], moments: np.ndarray) -> np.ndarray:
    """Working hours from the table's first midnight to each moment."""
    first, works = table
    day = moments.astype("datetime64[D]")
    number = (day - first).astype(int)
    within = (moments - day) / np.timedelta64(1, "h") - calendar.opens_hours
    before = np.cumsum(works) - works
    return before[number] * calendar.day_hours + works[number] * np.clip(within, 0, calendar.day_hours)


def with_work_days(frame: nw.LazyFrame, name: str, start: str, end: str | pd.Timestamp, calendar: WorkCalendar,
                   years: tuple[int, int]) -> nw.LazyFrame:
    """The frame with a column `name`: working days (float) from the time column `start` to `end`, on any engine.

    `end` is a time column or one fixed moment; holidays are those of the years from the first to the last of `years`.
    """
    off, on = calendar.exceptions(*years)
    exceptions = {(pd.Timestamp(day) - _MONDAY).days: sign for days, sign in ((off, -1), (on, 1)) for day in days}
    moments = {"_from": nw.col(start), "_to": end if isinstance(end, pd.Timestamp) else nw.col(end)}
    # Days, weeks and hours of the day become columns first: the terms below would repeat their long formula many times.
    frame = frame.with_columns(**{key: elapsed_days(_MONDAY, moment, frame) for key, moment in moments.items()})
    frame = frame.with_columns(**{f"{key}_day": nw.col(key).floor() for key in moments})
    within = {key: ((nw.col(key) - nw.col(f"{key}_day")) * DAY_HOURS - calendar.opens_hours).clip(0, calendar.day_hours)
              for key in moments}
    frame = frame.with_columns(**{f"{key}_week": (nw.col(f"{key}_day") / WEEK_DAYS).floor() for key in moments},
                               **{f"{key}_within": within[key] for key in moments})
    until = {key: _engine_hours(calendar, key, exceptions) for key in moments}
    frame = frame.with_columns(((until["_to"] - until["_from"]) / calendar.day_hours).alias(name))
    return frame.drop(*[f"{key}{part}" for key in moments for part in ("", "_day", "_week", "_within")])


def _engine_hours(calendar: WorkCalendar, key: str, exceptions: dict[int, int]) -> nw.Expr:
    """Working hours from a Monday long ago to the moment: whole weeks, this week so far, exceptions so far.

    `exceptions`: numbers of days since that Monday with −1 for a day off and +1 for a day worked.
    """
    week, day, within = nw.col(f"{key}_week"), nw.col(f"{key}_day"), nw.col(f"{key}_within")
    hours = week * (len(set(calendar.work_days)) * calendar.day_hours)
    hours = hours + _exceptional_hours(day, within, exceptions, calendar.day_hours)
    for first, length in _runs([name in calendar.work_days for name in WEEK]):
        # Nothing before these days, all of their hours after them.
        hours = hours + ((day - week * WEEK_DAYS - first) * calendar.day_hours + within).clip(0, length * calendar.day_hours)
    return hours


def _runs(works: list[bool]) -> list[tuple[int, int]]:
    """First day and length of each run of working days in a week."""
    starts = [number for number, worked in enumerate(works) if worked and not (number and works[number - 1])]
    return [(start, [*works, False].index(False, start) - start) for start in starts]


def _exceptional_hours(this_day: nw.Expr, within: nw.Expr, exceptions: dict[int, int], day_hours: float) -> nw.Expr:
    """The hours that exceptions add by the moment, this day's `within` it: a search by halves, so that an engine compares a
    few numbers per row."""
    days = sorted(exceptions)
    upto = [0, *np.cumsum([exceptions[day] for day in days])]

    def between(low: int, high: int) -> nw.Expr:
        if low < high:
            middle = (low + high) // 2
            return nw.when(this_day <= days[middle]).then(between(low, middle)).otherwise(between(middle + 1, high))
        before = nw.lit(float(upto[low]) * day_hours)
        if low == len(days):
            return before
        return nw.when(this_day == days[low]).then(before + within * float(exceptions[days[low]])).otherwise(before)

    return between(0, len(days))
