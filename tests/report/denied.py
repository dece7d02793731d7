"""Runs of the command in which folders that may not be written to really may not, also where the tests are run by root."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DROP_FROM_BOUNDS = 24  # PR_CAPBSET_DROP of Linux
OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None


def _obey() -> None:
    """Root gives up reading and writing whatever it likes; what is started next cannot take it back."""
    if LIBRARY is not None and os.geteuid() == 0:
        for capability in OVERRIDES:
            LIBRARY.prctl(DROP_FROM_BOUNDS, capability, 0, 0, 0)


def funnel(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command, as one whom permissions bind."""
    return subprocess.run([sys.executable, "-m", "funnel_lib.cli", *map(str, words)], capture_output=True, text=True, check=False,
                          preexec_fn=_obey, **options)


@contextmanager
def read_only(*folders: Path) -> Iterator[None]:
    """Folders that may not be written to; fails where that does not bind the command."""
    for folder in folders:
        folder.chmod(0o555)
        tried = subprocess.run(["/bin/sh", "-c", f"touch '{folder}/tried'"], stderr=subprocess.DEVNULL, preexec_fn=_obey, check=False)
        assert tried.returncode, f"{folder} can be written to all the same"
    try:
        yield
    finally:
        for folder in folders:
            folder.chmod(0o755)


@contextmanager
def limit(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, in this process and in those it starts."""
    import resource  # Windows has none

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
