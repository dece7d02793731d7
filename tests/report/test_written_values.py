"""Values that YAML, papermill and spreadsheets take for numbers, dates or truth stay the text that was written: through to the page."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from small_reports import code, report_cells, write_company, write_notebooks
from typer.testing import CliRunner

from funnel_lib.cli import app
from funnel_lib.readers.description_file import read_description
from funnel_lib.report.units import folder_names

KEYS = ["007", "7", "no", "1e5", "12:30", "true", "2026-01-01", "0x1F", "1.10", "null", "~"]
DESCRIPTION = "name: 2026\ncurrency: EUR\nas_of: 2026-03-01\nprocesses:\n" + "".join(
    f"  {key}: {{name: {{en: {key}, ru: 007}}, steps: [no, 010, 1e5, won], labels: {{08: 1.50}}}}\n" for key in KEYS if key not in ("null", "~")
) + "  null: {steps: [won]}\n  ~: {steps: [won]}\n"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_company(tmp_path_factory.mktemp("written") / "c", DESCRIPTION)
    (folder / "stage_events.csv").unlink()
    rows = "".join(f"{number},{key},2026-01-05,{key}\n" for number, key in enumerate(KEYS))
    (folder / "leads.csv").write_text(f"lead_id,process,created_at,channel\n{rows}", encoding="utf-8")
    return folder


def test_keys_and_names_of_the_description_are_the_texts_that_stand_there(company: Path) -> None:
    described = read_description(company / "company.yaml")
    assert list(described.processes) == KEYS and described.name == "2026"
    assert [step.key for step in described.processes["no"].steps] == ["no", "010", "1e5", "won"]
    assert described.processes["7"].name == {"en": "7", "ru": "007"} and described.processes["7"].labels == {"08": "1.50"}
    assert described.as_of == "2026-03-01"


@pytest.mark.parametrize("key", KEYS)
def test_each_key_can_be_asked_for_as_it_is_written(company: Path, key: str) -> None:
    run = CliRunner().invoke(app, ["report", str(company), "-o", str(company.parent / "plan"), "--process", key, "--notebook", "02",
                                   "--dry-run", "--json"])
    assert run.exit_code == 0, run.output
    assert [json.loads(line)["report"] for line in run.stdout.splitlines()] == [f"{folder_names(KEYS)[key]}/02_conversion"]


def test_the_process_asked_for_is_the_one_reported(company: Path) -> None:
    """Seven and double-o-seven side by side, with an end of observation in a form of its own."""
    cells = report_cells(code('pages.show(pd.DataFrame({"channel": [process], "leads_count": [7]}), process, chosen)'))
    notebook = write_notebooks(company.parent / "notebooks", n01_good=cells) / "01_good.ipynb"
    output = company.parent / "reports"
    run = CliRunner().invoke(app, ["report", str(company), "-o", str(output), "--process", "007", "--process", "1e5", "--as-of", "20260201",
                                   "--notebook", str(notebook), "--jobs", "1"])
    assert run.exit_code == 0, run.output
    entries = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    assert [(entry["process"], entry["as_of"]) for entry in entries["reports"]] == [(key, "2026-02-01T00:00:00") for key in ("007", "1e5")]
    assert entries["company"]["not_reported"] == [key for key in KEYS if key not in ("007", "1e5")]
    for key in ("007", "1e5"):
        page = BeautifulSoup((output / f"{key}/01_good.html").read_text(encoding="utf-8"), "html.parser")
        assert page.title.get_text() == f"Where do leads come from? · {key} · 2026" and page.find("tbody").th
        assert key in [cell.get_text() for cell in page.select("tbody th")]
        source = nbformat.read(output / f"{key}/01_good.ipynb", as_version=4)
        assert any(f'process = "{key}"' in cell.source and 'as_of = "2026-02-01"' in cell.source for cell in source.cells)
