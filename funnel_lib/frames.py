"""Frames as users hold them (pandas, Arrow, DuckDB relations), made definite: one type per column, times without a zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from numbers import Number
from typing import Any

import duckdb
import pandas as pd

from funnel_lib.errors import DataError
from funnel_lib.language.messages import Message, message
from funnel_lib.schema import Column, Table

# Whole numbers from here on are rounded in a float.
EXACT = 2**53


def definite(native: Any, table: Table, time_zone: str | None) -> Any:
    """The frame as Narwhals can take it for this table, lazily where it is lazy; one of another kind as it came.

    What pandas leaves open is decided: ids that became floats, numbers, flags and times in columns of objects. Times with a
    zone become the company's; those without one are taken for it.
    Raises `DataError` with table and column for a repeated name and for values of another kind.
    """
    if type(native).__module__.partition(".")[0] == "pyarrow" and hasattr(native, "column_names"):
        _check_names(native.column_names, table)
        native = duckdb.from_arrow(native)
    if isinstance(native, pd.DataFrame):
        return _definite_pandas(native, table, time_zone or "UTC")
    if isinstance(native, duckdb.DuckDBPyRelation):
        return _local_relation(native, time_zone or "UTC")
    return native


def _local_relation(relation: duckdb.DuckDBPyRelation, time_zone: str) -> duckdb.DuckDBPyRelation:
    """DuckDB keeps the zone in the connection, so that only the engine itself can bring times into another."""
    aware = [name for name, kind in zip(relation.columns, relation.types, strict=True) if str(kind) == "TIMESTAMP WITH TIME ZONE"]
    if not aware:
        return relation
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in relation.columns}
    return relation.project(", ".join(f"{quoted[name]} AT TIME ZONE '{time_zone}' AS {quoted[name]}" if name in aware
                                      else quoted[name] for name in relation.columns))


def _check_names(names: Iterable[Any], table: Table) -> None:
    names = list(names)
    for name in table.column_names:
        if names.count(name) > 1:
            raise DataError(message("table {table}, column {name}: expected one column of this name, found {count}",
                                    table=table.name, name=name, count=names.count(name)))


def _definite_pandas(frame: pd.DataFrame, table: Table, time_zone: str) -> pd.DataFrame:
    if frame.columns.nlevels > 1:
        raise DataError(message("table {table}: expected column names of one level, found {levels} levels (such as {first!r}); "
                                "frame.columns = frame.columns.get_level_values(0) takes the first", table=table.name,
                                levels=frame.columns.nlevels, first=frame.columns[0]))
    _check_names(frame.columns, table)
    known = [column for column in table.columns if column.name in frame.columns]
    # A name that only the user knows may stand twice.
    frame = frame.loc[:, ~frame.columns.duplicated()].reset_index(drop=True)
    makers = {"text": _text, "time": _times, "flag": _flags}
    return frame.assign(**{column.name: makers.get(column.kind, _numbers)(frame[column.name], column, table, time_zone)
                           for column in known})


def _text(values: pd.Series, column: Column, table: Table, time_zone: str) -> pd.Series:
    if pd.api.types.is_float_dtype(values):
        whole = (values % 1 == 0) & (values.abs() < EXACT)
        as_text = values.astype("float64").astype("str")
        return values.where(whole).astype("Int64").astype("str").where(whole, as_text).where(values.notna())
    return values if isinstance(values.dtype, pd.StringDtype) else values.astype("str").where(values.notna())


def _flags(values: pd.Series, column: Column, table: Table, time_zone: str) -> pd.Series:
    try:
        return values.astype("boolean")
    except (ValueError, TypeError):
        found = next((value for value in values.dropna() if value not in (True, False)), values.dtype)
        raise _wrong(table, column, message("true or false"), found) from None


def _numbers(values: pd.Series, column: Column, table: Table, time_zone: str) -> pd.Series:
    """Objects that are all numbers (whole ones with gaps, Decimals) as floats; anything else as it is."""
    if values.dtype != object:
        return values
    for value in values.dropna():
        if not isinstance(value, Number) or isinstance(value, bool):
            raise _wrong(table, column, message("numbers"), value)
    return values.where(values.notna(), float("nan")).astype("float64")


def _times(values: pd.Series, column: Column, table: Table, time_zone: str) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values) and values.notna().any():
        raise _wrong(table, column, message("times such as 2026-07-01 10:00"), values.dropna().iloc[0])
    if not pd.api.types.is_datetime64_any_dtype(values):
        try:
            values = pd.to_datetime(values, format="ISO8601")
        except (ValueError, TypeError):
            return _single_times(values, column, table, time_zone)
    if getattr(values.dt, "tz", None) is not None:
        values = values.dt.tz_convert(time_zone).dt.tz_localize(None)
    return values.astype("datetime64[us]")


def _single_times(values: pd.Series, column: Column, table: Table, time_zone: str) -> pd.Series:
    """Times of several zones, or with a zone and without, one by one."""
    found = []
    for value in values:
        try:
            moment = pd.Timestamp(dt.datetime.fromisoformat(value) if isinstance(value, str) else value)
        except (ValueError, TypeError):
            raise _wrong(table, column, message("times such as 2026-07-01 10:00"), value) from None
        found.append(moment.tz_convert(time_zone).tz_localize(None) if moment.tz is not None else moment)
    return pd.Series(found, index=values.index, dtype="datetime64[us]")


def _wrong(table: Table, column: Column, expected: Message, found: Any) -> DataError:
    return DataError(message("table {table}, column {column}: expected {expected}, found {found!r}", table=table.name,
                             column=column.name, expected=expected, found=str(found)))
