"""How soon leads are answered in sentences: the usual wait, days off, owners, and what is sold after which wait."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import lead_flow as measures
from funnel_lib.answers.sentence import Sentence, Speaker, attempt
from funnel_lib.company import Process
from funnel_lib.lead_flow.response import AT_OUTCOME, NO_ANSWER, NO_DIFFERENCE, QUICKER, SLOWER, TOO_FEW
from funnel_lib.rates import FEW
from funnel_lib.schema import MISSING

MINUTES = 60
MOST_NAMED = 3


def answered_in(process: Process) -> list[Sentence]:
    """All sentences on response time; what the data cannot tell is said once."""
    sentences = [sentence for topic in (_typical, _days_off, _owners, _bands) for sentence in attempt(topic, process)]
    return list(dict.fromkeys(sentences))


def _typical(process: Process) -> list[Sentence]:
    """The usual wait in working and calendar hours, and who has no answer yet."""
    say, table = Speaker(process), measures.response_time(process)
    if table.empty:
        return [Sentence("response_time", say("No new lead is on record, so nobody waits for an answer."), leads_count=0)]
    row = table.iloc[0]
    numbers = {"median_work_hours": row.median_work_hours, "median_hours": row.median_hours, "leads_count": int(row.leads_count),
               "unanswered_count": int(row.unanswered_count), "unanswered_share": row.unanswered_share,
               "low_share": row.unanswered_low_share, "high_share": row.unanswered_high_share}
    if row.dated_count * 2 > row.leads_count:
        text = say("How many hours a lead waits for an answer cannot be told: {dated} of {leads} leads or their answers have a "
                   "date without a time of day.",
                   dated=say.count(row.dated_count), leads=say.count(row.leads_count))
    elif math.isnan(row.median_work_hours) or math.isnan(row.median_hours):
        text = say("Fewer than half of the {leads} new leads have been answered by a person so far, or they are too young to tell: "
                   "there is no typical wait yet.",
                   leads=say.count(row.leads_count))
    else:
        text = _half(say, row)
    if row.few:
        text += " " + say("With fewer than {few} leads that is a hint, no more.", few=say.count(FEW))
    return [Sentence("response_time", text, **numbers), *_unanswered(say, row)]


def _half(say: Speaker, row: pd.Series) -> str:
    wait = {"work": _work(say, row.median_work_hours), "clock": _clock(say, row.median_hours)}
    if row.leads_count == 1:
        return say("The only new lead is answered by a person within {work}; by the clock that is {clock}.", **wait)
    if math.isnan(row.median_high_work_hours):
        return say("Half of the {leads} new leads are answered by a person within {work}; by the clock that is {clock}.",
                   leads=say.count(row.leads_count), **wait)
    # Another pair of limits than those of the share without an answer.
    return say("Half of the {leads} new leads are answered by a person within {work}, 95 % interval {range}; by the clock that is "
               "{clock}.",
               leads=say.count(row.leads_count), range=say.range(row.median_low_work_hours, row.median_high_work_hours, "number"),
               **wait)


def _unanswered(say: Speaker, row: pd.Series) -> list[Sentence]:
    if row.unanswered_count == 0:
        text = (say("The only lead has an answer by a person on record.") if row.leads_count == 1 else
                say("Every one of the {leads} leads has an answer by a person on record.", leads=say.count(row.leads_count)))
    else:
        text = say("{share} of the leads ({unanswered} of {leads}, 95 % interval {range}) have no answer by a person on record so "
                   "far, the newest ones included.",
                   share=say.share(row.unanswered_share), unanswered=say.count(row.unanswered_count),
                   leads=say.count(row.leads_count),
                   range=say.range(row.unanswered_low_share, row.unanswered_high_share))
    if row.at_outcome_count:
        text += " " + say.plural(row.at_outcome_count, "For {count} of those answered the first entry by a person is the one that "
                                                       "closed it: whether anybody spoke with them before is not recorded.",
                                 "For {count} of those answered the first entry by a person is the one that closed them: whether "
                                 "anybody spoke with them before is not recorded.",
                                 count=say.count(row.at_outcome_count))
    return [Sentence("unanswered", text, unanswered_share=row.unanswered_share, low_share=row.unanswered_low_share,
                     high_share=row.unanswered_high_share, unanswered_count=int(row.unanswered_count),
                     at_outcome_count=int(row.at_outcome_count), leads_count=int(row.leads_count))]


def _days_off(process: Process) -> list[Sentence]:
    """Whether leads of week-ends and holidays wait longer; nothing where too few come then or the hours are not known."""
    say, table = Speaker(process), measures.response_time(process, by="arrival_time").set_index("arrival_time")
    if not {"day_off", "in_hours"} <= set(table.index) or table.loc[["day_off", "in_hours"], "few"].any():
        return []
    off, usual = table.loc["day_off"], table.loc["in_hours"]
    if math.isnan(off.median_hours) or math.isnan(usual.median_hours):
        return []
    numbers = {"day_off_hours": off.median_hours, "in_hours_hours": usual.median_hours, "day_off_count": int(off.leads_count),
               "in_hours_count": int(usual.leads_count), "day_off_work_hours": off.median_work_hours}
    both = {"off": _clock(say, off.median_hours), "off_leads": say.count(off.leads_count), "usual": _clock(say, usual.median_hours),
            "usual_leads": say.count(usual.leads_count)}
    slower = bool(off.median_low_hours > usual.median_high_hours)
    text = (say("Answers are slow at the week-end: a lead that comes on a day off (week-end or holiday) typically waits {off} "
                "({off_leads} leads), one that comes in working hours {usual} ({usual_leads}). The working hours in between may be "
                "few, but the client waits all the same.", **both)
            if slower else
            say("That leads of the week-end wait longer is not shown: one that comes on a day off typically waits {off} "
                "({off_leads} leads), one that comes in working hours {usual} ({usual_leads}).", **both))
    return [Sentence("days_off", text, slower=slower, **numbers)]


def _owners(process: Process) -> list[Sentence]:
    """Which owners answer sooner or later than the others, where chance does not explain it."""
    if not process.has("leads", "owner"):
        return []
    say, table = Speaker(process), measures.response_time(process, by="owner")
    table = table[table["owner"] != MISSING]
    compared = table[(table["verdict"] != TOO_FEW) & table["adjusted_p_value"].notna()]
    if len(compared) < 2:
        return []
    differ = compared[compared["verdict"] != NO_DIFFERENCE].sort_values("median_work_hours", kind="stable")
    if differ.empty:
        text = say("Who of {owners} owners answers sooner cannot be told: differences as large as theirs come by chance alone. No "
                   "reason to rank them.",
                   owners=say.count(len(compared)))
        return [Sentence("owners_response", text, owners_count=len(compared), differing_count=0)]
    quicker, slower = differ[differ["verdict"] == QUICKER], differ[differ["verdict"] == SLOWER].iloc[::-1]
    if slower.empty:
        text = say("Some owners clearly answer sooner than the others: {quicker}.", quicker=_several(say, quicker))
    elif quicker.empty:
        text = say("Some owners clearly answer later than the others: {slower}.", slower=_several(say, slower))
    else:
        text = say("Some owners clearly answer sooner than the others: {quicker}; later than the others: {slower}.",
                   quicker=_several(say, quicker), slower=_several(say, slower))
    others = len(compared) - len(differ)
    if others:
        text += " " + say("The other {count} cannot be told apart.", count=say.count(others))
    return [Sentence("owners_response", text, owners_count=len(compared), differing_count=len(differ))]


def _several(say: Speaker, rows: pd.DataFrame) -> str:
    names = ", ".join(_owner(say, row) for row in rows.head(MOST_NAMED).itertuples())
    if len(rows) <= MOST_NAMED:
        return names
    return say("{names} and {count} more", names=names, count=say.count(len(rows) - MOST_NAMED))


def _owner(say: Speaker, row: tuple) -> str:
    wait = say("half not answered yet") if math.isnan(row.median_work_hours) else _work(say, row.median_work_hours)
    return say.plural(row.leads_count, "“{owner}” ({wait}, {leads} lead)", "“{owner}” ({wait}, {leads} leads)",
                      owner=say.label(row.owner), wait=wait, leads=say.count(row.leads_count))


def _bands(process: Process) -> list[Sentence]:
    """What share buys of those answered soon and late, with the warning that this proves nothing."""
    say, bands = Speaker(process), measures.response_bands(process)
    timed = bands[~bands["answer_band"].isin([AT_OUTCOME, NO_ANSWER])]
    sure = timed[~timed["few"]]
    if len(sure) < 2:
        text = say("Whether leads answered sooner buy more often cannot be told: it takes {few} leads, followed for {days}, in two "
                   "bands of waiting time.",
                   few=say.count(FEW), days=say.days(bands["equal_window_days"].iloc[0]))
        return [Sentence("response_bands", text, leads_count=int(timed["leads_count"].sum()))]
    first, last = sure.iloc[0], sure.iloc[-1]
    apart = first.won_low_share > last.won_high_share or last.won_low_share > first.won_high_share
    parts = [say("Of the leads answered {early} {early_won} bought, of those answered {late} {late_won}.", early=_band(say, first),
                 early_won=_won(say, first), late=_band(say, last), late_won=_won(say, last))]
    if not apart:
        parts.append(say("The two cannot be told apart."))
    elif last.won_share > first.won_share:
        parts.append(say("That slowness sells is not likely: where the first contact is not recorded, a lead looks answered late "
                         "that has in truth gone on to a later step."))
    parts.append(say("This is no proof of cause: owners answer first whom they believe in. Let chance decide who is called first, "
                     "and compare."))
    return [Sentence("response_bands", " ".join(parts), quick_share=first.won_share, slow_share=last.won_share,
                     quick_count=int(first.leads_count), slow_count=int(last.leads_count), told_apart=bool(apart))]


def _band(say: Speaker, row: pd.Series) -> str:
    if math.isnan(row.to_work_hours):
        return say("after more than {work}", work=_work(say, row.from_work_hours))
    if row.from_work_hours == 0:
        return say("within {work}", work=_work(say, row.to_work_hours))
    return say("after {range} working hours", range=say.range(row.from_work_hours, row.to_work_hours, "number"))


def _won(say: Speaker, row: pd.Series) -> str:
    return say("{share} ({won} of {leads}, {range})", share=say.share(row.won_share), won=say.count(row.won_count),
               leads=say.count(row.leads_count), range=say.range(row.won_low_share, row.won_high_share))


def _work(say: Speaker, hours: float) -> str:
    """Working time: minutes below an hour."""
    if hours >= 1:
        return say("{hours} of working time", hours=say.hours(hours))
    minutes = round(hours * MINUTES)
    return say.plural(minutes, "{minutes} minute of working time", "{minutes} minutes of working time", minutes=say.count(minutes))


def _clock(say: Speaker, hours: float) -> str:
    if hours >= 1:
        return say.hours(hours)
    minutes = round(hours * MINUTES)
    return say.plural(minutes, "{minutes} minute", "{minutes} minutes", minutes=say.count(minutes))
