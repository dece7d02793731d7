"""Kernels of nbval talk over sockets of their own: two that start at once would race for the same port, and one would die."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nbval.kernel
import pytest
from jupyter_client.manager import KernelManager


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
