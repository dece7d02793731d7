"""How a run is told of while it goes on: a bar with the time left on a terminal, lines of JSON, or failures only."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from funnel_lib.report.make import Result


class Quiet:
    """Who hears of a run: a pipe is told of failures only, on the error stream; with `verbose` of every report."""

    def __init__(self, verbose: bool = False) -> None:
        self.verbose = verbose

    def start(self, count: int) -> None:
        """The run begins with so many reports to make."""

    def result(self, result: Result) -> None:
        """A report is published, or it has failed."""
        if result.status == "failed" or result.lost or self.verbose:
            typer.echo(line_of(result), err=True)


class JsonLines:
    """Who hears of a run: one line of JSON for its start, each report, and its end, on the output stream."""

    def start(self, count: int) -> None:
        """The run begins with so many reports to make."""
        say("start", reports=count)

    def result(self, result: Result) -> None:
        """A report is published, or it has failed."""
        failure = result.failure or {}
        say("report", report=result.report, notebook=result.notebook, process=result.process, status=result.status,
            seconds=result.seconds, headline=result.headline, reason=failure.get("reason"), cell=failure.get("cell"),
            lost=result.lost)


class Bar:
    """Who hears of a run: a bar on a terminal, with the time left; failures stay above it."""

    def __init__(self, bar: Any) -> None:
        self.bar = bar
        self.task = bar.add_task("reports", total=None)

    def start(self, count: int) -> None:
        """The run begins with so many reports to make."""
        self.bar.update(self.task, total=count)

    def result(self, result: Result) -> None:
        """A report is published, or it has failed."""
        self.bar.advance(self.task)
        if result.status == "failed" or result.lost:
            self.bar.console.print(line_of(result), markup=False, highlight=False)


@contextmanager
def heard(as_json: bool, verbose: bool) -> Iterator[JsonLines | Quiet | Bar]:
    """The listener that fits: JSON where it is asked for, the bar on a terminal, else quiet."""
    if as_json:
        yield JsonLines()
    elif not sys.stderr.isatty():
        yield Quiet(verbose)
    else:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
                   TimeRemainingColumn())
        with Progress(*columns, transient=True, console=Console(stderr=True)) as bar:
            yield Bar(bar)


def say(event: str, **values: Any) -> None:
    """One line of the JSON log."""
    moment = datetime.now().astimezone().isoformat(timespec="milliseconds")
    typer.echo(json.dumps({"event": event, "at": moment, **values}, ensure_ascii=False))


def line_of(result: Result) -> str:
    """A result in one line."""
    if result.status == "failed":
        cell = f" (cell {result.failure['cell']})" if result.failure["cell"] else ""
        return f"failed {result.report}: {' '.join(result.failure['reason'].split())[:200]}{cell}"
    if result.lost:
        return f"{result.report}: " + "; ".join(f"no {kind}: {reason[:200]}" for kind, reason in result.lost.items())
    return f"{result.status:6} {result.report}  {result.seconds:.1f} s"
