"""The PDFs: the layout tree of WeasyPrint says what is cut, another reader of PDFs what a report of the demonstration company holds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from funnel_lib.report.page import standing_page
from funnel_lib.report.pdf import printed, write_pdf
from tests.browser.published import demonstration
from tests.conftest import ROOT

pytestmark = pytest.mark.browser

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
# The larger part of a sheet stays empty at most where a picture as high as that comes next.
EMPTY_AT_MOST = 0.5
A4 = (595, 842)


def page(folder: Path) -> Path:
    """A page of our template's style with a figure that begins near the end of each sheet."""
    figure = (f'<p>Конверсия 12 ₽</p><figure class="chart"><div class="scroll"><img alt="" width="700" height="430" '
              f'src="data:image/png;base64,{PIXEL}"></div><figcaption>Рисунок</figcaption></figure>')
    blocks = "".join(f'<h2 id="part-{n}">Раздел {n}</h2>{"<p>Слова.</p>" * n}{figure}' for n in range(1, 9))
    outside = '<img alt="" src="http://127.0.0.1:9/x.png"><img alt="" src="file:///etc/hostname">'
    text = standing_page("findings.html.j2", language="ru", company="Опт", process="", title="Отчёт", home="", findings=blocks + outside,
                         word=lambda key, **values: key)
    (folder / "page.html").write_text(text, encoding="utf-8")
    return folder / "page.html"


def boxes(sheet: Any, *kinds: str) -> Iterator[Any]:
    return (box for box in sheet._page_box.descendants() if type(box).__name__ in kinds)


def beyond(sheet: Any) -> list[str]:
    """Pictures and words that reach out of the sheet's frame: to the right, or below it."""
    frame = sheet._page_box
    right, bottom = frame.content_box_x() + frame.width, frame.content_box_y() + frame.height
    inside = (box for part in frame.children if not hasattr(part, "at_keyword") for box in part.descendants())
    return [str(getattr(box, "text", box.element_tag)) for box in inside
            if type(box).__name__ in ("BlockReplacedBox", "InlineReplacedBox", "TextBox")
            and (box.position_x + box.width > right + 1 or box.position_y + box.height > bottom + 1)]


def empty_share(sheet: Any) -> float:
    """The part of the sheet below the last line or picture."""
    frame = sheet._page_box
    bottom = frame.content_box_y() + frame.height
    ends = [box.position_y + box.height for box in boxes(sheet, "LineBox", "BlockReplacedBox", "InlineReplacedBox")]
    return (bottom - max(end for end in ends if end <= bottom + 1)) / frame.height


def test_no_figure_is_cut_and_every_part_has_a_bookmark(tmp_path: Path) -> None:
    document = printed(page(tmp_path))
    images = [box for sheet in document.pages for box in boxes(sheet, "BlockReplacedBox", "InlineReplacedBox") if box.height > 100]
    assert len(images) == 8 and len(document.pages) > 3
    assert [beyond(sheet) for sheet in document.pages] == [[]] * len(document.pages)
    (title, _, parts, _), = document.make_bookmark_tree()
    assert title == "Отчёт" and [part[0] for part in parts] == [f"Раздел {n}" for n in range(1, 9)]


def test_what_is_too_wide_or_too_high_would_be_seen(tmp_path: Path) -> None:
    source = page(tmp_path)
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("Слова.", "Слова" * 60, 1).replace("overflow-wrap: break-word", ""), encoding="utf-8")
    assert beyond(printed(source).pages[0])


def test_a_pdf_has_its_own_fonts_and_the_same_bytes(tmp_path: Path) -> None:
    source = page(tmp_path)
    assert [write_pdf(source, tmp_path / f"{n}.pdf", 120) for n in (1, 2)] == ["", ""]
    first = (tmp_path / "1.pdf").read_bytes()
    assert first.startswith(b"%PDF-") and first == (tmp_path / "2.pdf").read_bytes()
    fonts = {str(font["/BaseFont"]) for sheet in PdfReader(tmp_path / "1.pdf").pages
             for font in (one.get_object() for one in sheet["/Resources"]["/Font"].values())}
    assert fonts and all("DejaVu" in name for name in fonts), fonts


@pytest.fixture(scope="module")
def demo_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demonstration(tmp_path_factory.mktemp("paper") / "pages")


@pytest.mark.parametrize("name", [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))])
def test_the_reports_fit_their_sheets_without_large_gaps(demo_pages: Path, name: str) -> None:
    source = demo_pages / f"{name}.html"
    document = printed(source)
    figures = len(BeautifulSoup(source.read_text(encoding="utf-8"), "html.parser").select("figure.chart img"))
    drawn = [box for sheet in document.pages for box in boxes(sheet, "BlockReplacedBox", "InlineReplacedBox")]
    assert len(drawn) == figures > 3
    for number, sheet in enumerate(document.pages, start=1):
        assert beyond(sheet) == [], number
        assert number == len(document.pages) or empty_share(sheet) < EMPTY_AT_MOST, number


# -- a whole run, read by another library ------------------------------------------------------------------------------


def squeezed(text: str) -> str:
    """Text without what differs between a page and paper: spaces, hyphens, ligatures."""
    return re.sub(r"[\s\u2010\u00ad-]+", "", unicodedata.normalize("NFKC", text))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the demonstration company in Russian, by the command line; its folder and name without an ending."""
    output = tmp_path_factory.mktemp("russian") / "reports"
    call = [sys.executable, "-c", "from funnel_lib.cli import app; app()", "report", str(ROOT / "data/demo"), "-o", str(output),
            "--language", "ru", "--process", "wholesale", "--notebook", "02", "--format", "html,pdf"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return output / "wholesale/02_conversion"


@pytest.fixture(scope="module")
def paper(report: Path) -> PdfReader:
    return PdfReader(report.with_suffix(".pdf"))


@pytest.fixture(scope="module")
def screen(report: Path) -> BeautifulSoup:
    soup = BeautifulSoup(report.with_suffix(".html").read_text(encoding="utf-8"), "html.parser")
    soup.select_one("details.code").decompose()
    return soup


def test_cyrillic_and_roubles_are_text_and_tables_are_there_in_full(report: Path, paper: PdfReader, screen: BeautifulSoup) -> None:
    whole = "".join(squeezed(sheet.extract_text()) for sheet in paper.pages)
    said = json.loads(report.with_suffix(".results.json").read_text(encoding="utf-8"))["sentences"]
    assert squeezed(said[0]["text"]) in whole and re.search("[а-я]{5}", said[0]["text"])
    assert any("₽" in one["text"] and squeezed(one["text"]) in whole for one in said)
    shown = [part.get_text() for part in screen.select("th, td, figcaption, h1, h2, .note, details.behind > summary")]
    assert len(shown) > 500
    missing = [text for text in shown if squeezed(text) not in whole]
    assert not missing, missing[:5]
    assert "importpandas" not in whole and "funnel_lib" not in whole


def test_every_sheet_has_its_number_and_every_heading_its_bookmark_and_place_in_the_contents(
        paper: PdfReader, screen: BeautifulSoup) -> None:
    sheets = [unicodedata.normalize("NFKC", sheet.extract_text()) for sheet in paper.pages]
    assert len(sheets) > 10 and all(f"{number} / {len(sheets)}" in text for number, text in enumerate(sheets, 1))
    title, *parts = flat(paper.outline)
    headings = [heading.get_text() for heading in screen.select("h1, h2, h3")]
    assert [part["/Title"] for part in (title, *parts)] == headings
    contents = "\n".join(sheets[:3])
    assert len(screen.select(".contents a")) > 5
    for part in (part for part in parts if part["/Title"] in {link.get_text() for link in screen.select(".contents a")}):
        listed = re.escape(part["/Title"]).replace(r"\ ", r"\s+")
        assert re.search(rf"{listed}[ .]*\s{paper.get_destination_page_number(part) + 1}\b", contents), part["/Title"]


def flat(outline: list[Any]) -> list[Any]:
    return [one for entry in outline for one in (flat(entry) if isinstance(entry, list) else [entry])]


def test_each_picture_stands_whole_on_one_sheet(paper: PdfReader, screen: BeautifulSoup) -> None:
    drawn = [place for sheet in paper.pages for place in pictures(sheet)]
    assert len(drawn) == len(screen.select("figure.chart img")) > 10
    for left, bottom, right, top in drawn:
        assert left >= 40 and bottom >= 40 and right <= A4[0] - 40 and top <= A4[1] - 40


def pictures(sheet: Any) -> list[tuple[float, float, float, float]]:
    """Left, bottom, right and top of every picture drawn on the sheet, in points."""
    found = []

    def noted(operator: bytes, operands: Any, matrix: list[float], _: Any) -> None:
        if operator == b"Do":
            a, _, _, d, x, y = matrix
            found.append((min(x, x + a), min(y, y + d), max(x, x + a), max(y, y + d)))

    sheet.extract_text(visitor_operand_before=noted)
    return found
