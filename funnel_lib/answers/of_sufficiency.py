"""Exercise 1 answered: whether the flow of leads is enough for the plan, what is missing, and what people can serve."""

from __future__ import annotations

import math

from funnel_lib.answers.counted import complete_periods, leads, new_customers
from funnel_lib.answers.sentence import Sentence, Speaker, reason_of
from funnel_lib.company import Process
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import marked
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

_VERDICTS = {
    ENOUGH: marked("The flow of leads is enough: the leads of the next {weeks} weeks will bring about {customers} in the end "
                   "({range} in 95 of 100 cases), the plan asks for {planned}; the chance to meet it is {chance}."),
    NOT_ENOUGH: marked("The flow of leads is not enough: the leads of the next {weeks} weeks will bring about {customers} in the "
                       "end ({range} in 95 of 100 cases), the plan asks for {planned}; the chance to meet it is {chance}."),
    CANNOT_TELL: marked("Whether the flow of leads is enough we cannot tell: the leads of the next {weeks} weeks will bring about "
                        "{customers} in the end ({range} in 95 of 100 cases), the plan asks for {planned}; the chance to meet it "
                        "is {chance}.")}
_WITH_PEOPLE = {
    ENOUGH: marked("With these people the chance to meet the plan is {chance} instead of {before}: the flow of leads is enough."),
    NOT_ENOUGH: marked("With these people the chance to meet the plan is {chance} instead of {before}: the flow of leads is not "
                       "enough."),
    CANNOT_TELL: marked("With these people the chance to meet the plan is {chance} instead of {before}: whether the flow of leads "
                        "is enough we cannot tell.")}
_WHAT_TELLS = {
    FLOW: marked("More weeks of records would tell most: how many leads come in a week is what is known least."),
    CONVERSION: marked("More decided leads would tell most: what share buys is what is known least."),
    CHANCE: marked("More records would not tell: what is expected lies so near to the plan that chance decides. Some more leads a "
                   "week would settle it.")}


def enough(process: Process) -> list[Sentence]:
    """The verdict; nothing where there is no plan, which the sentence on the plan says."""
    say, plan = Speaker(process), process.settings.plan
    if plan is None or (plan.new_customers_per_month is None and plan.revenue_per_month is None):
        return []
    try:
        found = sufficiency(process)
    except MeasureError as error:
        text = say("Whether the flow of leads is enough we cannot tell yet: it {reason}.", reason=reason_of(error, process))
        return [Sentence("enough", text, verdict=CANNOT_TELL)]
    return [_verdict(process, found), *_because(process, found), *_missing(process, found)]


def beside(process: Process) -> list[Sentence]:
    """What people can serve, and what today's running leads still bring; nothing without a plan."""
    plan = process.settings.plan
    if plan is None:
        return []
    found = sufficiency(process)
    return [*_people(process, found), *_running(process, found)]


def _verdict(process: Process, found: Sufficiency) -> Sentence:
    say = Speaker(process)
    if found.planned_customers_count <= 0:
        text = say("The plan asks for nobody, so any flow of leads is enough for it: state what the process is to bring.")
        return Sentence("enough", text, verdict=found.verdict, planned_customers_count=0.0)
    text = say(_VERDICTS[found.verdict], weeks=say.count(HORIZON_WEEKS),
               customers=new_customers(say, say.count(found.expected_customers_count)),
               range=say.range(found.expected_low_count, found.expected_high_count, "count"),
               planned=say.number(found.planned_customers_count), chance=say.chance(found.plan_met_probability))
    return Sentence("enough", text, verdict=found.verdict, plan_met_probability=found.plan_met_probability,
                    expected_customers_count=found.expected_customers_count,
                    planned_customers_count=found.planned_customers_count)


def _because(process: Process, found: Sufficiency) -> list[Sentence]:
    say = Speaker(process)
    text = say("{leads} came a week (mean of {weeks}), and {share} of them buy in the end (95 % interval {range}).",
               leads=leads(say, say.number(found.actual_per_week)),
               weeks=complete_periods(say, found.weeks_count, "week"), share=say.share(found.eventual_share),
               range=say.range(found.eventual_low_share, found.eventual_high_share))
    if found.planned_customers_count > 0 and not math.isnan(found.needed_per_week):
        text += " " + _needed(say, found)
    sentences = [Sentence("needed", text, actual_per_week=found.actual_per_week, needed_per_week=found.needed_per_week,
                          safe_per_week=found.safe_per_week, eventual_share=found.eventual_share)]
    if found.verdict == CANNOT_TELL:
        sentences.append(Sentence("would_tell", say(_WHAT_TELLS[found.uncertainty]), uncertainty=found.uncertainty))
    return sentences


def _needed(say: Speaker, found: Sufficiency) -> str:
    needed = say.number(found.needed_per_week)
    if math.isnan(found.safe_per_week):
        return say("The plan takes {needed} leads a week on average.", needed=needed)
    return say("The plan takes {needed} leads a week on average, {safe} to be met in eight of ten cases.", needed=needed,
               safe=say.number(found.safe_per_week))


def _missing(process: Process, found: Sufficiency) -> list[Sentence]:
    say = Speaker(process)
    if math.isnan(found.missing_per_week) or found.missing_per_week <= 0:
        return []
    more = say.number(found.missing_per_week)
    parts = [say.plural(more, "To be sure of the plan (eight of ten cases) {leads} more lead a week would have to come.",
                        "To be sure of the plan (eight of ten cases) {leads} more leads a week would have to come.", leads=more)]
    if found.cheapest_channel:
        parts.append(say("A new customer has cost least from “{channel}” ({money} of lead generation); whether it can bring more, "
                         "and as cheaply, these figures do not say.",
                         channel=say.label(found.cheapest_channel), money=say.money(found.cheapest_amount)))
    if not math.isnan(found.median_days):
        parts.append(_in_time(process, found))
    return [Sentence("missing", " ".join(parts), missing_per_week=found.missing_per_week, channel=found.cheapest_channel,
                     come_by=found.come_by)]


def _in_time(process: Process, found: Sufficiency) -> str:
    """Until when leads have to come for half of their buyers to buy within the weeks that are looked at."""
    say = Speaker(process)
    numbers = {"days": say.days(found.median_days), "weeks": say.count(HORIZON_WEEKS)}
    if found.come_by > process.as_of:
        return say("Half of the buyers need {days}: leads that come after {date} mostly buy after these {weeks} weeks.",
                   date=say.date(found.come_by), **numbers)
    return say("Half of the buyers need {days}: leads that come from now on mostly buy after these {weeks} weeks.", **numbers)


def _people(process: Process, found: Sufficiency) -> list[Sentence]:
    say = Speaker(process)
    if math.isnan(found.capacity_per_week):
        return []
    text = say("The hours paid for serve {leads} a week; the scarcest are those of “{role}”.",
               leads=leads(say, say.number(found.capacity_per_week)), role=say.label(found.capacity_role))
    if found.capacity_verdict == found.verdict:
        text += " " + say("That changes nothing in the verdict.")
    else:
        text += " " + say(_WITH_PEOPLE[found.capacity_verdict], chance=say.chance(found.capacity_met_probability),
                          before=say.chance(found.plan_met_probability))
    return [Sentence("capacity", text, capacity_per_week=found.capacity_per_week, role=found.capacity_role,
                     capacity_met_probability=found.capacity_met_probability, verdict=found.capacity_verdict)]


def _running(process: Process, found: Sufficiency) -> list[Sentence]:
    say = Speaker(process)
    if math.isnan(found.from_running_count):
        return []
    count = say.count(found.from_running_count)
    text = say.plural(count, "Beside that, about {count} customer is to be expected of the leads that run today, in none of these "
                             "figures.",
                      "Beside that, about {count} customers are to be expected of the leads that run today; they are not in these "
                      "figures.", count=count)
    return [Sentence("from_running", text, from_running_count=found.from_running_count)]
