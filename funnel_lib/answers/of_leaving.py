"""Who is about to leave and on whom the company hangs, in sentences: silences, groups of clients, the largest ones."""

from __future__ import annotations

import math

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
        return [Sentence("came_back", "How many late clients come back after all cannot be told: no silence passed its limit a "
                                      "year ago or earlier.", silences_count=0)]
    text = (f"Of {_number(say, found.silences_count, 'silence')} that passed the limit of their client at least a year ago "
            f"{say.count(found.came_back_count)} ended with an order within a year ({say.share(found.came_back_share)}"
            f"{_limits(say, found.came_back_low_share, found.came_back_high_share)})")
    text += f"; under {FEW} such silences that is a rough figure." if is_few(found.silences_count) else "."
    return [Sentence("came_back", text, silences_count=found.silences_count, came_back_count=found.came_back_count,
                     came_back_share=found.came_back_share)]


def groups(process: Process) -> list[Sentence]:
    """What the best clients bring, how many leave, and how many bought only once."""
    say, table = Speaker(process), loyalty.rfm_groups(process).set_index("client_group")
    total, counts = int(table["customers_count"].sum()), table["customers_count"]
    if not total:
        return []
    if counts["client_new"] == total:
        text = f"No client can be told from another yet: {_number(say, total, 'client')} with orders on a single day and not late."
        return [Sentence("client_groups", text, customers_count=total)]
    parts = []
    if counts["client_best"]:
        bring = "brings" if counts["client_best"] == 1 else "bring"
        parts.append(f"the best {say.count(counts['client_best'])} {bring} {_of_money(say, table.loc['client_best'])}")
    leaves = counts["client_leaving"]
    parts.append(f"{say.count(leaves)} who had come again {'is' if leaves == 1 else 'are'} leaving ("
                 f"{_of_money(say, table.loc['client_leaving'])}): call {'that one' if leaves == 1 else 'them'} first"
                 if leaves else "nobody who had come again is leaving")
    parts += [f"{say.count(counts['client_cooling'])} more {'is' if counts['client_cooling'] == 1 else 'are'} cooling",
              f"{say.count(counts['client_once'])} bought once and stayed away"]
    text = f"Of {_number(say, total, 'client')} {'; '.join(parts)}."
    return [Sentence("client_groups", text, customers_count=total,
                     **{f"{key.removeprefix('client_')}_count": int(count) for key, count in counts.items()})]


def _of_money(say: Speaker, row: object) -> str:
    """The yearly money of a group, as a share where all together is a gain."""
    money = f"{say.money(row.yearly_amount)} a year"
    return money if math.isnan(row.yearly_amount_share) else f"{money}, {say.share(row.yearly_amount_share)} of the money"


def largest(process: Process) -> list[Sentence]:
    """The share of the largest client and of the largest fifth."""
    say, table = Speaker(process), loyalty.concentration(process)
    whole, count = table.iloc[0], int(table["customers_count"].iloc[0])
    left_out = (f" {_number(say, whole.refunded_count, 'client')} whose refunds are at least their purchases "
                f"{'is' if whole.refunded_count == 1 else 'are'} left out." if whole.refunded_count else "")
    if count < 2:
        text = "There is only one client: all the money hangs on it" if count else "No client has more purchases than refunds"
        return [Sentence("largest_client", f"{text}.{left_out}", customers_count=count)]
    client = loyalty.largest_clients(process).iloc[0]
    text, numbers = f"The largest client brought {say.share(client.amount_share)} of the money of all named clients", {}
    lately = client.last_year_share
    if len(table) > 1 and not math.isnan(lately):
        text += f", {say.share(lately)} of that of the last 365 days"
        numbers["last_year_share"] = lately
    text += f" ({say.money(client.last_year_amount)}): so much hangs on one client." if lately >= DEPENDENCE else "."
    first = Sentence("largest_client", text + left_out, customers_count=count, largest_share=client.amount_share,
                     refunded_count=int(whole.refunded_count), **numbers)
    if whole.few:
        return [first]
    text = (f"The largest 20 % of the clients ({say.count(whole.top_20_count)} of {say.count(count)}) bring "
            f"{say.share(whole.top_20_share)} of the money{_top_limits(say, whole)}; the Gini coefficient is "
            f"{say.number(whole.gini)}.")
    return [first, Sentence("top_clients", text, top_20_share=whole.top_20_share, top_20_count=int(whole.top_20_count),
                            gini=whole.gini)]


def _top_limits(say: Speaker, whole: object) -> str:
    low, high = whole.top_20_low_share, whole.top_20_high_share
    return ", since all bring the same" if math.isnan(low) else f" (95 % interval {say.range(low, high)})"


def _number(say: Speaker, count: float, noun: str) -> str:
    return f"{say.count(count)} {noun}{'' if count == 1 else 's'}"


def _limits(say: Speaker, low: float, high: float) -> str:
    """The interval, or nothing where one client alone leaves none."""
    return "" if math.isnan(low) else f", 95 % interval {say.range(low, high)}"
