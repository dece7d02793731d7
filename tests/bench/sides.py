"""The sides of a comparison, each measured in a process of its own: `python -m MODULE SIDE PLACE` runs one and prints its figures."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

HEAD = ["| side | median seconds | peak memory, MB |", "|---|---|---|"]
Figures = dict[str, list[list[float]]]


def in_turn(module: str, runs: dict[str, int], place: str | Path, pythons: dict[str, str] | None = None) -> Figures:
    """What each run of each side prints (seconds, peak memory, its own figures), the sides one after the other."""
    found: Figures = {side: [] for side in runs}
    for turn in range(max(runs.values())):
        for side in (side for side in runs if turn < runs[side]):
            python = (pythons or {}).get(side, sys.executable)
            output = subprocess.run([python, "-m", module, side, str(place)], check=True, capture_output=True, text=True).stdout
            found[side].append([float(word) for word in output.split()])
    return found


def median_seconds(found: Figures) -> dict[str, float]:
    return {side: median(run[0] for run in runs) for side, runs in found.items()}


def peak(found: Figures, side: str) -> float:
    """The most memory that any run of the side held, in MB."""
    return max(run[1] for run in found[side])


def table(found: Figures) -> list[str]:
    """Median seconds and peak memory of each side."""
    return [*HEAD, *(f"| {side} | {seconds:.1f} | {peak(found, side):,.0f} |" for side, seconds in median_seconds(found).items()), ""]


def connect(folder: Path, memory: str, *tables: str) -> duckdb.DuckDBPyConnection:
    """An engine that may hold so much memory and spills into the folder, with the view `TABLE_file` of each Parquet file there."""
    import duckdb  # loaded here: the Python of another package may not have it

    connection = duckdb.connect(config={"memory_limit": memory, "temp_directory": str(folder / "spilled")})
    for name in tables:
        connection.execute(f"create view {name}_file as from '{folder / name}.parquet'")
    return connection


def say(start: float, *values: float) -> None:
    """The figures of this process: seconds since `start`, peak memory, `values`."""
    print(time.perf_counter() - start, _peak_memory(), *values)  # noqa: T201


def _peak_memory() -> float:
    """The most memory this process has held, in MB; unlike `getrusage` it does not count the process that started this one."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    return float(status["VmHWM"].split()[0]) / 1024


def main(run: Callable[[str, Path], None]) -> None:
    """Run the side and the place that the command line names."""
    run(sys.argv[1], Path(sys.argv[2]))
