"""The way of each lead: its stays in the steps, one after the other, from its creation to where it stands now."""

from __future__ import annotations

from datetime import datetime

import narwhals as nw

from funnel_lib.company import Process
from funnel_lib.engine import kept
from funnel_lib.journeys import has_untimed, lead_states, recorded_events
from funnel_lib.periods import elapsed_days
from funnel_lib.schema import LOST, OTHER

LEAD = "lead"
FORWARD, SKIP, RETURN = "forward", "skip", "return"
KINDS = (FORWARD, SKIP, RETURN, LOST, OTHER)
# Number of `other` in `places`; the steps come after it.
OTHER_PLACE = 1
# After every moment observed: where an entry stands whose time is unknown and that nothing known follows.
_AFTER_ALL = datetime(9999, 1, 1)


def places(process: Process) -> list[str]:
    """Where a lead can stand, in the order in which entries of one moment follow each other.

    Before the first step (`lead`), in a step that is not described (`other`), the steps, `lost`, the last step.
    """
    *before, last = [step.key for step in process.steps]
    return [LEAD, OTHER, *before, LOST, last]


def kind_of(process: Process, from_place: str, to_place: str) -> str:
    """What a move is: `forward`, `skip` (a mandatory step is passed over), `return` (back, into the same step again, or
    after a loss), `lost`, or `other` (into or out of a step that is not described)."""
    if to_place == LOST:
        return LOST
    if OTHER in (from_place, to_place):
        return OTHER
    chain = [LEAD, *(step.key for step in process.steps)]
    if from_place == LOST or chain.index(to_place) <= chain.index(from_place):
        return RETURN
    between = process.steps[chain.index(from_place):chain.index(to_place) - 1]
    return SKIP if any(not step.optional for step in between) else FORWARD


def is_kind(process: Process, *kinds: str) -> nw.Expr:
    """Whether the move that ends a stay is one of these kinds; false for a lead that still stands there."""
    known = places(process)
    pairs = [number * len(known) + after for number, here in enumerate(known) for after, there in enumerate(known)
             if after and kind_of(process, here, there) in kinds]
    pair = nw.col("place") * len(known) + nw.col("next_place")
    return pair.is_in(pairs).fill_null(False)


def stays(process: Process, returning: bool = False) -> nw.LazyFrame:
    """One row per stay of a lead, the first one (before any step) from its creation.

    Columns: `lead_id`, `place` (number in `places`), `at` (when it began; missing where the time is unknown),
    `next_place` and `next_at` of the entry that ended it (missing where the lead still stands there), `days` (its length;
    missing where a time is unknown or lies before the lead), `order_at` and `next_order_at` (as `at`, and where that is
    unknown the moment before which it must have been), and of the lead `created_at`, `state`, `won_at`. The same entry
    recorded twice counts once. An entry whose time is unknown stands before the lead's earliest entry into a later step,
    or at the end: it is counted, never timed.
    Raises `MeasureError` without leads, events or described steps.
    """
    return process.remembered(("stays", returning),
                              lambda: _with_days(process, kept(stays_of(process, lead_states(process, returning)))))


def _with_days(process: Process, every: nw.LazyFrame) -> nw.LazyFrame:
    """Only a plan: whoever does not ask for the length of the stays does not pay for it."""
    # The start is no earlier than the lead itself.
    known = (nw.col("at") >= nw.col("created_at")) & (nw.col("next_at") >= nw.col("created_at"))
    every = every.with_columns(days=nw.when(known).then(elapsed_days(nw.col("at"), nw.col("next_at"), every)))
    return every if has_untimed(process) else every.with_columns(order_at=nw.col("at"), next_order_at=nw.col("next_at"))


def stays_of(process: Process, leads: nw.LazyFrame) -> nw.LazyFrame:
    """The stays of some leads of `lead_states`, not kept, without their length.

    In as few bytes as can be: there are more of them than events. `order_at` only where it differs from `at`.
    """
    leads = leads.select("lead_id", "created_at", "state", "won_at")
    created, none, one = nw.col("created_at"), nw.lit(0, dtype=nw.Int16), nw.lit(1, dtype=nw.Int16)
    start = leads.with_columns(place=none, at=created, order_at=created, _turn=none)
    moves = _in_order(process).join(leads, on="lead_id", how="inner").with_columns(_turn=one)
    some_untimed = has_untimed(process)
    turning, timed = ("order_at", ["order_at", "at"]) if some_untimed else ("at", ["at"])
    columns = ["lead_id", "created_at", "state", "won_at", "place", *timed, "_turn"]
    order = ["_turn", turning, "place", *timed[1:]]
    following = {f"next_{name}": nw.col(name).shift(-1).over("lead_id", order_by=order) for name in ("place", *timed)}
    every = nw.concat([start.select(columns), moves.select(columns)]).with_columns(**following).drop("_turn")
    # The same entry recorded twice stands beside itself: cheaper to see here than to look for among all events.
    twice = (nw.col("place") == nw.col("next_place")) & (nw.col(turning) == nw.col(f"next_{turning}"))
    if some_untimed:
        untimed_twice = nw.col("at").is_null() & nw.col("next_at").is_null()
        twice = twice & (untimed_twice | (nw.col("at") == nw.col("next_at")).fill_null(False))
    return every.filter(~twice.fill_null(False))


def _in_order(process: Process) -> nw.LazyFrame:
    """Every entry: `lead_id`, `place`, `at`, and `order_at` by which entries follow each other."""
    numbers = {key: number for number, key in enumerate(places(process)) if number}
    place = nw.lit(numbers[OTHER], dtype=nw.Int16)
    for key, number in numbers.items():
        place = nw.when(nw.col("step") == key).then(nw.lit(number, dtype=nw.Int16)).otherwise(place)
    events = recorded_events(process).with_columns(place=place, at=nw.col("entered_at")).select("lead_id", "place", "at")
    if not has_untimed(process):
        return events.with_columns(order_at=nw.col("at"))
    untimed = events.filter(nw.col("at").is_null())
    timed = events.filter(~nw.col("at").is_null()).with_columns(order_at=nw.col("at"))
    later = timed.select("lead_id", _later=nw.col("place"), _before=nw.col("at"))
    bounds = untimed.join(later, on="lead_id", how="inner").filter(nw.col("_later") > nw.col("place"))
    bounds = bounds.group_by("lead_id", "place").agg(nw.col("_before").min())
    untimed = untimed.join(bounds, on=["lead_id", "place"], how="left")
    end = nw.lit(_AFTER_ALL).cast(nw.Datetime("us"))
    untimed = untimed.with_columns(order_at=nw.when(nw.col("_before").is_null()).then(end).otherwise(nw.col("_before")))
    columns = ["lead_id", "place", "at", "order_at"]
    return nw.concat([timed.select(columns), untimed.select(columns)])
