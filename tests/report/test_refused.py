"""Writing that is refused: a write limit in the middle of a save, folders that may not be written to, a lock that is held."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from denied import funnel, limit, read_only
from small_reports import code, report_cells, write_company, write_notebooks
from test_publish import HOLD
from typer.testing import CliRunner, Result

from funnel_lib.cli import app
from funnel_lib.report import kernels
from funnel_lib.report.kernels import Nursery

COUNTED = ('with open(company + "/leads.csv", encoding="utf-8") as stream:\n    counts["leads_count"] = len(stream.readlines())\n'
           "pages.answer([f\"{counts['leads_count'][0]} lines.\"], chosen)")
pytestmark = [pytest.mark.skipif(sys.platform == "win32", reason="limits and permissions of POSIX"), pytest.mark.usefixtures("one_nursery")]


class Monday:
    """A company with one notebook, and a run on its first data."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.output = folder, folder / "reports"
        self.data = write_company(folder / "nutbolt") / "leads.csv"
        cells = report_cells()
        cells.insert(3, code(COUNTED, "answer"))
        self.notebook = write_notebooks(folder / "notebooks", n01_good=cells) / "01_good.ipynb"
        assert self.report().exit_code == 0
        self.first = self.files()

    def words(self) -> list[str]:
        return ["report", str(self.data.parent), "-o", str(self.output), "--process", "retail", "--notebook", str(self.notebook), "--jobs", "1"]

    def report(self) -> Result:
        return CliRunner().invoke(app, self.words())

    def files(self) -> dict[str, bytes]:
        return {path.relative_to(self.output).as_posix(): path.read_bytes() for path in sorted(self.output.rglob("*")) if path.is_file()}

    def change(self) -> None:
        with self.data.open("a", encoding="utf-8") as stream:
            stream.write("4,retail,2026-01-08,web\n")


@pytest.fixture(scope="module")
def monday(tmp_path_factory: pytest.TempPathFactory) -> Monday:
    made = Monday(tmp_path_factory.mktemp("refused"))
    made.change()
    return made


@pytest.mark.parametrize("full", ["retail/01_good.html", "summary.eml"])
def test_a_write_limit_in_the_middle_of_a_save_leaves_the_old_file_whole(monday: Monday, full: str) -> None:
    """Each limit is a tenth too low for one kind of file, so that a write is cut near its end."""
    before = monday.files()
    with limit(9 * len(before[full]) // 10):
        refused = monday.report()
    assert refused.exit_code == 1 and "File too large" in refused.output and "Traceback" not in refused.output
    # Every line names the file or the report, and the last one the way out; that of a report stands on its page.
    assert full.endswith("html") or "reports: could not be written (File too large); make room on the disk" in refused.output
    found = monday.files()
    assert found[full] == before[full]
    assert before.keys() <= found.keys() <= before.keys() | {"retail/01_good.error.html"}
    assert not [name for name in found if ".part" in name or ".run" in name]
    json.loads(found["manifest.json"])
    assert all(content.rstrip().endswith(b"</html>") for name, content in found.items() if name.endswith(".html"))


def test_no_room_for_temporary_files_is_said(monday: Monday, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent of kernels shares a list of fonts there."""
    monkeypatch.setattr(kernels, "Nursery", Nursery)
    before = monday.files()
    with limit(1000):
        refused = monday.report()
    assert refused.exit_code == 1 and f"{tempfile.gettempdir()}: could not be written (File too large); make room" in refused.output
    assert monday.files() == before


def test_with_room_again_all_is_new(monday: Monday) -> None:
    assert monday.report().exit_code == 0
    found = monday.files()
    assert found.keys() == monday.first.keys()
    assert all(found[name] != monday.first[name] for name in found if name != ".lock") and b"5 lines." in found["index.html"]


def test_a_workbook_that_is_held_costs_neither_the_index_nor_the_reports(monday: Monday) -> None:
    """A folder in its place refuses a file as Excel does on Windows while it has the book open; `--resume` writes it afterwards."""
    before, book = monday.files(), monday.output / "retail/tables.xlsx"
    book.rename(monday.folder / "kept.xlsx")
    (book / "held").mkdir(parents=True)
    monday.change()
    try:
        refused = monday.report()
    finally:
        shutil.rmtree(book)
    assert refused.exit_code == 1 and refused.stderr.startswith(f"error: {book}: could not be written ("), refused.output
    assert "run again with --resume" in refused.stderr and refused.stderr.count("\n") == 1
    found = monday.files()
    assert {name for name in before if found.get(name) != before[name]} >= {"index.html", "manifest.json", "retail/01_good.html"}
    (monday.folder / "kept.xlsx").rename(book)
    again = CliRunner().invoke(app, [*monday.words(), "--resume"])
    assert again.exit_code == 0 and "0 of 0 reports made, 1 up to date" in again.stdout
    assert book.read_bytes() != before["retail/tables.xlsx"]


def test_an_output_that_may_not_be_written_to_is_a_wrong_call(monday: Monday) -> None:
    before = monday.files()
    with read_only(monday.output, monday.folder):
        for output in (monday.output, monday.folder / "other"):
            refused = funnel(*monday.words(), "-o", output)
            assert refused.returncode == 2 and "is not writable; choose another with -o" in refused.stderr, refused.stderr
            assert refused.stderr.count("\n") == 1 and not refused.stdout
    assert monday.files() == before and not (monday.folder / "other").exists()


def test_a_process_whose_folder_may_not_be_written_to_keeps_its_old_report(monday: Monday) -> None:
    before = monday.files()
    with read_only(monday.output / "retail"):
        refused = funnel(*monday.words())
    assert refused.returncode == 1 and "could not be written: Permission denied" in refused.stderr, refused.stderr
    found = monday.files()
    assert {name for name in found if found[name] != before[name]} == {"index.html", "manifest.json", "summary.eml"}
    text = BeautifulSoup(found["index.html"], "html.parser").get_text()
    assert "Permission denied" in text and "Make room on the disk" not in text and "an older one" in text


def test_a_second_run_says_who_is_at_work(monday: Monday) -> None:
    before = monday.files()
    with subprocess.Popen([sys.executable, "-c", HOLD, str(monday.output)], stdout=subprocess.PIPE, text=True) as first:
        try:
            assert first.stdout.readline().strip() == "held"
            refused = monday.report()
        finally:
            first.kill()
    assert refused.exit_code == 2 and f"another run is writing into {monday.output} (process {first.pid} on" in refused.stderr
    assert {name: content for name, content in monday.files().items() if name != ".lock"} == {
        name: content for name, content in before.items() if name != ".lock"}
