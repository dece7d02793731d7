"""Exercise 5 answered: what each stage's result costs, how technologized the work is, which next level pays soonest."""

from __future__ import annotations

from funnel_lib import efficiency as measures
from funnel_lib.answers import of_capacity, of_nerves, of_scorecards, of_sheet, of_technology
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


TOPICS = (*of_sheet.TOPICS, *of_nerves.TOPICS, _levels, _overclaimed, *of_technology.TOPICS, *of_capacity.TOPICS,
          *of_scorecards.TOPICS, *of_capacity.LAST_TOPICS, *of_sheet.LAST_TOPICS)
