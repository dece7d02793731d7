"""The real notebooks over ten demonstration processes, a run with nothing to do, and two hundred processes in one run.

`python -m tests.bench.batch_real SIDE FOLDER` runs one side and prints its seconds, its peak memory and its own figures.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.bench import batch_speed, sides
from tests.bench.family import Watch

PROCESSES, MANY, JOBS = 10, 200, 2
PROGRAMS = Path(sys.executable).parent
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def compare() -> list[str]:
    """`funnel report` against the loop of the two commands, which makes every notebook once for one process."""
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([PROGRAMS / "funnel", "demo", Path(name) / "company", "--processes", str(PROCESSES)], check=True,
                       capture_output=True)
        found = sides.in_turn(__spec__.name, {"funnel report": 1, "two commands": 1, "resume": 5, "watched": 1}, name)
    (seconds, _, reports, in_cells, hashing), looped = found["funnel report"][0], found["two commands"][0]
    memory = found["watched"][0][2]
    overhead = (seconds * JOBS - in_cells) / reports
    # One overview for the company, the others for every process.
    loop = looped[2] + PROCESSES * (looped[0] - looped[2])
    again = median(run[0] for run in found["resume"])
    return [f"{reports:.0f} reports of {PROCESSES} processes in {seconds:.0f} s with {JOBS} jobs, {60 * reports / seconds:.1f} a minute; "
            f"the loop of `papermill` and `jupyter nbconvert` would take {loop:.0f} s (each notebook measured once): "
            f"{loop / seconds:.1f} times (bound 2.5).",
            f"In cells {in_cells:.0f} s, so {overhead:.2f} core-seconds of overhead a report (bound 1.6). In a second run, of which the "
            f"memory is looked at: at most {memory:,.0f} MB in all processes together, shared pages counted once (bound 1,500).",
            f"`--resume` with nothing to do: {again:.2f} s, of them {hashing:.2f} s to hash the inputs (bound 1.5 s beside that)."]


def growth() -> list[str]:
    """Memory and open files of a run over two hundred processes, one light report each, at its quarter and at its end."""
    with tempfile.TemporaryDirectory() as name:
        batch_speed.write(Path(name), MANY, 1)
        seconds, _, *figures = sides.in_turn(__spec__.name, {"many": 1}, name)["many"][0]
    early, late, few, many = figures
    return [f"{MANY} processes, one light report each, in {seconds:.0f} s with {JOBS} jobs. Median of the second quarter of the run "
            f"and of the last: {early:,.0f} and {late:,.0f} MB in all processes together, {few:.0f} and {many:.0f} open files."]


def run(side: str, folder: Path) -> None:
    """One side, in this process; its programs are its children."""
    start = time.perf_counter()
    figures = {"funnel report": _funnel, "two commands": _commands, "resume": _resume, "watched": _watched, "many": _many}[side](folder)
    sides.say(start, *figures)


def _funnel(folder: Path) -> list[float]:
    from funnel_lib.report.freshness import fingerprints

    _report(folder, "reports")
    reports = json.loads((folder / "reports" / "manifest.json").read_text(encoding="utf-8"))["reports"]
    start = time.perf_counter()
    fingerprints(folder / "company")
    return [len(reports), sum(report["cells_seconds"] for report in reports), time.perf_counter() - start]


def _report(folder: Path, output: str, *words: str) -> None:
    subprocess.run([PROGRAMS / "funnel", "report", folder / "company", "-o", folder / output, "--jobs", str(JOBS), *words], check=True,
                   capture_output=True)


def _watched(folder: Path) -> list[float]:
    """Looking at the memory of so many processes takes time of its own, so that run is not timed."""
    with Watch() as watch:
        _report(folder, "watched")
    return [max(watch.memory)]


def _commands(folder: Path) -> list[float]:
    """Every notebook for one process; the first, the overview, is told apart."""
    process, taken = _first_process(folder), []
    (folder / "loop").mkdir()
    for notebook in sorted(NOTEBOOKS.glob("0*.ipynb")):
        start, target = time.perf_counter(), folder / "loop" / notebook.name
        chosen = [] if notebook.name.startswith("00") else ["-p", "process", process]
        subprocess.run([PROGRAMS / "papermill", notebook, target, "-p", "company", folder / "company", *chosen, "-k", "python3"],
                       check=True, capture_output=True)
        subprocess.run([PROGRAMS / "jupyter", "nbconvert", "--to", "html", target], check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return [taken[0]]


def _first_process(folder: Path) -> str:
    from funnel_lib import read_company

    return read_company(folder / "company").process_names[0]


def _resume(folder: Path) -> list[float]:
    _report(folder, "reports", "--resume")
    return []


def _many(folder: Path) -> list[float]:
    from funnel_lib import read_company
    from funnel_lib.report import batch

    order = batch.Order(folder / "company", folder / "funnel", notebooks_folder=folder / "notebooks", jobs=JOBS)
    company = read_company(folder / "company")
    with Watch() as watch:
        outcome = batch.run(order, company)
    assert outcome.exit_code == 0 and len(outcome.results) == MANY
    quarter = len(watch.memory) // 4
    return [median(side) for figures in (watch.memory, watch.files) for side in (figures[quarter:2 * quarter], figures[-quarter:])]


if __name__ == "__main__":
    sides.main(run)
