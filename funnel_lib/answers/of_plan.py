"""Exercise 4, the plan: what to do together, what could ever be seen of it, and whether what was started has worked."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import conversion
from funnel_lib import improvement as measures
from funnel_lib.answers import counted
from funnel_lib.answers.sentence import Sentence, Speaker, clauses
from funnel_lib.company import Process
from funnel_lib.improvement.past import BEFORE_AFTER, DID_NOT, WORKED
from funnel_lib.improvement.vocabulary import lever_kind_is_share
from funnel_lib.rates import FEW
from funnel_lib.schema import MISSING

YEAR_WEEKS, FAR_WEEKS = 52, 520


def plan(process: Process) -> list[Sentence]:
    """The best set of the planned measures, what it gains together, and who is to do it."""
    say, frontier = Speaker(process), measures.plan_frontier(process)
    if frontier.empty:
        return []
    best = frontier[frontier["chosen"].astype(bool)]
    if best.empty or not best["measures_count"].iloc[0] > 0:
        text = say("No set of the planned measures gains more than it costs, however much money there is.")
        return [Sentence("plan", text, measures_count=0)]
    row, calendar = best.iloc[0], measures.plan_calendar(process)
    parts = [_set(say, row, calendar)]
    if row.cost_amount < frontier["cost_amount"].max():
        parts.append(say("more money would bring less than it costs"))
    text = clauses(*parts)
    if not row.exact:
        text += " " + say("With so many measures the set is a good one, not surely the best.")
    sentences = [Sentence("plan", text, measures=list(calendar["measure"]), gain_amount=row.gain_amount, low_amount=row.low_amount,
                          high_amount=row.high_amount, cost_amount=row.cost_amount)]
    nobody = calendar.loc[calendar["owner"] == MISSING, "measure"]
    if len(nobody):
        text = say("Nobody is named yet for {measures}: name an owner before the start.", measures=say.names(nobody))
        sentences.append(Sentence("plan_without_owner", text, measures=list(nobody)))
    return sentences


def _set(say: Speaker, row: object, calendar: pd.DataFrame) -> str:
    told = {"measures": ", ".join(say("“{measure}” from {date}", measure=say.label(one.measure), date=say.date(one.starts))
                                  for one in calendar.itertuples()),
            "gain": say.money(row.gain_amount), "range": say.range(row.low_amount, row.high_amount, "amount"),
            "cost": say.money(row.cost_amount)}
    if len(calendar) > 1:
        return say("the plan that gains most net of its cost: {measures}; together {gain} in the first 12 months at work (95 % "
                   "interval {range}) for {cost}", **told)
    return say("the plan that gains most net of its cost: {measures}; {gain} in the first 12 months at work (95 % interval "
               "{range}) for {cost}", **told)


def few_wins(process: Process) -> list[Sentence]:
    """That everything rests on few won leads, where it does."""
    rates = conversion.step_rates(process)
    won = int(rates["reached_count"].iloc[-1])
    if won >= FEW:
        return []
    say = Speaker(process)
    text = say.plural(won, "All of this rests on {won} won lead old enough to count: the ranges are wide, and a few wins more or "
                      "less would change the order of the measures.",
                      "All of this rests on {won} won leads old enough to count: the ranges are wide, and a few wins more or less "
                      "would change the order of the measures.", won=say.count(won))
    return [Sentence("few_wins", text, won_count=won)]


def seen(process: Process) -> list[Sentence]:
    """Which planned measures a trial could show within a year, and what helps with the others."""
    say, table = Speaker(process), measures.detectability(process)
    quick = table[table["weeks_to_see"] <= YEAR_WEEKS]
    slow = table[table["weeks_to_see"] > YEAR_WEEKS]
    sentences = []
    if len(quick):
        told = "; ".join(say("“{measure}” in {weeks} with {cases} in each of two groups", measure=say.label(row.measure),
                             weeks=_weeks(say, row.weeks_to_see), cases=_cases(say, row)) for row in quick.itertuples())
        sentences.append(Sentence("can_be_seen", say("A trial at random would show the likely effect of {told}.", told=told),
                                  measures=list(quick["measure"]), weeks=list(quick["weeks_to_see"])))
    if len(slow):
        text = say("Too few cases to see the likely effect within a year of trial: {told}.",
                   told="; ".join(_slow(say, row) for row in slow.itertuples()))
        sentences.append(Sentence("cannot_be_seen", text, measures=list(slow["measure"]), weeks=list(slow["weeks_to_see"])))
    none = table.loc[table["weeks_to_see"].isna(), "measure"]
    if len(none):
        text = say("No trial of two groups shows {measures}: agree beforehand what else is to tell.", measures=say.names(none))
        sentences.append(Sentence("no_trial", text, measures=list(none)))
    return sentences


def _cases(say: Speaker, row: object) -> str:
    count, told = row.group_size_count, say.count(row.group_size_count)
    if row.trial == "trial_leads":
        return counted.leads(say, told)
    if row.trial == "trial_customers":
        return say.plural(count, "{count} new client", "{count} new clients", count=told)
    if row.trial == "trial_orders":
        return say.plural(count, "{count} order", "{count} orders", count=told)
    return say.plural(count, "{count} week", "{count} weeks", count=told)


def _slow(say: Speaker, row: object) -> str:
    details = [_weeks(say, row.weeks_to_see)]
    if row.seen_in_52_weeks_share == row.seen_in_52_weeks_share:
        details.append(say("a year shows effects from {effect}", effect=_amount(say, abs(row.seen_in_52_weeks_share), row.moves)))
    if row.proxy_step:
        details.append(say("“{step}” would show it in {weeks}, if it rises there in the same proportion",
                           step=say.label(row.proxy_step), weeks=_weeks(say, row.proxy_weeks)))
    return say("“{measure}” ({details})", measure=say.label(row.measure), details="; ".join(details))


def _weeks(say: Speaker, weeks: float) -> str:
    if weeks > FAR_WEEKS:
        return say("over ten years")
    whole = math.ceil(weeks)
    return say.plural(whole, "{count} week", "{count} weeks", count=say.count(whole))


def past(process: Process) -> list[Sentence]:
    """Whether the measures that have started worked, each with its interval and what was foretold."""
    say, table = Speaker(process), measures.did_it_work(process)
    sentences = [_judged(say, row) for row in table.itertuples()]
    compared = table[(table["design"] == BEFORE_AFTER) & table["effect"].notna()]
    if len(compared):
        also = list(dict.fromkeys(key for keys in compared["also_started"] if keys for key in keys.split(", ")))
        text = say("Before and after is no proof: whatever else changed with the start (season, prices, people, where the leads "
                   "came from) is in the difference too; two groups drawn at random would leave it out.")
        if also:
            text += " " + say("Here also started: {measures}.", measures=say.names(also))
        sentences.append(Sentence("before_after_warning", text, measures=list(compared["measure"]), also_started=also))
    sentences += [Sentence("measure_not_followed", say("Not looked at: {reason}.", reason=say.reason(found.message)),
                           finding=found.message) for found in measures.past_findings(process)]
    return sentences


def _judged(say: Speaker, row: object) -> Sentence:
    told, numbers = {"measure": say.label(row.measure)}, {"measure": row.measure, "verdict": row.verdict}
    if row.effect != row.effect:
        text = say("Whether “{measure}” worked cannot be told: {reason}.", reason=say.reason(row.reason), **told)
        return Sentence("whether_it_worked", text, **numbers)
    parts = [_verdict(say, row, told | {"range": _range(say, row), "values": _values(say, row),
                                        "forecast": _signed(say, row.forecast, row.moves)})]
    if row.periods_count == row.periods_count:
        parts.append(say.plural(row.signals_count, "By process limits {signals} of the {periods} periods since is a signal.",
                                "By process limits {signals} of the {periods} periods since are a signal.",
                                signals=say.count(row.signals_count), periods=say.count(row.periods_count)))
    return Sentence("whether_it_worked", " ".join(parts), effect=row.effect, low=row.low, high=row.high, forecast=row.forecast,
                    **numbers)


def _verdict(say: Speaker, row: object, told: dict[str, str]) -> str:
    if row.verdict == WORKED:
        told |= {"lever": _lever(say, row), "effect": _amount(say, abs(row.effect), row.moves)}
        return (say("“{measure}” worked: it raised “{lever}” by {effect} (95 % interval {range}; {values}; foretold: {forecast}).",
                    **told) if row.effect > 0 else
                say("“{measure}” worked: it lowered “{lever}” by {effect} (95 % interval {range}; {values}; foretold: {forecast}).",
                    **told))
    told |= {"effect": _signed(say, row.effect, row.moves)}
    if row.verdict == DID_NOT:
        return say("“{measure}” did not work as planned: the difference is {effect} (95 % interval {range}; {values}; foretold: "
                   "{forecast}).", **told)
    why = say.reason(row.reason) if row.reason else say("the interval holds both no effect and the one foretold")
    return say("Whether “{measure}” worked cannot be told, since {reason}: {effect} (95 % interval {range}; {values}; foretold: "
               "{forecast}).", reason=why, **told)


def _lever(say: Speaker, row: object) -> str:
    return say.label(row.moves) if row.place == "all" else say("{lever}: {place}", lever=say.label(row.moves),
                                                               place=say.label(row.place))


def _values(say: Speaker, row: object) -> str:
    told = {"measured": _value(say, row.measured_value, row.moves), "compared": _value(say, row.compared_value, row.moves)}
    return (say("{measured} against {compared} before", **told) if row.design == BEFORE_AFTER else
            say("{measured} against {compared} in the control group, drawn at random", **told))


def _amount(say: Speaker, value: float, moves: str) -> str:
    if not lever_kind_is_share(moves):
        return say.share(value)
    return say.plural(100 * value, "{points} point", "{points} points", points=say.number(100 * value))


def _signed(say: Speaker, value: float, moves: str) -> str:
    return _sign(value) + _amount(say, abs(value), moves)


def _sign(value: float) -> str:
    return "−" if value < 0 else "+"


def _range(say: Speaker, row: object) -> str:
    if not lever_kind_is_share(row.moves):
        return say("{low} to {high}", low=_signed(say, row.low, row.moves), high=_signed(say, row.high, row.moves))
    low, high = (_sign(value) + say.number(100 * abs(value)) for value in (row.low, row.high))
    return say("{low} to {high} points", low=low, high=high)


def _value(say: Speaker, value: float, moves: str) -> str:
    if lever_kind_is_share(moves):
        return say.share(value)
    return say.money(value) if moves == "lever_mean_amount" else say("{leads} leads a week", leads=say.number(value))


TOPICS = (plan, past, seen, few_wins)
