"""Where and why leads are lost."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, left_join, with_groups
from funnel_lib.journeys import entries, lead_states
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
    leads = lead_states(process, returning).filter(nw.col("state") == LOST)
    events = entries(process, returning)
    losses = events.filter(nw.col("step") == LOST).select("lead_id", "entered_at", "reason")
    # The final loss; where several are on one moment, the alphabetically first reason.
    losses = losses.join(leads.select("lead_id", "lost_at"), on="lead_id", how="inner")
    final = losses.filter((nw.col("entered_at") == nw.col("lost_at")).fill_null(False)
                          | (nw.col("lost_at").is_null() & nw.col("entered_at").is_null()))
    reasons = final.group_by("lead_id").agg(nw.col("reason").min())
    depth = nw.lit(-1)
    for number, step in enumerate(process.steps):
        depth = nw.when(nw.col("step") == step.key).then(nw.lit(number)).otherwise(depth)
    steps = _last_steps(events.with_columns(_depth=depth).filter(nw.col("_depth") >= 0))
    lost = left_join(left_join(leads, reasons, "lead_id"), steps, "lead_id")
    lost = with_groups(lost, ["reason"]).with_columns(
        _depth=nw.col("_depth").fill_null(-1), _amount=nw.col("expected_amount").fill_null(0.0),
        _timed=nw.when(nw.col("lost_at").is_null()).then(nw.lit(0)).otherwise(nw.lit(1)))
    counts = collect(lost.group_by("_depth", "_timed", "reason").agg(nw.len().alias("lost_count"), nw.col("_amount").sum()))
    return process.tidy(_pareto(process, counts))


def _last_steps(steps: nw.LazyFrame) -> nw.LazyFrame:
    """Per lead the number of the step entered last; of the same moment the later step.

    An entry whose time is unknown was passed all the same: a later step without a time is the last one.
    """
    latest = steps.group_by("lead_id").agg(nw.col("entered_at").max().alias("_latest"))
    joined = steps.join(latest, on="lead_id", how="inner")
    last = joined.filter((nw.col("entered_at") == nw.col("_latest")).fill_null(False) | nw.col("entered_at").is_null())
    return last.group_by("lead_id").agg(nw.col("_depth").max())


def _pareto(process: Process, counts: pd.DataFrame) -> pd.DataFrame:
    names = {number: step.key for number, step in enumerate(process.steps)}
    nowhere = np.where(counts["_timed"] == 1, "lead", UNKNOWN_STEP)
    counts = counts.assign(from_step=counts["_depth"].map(names).fillna(pd.Series(nowhere, index=counts.index, dtype="str")))
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
