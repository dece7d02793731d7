"""`results.json`: valid by its own schema (checked by the library jsonschema), with the sentences' numbers, in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import nbformat
import pytest
from small_reports import code, report_cells, write_company, write_notebooks

import funnel_lib
from funnel_lib import read_company
from funnel_lib.report import batch
from funnel_lib.report.make import Result, read_contents
from funnel_lib.report.results import SCHEMA, results_text
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("one_nursery")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ANSWER = """\
from funnel_lib.answers.sentence import Sentence
said = [Sentence("eventual_conversion", "18.3 % buy.", eventual_share=0.183, won_count=7, step="won", apart=True, median_days=float("nan"))]
pages.answer(said, chosen)"""


@pytest.mark.parametrize("language", ["en", "ru"])
def test_results_hold_the_numbers_by_the_schema(tmp_path: Path, language: str) -> None:
    cells = report_cells()
    cells[-5] = code(ANSWER, "answer")
    notebooks = write_notebooks(tmp_path / "notebooks", n02_good=cells)
    company = write_company(tmp_path / "nutbolt")
    order = batch.Order(company, tmp_path / "reports", ("retail",), notebooks_folder=notebooks, language=language, formats=("html",))
    assert batch.run(order, read_company(company, language=language)).exit_code == 0
    found = json.loads((tmp_path / "reports/retail/02_good.results.json").read_text(encoding="utf-8"))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(found)
    assert found["sentences"] == [{"key": "eventual_conversion", "text": "18.3\N{NO-BREAK SPACE}% buy.", "numbers": {
        "eventual_share": 0.183, "won_count": 7, "step": "won", "apart": True, "median_days": None}}]
    assert found["about"] == {
        "report": "retail/02_good", "notebook": "02_good", "title": "Where do leads come from?", "company": "Nut & Bolt",
        "process": "retail", "process_title": "Розница" if language == "ru" else "Retail", "as_of": "2026-03-01T00:00:00",
        "period": {"from": "2026-01-05T00:00:00", "before": "2026-03-01T00:00:00"}, "language": language, "currency": "EUR",
        "version": funnel_lib.__version__}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({**found, "schema": 2})


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_projects_own_reports_follow_the_schema_and_their_document(path: Path) -> None:
    found = read_contents(nbformat.read(path, as_version=4))
    text = results_text(Result(path.stem, path.stem, None, "", "done", "T", **found), None)
    assert text == results_text(Result(path.stem, path.stem, None, "", "done", "T", **found), None)
    content = json.loads(text)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(content)
    assert len(content["sentences"]) == len(found["sentences"]) > 3
    rows = {cells[0]: set(cells[1].split()) for cells in documented(path.stem)}
    for sentence in content["sentences"]:
        key = re.sub("^process_.*", "process_<key>", sentence["key"])
        names = {re.sub("_(share|months)_(?!low|high)[a-z_0-9]+$", r"_\1_<key>", name) for name in sentence["numbers"]}
        assert names <= rows.get(key, set()), f"docs/results.md: {path.stem}: {key}: {sorted(names - rows.get(key, set()))}"


def documented(notebook: str) -> list[list[str]]:
    """The rows of a report's table in the document: key and numbers."""
    text = (ROOT / "docs/results.md").read_text(encoding="utf-8")
    part = text.split(f"## {notebook}\n")[1].split("\n## ")[0]
    return [[cell.replace("`", "").strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("| `")]
