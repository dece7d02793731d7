"""Whether clients are kept, in sentences: who still orders, what their money does, when the next order comes."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import loyalty
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.loyalty.next_order import YEAR_DAYS
from funnel_lib.loyalty.revenue import NO_OLDER_CUSTOMERS, NOTHING_PAID, SHORT_RECORDS, RevenueRetention
from funnel_lib.rates import FEW

AGES = (3, 6, 12)
# One client above this part of last year's money decides the figure alone.
GIANT = 0.5
ORDINALS = ("", "first", "second", "third")
MOST_TOLD = 3
REASONS = {
    SHORT_RECORDS: "it compares two whole years, and under 24 months are recorded",
    NO_OLDER_CUSTOMERS: "it follows clients from before the last two years, and there is none",
    NOTHING_PAID: "clients from before the last two years paid nothing in the year before, or refunds took all of it"}


def still_clients(process: Process) -> list[Sentence]:
    """Who ordered in a month or after it: clients who skipped a month are not taken for lost."""
    say = Speaker(process)
    table = loyalty.cohort_retention(process, bounded=False)
    if table.empty:
        return []
    if not (table.loc[table["age"] > 0, "active_count"] > 0).any():
        text = "No client has ordered again in a later month yet, so it cannot be told how long clients stay."
        return [Sentence("still_clients", text, customers_count=_customers_count(table))]
    known = _at_ages(loyalty.average_retention(table))
    if known.empty:
        text = ("How many clients stay cannot be told yet: who is silent today may still order, and no month is far enough back to "
                "be sure.")
        return [Sentence("still_clients", text, customers_count=_customers_count(table))]
    parts = [f"{say.share(row.retained_share)} in month {age} ({say.range(row.retained_low_share, row.retained_high_share)})"
             for age, row in known.iterrows()]
    text = f"New clients who are still there, that is order in that month or later: {', '.join(parts)}."
    return [Sentence("still_clients", text, **{f"retained_share_{age}": row.retained_share for age, row in known.iterrows()})]


def cohort_money(process: Process) -> list[Sentence]:
    """What a month's new clients pay later, against what they paid in their first month."""
    say = Speaker(process)
    average = loyalty.average_retention(loyalty.cohort_retention(process, value="amount"))
    later = average[average["age"] > 0]
    if later.empty:
        return []
    if later["retained_value_share"].isna().all():
        text = "What new clients pay later cannot be compared with their first month: refunds took all that they paid in it."
        return [Sentence("cohort_money", text)]
    known = _at_ages(later[later["retained_value_share"].notna()])
    if known.empty:
        return []
    age, row = known.index[-1], known.iloc[-1]
    limits = "" if math.isnan(row.retained_value_low_share) else (
        f" (95 % interval {say.range(row.retained_value_low_share, row.retained_value_high_share)})")
    text = (f"New clients pay in month {age} {say.share(row.retained_value_share)} of what they paid in their first month{limits}, "
            "refunds taken off.")
    return [Sentence("cohort_money", text, age=int(age), retained_value_share=row.retained_value_share)]


def next_orders(process: Process) -> list[Sentence]:
    """How many come for a second, third, … order, and how soon."""
    say, table = Speaker(process), loyalty.next_order_times(process)
    if table.empty:
        return []
    first = table.iloc[0]
    if not first.came_count:
        text = (f"None of {say.count(first.customers_count)} clients has come for a second order yet." if first.customers_count > 1
                else "The only client has not come for a second order yet.")
        return [Sentence("next_order", text, customers_count=int(first.customers_count), came_count=0)]
    told = table[~table["few"]].head(MOST_TOLD)
    if told.empty:
        came = f"{say.count(first.came_count)} of {say.count(first.customers_count)} clients came"
        text = (f"{came if first.customers_count > 1 else 'The only client came'} for a second order so far: too few clients "
                "to say when the next order comes.")
        return [Sentence("next_order", text, customers_count=int(first.customers_count), came_count=int(first.came_count))]
    parts = [_came(row, say) for row in told.itertuples()]
    text = f"{_capital('; '.join(parts))}."
    text += _higher(told)
    numbers = {f"came_share_{row.order_number}": row.came_share for row in told.itertuples()}
    return [Sentence("next_order", text, **numbers, customers_count=int(first.customers_count), came_count=int(first.came_count))]


def _came(row: tuple, say: Speaker) -> str:
    within = "a year" if row.horizon_days == YEAR_DAYS else say.days(row.horizon_days)
    text = (f"after the {ORDINALS[row.order_number]} order {say.share(row.came_share)} "
            f"({say.range(row.came_low_share, row.came_high_share)}) come again within {within}")
    if row.median_days <= row.horizon_days:
        return f"{text}, half of all within {say.days(row.median_days)}"
    for part, days in (("half", row.median_days), ("a quarter", row.quarter_days)):
        if days > row.horizon_days:
            return f"{text}, {part} of all only later, within {say.days(days)}"
    if not row.came_share and row.came_count:
        return f"{text}: {say.count(row.came_count)} came later"
    return text


def _higher(told: pd.DataFrame) -> str:
    """Whether a habit grows: only where the intervals of the first and the second order lie apart."""
    if len(told) < 2 or told["horizon_days"].iloc[0] != told["horizon_days"].iloc[1]:
        return ""
    first, second = told.iloc[0], told.iloc[1]
    if second.came_low_share > first.came_high_share:
        return (" Who came a second time comes a third time more often, perhaps as the more faithful from the start: more clients "
                "are lost after the first order than after the second.")
    if second.came_high_share < first.came_low_share:
        return " Who came a second time comes a third time less often than before."
    return " Whether the second order makes a third one likelier cannot be told: the intervals overlap."


def revenue(process: Process) -> list[Sentence]:
    """Revenue retention of clients from before the last two years, or why it is not shown."""
    say, result = Speaker(process), loyalty.revenue_retention(process)
    if result.reason:
        return [Sentence("revenue_retention", f"Revenue retention is not shown: {REASONS[result.reason]}.", reason=result.reason)]
    text = (f"Clients from before the last two years paid {say.money(result.this_year_amount)} this year against "
            f"{say.money(result.base_year_amount)} the year before: net revenue retention {say.share(result.nrr)}"
            f"{_limits(result.nrr_low_share, result.nrr_high_share, say)}. Without what some of them grew by, "
            f"{say.share(result.grr)} of last year's money is kept{_limits(result.grr_low_share, result.grr_high_share, say)}; "
            f"{say.count(result.lost_count)} of {say.count(result.buyers_count)} who bought then have not ordered since.")
    text += _doubts(result, say)
    if result.joined_count:
        text += (f" Those who began in the year before ({say.count(result.joined_count)}) paid "
                 f"{say.money(result.joined_amount)} this year; they are not in these figures.")
    return [Sentence("revenue_retention", text, nrr=result.nrr, grr=result.grr, customers_count=result.customers_count,
                     lost_count=result.lost_count, joined_count=result.joined_count, joined_amount=result.joined_amount)]


def _doubts(result: RevenueRetention, say: Speaker) -> str:
    if result.customers_count == 1:
        return " It is one client, so the figure says nothing of others."
    text = ""
    if result.largest_customer_share > GIANT:
        text += (f" One client alone made {say.share(result.largest_customer_share)} of last year's money: the figure is mostly "
                 "about that one.")
    if result.buyers_count < FEW:
        text += " These are few clients, so one more or less changes the figure."
    return text


def _limits(low: float, high: float, say: Speaker) -> str:
    return "" if math.isnan(low) else f" (95 % interval {say.range(low, high)})"


def _at_ages(average: pd.DataFrame) -> pd.DataFrame:
    by_age = average.set_index("age")
    return by_age.loc[[age for age in AGES if age in by_age.index]]


def _customers_count(table: pd.DataFrame) -> int:
    return int(table.loc[table["age"] == 0, "customers_count"].sum())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
