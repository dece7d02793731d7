"""Exercise 1 answered: how many leads come and from where, whether they are on target, and what they cost."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import lead_flow as measures
from funnel_lib.answers.counted import complete_periods, new_leads, period_name
from funnel_lib.answers.of_attribution import attributed
from funnel_lib.answers.of_cards import campaigns, described
from funnel_lib.answers.of_lead_flow import signals, weekdays
from funnel_lib.answers.of_response import answered_in
from funnel_lib.answers.of_returns import earned_back, marginal, paid_back
from funnel_lib.answers.of_sufficiency import beside, enough
from funnel_lib.answers.of_target import target_against_other
from funnel_lib.answers.sentence import Sentence, Speaker, answered
from funnel_lib.company import Process
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import marked, message
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
        raise MeasureError(message("{process}: whether the flow is enough cannot be told without orders, or leads with their "
                                   "movement through the steps",
                                   process=process.name))
    per_month, count, days = lately_per_month(process)
    wanted, asked = _wanted(process, plan)
    came = {"came": say.number(per_month), "count": say.count(count), "days": say.days(days)}
    if math.isnan(wanted):
        text = say("{came} new customers came in a month on average ({count} in {days}). The process has no plan, so whether that "
                   "is enough cannot be said: state new_customers_per_month in the description.", **came)
        return [Sentence("plan", text, customers_per_month=per_month, customers_count=count)]
    part = float(ratio(per_month, wanted))
    low, high = (float(ratio(limit, days)) * DAYS_PER_MONTH for limit in poisson_limits(count))
    beside = []
    if math.isnan(part):
        text = say("The plan asks for {asked}; {came} came in a month on average ({count} in {days}).", asked=asked, **came)
    else:
        text = _against_plan(say, (low, high), wanted, asked, came)
        share = say("That is {share} of the plan; chance alone leaves {range} a month (95 % interval).", share=say.share(part),
                    range=say.range(low, high, "number"))
        beside = [Sentence("plan_share", share, plan_share=part)]
    return [Sentence("plan", text, planned_per_month=wanted, customers_per_month=per_month, customers_low_per_month=low,
                     customers_high_per_month=high, customers_count=count, plan_share=part), *beside]


def _against_plan(say: Speaker, limits: tuple[float, float], wanted: float, asked: str, came: dict[str, str]) -> str:
    """More or fewer than planned only where chance alone does not explain it: the plan lies outside the interval."""
    low, high = limits
    if low > wanted:
        return say("Clearly more new customers came than planned: the plan asks for {asked}; {came} came in a month on average "
                   "({count} in {days}).",
                   asked=asked, **came)
    if high < wanted:
        return say("Clearly fewer new customers came than planned: the plan asks for {asked}; {came} came in a month on average "
                   "({count} in {days}).",
                   asked=asked, **came)
    return say("Whether as many new customers came as planned cannot be told from {count} of them: the plan asks for {asked}; "
               "{came} came in a month on average ({count} in {days}).",
               asked=asked, **came)


def _wanted(process: Process, plan: object) -> tuple[float, str]:
    """New customers per month that the plan asks for, and how to say it."""
    say = Speaker(process)
    if plan is None:
        return math.nan, ""
    if plan.new_customers_per_month is not None:
        asked = say.plural(plan.new_customers_per_month, "{customers} new customer a month", "{customers} new customers a month",
                           customers=say.number(plan.new_customers_per_month))
        return plan.new_customers_per_month, asked
    if plan.revenue_per_month is None:
        return math.nan, ""
    amount = first_order_amount(process)
    wanted = float(ratio(plan.revenue_per_month, amount))
    return wanted, say("{money} a month, which is {customers} new customers at a mean first order of {amount}",
                       money=say.money(plan.revenue_per_month), customers=say.number(wanted), amount=say.money(amount))


def _flow(process: Process) -> list[Sentence]:
    say = Speaker(process)
    per = max("week", finest_period(process), key=list(PERIODS).index)
    counts = measures.lead_counts(process, per=per)
    whole = counts[counts["complete"].astype(bool)]
    starts = sorted(whole["period_start"].unique())[-LATEST[per]:]
    if not starts:
        text = say("No whole {period} has been observed yet, so leads per {period} cannot be told.", period=period_name(say, per))
        return [Sentence("flow", text, **{f"{per}s_count": 0})]
    lately = whole[whole["period_start"].isin(starts)]
    total = lately["leads_count"].sum()
    by_channel = lately.groupby("channel")["leads_count"].sum().sort_values(ascending=False, kind="stable")
    mean = float(ratio(total, len(starts)))
    parts = [say("“{channel}” {share}", channel=say.label(key), share=say.share(float(ratio(count, total))))
             for key, count in by_channel.head(3).items() if count]
    empty = int((lately.groupby("period_start")["leads_count"].sum() == 0).sum())
    which = {"last": _latest(say, len(starts), per), "first_day": say.date(starts[0]),
             "last_day": say.date(next_period_start(starts[-1], per) - pd.Timedelta(days=1))}
    if total:
        text = say("{leads} came in a {period} on average ({total} in {last}, {first_day} – {last_day}), most of them "
                   "from {channels}.",
                   leads=_mean_of(mean, say), period=period_name(say, per), total=say.count(total), channels=", ".join(parts),
                   **which)
        text += " " + say("In {count} of them nobody came.", count=say.count(empty)) if empty else ""
    else:
        text = say("No new lead came in {last} ({first_day} – {last_day}).", **which)
    return [Sentence("flow", text, leads_count=int(total),
                     **{f"leads_per_{per}": mean, f"{per}s_count": len(starts), f"empty_{per}s_count": empty},
                     **({"first_channel": by_channel.index[0]} if parts else {}))]


def _latest(say: Speaker, count: int, per: str) -> str:
    if count == 1:
        return say("the last complete {period}", period=period_name(say, per))
    return say("the last {periods}", periods=complete_periods(say, count, per))


def _mean_of(mean: float, say: Speaker) -> str:
    """A mean count: one decimal, and never 0 where somebody came."""
    if 0 < mean < FEWEST_SHOWN:
        return say("Fewer than {few} new leads", few=say.count(2 * FEWEST_SHOWN))
    return new_leads(say, say.count(mean))


def _target(process: Process) -> list[Sentence]:
    say = Speaker(process)
    whole, shares = measures.target_share(process, by=None), measures.target_share(process)
    if whole.empty or not whole["known_count"].iloc[0]:
        return [Sentence("target", say("No lead has a known segment, so whether the leads are on target cannot be told."))]
    row = whole.iloc[0]
    text = say("{share} of the leads are on target (95 % interval {range}, {target} of {known} with a known segment; {unknown} "
               "unknown).",
               share=say.share(row.target_share), range=say.range(row.target_low_share, row.target_high_share),
               target=say.count(row.target_count), known=say.count(row.known_count), unknown=say.count(row.unknown_count))
    sentences = [Sentence("target", text, target_share=row.target_share, low_share=row.target_low_share,
                          high_share=row.target_high_share, target_count=row.target_count, known_count=row.known_count,
                          unknown_count=row.unknown_count)]
    # Only a channel whose whole interval lies below the rest is named: ranking the others would be guessing.
    low = shares[~shares["few"] & (shares["target_high_share"] < row.target_low_share)].sort_values("target_share")
    if len(low):
        worst = low.iloc[0]
        text = say("“{channel}” misses the target: {share} of its leads are on target ({range}, {target} of {known}), and it "
                   "brings {part} of all leads. Change whom it speaks to, or move its money.",
                   channel=say.label(worst.channel), share=say.share(worst.target_share),
                   range=say.range(worst.target_low_share, worst.target_high_share), target=say.count(worst.target_count),
                   known=say.count(worst.known_count), part=say.share(float(ratio(worst.leads_count, row.leads_count))))
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
    text = say("{total} of the money of the channels went to leads off target, most of it in “{channel}” ({amount} of {cost}).",
               total=say.money(total), channel=say.label(first.channel), amount=say.money(first.off_target_amount),
               cost=say.money(first.cost_amount))
    return [Sentence("off_target_money", text, off_target_amount=total, channel=first.channel,
                     channel_amount=first.off_target_amount)]


def _costs(process: Process) -> list[Sentence]:
    say = Speaker(process)
    row = measures.channel_economics(process, by=None).iloc[0]
    if row.cost_amount == 0:
        return [Sentence("costs", say("What a lead costs cannot be told: no cost of lead generation is recorded."))]
    if math.isnan(row.cost_amount):
        return [Sentence("costs", _no_costs(process))]
    values = ((marked("a lead costs {money}"), row.cost_per_lead_amount),
              (marked("a lead on target costs {money}"), row.cost_per_target_lead_amount),
              (marked("a new customer costs {money}"), row.cost_per_customer_amount))
    parts = [say(words, money=say.money(value)) for words, value in values if not math.isnan(value)]
    text = (say("Lead generation cost {money} in all: {parts}.", money=say.money(row.cost_amount),
                parts=", ".join(parts)) if parts else
            say("Lead generation cost {money} in all.", money=say.money(row.cost_amount)))
    economics = measures.channel_economics(process).set_index("channel")["cost_amount"]
    loose = float(economics.get(NOT_ALLOCATED, 0))
    if loose > 0:
        text += " " + say("{money} of it ({share}) names no channel and is in the totals only.", money=say.money(loose),
                          share=say.share(float(ratio(loose, row.cost_amount))))
    return [Sentence("costs", text, cost_amount=row.cost_amount, cost_per_lead_amount=row.cost_per_lead_amount,
                     cost_per_target_lead_amount=row.cost_per_target_lead_amount,
                     cost_per_customer_amount=row.cost_per_customer_amount, not_allocated_amount=loose)]


def _no_costs(process: Process) -> str:
    say = Speaker(process)
    if process.has("work") and process.has("spend"):
        return say("What a lead costs cannot be told: too many of the hours are by roles without an hour cost.")
    return say("What a lead costs cannot be told: there is no table of spend, and no work with an hour cost.")


def _channels(process: Process) -> list[Sentence]:
    say = Speaker(process)
    economics = measures.channel_economics(process)
    sentences = []
    sure = economics[(economics["customers_count"] >= FEW) & economics["cost_per_customer_amount"].notna()]
    if len(sure) > 1:
        ranked = sure.sort_values("cost_per_customer_amount", ascending=False)
        dear, cheap = ranked.iloc[0], ranked.iloc[-1]
        text = say("A new customer from “{dear}” costs {dear_money} ({dear_count} customers), one from “{cheap}” {cheap_money} "
                   "({cheap_count}).",
                   dear=say.label(dear.channel), dear_money=say.money(dear.cost_per_customer_amount),
                   dear_count=say.count(dear.customers_count), cheap=say.label(cheap.channel),
                   cheap_money=say.money(cheap.cost_per_customer_amount), cheap_count=say.count(cheap.customers_count))
        sentences.append(Sentence("customer_cost", text, dear_channel=dear.channel,
                                  dear_amount=dear.cost_per_customer_amount, cheap_channel=cheap.channel,
                                  cheap_amount=cheap.cost_per_customer_amount))
    named = economics[economics["channel"] != NOT_ALLOCATED]
    idle = named[(named["spend_amount"] > 0) & (named["leads_count"] == 0)]
    if len(idle):
        text = say("Money was spent on channels that brought no lead: {channels} ({money}).",
                   channels=", ".join(say.label(key) for key in idle["channel"]), money=say.money(idle["spend_amount"].sum()))
        sentences.append(Sentence("idle_channels", text, amount=idle["spend_amount"].sum(), channels_count=len(idle)))
    return sentences


def _uncosted(process: Process) -> list[Sentence]:
    say = Speaker(process)
    hours = float(channel_costs(process)["uncosted_hours"].sum())
    if hours <= 0:
        return []
    text = say.plural(hours,
                      "{hours} of work is by roles without an hour cost and is in no figure of money: state their hour_cost.",
                      "{hours} of work are by roles without an hour cost and are in no figure of money: state their hour_cost.",
                      hours=say.hours(hours))
    return [Sentence("uncosted_hours", text, hours=hours)]
