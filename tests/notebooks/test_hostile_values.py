"""Hostile values of the data in a real report: text on the page, text in Excel, whatever column they stand in."""

from __future__ import annotations

import re
import zipfile

import duckdb
import pytest
from bs4 import BeautifulSoup
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from funnel_lib import simulate
from funnel_lib.cli import app

MARKUP, FORMULA, MONEY = "<img src=x onerror=alert(1)>", "=cmd()", "$a_{b$ <script>alert(2)</script>"


def _either(value: str) -> str:
    return f"if(hash(lead_id) % 2 = 0, '{value}', '{FORMULA}')"


def _change(company, table: str, columns: str, source: str) -> None:
    path = next(company.glob(f"{table}.*"))
    duckdb.sql(f"copy (select {columns} from {source.format(repr(str(path)))}) to '{path}.new' (format {path.suffix[1:]})")
    path.with_name(f"{path.name}.new").replace(path)


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """Notebook 02 of a small company in which a channel, a salesperson and a reason try what they can."""
    folder = tmp_path_factory.mktemp("hostile")
    simulate.write_company(simulate.make_company(leads=900), folder / "company")
    _change(folder / "company", "leads", f"* replace (if(channel = first, '{MARKUP}', channel) as channel, if(owner is null, null, {_either(MARKUP)}) as owner)",
            "(select *, min(channel) over (partition by process) as first from {})")
    _change(folder / "company", "stage_events", f"* replace (if(reason is null, null, {_either(MONEY)}) as reason, "
            f"if(employee is null, null, {_either(MARKUP)}) as employee)", "{}")
    run = CliRunner().invoke(app, ["report", str(folder / "company"), "-o", str(folder / "reports"), "--process", "retail", "--notebook", "02",
                                   "--jobs", "1"])
    assert run.exit_code == 0, run.output
    return folder / "reports"


def test_on_the_page_they_are_text(output):
    for path in output.rglob("*.html"):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        assert all(image["src"].startswith("data:") for image in page.find_all("img"))
        assert not page.find_all("script", src=False, string=re.compile("alert")) and not page.find_all(onerror=True)
    text = BeautifulSoup((output / "retail/02_conversion.html").read_text(encoding="utf-8"), "html.parser").get_text()
    assert all(value in text for value in (MARKUP, FORMULA, MONEY))


def test_in_excel_they_are_text(output):
    path = output / "retail/tables.xlsx"
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if b"<f>" in archive.read(name)]
    book = CalamineWorkbook.from_path(path)
    cells = {cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row}
    assert {MARKUP, FORMULA, MONEY} <= cells
