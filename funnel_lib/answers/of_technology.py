"""Technology in sentences: who does whose work, where to start, which next level pays back, whom only dear means reach."""

from __future__ import annotations

import pandas as pd

from funnel_lib import efficiency as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.efficiency.match import DEARER
from funnel_lib.efficiency.next_level import CANNOT_TELL, PAYS, PERHAPS
from funnel_lib.errors import MeasureError
from funnel_lib.language.formats import is_available
from funnel_lib.schema import STAGES

CARDS_NAMED = 3
# Logged only when somebody answered, a means seems to reach everybody.
EVERYBODY = 1.0


def dear_people(process: Process) -> list[Sentence]:
    """Hours of dear people on the work of cheaper ones, and the other way round."""
    say, total = Speaker(process), measures.qualification_total(process)
    if not total.card_hours:
        return [Sentence("dear_people", "Whether dear people do cheap work cannot be told: no hours of work name a card.")]
    if total.unmatched_hours >= total.card_hours:
        return [Sentence("dear_people", "Whether dear people do cheap work cannot be told: the roles have neither an hour cost nor "
                                        "a qualification, or the work does not name its role.")]
    rows = measures.qualification_match(process)
    sentences = [_dear(say, rows[rows["match"] == DEARER], total)]
    if total.cheaper_hours:
        money = total.cheaper_per_year_amount
        saved = f", which saves {say.money(money)} a year" if is_available(money) else ""
        text = (f"Cheaper people do {say.share(total.cheaper_share)} of the hours on cards for dearer ones{saved}; it is a saving "
                "only where the quality holds.")
        sentences.append(Sentence("cheap_people", text, cheaper_hours=total.cheaper_hours,
                                  cheaper_per_year_amount=total.cheaper_per_year_amount))
    return sentences


def _dear(say: Speaker, rows: pd.DataFrame, total: measures.QualificationTotal) -> Sentence:
    if rows.empty:
        return Sentence("dear_people", f"Nobody does the work of a cheaper role ({say.hours(total.card_hours)} on cards compared).",
                        dearer_hours=0.0, card_hours=total.card_hours)
    first = rows.iloc[0]
    text = (f"“{say.label(first.role)}” does the work of the cheaper role “{say.label(first.card_role)}”: "
            f"{say.hours(first.hours)} in {say.count(first.executions_count)} executions")
    money = ""
    if is_available(total.dearer_per_year_amount):
        money = (f" and costs {say.money(total.dearer_per_year_amount)} a year more than the work should (95 % interval "
                 f"{say.range(total.dearer_per_year_low_amount, total.dearer_per_year_high_amount, 'amount')})")
    text += f". All such work takes {say.share(total.dearer_share)} of the hours on cards{money}."
    return Sentence("dear_people", text, role=first.role, card_role=first.card_role, hours=first.hours,
                    dearer_share=total.dearer_share, dearer_per_year_amount=total.dearer_per_year_amount)


def next_levels(process: Process) -> list[Sentence]:
    """Which card to lift first, and how sure that is."""
    say = Speaker(process)
    try:
        planned = measures.next_levels(process)
    except MeasureError:
        measures.technologization(process)  # without any card this says what is missing
        return [Sentence("next_levels", "Which card to lift first cannot be told: no card says what its next level costs and "
                                        "how many hours it saves (next_level in company.yaml).")]
    told = planned[planned["verdict"] != CANNOT_TELL]
    if told.empty:
        return [Sentence("next_levels", "Which card to lift first cannot be told: no card with a next level has both 20 logged "
                                        "executions and a role with an hour cost.", planned_count=len(planned))]
    paying, perhaps = (told[told["verdict"] == verdict] for verdict in (PAYS, PERHAPS))
    numbers = {"planned_count": len(planned), "paying_count": len(paying), "perhaps_count": len(perhaps)}
    if paying.empty:
        why = (f"{say.count(len(perhaps))} may pay back, as far as the hours logged tell" if len(perhaps) else
               "the hours they free cost less than running them")
        text = f"None of {say.count(len(told))} next levels that can be told surely pays back: {why}."
        return [Sentence("next_levels", text, **numbers)]
    parts = [f"“{say.label(row.card)}” after {say.months(row.payback_months)} (95 % interval "
             f"{say.range(row.payback_low_months, row.payback_high_months, 'months')}; frees "
             f"{say.hours(row.freed_hours_per_month)} a month, set-up {say.money(row.setup_cost_amount)})"
             for row in paying.head(CARDS_NAMED).itertuples()]
    text = (f"Soonest paid back by the hours it frees is the next level of {', then '.join(parts)}; {say.count(len(paying))} "
            f"of {say.count(len(planned))} described next levels surely {'pays' if len(paying) == 1 else 'pay'} back, if the hours "
            "are saved as described.")
    first = paying.iloc[0]
    return [Sentence("next_levels", text, card=first.card, payback_months=first.payback_months, **numbers)]


def reached(process: Process) -> list[Sentence]:
    """What a reached lead costs by each means, and whom only the dear ones reached."""
    say, table = Speaker(process), measures.reach(process)
    first = table[table["stage"] == STAGES[0]]
    table = first if len(first) else table
    known = table[table["cost_per_reached_amount"].notna()].sort_values("cost_per_reached_amount")
    shown = known if len(known) else table
    parts = [_way(say, row) for row in shown.head(CARDS_NAMED).itertuples()]
    text = f"{'; '.join(parts)}. Reached means that the lead went on to a step; a lead counts for each means that tried it."
    if (shown["contacted_share"] >= EVERYBODY).any():
        text += " Where everybody was reached, tries in vain are perhaps not logged."
    row = shown.iloc[0]
    sentences = [Sentence("reach", text, means=row.means, role=row.role, contacted_share=row.contacted_share,
                          cost_per_reached_amount=row.cost_per_reached_amount)]
    return [*sentences, *_only_dear(process, say)] if len(known) > 1 else sentences


def _way(say: Speaker, row: tuple) -> str:
    cost = ""
    if is_available(row.cost_per_reached_amount):
        limits = say.range(row.cost_per_reached_low_amount, row.cost_per_reached_high_amount, "amount")
        cost = f", {say.money(row.cost_per_reached_amount)} for each" + (
            f" (95 % interval {limits})" if is_available(row.cost_per_reached_low_amount) else "")
    share = say.range(row.contacted_low_share, row.contacted_high_share)
    return (f"“{say.label(row.role)}” ({say.label(row.means).lower()}) reached {say.share(row.contacted_share)} (95 % interval "
            f"{share}) of {say.count(row.tried_count)} leads tried{cost}")


def _only_dear(process: Process, say: Speaker) -> list[Sentence]:
    dear = measures.dear_reach(process)
    if not dear.dear_means_count:
        return [Sentence("only_dear_means", "No means of contact is twice as dear as the cheapest one.", dear_means_count=0)]
    each = f", at {say.money(dear.only_dear_per_reached_amount)} each" if dear.only_dear_count else ""
    limits = say.range(dear.only_dear_low_share, dear.only_dear_high_share)
    text = (f"Not everyone is reached by the cheap way: {say.count(dear.only_dear_count)} of {say.count(dear.contacted_count)} "
            f"leads reached ({say.share(dear.only_dear_share)}, 95 % interval {limits}) were tried by dear means alone{each}. "
            "Whether the cheap one would have reached them too, only a trial can tell.")
    return [Sentence("only_dear_means", text, only_dear_count=dear.only_dear_count, contacted_count=dear.contacted_count,
                     only_dear_per_reached_amount=dear.only_dear_per_reached_amount)]


TOPICS = (dear_people, next_levels, reached)
