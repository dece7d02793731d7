"""PDF: where WeasyPrint is not there or breaks nothing else is lost; where it is, its own layout is the oracle."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from small_reports import report_cells, write_company, write_notebooks

from funnel_lib import read_company
from funnel_lib.errors import CallError
from funnel_lib.report import batch
from funnel_lib.report.pdf import printed, write_pdf

# A WeasyPrint that can be loaded, and whose process is killed as soon as it is used.
BROKEN = "import os, signal\n\ndef __getattr__(name):\n    if not name.startswith('__'):\n        os.kill(os.getpid(), signal.SIGKILL)\n    raise AttributeError(name)\n"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def order(folder: Path, *formats: str) -> batch.Order:
    notebooks = write_notebooks(folder / "notebooks", n01_good=report_cells())
    return batch.Order(write_company(folder / "nutbolt"), folder / "reports", ("retail",), notebooks_folder=notebooks, formats=formats)


def test_without_weasyprint_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    asked = order(tmp_path, "html", "pdf")
    with pytest.raises(CallError, match=r"needs WeasyPrint, which is not installed; pip install 'funnel-lib\[pdf\]'"):
        batch.run(asked, read_company(asked.company))
    assert not asked.output.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
def test_a_pdf_that_fails_costs_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken/weasyprint").mkdir(parents=True)
    (tmp_path / "broken/weasyprint/__init__.py").write_text(BROKEN, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.syspath_prepend(tmp_path / "broken")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'broken'}:{Path(batch.__file__).resolve().parents[2]}")
    asked = order(tmp_path, "html", "pdf", "ipynb")
    (asked.output / "retail").mkdir(parents=True)
    (asked.output / "retail/01_good.pdf").write_bytes(b"an older one")
    outcome = batch.run(asked, read_company(asked.company))
    sys.modules.pop("weasyprint", None)
    assert [result.status for result in outcome.results] == ["done"] and outcome.exit_code == 1
    assert sorted(path.name for path in (asked.output / "retail").iterdir()) == ["01_good.html", "01_good.ipynb", "01_good.results.json"]
    entry = json.loads((asked.output / "manifest.json").read_text(encoding="utf-8"))["reports"][0]
    assert entry["lost"] == {"pdf": "the process died (out of memory?)"}
    index = BeautifulSoup((asked.output / "index.html").read_text(encoding="utf-8"), "html.parser").get_text()
    assert "The PDF could not be made: the process died" in index


def page(folder: Path) -> Path:
    """A page of our template's style with a figure that begins near the end of each sheet."""
    from funnel_lib.report.page import standing_page

    figure = (f'<p>Конверсия 12 ₽</p><figure class="chart"><img alt="" width="700" height="430" src="data:image/png;base64,{PIXEL}">'
              "<figcaption>Рисунок</figcaption></figure>")
    blocks = "".join(f'<h2 id="part-{n}">Раздел {n}</h2>{"<p>Слова.</p>" * n}{figure}' for n in range(1, 9))
    outside = '<img alt="" src="http://127.0.0.1:9/x.png"><img alt="" src="file:///etc/hostname">'
    text = standing_page("findings.html.j2", language="ru", company="Опт", process="", title="Отчёт", home="", findings=blocks + outside,
                         word=lambda key, **values: key)
    (folder / "page.html").write_text(text, encoding="utf-8")
    return folder / "page.html"


def test_no_figure_is_cut_and_every_part_has_a_bookmark(tmp_path: Path) -> None:
    pytest.importorskip("weasyprint")
    from weasyprint.formatting_structure.boxes import ReplacedBox

    document = printed(page(tmp_path))
    sheets = [sheet._page_box for sheet in document.pages]
    images = [(sheet, box) for sheet in sheets for box in sheet.descendants() if isinstance(box, ReplacedBox) and box.height > 100]
    assert len(images) == 8 and len(sheets) > 3
    for sheet, box in images:
        assert box.position_y + box.height <= sheet.content_box_y() + sheet.height + 0.5
    (title, _, parts, _), = document.make_bookmark_tree()
    assert title == "Отчёт" and [part[0] for part in parts] == [f"Раздел {n}" for n in range(1, 9)]


def test_a_pdf_has_page_numbers_its_own_fonts_and_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("weasyprint")
    source = page(tmp_path)
    assert [write_pdf(source, tmp_path / f"{n}.pdf", 120) for n in (1, 2)] == ["", ""]
    first = (tmp_path / "1.pdf").read_bytes()
    assert first.startswith(b"%PDF-") and first == (tmp_path / "2.pdf").read_bytes()
    document = printed(source)
    texts = [{getattr(box, "text", "") for box in sheet._page_box.descendants()} for sheet in document.pages]
    count = len(document.pages)
    assert all(any(text.strip() == f"{number} / {count}" for text in found) for number, found in enumerate(texts, 1))
    document.write_pdf()
    names = {font.family.decode() if isinstance(font.family, bytes) else font.family for font in document.fonts.values()}
    assert names and all("DejaVu" in name for name in names), names
