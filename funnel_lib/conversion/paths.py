"""Described against actual: which ways the leads really take through the steps, and how soon."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.running import work_in_progress_summary
from funnel_lib.conversion.stays import FORWARD, LEAD, OTHER, OTHER_PLACE, RETURN, SKIP, is_kind, kind_of, places, stays
from funnel_lib.description import Step
from funnel_lib.engine import collect, flag
from funnel_lib.errors import MeasureError
from funnel_lib.journeys import RUNNING, WON, lead_states
from funnel_lib.language.messages import message
from funnel_lib.rates import rate, ratio
from funnel_lib.schema import LOST
from funnel_lib.working_time import WorkCalendar, with_work_days

# Rounding of working days, which are floats, must not make an entry late.
_NEARLY = 1e-6


@dataclass(frozen=True)
class ReturnsAfterLoss:
    """Leads that were given up at least once, how many of them came back (with 95 % limits), and how many of these bought."""

    lost_once_count: int
    returned_count: int
    returned_share: float
    returned_low_share: float
    returned_high_share: float
    won_count: int


def _moves(process: Process, returning: bool) -> nw.LazyFrame:
    """The stays that ended in another entry: one row per entry."""
    return stays(process, returning).filter(~nw.col("next_place").is_null())


def transitions(process: Process, returning: bool = False) -> pd.DataFrame:
    """Every move that leads made from one step to another, counted.

    One row is `from_step` × `to_step`; "lead" is the state before the first step, "other" a step that is not described.
    Columns: `kind`: forward; skip (a mandatory step is passed over, optional ones may be); return (back, into the same step
    again, or any step after a loss); lost; other (into or out of a step that is not described). `events_count` moves,
    `leads_count` leads that made them, `moves_share` of all moves out of `from_step`, `timed_count` moves between two known
    moments and `median_days` of these (moves of before the lead was created are counted, not timed).
    Entries of one moment follow each other in the order of the steps, then `lost`, the last step after all; the same entry
    recorded twice counts once. Raises `MeasureError` without leads, events or described steps.
    """
    moves, move = _moves(process, returning), ["place", "next_place"]
    counts = collect(moves.with_columns(_timed=flag(~nw.col("days").is_null())).group_by(move).agg(
        nw.len().alias("events_count"), nw.col("_timed").sum().alias("timed_count"), nw.col("days").median().alias("median_days")))
    # The same move twice takes a return in between: only the leads that made one are counted apart, for they are few.
    back = moves.filter(is_kind(process, RETURN)).select("lead_id").unique()
    again = collect(moves.join(back, on="lead_id", how="semi").group_by(move).agg(
        nw.len().alias("_moves"), nw.col("lead_id").n_unique().alias("_leads")))
    counts = counts.merge(again, on=move, how="left", validate="one_to_one").fillna({"_moves": 0, "_leads": 0})
    counts["leads_count"] = counts["events_count"] - counts["_moves"] + counts["_leads"]
    known, order = places(process), [LEAD, *(step.key for step in process.steps), LOST, OTHER]
    pairs = [(known[int(here)], known[int(there)]) for here, there in counts[["place", "next_place"]].to_numpy()]
    table = counts.assign(from_step=pd.Series([here for here, _ in pairs], dtype="str"),
                          to_step=pd.Series([there for _, there in pairs], dtype="str"),
                          kind=pd.Series([kind_of(process, *pair) for pair in pairs], dtype="str"),
                          _order=[order.index(here) * len(order) + order.index(there) for here, there in pairs])
    table["moves_share"] = ratio(table["events_count"], table.groupby("from_step")["events_count"].transform("sum"))
    table = table.sort_values("_order").astype(dict.fromkeys(["events_count", "leads_count", "timed_count"], int))
    return process.tidy(table[["from_step", "to_step", "kind", "events_count", "leads_count", "moves_share", "timed_count",
                               "median_days"]])


def path_following(process: Process, returning: bool = False) -> pd.DataFrame:
    """What share of the leads goes through the steps as they are described.

    One row is a state (won, lost, running) and all together. Columns: `state`, `leads_count` with at least one entry into a
    step, `following_count` (every mandatory step in turn as far as they got, none passed over, none gone back to; a loss
    ends a way, it does not leave it), `following_share` with its Wilson 95 % limits, and the leads that left it:
    `skipping_count`, `returning_count`, `undescribed_count` (a lead may do several). Running leads are judged so far.
    Raises `MeasureError` where no entry into a step before the last one is recorded: then only the end of each way is known.
    """
    _needs_history(process, returning)
    leads = lead_states(process, returning).filter(nw.col("entries_count") > nw.col("lost_entries"))
    everyone = collect(leads.group_by("state").agg(nw.len().alias("leads_count")))
    # Only those who left the described way are looked at one by one: they are few.
    left = {"skipping_count": is_kind(process, SKIP), "returning_count": is_kind(process, RETURN),
            "undescribed_count": ((nw.col("next_place") == OTHER_PLACE) | (nw.col("place") == OTHER_PLACE)).fill_null(False)}
    moves = _moves(process, returning).filter(left["skipping_count"] | left["returning_count"] | left["undescribed_count"])
    per_lead = moves.with_columns(**{name: flag(there) for name, there in left.items()}).group_by("lead_id", "state").agg(
        *[nw.col(name).max() for name in left])
    leaving = collect(per_lead.group_by("state").agg(nw.len().alias("left_count"), *[nw.col(name).sum() for name in left]))
    counts = everyone.merge(leaving, on="state", how="left", validate="one_to_one").fillna(0)
    counts["following_count"] = counts["leads_count"] - counts["left_count"]
    sums = ["leads_count", "following_count", *left]
    table = counts.set_index("state").reindex([WON, LOST, RUNNING]).fillna(0)[sums]
    table = pd.concat([table, table.sum().to_frame("all").T]).astype(int).rename_axis("state").reset_index()
    share = rate(table["following_count"], table["leads_count"])
    table = table.assign(following_share=share.share, following_low_share=share.low_share,
                         following_high_share=share.high_share)
    return process.tidy(table[["state", "leads_count", "following_count", "following_share", "following_low_share",
                               "following_high_share", *left]])


def returns_after_loss(process: Process, returning: bool = False) -> ReturnsAfterLoss:
    """How many of the leads that were lost at least once came back into any step, and how many of these are won now.

    Raises `MeasureError` without leads, events or described steps.
    """
    lost = float(places(process).index(LOST))
    every = stays(process, returning).filter(nw.col("place") == lost)
    back = ~nw.col("next_place").is_null() & (nw.col("next_place") != lost)
    every = every.with_columns(_back=flag(back), _won=flag(nw.col("state") == WON))
    per_lead = every.group_by("lead_id").agg(nw.col("_back").max(), nw.col("_won").max())
    per_lead = per_lead.with_columns(_won=nw.col("_won") * nw.col("_back"), _lost=nw.lit(1))
    sums = collect(per_lead.select(*[nw.col(name).sum() for name in ("_lost", "_back", "_won")])).fillna(0).iloc[0]
    share = rate(sums["_back"], sums["_lost"])
    return ReturnsAfterLoss(int(sums["_lost"]), int(sums["_back"]), share.share, share.low_share, share.high_share,
                            int(sums["_won"]))


def _needs_history(process: Process, returning: bool) -> None:
    """Where nobody is recorded in any step before the last one there is no way to follow or to leave."""
    known = places(process)
    there = nw.col("next_place")
    before = _moves(process, returning).filter((there > OTHER_PLACE) & (there < known.index(LOST)))
    if collect(before.head(1)).empty:
        raise MeasureError(message("{process}: only the end of each way is recorded, no entry into a step before the last one; "
                                   "record the steps on the way to see whether leads follow them", process=process.name))


def path_steps(process: Process, returning: bool = False) -> pd.DataFrame:
    """Step by step: how many leads pass it over, come back to it, or stall in it.

    One row is a step. Columns: `step`, `optional`, `reached_count` (leads that entered this or any later step),
    `entered_count` (this very step), `skipped_count` and `skipped_share` of those who reached (none for an optional step: it
    may be passed over), `returned_count` (leads that came back into it) and `returned_share` of those who entered,
    `running_count` standing there now, `stalled_count` of them longer than nine in ten later winners did, and
    `stalled_share` of those whose age in the step and norm are known; shares with their Wilson 95 % limits.
    Raises `MeasureError` as `path_following` does.
    """
    _needs_history(process, returning)
    known, steps = places(process), process.steps
    numbers = {step.key: known.index(step.key) for step in steps}
    entered = {number: ~nw.col(f"first_{number}_at").is_null() | (nw.col(f"untimed_{number}") == 1).fill_null(False)
               for number in range(len(steps))}
    reached = {number: nw.any_horizontal(*list(entered.values())[number:], ignore_nulls=True) for number in entered}
    flags = {f"{word}_{number}": flag(there[number]) for word, there in (("in", entered), ("far", reached)) for number in entered}
    sums = collect(lead_states(process, returning).select(**flags).select(*[nw.col(name).sum() for name in flags]))
    sums = sums.fillna(0).iloc[0]
    back = _moves(process, returning).filter(is_kind(process, RETURN)).group_by("next_place").agg(
        nw.col("lead_id").n_unique().alias("leads"))
    back = collect(back).set_index("next_place")["leads"].reindex(numbers.values()).fillna(0)
    table = pd.DataFrame({
        "step": list(numbers), "optional": [step.optional for step in steps],
        "reached_count": [int(sums[f"far_{number}"]) for number in entered],
        "entered_count": [int(sums[f"in_{number}"]) for number in entered], "returned_count": back.astype(int).to_numpy()})
    table["skipped_count"] = (table["reached_count"] - table["entered_count"]).where(~table["optional"], 0)
    now = work_in_progress_summary(process, returning).set_index("step").reindex(table["step"]).fillna(0).reset_index()
    table["running_count"], table["stalled_count"] = now["running_count"], now["late_count"] + now["forgotten_count"]
    known_age = now["running_count"] - now["age_unknown_count"]
    for name, whole in (("skipped", table["reached_count"].where(~table["optional"], 0)),
                        ("returned", table["entered_count"]), ("stalled", known_age)):
        share = rate(table[f"{name}_count"], whole)
        table[f"{name}_share"], table[f"{name}_low_share"] = share.share, share.low_share
        table[f"{name}_high_share"] = share.high_share
    table = table.astype(dict.fromkeys(["running_count", "stalled_count"], int))
    parts = [f"{name}{unit}" for name in ("skipped", "returned", "stalled")
             for unit in ("_count", "_share", "_low_share", "_high_share")]
    return process.tidy(table[["step", "optional", "reached_count", "entered_count", *parts[:8], "running_count", *parts[8:]]])


def deadlines(process: Process, returning: bool = False) -> pd.DataFrame:
    """Whether the steps that have a deadline are entered in time, in working days of the company's calendar.

    One row is a step with `deadline_days`. Columns: `step`, `deadline_days` (working days from the entry before, or from the
    lead's creation), `entries_count` forward into the step with two known moments, `in_time_count` of them, `in_time_share`
    with its Wilson 95 % limits, `mean_work_days` they took, `untimed_count` (entries without two known moments),
    `overdue_count` (running leads that wait right before the step, for longer than the deadline; before an optional step
    not counted, since it may be passed over).
    Raises `MeasureError` where no step has a deadline.
    """
    dated = [step for step in process.steps if step.deadline_days is not None]
    if not dated:
        raise MeasureError(message("{process}: needs deadline_days on at least one step (to see whether it is entered in time)",
                                   process=process.name))
    every, as_of = stays(process, returning), process.needs_as_of()
    calendar, years = WorkCalendar.of(process.company.calendar), _years(every, as_of)
    number_of = {step.key: float(places(process).index(step.key)) for step in dated}
    entered = {number_of[step.key]: step for step in dated}
    entries = _with_deadline(every, "next_place", entered).filter(is_kind(process, FORWARD, SKIP))
    entries = with_work_days(entries, "work_days", "at", "next_at", calendar, years)
    timed = ~nw.col("days").is_null()
    entries = entries.with_columns(entries_count=flag(timed), untimed_count=flag(~timed),
                                   in_time_count=flag(timed & (nw.col("work_days") <= nw.col("_limit") + _NEARLY)),
                                   _work=nw.when(timed).then(nw.col("work_days")))
    sums = ["entries_count", "untimed_count", "in_time_count", "_work"]
    counts = collect(entries.group_by("next_place").agg(*[nw.col(name).sum() for name in sums]))
    counts["step"] = [entered[number].key for number in counts["next_place"]]
    waited = {float(places(process).index(key)): step for step in dated for key in _right_before(process, step.key)}
    waiting = every.filter((nw.col("state") == RUNNING) & nw.col("next_place").is_null() & ~nw.col("at").is_null())
    waiting = with_work_days(_with_deadline(waiting, "place", waited), "work_days", "at", as_of, calendar, years)
    overdue = collect(waiting.filter(nw.col("work_days") > nw.col("_limit") + _NEARLY).group_by("place").agg(
        nw.len().alias("overdue_count")))
    overdue["step"] = [waited[number].key for number in overdue["place"]]
    return process.tidy(_deadline_table(dated, counts, overdue.groupby("step", as_index=False)["overdue_count"].sum()))


def _with_deadline(frame: nw.LazyFrame, place: str, steps: dict[float, Step]) -> nw.LazyFrame:
    """The rows whose `place` is one of these, with the deadline of its step in `_limit`."""
    limit = nw.lit(None, dtype=nw.Float64)
    for number, step in steps.items():
        limit = nw.when(nw.col(place) == number).then(nw.lit(float(step.deadline_days))).otherwise(limit)
    return frame.with_columns(_limit=limit).filter(~nw.col("_limit").is_null())


def _right_before(process: Process, key: str) -> list[str]:
    """Where a lead stands whose next mandatory step is this one; nowhere for an optional step."""
    chain = [LEAD, *(step.key for step in process.steps)]
    position = chain.index(key)
    if process.steps[position - 1].optional:
        return []
    start = position - 1
    while start > 0 and process.steps[start - 1].optional:
        start -= 1
    return chain[start:position]


def _years(every: nw.LazyFrame, as_of: pd.Timestamp) -> tuple[int, int]:
    first = collect(every.select(nw.col("at").min()))["at"].iloc[0]
    return (as_of.year if pd.isna(first) else first.year), as_of.year


def _deadline_table(dated: list[Step], counts: pd.DataFrame, overdue: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame({"step": [step.key for step in dated], "deadline_days": [float(step.deadline_days) for step in dated]})
    for part in (counts, overdue):
        table = table.merge(part.astype({"step": "str"}), on="step", how="left", validate="one_to_one")
    whole = ["entries_count", "in_time_count", "untimed_count", "overdue_count"]
    table[[*whole, "_work"]] = table[[*whole, "_work"]].fillna(0)
    share = rate(table["in_time_count"], table["entries_count"])
    table = table.assign(in_time_share=share.share, in_time_low_share=share.low_share, in_time_high_share=share.high_share,
                         mean_work_days=ratio(table["_work"], table["entries_count"])).astype(dict.fromkeys(whole, int))
    return table[["step", "deadline_days", "entries_count", "in_time_count", "in_time_share", "in_time_low_share",
                  "in_time_high_share", "mean_work_days", "untimed_count", "overdue_count"]]
