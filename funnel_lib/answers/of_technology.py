"""Technology in sentences: who does whose work, where to start, which next level pays back, whom only dear means reach."""

from __future__ import annotations

from functools import reduce

import pandas as pd

from funnel_lib import efficiency as measures
from funnel_lib.answers.sentence import Sentence, Speaker, clauses
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
        return [Sentence("dear_people", say("Whether dear people do cheap work cannot be told: no hours of work name a card."))]
    if total.unmatched_hours >= total.card_hours:
        return [Sentence("dear_people", say("Whether dear people do cheap work cannot be told: the roles have neither an hour cost "
                                            "nor a qualification, or the work does not name its role."))]
    rows = measures.qualification_match(process)
    sentences = [_dear(say, rows[rows["match"] == DEARER], total)]
    if total.cheaper_hours:
        sentences.append(_cheap(say, total))
    return sentences


def _cheap(say: Speaker, total: measures.QualificationTotal) -> Sentence:
    share, money = say.share(total.cheaper_share), total.cheaper_per_year_amount
    text = (say("Cheaper people do {share} of the hours on cards for dearer ones, which saves {money} a year; it is a saving only "
                "where the quality holds.", share=share, money=say.money(money)) if is_available(money) else
            say("Cheaper people do {share} of the hours on cards for dearer ones; it is a saving only where the quality holds.",
                share=share))
    return Sentence("cheap_people", text, cheaper_hours=total.cheaper_hours, cheaper_per_year_amount=money)


def _dear(say: Speaker, rows: pd.DataFrame, total: measures.QualificationTotal) -> Sentence:
    if rows.empty:
        text = say("Nobody does the work of a cheaper role ({hours} on cards compared).", hours=say.hours(total.card_hours))
        return Sentence("dear_people", text, dearer_hours=0.0, card_hours=total.card_hours)
    first, share = rows.iloc[0], say.share(total.dearer_share)
    text = say.plural(first.executions_count,
                      "“{role}” does the work of the cheaper role “{card_role}”: {hours} in {count} execution.",
                      "“{role}” does the work of the cheaper role “{card_role}”: {hours} in {count} executions.",
                      role=say.label(first.role), card_role=say.label(first.card_role), hours=say.hours(first.hours),
                      count=say.count(first.executions_count))
    text += " " + (say("All such work takes {share} of the hours on cards and costs {money} a year more than the work should (95 % "
                       "interval {range}).", share=share, money=say.money(total.dearer_per_year_amount),
                       range=say.range(total.dearer_per_year_low_amount, total.dearer_per_year_high_amount, "amount"))
                   if is_available(total.dearer_per_year_amount) else
                   say("All such work takes {share} of the hours on cards.", share=share))
    return Sentence("dear_people", text, role=first.role, card_role=first.card_role, hours=first.hours,
                    dearer_share=total.dearer_share, dearer_per_year_amount=total.dearer_per_year_amount)


def next_levels(process: Process) -> list[Sentence]:
    """Which card to lift first, and how sure that is."""
    say = Speaker(process)
    try:
        planned = measures.next_levels(process)
    except MeasureError:
        measures.technologization(process)  # without any card this says what is missing
        return [Sentence("next_levels", say("Which card to lift first cannot be told: no card says what its next level costs and "
                                            "how many hours it saves (next_level in company.yaml)."))]
    told = planned[planned["verdict"] != CANNOT_TELL]
    if told.empty:
        text = say("Which card to lift first cannot be told: no card with a next level has both 20 logged executions and a role "
                   "with an hour cost.")
        return [Sentence("next_levels", text, planned_count=len(planned))]
    paying, perhaps = (told[told["verdict"] == verdict] for verdict in (PAYS, PERHAPS))
    numbers = {"planned_count": len(planned), "paying_count": len(paying), "perhaps_count": len(perhaps)}
    if paying.empty:
        return [Sentence("next_levels", _none_pays(say, len(told), len(perhaps)), **numbers)]
    lifted = [_lifted(say, row) for row in paying.head(CARDS_NAMED).itertuples()]
    ranked = reduce(lambda before, after: say("{before}, then {after}", before=before, after=after), lifted)
    text = say.plural(len(paying), "Soonest paid back by the hours it frees is the next level of {told}; {paying} of {planned} "
                      "described next levels surely pays back, if the hours are saved as described.",
                      "Soonest paid back by the hours it frees is the next level of {told}; {paying} of {planned} described next "
                      "levels surely pay back, if the hours are saved as described.",
                      told=ranked, paying=say.count(len(paying)), planned=say.count(len(planned)))
    first = paying.iloc[0]
    return [Sentence("next_levels", text, card=first.card, payback_months=first.payback_months, **numbers)]


def _none_pays(say: Speaker, told: int, perhaps: int) -> str:
    if perhaps:
        return say.plural(told, "The {told} next level that can be told does not surely pay back: {perhaps} may, as far as the "
                          "hours logged tell.",
                          "None of {told} next levels that can be told surely pays back: {perhaps} may pay back, as far as the "
                          "hours logged tell.", told=say.count(told), perhaps=say.count(perhaps))
    return say.plural(told, "The {told} next level that can be told does not pay back: the hours it frees cost less than running "
                      "it.",
                      "None of {told} next levels that can be told surely pays back: the hours they free cost less than running "
                      "them.", told=say.count(told))


def _lifted(say: Speaker, row: tuple) -> str:
    return say("“{card}” after {payback} (95 % interval {range}; frees {hours} a month, set-up {money})", card=say.label(row.card),
               payback=say.months(row.payback_months), range=say.range(row.payback_low_months, row.payback_high_months, "months"),
               hours=say.hours(row.freed_hours_per_month), money=say.money(row.setup_cost_amount))


def reached(process: Process) -> list[Sentence]:
    """What a reached lead costs by each means, and whom only the dear ones reached."""
    say, table = Speaker(process), measures.reach(process)
    first = table[table["stage"] == STAGES[0]]
    table = first if len(first) else table
    known = table[table["cost_per_reached_amount"].notna()].sort_values("cost_per_reached_amount")
    shown = known if len(known) else table
    parts = [clauses(*(_way(say, row) for row in shown.head(CARDS_NAMED).itertuples())),
             say("Reached means that the lead went on to a step; a lead counts for each means that tried it.")]
    if (shown["contacted_share"] >= EVERYBODY).any():
        parts.append(say("Where everybody was reached, tries in vain are perhaps not logged."))
    row = shown.iloc[0]
    sentences = [Sentence("reach", " ".join(parts), means=row.means, role=row.role, contacted_share=row.contacted_share,
                          cost_per_reached_amount=row.cost_per_reached_amount)]
    return [*sentences, *_only_dear(process, say)] if len(known) > 1 else sentences


def _way(say: Speaker, row: tuple) -> str:
    told = {"role": say.label(row.role), "means": say.inside(row.means), "share": say.share(row.contacted_share),
            "range": say.range(row.contacted_low_share, row.contacted_high_share), "tried": say.count(row.tried_count)}
    if not is_available(row.cost_per_reached_amount):
        return say.plural(row.tried_count, "“{role}” ({means}) reached {share} (95 % interval {range}) of {tried} lead tried",
                          "“{role}” ({means}) reached {share} (95 % interval {range}) of {tried} leads tried", **told)
    cost = say.money(row.cost_per_reached_amount)
    if is_available(row.cost_per_reached_low_amount):
        limits = say.range(row.cost_per_reached_low_amount, row.cost_per_reached_high_amount, "amount")
        cost = say("{cost} for each (95 % interval {limits})", cost=cost, limits=limits)
    else:
        cost = say("{cost} for each", cost=cost)
    return say.plural(row.tried_count, "“{role}” ({means}) reached {share} (95 % interval {range}) of {tried} lead tried, {cost}",
                      "“{role}” ({means}) reached {share} (95 % interval {range}) of {tried} leads tried, {cost}", cost=cost,
                      **told)


def _only_dear(process: Process, say: Speaker) -> list[Sentence]:
    dear = measures.dear_reach(process)
    if not dear.dear_means_count:
        return [Sentence("only_dear_means", say("No means of contact is twice as dear as the cheapest one."), dear_means_count=0)]
    told = {"only": say.count(dear.only_dear_count), "contacted": say.count(dear.contacted_count),
            "share": say.share(dear.only_dear_share), "range": say.range(dear.only_dear_low_share, dear.only_dear_high_share)}
    text = (say.plural(dear.only_dear_count, "Not everyone is reached by the cheap way: {only} of {contacted} leads reached "
                       "({share}, 95 % interval {range}) was tried by dear means alone, at {cost}.",
                       "Not everyone is reached by the cheap way: {only} of {contacted} leads reached ({share}, 95 % interval "
                       "{range}) were tried by dear means alone, at {cost} each.",
                       cost=say.money(dear.only_dear_per_reached_amount), **told) if dear.only_dear_count else
            say("By dear means alone {only} of {contacted} leads reached were tried ({share}, 95 % interval {range}).", **told))
    if dear.only_dear_count:
        text += " " + say("Whether the cheap one would have reached them too, only a trial can tell.")
    return [Sentence("only_dear_means", text, only_dear_count=dear.only_dear_count, contacted_count=dear.contacted_count,
                     only_dear_per_reached_amount=dear.only_dear_per_reached_amount)]


TOPICS = (dear_people, next_levels, reached)
