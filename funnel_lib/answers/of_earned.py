"""Whether a client earns what they cost, in sentences: the first sale, the month of payback, what comes after the first order."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import loyalty
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.language.messages import marked
from funnel_lib.loyalty.earned import MarginAfterFirst
from funnel_lib.rates import FEW

VERDICTS = {"loss": marked("The first order is sold at a loss"), "earns": marked("The first order earns money already"),
            "cannot_tell": marked("Whether the first order is sold at a loss cannot be told")}
CLAIMS = {"claim_holds": marked("Most of the margin is earned with clients one has"),
          "claim_fails": marked("Most of the margin is earned with first orders, not with clients one has"),
          "claim_about_half": marked("About half of the margin is earned with clients one has"),
          "cannot_tell": marked("Whether most of the margin is earned with clients one has cannot be told")}


def first_sale(process: Process) -> list[Sentence]:
    """Whether the first order of a client is sold at a loss, and from which order on clients earn."""
    say, table = Speaker(process), loyalty.margin_by_order(process).set_index("order_number")
    first = table.loc["1"]
    if not first.orders_count:
        return [Sentence("first_sale", say("Whether the first sale is one at a loss cannot be told: no first order of a new client "
                                           "was seen yet."), orders_count=0)]
    numbers = {"orders_count": int(first.orders_count), "margin_per_order_amount": first.margin_per_order_amount,
               "verdict": first.verdict}
    if math.isnan(first.cost_per_order_amount):
        return [Sentence("first_sale", _before_cost(first, say), **numbers)]
    text = say("{verdict}: a first order of a new client brings {margin} of margin on average, and winning the client costs "
               "{cost}, which leaves {left} ({orders}{limits}).", verdict=say(VERDICTS[first.verdict]),
               cost=say.money(first.cost_per_order_amount), left=say.money(first.net_per_order_amount),
               **_margin(first, "net_per_order", say))
    return [Sentence("first_sale", " ".join([text, *_later(table, first.verdict, say)]), **numbers,
                     cac_amount=first.cost_per_order_amount, net_per_order_amount=first.net_per_order_amount)]


def _margin(first: pd.Series, limited: str, say: Speaker) -> dict[str, str]:
    """What first orders bring, how many they are, and the limits of one figure of theirs."""
    low, high = (first[f"{limited}_{side}_amount"] for side in ("low", "high"))
    orders = say.plural(first.orders_count, "{count} first order", "{count} first orders", count=say.count(first.orders_count))
    return {"margin": say.money(first.margin_per_order_amount), "orders": orders, "limits": say.limits(low, high, "amount")}


def _before_cost(first: pd.Series, say: Speaker) -> str:
    """The first sale where it is not known what it costs to win a client."""
    values = _margin(first, "margin_per_order", say)
    text = (say("The first order is sold at a loss before any cost: a first order of a new client brings {margin} of margin on "
                "average ({orders}{limits})", **values) if first.verdict == "loss" else
            say("A first order of a new client brings {margin} of margin on average ({orders}{limits})", **values))
    return say("{brings}; what it costs to win a client is not known: it takes the money of lead generation and conversion "
               "(spend), or their hours (work) with an hour cost for each role.", brings=text)


def _later(table: pd.DataFrame, verdict: str, say: Speaker) -> list[str]:
    """What the later orders leave, each after the cost of account management."""
    later = table[table.index.isin(["2", "3", "4", "5_and_later"])]
    lost = [say.label(number) for number in later.index[later["verdict"] == "loss"]]
    if lost:
        return [say("Sold at a loss later too: order {orders}.", orders=", ".join(lost))]
    earning = later[later["verdict"] == "earns"]
    if verdict != "loss" or earning.empty:
        return []
    row = earning.iloc[0]
    return [say("Order {order} leaves {money} after the cost of account management.", order=say.label(row.name),
                money=say.money(row.net_per_order_amount))]


def paid_back(process: Process) -> list[Sentence]:
    """By which month of age a new client has earned back what it cost to win one."""
    say, table = Speaker(process), loyalty.payback(process)
    if table.empty or math.isnan(table["cac_amount"].iloc[0]):
        return []  # the sentence on the first sale has said why
    cac, last, count = table["cac_amount"].iloc[0], table.iloc[-1], int(table["customers_count"].iloc[0])
    numbers = {"cac_amount": cac, "customers_count": count}
    if table["few"].all():
        text = say.plural(count,
                          "In which month a client pays back cannot be told: it takes {few} new clients, and there is {count}.",
                          "In which month a client pays back cannot be told: it takes {few} new clients, and there are {count}.",
                          few=say.count(FEW), count=say.count(count))
        return [Sentence("payback", text, **numbers)]
    found = table[table["paid_back"]]
    if found.empty:
        return [Sentence("payback", _not_paid_back(table, say), **numbers, followed_months=int(last.age_months))]
    parts = [_paid_back(table, found.iloc[0], say)]
    if not last.paid_back:
        parts.append(say("Later refunds or losses undo that again."))
    return [Sentence("payback", " ".join(parts), **numbers, payback_months=int(found["age_months"].iloc[0]))]


def _not_paid_back(table: pd.DataFrame, say: Speaker) -> str:
    last, perhaps = table.iloc[-1], table.loc[table["perhaps_paid_back"], "age_months"]
    parts = [say("A new client has not paid back by month {month} after the first order: {margin} of margin ({interval}) against a "
                 "cost of {cost}.", month=say.count(last.age_months), **_against(last, say)) if last.age_months else
             say("A new client has not paid back with the first order: {margin} of margin ({interval}) against a cost of {cost}.",
                 **_against(last, say))]
    if len(perhaps):
        parts.append(say("By the upper limit it would be month {month}.", month=say.count(perhaps.iloc[0])))
    return " ".join(parts)


def _paid_back(table: pd.DataFrame, row: pd.Series, say: Speaker) -> str:
    """The month of payback with the months that its limits say, or why it cannot be told."""
    last, limited = table.iloc[-1], math.isfinite(row.margin_per_customer_low_amount)
    when = (say("in month {month} after the first order", month=say.count(row.age_months)) if row.age_months else
            say("with the first order"))
    values = {"when": when, "margin": say.money(row.margin_per_customer_amount), "cost": say.money(row.cac_amount)}
    if not limited:
        return say("A new client pays back {when}: {margin} of margin by then against a cost of {cost}; all brought the same, so "
                   "there is no interval.", **values)
    if not table["surely_paid_back"].any():
        return say("Whether a new client pays back cannot be told: on average {when}, with {margin} of margin by then against a "
                   "cost of {cost}, but the interval still begins below the cost in month {month} ({interval}).",
                   month=say.count(last.age_months), interval=_against(last, say)["interval"], **values)
    earliest, latest = (table.loc[table[f"{how}_paid_back"], "age_months"].iloc[0] for how in ("perhaps", "surely"))
    if earliest == latest == row.age_months:
        return say("A new client pays back {when}: {margin} of margin by then against a cost of {cost} (its 95 % limits agree).",
                   **values)
    return say("A new client pays back {when}: {margin} of margin by then against a cost of {cost} (by its 95 % limits month "
               "{earliest} to {latest}).", earliest=say.count(earliest), latest=say.count(latest), **values)


def _against(row: pd.Series, say: Speaker) -> dict[str, str]:
    """The margin of a client at one age with its interval, and the cost it has to earn back."""
    low, high = row.margin_per_customer_low_amount, row.margin_per_customer_high_amount
    interval = (say("no interval: all brought the same") if math.isnan(low) else
                say("95 % interval {range}", range=say.range(low, high, "amount")))
    return {"margin": say.money(row.margin_per_customer_amount), "interval": interval, "cost": say.money(row.cac_amount)}


def after_first(process: Process) -> list[Sentence]:
    """Whether most of the margin is earned after a client's first order."""
    say, found = Speaker(process), loyalty.margin_after_first(process)
    if not found.customers_count:
        return []
    if math.isnan(found.after_first_share):
        text = say("Which part of the margin is earned after the first order cannot be told: all orders together bring {money}, "
                   "which is no gain.", money=say.money(found.margin_amount))
        return [Sentence("after_first", text, margin_amount=found.margin_amount)]
    parts, new = [_earned_later(found, say)], found.new_after_first_share
    numbers = {"after_first_share": found.after_first_share, "customers_count": found.customers_count, "verdict": found.verdict}
    if not math.isnan(new) and found.new_customers_count < found.customers_count:
        parts.append(say("Of clients won since the records began alone it is {share} so far; clients from before have their first "
                         "order behind them.", share=say.share(new)))
        numbers["new_after_first_share"] = new
    return [Sentence("after_first", " ".join(parts), **numbers)]


def _earned_later(found: MarginAfterFirst, say: Speaker) -> str:
    clients = say.plural(found.customers_count, "{count} client", "{count} clients", count=say.count(found.customers_count))
    values = {"claim": say(CLAIMS[found.verdict]), "share": say.share(found.after_first_share), "clients": clients,
              "limits": say.limits(found.after_first_low_share, found.after_first_high_share)}
    if found.after_first_share > 1:
        return say("{claim}: {share} of the margin of named clients comes from orders after their first one ({clients}{limits}); "
                   "above 100 %, since first orders bring less than nothing.", **values)
    return say("{claim}: {share} of the margin of named clients comes from orders after their first one ({clients}{limits}).",
               **values)
