"""Exercise 5 answered: what each stage's result costs, how technologized the work is, which next level pays soonest."""

from __future__ import annotations

from funnel_lib import efficiency as measures
from funnel_lib.answers import of_capacity, of_nerves, of_sheet
from funnel_lib.answers.sentence import Sentence, Speaker, attempt
from funnel_lib.company import Process
from funnel_lib.language.formats import is_available

CARDS_NAMED = 3


def efficiency(process: Process) -> list[Sentence]:
    """The sentences of exercise 5, the verdict first."""
    sentences = [sentence for topic in TOPICS for sentence in attempt(topic, process)]
    # Several topics may need the same missing table; it is said once.
    return list(dict.fromkeys(sentences))


def _levels(process: Process) -> list[Sentence]:
    say, levels = Speaker(process), measures.stage_levels(process)
    known = levels[levels["shown_level"].notna() & (levels["stage"] != "all")]
    if known.empty:
        return [Sentence("levels", "How technologized the stages really are cannot be told: no card has the 20 logged "
                                   "executions that it takes (rows of “work” that name the card).")]
    parts = [f"“{say.label(row.stage)}” {say.count(row.shown_level)}"
             + (f" (claimed {say.count(row.claimed_level)})" if is_available(row.claimed_level) else "")
             for row in known.itertuples()]
    text = "How far the work is turned into a technology, from 0 (craft) to 4 (automatic): the log shows " + ", ".join(parts) + "."
    return [Sentence("levels", text, **{row.stage: row.shown_level for row in known.itertuples()})]


def _overclaimed(process: Process) -> list[Sentence]:
    say, cards = Speaker(process), measures.technologization(process)
    both = cards[cards["level_gap"].notna()]
    if both.empty:
        return []
    hollow = both[both["level_gap"] > 0]
    if hollow.empty:
        text = f"No card claims more than its log shows ({say.count(len(both))} cards compared)."
        return [Sentence("overclaimed_cards", text, cards_count=len(both), overclaimed_count=0)]
    parts = [f"“{say.label(row.card)}” claims level {row.claimed_level:.0f}, the log shows {row.shown_level:.0f} "
             f"({say.count(row.executions_count)} executions)" for row in hollow.head(CARDS_NAMED).itertuples()]
    which = "what the cards claim" if len(hollow) > 1 else "one claim"
    text = (f"The log does not bear out {which}: {'; '.join(parts)}. Find out whether the described way is followed, before "
            "building on it.")
    return [Sentence("overclaimed_cards", text, cards_count=len(both), overclaimed_count=len(hollow),
                     cards=list(hollow["card"]))]


def _next_levels(process: Process) -> list[Sentence]:
    say, cards = Speaker(process), measures.technologization(process)
    planned = cards[cards["setup_cost_amount"].notna()]
    if planned.empty:
        return [Sentence("next_levels", "Which card to lift first cannot be told: no card says what its next level costs and "
                                        "how many hours it saves (next_level in company.yaml).")]
    paying = planned[planned["payback_months"].notna()].sort_values("payback_months")
    if paying.empty:
        return [Sentence("next_levels", f"None of the {say.count(len(planned))} described next levels pays back: the hours "
                                        "they free cost less than running them.", planned_count=len(planned), paying_count=0)]
    parts = [f"“{say.label(row.card)}” after {say.months(row.payback_months)} (frees "
             f"{say.hours(row.freed_hours_per_month)} a month, set-up {say.money(row.setup_cost_amount)})"
             for row in paying.head(CARDS_NAMED).itertuples()]
    text = (f"Soonest paid back by the hours it frees is the next level of {', then '.join(parts)}; {say.count(len(paying))} "
            f"of {say.count(len(planned))} described next levels pay back at all.")
    return [Sentence("next_levels", text, planned_count=len(planned), paying_count=len(paying), card=paying.iloc[0].card,
                     payback_months=paying.iloc[0].payback_months)]


TECHNOLOGY_TOPICS = (_levels, _overclaimed, _next_levels)
TOPICS = (*of_sheet.TOPICS, *of_nerves.TOPICS, *of_capacity.TOPICS, *TECHNOLOGY_TOPICS, *of_capacity.LAST_TOPICS,
          *of_sheet.LAST_TOPICS)
