"""The command as people and machines call it: on a terminal, stopped by Ctrl-C or a signal, by cron's line of the README; Lab elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from small_reports import code, report_cells, write_company, write_notebooks

from funnel_lib.report.workbench import copy_notebooks
from tests.bench.kills import MARK, processes, victims, wait_until
from tests.conftest import ROOT

linux = pytest.mark.skipif(sys.platform != "linux", reason="finds the processes of a run by /proc")


def monday(folder: Path, seconds: int = 300) -> list[str]:
    """The call for a quick report and one that sleeps."""
    company = write_company(folder / "nutbolt")
    slow = report_cells(code(f"import time; time.sleep({seconds})"))
    notebooks = write_notebooks(folder / "notebooks", n01_good=report_cells(), n02_slow=slow)
    asked = [word for path in sorted(notebooks.iterdir()) for word in ("--notebook", str(path))]
    return [sys.executable, "-m", "funnel_lib.cli", "report", str(company), "-o", str(folder / "reports"), "--process", "retail", "--jobs",
            "2", *asked]


def visible(output: Path) -> list[str]:
    return sorted(path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file() and path.name[0] != ".")


@linux
def test_a_terminal_shows_the_time_left_and_ctrl_c_ends_all_in_one_line(tmp_path: Path) -> None:
    """A real terminal, whose Ctrl-C reaches every process in the foreground."""
    words = monday(tmp_path)
    pid, terminal = os.forkpty()
    if not pid:
        os.execve(words[0], words, {**os.environ, MARK: str(tmp_path), "TERM": "xterm", "COLUMNS": "100"})
    shown, pressed, deadline = "", False, time.monotonic() + 180
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 65536).decode()
            except OSError:  # the terminal of a process that has ended
                break
        if not pressed and re.search(r"1/2", shown) and "manifest.json" in visible(tmp_path / "reports"):
            os.write(terminal, b"\x03")
            pressed = True
    os.close(terminal)
    exit_code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert exit_code == 130 and "0/2" in plain and re.search(r"1/2 \d:\d\d:\d\d left (\d:\d\d:\d\d|-:--:--)", plain), plain
    assert "stopped; every file written so far is whole" in plain and not re.search("Traceback|Error|leaked", plain)
    wait_until(lambda: not processes(str(tmp_path)), 5)
    assert "retail/01_good.html" in visible(tmp_path / "reports") and not list((tmp_path / "reports").glob(".run-*"))


@linux
def test_the_workers_leave_ctrl_c_to_the_one_who_started_them(tmp_path: Path) -> None:
    """A terminal tells every process of it: idle workers, and ones that still load, wrote a traceback each."""
    mark = str(tmp_path)
    with subprocess.Popen(monday(tmp_path, 6), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, MARK: mark}) as run:
        wait_until(lambda: run.poll() is not None or victims(mark, "worker"), 300)
        told = 0
        while run.poll() is None:
            for pid in victims(mark, "worker"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)
                    told += 1
            time.sleep(0.05)
        said, complained = run.communicate()
    assert told > 10 and run.returncode == 0 and not complained, (told, said, complained)


@linux
def test_asked_to_end_it_ends_all(tmp_path: Path) -> None:
    words = monday(tmp_path)
    with subprocess.Popen([*words[:-4], *words[-2:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, MARK: str(tmp_path)}) as run:
        try:
            wait_until(lambda: run.poll() is not None or victims(str(tmp_path), "kernel"), 300)
            run.send_signal(signal.SIGTERM)
            said, complained = run.communicate(timeout=30)
        finally:
            run.kill()
    assert (run.returncode, said, complained) == (130, "", "stopped; every file written so far is whole\n")
    wait_until(lambda: not processes(str(tmp_path)), 5)
    assert visible(tmp_path / "reports") == [] and not list((tmp_path / "reports").glob(".run-*"))


@linux
def test_an_interruption_that_a_library_swallows_is_repeated() -> None:
    """Python loses one that meets a callback of its own: found on a run interrupted while it loaded its libraries."""
    script = ("import os, signal, time; from funnel_lib.report import terminal; terminal.REPEAT_SECONDS = 0.3\n"
              "class Swallows:\n    def __del__(self): os.kill(os.getpid(), signal.SIGINT)\n"
              "with terminal.said_plainly(False, terminal.Voice()): Swallows(); time.sleep(60)")
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 130 and "Exception ignored" in run.stderr and run.stderr.endswith("every file written so far is whole\n")


@pytest.mark.skipif(sys.platform == "win32", reason="cron")
def test_the_line_for_cron_in_the_readme_works_as_it_stands(tmp_path: Path) -> None:
    """By sh, with no more of an environment than cron gives, and quietly: what is said goes by mail to somebody."""
    line = re.search(r"^0 6 \* \* 1 +(.+)$", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1]
    program = tmp_path / ".venv/bin/funnel"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom funnel_lib.cli import app\napp()\n", encoding="utf-8")
    program.chmod(0o755)
    company = write_company(tmp_path / "mycompany", "name: Young\nas_of: 2026-03-01\nprocesses: {retail: {steps: [won]}}\n")
    for table in company.glob("*.csv"):
        table.unlink()  # a report with nothing to measure needs no kernel
    for made in ("6 of 6 reports made", "0 of 0 reports made, 6 up to date"):
        run = subprocess.run(["/bin/sh", "-c", line.replace("/srv/sales", str(tmp_path))], capture_output=True, text=True, check=False,
                             env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "x"})
        assert run.returncode == 0 and not run.stdout + run.stderr, run
        assert (tmp_path / "report.log").read_text(encoding="utf-8").startswith(made)


def test_notebooks_find_their_company_from_any_folder(tmp_path: Path) -> None:
    """The committed ones the demonstration company, the copies of `funnel lab` the company given, both opened from elsewhere."""
    company = write_company(tmp_path / "nutbolt")
    (tmp_path / "here").mkdir()
    copy_notebooks(tmp_path / "copies", company)
    cells = []
    for path in [*(ROOT / "notebooks").glob("*.ipynb"), *(tmp_path / "copies").glob("*.ipynb")]:
        sources = [cell.source for cell in nbformat.read(path, as_version=4).cells if "parameters" in cell.metadata.get("tags", [])]
        cells.append(sources[0] + "\nprint(find_folder(Path(company)))")
    script = ("import json, sys; from pathlib import Path; from funnel_lib.readers.place import find_folder\n"
              "for source in json.loads(sys.stdin.read()): exec(source, {'find_folder': find_folder, 'Path': Path})")
    said = subprocess.run([sys.executable, "-c", script], input=json.dumps(cells), capture_output=True, text=True, check=True,
                          cwd=tmp_path / "here", env={**os.environ, "PYTHONPATH": str(ROOT)}).stdout.splitlines()
    assert said == [str(ROOT / "data/demo")] * 6 + [str(company)] * 6
