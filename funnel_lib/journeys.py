"""What happened to each lead: its entries into steps, its state now, and how old it was then."""

from __future__ import annotations

import narwhals as nw

from funnel_lib.company import Process
from funnel_lib.engine import collect, flag, kept, left_join
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.periods import elapsed_days
from funnel_lib.schema import LOST, TABLES

WON, RUNNING = "won", "running"


def entries(process: Process, returning: bool | None = False) -> nw.LazyFrame:
    """One row per entry of a lead into a step or into `lost`.

    Columns of `stage_events` with `created_at` of the lead, `age_days` (float, not below 0; missing where the time is
    unknown) and `is_before_lead`. Events of unknown leads and at or after `as_of` are left out.
    Raises `MeasureError` where the process has no leads, no events or no described steps.
    """
    return process.remembered(("entries", returning), lambda: _entries(process, returning))


def _entries(process: Process, returning: bool | None) -> nw.LazyFrame:
    leads = _of_kind(journeys(process), returning).select("lead_id", "created_at")
    events = recorded_events(process).join(leads, on="lead_id", how="inner")
    events = events.with_columns(_age=elapsed_days(nw.col("created_at"), nw.col("entered_at"), events))
    return events.with_columns(is_before_lead=(nw.col("_age") < 0).fill_null(False),
                               age_days=nw.when(nw.col("_age") < 0).then(0.0).otherwise(nw.col("_age"))).drop("_age")


def recorded_events(process: Process) -> nw.LazyFrame:
    """Events before `as_of`, those of unknown leads and of other processes too: joining the leads takes them out."""
    if not process.steps:
        raise MeasureError(message("{process}: the steps of the funnel are not described; name them under steps",
                                   process=process.name))
    process.table("leads")
    if not process.has("stage_events"):
        raise MeasureError(message("{process}: needs the table 'stage_events' (movement through the steps)", process=process.name))
    events = process.source_tables["stage_events"]
    if process.as_of is None:
        return events
    return events.filter((nw.col("entered_at") < process.as_of.to_pydatetime()) | nw.col("entered_at").is_null())


def lead_states(process: Process, returning: bool | None = False) -> nw.LazyFrame:
    """One row per lead that really was one: the lead's columns with its state.

    `state` is won (the last step is reached), lost (else, the latest event is `lost`) or running (else); no window.
    `won_at` and `lost_at` are the first entry into the last step and the final loss (missing where the time is unknown);
    `outcome_days` is the age at the outcome, or at `as_of` while running; `first_0_at`, `first_1_at`, … are the first
    entries into each step and `untimed_0`, … 1 where an entry without a time is known; `entries_count` counts all entries,
    `lost_entries` its losses, of which `lost_reason` is the alphabetically first one's.
    Leads lost for a reason of `not_leads` are left out: they never were leads.
    """
    return process.remembered(("lead_states", returning), lambda: _of_kind(
        journeys(process).filter(nw.col("never_lead") == 0), returning))


def journeys(process: Process) -> nw.LazyFrame:
    """One row per lead, new or returning, those with `never_lead` 1 (lost for a reason of `not_leads`) too: as `lead_states`.

    Every measure of conversion begins with this, so it is kept: without the columns that the source has not, which come back
    as missing values in the plan.
    """
    return process.remembered(("journeys",), lambda: _kept_journeys(process))


def _kept_journeys(process: Process) -> nw.LazyFrame:
    frame = _journeys(process)
    types = frame.collect_schema()
    absent = {column.name: nw.lit(None, dtype=types[column.name]) for column in TABLES["leads"].columns
              if not process.has("leads", column.name)}
    flags = {} if has_untimed(process) else {f"untimed_{number}": nw.lit(0, dtype=nw.Int16) for number in range(len(process.steps))}
    return kept(frame, {**absent, **flags})


def _of_kind(leads: nw.LazyFrame, returning: bool | None) -> nw.LazyFrame:
    """Those of new customers, of returning ones, or all."""
    return leads if returning is None else leads.filter(nw.col("is_returning") == returning)


def _journeys(process: Process) -> nw.LazyFrame:
    last = len(process.steps) - 1
    leads = left_join(process.leads(None), _per_lead(process), "lead_id").with_columns(won_at=nw.col(f"first_{last}_at"))
    won = ~nw.col("won_at").is_null() | _is_one(f"untimed_{last}")
    # On the same moment `lost` comes after the other steps.
    lost_last = (nw.col("_lost_at") >= nw.col("_stepped_at")).fill_null(False)
    lost_only = ~nw.col("_lost_at").is_null() & nw.col("_stepped_at").is_null()
    lost = ~won & (_is_one("_lost_untimed") | lost_last | lost_only)
    never = lost & (_is_one("_never_untimed") | (nw.col("_never_at") == nw.col("_lost_at")).fill_null(False))
    state = nw.when(won).then(nw.lit(WON)).otherwise(nw.when(lost).then(nw.lit(LOST)).otherwise(nw.lit(RUNNING)))
    lost_at = nw.when(lost & ~_is_one("_lost_untimed")).then(nw.col("_lost_at"))
    leads = leads.with_columns(state=state, lost_at=lost_at, never_lead=flag(never))
    return leads.with_columns(outcome_days=_outcome_days(process, leads)).drop(*_PASSING)


# Columns that only lead to the state.
_PASSING = ("_stepped_at", "_lost_at", "_lost_untimed", "_never_at", "_never_untimed")


def _per_lead(process: Process) -> nw.LazyFrame:
    """One row per lead with events: first entry into each step, latest entry and loss, whether some have no time.

    More than half of the work of a report on many events is done here: each further aggregate is felt.
    """
    step, time = nw.col("step"), nw.col("entered_at")
    is_lost, untimed = step == LOST, nw.col("entered_at").is_null()
    never = is_lost & nw.col("reason").is_in(list(process.settings.not_leads) or [""])
    keys = [one.key for one in process.steps]
    first = {f"first_{n}_at": nw.when(step == key).then(time) for n, key in enumerate(keys)}
    first["lost_reason"] = nw.when(is_lost).then(nw.col("reason"))
    latest = {"_stepped_at": nw.when(~is_lost).then(time), "_lost_at": nw.when(is_lost).then(time),
              "_never_at": nw.when(never).then(time)}
    flags = {"_lost_untimed": is_lost, "_never_untimed": never, **{f"untimed_{n}": step == key for n, key in enumerate(keys)}}
    some_untimed = has_untimed(process)
    if some_untimed:
        latest |= {name: flag(here & untimed) for name, here in flags.items()}
    marked = recorded_events(process).with_columns(**first, **latest, lost_entries=flag(is_lost))
    per_lead = marked.group_by("lead_id").agg(*[nw.col(name).min() for name in first], *[nw.col(name).max() for name in latest],
                                              nw.col("lost_entries").sum(), nw.len().alias("entries_count"))
    # A sum is as wide as the engine has numbers; a lead is not lost that often.
    per_lead = per_lead.with_columns(nw.col("lost_entries", "entries_count").cast(nw.Int32))
    return per_lead if some_untimed else per_lead.with_columns(**dict.fromkeys(flags, nw.lit(0, dtype=nw.Int16)))


def has_untimed(process: Process) -> bool:
    """Whether any event lacks its time; where none does, the many flags for such events need not be counted."""
    untimed = recorded_events(process).filter(nw.col("entered_at").is_null()).head(1)
    return process.remembered(("has_untimed",), lambda: not collect(untimed).empty)


def _is_one(flag: str) -> nw.Expr:
    return (nw.col(flag) == 1).fill_null(False)


def _outcome_days(process: Process, leads: nw.LazyFrame) -> nw.Expr:
    end = nw.when(nw.col("state") == WON).then(nw.col("won_at")).otherwise(nw.col("lost_at"))
    if process.as_of is not None:
        now = nw.lit(process.as_of.to_pydatetime()).cast(nw.Datetime("us"))
        end = nw.when(nw.col("state") == RUNNING).then(now).otherwise(end)
    age = elapsed_days(nw.col("created_at"), end, leads)
    return nw.when(age < 0).then(0.0).otherwise(age)


def not_leads_count(process: Process, returning: bool | None = False) -> nw.LazyFrame:
    """One row: `all_count` leads and `leads_count` that really were leads; the rest was lost for a `not_leads` reason."""
    really = lead_states(process, returning).select(nw.len().alias("leads_count"))
    return process.leads(returning).select(nw.len().alias("all_count")).join(really, how="cross")
