"""The answer to exercise 4: what is worth doing first, what is not, and that it is an estimate."""

from __future__ import annotations

import json

import pandas as pd

from funnel_lib import Process, answers, improvement
from funnel_lib.periods import DAYS_PER_MONTH
from tests.conftest import ROOT
from tests.test_improvement import SETTINGS, TABLES, measure


def keyed(sentences) -> dict:
    return {sentence.key: sentence for sentence in sentences}


def _process(*measures: dict) -> Process:
    return Process.from_tables("p", **TABLES, **{**SETTINGS, "measures": list(measures)})


def test_measures_are_sorted_by_whether_they_pay():
    # Gains of about 260 and 52; the limits of 260 are some 20 % wide.
    said = answers.improvement(_process(
        measure("good", "step_rate.won", 0.05, cost_once=100), measure("even", "step_rate.won", 0.05, cost_once=260),
        measure("bad", "step_rate.won", 0.01, cost_once=500), measure("odd", "luck", 0.01)))
    by_key = keyed(said)
    assert said[0].key == "measures_that_pay"
    assert said[0].numbers["measures"] == ["good"]
    assert by_key["measures_unsure"].numbers["measures"] == ["even"]
    assert by_key["measures_that_do_not_pay"].numbers["measures"] == ["bad"]
    assert "expected one of lead_flow" in by_key["measure_not_computed"]
    assert said[-1].key == "limits" and "estimate by the chain of rates" in said[-1]


def test_equal_levers_are_named_together():
    said = keyed(answers.improvement(_process()))
    assert set(said["biggest_lever"].numbers["levers"]) >= {"lead_flow", "step_rate.contacted", "step_rate.won", "mean_amount"}
    assert "€260" in said["biggest_lever"]
    assert said["measures_that_pay"].numbers["measures_count"] == 0
    assert "Write some" in said["measures_that_pay"]


def test_planted_measures_are_told(demo, told):
    truth = json.loads((ROOT / "data" / "demo" / "truth.json").read_text("utf-8"))
    for name, process in truth["processes"].items():
        said = keyed(told("improvement", name))
        assert said["measures_that_pay"].numbers["measures"] == process["stories"]["future_measures_that_pay"]
        assert set(said["measures_that_do_not_pay"].numbers["measures"]) == set(
            process["stories"]["future_measures_that_do_not_pay"])
        assert said["yearly_margin"].numbers["amount"] == improvement.yearly_margin(demo.process(name)).amount


def test_without_orders_the_first_sentence_says_what_is_needed_and_the_weekly_model_ends_with_customers():
    tables = {name: frame for name, frame in TABLES.items() if name != "orders"}
    said = answers.improvement(Process.from_tables("p", **tables, **SETTINGS))
    assert said[0].key == "unavailable" and "orders" in said[0]
    assert {sentence.key for sentence in said} == {"unavailable", "past_reproduced", "conveyor_missing", "roles_without_hours",
                                                   "binding_constraint", "next_year"}


def test_what_a_years_costs_assume_is_said():
    spend = pd.DataFrame({"date": [pd.NaT], "stage": "conversion", "amount": 728.0})
    work = pd.concat([TABLES["work"], pd.DataFrame({"date": [pd.Timestamp("2025-06-04")], "stage": "conversion", "role": "boss",
                                                    "hours": 2.0})])
    process = Process.from_tables("p", **{**TABLES, "spend": spend, "work": work}, **SETTINGS)
    said = keyed(answers.improvement(process))
    # 728 in 728 days.
    assert "spread evenly over the time observed: €365 of the year's costs" in said["undated_spend"]
    assert "no hour cost: 2\N{NO-BREAK SPACE}hours a year" in said["uncosted_hours"]
    assert not {"undated_spend", "uncosted_hours"} & set(keyed(answers.improvement(_process())))


def test_a_late_measure_tells_one_story():
    said = keyed(answers.improvement(_process(measure("late", "step_rate.won", 0.05, cost_per_month=5, starts="2026-01-01",
                                                      works_after_days=12 * DAYS_PER_MONTH))))
    # 60 of waiting are paid back at 260 / 12 − 5 a month.
    assert "brings €260 in its first 12 months at work for €120" in said["measures_that_pay"]
    assert "paid back 15.6\N{NO-BREAK SPACE}months after the start" in said["how_it_pays"]


def test_young_customers_are_admitted():
    process = Process.from_tables("p", **TABLES, **{**SETTINGS, "as_of": "2024-07-01"})
    assert "too little" in keyed(answers.improvement(process))["yearly_margin"]
