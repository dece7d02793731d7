"""What a wrong register of measures gets: a clear error where it is read, a finding where it is computed."""

from __future__ import annotations

import pytest

from funnel_lib import CallError, improvement
from funnel_lib.description import CompanyDescription
from tests.test_improvement import measure, with_measures


@pytest.mark.parametrize(("settings", "message"), [
    ({"cost_once": -1}, "measures.1.cost_once: expected at least 0"), ({"cost_per_month": -5}, "cost_per_month: expected at least 0"),
    ({"hours": {"caller": -2}}, "expected at least 0"),
    ({"starts": "2026-03-01", "ends": "2026-01-01"}, "expected ends after starts"),
    ({"effect": {"low": 0.1, "likely": 0.05, "high": 0.2}}, "expected low ≤ likely ≤ high"),
    ({"effect": {"low": 0.1, "likely": 0.1, "high": 0.05}}, "expected low ≤ likely ≤ high")])
def test_an_impossible_measure_is_an_error_with_its_place(settings, message):
    with pytest.raises(CallError, match=message):
        with_measures({**measure("bad", "step_rate.won", 0.05), **settings})


@pytest.mark.parametrize(("moves", "message"), [("luck", "expected one of lead_flow"), ("step_rates.won", "step_rate"),
                                                ("step_rate.wonn", "won")])
def test_a_mistyped_lever_in_a_file_names_the_nearest_word(moves, message):
    description = {"processes": {"p": {"steps": ["contacted", "won"], "measures": [measure("typo", moves, 0.05)]}}}
    with pytest.raises(ValueError, match=message):
        CompanyDescription.model_validate(description, context={"is_file": True})


@pytest.mark.parametrize(("moves", "effect", "message"), [
    ("step_rate.won", 1.5, "more than 100 points"), ("luck", 0.1, "expected one of lead_flow"), ("step_rate.wonn", 0.1, "'won'")])
def test_what_cannot_be_computed_is_a_finding_everywhere(moves, effect, message):
    process = with_measures(measure("good", "step_rate.won", 0.05), measure("bad", moves, effect))
    for table in (improvement.rank_measures(process), improvement.best_plan(process), improvement.detectability(process)):
        assert table["measure"].tolist() == ["good"]
    assert message in improvement.measure_findings(process)[0].message


def test_a_share_that_would_pass_one_is_cut_there():
    # 50 % and 90 points make 100 %, not 140: twice the customers.
    ranked = improvement.rank_measures(with_measures(measure("wild", "step_rate.won", 0.9), measure("half", "step_rate.won", 0.5)))
    assert ranked["gain_amount"].nunique() == 1
