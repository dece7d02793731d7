"""Exercise 4, the plan: what to do together, what could ever be seen of it, and whether what was started has worked."""

from __future__ import annotations

import math

from funnel_lib import conversion
from funnel_lib import improvement as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.improvement.past import BEFORE_AFTER, WORKED
from funnel_lib.improvement.vocabulary import lever_kind_is_share
from funnel_lib.rates import FEW
from funnel_lib.schema import MISSING

YEAR_WEEKS, FAR_WEEKS = 52, 520
WARNING = ("Before and after is no proof: whatever else changed with the start (season, prices, people, where the leads came from) "
           "is in the difference too; two groups drawn at random would leave it out.")


def plan(process: Process) -> list[Sentence]:
    """The best set of the planned measures, what it gains together, and who is to do it."""
    say, frontier = Speaker(process), measures.plan_frontier(process)
    if frontier.empty:
        return []
    best = frontier[frontier["chosen"].astype(bool)]
    if best.empty or not best["measures_count"].iloc[0] > 0:
        text = "No set of the planned measures gains more than it costs, however much money there is."
        return [Sentence("plan", text, measures_count=0)]
    row, calendar = best.iloc[0], measures.plan_calendar(process)
    names = ", ".join(f"“{say.label(one.measure)}” from {say.date(one.starts)}" for one in calendar.itertuples())
    together = "together " if len(calendar) > 1 else ""
    text = (f"The plan that gains most net of its cost: {names}; {together}{say.money(row.gain_amount)} in the first 12 months at "
            f"work (95 % interval {say.range(row.low_amount, row.high_amount, 'amount')}) for {say.money(row.cost_amount)}")
    text += ("; more money would bring less than it costs." if row.cost_amount < frontier["cost_amount"].max() else ".")
    text += "" if row.exact else " With so many measures the set is a good one, not surely the best."
    sentences = [Sentence("plan", text, measures=list(calendar["measure"]), gain_amount=row.gain_amount, low_amount=row.low_amount,
                          high_amount=row.high_amount, cost_amount=row.cost_amount)]
    nobody = calendar.loc[calendar["owner"] == MISSING, "measure"]
    if len(nobody):
        told = ", ".join(f"“{say.label(key)}”" for key in nobody)
        sentences.append(Sentence("plan_without_owner", f"Nobody is named yet for {told}: name an owner before the start.",
                                  measures=list(nobody)))
    return sentences


def few_wins(process: Process) -> list[Sentence]:
    """That everything rests on few won leads, where it does."""
    rates = conversion.step_rates(process)
    won = int(rates["reached_count"].iloc[-1])
    if won >= FEW:
        return []
    say = Speaker(process)
    leads = "lead" if won == 1 else "leads"
    text = (f"All of this rests on {say.count(won)} won {leads} old enough to count: the ranges are wide, and "
            "a few wins more or less would change the order of the measures.")
    return [Sentence("few_wins", text, won_count=won)]


def seen(process: Process) -> list[Sentence]:
    """Which planned measures a trial could show within a year, and what helps with the others."""
    say, table = Speaker(process), measures.detectability(process)
    quick = table[table["weeks_to_see"] <= YEAR_WEEKS]
    slow = table[table["weeks_to_see"] > YEAR_WEEKS]
    sentences = []
    if len(quick):
        told = "; ".join(f"“{say.label(row.measure)}” in {_weeks(say, row.weeks_to_see)} with {say.count(row.group_size_count)} "
                         f"{_cases(row.trial)} in each of two groups" for row in quick.itertuples())
        sentences.append(Sentence("can_be_seen", f"A trial at random would show the likely effect of {told}.",
                                  measures=list(quick["measure"]), weeks=list(quick["weeks_to_see"])))
    if len(slow):
        told = "; ".join(_slow(say, row) for row in slow.itertuples())
        sentences.append(Sentence("cannot_be_seen", f"Too few cases to see the likely effect within a year of trial: {told}.",
                                  measures=list(slow["measure"]), weeks=list(slow["weeks_to_see"])))
    none = table.loc[table["weeks_to_see"].isna(), "measure"]
    if len(none):
        told = ", ".join(f"“{say.label(key)}”" for key in none)
        sentences.append(Sentence("no_trial", f"No trial of two groups shows {told}: agree beforehand what else is to tell.",
                                  measures=list(none)))
    return sentences


def _cases(trial: str) -> str:
    return {"trial_leads": "leads", "trial_customers": "new clients", "trial_orders": "orders", "trial_weeks": "weeks"}[trial]


def _slow(say: Speaker, row: object) -> str:
    text = f"“{say.label(row.measure)}” ({_weeks(say, row.weeks_to_see)}"
    if row.seen_in_52_weeks_share == row.seen_in_52_weeks_share:
        text += f"; a year shows effects from {_amount(say, abs(row.seen_in_52_weeks_share), row.moves)}"
    if row.proxy_step:
        text += (f"; “{say.label(row.proxy_step)}” would show it in {_weeks(say, row.proxy_weeks)}, if it rises there in the same "
                 "proportion")
    return text + ")"


def _weeks(say: Speaker, weeks: float) -> str:
    whole = math.ceil(weeks)
    return "over ten years" if weeks > FAR_WEEKS else f"{say.count(whole)} {'week' if whole == 1 else 'weeks'}"


def past(process: Process) -> list[Sentence]:
    """Whether the measures that have started worked, each with its interval and what was foretold."""
    say, table = Speaker(process), measures.did_it_work(process)
    sentences = [_judged(say, row) for row in table.itertuples()]
    compared = table[(table["design"] == BEFORE_AFTER) & table["effect"].notna()]
    if len(compared):
        also = list(dict.fromkeys(key for keys in compared["also_started"] if keys for key in keys.split(", ")))
        text = WARNING + (f" Here also started: {', '.join(f'“{say.label(key)}”' for key in also)}." if also else "")
        sentences.append(Sentence("before_after_warning", text, measures=list(compared["measure"]), also_started=also))
    sentences += [Sentence("measure_not_followed", f"Not looked at: {found.message}.", finding=found.message)
                  for found in measures.past_findings(process)]
    return sentences


def _judged(say: Speaker, row: object) -> Sentence:
    name, numbers = f"“{say.label(row.measure)}”", {"measure": row.measure, "verdict": row.verdict}
    if row.effect != row.effect:
        return Sentence("whether_it_worked", f"Whether {name} worked cannot be told: {row.reason}.", **numbers)
    what = f"“{say.label(row.moves)}" + ("”" if row.place == "all" else f": {say.label(row.place)}”")
    effect = f"{'raised' if row.effect > 0 else 'lowered'} {what} by {_amount(say, abs(row.effect), row.moves)}"
    limits = f"95 % interval {_range(say, row)}"
    how = (f"{_value(say, row.measured_value, row.moves)} against {_value(say, row.compared_value, row.moves)} "
           + ("before" if row.design == BEFORE_AFTER else "in the control group, drawn at random"))
    foretold = f"foretold: {_signed(say, row.forecast, row.moves)}"
    numbers |= {"effect": row.effect, "low": row.low, "high": row.high, "forecast": row.forecast}
    if row.verdict == WORKED:
        text = f"{name} worked: it {effect} ({limits}; {how}; {foretold})."
    elif row.verdict == "did not":
        text = (f"{name} did not work as planned: the difference is {_signed(say, row.effect, row.moves)} ({limits}; {how}; "
                f"{foretold}).")
    else:
        why = row.reason or "the interval holds both no effect and the one foretold"
        text = (f"Whether {name} worked cannot be told, since {why}: {_signed(say, row.effect, row.moves)} ({limits}; {how}; "
                f"{foretold}).")
    if row.periods_count == row.periods_count:
        text += (f" By process limits {say.count(row.signals_count)} of the {say.count(row.periods_count)} periods since are a "
                 "signal.")
    return Sentence("whether_it_worked", text, **numbers)


def _amount(say: Speaker, value: float, moves: str) -> str:
    return f"{say.number(100 * value)} points" if lever_kind_is_share(moves) else say.share(value)


def _signed(say: Speaker, value: float, moves: str) -> str:
    return ("−" if value < 0 else "+") + _amount(say, abs(value), moves)


def _range(say: Speaker, row: object) -> str:
    low, high = (_signed(say, value, row.moves) for value in (row.low, row.high))
    return f"{low.removesuffix(' points')} to {high}"


def _value(say: Speaker, value: float, moves: str) -> str:
    if lever_kind_is_share(moves):
        return say.share(value)
    return say.money(value) if moves == "lever_mean_amount" else f"{say.number(value)} leads a week"


TOPICS = (plan, past, seen, few_wins)
