"""The starter catalogue: every entry is a valid measure of the demonstration company, in both languages, and can be copied."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from funnel_lib import Process, improvement
from funnel_lib.cli import app
from funnel_lib.description import Measure, ProcessDescription
from funnel_lib.improvement.catalogue import entries
from funnel_lib.improvement.measures import checked_lever
from funnel_lib.improvement.parameters import chain_of
from funnel_lib.schema import STAGES
from tests.conftest import ROOT

PROCESSES = ("retail", "wholesale", "custom")


def test_some_twenty_of_all_stages_with_names_in_both_languages():
    keys = [entry["key"] for entry in entries()]
    assert len(keys) == len(set(keys)) and 18 <= len(keys) <= 25
    assert {entry["stage"] for entry in entries()} == set(STAGES)
    for entry in entries():
        for text in (entry["name"], entry["why"]):
            assert set(text) == {"en", "ru"} and re.search("[А-я]", text["ru"]) and not re.search("[А-я]", text["en"])


@pytest.mark.parametrize("name", PROCESSES)
def test_every_entry_is_a_valid_measure_of_the_demonstration_company(demo, name):
    process = demo.process(name)
    table, chain = improvement.measure_catalogue(process), chain_of(process)
    assert set(table["measure"]) == {entry["key"] for entry in entries()} and table["assumption"].all()
    for row in table.itertuples():
        measure = Measure(key=row.measure, moves=row.lever, effect={"low": row.low_effect, "likely": row.likely_effect,
                                                                    "high": row.high_effect})
        checked_lever(process, chain, measure)
        # Cautious: nothing is promised at one end, and what helps is on the side that helps.
        helps = -1 if row.moves in ("lever_hours", "lever_cost", "lever_step_days", "lever_gap_days") else 1
        assert helps * row.likely_effect > 0 and 0 in (row.low_effect, row.high_effect)


def _copied(text: str, process: Process) -> ProcessDescription:
    copied = YAML(typ="safe").load(StringIO(text))["measures"]
    steps = [step.model_dump() for step in process.steps]
    return ProcessDescription.model_validate({"measures": copied, "steps": steps}, context={"is_file": True})


def test_the_text_can_be_copied_and_is_ranked(demo):
    process = demo.process("wholesale")
    text = improvement.catalogue_text(process)
    measures = _copied(text, process).measures
    assert [measure.key for measure in measures] == [entry["key"] for entry in entries()] and "assumption" in text
    settings = process.settings.model_copy(update={"measures": measures})
    ranked = improvement.rank_measures(Process(process.name, settings, process.company, process.source_tables, process.present))
    assert set(ranked["measure"]) == {measure.key for measure in measures} and (ranked["gain_amount"] > 0).all()


def test_the_command_line_prints_it_in_the_language_asked_for(demo):
    result = CliRunner().invoke(app, ["measures", str(ROOT / "data" / "demo"), "--process", "retail", "--language", "ru"])
    assert result.exit_code == 0, result.output
    assert len(_copied(result.output, demo.process("retail")).measures) == len(entries()) and "допущение" in result.output


def test_what_a_process_has_not_is_left_out():
    bare = improvement.measure_catalogue(Process.from_tables("p", steps=["contacted", "won"]))
    assert not bare["lever"].str.contains("{", regex=False).any()
    assert set(bare["moves"]) == {"lever_lead_flow", "lever_step_rate", "lever_step_days", "lever_repeat_rate", "lever_gap_days",
                                  "lever_referral_share", "lever_mean_amount", "lever_margin_share"}
