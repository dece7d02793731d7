"""What each stage is measured by, year against year: flow and cost, step rates and time, retention and margin."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import REFERRED, customers, paid_orders
from funnel_lib.efficiency.durations import median_of
from funnel_lib.efficiency.sheet import cost_of
from funnel_lib.efficiency.years import Figure, Years, compared, compared_shares
from funnel_lib.engine import collect, flag, left_join
from funnel_lib.journeys import WON, lead_states
from funnel_lib.labour import has_costs
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import Span
from funnel_lib.rates import Z_95, clustered_ratio, clustered_share, difference_limits, ratio
from funnel_lib.schema import LOST
from funnel_lib.stage_costs import stage_sums

WEEK_DAYS, WEEKS = 7, 52


# -- lead generation -----------------------------------------------------------------------------------------------------


def lead_generation(process: Process, years: Years) -> list[dict]:
    """New leads a week, the share on target, and what a lead costs."""
    targets = list(process.settings.target_segments)
    leads = new_leads(process).with_columns(year=years.number("created_at"), week=nw.col("created_at").dt.truncate("1d"))
    known = ~nw.col("segment").is_null()
    leads = leads.with_columns(known=flag(known), target=flag(known & nw.col("segment").is_in(targets or [""]).fill_null(False)))
    days = collect(leads.filter(~nw.col("year").is_null()).group_by("year", "week").agg(
        nw.len().alias("leads"), nw.col("known").sum(), nw.col("target").sum()))
    sums = days.groupby("year")[["leads", "known", "target"]].sum().reindex([0.0, 1.0]).fillna(0.0)
    if not sums["leads"].sum():
        return []
    spread = {year: _overdispersion(days[days["year"] == year], years) for year in sums.index}
    rows = [_flow(process, years, sums["leads"], spread)]
    if targets and process.has("leads", "segment"):
        rows.append(compared_shares(process, years, "target_share", sums["target"], sums["known"]))
    return [*rows, *_cost_per_lead(process, years, sums["leads"], spread)]


def _overdispersion(days: pd.DataFrame, years: Years) -> float:
    """How much more the weeks of a year vary than counts of independent leads: variance / mean, at least 1."""
    begins = years.middle if (days["year"] == 1.0).all() else years.start
    week = (days["week"] - begins.normalize()).dt.days // WEEK_DAYS
    weekly = days.groupby(week)["leads"].sum().reindex(range(WEEKS), fill_value=0.0)
    return max(1.0, float(np.nan_to_num(ratio(weekly.var(), weekly.mean()), nan=1.0)))


def _flow(process: Process, years: Years, leads: pd.Series, spread: dict) -> dict:
    weeks = {1.0: (years.end - years.middle).days / WEEK_DAYS, 0.0: (years.middle - years.start).days / WEEK_DAYS}
    value = {year: float(ratio(leads[year], weeks[year])) for year in weeks}
    error = {year: float(ratio(np.sqrt(spread[year] * leads[year]), weeks[year])) for year in weeks}
    figures = {year: Figure(value[year], max(value[year] - Z_95 * error[year], 0.0), value[year] + Z_95 * error[year], leads[year],
                            leads[year]) for year in weeks}
    change, half = value[1.0] - value[0.0], Z_95 * np.hypot(error[1.0], error[0.0])
    return compared(process, years, "lead_flow", "number", figures[1.0], figures[0.0], (change - half, change + half))


def _cost_per_lead(process: Process, years: Years, leads: pd.Series, spread: dict) -> list[dict]:
    cost = _stage_cost(process, years)
    if cost is None or leads[1.0] == 0:
        return []
    value = {year: ratio(cost[year], leads[year]) for year in (1.0, 0.0)}
    error = {year: float(np.sqrt(ratio(spread[year], leads[year]))) for year in value}
    figures = {year: Figure(value[year], float(value[year] * np.exp(-Z_95 * error[year])),
                            float(value[year] * np.exp(Z_95 * error[year])), leads[year], leads[year]) for year in value}
    change = np.log(ratio(value[1.0], value[0.0] if value[0.0] > 0 else np.nan))
    half = Z_95 * np.hypot(error[1.0], error[0.0])
    return [compared(process, years, "cost_per_lead", "amount", figures[1.0], figures[0.0], (change - half, change + half),
                 is_less_better=True)]


def _stage_cost(process: Process, years: Years) -> dict[float, float] | None:
    """Spending and labour of lead generation in each year; none where the last one has none or that of the hours is unknown.

    Nothing at all is more likely not recorded than free.
    """
    if not has_costs(process):
        return None
    spans = {1.0: Span(years.middle, years.end), 0.0: Span(years.start, years.middle)}
    cost = {year: float(cost_of(stage_sums(process, span), process).iloc[0]) for year, span in spans.items()}
    return cost if cost[1.0] > 0 else None


# -- conversion ----------------------------------------------------------------------------------------------------------


def conversion(process: Process, years: Years) -> list[dict]:
    """Step rates, the win rate and the days to a win, by the day of the decision."""
    states, rows = lead_states(process), []
    steps = [(number, step) for number, step in enumerate(process.steps) if not step.optional]
    before = None
    for number, step in steps:
        counts = _decided(states, years, number, before, len(process.steps))
        before = number
        if counts["whole"].sum():
            rows.append(compared_shares(process, years, "step_rate", counts["part"], counts["whole"], step=step.key))
    won = nw.col("state") == WON
    at = nw.when(won).then(nw.col("won_at")).otherwise(nw.col("lost_at"))
    decided = states.with_columns(at=at, won=flag(won)).with_columns(year=years.number("at"))
    decided = decided.filter(~nw.col("year").is_null())
    sums = collect(decided.group_by("year").agg(nw.len().alias("whole"), nw.col("won").sum())).set_index("year")
    if sums.empty:
        return rows
    return [*rows, compared_shares(process, years, "win_rate", sums["won"], sums["whole"]), *_days_to_win(process, years, decided)]


def _decided(states: nw.LazyFrame, years: Years, number: int, before: int | None, length: int) -> pd.DataFrame:
    """Per year the leads that left the step before: into this or a later step (part), or by their final loss."""
    reached = _earliest([f"first_{place}_at" for place in range(number, length)])
    at_base = nw.lit(True) if before is None else ~_earliest([f"first_{place}_at" for place in range(before, length)]).is_null()
    is_lost = nw.col("state") == LOST
    leads = states.with_columns(reached=reached, at_base=at_base).filter(nw.col("at_base"))
    leads = leads.with_columns(part=flag(~nw.col("reached").is_null()), at=nw.when(~nw.col("reached").is_null()).then(
        nw.col("reached")).otherwise(nw.when(is_lost).then(nw.col("lost_at"))))
    leads = leads.with_columns(year=years.number("at")).filter(~nw.col("year").is_null())
    counts = collect(leads.group_by("year").agg(nw.len().alias("whole"), nw.col("part").sum()))
    return counts.set_index("year").reindex([0.0, 1.0]).fillna(0.0)


def _earliest(columns: list[str]) -> nw.Expr:
    return nw.min_horizontal(*[nw.col(name) for name in columns])


def _days_to_win(process: Process, years: Years, decided: nw.LazyFrame) -> list[dict]:
    wins = decided.filter((nw.col("won") == 1) & (nw.col("won_at") >= nw.col("created_at")).fill_null(False))
    now, before = (_median(wins.filter(nw.col("year") == year)) for year in (1.0, 0.0))
    if not now.of_count:
        return []
    # Without overlap of the two intervals the medians differ; with it nothing is said.
    return [compared(process, years, "days_to_win", "days", now, before, (now.low - before.high, now.high - before.low),
                 is_less_better=True)]


def _median(wins: nw.LazyFrame) -> Figure:
    count = float(collect(wins.select(nw.len().alias("leads")))["leads"].iloc[0])
    return Figure(*median_of(wins, "outcome_days"), count, count)


# -- account management --------------------------------------------------------------------------------------------------


def account_management(process: Process, years: Years) -> list[dict]:
    """Who came again, repeat orders and their margin, and who was recommended."""
    orders = paid_orders(process).with_columns(year=years.number("ordered_at")).filter(~nw.col("year").is_null())
    orders = left_join(orders, customers(process).select("customer_id", "is_older"), "customer_id")
    # The first order observed of a customer known from before is not their first.
    again, margin = ~nw.col("gap_days").is_null() | (nw.col("is_older") == 1), nw.col("margin")
    orders = orders.with_columns(again=flag(again), earned=nw.when(again).then(margin).otherwise(nw.lit(0.0)),
                                 unknown=flag(again & margin.is_null()))
    people = orders.group_by("customer_id", "year").agg(
        nw.len().alias("orders"), nw.col("again").sum(), nw.col("earned").sum(), nw.col("unknown").sum())
    rows = [_retention(process, years, people), *_repeat_share(process, years, people), *_margin(process, years, people)]
    new = customers(process).filter(nw.col("is_older") == 0).with_columns(
        year=years.number("first_order_at"), referred=flag(nw.col("origin") == REFERRED))
    came = collect(new.filter(~nw.col("year").is_null()).group_by("year").agg(
        nw.len().alias("whole"), nw.col("referred").sum())).set_index("year")
    if came.empty:
        return rows
    return [*rows, compared_shares(process, years, "referred_share", came["referred"], came["whole"])]


def _retention(process: Process, years: Years, people: nw.LazyFrame) -> dict:
    """Customers of one year who are there in the next; for the year before that takes records of a third year."""
    active = people.select("customer_id", "year")
    later = active.select("customer_id", before=nw.col("year") - 1, again=nw.lit(1))
    kept = active.join(later.rename({"before": "year"}), on=["customer_id", "year"], how="left").with_columns(
        kept=flag(nw.col("again") == 1))
    counts = collect(kept.group_by("year").agg(nw.len().alias("whole"), nw.col("kept").sum())).set_index("year")
    counts.index = counts.index + 1
    return compared_shares(process, years, "retention", counts["kept"], counts["whole"], since=years.older)


def _repeat_share(process: Process, years: Years, people: nw.LazyFrame) -> list[dict]:
    alike = collect(people.group_by("year", "orders", "again").agg(nw.len().alias("customers")))
    alike = alike.sort_values(["year", "orders", "again"])
    alike = alike.loc[alike.index.repeat(alike["customers"].astype(int))]
    now, before = (clustered_share(part["again"], part["orders"]) for part in (alike[alike["year"] == year] for year in (1.0, 0.0)))
    if not now.whole_count:
        return []
    return [compared(process, years, "repeat_share", "share", Figure(*now), Figure(*before), difference_limits(before, now))]


def _margin(process: Process, years: Years, people: nw.LazyFrame) -> list[dict]:
    earned, again = nw.col("earned"), nw.col("again")
    people = people.filter(again > 0).with_columns(squares=earned * earned, product=earned * again, squared=again * again)
    names = ["earned", "again", "squares", "product", "squared", "unknown"]
    sums = collect(people.group_by("year").agg(nw.len().alias("size"), *[nw.col(name).sum() for name in names]))
    sums = sums.set_index("year").reindex([0.0, 1.0]).fillna(0.0)
    if not sums.loc[1.0, "again"] or sums.loc[1.0, "unknown"]:
        return []
    squares = sums["squares"] / process.minor_units / process.minor_units
    found = clustered_ratio(sums["size"], sums["earned"] / process.minor_units, sums["again"], squares,
                            sums["product"] / process.minor_units, sums["squared"])
    before, now = (Figure(*(float(limit[at]) for limit in found), sums["again"].iloc[at], sums["size"].iloc[at]) for at in (0, 1))
    change, half = now.value - before.value, np.hypot(now.high - now.value, before.high - before.value)
    return [compared(process, years, "margin_per_repeat", "amount", now, before, (change - half, change + half))]
