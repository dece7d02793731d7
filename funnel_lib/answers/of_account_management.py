"""Exercise 3 answered: whether clients are kept, what is repeat, who comes by recommendation, who is late."""

from __future__ import annotations

from funnel_lib import loyalty
from funnel_lib.answers import of_earned, of_kept, of_leaving, of_lifetime, of_recommended
from funnel_lib.answers.sentence import Sentence, Speaker, answered, attempt
from funnel_lib.company import Process
from funnel_lib.loyalty.sales import UNATTRIBUTED
from funnel_lib.rates import ratio

AGES = (1, 3, 6, 12)
YEAR_DAYS = 365
HALF = 0.5
# An interval within these is near enough to a half to say so.
ABOUT_HALF = (0.4, 0.6)


def account_management(process: Process) -> list[Sentence]:
    """The sentences of exercise 3, the verdict first."""
    if not process.has("orders"):
        return attempt(_kept, process)
    return answered(process, *_TOPICS)


def _repeat(process: Process) -> list[Sentence]:
    say, result, nameless = Speaker(process), loyalty.repeat_share(process), _nameless_count(process)
    left_out = "" if not nameless else (" 1 order names no customer and is left out." if nameless == 1 else
                                        f" {say.count(nameless)} orders name no customer and are left out.")
    if not result.whole_count:
        return [Sentence("repeat_share", f"There are no paid orders of known customers to measure yet.{left_out}", whole_count=0,
                         nameless_count=nameless)]
    if result.whole_count == 1:
        return [Sentence("repeat_share", "There is only one paid order of a known customer yet: what part of the sales is "
                                         f"repeat cannot be told.{left_out}", whole_count=1, nameless_count=nameless)]
    verdict = _by_half(result, "Most sales are repeat sales", "About half of the sales are repeat sales",
                       "Most sales are first sales; the part of the repeat ones", "Repeat sales")
    text = (f"{verdict}: {say.share(result.share)} of the orders ({say.count(result.part_count)} of "
            f"{say.count(result.whole_count)}{_limits(say, result.low_share, result.high_share)}), with "
            f"{say.share(result.amount_share)} of the money.{left_out}")
    names = ("share", "low_share", "high_share", "part_count", "whole_count", "amount_share", "amount_low_share",
             "amount_high_share")
    numbers = {name: getattr(result, name) for name in names if getattr(result, name) == getattr(result, name)}
    return [Sentence("repeat_share", text, nameless_count=nameless, **numbers)]


def _nameless_count(process: Process) -> int:
    """Orders that name no customer."""
    split = loyalty.sales_split(process)
    return int(split.loc[split["kind"] == UNATTRIBUTED, "orders_count"].sum())


def _by_half(result: object, most: str, about_half: str, few: str, plain: str) -> str:
    """Which verdict the interval of a share bears out: above a half, below it, near it; else none but the number."""
    if result.low_share > HALF:
        return most
    if result.high_share < HALF:
        return few
    return about_half if result.low_share >= ABOUT_HALF[0] and result.high_share <= ABOUT_HALF[1] else plain


def _limits(say: Speaker, low: float, high: float) -> str:
    """The interval, or nothing where one client alone leaves none."""
    return "" if low != low else f", 95 % interval {say.range(low, high)}"


def _kept(process: Process) -> list[Sentence]:
    say = Speaker(process)
    average = loyalty.average_retention(loyalty.cohort_retention(process)).set_index("age")
    known = average.reindex([age for age in AGES if age in average.index])
    if known.empty:
        return [Sentence("retention", "No client can be followed for a whole month after the month of the first order yet.")]
    parts = [f"{say.share(row.retained_share)} in month {age} ({say.range(row.retained_low_share, row.retained_high_share)})"
             for age, row in known.iterrows()]
    text = f"New clients who order again, by month after the month of the first order: {', '.join(parts)}."
    return [Sentence("retention", text, **{f"retained_share_{age}": row.retained_share for age, row in known.iterrows()})]


def _came_back(process: Process) -> list[Sentence]:
    say, result = Speaker(process), loyalty.repeat_rate(process, at_least_days=YEAR_DAYS)
    if not result.whole_count:
        return []
    verdict = _by_half(result, "Most clients come back", "About half of the clients come back", "Most clients buy only once",
                       "Clients who come back")
    text = (f"{verdict}: {say.share(result.share)} of those who began at least a year ago have bought again "
            f"({say.count(result.part_count)} of {say.count(result.whole_count)}, 95 % interval "
            f"{say.range(result.low_share, result.high_share)}).")
    return [Sentence("repeat_rate", text, share=result.share, low_share=result.low_share, high_share=result.high_share,
                     part_count=result.part_count, whole_count=result.whole_count)]


def _referred(process: Process) -> list[Sentence]:
    say = Speaker(process)
    shares = loyalty.referral_share(process).set_index("origin")
    total = int(shares["customers_count"].sum())
    if not total:
        return []
    row, unknown = shares.loc["referred"], shares.loc["unknown"]
    if unknown.customers_count == total:
        return [Sentence("referral_share", "How many clients come by recommendation cannot be told: no new client has a "
                                           "channel or a recommender. Ask every new client who sent them, and note it down.",
                         customers_count=total, unknown_count=total)]
    text = (f"{say.share(row.customers_share)} of the new clients came by recommendation ({say.count(row.customers_count)} of "
            f"{say.count(total)}{_limits(say, row.customers_low_share, row.customers_high_share)}{_of_money(say, row)})")
    text += f"; for {say.count(unknown.customers_count)} the channel is not known." if unknown.customers_count else "."
    money = {"amount_share": row.amount_share} if _of_money(say, row) else {}
    return [Sentence("referral_share", text, share=row.customers_share, low_share=row.customers_low_share,
                     high_share=row.customers_high_share, referred_count=int(row.customers_count), customers_count=total,
                     unknown_count=int(unknown.customers_count), **money)]


def _of_money(say: Speaker, row: object) -> str:
    """The share of the money with its interval, or nothing where all together paid nothing."""
    if row.amount_share != row.amount_share:
        return ""
    limits = _limits(say, row.amount_low_share, row.amount_high_share)
    return f"; {say.share(row.amount_share)} of the money{limits}"


def _coefficient(process: Process) -> list[Sentence]:
    say, result = Speaker(process), loyalty.referral_coefficient(process)
    if not result.referred_count:
        return []
    window = "In the last year" if result.window_days >= YEAR_DAYS else f"In the {say.days(result.window_days)} of the records"
    text = (f"{window} {say.count(result.referred_count)} new {'client' if result.referred_count == 1 else 'clients'} came by "
            f"recommendation, and {say.count(result.active_count)} {'client was' if result.active_count == 1 else 'clients were'} "
            f"active: {say.number(result.referrals_per_customer * 100)} recommended ones per hundred.")
    return [Sentence("referral_coefficient", text, referrals_per_customer=result.referrals_per_customer,
                     referred_count=result.referred_count, active_count=result.active_count, window_days=result.window_days)]


def _late(process: Process) -> list[Sentence]:
    say, table = Speaker(process), loyalty.lateness(process)
    if table.empty or table["lateness"].isna().all():
        return [Sentence("lateness", "Nobody came twice yet, so nobody's rhythm is known and nobody can be late.")]
    late = table[table["is_late"]]
    if late.empty:
        who = "The only client has not" if len(table) == 1 else f"No client of {say.count(len(table))} has"
        text = f"{who} been silent for more than {say.number(process.settings.lapse_factor)} times the usual gap."
        return [Sentence("lateness", text, late_count=0, customers_count=len(table), amount=0.0)]
    regular = late[late["orders_count"] > 1]
    money, total = late["yearly_amount"].sum(), table["yearly_amount"].sum()
    text = (f"Of {say.count(len(table))} client{'' if len(table) == 1 else 's'} {say.count(len(late))} "
            f"{'has' if len(late) == 1 else 'have'} been silent for more than {say.number(process.settings.lapse_factor)} times "
            f"their usual gap, {say.count(len(regular))} of them after two orders or more; in their last year they "
            f"paid {say.money(money)}")
    text += f" ({say.share(float(ratio(money, total)))} of what all clients paid in theirs)." if total > 0 else "."
    text += " Begin with those at the top of the list of late clients."
    return [Sentence("lateness", text, late_count=len(late), customers_count=len(table), amount=money)]


def _perhaps_older(process: Process) -> list[Sentence]:
    say = Speaker(process)
    count = int(loyalty.referral_share(process)["perhaps_older_count"].sum())
    if not count:
        return []
    text = (f"Perhaps {say.count(count)} of the new clients had bought before: first seen soon after the records began, without "
            "a lead. Shares of sales, of clients and retention count them as new; costs, payback and the value of a client leave "
            "them out.")
    return [Sentence("perhaps_older", text, perhaps_older_count=count)]


# The three questions of the article first, then what is earned and who may leave, then what stands behind it.
_TOPICS = (_came_back, _repeat, _referred, of_earned.after_first, of_earned.first_sale, of_earned.paid_back, _late,
           of_leaving.largest, _kept, of_kept.still_clients, of_kept.cohort_money, of_kept.next_orders, of_kept.revenue,
           of_recommended.repeat_over_time, of_recommended.recommended_compared, of_recommended.recommenders, _coefficient,
           of_recommended.loyalty_said, of_recommended.promoters_recommend, of_leaving.came_back, of_leaving.groups,
           of_lifetime.lifetime, _perhaps_older)
