"""Recommendations and loyalty, said: numbers counted by hand, the planted recommender, what cannot be told, bad input."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from funnel_lib import Process
from funnel_lib.answers.of_recommended import (
    loyalty_said,
    promoters_recommend,
    recommended_compared,
    recommenders,
    repeat_over_time,
)
from funnel_lib.answers.sentence import attempt
from tests.loyalty.test_chains import BOUGHT, BROUGHT_BY, small, tables
from tests.loyalty.test_referred import SETTINGS, shop
from tests.loyalty.test_repeat import ORDERS, regulars
from tests.loyalty.test_repeat import shop as repeating
from tests.loyalty.test_survey import SURVEY, asked, crowd

TOPICS = (repeat_over_time, recommended_compared, recommenders, loyalty_said, promoters_recommend)


def said(sentences: list) -> dict:
    """Key → sentence with plain spaces."""
    return {sentence.key: sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in sentences}


def test_a_rise_is_said_with_both_years_and_a_small_one_is_not():
    """Before 50 repeat of 250, after 120 of 320."""
    rise = said(repeat_over_time(repeating(regulars(50, 120), observed_from="2019-01-01")))["repeat_change"]
    assert rise.startswith("The repeat share of the sales grew: 37.5 % of the last year's orders (120 of 320") and "20.0 %" in rise
    assert "fell" in said(repeat_over_time(repeating(regulars(120, 50), observed_from="2019-01-01")))["repeat_change"]
    assert "number of repeat orders" not in rise
    rows = regulars(100, 100)  # of the 200 clients who began in the last year only 60 remain
    fewer = said(repeat_over_time(repeating(rows.drop(rows.index[rows["ordered_at"] == "2025-07-01"][60:]), observed_from="2019-01-01")))
    assert "sales grew" in fewer["repeat_change"] and fewer["repeat_change"].endswith(
        "The number of repeat orders did not grow: the share rose because fewer first orders came.")
    same = said(repeat_over_time(repeating(regulars(100, 104), observed_from="2019-01-01")))["repeat_change"]
    assert "did not clearly move" in same and "anything from −" in same


def test_why_growth_cannot_be_told():
    assert "two whole years of records" in repeat_over_time(repeating(observed_from="2025-01-01"))[0]
    assert "has no order" in repeat_over_time(repeating(ORDERS.query("ordered_at > '2025'"), observed_from="2020-01-01"))[0]
    older = repeat_over_time(repeating(regulars(50, 120)))[0]
    assert "cannot be told" in older and "first orders of the year before may be repeat ones" in older


def test_better_is_said_only_beyond_chance():
    clear = said(recommended_compared(Process.from_tables("p", **shop((40, 30, 15), (100, 40, 10)), **SETTINGS)))
    assert clear["referred_won"].startswith("Recommended leads become clients more often than the others: 75.0 %")
    assert clear["referred_again"].startswith("Recommended clients buy again within a year more often than the others: 50.0 %")
    assert "does not prove" in clear["referred_doubt"]
    less = said(recommended_compared(Process.from_tables("p", **shop((100, 40, 10), (40, 30, 15)), **SETTINGS)))
    assert "less often than the others" in less["referred_won"] and "less margin" in less["referred_margin"]
    equal = said(recommended_compared(Process.from_tables("p", **shop((60, 40, 20), (60, 40, 20)), **SETTINGS)))
    assert len(equal) == 3 and all("cannot be told" in text and "chance alone" in text for text in equal.values())
    few = said(recommended_compared(Process.from_tables("p", **shop((20, 15, 10), (200, 20, 5)), **SETTINGS)))
    assert "it takes 30 of both who were followed long enough, and there are 20 and 200" in few["referred_won"]


def test_recommenders_by_hand():
    """a, b and f of eight clients; a brought two; x is not from here, e names himself."""
    sentences = said(recommenders(small()))
    assert sentences["recommenders"].startswith("Clients who have brought a new one by recommendation: 3 of 8 (37.5 %")
    assert "the longest chain is 2 recommendations long" in sentences["recommenders"]
    assert sentences["biggest_recommender"] == "No recommender stands out: the most that one of them brought is 2."
    assert sentences["recommenders_untold"] == (
        "Named recommenders without an order in this process: 1; new clients who name themselves, which is not counted: 1.")


def test_a_recommender_from_outside_is_no_client():
    """x, who has no order here, brought five of the eight."""
    by_x = small(**tables(BOUGHT, dict.fromkeys("bcdfg", "x")))
    sentences = said(recommenders(by_x))
    assert sentences["biggest_recommender"].startswith("One recommender who has no order in this process alone brought 5 new clients")
    assert "begins with that recommender" in sentences["biggest_recommender"]
    assert "0 of 8" in sentences["recommenders"] and "those who recommend have no order here" in sentences["recommenders"]


def test_nobody_named_and_a_circle_are_said():
    assert "cannot be told: no new client's recommender is named" in recommenders(small(**tables(BOUGHT, {})))[0]
    circle = said(recommenders(small(**tables(BOUGHT, BROUGHT_BY | {"a": "b"}))))
    assert "circles of clients who recommend each other, counted from whoever bought first: 1" in circle["recommenders_untold"]


def test_the_recommender_with_fourteen_is_said_and_nobody_in_the_others(demo):
    text = said(recommenders(demo.process("custom")))["biggest_recommender"]
    assert re.search(r"\b14\b.*recommend|recommend.*\b14\b", text) and "the next one brought 3" in text
    for name in ("retail", "wholesale"):
        assert "No recommender stands out" in said(recommenders(demo.process(name)))["biggest_recommender"]


def test_the_index_is_said_from_thirty_answers_on():
    assert "it takes 30 clients who said whether they would recommend, and so far there are 4" in loyalty_said(asked())[0]
    text = said(loyalty_said(crowd(20, 4)))["loyalty_index"]
    assert text.startswith("The loyalty index is +50 (from −100 to +100") and "of 80 clients who answered, 50.0 % would recommend" in text


def test_promoters_are_said_to_recommend_only_beyond_chance():
    assert promoters_recommend(crowd(20, 4))[0].startswith("Promoters really recommend: 50.0")
    open_case = promoters_recommend(crowd(12, 10))[0]
    assert open_case.startswith("Whether promoters really recommend more than the others cannot be told") and "chance" in open_case
    assert promoters_recommend(crowd(3, 18))[0].startswith("Promoters recommend less than the others")
    assert "it takes 30 of them" in promoters_recommend(asked())[0]


@pytest.mark.parametrize("changes", [
    {}, {"orders": None}, {"leads": None}, {"survey": None}, {"orders": tables(BOUGHT, {})["orders"].head(0)},
    {"survey": SURVEY.head(0)}, {"survey": SURVEY.assign(score=10)}, {"orders": tables(BOUGHT, {})["orders"].assign(amount=0)},
    {"orders": tables(BOUGHT, {})["orders"].assign(customer_id=None)}, {"orders": tables(BOUGHT, {})["orders"].assign(ordered_at="2026-03-01")},
    {"as_of": "2026-02-01", "observed_from": "2026-01-01"}, {"leads": tables(BOUGHT, BOUGHT.fromkeys(BOUGHT, "g"))["leads"]},
    {"orders": pd.concat([tables(BOUGHT, {})["orders"], pd.DataFrame([("r", "a", "2026-03-01", -10_000)], columns=[
        "order_id", "customer_id", "ordered_at", "amount"])])}])
def test_whatever_is_missing_is_said_and_nothing_undefined_is(changes):
    """No orders, leads or survey; nothing in them; zero amounts; nobody named; one moment; a month; all by one; refunds above all."""
    process = asked(**changes) if "survey" in changes else asked(SURVEY, **changes)
    sentences = [sentence for topic in TOPICS for sentence in attempt(topic, process)]
    assert sentences and all(sentence.endswith(".") for sentence in sentences)
    assert not re.search(r"\b(nan|inf|none|n/a)\b", " ".join(sentences).lower())
    assert all(value == value for sentence in sentences for value in sentence.numbers.values())
