"""The comparison of the committed notebooks: a kernel that dies or hangs ends it soon and as a failure."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.bench.kills import MARK, processes, wait_until
from tests.conftest import ROOT


def words(folder: Path, **limits: float) -> list[str]:
    """The words of `make test-notebooks` for the notebooks of a folder, with shorter limits and without other workers."""
    found = re.search(r"python (-m pytest .*--nbval .*)", (ROOT / "Makefile").read_text(encoding="utf-8"))[1].split(" --numprocesses")[0]
    for option, limit in limits.items():
        found, count = re.subn(rf"--{option.replace('_', '-')}=\d+", f"--{option.replace('_', '-')}={limit}", found)
        assert count == 1
    return [sys.executable, *found.replace("notebooks --nbval-current-env", f"{folder} --nbval-current-env").split()]


def notebook(path: Path, *sources: str) -> None:
    cells = [nbformat.v4.new_code_cell(source, execution_count=1) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes of a run by /proc")
def test_what_hangs_beyond_the_outer_limit_is_given_up_with_its_kernels(tmp_path):
    """The limit of a cell is not reached."""
    notebook(tmp_path / "hangs.ipynb", "import time; time.sleep(600)")
    # This test may be run by a worker; the run that it starts is none.
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.run(words(tmp_path, outer_limit=4), capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
                         env={**surroundings, MARK: str(tmp_path)})
    assert run.returncode == 3 and run.stderr == "the notebooks were not compared within 4 s\n", run
    wait_until(lambda: not processes(str(tmp_path)), 20)


def test_a_kernel_that_dies_fails_within_the_limit_of_a_cell(tmp_path):
    """By itself nbval waits half an hour."""
    notebook(tmp_path / "dies.ipynb", "import os, signal; os.kill(os.getpid(), 9)", "1 + 1")
    run = subprocess.run(words(tmp_path, nbval_cell_timeout=2), capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert run.returncode == 1 and "1 failed, 1 xfailed" in run.stdout and "Timeout of 2 seconds" in run.stdout, run.stdout
