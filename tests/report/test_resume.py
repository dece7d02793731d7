"""What `--resume` makes and leaves: laws of hashes, on real runs, called as from the shell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_reports import code, report_cells, write_company, write_notebooks

from funnel_lib.report.publish import write_whole

# The command, and afterwards what it has loaded; the last line is the list.
CALL = ("import sys; from funnel_lib.cli import app\n"
        "try:\n    app(sys.argv[1:])\n"
        "finally:\n    print('LOADED', *sys.modules, file=sys.stderr)\n")


def funnel(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", CALL, *map(str, words)], capture_output=True, text=True, check=False)


def events(run: subprocess.CompletedProcess[str]) -> list[dict]:
    return [json.loads(line) for line in run.stdout.splitlines()]


class Monday:
    """A company, two notebooks of it and an output folder; `report` is the call of every Monday."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.output = folder, folder / "reports"
        self.company = write_company(folder / "nutbolt")
        self.notebooks = write_notebooks(folder / "notebooks", n01_good=report_cells(), n02_more=report_cells())

    def report(self, *words: object) -> subprocess.CompletedProcess[str]:
        notebooks = [word for path in sorted(self.notebooks.glob("*.ipynb")) for word in ("--notebook", path)]
        return funnel("report", self.company, "-o", self.output, "--process", "retail", *notebooks, *words)

    def plan(self, *words: object) -> dict[str, tuple[str, str]]:
        found = events(self.report("--dry-run", "--resume", "--json", *words))
        return {event["report"].split("/")[1]: (event["action"], event["why"]) for event in found}


@pytest.fixture(scope="module")
def monday(tmp_path_factory: pytest.TempPathFactory) -> Monday:
    made = Monday(tmp_path_factory.mktemp("monday"))
    run = made.report("--json", "--jobs", 2)
    assert run.returncode == 0, run.stderr
    told = events(run)
    assert [event["event"] for event in told] == ["start", "report", "report", "end"]
    assert told[0]["reports"] == 2 and {event["status"] for event in told[1:3]} == {"done"}
    assert (told[3]["made"], told[3]["failed"], told[3]["kept"], told[3]["exit_code"]) == (2, 0, 0, 0)
    return made


def test_nothing_to_do_loads_no_engine_and_writes_nothing(monday: Monday) -> None:
    before = {path: path.stat().st_mtime_ns for path in monday.output.rglob("*")}
    run = monday.report("--resume")
    assert run.returncode == 0 and "0 of 0 reports made, 2 up to date" in run.stdout
    loaded = set(run.stderr.partition("LOADED")[2].split())
    assert "json" in loaded and not {"pandas", "duckdb", "nbformat", "matplotlib", "numpy"} & loaded
    assert {path: path.stat().st_mtime_ns for path in monday.output.rglob("*")} == before


def test_each_input_that_changes_is_the_reason(monday: Monday) -> None:
    """By the law: everything a report is made from makes it stale, and put back, fresh again."""
    assert monday.plan() == {"01_good": ("keep", "up to date"), "02_more": ("keep", "up to date")}
    assert monday.plan("--language", "ru")["01_good"] == ("make", "изменилось: параметры"), "told to the reader of the reports"
    assert monday.plan("--no-cases")["01_good"] == ("make", "changed: parameters")
    for file, reason in ((monday.company / "leads.csv", "data"), (monday.company / "company.yaml", "description"),
                         (monday.notebooks / "01_good.ipynb", "notebook")):
        content = file.read_bytes()
        file.write_bytes(content + b"\n")
        assert monday.plan()["01_good"] == ("make", f"changed: {reason}")
        file.write_bytes(content)
    assert monday.plan()["01_good"] == ("keep", "up to date")


def test_only_what_is_missing_is_made(monday: Monday) -> None:
    page = monday.output / "retail/02_more.html"
    old, book = page.read_bytes(), (monday.output / "retail/tables.xlsx").read_bytes()
    page.unlink()
    run = monday.report("--resume", "--json")
    told = events(run)
    assert [event["report"] for event in told if event["event"] == "report"] == ["retail/02_more"]
    assert told[-1]["made"] == told[-1]["kept"] == 1
    assert page.read_bytes() == old and (monday.output / "retail/tables.xlsx").read_bytes() == book


def test_a_dry_run_says_why_and_writes_nothing(tmp_path: Path) -> None:
    monday = Monday(tmp_path)
    run = monday.report("--dry-run")
    assert run.returncode == 0 and run.stdout == "make retail/01_good: new\nmake retail/02_more: new\n"
    assert not monday.output.exists()
    wrong = monday.report("--dry-run", "--process", "x")
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: process 'x' is not described")


def test_quiet_on_a_pipe_but_for_failures(tmp_path: Path) -> None:
    monday = Monday(tmp_path)
    write_notebooks(monday.notebooks, n02_more=report_cells(code("1/0")))
    run = monday.report()
    told = run.stderr.partition("LOADED")[0].splitlines()
    assert run.returncode == 1 and run.stdout.count("\n") == 1 and "1 of 2 reports made" in run.stdout
    assert told[0] == "failed retail/02_more: ZeroDivisionError: division by zero (cell 5)" and len(told) == 2
    write_notebooks(monday.notebooks, n02_more=report_cells())
    assert monday.plan() == {"01_good": ("keep", "up to date"), "02_more": ("make", "failed last time")}


@pytest.mark.skipif(sys.platform != "linux", reason="kills a process group")
def test_after_a_kill_only_the_rest_is_made(tmp_path: Path) -> None:
    monday = Monday(tmp_path)
    write_notebooks(monday.notebooks, n02_more=report_cells(code("import time; time.sleep(300)")))
    words = ["report", monday.company, "-o", monday.output, "--process", "retail", "--jobs", "1",
             "--notebook", monday.notebooks / "01_good.ipynb", "--notebook", monday.notebooks / "02_more.ipynb"]
    run = subprocess.Popen([sys.executable, "-c", CALL, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (monday.output / "manifest.json").exists():
        assert time.monotonic() < deadline and run.poll() is None
        time.sleep(0.1)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    # The page itself gets its link to the next report, once there is one.
    first = (monday.output / "retail/01_good.ipynb").stat().st_mtime_ns
    write_notebooks(monday.notebooks, n02_more=report_cells())
    told = events(monday.report("--resume", "--json"))
    assert [event["report"] for event in told if event["event"] == "report"] == ["retail/02_more"]
    assert (monday.output / "retail/01_good.ipynb").stat().st_mtime_ns == first
    assert (monday.output / "retail/tables.xlsx").is_file() and (monday.output / "index.html").is_file()


def test_a_manifest_of_an_older_kind_makes_all_anew(monday: Monday) -> None:
    text = (monday.output / "manifest.json").read_text(encoding="utf-8")
    content = json.loads(text)
    for entry in content["reports"]:
        del entry["inputs"]
    try:
        write_whole(monday.output / "manifest.json", json.dumps(content))
        assert {action for action, _ in monday.plan().values()} == {"make"}
    finally:
        write_whole(monday.output / "manifest.json", text)
