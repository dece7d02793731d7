"""The sentences on response time: numbers from small companies, the story of the week-ends, what cannot be told."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from funnel_lib import Process
from funnel_lib.answers.of_response import answered_in
from tests.test_response import STEPS, _two_owners, process_of


def said(process: Process) -> dict:
    """Key → sentence."""
    return {sentence.key: sentence for sentence in answered_in(process)}


@pytest.fixture(scope="module")
def two_owners() -> dict:
    return said(Process.from_tables("p", **_two_owners(), steps=STEPS, as_of="2026-06-01", observed_from="2025-01-01",
                                    conversion_window_days=30))


def test_retail_answers_slowly_at_weekends(demo):
    """Planted: leads of the week-end are answered on Monday or later, a working day's within hours."""
    sentence = said(demo.process("retail"))["days_off"]
    assert re.search("week-end|weekend", sentence) and sentence.numbers["slower"]
    assert sentence.numbers["day_off_hours"] > 2 * sentence.numbers["in_hours_hours"]


def test_numbers_of_two_owners(two_owners):
    """ann answers 60 leads after 1 to 60 minutes, bob 57 of 60 three hours later: half are answered after an hour, bar rounding."""
    assert two_owners["response_time"].numbers["leads_count"] == 120
    assert two_owners["response_time"].numbers["median_work_hours"] == pytest.approx(1)
    assert two_owners["unanswered"].numbers["unanswered_count"] == 2 and "2 of 120" in two_owners["unanswered"]


def test_owners_that_clearly_differ_are_named(two_owners):
    sentence = two_owners["owners_response"]
    assert sentence.numbers["differing_count"] == 2
    assert "sooner than the others: “ann” (30 minutes of working time, 60 leads)" in sentence and "later than the others: “bob”" in sentence


def test_equal_owners_are_not_ranked(demo):
    sentence = said(demo.process("retail"))["owners_response"]
    assert "cannot be told" in sentence and sentence.numbers["differing_count"] == 0 and "No reason to rank" in sentence


def test_bands_are_warned_of(two_owners):
    sentence = two_owners["response_bands"]
    assert "no proof of cause" in sentence and "cannot be told apart" in sentence and not sentence.numbers["told_apart"]


def test_slow_bands_that_sell_more_are_explained(demo):
    """12 % of the passed steps are not recorded: whose first contact is missing has gone on when first seen."""
    sentence = said(demo.process("wholesale"))["response_bands"]
    assert sentence.numbers["slow_share"] > sentence.numbers["quick_share"] and "not recorded" in sentence


ANSWER = ("a", "talk", "2026-03-02 11:00", "ann", False)
LEAD = ("a", "2026-03-02 10:00", "o")
BAD = {
    "no lead": (lambda: process_of([]), "nobody waits"),
    "one lead": (lambda: process_of([LEAD], [ANSWER]), "a hint, no more"),
    "nobody named": (lambda: process_of([LEAD], [("a", "talk", "2026-03-02 11:00", None, False)]), "cannot be told"),
    "all automated": (lambda: process_of([LEAD], [("a", "talk", "2026-03-02 11:00", "bot", True)]), "cannot be told"),
    "all at midnight": (lambda: process_of([(f"l{n}", "2026-03-02", "o") for n in range(40)],
                                           [(f"l{n}", "talk", "2026-03-03", "ann", False) for n in range(40)]),
                        "date without a time of day"),
    "no owner": (lambda: process_of([("a", "2026-03-02 10:00", None)], [ANSWER]), "The only new lead is answered by a person within 1\N{NO-BREAK SPACE}hour of working time"),
    "most unanswered": (lambda: process_of([LEAD, ("b", "2026-03-02 10:00", "o"), ("c", "2026-03-02 10:00", "o")], [ANSWER]),
                        "Fewer than half"),
    "two weeks old": (lambda: process_of([LEAD], [ANSWER], as_of="2026-03-15", observed_from="2026-03-01"),
                      "answered sooner buy more often cannot be told"),
    "no events": (lambda: Process.from_tables("p", leads=pd.DataFrame({"lead_id": ["a"], "created_at": pd.to_datetime(["2026-03-02"])}),
                                              as_of="2026-06-01", steps=STEPS), "Needs the employee of stage_events"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_in_words(name):
    make, words = BAD[name]
    sentences = answered_in(make())
    assert any(words in sentence for sentence in sentences), sentences
    assert not [sentence for sentence in sentences if re.search(r"\b(nan|inf|None|NaT)\b|n/a", sentence)], sentences
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_nothing_undefined_is_said(demo, name):
    assert not [sentence for sentence in answered_in(demo.process(name)) if re.search(r"\b(nan|inf|None)\b|n/a", sentence)]
