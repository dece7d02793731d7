"""Whether the flow of leads is enough for the plan: the leads of the next 13 weeks, and how many of them will buy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.curves import eventual_conversion, time_to_win
from funnel_lib.engine import collect
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.lead_flow.buyers import first_order_amount
from funnel_lib.lead_flow.counts import ENTERED, lead_counts
from funnel_lib.lead_flow.economics import channel_economics
from funnel_lib.periods import DAYS_PER_MONTH
from funnel_lib.rates import FEW, Z_95, rate, ratio
from funnel_lib.staffing import leads_per_week_by_role

HORIZON_WEEKS = 13
WEEK_DAYS = 7
# The flow is described by the latest weeks: older ones were often another level.
LATEST_WEEKS = 52
ENOUGH, NOT_ENOUGH, CANNOT_TELL = "enough", "not enough", "cannot tell"
SURE, HOPELESS = 0.8, 0.2
# Two weeks leave any spread possible; beyond this many times the mean nothing changes any more.
MOST_SPREAD = 10
DRAWS = 4000
SEED = 20261101
FLOW, CONVERSION, CHANCE = "flow", "conversion", "chance"


@dataclass(frozen=True)
class Sufficiency:
    """Whether the customers from the leads of the next 13 weeks, in the end, are as many as the plan asks for.

    `verdict`: "enough" where `plan_met_probability` is at least 0.8, "not enough" at most 0.2, else "cannot tell";
    `needed_per_week` leads meet the plan on average, `safe_per_week` in eight of ten cases, `actual_per_week` come now
    (mean of `weeks_count` complete weeks, at most the latest 52), `missing_per_week` = safe − actual, 0 where enough come.
    `planned_customers_count` in 13 weeks against `expected_customers_count` with limits between which 95 of 100 draws lie;
    `eventual_share` with its 95 % limits turns leads into customers, half of the buyers take `median_days` to buy.
    With people: `capacity_per_week` leads can be served by the paid hours of `capacity_role`, the scarcest (missing where
    hours are not known), and the verdict again. `from_running_count` customers are expected from today's running leads; they
    are not in the verdict. `cheapest_channel` brings a customer for the least (`cheapest_amount`), told only where at
    least 30 customers of each of two channels are known; the leads must come by `come_by` for half of their buyers to buy
    within the 13 weeks. `uncertainty` is what keeps it open most: flow, conversion (more data tell), chance (none do).
    """

    verdict: str
    plan_met_probability: float
    needed_per_week: float
    actual_per_week: float
    safe_per_week: float
    missing_per_week: float
    planned_per_month: float
    planned_customers_count: float
    expected_customers_count: float
    expected_low_count: float
    expected_high_count: float
    eventual_share: float
    eventual_low_share: float
    eventual_high_share: float
    weeks_count: int
    median_days: float
    uncertainty: str
    capacity_verdict: str
    capacity_met_probability: float
    capacity_per_week: float
    capacity_role: str
    from_running_count: float
    cheapest_channel: str
    cheapest_amount: float
    come_by: pd.Timestamp


@dataclass(frozen=True)
class Flow:
    """Draws of what the next weeks may be like: the mean number of leads in a week, its variance, the eventual conversion."""

    mean: np.ndarray
    variance: np.ndarray
    share: np.ndarray


def sufficiency(process: Process) -> Sufficiency:
    """The verdict on the flow of leads; see `Sufficiency`.

    Leads of 13 weeks are drawn from a negative binomial whose mean and overdispersion are those of the complete weeks,
    both with the uncertainty of so few weeks; customers from them binomially with a conversion drawn from its sampling
    distribution; the plan is met where at least plan per month × 13 × 7 × 12 / 365.25 of them buy, however late. A plan of
    revenue is divided by the mean first order. 4,000 draws, fixed seed.
    Raises `MeasureError` without a plan, leads (or counts per week), two complete weeks, or a conversion.
    """
    return process.remembered(("sufficiency",), lambda: _sufficiency(process))


def planned_per_month(process: Process) -> float:
    """New customers a month that the plan asks for. Raises `MeasureError` without a plan, or with one of revenue and no order."""
    plan = process.settings.plan
    if plan is not None and plan.new_customers_per_month is not None:
        return float(plan.new_customers_per_month)
    if plan is not None and plan.revenue_per_month is not None:
        planned = float(ratio(plan.revenue_per_month, first_order_amount(process)))
        if not math.isnan(planned):
            return planned
        raise MeasureError(message("{process}: needs orders to tell how many customers the planned revenue takes",
                                   process=process.name))
    raise MeasureError(message("{process}: needs a plan (new_customers_per_month or revenue_per_month) to tell whether the flow "
                               "of leads is enough", process=process.name))


def latest_weeks(process: Process) -> np.ndarray:
    """New leads of the latest complete weeks (at most 52), in the order of time."""
    counts = lead_counts(process, by=None, per="week")
    return counts.loc[counts["complete"], "leads_count"].to_numpy(dtype=float)[-LATEST_WEEKS:]


def drawn_flow(process: Process, random: np.random.Generator) -> Flow:
    """What the coming weeks may be like, 4,000 times.

    The variance of a week is drawn from what that of so few weeks leaves open (never below that of independent leads), then
    the mean from a gamma distribution with its sampling variance, so that it is never negative.
    """
    weeks = latest_weeks(process)
    if len(weeks) < 2:
        raise MeasureError(message("{process}: needs at least two complete weeks of leads to tell what the next ones bring",
                                   process=process.name))
    count, mean = len(weeks), max(float(weeks.mean()), float(ratio(0.5, len(weeks))))
    observed = max(float(weeks.var(ddof=1)), mean)
    drawn = np.asarray(ratio(observed * (count - 1), random.chisquare(count - 1, DRAWS)))
    variance = np.clip(drawn, mean, MOST_SPREAD**2 * mean**2 + mean)
    means = _gamma(random, mean, np.asarray(ratio(variance, count)))
    share, low, high = conversion_of(process)
    size = _effective_size(share, low, high)
    # One half is added to both outcomes: a share of 0 is not known to be 0.
    return Flow(means, variance, random.beta(share * size + 0.5, (1 - share) * size + 0.5, DRAWS))


def conversion_of(process: Process) -> tuple[float, float, float]:
    """The eventual conversion of new leads with its limits; where there are only counts, last step / leads."""
    if process.has("leads"):
        row = eventual_conversion(process).iloc[0]
        return float(row.eventual_share), float(row.eventual_low_share), float(row.eventual_high_share)
    counts = collect(process.table("counts").group_by("step").agg(nw.col("count").sum())).set_index("step")["count"]
    last = process.steps[-1].key if process.steps else None
    share, low, high = rate(counts.get(last, 0.0), counts.get(ENTERED, 0.0))[:3]
    if last is None or last not in counts or math.isnan(share):
        raise MeasureError(message("{process}: needs counts of leads and of the last step to tell how many buy",
                                   process=process.name))
    return float(share), float(low), float(high)


def _effective_size(share: float, low: float, high: float) -> float:
    """How many independent leads would give Wilson limits like these: the product of the limits' distances solves it."""
    part, limits = (1 - share, (1 - low) * (1 - high)) if share <= 0.5 else (share, low * high)
    more = float(ratio(part**2, limits)) - 1
    return float(ratio(Z_95**2, more)) if more > 1e-12 else 1e12


def _gamma(random: np.random.Generator, mean: float | np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Draws with this mean and variance that are never negative."""
    return random.gamma(np.asarray(ratio(mean**2, variance)), np.asarray(ratio(variance, mean)))


def drawn_leads(flow: Flow, weeks: int, random: np.random.Generator, factor: float = 1.0) -> np.ndarray:
    """Leads in so many weeks, the flow being `factor` times as large: negative binomial, a Poisson draw around a gamma draw."""
    mean = weeks * flow.mean * factor
    # Beyond what independent leads vary anyway; as a share of the level, so that it grows with the flow.
    beyond = weeks * np.maximum(flow.variance - flow.mean, 0) * factor**2
    level = np.where(beyond > 0, _gamma(random, mean, np.maximum(beyond, 1e-9)), mean)
    return random.poisson(level)


def met_probability(leads: np.ndarray, share: np.ndarray, planned: float) -> float:
    """The chance that at least the planned number buys, averaged over draws of leads and of the conversion."""
    from scipy.special import bdtrc  # loaded here: scipy is slow to import

    wanted = math.ceil(planned - 1e-9)
    if wanted <= 0:
        return 1.0
    possible = leads >= wanted
    chance = bdtrc(wanted - 1, np.where(possible, leads, wanted), share)
    return float(np.where(possible, chance, 0.0).mean())


def verdict_of(probability: float) -> str:
    """In words: enough from 0.8, not enough up to 0.2."""
    return ENOUGH if probability >= SURE else NOT_ENOUGH if probability <= HOPELESS else CANNOT_TELL


def _sufficiency(process: Process) -> Sufficiency:
    monthly = planned_per_month(process)
    planned = monthly * HORIZON_WEEKS * WEEK_DAYS / DAYS_PER_MONTH
    flow = drawn_flow(process, np.random.default_rng(SEED))
    leads = _leads_of(flow)
    share, low, high = conversion_of(process)
    weeks, (role, served) = latest_weeks(process), _capacity(process)
    probability, limited = met_probability(leads, flow.share, planned), np.nan
    if not math.isnan(served):
        limited = met_probability(np.minimum(leads, math.floor(served * HORIZON_WEEKS)), flow.share, planned)
    customers = np.random.default_rng(SEED).binomial(leads, flow.share)
    actual, safe = float(weeks.mean()), _safe_per_week(flow, float(weeks.mean()), planned)
    verdict, (channel, amount) = verdict_of(probability), _cheapest(process)
    days = _median_days(process)
    return Sufficiency(
        verdict, probability, float(ratio(planned, HORIZON_WEEKS * share)), actual, safe,
        0.0 if verdict == ENOUGH else max(safe - actual, 0.0), monthly, planned, float(customers.mean()),
        *(float(np.quantile(customers, tail)) for tail in (0.025, 0.975)), share, low, high, len(weeks), days,
        _uncertainty(flow), "" if math.isnan(limited) else verdict_of(limited), limited, served, role,
        _from_running(process), channel, amount, _come_by(process, days))


def _leads_of(flow: Flow, factor: float = 1.0) -> np.ndarray:
    """Always the same draws: more leads must never look worse by chance."""
    return drawn_leads(flow, HORIZON_WEEKS, np.random.default_rng(SEED + 1), factor)


def _safe_per_week(flow: Flow, actual: float, planned: float) -> float:
    """Leads a week with which the plan is met in eight of ten cases; NaN where hardly anybody buys."""
    if planned <= 0:
        return 0.0
    if actual <= 0 or met_probability(_leads_of(flow, 1000), flow.share, planned) < SURE:
        return np.nan
    low, high = 0.0, 1000.0
    while high - low > 1e-3 * high:
        middle = (low + high) / 2 if low else high / 10
        low, high = (low, middle) if met_probability(_leads_of(flow, middle), flow.share, planned) >= SURE else (middle, high)
    return high * actual


def _uncertainty(flow: Flow) -> str:
    """Which of the three makes most of the spread: relative variances of the level, of the conversion, of the weeks to come."""
    mean, share = flow.mean.mean(), flow.share.mean()
    parts = {FLOW: float(ratio(flow.mean.var(), mean**2)), CONVERSION: float(ratio(flow.share.var(), share**2)),
             CHANCE: float(ratio(HORIZON_WEEKS * np.median(flow.variance) * share**2 + HORIZON_WEEKS * mean * share * (1 - share),
                                 (HORIZON_WEEKS * mean * share) ** 2))}
    return max(parts, key=parts.get)


def _capacity(process: Process) -> tuple[str, float]:
    """The role whose paid hours serve the fewest leads a week, and how many; NaN where hours or paid hours are not known."""
    served = leads_per_week_by_role(process).dropna() if process.has("work") and process.has("leads") else pd.Series(dtype=float)
    return ("", np.nan) if served.empty else (str(served.idxmin()), float(served.min()))


def _from_running(process: Process) -> float:
    if not process.has("leads"):
        return np.nan
    row = eventual_conversion(process).iloc[0]
    return max(float(row.eventual_share * row.leads_count - row.won_count), 0.0)


def _median_days(process: Process) -> float:
    return float(time_to_win(process)["median_days"].iloc[0]) if process.has("leads") else np.nan


def _come_by(process: Process, median_days: float) -> pd.Timestamp:
    """The last day on which a lead may come so that half of the buyers among such leads buy within the 13 weeks."""
    if math.isnan(median_days):
        return pd.NaT
    return (process.as_of + pd.Timedelta(weeks=HORIZON_WEEKS) - pd.Timedelta(days=median_days)).normalize()


def _cheapest(process: Process) -> tuple[str, float]:
    """The channel with the least cost of a new customer, where two channels at least have 30 customers each."""
    table = channel_economics(process)
    table = table[(table["customers_count"] >= FEW) & (table["cost_per_customer_amount"] > 0)]
    if len(table) < 2:
        return "", np.nan
    row = table.loc[table["cost_per_customer_amount"].idxmin()]
    return str(row.channel), float(row.cost_per_customer_amount)
