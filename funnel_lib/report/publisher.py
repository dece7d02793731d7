"""Results put into the output folder, and what stands there kept in mind: manifest, index, workbooks."""

from __future__ import annotations

import errno
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import funnel_lib
from funnel_lib.company import Company
from funnel_lib.description import in_language
from funnel_lib.errors import WriteError
from funnel_lib.language.messages import message, translate
from funnel_lib.report import headlines, index, mail, manifest, results
from funnel_lib.report.cases import without_cases
from funnel_lib.report.freshness import Task, outdated_books
from funnel_lib.report.make import Result, read_contents
from funnel_lib.report.neighbours import link_neighbours
from funnel_lib.report.order import Order
from funnel_lib.report.publish import write_together, write_whole
from funnel_lib.report.render import Failure
from funnel_lib.report.units import folder_names, read_notebook
from funnel_lib.report.workbook import ReportTables, workbook_bytes

# The manifest is saved while the run goes on, so that one that is killed loses little of its work.
SAVE_SECONDS = 5.0
_ROOM = message("Make room on the disk, then run this report again.")
_RIGHTS = message("Allow this user to write into the report's folder, then run this report again.")
KINDS = ("html", "pdf", "ipynb", results.KIND)


class Publisher:
    """Puts results into the output folder and remembers what stands there.

    `before` is the manifest as found, `tasks` are all reports of the order, `run` is the run's id and start.
    """

    def __init__(self, order: Order, company: Company, before: dict[str, Any], tasks: list[Task], run: dict[str, Any]) -> None:
        self.order, self.company, self.before, self.tasks, self.run = order, company, before, tasks, run
        self.description = company.description
        self.language = order.language or self.description.language
        self.folders = folder_names(company.process_names)
        self.titles = {name: _title(company, name, self.language) for name in company.process_names}
        self.entries_before = {entry["report"]: entry for entry in before.get("reports", [])}
        self.inputs = {task.unit.name: task.inputs for task in tasks}
        self.entries: dict[str, dict[str, Any]] = {}
        self.left = Counter(task.unit.process for task in tasks if task.reason or not order.resume)
        self.done: dict[str, dict[str, Result]] = {}
        self.books: set[str] = set()
        self.saved = -SAVE_SECONDS

    def publish(self, result: Result) -> Result:
        """Move a report's files to their places; one that cannot be written is a failed one."""
        try:
            result = self._publish(self._said(result))
        except OSError as error:
            reason = message("could not be written: {reason}", reason=error.strerror or error)
            advice = _RIGHTS if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) else _ROOM
            result = self._said(replace(result, status="failed", files={}, failure=vars(Failure(reason, advice=advice))))
        self.entries[result.report] = self._entry(result)
        self._keep(result)
        self._save()
        return result

    def _keep(self, result: Result) -> None:
        """Remember a report's tables; with the last report of a process its workbook is written, while others are rendered."""
        self.left[result.process] -= 1
        if result.process is None or "xlsx" not in self.order.formats:
            return
        if result.status == "done":
            self.done.setdefault(result.process, {})[result.notebook] = result
        if result.process in self.done and not self.left[result.process]:
            self._write_workbook(result.process)  # one that could not be written is tried again at the end, and told of

    def _said(self, result: Result) -> Result:
        """The result with what went wrong in the language of the reports."""
        failure = result.failure and {**result.failure, **{part: translate(result.failure[part], self.language)
                                                           for part in ("reason", "advice")}}
        return replace(result, failure=failure, lost={kind: translate(why, self.language) for kind, why in result.lost.items()})

    def _entry(self, result: Result) -> dict[str, Any]:
        return manifest.entry_of(result, _now(), self.entries_before.get(result.report), self.inputs[result.report])

    def _publish(self, result: Result) -> Result:
        target = self.order.output / result.report
        places = {kind: target.with_name(f"{target.name}.{kind}") for kind in (*KINDS, "error.html")}
        if result.status == "failed":
            write_whole(places["error.html"], index.error_page(
                self._entry(result), self.company.name, self._title(result), self._asked_end(), self.language, _home(result)))
            return result
        if result.status == "empty":
            write_whole(places["html"], index.empty_page(
                result.title, self.company.name, self._title(result), self._asked_end(), self.language, _home(result)))
            result = replace(result, files={"html": places["html"]})
        else:
            numbers = results.results_text(result, self._observed_from(result.process))
            rendered = {places[kind]: path.read_bytes() for kind, path in result.files.items()}
            write_together({**rendered, places[results.KIND]: numbers})
            result = replace(result, files={**result.files, results.KIND: places[results.KIND]})
        self._remove_outdated(result, places)
        return result

    def _observed_from(self, process: str | None) -> str | None:
        since = self.company.process(process).observed_from if process is not None else None
        return since.isoformat() if since is not None else None

    def _remove_outdated(self, result: Result, places: dict[str, Path]) -> None:
        """What must not stand beside the new report: its error page, an older PDF where the new one failed, a fuller file of
        an empty process or with cases."""
        left = [kind for kind in KINDS if kind not in result.files] if result.status == "empty" or not self.order.cases else []
        for kind in ["error.html", *left, *result.lost]:
            places[kind].unlink(missing_ok=True)
        if not self.order.cases and result.folder and "xlsx" not in self.order.formats:
            (self.order.output / result.folder / "tables.xlsx").unlink(missing_ok=True)

    def _save(self) -> None:
        """The manifest of an unfinished run, now and then; a disk that is full is told of by the reports."""
        if time.monotonic() - self.saved < SAVE_SECONDS:
            return
        try:
            self._write_manifest(finished_at=None)
        except OSError:
            return
        self.saved = time.monotonic()

    def _title(self, result: Result) -> str:
        return self.titles.get(result.process, "")

    def finish(self) -> None:
        """Workbooks that are missing, links from page to page, index, and the manifest last.

        Raises `WriteError` for a workbook that could not be written, when all the rest is there.
        """
        outdated = outdated_books(self.order, [task.unit for task in self.tasks], self.before)
        missing = [name for name, folder in self.folders.items() if name in self.done or folder in outdated]
        refused = dict(filter(None, (self._write_workbook(process) for process in missing if process not in self.books)))
        books = {folder for folder in self.folders.values() if (self.order.output / folder / "tables.xlsx").is_file()}
        every = self._every()
        link_neighbours(self.order.output, every, self.language)
        write_whole(self.order.output / mail.NAME, mail.mail_bytes(
            self.company.name, self._as_of(), self.language, self.titles, every,
            headlines.rows(every, self.titles, self._stale(every), self.language)))
        write_whole(self.order.output / "index.html", index.index_page(
            self.company.name, self._as_of(), self.language, self.titles, self.folders, every, books, self._stale(every)))
        self._write_manifest(finished_at=None if refused else _now())  # `--resume` writes the workbooks of a run cut short
        for path, error in refused.items():
            raise WriteError(message("{path}: could not be written ({reason}); close it where it is open, or make room, then run "
                                     "again with --resume", path=path, reason=error.strerror)) from error

    def _stale(self, entries: list[dict[str, Any]]) -> set[str]:
        """Published reports of other data or another description than this run's; those of a database are of its own moment."""
        now = self.tasks[0].inputs
        return {entry["report"] for entry in entries if entry["status"] != "failed" and any(
            entry.get("inputs", {}).get(name) != now[name] or (now[name] is None and entry["report"] not in self.entries)
            for name in ("data", "description"))}

    def _write_manifest(self, finished_at: str | None) -> None:
        every = self._every()
        failed = sum(entry["status"] == "failed" for entry in self.entries.values())
        write_whole(self.order.output / manifest.NAME, manifest.manifest_text(
            {**self.run, "finished_at": finished_at, "version": funnel_lib.__version__, "failed_count": failed,
             "formats": list(self.order.formats)},
            {"name": self.company.name, "as_of": self._as_of(), "language": self.language,
             "processes": self.company.process_names, "description": self.tasks[0].inputs["description"],
             "not_reported": [name for name in self.company.process_names if name not in {entry["process"] for entry in every}]},
            every))

    def _asked_end(self) -> str:
        """The end of observation as far as it was said before anything was made."""
        return self.order.as_of or str(self.description.as_of or "")

    def _as_of(self) -> str:
        """The end of observation of this run's reports, those that were up to date included."""
        asked = [self.entries.get(name) or self.entries_before.get(name) or {} for name in self.inputs]
        return max((entry.get("as_of") or "" for entry in asked), default="")

    def _every(self) -> list[dict[str, Any]]:
        notebooks = sorted({entry["notebook"] for entry in [*self.entries_before.values(), *self.entries.values()]})
        order = [*notebooks, *(f"{folder}/{name}" for folder in self.folders.values() for name in notebooks)]
        return manifest.merged(self.before, list(self.entries.values()), self.company.process_names, order)

    def _write_workbook(self, process: str) -> tuple[Path, OSError] | None:
        """The workbook of a process; tables of reports that were not made in this run come from their published notebooks. Where it
        cannot be written, its place and the reason."""
        folder = self.order.output / self.folders[process]
        contents = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
        fresh = self.done.get(process, {})
        reports = [_tables_of(fresh[name]) if name in fresh else self._published_tables(contents[name])
                   for name in sorted(contents.keys() | fresh.keys())]
        if reports:
            labels = self.description.labels(process, self.language)
            book = workbook_bytes(reports, self.language, self.description.currency, self.titles[process], labels)
            try:
                write_whole(folder / "tables.xlsx", book)
            except OSError as error:  # open in Excel on Windows, say
                return folder / "tables.xlsx", error
        self.books.add(process)
        return None

    def _published_tables(self, path: Path) -> ReportTables:
        from funnel_lib.report.page import title_of  # nbconvert takes a second: only where a page is made

        notebook = read_notebook(path)
        found = read_contents(notebook if self.order.cases else without_cases(notebook))
        return ReportTables(path.stem, found["tables"], found["definitions"], title_of(notebook))


def _tables_of(result: Result) -> ReportTables:
    return ReportTables(result.notebook, result.tables, result.definitions, result.title)


def _home(result: Result) -> str:
    return "../index.html" if result.folder else "index.html"


def _title(company: Company, name: str, language: str) -> str:
    return in_language(company.description.processes[name].name, language, name)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
