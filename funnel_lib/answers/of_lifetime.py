"""Exercise 3, what a client is worth: the value of a new one, why it may be believed, what the present ones will still bring."""

from __future__ import annotations

import pandas as pd

from funnel_lib import loyalty
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.loyalty.lifetime_value import FEW_REPEATERS, HOLDOUT_OFF, LEAST_REPEATERS, MODEL, SHORT_HISTORY, LifetimeValue
from funnel_lib.rates import FEW

# From this share of the margin on, one client's purchases are said beside a mean.
GIANT_SHARE = 0.1
# So many months outside the interval of what was observed are more than chance leaves.
LEAST_MONTHS_OFF = 3


def lifetime(process: Process) -> list[Sentence]:
    """What a new client brings within the horizon, how it was checked or why it is a plain mean, and what the present clients will
    bring."""
    say, result = Speaker(process), loyalty.lifetime_value(process)
    return [*_value(say, result), *_check(say, result), *_course(say, loyalty.value_by_age(process)), *_present(say, result),
            *_giant(say, result)]


def _value(say: Speaker, result: LifetimeValue) -> list[Sentence]:
    rate, claim = result.discount_rate_per_year, (_expected if result.method == MODEL else _brought)(say, result)
    parts = [say("{claim}; money of later months is discounted by {rate} a year.", claim=claim, rate=say.share(rate))
             if rate and result.reached_months else f"{claim}."]
    if result.ltv_amount < 0:
        parts.append(say("More is lost on these clients than they bring: refunds and losses outweigh their margin."))
    numbers = {name: getattr(result, name) for name in ("ltv_low_amount", "ltv_high_amount", "expected_orders")}
    return [Sentence("lifetime_value", " ".join(parts), ltv_amount=result.ltv_amount, method=result.method,
                     reached_months=result.reached_months, horizon_months=result.horizon_months,
                     **{name: value for name, value in numbers.items() if value == value})]


def _expected(say: Speaker, result: LifetimeValue) -> str:
    """What the model expects of a new client."""
    first = (say("the first order loses {money}",
                 money=say.money(-result.first_margin_amount)) if result.first_margin_amount < 0 else
             say("the first order brings {money}", money=say.money(result.first_margin_amount)))
    return say("A new client is worth {money} of margin {within} (95 % interval {range}): {first}, and {orders} more orders are "
               "expected of a client, of {amount} each at {share} margin", money=say.money(result.ltv_amount), within=_within(say,
               result),
               range=say.range(result.ltv_low_amount, result.ltv_high_amount, "amount"), first=first,
               orders=say.count(result.expected_orders), amount=say.money(result.repeat_amount),
               share=say.share(result.repeat_margin_share))


def _brought(say: Speaker, result: LifetimeValue) -> str:
    """What the clients old enough brought on average."""
    limits = (say.bracket(result.ltv_low_amount, result.ltv_high_amount, "amount") if result.ltv_low_amount < result.ltv_high_amount
              else "")
    values = {"money": say.money(abs(result.ltv_amount)), "within": _within(say, result), "limits": limits}
    return (say("A new client has lost {money} of margin {within}{limits}", **values) if result.ltv_amount < 0 else
            say("A new client has brought {money} of margin {within}{limits}", **values))


def _within(say: Speaker, result: LifetimeValue) -> str:
    return (say("within {months} of the first order", months=say.months(result.reached_months)) if result.reached_months else
            say("with the first order"))


def _check(say: Speaker, result: LifetimeValue) -> list[Sentence]:
    """The holdout, or why the figure is a plain mean."""
    held = _held(say, result)
    if result.method == MODEL:
        return [Sentence("lifetime_check", say("The model behind it was checked: {held}.", held=held), **_held_numbers(result))]
    parts = [say("It is the plain mean of the clients old enough, not a model's forecast: {reason}.", reason=_reason(say, result))]
    if result.reached_months < result.horizon_months:
        parts.append(say("Fewer than {few} clients could be followed for longer.", few=say.count(FEW)) if result.reached_months else
                     say("Fewer than {few} clients could be followed for a month.", few=say.count(FEW)))
    if result.reason != HOLDOUT_OFF and held:
        parts.append(say("A trial of the model: {held}.", held=held))
    return [Sentence("lifetime_check", " ".join(parts), reason=result.reason, repeaters_count=result.repeaters_count,
                     **_held_numbers(result))]


def _course(say: Speaker, values: pd.DataFrame) -> list[Sentence]:
    """Months of age at which the model expects clearly more, or less, than clients had brought by then."""
    expected = values["expected_value_amount"]
    outside = (expected > values["observed_value_high_amount"]) | (expected < values["observed_value_low_amount"])
    off = values[outside & ~values["few"]]
    if len(off) < LEAST_MONTHS_OFF:
        return []
    row = off.iloc[len(off) // 2]
    text = say("On the way there the model is off: by month {month} it expects {expected} of a client, and clients had brought "
               "{observed} (95 % interval {range}). Go by what was observed in these months.",
               month=say.count(row.since_first_months),
               expected=say.money(row.expected_value_amount), observed=say.money(row.observed_value_amount),
               range=say.range(row.observed_value_low_amount, row.observed_value_high_amount, "amount"))
    return [Sentence("lifetime_course", text, since_first_months=int(row.since_first_months), months_count=len(off),
                     expected_amount=row.expected_value_amount, observed_amount=row.observed_value_amount)]


def _held(say: Speaker, result: LifetimeValue) -> str:
    if result.holdout_weeks != result.holdout_weeks:
        return ""
    held = say.plural(
        result.holdout_weeks,
        "for the last {weeks} week, of which it was told nothing, it expected {expected} orders, and {actual} came",
        "for the last {weeks} weeks, of which it was told nothing, it expected {expected} orders, and {actual} came",
        weeks=say.count(result.holdout_weeks), expected=say.count(round(result.holdout_expected_orders)),
        actual=say.count(result.holdout_actual_orders))
    error = result.holdout_error_share
    if error != error:
        return held
    off = say.share(abs(error))
    return (say("{held} ({share} too many were expected)", held=held, share=off) if error > 0 else
            say("{held} ({share} too few were expected)", held=held, share=off))


def _held_numbers(result: LifetimeValue) -> dict[str, float]:
    names = ("holdout_weeks", "holdout_expected_orders", "holdout_actual_orders", "holdout_error_share")
    return {name: getattr(result, name) for name in names if getattr(result, name) == getattr(result, name)}


def _reason(say: Speaker, result: LifetimeValue) -> str:
    if result.reason == FEW_REPEATERS:
        if not result.repeaters_count:
            return say("nobody came back yet, and a model of repeat orders needs such clients")
        return say.plural(result.repeaters_count, "only {count} client came back, and a model needs {least}",
                          "only {count} clients came back, and a model needs {least}", count=say.count(result.repeaters_count),
                          least=say.count(LEAST_REPEATERS))
    if result.reason == SHORT_HISTORY:
        return say("the records are shorter than half a year, and no rhythm of years can be read from them")
    if result.reason == HOLDOUT_OFF:
        return say("the model does not hold here; {held}", held=_held(say, result))
    return say("the model of repeat orders does not settle on these purchases")


def _present(say: Speaker, result: LifetimeValue) -> list[Sentence]:
    if result.method != MODEL:
        return []
    text = say("If they go on as before, the {clients} clients won so far are expected to bring {money} of margin in the next 12 "
               "months (95 % interval of this expectation {range})", clients=say.count(result.customers_count),
               money=say.money(result.present_amount),
               range=say.range(result.present_low_amount, result.present_high_amount, "amount"))
    text = (say.plural(result.unseen_count,
                       "{expected}; the {count} who is, or may be, a client from before the records is not in it.",
                       "{expected}; the {count} who are, or may be, clients from before the records are not in it.",
                       expected=text, count=say.count(result.unseen_count)) if result.unseen_count else f"{text}.")
    return [Sentence("present_value", text, amount=result.present_amount, low_amount=result.present_low_amount,
                     high_amount=result.present_high_amount, customers_count=result.customers_count,
                     unseen_count=result.unseen_count)]


def _giant(say: Speaker, result: LifetimeValue) -> list[Sentence]:
    """One client who is not like the others makes a mean that tells little of the next one."""
    if not result.largest_margin_share >= GIANT_SHARE or result.customers_count < 2:
        return []
    text = say("One client alone brought {share} of the margin of these {count} clients: the mean says little of the next client.",
               share=say.share(result.largest_margin_share), count=say.count(result.customers_count))
    return [Sentence("lifetime_giant", text, largest_margin_share=result.largest_margin_share,
                     customers_count=result.customers_count)]
