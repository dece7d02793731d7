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

LIMITS_TEXT = ("All of this is an estimate by the chain of rates: leads × step rates × margin per customer − money − hours. "
               "It takes today's flow, mix and prices as given, has no waiting for people whose hours are full (the weekly model "
               "has), and lets a measure change nothing but its own lever; effects are what the register says, not what has been "
               "seen.")
SURE, UNLIKELY, NEARLY_CERTAIN = 0.8, 0.2, 0.99


def improvement(process: Process) -> list[Sentence]:
    """The sentences of exercise 4, the verdict first."""
    sentences = answered(process, _together, *of_plan.TOPICS, *of_conveyor.TOPICS)
    return sentences if sentences[0].key == UNAVAILABLE else [*sentences, Sentence("limits", LIMITS_TEXT)]


def _together(process: Process) -> list[Sentence]:
    return [*_measures(process), *_levers(process), *_yearly(process), *_not_computed(process)]


def _measures(process: Process) -> list[Sentence]:
    say = Speaker(process)
    if not planned_measures(process):
        text = ("No measure is planned yet. Write some under “measures” in company.yaml: which lever it moves, its effect "
                "(low, likely, high) and its cost; the levers below show where it is worth looking, and `funnel "
                "measures` prints typical ones for this process to copy from.")
        return [Sentence("measures_that_pay", text, measures_count=0)]
    ranked = measures.rank_measures(process)
    if ranked.empty:
        return [Sentence("measures_that_pay", "None of the planned measures could be computed.", measures_count=0)]
    paying = ranked[(ranked["net_amount"] > 0) & (ranked["pays_probability"] >= SURE)]
    unsure = ranked[(ranked["pays_probability"] > UNLIKELY) & ~ranked["measure"].isin(paying["measure"])]
    hopeless = ranked[~ranked["measure"].isin([*paying["measure"], *unsure["measure"]])]
    text = (f"Worth doing: {'; '.join(_told(say, row) for row in paying.itertuples())}." if len(paying) else
            f"None of the {say.count(len(ranked))} planned measures is sure to bring more than it costs in 12 months.")
    sentences = [Sentence("measures_that_pay", text, measures_count=len(ranked), measures=list(paying["measure"]),
                          gain_amount=paying["gain_amount"].sum(), cost_amount=paying["cost_amount"].sum())]
    sentences += [Sentence("how_it_pays", _odds(say, row), measure=row.measure) for row in paying.itertuples()]
    if len(unsure):
        told = " ".join(_odds(say, row) for row in unsure.itertuples())
        sentences.append(Sentence("measures_unsure", f"The data cannot tell whether these pay; try them small first. {told}",
                                  measures=list(unsure["measure"])))
    if len(hopeless):
        told = "; ".join(f"“{say.label(row.measure)}” ({say.money(row.gain_amount)} against {say.money(row.cost_amount)})"
                         for row in hopeless.itertuples())
        sentences.append(Sentence("measures_that_do_not_pay", f"Not worth it as planned, gain against cost: {told}.",
                                  measures=list(hopeless["measure"])))
    return sentences


def _told(say: Speaker, row: object) -> str:
    return (f"“{say.label(row.measure)}” brings {say.money(row.gain_amount)} in its first 12 months at work for "
            f"{say.money(row.cost_amount)}")


def _odds(say: Speaker, row: object) -> str:
    chance = say.share(row.pays_probability) if row.pays_probability < NEARLY_CERTAIN else "over 99 %"
    pays = f", paid back {say.months(row.payback_months)} after the start" if row.payback_months == row.payback_months else ""
    gain = say.range(row.low_amount, row.high_amount, "amount")
    return (f"“{say.label(row.measure)}”: in the first 12 months at work a gain of {gain} (95 % interval) for "
            f"{say.money(row.cost_amount)}{pays}; the chance that it pays is {chance}.")


def _levers(process: Process) -> list[Sentence]:
    say, levers = Speaker(process), measures.levers(process)
    best = levers.iloc[0]
    tied = levers[np.isclose(levers["margin_change_amount"], best.margin_change_amount)]
    names = ", ".join(_lever(say, row) for row in tied.itertuples())
    which = "The biggest lever is" if len(tied) == 1 else "The biggest levers weigh the same, since they multiply:"
    text = (f"{which} {names}: +10 % of its present value changes the yearly margin by {say.money(best.margin_change_amount)} "
            f"(95 % interval {say.range(best.low_amount, best.high_amount, 'amount')}).")
    if len(tied) > 1:
        text += " Choose by what is easiest to move."
    return [Sentence("biggest_lever", text, lever=best.lever, margin_change_amount=best.margin_change_amount,
                     low_amount=best.low_amount, high_amount=best.high_amount, levers=list(tied["lever"])),
            *_best_channel(say, levers)]


def _best_channel(say: Speaker, levers: pd.DataFrame) -> list[Sentence]:
    channels = levers[(levers["moves"] == "lever_lead_flow") & (levers["place"] != "all")]
    if len(channels) < 2:
        return []
    row = channels.iloc[0]
    text = (f"Among the channels 10 % more leads bring most in “{say.label(row.place)}”: "
            f"{say.money(row.margin_change_amount)} a year (95 % interval "
            f"{say.range(row.low_amount, row.high_amount, 'amount')}) for "
            f"{say.count(round(row.changed_value - row.present_value))} leads more, before what those leads cost.")
    return [Sentence("best_channel", text, channel=row.place, margin_change_amount=row.margin_change_amount,
                     low_amount=row.low_amount, high_amount=row.high_amount)]


def _lever(say: Speaker, row: object) -> str:
    name = say.label(row.moves).lower()
    return f"“{name}”" if row.place == "all" else f"“{name}: {say.label(row.place)}”"


def _yearly(process: Process) -> list[Sentence]:
    say, now, people = Speaker(process), measures.yearly_margin(process), chain_of(process).customers
    text = (f"The yearly margin by the chain of rates is {say.money(now.amount)} (95 % interval "
            f"{say.range(now.low_amount, now.high_amount, 'amount')}), from what {say.count(people.customers_count)} customers "
            "brought in their first 12 months")
    text += ("; nobody has been a customer for a year yet, so that this is too little." if people.is_partial else ".")
    absent = [name for name in ("spend", "work") if not process.has(name)]
    if absent:
        text += f" Without the table “{absent[0]}” its cost is not taken off."
    return [Sentence("yearly_margin", text, amount=now.amount, low_amount=now.low_amount, high_amount=now.high_amount,
                     customers_count=people.customers_count), *_cost_gaps(process)]


def _cost_gaps(process: Process) -> list[Sentence]:
    """What had to be assumed about the money and hours of a year."""
    say, chain, sentences = Speaker(process), chain_of(process), []
    if chain.undated_amount:
        text = (f"Spending without a date is spread evenly over the time observed: {say.money(chain.undated_amount)} of the "
                "year's costs.")
        sentences.append(Sentence("undated_spend", text, undated_amount=chain.undated_amount))
    if chain.uncosted_hours > 0:
        text = f"Not taken off, since their role has no hour cost: {say.hours(chain.uncosted_hours)} a year."
        sentences.append(Sentence("uncosted_hours", text, uncosted_hours=chain.uncosted_hours))
    return sentences


def _not_computed(process: Process) -> list[Sentence]:
    return [Sentence("measure_not_computed", f"Not computed: {found.message}.", finding=found.message)
            for found in measures.measure_findings(process)]
