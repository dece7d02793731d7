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
    whole = f"within {say.months(result.reached_months)} of the first order" if result.reached_months else "with the first order"
    if result.method == MODEL:
        first = (f"loses {say.money(-result.first_margin_amount)}" if result.first_margin_amount < 0 else
                 f"brings {say.money(result.first_margin_amount)}")
        text = (f"A new client is worth {say.money(result.ltv_amount)} of margin {whole} ({_interval(say, result, 'ltv')}): the "
                f"first order {first}, and {say.count(result.expected_orders)} more orders are expected of a client, of "
                f"{say.money(result.repeat_amount)} each at {say.share(result.repeat_margin_share)} margin")
    else:
        known = f" ({_interval(say, result, 'ltv')})" if result.ltv_low_amount < result.ltv_high_amount else ""
        verb = "lost" if result.ltv_amount < 0 else "brought"
        text = f"A new client has {verb} {say.money(abs(result.ltv_amount))} of margin {whole}{known}"
    rate = result.discount_rate_per_year
    text += f"; money of later months is discounted by {say.share(rate)} a year." if rate and result.reached_months else "."
    if result.ltv_amount < 0:
        text += " More is lost on these clients than they bring: refunds and losses outweigh their margin."
    numbers = {name: getattr(result, name) for name in ("ltv_low_amount", "ltv_high_amount", "expected_orders")}
    return [Sentence("lifetime_value", text, ltv_amount=result.ltv_amount, method=result.method,
                     reached_months=result.reached_months, horizon_months=result.horizon_months,
                     **{name: value for name, value in numbers.items() if value == value})]


def _interval(say: Speaker, row: object, name: str) -> str:
    return f"95 % interval {say.range(*(getattr(row, f'{name}_{side}_amount') for side in ('low', 'high')), 'amount')}"


def _check(say: Speaker, result: LifetimeValue) -> list[Sentence]:
    """The holdout, or why the figure is a plain mean."""
    held = _held(say, result)
    if result.method == MODEL:
        return [Sentence("lifetime_check", f"The model behind it was checked: {held}.", **_held_numbers(result))]
    text = f"It is the plain mean of the clients old enough, not a model's forecast: {_reason(say, result)}."
    if result.reached_months < result.horizon_months:
        text += (f" Fewer than {FEW} clients could be followed for longer." if result.reached_months else
                 f" Fewer than {FEW} clients could be followed for a month.")
    if result.reason != HOLDOUT_OFF and held:
        text += f" A trial of the model: {held}."
    return [Sentence("lifetime_check", text, reason=result.reason, repeaters_count=result.repeaters_count, **_held_numbers(result))]


def _course(say: Speaker, values: pd.DataFrame) -> list[Sentence]:
    """Months of age at which the model expects clearly more, or less, than clients had brought by then."""
    expected = values["expected_value_amount"]
    outside = (expected > values["observed_value_high_amount"]) | (expected < values["observed_value_low_amount"])
    off = values[outside & ~values["few"]]
    if len(off) < LEAST_MONTHS_OFF:
        return []
    row = off.iloc[len(off) // 2]
    text = (f"On the way there the model is off: by month {row.since_first_months} it expects "
            f"{say.money(row.expected_value_amount)} of a client, and clients had brought {say.money(row.observed_value_amount)} "
            f"({_interval(say, row, 'observed_value')}). Go by what was observed in these months.")
    return [Sentence("lifetime_course", text, since_first_months=int(row.since_first_months), months_count=len(off),
                     expected_amount=row.expected_value_amount, observed_amount=row.observed_value_amount)]


def _held(say: Speaker, result: LifetimeValue) -> str:
    if result.holdout_weeks != result.holdout_weeks:
        return ""
    text = (f"for the last {say.count(result.holdout_weeks)} weeks, of which it was told nothing, it expected "
            f"{say.count(round(result.holdout_expected_orders))} orders, and {say.count(result.holdout_actual_orders)} came")
    error = result.holdout_error_share
    return text if error != error else f"{text} ({say.share(abs(error))} {'too many' if error > 0 else 'too few'} were expected)"


def _held_numbers(result: LifetimeValue) -> dict[str, float]:
    names = ("holdout_weeks", "holdout_expected_orders", "holdout_actual_orders", "holdout_error_share")
    return {name: getattr(result, name) for name in names if getattr(result, name) == getattr(result, name)}


def _reason(say: Speaker, result: LifetimeValue) -> str:
    if result.reason == FEW_REPEATERS:
        if not result.repeaters_count:
            return "nobody came back yet, and a model of repeat orders needs such clients"
        came = "1 client came" if result.repeaters_count == 1 else f"{say.count(result.repeaters_count)} clients came"
        return f"only {came} back, and a model needs {LEAST_REPEATERS}"
    if result.reason == SHORT_HISTORY:
        return "the records are shorter than half a year, and no rhythm of years can be read from them"
    if result.reason == HOLDOUT_OFF:
        return f"the model does not hold here; {_held(say, result)}"
    return "the model of repeat orders does not settle on these purchases"


def _present(say: Speaker, result: LifetimeValue) -> list[Sentence]:
    if result.method != MODEL:
        return []
    text = (f"If they go on as before, the {say.count(result.customers_count)} clients won so far are expected to bring "
            f"{say.money(result.present_amount)} of margin in the next 12 months (95 % interval of this expectation "
            f"{say.range(result.present_low_amount, result.present_high_amount, 'amount')})")
    if result.unseen_count:
        text += f"; the {say.count(result.unseen_count)} who are, or may be, clients from before the records are not in it"
    return [Sentence("present_value", f"{text}.", amount=result.present_amount, low_amount=result.present_low_amount,
                     high_amount=result.present_high_amount, customers_count=result.customers_count,
                     unseen_count=result.unseen_count)]


def _giant(say: Speaker, result: LifetimeValue) -> list[Sentence]:
    """One client who is not like the others makes a mean that tells little of the next one."""
    if not result.largest_margin_share >= GIANT_SHARE or result.customers_count < 2:
        return []
    text = (f"One client alone brought {say.share(result.largest_margin_share)} of the margin of these "
            f"{say.count(result.customers_count)} clients: the mean says little of the next client.")
    return [Sentence("lifetime_giant", text, largest_margin_share=result.largest_margin_share,
                     customers_count=result.customers_count)]
