"""Whether the channels are worth their money, in sentences: what they earned back and when, and what one more customer costs."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import lead_flow as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.labour import has_costs

ALL = "all"
NOT_TOLD = ("What the channels earn back cannot be told yet: it takes dated spend, margins, leads at least 12 months old and 30 "
            "customers of a channel who came by such leads.")
# Why nothing can be said of a channel's next customer, in words that follow its name.
REASONS = {
    "undated_spend": "some of its spend has no date", "rare_spend": "it is paid less than once a month",
    "coarse_leads": "its leads are counted for longer periods than its spend",
    "few_periods": "fewer than 12 whole weeks or months of spend are recorded", "steady_spend": "its spend was never varied",
    "no_leads": "it brought no lead", "lost_in_noise": "the leads vary too much by themselves",
    "money_follows_leads": "the money may have followed the leads instead, as where it is paid per lead"}


def returns(process: Process) -> list[Sentence]:
    """All sentences on whether the channels are worth their money."""
    return [*earned_back(process), *paid_back(process), *marginal(process)]


def earned_back(process: Process) -> list[Sentence]:
    """What the leads earned back in 12 months, and which channels differ from the others by more than chance."""
    if not (process.has("leads") and process.has("orders") and has_costs(process)):
        return [Sentence("returns", NOT_TOLD)]
    say, table = Speaker(process), measures.channel_returns(process)
    named = table[(table["channel"] != ALL) & table["romi_share"].notna() & ~table["few"]]
    whole = table[table["channel"] == ALL].iloc[0]
    if named.empty:
        return [Sentence("returns", NOT_TOLD)]
    numbers = {f"romi_share_{row.channel}": row.romi_share for row in named.itertuples()}
    numbers |= {name: whole[name] for name in ("romi_share", "romi_low_share", "romi_high_share", "projected_romi_share")
                if not math.isnan(whole[name])}
    sentences = [Sentence("returns", f"{_together(whole, named, say)} {_differences(named, say)}{_losses(named, say)}", **numbers)]
    left_out = whole.left_out_cost_amount
    if whole.projected and left_out > 0:
        text = ("The leads of the last months are in the projection with what such leads bring by 12 months; "
                f"{say.money(left_out)} of cost of months with leads under a month old is left out of it.")
        sentences.append(Sentence("returns_left_out", text, left_out_cost_amount=left_out))
    return sentences


def _together(whole: pd.Series, named: pd.DataFrame, say: Speaker) -> str:
    """The return of everything, else of the only channel or of those that can be told."""
    head = "In 12 months leads earned back their full cost and"
    if math.isnan(whole.romi_share):
        one = named.iloc[0]
        rest = f"{say.share(one.romi_share)} more in “{say.label(one.channel)}”" if len(named) == 1 else _each(named, say)
        return f"Margin less full cost, as a share of the cost, in 12 months: {rest}."
    if whole.romi_low_share > 0:
        text = f"{head} {say.share(whole.romi_share)} of it more"
    elif whole.romi_high_share < 0:
        text = f"In 12 months leads did not earn back their full cost: {say.share(-whole.romi_share)} of it is missing"
    else:
        text = ("Whether leads earn back their full cost in 12 months cannot be told: the margin less the cost is "
                f"{say.share(whole.romi_share)} of it")
    text += f" (95 % interval {say.range(whole.romi_low_share, whole.romi_high_share)}), money of no channel included"
    if whole.projected and not math.isnan(whole.projected_romi_share):
        text += f"; with young leads projected {say.share(whole.projected_romi_share)}"
    return text + "."


def _each(table: pd.DataFrame, say: Speaker) -> str:
    return ", ".join(f"“{say.label(row.channel)}” {say.share(row.romi_share)} "
                     f"({say.range(row.romi_low_share, row.romi_high_share)})" for row in table.itertuples())


def _differences(named: pd.DataFrame, say: Speaker) -> str:
    parts = [f"clearly {word} than the others: {_each(named[named['verdict'] == verdict], say)}"
             for verdict, word in (("above", "more"), ("below", "less")) if (named["verdict"] == verdict).any()]
    if parts:
        text = f"Before the money of no channel is shared out, {'; '.join(parts)}."
        same = named[~named["verdict"].isin(["above", "below"])]
        return text + (f" The others cannot be ranked: chance explains their differences ({_names(same, say)})." if len(same) > 1
                       else f" “{say.label(same.iloc[0].channel)}” does not differ from the others by more than chance."
                       if len(same) else "")
    if len(named) == 1:
        return f"Only “{say.label(named.iloc[0].channel)}” has 30 customers to judge by, so channels cannot be ranked."
    return f"The channels cannot be ranked by it: chance explains their differences ({_names(named, say)})."


def _losses(named: pd.DataFrame, say: Speaker) -> str:
    lost, open_ones = named[named["romi_high_share"] < 0], named[(named["romi_low_share"] <= 0) & (named["romi_high_share"] >= 0)]
    text = f" {_names(lost, say)} did not earn the cost back." if len(lost) else ""
    if len(open_ones):
        text += f" Whether {_names(open_ones, say)} earned the cost back cannot be told."
    return text


def _names(table: pd.DataFrame, say: Speaker) -> str:
    names = [f"“{say.label(key)}”" for key in table["channel"]]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


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
    said = [f"{_by_month(months)} in {_names(part, say)}" for months, part in named.groupby("payback_months", dropna=False)]
    together = [f"{_by_month(months)}, all together" for months in whole["payback_months"]]
    text = f"Leads had earned back their full cost {'; '.join([*together, ', '.join(said)] if said else together)}."
    if len(named) > 1:
        text += " Between single channels a few customers make a month more or less: that is no ranking."
    numbers = {key: months for key, months in numbers.items() if not math.isnan(months)}
    return [Sentence("payback", text, **numbers)]


def _by_month(months: float) -> str:
    return "not within 12 months" if math.isnan(months) else f"by month {months:.0f} of their age"


def marginal(process: Process) -> list[Sentence]:
    """What one more customer cost when the spending rose, and why that is no proof."""
    say, table = Speaker(process), measures.marginal_cost(process)
    if table.empty:
        return [Sentence("marginal_cost", "What one more customer costs cannot be told: no spend for lead generation names a "
                                          "channel.")]
    sentences = []
    for row in table[table["verdict"].isin(["dearer", "cheaper"])].itertuples():
        sentences.append(Sentence("marginal_cost", _one(row, say), channel=row.channel, verdict=row.verdict))
    same = table[table["verdict"] == "no_difference"]
    if len(same):
        text = (f"When the spend in {_names(same, say)} rose, one more customer cost no clearly different amount from one on "
                "average: no sign that more money there brings less, and no proof that it does not.")
        sentences.append(Sentence("marginal_cost", text, verdict="no_difference", channels_count=len(same)))
    unknown = table[table["verdict"] == "cannot_tell"]
    for reason, part in unknown.groupby("reason"):
        text = f"What one more customer costs in {_names(part, say)} cannot be told: {_of_each(REASONS[reason], len(part))}."
        sentences.append(Sentence("marginal_cost", text, verdict="cannot_tell", reason=reason, channels_count=len(part)))
    if len(unknown) < len(table):
        sentences.append(Sentence("marginal_doubt", (
            "The cost of one more customer is read from weeks or months in which the spend rose, and is no proof of cause: money "
            "that is paid per lead or raised in the season looks the same. To be sure, raise the spend in weeks drawn by lot.")))
    return sentences


def _one(row: tuple, say: Speaker) -> str:
    extra, mean = row.extra_cost_per_customer_amount, row.mean_cost_per_customer_amount
    if math.isnan(extra):
        return (f"More money in “{say.label(row.channel)}” brought no more leads ({say.count(row.periods_count)} {row.per}s, by "
                "more than chance fewer than on average): before spending more there, try it.")
    text = f"One more customer from “{say.label(row.channel)}” cost {say.money(extra)} when the spend rose"
    if math.isnan(row.extra_cost_per_customer_high_amount):
        text += f" (at least {say.money(row.extra_cost_per_customer_low_amount)}, without an upper limit)"
    else:
        text += (" (95 % interval "
                 f"{say.range(row.extra_cost_per_customer_low_amount, row.extra_cost_per_customer_high_amount, 'amount')})")
    return f"{text}, {row.verdict} than the {say.money(mean)} of one on average."


def _of_each(reason: str, count: int) -> str:
    """The reason of one channel, or said of each of several."""
    return reason if count == 1 else f"for each of them, {reason}"
