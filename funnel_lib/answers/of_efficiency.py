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
        return [Sentence("levels", say("How technologized the stages really are cannot be told: no card has the 20 logged "
                                       "executions that it takes (rows of “{table}” that name the card).", table="work"))]
    told = ", ".join(_level(say, row) for row in known.itertuples())
    text = say("How far the work is turned into a technology, from 0 (craft) to 4 (automatic): the log shows {told}.", told=told)
    return [Sentence("levels", text, **{row.stage: row.shown_level for row in known.itertuples()})]


def _level(say: Speaker, row: tuple) -> str:
    told = {"stage": say.label(row.stage), "shown": say.count(row.shown_level)}
    return (say("“{stage}” {shown} (claimed {claimed})", claimed=say.count(row.claimed_level), **told)
            if is_available(row.claimed_level) else say("“{stage}” {shown}", **told))


def _overclaimed(process: Process) -> list[Sentence]:
    say, cards = Speaker(process), measures.technologization(process)
    both = cards[cards["level_gap"].notna()]
    if both.empty:
        return []
    hollow = both[both["level_gap"] > 0]
    if hollow.empty:
        text = say.plural(len(both), "No card claims more than its log shows ({cards} card compared).",
                          "No card claims more than its log shows ({cards} cards compared).", cards=say.count(len(both)))
        return [Sentence("overclaimed_cards", text, cards_count=len(both), overclaimed_count=0)]
    told = "; ".join(say.plural(row.executions_count, "“{card}” claims level {claimed}, the log shows {shown} ({count} execution)",
                                "“{card}” claims level {claimed}, the log shows {shown} ({count} executions)",
                                card=say.label(row.card), claimed=say.count(row.claimed_level), shown=say.count(row.shown_level),
                                count=say.count(row.executions_count)) for row in hollow.head(CARDS_NAMED).itertuples())
    text = say.plural(len(hollow), "The log does not bear out one claim: {told}. Find out whether the described way is followed, "
                      "before building on it.",
                      "The log does not bear out what the cards claim: {told}. Find out whether the described way is followed, "
                      "before building on it.", told=told)
    return [Sentence("overclaimed_cards", text, cards_count=len(both), overclaimed_count=len(hollow),
                     cards=list(hollow["card"]))]


TOPICS = (*of_sheet.TOPICS, *of_nerves.TOPICS, _levels, _overclaimed, *of_technology.TOPICS, *of_capacity.TOPICS,
          *of_scorecards.TOPICS, *of_capacity.LAST_TOPICS, *of_sheet.LAST_TOPICS)
