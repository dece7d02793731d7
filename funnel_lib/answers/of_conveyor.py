"""The weekly model answered: whether it gives the past, what the next year brings, and what holds the process back."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib import efficiency
from funnel_lib import improvement as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.engine import collect
from funnel_lib.glossary import term
from funnel_lib.improvement.conveyor_hours import roles_without_limit
from funnel_lib.journeys import WON, lead_states
from funnel_lib.rates import FEW

MISSING_TEXTS = {
    "orders": "without the table “orders” it ends with the customers: repeat orders, margin and recommendations are left out",
    "margin": "without the margin of the orders (or margin_share in company.yaml) it counts orders, no money",
    "work": "without the table “work” it knows no hours, so that nothing waits for people",
    "referrals": "without referred_by or referral_channels recommended leads are leads like any other",
    "times": "where the times of a step are not known, it is passed in the week in which it is reached",
}
CHAIN_TEXT = ("The flow and the steps multiply: earlier links bring less within these weeks only because their leads come to buy "
              "later. ")


def past(process: Process) -> list[Sentence]:
    """Whether the weekly model gives the last year as it was."""
    say, table = Speaker(process), measures.reproduce_past(process)
    weeks, outside = int(table["run_weeks_count"].iloc[0]), table[~table["inside"].astype(bool)]
    told = "; ".join(_against(say, row) for row in table.itertuples())
    begin = f"Run over the last {say.count(weeks)} complete weeks, the weekly model"
    text = f"{begin} gives what was observed within its own 90 % band: {told}."
    if len(outside):
        missed = ", ".join(_name(say, quantity).lower() for quantity in outside["quantity"])
        text = (f"{begin} misses {missed}: {told}. Something has changed that its parameters, averages of the "
                "whole record, do not show; take plans on that with care.")
    return [Sentence("past_reproduced", text, weeks_count=weeks, inside=list(table["inside"]),
                     quantities=list(table["quantity"]), observed=list(table["observed"])), *_gaps(process)]


def _gaps(process: Process) -> list[Sentence]:
    say, sentences = Speaker(process), []
    missing = measures.missing_parts(process)
    if missing:
        text = f"What the weekly model leaves out: {'; '.join(MISSING_TEXTS[part] for part in missing)}."
        sentences.append(Sentence("conveyor_missing", text, missing=missing))
    roles = roles_without_limit(process)
    if roles:
        names = ", ".join(f"“{say.label(role)}”" for role in roles)
        text = (f"No paid hours are described for {names}: their work is counted and never waits. Give paid_hours_per_month under "
                "roles in company.yaml.")
        sentences.append(Sentence("roles_without_hours", text, roles=roles))
    wins = _wins(process)
    if wins < FEW:
        text = f"Only {say.count(wins)} leads were won so far: every range of the weekly model is wide, its middle says little."
        sentences.append(Sentence("few_wins_weekly", text, won_count=wins))
    return sentences


def next_year(process: Process) -> list[Sentence]:
    """What the next 52 weeks bring if nothing is changed."""
    say, forecast = Speaker(process), measures.conveyor_forecast(process)
    last = forecast.groupby("quantity", sort=False).last()
    told = ", ".join(f"{_name(say, quantity).lower()} {_range(say, quantity, row.so_far_low, row.so_far_high)}"
                     for quantity, row in zip(last.index, last.itertuples(), strict=True))
    text = f"If nothing is changed, the next {say.count(forecast['week'].max())} weeks bring (90 of 100 draws): {told}."
    if "margin_amount" in last.index:
        text += (" The margin is that of all orders, old clients' too, before spending and labour: another figure than the "
                 "yearly margin.")
    return [Sentence("next_year", text, quantities=list(last.index), low=list(last["so_far_low"]), high=list(last["so_far_high"]))]


def constraint(process: Process) -> list[Sentence]:
    """What holds the process back: the flow, a step, or a role."""
    say, table = Speaker(process), measures.binding_constraint(process)
    first, in_money = table.iloc[0], table["gained_amount"].notna().any()
    gain = say.money(first["gained_amount"]) if in_money else f"{say.number(first['gained_customers_count'])} customers"
    between = say.range(first["gained_low_amount"], first["gained_high_amount"], "amount") if in_money else ""
    limits = f" (95 % interval {between})" if in_money else ""
    what = {"role": f"the hours of “{say.label(first['place'])}”", "step": f"the step “{say.label(first['place'])}”"}.get(
        first["kind"], "the flow of leads")
    text = (f"What holds the process back most is {what}: a tenth more of it brings {gain} in the next 52 weeks{limits}, by the "
            f"weekly model. {_roles(say, table)}{_overtime(say, process, table)}")
    return [Sentence("binding_constraint", text, kind=first["kind"], place=first["place"], gained_amount=first["gained_amount"],
                     gained_customers_count=first["gained_customers_count"],
                     binding_roles=list(table.loc[table["holds_back"].astype(bool), "place"]))]


def _roles(say: Speaker, table: pd.DataFrame) -> str:
    roles = table[table["kind"] == "role"]
    chain = "" if table.iloc[0]["kind"] == "role" else CHAIN_TEXT
    if roles.empty:
        return f"{chain}Whose hours are full is not known."
    binding = roles[roles["holds_back"].astype(bool)]
    if binding.empty:
        top = roles.loc[roles["used_share"].idxmax()]
        return (f"{chain}No role's hours run out; the fullest is “{say.label(top['place'])}” with "
                f"{say.share(top['used_share'])} of its hours used.")
    told = "; ".join(f"“{say.label(row.place)}” ({say.share(row.used_share)} of its hours used, {say.hours(row.waiting_hours)} of "
                     "work waiting after 52 weeks)" for row in binding.itertuples())
    return f"Work waits for {told}."


def _overtime(say: Speaker, process: Process, table: pd.DataFrame) -> str:
    """Why nothing waits for a role that needs more than its paid hours: it works longer than that."""
    if not process.has("work") or table["holds_back"].any():
        return ""
    load = efficiency.capacity(process)
    over = load[load["is_bottleneck"].astype(bool) & load["role"].isin(table["place"])]
    told = ", ".join(f"“{say.label(row.role)}” ({say.share(row.load_share)})" for row in over.itertuples())
    return (f" That is so because {told} works more than the paid hours, as in its busiest quarter; by the paid hours it is the "
            "bottleneck (see efficiency).") if told else ""


def _against(say: Speaker, row: object) -> str:
    return (f"{_name(say, row.quantity).lower()} {_value(say, row.quantity, row.observed)} against "
            f"{_range(say, row.quantity, row.band_low, row.band_high)}")


def _name(say: Speaker, quantity: str) -> str:
    return say.label(quantity)


def _value(say: Speaker, quantity: str, value: float) -> str:
    unit = term(quantity).unit
    return say.money(value) if unit == "amount" else say.count(round(value))


def _range(say: Speaker, quantity: str, low: float, high: float) -> str:
    return f"{_value(say, quantity, low)} to {_value(say, quantity, high)}"


def _wins(process: Process) -> int:
    won = lead_states(process).filter(nw.col("state") == WON).select(nw.len().alias("won_count"))
    return int(collect(won)["won_count"].iloc[0])


TOPICS = [past, constraint, next_year]
