"""The workbook read back by another library, and its XML read as it is."""

from __future__ import annotations

import datetime
import io
import zipfile

import pandas as pd
from python_calamine import CalamineWorkbook

from funnel_lib import pages
from funnel_lib.pages.shown import DEFINITIONS, TABLE
from funnel_lib.report.workbook import ReportTables, workbook_bytes

ATTACKS = ["=cmd()", "+1+1", "-2", "@SUM(A1)", "<script>", "https://example.org", "007"]


def reports() -> list[ReportTables]:
    table = pd.DataFrame({"channel": ATTACKS, "leads_count": range(7), "overall_share": [0.1, float("nan"), *[0.5] * 5],
                          "period_start": pd.to_datetime(["2026-01-05"] * 7), "complete": [True, False] * 3 + [True]})
    shown = pages.show(table, "Leads [all] / by channel")._repr_mimebundle_()[TABLE]
    defined = pages.definitions(table)._repr_mimebundle_()[DEFINITIONS]["entries"]
    return [ReportTables("01_a", [shown, shown], defined), ReportTables("02_b", [shown], defined)]


def test_cells_are_typed_and_text_is_text() -> None:
    data = workbook_bytes(reports(), "en", "EUR", "Retail")
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    name = "Leads all by channel"
    assert book.sheet_names == ["Contents", name, f"{name} 2", f"{name} 3", "Definitions"]
    rows = book.get_sheet_by_name(name).to_python()
    assert rows[0][:3] == ["Channel", "Leads", "Of all leads"]
    assert [row[0] for row in rows[1:]] == ATTACKS
    assert rows[1][1:] == [0, 0.1, datetime.date(2026, 1, 5), True]
    assert rows[2][2] == "n/a"


def test_nothing_in_the_file_is_a_formula_or_a_link() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(reports(), "en", "EUR", "Retail"))) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode()
            assert "<f>" not in text and "<hyperlink" not in text, name
        sheet = archive.read("xl/worksheets/sheet2.xml").decode()
    assert 'state="frozen"' in sheet and "<autoFilter" in sheet


def test_definitions_stand_once_with_formula() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook_bytes(reports(), "ru", "RUB", "Розница")))
    rows = book.get_sheet_by_name("Определения").to_python()
    keys = [row[3] for row in rows[1:]]
    assert len(keys) == len(set(keys)) and {"channel", "leads_count", "overall_share"} <= set(keys)
    assert all(row[1] for row in rows[1:])


def test_same_input_same_bytes() -> None:
    assert workbook_bytes(reports(), "en", "EUR", "Retail") == workbook_bytes(reports(), "en", "EUR", "Retail")
