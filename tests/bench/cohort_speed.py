"""All tables of who is kept on ten million orders: this package, hand-written DuckDB SQL and pandas, each in a process of its own.

`python -m tests.bench.cohort_speed SIDE FOLDER` runs one side and prints its seconds and its peak memory in MB.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import duckdb

from tests.bench import cohort_pandas, cohort_sql, many_orders, sides

MEMORY = "4GB"


def compare(runs: int = 3) -> list[str]:
    """The three sides in turn; the ratios are those of the medians."""
    with tempfile.TemporaryDirectory() as name:
        orders = many_orders.write(Path(name))
        # pandas once: it takes minutes.
        found = sides.in_turn(__spec__.name, {"funnel_lib": runs, "sql": runs, "pandas": 1}, name)
    seconds = sides.median_seconds(found)
    return [*sides.table(found),
            f"{orders:,} orders and refunds of {many_orders.CUSTOMERS:,} customers in Parquet; DuckDB with a memory limit of {MEMORY} on "
            f"both sides. Against SQL {seconds['funnel_lib'] / seconds['sql']:.2f} (bound 1.5), pandas "
            f"{seconds['pandas'] / seconds['funnel_lib']:.1f} times slower (bound 1)."]


def run(side: str, folder: Path) -> None:
    """One side, in this process."""
    start = time.perf_counter()
    if side == "pandas":
        cohort_pandas.counts(folder)
    else:
        connection = sides.connect(folder, MEMORY, "orders")
        cohort_sql.counts(connection) if side == "sql" else _tables(connection)
    sides.say(start)


def _tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Every table of notebook 03 on who is kept."""
    from funnel_lib import Process, loyalty

    process = Process.from_tables("sales", orders=connection.table("orders_file"), **many_orders.SETTINGS)
    for call in ({}, {"bounded": False}, {"rolling": True}, {"per": "quarter", "by": "channel"}, {"value": "amount"}):
        loyalty.average_retention(loyalty.cohort_retention(process, **call))
    loyalty.next_order(process)
    loyalty.next_order_times(process)
    loyalty.revenue_retention(process)


if __name__ == "__main__":
    sides.main(run)
