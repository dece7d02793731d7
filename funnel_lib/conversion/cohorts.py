"""Leads by the day of their creation, all followed equally long: what trends and comparisons of periods rest on."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.curves import curve_of, horizon_of, outcome_counts
from funnel_lib.conversion.steps import _reached, _with_eligibility
from funnel_lib.engine import TRUNCATED, collect, with_groups
from funnel_lib.errors import MeasureError
from funnel_lib.journeys import RUNNING, WON, lead_states
from funnel_lib.language.messages import message
from funnel_lib.survival import first_day_reaching

# Where a process has no window, leads are compared at the age by which this share of the wins is in.
MOST_WINS = 0.9


def equal_window_days(process: Process, window_days: float | None = None) -> float | None:
    """How long every lead is followed when groups or periods are compared, in days.

    As given, else the process's `conversion_window_days`, else the age by which nine tenths of the wins up to the horizon
    are in. None where nobody has won or the moments of the wins are not known.
    """
    chosen = process.settings.conversion_window_days if window_days is None else window_days
    return chosen if chosen is not None else _win_age(process, MOST_WINS)


def half_win_days(process: Process) -> float | None:
    """The age by which half of the wins up to the horizon are in; None as above."""
    return _win_age(process, 0.5)


def _win_age(process: Process, share: float) -> float | None:
    if process.as_of is None:
        return None
    counts = outcome_counts(process, [])
    wins = counts[counts["state"] == WON]
    decided = counts[counts["state"] != RUNNING]
    if not wins["leads"].sum() > 0 or decided.loc[decided["day"].isna(), "leads"].sum() * 2 > decided["leads"].sum():
        return None
    curve = curve_of(counts)
    day = first_day_reaching(curve, share * float(curve.at(horizon_of(process, curve))))
    return None if day is None else float(max(day, 1))


def counts_by_day(process: Process, groups: list[str], window_days: float | None,
                  leads: nw.LazyFrame | None = None) -> pd.DataFrame:
    """New leads at least `window_days` old per group and day of creation, and how many reached each step within it.

    Columns: the groups, `day`, `leads`, `reached_0`, `reached_1`, … in the order of the steps (an optional step counts
    visits). With a window only leads created since `observed_from` count. `leads` are those of `lead_states`, where groups are
    wanted that the source has not.
    """
    leads = with_groups(_with_eligibility(process, lead_states(process) if leads is None else leads, window_days), groups)
    flags = _reached(process, leads, window_days, "reached")
    names = {f"_reached_{number}": f"reached_{number}" for number in range(len(process.steps))}
    flags = flags.filter(nw.col("_counts") == 1).with_columns(day=nw.col("created_at").dt.truncate("1d"))
    days = flags.group_by([*groups, "day"]).agg(nw.len().alias("leads"), *[nw.col(name).sum() for name in names])
    return collect(days).rename(columns=names).sort_values([*groups, "day"], ignore_index=True)


def needs_column(process: Process, columns: list[str]) -> None:
    """Raises `MeasureError` where the leads do not have these columns."""
    for column in columns:
        if column not in TRUNCATED and not process.has("leads", column):
            raise MeasureError(message("{process}: needs the column {column!r} of 'leads' (to compare groups by it)",
                                       process=process.name, column=column))
