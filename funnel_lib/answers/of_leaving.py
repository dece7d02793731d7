"""Who is about to leave and on whom the company hangs, in sentences: silences, groups of clients, the largest ones."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import loyalty
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.rates import FEW, is_few

# From this share of the last year's money on one client is a risk of its own.
DEPENDENCE = 0.1


def came_back(process: Process) -> list[Sentence]:
    """How many silences beyond the lapse limit ended within a year."""
    say, found = Speaker(process), loyalty.came_back_after_silence(process)
    if not found.silences_count:
        return [Sentence("came_back", say("How many late clients come back after all cannot be told: no silence passed its limit a "
                                          "year ago or earlier."), silences_count=0)]
    text = say.plural(found.silences_count,
                      "Of {count} silence that passed the limit of its client at least a year ago {came} ended with an order "
                      "within a year ({share}{limits})",
                      "Of {count} silences that passed the limit of their client at least a year ago {came} ended with an order "
                      "within a year ({share}{limits})",
                      count=say.count(found.silences_count), came=say.count(found.came_back_count),
                      share=say.share(found.came_back_share),
                      limits=say.limits(found.came_back_low_share, found.came_back_high_share))
    text = (say("{ended}; under {few} such silences that is a rough figure.", ended=text, few=say.count(FEW))
            if is_few(found.silences_count) else f"{text}.")
    return [Sentence("came_back", text, silences_count=found.silences_count, came_back_count=found.came_back_count,
                     came_back_share=found.came_back_share)]


def groups(process: Process) -> list[Sentence]:
    """What the best clients bring, how many leave, and how many bought only once."""
    say, table = Speaker(process), loyalty.rfm_groups(process).set_index("client_group")
    total, counts = int(table["customers_count"].sum()), table["customers_count"]
    if not total:
        return []
    if counts["client_new"] == total:
        text = say.plural(total, "No client can be told from another yet: {count} client with orders on a single day and not late.",
                          "No client can be told from another yet: {count} clients with orders on a single day and not late.",
                          count=say.count(total))
        return [Sentence("client_groups", text, customers_count=total)]
    text = say.plural(total, "Of {count} client {groups}.", "Of {count} clients {groups}.", count=say.count(total),
                      groups="; ".join(_groups(say, table)))
    return [Sentence("client_groups", text, customers_count=total,
                     **{f"{key.removeprefix('client_')}_count": int(count) for key, count in counts.items()})]


def _groups(say: Speaker, table: pd.DataFrame) -> list[str]:
    """What is said of each group of clients."""
    counts = table["customers_count"].astype(int)
    best, leaving, cooling, once = (counts[f"client_{name}"] for name in ("best", "leaving", "cooling", "once"))
    parts = []
    if best:
        parts.append(say.plural(best, "the best {count} brings {money}", "the best {count} bring {money}", count=say.count(best),
                                money=_of_money(say, table.loc["client_best"])))
    if leaving:
        parts.append(say.plural(leaving, "{count} who had come again is leaving ({money}): call that one first",
                                "{count} who had come again are leaving ({money}): call them first", count=say.count(leaving),
                                money=_of_money(say, table.loc["client_leaving"])))
    else:
        parts.append(say("nobody who had come again is leaving"))
    return [*parts, say.plural(cooling, "{count} more is cooling", "{count} more are cooling", count=say.count(cooling)),
            say("{count} bought once and stayed away", count=say.count(once))]


def _of_money(say: Speaker, row: pd.Series) -> str:
    """The yearly money of a group, as a share where all together is a gain."""
    if math.isnan(row.yearly_amount_share):
        return say("{money} a year", money=say.money(row.yearly_amount))
    return say("{money} a year, {share} of the money", money=say.money(row.yearly_amount), share=say.share(row.yearly_amount_share))


def largest(process: Process) -> list[Sentence]:
    """The share of the largest client and of the largest fifth."""
    say, table = Speaker(process), loyalty.concentration(process)
    whole, count = table.iloc[0], int(table["customers_count"].iloc[0])
    left_out = [say.plural(whole.refunded_count, "{count} client whose refunds are at least their purchases is left out.",
                           "{count} clients whose refunds are at least their purchases are left out.",
                           count=say.count(whole.refunded_count))] if whole.refunded_count else []
    if count < 2:
        text = (say("There is only one client: all the money hangs on it.") if count else
                say("No client has more purchases than refunds."))
        return [Sentence("largest_client", " ".join([text, *left_out]), customers_count=count)]
    client = loyalty.largest_clients(process).iloc[0]
    lately = len(table) > 1 and not math.isnan(client.last_year_share)
    numbers = {"last_year_share": client.last_year_share} if lately else {}
    first = Sentence("largest_client", " ".join([_largest(say, client, lately), *left_out]), customers_count=count,
                     largest_share=client.amount_share, refunded_count=int(whole.refunded_count), **numbers)
    if whole.few:
        return [first]
    return [first, Sentence("top_clients", _top(say, whole), top_20_share=whole.top_20_share, top_20_count=int(whole.top_20_count),
                            gini=whole.gini)]


def _largest(say: Speaker, client: pd.Series, lately: bool) -> str:
    """What hangs on the largest client; the last year of it only where more than that was observed."""
    values = {"share": say.share(client.amount_share)}
    hangs = {"money": say.money(client.last_year_amount)} if client.last_year_share >= DEPENDENCE else {}
    if not lately:
        return (say("The largest client brought {share} of the money of all named clients ({money}): so much hangs on one client.",
                    **values, **hangs) if hangs else
                say("The largest client brought {share} of the money of all named clients.", **values))
    values["lately"] = say.share(client.last_year_share)
    return (say("The largest client brought {share} of the money of all named clients, {lately} of that of the last 365 days "
                "({money}): so much hangs on one client.", **values, **hangs) if hangs else
            say("The largest client brought {share} of the money of all named clients, {lately} of that of the last 365 days.",
                **values))


def _top(say: Speaker, whole: pd.Series) -> str:
    values = {"top": say.count(whole.top_20_count), "all": say.count(whole.customers_count), "share": say.share(whole.top_20_share),
              "gini": say.number(whole.gini)}
    if math.isnan(whole.top_20_low_share):
        return say("The largest 20 % of the clients ({top} of {all}) bring {share} of the money, since all bring the same; the "
                   "Gini coefficient is {gini}.", **values)
    return say("The largest 20 % of the clients ({top} of {all}) bring {share} of the money{limits}; the Gini coefficient is "
               "{gini}.",
               limits=say.bracket(whole.top_20_low_share, whole.top_20_high_share), **values)
