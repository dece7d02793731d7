"""The run: every report on its own, failures isolated, results published as they come, then workbooks and index."""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from funnel_lib.company import Company
from funnel_lib.errors import FunnelError
from funnel_lib.language.messages import message
from funnel_lib.report import freshness, manifest
from funnel_lib.report.kernels import Nursery
from funnel_lib.report.make import Job, Result, failed, make_report, source_title
from funnel_lib.report.order import Order, planned, shown_names
from funnel_lib.report.orphans import end_with, interruptions_held_back
from funnel_lib.report.publish import check_output, run_folder
from funnel_lib.report.publisher import Publisher
from funnel_lib.report.render import Failure
from funnel_lib.report.units import Unit

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """The run's results in the order of the index, how many reports were up to date, and what the call returns to the
    shell: 0, or 1 if any failed or lost a file."""

    results: list[Result]
    index: Path
    kept_count: int = 0

    @property
    def exit_code(self) -> int:
        return int(any(result.status == "failed" or result.lost for result in self.results))


def run(order: Order, company: Company, on_start: Callable[[int], None] = lambda count: None,
        on_result: Callable[[Result], None] = lambda result: None, prints: dict[str, str] | None = None,
        nursery: Nursery | None = None) -> Outcome:
    """Make every report of the order. `on_start` hears how many there are, `on_result` each one when it is published.

    `prints` are the hashes of the company's files from before it was read, `nursery` the parent of kernels if it was started
    then; it is closed at the end. Raises `CallError` before anything is written where the order cannot be carried out.
    """
    planned(order, company.process_names)
    check_output(order.output, order.company)
    started = datetime.now().astimezone()
    run_id = uuid.uuid4().hex[:12]
    prints = prints or freshness.fingerprints(order.company)
    with run_folder(order.output, run_id) as folder:
        before = manifest.read_manifest(order.output)
        tasks = freshness.tasks(order, company.process_names, before, prints)
        units = [replace(task.unit, language=task.unit.language or company.description.language)
                 for task in tasks if task.reason or not order.resume]
        publisher = Publisher(order, company, before, tasks, {"id": run_id, "started_at": started.isoformat(timespec="seconds")})
        on_start(len(units))
        results = []
        for result in _results(units, order, company, folder, nursery):
            results.append(publisher.publish(result))
            on_result(results[-1])
        place = {task.unit.name: at for at, task in enumerate(tasks)}
        results.sort(key=lambda result: place[result.report])
        publisher.finish()
    return Outcome(results, order.output / "index.html", len(tasks) - len(units))


def _results(units: list[Unit], order: Order, company: Company, folder: Path, nursery: Nursery | None) -> Iterator[Result]:
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
    # Closed before the run's folder is removed, in which its kernels work.
    with closing(nursery or Nursery()) as kernels:
        job = Job(folder, kernels.fonts, order.timeout, order.formats, shown_names(order), "xlsx" in order.formats, order.cases,
                  kernels.address, order.language or company.description.language,
                  {unit.process: _since(company, unit.process) for _, unit in to_run})
        yield from _rendered(to_run, job, order.jobs or os.cpu_count() or 1)


def _since(company: Company, name: str | None) -> str:
    """When observation began, where that is known."""
    since = company.description.observed_from if name is None else company.process(name).observed_from
    return str(since or "")


def _state(company: Company, name: str | None) -> Callable[[Unit], Result] | None:
    """None for a process that can be rendered; else what makes the result without a kernel."""
    if name is None:
        return None
    try:
        process = company.process(name)
        return _empty if process.is_empty else None
    except FunnelError as error:
        reason, advice = error.args[0], message("See `funnel check` for the findings on the data.")
        return lambda unit: failed(unit, Failure(reason, advice=advice))


def _empty(unit: Unit) -> Result:
    return Result(unit.name, unit.notebook.stem, unit.process, unit.folder, "empty", source_title(unit))


def _rendered(to_run: list[tuple[int, Unit]], job: Job, jobs: int) -> Iterator[Result]:
    """Results of the workers. A worker that is killed takes the whole pool with it: the rest is run one by one."""
    from joblib import delayed  # takes a while: only where something is rendered
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    left = {unit.name: (number, unit) for number, unit in to_run}
    jobs = max(1, min(jobs, len(to_run)))
    try:
        calls = (delayed(make_report)(unit, number, job) for number, unit in to_run)
        for result in _spread(jobs, calls):
            del left[result.report]
            yield result
    except TerminatedWorkerError:
        log.warning("a worker died; %s reports are run one by one", len(left))
        for number, unit in left.values():
            shutil.rmtree(job.folder / f"unit-{number:04}", ignore_errors=True)
            yield _alone(unit, number, job)


def _alone(unit: Unit, number: int, job: Job) -> Result:
    """One unit in a pool of its own, so that the one that kills its worker is known."""
    from joblib import delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    try:
        [result] = _spread(2, [delayed(make_report)(unit, number, job)])
        return result
    except TerminatedWorkerError:
        return failed(unit, Failure(message("the rendering process died (out of memory?)"), advice=message("Use fewer --jobs.")))


def _spread(jobs: int, calls: Iterable[Any]) -> Iterator[Result]:
    """Results as they come from so many workers, which end with this process, even if it is killed while they start."""
    from joblib import Parallel

    pool = Parallel(n_jobs=jobs, prefer="processes", return_as="generator_unordered", batch_size=1,
                    initializer=end_with, initargs=(os.getpid(),))
    with interruptions_held_back():
        return pool(calls)
