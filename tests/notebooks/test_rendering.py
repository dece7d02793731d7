"""Every notebook with other parameters than its own, and on companies that have next to nothing."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from funnel_lib.cli import app
from tests.conftest import ROOT

BAD = re.compile(r">\s*(nan|NaN|inf|None|NaT)\s*<|Traceback|Warning:| object at 0x")

DESCRIPTION = """
name: Two tables
as_of: 2026-03-01
observed_from: 2026-01-01
processes:
  shop: {steps: [contacted, won]}
  empty: {steps: [contacted, won]}
"""
LEADS = "lead_id,process,created_at\n" + "".join(f"{n},shop,2026-01-{n:02}\n" for n in range(1, 29))
EVENTS = "lead_id,step,entered_at\n1,contacted,2026-01-05\n1,won,2026-01-09\n2,lost,2026-01-06\n"
ORDERS = "order_id,customer_id,process,ordered_at,amount\n1,c,shop,2026-01-09,100\n"


def _report(company, output, *options) -> str:
    result = CliRunner().invoke(app, ["report", str(company), "--output", str(output), "--jobs", "2", *options])
    assert result.exit_code == 0, result.output
    return result.output


def _pages(output) -> dict[str, str]:
    """The pages without their folded code, where a None is a word of the language."""
    return {str(path.relative_to(output)): re.sub(r"<pre.*?</pre>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            for path in output.rglob("*.html")}


def test_another_process_moment_and_language(tmp_path):
    """Russian, half a year earlier, custom-made: all six notebooks, no bad text, Russian heads."""
    out = tmp_path / "out"
    _report(ROOT / "data" / "demo", out, "--process", "custom", "--language", "ru", "--as-of", "2026-01-01")
    pages = _pages(out)
    assert len(pages) == 7  # six reports and the index
    for name, text in pages.items():
        assert not BAD.search(text), (name, BAD.search(text).group())
        assert '<html lang="ru"' in text, name
    assert "Конечная конверсия" in pages["custom/02_conversion.html"]


@pytest.mark.parametrize("tables", [
    {"leads": LEADS, "stage_events": EVENTS, "orders": ORDERS},
    {"leads": LEADS},
    {"orders": ORDERS},
], ids=lambda tables: "+".join(tables))
def test_a_company_that_has_next_to_nothing(tmp_path, monkeypatch, tables):
    """What is missing is a sentence; an empty process is a page in words; nothing is left in the system's temporary folder."""
    system = tmp_path / "system"
    system.mkdir()
    monkeypatch.setenv("TMPDIR", str(system))
    company = tmp_path / "company"
    company.mkdir()
    (company / "company.yaml").write_text(DESCRIPTION, encoding="utf-8")
    for name, text in tables.items():
        (company / f"{name}.csv").write_text(text, encoding="utf-8")
    _report(company, tmp_path / "out")
    assert not list(system.glob("funnel-*"))
    pages = _pages(tmp_path / "out")
    for name, text in pages.items():
        assert not BAD.search(text), (name, BAD.search(text).group())
    assert "nothing to measure" in pages["empty/02_conversion.html"].lower()
