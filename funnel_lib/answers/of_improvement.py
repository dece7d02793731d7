"""Exercise 4 answered: which lever brings most, which planned measures pay and which do not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib import improvement as measures
from funnel_lib.answers import of_conveyor, of_plan
from funnel_lib.answers.sentence import UNAVAILABLE, Sentence, Speaker, answered
from funnel_lib.company import Process
from funnel_lib.improvement.measures import planned_measures
from funnel_lib.improvement.parameters import chain_of

SURE, UNLIKELY = 0.8, 0.2


def improvement(process: Process) -> list[Sentence]:
    """The sentences of exercise 4, the verdict first."""
    sentences = answered(process, _together, *of_plan.TOPICS, *of_conveyor.TOPICS)
    return sentences if sentences[0].key == UNAVAILABLE else [*sentences, _limits(process)]


def _limits(process: Process) -> Sentence:
    say = Speaker(process)
    return Sentence("limits", say(
        "All of this is an estimate by the chain of rates: leads × step rates × margin per customer − money − hours. It takes "
        "today's flow, mix and prices as given, has no waiting for people whose hours are full (the weekly model has), and lets a "
        "measure change nothing but its own lever; effects are what the register says, not what has been seen."))


def _together(process: Process) -> list[Sentence]:
    return [*_measures(process), *_levers(process), *_yearly(process), *_not_computed(process)]


def _measures(process: Process) -> list[Sentence]:
    say = Speaker(process)
    if not planned_measures(process):
        text = say("No measure is planned yet. Write some under “{section}” in company.yaml: which lever it moves, its effect "
                   "(low, likely, high) and its cost; the levers below show where it is worth looking, and `funnel measures` "
                   "prints typical ones for this process to copy from.", section="measures")
        return [Sentence("measures_that_pay", text, measures_count=0)]
    ranked = measures.rank_measures(process)
    if ranked.empty:
        return [Sentence("measures_that_pay", say("None of the planned measures could be computed."), measures_count=0)]
    paying = ranked[(ranked["net_amount"] > 0) & (ranked["pays_probability"] >= SURE)]
    unsure = ranked[(ranked["pays_probability"] > UNLIKELY) & ~ranked["measure"].isin(paying["measure"])]
    hopeless = ranked[~ranked["measure"].isin([*paying["measure"], *unsure["measure"]])]
    return [*_paying(say, ranked, paying), *_unsure(say, unsure), *_hopeless(say, hopeless)]


def _paying(say: Speaker, ranked: pd.DataFrame, paying: pd.DataFrame) -> list[Sentence]:
    told = "; ".join(say("“{measure}” brings {gain} in its first 12 months at work for {cost}", measure=say.label(row.measure),
                         gain=say.money(row.gain_amount), cost=say.money(row.cost_amount)) for row in paying.itertuples())
    text = (say("Worth doing: {told}.", told=told) if told else
            say.plural(len(ranked), "The planned measure ({measures}) is not sure to bring more than it costs in 12 months.",
                       "None of the {measures} planned measures is sure to bring more than it costs in 12 months.",
                       measures=say.count(len(ranked))))
    return [Sentence("measures_that_pay", text, measures_count=len(ranked), measures=list(paying["measure"]),
                     gain_amount=paying["gain_amount"].sum(), cost_amount=paying["cost_amount"].sum()),
            *(Sentence("how_it_pays", _odds(say, row), measure=row.measure) for row in paying.itertuples())]


def _unsure(say: Speaker, unsure: pd.DataFrame) -> list[Sentence]:
    if unsure.empty:
        return []
    told = " ".join(_odds(say, row) for row in unsure.itertuples())
    text = say.plural(len(unsure), "The data cannot tell whether this pays; try it small first. {told}",
                      "The data cannot tell whether these pay; try them small first. {told}", told=told)
    return [Sentence("measures_unsure", text, measures=list(unsure["measure"]))]


def _hopeless(say: Speaker, hopeless: pd.DataFrame) -> list[Sentence]:
    if hopeless.empty:
        return []
    told = "; ".join(say("“{measure}” ({gain} against {cost})", measure=say.label(row.measure), gain=say.money(row.gain_amount),
                         cost=say.money(row.cost_amount)) for row in hopeless.itertuples())
    return [Sentence("measures_that_do_not_pay", say("Not worth it as planned, gain against cost: {told}.", told=told),
                     measures=list(hopeless["measure"]))]


def _odds(say: Speaker, row: object) -> str:
    told = {"measure": say.label(row.measure), "gain": say.range(row.low_amount, row.high_amount, "amount"),
            "cost": say.money(row.cost_amount),
            "chance": say.chance(row.pays_probability)}
    if row.payback_months == row.payback_months:
        return say("“{measure}”: in the first 12 months at work a gain of {gain} (95 % interval) for {cost}, paid back {payback} "
                   "after the start; the chance that it pays is {chance}.", payback=say.months(row.payback_months), **told)
    return say("“{measure}”: in the first 12 months at work a gain of {gain} (95 % interval) for {cost}; the chance that it pays "
               "is {chance}.", **told)


def _levers(process: Process) -> list[Sentence]:
    say, levers = Speaker(process), measures.levers(process)
    best = levers.iloc[0]
    tied = levers[np.isclose(levers["margin_change_amount"], best.margin_change_amount)]
    told = {"levers": ", ".join(_lever(say, row) for row in tied.itertuples()), "change": say.money(best.margin_change_amount),
            "range": say.range(best.low_amount, best.high_amount, "amount")}
    text = (say("The biggest lever is {levers}: +10 % of its present value changes the yearly margin by {change} (95 % interval "
                "{range}).", **told) if len(tied) == 1 else
            say("The biggest levers weigh the same, since they multiply: {levers}: +10 % of its present value changes the yearly "
                "margin by {change} (95 % interval {range}). Choose by what is easiest to move.", **told))
    return [Sentence("biggest_lever", text, lever=best.lever, margin_change_amount=best.margin_change_amount,
                     low_amount=best.low_amount, high_amount=best.high_amount, levers=list(tied["lever"])),
            *_best_channel(say, levers)]


def _lever(say: Speaker, row: object) -> str:
    name = say.inside(row.moves)
    return (say("“{name}”", name=name) if row.place == "all" else
            say("“{lever}: {place}”", lever=name, place=say.label(row.place)))


def _best_channel(say: Speaker, levers: pd.DataFrame) -> list[Sentence]:
    channels = levers[(levers["moves"] == "lever_lead_flow") & (levers["place"] != "all")]
    if len(channels) < 2:
        return []
    row = channels.iloc[0]
    more = round(row.changed_value - row.present_value)
    text = say.plural(more, "Among the channels 10 % more leads bring most in “{channel}”: {change} a year (95 % interval {range}) "
                      "for {leads} lead more, before what that lead costs.",
                      "Among the channels 10 % more leads bring most in “{channel}”: {change} a year (95 % interval {range}) for "
                      "{leads} leads more, before what those leads cost.", channel=say.label(row.place),
                      change=say.money(row.margin_change_amount), range=say.range(row.low_amount, row.high_amount, "amount"),
                      leads=say.count(more))
    return [Sentence("best_channel", text, channel=row.place, margin_change_amount=row.margin_change_amount,
                     low_amount=row.low_amount, high_amount=row.high_amount)]


def _yearly(process: Process) -> list[Sentence]:
    say, now, people = Speaker(process), measures.yearly_margin(process), chain_of(process).customers
    parts = [say.plural(people.customers_count, "The yearly margin by the chain of rates is {margin} (95 % interval {range}), from "
                        "what {customers} customer brought in their first 12 months.",
                        "The yearly margin by the chain of rates is {margin} (95 % interval {range}), from what {customers} "
                        "customers brought in their first 12 months.", margin=say.money(now.amount),
                        range=say.range(now.low_amount, now.high_amount, "amount"), customers=say.count(people.customers_count))]
    if people.is_partial:
        parts.append(say("Nobody has been a customer for a year yet, so that this is too little."))
    absent = [name for name in ("spend", "work") if not process.has(name)]
    if absent:
        parts.append(say("Without the table “{table}” its cost is not taken off.", table=absent[0]))
    return [Sentence("yearly_margin", " ".join(parts), amount=now.amount, low_amount=now.low_amount, high_amount=now.high_amount,
                     customers_count=people.customers_count), *_cost_gaps(process)]


def _cost_gaps(process: Process) -> list[Sentence]:
    """What had to be assumed about the money and hours of a year."""
    say, chain, sentences = Speaker(process), chain_of(process), []
    if chain.undated_amount:
        text = say("Spending without a date is spread evenly over the time observed: {money} of the year's costs.",
                   money=say.money(chain.undated_amount))
        sentences.append(Sentence("undated_spend", text, undated_amount=chain.undated_amount))
    if chain.uncosted_hours > 0:
        text = say("Not taken off, since their role has no hour cost: {hours} a year.", hours=say.hours(chain.uncosted_hours))
        sentences.append(Sentence("uncosted_hours", text, uncosted_hours=chain.uncosted_hours))
    return sentences


def _not_computed(process: Process) -> list[Sentence]:
    say = Speaker(process)
    return [Sentence("measure_not_computed", say("Not computed: {reason}.", reason=say.reason(found.message)),
                     finding=found.message) for found in measures.measure_findings(process)]
