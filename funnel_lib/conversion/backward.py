"""Moves back through the steps, counted without following every lead."""

from __future__ import annotations

import narwhals as nw

from funnel_lib.company import Process
from funnel_lib.conversion.stays import RETURN, is_kind, stays_of
from funnel_lib.engine import collect, flag
from funnel_lib.journeys import has_untimed, lead_states
from funnel_lib.schema import LOST


def moves_back(process: Process, returning: bool = False) -> int:
    """How many moves went back: into an earlier or the same step again, or into any step after a loss.

    The moves of kind `return` of `transitions`, found among the leads whose entries are not all different and in order: the
    others have none, and they are most. Raises `MeasureError` without leads, events or described steps.
    """
    leads = lead_states(process, returning)
    # An entry without a time may stand anywhere.
    suspects = leads if has_untimed(process) else leads.filter(_may_have_gone_back(process))
    moves = stays_of(process, suspects).filter(is_kind(process, RETURN))
    return int(collect(moves.select(nw.len().alias("moves")))["moves"].iloc[0])


def _may_have_gone_back(process: Process) -> nw.Expr:
    firsts = [f"first_{number}_at" for number in range(len(process.steps))]
    visited = sum((flag(~nw.col(name).is_null()) for name in firsts), nw.lit(0))
    again = nw.col("entries_count") - nw.col("lost_entries") > visited
    given_up_before = nw.col("lost_entries") > flag(nw.col("state") == LOST)
    suspect = again.fill_null(False) | given_up_before.fill_null(False)
    for number, name in enumerate(firsts[1:], 1):
        before = nw.max_horizontal(*firsts[:number])
        suspect = suspect | (nw.col(name) < before).fill_null(False)
    return suspect
