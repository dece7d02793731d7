"""Whether the channels are worth their money, in sentences: what they earned back and when, and what one more customer costs."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import lead_flow as measures
from funnel_lib.answers.counted import counted_periods
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.labour import has_costs
from funnel_lib.language.messages import marked
from funnel_lib.rates import FEW

ALL = "all"
NOT_TOLD = marked("What the channels earn back cannot be told yet: it takes dated spend, margins, leads at least 12 months old and "
                  "30 customers of a channel who came by such leads.")
# Why nothing can be said of a channel's next customer, in words that follow its name.
REASONS = {
    "undated_spend": marked("some of its spend has no date"), "rare_spend": marked("it is paid less than once a month"),
    "coarse_leads": marked("its leads are counted for longer periods than its spend"),
    "few_periods": marked("fewer than 12 whole weeks or months of spend are recorded"), "steady_spend": marked("its spend was "
                                                                                                               "never varied"),
    "no_leads": marked("it brought no lead"), "lost_in_noise": marked("the leads vary too much by themselves"),
    "money_follows_leads": marked("the money may have followed the leads instead, as where it is paid per lead")}


def returns(process: Process) -> list[Sentence]:
    """All sentences on whether the channels are worth their money."""
    return [*earned_back(process), *paid_back(process), *marginal(process)]


def earned_back(process: Process) -> list[Sentence]:
    """What the leads earned back in 12 months, and which channels differ from the others by more than chance."""
    say = Speaker(process)
    if not (process.has("leads") and process.has("orders") and has_costs(process)):
        return [Sentence("returns", say(NOT_TOLD))]
    table = measures.channel_returns(process)
    named = table[(table["channel"] != ALL) & table["romi_share"].notna() & ~table["few"]]
    whole = table[table["channel"] == ALL].iloc[0]
    if named.empty:
        return [Sentence("returns", say(NOT_TOLD))]
    numbers = {f"romi_share_{row.channel}": row.romi_share for row in named.itertuples()}
    numbers |= {name: whole[name] for name in ("romi_share", "romi_low_share", "romi_high_share", "projected_romi_share")
                if not math.isnan(whole[name])}
    parts = [_together(whole, named, say), *_differences(named, say), *_losses(named, say)]
    sentences = [Sentence("returns", " ".join(parts), **numbers)]
    left_out = whole.left_out_cost_amount
    if whole.projected and left_out > 0:
        text = say("The leads of the last months are in the projection with what such leads bring by 12 months; {money} of cost of "
                   "months with leads under a month old is left out of it.",
                   money=say.money(left_out))
        sentences.append(Sentence("returns_left_out", text, left_out_cost_amount=left_out))
    return sentences


def _together(whole: pd.Series, named: pd.DataFrame, say: Speaker) -> str:
    """The return of everything, else of the only channel or of those that can be told."""
    if math.isnan(whole.romi_share):
        one = named.iloc[0]
        rest = _each(named, say) if len(named) > 1 else say("{share} more in “{channel}”", share=say.share(one.romi_share),
                                                            channel=say.label(one.channel))
        return say("Margin less full cost, as a share of the cost, in 12 months: {channels}.", channels=rest)
    numbers = {"range": say.range(whole.romi_low_share, whole.romi_high_share), "share": say.share(abs(whole.romi_share))}
    if whole.romi_low_share > 0:
        text = say("In 12 months leads earned back their full cost and {share} of it more (95 % interval {range}), money of no "
                   "channel included", **numbers)
    elif whole.romi_high_share < 0:
        text = say("In 12 months leads did not earn back their full cost: {share} of it is missing (95 % interval {range}), money "
                   "of no channel included", **numbers)
    else:
        numbers["share"] = say.share(whole.romi_share)
        text = say("Whether leads earn back their full cost in 12 months cannot be told: the margin less the cost is {share} of it "
                   "(95 % interval {range}), money of no channel included", **numbers)
    if not whole.projected or math.isnan(whole.projected_romi_share):
        return say("{text}.", text=text)
    return say("{text}; with young leads projected {share}.", text=text, share=say.share(whole.projected_romi_share))


def _each(table: pd.DataFrame, say: Speaker) -> str:
    return ", ".join(say("“{channel}” {share} ({range})", channel=say.label(row.channel), share=say.share(row.romi_share),
                         range=say.range(row.romi_low_share, row.romi_high_share)) for row in table.itertuples())


def _differences(named: pd.DataFrame, say: Speaker) -> list[str]:
    above, below = (named[named["verdict"] == verdict] for verdict in ("above", "below"))
    if len(above) or len(below):
        return [_apart(above, below, say), *_not_apart(named[~named["verdict"].isin(["above", "below"])], say)]
    if len(named) == 1:
        return [say("Only “{channel}” has {few} customers to judge by, so channels cannot be ranked.",
                    channel=say.label(named.iloc[0].channel), few=say.count(FEW))]
    return [say("The channels cannot be ranked by it: chance explains their differences ({channels}).",
                channels=_names(named, say))]


def _apart(above: pd.DataFrame, below: pd.DataFrame, say: Speaker) -> str:
    if below.empty:
        return say("Before the money of no channel is shared out, clearly more than the others: {above}.", above=_each(above, say))
    if above.empty:
        return say("Before the money of no channel is shared out, clearly less than the others: {below}.", below=_each(below, say))
    return say("Before the money of no channel is shared out, clearly more than the others: {above}; clearly less than the others: "
               "{below}.", above=_each(above, say), below=_each(below, say))


def _not_apart(same: pd.DataFrame, say: Speaker) -> list[str]:
    if len(same) > 1:
        return [say("The others cannot be ranked: chance explains their differences ({channels}).", channels=_names(same, say))]
    return [say("“{channel}” does not differ from the others by more than chance.",
                channel=say.label(key)) for key in same["channel"]]


def _losses(named: pd.DataFrame, say: Speaker) -> list[str]:
    lost, open_ones = named[named["romi_high_share"] < 0], named[(named["romi_low_share"] <= 0) & (named["romi_high_share"] >= 0)]
    said = [say("{channels} did not earn the cost back.", channels=_names(lost, say))] if len(lost) else []
    if len(open_ones):
        said.append(say("Whether {channels} earned the cost back cannot be told.", channels=_names(open_ones, say)))
    return said


def _names(table: pd.DataFrame, say: Speaker) -> str:
    *most, last = table["channel"]
    if not most:
        return say.names([last])
    return say("{channels} and {last}", channels=say.names(most), last=say.names([last]))


def paid_back(process: Process) -> list[Sentence]:
    """By which month of their age the leads had earned back their full cost."""
    if not (process.has("leads") and process.has("orders") and has_costs(process)):
        return []
    say, table = Speaker(process), measures.channel_returns(process)
    known = table[table["romi_share"].notna() & ~table["few"]]
    named, whole = known[known["channel"] != ALL], known[known["channel"] == ALL]
    if known.empty:
        return []
    numbers = {f"payback_months_{row.channel}": row.payback_months for row in named.itertuples()}
    numbers |= {"payback_months": whole["payback_months"].min()}
    said = [_by_month(months, part, say) for months, part in named.groupby("payback_months", dropna=False)]
    together = [_all_by_month(months, say) for months in whole["payback_months"]]
    parts = "; ".join([*together, ", ".join(said)] if said else together)
    text = say("Leads had earned back their full cost {parts}.", parts=parts)
    if len(named) > 1:
        text += " " + say("Between single channels a few customers make a month more or less: that is no ranking.")
    numbers = {key: months for key, months in numbers.items() if not math.isnan(months)}
    return [Sentence("payback", text, **numbers)]


def _all_by_month(months: float, say: Speaker) -> str:
    if math.isnan(months):
        return say("not within 12 months, all together")
    return say("by month {month} of their age, all together", month=say.count(months))


def _by_month(months: float, table: pd.DataFrame, say: Speaker) -> str:
    if math.isnan(months):
        return say("not within 12 months in {channels}", channels=_names(table, say))
    return say("by month {month} of their age in {channels}", month=say.count(months), channels=_names(table, say))


def marginal(process: Process) -> list[Sentence]:
    """What one more customer cost when the spending rose, and why that is no proof."""
    say, table = Speaker(process), measures.marginal_cost(process)
    if table.empty:
        text = say("What one more customer costs cannot be told: no spend for lead generation names a channel.")
        return [Sentence("marginal_cost", text)]
    sentences = []
    for row in table[table["verdict"].isin(["dearer", "cheaper"])].itertuples():
        sentences.append(Sentence("marginal_cost", _one(row, say), channel=row.channel, verdict=row.verdict))
    same = table[table["verdict"] == "no_difference"]
    if len(same):
        text = say("When the spend in {channels} rose, one more customer cost no clearly different amount from one on average: no "
                   "sign that more money there brings less, and no proof that it does not.",
                   channels=_names(same, say))
        sentences.append(Sentence("marginal_cost", text, verdict="no_difference", channels_count=len(same)))
    unknown = table[table["verdict"] == "cannot_tell"]
    for reason, part in unknown.groupby("reason"):
        numbers = {"channels": _names(part, say), "reason": say(REASONS[reason])}
        text = (say("What one more customer costs in {channels} cannot be told: {reason}.", **numbers) if len(part) == 1 else
                say("What one more customer costs in {channels} cannot be told: for each of them, {reason}.", **numbers))
        sentences.append(Sentence("marginal_cost", text, verdict="cannot_tell", reason=reason, channels_count=len(part)))
    if len(unknown) < len(table):
        text = say("The cost of one more customer is read from weeks or months in which the spend rose, and is no proof of cause: "
                   "money that is paid per lead or raised in the season looks the same. To be sure, raise the spend in weeks drawn "
                   "by lot.")
        sentences.append(Sentence("marginal_doubt", text))
    return sentences


def _one(row: tuple, say: Speaker) -> str:
    extra, channel = row.extra_cost_per_customer_amount, say.label(row.channel)
    if math.isnan(extra):
        return say("More money in “{channel}” brought no more leads ({periods}, by more than chance fewer than on average): before "
                   "spending more there, try it.",
                   channel=channel, periods=counted_periods(say, int(row.periods_count), row.per))
    numbers = {"channel": channel, "money": say.money(extra), "limits": _limits(row, say),
               "mean": say.money(row.mean_cost_per_customer_amount)}
    if row.verdict == "dearer":
        return say("One more customer from “{channel}” cost {money} when the spend rose ({limits}), dearer than the {mean} of one "
                   "on average.", **numbers)
    return say("One more customer from “{channel}” cost {money} when the spend rose ({limits}), cheaper than the {mean} of one on "
               "average.", **numbers)


def _limits(row: tuple, say: Speaker) -> str:
    low, high = row.extra_cost_per_customer_low_amount, row.extra_cost_per_customer_high_amount
    if math.isnan(high):
        return say("at least {money}, without an upper limit", money=say.money(low))
    return say("95 % interval {range}", range=say.range(low, high, "amount"))
