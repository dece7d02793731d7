"""A report in Russian: prose, contents, titles and definitions are Russian; English is as it is written; own prose stays."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from python_calamine import CalamineWorkbook
from small_reports import COMPANY_YAML, code, prose, report_cells, write_company, write_notebooks

from funnel_lib import read_company
from funnel_lib.report import batch
from funnel_lib.report.units import find_notebooks, notebooks_folder, plan, read_notebook
from funnel_lib.report.workbench import copy_notebooks

pytestmark = pytest.mark.usefixtures("one_nursery")

NOTEBOOKS = find_notebooks(notebooks_folder())
ENGLISH = re.compile(r"[A-Za-z’']{2,} [a-z’']{2,}")
CONVERSION = "## Conversion: how many of them become real clients?\n\n" \
    "The share that will have bought in the end: leads still running are counted with their chance, never as lost."


def prose_of(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_english_prose_is_what_the_notebook_says(path: Path) -> None:
    assert nbformat.writes(read_notebook(path, "en")) == nbformat.writes(nbformat.read(path, as_version=4))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_russian_prose_keeps_the_shape_of_the_english_one(path: Path) -> None:
    """Headings, paragraphs, emphasis and code are as many; only the words differ."""
    for english, russian in zip(prose_of(read_notebook(path)), prose_of(read_notebook(path, "ru")), strict=True):
        assert not ENGLISH.search(re.sub(r"`[^`]*`", "", russian)) and re.search("[а-я]", russian)
        assert re.findall(r"^#+ ", english, re.MULTILINE) == re.findall(r"^#+ ", russian, re.MULTILINE)
        for sign in ("\n\n", "*", "`"):
            assert english.count(sign) == russian.count(sign), russian


@pytest.fixture(scope="module")
def russian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's overview; for one process a notebook with a sentence of the project's beside its own, and one that fails."""
    folder = tmp_path_factory.mktemp("russian")
    write_notebooks(folder / "notebooks", n01_own=report_cells(prose(CONVERSION), code('pages.show(counts, "Step rates", chosen)')),
                    n02_error=[prose(CONVERSION), *report_cells()[1:3], code("1/0"), *report_cells()[-1:]])
    (folder / "notebooks" / "00_company_overview.ipynb").write_bytes(NOTEBOOKS[0].read_bytes())
    company = write_company(folder / "nutbolt")
    order = batch.Order(company, folder / "reports", processes=("retail",), notebooks_folder=folder / "notebooks", language="ru",
                        jobs=1)
    batch.run(order, read_company(company, language="ru"))
    return folder / "reports"


def page(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_the_project_s_prose_title_and_contents_are_russian(russian: Path) -> None:
    overview = page(russian / "00_company_overview.html")
    assert overview.h1.get_text() == "Компания одним взглядом: все процессы продаж рядом"
    contents = [link.get_text() for link in overview.nav.find_all("a")]
    assert "Конверсия: сколько из них становятся клиентами?" in contents
    for text in [*contents, *(part.get_text() for part in overview.main.find_all(["h2", "h3", "figcaption"]))]:
        assert not ENGLISH.search(text), text
    assert "Доля тех, кто в итоге купит" in overview.main.get_text()
    published = prose_of(nbformat.read(russian / "00_company_overview.ipynb", as_version=4))
    assert published == prose_of(read_notebook(NOTEBOOKS[0], "ru"))
    assert overview.h1.get_text() in page(russian / "index.html").get_text()


def test_definitions_are_russian_on_the_page_and_in_the_workbook(russian: Path) -> None:
    defined = page(russian / "00_company_overview.html").find("section", class_="definitions")
    assert len(defined.find_all("dd")) > 20
    for text in defined.find_all("dd"):
        assert not ENGLISH.search(re.sub(r"Источник: .*", "", text.get_text())), text
    assert "Источник: Wilson, 1927 (границы)." in defined.get_text()
    heads = page(russian / "retail/01_own.html").find_all("th", title=True)
    assert {head["title"] for head in heads} >= {"Дошли / лиды не моложе окна."}
    sheets = CalamineWorkbook.from_path(russian / "retail/tables.xlsx")
    meanings = {row[3]: row[1] for row in sheets.get_sheet_by_name("Определения").to_python()[1:]}
    assert meanings["overall_share"] == "Дошли / лиды не моложе окна. Wilson, 1927 (границы)"
    assert "Конверсия этапов" in sheets.sheet_names


def test_a_notebook_of_the_user_s_own_stays_as_it_is(russian: Path) -> None:
    own = page(russian / "retail/01_own.html")
    assert own.h1.get_text() == "Where do leads come from?"
    assert [link.get_text() for link in own.nav.find_all("a")][:2] == ["Leads by channel",
                                                                       "Конверсия: сколько из них становятся клиентами?"]


def test_a_failure_names_the_section_as_the_reader_sees_it(russian: Path) -> None:
    place = "В ячейке 3, раздел «Конверсия: сколько из них становятся клиентами?»"
    assert place in page(russian / "retail/02_error.error.html").get_text()
    entries = json.loads((russian / "manifest.json").read_text(encoding="utf-8"))["reports"]
    assert [entry["failure"]["section"] for entry in entries if entry["status"] == "failed"] == ["Конверсия: сколько из них становятся клиентами?"]


@pytest.mark.parametrize(("given", "declared", "language"), [("ru", "en", "ru"), (None, "ru", "ru"), (None, "", "")])
def test_the_prose_has_the_language_that_the_notebook_is_given(tmp_path: Path, given: str | None, declared: str, language: str) -> None:
    parameters = code(f'company = "nowhere"\nlanguage = "{declared}"', "parameters")
    [path] = write_notebooks(tmp_path, n01_a=[parameters]).glob("*.ipynb")
    assert [unit.language for unit in plan([path], ["retail"], (), {"language": given})] == [language]


@pytest.mark.parametrize(("language", "first"), [(None, "# Конверсия: сколько"), ("en", "# Conversion: how many")])
def test_copies_to_work_on_are_in_the_language_of_the_company_or_the_one_asked_for(tmp_path: Path, language: str | None,
                                                                                  first: str) -> None:
    company = write_company(tmp_path / "nutbolt", f"{COMPANY_YAML}language: ru\n")
    copy_notebooks(tmp_path / "copies", company, language)
    copied = nbformat.read(tmp_path / "copies" / "02_conversion.ipynb", as_version=4)
    assert prose_of(copied)[0].startswith(first)
    assert any(f"company = {str(company.resolve())!r}" in cell.source for cell in copied.cells)
