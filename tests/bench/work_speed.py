"""The efficiency sheet and the load of roles on twenty million pieces of work: this package and DuckDB SQL written by hand.

`python -m tests.bench.work_speed SIDE FOLDER` runs one side and prints its seconds and its peak memory in MB.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

import duckdb
import numpy as np
import pandas as pd

from tests.bench import many_work, sides, work_sql

MEMORY = "4GB"


def compare(runs: int = 3, pieces: int = many_work.PIECES) -> list[str]:
    """Both sides in turn; the ratio is that of the medians. Their sums are compared once."""
    with tempfile.TemporaryDirectory() as name:
        many_work.write(Path(name), pieces)
        assert_equal(Path(name))
        found = sides.in_turn(__spec__.name, {"funnel_lib": runs, "sql": runs, "sql in one pass": runs}, name)
    seconds = sides.median_seconds(found)
    loading = median(run[2] for run in found["funnel_lib"])
    return [*sides.table(found),
            f"{pieces:,} pieces of work in Parquet; DuckDB with a memory limit of {MEMORY} on all sides; the sums are equal. Against "
            f"SQL, a query for each table, {seconds['funnel_lib'] / seconds['sql']:.2f} (bound 1.3). Against SQL tuned to one pass, as "
            f"ours is, {seconds['funnel_lib'] / seconds['sql in one pass']:.2f}: {loading:.1f} s of ours are spent on loading this "
            "package and what it needs, whatever the number of rows."]


def assert_equal(folder: Path) -> None:
    """Hours and labour of stages, periods, roles and months are the same on both sides."""
    ours, theirs, tuned = _tables(_connection(folder)), *(work_sql.counts(_connection(folder), way) for way in (False, True))
    for name, table in theirs.items():
        _assert_same(*(side.set_index([key for key in side if key not in ("hours", "labour_amount", "leads")]).iloc[:, 0]
                       for side in (table, tuned[name])))
    sheet = ours["sheet"].set_index("stage").drop("all")
    _assert_same(sheet["hours"], theirs["stages"].set_index("stage")["hours"])
    _assert_same(sheet["labour_amount"], theirs["stages"].set_index("stage")["labour_amount"])
    change, periods = ours["change"].set_index("stage").drop("all"), theirs["periods"].set_index(["stage", "later"])
    for side, later in (("before", False), ("after", True)):
        spent = change[f"{side}_hours_per_result"] * change[f"{side}_result_count"]
        _assert_same(spent.dropna(), periods.xs(later, level="later")["hours"].reindex(spent.dropna().index))
    load = ours["load"].rename(columns={"period_start": "month"}).set_index(["role", "month"])["worked_hours"]
    _assert_same(load, theirs["months"].set_index(["role", "month"])["hours"])


def _assert_same(ours: pd.Series, theirs: pd.Series) -> None:
    assert len(ours) == len(theirs) and np.allclose(ours.sort_index(), theirs.sort_index(), rtol=1e-9)


def run(side: str, folder: Path) -> None:
    """One side, in this process; ours tells as well how long loading took."""
    start = time.perf_counter()
    if side != "funnel_lib":
        work_sql.counts(_connection(folder), in_one_pass=side == "sql in one pass")
        sides.say(start)
        return
    from funnel_lib import efficiency

    load = [efficiency.efficiency_sheet, efficiency.stage_change, efficiency.capacity, efficiency.role_load]
    loaded = time.perf_counter() - start
    assert load and _tables(_connection(folder))
    sides.say(start, loaded)


def _connection(folder: Path) -> duckdb.DuckDBPyConnection:
    return sides.connect(folder, MEMORY, "work", "leads")


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, pd.DataFrame]:
    """Every table of the sheet and the capacity that needs work and leads only."""
    from funnel_lib import Process, efficiency

    process = Process.from_tables("sales", work=connection.table("work_file"), leads=connection.table("leads_file"),
                                  **many_work.SETTINGS)
    return {"sheet": efficiency.efficiency_sheet(process), "change": efficiency.stage_change(process),
            "capacity": efficiency.capacity(process), "load": efficiency.role_load(process)}


if __name__ == "__main__":
    sides.main(run)
