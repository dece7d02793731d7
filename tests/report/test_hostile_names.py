"""Processes with hostile names, on a real run: safe files inside the output only, links that lead there, values that stay values."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup
from small_reports import report_cells, write_company, write_notebooks
from typer.testing import CliRunner

from funnel_lib.cli import app
from funnel_lib.report.page import sort_script

pytestmark = pytest.mark.usefixtures("one_nursery")

CODE = '"; import pathlib; pathlib.Path("pwned").touch() #'
# Those with leads are rendered by a kernel, which is given the name; the others are empty.
WITH_LEADS = ["../../x", CODE]
EMPTY = ["CON", "a/b", "a:b", "A:B", "x" * 300, "\u202egnp.exe", "<img src=x onerror=alert(1)>", "..", "index.html", "=cmd()", "a\0b"]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names") / 'a "quoted" company\'s {folder}'
    company = write_company(folder / "nut\\bolt")
    described = {"name": "Nut & Bolt", "currency": "EUR", "as_of": "2026-03-01",
                 "processes": {name: {"steps": ["contacted", "won"]} for name in [*WITH_LEADS, *EMPTY]}}
    (company / "company.yaml").write_text(json.dumps(described), encoding="utf-8")  # which is YAML, too
    with (company / "leads.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["lead_id", "process", "created_at", "channel"],
                                      *([number, name, "2026-01-05", "web"] for number, name in enumerate(WITH_LEADS))])
    (company / "stage_events.csv").unlink()
    notebook = write_notebooks(folder / "notebooks", n01_good=report_cells()) / "01_good.ipynb"
    run = CliRunner().invoke(app, ["report", str(company), "-o", str(folder / "reports"), "--notebook", str(notebook), "--jobs", "1"])
    assert run.exit_code == 0, run.output
    return folder / "reports"


def test_every_process_has_its_report_and_nothing_is_written_elsewhere(output: Path) -> None:
    entries = json.loads((output / "manifest.json").read_text(encoding="utf-8"))["reports"]
    assert {entry["process"]: entry["status"] for entry in entries} == {
        **dict.fromkeys(WITH_LEADS, "done"), **dict.fromkeys(EMPTY, "empty")}
    folders = [path for path in output.iterdir() if path.is_dir()]
    assert len({path.name.casefold() for path in folders}) == len(WITH_LEADS + EMPTY)
    assert all((path / "01_good.html").is_file() and path.name.isprintable() and len(path.name.encode()) < 200 for path in folders)
    assert sorted(path.name for path in output.parent.iterdir()) == ["notebooks", "nut\\bolt", "reports"]
    assert not [path for path in output.parent.rglob("*") if path.name == "pwned"] and not Path("pwned").exists()


def test_every_link_of_the_index_leads_into_the_output(output: Path) -> None:
    page = BeautifulSoup((output / "index.html").read_text(encoding="utf-8"), "html.parser")
    links = [unquote(link["href"]) for link in page.find_all("a")]
    assert {output / link for link in links if link.endswith("01_good.html")} == set(output.glob("*/01_good.html"))
    assert all((output / link).resolve().is_relative_to(output) and (output / link).is_file() for link in links)
    scripts = [script.get_text().strip() for script in page.find_all("script")]
    assert scripts == [sort_script()] and not page.find_all("img") and "<img src=x onerror=alert(1)>" in page.get_text()
