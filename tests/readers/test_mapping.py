"""Mappings: what may stand in the file, and what is said of what may not."""

from __future__ import annotations

import pytest

from funnel_lib.errors import CallError
from funnel_lib.readers.mapping import read_mapping
from tests.conftest import ROOT

GOOD = """source: {deals: "*deals*.csv", people: "*people*.csv"}
company: {name: Test, currency: RUB}
processes: {sales: {steps: [won]}}
tables:
  leads:
    from: deals
    columns: {lead_id: id, created_at: [opened, changed]}
    constants: {process: sales}
    joins: {from: people, on: {owner_id: id}, columns: {owner: name}}
words: {won: Yes}
"""


def read(tmp_path, text: str):
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return read_mapping(path)


def test_one_and_several_may_be_written_the_same_way(tmp_path):
    mapping = read(tmp_path, GOOD)
    block = mapping.blocks["leads"][0]
    assert block.columns == {"lead_id": ["id"], "created_at": ["opened", "changed"]}
    assert block.joins[0].on == {"owner_id": "id"} and block.joins[0].columns == {"owner": ["name"]}
    assert mapping.words == {"won": ["Yes"]}, "YAML 1.2: yes is a word"
    assert list(mapping.blocks) == ["leads"]


@pytest.mark.parametrize("wrong, right, said", [
    ("  leads:", "  lead:", "tables.lead: this key is not known. Did you mean 'leads'?"),
    ("created_at: [opened", "creatd_at: [opened", "found 'creatd_at'. Did you mean 'created_at'?"),
    ("columns: {lead_id: id, ", "columns: {", "expected the required column 'lead_id'"),
    ("columns: {owner: name}", "columns: {lead_id: name}", "found 'lead_id' in columns and in joins"),
    ("{from: people", "{from: peple", "found 'peple'. Did you mean 'people'?"),
    ("    from: deals\n", "", "this key is required and missing"),
    ("currency: RUB", "currency: rubles", "company.currency"),
    ("currency: RUB", "curency: RUB", "company.curency: this key is not known. Did you mean 'currency'?"),
    ("currency: RUB", "processes: {a: {}}", "expected processes beside company, not inside it"),
    ("steps: [won]", "steps: [won, won]", "found 'won' twice"),
    ("constants:", "konstants:", "this key is not known. Did you mean 'constants'?"),
    ("columns: {owner: name}", "columns: {owner: name}, cardinality: many_to_many", "many_to_one"),
])
def test_mistakes_are_named_with_their_line(tmp_path, wrong, right, said):
    assert wrong in GOOD
    with pytest.raises(CallError) as error:
        read(tmp_path, GOOD.replace(wrong, right))
    assert said in str(error.value)
    assert "mapping.yaml" in str(error.value) and "\n" not in str(error.value)


def test_the_line_is_that_of_the_table(tmp_path):
    with pytest.raises(CallError, match=r"mapping\.yaml, line 5: tables\.leads"):
        read(tmp_path, GOOD.replace("created_at: [opened", "creatd_at: [opened"))


def test_no_table_at_all(tmp_path):
    with pytest.raises(CallError, match="expected at least one of leads"):
        read(tmp_path, 'source: {a: "*"}\ntables: {}\n')


def test_a_path_that_is_not_there(tmp_path):
    read(tmp_path, GOOD)
    with pytest.raises(CallError, match=r"no such mapping\. Did you mean 'mapping\.yaml'\?"):
        read_mapping(tmp_path / "maping.yaml")


def test_every_committed_mapping_is_one():
    paths = sorted((ROOT / "data" / "mappings").glob("*.yaml"))
    assert [path.stem for path in paths] == ["cdnow", "kag", "maven", "olist"]
    for path in paths:
        assert read_mapping(path).blocks
