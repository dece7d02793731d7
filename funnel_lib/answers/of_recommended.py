"""Whether the repeat share grew, whether recommended clients are better, who recommends, and what clients say of it."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import loyalty
from funnel_lib.answers.sentence import Sentence, Speaker, clauses
from funnel_lib.company import Process
from funnel_lib.language.messages import marked
from funnel_lib.loyalty.repeat import CANNOT_TELL, FELL, NO_ORDERS, PERHAPS_OLDER, ROSE, SHORT_HISTORY
from funnel_lib.rates import ratio

FEW = 30
# Whoever brought fewer does not stand out.
LEAST_STANDING_OUT = 3
# What is compared: the value and its whole.
COMPARED = {"won": ("won_share", "base_count"), "again": ("again_share", "year_customers_count"),
            "margin": ("customer_margin_amount", "year_customers_count")}
# What is said of each comparison, by its verdict.
SAID = {
    ("won", "above"): marked("Recommended leads become clients more often than the others: {here} against {there}."),
    ("won", "below"): marked("Recommended leads become clients less often than the others: {here} against {there}."),
    ("won", "no_difference"): marked("Whether recommended leads become clients more often than the others cannot be told: {here} "
                                     "against {there}; chance alone can make such a difference."),
    ("won", "too_few"): marked("Whether recommended leads become clients more often than the others cannot be told yet: it takes "
                               "{few} of both who were followed long enough, and there are {here} and {there}."),
    ("again", "above"): marked("Recommended clients buy again within a year more often than the others: {here} against {there}."),
    ("again", "below"): marked("Recommended clients buy again within a year less often than the others: {here} against {there}."),
    ("again", "no_difference"): marked("Whether recommended clients buy again within a year more often than the others cannot be "
                                       "told: {here} against {there}; chance alone can make such a difference."),
    ("again", "too_few"): marked("Whether recommended clients buy again within a year more often than the others cannot be told "
                                 "yet: it takes {few} of both who were followed long enough, and there are {here} and {there}."),
    ("margin", "above"): marked("Recommended clients bring more margin in their first year than the others: {here} against "
                                "{there}."),
    ("margin", "below"): marked("Recommended clients bring less margin in their first year than the others: {here} against "
                                "{there}."),
    ("margin", "no_difference"): marked("Whether recommended clients bring more margin in their first year than the others cannot "
                                        "be told: {here} against {there}; chance alone can make such a difference."),
    ("margin", "too_few"): marked("Whether recommended clients bring more margin in their first year than the others cannot be "
                                  "told yet: it takes {few} of both who were followed long enough, and there are {here} and "
                                  "{there}.")}
PROMOTERS = {
    "above": marked("Promoters really recommend: {figures}."),
    "below": marked("Promoters recommend less than the others: {figures}."),
    "no_difference": marked("Whether promoters really recommend more than the others cannot be told: {figures}; chance alone can "
                            "make such a difference.")}
NOT_TOLD = {
    SHORT_HISTORY: marked("Whether the repeat share of the sales grows cannot be told yet: it takes two whole years of records."),
    NO_ORDERS: marked("Whether the repeat share of the sales grows cannot be told yet: one of the last two years has no order.")}


def repeat_over_time(process: Process) -> list[Sentence]:
    """Whether the repeat share of the orders grew from the year before to the last one."""
    say, result = Speaker(process), loyalty.repeat_change(process)
    if result.verdict == CANNOT_TELL and result.reason != PERHAPS_OLDER:
        return [Sentence("repeat_change", say(NOT_TOLD[result.reason]), verdict=result.verdict, reason=result.reason)]
    text = " ".join([_changed(result, say), *_by_first_orders(result, say)])
    return [Sentence("repeat_change", text, verdict=result.verdict, before_share=result.repeat_before_share,
                     after_share=result.repeat_after_share, change_share=result.repeat_change_share,
                     low_share=result.repeat_change_low_share, high_share=result.repeat_change_high_share)]


def _changed(result: loyalty.RepeatChange, say: Speaker) -> str:
    """Both years' shares, and how sure their difference is."""
    shares = say("{after} of the last year's orders ({repeat} of {all}, 95 % interval {range}) against {before} in the year before "
                 "({repeat_before} of {all_before})", after=say.share(result.repeat_after_share),
                 repeat=say.count(result.repeat_after_count), all=say.count(result.orders_after_count),
                 range=say.range(result.repeat_after_low_share, result.repeat_after_high_share),
                 before=say.share(result.repeat_before_share), repeat_before=say.count(result.repeat_before_count),
                 all_before=say.count(result.orders_before_count))
    if result.reason:
        return say.plural(result.perhaps_older_count,
                          "Whether the repeat share of the sales grew cannot be told: {shares}, but {count} first order of the "
                          "year before may be a repeat one of a client from before the records.",
                          "Whether the repeat share of the sales grew cannot be told: {shares}, but {count} first orders of the "
                          "year before may be repeat ones of clients from before the records.",
                          shares=shares, count=say.count(result.perhaps_older_count))
    low, high = (_points(limit, say) for limit in (result.repeat_change_low_share, result.repeat_change_high_share))
    values = {"shares": shares, "low": low, "high": high}
    if result.verdict == ROSE:
        return say("The repeat share of the sales grew: {shares}, a change of {low} to {high} points (95 % interval).", **values)
    if result.verdict == FELL:
        return say("The repeat share of the sales fell: {shares}, a change of {low} to {high} points (95 % interval).", **values)
    return say("The repeat share of the sales did not clearly move: {shares}; the change may be anything from {low} to {high} "
               "points.", **values)


def _by_first_orders(result: loyalty.RepeatChange, say: Speaker) -> list[str]:
    """Said where only the first orders changed: a share grows too where new clients stop coming."""
    if result.verdict == ROSE and result.repeat_after_count <= result.repeat_before_count:
        return [say("The number of repeat orders did not grow: the share rose because fewer first orders came.")]
    if result.verdict == FELL and result.repeat_after_count >= result.repeat_before_count:
        return [say("The number of repeat orders did not fall: the share fell because more first orders came.")]
    return []


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
        sentences.append(Sentence("referred_doubt", say(
            "That recommended clients differ does not prove that the recommendation did it: they may be another kind of client, "
            "and who sent a lead may be noted down only once it buys.")))
    return sentences


def _compared(name: str, here: pd.Series, there: pd.Series, say: Speaker) -> Sentence:
    value, whole = COMPARED[name]
    verdict = here[f"{name}_verdict"]
    if verdict == "too_few":
        text = say(SAID[name, verdict], few=say.count(FEW), here=say.count(here[whole]), there=say.count(there[whole]))
        return Sentence(f"referred_{name}", text, verdict=verdict)
    text = say(SAID[name, verdict], here=_figure(value, here, say), there=_figure(value, there, say))
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
        text = say("Who recommends cannot be told: no new client's recommender is named. Ask every new client, and note the name "
                   "down.")
        return [Sentence("recommenders", text, unnamed_count=summary.unnamed_count)]
    text = say("Clients who have brought a new one by recommendation: {count} of {all} ({share}, 95 % interval {range}); {chain}.",
               count=say.count(summary.recommending_count), all=say.count(summary.customers_count),
               share=say.share(summary.recommending_share), chain=_chain(say, summary),
               range=say.range(summary.recommending_low_share, summary.recommending_high_share))
    sentences = [Sentence("recommenders", text, recommending_count=summary.recommending_count, share=summary.recommending_share,
                          customers_count=summary.customers_count, chain_depth=summary.chain_depth)]
    return [*sentences, _biggest(process, say, summary), *_untold(say, summary)]


def _chain(say: Speaker, summary: loyalty.ReferralSummary) -> str:
    if summary.chain_depth > 1:
        return say("the longest chain is {count} recommendations long", count=say.count(summary.chain_depth))
    return (say("nobody they brought has recommended in turn") if summary.recommending_count else
            say("those who recommend have no order here"))


def _biggest(process: Process, say: Speaker, summary: loyalty.ReferralSummary) -> Sentence:
    chains = loyalty.referral_chains(process)
    counts = chains["referred_count"].tolist()
    most, following = counts[0], counts[1] if len(counts) > 1 else 0
    if most < LEAST_STANDING_OUT or most == following:
        text = say("No recommender stands out: the most that one of them brought is {count}.", count=say.count(most))
    else:
        text = _outstanding(say, most, following, summary.named_count, chains["is_customer"].iloc[0])
    return Sentence("biggest_recommender", text, most_referred_count=most, next_count=following, named_count=summary.named_count)


def _outstanding(say: Speaker, most: int, following: int, named: int, is_client: bool) -> str:
    rest = say("the next one brought {count}", count=say.count(following)) if following else say("nobody else brought any")
    values = {"count": say.count(most), "named": say.count(named), "rest": rest}
    if is_client:
        return " ".join([
            say.plural(most, "One client alone brought {count} new client by recommendation, of {named} whose recommender is "
                             "named; {rest}.",
                       "One client alone brought {count} new clients by recommendation, of {named} whose recommender is named; "
                       "{rest}.",
                       **values),
            say("The list of recommenders begins with that client: thank them, and ask the others.")])
    return " ".join([
        say.plural(most, "One recommender who has no order in this process alone brought {count} new client by recommendation, of "
                         "{named} whose recommender is named; {rest}.",
                   "One recommender who has no order in this process alone brought {count} new clients by recommendation, of "
                   "{named} whose recommender is named; {rest}.", **values),
        say("The list of recommenders begins with that recommender: thank them, and ask the others.")])


def _untold(say: Speaker, summary: loyalty.ReferralSummary) -> list[Sentence]:
    """What of the recommendations is not known, or cannot be."""
    parts = []
    if summary.unnamed_count:
        parts.append(say("recommended clients who do not say by whom: {count}", count=say.count(summary.unnamed_count)))
    if summary.outside_count:
        parts.append(say("named recommenders without an order in this process: {count}", count=say.count(summary.outside_count)))
    if summary.self_named_count:
        parts.append(say("new clients who name themselves, which is not counted: {count}",
                         count=say.count(summary.self_named_count)))
    if summary.circles_count:
        parts.append(say("circles of clients who recommend each other, counted from whoever bought first: {count}",
                         count=say.count(summary.circles_count)))
    if not parts:
        return []
    return [Sentence("recommenders_untold", clauses(*parts), unnamed_count=summary.unnamed_count,
                     outside_count=summary.outside_count, self_named_count=summary.self_named_count,
                     circles_count=summary.circles_count)]


def loyalty_said(process: Process) -> list[Sentence]:
    """The loyalty index with its interval, and whether promoters really recommend."""
    say, index = Speaker(process), loyalty.loyalty_index(process)
    if index.customers_count < FEW:
        text = say.plural(index.customers_count,
                          "The loyalty index cannot be told yet: it takes {few} clients who said whether they would recommend, and "
                          "so far there is {count}.",
                          "The loyalty index cannot be told yet: it takes {few} clients who said whether they would recommend, and "
                          "so far there are {count}.",
                          few=say.count(FEW), count=say.count(index.customers_count))
        return [Sentence("loyalty_index", text, customers_count=index.customers_count)]
    happy, unhappy = (say.share(float(ratio(number, index.customers_count)))
                      for number in (index.promoters_count, index.detractors_count))
    text = say("The loyalty index is {index} (from −100 to +100; 95 % interval {low} to {high}): of {count} clients who answered, "
               "{happy} would recommend (9 or 10) and {unhappy} would not (0 to 6). Clients who do not answer are not in it.",
               index=_points(index.nps_share, say), low=_points(index.nps_low_share, say), high=_points(index.nps_high_share, say),
               count=say.count(index.customers_count), happy=happy, unhappy=unhappy)
    return [Sentence("loyalty_index", text, nps_share=index.nps_share, low_share=index.nps_low_share,
                     high_share=index.nps_high_share, customers_count=index.customers_count)]


def promoters_recommend(process: Process) -> list[Sentence]:
    """Whether promoters really recommend."""
    say, table = Speaker(process), loyalty.promoters_recommend(process)
    row, others = table.iloc[0], table.iloc[1:]
    if row.verdict == "too_few":
        text = say("Whether promoters really recommend cannot be told yet: it takes {few} of them and others beside them.",
                   few=say.count(FEW))
        return [Sentence("promoters_recommend", text, verdict=row.verdict)]
    brought, people = int(others["recommended_count"].sum()), int(others["customers_count"].sum())
    rest = float(ratio(brought, people))
    figures = say("{share} of them brought a new client ({count} of {all}, 95 % interval {range}), of the others {rest} ({brought} "
                  "of {people})", share=say.share(row.recommended_share), count=say.count(row.recommended_count),
                  all=say.count(row.customers_count), range=say.range(row.recommended_low_share, row.recommended_high_share),
                  rest=say.share(rest), brought=say.count(brought), people=say.count(people))
    text = say(PROMOTERS[row.verdict], figures=figures)
    return [Sentence("promoters_recommend", text, verdict=row.verdict, share=row.recommended_share, others_share=rest)]
