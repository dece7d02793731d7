"""What lead generation does in sentences: its campaigns, and how far its technology cards are what is really done."""

from __future__ import annotations

import pandas as pd

from funnel_lib import lead_flow as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.rates import FEW, rate, ratio
from funnel_lib.schema import MISSING, OTHER

_NAMED = 3
FAR_PART = 1 / 3


def campaigns(process: Process) -> list[Sentence]:
    """The campaigns that bring most leads, and how many leads name none: sizes, no ranking of their worth."""
    if not process.has("leads", "campaign"):
        return []
    say, counts = Speaker(process), measures.lead_counts(process, by="campaign", per="month")
    sizes = counts.groupby("campaign")["leads_count"].sum().sort_values(ascending=False, kind="stable") if len(counts) else counts
    total, missing = int(sizes.sum()) if len(counts) else 0, int(sizes.get(MISSING, 0)) if len(counts) else 0
    if not total or missing == total:
        return [Sentence("campaigns", say("No lead names a campaign, so campaigns cannot be compared."), leads_count=total)]
    named = sizes.drop(MISSING, errors="ignore")
    parts = [say("“{campaign}” {share} ({count})", campaign=say.label(key), share=say.share(float(ratio(count, total))),
                 count=say.count(count)) for key, count in named.head(_NAMED).items()]
    without = rate(missing, total)
    numbers = {"total": say.count(total), "parts": ", ".join(parts), "share": say.share(without.share),
               "missing": say.count(missing)}
    if len(named) > 1:
        text = say("Of {total} leads, the largest of {campaigns} campaigns: {parts}. {share} ({missing}) name none. These are "
                   "sizes, not merits: which campaign is worth more they do not say.",
                   campaigns=say.count(len(named)), **numbers)
    else:
        text = say("Of {total} leads, one campaign: {parts}. {share} ({missing}) name none. These are sizes, not merits: which "
                   "campaign is worth more they do not say.", **numbers)
    return [Sentence("campaigns", text, leads_count=total, campaigns_count=len(named), without_count=missing,
                     without_share=without.share)]


def described(process: Process) -> list[Sentence]:
    """How far the described technology of lead generation is what is really done."""
    say, table = Speaker(process), measures.cards(process)
    loose = table[table["card"].isin([MISSING, OTHER])]
    known = table.drop(loose.index)
    hours, total = float(loose["hours"].sum()), float(table["hours"].sum())
    count = len(known)
    if not count:
        text = say("No technology card of lead generation is described, so its {hours} of work cannot be held against anything: "
                   "describe who does what, by what means, in how many minutes.",
                   hours=say.hours(total))
        return [Sentence("cards", text, cards_count=0, hours=total)]
    if known["executions_count"].isna().all():
        text = say.plural(count, "{count} technology card of lead generation is described; whether the work is done that way "
                                 "cannot be told without a log of work that names the cards.",
                          "{count} technology cards of lead generation are described; whether the work is done that way cannot be "
                          "told without a log of work that names the cards.",
                          count=say.count(count))
        return [Sentence("cards", text, cards_count=count)]
    idle, far = known[known["executions_count"] == 0], _far(known)
    text = _used(idle, count, say)
    if hours > 0:
        text += " " + say.plural(hours, "{hours} of work ({share} of the stage) names no described card.",
                                 "{hours} of work ({share} of the stage) name no described card.", hours=say.hours(hours),
                                 share=say.share(float(ratio(hours, total))))
    sentences = [Sentence("cards", text, cards_count=count, idle_count=len(idle), without_card_hours=hours)]
    if len(far):
        parts = [say("“{card}” takes {actual} minutes instead of {norm} ({count} executions)", card=say.label(row.card),
                     actual=say.number(row.actual_minutes), norm=say.number(row.norm_minutes),
                     count=say.count(row.executions_count))
                 for row in far.itertuples()]
        text = say("More than a third off the norm: {cards}. Correct the norm or the work.", cards="; ".join(parts))
        sentences.append(Sentence("norms", text, far_count=len(far)))
    return sentences


def _used(idle: pd.DataFrame, count: int, say: Speaker) -> str:
    """How many cards there are, and which of them the log never shows."""
    if idle.empty:
        return say.plural(count, "{count} technology card of lead generation is described, and the log shows all of them.",
                          "{count} technology cards of lead generation are described, and the log shows all of them.",
                          count=say.count(count))
    return say.plural(count, "{count} technology card of lead generation is described; never executed: {cards}.",
                      "{count} technology cards of lead generation are described; never executed: {cards}.", count=say.count(count),
                      cards=say.names(idle["card"]))


def _far(known: pd.DataFrame) -> pd.DataFrame:
    """Cards whose actual minutes are more than a third off the norm, on enough executions to say so."""
    off = (known["actual_minutes"] - known["norm_minutes"]).abs() > FAR_PART * known["norm_minutes"]
    return known[off & (known["norm_minutes"] > 0) & (known["executions_count"] >= FEW)]
