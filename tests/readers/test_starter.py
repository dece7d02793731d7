"""The company folder to fill in: valid as it stands, and still valid with every example switched on."""

from __future__ import annotations

import re

import pytest

from funnel_lib import read_company
from funnel_lib.errors import CallError
from funnel_lib.readers.description_file import read_description
from funnel_lib.readers.starter import write_starter
from funnel_lib.schema import TABLES

# A line that is an example: a key with a value, an item of a list, or the continuation of one.
EXAMPLE = re.compile(r"^(\s*)# (?=\s*(- \{|[a-z_]+: \S|[a-z_]+:$|effect: |input: ))(?!(level|stage|уровень): [0-9a-z])")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_it_is_a_company_with_nothing_to_measure(tmp_path, language):
    files = write_starter(tmp_path / "mine", language)
    assert {path.name for path in files} == {"company.yaml", *(f"{name}.csv" for name in TABLES)}
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {path.name for path in files}, "nothing hidden is left"
    company = read_company(tmp_path / "mine")
    assert {found.severity for found in company.findings} == {"note"}
    assert {name for name, columns in company.present.items() if columns == set(TABLES[name].column_names)} == set(TABLES)
    assert company.process("sales").is_empty and company.description.language == language


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_example_can_be_switched_on(tmp_path, language):
    write_starter(tmp_path, language)
    path = tmp_path / "company.yaml"
    lines = path.read_text(encoding="utf-8").split("\n")
    switched = [EXAMPLE.sub(r"\1", line) for line in lines]
    path.write_text("\n".join(switched), encoding="utf-8")
    assert read_description(path).database == "postgresql+psycopg://reader:${CRM_PASSWORD}@host/crm"
    path.write_text("\n".join(line for line in switched if not line.startswith("database:")), encoding="utf-8")
    description = read_company(tmp_path).description
    sales = description.processes["sales"]
    assert description.formats.encoding == "cp1251" and set(description.roles) == {"caller", "seller"} and description.rates
    assert sales.cards[0].key == "cold_call" and sales.measures[0].effect.likely == 0.03 and sales.plan and sales.not_leads


def test_both_languages_describe_the_same_company(tmp_path):
    keys = {}
    for language in ("en", "ru"):
        write_starter(tmp_path / language, language)
        lines = (tmp_path / language / "company.yaml").read_text(encoding="utf-8").split("\n")
        keys[language] = [match[1] for line in lines if (match := re.match(r"[\s#-]*\{?([a-z_]+):(?: |$)", line))
                          and match[1] not in ("stage", "level")]
    assert keys["en"] == keys["ru"]


def test_a_filled_table_is_read(tmp_path):
    """What a Russian spreadsheet program saves: semicolons, cp1251."""
    write_starter(tmp_path, "ru")
    path = tmp_path / "leads.csv"
    header = path.read_text(encoding="utf-8-sig")
    assert header.count(";") == len(TABLES["leads"].columns) - 1
    row = {"lead_id": "1", "process": "sales", "created_at": "03.04.2026", "channel": "Сайт"}
    line = ";".join(row.get(name, "") for name in TABLES["leads"].column_names)
    path.write_bytes((header + line + "\n").encode("cp1251"))
    company = read_company(tmp_path)
    assert not company.process("sales").is_empty


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "leads.xlsx").write_text("mine")
    with pytest.raises(CallError, match=r"leads\.xlsx is there already"):
        write_starter(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["leads.xlsx"]
    write_starter(tmp_path / "new")
    with pytest.raises(CallError, match=r"company\.yaml is there already"):
        write_starter(tmp_path / "new", "ru")
    with pytest.raises(CallError, match="expected one of en, ru"):
        write_starter(tmp_path / "other", "de")
    with pytest.raises(CallError, match="found a file"):
        write_starter(tmp_path / "leads.xlsx")
    assert not (tmp_path / "other").exists()
