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
    lost = with_groups(_with_last_entries(process, lost), ["reason"]).with_columns(
        _amount=nw.col("expected_amount").fill_null(0.0),
        _timed=nw.when(nw.col("lost_at").is_null()).then(nw.lit(0)).otherwise(nw.lit(1)))
    counts = collect(lost.group_by("last_step", "_timed", "reason").agg(nw.len().alias("lost_count"), nw.col("_amount").sum()))
    return process.tidy(_pareto(process, counts))


def _with_last_entries(process: Process, lost: nw.LazyFrame) -> nw.LazyFrame:
    """Lost leads with `last_step`, the number of the described step entered last (−1: none), and the `reason` of the final
    loss; where several are on one moment, the alphabetically first one.

    Who entered each step once and was lost once shows both at once; only the events of all others are looked through.
    """
    numbers = range(len(process.steps))
    entered = sum((flag(~nw.col(f"first_{number}_at").is_null()) for number in numbers), start=nw.col("lost_entries"))
    again = (nw.col("entries_count") != entered) | (nw.col("lost_entries") != 1)
    lost = lost.with_columns(_again=again, _step=_latest_step({n: nw.col(f"first_{n}_at") for n in numbers}, {}))
    events = recorded_events(process).join(lost.filter(nw.col("_again")).select("lead_id", "lost_at"), on="lead_id", how="inner")
    time, untimed, last = nw.col("entered_at"), nw.col("entered_at").is_null(), {}
    final = (nw.col("step") == LOST) & ((time == nw.col("lost_at")).fill_null(False) | (untimed & nw.col("lost_at").is_null()))
    for number, step in enumerate(process.steps):
        here = nw.col("step") == step.key
        last |= {f"_time_{number}": nw.when(here).then(time), f"_untimed_{number}": flag(here & untimed)}
    looked_up = events.with_columns(**last, _reason=nw.when(final).then(nw.col("reason"))).group_by("lead_id").agg(
        nw.col("_reason").min(), *[nw.col(name).max() for name in last])
    step = _latest_step(*({n: nw.col(f"{name}_{n}") for n in numbers} for name in ("_time", "_untimed")))
    lost = left_join(lost, looked_up.select("lead_id", "_reason", _last=step), "lead_id")
    return lost.with_columns(reason=nw.when(nw.col("_again")).then(nw.col("_reason")).otherwise(nw.col("lost_reason")),
                             last_step=nw.when(nw.col("_again")).then(nw.col("_last")).otherwise(nw.col("_step")))


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
