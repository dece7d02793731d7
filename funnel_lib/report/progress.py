"""How a run is told of while it goes on: a bar with the time left on a terminal, lines of JSON, or failures only."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from funnel_lib.language.messages import Message, joined, message, translate

if TYPE_CHECKING:
    from funnel_lib.report.make import Result


class Quiet:
    """Who hears of a run: a pipe is told of failures only, on the error stream; with `verbose` of every report."""

    def __init__(self, language: str, verbose: bool = False) -> None:
        self.language, self.verbose = language, verbose

    def start(self, count: int) -> None:
        """The run begins with so many reports to make."""

    def result(self, result: Result) -> None:
        """A report is published, or it has failed."""
        if result.status == "failed" or result.lost or self.verbose:
            typer.echo(translate(line_of(result), self.language), err=True)


class JsonLines:
    """Who hears of a run: one line of JSON for its start, each report, and its end, on the output stream."""

    def start(self, count: int) -> None:
        """The run begins with so many reports to make."""
        log_event("start", reports=count)

    def result(self, result: Result) -> None:
        """A report is published, or it has failed."""
        failure = result.failure or {}
        log_event("report", report=result.report, notebook=result.notebook, process=result.process, status=result.status,
                  seconds=result.seconds, headline=result.headline, reason=failure.get("reason"), cell=failure.get("cell"),
                  lost=result.lost)


class Bar:
    """Who hears of a run: a bar on a terminal, with the time left; failures stay above it."""

    def __init__(self, bar: Any, language: str) -> None:
        self.bar, self.language = bar, language
        self.task = bar.add_task(translate(message("reports"), language), total=None)

    def start(self, count: int) -> None:
        """The run begins with so many reports to make."""
        self.bar.update(self.task, total=count)

    def result(self, result: Result) -> None:
        """A report is published, or it has failed."""
        self.bar.advance(self.task)
        if result.status == "failed" or result.lost:
            self.bar.console.print(translate(line_of(result), self.language), markup=False, highlight=False)


@contextmanager
def heard(as_json: bool, verbose: bool, language: str) -> Iterator[JsonLines | Quiet | Bar]:
    """The listener that fits: JSON where it is asked for, the bar on a terminal, else quiet."""
    if as_json:
        yield JsonLines()
    elif not sys.stderr.isatty():
        yield Quiet(language, verbose)
    else:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   TextColumn(translate(message("left"), language)), TimeRemainingColumn())
        with Progress(*columns, transient=True, console=Console(stderr=True)) as bar:
            yield Bar(bar, language)


def log_event(event: str, **values: Any) -> None:
    """One line of the JSON log."""
    moment = datetime.now().astimezone().isoformat(timespec="milliseconds")
    typer.echo(json.dumps({"event": event, "at": moment, **values}, ensure_ascii=False))


_STATUS = {"done": message("done"), "empty": message("empty")}


def line_of(result: Result) -> Message:
    """A result in one line; its reasons are in the language of the reports already."""
    if result.status == "failed":
        cell, reason = result.failure["cell"], " ".join(result.failure["reason"].split())[:200]
        return (message("failed {report}: {reason} (cell {cell})", report=result.report, reason=reason, cell=cell) if cell else
                message("failed {report}: {reason}", report=result.report, reason=reason))
    if result.lost:
        lost = joined(message("no {kind}: {reason}", kind=kind, reason=reason[:200]) for kind, reason in result.lost.items())
        return message("{report}: {lost}", report=result.report, lost=lost)
    return message("{status:6} {report}  {seconds:.1f} s", status=_STATUS[result.status], report=result.report,
                   seconds=result.seconds)
