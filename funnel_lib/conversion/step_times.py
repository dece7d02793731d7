"""How long each step of the funnel takes: from the entry into a step to the next one, loss competing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.curves import MIN_AT_RISK, _each_group, curve_of, horizon_of, quartiles_of
from funnel_lib.conversion.stays import LEAD
from funnel_lib.engine import as_list, collect, with_groups
from funnel_lib.errors import MeasureError
from funnel_lib.journeys import RUNNING, WON, lead_states
from funnel_lib.language.messages import message
from funnel_lib.periods import elapsed_days
from funnel_lib.schema import LOST
from funnel_lib.survival import Curve

_UNTIMED = "untimed"


def step_curves(process: Process, by: str | list[str] | None = None, returning: bool = False) -> pd.DataFrame:
    """What share of the leads has gone from each step to the next by each age in the step.

    One row is a move from one mandatory step to the next (of a group) × a whole day since the first entry into the step, or
    since the lead's creation. Columns: the group, `from_step` ("lead": the creation), `to_step`, `age_days`,
    `reached_share` (cumulative incidence of an entry into the next step or a later one, with *lost* competing and *running*
    censored) with its pointwise 95 % limits, `lost_share`, `running_share`, `at_risk_count`.
    Leads that passed the step over, that were created before `observed_from`, or whose next entry has no known moment are not
    in it. Raises `MeasureError` where no entry with a known moment is recorded. Source: Aalen and Johansen 1978.
    """
    groups, tables = as_list(by), []
    for names, group, _, curve in _moves(process, groups, returning):
        low, high = curve.limits()
        tables.append(pd.DataFrame({
            **group, **names, "age_days": np.arange(curve.last_day + 1), "reached_share": curve.event_share,
            "reached_low_share": low, "reached_high_share": high, "lost_share": curve.competing_share,
            "running_share": curve.still_share, "at_risk_count": curve.at_risk_count.astype(int)}))
    return process.tidy(pd.concat(tables))


def step_times(process: Process, by: str | list[str] | None = None, returning: bool = False) -> pd.DataFrame:
    """How long it takes to go from each step to the next, and what share does.

    One row is a move from one mandatory step to the next (of a group). Columns: the group, `from_step` ("lead": the creation),
    `to_step`, `leads_count` (entered the step at a known moment), `reached_count`, `lost_count`, `running_count`,
    `reached_share` by the horizon with its 95 % limits (running leads treated as not yet known), `quarter_days`,
    `median_days`, `three_quarters_days` of those who go on (missing where fewer than 10 entered the step), `horizon_days` (that
    of the eventual conversion, or the last age in the step with 10 leads at risk), `untimed_count` (went on or were lost at
    an unknown moment: left out). Leads that passed the step over are not in it, so the shares differ from those of `step_rates`.
    Raises `MeasureError` as `step_curves`.
    """
    groups, rows = as_list(by), []
    for names, group, part, curve in _moves(process, groups, returning):
        timed = part[part["state"] != _UNTIMED]
        horizon = _horizon(process, curve)
        low, high = curve.limits()
        at = min(horizon, curve.last_day)
        sums = part.groupby("state")["leads"].sum()
        rows.append({
            **group, **names, "leads_count": int(timed["leads"].sum()),
            **{f"{word}_count": int(sums.get(state, 0))
               for word, state in (("reached", WON), ("lost", LOST), ("running", RUNNING))},
            "reached_share": float(curve.at(horizon)), "reached_low_share": float(low[at]),
            "reached_high_share": float(high[at]), **quartiles_of(timed, curve, horizon), "horizon_days": horizon,
            "untimed_count": int(sums.get(_UNTIMED, 0))})
    quartiles = ["quarter_days", "median_days", "three_quarters_days"]
    return process.tidy(pd.DataFrame(rows).astype(dict.fromkeys(quartiles, float)))


def _horizon(process: Process, curve: Curve) -> int:
    followed = np.flatnonzero(curve.at_risk_count >= MIN_AT_RISK)
    return min(horizon_of(process, curve), int(followed[-1]) if len(followed) else curve.last_day)


def _moves(process: Process, groups: list[str], returning: bool) -> Iterator[tuple[dict, dict, pd.DataFrame, Curve]]:
    """(names of the move, group, its grouped counts, its curve) for each mandatory step and the one before."""
    process.needs_as_of()
    leads, found = with_groups(lead_states(process, returning), groups), False
    if process.observed_from is not None:
        leads = leads.filter(nw.col("created_at") >= process.observed_from.to_pydatetime())
    chain = [None, *(number for number, step in enumerate(process.steps) if not step.optional)]
    for here, there in pairwise(chain):
        names = {"from_step": LEAD if here is None else process.steps[here].key, "to_step": process.steps[there].key}
        key = ("step_times", tuple(groups), returning, there)
        counts = process.remembered(key, lambda here=here, there=there: _counts(process, leads, groups, here, there))
        for group, part in _each_group(counts, groups):
            if (part["state"] != _UNTIMED).any():
                found = True
                yield names, group, part, curve_of(part)
    if not found:
        raise MeasureError(message("{process}: no lead has entered a step at a known moment; the time from step to step needs "
                                   "entered_at", process=process.name))


def _counts(process: Process, leads: nw.LazyFrame, groups: list[str], here: int | None, there: int) -> pd.DataFrame:
    """Leads per group, what became of them after entering `here`, and the whole days until then: as `outcome_counts`."""
    created = nw.col("created_at")
    first = created if here is None else nw.col(f"first_{here}_at")
    start = nw.when(first < created).then(created).otherwise(first)
    reached, untimed = nw.lit(None, dtype=nw.Datetime("us")), nw.lit(False)
    for later in range(there, len(process.steps)):
        # An optional step before the next mandatory one shows nothing of it.
        entered = nw.when(nw.col(f"first_{later}_at") >= nw.col("_start")).then(nw.col(f"first_{later}_at"))
        reached = nw.when(reached.is_null() | (entered < reached).fill_null(False)).then(entered).otherwise(reached)
        untimed = untimed | (nw.col(f"untimed_{later}") == 1).fill_null(False)
    leads = leads.with_columns(_start=start).filter(~nw.col("_start").is_null())
    leads = leads.with_columns(_reached=reached, _untimed=untimed)
    known = ~nw.col("_reached").is_null()
    lost = nw.col("state") == LOST
    unknown = nw.col("_untimed") | (lost & nw.col("lost_at").is_null()) | (nw.col("state") == WON)
    state = nw.when(known).then(nw.lit(WON)).otherwise(nw.when(unknown).then(nw.lit(_UNTIMED)).otherwise(nw.col("state")))
    now = nw.lit(process.as_of.to_pydatetime()).cast(nw.Datetime("us"))
    end = nw.when(known).then(nw.col("_reached")).otherwise(nw.when(lost).then(nw.col("lost_at")).otherwise(now))
    leads = leads.select(*groups, "_start", _end=end, state=state)
    leads = leads.with_columns(day=elapsed_days(nw.col("_start"), nw.col("_end"), leads).floor())
    counts = collect(leads.group_by([*groups, "state", "day"]).agg(nw.len().alias("leads")))
    counts.loc[counts["state"] == _UNTIMED, "day"] = np.nan
    return counts.sort_values([*groups, "state", "day"], ignore_index=True)
