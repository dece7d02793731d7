"""A small company and small notebooks of the shape of the project's own, for real runs in real kernels."""

from __future__ import annotations

from pathlib import Path

import nbformat

COMPANY_YAML = """\
name: Nut & Bolt
currency: EUR
time_zone: UTC
as_of: 2026-03-01
processes:
  retail:
    name: {en: Retail, ru: Розница}
    steps: [contacted, won]
  wholesale:
    name: {en: Wholesale, ru: Опт}
    steps: [contacted, won]
"""
PARAMETERS = 'company = "nowhere"  # folder\nprocess = "retail"  # key\nas_of = ""  # ISO date\nlanguage = ""  # en or ru'
SETUP = """\
from funnel_lib import pages, read_company
import pandas as pd

bought = read_company(company, as_of=as_of or None, language=language or None)
chosen = bought.process(process)
counts = pd.DataFrame({"channel": ["fair", "web"], "leads_count": [1234, 7], "overall_share": [0.183, float("nan")]})"""
CHART = """\
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 3))
axes.barh(counts["channel"], counts["leads_count"])
axes.set_title("The fair brings most leads");"""
ANSWER = 'pages.answer(["The fair brings enough leads.", "The web brings 7."], chosen)'


def code(source: str, *tags: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def prose(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(text)


def report_cells(*between: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """A complete report with `between` in its middle."""
    return [
        prose("# Where do leads come from?\n\nThe question of the owner."), code(PARAMETERS, "parameters"), code(SETUP),
        prose("## Leads by channel\n\nOne row is a channel."), code('pages.show(counts, "Leads by channel", chosen)'),
        prose("Look at the longest bar."), code(CHART), *between,
        prose("## The answer"), code(ANSWER, "answer"),
        prose("## Definitions"), code("pages.definitions(counts, process=chosen)"),
        code("pages.data_quality(bought, chosen)"), code("pages.complete(chosen)", "report-complete"),
    ]


def write_company(folder: Path, description: str = COMPANY_YAML) -> Path:
    """Two leads of retail, one of wholesale."""
    folder.mkdir(parents=True)
    (folder / "company.yaml").write_text(description, encoding="utf-8")
    (folder / "leads.csv").write_text("lead_id,process,created_at,channel\n1,retail,2026-01-05,web\n"
                                      "2,retail,2026-01-06,fair\n3,wholesale,2026-01-07,web\n", encoding="utf-8")
    (folder / "stage_events.csv").write_text("lead_id,step,entered_at\n1,contacted,2026-01-08\n1,won,2026-02-01\n",
                                             encoding="utf-8")
    return folder


def write_notebooks(folder: Path, **cells: list[nbformat.NotebookNode]) -> Path:
    """Notebooks by name and cells, `n` before a leading digit left out; returns their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in cells.items():
        nbformat.write(nbformat.v4.new_notebook(cells=content), folder / f"{name.removeprefix('n')}.ipynb")
    return folder
