"""Answers of conversion: each sentence says the numbers of its table, and what cannot be said is said in words."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from funnel_lib import Process, answers, conversion
from tests.conversion.cases import BAD_INPUTS
from tests.conversion.seven_rows import EVENTS, LEADS, SETTINGS, TABLES


def _keyed(sentences: list) -> dict:
    return {sentence.key: sentence for sentence in sentences}


def _by_key(process: Process) -> dict:
    return _keyed(answers.conversion(process))


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_sentences_say_what_the_tables_say(demo, told, name):
    process = demo.process(name)
    said = _keyed(told("conversion", name))
    eventual = conversion.eventual_conversion(process).iloc[0]
    assert said["eventual_conversion"].numbers["eventual_share"] == eventual.eventual_share
    assert f"{eventual.eventual_share * 100:.1f}" in said["eventual_conversion"]
    assert next(iter(said)) == "eventual_conversion", "the verdict comes first"
    states = conversion.states(process).iloc[0]
    assert said["states"].numbers["running_count"] == states.running_count
    rates = conversion.step_rates(process)
    narrow = rates[~rates["optional"]].sort_values("step_share").iloc[0]
    assert said["narrowest_step"].numbers["step"] == narrow.step
    assert process.label(narrow.step) in said["narrowest_step"]


def test_few_wins_are_called_rough():
    assert "rough figure" in _by_key(Process.from_tables("small", **TABLES, **SETTINGS))["eventual_conversion"]


def test_no_loss_recorded_is_said():
    events = EVENTS[EVENTS["step"] != "lost"]
    said = _by_key(Process.from_tables("p", leads=LEADS, stage_events=events, **SETTINGS))
    assert "No lost lead is recorded" in said["lost_reasons"]


def test_no_leads_and_all_running_have_words_instead_of_numbers():
    empty = answers.conversion(Process.from_tables("p", leads=LEADS.head(0), stage_events=EVENTS.head(0), **SETTINGS))
    assert "no leads to measure" in empty[0]
    running = pd.DataFrame({"lead_id": ["a"], "created_at": ["2026-01-01"]})
    said = answers.conversion(Process.from_tables("p", leads=running, stage_events=EVENTS.head(0), **SETTINGS))
    assert not [sentence for sentence in [*empty, *said] if "nan" in sentence or "n/a" in sentence], said


def test_what_is_missing_is_a_sentence_not_an_error():
    said = answers.conversion(Process.from_tables("p", leads=LEADS, **SETTINGS))
    assert said and all("stage_events" in sentence for sentence in said)


# Bad input → what its report must say in words.
WORDS = {"no lost events": "No lost lead is recorded", "final state only": "The moment is unknown for 300 of 300 outcomes",
         "one lead": "fewer than 30 leads could reach each", "no lead": "There are no leads to measure conversion on yet",
         "all running": "no lead is won yet", "a step nobody reached": "The narrowest step is “offer”: 0\xa0% of those",
         "a loop of 500 returns": "1 of 1 lead that was given up came back", "all at midnight of one day": "within 0\xa0days",
         "renamed halfway": "60 leads went through steps that are not described: if a step was renamed"}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_is_said_in_words(name):
    said = answers.conversion(BAD_INPUTS[name]())
    assert any(WORDS[name] in sentence for sentence in said), said
    assert not [sentence for sentence in said if re.search(r"\bnan\b|\binf\b|\bNone\b|n/a", sentence)]
    assert len(set(said)) == len(said), "nothing is said twice"
    reasons = [sentence.key == "unavailable" for sentence in said[1:]]
    assert reasons == sorted(reasons), "what is missing comes last"
