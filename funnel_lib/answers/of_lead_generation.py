"""Exercise 1 answered: how many leads come and from where, whether they are on target, and what they cost."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import lead_flow as measures
from funnel_lib.answers.of_attribution import attributed
from funnel_lib.answers.of_lead_flow import campaigns, described, signals, target_against_other, weekdays
from funnel_lib.answers.of_response import answered_in
from funnel_lib.answers.of_returns import earned_back, marginal, paid_back
from funnel_lib.answers.of_sufficiency import beside, enough
from funnel_lib.answers.sentence import Sentence, Speaker, answered
from funnel_lib.company import Process
from funnel_lib.errors import MeasureError
from funnel_lib.lead_flow.buyers import first_order_amount, lately_per_month
from funnel_lib.lead_flow.costs import NOT_ALLOCATED, channel_costs
from funnel_lib.lead_flow.counts import finest_period
from funnel_lib.periods import DAYS_PER_MONTH, PERIODS, next_period_start
from funnel_lib.rates import FEW, poisson_limits, ratio

# The latest complete periods of which a mean is said, about a quarter of a year; of years the last one.
LATEST = {"week": 13, "month": 3, "quarter": 1, "year": 1}
FEWEST_SHOWN = 0.05


def lead_generation(process: Process) -> list[Sentence]:
    """The sentences of exercise 1, the verdict first."""
    # What an owner asks first stands first: enough (or that there is no plan), on target, worth it; then the report's order.
    opening = (enough, _target, earned_back, _plan) if process.settings.plan is not None else (_plan, _target, earned_back)
    return answered(process, *opening, beside, _flow, signals, target_against_other, _off_target, _costs, _channels, paid_back,
                    marginal, attributed, answered_in, weekdays, campaigns, described, _uncosted)


def _plan(process: Process) -> list[Sentence]:
    """Plan against what arrives, side by side."""
    say, plan = Speaker(process), process.settings.plan
    if not (process.has("orders") or (process.has("leads") and process.has("stage_events"))):
        raise MeasureError(f"{process.name}: whether the flow is enough cannot be told without orders, or leads with their "
                           "movement through the steps")
    per_month, count, days = lately_per_month(process)
    wanted, words = _wanted(process, plan)
    lately = f"({say.count(count)} in {say.days(days)})"
    if math.isnan(wanted):
        text = (f"{say.number(per_month)} new customers came in a month on average {lately}. The process has no plan, so "
                "whether that is enough cannot be said: state new_customers_per_month in the description.")
        return [Sentence("plan", text, customers_per_month=per_month, customers_count=count)]
    part = float(ratio(per_month, wanted))
    low, high = (float(ratio(limit, days)) * DAYS_PER_MONTH for limit in poisson_limits(count))
    text = f"the plan asks for {words}; {say.number(per_month)} came in a month on average {lately}."
    beside = []
    if math.isnan(part):
        text = f"{text[:1].upper()}{text[1:]}"
    else:
        text = f"{_verdict(say, count, low, high, wanted)}: {text}"
        beside = [Sentence("plan_share", f"That is {say.share(part)} of the plan; chance alone leaves "
                           f"{say.range(low, high, 'number')} a month (95 % interval).", plan_share=part)]
    return [Sentence("plan", text, planned_per_month=wanted, customers_per_month=per_month, customers_low_per_month=low,
                     customers_high_per_month=high, customers_count=count, plan_share=part), *beside]


def _verdict(say: Speaker, count: int, low: float, high: float, wanted: float) -> str:
    """More or fewer than planned only where chance alone does not explain it: the plan lies outside the interval."""
    if low > wanted:
        return "Clearly more new customers came than planned"
    if high < wanted:
        return "Clearly fewer new customers came than planned"
    return f"Whether as many new customers came as planned cannot be told from {say.count(count)} of them"


def _wanted(process: Process, plan: object) -> tuple[float, str]:
    """New customers per month that the plan asks for, and how to say it."""
    say = Speaker(process)
    if plan is None:
        return math.nan, ""
    if plan.new_customers_per_month is not None:
        return plan.new_customers_per_month, f"{say.number(plan.new_customers_per_month)} new customers a month"
    if plan.revenue_per_month is None:
        return math.nan, ""
    amount = first_order_amount(process)
    wanted = float(ratio(plan.revenue_per_month, amount))
    return wanted, (f"{say.money(plan.revenue_per_month)} a month, which is {say.number(wanted)} new customers at a mean first "
                    f"order of {say.money(amount)}")


def _flow(process: Process) -> list[Sentence]:
    say = Speaker(process)
    per = max("week", finest_period(process), key=list(PERIODS).index)
    counts = measures.lead_counts(process, per=per)
    whole = counts[counts["complete"].astype(bool)]
    starts = sorted(whole["period_start"].unique())[-LATEST[per]:]
    if not starts:
        return [Sentence("flow", f"No whole {per} has been observed yet, so leads per {per} cannot be told.",
                         **{f"{per}s_count": 0})]
    lately = whole[whole["period_start"].isin(starts)]
    total = lately["leads_count"].sum()
    by_channel = lately.groupby("channel")["leads_count"].sum().sort_values(ascending=False, kind="stable")
    mean = float(ratio(total, len(starts)))
    parts = [f"“{say.label(key)}” {say.share(float(ratio(count, total)))}" for key, count in by_channel.head(3).items()
             if count]
    empty = int((lately.groupby("period_start")["leads_count"].sum() == 0).sum())
    last_day = next_period_start(starts[-1], per) - pd.Timedelta(days=1)
    which = (f"the last {say.count(len(starts))} complete {per}s" if len(starts) > 1 else f"the last complete {per}")
    dates = f"{say.date(starts[0])} – {say.date(last_day)}"
    text = f"{_mean_of(mean, say)} new leads came in a {per} on average ({say.count(total)} in {which}, {dates})"
    text += f", most of them from {', '.join(parts)}." if parts else "."
    text += f" In {say.count(empty)} of these {per}s nobody came." if empty and len(starts) > 1 else ""
    if not total:
        text = f"No new lead came in {which} ({dates})."
    return [Sentence("flow", text, leads_count=int(total),
                     **{f"leads_per_{per}": mean, f"{per}s_count": len(starts), f"empty_{per}s_count": empty},
                     **({"first_channel": by_channel.index[0]} if parts else {}))]


def _mean_of(mean: float, say: Speaker) -> str:
    """A mean count: one decimal, and never 0 where somebody came."""
    return "Fewer than 0.1" if 0 < mean < FEWEST_SHOWN else say.count(mean)


def _target(process: Process) -> list[Sentence]:
    say = Speaker(process)
    whole, shares = measures.target_share(process, by=None), measures.target_share(process)
    if whole.empty or not whole["known_count"].iloc[0]:
        return [Sentence("target", "No lead has a known segment, so whether the leads are on target cannot be told.")]
    row = whole.iloc[0]
    text = (f"{say.share(row.target_share)} of the leads are on target (95 % interval "
            f"{say.range(row.target_low_share, row.target_high_share)}, {say.count(row.target_count)} of "
            f"{say.count(row.known_count)} with a known segment; {say.count(row.unknown_count)} unknown).")
    sentences = [Sentence("target", text, target_share=row.target_share, low_share=row.target_low_share,
                          high_share=row.target_high_share, target_count=row.target_count, known_count=row.known_count,
                          unknown_count=row.unknown_count)]
    # Only a channel whose whole interval lies below the rest is named: ranking the others would be guessing.
    low = shares[~shares["few"] & (shares["target_high_share"] < row.target_low_share)].sort_values("target_share")
    if len(low):
        worst = low.iloc[0]
        text = (f"“{say.label(worst.channel)}” misses the target: {say.share(worst.target_share)} of its leads are on target "
                f"({say.range(worst.target_low_share, worst.target_high_share)}, {say.count(worst.target_count)} of "
                f"{say.count(worst.known_count)}), and it brings "
                f"{say.share(float(ratio(worst.leads_count, row.leads_count)))} of all leads. Change whom it speaks to, or "
                "move its money.")
        sentences.append(Sentence("off_target_channel", text, channel=worst.channel, target_share=worst.target_share,
                                  leads_count=worst.leads_count))
    return sentences


def _off_target(process: Process) -> list[Sentence]:
    say = Speaker(process)
    economics = measures.channel_economics(process)
    known = economics[economics["off_target_amount"].fillna(0) > 0].sort_values("off_target_amount", ascending=False)
    if known.empty:
        return []
    total, first = known["off_target_amount"].sum(), known.iloc[0]
    text = (f"{say.money(total)} of the money of the channels went to leads off target, most of it in "
            f"“{say.label(first.channel)}” ({say.money(first.off_target_amount)} of {say.money(first.cost_amount)}).")
    return [Sentence("off_target_money", text, off_target_amount=total, channel=first.channel,
                     channel_amount=first.off_target_amount)]


def _costs(process: Process) -> list[Sentence]:
    say = Speaker(process)
    row = measures.channel_economics(process, by=None).iloc[0]
    if row.cost_amount == 0:
        return [Sentence("costs", "What a lead costs cannot be told: no cost of lead generation is recorded.")]
    if math.isnan(row.cost_amount):
        why = "there is no table of spend, and no work with an hour cost."
        if process.has("work") and process.has("spend"):
            why = "too many of the hours are by roles without an hour cost."
        return [Sentence("costs", f"What a lead costs cannot be told: {why}")]
    parts = [f"{what} costs {say.money(value)}" for what, value in
             (("a lead", row.cost_per_lead_amount), ("a lead on target", row.cost_per_target_lead_amount),
              ("a new customer", row.cost_per_customer_amount)) if not math.isnan(value)]
    text = f"Lead generation cost {say.money(row.cost_amount)} in all" + (": " + ", ".join(parts) if parts else "") + "."
    economics = measures.channel_economics(process).set_index("channel")["cost_amount"]
    loose = float(economics.get(NOT_ALLOCATED, 0))
    if loose > 0:
        text += (f" {say.money(loose)} of it ({say.share(float(ratio(loose, row.cost_amount)))}) names no channel and is in "
                 "the totals only.")
    return [Sentence("costs", text, cost_amount=row.cost_amount, cost_per_lead_amount=row.cost_per_lead_amount,
                     cost_per_target_lead_amount=row.cost_per_target_lead_amount,
                     cost_per_customer_amount=row.cost_per_customer_amount, not_allocated_amount=loose)]


def _channels(process: Process) -> list[Sentence]:
    say = Speaker(process)
    economics = measures.channel_economics(process)
    sentences = []
    sure = economics[(economics["customers_count"] >= FEW) & economics["cost_per_customer_amount"].notna()]
    if len(sure) > 1:
        ranked = sure.sort_values("cost_per_customer_amount", ascending=False)
        dear, cheap = ranked.iloc[0], ranked.iloc[-1]
        text = (f"A new customer from “{say.label(dear.channel)}” costs {say.money(dear.cost_per_customer_amount)} "
                f"({say.count(dear.customers_count)} customers), one from “{say.label(cheap.channel)}” "
                f"{say.money(cheap.cost_per_customer_amount)} ({say.count(cheap.customers_count)}).")
        sentences.append(Sentence("customer_cost", text, dear_channel=dear.channel,
                                  dear_amount=dear.cost_per_customer_amount, cheap_channel=cheap.channel,
                                  cheap_amount=cheap.cost_per_customer_amount))
    named = economics[economics["channel"] != NOT_ALLOCATED]
    idle = named[(named["spend_amount"] > 0) & (named["leads_count"] == 0)]
    if len(idle):
        text = (f"Money was spent on channels that brought no lead: {', '.join(say.label(key) for key in idle['channel'])} "
                f"({say.money(idle['spend_amount'].sum())}).")
        sentences.append(Sentence("idle_channels", text, amount=idle["spend_amount"].sum(), channels_count=len(idle)))
    return sentences


def _uncosted(process: Process) -> list[Sentence]:
    say = Speaker(process)
    hours = float(channel_costs(process)["uncosted_hours"].sum())
    if hours <= 0:
        return []
    return [Sentence("uncosted_hours", f"{say.hours(hours)} of work are by roles without an hour cost and are in no figure of "
                                       "money: state their hour_cost.", hours=hours)]
