"""Every notebook with other parameters than its own, and on companies that have next to nothing."""

from __future__ import annotations

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from funnel_lib.cli import app
from funnel_lib.pages.shown import TABLE
from funnel_lib.report.page import page_of, shown_data
from funnel_lib.report.render import cleaned
from tests.conftest import ROOT

BAD = re.compile(r">\s*(nan|NaN|inf|None|NaT)\s*<|Traceback|Warning:| object at 0x")

DESCRIPTION = """
name: Two tables
as_of: 2026-03-01
observed_from: 2026-01-01
processes:
  shop: {steps: [contacted, won]}
  empty: {steps: [contacted, won]}
"""
LEADS = "lead_id,process,created_at\n" + "".join(f"{n},shop,2026-01-{n:02}\n" for n in range(1, 29))
EVENTS = "lead_id,step,entered_at\n1,contacted,2026-01-05\n1,won,2026-01-09\n2,lost,2026-01-06\n"
ORDERS = "order_id,customer_id,process,ordered_at,amount\n1,c,shop,2026-01-09,100\n"


def _report(company, output, *options) -> str:
    result = CliRunner().invoke(app, ["report", str(company), "--output", str(output), "--jobs", "2", *options])
    assert result.exit_code == 0, result.output
    return result.output


def _pages(output) -> dict[str, str]:
    """The pages without their folded code, where a None is a word of the language."""
    return {str(path.relative_to(output)): re.sub(r"<pre.*?</pre>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            for path in output.rglob("*.html")}


@pytest.fixture(scope="module")
def custom(tmp_path_factory):
    """Russian, half a year earlier, custom-made: all six notebooks."""
    out = tmp_path_factory.mktemp("custom") / "out"
    _report(ROOT / "data" / "demo", out, "--process", "custom", "--language", "ru", "--as-of", "2026-01-01")
    return out


def test_another_process_moment_and_language(custom):
    """No bad text, Russian heads."""
    pages = _pages(custom)
    assert len(pages) == 7  # six reports and the index
    for name, text in pages.items():
        assert not BAD.search(text), (name, BAD.search(text).group())
        assert '<html lang="ru"' in text, name
    assert "Конечная конверсия" in pages["custom/02_conversion.html"]


def _undefined(page: BeautifulSoup) -> list[str]:
    """Heads of the tables that the definitions do not have; a head may carry its unit after a comma."""
    terms = {term.get_text() for term in page.select(".definitions dt") if term.find_next_sibling("dd").get_text(strip=True)}
    heads = {head.get_text() for table in page.find_all("table") if not table.find_parent(class_="quality") for head in table.select("thead th")}
    assert heads and terms
    return sorted(head for head in heads if not {head, head.rpartition(", ")[0]} & terms)


def _whole(page: BeautifulSoup, until: str, quality: str) -> None:
    """Guarantee 8, read from the page alone: each column's definition, the end of observation, counts, findings."""
    assert _undefined(page) == []
    assert until in page.find("header").get_text().replace("\xa0", " ") and page.select_one("#data-quality").get_text() == quality
    assert page.select_one("#data-quality ~ section.quality").get_text(strip=True) and page.select_one(".status a[href='#data-quality']")
    assert re.search(r"\d", page.select_one("section.answer li.lead").get_text())


def test_no_rendered_report_is_without_its_definitions(custom):
    paths = sorted(path for path in custom.rglob("0*.html"))
    assert len(paths) == 6
    for path in paths:
        _whole(BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser"), "31 дек. 2025", "Качество данных")
    book = CalamineWorkbook.from_path(custom / "custom/tables.xlsx")
    defined = {row[3] for row in book.get_sheet_by_name("Определения").to_python()[1:] if row[1]}
    for path in custom.glob("custom/*.ipynb"):
        shown = shown_data(nbformat.read(path, as_version=4), TABLE)
        assert {column["key"] for table in shown for column in table["columns"]} <= defined


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_report_of_the_first_process_is_without_its_definitions(path):
    """From the outputs as committed, which nbval holds against a run."""
    page = BeautifulSoup(page_of(cleaned(nbformat.read(path, as_version=4), {})), "html.parser")
    _whole(page, "30 Jun 2026", "Data quality")
    page.select_one(".definitions dt").decompose()
    page.select_one(".definitions dl").clear()
    page.select_one(".definitions dl").append(BeautifulSoup("<dt>x</dt><dd>x</dd>", "html.parser"))
    assert len(_undefined(page)) > 20, "what is not defined would be seen"


@pytest.mark.parametrize("tables", [
    {"leads": LEADS, "stage_events": EVENTS, "orders": ORDERS},
    {"leads": LEADS},
    {"orders": ORDERS},
], ids=lambda tables: "+".join(tables))
def test_a_company_that_has_next_to_nothing(tmp_path, monkeypatch, tables):
    """What is missing is a sentence; an empty process is a page in words; nothing is left in the system's temporary folder."""
    system = tmp_path / "system"
    system.mkdir()
    monkeypatch.setenv("TMPDIR", str(system))
    company = tmp_path / "company"
    company.mkdir()
    (company / "company.yaml").write_text(DESCRIPTION, encoding="utf-8")
    for name, text in tables.items():
        (company / f"{name}.csv").write_text(text, encoding="utf-8")
    _report(company, tmp_path / "out")
    assert not list(system.glob("funnel-*"))
    pages = _pages(tmp_path / "out")
    for name, text in pages.items():
        assert not BAD.search(text), (name, BAD.search(text).group())
    assert "nothing to measure" in pages["empty/02_conversion.html"].lower()
