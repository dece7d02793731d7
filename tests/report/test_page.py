"""The page against the notebook it is made from, read back by a parser."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from small_reports import code, prose

from funnel_lib import Process, pages
from funnel_lib.findings import Finding
from funnel_lib.pages.figures import FIGURE
from funnel_lib.report.page import page_of, stylesheet

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def shown(source: str, bundle: dict, *tags: str) -> nbformat.NotebookNode:
    cell = code(source, *tags)
    cell.outputs = [nbformat.v4.new_output("display_data", data=bundle)]
    return cell


def notebook(*extra: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """As executed, without a kernel."""
    leads = pd.DataFrame({"lead_id": ["1"], "created_at": pd.to_datetime(["2026-01-05"])})
    process = Process.from_tables("retail", leads=leads, steps=["won"], as_of="2026-07-01", language="ru", currency="RUB")
    words = {"title": 'Больше "всех" ярмарка', "note": "n = 7"}
    table = pd.DataFrame({"channel": ["<b>web</b>"], "leads_count": [7]})
    cells = [
        prose("# Откуда лиды\n\nВопрос."), code("x = 1", "parameters"), prose("## Таблица"),
        shown("show", pages.show(table, "Лиды по каналам", process)._repr_mimebundle_()),
        shown("plot();", {"image/png": PIXEL, "text/plain": "<Figure>", FIGURE: words}),
        *extra, prose("## Ответ"),
        shown("answer", pages.answer(["Лидов достаточно.", "И <i>ещё</i>."], process)._repr_mimebundle_(), "answer"),
        shown("quality", pages.data_quality([Finding("k", "warning", "leads", 2, "плохие даты", "отложены")], process)
              ._repr_mimebundle_()),
        shown("definitions", pages.definitions(table, process=process)._repr_mimebundle_()),
        shown("complete", pages.complete(process)._repr_mimebundle_(), "report-complete"),
    ]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture(scope="module")
def page() -> BeautifulSoup:
    return BeautifulSoup(page_of(notebook()), "html.parser")


def test_language_title_and_headings_are_those_of_the_report(page: BeautifulSoup) -> None:
    assert page.html["lang"] == "ru"
    assert page.title.get_text() == "Откуда лиды · retail"
    levels = [int(heading.name[1]) for heading in page.find_all(re.compile("^h[1-6]$"))]
    assert levels.count(1) == 1 and levels[0] == 1 and all(b - a <= 1 for a, b in pairwise(levels))


def test_the_answer_comes_before_everything_else_and_only_once(page: BeautifulSoup) -> None:
    text = page.main.get_text()
    assert text.strip().startswith("Лидов достаточно.") and text.count("Лидов достаточно.") == 1
    assert "Ответ" not in [heading.get_text() for heading in page.find_all("h2")]
    assert "И <i>ещё</i>." in text


def test_contents_lead_to_every_part(page: BeautifulSoup) -> None:
    targets = [link["href"][1:] for link in page.nav.find_all("a")]
    assert len(targets) >= 3 and all(page.find(id=target) for target in targets)
    assert page.find("a", href="#data-quality") and "1 предупреждение" in page.find(class_="status").get_text()


def test_definitions_and_findings_close_the_page() -> None:
    defined = shown("d", pages.definitions(keys=["step"])._repr_mimebundle_())
    text = page_of(notebook(prose("## Определения"), defined, prose("## Что делать\n\nСловами.")))
    found = BeautifulSoup(text, "html.parser")
    headings = [heading.get_text() for heading in found.find_all("h2")]
    assert headings == ["Таблица", "Что делать", "Определения", "Качество данных"]
    assert [link.get_text() for link in found.nav.find_all("a")] == headings


def test_a_figure_has_the_words_of_the_chart_and_the_caption_of_its_table(page: BeautifulSoup) -> None:
    assert page.img["alt"] == 'График: Больше "всех" ярмарка. n = 7'
    assert page.find("figure", class_="chart").figcaption.get_text() == "Рисунок 1 Лиды по каналам"
    behind = page.find("figure", class_="chart").find("details", class_="behind")
    assert behind.summary.get_text() == "Таблица 1: числа этого рисунка" and behind.table.tbody.th.get_text() == "<b>web</b>"
    assert behind.get("open") is None and len(page.select("table")) == 2  # this one and the findings


def test_the_code_is_folded_away(page: BeautifulSoup) -> None:
    folded = page.find("details", class_="code")
    assert folded.get("open") is None and "plot();" in folded.get_text()
    assert page.find_all("pre") == folded.find_all("pre")


def test_no_script_no_request_and_only_this_style(page: BeautifulSoup) -> None:
    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    digest = base64.b64encode(hashlib.sha256(page.style.string.encode()).digest()).decode()
    assert "default-src 'none'" in policy and f"style-src 'sha256-{digest}'" in policy and "script-src" not in policy
    assert not page.find_all(["script", "link", "iframe"]) and not page.find_all(style=True)
    assert all(element["src"].startswith("data:") for element in page.find_all(src=True))
    assert "url(" not in stylesheet() and "@import" not in stylesheet()


@pytest.mark.parametrize("attack", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>",
                                    '<a href="javascript:alert(1)">x</a>', "<style>p{}</style>", "<p onclick=x>t</p>",
                                    '<iframe src="https://example.org"></iframe>'])
@pytest.mark.parametrize("mime", ["text/html", "text/markdown", "text/plain"])
def test_foreign_output_never_runs_or_loads(attack: str, mime: str) -> None:
    found = BeautifulSoup(page_of(notebook(shown("own", {mime: attack}), prose(attack))), "html.parser")
    assert not found.find_all(["script", "iframe", "svg"]) and len(found.find_all("style")) == 1
    for element in found.find_all(True):
        assert not any(name.startswith("on") for name in element.attrs)
        assert "javascript:" not in str(element.attrs.get("href", ""))
    assert all(image["src"].startswith("data:") for image in found.find_all("img") if image.get("src"))


def test_warnings_of_a_cell_stay_off_the_page() -> None:
    cell = code("warn()")
    cell.outputs = [nbformat.v4.new_output("stream", name="stderr", text="FutureWarning: old"),
                    nbformat.v4.new_output("stream", name="stdout", text="<said>")]
    text = page_of(notebook(cell))
    assert "FutureWarning" not in text and "&lt;said&gt;" in text


def test_the_style_is_small() -> None:
    assert len(stylesheet().encode()) < 10_000
