"""The parameters of the chain of rates, estimated from the tables, with draws from their sampling distributions."""

from __future__ import annotations

import weakref

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib import conversion
from funnel_lib.company import Process
from funnel_lib.customers import REFERRED, customers, median_gap_days, money_rows, paid_orders
from funnel_lib.engine import collect, left_join, with_groups
from funnel_lib.errors import MeasureError
from funnel_lib.improvement.chain import Chain, Customers
from funnel_lib.journeys import WON, entries, lead_states
from funnel_lib.labour import costed_hours, without_unknown
from funnel_lib.language.messages import message
from funnel_lib.last_year import WEEKS, YEAR_DAYS, of_last_year, undated_of_last_year, weekly_leads, yearly_factor
from funnel_lib.lead_flow.targets import UNKNOWN, can_tell_target, with_target
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import elapsed_days
from funnel_lib.rates import FEW, ratio
from funnel_lib.schema import LOST, MISSING

DRAWS = 4000
SEED = 20260105
# One chain per living process: levers, measures and what-ifs of a report all start from the same one.
_CHAINS: dict[int, Chain] = {}


def chain_of(process: Process) -> Chain:
    """The chain of rates of a process, estimated once; raises as `estimated_chain`."""
    if id(process) not in _CHAINS:
        _CHAINS[id(process)] = estimated_chain(process)
        weakref.finalize(process, _CHAINS.pop, id(process), None)
    return _CHAINS[id(process)]


def estimated_chain(process: Process) -> Chain:
    """The chain of rates from the tables.

    Leads per year vary as counts do, with the spread from week to week (gamma); rates are drawn from beta distributions
    (Jeffreys); margins per customer jointly from a normal distribution with their observed covariance. Money and hours of
    the last year are counted, not sampled: spending without a date is spread evenly over the time observed, and hours
    without an hour cost are left out while they are few (`allow_set_aside_share` of a stage).
    Raises `MeasureError` where leads, movement through the steps or orders are missing, or more of the hours have no cost.
    """
    random = np.random.default_rng(SEED)
    rates = _mandatory(conversion.step_rates(process), process)
    weekly = weekly_leads(process)
    leads = _leads_per_year(weekly, random)
    if not weekly.to_numpy().sum() > 0:
        raise MeasureError(message("{process}: needs new leads in the last {count} complete weeks", process=process.name,
                                   count=len(weekly)))
    step_rates = {row.step: _drawn_rate(row.reached_count, row.base_count, random) for row in rates.itertuples()}
    overall = rates.iloc[-1]
    share = ratio(overall["reached_count"], overall["leads_count"])
    target_share, target_gain = _target(process, list(leads), random)
    undated = undated_of_last_year(process) * yearly_factor(process) if process.has("spend") else 0.0
    labour, card_labour, card_cost, uncosted = _work_of_year(process)
    return Chain(leads, step_rates, _channel_shares(process, list(leads), share, random), target_share, target_gain,
                 _step_days(process), _customers(process, random), _referral_share(process, random),
                 _dated_spend(process) + undated, labour, card_labour, card_cost, undated, uncosted)


def _mandatory(rates: pd.DataFrame, process: Process) -> pd.DataFrame:
    rates = rates[~rates["optional"]]
    if not rates["base_count"].iloc[0] > 0:
        raise MeasureError(message("{process}: needs leads old enough for the conversion window to know the chain of rates",
                                   process=process.name))
    return rates


def _drawn_rate(part: float, whole: float, random: np.random.Generator) -> np.ndarray:
    """The observed share and draws of it; by Jeffreys' prior also where nobody or everybody passed."""
    draws = random.beta(part + 0.5, whole - part + 0.5, DRAWS)
    return np.concatenate([[np.nan_to_num(ratio(part, whole))], draws])


def _leads_per_year(weekly: pd.DataFrame, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Leads per channel and year; the counts vary more than by chance alone where the weeks do (overdispersion)."""
    totals, scale = weekly.sum(axis=1), ratio(WEEKS, len(weekly))
    spread = ratio(totals.var(), totals.mean()) if len(totals) > 1 else 1.0
    dispersion = max(1.0, float(np.nan_to_num(spread, nan=1.0)))
    leads = {}
    for channel in weekly.columns:
        count = float(weekly[channel].sum())
        draws = random.gamma(max(ratio(count, dispersion), 1e-9), dispersion, DRAWS)
        leads[channel] = np.concatenate([[count], draws]) * scale
    return leads


def _channel_shares(process: Process, channels: list[str], share: float, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Share of each channel's leads that buy within the window, drawn towards the common share as if by 30 leads more."""
    rates = conversion.step_rates(process, by="channel")
    last = rates[rates["step"] == process.steps[-1].key].set_index("channel")
    shares = {}
    for channel in channels:
        won, leads = last.loc[channel, ["reached_count", "leads_count"]] if channel in last.index else (0, 0)
        part, whole = won + FEW * share, leads + FEW
        draws = random.beta(max(part, 1e-9), max(whole - part, 1e-9), DRAWS)
        shares[channel] = np.concatenate([[ratio(part, whole)], draws])
    return shares


def _target(process: Process, channels: list[str], random: np.random.Generator) -> tuple[dict, np.ndarray | None]:
    """Share of each channel's leads in a target segment, and by how much those convert better than the others."""
    if not can_tell_target(process):
        return {}, None
    known = with_groups(with_target(new_leads(process), process).filter(nw.col("is_known") == 1), ["channel"])
    counts = collect(known.group_by("channel").agg(nw.len().alias("leads"), nw.col("is_target").sum().alias("target")))
    counts = counts.set_index("channel")
    shares = {name: _drawn_rate(counts.loc[name, "target"], counts.loc[name, "leads"], random)
              for name in channels if name in counts.index}
    rates = conversion.step_rates(process, by="segment")
    last = rates[(rates["step"] == process.steps[-1].key) & ~rates["segment"].isin([MISSING, UNKNOWN])]
    is_target = last["segment"].isin(process.settings.target_segments)
    sides = [last[side][["reached_count", "leads_count"]].sum() for side in (is_target, ~is_target)]
    if not all(side["leads_count"] > 0 for side in sides):
        return shares, None
    on, off = (_drawn_rate(side["reached_count"], side["leads_count"], random) for side in sides)
    return shares, on - off


def _step_days(process: Process) -> dict[str, float]:
    """Per step the mean time of the customers from the step before it, zero for those who skipped it, in days."""
    won = lead_states(process).filter(nw.col("state") == WON).select("lead_id")
    timed = entries(process).filter((nw.col("step") != LOST) & ~nw.col("age_days").is_null())
    timed = timed.join(won, on="lead_id", how="inner")
    ages = [f"_age_{number}" for number in range(len(process.steps))]
    timed = timed.with_columns(**{age: nw.when(nw.col("step") == step.key).then(nw.col("age_days"))
                                  for age, step in zip(ages, process.steps, strict=True)})
    paths = timed.group_by("lead_id").agg(*[nw.col(age).min() for age in ages])
    before = nw.lit(0.0)
    lags = {}
    for number, age in enumerate(ages):
        later = (nw.col(age) > before).fill_null(False)
        lags[f"_lag_{number}"] = nw.when(later).then(nw.col(age) - before).otherwise(nw.lit(0.0))
        before = nw.when(later).then(nw.col(age)).otherwise(before)
    means = collect(paths.with_columns(**lags).select(*[nw.col(name).mean() for name in lags])).iloc[0]
    return {step.key: float(means[f"_lag_{number}"]) for number, step in enumerate(process.steps)}


def _customers(process: Process, random: np.random.Generator) -> Customers:
    """What new customers bring in their first 12 months."""
    people = customers(process).filter(nw.col("is_older") == 0).select("customer_id", "first_order_at")
    age = elapsed_days(nw.col("first_order_at"), process.needs_as_of(), people)
    sums = _economics(process, people.filter(age >= YEAR_DAYS))
    is_partial = not sums["n"] > 0
    if is_partial:
        sums = _economics(process, people)
    if not sums["n"] > 0:
        raise MeasureError(message("{process}: needs orders of new customers to know what one of them brings in a year",
                                   process=process.name))
    if sums["unknown"] > 0:
        raise MeasureError(message("{process}: needs the margin of the orders, or margin_share in company.yaml",
                                   process=process.name))
    means, covariance = _moments(sums)
    draws = random.multivariate_normal(means, ratio(covariance, sums["n"]), DRAWS, method="svd")
    first, total, amount, repeats = np.vstack([means, draws]).T
    # A drawn share of customers who come back stays a share.
    repeats = np.clip(repeats, ratio(0.5, sums["n"] + 1) if means[3] > 0 else 0.0, 1.0)
    first, total, amount = (drawn / process.minor_units for drawn in (first, total, amount))
    return Customers(first, total - first, amount, repeats, ratio(sums["paid"], sums["orders"]) / process.minor_units,
                     median_gap_days(process), int(sums["n"]), is_partial)


_MEANS = ("first", "total", "amount", "repeats")
_PAIRS = [(one, other) for position, one in enumerate(_MEANS) for other in _MEANS[position:]]


def _economics(process: Process, people: nw.LazyFrame) -> pd.Series:
    """Sums over customers of what they brought in 12 months, of its squares and products, and of their orders."""
    people = people.rename({"first_order_at": "_since"})
    rows = money_rows(process).join(people, on="customer_id", how="inner")
    rows = rows.filter(elapsed_days(nw.col("_since"), nw.col("ordered_at"), rows) < YEAR_DAYS)
    is_order = nw.when(nw.col("amount") > 0).then(nw.lit(1)).otherwise(nw.lit(0))
    unknown = nw.when(nw.col("margin").is_null()).then(nw.lit(1)).otherwise(nw.lit(0))
    rows = rows.with_columns(total=nw.col("margin").fill_null(0.0), orders=is_order, unknown=unknown,
                             paid=nw.when(nw.col("amount") > 0).then(nw.col("amount")).otherwise(nw.lit(0.0)))
    summed = ("total", "amount", "orders", "paid", "unknown")
    yearly = rows.group_by("customer_id").agg(*[nw.col(name).sum() for name in summed])
    first = paid_orders(process).filter(nw.col("gap_days").is_null())
    first = first.select("customer_id", first=nw.col("margin").fill_null(0.0))
    yearly = left_join(yearly, first, "customer_id").with_columns(
        repeats=nw.when(nw.col("orders") > 1).then(nw.lit(1.0)).otherwise(nw.lit(0.0)))
    yearly = yearly.with_columns(**{f"{one}_{other}": nw.col(one) * nw.col(other) for one, other in _PAIRS})
    names = [*_MEANS, "orders", "paid", "unknown", *(f"{one}_{other}" for one, other in _PAIRS)]
    return collect(yearly.select(nw.len().alias("n"), *[nw.col(name).sum() for name in names])).fillna(0).iloc[0]


def _moments(sums: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Means and covariances of one customer; a single customer is taken to vary by as much as the mean itself."""
    count = sums["n"]
    means = np.array([ratio(sums[name], count) for name in _MEANS])
    products = np.zeros((len(_MEANS), len(_MEANS)))
    for one, other in _PAIRS:
        row, column = _MEANS.index(one), _MEANS.index(other)
        products[row, column] = products[column, row] = sums[f"{one}_{other}"]
    if count < 2:
        return means, np.outer(means, means)
    return means, ratio(products - count * np.outer(means, means), count - 1)


def _referral_share(process: Process, random: np.random.Generator) -> np.ndarray | None:
    """Share of new customers who came by recommendation."""
    referred = nw.when(nw.col("origin") == REFERRED).then(nw.lit(1)).otherwise(nw.lit(0))
    new = customers(process).filter(nw.col("is_older") == 0).with_columns(referred=referred)
    counts = collect(new.select(nw.len().alias("customers"), nw.col("referred").sum())).iloc[0]
    return _drawn_rate(counts["referred"], counts["customers"], random) if counts["customers"] > 0 else None


def _dated_spend(process: Process) -> float:
    if not process.has("spend", "date"):
        return 0.0
    amount = collect(of_last_year(process, "spend").select(nw.col("amount").sum()))["amount"].fillna(0).iloc[0]
    return float(amount) / process.minor_units * yearly_factor(process)


def _work_of_year(process: Process) -> tuple[float, dict[str, float], dict[str, float], float]:
    """A year's hours × hour cost: in all, and by card; what the executions of each card cost in money; hours left out.

    A card with too many hours without a cost has no amount.
    """
    if not process.has("work"):
        return 0.0, {}, {}, 0.0
    factor, work = yearly_factor(process), of_last_year(process, "work")
    total, uncosted = _labour_of_stages(process, work)
    by_card = costed_hours(process, "card", work)
    by_card = by_card.assign(labour_amount=without_unknown(by_card, process))[by_card["card"] != MISSING]
    labour = dict(zip(by_card["card"], by_card["labour_amount"] * factor, strict=True))
    executions = collect(with_groups(work, ["card"]).group_by("card").agg(nw.len().alias("executions")))
    executions = executions.set_index("card")["executions"]
    costs = {card.key: card.cost * float(executions.get(card.key, 0)) * factor
             for card in process.settings.cards if card.cost is not None}
    return total * factor, labour, costs, uncosted * factor


def _labour_of_stages(process: Process, work: nw.LazyFrame) -> tuple[float, float]:
    """Hours × hour cost of all stages, as the efficiency sheet has them, and the few hours left out."""
    by_stage = costed_hours(process, "stage", work)
    unknown = without_unknown(by_stage, process).isna()
    if unknown.any():
        by_role = costed_hours(process, "role", work)
        roles = by_role[by_role["uncosted_hours"] > 0].sort_values("hours", ascending=False)["role"]
        hours, all_hours = by_stage["uncosted_hours"].sum(), by_stage["hours"].sum()
        named = ", ".join(repr(str(role)) for role in roles)
        raise MeasureError(message("{process}: needs hour_cost under roles in company.yaml for {named}: {hours:g} of the "
                                   "{all_hours:g} hours worked in the last year have no cost, so that the yearly margin would "
                                   "leave out too much", process=process.name, named=named, hours=hours, all_hours=all_hours))
    return float(by_stage["labour_amount"].sum()), float(by_stage["uncosted_hours"].sum())
