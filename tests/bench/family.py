"""Memory and open files of a process and all it has started, looked at while it runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import TracebackType

import psutil

LOOK_SECONDS = 0.5


@dataclass
class Watch:
    """While entered, looks twice a second; `memory` in MB (shared pages counted once) and `files`, one figure per look."""

    memory: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def __enter__(self) -> Watch:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        own = psutil.Process()
        while not self._over.wait(LOOK_SECONDS):
            memory, files = 0.0, 0
            for process in [own, *own.children(recursive=True)]:
                try:
                    memory += process.memory_full_info().pss / 2**20
                    files += process.num_fds()
                except psutil.Error:  # it has ended meanwhile
                    continue
            self.memory.append(memory)
            self.files.append(files)
