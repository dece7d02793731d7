"""Surroundings of a kernel: its own directories, a picture format, nothing of the caller's settings; the starting of the parent
that a run's kernels are forked from."""

from __future__ import annotations

import json
import os
import shutil
import site
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from funnel_lib.report.forked import ADDRESS, PROVISIONER

KERNEL = "funnel"
PROJECT = Path(__file__).resolve().parents[2]

# Figures are drawn by this package's own formatter; the history is a database that parallel kernels would fight for.
KERNEL_CONFIG = """\
c = get_config()
c.InlineBackend.figure_formats = set()
c.HistoryManager.enabled = False
c.InteractiveShellApp.exec_PYTHONSTARTUP = False
c.InteractiveShellApp.exec_lines = [
    "from funnel_lib.pages.figures import describe_figures; describe_figures(); del describe_figures",
]
"""


# Numerical libraries start threads when they are loaded, which a fork would lose.
NO_THREADS = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

# The kernel of every report, started by the provisioner of this package.
KERNEL_SPECIFICATION = {"argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], "language": "python",
                        "display_name": "Python 3", "metadata": {"kernel_provisioner": {"provisioner_name": PROVISIONER}}}


class Nursery:
    """A warmed-up parent for the kernels of one run, with the folder of `fonts` that they share; it loads on while its starter does
    something else. Its `address` is empty where processes cannot be forked safely."""

    def __init__(self) -> None:
        # A socket's path has at most 107 letters, so it is not in the output folder; only this user may open the folder.
        self._folder = tempfile.TemporaryDirectory(prefix="funnel-")
        self.address, self.fonts = "", Path(self._folder.name) / "matplotlib"
        self._process: subprocess.Popen[bytes] | None = None
        try:
            prepare_fonts(self.fonts)
            if sys.platform == "linux":
                self._start(Path(self._folder.name) / "nursery")
        except BaseException:
            self.close()
            raise

    def _start(self, address: Path) -> None:
        with socket.socket(socket.AF_UNIX) as door:
            try:
                door.bind(str(address))
            except OSError:  # the path of the folder for temporary files is too long
                return
            # Callers may queue at the door from now on, while the nursery loads.
            door.listen(64)
            # In a folder of its own: a matplotlibrc in the caller's would be obeyed by all kernels.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "funnel_lib.report.nursery", str(door.fileno())], cwd=address.parent,
                pass_fds=[door.fileno()], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, **common_environment(self.fonts), **NO_THREADS})
        self.address = str(address)

    def close(self) -> None:
        """End it and its kernels; once is enough."""
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait()
        self._folder.cleanup()


def common_environment(shared: Path) -> dict[str, str]:
    """What every kernel of a run finds in its environment; `shared` is the folder of the run's fonts, where no matplotlibrc is."""
    return {"MPLCONFIGDIR": str(shared), "MATPLOTLIBRC": str(shared), "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "PYTHONWARNINGS": "", "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "PYTHONPATH": _search_path()}


@contextmanager
def surroundings(folder: Path, shared: Path, nursery: str = "", language: str = "en") -> Iterator[None]:
    """The environment that kernels started inside inherit; `folder` is this report's own, `shared` that of the run's fonts,
    `nursery` the address of the run's parent of kernels, `language` that in which this package's errors are said.

    The caller's environment is as before afterwards.
    """
    config = folder / "ipython" / "profile_default"
    config.mkdir(parents=True)
    # A kernel is killed at its end and cannot tidy up: what it spills to disk goes with the report's own folder.
    (folder / "temporary").mkdir()
    spilling = f"import tempfile; tempfile.tempdir = {str(folder / 'temporary')!r}; del tempfile"
    saying = f"from funnel_lib.pages.errors import say_errors_in; say_errors_in({language!r}); del say_errors_in"
    (config / "ipython_kernel_config.py").write_text(
        f"{KERNEL_CONFIG}c.InteractiveShellApp.exec_lines += [{spilling!r}, {saying!r}]\n", encoding="utf-8")
    shared.mkdir(parents=True, exist_ok=True)
    specification = folder / "jupyter" / "kernels" / KERNEL / "kernel.json"
    specification.parent.mkdir(parents=True)
    specification.write_text(json.dumps(KERNEL_SPECIFICATION), encoding="utf-8")
    changed = {
        "IPYTHONDIR": str(folder / "ipython"), "JUPYTER_CONFIG_DIR": str(folder / "jupyter"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"), "JUPYTER_RUNTIME_DIR": str(folder / "jupyter"),
        ADDRESS: nursery, **common_environment(shared),
    }
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def prepare_fonts(shared: Path) -> None:
    """Give the run's kernels this user's list of fonts: making it anew takes seconds in each of them."""
    import matplotlib  # takes a while: only where something is rendered
    from matplotlib import font_manager  # makes the list where there is none

    shared.mkdir(parents=True, exist_ok=True)
    for path in Path(matplotlib.get_cachedir()).glob(f"fontlist-v{font_manager.FontManager.__version__}*.json"):
        shutil.copy(path, shared / path.name)


def _search_path() -> str:
    """The kernel uses the caller's copy of this package, also where it is not installed, and works in another folder."""
    given = os.pathsep.join(str(Path(entry).absolute()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry)
    installed = {Path(folder).resolve() for folder in [*site.getsitepackages(), site.getusersitepackages()]}
    if PROJECT in installed or str(PROJECT) in given.split(os.pathsep):
        return given
    return os.pathsep.join(filter(None, [str(PROJECT), given]))


def hide_places(text: str, names: dict[str, str]) -> str:
    """Text without this machine's directories: the project's, Python's and those given with the name to show."""
    known = {**names, str(PROJECT): "", sys.prefix: "", sys.base_prefix: ""}
    for place in sorted(filter(None, known), key=len, reverse=True):
        shown = known[place]
        text = text.replace(place, shown) if shown else text.replace(place + os.sep, "")
    return text
