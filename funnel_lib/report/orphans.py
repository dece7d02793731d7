"""A process of a run that ends with the one that started it, however that one ends."""

from __future__ import annotations

import os
import threading
import time

CHECK_SECONDS = 1.0


def end_with(parent: int) -> None:
    """End this process soon after its parent, the process of this number, has ended; the parent may be gone already.

    Loads nothing else, so that a process can call it before whatever takes long.
    """
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(CHECK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
