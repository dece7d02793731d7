"""Pages in use: contents, folded parts and sorting by the keyboard, the way from report to report, and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

FOCUSED = """() => { const one = document.activeElement;
 return one === document.body ? "" : `${one.tagName} ${one.textContent.trim().slice(0, 60)} ${one.getAttribute("href") ?? ""}`.trim() }"""
REACHABLE = """() => [...document.querySelectorAll("a[href], summary, button")].filter((one) => one.checkVisibility())
 .map((one) => `${one.tagName} ${one.textContent.trim().slice(0, 60)} ${one.getAttribute("href") ?? ""}`.trim())"""


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus."""
    wanted = page.locator(selector).first
    for _ in range(200):
        page.keyboard.press("Tab")
        if wanted.evaluate("(one) => one === document.activeElement"):
            return
    raise AssertionError(f"{selector} is never reached by Tab")


def rows_of(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("table.sortable tbody th").all_text_contents()]


def test_everything_that_can_be_used_is_reached_by_tab_in_order(output: Path, opened: Callable) -> None:
    for path in (output / "index.html", output / "retail/01_exercise.html", output / "retail/04_exercise.error.html"):
        with opened(path) as (page, _):
            wanted, found = page.evaluate(REACHABLE), []
            for _ in range(300):
                page.keyboard.press("Tab")
                name = page.evaluate(FOCUSED)
                if not name:
                    break
                if not name.startswith("DIV"):
                    found.append(name)
            assert found == wanted and len(wanted) > 2, path


def test_contents_lead_to_their_parts(output: Path, opened: Callable) -> None:
    with opened(output / "retail/01_exercise.html") as (page, _):
        links = page.locator("nav.contents a")
        assert links.count() == 4
        for number in range(links.count()):
            tab_to(page, f"nav.contents li:nth-child({number + 1}) a")
            text = links.nth(number).text_content()
            page.keyboard.press("Enter")
            target = page.locator(page.evaluate("location.hash"))
            assert target.text_content() == text
            place, height = target.bounding_box(), page.viewport_size["height"]
            assert 0 <= place["y"] <= height, text
            page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0); history.replaceState(null, '', '#')")
            page.reload()


def test_folded_parts_open_and_close_by_keyboard(output: Path, opened: Callable) -> None:
    with opened(output / "retail/01_exercise.html") as (page, _):
        for part, inside in (("details.behind", "table"), (".verdict details", "li"), ("details.code", "pre")):
            shown = page.locator(f"{part} {inside}").first
            assert not shown.is_visible(), part
            tab_to(page, f"{part} > summary")
            page.keyboard.press("Enter")
            assert shown.is_visible(), part
            page.keyboard.press("Space")
            assert not shown.is_visible(), part
            page.evaluate("document.activeElement.blur()")


def test_each_figure_has_alt_caption_and_its_table_folded_under_it(output: Path, opened: Callable) -> None:
    with opened(output / "retail/01_exercise.html") as (page, _):
        figures = page.locator("figure.chart")
        assert figures.count() == 2
        for number in range(2):
            figure = figures.nth(number)
            assert figure.locator("img").get_attribute("alt").startswith("Chart: The ")
            assert figure.locator("figcaption").text_content().startswith(f"Figure {number + 1} ")
            assert figure.locator("details.behind table").count() == 1 and not figure.locator("table").is_visible()
        assert page.locator("figure.table").count() == 1 and page.locator("figure.table table").is_visible()


def test_what_scrolls_is_scrolled_by_keyboard(output: Path, opened: Callable) -> None:
    with opened(output / "retail/01_exercise.html", width=390) as (page, _):
        tab_to(page, "figure.table .scroll")
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        page.wait_for_timeout(500)  # it scrolls smoothly
        assert page.evaluate("document.activeElement.scrollLeft") > 0


def test_the_index_is_sorted_by_keyboard(output: Path, opened: Callable) -> None:
    with opened(output / "index.html") as (page, heard):
        start = rows_of(page)
        assert len(start) == 3 and page.locator("th[aria-sort]").count() == 0
        tab_to(page, "table.sortable th:nth-child(2) button")
        page.keyboard.press("Enter")
        assert page.locator("th[aria-sort]").count() == 1
        assert page.locator("th:nth-child(2)").first.get_attribute("aria-sort") == "descending"
        retail, hostile, empty = start
        assert rows_of(page) == [retail, hostile, empty]  # 24.5, 19.6, nothing
        page.keyboard.press("Space")
        assert page.locator("th:nth-child(2)").first.get_attribute("aria-sort") == "ascending"
        assert rows_of(page) == [hostile, retail, empty]
        assert page.evaluate("document.activeElement.textContent") == "Leads a week"
        tab_to(page, "table.sortable th:nth-child(1) button")
        page.keyboard.press("Enter")
        assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
        assert rows_of(page) == [hostile, empty, retail] and not heard.messages


def test_failed_stale_and_empty_are_in_the_table_beside_the_run_before(output: Path, opened: Callable) -> None:
    with opened(output / "index.html") as (page, _):
        cells = [[" ".join(text.split()) for text in row.locator("td").all_inner_texts()]
                 for row in page.locator("table.sortable tbody tr").all()]
    assert cells[0][0] == "24.5 before: 19.6 (22 Feb 2026)"
    assert cells[0][2] == "75.0 % Not rendered: Data up to 22 Feb 2026"
    assert cells[0][3] == "n/a Not rendered"
    assert cells[1][0] == "19.6 Made from earlier data: Data up to 22 Feb 2026"
    assert cells[2] == ["– Nothing to measure yet"] * 5


def test_the_way_from_report_to_report(output: Path, opened: Callable) -> None:
    with opened(output / "index.html") as (page, _):
        page.locator("table.sortable tbody tr").first.locator("a").first.click()
        seen = [Path(page.url).name]
        while page.locator("a[rel=next]").count():
            page.locator("a[rel=next]").click()
            seen.append(Path(page.url).name)
        assert seen == ["01_exercise.html", "02_exercise.html", "03_exercise.html", "04_exercise.error.html", "05_exercise.html"]
        page.locator("a[rel=prev]").click()
        page.locator("a[rel=prev]").click()
        assert page.url.endswith("03_exercise.html") and "Account management" in page.locator("h1").text_content()
        page.get_by_role("link", name="All reports").click()
        assert page.url.endswith("/index.html")


def test_without_scripts_everything_is_there(output: Path, opened: Callable) -> None:
    with opened(output / "index.html", java_script_enabled=False) as (page, heard):
        assert page.locator("button").count() == 0 and len(rows_of(page)) == 3
        page.locator("table.sortable a").first.click()
        assert page.locator("figure.chart").count() == 2
        page.locator("details.behind summary").first.click()
        assert page.locator("details.behind table").first.is_visible() and heard.requests == []
