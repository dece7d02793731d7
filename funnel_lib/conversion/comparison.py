"""Groups compared so that chance is not taken for skill: pooled shares, funnel limits, control of false discoveries."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.cohorts import equal_window_days, needs_column
from funnel_lib.conversion.states import states
from funnel_lib.conversion.steps import step_rates
from funnel_lib.engine import as_list
from funnel_lib.errors import CallError
from funnel_lib.language.messages import message
from funnel_lib.pooling import SIGNIFICANT, funnel_limits, pooled_shares, verdicts_against_the_rest
from funnel_lib.rates import is_few, rate
from funnel_lib.schema import MISSING


def comparison(process: Process, by: str | list[str] = "owner", window_days: float | None = None) -> pd.DataFrame:
    """Win shares of owners, channels or any groups, with what chance alone would do beside them.

    One row is a group. It is counted on leads at least the equal window old (the process's window; without one the age by
    which nine tenths of the wins are in), won within it: running leads are not taken for lost, nothing is projected, and
    the counts are those of independent leads. Where the moments of wins are not known: on decided leads (won + lost), and
    `equal_window_days` is missing. Columns: the group, `leads_count`, `won_count`, `won_share` with its 95 % limits;
    `pooled_share` with its limits (drawn towards the common share, the more the fewer the leads); `common_share`;
    `lower_limit_share` and `upper_limit_share` (between which a group of this size lies in 95 of 100 cases if it is like the
    others); `adjusted_p_value` (exact test against the rest, adjusted for the number of groups); `few` (under 30 leads: not
    tested); `differs` (adjusted value below 0.05); `verdict` (above, below, no_difference, too_few); `equal_window_days`.
    Rows go by pooled share only where a group differs, otherwise by number of leads: there is no ranking then.
    Source: Spiegelhalter 2005; Efron and Morris 1975; Fisher 1935; Benjamini and Hochberg 1995.
    Raises `MeasureError` without leads, events, described steps or this column of the leads; `CallError` without a column.
    """
    groups = as_list(by)
    if not groups:
        raise CallError(message("comparison: by names the column of the leads whose groups are compared, for instance 'owner'"))
    needs_column(process, groups)
    window = equal_window_days(process, window_days)
    table = _followed(process, groups, window) if window is not None else _decided(process, groups)
    table = table[table["leads_count"] > 0].astype({"leads_count": int, "won_count": int})
    return process.tidy(_compared(table, groups, window))


def _followed(process: Process, groups: list[str], window: float) -> pd.DataFrame:
    rates = step_rates(process, by=groups, window_days=window)
    last = rates[rates["step"] == process.steps[-1].key]
    return last[[*groups, "leads_count", "reached_count"]].rename(columns={"reached_count": "won_count"})


def _decided(process: Process, groups: list[str]) -> pd.DataFrame:
    table = states(process, by=groups)
    return table.assign(leads_count=table["won_count"] + table["lost_count"])[[*groups, "leads_count", "won_count"]]


def _compared(table: pd.DataFrame, groups: list[str], window: float | None) -> pd.DataFrame:
    won, leads = table["won_count"].to_numpy(dtype=float), table["leads_count"].to_numpy(dtype=float)
    raw, pooled, common = rate(won, leads), pooled_shares(won, leads), float(rate(won.sum(), leads.sum()).share)
    few = is_few(leads)
    # "(missing)" is nobody's figure: it stands in the table but is not tested.
    tested = ~few & ~table[groups].eq(MISSING).any(axis=1).to_numpy()
    adjusted, verdict = verdicts_against_the_rest(won, leads, tested)
    differs = np.nan_to_num(adjusted, nan=1.0) < SIGNIFICANT
    low, high = funnel_limits(common, leads)
    table = table.assign(
        won_share=raw.share, won_low_share=raw.low_share, won_high_share=raw.high_share, pooled_share=pooled.share,
        pooled_low_share=pooled.low_share, pooled_high_share=pooled.high_share, common_share=common, lower_limit_share=low,
        upper_limit_share=high, adjusted_p_value=adjusted, few=few, differs=differs, verdict=verdict,
        equal_window_days=np.nan if window is None else window)
    order = ["pooled_share", "leads_count", *groups] if differs.any() else ["leads_count", *groups]
    return table.sort_values(order, ascending=[name in groups for name in order])
