"""The flow of leads over time: what of its ups and downs is a signal, and how it is spread over the week."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import as_list
from funnel_lib.lead_flow.counts import lead_counts
from funnel_lib.limits import OUTSIDE, RUN_LENGTH, process_limits, signals
from funnel_lib.periods import period_starts
from funnel_lib.rates import poisson_limits, rate, ratio
from funnel_lib.working_time import WEEK

LIMITS = ["mean_count", "lower_limit_count", "upper_limit_count", "signal"]
PROFILE = ["weekday", "leads_count", "days_count", "leads_per_day", "leads_low_per_day", "leads_high_per_day", "leads_share",
           "leads_low_share", "leads_high_share"]
# Rarer leads than one per period make no limits: most periods are empty, and every lead would be a signal.
RAREST = 1.0
# Fewer leads than this expected on a weekday: a chi-square says nothing.
FEWEST_EXPECTED = 5


def flow_limits(process: Process, by: str | list[str] | None = None, per: str = "week") -> pd.DataFrame:
    """New leads of each period with process limits: what is a signal, and what is noise.

    One row is a period (× group), as in `lead_counts`. Columns: `period_start`, the group, `leads_count`, `complete`;
    `mean_count` of the group's complete periods and `lower_limit_count`, `upper_limit_count` = mean ± 2.66 × mean moving
    range, not below 0 (missing with fewer than 12 complete periods, or fewer than one lead per period on average); `signal`:
    outside_limits, run_of_eight (8 or more in a row on one side of the mean), noise, or empty where there are no limits or
    the period is not complete. By day the rhythm of the week itself gives signals. Works from `counts` too.
    Source: Shewhart 1931; Wheeler and Chambers 1992. Raises what `lead_counts` raises.

    >>> sales = Process.from_tables("x", as_of="2026-04-06", leads=pd.DataFrame({
    ...     "lead_id": [str(n) for n in range(13)], "created_at": pd.date_range("2026-01-05", periods=13, freq="7D")}))
    >>> limits = flow_limits(sales)
    >>> limits["upper_limit_count"].unique().tolist(), limits["signal"].unique().tolist()
    ([1.0], ['noise'])
    """
    groups = as_list(by)
    counts = lead_counts(process, by, per)
    if counts.empty:
        return process.tidy(counts.reindex(columns=[*counts.columns, *LIMITS]))
    parts = [part for _, part in counts.groupby(groups, sort=False)] if groups else [counts]
    return process.tidy(pd.concat([_limited(part) for part in parts]).sort_index())


def _limited(part: pd.DataFrame) -> pd.DataFrame:
    """The periods of one group with their limits; unfinished ones are compared with nothing."""
    values = part["leads_count"].astype(float).where(part["complete"].astype(bool))
    limits = process_limits(values if values.mean() >= RAREST else [])
    return part.assign(mean_count=limits.mean, lower_limit_count=limits.low, upper_limit_count=limits.high,
                       signal=signals(values, limits))


def level_runs(table: pd.DataFrame) -> pd.DataFrame:
    """Stretches of 8 or more complete periods in a row on one side of the usual level, in the order of time.

    The usual level is the mean of the periods inside the limits: one great surge lifts the mean of all, and every other period
    would then seem to lie low. `table` is `flow_limits(process)` without groups. One row is a stretch. Columns: `first` and
    `last` (starts of its first and last period), `periods_count`, `side` (1 above that level, −1 below), `leads_count`, and
    `is_latest` (it reaches the last complete period).
    """
    known = table[table["complete"].astype(bool) & table["mean_count"].notna()].reset_index(drop=True)
    distance = known["leads_count"] - known.loc[known["signal"] != OUTSIDE, "leads_count"].mean()
    side = pd.Series(np.where(np.isclose(distance, 0, atol=1e-9), 0, np.sign(distance)), index=known.index, dtype=int)
    stretch = side.ne(side.shift()).cumsum()
    rows = known.assign(side=side, stretch=stretch).groupby("stretch").agg(
        first=("period_start", "first"), last=("period_start", "last"), periods_count=("side", "size"), side=("side", "first"),
        leads_count=("leads_count", "sum"))
    rows["is_latest"] = rows["last"] == known["period_start"].max()
    return rows[(rows["side"] != 0) & (rows["periods_count"] >= RUN_LENGTH)].reset_index(drop=True)


def weekday_profile(process: Process) -> pd.DataFrame:
    """New leads by the day of the week on which they came.

    One row is a weekday, Monday first; only weeks observed from Monday to Sunday count, so that no weekday is favoured.
    Columns: `weekday` (mon … sun), `leads_count`, `days_count` (how many such days were observed), `leads_per_day` with its
    95 % Poisson limits `leads_low_per_day` and `leads_high_per_day` (leads that come in crowds vary more than that),
    `leads_share` of all leads of these weeks with its limits. Rates are missing where no whole week was observed.
    Source: Garwood 1936 (limits). Raises what `lead_counts` raises; counts given for longer periods than a day have no
    weekdays.
    """
    days = days_of_whole_weeks(process)
    counts = days.groupby("weekday")["leads_count"].agg(["sum", "size"]).reindex(range(len(WEEK)), fill_value=0)
    leads, number = counts["sum"].to_numpy(dtype=float), counts["size"].to_numpy(dtype=float)
    low, high = np.array([poisson_limits(count) for count in leads]).T
    share = rate(leads, np.full(len(leads), leads.sum()))
    table = pd.DataFrame({
        "weekday": WEEK, "leads_count": leads.astype(int), "days_count": number.astype(int),
        "leads_per_day": ratio(leads, number), "leads_low_per_day": ratio(low, number), "leads_high_per_day": ratio(high, number),
        "leads_share": share.share, "leads_low_share": share.low_share, "leads_high_share": share.high_share})
    return process.tidy(table[PROFILE])


def days_of_whole_weeks(process: Process) -> pd.DataFrame:
    """Leads per day of the weeks observed from Monday to Sunday: `week`, `weekday` (0 is Monday), `leads_count`."""
    days = lead_counts(process, by=None, per="day")
    days = days[days["complete"].astype(bool)] if len(days) else days.astype({"period_start": "datetime64[us]"})
    days = days.assign(week=period_starts(days["period_start"], "week"), weekday=days["period_start"].dt.day_of_week)
    whole = days.groupby("week")["weekday"].transform("size") == len(WEEK)
    return days.loc[whole, ["week", "weekday", "leads_count"]]


def weekday_p_value(process: Process) -> float:
    """How likely so uneven a week is if all weekdays are alike: chi-square against even days, 6 degrees of freedom.

    Divided by the dispersion of the days around their weekday and week where it is above 1: leads that come in crowds would
    otherwise look like a rhythm. NaN with fewer than two whole weeks, or fewer than 5 leads expected on each weekday.
    Source: Pearson 1900; McCullagh and Nelder 1989, section 6.2.3 (dispersion).
    """
    from scipy.special import chdtrc  # loaded here: scipy is slow to import

    wide = days_of_whole_weeks(process).pivot(index="week", columns="weekday", values="leads_count").to_numpy(dtype=float)
    expected_each = float(ratio(wide.sum(), len(WEEK)))
    if len(wide) < 2 or expected_each < FEWEST_EXPECTED:
        return float("nan")
    expected = ratio(np.outer(wide.sum(axis=1), wide.sum(axis=0)), wide.sum())
    scatter = float(np.nansum(ratio((wide - expected) ** 2, expected)))
    dispersion = max(1.0, float(ratio(scatter, (len(wide) - 1) * (len(WEEK) - 1))))
    uneven = float(ratio(((wide.sum(axis=0) - expected_each) ** 2).sum(), expected_each))
    return float(chdtrc(len(WEEK) - 1, ratio(uneven, dispersion)))
