"""One notebook run in its own kernel, and whether the run can be believed."""

from __future__ import annotations

import logging
import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from funnel_lib.errors import FunnelError
from funnel_lib.language.messages import SOURCE_LANGUAGE, Message, message
from funnel_lib.pages.shown import COMPLETE, DEFINITIONS, TABLE
from funnel_lib.pages.text import completed
from funnel_lib.report.kernels import KERNEL, hide_places, surroundings
from funnel_lib.report.units import Unit, read_notebook

ESCAPE_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
CELL_FILE = re.compile(r"\S*ipykernel_\d+[/\\]\d+\.py")
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")
START_SECONDS = 60
# Papermill's tag of the cell with the values given; it is not among the cells of the notebook as written.
INJECTED = "injected-parameters"
OWN_ERRORS = {"CallError", "DataError", "MeasureError", "WriteError", "FunnelError"}


@dataclass(frozen=True)
class Failure:
    """Why a report was not made: the reason in words, the code cell (counted from 1), its section, technical details.

    Reason and advice are messages until the report is published in the language of its readers.
    """

    reason: str
    cell: int | None = None
    section: str = ""
    details: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Run:
    """What came of one notebook: the cleaned notebook, or the failure; what the kernel wrote to its error stream, and how long
    the cells themselves ran."""

    notebook: nbformat.NotebookNode | None
    failure: Failure | None
    warnings: tuple[str, ...] = ()
    cells_seconds: float = 0.0


@dataclass
class Clock:
    """Seconds left for the whole notebook; remembers the cell that is running."""

    seconds: float
    started: float = field(default_factory=time.monotonic)
    cell: Any = None

    def __call__(self, cell: Any) -> int:
        self.cell = cell
        return max(1, round(self.started + self.seconds - time.monotonic()))


def run_notebook(unit: Unit, folder: Path, shared: Path, timeout: float, names: dict[str, str], nursery: str = "",
                 language: str = "en") -> Run:
    """Run the unit's notebook in `folder`, which must be new; `names` are places to hide and what to show for them, `nursery`
    the address of the parent of kernels; this package's errors are said in `language`.

    A run is a success only if the call returned, every code cell has run, none ended in an error, and the last one
    marked the report as complete; what the notebook's metadata says of itself is not asked.
    """
    source = read_notebook(unit.notebook, unit.language)
    clock = Clock(timeout)
    names = {str(folder): "", **names}
    folder.mkdir(parents=True)
    try:
        with surroundings(folder / "kernel", shared, nursery, language):
            notebook = _execute(source, unit, folder, clock)
    except Exception as error:  # whatever a notebook does must cost this report only
        return Run(None, _failure(error, clock, source, names))
    failure = _doubt(notebook)
    seconds = sum(cell.metadata.get("papermill", {}).get("duration") or 0.0 for cell in notebook.cells)
    return Run(None if failure else cleaned(notebook, names), failure, _warnings(notebook, names), seconds)


def _execute(source: nbformat.NotebookNode, unit: Unit, folder: Path, clock: Clock) -> nbformat.NotebookNode:
    """Papermill's run; a kernel that dies before its first cell (two kernels took one port) gets a second try."""
    import papermill  # takes half a second: only where something is rendered
    from nbclient.exceptions import DeadKernelError
    from traitlets.config import Config

    # Failures are told in the index; files in the kernel's folder serve one report, ports are raced for by all.
    logging.getLogger("papermill").setLevel(logging.CRITICAL + 1)
    config = Config({"AsyncKernelManager": {"client_class": "funnel_lib.report.forked.PromptClient"}})
    if os.name != "nt":
        config.KernelManager.transport = "ipc"

    def attempt() -> nbformat.NotebookNode:
        return papermill.execute_notebook(
            source, None, parameters=unit.parameters, kernel_name=KERNEL, language="python", cwd=folder,
            progress_bar=False, start_timeout=START_SECONDS, timeout_func=clock, shutdown_kernel="immediate", config=config)

    try:
        return attempt()
    except (DeadKernelError, RuntimeError, FunnelError):
        if clock.cell is not None:
            raise
        return attempt()


def _failure(error: Exception, clock: Clock, source: nbformat.NotebookNode, names: dict[str, str]) -> Failure:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    if isinstance(error, PapermillExecutionError):
        reason, advice = _error_words(error.ename, error.evalue)
        details = hide(("\n".join(error.traceback)), names)
        reason = reason if isinstance(reason, Message) else hide(reason, names)
        return Failure(reason, *_place(error.source, source), details, advice)
    place = _place(clock.cell.source, source) if clock.cell is not None else (None, "")
    if isinstance(error, CellTimeoutError):
        return Failure(message("timed out after {seconds:g} s", seconds=clock.seconds), *place,
                       advice=message("Give it more time with --timeout, or ask for a shorter period."))
    if isinstance(error, DeadKernelError):
        return Failure(message("kernel died (out of memory?)"), *place,
                       advice=message("Close other programs or use fewer --jobs, then run this report again."))
    if isinstance(error, FunnelError):
        return Failure(error.args[0], *place, advice=message("Use fewer --jobs, then run this report again."))
    return Failure(hide(f"{type(error).__name__}: {error}", names), *place)


def _error_words(name: str, value: str) -> tuple[str, str]:
    """The reason as said by this package's own errors; other errors with their kind."""
    if name == "SystemExit":
        return message("the notebook stopped itself (sys.exit) before its end"), message("Take the exit out of the notebook.")
    if name in OWN_ERRORS:
        return value, ""
    return f"{name}: {value}" if value else name, ""


def _place(code: str, notebook: nbformat.NotebookNode) -> tuple[int | None, str]:
    """Number of the code cell with this source in the notebook as written, and the heading above it."""
    number, section = 0, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+\s+(.+?)\s*$", cell.source, flags=re.MULTILINE)
            section = headings[-1] if headings else section
        elif cell.cell_type == "code" and INJECTED not in cell.metadata.get("tags", []):
            number += 1
            if cell.source == code:
                return number, section
    return None, ""


def _doubt(notebook: nbformat.NotebookNode) -> Failure | None:
    """A reason not to believe a run that returned."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    for cell in code:
        for output in cell.outputs:
            if output.output_type == "error":
                reason, advice = _error_words(output.ename, output.evalue)
                return Failure(reason, *_place(cell.source, notebook), advice=advice)
    for cell in code:
        if cell.execution_count is None:
            return Failure(message("the run ended before this cell"), *_place(cell.source, notebook))
    marked = [cell for cell in code if "report-complete" in cell.metadata.get("tags", [])]
    if not marked or not any(COMPLETE in output.get("data", {}) for output in marked[-1].outputs):
        return Failure(message("the cell that marks the report as complete is missing or said nothing"),
                       advice=message("End the notebook with `pages.complete(process)` in a cell tagged 'report-complete'."))
    return None


def _warnings(notebook: nbformat.NotebookNode, names: dict[str, str]) -> tuple[str, ...]:
    texts = [hide(output.text, names) for cell in notebook.cells for output in cell.get("outputs", [])
             if output.output_type == "stream" and output.name == "stderr"]
    return tuple(text.strip() for text in texts if text.strip())


def hide(text: str, names: dict[str, str]) -> str:
    """Text of a kernel without colours, directories, process numbers and addresses: equal from run to run."""
    return ADDRESS.sub("0x…", CELL_FILE.sub("<cell>", hide_places(ESCAPE_CODES.sub("", text), names)))


def cleaned(notebook: nbformat.NotebookNode, names: dict[str, str]) -> nbformat.NotebookNode:
    """The notebook as published: the same bytes for the same input, nothing about this machine, no column without definition."""
    cells = [_cleaned_cell(cell, number, names) for number, cell in enumerate(notebook.cells, start=1)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "cells": _defined(cells),
                               "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}})


def _defined(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cells; the last definitions among their outputs completed for every column of the tables shown."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    shown = [output["data"] for output in outputs if "data" in output]
    columns = [column["key"] for data in shown if TABLE in data for column in data[TABLE]["columns"]]
    language = next((data[COMPLETE]["language"] for data in shown if COMPLETE in data), SOURCE_LANGUAGE)
    for output in [output for output in outputs if DEFINITIONS in output.get("data", {})][-1:]:
        output["data"] = completed(output["data"], columns, language)
    return cells


def _cleaned_cell(cell: nbformat.NotebookNode, number: int, names: dict[str, str]) -> dict[str, Any]:
    tags = cell.metadata.get("tags", [])
    kept = {"cell_type": cell.cell_type, "id": f"cell-{number:02}", "source": hide_places(cell.source, names),
            "metadata": {"tags": list(tags)} if tags else {}}
    if cell.cell_type == "markdown" and cell.get("attachments"):
        kept["attachments"] = cell.attachments
    if cell.cell_type == "code":
        kept |= {"execution_count": cell.execution_count, "outputs": [_cleaned_output(out, names) for out in cell.outputs]}
    return kept


def _cleaned_output(output: nbformat.NotebookNode, names: dict[str, str]) -> dict[str, Any]:
    kept = {key: value for key, value in output.items() if key != "transient"}
    if "text" in kept:
        kept["text"] = hide(kept["text"], names)
    if "data" in kept:
        kept["data"] = {mime: hide(value, names) if mime.startswith("text/") and isinstance(value, str) else value
                        for mime, value in sorted(kept["data"].items())}
    return kept
