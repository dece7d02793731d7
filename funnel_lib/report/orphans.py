"""A process of a run that ends with the one that started it, however that one ends, and leaves interruptions to it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

CHECK_SECONDS = 1.0


@contextmanager
def interruptions_held_back() -> Iterator[None]:
    """A process started meanwhile hears no Ctrl-C, of which a terminal tells all processes: it would complain while it loads.
    This process hears it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # Some versions of Python let them through again when they start this helper of theirs, which starting workers does.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with(parent: int) -> None:
    """End this process soon after its parent, the process of this number, has ended; the parent may be gone already. A Ctrl-C
    is the parent's to answer.

    Loads nothing else, so that a process can call it before whatever takes long.
    """
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(CHECK_SECONDS)
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # kernels started here are to hear it
    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
