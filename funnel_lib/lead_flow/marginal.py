"""What one more customer cost when a channel's spending rose: the margin, beside the mean."""

from __future__ import annotations

from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect
from funnel_lib.lead_flow.costs import NOT_ALLOCATED
from funnel_lib.lead_flow.counts import finest_period, lead_counts
from funnel_lib.lead_flow.pooled import channel_customers
from funnel_lib.periods import PERIODS, next_period_start, period_starts
from funnel_lib.pooling import NO_DIFFERENCE, SIGNIFICANT, adjusted_p_values
from funnel_lib.rates import Z_95, ratio

DEARER, CHEAPER, CANNOT_TELL = "dearer", "cheaper", "cannot_tell"
LEAST_PERIODS = 12
WEEK_DAYS = 7
# Spending whose typical deviation is below this share of its mean was never varied.
LEAST_VARIATION = 0.05
# Median days between two payments: up to a week they can be set against weeks, up to a month against months.
LONGEST_GAPS = {"week": 7, "month": 31}
PER_MONEY = 1_000
# Width of a 95 % interval in standard errors.
WIDTH_95 = 2 * Z_95
COLUMNS = ["channel", "per", "periods_count", "spend_per_week_amount", "leads_per_week", "extra_leads_per_thousand",
           "extra_low_leads_per_thousand", "extra_high_leads_per_thousand", "mean_leads_per_thousand", "pooled_won_share",
           "extra_cost_per_customer_amount", "extra_cost_per_customer_low_amount", "extra_cost_per_customer_high_amount",
           "mean_cost_per_customer_amount", "adjusted_p_value", "verdict", "reason"]


class Slope(NamedTuple):
    """Extra leads per unit of money, its standard error, and the degrees of freedom behind it."""

    value: float
    error: float
    freedom: int


def marginal_cost(process: Process) -> pd.DataFrame:
    """What one more lead and customer cost when the channel's spending rose, beside what they cost on average.

    One row is a channel with spend for lead generation, the dearest first. Columns: `per` (week, or month where the channel is
    paid about once a month), `periods_count` (complete ones from its first payment to the last payment of any channel),
    `spend_per_week_amount`, `leads_per_week`; `extra_leads_per_thousand`: leads that came with 1,000 more of money, with its
    95 % limits; `mean_leads_per_thousand`: leads per 1,000 of money on average; `pooled_won_share`: share of the channel's
    leads that become customers (`channel_customers`); `extra_cost_per_customer_amount` with limits (1 / (extra leads per money
    × share); the upper limit is missing where the cost cannot be bounded, all are where no more leads came with more money);
    `mean_cost_per_customer_amount`: spend / (leads × share) of the same periods, without labour; `adjusted_p_value` of the
    difference of extra and mean leads per money, adjusted for the number of channels; `verdict`: dearer or cheaper than on
    average, no_difference (and the extra cost is bounded), or cannot_tell with its `reason`: undated_spend, rare_spend (paid
    less than once a month), coarse_leads (leads are counted for longer periods), few_periods (under 12), steady_spend (never
    varied), no_leads, lost_in_noise (the data allow no extra lead at all as well as the mean), money_follows_leads (seen the
    other way round, a lead more costs what a lead costs on average: money paid per lead looks so too, dearer or not).

    How: changes from one period to the next of leads on those of spend, least squares. Levels would take a common trend or
    season for an effect; changes do not, at the price of wider limits. The error allows for unequal variances (HC3) and for the
    neighbouring changes' common period, the larger of both; t limits. It is no proof of cause: money may follow leads (a
    commission, a budget raised in the season), and leads that come later than in the period of the money are not seen.
    Raises `MeasureError` without spend, or where there are neither leads nor counts.
    Source: MacKinnon and White 1985; Hansen and Hodrick 1980.
    """
    return process.tidy(process.remembered(("marginal_cost",), lambda: _marginal(process)).copy())


def _marginal(process: Process) -> pd.DataFrame:
    days = _spend_days(process)
    shares = channel_customers(process).set_index("channel")
    dated = days[days["day"].notna()]
    last = dated["day"].max()
    rows = [_row(process, channel, rows, dated[dated["channel"] == channel], last) for channel, rows in days.groupby("channel")]
    table = pd.DataFrame(rows, columns=["channel", "_total", "per", "periods_count", "spend", "leads", "slope", "error", "freedom",
                                        "back", "back_error", "days", "reason"])
    known = [f"pooled_won{side}_share" for side in ("", "_low", "_high")]
    table = table.merge(shares[known].reset_index(), on="channel", how="left")
    table = table.sort_values(["_total", "channel"], ascending=[False, True], ignore_index=True)
    return _judged(_with_costs(table, process))[COLUMNS].astype({"periods_count": int})


def _spend_days(process: Process) -> pd.DataFrame:
    """Lead-generation spend per named channel and day, in minor units; no day where it is not dated."""
    rows = process.table("spend").filter((nw.col("stage") == "lead_generation").fill_null(False) & ~nw.col("channel").is_null())
    rows = rows.with_columns(day=nw.col("date").dt.truncate("1d"))
    days = collect(rows.group_by("channel", "day").agg(nw.col("amount").sum()))
    return days[days["channel"] != NOT_ALLOCATED].sort_values(["channel", "day"], ignore_index=True)


def _row(process: Process, channel: str, every: pd.DataFrame, dated: pd.DataFrame, last: pd.Timestamp) -> tuple:
    total, per, reason = every["amount"].sum(), _period_of(dated), ""
    nothing = (np.nan, np.nan, np.nan, np.nan, 0, np.nan, np.nan, np.nan)
    if len(dated) < len(every) or dated.empty:
        return channel, total, None, 0, *nothing, "undated_spend"
    if per is None:
        return channel, total, None, 0, *nothing, "rare_spend"
    if list(PERIODS).index(finest_period(process)) > list(PERIODS).index(per):
        return channel, total, per, 0, *nothing, "coarse_leads"
    series = _series(process, channel, dated, per, last)
    spend, leads = series["amount"].to_numpy(dtype=float), series["leads_count"].to_numpy(dtype=float)
    lengths = float(series["days"].sum())
    slope = back = Slope(np.nan, np.nan, 0)
    if len(series) < LEAST_PERIODS:
        reason = "few_periods"
    elif not leads.any():
        reason = "no_leads"
    elif not np.std(spend) > LEAST_VARIATION * np.mean(spend):
        reason = "steady_spend"
    else:
        slope, back = slope_of_changes(spend, leads), slope_of_changes(leads, spend)
    return channel, total, per, len(series), spend.sum(), leads.sum(), *slope, *back[:2], lengths, reason


def _period_of(dated: pd.DataFrame) -> str | None:
    """Week or month, by how often the channel is paid; None where that is too seldom for either."""
    gaps = dated["day"].diff().dt.days
    if not gaps.notna().any():
        return "week"
    return next((per for per, longest in LONGEST_GAPS.items() if gaps.median() <= longest), None)


def _series(process: Process, channel: str, dated: pd.DataFrame, per: str, last: pd.Timestamp) -> pd.DataFrame:
    """Spend and leads of each complete period from the channel's first payment to the last payment of any channel."""
    counts = _lead_counts(process, per)
    counts = counts[counts["channel"] == channel] if (counts["channel"] == channel).any() else counts.drop_duplicates(
        "period_start").assign(leads_count=0)
    spend = dated.assign(period_start=period_starts(dated["day"], per)).groupby("period_start")["amount"].sum()
    bounds = period_starts(pd.Series([dated["day"].min(), last]), per)
    counts = counts[counts["complete"] & counts["period_start"].between(bounds[0], bounds[1])].sort_values("period_start")
    # Money is recorded from some day on: a first period that began before it would look cheap.
    begun = dated["day"].min() > bounds[0] and per == "week"
    counts = counts[counts["period_start"] > bounds[0]] if begun else counts
    lengths = [(next_period_start(start, per) - start).days for start in counts["period_start"]]
    return counts.assign(amount=counts["period_start"].map(spend).fillna(0.0).to_numpy(), days=lengths)


def _lead_counts(process: Process, per: str) -> pd.DataFrame:
    return process.remembered(("counts of marginal_cost", per), lambda: lead_counts(process, per=per))


def slope_of_changes(spend: np.ndarray, leads: np.ndarray) -> Slope:
    """Slope of the changes of `leads` on the changes of `spend` from each period to the next, with a robust error.

    >>> slope_of_changes(np.array([1.0, 3, 2, 5, 4]), np.array([12.0, 16, 14, 20, 18])).value
    2.0
    """
    x, y = np.diff(spend), np.diff(leads)
    x, y = x - x.mean(), y - y.mean()
    square = x @ x
    slope = float(ratio(x @ y, square))
    leverage = np.asarray(ratio(x * x, square)) + float(ratio(1, len(x)))
    # One observation may hold all the leverage; its residual tells nothing then.
    score = x * np.asarray(ratio(y - slope * x, np.maximum(1 - leverage, 1e-9)))
    plain, neighbours = score @ score, 2 * (score[1:] @ score[:-1])
    error = float(ratio(np.sqrt(max(plain, plain + neighbours)), square))
    return Slope(slope, error, len(x) - 2)


def _with_costs(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    from scipy.special import stdtrit  # loaded here: scipy is slow to import

    # Slopes are per minor unit.
    money = PER_MONEY * process.minor_units
    slope, error, share = (table[name].to_numpy(dtype=float) for name in ("slope", "error", "pooled_won_share"))
    times = stdtrit(np.maximum(table["freedom"].to_numpy(dtype=float), 1), 0.975)
    low, high = slope - times * error, slope + times * error
    share_error = (table["pooled_won_high_share"] - table["pooled_won_low_share"]).to_numpy(dtype=float) / WIDTH_95
    extra = slope * share
    spread = times * np.sqrt((share * error)**2 + (slope * share_error)**2)
    weeks = table["days"] / WEEK_DAYS
    mean = np.asarray(ratio(table["leads"], table["spend"]))
    return table.assign(
        spend_per_week_amount=np.asarray(ratio(table["spend"], weeks)) / process.minor_units,
        leads_per_week=ratio(table["leads"], weeks), extra_leads_per_thousand=slope * money,
        extra_low_leads_per_thousand=low * money, extra_high_leads_per_thousand=high * money, mean_leads_per_thousand=mean * money,
        extra_cost_per_customer_amount=_cost(extra, process), extra_cost_per_customer_low_amount=_cost(extra + spread, process),
        extra_cost_per_customer_high_amount=np.where(extra > 0, _cost(extra - spread, process), np.nan),
        mean_cost_per_customer_amount=_cost(mean * share, process), _low=low, _mean=mean)


def _cost(customers_per_money: np.ndarray, process: Process) -> np.ndarray:
    """Money for one customer; missing where no more money brings none."""
    gained = np.where(customers_per_money > 0, customers_per_money, np.nan)
    return np.asarray(ratio(1.0, gained)) / process.minor_units


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    from scipy.special import stdtr  # loaded here: scipy is slow to import

    slope, mean, error = (table[name].to_numpy(dtype=float) for name in ("slope", "_mean", "error"))
    freedom = np.maximum(table["freedom"].to_numpy(dtype=float), 1)
    # Points on one line leave no error: any distance is then a difference.
    distance = np.where(error > 0, ratio(slope - mean, error), np.sign(slope - mean) * np.where(slope == mean, 0, 1e9))
    p_values = np.where(np.isnan(slope), np.nan, 2 * stdtr(freedom, -np.abs(distance)))
    adjusted = adjusted_p_values(p_values)
    differs = np.nan_to_num(adjusted, nan=1.0) < SIGNIFICANT
    bounded = table["_low"].to_numpy(dtype=float) > 0
    verdict = np.where(np.isnan(slope), CANNOT_TELL, np.where(differs, np.where(slope < mean, DEARER, CHEAPER), np.where(
        bounded, NO_DIFFERENCE, CANNOT_TELL)))
    follows = differs & _money_may_follow(table, freedom)
    noise = (verdict == CANNOT_TELL) & (table["reason"] == "").to_numpy()
    reason = np.where(follows, "money_follows_leads", np.where(noise, "lost_in_noise", table["reason"]))
    return table.assign(adjusted_p_value=adjusted, verdict=np.where(follows, CANNOT_TELL, verdict), reason=reason)


def _money_may_follow(table: pd.DataFrame, freedom: np.ndarray) -> np.ndarray:
    """Whether an extra lead came with as much money as a lead has on average: so does money that is paid per lead.

    Unlike amounts per lead then bend the line of leads on money, never this one.
    """
    from scipy.special import stdtrit  # loaded here: scipy is slow to import

    distance = np.abs(table["back"].to_numpy(dtype=float) - ratio(table["spend"], table["leads"]))
    return distance <= stdtrit(freedom, 0.975) * table["back_error"].to_numpy(dtype=float)
