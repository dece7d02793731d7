"""Whole files, one run at a time, nothing outside the output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from funnel_lib.errors import CallError
from funnel_lib.report.publish import check_output, run_folder, write_whole

HOLD = ("import sys, time; from pathlib import Path; from funnel_lib.report.publish import run_folder\n"
        "with run_folder(Path(sys.argv[1]), 'first'): print('held', flush=True); time.sleep(60)")


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "index.html"
    write_whole(path, "old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new" * 1000)
    assert path.read_text() == "old" and [entry.name for entry in tmp_path.iterdir()] == ["index.html"]


def test_a_second_run_says_who_holds_the_folder_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout.readline().strip() == "held"
        with pytest.raises(CallError, match=f"process {first.pid} on"), run_folder(tmp_path, "second"):
            pass
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
        first.stdout.close()
    assert (tmp_path / ".run-first").is_dir()
    with run_folder(tmp_path, "third") as folder:
        assert folder.is_dir() and not (tmp_path / ".run-first").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == [".lock"]


def test_an_output_that_cannot_be_is_refused(tmp_path: Path) -> None:
    company = tmp_path / "company"
    company.mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(CallError, match="found the file"):
        check_output(tmp_path / "file" / "reports", company)
    with pytest.raises(CallError, match="never written to"):
        check_output(company / "reports", company)
    check_output(tmp_path / "reports" / "deep", company)
