"""Where and why leads are lost."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, flag, left_join, with_groups
from funnel_lib.journeys import lead_states, recorded_events
from funnel_lib.rates import rate, ratio
from funnel_lib.schema import LOST

UNKNOWN_STEP = "unknown"


def lost_reasons(process: Process, returning: bool = False) -> pd.DataFrame:
    """Lost leads by the last step they had entered and the reason, the most money first (without money the most frequent).

    One row is step × reason. Columns: `from_step` ("lead" where no step was entered before a loss whose moment is known,
    "unknown" where the moment is not known either), `reason` ("(missing)" where none is given), `lost_count`, `lost_share`
    of all lost leads with its Wilson 95 % limits, `amount` (their expected amounts), `amount_share`, `cumulative_share` (Pareto:
    of the money, without money of the leads).
    Leads lost for a reason of `not_leads` never were leads and are not here.
    Raises `MeasureError` without leads, events or described steps.
    """
    lost = lead_states(process, returning).filter(nw.col("state") == LOST)
    lost = _with_last_step(process, _with_final_reason(process, lost))
    lost = with_groups(lost, ["reason"]).with_columns(
        _amount=nw.col("expected_amount").fill_null(0.0),
        _timed=nw.when(nw.col("lost_at").is_null()).then(nw.lit(0)).otherwise(nw.lit(1)))
    counts = collect(lost.group_by("last_step", "_timed", "reason").agg(nw.len().alias("lost_count"), nw.col("_amount").sum()))
    return process.tidy(_pareto(process, counts))


def _with_final_reason(process: Process, lost: nw.LazyFrame) -> nw.LazyFrame:
    """Lost leads with the `reason` of the final loss; where several are on one moment, the alphabetically first one."""
    again = lost.filter(nw.col("lost_entries") > 1).select("lead_id", "lost_at")
    losses = recorded_events(process).filter(nw.col("step") == LOST).select("lead_id", "entered_at", "reason")
    losses = losses.join(again, on="lead_id", how="inner")
    final = losses.filter((nw.col("entered_at") == nw.col("lost_at")).fill_null(False)
                          | (nw.col("lost_at").is_null() & nw.col("entered_at").is_null()))
    reasons = final.group_by("lead_id").agg(nw.col("reason").min().alias("_final_reason"))
    only_one = nw.col("lost_entries") == 1
    return left_join(lost, reasons, "lead_id").with_columns(
        reason=nw.when(only_one).then(nw.col("lost_reason")).otherwise(nw.col("_final_reason")))


def _with_last_step(process: Process, lost: nw.LazyFrame) -> nw.LazyFrame:
    """Lost leads with `last_step`: the number of the described step entered last (−1: none)."""
    numbers = range(len(process.steps))
    entered = sum((flag(~nw.col(f"first_{number}_at").is_null()) for number in numbers), start=nw.col("lost_entries"))
    # Who entered each step once entered it last when they entered it first; the events of all others are looked through.
    lost = lost.with_columns(_again=flag(nw.col("entries_count") != entered),
                             _simple=_latest_step({n: nw.col(f"first_{n}_at") for n in numbers}, {}))
    again = lost.filter(nw.col("_again") == 1).select("lead_id")
    events = recorded_events(process).join(again, on="lead_id", how="inner")
    times, untimed = {}, {}
    for number, step in enumerate(process.steps):
        here = nw.col("step") == step.key
        times[f"_time_{number}"] = nw.when(here).then(nw.col("entered_at"))
        untimed[f"_untimed_{number}"] = flag(here & nw.col("entered_at").is_null())
    latest = events.with_columns(**times, **untimed).group_by("lead_id").agg(*[nw.col(name).max() for name in (*times, *untimed)])
    last = _latest_step(*({n: nw.col(f"{name}_{n}") for n in numbers} for name in ("_time", "_untimed")))
    lost = left_join(lost, latest.select("lead_id", _looked_up=last), "lead_id")
    return lost.with_columns(last_step=nw.when(nw.col("_again") == 1).then(nw.col("_looked_up")).otherwise(nw.col("_simple")))


def _latest_step(times: dict[int, nw.Expr], untimed: dict[int, nw.Expr]) -> nw.Expr:
    """Of entries at one moment the later step. An entry whose time is unknown was passed all the same: a later step without a
    time is the last one."""
    latest, last = nw.max_horizontal(*times.values()), nw.lit(-1, dtype=nw.Int16)
    for number, time in times.items():
        here = (time == latest).fill_null(False)
        here = here | (untimed[number] == 1).fill_null(False) if number in untimed else here
        last = nw.when(here).then(nw.lit(number, dtype=nw.Int16)).otherwise(last)
    return last


def _pareto(process: Process, counts: pd.DataFrame) -> pd.DataFrame:
    names = {number: step.key for number, step in enumerate(process.steps)}
    nowhere = np.where(counts["_timed"] == 1, "lead", UNKNOWN_STEP)
    counts = counts.assign(from_step=counts["last_step"].map(names).fillna(pd.Series(nowhere, index=counts.index, dtype="str")))
    table = counts.groupby(["from_step", "reason"], as_index=False)[["lost_count", "_amount"]].sum()
    has_money = process.has("leads", "expected_amount") and bool(table["_amount"].sum() > 0)
    first, second = ("_amount", "lost_count") if has_money else ("lost_count", "_amount")
    table = table.sort_values([first, second, "from_step", "reason"], ascending=[False, False, True, True])
    table["lost_count"] = table["lost_count"].astype(int)
    whole = int(table["lost_count"].sum())
    share = rate(table["lost_count"], np.full(len(table), whole))
    table["lost_share"], table["lost_low_share"], table["lost_high_share"] = share.share, share.low_share, share.high_share
    table["cumulative_share"] = ratio(table[first].cumsum(), table[first].sum())
    table["amount"] = table["_amount"] / process.minor_units if has_money else np.nan
    table["amount_share"] = ratio(table["amount"], table["amount"].sum())
    return table[["from_step", "reason", "lost_count", "lost_share", "lost_low_share", "lost_high_share",
                  "amount", "amount_share", "cumulative_share"]]
