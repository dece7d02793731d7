"""When a person first reacted to each lead: the moment of the answer and how long it took, on any engine."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import flag, kept, left_join
from funnel_lib.errors import MeasureError
from funnel_lib.journeys import WON
from funnel_lib.language.messages import message
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import elapsed_days
from funnel_lib.schema import LOST
from funnel_lib.working_time import DAY_HOURS, WEEK, WEEK_DAYS, WorkCalendar, with_work_days

HOUR_MINUTES, QUARTER_MINUTES = 60, 15
# Whole minutes up to here, quarters of an hour up to there, hours beyond: grouped counts stay small, medians stay exact enough.
MINUTES_UPTO, QUARTERS_UPTO = 10 * HOUR_MINUTES, 10 * DAY_HOURS * HOUR_MINUTES
# Hours come as fractions of a day: what is a whole minute may lie this little beside it.
NEARLY = 1e-6
# Groups that are made of the moment of creation.
ARRIVAL = ("arrival_hour", "arrival_weekday", "arrival_time")
IN_HOURS, AFTER_HOURS, DAY_OFF = "in_hours", "after_hours", "day_off"
ARRIVAL_TIMES = (IN_HOURS, AFTER_HOURS, DAY_OFF)
# Of the lead's columns those that make groups; others are joined only for whoever asks.
_GROUPING = ("channel", "campaign", "segment", "owner", "group")
_COUNTED = ("created_at", "won_days", "answered", "at_outcome", "dated", "minutes", "work_minutes")


def reactions(process: Process, by: list[str]) -> nw.LazyFrame:
    """One row per new lead created since `observed_from`, with the groups asked for.

    Columns: `created_at`, `answered` (1 or 0), `at_outcome` (1: its first entry by a person was the loss or the win itself),
    `dated` (1: the creation or the answer has a date only), `minutes` and `work_minutes` from the creation to the answer, or
    to `as_of` while there is none (whole minutes; quarters of an hour from ten hours on, hours from ten days on; answers
    rounded up, the rest down), `won_days` (age at the win, 0 where its moment is unknown).
    Raises `MeasureError` without leads, or where neither entries name employees nor work names leads.
    """
    kept_groups = [name for name in _GROUPING if process.has("leads", name)]
    if set(by) - set(kept_groups) - {*ARRIVAL, "month", "quarter", "year"}:
        return with_arrival(process, _reactions(process), by)
    frame = process.remembered(("reactions",), lambda: kept(_reactions(process).select(*_COUNTED, *kept_groups)))
    return with_arrival(process, frame, by)


def _reactions(process: Process) -> nw.LazyFrame:
    as_of, calendar = process.needs_as_of(), WorkCalendar.of(process.company.calendar)
    now = nw.lit(as_of.to_pydatetime()).cast(nw.Datetime("us"))
    leads = new_leads(process).filter(nw.col("created_at") >= _begun(process).to_pydatetime())
    frame = left_join(leads, _first_answers(process, leads.select("lead_id", "created_at")), "lead_id")
    known = ~nw.col("_answer_at").is_null()
    # An entry of a described step stands for an answer even on the moment of the outcome; work on that moment belongs to it.
    earlier = (nw.col("_step_at") <= nw.col("_answer_at")).fill_null(False)
    frame = frame.with_columns(
        answered=flag(known), at_outcome=flag((nw.col("_outcome_at") == nw.col("_answer_at")) & ~earlier),
        dated=flag(is_date(nw.col("created_at")) | is_date(nw.col("_answer_at"))),
        won_days=_won_days(process), _end_at=nw.when(known).then(nw.col("_answer_at")).otherwise(now))
    years = (_begun(process).year, as_of.year)
    frame = with_work_days(frame, "_work_days", "created_at", "_end_at", calendar, years)
    elapsed = elapsed_days(nw.col("created_at"), nw.col("_end_at"), frame) * DAY_HOURS
    frame = frame.with_columns(_minutes=elapsed * HOUR_MINUTES,
                               _work_minutes=nw.col("_work_days") * (calendar.day_hours * HOUR_MINUTES))
    return frame.with_columns(minutes=_grouped("_minutes"), work_minutes=_grouped("_work_minutes"))


def _begun(process: Process) -> pd.Timestamp:
    """Where the records begin; where nothing has a time, and so no lead is there, where they end."""
    return process.needs_as_of() if process.observed_from is None else process.observed_from


def is_date(moment: nw.Expr) -> nw.Expr:
    """Whether the moment is a midnight: a date without a time of day."""
    return (moment == moment.dt.truncate("1d")).fill_null(False)


def _won_days(process: Process) -> nw.Expr:
    if not (process.steps and process.has("stage_events")):
        return nw.lit(None, dtype=nw.Float64)
    return nw.when(nw.col("state") == WON).then(nw.col("outcome_days").fill_null(0.0))


def _grouped(minutes: str) -> nw.Expr:
    """Whole minutes, the longer the coarser; to an answer rounded up, else down, so that nobody looks quicker than they were."""
    time = nw.col(minutes)
    # Rounding down the negative of a time rounds it up.
    sign = nw.when(nw.col("answered") == 1).then(nw.lit(-1)).otherwise(nw.lit(1))
    signed = time * sign
    whole = (signed + NEARLY).floor() * sign
    quarters = (signed / QUARTER_MINUTES + NEARLY).floor() * sign * QUARTER_MINUTES
    hours = (signed / HOUR_MINUTES + NEARLY).floor() * sign * HOUR_MINUTES
    longer = nw.when(time < QUARTERS_UPTO).then(quarters).otherwise(hours)
    return nw.when(time < MINUTES_UPTO).then(whole).otherwise(longer).cast(nw.Int32)


def _first_answers(process: Process, leads: nw.LazyFrame) -> nw.LazyFrame:
    """Per lead that was answered: `_answer_at`, and the first of its answers that were steps and that were outcomes."""
    parts = _by_people(process)
    every = (nw.concat(parts) if len(parts) > 1 else parts[0]).join(leads, on="lead_id", how="inner")
    at = nw.col("at")
    every = every.filter(at >= nw.col("created_at")).with_columns(
        _answer_at=at, _step_at=nw.when(nw.col("is_step")).then(at), _outcome_at=nw.when(nw.col("is_outcome")).then(at))
    return every.group_by("lead_id").agg(*[nw.col(name).min() for name in ("_answer_at", "_step_at", "_outcome_at")])


def _by_people(process: Process) -> list[nw.LazyFrame]:
    """What people did: entries with an employee and work on a lead, not automated; `at` never earlier than it was."""
    by_hand, parts = ~nw.col("automated").fill_null(False), []
    before = process.needs_as_of().to_pydatetime()
    if process.has("stage_events", "employee"):
        events = process.source_tables["stage_events"].filter(~nw.col("employee").is_null() & by_hand
                                                              & (nw.col("entered_at") < before))
        ends = [LOST, *(step.key for step in process.steps[-1:])]
        is_outcome = nw.col("step").is_in(ends)
        parts.append(events.select("lead_id", at=_no_earlier("entered_at"), is_step=~is_outcome, is_outcome=is_outcome))
    if process.has("work", "lead_id"):
        work = process.table("work").filter(~nw.col("lead_id").is_null() & by_hand)
        # Of a row with a date only nobody knows whether it came before the lead: what brings leads did.
        brought = is_date(nw.col("date")) & (nw.col("stage") == "lead_generation").fill_null(False)
        parts.append(work.filter(~brought).select("lead_id", at=_no_earlier("date"), is_step=nw.lit(False),
                                                  is_outcome=nw.lit(False)))
    if not parts:
        raise MeasureError(message("{process}: needs the employee of stage_events, or work that names its lead, to tell when "
                                   "leads are answered", process=process.name))
    return parts


def _no_earlier(time: str) -> nw.Expr:
    """The moment; of a date without a time of day the end of that day, so that no answer looks quicker than it was."""
    moment = nw.col(time)
    return nw.when(is_date(moment)).then(moment.dt.offset_by("1d")).otherwise(moment)


def with_arrival(process: Process, leads: nw.LazyFrame, by: list[str]) -> nw.LazyFrame:
    """Leads with `arrival_hour` (0 to 23), `arrival_weekday` (0 is Monday), `arrival_time` (place in `ARRIVAL_TIMES`)."""
    created = nw.col("created_at")
    if "arrival_hour" in by:
        leads = leads.with_columns(arrival_hour=created.dt.hour().cast(nw.Int16))
    if "arrival_weekday" in by:
        leads = leads.with_columns(arrival_weekday=_weekday())
    if "arrival_time" in by:
        leads = leads.with_columns(arrival_time=_arrival_time(process))
    return leads


def _weekday() -> nw.Expr:
    """0 is Monday; for Sunday some engines say 7 and Spark says 0."""
    return (nw.col("created_at").dt.weekday().cast(nw.Int16) + (WEEK_DAYS - 1)) % WEEK_DAYS


def _arrival_time(process: Process) -> nw.Expr:
    calendar = WorkCalendar.of(process.company.calendar)
    off, on = calendar.exceptions(_begun(process).year, process.needs_as_of().year)
    created = nw.col("created_at")
    date = created.dt.year().cast(nw.Int32) * 1000 + created.dt.ordinal_day().cast(nw.Int32)
    works = _weekday().is_in([number for number in range(WEEK_DAYS) if WEEK[number] in calendar.work_days])
    for days, worked in ((off, False), (on, True)):
        numbers = sorted(day.year * 1000 + day.timetuple().tm_yday for day in days)
        works = nw.when(date.is_in(numbers)).then(nw.lit(worked)).otherwise(works) if numbers else works
    hours = created.dt.hour().cast(nw.Float64) + created.dt.minute().cast(nw.Float64) / HOUR_MINUTES
    is_open = (hours >= calendar.opens_hours) & (hours < calendar.opens_hours + calendar.day_hours)
    number = nw.when(is_open).then(nw.lit(0)).otherwise(nw.lit(1))
    return nw.when(works).then(number).otherwise(nw.lit(2)).cast(nw.Int16)
