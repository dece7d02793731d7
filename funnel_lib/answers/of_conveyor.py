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
from funnel_lib.language.messages import marked
from funnel_lib.rates import FEW

MISSING_TEXTS = {
    "orders": marked("without the table “{table}” it ends with the customers: repeat orders, margin and recommendations are left "
                     "out"),
    "margin": marked("without the margin of the orders (or margin_share in company.yaml) it counts orders, no money"),
    "work": marked("without the table “{table}” it knows no hours, so that nothing waits for people"),
    "referrals": marked("without referred_by or referral_channels recommended leads are leads like any other"),
    "times": marked("where the times of a step are not known, it is passed in the week in which it is reached"),
}
PLACE_TEXTS = {"role": marked("the hours of “{place}”"), "step": marked("the step “{place}”")}


def past(process: Process) -> list[Sentence]:
    """Whether the weekly model gives the last year as it was."""
    say, table = Speaker(process), measures.reproduce_past(process)
    weeks, outside = int(table["run_weeks_count"].iloc[0]), table[~table["inside"].astype(bool)]
    told = {"weeks": say.count(weeks), "told": "; ".join(_against(say, row) for row in table.itertuples())}
    if outside.empty:
        text = say.plural(weeks, "Run over the last complete week ({weeks}), the weekly model gives what was observed within its "
                          "own 90 % band: {told}.",
                          "Run over the last {weeks} complete weeks, the weekly model gives what was observed within its own 90 % "
                          "band: {told}.", **told)
    else:
        missed = ", ".join(say.inside(quantity) for quantity in outside["quantity"])
        text = say.plural(weeks, "Run over the last complete week ({weeks}), the weekly model misses {missed}: {told}.",
                          "Run over the last {weeks} complete weeks, the weekly model misses {missed}: {told}.",
                          missed=missed, **told)
        text += " " + say("Something has changed that its parameters, averages of the whole record, do not show; take plans on "
                          "that with care.")
    return [Sentence("past_reproduced", text, weeks_count=weeks, inside=list(table["inside"]),
                     quantities=list(table["quantity"]), observed=list(table["observed"])), *_gaps(process)]


def _gaps(process: Process) -> list[Sentence]:
    say, sentences = Speaker(process), []
    missing = measures.missing_parts(process)
    if missing:
        told = "; ".join(say(MISSING_TEXTS[part], table=part) for part in missing)
        text = say("What the weekly model leaves out: {told}.", told=told)
        sentences.append(Sentence("conveyor_missing", text, missing=missing))
    roles = roles_without_limit(process)
    if roles:
        text = say.plural(len(roles), "No paid hours are described for {roles}: its work is counted and never waits. Give "
                          "paid_hours_per_month under roles in company.yaml.",
                          "No paid hours are described for {roles}: their work is counted and never waits. Give "
                          "paid_hours_per_month under roles in company.yaml.", roles=say.names(roles))
        sentences.append(Sentence("roles_without_hours", text, roles=roles))
    wins = _wins(process)
    if wins < FEW:
        text = say.plural(wins, "Only {wins} lead was won so far: every range of the weekly model is wide, its middle says little.",
                          "Only {wins} leads were won so far: every range of the weekly model is wide, its middle says little.",
                          wins=say.count(wins))
        sentences.append(Sentence("few_wins_weekly", text, won_count=wins))
    return sentences


def next_year(process: Process) -> list[Sentence]:
    """What the next 52 weeks bring if nothing is changed."""
    say, forecast = Speaker(process), measures.conveyor_forecast(process)
    last, weeks = forecast.groupby("quantity", sort=False).last(), int(forecast["week"].max())
    told = ", ".join(say("{quantity} {range}", quantity=say.inside(quantity),
                         range=_range(say, quantity, row.so_far_low, row.so_far_high))
                     for quantity, row in zip(last.index, last.itertuples(), strict=True))
    text = say.plural(weeks, "If nothing is changed, the next week ({weeks}) brings (90 of 100 draws): {told}.",
                      "If nothing is changed, the next {weeks} weeks bring (90 of 100 draws): {told}.", weeks=say.count(weeks),
                      told=told)
    if "margin_amount" in last.index:
        text += " " + say("The margin is that of all orders, old clients' too, before spending and labour: another figure than the "
                          "yearly margin.")
    return [Sentence("next_year", text, quantities=list(last.index), low=list(last["so_far_low"]), high=list(last["so_far_high"]))]


def constraint(process: Process) -> list[Sentence]:
    """What holds the process back: the flow, a step, or a role."""
    say, table = Speaker(process), measures.binding_constraint(process)
    first, kind = table.iloc[0], table.iloc[0]["kind"]
    what = say(PLACE_TEXTS[kind], place=say.label(first["place"])) if kind in PLACE_TEXTS else say("the flow of leads")
    if table["gained_amount"].notna().any():
        text = say("What holds the process back most is {what}: a tenth more of it brings {gain} in the next 52 weeks (95 % "
                   "interval {range}), by the weekly model.", what=what, gain=say.money(first["gained_amount"]),
                   range=say.range(first["gained_low_amount"], first["gained_high_amount"], "amount"))
    else:
        text = say("What holds the process back most is {what}: a tenth more of it brings {gain} customers in the next 52 weeks, "
                   "by the weekly model.", what=what, gain=say.number(first["gained_customers_count"]))
    text = " ".join([text, *_roles(say, table), *_overtime(say, process, table)])
    return [Sentence("binding_constraint", text, kind=kind, place=first["place"], gained_amount=first["gained_amount"],
                     gained_customers_count=first["gained_customers_count"],
                     binding_roles=list(table.loc[table["holds_back"].astype(bool), "place"]))]


def _roles(say: Speaker, table: pd.DataFrame) -> list[str]:
    roles = table[table["kind"] == "role"]
    binding = roles[roles["holds_back"].astype(bool)]
    if len(binding):
        told = "; ".join(say("“{role}” ({share} of its hours used, {hours} of work waiting after 52 weeks)",
                             role=say.label(row.place), share=say.share(row.used_share), hours=say.hours(row.waiting_hours))
                         for row in binding.itertuples())
        return [say("Work waits for {told}.", told=told)]
    chain = [] if table.iloc[0]["kind"] == "role" else [say("The flow and the steps multiply: earlier links bring less within "
                                                            "these weeks only because their leads come to buy later.")]
    if roles.empty:
        return [*chain, say("Whose hours are full is not known.")]
    top = roles.loc[roles["used_share"].idxmax()]
    return [*chain, say("No role's hours run out; the fullest is “{role}” with {share} of its hours used.",
                        role=say.label(top["place"]), share=say.share(top["used_share"]))]


def _overtime(say: Speaker, process: Process, table: pd.DataFrame) -> list[str]:
    """Why nothing waits for a role that needs more than its paid hours: it works longer than that."""
    if not process.has("work") or table["holds_back"].any():
        return []
    load = efficiency.capacity(process)
    over = load[load["is_bottleneck"].astype(bool) & load["role"].isin(table["place"])]
    if over.empty:
        return []
    told = ", ".join(say("“{role}” ({load})", role=say.label(row.role), load=say.share(row.load_share))
                     for row in over.itertuples())
    return [say.plural(len(over), "That is so because {told} works more than the paid hours, as in its busiest quarter; by the "
                       "paid hours it is the bottleneck (see efficiency).",
                       "That is so because {told} work more than the paid hours, as in their busiest quarters; by the paid hours "
                       "they are the bottlenecks (see efficiency).", told=told)]


def _against(say: Speaker, row: object) -> str:
    return say("{quantity} {observed} against {range}", quantity=say.inside(row.quantity),
               observed=_value(say, row.quantity, row.observed), range=_range(say, row.quantity, row.band_low, row.band_high))


def _value(say: Speaker, quantity: str, value: float) -> str:
    unit = term(quantity).unit
    return say.money(value) if unit == "amount" else say.count(round(value))


def _range(say: Speaker, quantity: str, low: float, high: float) -> str:
    return say("{low} to {high}", low=_value(say, quantity, low), high=_value(say, quantity, high))


def _wins(process: Process) -> int:
    won = lead_states(process).filter(nw.col("state") == WON).select(nw.len().alias("won_count"))
    return int(collect(won)["won_count"].iloc[0])


TOPICS = [past, constraint, next_year]
