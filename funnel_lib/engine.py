"""Frames of any engine as Narwhals lazy frames, typed by the contract; joins that never match missing keys."""

from __future__ import annotations

import logging
from itertools import count
from typing import Any

import narwhals as nw
import pandas as pd

from funnel_lib.errors import CallError, DataError, nearest
from funnel_lib.frames import EXACT, definite
from funnel_lib.language.messages import message
from funnel_lib.rates import steady
from funnel_lib.schema import MISSING, Column, Table

log = logging.getLogger(__name__)

NARWHALS_TYPES = {"text": nw.String, "time": nw.Datetime("us"), "amount": nw.Float64, "number": nw.Float64,
                  "count": nw.Float64, "flag": nw.Boolean}

# Periods that every engine can cut times to.
TRUNCATED = {"month": "1mo", "quarter": "1q", "year": "1y"}


def collect(frame: nw.LazyFrame) -> pd.DataFrame:
    """The (small) result of a query as a pandas DataFrame with plain types: str, float64, datetime64, bool.

    Row order is not defined on a parallel engine: callers sort. Fractions have ten significant digits: a parallel engine adds
    them up in another order each time.
    """
    types = frame.collect_schema()
    if frame.implementation.is_pandas():
        result = frame.collect().to_native().reset_index(drop=True)
    else:
        # By way of plain lists, since Polars and Spark would want pyarrow to make a pandas frame.
        columns = frame.collect("pandas").to_native() if frame.implementation.is_duckdb() else None
        result = columns if columns is not None else _from_lists(frame)
    for name, kind in types.items():
        if kind.is_numeric():
            result[name] = steady(result[name].astype("float64"))
        elif kind == nw.String:
            result[name] = result[name].astype("str")
        elif kind == nw.Boolean and not result[name].isna().any():
            result[name] = result[name].astype("bool")
        elif kind.is_temporal():
            result[name] = pd.to_datetime(result[name]).astype("datetime64[us]")
    return result


def _from_lists(frame: nw.LazyFrame) -> pd.DataFrame:
    if frame.implementation.is_pyspark():
        native = frame.to_native()
        return pd.DataFrame([tuple(row) for row in native.collect()], columns=native.columns)
    return pd.DataFrame(frame.collect().to_dict(as_series=False))


def to_lazy(native: Any, table: Table, time_zone: str | None, minor_units: int) -> tuple[nw.LazyFrame, frozenset[str]]:
    """A frame that Narwhals takes as the contract's table, and the columns that it really had.

    Absent optional columns become missing values; amounts become whole minor units (whole numbers in a float, exact
    below 2^53, so that sums are the same on every engine and in every order); aware times become local ones.
    Raises `DataError` for a missing required column or a column of the wrong type.
    """
    try:
        frame = nw.from_native(definite(native, table, time_zone))
    except TypeError as error:
        raise DataError(message("table {table}: expected a frame (pandas, Polars, DuckDB relation, PySpark, …), found {kind}",
                                table=table.name, kind=type(native).__name__)) from error
    frame = frame.lazy()
    types = dict(frame.collect_schema())
    absent = [name for name in table.required_columns if name not in types]
    if absent:
        raise DataError(message("table {table}: column {column!r} is missing; found {known}.{nearest}", table=table.name,
                                column=absent[0], known=", ".join(types) or message("no column"),
                                nearest=nearest(absent[0], types)))
    # Spark keeps the zone in the session, not in the data: its times are taken as the session shows them.
    zone = None if frame.implementation.is_pyspark() else time_zone or "UTC"
    expressions = [_typed(column, types.get(column.name), table, zone, minor_units) for column in table.columns]
    present = frozenset(name for name in table.column_names if name in types)
    return frame.select(*expressions), present


def _typed(column: Column, found: Any, table: Table, time_zone: str | None, minor_units: int) -> nw.Expr:
    """One column of the contract from what was found under its name."""
    wanted = NARWHALS_TYPES[column.kind]
    if found is None:
        return nw.lit(None, dtype=wanted).alias(column.name)
    value = nw.col(column.name)
    if column.kind == "text":
        text = _float_text(value) if found.is_float() else value.cast(nw.String)
        # An empty field is missing, in whatever form the engine keeps it.
        return nw.when(text != "").then(text).alias(column.name)
    if column.kind == "time":
        if not found.is_temporal():
            raise DataError(message("table {table}, column {column}: expected times, found {found}", table=table.name,
                                    column=column.name, found=found))
        if getattr(found, "time_zone", None):
            value = (value.dt.convert_time_zone(time_zone) if time_zone else value).dt.replace_time_zone(None)
        return value.cast(wanted).alias(column.name)
    if column.kind == "flag":
        if found != nw.Boolean:
            raise DataError(message("table {table}, column {column}: expected true or false, found {found}", table=table.name,
                                    column=column.name, found=found))
        return value.alias(column.name)
    if not (found.is_numeric()):
        raise DataError(message("table {table}, column {column}: expected numbers, found {found}", table=table.name,
                                column=column.name, found=found))
    number = value.cast(nw.Float64)
    number = nw.when(number.is_finite()).then(number)
    return ((number * minor_units).round(0) if column.kind == "amount" else number).alias(column.name)


def _float_text(value: nw.Expr) -> nw.Expr:
    """Ids that came as floats: 7.0 is "7", 1.1 stays "1.1", what is no number is missing."""
    value = nw.when(~value.is_nan()).then(value)
    is_whole = (value % 1 == 0) & (value.abs() < EXACT)
    # What cannot be a whole number is taken out first: engines may cast before they choose.
    whole = nw.when(is_whole).then(value).cast(nw.Int64).cast(nw.String)
    return nw.when(is_whole).then(whole).otherwise(value.cast(nw.String))


def currency_code() -> nw.Expr:
    """The column of currencies as codes: `rub` and `RUB ` are RUB."""
    return nw.col("currency").str.strip_chars().str.to_uppercase()


def left_join(left: nw.LazyFrame, right: nw.LazyFrame, on: str) -> nw.LazyFrame:
    """`left` with the columns of `right`, which has one row per `on`; a missing key matches nothing.

    pandas joins missing keys to each other, so they are taken out of the right side first.
    """
    return left.join(right.filter(~nw.col(on).is_null()), on=on, how="left")


def flag(condition: nw.Expr) -> nw.Expr:
    """1 where it holds, else 0: a number, since not every engine takes the sum or the largest of truth values."""
    return nw.when(condition.fill_null(False)).then(nw.lit(1, dtype=nw.Int16)).otherwise(nw.lit(0, dtype=nw.Int16))


def kept(frame: nw.LazyFrame, added: dict[str, nw.Expr] | None = None) -> nw.LazyFrame:
    """The frame computed now and kept on its engine, for what many queries begin with; only a plan elsewhere.

    DuckDB keeps it as a temporary table, which spills to disk like any other, without the columns of `added`: what the source has
    not, or what is quickly worked out, comes back in the plan.
    """
    if not frame.implementation.is_duckdb():
        return frame
    added, every = added or {}, frame.collect_schema().names()
    native, name = frame.drop(*added).to_native(), f"kept_{next(_NUMBERS)}"
    # What the making returns is where the table is read from: read from the plan, every later query would carry the plan's text.
    made = native.query("plan", f"CREATE TEMP TABLE {name} AS FROM plan")
    table = nw.from_native((native if made is None else made).query("made", f"FROM {name}"))
    return table.with_columns(**added).select(every) if added else table


_NUMBERS = count()


def with_groups(frame: nw.LazyFrame, by: list[str]) -> nw.LazyFrame:
    """Group columns with missing values as the group "(missing)", apart from a group that is called `unknown`.

    Of leads, `month`, `quarter` and `year` are the first day of the one in which each was created.
    Raises `CallError` for a column that is not there.
    """
    known = frame.collect_schema().names() if by else []
    if "created_at" in known and set(by) & set(TRUNCATED):
        frame = frame.with_columns(**{name: nw.col("created_at").dt.truncate(TRUNCATED[name]) for name in by if name in TRUNCATED})
        known = [*known, *TRUNCATED]
    for name in by:
        if name not in known:
            raise CallError(message("by={name!r}: there is no such column.{nearest}", name=name, nearest=nearest(name, known)))
    texts = [name for name in by if name not in TRUNCATED]
    return frame.with_columns(*[nw.col(name).fill_null(MISSING) for name in texts]) if texts else frame


def as_list(by: str | list[str] | None) -> list[str]:
    """`by` as a list of column names."""
    return [] if by is None else [by] if isinstance(by, str) else list(by)
