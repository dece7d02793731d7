"""Whether the repeat share grew, whether recommended clients are better, who recommends, and what clients say of it."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import loyalty
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.loyalty.repeat import CANNOT_TELL, FELL, NO_ORDERS, PERHAPS_OLDER, ROSE, SHORT_HISTORY
from funnel_lib.rates import ratio

FEW = 30
# Whoever brought fewer does not stand out.
LEAST_STANDING_OUT = 3
# What is compared: the words for more and for less, the value, its part and its whole.
COMPARED = {
    "won": ("Recommended leads become clients", "more often", "less often", "won_share", "base_count"),
    "again": ("Recommended clients buy again within a year", "more often", "less often", "again_share", "year_customers_count"),
    "margin": ("Recommended clients bring", "more margin in their first year", "less margin in their first year",
               "customer_margin_amount", "year_customers_count")}


def repeat_over_time(process: Process) -> list[Sentence]:
    """Whether the repeat share of the orders grew from the year before to the last one."""
    say, result = Speaker(process), loyalty.repeat_change(process)
    if result.verdict == CANNOT_TELL and result.reason != PERHAPS_OLDER:
        why = {SHORT_HISTORY: "it takes two whole years of records", NO_ORDERS: "one of the last two years has no order"}
        return [Sentence("repeat_change", f"Whether the repeat share of the sales grows cannot be told yet: {why[result.reason]}.",
                         verdict=result.verdict, reason=result.reason)]
    shares = (f"{say.share(result.repeat_after_share)} of the last year's orders ({say.count(result.repeat_after_count)} of "
              f"{say.count(result.orders_after_count)}, 95 % interval "
              f"{say.range(result.repeat_after_low_share, result.repeat_after_high_share)}) against "
              f"{say.share(result.repeat_before_share)} in the year before ({say.count(result.repeat_before_count)} of "
              f"{say.count(result.orders_before_count)})")
    points = f"{_points(result.repeat_change_low_share, say)} to {_points(result.repeat_change_high_share, say)} points"
    if result.verdict in (ROSE, FELL):
        word = "grew" if result.verdict == ROSE else "fell"
        text = f"The repeat share of the sales {word}: {shares}, a change of {points} (95 % interval).{_by_first_orders(result)}"
    elif result.reason:
        text = (f"Whether the repeat share of the sales grew cannot be told: {shares}, but {say.count(result.perhaps_older_count)} "
                "first orders of the year before may be repeat ones of clients from before the records.")
    else:
        text = f"The repeat share of the sales did not clearly move: {shares}; the change may be anything from {points}."
    return [Sentence("repeat_change", text, verdict=result.verdict, before_share=result.repeat_before_share,
                     after_share=result.repeat_after_share, change_share=result.repeat_change_share,
                     low_share=result.repeat_change_low_share, high_share=result.repeat_change_high_share)]


def _by_first_orders(result: loyalty.RepeatChange) -> str:
    """Said where only the first orders changed: a share grows too where new clients stop coming."""
    if result.verdict == ROSE and result.repeat_after_count <= result.repeat_before_count:
        return " The number of repeat orders did not grow: the share rose because fewer first orders came."
    if result.verdict == FELL and result.repeat_after_count >= result.repeat_before_count:
        return " The number of repeat orders did not fall: the share fell because more first orders came."
    return ""


def _points(share: float, say: Speaker) -> str:
    points = round(share * 100, 1)
    return f"+{say.count(points)}" if points > 0 else say.count(points)


def recommended_compared(process: Process) -> list[Sentence]:
    """Whether recommended leads and clients are better than the others, each comparison in one sentence."""
    say, table = Speaker(process), loyalty.referred_comparison(process).set_index("origin")
    here, there = table.loc["referred"], table.loc["other"]
    if not here.customers_count and not (here.leads_count > 0):
        return []
    sentences = [_compared(name, here, there, say) for name in COMPARED if here[f"{name}_verdict"] != "not_compared"]
    if any(here[f"{name}_verdict"] in ("above", "below") for name in COMPARED):
        sentences.append(Sentence("referred_doubt", (
            "That recommended clients differ does not prove that the recommendation did it: they may be another kind of client, "
            "and who sent a lead may be noted down only once it buys.")))
    return sentences


def _compared(name: str, here: pd.Series, there: pd.Series, say: Speaker) -> Sentence:
    subject, more, less, value, whole = COMPARED[name]
    verdict = here[f"{name}_verdict"]
    open_case = f"Whether {subject[:1].lower()}{subject[1:]} {more} than the others cannot be told"
    if verdict == "too_few":
        text = (f"{open_case} yet: it takes {FEW} of both who were followed long enough, and there are {say.count(here[whole])} "
                f"and {say.count(there[whole])}.")
        return Sentence(f"referred_{name}", text, verdict=verdict)
    figures = f"{_figure(value, here, say)} against {_figure(value, there, say)}"
    if verdict == "no_difference":
        text = f"{open_case}: {figures}; chance alone can make such a difference."
    else:
        text = f"{subject} {more if verdict == 'above' else less} than the others: {figures}."
    return Sentence(f"referred_{name}", text, verdict=verdict, referred=float(here[value]), other=float(there[value]))


def _figure(value: str, row: pd.Series, say: Speaker) -> str:
    """A share or an amount with its interval."""
    unit = value.rsplit("_", 1)[1]
    low, high = (row[value.replace(f"_{unit}", f"_{side}_{unit}")] for side in ("low", "high"))
    shown = say.money(row[value]) if unit == "amount" else say.share(row[value])
    return shown if math.isnan(low) else f"{shown} ({say.range(low, high, unit)})"


def recommenders(process: Process) -> list[Sentence]:
    """How many clients recommend, who stands out, how far chains go, and what the records do not tell of it."""
    say, summary = Speaker(process), loyalty.referral_summary(process)
    if not summary.named_count:
        text = "Who recommends cannot be told: no new client's recommender is named. Ask every new client, and note the name down."
        return [Sentence("recommenders", text, unnamed_count=summary.unnamed_count)]
    text = (f"Clients who have brought a new one by recommendation: {say.count(summary.recommending_count)} of "
            f"{say.count(summary.customers_count)} ({say.share(summary.recommending_share)}, 95 % interval "
            f"{say.range(summary.recommending_low_share, summary.recommending_high_share)})")
    nothing = ("nobody they brought has recommended in turn" if summary.recommending_count else
               "those who recommend have no order here")
    text += (f"; the longest chain is {say.count(summary.chain_depth)} recommendations long." if summary.chain_depth > 1
             else f"; {nothing}.")
    sentences = [Sentence("recommenders", text, recommending_count=summary.recommending_count, share=summary.recommending_share,
                          customers_count=summary.customers_count, chain_depth=summary.chain_depth)]
    return [*sentences, _biggest(process, say, summary), *_untold(say, summary)]


def _biggest(process: Process, say: Speaker, summary: loyalty.ReferralSummary) -> Sentence:
    chains = loyalty.referral_chains(process)
    counts = chains["referred_count"].tolist()
    most, following = counts[0], counts[1] if len(counts) > 1 else 0
    if most < LEAST_STANDING_OUT or most == following:
        text = f"No recommender stands out: the most that one of them brought is {say.count(most)}."
    else:
        rest = f"; the next one brought {say.count(following)}" if following else "; nobody else brought any"
        who, name = (("One client", "client") if chains["is_customer"].iloc[0] else
                     ("One recommender who has no order in this process", "recommender"))
        text = (f"{who} alone brought {say.count(most)} new clients by recommendation, of {say.count(summary.named_count)} "
                f"whose recommender is named{rest}. The list of recommenders begins with that {name}: thank them, and ask the "
                "others.")
    return Sentence("biggest_recommender", text, most_referred_count=most, next_count=following, named_count=summary.named_count)


def _untold(say: Speaker, summary: loyalty.ReferralSummary) -> list[Sentence]:
    """What of the recommendations is not known, or cannot be."""
    parts = []
    if summary.unnamed_count:
        parts.append(f"recommended clients who do not say by whom: {say.count(summary.unnamed_count)}")
    if summary.outside_count:
        parts.append(f"named recommenders without an order in this process: {say.count(summary.outside_count)}")
    if summary.self_named_count:
        parts.append(f"new clients who name themselves, which is not counted: {say.count(summary.self_named_count)}")
    if summary.circles_count:
        parts.append("circles of clients who recommend each other, counted from whoever bought first: "
                     f"{say.count(summary.circles_count)}")
    if not parts:
        return []
    text = "; ".join(parts)
    return [Sentence("recommenders_untold", f"{text[:1].upper()}{text[1:]}.", unnamed_count=summary.unnamed_count,
                     outside_count=summary.outside_count, self_named_count=summary.self_named_count,
                     circles_count=summary.circles_count)]


def loyalty_said(process: Process) -> list[Sentence]:
    """The loyalty index with its interval, and whether promoters really recommend."""
    say, index = Speaker(process), loyalty.loyalty_index(process)
    if index.customers_count < FEW:
        text = (f"The loyalty index cannot be told yet: it takes {FEW} clients who said whether they would recommend, and so far "
                f"there are {say.count(index.customers_count)}.")
        return [Sentence("loyalty_index", text, customers_count=index.customers_count)]
    happy, unhappy = (say.share(float(ratio(number, index.customers_count)))
                      for number in (index.promoters_count, index.detractors_count))
    low, high = (_points(limit, say) for limit in (index.nps_low_share, index.nps_high_share))
    text = (f"The loyalty index is {_points(index.nps_share, say)} (from −100 to +100; 95 % interval {low} to {high}): of "
            f"{say.count(index.customers_count)} clients who answered, {happy} would recommend (9 or 10) and {unhappy} would not "
            "(0 to 6). Clients who do not answer are not in it.")
    return [Sentence("loyalty_index", text, nps_share=index.nps_share, low_share=index.nps_low_share,
                     high_share=index.nps_high_share, customers_count=index.customers_count)]


def promoters_recommend(process: Process) -> list[Sentence]:
    """Whether promoters really recommend."""
    say, table = Speaker(process), loyalty.promoters_recommend(process)
    row, others = table.iloc[0], table.iloc[1:]
    if row.verdict == "too_few":
        text = f"Whether promoters really recommend cannot be told yet: it takes {FEW} of them and others beside them."
        return [Sentence("promoters_recommend", text, verdict=row.verdict)]
    brought, people = int(others["recommended_count"].sum()), int(others["customers_count"].sum())
    rest = float(ratio(brought, people))
    limits = say.range(row.recommended_low_share, row.recommended_high_share)
    figures = (f"{say.share(row.recommended_share)} of them brought a new client ({say.count(row.recommended_count)} of "
               f"{say.count(row.customers_count)}, 95 % interval {limits}), of the others {say.share(rest)} "
               f"({say.count(brought)} of {say.count(people)})")
    head = {"above": "Promoters really recommend", "below": "Promoters recommend less than the others"}.get(
        row.verdict, "Whether promoters really recommend more than the others cannot be told")
    text = f"{head}: {figures}{'; chance alone can make such a difference' if row.verdict == 'no_difference' else ''}."
    return [Sentence("promoters_recommend", text, verdict=row.verdict, share=row.recommended_share, others_share=rest)]
