"""Exercise 3 answered: whether clients are kept, what is repeat, who comes by recommendation, who is late."""

from __future__ import annotations

import pandas as pd

from funnel_lib import loyalty
from funnel_lib.answers import of_earned, of_kept, of_leaving, of_lifetime, of_recommended
from funnel_lib.answers.sentence import Sentence, Speaker, answered, attempt
from funnel_lib.company import Process
from funnel_lib.language.messages import marked
from funnel_lib.loyalty.sales import UNATTRIBUTED
from funnel_lib.rates import ratio

AGES = (1, 3, 6, 12)
YEAR_DAYS = 365
HALF = 0.5
# An interval within these is near enough to a half to say so.
ABOUT_HALF = (0.4, 0.6)
# What the interval of a share bears out: above a half, near it, below it; else none but the number.
MOST, HALF_OF, LEAST, PLAIN = "most", "half", "least", "plain"
SALES = {MOST: marked("Most sales are repeat sales"), HALF_OF: marked("About half of the sales are repeat sales"),
         LEAST: marked("Most sales are first sales; the part of the repeat ones"), PLAIN: marked("Repeat sales")}
CLIENTS = {MOST: marked("Most clients come back"), HALF_OF: marked("About half of the clients come back"),
           LEAST: marked("Most clients buy only once"), PLAIN: marked("Clients who come back")}


def account_management(process: Process) -> list[Sentence]:
    """The sentences of exercise 3, the verdict first."""
    if not process.has("orders"):
        return attempt(_kept, process)
    return answered(process, *_TOPICS)


def _repeat(process: Process) -> list[Sentence]:
    say, result, nameless = Speaker(process), loyalty.repeat_share(process), _nameless_count(process)
    left_out = [say.plural(nameless, "{orders} order names no customer and is left out.",
                           "{orders} orders name no customer and are left out.", orders=say.count(nameless))] if nameless else []
    numbers = {"nameless_count": nameless}
    if result.whole_count < 2:
        text = (say("There is only one paid order of a known customer yet: what part of the sales is repeat cannot be told.")
                if result.whole_count else say("There are no paid orders of known customers to measure yet."))
        return [Sentence("repeat_share", " ".join([text, *left_out]), whole_count=int(result.whole_count), **numbers)]
    text = say("{claim}: {share} of the orders ({part} of {whole}{limits}), with {money} of the money.",
               claim=say(SALES[_by_half(result)]), share=say.share(result.share), part=say.count(result.part_count),
               whole=say.count(result.whole_count), limits=say.limits(result.low_share, result.high_share),
               money=say.share(result.amount_share))
    names = ("share", "low_share", "high_share", "part_count", "whole_count", "amount_share", "amount_low_share",
             "amount_high_share")
    numbers |= {name: getattr(result, name) for name in names if getattr(result, name) == getattr(result, name)}
    return [Sentence("repeat_share", " ".join([text, *left_out]), **numbers)]


def _nameless_count(process: Process) -> int:
    """Orders that name no customer."""
    split = loyalty.sales_split(process)
    return int(split.loc[split["kind"] == UNATTRIBUTED, "orders_count"].sum())


def _by_half(result: object) -> str:
    """Which claim the interval of a share bears out."""
    if result.low_share > HALF:
        return MOST
    if result.high_share < HALF:
        return LEAST
    return HALF_OF if result.low_share >= ABOUT_HALF[0] and result.high_share <= ABOUT_HALF[1] else PLAIN


def _kept(process: Process) -> list[Sentence]:
    say = Speaker(process)
    average = loyalty.average_retention(loyalty.cohort_retention(process)).set_index("age")
    known = average.reindex([age for age in AGES if age in average.index])
    if known.empty:
        return [Sentence("retention", say("No client can be followed for a whole month after the month of the first order yet."))]
    text = say("New clients who order again, by month after the month of the first order: {months}.",
               months=of_kept.by_month(say, known))
    return [Sentence("retention", text, **{f"retained_share_{age}": row.retained_share for age, row in known.iterrows()})]


def _came_back(process: Process) -> list[Sentence]:
    say, result = Speaker(process), loyalty.repeat_rate(process, at_least_days=YEAR_DAYS)
    if not result.whole_count:
        return []
    text = say("{claim}: {share} of those who began at least a year ago have bought again ({part} of {whole}, 95 % interval "
               "{range}).", claim=say(CLIENTS[_by_half(result)]), share=say.share(result.share), part=say.count(result.part_count),
               whole=say.count(result.whole_count), range=say.range(result.low_share, result.high_share))
    return [Sentence("repeat_rate", text, share=result.share, low_share=result.low_share, high_share=result.high_share,
                     part_count=result.part_count, whole_count=result.whole_count)]


def _referred(process: Process) -> list[Sentence]:
    say = Speaker(process)
    shares = loyalty.referral_share(process).set_index("origin")
    total = int(shares["customers_count"].sum())
    if not total:
        return []
    row, unknown = shares.loc["referred"], int(shares.loc["unknown"].customers_count)
    if unknown == total:
        return [Sentence("referral_share", say("How many clients come by recommendation cannot be told: no new client has a "
                                               "channel or a recommender. Ask every new client who sent them, and note it down."),
                         customers_count=total, unknown_count=total)]
    values = {"share": say.share(row.customers_share), "referred": say.count(row.customers_count), "all": say.count(total),
              "limits": say.limits(row.customers_low_share, row.customers_high_share), "money": _of_money(say, row)}
    text = (say("{share} of the new clients came by recommendation ({referred} of {all}{limits}{money}); for {unknown} the channel "
                "is not known.", unknown=say.count(unknown), **values) if unknown else
            say("{share} of the new clients came by recommendation ({referred} of {all}{limits}{money}).", **values))
    money = {"amount_share": row.amount_share} if values["money"] else {}
    return [Sentence("referral_share", text, share=row.customers_share, low_share=row.customers_low_share,
                     high_share=row.customers_high_share, referred_count=int(row.customers_count), customers_count=total,
                     unknown_count=unknown, **money)]


def _of_money(say: Speaker, row: object) -> str:
    """The share of the money with its interval, or nothing where all together paid nothing."""
    if row.amount_share != row.amount_share:
        return ""
    return say("; {share} of the money{limits}", share=say.share(row.amount_share),
               limits=say.limits(row.amount_low_share, row.amount_high_share))


def _coefficient(process: Process) -> list[Sentence]:
    say, result = Speaker(process), loyalty.referral_coefficient(process)
    if not result.referred_count:
        return []
    came = say.plural(result.referred_count, "{count} new client came by recommendation",
                      "{count} new clients came by recommendation", count=say.count(result.referred_count))
    active = say.plural(result.active_count, "{count} client was active", "{count} clients were active",
                        count=say.count(result.active_count))
    numbers = {"came": came, "active": active, "rate": say.number(result.referrals_per_customer * 100)}
    text = (say("In the last year {came}, and {active}: {rate} recommended ones per hundred.", **numbers)
            if result.window_days >= YEAR_DAYS else
            say("In the {days} of the records {came}, and {active}: {rate} recommended ones per hundred.",
                days=say.days(result.window_days), **numbers))
    return [Sentence("referral_coefficient", text, referrals_per_customer=result.referrals_per_customer,
                     referred_count=result.referred_count, active_count=result.active_count, window_days=result.window_days)]


def _late(process: Process) -> list[Sentence]:
    say, table = Speaker(process), loyalty.lateness(process)
    if table.empty or table["lateness"].isna().all():
        return [Sentence("lateness", say("Nobody came twice yet, so nobody's rhythm is known and nobody can be late."))]
    late = table[table["is_late"]]
    if late.empty:
        factor, count = say.number(process.settings.lapse_factor), len(table)
        text = (say("The only client has not been silent for more than {factor} times the usual gap.", factor=factor) if count == 1
                else say("No client of {count} has been silent for more than {factor} times the usual gap.", count=say.count(count),
                         factor=factor))
        return [Sentence("lateness", text, late_count=0, customers_count=count, amount=0.0)]
    text = " ".join([_of_late(say, table, late), say("Begin with those at the top of the list of late clients.")])
    return [Sentence("lateness", text, late_count=len(late), customers_count=len(table), amount=late["yearly_amount"].sum())]


def _of_late(say: Speaker, table: pd.DataFrame, late: pd.DataFrame) -> str:
    money, total = late["yearly_amount"].sum(), table["yearly_amount"].sum()
    paid = say.money(money) if total <= 0 else say("{money} ({share} of what all clients paid in theirs)", money=say.money(money),
                                                   share=say.share(float(ratio(money, total))))
    values = {"factor": say.number(say.process.settings.lapse_factor), "paid": paid}
    if len(table) == 1:
        return say("The only client has been silent for more than {factor} times the usual gap; in the last year with orders they "
                   "paid {paid}.", **values)
    return say.plural(len(late),
                      "Of {all} clients {late} has been silent for more than {factor} times their usual gap, {regular} of them "
                      "after two orders or more; in their last year they paid {paid}.",
                      "Of {all} clients {late} have been silent for more than {factor} times their usual gap, {regular} of them "
                      "after two orders or more; in their last year they paid {paid}.",
                      all=say.count(len(table)), late=say.count(len(late)),
                      regular=say.count((late["orders_count"] > 1).sum()), **values)


def _perhaps_older(process: Process) -> list[Sentence]:
    say = Speaker(process)
    count = int(loyalty.referral_share(process)["perhaps_older_count"].sum())
    if not count:
        return []
    text = say("Perhaps {count} of the new clients had bought before: first seen soon after the records began, without a lead. "
               "Shares of sales, of clients and retention count them as new; costs, payback and the value of a client leave them "
               "out.", count=say.count(count))
    return [Sentence("perhaps_older", text, perhaps_older_count=count)]


# The three questions of the article first, then what is earned and who may leave, then what stands behind it.
_TOPICS = (_came_back, _repeat, _referred, of_earned.after_first, of_earned.first_sale, of_earned.paid_back, _late,
           of_leaving.largest, _kept, of_kept.still_clients, of_kept.cohort_money, of_kept.next_orders, of_kept.revenue,
           of_recommended.repeat_over_time, of_recommended.recommended_compared, of_recommended.recommenders, _coefficient,
           of_recommended.loyalty_said, of_recommended.promoters_recommend, of_leaving.came_back, of_leaving.groups,
           of_lifetime.lifetime, _perhaps_older)
