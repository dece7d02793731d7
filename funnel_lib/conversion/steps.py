"""The funnel: how many leads reach each step, under one of three meanings of "reached"."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.description import Step
from funnel_lib.engine import as_list, collect, left_join, with_groups
from funnel_lib.errors import CallError, MeasureError, nearest
from funnel_lib.journeys import entries, lead_states
from funnel_lib.language.messages import message
from funnel_lib.periods import duration
from funnel_lib.rates import rate

MODES = ("reached", "visited", "ordered")
COLUMNS = ["step", "optional", "leads_count", "base_count", "reached_count", "step_share", "step_low_share",
           "step_high_share", "overall_share", "overall_low_share", "overall_high_share", "amount", "too_young_count",
           "left_out_count"]


def step_rates(process: Process, by: str | list[str] | None = None, mode: str = "reached",
               window_days: float | None = None, returning: bool = False) -> pd.DataFrame:
    """How many leads reach each step of the funnel, of the step before and of all.

    One row is a step (of a group). `mode`: "reached" entered this or any later step; "visited" entered this very step
    (base: all leads); "ordered" the first entry not before the entry chosen for the step before. Only leads at least
    `window_days` old count, and only entries within that time of their creation; None takes the process's
    `conversion_window_days`, and if that is not set there is no window. Under a window, leads created before
    `observed_from` are left out: what became of them was not recorded from the start.
    Columns: the group, `step`, `optional` (a side row: visited of those who reached the mandatory step before),
    `leads_count` (old enough), `base_count`, `reached_count`, `step_share` = reached / base and `overall_share` = reached
    / leads, each with its Wilson 95 % limits, `amount` (expected amounts of the leads that reached the step),
    `too_young_count` (leads younger than the window) and `left_out_count` (created before `observed_from`).
    Where there is no list of leads the rows come from `counts` (step `lead` is the base of all).
    Raises `MeasureError` without leads and counts, events or described steps; `CallError` for another mode or window.
    """
    if mode not in MODES:
        raise CallError(message("mode={mode!r}: expected one of {known}.{nearest}", mode=mode, known=", ".join(MODES),
                                nearest=nearest(mode, MODES)))
    if window_days is not None and (isinstance(window_days, str | bool) or not window_days > 0):
        raise CallError(message("window_days={window_days!r}: expected a number of days above 0, or None for the process's own",
                                window_days=window_days))
    groups = as_list(by)
    if not process.has("leads") and process.has("counts"):
        if returning:
            raise MeasureError(message("{process}: counts are anonymous; who returns is known only from a list of leads",
                                       process=process.name))
        return _of_counts(process, groups)
    window = process.settings.conversion_window_days if window_days is None else window_days
    sums = process.remembered(("step_sums", repr(groups), mode, window, returning),
                              lambda: _sums(process, _flags(process, groups, mode, window, returning), groups))
    return process.tidy(_table(process, sums, groups, mode))


def _flags(process: Process, groups: list[str], mode: str, window: float | None, returning: bool) -> nw.LazyFrame:
    """The leads with 1 or 0 for each step, by the mode's way of counting."""
    leads = with_groups(_with_eligibility(process, lead_states(process, returning), window), groups)
    if mode == "ordered":
        return _ordered(process, leads, _within(entries(process, returning), window))
    return _reached(process, leads, window, mode)


def _with_eligibility(process: Process, leads: nw.LazyFrame, window: float | None) -> nw.LazyFrame:
    """1 or 0 per lead: `_counts` (in the rates), `_young` (younger than the window), `_early` (before observation)."""
    one, none = nw.lit(1), nw.lit(0)
    if window is None:
        return leads.with_columns(_counts=one, _young=none, _early=none)
    young = nw.col("created_at") > (process.needs_as_of() - pd.Timedelta(days=window)).to_pydatetime()
    early = nw.col("created_at") < process.observed_from.to_pydatetime()
    return leads.with_columns(_early=nw.when(early).then(one).otherwise(none),
                              _young=nw.when(young & ~early).then(one).otherwise(none),
                              _counts=nw.when(young | early).then(none).otherwise(one))


def _within(events: nw.LazyFrame, window: float | None) -> nw.LazyFrame:
    """Entries within the window; an entry whose time is unknown is known to have happened."""
    if window is None:
        return events
    return events.filter((nw.col("age_days") <= window) | nw.col("age_days").is_null())


def _chain_positions(steps: list[Step]) -> dict[str, int]:
    """Step → how many mandatory steps it shows to be reached, itself included."""
    positions, mandatory = {}, 0
    for step in steps:
        mandatory += not step.optional
        positions[step.key] = mandatory
    return positions


def _reached(process: Process, leads: nw.LazyFrame, window: float | None, mode: str) -> nw.LazyFrame:
    """Per lead 1 or 0 for each step, in the columns `_reached_0`, `_reached_1`, …; from the first entry into each step."""
    positions = _chain_positions(process.steps)
    visited = [_visited(number, window) for number in range(len(process.steps))]
    flags = {}
    for number, step in enumerate(process.steps):
        shown_by = [number] if step.optional or mode == "visited" else [
            other for other, later in enumerate(process.steps) if positions[later.key] >= positions[step.key]]
        there = visited[shown_by[0]]
        for other in shown_by[1:]:
            there = there | visited[other]
        flags[f"_reached_{number}"] = nw.when(there).then(nw.lit(1)).otherwise(nw.lit(0))
    return leads.with_columns(**flags)


def _visited(number: int, window: float | None) -> nw.Expr:
    """Whether the step was entered within the window; an entry whose time is unknown is known to have happened."""
    first, untimed = nw.col(f"first_{number}_at"), (nw.col(f"untimed_{number}") == 1).fill_null(False)
    if window is None:
        return ~first.is_null() | untimed
    return (first <= nw.col("created_at").dt.offset_by(duration(window))).fill_null(False) | untimed


def _ordered(process: Process, leads: nw.LazyFrame, events: nw.LazyFrame) -> nw.LazyFrame:
    """As `_reached`, greedy in time: each step's first entry not before the one chosen for the mandatory step before.

    An entry whose time is unknown has no place in an order and does not count here.
    """
    timed = events.filter(~nw.col("entered_at").is_null()).select("lead_id", "step", "entered_at")
    chosen, before = leads, None
    for number, step in enumerate(process.steps):
        later = timed.filter(nw.col("step") == step.key)
        if before is not None:
            later = later.join(chosen.select("lead_id", before).filter(~nw.col(before).is_null()), on="lead_id", how="inner")
            later = later.filter(nw.col("entered_at") >= nw.col(before))
        first = later.group_by("lead_id").agg(nw.col("entered_at").min().alias(f"_time_{number}"))
        chosen = left_join(chosen, first, "lead_id")
        if not step.optional:
            before = f"_time_{number}"
    flags = {f"_reached_{number}": nw.when(nw.col(f"_time_{number}").is_null()).then(nw.lit(0)).otherwise(nw.lit(1))
             for number in range(len(process.steps))}
    return chosen.with_columns(**flags)


def _sums(process: Process, flags: nw.LazyFrame, groups: list[str]) -> pd.DataFrame:
    """Per group the number of leads and their money at each step; one row of zeros where there is no lead."""
    numbers = range(len(process.steps))
    counts, money = nw.col("_counts"), nw.col("expected_amount").fill_null(0.0)
    frame = flags.with_columns(**{f"_reached_{n}": counts * nw.col(f"_reached_{n}") for n in numbers})
    frame = frame.with_columns(**{f"_amount_{n}": money * nw.col(f"_reached_{n}") for n in numbers})
    columns = ["_counts", "_young", "_early", *(f"_reached_{n}" for n in numbers), *(f"_amount_{n}" for n in numbers)]
    if groups:
        return collect(frame.group_by(groups).agg(*[nw.col(name).sum() for name in columns]))
    return collect(frame.select(*[nw.col(name).sum() for name in columns])).fillna(0)


def _table(process: Process, sums: pd.DataFrame, groups: list[str], mode: str) -> pd.DataFrame:
    """The sums as one row per group and step, largest group first."""
    sums = sums.sort_values(["_counts", *groups], ascending=[False] + [True] * len(groups))
    has_money = process.has("leads", "expected_amount")
    rows, base = [], sums["_counts"]
    for number, step in enumerate(process.steps):
        reached = sums[f"_reached_{number}"]
        row = sums[groups].assign(
            step=step.key, optional=step.optional, leads_count=sums["_counts"],
            base_count=sums["_counts"] if mode == "visited" else base, reached_count=reached,
            amount=sums[f"_amount_{number}"] / process.minor_units if has_money else np.nan,
            too_young_count=sums["_young"], left_out_count=sums["_early"], _order=range(len(sums)))
        rows.append(row)
        if not step.optional:
            base = reached
    table = pd.concat(rows).sort_values("_order", kind="stable")
    return _with_shares(table)[[*groups, *COLUMNS]]


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    table = table.astype(dict.fromkeys([name for name in COLUMNS if name.endswith("_count")], int))
    for name, whole in (("step", "base_count"), ("overall", "leads_count")):
        result = rate(table["reached_count"], table[whole])
        table[f"{name}_share"], table[f"{name}_low_share"] = result.share, result.low_share
        table[f"{name}_high_share"] = result.high_share
    return table


def _of_counts(process: Process, groups: list[str]) -> pd.DataFrame:
    """Step rates from anonymous counts: each step's own count of the one before, no window."""
    known = {"channel"}
    if set(groups) - known:
        raise MeasureError(message("{process}: counts can be split by channel only, not by {group}", process=process.name,
                                   group=sorted(set(groups) - known)[0]))
    frame = with_groups(process.table("counts"), groups)
    counts = collect(frame.group_by([*groups, "step"]).agg(nw.col("count").sum().alias("rows_count")))
    table = counts.pivot_table(index=groups or (lambda row: 0), columns="step", values="rows_count", aggfunc="sum")
    steps = ["lead", *(step.key for step in process.steps)]
    table = table.reindex(columns=steps).fillna(0).rename(
        columns={"lead": "_counts", **{step.key: f"_reached_{number}" for number, step in enumerate(process.steps)}})
    table = table.reset_index() if groups else table.reset_index(drop=True)
    for number in range(len(process.steps)):
        table[f"_amount_{number}"] = np.nan
    return process.tidy(_table(process, table.assign(_young=0, _early=0), groups, "reached"))
