"""One report from its unit: run, page, files in the run's folder; done in a process of its own."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from funnel_lib.errors import FunnelError
from funnel_lib.pages.shown import ANSWER, COMPLETE, DEFINITIONS, TABLE
from funnel_lib.report.cases import without_cases
from funnel_lib.report.pdf import write_pdf
from funnel_lib.report.render import Failure, Run, run_notebook
from funnel_lib.report.units import Unit, read_notebook


@dataclass(frozen=True)
class Job:
    """What a worker needs besides the unit: where to work, the kernels' fonts, how long, what to write, which places to hide,
    where kernels come from, and since when each process (None: the company) is observed."""

    folder: Path
    fonts: Path
    timeout: float
    formats: tuple[str, ...]
    names: dict[str, str]
    has_workbook: bool
    cases: bool = True
    nursery: str = ""
    language: str = "en"
    since: dict[str | None, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What came of a unit: `status` done, failed or empty; `files` lie in the run's folder until they are published.

    `lost` are files of a finished report that could not be made, with the reason: a PDF that fails never costs the page.
    """

    report: str
    notebook: str
    process: str | None
    folder: str
    status: str
    title: str = ""
    about: dict[str, Any] = field(default_factory=dict)
    sentences: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    definitions: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    failure: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    # Of these the cells' own; the rest is starting, drawing the page and writing.
    cells_seconds: float = 0.0

    @property
    def headline(self) -> str:
        """The verdict: the first sentence of the answer."""
        return self.sentences[0]["text"] if self.sentences else ""


def make_report(unit: Unit, number: int, job: Job) -> Result:
    """Render one unit; whatever goes wrong is in the result, never raised."""
    started = time.monotonic()
    try:
        folder = job.folder / f"unit-{number:04}"
        run = run_notebook(unit, folder, job.fonts, job.timeout, job.names, job.nursery, job.language)
        if run.failure:
            return failed(unit, run.failure, run.warnings, time.monotonic() - started)
        return _done(unit, run, folder, job, time.monotonic() - started)
    except Exception as error:  # the isolation of one report from the others ends here
        reason = error.args[0] if isinstance(error, FunnelError) else f"{type(error).__name__}: {error}"
        return failed(unit, Failure(reason), (), time.monotonic() - started)


def failed(unit: Unit, failure: Failure, warnings: tuple[str, ...] = (), seconds: float = 0.0) -> Result:
    """The result of a unit that could not be rendered."""
    return Result(unit.name, unit.notebook.stem, unit.process, unit.folder, "failed", source_title(unit),
                  failure=asdict(failure), warnings=warnings, seconds=round(seconds, 1))


def source_title(unit: Unit) -> str:
    """The heading of the notebook before it is run, else its file name."""
    from funnel_lib.report.page import title_of  # nbconvert takes a second: only where a page is made

    return title_of(read_notebook(unit.notebook, unit.language)) or unit.notebook.stem


def _done(unit: Unit, run: Run, folder: Path, job: Job, seconds: float) -> Result:
    from funnel_lib.report.page import page_of, title_of  # nbconvert takes a second: only where a page is made

    notebook = run.notebook if job.cases else without_cases(run.notebook)
    contents = read_contents(notebook)
    files, lost = {}, {}
    home = "../index.html" if unit.folder else "index.html"
    tables = "tables.xlsx" if job.has_workbook and unit.folder else ""
    page = folder / "page.html"
    if {"html", "pdf"} & set(job.formats):
        page.write_text(page_of(notebook, home, tables, job.since.get(unit.process, "")), encoding="utf-8")
    if "html" in job.formats:
        files["html"] = page
    if "pdf" in job.formats:
        reason = write_pdf(page, folder / "page.pdf", job.timeout)
        if reason:
            lost["pdf"] = reason
        else:
            files["pdf"] = folder / "page.pdf"
    if "ipynb" in job.formats:
        files["ipynb"] = folder / "page.ipynb"
        files["ipynb"].write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return Result(unit.name, unit.notebook.stem, unit.process, unit.folder, "done",
                  title_of(notebook) or unit.notebook.stem, files=files, lost=lost, warnings=run.warnings,
                  seconds=round(seconds, 1), cells_seconds=round(run.cells_seconds, 3), **contents)


def read_contents(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """What the index and the workbook take from an executed notebook."""
    from funnel_lib.report.page import shown_data  # nbconvert takes a second: only where a page is made

    about = shown_data(notebook, COMPLETE)
    return {"about": dict(about[-1]) if about else {}, "tables": shown_data(notebook, TABLE),
            "sentences": [one for shown in shown_data(notebook, ANSWER) for one in shown["sentences"]],
            "definitions": [one for shown in shown_data(notebook, DEFINITIONS) for one in shown["entries"]]}
