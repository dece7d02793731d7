"""PDF: where WeasyPrint is not there or breaks, nothing else is lost. What it prints is looked at in tests/browser/test_paper.py."""

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

# A WeasyPrint that can be loaded, and whose process is killed as soon as it is used.
BROKEN = "import os, signal\n\ndef __getattr__(name):\n    if not name.startswith('__'):\n        os.kill(os.getpid(), signal.SIGKILL)\n    raise AttributeError(name)\n"


def order(folder: Path, *formats: str) -> batch.Order:
    notebooks = write_notebooks(folder / "notebooks", n01_good=report_cells())
    return batch.Order(write_company(folder / "nutbolt"), folder / "reports", ("retail",), notebooks_folder=notebooks, formats=formats)


def test_without_weasyprint_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    asked = order(tmp_path, "html", "pdf")
    with pytest.raises(CallError, match=r"needs WeasyPrint, which is not installed; pip install 'funnel-lib\[pdf\]'"):
        batch.run(asked, read_company(asked.company))
    assert not asked.output.exists()


def test_without_pango_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lacking/weasyprint").mkdir(parents=True)
    (tmp_path / "lacking/weasyprint/__init__.py").write_text("raise OSError('cannot load library libpango\\nmore')", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.syspath_prepend(tmp_path / "lacking")
    asked = order(tmp_path, "pdf")
    with pytest.raises(CallError, match=r"needs Pango, which is not installed \(cannot load library libpango\); install"):
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
