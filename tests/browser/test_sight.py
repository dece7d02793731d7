"""How pages look and read: three widths, accessibility by the rules of axe-core, print."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from pypdf import PdfReader

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

WIDTHS = (390, 900, 1400)
# One page of each kind: opening, photographing and checking a page takes seconds.
KINDS = ("reports/index.html", "reports/retail/01_exercise.html", "retail/04_exercise.error.html", "cmd-110f07/01_exercise.html",
         "others/findings.html", "others/retail/01_exercise.html", "pages/02_conversion.html", "pages/05_efficiency.html")
# What reaches beyond the window although nothing around it scrolls.
BEYOND = """() => [...document.querySelectorAll("body *")].filter((one) => !one.closest(".scroll, pre, .skip")
 && one.getBoundingClientRect().right > innerWidth + 0.5).map((one) => one.outerHTML.slice(0, 90))"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll("body *")].filter((one) => [...one.childNodes].some(
 (child) => child.nodeType === 3 && child.textContent.trim()) && one.checkVisibility()).map((one) => parseFloat(getComputedStyle(one).fontSize)))"""
SERIOUS = {"serious", "critical"}


@dataclass(frozen=True)
class Seen:
    """What was found of a page at one width."""

    page: Path
    width: int
    picture: Path
    page_width: int
    beyond: list[str]
    smallest: float
    axe: dict[str, Any] | None


@pytest.fixture(scope="module")
def seen(every_page: list[Path], opened: Callable, axe: str, tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """A page of each kind at every width, opened once for all that is asked of it; screenshots stay in pytest's temporary
    folder."""
    folder, found = tmp_path_factory.mktemp("screenshots"), []
    pages = [path for kind in KINDS for path in every_page if path.as_posix().endswith(f"/{kind}")]
    assert len(pages) == len(KINDS)
    for path in pages:
        for width in WIDTHS:
            with opened(path, width) as (page, _):
                target = folder / f"{path.parent.name}_{path.stem}_{width}.png"
                page.screenshot(path=target, full_page=True)
                measured = page.evaluate("document.documentElement.scrollWidth"), page.evaluate(BEYOND), page.evaluate(SMALLEST)
                # Between the narrowest and the widest there is nothing else to find.
                checked = _checked(page, axe) if width != WIDTHS[1] else None
                found.append(Seen(path, width, target, *measured, checked))
    return found


def _checked(page: Page, axe: str) -> dict[str, Any]:
    """What axe-core says of the page with everything unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    page.evaluate(axe)
    return page.evaluate("axe.run({resultTypes: ['violations']})")


def test_every_page_fits_every_width(seen: list[Seen]) -> None:
    for one in seen:
        assert (one.page_width, one.beyond) == (one.width, []), one.page
        assert one.smallest >= 12, one.page
        with Image.open(one.picture) as picture:
            first_screen = picture.crop((0, 0, one.width, 800)).convert("RGB")
            assert picture.width == one.width and len(first_screen.getcolors(1 << 24)) > 20, one.page


def test_axe_finds_nothing_serious(seen: list[Seen]) -> None:
    checked = [one for one in seen if one.axe]
    assert len(checked) == 2 * len(KINDS)
    for one in checked:
        assert len(one.axe["passes"]) > 15
        bad = [(rule["id"], [node["html"][:120] for node in rule["nodes"][:3]]) for rule in one.axe["violations"]
               if rule["impact"] in SERIOUS]
        assert bad == [], (one.page, one.width)


def test_axe_would_find_something(tmp_path: Path, opened: Callable, axe: str) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text('<title>x</title><p style="color:#ddd">grey</p><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', encoding="utf-8")
    with opened(bad) as (page, _):
        page.evaluate(axe)
        found = {rule["id"] for rule in page.evaluate("axe.run()")["violations"] if rule["impact"] in SERIOUS}
    assert {"color-contrast", "image-alt", "html-has-lang"} <= found


def test_printed_pages_are_numbered_and_hold_what_is_folded(output: Path, opened: Callable) -> None:
    with opened(output / "retail/01_exercise.html") as (page, _):
        sheets = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages]
        size = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages[0].mediabox
    assert (round(size.width), round(size.height)) == (595, 842)  # A4 in points
    assert len(sheets) > 1
    for number, text in enumerate(sheets, start=1):
        assert f"{number} / {len(sheets)}" in text
    text = unicodedata.normalize("NFKC", "\n".join(sheets))  # ligatures and narrow spaces as plain letters and spaces
    for printed in ("Leads by channel", "1 234", "the numbers of this figure", "Definitions", "Data quality"):
        assert printed in text, printed
    for left_out in ("On this page", "All reports", "Next", "import matplotlib"):
        assert left_out not in text, left_out
