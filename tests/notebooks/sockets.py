"""What nbval leaves open: its kernels talk over sockets of their own (two that start at once would race for the same port, and one
would die), and `--outer-limit` ends the whole comparison, whatever hangs."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

import nbval.kernel
import pytest
from jupyter_client.manager import KernelManager


EXIT_GIVEN_UP = 3
# Before pytest catches what is said.
STDERR = os.dup(2)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outer-limit", type=float, default=3600, help="seconds after which the whole run is given up")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Only where the run is directed: the workers end with it, and the kernels with the workers."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        limit = session.config.getoption("--outer-limit")
        session.config.outer_limit = threading.Timer(limit, _give_up, [limit])
        session.config.outer_limit.daemon = True
        session.config.outer_limit.start()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "outer_limit"):
        session.config.outer_limit.cancel()


def _give_up(limit: float) -> None:
    os.write(STDERR, f"the notebooks were not compared within {limit:g} s\n".encode())
    os._exit(EXIT_GIVEN_UP)


@pytest.fixture(scope="session", autouse=True)
def kernels_with_own_sockets():
    """Loaded by `-p tests.notebooks.sockets`; the socket files are gone with the run."""
    if os.name == "nt":
        yield
        return
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(nbval.kernel, "KernelManager", lambda **options: KernelManager(
            transport="ipc", ip=str(Path(tempfile.mkdtemp(dir=folder)) / "kernel"), **options))
        yield
