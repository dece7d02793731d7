"""The same small tables on several engines, for the parity tests."""

from __future__ import annotations

from functools import cache
from itertools import count
from typing import Any

import duckdb
import pandas as pd

from funnel_lib import Process
from funnel_lib.schema import TABLES


def duckdb_tables(tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """The frames as relations of one DuckDB connection, typed (an empty or missing column keeps the contract's type)."""
    connection, number = _connection(), next(_NUMBERS)
    relations = {}
    for name, frame in tables.items():
        kinds = {column.name: column.kind for column in TABLES[name].columns}
        typed = frame.copy()
        for column in typed:
            if kinds.get(column) == "time":
                typed[column] = pd.to_datetime(typed[column], format="ISO8601").astype("datetime64[us]")
            elif kinds.get(column) == "flag":
                typed[column] = typed[column].astype("boolean")
            elif kinds.get(column) == "text":
                typed[column] = typed[column].astype("str").where(typed[column].notna())
        connection.register("source", typed)
        connection.execute(f"CREATE TABLE {name}_{number} AS SELECT * FROM source")
        connection.unregister("source")
        relations[name] = connection.table(f"{name}_{number}")
    return relations


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """One for all tests of a worker: opening one costs more than the tables of a small company."""
    return duckdb.connect()


_NUMBERS = count()


def on_engines(name: str, tables: dict[str, pd.DataFrame], **settings: Any) -> dict[str, Process]:
    """The process on pandas and on DuckDB."""
    return {"pandas": Process.from_tables(name, **tables, **settings),
            "duckdb": Process.from_tables(name, **duckdb_tables(tables), **settings)}


def assert_parity(measure: Any, processes: dict[str, Process], **arguments: Any) -> pd.DataFrame:
    """The measure gives equal tables on every engine; returns the one of pandas."""
    results = {engine: measure(process, **arguments) for engine, process in processes.items()}
    first = results["pandas"]
    for engine, table in results.items():
        table.attrs.clear()
        pd.testing.assert_frame_equal(first, table, check_dtype=False, check_exact=False, rtol=1e-12, obj=engine)
    return first
