"""Whether clients are kept, in sentences: who still orders, what their money does, when the next order comes."""

from __future__ import annotations

import pandas as pd

from funnel_lib import loyalty
from funnel_lib.answers.sentence import Sentence, Speaker, clauses
from funnel_lib.company import Process
from funnel_lib.language.messages import marked
from funnel_lib.loyalty.next_order import YEAR_DAYS
from funnel_lib.loyalty.revenue import NO_OLDER_CUSTOMERS, NOTHING_PAID, SHORT_RECORDS, RevenueRetention
from funnel_lib.rates import FEW

AGES = (3, 6, 12)
# One client above this part of last year's money decides the figure alone.
GIANT = 0.5
AFTER = ("", marked("after the first order"), marked("after the second order"), marked("after the third order"))
MOST_TOLD = 3
REASONS = {
    SHORT_RECORDS: marked("Revenue retention is not shown: it compares two whole years, and under 24 months are recorded."),
    NO_OLDER_CUSTOMERS: marked("Revenue retention is not shown: it follows clients from before the last two years, and there is "
                               "none."),
    NOTHING_PAID: marked("Revenue retention is not shown: clients from before the last two years paid nothing in the year before, "
                         "or refunds took all of it.")}


def still_clients(process: Process) -> list[Sentence]:
    """Who ordered in a month or after it: clients who skipped a month are not taken for lost."""
    say = Speaker(process)
    table = loyalty.cohort_retention(process, bounded=False)
    if table.empty:
        return []
    if not (table.loc[table["age"] > 0, "active_count"] > 0).any():
        text = say("No client has ordered again in a later month yet, so it cannot be told how long clients stay.")
        return [Sentence("still_clients", text, customers_count=_customers_count(table))]
    known = _at_ages(loyalty.average_retention(table))
    if known.empty:
        text = say("How many clients stay cannot be told yet: who is silent today may still order, and no month is far enough back "
                   "to be sure.")
        return [Sentence("still_clients", text, customers_count=_customers_count(table))]
    text = say("New clients who are still there, that is order in that month or later: {months}.", months=by_month(say, known))
    return [Sentence("still_clients", text, **{f"retained_share_{age}": row.retained_share for age, row in known.iterrows()})]


def by_month(say: Speaker, known: pd.DataFrame) -> str:
    """The retained shares of these months of age, one after the other."""
    return ", ".join(say("{share} in month {month} ({range})", share=say.share(row.retained_share), month=say.count(age),
                         range=say.range(row.retained_low_share, row.retained_high_share)) for age, row in known.iterrows())


def cohort_money(process: Process) -> list[Sentence]:
    """What a month's new clients pay later, against what they paid in their first month."""
    say = Speaker(process)
    average = loyalty.average_retention(loyalty.cohort_retention(process, value="amount"))
    later = average[average["age"] > 0]
    if later.empty:
        return []
    if later["retained_value_share"].isna().all():
        text = say("What new clients pay later cannot be compared with their first month: refunds took all that they paid in it.")
        return [Sentence("cohort_money", text)]
    known = _at_ages(later[later["retained_value_share"].notna()])
    if known.empty:
        return []
    age, row = known.index[-1], known.iloc[-1]
    text = say("New clients pay in month {month} {share} of what they paid in their first month{limits}, refunds taken off.",
               month=say.count(age), share=say.share(row.retained_value_share),
               limits=say.bracket(row.retained_value_low_share, row.retained_value_high_share))
    return [Sentence("cohort_money", text, age=int(age), retained_value_share=row.retained_value_share)]


def next_orders(process: Process) -> list[Sentence]:
    """How many come for a second, third, … order, and how soon."""
    say, table = Speaker(process), loyalty.next_order_times(process)
    if table.empty:
        return []
    first = table.iloc[0]
    numbers = {"customers_count": int(first.customers_count), "came_count": int(first.came_count)}
    told = table[~table["few"]].head(MOST_TOLD)
    if not first.came_count or told.empty:
        return [Sentence("next_order", _few_came(first, say), **numbers)]
    text = " ".join([clauses(*(_came(row, say) for row in told.itertuples())), *_higher(told, say)])
    shares = {f"came_share_{row.order_number}": row.came_share for row in told.itertuples()}
    return [Sentence("next_order", text, **shares, **numbers)]


def _few_came(first: pd.Series, say: Speaker) -> str:
    """How many came for a second order where that is nobody, or too few to say when."""
    values = {"all": say.count(first.customers_count), "came": say.count(first.came_count)}
    if first.customers_count == 1:
        return (say("The only client came for a second order so far: too few clients to say when the next order comes.")
                if first.came_count else say("The only client has not come for a second order yet."))
    if not first.came_count:
        return say("None of {all} clients has come for a second order yet.", all=values["all"])
    return say("{came} of {all} clients came for a second order so far: too few clients to say when the next order comes.",
               **values)


def _came(row: tuple, say: Speaker) -> str:
    """Who came again after this order; a rhythm longer than the horizon is told as one, not as nobody coming."""
    within = say("a year") if row.horizon_days == YEAR_DAYS else say.days(row.horizon_days)
    values = {"after": say(AFTER[row.order_number]), "within": within, "share": say.share(row.came_share),
              "range": say.range(row.came_low_share, row.came_high_share)}
    if row.median_days <= row.horizon_days:
        return say("{after} {share} ({range}) come again within {within}, half of all within {half}",
                   half=say.days(row.median_days), **values)
    if row.median_days > row.horizon_days:
        return say("{after} {share} ({range}) come again within {within}, half of all only later, within {half}",
                   half=say.days(row.median_days), **values)
    if row.quarter_days > row.horizon_days:
        return say("{after} {share} ({range}) come again within {within}, a quarter of all only later, within {quarter}",
                   quarter=say.days(row.quarter_days), **values)
    if not row.came_share and row.came_count:
        return say("{after} {share} ({range}) come again within {within}: {count} came later", count=say.count(row.came_count),
                   **values)
    return say("{after} {share} ({range}) come again within {within}", **values)


def _higher(told: pd.DataFrame, say: Speaker) -> list[str]:
    """Whether a habit grows: only where the intervals of the first and the second order lie apart."""
    if len(told) < 2 or told["horizon_days"].iloc[0] != told["horizon_days"].iloc[1]:
        return []
    first, second = told.iloc[0], told.iloc[1]
    if second.came_low_share > first.came_high_share:
        return [say("Who came a second time comes a third time more often, perhaps as the more faithful from the start: more "
                    "clients are lost after the first order than after the second.")]
    if second.came_high_share < first.came_low_share:
        return [say("Who came a second time comes a third time less often than before.")]
    return [say("Whether the second order makes a third one likelier cannot be told: the intervals overlap.")]


def revenue(process: Process) -> list[Sentence]:
    """Revenue retention of clients from before the last two years, or why it is not shown."""
    say, result = Speaker(process), loyalty.revenue_retention(process)
    if result.reason:
        return [Sentence("revenue_retention", say(REASONS[result.reason]), reason=result.reason)]
    lost = say.plural(result.lost_count, "{lost} of {buyers} who bought then has not ordered since",
                      "{lost} of {buyers} who bought then have not ordered since", lost=say.count(result.lost_count),
                      buyers=say.count(result.buyers_count))
    parts = [say("Clients from before the last two years paid {amount} this year against {before} the year before: net revenue "
                 "retention {nrr}{nrr_limits}. Without what some of them grew by, {grr} of last year's money is kept{grr_limits}; "
                 "{lost}.", lost=lost, amount=say.money(result.this_year_amount), before=say.money(result.base_year_amount),
                 nrr=say.share(result.nrr), nrr_limits=say.bracket(result.nrr_low_share, result.nrr_high_share),
                 grr=say.share(result.grr), grr_limits=say.bracket(result.grr_low_share, result.grr_high_share)),
             *_doubts(result, say)]
    if result.joined_count:
        parts.append(say("Those who began in the year before ({count}) paid {amount} this year; they are not in these figures.",
                         count=say.count(result.joined_count), amount=say.money(result.joined_amount)))
    return [Sentence("revenue_retention", " ".join(parts), nrr=result.nrr, grr=result.grr, customers_count=result.customers_count,
                     lost_count=result.lost_count, joined_count=result.joined_count, joined_amount=result.joined_amount)]


def _doubts(result: RevenueRetention, say: Speaker) -> list[str]:
    if result.customers_count == 1:
        return [say("It is one client, so the figure says nothing of others.")]
    doubts = []
    if result.largest_customer_share > GIANT:
        doubts.append(say("One client alone made {share} of last year's money: the figure is mostly about that one.",
                          share=say.share(result.largest_customer_share)))
    if result.buyers_count < FEW:
        doubts.append(say("These are few clients, so one more or less changes the figure."))
    return doubts


def _at_ages(average: pd.DataFrame) -> pd.DataFrame:
    by_age = average.set_index("age")
    return by_age.loc[[age for age in AGES if age in by_age.index]]


def _customers_count(table: pd.DataFrame) -> int:
    return int(table.loc[table["age"] == 0, "customers_count"].sum())
