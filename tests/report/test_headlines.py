"""Headline figures: read back from the index of real runs, against the numbers that the notebooks of the test say."""

from __future__ import annotations

import email
import email.policy
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from small_reports import code, report_cells, write_company, write_notebooks

from funnel_lib import read_company
from funnel_lib.report import batch

pytestmark = pytest.mark.usefixtures("one_nursery")

SAYS = {"n01_flow": ("needed", "actual_per_week"), "n02_conversion": ("eventual_conversion", "eventual_share"),
        "n03_clients": ("repeat_rate", "share"), "n04_plan": ("biggest_lever", "margin_change_amount"),
        "n05_cost": ("dearest_stage", "cost_per_result_amount")}


def saying(name: str, value: float) -> list[nbformat.NotebookNode]:
    cells, (sentence, number) = report_cells(), SAYS[name]
    cells[-5] = code("from funnel_lib.answers.sentence import Sentence\n"
                     f"pages.answer([Sentence({sentence!r}, 'It is so.', **{{{number!r}: {value}}})], chosen)", "answer")
    return cells


def run(folder: Path, as_of: str, values: dict[str, float], **order: Any) -> list[list[str]]:
    """The table of the index after a run, text by text."""
    notebooks = write_notebooks(folder / "notebooks", **{name: saying(name, value) for name, value in values.items()})
    asked = batch.Order(folder / "nutbolt", folder / "reports", notebooks_folder=notebooks, as_of=as_of, formats=("html",), **order)
    batch.run(asked, read_company(folder / "nutbolt", as_of=as_of))
    table = BeautifulSoup((folder / "reports/index.html").read_text(encoding="utf-8"), "html.parser").select_one("table.headlines")
    assert all((folder / "reports" / link["href"]).is_file() for link in table.find_all("a"))
    return [[" ".join(cell.get_text(" ").split()) for cell in row.find_all(["th", "td"])] for row in table.select("tbody tr")]


def test_figures_stand_beside_those_of_the_run_before(tmp_path: Path) -> None:
    write_company(tmp_path / "nutbolt")
    first = dict(zip(SAYS, (19.6, 0.242, 0.75, 4300000.0, 24800.0), strict=True))
    retail = {"processes": ("retail",)}
    never = ["Wholesale", *["– Not reported yet"] * 5]
    assert run(tmp_path, "2026-02-23", first, **retail) == [["Retail", "19.6", "24.2 %", "75.0 %", "€4.3M", "€24 800"], never]
    page = BeautifulSoup((tmp_path / "reports/index.html").read_text(encoding="utf-8"), "html.parser")
    assert [head.find_next_sibling().get_text() for head in page.find_all("h2", string="Wholesale")] == ["Not reported yet"]
    company = json.loads((tmp_path / "reports/manifest.json").read_text(encoding="utf-8"))["company"]
    assert company["processes"] == ["retail", "wholesale"] and company["not_reported"] == ["wholesale"]
    mail = email.message_from_bytes((tmp_path / "reports/summary.eml").read_bytes(), policy=email.policy.default)
    assert mail.get_body(("plain",)).get_content().count("Not reported yet") == 5
    second = {**first, "n01_flow": 22.0, "n02_conversion": 0.25}
    expected = [["Retail", "22 before: 19.6 (22 Feb 2026)", "25.0 % before: 24.2 % (22 Feb 2026)",
                 "75.0 % before: 75.0 % (22 Feb 2026)", "€4.3M before: €4.3M (22 Feb 2026)", "€24 800 before: €24 800 (22 Feb 2026)"], never]
    assert run(tmp_path, "2026-03-01", second, **retail) == expected
    assert run(tmp_path, "2026-03-01", second, **retail) == expected  # the same Monday again


def test_failed_stale_and_empty_are_marked(tmp_path: Path) -> None:
    write_company(tmp_path / "nutbolt")
    values = {"n01_flow": 19.6, "n02_conversion": 0.242}
    run(tmp_path, "2026-03-01", values)
    with (tmp_path / "nutbolt/leads.csv").open("a", encoding="utf-8") as stream:
        stream.write("4,retail,2026-01-07,web\n")
    found = run(tmp_path, "2026-03-01", {"n02_conversion": 0.3}, processes=("retail",), notebooks=("02",))
    assert found == [["Retail", "19.6 Made from earlier data: Data up to 28 Feb 2026", "30.0 %", "–", "–", "–"],
                     ["Wholesale", "19.6 Made from earlier data: Data up to 28 Feb 2026",
                      "24.2 % Made from earlier data: Data up to 28 Feb 2026", "–", "–", "–"]]
    broken = tmp_path / "notebooks/02_conversion.ipynb"
    broken.write_text(broken.read_text(encoding="utf-8").replace("It is so.", "' + 1/0 + '"), encoding="utf-8")
    asked = batch.Order(tmp_path / "nutbolt", tmp_path / "reports", ("retail",), ("02",), tmp_path / "notebooks", as_of="2026-03-01",
                        formats=("html",))
    assert batch.run(asked, read_company(tmp_path / "nutbolt", as_of="2026-03-01")).exit_code == 1
    text = (tmp_path / "reports/index.html").read_text(encoding="utf-8")
    cell = BeautifulSoup(text, "html.parser").select_one("table.headlines tbody tr").find_all("td")[1]
    assert " ".join(cell.get_text(" ").split()) == "30.0 % Not rendered: Data up to 28 Feb 2026"
