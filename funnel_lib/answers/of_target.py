"""Leads on target against the others in sentences: who buys more often and who brings more."""

from __future__ import annotations

import pandas as pd

from funnel_lib import lead_flow as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.errors import MeasureError
from funnel_lib.language.formats import is_available
from funnel_lib.language.messages import message
from funnel_lib.lead_flow.sufficiency import CANNOT_TELL
from funnel_lib.rates import FEW


def target_against_other(process: Process) -> list[Sentence]:
    """Whether leads on target buy more, and bring more, than the others; what cannot be told from their intervals."""
    say, table = Speaker(process), measures.target_conversion(process).set_index("target_group")
    target, other, unknown = (table.loc[kind] for kind in ("target", "other", "unknown"))
    if not target.leads_count + other.leads_count:
        text = say("No lead has a known segment ({count} unknown), so whether leads on target buy more cannot be told: record the "
                   "segment when a lead comes.",
                   count=say.count(unknown.leads_count))
        return [Sentence("target_against_other", text, unknown_count=int(unknown.leads_count))]
    if not target.leads_count or not other.leads_count:
        count = int(target.leads_count + other.leads_count)
        text = _nothing_to_compare(count, bool(target.leads_count), say)
        return [Sentence("target_against_other", text, leads_count=count)]
    return [*_target_buys(target, other, process), *_target_brings(target, other, say)]


def _nothing_to_compare(count: int, on_target: bool, say: Speaker) -> str:
    if count == 1:
        return (say("The only lead with a known segment is on target, so there is nothing to compare.") if on_target else
                say("The only lead with a known segment is off target, so there is nothing to compare."))
    if on_target:
        return say("All {count} leads with a known segment are on target, so there is nothing to compare.", count=say.count(count))
    return say("All {count} leads with a known segment are off target, so there is nothing to compare.", count=say.count(count))


def _target_buys(target: pd.Series, other: pd.Series, process: Process) -> list[Sentence]:
    say = Speaker(process)
    if not (is_available(target.base_count) and is_available(other.base_count)):
        raise MeasureError(message("{process}: needs movement of the leads through described steps to tell whether leads on target "
                                   "buy more",
                                   process=process.name))
    numbers = {f"{kind}_{name}": row[name] for kind, row in (("target", target), ("other", other))
               for name in ("won_share", "won_low_share", "won_high_share", "won_count", "base_count")}
    if min(target.base_count, other.base_count) < FEW:
        text = say("Whether leads on target buy more cannot be told yet: {target} of them and {other} others have been followed "
                   "long enough, it takes {few} of each.",
                   target=say.count(target.base_count), other=say.count(other.base_count), few=say.count(FEW))
        return [Sentence("target_against_other", text, **numbers)]
    shares = {"here": _those_on_target(target, say), "there": say("{share} of the others buy (95 % interval {range}, {won} of "
                                                                  "{base})",
                                                               **_bought(other, say))}
    if target.won_low_share > other.won_high_share:
        verdict = "more"
        text = say("Leads on target buy more often: {here}, {there}. A lead on target is worth more of your time.", **shares)
    elif target.won_high_share < other.won_low_share:
        verdict = "less"
        text = say("Leads on target buy less often than the others: {here}, {there}. Ask whether these are the right target "
                   "segments.",
                   **shares)
    else:
        verdict = CANNOT_TELL
        text = say("Whether leads on target buy more often than the others cannot be told: {here}, {there}, and the intervals "
                   "overlap.",
                   **shares)
    return [Sentence("target_against_other", text, verdict=verdict, **numbers)]


def _bought(row: pd.Series, say: Speaker) -> dict[str, str]:
    return {"share": say.share(row.won_share), "range": say.range(row.won_low_share, row.won_high_share),
            "won": say.count(row.won_count), "base": say.count(row.base_count)}


def _those_on_target(row: pd.Series, say: Speaker) -> str:
    if not is_available(row.equal_window_days):
        return say("{share} of the leads on target buy (95 % interval {range}, {won} of {base})", **_bought(row, say))
    return say("{share} of the leads on target buy within {days} (95 % interval {range}, {won} of {base})",
               days=say.days(row.equal_window_days), **_bought(row, say))


def _target_brings(target: pd.Series, other: pd.Series, say: Speaker) -> list[Sentence]:
    names = ("margin_per_lead_amount", "margin_per_lead_low_amount", "margin_per_lead_high_amount")
    if not all(is_available(row[name]) for row in (target, other) for name in names):
        return []
    numbers = {"target": say.money(target[names[0]]), "range": say.range(target[names[1]], target[names[2]], "amount"),
               "leads": say.count(target.mature_leads_count), "other": say.money(other[names[0]]),
               "other_range": say.range(other[names[1]], other[names[2]], "amount"),
               "other_leads": say.count(other.mature_leads_count)}
    overlap = target[names[1]] <= other[names[2]] and other[names[1]] <= target[names[2]]
    text = (say("Within 12 months a lead on target brings {target} (95 % interval {range}, {leads} leads) of margin, another one "
                "{other} (95 % interval {other_range}, {other_leads} leads); the intervals overlap, so the difference may be "
                "chance.", **numbers)
            if overlap else
            say("Within 12 months a lead on target brings {target} (95 % interval {range}, {leads} leads) of margin, another one "
                "{other} (95 % interval {other_range}, {other_leads} leads).", **numbers))
    return [Sentence("target_margin", text, target_amount=target[names[0]], other_amount=other[names[0]], overlap=bool(overlap))]
