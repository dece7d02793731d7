"""All tables of notebook 02 on ten million events: this package, hand-written DuckDB SQL and pandas, each in a process of its own.

`python -m tests.bench.conversion_speed SIDE FOLDER` runs one side and prints its seconds and its peak memory in MB.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import duckdb

from tests.bench import conversion_pandas, conversion_sql, many_events, sides

MEMORY = "1500MB"


def compare(runs: int = 3) -> list[str]:
    """The three sides in turn; the ratios are those of the medians."""
    with tempfile.TemporaryDirectory() as name:
        events = many_events.write(Path(name))
        # pandas once: it takes minutes.
        found = sides.in_turn(__spec__.name, {"funnel_lib": runs, "sql": runs, "pandas": 1}, name)
    seconds = sides.median_seconds(found)
    return [*sides.table(found),
            f"{events:,} events, {many_events.LEADS:,} leads in Parquet; DuckDB with a memory limit of {MEMORY} on both sides. "
            f"Against SQL {seconds['funnel_lib'] / seconds['sql']:.2f} (bound 1.3), pandas "
            f"{seconds['pandas'] / seconds['funnel_lib']:.1f} times slower (bound 5; it counts fewer tables)."]


def run(side: str, folder: Path) -> None:
    """One side, in this process."""
    start = time.perf_counter()
    if side == "pandas":
        conversion_pandas.counts(folder)
    else:
        connection = sides.connect(folder, MEMORY, "leads", "stage_events")
        connection.execute("create view events_file as from stage_events_file")
        conversion_sql.counts(connection) if side == "sql" else _tables(connection)
    sides.say(start)


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
    sides.main(run)
