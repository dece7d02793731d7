"""What is earned with clients, said: numbers counted by hand, the planted stories of the demonstration company, bad input."""

from __future__ import annotations

import re

import numpy as np
import pytest

from funnel_lib import Process
from funnel_lib.answers.of_earned import after_first, first_sale, paid_back
from funnel_lib.answers.of_leaving import groups, largest
from funnel_lib.answers.sentence import attempt
from tests.loyalty.bad_input import BAD, SETTINGS
from tests.loyalty.test_earned import company, group, small


def test_the_planted_stories_of_wholesale_are_told(demo):
    process = demo.process("wholesale")
    said = [*after_first(process), *first_sale(process), *paid_back(process)]
    assert [sentence.key for sentence in said] == ["after_first", "first_sale", "payback"]
    assert re.search("first (sale|order) .*loss|at a loss", said[1]) and said[1].numbers["verdict"] == "loss"
    assert "month 5" in said[2] and said[2].numbers["payback_months"] == 5
    assert said[0].startswith("Most of the margin is earned with clients one has") and "above 100" in said[0]


def test_the_first_sale_by_hand():
    """−20 and −10: −15 on average, and 50 for winning the client; two clients tell nothing for certain."""
    sentence = first_sale(small())[0]
    assert sentence.startswith("Whether the first order is sold at a loss cannot be told") and sentence.numbers["net_per_order_amount"] == -65
    alone = first_sale(small(spend=None))[0]
    assert "what it costs to win a client is not known" in alone and "cac_amount" not in alone.numbers
    at_once = first_sale(company(group(40, [-10, 5]), spend=(0, 0, 0)))[0]
    assert at_once.startswith("The first order is sold at a loss before any cost")


def test_later_losses_are_said():
    sentence = first_sale(company(group(40, [-10, -5, 8])))[0]
    assert "The first order is sold at a loss" in sentence and "Sold at a loss later too: order 2." in sentence
    assert "Order 2 leaves" in first_sale(company(group(40, [-10, 5])))[0]


def test_the_month_of_payback_and_its_doubt():
    """10 on the first day and 10 after 40 days; half the clients bring 2 and half 18 instead."""
    assert "with the first order" in paid_back(company(group(40, [10, 10])))[0]
    sure = paid_back(company(group(40, [10, 10]), spend=(700, 0, 0)))[0]
    assert "in month 2 " in sure and "all brought the same, so there is no interval" in sure
    near = [*group(20, [9, 10]), *group(20, [11, 10], name="d")]
    assert "limits agree" in paid_back(company(near, spend=(700, 0, 0)))[0]
    never = paid_back(company(group(40, [10, 10]), spend=(4_000, 0, 0)))[0]
    assert "has not paid back by month 3" in never and never.numbers["followed_months"] == 3
    rows = [*group(20, [2, 10, 10]), *group(20, [18, 10, 10], name="d")]
    assert "month 0 to 2" in paid_back(company(rows, spend=(450, 0, 0)))[0]
    open_case = paid_back(company(rows, spend=(1_150, 0, 0)))[0]
    assert open_case.startswith("Whether a new client pays back cannot be told: on average in month 3 after") and "in month 3 (95" in open_case
    # After 20 days a part is returned: what was paid back with the first order is not at the end.
    undone = [(f"c{n}", "2026-01-22", -50, -9) for n in range(40)]
    assert "undo that again" in paid_back(company([*group(40, [10]), *undone], spend=(200, 0, 0)))[0]


def test_one_giant_client_leaves_the_first_sale_and_the_payback_open():
    """40 first orders bring 30 and one 300,000,000: on average far above any cost, but that is one client."""
    process = Process.from_tables("p", **BAD["one giant client"], **SETTINGS)
    assert first_sale(process)[0].startswith("Whether the first order is sold at a loss cannot be told")
    assert paid_back(process)[0].startswith("Whether a new client pays back cannot be told: on average with the first order")


def test_few_new_clients_are_said():
    assert "it takes 30 new clients, and there are 2" in paid_back(small())[0]


@pytest.mark.parametrize(("margins", "said"), [
    ([10, 40], "Most of the margin is earned with clients one has"), ([40, 10], "not with clients one has"),
    ([10, 10], "About half"), ([-10, 5], "which is no gain")])
def test_the_claim_of_the_article_is_checked(margins, said):
    assert said in after_first(company(group(40, margins)))[0]


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_said_and_nothing_undefined_is(case):
    process = Process.from_tables("p", **{**SETTINGS, **BAD[case]})
    sentences = [sentence for topic in (after_first, first_sale, paid_back, groups, largest) for sentence in attempt(topic, process)]
    assert sentences and all(sentence.endswith(".") for sentence in sentences)
    assert not any(word in " ".join(sentences).lower() for word in ("nan", " inf", "none ", "n/a")), sentences
    assert not any(isinstance(value, float) and not np.isfinite(value) for sentence in sentences for value in sentence.numbers.values())
