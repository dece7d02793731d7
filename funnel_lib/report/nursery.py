"""The parent of a run's kernels: it has loaded what every notebook needs and forks a kernel in milliseconds.

A program (`python -P -m funnel_lib.report.nursery N`, N the number of an open, listening socket). It ends when its standard
input closes, which whoever started it holds; a kernel ends with the one who asked for it, and all of them with the nursery.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import random
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

# What a kernel and the notebooks load; anything else is loaded by the notebook that needs it.
LOADED = ("numpy", "pandas", "narwhals", "duckdb", "scipy.stats", "scipy.optimize", "matplotlib.pyplot",
          "matplotlib.backends.backend_agg", "babel.numbers", "babel.dates", "pydantic", "ruamel.yaml", "holidays",
          "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "IPython.core.completer",
          "funnel_lib.readers", "funnel_lib.lead_flow", "funnel_lib.conversion", "funnel_lib.loyalty", "funnel_lib.efficiency",
          "funnel_lib.improvement", "funnel_lib.overview", "funnel_lib.answers", "funnel_lib.charts", "funnel_lib.pages")
REAP_SECONDS = 0.02
CHECK_SECONDS = 0.5
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux


def main(number: int) -> None:
    """Serve until the starter is gone; in a forked kernel, be that kernel until it ends."""
    with socket.socket(fileno=number) as door:
        address = Path(door.getsockname())
        with _ended_by_starter(address):
            warm_up()
        asked = serve(door)
    if asked is None:
        _end(address)
    become_kernel(asked)


@contextlib.contextmanager
def _ended_by_starter(address: Path) -> Iterator[None]:
    """Loading takes seconds: a starter that dies meanwhile is seen by an alarm, since a thread would be lost by a fork."""
    def look(number: int, frame: object) -> None:
        if select.select([sys.stdin], [], [], 0)[0]:
            _end(address)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, CHECK_SECONDS, CHECK_SECONDS)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def warm_up() -> None:
    """Load the modules and draw one figure; nothing here may start a thread, which a fork would lose."""
    for name in LOADED:
        importlib.import_module(name)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2], label="Продажи ₽")
    FigureCanvasAgg(figure).print_png(io.BytesIO())
    gc.collect()
    # The collector of a kernel leaves these objects alone, so that their memory stays shared.
    gc.freeze()


def serve(door: socket.socket) -> dict[str, Any] | None:
    """Fork a kernel for each caller. Returns None when the starter is gone, and in a kernel what was asked of it."""
    kernels: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([sys.stdin, door, *kernels.values()], [], [], REAP_SECONDS if kernels else None)
        if sys.stdin in ready:
            for pid in kernels:
                _kill(pid)
            return None
        if door in ready:
            caller, _ = door.accept()
            asked = json.loads(caller.makefile().readline() or "null")
            pid = os.fork() if asked else None
            if pid == 0:
                _leave(caller, *kernels.values())
                return asked
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.setpgid(pid, pid)
                kernels[pid] = caller
                caller.sendall(f"{pid}\n".encode())
        for pid, caller in list(kernels.items()):
            if caller in ready:  # nothing more is ever sent: the caller hung up
                _kill(pid)
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                _tell(kernels.pop(pid), os.waitstatus_to_exitcode(status))


def _tell(caller: socket.socket, code: int) -> None:
    # One that hung up does not want to know.
    with caller, contextlib.suppress(OSError):
        caller.sendall(f"{code}\n".encode())


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _end(address: Path) -> NoReturn:
    """End without the interpreter's own end, at which some libraries complain. The socket and its folder go too: a starter that
    was killed could not remove them."""
    with contextlib.suppress(OSError):
        shutil.rmtree(address.parent)
    os._exit(0)


def _leave(*connections: socket.socket) -> None:
    """A fork lets go of what is the nursery's: its callers, its standard streams, its process group."""
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    for connection in connections:
        connection.close()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)


def become_kernel(asked: dict[str, Any]) -> None:
    """Run a Jupyter kernel as if this process had been started for it: its environment, directory, chance."""
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    os.chdir(asked["folder"])
    random.seed()
    np.random.seed()
    sys.argv = ["ipykernel_launcher", *asked["arguments"]]
    # Told its parent, a kernel does not explain on the terminal how to connect to it.
    IPKernelApp.launch_instance(argv=[*asked["arguments"], f"--IPKernelApp.parent_handle={os.getppid()}"])


if __name__ == "__main__":
    main(int(sys.argv[1]))
