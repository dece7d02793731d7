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
        return [Sentence("response_time", "No new lead is on record, so nobody waits for an answer.", leads_count=0)]
    row = table.iloc[0]
    numbers = {"median_work_hours": row.median_work_hours, "median_hours": row.median_hours, "leads_count": int(row.leads_count),
               "unanswered_count": int(row.unanswered_count), "unanswered_share": row.unanswered_share,
               "low_share": row.unanswered_low_share, "high_share": row.unanswered_high_share}
    if row.dated_count * 2 > row.leads_count:
        text = (f"How many hours a lead waits for an answer cannot be told: {say.count(row.dated_count)} of "
                f"{say.count(row.leads_count)} leads or their answers have a date without a time of day.")
    elif math.isnan(row.median_work_hours) or math.isnan(row.median_hours):
        text = (f"Fewer than half of the {say.count(row.leads_count)} new leads have been answered by a person so far, or they are "
                "too young to tell: there is no typical wait yet.")
    else:
        # Another pair of limits than those of the share below.
        limits = ""
        if not math.isnan(row.median_high_work_hours):
            limits = f", 95 % interval {say.range(row.median_low_work_hours, row.median_high_work_hours, 'number')}"
        who = f"Half of the {say.count(row.leads_count)} new leads are" if row.leads_count > 1 else "The only new lead is"
        text = (f"{who} answered by a person within "
                f"{_work(say, row.median_work_hours)}{limits}; by the clock that is {_clock(say, row.median_hours)}.")
    if row.few:
        text += f" With fewer than {FEW} leads that is a hint, no more."
    return [Sentence("response_time", text, **numbers), *_unanswered(say, row)]


def _unanswered(say: Speaker, row: tuple) -> list[Sentence]:
    text = (f"{say.share(row.unanswered_share)} of the leads ({say.count(row.unanswered_count)} of {say.count(row.leads_count)}, "
            f"95 % interval {say.range(row.unanswered_low_share, row.unanswered_high_share)}) have no answer by a person on "
            "record so far, the newest ones included.")
    if row.unanswered_count == 0:
        text = f"Every one of the {say.count(row.leads_count)} leads has an answer by a person on record."
    if row.at_outcome_count:
        text += (f" For {say.count(row.at_outcome_count)} of those answered the first entry by a person is the one that closed "
                 "them: whether anybody spoke with them before is not recorded.")
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
    both = (f"{_clock(say, off.median_hours)} ({say.count(off.leads_count)} leads), one that comes in working hours "
            f"{_clock(say, usual.median_hours)} ({say.count(usual.leads_count)})")
    if not off.median_low_hours > usual.median_high_hours:
        text = f"That leads of the week-end wait longer is not shown: one that comes on a day off typically waits {both}."
        return [Sentence("days_off", text, slower=False, **numbers)]
    text = (f"Answers are slow at the week-end: a lead that comes on a day off (week-end or holiday) typically waits {both}. "
            "The working hours in between may be few, but the client waits all the same.")
    return [Sentence("days_off", text, slower=True, **numbers)]


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
        text = (f"Who of {say.count(len(compared))} owners answers sooner cannot be told: differences as large as theirs come by "
                "chance alone. No reason to rank them.")
        return [Sentence("owners_response", text, owners_count=len(compared), differing_count=0)]
    parts = []
    for verdict, word in ((QUICKER, "sooner"), (SLOWER, "later")):
        rows = differ[differ["verdict"] == verdict]
        rows = rows if verdict == QUICKER else rows.iloc[::-1]
        if len(rows):
            more = f" and {say.count(len(rows) - MOST_NAMED)} more" if len(rows) > MOST_NAMED else ""
            names = ", ".join(_owner(say, row) for row in rows.head(MOST_NAMED).itertuples())
            parts.append(f"{word} than the others: {names}{more}")
    others = len(compared) - len(differ)
    text = f"Some owners clearly answer {'; '.join(parts)}." + (
        f" The other {say.count(others)} cannot be told apart." if others else "")
    return [Sentence("owners_response", text, owners_count=len(compared), differing_count=len(differ))]


def _owner(say: Speaker, row: tuple) -> str:
    wait = "half not answered yet" if math.isnan(row.median_work_hours) else _work(say, row.median_work_hours)
    return f"“{say.label(row.owner)}” ({wait}, {say.count(row.leads_count)} leads)"


def _bands(process: Process) -> list[Sentence]:
    """What share buys of those answered soon and late, with the warning that this proves nothing."""
    say, bands = Speaker(process), measures.response_bands(process)
    timed = bands[~bands["answer_band"].isin([AT_OUTCOME, NO_ANSWER])]
    sure = timed[~timed["few"]]
    if len(sure) < 2:
        text = (f"Whether leads answered sooner buy more often cannot be told: it takes {FEW} leads, followed for "
                f"{say.days(bands['equal_window_days'].iloc[0])}, in two bands of waiting time.")
        return [Sentence("response_bands", text, leads_count=int(timed["leads_count"].sum()))]
    first, last = sure.iloc[0], sure.iloc[-1]
    apart = first.won_low_share > last.won_high_share or last.won_low_share > first.won_high_share
    text = (f"Of the leads answered {_band(say, first)} {_won(say, first)} bought, of those answered {_band(say, last)} "
            f"{_won(say, last)}.")
    text += "" if apart else " The two cannot be told apart."
    if apart and last.won_share > first.won_share:
        text += (" That slowness sells is not likely: where the first contact is not recorded, a lead looks answered late that has "
                 "in truth gone on to a later step.")
    text += (" This is no proof of cause: owners answer first whom they believe in. Let chance decide who is called first, and "
             "compare.")
    return [Sentence("response_bands", text, quick_share=first.won_share, slow_share=last.won_share,
                     quick_count=int(first.leads_count), slow_count=int(last.leads_count), told_apart=bool(apart))]


def _band(say: Speaker, row: pd.Series) -> str:
    if math.isnan(row.to_work_hours):
        return f"after more than {_work(say, row.from_work_hours)}"
    return f"within {_work(say, row.to_work_hours)}" if row.from_work_hours == 0 else (
        f"after {say.range(row.from_work_hours, row.to_work_hours, 'number')} working hours")


def _won(say: Speaker, row: pd.Series) -> str:
    return (f"{say.share(row.won_share)} ({say.count(row.won_count)} of {say.count(row.leads_count)}, "
            f"{say.range(row.won_low_share, row.won_high_share)})")


def _work(say: Speaker, hours: float) -> str:
    """Working time: minutes below an hour."""
    if hours < 1:
        return f"{say.count(round(hours * MINUTES))} minutes of working time"
    return f"{say.hours(hours)} of working time"


def _clock(say: Speaker, hours: float) -> str:
    return f"{say.count(round(hours * MINUTES))} minutes" if hours < 1 else say.hours(hours)
