"""The workbook read back by another library, and its XML read as it is."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from typing import Any
from xml.etree import ElementTree

import nbformat
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from funnel_lib import pages
from funnel_lib.pages.shown import DEFINITIONS, TABLE
from funnel_lib.report.make import read_contents
from funnel_lib.report.series import drawn_of
from funnel_lib.report.workbook import ReportTables, workbook_bytes
from tests.conftest import ROOT

SPACES = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "c": "http://schemas.openxmlformats.org/drawingml/2006/chart"}
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
            assert "<f>" not in text and 'TargetMode="External"' not in text, name
            # Links lead to other sheets of the same book.
            assert all(re.search(r' location="[^"]+!A1"', link) and "r:id" not in link for link in re.findall("<hyperlink [^>]*>", text)), name
        sheet = archive.read("xl/worksheets/sheet2.xml").decode()
    assert 'state="frozen"' in sheet and "<autoFilter" in sheet


def test_definitions_stand_once_with_formula() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook_bytes(reports(), "ru", "RUB", "Розница")))
    rows = book.get_sheet_by_name("Определения").to_python()
    keys = [row[3] for row in rows[1:]]
    assert len(keys) == len(set(keys)) and {"channel", "leads_count", "overall_share"} <= set(keys)
    assert all(row[1] for row in rows[1:])


def test_same_input_same_bytes() -> None:
    weekly = ReportTables("03_c", [data_of(weeks())], [])
    first, second = (workbook_bytes([*reports(), weekly], "en", "EUR", "Retail") for _ in range(2))
    assert first == second and "xl/charts/chart1.xml" in zipfile.ZipFile(io.BytesIO(first)).namelist()


# -- number formats and names of the language --------------------------------------------------------------------------


def data_of(frame: pd.DataFrame, title: str = "Leads per week") -> dict[str, Any]:
    return pages.show(frame, title)._repr_mimebundle_()[TABLE]


def xml(data: bytes, name: str) -> ElementTree.Element:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return ElementTree.fromstring(archive.read(name))


def format_of(data: bytes, sheet: int, cell: str) -> str:
    """The code of a cell's number format, as the file says it."""
    styles = xml(data, "xl/styles.xml")
    codes = {one.get("numFmtId"): one.get("formatCode") for one in styles.iterfind("s:numFmts/s:numFmt", SPACES)}
    found = xml(data, f"xl/worksheets/sheet{sheet}.xml").find(f".//s:c[@r='{cell}']", SPACES)
    style = styles.find("s:cellXfs", SPACES)[int(found.get("s"))]
    # Codes that every spreadsheet has by number.
    return codes.get(style.get("numFmtId"), {"3": "#,##0", "4": "#,##0.00"}.get(style.get("numFmtId"), ""))


@pytest.mark.parametrize(("language", "currency", "expected"), [
    ("ru", "RUB", ("dd.mm.yyyy", "#,##0", '0.0"\u00a0"%', "#,##0.00", "#,##0.00\u00a0[$₽]")),
    ("en", "EUR", ("[$-409]d mmm yyyy", "#,##0", '0.0"\u00a0"%', "#,##0.00", "[$€]#,##0.00")),
    ("en", "JPY", ("[$-409]d mmm yyyy", "#,##0", '0.0"\u00a0"%', "#,##0", "[$¥]#,##0"))])
def test_numbers_have_the_formats_of_the_language(language: str, currency: str, expected: tuple[str, ...]) -> None:
    table = pd.DataFrame({"period_start": pd.to_datetime(["2026-01-05"]), "leads_count": [1234], "won_share": [0.5], "amount": [12.5]})
    indicators = pd.DataFrame({"indicator": ["a", "b"], "unit": ["amount", "share"], "last_value": [1234.5, 0.25]})
    data = workbook_bytes([ReportTables("a", [data_of(table), data_of(indicators, "Indicators")], [])], language, currency, "T")
    assert tuple(format_of(data, 2, cell) for cell in ("A2", "B2", "C2", "D2")) == expected[:4]
    assert (format_of(data, 3, "C2"), format_of(data, 3, "C3")) == (expected[4], expected[2])


def test_keys_are_named_and_numbers_of_leads_are_not() -> None:
    table = pd.DataFrame({"lead_id": ["web", "7"], "channel": ["web", "fair"], "leads_count": [1, 2]})
    data = workbook_bytes([ReportTables("a", [data_of(table)], [])], "ru", "RUB", "Т", {"web": "Сайт"})
    rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name("Leads per week").to_python()
    assert rows[1:] == [["web", "Сайт", 1], ["7", "fair", 2]]


def test_units_are_said_as_in_the_heads() -> None:
    table = pd.DataFrame({"indicator": ["a", "b", "c"], "unit": ["amount", "days", "number"], "last_value": [1.5, 2.5, 3.5]})
    data = workbook_bytes([ReportTables("a", [data_of(table)], [])], "ru", "RUB", "Т")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name("Leads per week").to_python()
    assert [row[1] for row in rows[1:]] == ["₽", "дней", ""]


def test_a_name_that_is_cut_does_not_end_in_a_preposition() -> None:
    titles = ["От доли в CRM к нашей, в пунктах доли", "Клиент каждого канала, с поправкой к общему", "Plan B"]
    data = workbook_bytes([ReportTables("a", [data_of(pd.DataFrame({"leads_count": [1]}), title) for title in titles], [])],
                          "ru", "RUB", "Т")
    names = CalamineWorkbook.from_filelike(io.BytesIO(data)).sheet_names
    assert names[1:-1] == ["От доли в CRM к нашей", "Клиент каждого канала", "Plan B"]


# -- charts ------------------------------------------------------------------------------------------------------------


def weeks(**columns: list) -> pd.DataFrame:
    """Six weeks, the last one first and not yet complete."""
    starts = pd.date_range("2026-02-09", periods=6, freq="-7D")
    return pd.DataFrame({"period_start": starts, "leads_count": [1, 60, 50, 40, 30, 20], "complete": [False, *[True] * 5]} | columns)


def charts_in(data: bytes) -> list[ElementTree.Element]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [ElementTree.fromstring(archive.read(name)) for name in sorted(archive.namelist()) if name.startswith("xl/charts/chart")]


def drawn(*frames: pd.DataFrame, title: str = "Leads per week") -> list[ElementTree.Element]:
    return charts_in(workbook_bytes([ReportTables("a", [data_of(frame, title) for frame in frames], [])], "en", "EUR", "T"))


def texts(chart: ElementTree.Element, path: str) -> list[str]:
    return [one.text for one in chart.iterfind(path, SPACES)]


def test_a_clear_series_is_drawn_from_its_cells_without_the_week_that_is_not_over() -> None:
    chart, = drawn(weeks())
    assert texts(chart, ".//c:ser/c:val//c:f") == ["'Leads per week'!$B$3:$B$7"]
    assert texts(chart, ".//c:ser/c:val//c:v") == ["60", "50", "40", "30", "20"]
    assert texts(chart, ".//c:ser/c:tx//c:v") == ["Leads"] and texts(chart, ".//c:title/c:tx//c:v")[0] == "Leads per week"
    assert chart.find(".//c:lineChart", SPACES) is not None and chart.find(".//c:dateAx", SPACES) is not None


def test_bars_compare_with_the_first_row_on_top() -> None:
    chart, = drawn(pd.DataFrame({"step": ["contacted", "won"], "step_share": [0.8, 0.5]}))
    assert texts(chart, ".//c:ser/c:val//c:v") == ["0.8", "0.5"] and texts(chart, ".//c:ser/c:cat//c:v") == ["contacted", "won"]
    assert chart.find(".//c:catAx/c:scaling/c:orientation", SPACES).get("val") == "maxMin"


@pytest.mark.parametrize("frame", [
    weeks(leads_count=[1, 60, float("nan"), 40, 30, 20]), weeks(period_start=pd.to_datetime(["2026-02-09"] * 6)),
    weeks().head(3), weeks().drop(columns="leads_count"), pd.DataFrame({"step": ["won"], "step_share": [0.5]})])
def test_what_is_no_clear_series_is_not_drawn(frame: pd.DataFrame) -> None:
    """A gap would be drawn as a zero, several rows of one week as a saw; nothing else would be a series at all."""
    assert drawn(frame) == []


def test_a_title_that_attacks_is_a_text_in_a_chart_too() -> None:
    chart, = drawn(weeks(), title="=cmd()")
    assert texts(chart, ".//c:title/c:tx//c:f") == ["Contents!$B$2"] and texts(chart, ".//c:title/c:tx//c:v")[0] == "=cmd()"


def test_the_projects_own_notebooks_have_a_few_charts() -> None:
    found = [(path.stem[:2], table["title"]) for path in sorted((ROOT / "notebooks").glob("0[1-5]*.ipynb"))
             for table in read_contents(nbformat.read(path, as_version=4))["tables"] if drawn_of(table) is not None]
    assert {"Leads per month", "Step rates", "Eventual conversion by channel", "Margin of a new client by age",
            "Loyalty index by quarter", "Load of the roles in an average month"} <= {title for _, title in found}
    assert {number for number, _ in found} == {"01", "02", "03", "05"} and len(found) <= 18, found
