"""Real runs in real kernels: every fault costs its own report only, and nothing half-written is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from python_calamine import CalamineWorkbook
from small_reports import COMPANY_YAML, code, prose, report_cells, write_company, write_notebooks

from funnel_lib import read_company
from funnel_lib.report import batch

pytestmark = pytest.mark.usefixtures("one_nursery")

HOSTILE_VALUES = ('hostile = pd.DataFrame({"channel": ["<script>alert(1)</script>", "=cmd()"], "leads_count": [1, 2]})\n'
                  'pages.show(hostile, "Hostile <b>", chosen)')
WARNS = "import warnings; warnings.warn('old habit', UserWarning, stacklevel=1); import sys; print('careful', file=sys.stderr)"


def render(folder: Path, notebooks: Path, output: str = "reports", **order: Any) -> tuple[batch.Outcome, Path]:
    company = folder / "nutbolt"
    if not company.exists():
        write_company(company)
    asked = batch.Order(company, folder / output, notebooks_folder=notebooks, **order)
    return batch.run(asked, read_company(company)), folder / output


def manifest_of(output: Path) -> dict[str, dict[str, Any]]:
    return {entry["report"]: entry for entry in json.loads((output / "manifest.json").read_text())["reports"]}


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> tuple[batch.Outcome, Path]:
    """One run with a good report and one for each way to go wrong."""
    folder = tmp_path_factory.mktemp("faults")
    notebooks = write_notebooks(
        folder / "notebooks",
        n01_good=report_cells(code(HOSTILE_VALUES), code(WARNS)),
        n02_error=report_cells(prose("## The broken part"), code("1/0")),
        n03_killed=report_cells(code("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")),
        n04_left=report_cells(code("import sys; sys.exit(0)")),
        n05_unmarked=report_cells()[:-1])
    return render(folder, notebooks, processes=("retail",), jobs=2)


def test_one_bad_report_never_costs_another(faults: tuple[batch.Outcome, Path]) -> None:
    outcome, output = faults
    status = {result.report: result.status for result in outcome.results}
    assert status == {"retail/01_good": "done", **{f"retail/{name}": "failed" for name in
                                                   ("02_error", "03_killed", "04_left", "05_unmarked")}}
    assert outcome.exit_code == 1
    published = sorted(path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file())
    errors = [f"{name}.error.html" for name, what in status.items() if what == "failed"]
    assert published == sorted([".lock", "index.html", "manifest.json", "retail/01_good.html", "retail/01_good.ipynb", "retail/01_good.results.json",
                                "retail/tables.xlsx", "summary.eml", *errors])


@pytest.mark.parametrize(("report", "reason", "cell"), [
    ("02_error", "ZeroDivisionError: division by zero", 5), ("03_killed", "kernel died (out of memory?)", 5),
    ("04_left", "stopped itself (sys.exit)", 5), ("05_unmarked", "marks the report as complete is missing", None)])
def test_index_manifest_and_error_page_name_the_reason_and_the_cell(faults: tuple[batch.Outcome, Path], report: str,
                                                                   reason: str, cell: int | None) -> None:
    _, output = faults
    entry = manifest_of(output)[f"retail/{report}"]
    assert reason in entry["failure"]["reason"] and entry["failure"]["cell"] == cell and entry["older"] is None
    for page in ("index.html", f"retail/{report}.error.html"):
        text = BeautifulSoup((output / page).read_text(), "html.parser").get_text()
        assert reason in text and (cell is None or f"In cell {cell}" in text)
    if report == "02_error":
        assert entry["failure"]["section"] == "The broken part"
        details = BeautifulSoup((output / "index.html").read_text(), "html.parser").find("details")
        assert "Traceback" in details.get_text() and details.get("open") is None


def test_what_went_wrong_is_said_in_the_language_of_the_reports(tmp_path: Path) -> None:
    asks = "from funnel_lib import lead_flow\nlead_flow.attribution_models(chosen)"
    notebooks = write_notebooks(tmp_path / "notebooks", n01_asks=report_cells(code(asks)), n02_unmarked=report_cells()[:-1])
    _, output = render(tmp_path, notebooks, language="ru", processes=("wholesale",))
    reasons = {"01_asks": "wholesale: нужна таблица «touches» (касания), а у этой компании её нет",
               "02_unmarked": "ячейки, которая отмечает отчёт как готовый, нет, или она ничего не вывела"}
    for name, reason in reasons.items():
        assert manifest_of(output)[f"wholesale/{name}"]["failure"]["reason"] == reason
        for page in ("index.html", f"wholesale/{name}.error.html"):
            assert reason in BeautifulSoup((output / page).read_text(encoding="utf-8"), "html.parser").get_text(), page


def test_a_process_that_cannot_be_read_says_so_in_the_language_of_the_reports(tmp_path: Path) -> None:
    orders = write_company(tmp_path / "nutbolt") / "orders.csv"
    orders.write_text("order_id,customer_id,process,ordered_at,amount\n1,a,retail,2026-01-06,1.234\n", encoding="utf-8")
    outcome, output = render(tmp_path, write_notebooks(tmp_path / "notebooks", n01_good=report_cells()), language="ru")
    assert [result.status for result in outcome.results] == ["failed", "failed"] and outcome.exit_code == 1
    page = BeautifulSoup((output / "retail/01_good.error.html").read_text(encoding="utf-8"), "html.parser").get_text()
    assert "1.234 может быть и тысячей, и дробью" in page and "Что не так с данными, покажет `funnel check`." in page


def test_every_link_of_the_index_leads_somewhere(faults: tuple[batch.Outcome, Path]) -> None:
    _, output = faults
    page = BeautifulSoup((output / "index.html").read_text(), "html.parser")
    assert all((output / link["href"]).is_file() for link in page.find_all("a")) and len(page.find_all("a")) == 11
    assert "The fair brings enough leads." in page.get_text() and "4 of 5 reports failed" in page.get_text()


def test_values_of_the_data_are_text_on_the_page_and_in_excel(faults: tuple[batch.Outcome, Path]) -> None:
    _, output = faults
    page = BeautifulSoup((output / "retail/01_good.html").read_text(), "html.parser")
    assert not page.find_all("script") and "<script>alert(1)</script>" in page.get_text()
    book = CalamineWorkbook.from_path(output / "retail/tables.xlsx")
    assert [row[0] for row in book.get_sheet_by_name("Hostile <b>").to_python()[1:]] == ["<script>alert(1)</script>", "=cmd()"]


def test_warnings_are_in_the_manifest_and_not_on_the_page(faults: tuple[batch.Outcome, Path]) -> None:
    _, output = faults
    said = "\n".join(manifest_of(output)["retail/01_good"]["warnings"])
    assert "old habit" in said and "careful" in said and "ipykernel_" not in said
    page = BeautifulSoup((output / "retail/01_good.html").read_text(), "html.parser")
    page.find("details", class_="code").decompose()
    assert "UserWarning" not in page.get_text() and "careful" not in page.get_text()


def test_a_chart_carries_its_words(faults: tuple[batch.Outcome, Path]) -> None:
    _, output = faults
    page = BeautifulSoup((output / "retail/01_good.html").read_text(), "html.parser")
    assert page.img["alt"] == "Chart: The fair brings most leads" and int(page.img["width"]) < 760


def test_the_published_notebook_says_nothing_of_this_machine(faults: tuple[batch.Outcome, Path]) -> None:
    _, output = faults
    text = (output / "retail/01_good.ipynb").read_text()
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert str(output.parent) not in text and str(Path.home()) not in text and "papermill" not in text
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert {key for cell in notebook.cells for key in cell.metadata} <= {"tags"}


def test_a_report_that_fails_later_leaves_the_old_one_and_says_so(tmp_path: Path) -> None:
    notebooks = write_notebooks(tmp_path / "notebooks", n01_good=report_cells())
    _, output = render(tmp_path, notebooks, processes=("retail",))
    old = (output / "retail/01_good.html").read_bytes()
    write_notebooks(notebooks, n01_good=report_cells(code("import time; time.sleep(60)")))
    outcome, _ = render(tmp_path, notebooks, processes=("retail",), timeout=8)
    assert outcome.results[0].failure["reason"] == "timed out after 8 s"
    assert (output / "retail/01_good.html").read_bytes() == old
    assert manifest_of(output)["retail/01_good"]["older"]["as_of"] == "2026-03-01T00:00:00"
    text = BeautifulSoup((output / "index.html").read_text(), "html.parser").get_text().replace("\N{NO-BREAK SPACE}", " ")
    assert "The report shown is an older one: data up to 28 Feb 2026." in text


def test_an_empty_process_says_what_is_needed(tmp_path: Path) -> None:
    write_company(tmp_path / "nutbolt", COMPANY_YAML + "  online: {name: Online, steps: [won]}\n")
    notebooks = write_notebooks(tmp_path / "notebooks", n01_good=report_cells())
    outcome, output = render(tmp_path, notebooks, processes=("online",))
    assert [result.status for result in outcome.results] == ["empty"] and outcome.exit_code == 0
    assert manifest_of(output)["online/01_good"]["status"] == "empty"
    text = BeautifulSoup((output / "online/01_good.html").read_text(), "html.parser").get_text()
    assert "nothing to measure in “Online”" in text and "leads (lead_id, process, created_at)" in text
