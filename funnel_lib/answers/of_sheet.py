"""Exercise 5, what the results cost: the dearest stage, what changed, the next unit of money and the next hour."""

from __future__ import annotations

import pandas as pd

from funnel_lib import efficiency as measures
from funnel_lib.answers import counted
from funnel_lib.answers.sentence import Sentence, Speaker, clauses
from funnel_lib.company import Process
from funnel_lib.efficiency.change import CANNOT_TELL
from funnel_lib.improvement import next_unit
from funnel_lib.labour import roles_without_cost
from funnel_lib.language.formats import is_available
from funnel_lib.language.messages import marked
from funnel_lib.schema import MISSING, STAGES

# What is missing → what it would add.
MISSING_TABLES = {"spend": marked("The table “{table}” is missing; it would add what the stages cost in money beside labour."),
                  "work": marked("The table “{table}” is missing; it would add hours and the cost of labour."),
                  "pulse": marked("The table “{table}” is missing; it would add how hard the work is on people.")}


def dearest_stage(process: Process) -> list[Sentence]:
    """Which stage takes most money and hours for one result."""
    say, stages = Speaker(process), _stages(process)
    money, hours = (_largest(stages, column) for column in ("cost_per_result_amount", "hours_per_result"))
    if money is None and hours is None:
        return [Sentence("dearest_stage", say("Which stage is dearest cannot be told: fewer than two stages have both a result and "
                                              "a cost."))]
    parts, numbers = [], {"stage": (money if money is not None else hours).stage}
    if money is not None:
        parts.append(_dearest(say, money))
        numbers |= {"cost_per_result_amount": money.cost_per_result_amount, "result_count": money.result_count}
    if hours is not None:
        same = money is not None and hours.stage == money.stage
        parts.append(say("it takes the most hours too: {hours} each", hours=say.hours(hours.hours_per_result)) if same else
                     say("“{stage}” takes the most hours: {hours} for each of {results}", stage=say.label(hours.stage),
                         hours=say.hours(hours.hours_per_result), results=_results(say, hours)))
        numbers |= {"hours_stage": hours.stage, "hours_per_result": hours.hours_per_result}
    return [Sentence("dearest_stage", clauses(*parts), **numbers)]


def _dearest(say: Speaker, row: pd.Series) -> str:
    told = {"stage": say.label(row.stage), "cost": say.money(row.cost_per_result_amount), "results": _results(say, row),
            "total": say.money(row.cost_amount)}
    if not (is_available(row.cost_per_result_low_amount) and is_available(row.cost_per_result_high_amount)):
        return say("“{stage}” is the dearest stage: {cost} for each of {results} ({total} in all)", **told)
    return say("“{stage}” is the dearest stage: {cost} for each of {results} (95 % interval {range}; {total} in all)",
               range=say.range(row.cost_per_result_low_amount, row.cost_per_result_high_amount, "amount"), **told)


def _stages(process: Process) -> pd.DataFrame:
    sheet = measures.efficiency_sheet(process)
    return sheet[sheet["stage"] != "all"]


def _largest(stages: pd.DataFrame, column: str) -> pd.Series | None:
    """The stage with most of something per result; None where fewer than two stages can be compared."""
    known = stages[stages[column].notna()]
    return known.loc[known[column].idxmax()] if len(known) > 1 and (known[column] > 0).any() else None


def _results(say: Speaker, row: pd.Series) -> str:
    told = say.count(row.result_count)
    if row.result == "new_leads":
        return counted.new_leads(say, told)
    if row.result == "new_customers":
        return counted.new_customers(say, told)
    return say.plural(row.result_count, "{count} order of old customers", "{count} orders of old customers", count=told)


def target_lead(process: Process) -> list[Sentence]:
    """What a lead on target costs."""
    say, row = Speaker(process), _stages(process).iloc[0]
    if not is_available(row.cost_per_target_lead_amount):
        return []
    text = say("A lead costs {cost}, one in a target segment {target_cost} ({target} of {leads}).",
               cost=say.money(row.cost_per_result_amount), target_cost=say.money(row.cost_per_target_lead_amount),
               target=say.count(row.target_count), leads=say.count(row.result_count))
    return [Sentence("target_lead", text, cost_per_result_amount=row.cost_per_result_amount, target_count=row.target_count,
                     cost_per_target_lead_amount=row.cost_per_target_lead_amount)]


def unpaid_stages(process: Process) -> list[Sentence]:
    """Stages that took money or hours and have no result: their price is undefined."""
    say, stages = Speaker(process), _stages(process)
    idle = stages[(stages["result_count"] == 0) & ((stages["cost_amount"] > 0) | (stages["hours"] > 0))]
    return [Sentence("no_result", say("“{stage}” has no result yet, so that its cost per result is undefined: {spent} were spent "
                                      "there.", stage=say.label(row.stage), spent=_spent(say, row)), stage=row.stage)
            for row in idle.itertuples()]


def _spent(say: Speaker, row: tuple) -> str:
    return say.listed([say.money(row.cost_amount)] * (is_available(row.cost_amount) and row.cost_amount != 0)
                      + [say.hours(row.hours)] * (is_available(row.hours) and row.hours != 0))


def nowhere(process: Process) -> list[Sentence]:
    """Money and hours that name no stage."""
    say, stages = Speaker(process), _stages(process)
    lost = stages[~stages["stage"].isin(STAGES)]
    return [Sentence("without_stage", say("In no stage, and so in no price of a result: {spent} (“{stage}”). Naming the stage of "
                                          "every row would add them.", spent=_spent(say, row), stage=say.label(row.stage)),
                     stage=row.stage, hours=row.hours) for row in lost.itertuples()]


def period_change(process: Process) -> list[Sentence]:
    """What became dearer or cheaper against the period before."""
    say, change = Speaker(process), measures.stage_change(process)
    first, stages = change.iloc[0], change[change["stage"] != "all"]
    period = say("the {days} from {date} against as many before", days=say.days(first.period_days), date=say.date(first.after_from))
    if change[["cost_per_result_change_share", "hours_per_result_change_share"]].isna().all(axis=None):
        text = say("Whether a result has become dearer cannot be told: no stage has results and a cost in both periods ({period}).",
                   period=period)
        return [Sentence("period_change", text)]
    moved = [(row.stage, told) for row in stages.itertuples() for told in _changes(say, row)]
    if not moved:
        text = say("No stage takes more or less money or hours for a result beyond chance ({period}).", period=period)
        return [Sentence("period_change", text, moved=0)]
    text = say("Against the period before, {told} ({period}).", told="; ".join(told for _, told in moved), period=period)
    return [Sentence("period_change", text, moved=len(moved), stage=moved[0][0])]


def _changes(say: Speaker, row: tuple) -> list[str]:
    """What moved beyond chance in one stage: its money and its hours per result."""
    told = []
    if row.cost_per_result_verdict != CANNOT_TELL:
        change = _change(say, row, "cost_per_result")
        told.append(say("a result of “{stage}” takes {change} more money (95 % interval of the change {range})", **change)
                    if row.cost_per_result_change_share > 0 else
                    say("a result of “{stage}” takes {change} less money (95 % interval of the change {range})", **change))
    if row.hours_per_result_verdict != CANNOT_TELL:
        change = _change(say, row, "hours_per_result")
        told.append(say("a result of “{stage}” takes {change} more hours (95 % interval of the change {range})", **change)
                    if row.hours_per_result_change_share > 0 else
                    say("a result of “{stage}” takes {change} less hours (95 % interval of the change {range})", **change))
    return told


def _change(say: Speaker, row: tuple, name: str) -> dict[str, str]:
    change, low, high = (getattr(row, f"{name}_change_{limit}share") for limit in ("", "low_", "high_"))
    return {"stage": say.label(row.stage), "change": say.share(abs(change)), "range": say.range(low, high)}


def next_of_all(process: Process) -> list[Sentence]:
    """Where the next unit of money and the next hour bring most."""
    say, units = Speaker(process), next_unit(process)
    known, parts, numbers = units[units["money_brings_amount"].notna()], [], {}
    if len(known):
        best = known.loc[known["money_brings_amount"].idxmax()]
        parts.append(say("the next unit of money brings most in “{stage}”: {money} of yearly margin (95 % interval {range})",
                         stage=say.label(best.stage), money=say.number(best.money_brings_amount),
                         range=say.range(best.money_brings_low_amount, best.money_brings_high_amount, "number")))
        numbers |= {"money_stage": best.stage, "money_brings_amount": best.money_brings_amount}
    serving = units[units["next_hour"] == "waiting_leads_served"]
    if len(serving):
        row = serving.loc[serving["hour_brings_amount"].idxmax()]
        parts.append(say("the next hour brings {money} where “{role}” is the bottleneck, as long as leads wait; until that role "
                         "has more hours, more leads would only wait longer", money=say.money(row.hour_brings_amount),
                         role=say.label(row.role)))
        numbers |= {"hour_role": row.role, "hour_brings_amount": row.hour_brings_amount}
    elif units["next_hour"].notna().any():
        parts.append(say("a further hour adds nothing in any stage, since no role's hours are full"))
    if not parts:
        return []
    text = clauses(*parts) + " " + say("By the chain of rates, for small changes only.")
    return [Sentence("next_unit", text, **numbers)]


def returns(process: Process) -> list[Sentence]:
    """Margin per unit of money and per hour of the whole process."""
    say, sheet = Speaker(process), measures.efficiency_sheet(process)
    row = sheet[sheet["stage"] == "all"].iloc[0]
    has_money, has_hours = is_available(row.margin_per_cost), is_available(row.margin_per_hour_amount)
    if not (has_money or has_hours):
        return []
    known = [say.money(row.cost_amount)] * is_available(row.cost_amount) + [say.hours(row.hours)] * is_available(row.hours)
    spent, by_hour = say.listed(known), say.money(row.margin_per_hour_amount)
    if has_money and has_hours:
        text = say("One unit of money spent on the whole process has brought {margin}, one man-hour {hour} ({spent} in all).",
                   margin=_brought(say, row), hour=by_hour, spent=spent)
    elif has_money:
        text = say("One unit of money spent on the whole process has brought {margin} ({spent} in all).", margin=_brought(say, row),
                   spent=spent)
    else:
        text = say("One man-hour of the whole process has brought {hour} of margin ({spent} in all).", hour=by_hour, spent=spent)
    text += " " + say("The same figures of the single stages set each of them against the whole margin: they compare stages but do "
                      "not add up.")
    return [Sentence("returns", text, margin_per_cost=row.margin_per_cost, margin_per_hour_amount=row.margin_per_hour_amount,
                     cost_amount=row.cost_amount, hours=row.hours)]


def _brought(say: Speaker, row: pd.Series) -> str:
    margin = say.number(row.margin_per_cost)
    if not is_available(row.margin_per_cost_low):
        return say("{margin} of margin", margin=margin)
    return say("{margin} of margin (95 % interval {range})", margin=margin,
               range=say.range(row.margin_per_cost_low, row.margin_per_cost_high, "number"))


def not_measured(process: Process) -> list[Sentence]:
    """What is missing, and what it would add."""
    say = Speaker(process)
    sentences = [Sentence("not_measured", say(text, table=table), table=table)
                 for table, text in MISSING_TABLES.items() if not process.has(table)]
    roles = roles_without_cost(process)
    if roles:
        named = ", ".join(say("work without a role") if role == MISSING else say.names([role]) for role in roles)
        hours = measures.efficiency_sheet(process).set_index("stage").loc["all", "uncosted_hours"]
        text = say("Without an hour cost, and so in no amount of labour: {hours} of {roles}.", hours=say.hours(hours), roles=named)
        sentences.append(Sentence("uncosted_hours", text, uncosted_hours=hours, roles=roles))
    return sentences


TOPICS = (dearest_stage, target_lead, unpaid_stages, period_change, next_of_all, returns)
LAST_TOPICS = (nowhere, not_measured)
