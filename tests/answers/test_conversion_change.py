"""The answers that compare: planted stories are told, numbers agree with the tables, bad input is answered in words."""

from __future__ import annotations

import re

import pytest

from funnel_lib import conversion
from funnel_lib.answers import of_conversion_change as answers
from funnel_lib.answers.sentence import attempt
from tests.conversion.cases import BAD_INPUTS, process_of


def _said(process) -> dict:
    return {sentence.key: sentence for topic in answers.TOPICS for sentence in attempt(topic, process)}


def test_the_lucky_owner_is_not_called_the_best(demo):
    said = _said(demo.process("wholesale"))
    assert "cannot be ranked" in said["comparison_owner"]
    assert re.search(r"“Vera” looks best .* on 12 leads only", said["lucky_owner"])
    assert said["lucky_owner"].numbers["pooled_share"] < 0.3


def test_the_mix_explains_the_fall_of_retail(demo):
    said = _said(demo.process("retail"))
    assert said["change"].numbers["change_share"] < 0 and "fell" in said["change"]
    sentence = said["mix_and_rates"]
    assert sentence.numbers["channel"] == "student_blog" and "Every single channel converts better" in sentence
    assert sentence.numbers["mix_change_share"] + sentence.numbers["rate_change_share"] == pytest.approx(
        said["change"].numbers["change_share"])


def test_the_worst_channel_of_retail_is_named(demo):
    assert "“Student blog” below" in _said(demo.process("retail"))["comparison_channel"]


def test_points_of_the_reconciliation_add_up(demo):
    for name in demo.process_names:
        numbers = answers.reconciliation(demo.process(name))[0].numbers
        table = conversion.reconciliation(demo.process(name)).iloc[-1]
        assert numbers["crm_share"] == table.crm_share and numbers["overall_share"] == table.overall_share
        changes = sum(value for key, value in numbers.items() if key.endswith("_change_share"))
        assert changes == pytest.approx(table.overall_share - table.crm_share, abs=0.002)


def test_a_shift_of_one_step_is_a_signal():
    rows = [(int(month * 30.5) + 1, "a", {"talk": 1, **({"won": 5} if n < (20 if month == 7 else 10 + month % 2) else {})})
            for month in range(14) for n in range(20)]
    sentence = answers.trend(process_of(rows, days=480, conversion_window_days=30))[0]
    assert "“Won” 1 of" in sentence or "“won” 1 of" in sentence


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_is_answered_in_words(name):
    process = BAD_INPUTS[name]()
    sentences = [sentence for topic in answers.TOPICS for sentence in attempt(topic, process)]
    assert sentences and all(sentence.endswith(".") for sentence in sentences)
    assert not re.search(r"\bnan\b|\binf\b|n/a|none\b", " ".join(sentences).lower())
