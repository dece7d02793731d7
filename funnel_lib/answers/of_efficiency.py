"""Exercise 5 answered: what each stage's result costs, how technologized the work is, which next level pays soonest."""

from __future__ import annotations

import pandas as pd

from funnel_lib import efficiency as measures
from funnel_lib.answers import of_scorecards, of_technology
from funnel_lib.answers.sentence import Sentence, Speaker, attempt
from funnel_lib.company import Process
from funnel_lib.labour import roles_without_cost
from funnel_lib.language.formats import is_available
from funnel_lib.schema import MISSING

# What is missing → what it would add.
MISSING_TABLES = {"spend": "what the stages cost in money beside labour", "work": "hours and the cost of labour",
                  "pulse": "how hard the work is on people"}
FULL_LOAD, HIGH_LOAD = 1.0, 0.9
CARDS_NAMED = 3


def efficiency(process: Process) -> list[Sentence]:
    """The sentences of exercise 5, the verdict first."""
    topics = (_dearest_stage, _hardest_stage, _returns, _levels, _overclaimed, *of_technology.TOPICS, _binding_role,
              *of_scorecards.TOPICS, _not_measured)
    sentences = [sentence for topic in topics for sentence in attempt(topic, process)]
    # Several topics may need the same missing table; it is said once.
    return list(dict.fromkeys(sentences))


def _stages(process: Process) -> pd.DataFrame:
    sheet = measures.efficiency_sheet(process)
    return sheet[sheet["stage"] != "all"]


def _largest(stages: pd.DataFrame, column: str) -> pd.Series | None:
    """The stage with most of something per result; None where fewer than two stages can be compared."""
    known = stages[stages[column].notna()]
    return known.loc[known[column].idxmax()] if len(known) > 1 else None


def _dearest_stage(process: Process) -> list[Sentence]:
    say, stages = Speaker(process), _stages(process)
    money, hours = (_largest(stages, column) for column in ("cost_per_result_amount", "hours_per_result"))
    if money is None and hours is None:
        return [Sentence("dearest_stage", "Which stage is dearest cannot be told: fewer than two stages have both a result and "
                                          "a cost.")]
    parts = []
    if money is not None:
        parts.append(f"“{say.label(money.stage)}” is the dearest stage: {say.money(money.cost_per_result_amount)} for each of "
                     f"{_results(say, money)} ({say.money(money.cost_amount)} in all)")
    if hours is not None:
        same = money is not None and hours.stage == money.stage
        parts.append(f"it takes the most hours too: {say.hours(hours.hours_per_result)} each" if same else
                     f"“{say.label(hours.stage)}” takes the most hours: {say.hours(hours.hours_per_result)} for each of "
                     f"{_results(say, hours)}")
    text = "; ".join(parts)
    numbers = {"stage": (money if money is not None else hours).stage}
    if money is not None:
        numbers |= {"cost_per_result_amount": money.cost_per_result_amount, "result_count": money.result_count}
    if hours is not None:
        numbers |= {"hours_stage": hours.stage, "hours_per_result": hours.hours_per_result}
    return [Sentence("dearest_stage", text[:1].upper() + text[1:] + ".", **numbers)]


def _results(say: Speaker, row: pd.Series) -> str:
    return f"{say.count(row.result_count)} {say.label(row.result).lower()}"


def _hardest_stage(process: Process) -> list[Sentence]:
    say, stages = Speaker(process), _stages(process)
    asked = stages[stages["strain"].notna()].sort_values("strain", ascending=False)
    if len(asked) < 2:
        return []
    hard, others = asked.iloc[0], asked.iloc[1:]
    alone = asked[asked["strain_low"].isna() | asked["strain_high"].isna()]
    if len(alone):
        named = " and ".join(f"“{say.label(stage)}”" for stage in alone["stage"])
        text = (f"The highest strain is {say.number(hard.strain)} of 5 in “{say.label(hard.stage)}”, but whether that stage is "
                f"really harder on people than the others cannot be told: there is one answer only from {named}.")
        return [Sentence("hardest_stage", text, stage=hard.stage, strain=hard.strain, clear=False,
                         single_answers=list(alone["stage"]))]
    if not hard.strain_low > others["strain_high"].max():
        text = (f"No stage is clearly harder on people than the others: the highest strain is {say.number(hard.strain)} of 5 "
                f"in “{say.label(hard.stage)}” ({say.count(hard.strain_answers_count)} answers), within the error of the rest.")
        return [Sentence("hardest_stage", text, stage=hard.stage, strain=hard.strain, clear=False)]
    rest = " and ".join(f"{say.number(row.strain)} in “{say.label(row.stage)}”" for row in others.itertuples())
    text = (f"“{say.label(hard.stage)}” takes the most nerves: mean strain {say.number(hard.strain)} of 5 (95 % interval "
            f"{say.range(hard.strain_low, hard.strain_high, 'number')}, {say.count(hard.strain_answers_count)} answers) "
            f"against {rest}.")
    return [Sentence("hardest_stage", text, stage=hard.stage, strain=hard.strain, strain_low=hard.strain_low,
                     strain_high=hard.strain_high, strain_answers_count=hard.strain_answers_count, clear=True)]


def _returns(process: Process) -> list[Sentence]:
    say, sheet = Speaker(process), measures.efficiency_sheet(process)
    row = sheet[sheet["stage"] == "all"].iloc[0]
    parts = []
    if is_available(row.margin_per_cost):
        parts.append(f"one unit of money spent on the whole process has brought {say.number(row.margin_per_cost)} of margin")
    if is_available(row.margin_per_hour_amount):
        parts.append(f"one man-hour {say.money(row.margin_per_hour_amount)}")
    if not parts:
        return []
    known = [say.money(row.cost_amount)] * is_available(row.cost_amount) + [say.hours(row.hours)] * is_available(row.hours)
    spent = " and ".join(known) + " in all"
    text = (", ".join(parts) + f" ({spent}). The same figures of the single stages set each of them against the whole "
            "margin: they compare stages but do not add up.")
    return [Sentence("returns", text[:1].upper() + text[1:], margin_per_cost=row.margin_per_cost,
                     margin_per_hour_amount=row.margin_per_hour_amount, cost_amount=row.cost_amount, hours=row.hours)]


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


def _binding_role(process: Process) -> list[Sentence]:
    say, roles = Speaker(process), measures.capacity(process)
    known = roles[roles["load_share"].notna()]
    if known.empty:
        return [Sentence("binding_role", "Whose hours are the bottleneck cannot be told: no role says how many hours it is "
                                         "paid for (paid_hours_per_month).")]
    row = known.iloc[0]
    told = (f"“{say.label(row.role)}” needs {say.number(row.needed_hours)} hours a month for the present flow of leads and has "
            f"{say.number(row.paid_hours)} paid ones ({say.share(row.load_share)})")
    if row.load_share >= FULL_LOAD:
        text = f"The bottleneck is a role: {told}. More leads would only wait there."
    elif row.load_share >= HIGH_LOAD:
        text = f"The tightest role is nearly full: {told}."
    else:
        text = f"No role is the bottleneck; the tightest: {told}."
    return [Sentence("binding_role", text, role=row.role, needed_hours=row.needed_hours, paid_hours=row.paid_hours,
                     load_share=row.load_share, binds=bool(row.load_share >= FULL_LOAD))]


def _not_measured(process: Process) -> list[Sentence]:
    say = Speaker(process)
    absent = [table for table in MISSING_TABLES if not process.has(table)]
    sentences = [Sentence("not_measured", f"The table “{table}” is missing; it would add {MISSING_TABLES[table]}.", table=table)
                 for table in absent]
    roles = roles_without_cost(process)
    if roles:
        named = ", ".join("work without a role" if role == MISSING else f"“{say.label(role)}”" for role in roles)
        hours = measures.efficiency_sheet(process).set_index("stage").loc["all", "uncosted_hours"]
        text = f"Without an hour cost, and so in no amount of labour: {say.hours(hours)} of {named}."
        sentences.append(Sentence("uncosted_hours", text, uncosted_hours=hours, roles=roles))
    return sentences
