"""Exercise 5, what the results cost: the dearest stage, what changed, the next unit of money and the next hour."""

from __future__ import annotations

import pandas as pd

from funnel_lib import efficiency as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.improvement import next_unit
from funnel_lib.labour import roles_without_cost
from funnel_lib.language.formats import is_available
from funnel_lib.schema import MISSING, STAGES

# What is missing → what it would add.
MISSING_TABLES = {"spend": "what the stages cost in money beside labour", "work": "hours and the cost of labour",
                  "pulse": "how hard the work is on people"}


def dearest_stage(process: Process) -> list[Sentence]:
    """Which stage takes most money and hours for one result."""
    say, stages = Speaker(process), _stages(process)
    money, hours = (_largest(stages, column) for column in ("cost_per_result_amount", "hours_per_result"))
    if money is None and hours is None:
        return [Sentence("dearest_stage", "Which stage is dearest cannot be told: fewer than two stages have both a result and "
                                          "a cost.")]
    parts = []
    if money is not None:
        parts.append(f"“{say.label(money.stage)}” is the dearest stage: {say.money(money.cost_per_result_amount)} for each of "
                     f"{_results(say, money)} ({_limits(say, money)}{say.money(money.cost_amount)} in all)")
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


def _limits(say: Speaker, row: pd.Series) -> str:
    if not (is_available(row.cost_per_result_low_amount) and is_available(row.cost_per_result_high_amount)):
        return ""
    return f"95 % interval {say.range(row.cost_per_result_low_amount, row.cost_per_result_high_amount, 'amount')}; "


def _stages(process: Process) -> pd.DataFrame:
    sheet = measures.efficiency_sheet(process)
    return sheet[sheet["stage"] != "all"]


def _largest(stages: pd.DataFrame, column: str) -> pd.Series | None:
    """The stage with most of something per result; None where fewer than two stages can be compared."""
    known = stages[stages[column].notna()]
    return known.loc[known[column].idxmax()] if len(known) > 1 and (known[column] > 0).any() else None


def _results(say: Speaker, row: pd.Series) -> str:
    return f"{say.count(row.result_count)} {say.label(row.result).lower()}"


def target_lead(process: Process) -> list[Sentence]:
    """What a lead on target costs."""
    say, row = Speaker(process), _stages(process).iloc[0]
    if not is_available(row.cost_per_target_lead_amount):
        return []
    text = (f"A lead costs {say.money(row.cost_per_result_amount)}, one in a target segment "
            f"{say.money(row.cost_per_target_lead_amount)} ({say.count(row.target_count)} of {say.count(row.result_count)}).")
    return [Sentence("target_lead", text, cost_per_result_amount=row.cost_per_result_amount, target_count=row.target_count,
                     cost_per_target_lead_amount=row.cost_per_target_lead_amount)]


def unpaid_stages(process: Process) -> list[Sentence]:
    """Stages that took money or hours and have no result: their price is undefined."""
    say, stages = Speaker(process), _stages(process)
    idle = stages[(stages["result_count"] == 0) & ((stages["cost_amount"] > 0) | (stages["hours"] > 0))]
    return [Sentence("no_result", f"“{say.label(row.stage)}” has no result yet, so that its cost per result is undefined: "
                                  + " and ".join(_taken(say, row)) + " were spent there.", stage=row.stage)
            for row in idle.itertuples()]


def _taken(say: Speaker, row: tuple) -> list[str]:
    return ([say.money(row.cost_amount)] * (is_available(row.cost_amount) and row.cost_amount != 0)
            + [say.hours(row.hours)] * (is_available(row.hours) and row.hours != 0))


def nowhere(process: Process) -> list[Sentence]:
    """Money and hours that name no stage."""
    say, stages = Speaker(process), _stages(process)
    lost = stages[~stages["stage"].isin(STAGES)]
    return [Sentence("without_stage", f"In no stage, and so in no price of a result: {' and '.join(_taken(say, row))} "
                                      f"(“{say.label(row.stage)}”). Naming the stage of every row would add them.", stage=row.stage,
                     hours=row.hours) for row in lost.itertuples()]


def period_change(process: Process) -> list[Sentence]:
    """What became dearer or cheaper against the period before."""
    say, change = Speaker(process), measures.stage_change(process)
    moved = [(row, name, what) for row in change[change["stage"] != "all"].itertuples() for name, what in
             (("cost_per_result", "money"), ("hours_per_result", "hours")) if getattr(row, f"{name}_verdict") != "cannot tell"]
    first = change.iloc[0]
    period = f"the {say.days(first.period_days)} from {say.date(first.after_from)} against as many before"
    if change[[f"{name}_change_share" for name in ("cost_per_result", "hours_per_result")]].isna().all(axis=None):
        text = f"Whether a result has become dearer cannot be told: no stage has results and a cost in both periods ({period})."
        return [Sentence("period_change", text)]
    if not moved:
        text = f"No stage takes more or less money or hours for a result beyond chance ({period})."
        return [Sentence("period_change", text, moved=0)]
    parts = [f"a result of “{say.label(row.stage)}” takes {say.share(abs(getattr(row, f'{name}_change_share')))} "
             f"{'more' if getattr(row, f'{name}_change_share') > 0 else 'less'} {what} (95 % interval of the change "
             f"{say.range(getattr(row, f'{name}_change_low_share'), getattr(row, f'{name}_change_high_share'))})"
             for row, name, what in moved]
    text = f"Against the period before, {'; '.join(parts)} ({period})."
    return [Sentence("period_change", text, moved=len(moved), stage=moved[0][0].stage)]


def next_of_all(process: Process) -> list[Sentence]:
    """Where the next unit of money and the next hour bring most."""
    say, units = Speaker(process), next_unit(process)
    known, parts, numbers = units[units["money_brings_amount"].notna()], [], {}
    if len(known):
        best = known.loc[known["money_brings_amount"].idxmax()]
        limits = say.range(best.money_brings_low_amount, best.money_brings_high_amount, "number")
        parts.append(f"the next unit of money brings most in “{say.label(best.stage)}”: {say.number(best.money_brings_amount)} of "
                     f"yearly margin (95 % interval {limits})")
        numbers |= {"money_stage": best.stage, "money_brings_amount": best.money_brings_amount}
    serving = units[units["next_hour"] == "waiting_leads_served"]
    if len(serving):
        row = serving.loc[serving["hour_brings_amount"].idxmax()]
        parts.append(f"the next hour brings {say.money(row.hour_brings_amount)} where “{say.label(row.role)}” is the "
                     "bottleneck, as long as leads wait; until that role has more hours, more leads would only wait longer")
        numbers |= {"hour_role": row.role, "hour_brings_amount": row.hour_brings_amount}
    elif units["next_hour"].notna().any():
        parts.append("a further hour adds nothing in any stage, since no role's hours are full")
    if not parts:
        return []
    text = "; ".join(parts) + ". By the chain of rates, for small changes only."
    return [Sentence("next_unit", text[:1].upper() + text[1:], **numbers)]


def returns(process: Process) -> list[Sentence]:
    """Margin per unit of money and per hour of the whole process."""
    say, sheet = Speaker(process), measures.efficiency_sheet(process)
    row = sheet[sheet["stage"] == "all"].iloc[0]
    parts = []
    if is_available(row.margin_per_cost):
        parts.append(f"one unit of money spent on the whole process has brought {say.number(row.margin_per_cost)} of margin"
                     + (f" (95 % interval {say.range(row.margin_per_cost_low, row.margin_per_cost_high, 'number')})"
                        if is_available(row.margin_per_cost_low) else ""))
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


def not_measured(process: Process) -> list[Sentence]:
    """What is missing, and what it would add."""
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


TOPICS = (dearest_stage, target_lead, unpaid_stages, period_change, next_of_all, returns)
LAST_TOPICS = (nowhere, not_measured)
