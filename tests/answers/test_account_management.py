"""The answer of exercise 3: numbers counted by hand, the stories of the demonstration company, and what is missing."""

from __future__ import annotations

import pytest

from funnel_lib import Process, answers
from tests.test_loyalty import SETTINGS, TABLES, small


def said(process: Process) -> dict:
    """Key → sentence."""
    return {sentence.key: sentence for sentence in answers.account_management(process)}


def test_sentences_carry_the_numbers_counted_by_hand():
    sentences = said(small())
    assert next(iter(sentences)) == "repeat_share"
    assert sentences["repeat_share"].numbers["part_count"] == 6 and sentences["repeat_share"].numbers["whole_count"] == 9
    assert sentences["retention"].numbers == pytest.approx({"retained_share_1": 1 / 3, "retained_share_3": 1 / 2})
    assert sentences["referral_share"].numbers["unknown_count"] == 1
    assert sentences["lateness"].numbers["late_count"] == 3 and sentences["lateness"].numbers["amount"] == 170


def test_about_half_is_said_only_where_it_is_sure():
    """6 of 9 orders of three customers tell nothing of a half; one order tells nothing at all; one names no customer."""
    sentence = said(small())["repeat_share"]
    assert sentence.startswith("Repeat sales: 66.7") and "1 order names no customer" in sentence
    one = said(small(orders=TABLES["orders"].query("order_id == 'c1'")))["repeat_share"]
    assert "cannot be told" in one and "share" not in one.numbers


def test_the_recommended_quarter_of_custom_is_said(demo):
    numbers = said(demo.process("custom"))["referral_share"].numbers
    assert numbers["share"] == pytest.approx(0.25, abs=0.02) and numbers["low_share"] < 0.25 < numbers["high_share"]


def test_unknown_origins_are_not_taken_for_no_recommendations():
    sentences = said(small(leads=None))
    assert "cannot be told" in sentences["referral_share"] and "share" not in sentences["referral_share"].numbers
    assert sentences["perhaps_older"].numbers["perhaps_older_count"] == 2


@pytest.mark.parametrize("tables", [
    {"leads": TABLES["leads"]}, {"orders": TABLES["orders"].head(0)}, {"orders": TABLES["orders"].query("order_id == 'c1'")},
    {"orders": TABLES["orders"].query("amount <= 0")}, {"orders": TABLES["orders"].query("order_id == 'n1'")}])
def test_whatever_is_missing_is_said_and_nothing_undefined_is(tables):
    sentences = answers.account_management(Process.from_tables("p", **tables, **SETTINGS))
    assert sentences and all(sentence.endswith(".") for sentence in sentences)
    assert not any(word in " ".join(sentences).lower() for word in ("nan", " inf", "none ", "n/a"))
