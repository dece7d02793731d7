"""The answer to exercise 5: the verdict first, its numbers those of the tables, and what is missing said."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from funnel_lib import Process, answers, efficiency
from tests.conftest import ROOT
from tests.efficiency.company import SETTINGS, TABLES
from tests.test_efficiency import LEVEL_SETTINGS, LOG


def keyed(sentences) -> dict:
    return {sentence.key: sentence for sentence in sentences}


def test_the_verdict_names_the_dearest_stage():
    first = answers.efficiency(Process.from_tables("p", **TABLES, **SETTINGS))[0]
    assert first.key == "dearest_stage"
    assert first == ("“Conversion” is the dearest stage: €105 for each of 2 new customers (95\N{NO-BREAK SPACE}% interval €29.07–867; €210 in all); it takes the most "
                     "hours too: 2.5\N{NO-BREAK SPACE}hours each.")
    assert first.numbers["stage"] == "conversion"


def test_margin_per_money_and_hour_of_the_whole_process():
    said = keyed(answers.efficiency(Process.from_tables("p", **TABLES, **SETTINGS)))["returns"]
    assert "has brought 3.33 of margin (95" in said and "one man-hour €167" in said
    assert "do not add up" in said


@pytest.mark.parametrize(("table", "what"), [("work", "hours"), ("spend", "money"), ("pulse", "how hard")])
def test_what_a_missing_table_would_add_is_said(table, what):
    tables = {name: frame for name, frame in TABLES.items() if name != table}
    said = [sentence for sentence in answers.efficiency(Process.from_tables("p", **tables, **SETTINGS))
            if sentence.key == "not_measured"]
    assert [sentence.numbers["table"] for sentence in said] == [table]
    assert what in said[0]


def test_a_role_without_hour_cost_is_named():
    roles = {"caller": {"name": "Caller", "hour_cost": 10}, "seller": {"name": "Seller"}}
    said = keyed(answers.efficiency(Process.from_tables("p", **TABLES, **{**SETTINGS, "roles": roles})))["uncosted_hours"]
    assert said == "Without an hour cost, and so in no amount of labour: 4\N{NO-BREAK SPACE}hours of “Seller”."


def test_claims_that_the_log_does_not_bear_out():
    said = keyed(answers.efficiency(Process.from_tables("p", work=LOG, **LEVEL_SETTINGS)))["overclaimed_cards"]
    assert said.numbers["cards"] == ["described"]
    assert "claims level 3, the log shows 1 (21 executions)" in said


def _asked(**strains: list[int]) -> str:
    """What is said of the hardest stage when these answers were given."""
    pulse = pd.DataFrame([("2026-01-05", stage, "caller", strain) for stage, given in strains.items() for strain in given],
                         columns=["date", "stage", "role", "strain"])
    return keyed(answers.efficiency(Process.from_tables("p", **{**TABLES, "pulse": pulse}, **SETTINGS)))["hardest_stage"]


def test_strain_within_the_error_is_no_verdict():
    said = _asked(conversion=[3, 4, 5], lead_generation=[2, 3, 5])
    assert said.numbers["clear"] is False and said.numbers["stage"] == "conversion"
    assert "No stage is clearly harder" in said


def test_strain_beyond_the_error_is_a_verdict():
    said = _asked(conversion=[4, 5, 4, 5], lead_generation=[1, 2, 1, 2])
    assert said.numbers["clear"] is True and said.numbers["stage"] == "conversion"


@pytest.mark.parametrize(("strains", "hardest", "alone"), [
    ({"conversion": [4] * 10 + [5], "lead_generation": [4], "account_management": [2] * 9 + [1]}, "conversion", "lead_generation"),
    ({"conversion": [3, 3, 4, 3], "lead_generation": [5]}, "lead_generation", "lead_generation")])
def test_one_answer_is_named_and_carries_no_verdict(strains, hardest, alone):
    said = _asked(**strains)
    assert (said.numbers["stage"], said.numbers["single_answers"]) == (hardest, [alone])
    assert said.numbers["clear"] is False
    assert "cannot be told: there is one answer only from" in said


def test_planted_stories_are_told(told):
    truth = json.loads((ROOT / "data" / "demo" / "truth.json").read_text("utf-8"))["processes"]["wholesale"]["stories"]
    said = keyed(told("efficiency", "wholesale"))
    assert said["overclaimed_cards"].numbers["cards"] == [truth["overclaimed_card"]["card"]]
    assert said["hardest_stage"].numbers["stage"] == "conversion" and said["hardest_stage"].numbers["clear"]
    assert said["binding_role"].numbers["role"] == truth["binding_role"] and said["binding_role"].numbers["binds"]


def test_numbers_of_the_sentences_are_those_of_the_tables(demo, told):
    process = demo.process("custom")
    said = keyed(told("efficiency", "custom"))
    sheet = efficiency.efficiency_sheet(process).set_index("stage")
    verdict = said["dearest_stage"].numbers
    assert verdict["cost_per_result_amount"] == sheet.loc[verdict["stage"], "cost_per_result_amount"]
    assert said["returns"].numbers["margin_per_cost"] == sheet.loc["all", "margin_per_cost"]


def test_nothing_to_measure_is_said_in_words():
    said = answers.efficiency(Process.from_tables("p", leads=TABLES["leads"]))
    assert said and not any("nan" in sentence.lower().split() for sentence in said)
    assert said[0].startswith("Needs the table 'spend'")
    assert len(said) == len(set(said))


def test_bad_input_is_said_with_what_it_would_add():
    """No result, hours without a stage, thirty hours a day, no movement: each has its sentence, none an undefined number."""
    work = pd.DataFrame([("2026-01-08", "conversion", "seller", 30.0, "ann"), ("2026-01-09", None, "seller", 2.0, "bob"),
                         ("2026-01-09", "account_management", "seller", 1.0, "bob")],
                        columns=["date", "stage", "role", "hours", "employee"])
    tables = {**TABLES, "work": work, "orders": TABLES["orders"].iloc[[0, 2]]}
    said = keyed(answers.efficiency(Process.from_tables("p", **tables, **SETTINGS)))
    assert "“Account management” has no result yet, so that its cost per result is undefined" in said["no_result"]
    assert said["without_stage"].numbers["hours"] == 2
    assert said["doubtful_hours"].numbers["over_24_hours"] == 30
    no_log = keyed(answers.efficiency(Process.from_tables("p", **{name: table for name, table in TABLES.items()
                                                                  if name != "stage_events"}, **SETTINGS)))
    assert "needs leads and the table “stage_events”" in no_log["refusals"]
    for sentences in (said, no_log):
        assert not any(word.strip(".,;()") in ("nan", "inf") for sentence in sentences.values() for word in sentence.lower().split())


def test_the_refusals_and_the_period_are_those_of_the_tables(demo, told):
    process = demo.process("wholesale")
    said = keyed(told("efficiency", "wholesale"))
    assert said["refusals"].numbers["refusals_per_win"] == efficiency.nerves(process).set_index("stage").loc["conversion",
                                                                                                            "refusals_per_win"]
    verdicts = efficiency.stage_change(process).set_index("stage")[["cost_per_result_verdict", "hours_per_result_verdict"]].drop("all")
    assert said["period_change"].numbers["moved"] == (verdicts != "cannot tell").sum(axis=None)
    row = efficiency.capacity(process).iloc[0]
    assert said["binding_role"].numbers["lost_customers"] == row["lost_customers"]
