"""Whole files, one run at a time, nothing outside the output."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from denied import limit

from funnel_lib.errors import CallError
from funnel_lib.report.publish import check_output, run_folder, write_together, write_whole

HOLD = ("import sys, time; from pathlib import Path; from funnel_lib.report.publish import run_folder\n"
        "with run_folder(Path(sys.argv[1]), 'first'): print('held', flush=True); time.sleep(60)")


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of POSIX")
def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    write_whole(path, "old")
    with limit(1000), pytest.raises(OSError, match="File too large"):
        write_whole(path, "new" * 1000)
    assert path.read_text() == "old" and [entry.name for entry in tmp_path.iterdir()] == ["index.html"]


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of POSIX")
def test_files_of_one_report_change_together_or_not_at_all(tmp_path: Path) -> None:
    page, notebook = tmp_path / "a.html", tmp_path / "a.ipynb"
    write_together({page: "old", notebook: "old"})
    with limit(1000), pytest.raises(OSError, match="File too large"):
        write_together({page: "new", notebook: "new" * 1000})
    assert page.read_text() == notebook.read_text() == "old" and len(list(tmp_path.iterdir())) == 2


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
    # A process called as the company's folder is would be written into it.
    for around in (tmp_path, Path("/")):
        with pytest.raises(CallError, match="holds the company folder"):
            check_output(around, company)
    check_output(tmp_path / "reports" / "deep", company)


def test_only_what_a_run_has_left_is_removed(tmp_path: Path) -> None:
    """Never deeper than reports are written, whatever folder was chosen."""
    for name in (".a.html.part", "retail/.a.html.part", "retail/deep/.mine.part"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    with run_folder(tmp_path, "x"):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [".lock", ".mine.part"]
