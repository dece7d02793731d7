"""The comparison of the committed notebooks: a kernel that dies ends it soon and as a failure."""

from __future__ import annotations

import re
import subprocess
import sys

import nbformat

from tests.conftest import ROOT


def test_a_kernel_that_dies_fails_within_the_limit_of_a_cell(tmp_path):
    """By the words of `make test-notebooks`, with a shorter limit; by itself nbval waits half an hour."""
    words = re.search(r"python (-m pytest .*--nbval .*)", (ROOT / "Makefile").read_text(encoding="utf-8"))[1]
    words, limits = re.subn(r"--nbval-cell-timeout=\d+", "--nbval-cell-timeout=2", words.split(" --numprocesses")[0])
    assert limits == 1
    cells = [nbformat.v4.new_code_cell(source, execution_count=1) for source in ("import os, signal; os.kill(os.getpid(), 9)", "1 + 1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "dies.ipynb")
    run = subprocess.run([sys.executable, *words.replace("notebooks --nbval-current-env", f"{tmp_path} --nbval-current-env").split()],
                         capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert run.returncode == 1 and "1 failed, 1 xfailed" in run.stdout and "Timeout of 2 seconds" in run.stdout, run.stdout
