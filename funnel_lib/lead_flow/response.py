"""How long leads wait for an answer by a person, and how many buy of those answered sooner or later."""

from __future__ import annotations

from collections.abc import Iterator

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.cohorts import equal_window_days
from funnel_lib.engine import as_list, collect, flag, with_groups
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.lead_flow.reactions import ARRIVAL, ARRIVAL_TIMES, HOUR_MINUTES, reactions
from funnel_lib.lead_flow.waiting import Quartiles, against_the_rest, by_time, quartiles
from funnel_lib.pooling import NO_DIFFERENCE, SIGNIFICANT, TOO_FEW, adjusted_p_values
from funnel_lib.rates import is_few, rate
from funnel_lib.schema import MISSING
from funnel_lib.working_time import DAY_HOURS, WEEK, WorkCalendar

QUICKER, SLOWER = "quicker", "slower"
AT_OUTCOME, NO_ANSWER, LATER = "at_outcome", "no_answer_yet", "later"
# Upper bounds of the bands, in working hours and in working days.
BAND_HOURS, BAND_DAYS = (1, 4), (1, 3)
_COUNTS = ["leads_count", "answered_count", "unanswered_count", "at_outcome_count", "dated_count"]
_HOURS = ["quarter_work_hours", "median_work_hours", "median_low_work_hours", "median_high_work_hours",
          "three_quarters_work_hours", "median_hours", "median_low_hours", "median_high_hours"]


def response_time(process: Process, by: str | list[str] | None = None) -> pd.DataFrame:
    """How long new leads wait for the first answer by a person, in working hours and by the clock.

    One row is a group: of any column of the leads, of `month`, `quarter`, `year`, or of the arrival: `arrival_hour` (0 to 23),
    `arrival_weekday` (mon to sun), `arrival_time` (in_hours, after_hours of a working day, day_off: week-end or holiday).
    An answer is the first entry into a step, or into `lost`, with an employee and not automated, or work on the lead, not
    automated, at or after the lead's creation. A lead without an answer, still running or lost, is censored at `as_of`: one
    closed unseen has waited in vain, and taking it out would make whoever closes leads unseen look quick.
    A midnight is a date without a time of day: such an answer counts at the end of its day, so that nothing looks quicker
    than it was (work of lead generation with a date only is not taken for an answer: it brings leads).
    Columns: the group, `leads_count`, `answered_count`, `unanswered_count`, `at_outcome_count` (answered, but the first entry
    by a person was the loss or the win itself), `dated_count` (leads whose creation or answer has a date only),
    `answered_share` and `unanswered_share` so far with their Wilson 95 % limits; `quarter_work_hours`, `median_work_hours` with
    its 95 % limits, `three_quarters_work_hours` in hours of the company's calendar and `median_hours` with its limits by the
    clock, all of the Kaplan-Meier curve (missing where it does not get so far, or where most leads have dates only); `few`
    (under 30 leads); of groups `adjusted_p_value` (log-rank test in working time against the rest, adjusted for their number),
    `differs` (below 0.05, on 30 leads or more) and `verdict` (quicker, slower, no_difference, too_few).
    Arrivals come in their order, other groups by number of leads: this is no ranking. Leads created before `observed_from` are
    left out. Raises `MeasureError` where nothing tells who answered, or no answer by a person is recorded at all.
    Source: Kaplan and Meier 1958; Brookmeyer and Crowley 1982 (limits of the median); Mantel 1966 (log-rank).

    >>> leads = pd.DataFrame({"lead_id": ["1", "2"], "created_at": pd.to_datetime(["2026-02-27 17:00", "2026-03-02 10:00"])})
    >>> events = pd.DataFrame({"lead_id": ["1", "2"], "step": "talk", "employee": "ann",
    ...                        "entered_at": pd.to_datetime(["2026-03-02 10:30", "2026-03-02 12:30"])})
    >>> table = response_time(Process.from_tables("x", leads=leads, stage_events=events, steps=["talk", "won"]))
    >>> table[["median_work_hours", "median_hours"]].iloc[0].tolist()
    [2.5, 2.5]
    """
    groups = as_list(by)
    clock, work = (_counts(process, groups, time) for time in ("minutes", "work_minutes"))
    if len(clock) and not (clock["answered"] * clock["leads"]).sum():
        raise MeasureError(message("{process}: no entry by an employee that is not automated, and no work on a lead, follows any "
                                   "lead: whether leads are answered cannot be told", process=process.name))
    if "arrival_hour" in groups and clock["date_only"].sum() * 2 > clock["leads"].sum():
        raise MeasureError(message("{process}: the leads have dates without a time of day, so their hour of arrival cannot be "
                                   "told", process=process.name))
    rows = [{**group, **_row(part, other)} for group, part, other in _each(clock, work, groups)]
    table = pd.DataFrame(rows, columns=[*groups, *_COUNTS, *_HOURS])
    table = table.astype(dict.fromkeys(_COUNTS, int) | dict.fromkeys(_HOURS, float))
    for name in ("answered", "unanswered"):
        share = rate(table[f"{name}_count"], table["leads_count"])
        table[f"{name}_share"], table[f"{name}_low_share"], table[f"{name}_high_share"] = share[:3]
    table["few"] = is_few(table["leads_count"])
    shares = [f"{name}_{limit}share" for name in ("answered", "unanswered") for limit in ("", "low_", "high_")]
    table = table[[*groups, *_COUNTS, *shares, *_HOURS, "few"]]
    return process.tidy(_named(_compared(table, work, groups) if groups else table, groups))


def _counts(process: Process, groups: list[str], time: str) -> pd.DataFrame:
    """Leads per group, whether answered, and time waited; in one order on every engine."""
    return process.remembered(("response", tuple(groups), time), lambda: _counted(process, groups, time))


def _counted(process: Process, groups: list[str], time: str) -> pd.DataFrame:
    leads = reactions(process, groups)
    leads = with_groups(leads, [name for name in groups if name not in ARRIVAL] if set(groups) - set(ARRIVAL) else [])
    sums = [nw.len().alias("leads")]
    if time == "minutes":
        leads = leads.with_columns(date_only=flag(nw.col("created_at") == nw.col("created_at").dt.truncate("1d")))
        sums += [nw.col(name).sum() for name in ("at_outcome", "dated", "date_only")]
    counts = collect(leads.group_by([*groups, "answered", time]).agg(*sums))
    return counts.sort_values([*groups, "answered", time], ignore_index=True)


def _each(clock: pd.DataFrame, work: pd.DataFrame, groups: list[str]) -> Iterator[tuple[dict, pd.DataFrame, pd.DataFrame]]:
    """(group, its counts by the clock, in working time); arrivals in their order, else the largest first."""
    if not groups:
        if len(clock):
            yield {}, clock, work
        return
    other = dict(iter(work.groupby(groups)))
    parts = list(clock.groupby(groups))
    if set(groups) - set(ARRIVAL):
        parts.sort(key=lambda part: -part[1]["leads"].sum())
    for key, part in parts:
        yield dict(zip(groups, key, strict=True)), part, other[key]


def _row(clock: pd.DataFrame, work: pd.DataFrame) -> dict:
    leads, answered = int(clock["leads"].sum()), int((clock["leads"] * clock["answered"]).sum())
    dated = int(clock["dated"].sum())
    nothing = Quartiles(*[np.nan] * len(Quartiles._fields))
    told = dated * 2 <= leads
    in_work, by_clock = (quartiles(work, "work_minutes"), quartiles(clock, "minutes")) if told else (nothing, nothing)
    minutes = [*in_work, by_clock.median, by_clock.median_low, by_clock.median_high]
    return {**dict(zip(_COUNTS, (leads, answered, leads - answered, int(clock["at_outcome"].sum()), dated), strict=True)),
            **{name: value / HOUR_MINUTES for name, value in zip(_HOURS, minutes, strict=True)}}


def _compared(table: pd.DataFrame, work: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    """The rows with what chance alone would do; dates without a time of day tell no hours."""
    of = dict(iter(work.groupby(groups)))
    timed = (table["dated_count"] * 2 <= table["leads_count"]).to_numpy()
    tested = timed & ~table["few"].to_numpy() & ~table[groups].eq(MISSING).any(axis=1).to_numpy()
    if tested.sum() < 2:
        tested[:] = False
    keys = [tuple(row) for row in table[groups].itertuples(index=False)]
    every = by_time(work, "work_minutes")
    found = [against_the_rest(of[key], every, "work_minutes") if test else (0.0, np.nan)
             for key, test in zip(keys, tested, strict=True)]
    surplus, p_values = np.array(found, dtype=float).reshape(-1, 2).T
    adjusted = adjusted_p_values(p_values)
    differs = np.nan_to_num(adjusted, nan=1.0) < SIGNIFICANT
    verdict = np.where(table["few"], TOO_FEW, np.where(~differs, NO_DIFFERENCE, np.where(surplus > 0, QUICKER, SLOWER)))
    return table.assign(adjusted_p_value=adjusted, differs=differs, verdict=verdict)


def _named(table: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    """Arrivals by their names."""
    table = table.copy()
    for name, names in (("arrival_weekday", WEEK), ("arrival_time", ARRIVAL_TIMES)):
        if name in groups:
            table[name] = pd.Series([names[int(number)] for number in table[name]], index=table.index, dtype="str")
    if "arrival_hour" in groups:
        table["arrival_hour"] = table["arrival_hour"].astype(int)
    return table


def response_bands(process: Process, window_days: float | None = None) -> pd.DataFrame:
    """How many leads buy of those answered sooner or later. This is not proof that answering sooner makes them buy.

    Owners answer first whom they believe in, and eager clients are easier to reach: the bands hold different clients. Proof
    takes a trial in which chance decides who is answered first.
    One row is a band of working hours from the creation to the first answer by a person (as in `response_time`):
    `within_1_hour`, `within_4_hours`, `within_1_day`, `within_3_days` (working days), `later`; then `at_outcome` (the first entry
    by a person was the loss or the win itself: when the lead was answered is not known, and as slow answers these rows would
    make slowness look deadly, since a forgotten lead is closed late) and `no_answer_yet` (none within the window).
    Every lead at least W old counts, and what was won within W of its creation, W being `equal_window_days`. A lead that buys at
    once cannot be answered late any more, and one answered late has less of W left: both speak for the quick bands even where
    speed does nothing. Where first contacts go unrecorded, the later ones that are on record belong to leads that got so far:
    that speaks for the slow bands.
    Columns: `answer_band`, `from_work_hours` and `to_work_hours` (missing without a bound), `leads_count`, `won_count`,
    `won_share` with its Wilson 95 % limits, `few` (under 30 leads), `equal_window_days`. The rows add up to all leads old enough.
    Raises `MeasureError` as `response_time`, and where nobody has won and the process has no window.
    """
    leads = reactions(process, [])
    if not (process.steps and process.has("stage_events")):
        raise MeasureError(message("{process}: needs steps and the table 'stage_events' to tell who bought after which answer",
                                   process=process.name))
    window = equal_window_days(process, window_days)
    if window is None:
        raise MeasureError(message("{process}: needs conversion_window_days, or wins at known moments, to follow all leads "
                                   "equally long", process=process.name))
    edges = _edges(process)
    counts = process.remembered(("response_bands", window), lambda: _band_counts(process, leads, window, edges))
    if len(counts) and not counts["answered"].sum():
        raise MeasureError(message("{process}: no lead at least {window:g} days old has an answer by a person on record",
                                   process=process.name, window=window))
    if counts["dated"].sum() * 2 > counts["leads"].sum():
        raise MeasureError(message("{process}: creation or answer of most leads has a date without a time of day, so hours of "
                                   "waiting cannot be told", process=process.name))
    names = [*edges, LATER, AT_OUTCOME, NO_ANSWER]
    sums = counts.groupby("band")[["leads", "won"]].sum().reindex(range(len(names))).fillna(0).astype(int)
    share = rate(sums["won"], sums["leads"])
    upto = [*edges.values(), np.nan, np.nan, np.nan]
    return process.tidy(pd.DataFrame({
        "answer_band": names, "from_work_hours": [0.0, *edges.values(), np.nan, np.nan], "to_work_hours": upto,
        "leads_count": sums["leads"], "won_count": sums["won"], "won_share": share.share, "won_low_share": share.low_share,
        "won_high_share": share.high_share, "few": is_few(sums["leads"]), "equal_window_days": float(window)}))


def _edges(process: Process) -> dict[str, float]:
    """Band → its upper bound in working hours; a company with short days has fewer bands."""
    day = WorkCalendar.of(process.company.calendar).day_hours
    hours = {f"within_{hours}_hour{'s' if hours > 1 else ''}": float(hours) for hours in BAND_HOURS if hours < day}
    return hours | {f"within_{days}_day{'s' if days > 1 else ''}": days * day for days in BAND_DAYS}


def _band_counts(process: Process, leads: nw.LazyFrame, window: float, edges: dict[str, float]) -> pd.DataFrame:
    """Leads old enough by number of their band, with those that won within the window."""
    latest = (process.needs_as_of() - pd.Timedelta(days=window)).to_pydatetime()
    minutes, band = nw.col("work_minutes"), nw.lit(len(edges))
    for number, hours in reversed(list(enumerate(edges.values()))):
        band = nw.when(minutes <= hours * HOUR_MINUTES).then(nw.lit(number)).otherwise(band)
    band = nw.when(nw.col("at_outcome") == 1).then(nw.lit(len(edges) + 1)).otherwise(band)
    in_time = (nw.col("answered") == 1) & (nw.col("minutes") <= window * DAY_HOURS * HOUR_MINUTES)
    leads = leads.filter(nw.col("created_at") <= latest).with_columns(
        band=nw.when(in_time).then(band).otherwise(nw.lit(len(edges) + 2)), _won=flag(nw.col("won_days") <= window))
    counts = collect(leads.group_by("band").agg(nw.len().alias("leads"), *[
        nw.col(name).sum().alias(name.strip("_")) for name in ("_won", "answered", "dated")]))
    return counts.sort_values("band", ignore_index=True)
