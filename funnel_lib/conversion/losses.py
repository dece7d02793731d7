"""Where and why leads are lost."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, left_join, with_groups
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
    lost = _with_final_reason(process, lead_states(process, returning).filter(nw.col("state") == LOST))
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
