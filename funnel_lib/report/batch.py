"""The run: every report on its own, failures isolated, results published as they come, then workbooks and index."""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import funnel_lib
from funnel_lib.company import Company
from funnel_lib.description import in_language
from funnel_lib.errors import CallError, FunnelError
from funnel_lib.report import index, manifest
from funnel_lib.report.forked import nursery
from funnel_lib.report.kernels import common_environment, prepare_fonts
from funnel_lib.report.make import Job, Result, failed, make_report, read_contents, source_title
from funnel_lib.report.publish import check_output, run_folder, write_whole
from funnel_lib.report.render import Failure
from funnel_lib.report.units import Unit, find_notebooks, folder_names, notebooks_folder, plan, read_notebook
from funnel_lib.report.workbook import ReportTables, workbook_bytes

FORMATS = ("html", "ipynb", "xlsx")
TIMEOUT_SECONDS = 600.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """What is asked for: company, output, and how; empty `processes` and `notebooks` mean all."""

    company: Path
    output: Path
    processes: tuple[str, ...] = ()
    notebooks: tuple[str, ...] = ()
    notebooks_folder: Path | None = None
    language: str | None = None
    as_of: str | None = None
    formats: tuple[str, ...] = FORMATS
    jobs: int | None = None
    timeout: float = TIMEOUT_SECONDS


@dataclass(frozen=True)
class Outcome:
    """The run's results in the order of the index, and what the call returns to the shell: 0, or 1 if any failed."""

    results: list[Result]
    index: Path

    @property
    def exit_code(self) -> int:
        return int(any(result.status == "failed" for result in self.results))


def planned(order: Order, company: Company) -> list[Unit]:
    """The reports to make. Raises `CallError` for anything that does not exist; nothing is written."""
    for name in order.formats:
        if name not in FORMATS:
            raise CallError(f"format {name!r} is not available; there are {', '.join(FORMATS)}")
    folder = order.notebooks_folder or notebooks_folder()
    parameters = {"company": str(order.company.resolve()), "language": order.language, "as_of": order.as_of}
    return plan(find_notebooks(folder, order.notebooks), company.process_names, order.processes, parameters)


def run(order: Order, company: Company, on_start: Callable[[int], None] = lambda count: None,
        on_result: Callable[[Result], None] = lambda result: None) -> Outcome:
    """Make every report of the order. `on_start` hears how many there are, `on_result` each one when it is published.

    Raises `CallError` before anything is written where the order cannot be carried out.
    """
    units = planned(order, company)
    check_output(order.output, order.company)
    started = datetime.now().astimezone()
    run_id = uuid.uuid4().hex[:12]
    on_start(len(units))
    with run_folder(order.output, run_id) as folder:
        before = manifest.read_manifest(order.output)
        publisher = _Publisher(order, company, before)
        results = []
        for result in _results(units, order, company, folder):
            results.append(publisher.publish(result))
            on_result(results[-1])
        place = {unit.name: at for at, unit in enumerate(units)}
        results.sort(key=lambda result: place[result.report])
        publisher.finish(results, {"id": run_id, "started_at": started.isoformat(timespec="seconds")})
    return Outcome(results, order.output / "index.html")


def _results(units: list[Unit], order: Order, company: Company, folder: Path) -> Iterator[Result]:
    """Results as they come: of empty and unreadable processes at once, of the others by the workers."""
    states = {name: _state(company, name) for name in dict.fromkeys(unit.process for unit in units)}
    to_run = []
    for number, unit in enumerate(units):
        if states[unit.process] is None:
            to_run.append((number, unit))
        else:
            yield states[unit.process](unit)
    if not to_run:
        return
    shared = folder / "matplotlib"
    prepare_fonts(shared)
    with nursery(common_environment(shared)) as address:
        job = Job(folder, order.timeout, order.formats, _names(order), os.getpid(), "xlsx" in order.formats, address)
        yield from _rendered(to_run, job, order.jobs or os.cpu_count() or 1)


def _state(company: Company, name: str | None) -> Callable[[Unit], Result] | None:
    """None for a process that can be rendered; else what makes the result without a kernel."""
    if name is None:
        return None
    try:
        process = company.process(name)
        return _empty if process.is_empty else None
    except FunnelError as error:
        reason = str(error)
        return lambda unit: failed(unit, Failure(reason, advice="See `funnel check` for the findings on the data."))


def _empty(unit: Unit) -> Result:
    return Result(unit.name, unit.notebook.stem, unit.process, unit.folder, "empty", source_title(unit))


def _names(order: Order) -> dict[str, str]:
    """The company's directory, and what a published notebook shows for it."""
    path = order.company.resolve()
    here = Path.cwd()
    shown = path.relative_to(here).as_posix() if path.is_relative_to(here) and path != here else path.name
    return {str(path): shown}


def _rendered(to_run: list[tuple[int, Unit]], job: Job, jobs: int) -> Iterator[Result]:
    """Results of the workers. A worker that is killed takes the whole pool with it: the rest is run one by one."""
    from joblib import Parallel, delayed  # takes a while: only where something is rendered
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    left = {unit.name: (number, unit) for number, unit in to_run}
    jobs = max(1, min(jobs, len(to_run)))
    try:
        calls = (delayed(make_report)(unit, number, job) for number, unit in to_run)
        for result in Parallel(n_jobs=jobs, prefer="processes", return_as="generator_unordered", batch_size=1)(calls):
            del left[result.report]
            yield result
    except TerminatedWorkerError:
        log.warning("a worker died; %s reports are run one by one", len(left))
        for number, unit in left.values():
            shutil.rmtree(job.folder / f"unit-{number:04}", ignore_errors=True)
            yield _alone(unit, number, job)


def _alone(unit: Unit, number: int, job: Job) -> Result:
    """One unit in a pool of its own, so that the one that kills its worker is known."""
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    try:
        return next(iter(Parallel(n_jobs=2, prefer="processes")([delayed(make_report)(unit, number, job)])))
    except TerminatedWorkerError:
        return failed(unit, Failure("the rendering process died (out of memory?)", advice="Use fewer --jobs."))


class _Publisher:
    """Puts results into the output folder and remembers what stands there."""

    def __init__(self, order: Order, company: Company, before: dict[str, Any]) -> None:
        self.order, self.company, self.before = order, company, before
        self.description = company.description
        self.language = order.language or self.description.language
        self.folders = folder_names(company.process_names)
        self.titles = {name: _title(company, name, self.language) for name in company.process_names}
        self.entries_before = {entry["report"]: entry for entry in before.get("reports", [])}

    def publish(self, result: Result) -> Result:
        """Move a report's files to their places; one that cannot be written is a failed one."""
        try:
            return self._publish(result)
        except OSError as error:
            reason = f"could not be written: {error.strerror or error}"
            return replace(result, status="failed", files={}, failure=vars(Failure(
                reason, advice="Make room on the disk, then run this report again.")))

    def _publish(self, result: Result) -> Result:
        target = self.order.output / result.report
        error_path = target.with_name(target.name + ".error.html")
        if result.status == "failed":
            entry = manifest.entry_of(result, "", self.entries_before.get(result.report))
            write_whole(error_path, index.error_page(entry, self.company.name, self._title(result), self.language,
                                                     _home(result)))
            return result
        if result.status == "empty":
            write_whole(target.with_name(target.name + ".html"), index.empty_page(
                result.title, self.company.name, self._title(result), self.language, _home(result)))
            target.with_name(target.name + ".ipynb").unlink(missing_ok=True)
            result = replace(result, files={"html": target})
        else:
            for kind, path in result.files.items():
                write_whole(target.with_name(f"{target.name}.{kind}"), path.read_bytes())
        error_path.unlink(missing_ok=True)
        return result

    def _title(self, result: Result) -> str:
        return self.titles.get(result.process, "")

    def finish(self, results: list[Result], run: dict[str, Any]) -> None:
        """Workbooks, index, and the manifest last."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        entries = [manifest.entry_of(result, now, self.entries_before.get(result.report)) for result in results]
        every = manifest.merged(self.before, entries, self.company.process_names, self._report_order(results))
        if "xlsx" in self.order.formats:
            self._write_workbooks(results)
        as_of = max((entry.get("as_of") or "" for entry in entries), default="")
        books = {folder for folder in self.folders.values() if (self.order.output / folder / "tables.xlsx").is_file()}
        write_whole(self.order.output / "index.html", index.index_page(
            self.company.name, as_of, self.language, self.titles, self.folders, every, books))
        write_whole(self.order.output / manifest.NAME, manifest.manifest_text(
            {**run, "finished_at": now, "version": funnel_lib.__version__, "failed_count": _count(results, "failed"),
             "formats": list(self.order.formats)},
            {"name": self.company.name, "as_of": as_of, "language": self.language, "processes": self.company.process_names},
            every))

    def _report_order(self, results: list[Result]) -> list[str]:
        notebooks = sorted({entry["notebook"] for entry in self.entries_before.values()} | {one.notebook for one in results})
        return [*notebooks, *(f"{folder}/{name}" for folder in self.folders.values() for name in notebooks)]

    def _write_workbooks(self, results: list[Result]) -> None:
        """One workbook per process of this run; tables of its other reports come from their published notebooks."""
        for process in dict.fromkeys(one.process for one in results if one.process is not None and one.status == "done"):
            folder = self.order.output / self.folders[process]
            contents = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
            fresh = {one.notebook: one for one in results if one.process == process and one.status == "done"}
            reports = [_tables_of(fresh[name]) if name in fresh else _published_tables(contents[name])
                       for name in sorted(contents.keys() | fresh.keys())]
            currency = self.description.currency
            write_whole(folder / "tables.xlsx", workbook_bytes(reports, self.language, currency, self.titles[process]))


def _tables_of(result: Result) -> ReportTables:
    return ReportTables(result.notebook, result.tables, result.definitions)


def _published_tables(path: Path) -> ReportTables:
    found = read_contents(read_notebook(path))
    return ReportTables(path.stem, found["tables"], found["definitions"])


def _home(result: Result) -> str:
    return "../index.html" if result.folder else "index.html"


def _count(results: Iterable[Result], status: str) -> int:
    return sum(result.status == status for result in results)


def _title(company: Company, name: str, language: str) -> str:
    return in_language(company.description.processes[name].name, language, name)
