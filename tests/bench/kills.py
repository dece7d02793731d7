"""Real runs of `funnel report`, of which a random process is killed at a random moment; what must hold afterwards.

The oracle is the bytes of two runs that nobody disturbed, each on its own data: a file under the output equals that of the one or of
the other, and in the end every file equals that of the data at hand.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.report.small_reports import code, report_cells, write_company, write_notebooks

MARK = "FUNNEL_TEST_MARK"
KINDS = ("parent", "worker", "kernel", "nursery")
# A number of the data in the page, the notebook, the workbook, the results and the index.
COUNTED = """\
with open(company + "/leads.csv", encoding="utf-8") as stream:
    counts["leads_count"] = len(stream.readlines())
pages.answer([f"{counts['leads_count'][0]} lines in the file of leads."], chosen)"""
SHOWN = 'pages.show(counts, "Lines of the file", chosen)'
END_SECONDS = 5.0
FINISHED_EVERY = 10
# These tell of several reports, each as it stands when they are written.
SEVERAL = ("index.html", "summary.eml", "tables.xlsx")


@dataclass(frozen=True)
class Process:
    """A living process of a run: its number, its parent's, and what it is."""

    pid: int
    parent: int
    command: str


def processes(mark: str) -> list[Process]:
    """Living processes that carry the mark in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                command = (folder / "cmdline").read_bytes().decode().replace("\0", " ")
                found += [Process(int(folder.name), int(parent), command)] if state not in "ZX" else []
        except OSError:
            continue  # it has ended meanwhile
    return found


def victims(mark: str, kind: str) -> list[int]:
    """The processes of a run that are of this kind; a forked kernel looks like the nursery that it is a child of."""
    found = processes(mark)
    nurseries = {one.pid for one in found if "report.nursery" in one.command}
    chosen = {
        "parent": lambda one: "funnel_lib.cli" in one.command,
        "worker": lambda one: "popen_loky" in one.command,
        "kernel": lambda one: "ipykernel_launcher" in one.command or (one.pid in nurseries and one.parent in nurseries),
        "nursery": lambda one: one.pid in nurseries and one.parent not in nurseries,
    }[kind]
    return [one.pid for one in found if chosen(one)]


class Company:
    """A company of two processes whose data change to and fro, one notebook, and the bytes of undisturbed runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.output = folder, folder / "reports"
        self.data = write_company(folder / "nutbolt") / "leads.csv"
        self.rows = [self.data.read_text(encoding="utf-8")]
        self.rows.append(self.rows[0] + "4,retail,2026-01-08,web\n")
        cells = report_cells(code(SHOWN))
        cells.insert(3, code(COUNTED, "answer"))
        self.notebooks = sorted(write_notebooks(folder / "notebooks", n01_good=cells).iterdir())
        self.whole = []
        started = time.monotonic()
        for state in (1, 0):
            self.change_to(state)
            assert self.start().wait(600) == 0
            self.seconds = time.monotonic() - started
            self.whole.insert(0, files(self.output))
            shutil.rmtree(self.output)
            started = time.monotonic()
        assert all(self.whole[0][name] != self.whole[1][name] for name in self.whole[0])

    def change_to(self, state: int) -> None:
        """Put the first or the second data in place."""
        self.state, self.done = state, False
        self.data.write_text(self.rows[state], encoding="utf-8")

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """The command as from the shell, in a process group of its own."""
        asked = [word for path in self.notebooks for word in ("--notebook", str(path))]
        return subprocess.Popen([sys.executable, "-m", "funnel_lib.cli", "report", str(self.data.parent), "-o", str(self.output),
                                 "--jobs", "2", "--resume", *asked, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env={**os.environ, MARK: str(self.folder)}, start_new_session=True)

    def strike(self, kind: str, chance: random.Random) -> tuple[bool, int]:
        """Run, and kill a process of this kind at a moment between its first sight and the run's usual end; whether one was hit, and
        the exit code. Where the run before has left nothing to do, the data change first."""
        if self.done:
            self.change_to(1 - self.state)
        begun = time.monotonic()
        run, mark = self.start(), str(self.folder)
        try:
            wait_until(lambda: run.poll() is not None or victims(mark, kind), 300)
            moment = chance.uniform(time.monotonic(), max(time.monotonic(), begun + self.seconds))
            wait_until(lambda: run.poll() is not None or time.monotonic() > moment, 300)
            wait_until(lambda: run.poll() is not None or victims(mark, kind), 300)
            struck = kill(chance.choice(sorted(victims(mark, kind)) or [0]))
            exit_code = run.wait(300)
            if not struck:  # the run was over before the moment came: so long does one take by now
                self.seconds = time.monotonic() - begun
            self.done = exit_code == 0
            return struck, exit_code
        finally:
            kill(run.pid)
            run.wait()

    def faults(self) -> list[str]:
        """What is wrong after a blow: children that live on, files that are neither of this run nor of the one before."""
        wrong = []
        try:
            wait_until(lambda: not processes(str(self.folder)), END_SECONDS)
        except TimeoutError:
            wrong = [f"lives on: {one.command}" for one in processes(str(self.folder))]
        found = files(self.output)
        wrong += [f"not whole: {name}" for name, content in found.items() if content not in (
            self.whole[0].get(name), self.whole[1].get(name)) and Path(name).name not in SEVERAL and ".error." not in name]
        return wrong + self._unreadable()

    def _unreadable(self) -> list[str]:
        """What tells of several reports is whole, and the manifest true."""
        wrong = [f"not whole: {path.name}" for path in self.output.rglob("*.html") if not path.read_text("utf-8").rstrip().endswith("</html>")]
        wrong += [f"not whole: {path.name}" for path in self.output.rglob("*.xlsx") if zipfile.ZipFile(path).testzip() is not None]
        try:
            manifest = json.loads((self.output / "manifest.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return wrong
        missing = [name for entry in manifest["reports"] for name in entry.get("files", ()) if not (self.output / name).is_file()]
        return wrong + [f"in the manifest alone: {name}" for name in missing]

    def finish(self) -> list[str]:
        """What is wrong after an undisturbed `--resume`."""
        exit_code = self.start().wait(600)
        self.done = True
        found = files(self.output)
        wrong = [f"not as if nothing had happened: {name}" for name in self.whole[self.state] if found.get(name) != self.whole[self.state][name]]
        wrong += [f"too many: {name}" for name in found.keys() - self.whole[self.state].keys()]
        return wrong + ([f"exit code {exit_code}"] if exit_code else []) + self.faults()


def files(output: Path) -> dict[str, bytes]:
    """What a reader finds under the output; the manifest holds moments, and names with a dot are unfinished work."""
    paths = [path for path in output.rglob("*") if path.is_file() and path.name != "manifest.json"]
    names = {path: path.relative_to(output) for path in paths}
    return {name.as_posix(): path.read_bytes() for path, name in names.items() if not any(part[0] == "." for part in name.parts)}


def kill(pid: int) -> bool:
    """Kill -9; whether there was anything to kill."""
    try:
        if pid:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return bool(pid)


def wait_until(happened: Callable[[], object], seconds: float) -> None:
    """Raises `TimeoutError` where it does not happen."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def compare(blows: int = 100) -> list[str]:
    """So many blows on one output, the data changed and the run finished now and then; every fault is listed."""
    chance, struck, wrong = random.Random(20260701), Counter(), []
    with tempfile.TemporaryDirectory() as name:
        company = Company(Path(name))
        while struck.total() < blows:
            kind = KINDS[struck.total() % len(KINDS)]
            hit, _ = company.strike(kind, chance)
            struck[kind] += hit
            wrong += [f"{kind}, blow {struck.total()}: {fault}" for fault in company.faults()]
            if struck.total() % FINISHED_EVERY == 0:
                wrong += [f"{kind}, finished after blow {struck.total()}: {fault}" for fault in company.finish()]
    rows = [f"| {kind} | {count} | {sum(fault.startswith(kind) for fault in wrong)} |" for kind, count in struck.items()]
    return ["| killed (-9) at a random moment | times | faults |", "|---|---|---|", *rows, "",
            f"{blows} runs of two reports into one output, the data changing between them. A fault: a process that lives {END_SECONDS:g} s "
            "later; a file that does not equal, byte by byte, that of an undisturbed run on the data of now or of before; after every tenth "
            "blow, a `--resume` that does not end with exactly the files of an undisturbed run. The bound is none."
            + "".join(f"\n- {fault}" for fault in wrong)]
