"""Won, lost or still running: where all leads stand now."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import as_list, collect, with_groups
from funnel_lib.journeys import RUNNING, WON, lead_states
from funnel_lib.rates import rate
from funnel_lib.schema import LOST

_COUNTS = {WON: "won_count", LOST: "lost_count", RUNNING: "running_count"}


def states(process: Process, by: str | list[str] | None = None, returning: bool = False) -> pd.DataFrame:
    """Where the leads stand now, without any window.

    One row is a group (one row for all together). Columns: the group, `leads_count`, `won_count` (the last step is
    reached), `lost_count` (else, the latest event is `lost`), `running_count` (else); they add up. `won_share` of all
    leads and `win_rate_share` = won / (won + lost), each with its 95 % limits: the first counts a running lead as not
    won yet, the second leaves it out, and the truth lies between.
    Raises `MeasureError` without leads, events or described steps.
    """
    groups = as_list(by)
    leads = with_groups(lead_states(process, returning), groups)
    counts = collect(leads.group_by([*groups, "state"]).agg(nw.len().alias("leads")))
    table = counts.pivot_table(index=groups or (lambda row: 0), columns="state", values="leads", aggfunc="sum")
    table = table.reindex(columns=list(_COUNTS)).fillna(0).rename(columns=_COUNTS)
    table = table.reset_index() if groups else table.reindex([0]).fillna(0)
    table = table.rename_axis(columns=None)
    table["leads_count"] = table[list(_COUNTS.values())].sum(axis=1)
    for share, whole in (("won", table["leads_count"]), ("win_rate", table["won_count"] + table["lost_count"])):
        result = rate(table["won_count"], whole)
        table[f"{share}_share"] = result.share
        table[f"{share}_low_share"], table[f"{share}_high_share"] = result.low_share, result.high_share
    table = table.astype(dict.fromkeys(["leads_count", *_COUNTS.values()], int))
    columns = [*groups, "leads_count", *_COUNTS.values(), "won_share", "won_low_share", "won_high_share",
               "win_rate_share", "win_rate_low_share", "win_rate_high_share"]
    return process.tidy(table.sort_values("leads_count", ascending=False, kind="stable")[columns])
