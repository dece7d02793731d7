"""Forked kernels are kernels of their own, give the bytes that started ones give, and outlive neither their run nor its parts."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from small_reports import code, report_cells, write_company, write_notebooks

from funnel_lib import read_company
from funnel_lib.report import batch
from funnel_lib.report.forked import ADDRESS, ForkedKernels, ForkedProcess, _forked
from funnel_lib.report.kernels import Nursery

linux = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux")


def rendered(folder: Path, output: str, *cells: object, **asked: object) -> dict[str, bytes]:
    """The pages and notebooks of one small notebook for the process retail."""
    company, notebooks = folder / "nutbolt", folder / "notebooks"
    if not company.exists():
        write_company(company)
        write_notebooks(notebooks, n01_one=report_cells(*cells))
    order = batch.Order(company, folder / output, processes=("retail",), notebooks_folder=notebooks, **asked)
    outcome = batch.run(order, read_company(company))
    assert [result.failure for result in outcome.results] == [None]
    return {path.name: path.read_bytes() for path in (folder / output / "retail").iterdir()}


def nursery_of(starter: int) -> int:
    """The process number of the nursery that this process started last."""
    return max(int(text) for text in subprocess.run(["pgrep", "-P", str(starter), "-f", "funnel_lib.report.nursery"], text=True,
                                                    capture_output=True, check=True).stdout.split())


@linux
def test_same_bytes_as_from_kernels_started_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = (code("import os; print(sorted(name for name in os.environ if name.startswith(('PYTHON', 'MPL'))), os.getcwd() != '/')"),)
    forked = rendered(tmp_path, "forked", *cells)
    monkeypatch.setattr(Nursery, "_start", lambda self, address: None)
    assert forked == rendered(tmp_path, "started", *cells)


@linux
def test_a_nursery_that_dies_costs_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = Nursery._start

    def dead(self: Nursery, address: Path) -> None:
        start(self, address)
        os.kill(nursery_of(os.getpid()), signal.SIGKILL)

    monkeypatch.setattr(Nursery, "_start", dead)
    assert "01_one.html" in rendered(tmp_path, "out")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with closing(Nursery()) as nursery:
        yield nursery.address


def forked(address: str, folder: Path) -> ForkedProcess:
    """A kernel that nobody talks to: its connection file is made here."""
    from jupyter_client import KernelManager

    manager = KernelManager(connection_file=str(folder / "kernel.json"), transport="ipc", ip=str(folder / "k"))
    manager.write_connection_file()
    return _forked(address, ["python", "-m", "ipykernel_launcher", "-f", manager.connection_file], {"cwd": folder, "env": dict(os.environ)})


def soon(holds: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


def gone(pid: int) -> bool:
    return soon(lambda: not Path(f"/proc/{pid}").exists())


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_kernel_is_told_and_leaves_no_zombie(address: str, tmp_path: Path, number: int) -> None:
    kernel = forked(address, tmp_path)
    assert kernel.poll() is None
    kernel.send_signal(number)
    assert kernel.wait(5) == -number and kernel.poll() == -number and gone(kernel.pid)


@linux
def test_a_kernel_ends_with_the_one_who_asked_for_it(address: str, tmp_path: Path) -> None:
    kernel = forked(address, tmp_path)
    kernel._connection.close()
    assert gone(kernel.pid)


@linux
def test_kernels_end_with_the_nursery(tmp_path: Path) -> None:
    with closing(Nursery()) as nursery:
        kernel = forked(nursery.address, tmp_path)
        assert kernel.poll() is None
    assert gone(kernel.pid) and kernel.wait(5) == -signal.SIGKILL


@linux
def test_kernels_share_nothing_and_the_parent_has_no_threads(address: str, tmp_path: Path) -> None:
    parent = nursery_of(os.getpid())
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    first, second = forked(address, tmp_path / "a"), forked(address, tmp_path / "b")
    assert len(list(Path(f"/proc/{parent}/task").iterdir())) == 1
    assert {os.getpgid(one.pid) for one in (first, second)} == {first.pid, second.pid}
    assert soon(lambda: [Path(f"/proc/{one.pid}/cwd").resolve().name for one in (first, second)] == ["a", "b"])
    first.kill()
    assert first.wait(5) == -signal.SIGKILL and second.poll() is None
    second.kill()
    second.wait(5)


def test_without_a_nursery_a_kernel_is_started_the_usual_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS, "/nowhere/at all")
    provisioner = ForkedKernels(connection_info={})
    asyncio.run(provisioner.launch_kernel([sys.executable, "-c", "pass", "-f", "file"], cwd=None, env=dict(os.environ)))
    assert provisioner.process.wait() == 0


@linux
@pytest.mark.parametrize("first", ["", "_forked(nursery.address, ['-f', 'nothing'], {}); "], ids=["while it loads", "with a kernel"])
def test_a_nursery_whose_starter_is_killed_leaves_nothing(tmp_path: Path, first: str) -> None:
    script = ("import os; from funnel_lib.report.forked import _forked; from funnel_lib.report.kernels import Nursery; nursery = Nursery(); "
              f"print(os.path.exists(nursery.fonts), flush=True); {first}os.kill(os.getpid(), 9)")
    run = subprocess.run([sys.executable, "-c", script], env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, text=True,
                         stderr=subprocess.DEVNULL, timeout=60, check=False)
    assert (run.returncode, run.stdout) == (-signal.SIGKILL, "True\n")
    assert soon(lambda: not list(tmp_path.iterdir()))
