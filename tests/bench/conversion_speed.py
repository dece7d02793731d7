"""All tables of notebook 02 on ten million events: this package, hand-written DuckDB SQL and pandas, each in a process of its own.

`python -m tests.bench.conversion_speed SIDE FOLDER` runs one side and prints its seconds and its peak memory in MB.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import duckdb

from tests.bench import conversion_pandas, conversion_sql, many_events

MEMORY = "1500MB"


def compare(runs: int = 3) -> list[str]:
    """The three sides in turn; the ratios are those of the medians."""
    with tempfile.TemporaryDirectory() as name:
        events = many_events.write(Path(name))
        # pandas once: it takes minutes.
        seconds, rows = in_turn(__spec__.name, {"funnel_lib": runs, "sql": runs, "pandas": 1}, name)
    return ["| side | median seconds | peak memory, MB |", "|---|---|---|", *rows, "",
            f"{events:,} events, {many_events.LEADS:,} leads in Parquet; DuckDB with a memory limit of {MEMORY} on both sides. "
            f"Against SQL {seconds['funnel_lib'] / seconds['sql']:.2f} (bound 1.3), pandas "
            f"{seconds['pandas'] / seconds['funnel_lib']:.1f} times slower (bound 5; it counts fewer tables)."]


def in_turn(module: str, runs: dict[str, int], folder: str) -> tuple[dict[str, float], list[str]]:
    """Median seconds of each side, run one after the other in processes of their own, and rows of a table with them."""
    measured = {side: [] for side in runs}
    for turn in range(max(runs.values())):
        for side in (side for side in runs if turn < runs[side]):
            output = subprocess.run([sys.executable, "-m", module, side, folder], check=True, capture_output=True, text=True)
            measured[side].append(tuple(float(word) for word in output.stdout.split()))
    seconds = {side: median(row[0] for row in rows) for side, rows in measured.items()}
    return seconds, [f"| {side} | {seconds[side]:.1f} | {max(row[1] for row in measured[side]):,.0f} |" for side in runs]


def run(side: str, folder: Path) -> None:
    """One side, in this process."""
    start = time.perf_counter()
    if side == "pandas":
        conversion_pandas.counts(folder)
    else:
        connection = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(folder / "spilled")})
        connection.execute(f"create view leads_file as from '{folder / 'leads.parquet'}'; "
                           f"create view events_file as from '{folder / 'stage_events.parquet'}'")
        conversion_sql.counts(connection) if side == "sql" else _tables(connection)
    print(time.perf_counter() - start, peak_memory())  # noqa: T201


def peak_memory() -> float:
    """The most memory this process has held, in MB; unlike `getrusage` it does not count the process that started this one."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    return float(status["VmHWM"].split()[0]) / 1024


def _tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Every measure of notebook 02 that needs leads and events only."""
    from funnel_lib import Process, conversion

    process = Process.from_tables("sales", leads=connection.table("leads_file"), stage_events=connection.table("events_file"),
                                  **many_events.SETTINGS)
    for measure in ("step_rates", "reconciliation", "cohort_triangle", "time_curve", "step_times", "step_curves", "lost_reasons",
                    "path_following", "path_steps", "deadlines", "transitions", "work_in_progress", "work_in_progress_summary",
                    "cumulative_flow", "littles_law", "sales_velocity", "comparison", "change_decomposition", "step_trend"):
        getattr(conversion, measure)(process)
    for measure in ("states", "eventual_conversion", "time_to_win", "comparison"):
        getattr(conversion, measure)(process, by="channel")
    conversion.step_rates(process, returning=True)
    conversion.change_decomposition(process, by="step")


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]))
