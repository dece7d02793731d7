"""Whether a client earns what they cost, in sentences: the first sale, the month of payback, what comes after the first order."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import loyalty
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process

NO_COST = ("what it costs to win a client is not known: it takes the money of lead generation and conversion (spend), or their "
           "hours (work) with an hour cost for each role")


def first_sale(process: Process) -> list[Sentence]:
    """Whether the first order of a client is sold at a loss, and from which order on clients earn."""
    say, table = Speaker(process), loyalty.margin_by_order(process).set_index("order_number")
    first = table.loc["1"]
    if not first.orders_count:
        return [Sentence("first_sale", "Whether the first sale is one at a loss cannot be told: no first order of a new client was "
                                       "seen yet.", orders_count=0)]
    margin = f"a first order of a new client brings {say.money(first.margin_per_order_amount)} of margin on average"
    costed = not math.isnan(first.cost_per_order_amount)
    name = "net_per_order" if costed else "margin_per_order"
    left, low, high = (first[f"{name}{side}_amount"] for side in ("", "_low", "_high"))
    numbers = {"orders_count": int(first.orders_count), "margin_per_order_amount": first.margin_per_order_amount,
               "verdict": first.verdict}
    numbers |= {"cac_amount": first.cost_per_order_amount, "net_per_order_amount": left} if costed else {}
    of = f"{say.count(first.orders_count)} first orders" if first.orders_count > 1 else "1 first order"
    if not costed:
        head = "The first order is sold at a loss before any cost: " if first.verdict == "loss" else ""
        text = f"{head}{margin} ({of}{_limits(say, low, high)}); {NO_COST}."
        return [Sentence("first_sale", text[:1].upper() + text[1:], **numbers)]
    text = (f"{_VERDICTS[first.verdict]}: {margin}, and winning the client costs {say.money(first.cost_per_order_amount)}, which "
            f"leaves {say.money(left)} ({of}{_limits(say, low, high)}).")
    return [Sentence("first_sale", text + _later(table, first.verdict, say), **numbers)]


_VERDICTS = {"loss": "The first order is sold at a loss", "earns": "The first order earns money already",
             "cannot_tell": "Whether the first order is sold at a loss cannot be told"}


def _later(table: pd.DataFrame, verdict: str, say: Speaker) -> str:
    """What the later orders leave, each after the cost of account management."""
    later = table[table.index.isin(["2", "3", "4", "5_and_later"])]
    lost = [say.label(number) for number in later.index[later["verdict"] == "loss"]]
    if lost:
        return f" Sold at a loss later too: order {', '.join(lost)}."
    earning = later[later["verdict"] == "earns"]
    if verdict != "loss" or earning.empty:
        return ""
    row = earning.iloc[0]
    return f" Order {say.label(row.name)} leaves {say.money(row.net_per_order_amount)} after the cost of account management."


def paid_back(process: Process) -> list[Sentence]:
    """By which month of age a new client has earned back what it cost to win one."""
    say, table = Speaker(process), loyalty.payback(process)
    if table.empty or math.isnan(table["cac_amount"].iloc[0]):
        return []  # the sentence on the first sale has said why
    cac, last, count = table["cac_amount"].iloc[0], table.iloc[-1], int(table["customers_count"].iloc[0])
    if table["few"].all():
        return [Sentence("payback", f"In which month a client pays back cannot be told: it takes 30 new clients, and there "
                                    f"{'is' if count == 1 else 'are'} {say.count(count)}.", customers_count=count, cac_amount=cac)]
    numbers = {"cac_amount": cac, "customers_count": count}
    found = table[table["paid_back"]]
    if found.empty:
        perhaps = table.loc[table["perhaps_paid_back"], "age_months"]
        text = (f"A new client has not paid back by month {last.age_months} after the first order: "
                f"{say.money(last.margin_per_customer_amount)} of margin ({_interval(say, last)}) against a cost of "
                f"{say.money(cac)}.")
        text += f" By the upper limit it would be month {perhaps.iloc[0]}." if len(perhaps) else ""
        return [Sentence("payback", text, **numbers, followed_months=int(last.age_months))]
    row = found.iloc[0]
    when = "with the first order" if row.age_months == 0 else f"in month {row.age_months} after the first order"
    margin = f"{say.money(row.margin_per_customer_amount)} of margin by then against a cost of {say.money(cac)}"
    surely, limited = table["surely_paid_back"].any(), math.isfinite(row.margin_per_customer_low_amount)
    if limited and not surely:
        text = (f"Whether a new client pays back cannot be told: on average {when}, with {margin}, but the interval still begins "
                f"below the cost in month {last.age_months} ({_interval(say, last)}).")
    else:
        between = _between(table, row.age_months) if limited else "; all brought the same, so there is no interval"
        text = f"A new client pays back {when}: {margin}{between}."
    return [Sentence("payback", text + _undone(last), **numbers, payback_months=int(row.age_months))]


def _between(table: pd.DataFrame, month: int) -> str:
    """Between which months the limits of the margin cross the cost."""
    earliest, latest = (table.loc[table[f"{how}_paid_back"], "age_months"].iloc[0] for how in ("perhaps", "surely"))
    return " (its 95 % limits agree)" if earliest == latest == month else f" (by its 95 % limits month {earliest} to {latest})"


def _undone(last: pd.Series) -> str:
    return "" if last.paid_back else " Later refunds or losses undo that again."


def after_first(process: Process) -> list[Sentence]:
    """Whether most of the margin is earned after a client's first order."""
    say, found = Speaker(process), loyalty.margin_after_first(process)
    if not found.customers_count:
        return []
    if math.isnan(found.after_first_share):
        text = ("Which part of the margin is earned after the first order cannot be told: all orders together bring "
                f"{say.money(found.margin_amount)}, which is no gain.")
        return [Sentence("after_first", text, margin_amount=found.margin_amount)]
    share, new = say.share(found.after_first_share), found.new_after_first_share
    text = (f"{_CLAIMS[found.verdict]}: {share} of the margin of named clients comes from orders after their first one "
            f"({say.count(found.customers_count)} client{'' if found.customers_count == 1 else 's'}"
            f"{_limits(say, found.after_first_low_share, found.after_first_high_share, 'share')}).")
    numbers = {"after_first_share": found.after_first_share, "customers_count": found.customers_count, "verdict": found.verdict}
    if found.after_first_share > 1:
        text = text[:-1] + "; above 100 %, since first orders bring less than nothing."
    if not math.isnan(new) and found.new_customers_count < found.customers_count:
        text += (f" Of clients won since the records began alone it is {say.share(new)} so far; clients from before have their "
                 "first order behind them.")
        numbers["new_after_first_share"] = new
    return [Sentence("after_first", text, **numbers)]


_CLAIMS = {"claim_holds": "Most of the margin is earned with clients one has",
           "claim_fails": "Most of the margin is earned with first orders, not with clients one has",
           "claim_about_half": "About half of the margin is earned with clients one has",
           "cannot_tell": "Whether most of the margin is earned with clients one has cannot be told"}


def _limits(say: Speaker, low: float, high: float, unit: str = "amount") -> str:
    """The interval, or nothing where one client alone, or clients all alike, leave none."""
    return "" if math.isnan(low) else f", 95 % interval {say.range(low, high, unit)}"


def _interval(say: Speaker, row: pd.Series) -> str:
    low, high = row.margin_per_customer_low_amount, row.margin_per_customer_high_amount
    return "no interval: all brought the same" if math.isnan(low) else f"95 % interval {say.range(low, high, 'amount')}"
