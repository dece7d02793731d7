"""Exercise 1 answered: whether the flow of leads is enough for the plan, what is missing, and what people can serve."""

from __future__ import annotations

import math

from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.errors import MeasureError
from funnel_lib.lead_flow.sufficiency import (
    CANNOT_TELL,
    CHANCE,
    CONVERSION,
    ENOUGH,
    FLOW,
    HORIZON_WEEKS,
    NOT_ENOUGH,
    Sufficiency,
    sufficiency,
)

_OPENING = {ENOUGH: "The flow of leads is enough", NOT_ENOUGH: "The flow of leads is not enough",
            CANNOT_TELL: "Whether the flow of leads is enough we cannot tell"}
HUNDREDTH = 0.01
_WHAT_TELLS = {
    FLOW: "More weeks of records would tell most: how many leads come in a week is what is known least.",
    CONVERSION: "More decided leads would tell most: what share buys is what is known least.",
    CHANCE: "No more records would tell: what comes is as near to the plan as chance alone moves it. Some more leads would."}


def enough(process: Process) -> list[Sentence]:
    """The verdict; nothing where there is no plan, which the sentence on the plan says."""
    plan = process.settings.plan
    if plan is None or (plan.new_customers_per_month is None and plan.revenue_per_month is None):
        return []
    try:
        found = sufficiency(process)
    except MeasureError as error:
        reason = str(error).removeprefix(f"{process.name}: ")
        return [Sentence("enough", f"{_OPENING[CANNOT_TELL]} yet: it {reason}.", verdict=CANNOT_TELL)]
    return [_verdict(process, found), *_because(process, found), *_missing(process, found)]


def beside(process: Process) -> list[Sentence]:
    """What people can serve, and what today's running leads still bring; nothing without a plan."""
    plan = process.settings.plan
    if plan is None:
        return []
    found = sufficiency(process)
    return [*_people(process, found), *_running(process, found)]


def _chance(say: Speaker, probability: float) -> str:
    """A chance in words: beyond one in a hundred the draws are too few for more digits."""
    if probability < HUNDREDTH:
        return f"under {say.share(HUNDREDTH)}"
    return f"over {say.share(1 - HUNDREDTH)}" if probability > 1 - HUNDREDTH else say.share(round(probability, 2))


def _verdict(process: Process, found: Sufficiency) -> Sentence:
    say = Speaker(process)
    if found.planned_customers_count <= 0:
        return Sentence("enough", "The plan asks for nobody, so any flow of leads is enough for it: state what the process is to "
                                  "bring.", verdict=found.verdict, planned_customers_count=0.0)
    text = (f"{_OPENING[found.verdict]}: the leads of the next {HORIZON_WEEKS} weeks will bring about "
            f"{say.count(found.expected_customers_count)} new customers in the end ("
            f"{say.range(found.expected_low_count, found.expected_high_count, 'count')} in 95 of 100 cases), the plan asks for "
            f"{say.number(found.planned_customers_count)}; the chance to meet it is {_chance(say, found.plan_met_probability)}.")
    return Sentence("enough", text, verdict=found.verdict, plan_met_probability=found.plan_met_probability,
                    expected_customers_count=found.expected_customers_count,
                    planned_customers_count=found.planned_customers_count)


def _because(process: Process, found: Sufficiency) -> list[Sentence]:
    say = Speaker(process)
    text = (f"{say.number(found.actual_per_week)} leads came in a week (mean of {say.count(found.weeks_count)} complete weeks), "
            f"and {say.share(found.eventual_share)} of them buy in the end (95 % interval "
            f"{say.range(found.eventual_low_share, found.eventual_high_share)}).")
    if found.planned_customers_count > 0 and not math.isnan(found.needed_per_week):
        text += f" The plan takes {say.number(found.needed_per_week)} leads a week on average"
        text += ("." if math.isnan(found.safe_per_week) else
                 f", {say.number(found.safe_per_week)} to be met in eight of ten cases.")
    sentences = [Sentence("needed", text, actual_per_week=found.actual_per_week, needed_per_week=found.needed_per_week,
                          safe_per_week=found.safe_per_week, eventual_share=found.eventual_share)]
    if found.verdict == CANNOT_TELL:
        sentences.append(Sentence("would_tell", _WHAT_TELLS[found.uncertainty], uncertainty=found.uncertainty))
    return sentences


def _missing(process: Process, found: Sufficiency) -> list[Sentence]:
    say = Speaker(process)
    if math.isnan(found.missing_per_week) or found.missing_per_week <= 0:
        return []
    text = f"To be sure of the plan (eight of ten cases) {say.number(found.missing_per_week)} more leads a week would have to come."
    if found.cheapest_channel:
        text += (f" A new customer has cost least from “{say.label(found.cheapest_channel)}” "
                 f"({say.money(found.cheapest_amount)} of lead generation); whether it can bring more, and as cheaply, these "
                 "figures do not say.")
    if not math.isnan(found.median_days):
        in_time = found.come_by > process.as_of
        text += (f" Half of the buyers need {say.days(found.median_days)}: "
                 + (f"leads that come after {say.date(found.come_by)} mostly buy after these {HORIZON_WEEKS} weeks." if in_time else
                    f"leads that come from now on mostly buy after these {HORIZON_WEEKS} weeks."))
    return [Sentence("missing", text, missing_per_week=found.missing_per_week, channel=found.cheapest_channel,
                     come_by=found.come_by)]


def _people(process: Process, found: Sufficiency) -> list[Sentence]:
    say = Speaker(process)
    if math.isnan(found.capacity_per_week):
        return []
    text = (f"The hours paid for serve {say.number(found.capacity_per_week)} leads a week; the scarcest are those of "
            f"“{say.label(found.capacity_role)}”. ")
    if found.capacity_verdict == found.verdict:
        text += "That changes nothing in the verdict."
    else:
        text += (f"With these people the chance to meet the plan is {_chance(say, found.capacity_met_probability)} instead of "
                 f"{_chance(say, found.plan_met_probability)}: {_OPENING[found.capacity_verdict].lower()}.")
    return [Sentence("capacity", text, capacity_per_week=found.capacity_per_week, role=found.capacity_role,
                     capacity_met_probability=found.capacity_met_probability, verdict=found.capacity_verdict)]


def _running(process: Process, found: Sufficiency) -> list[Sentence]:
    say = Speaker(process)
    if math.isnan(found.from_running_count):
        return []
    return [Sentence("from_running", f"Beside that, about {say.count(found.from_running_count)} customers are to be expected of "
                     "the leads that run today; they are not in these figures.", from_running_count=found.from_running_count)]
