"""One table from one file: CSV, Parquet or XLSX, typed by the contract."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import duckdb
import narwhals as nw

from funnel_lib.checks import CELLS_IN_ERROR, Loaded
from funnel_lib.description import CompanyDescription, Formats
from funnel_lib.errors import DataError, nearest
from funnel_lib.findings import EXAMPLES_SHOWN, Example, Finding, finding
from funnel_lib.language.messages import message
from funnel_lib.readers import text_file
from funnel_lib.readers.columns import NUMBER, TIME, Typed, quoted, typed_text
from funnel_lib.readers.spreadsheet import read_sheet
from funnel_lib.readers.written_currency import check_written_currency
from funnel_lib.schema import Column, Table

Read = TypeVar("Read")
_SQL_TYPES = {"text": "VARCHAR", "time": "TIMESTAMP", "flag": "BOOLEAN"}
# What spreadsheet programs make of ids: 1.23457E+18, 9007199254740992.0, May-20, 20.май, ########, #REF!.
_MANGLED = "|".join([
    r"^\d[.,]\d+[eE]\+?\d+$|^\d[eE]\+\d+$|^\d{16,}\.0$|^##+$", *(f"^{re.escape(error)}$" for error in CELLS_IN_ERROR),
    r"^(\d{1,2}-MONTHS|MONTHS-\d{2})$".replace("MONTHS", "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"),
    r"^(\d{1,2}\.МЕСЯЦЫ|МЕСЯЦЫ\.\d{2})$".replace("МЕСЯЦЫ", "(янв|фев|мар|апр|май|июн|июл|авг|сен|окт|ноя|дек)")])
# Whole numbers from here on are rounded in a float.
_EXACT = 2**53
_MOJIBAKE = "Ð[\u0080-\u00bf°-¿]|Ñ[\u0080-\u00bf]|(Р[°-ї]|С[Ђ-Џ‚-›]){2,}|\ufffd"


def files_of(folder: Path, table: str) -> list[Path]:
    """The files of a company folder that hold this table; one, if all is well."""
    return [folder / f"{table}{ending}" for ending in READERS if (folder / f"{table}{ending}").is_file()]


def or_finding(table: str, file: str, read: Callable[[], Read], findings: list[Finding]) -> Read | None:
    """What `read` gives; None, with a finding that says why, where the table cannot be read."""
    try:
        return read()
    except DataError as error:
        findings.append(finding("table_unreadable", table, 1, reason=error.args[0]))
    except duckdb.Error as error:
        # Whatever else the engine does not take: one table's fault, said with its file.
        findings.append(finding("table_unreadable", table, 1, reason=f"{file}: {str(error).splitlines()[0]}"))
    return None


def by_row(rows: Iterable[int]) -> dict[int, int]:
    """The lines of rows, where a row's number is its line."""
    return {row: row for row in rows}


def load_table(connection: duckdb.DuckDBPyConnection, path: Path, table: Table, description: CompanyDescription,
               scratch: Path, into: str | None = None) -> Loaded:
    """The rows of one file with the contract's columns and types.

    Raises `DataError` for a file that cannot be read as this table: a required column missing, no text, ambiguous
    numbers or dates, ids damaged by a spreadsheet program.
    """
    raw = f"raw_{into or table.name}"
    if path.stat().st_size == 0:
        return _no_rows(connection, path, table, raw)
    lines, rejected, findings, rows_in = READERS[path.suffix.lower()](connection, path, table, description.formats,
                                                                      scratch, raw)
    if not columns_of(connection, raw):
        return _no_rows(connection, path, table, raw)
    findings = [*findings, *broken_rows(table.name, path.name, rejected)]
    return typed_table(connection, raw, table, description, path.name, rows_in + len(rejected), findings, len(rejected), lines)


def typed_table(connection: duckdb.DuckDBPyConnection, raw: str, table: Table, description: CompanyDescription, file: str,
                rows_in: int, findings: Iterable[Finding] = (), rejected_count: int = 0, lines: Callable = by_row) -> Loaded:
    """The rows in the engine's table `raw` with the contract's columns and types; `file` is where they are from, for a reader.

    Raises `DataError` as `load_table` does.
    """
    columns = columns_of(connection, raw)
    _check_header(columns, table, file)
    typed, more = _typed(connection, raw, columns, table, description, file)
    findings = [*findings, *_unknown_columns(columns, table), *_damage(connection, raw, columns, table, file, lines), *more]
    present = frozenset(name for name in table.column_names if name in columns)
    return Loaded(table, file, nw.from_native(typed), present, rows_in, tuple(findings), rejected_count, lines)


def _no_rows(connection: duckdb.DuckDBPyConnection, path: Path, table: Table, raw: str) -> Loaded:
    """A file with nothing in it, not even a header: the table with its required columns and no row."""
    columns = ", ".join(f"{quoted(column.name)} {_SQL_TYPES.get(column.kind, 'DOUBLE')}" for column in table.columns)
    typed = raw.replace("raw_", "typed_", 1)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {typed} (_row BIGINT, {columns}, _bad VARCHAR, _bad_text VARCHAR)")
    return Loaded(table, path.name, nw.from_native(connection.table(typed)), frozenset(table.required_columns), 0)


def columns_of(connection: duckdb.DuckDBPyConnection, raw: str) -> dict[str, str]:
    """Name and type of the columns that were read into the engine's table `raw`, without the typed twins of some."""
    columns = _all_columns(connection, raw)
    return {name: kind for name, kind in columns.items() if not any(
        name.startswith(twin) and name.removeprefix(twin) in columns for twin in (NUMBER, TIME))}


def _all_columns(connection: duckdb.DuckDBPyConnection, raw: str) -> dict[str, str]:
    columns = dict(connection.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? "
                                      "ORDER BY column_index", [raw]).fetchall())
    columns.pop("_row", None)
    return columns


def _check_header(columns: dict[str, str], table: Table, file: str) -> None:
    absent = [name for name in table.required_columns if name not in columns]
    if absent:
        shown = ", ".join(list(columns)[:12])
        raise DataError(message("{file}: the required column {column!r} is missing; the header has {shown}.{nearest}",
                                file=file, column=absent[0], shown=shown, nearest=nearest(absent[0], columns)))


def _unknown_columns(columns: dict[str, str], table: Table) -> list[Finding]:
    strange = [name for name in columns if name not in table.column_names]
    return [finding("unknown_column", table.name, 1, column=name, nearest=nearest(name, table.column_names))
            for name in strange]


def broken_rows(table: str, file: str, rejected: list[text_file.RejectedRow]) -> list[Finding]:
    """A finding for each reason why rows of a file are no rows."""
    findings = []
    for reason in dict.fromkeys(row.reason for row in rejected):
        rows = [row for row in rejected if row.reason == reason]
        examples = [Example(file, row.line, row.text) for row in rows[:EXAMPLES_SHOWN]]
        findings.append(finding("broken_row", table, len(rows), examples, reason=reason))
    return findings


# -- one reader per format: rows into the engine's table `raw` ------------------------------------------------------------


def _read_text(connection, path: Path, table: Table, formats: Formats, scratch: Path, raw: str):
    file = text_file.open_text(path, table.column_names, scratch, formats.encoding, formats.separator, formats.header)
    findings = [finding("encoding", table.name, 1, remark=remark) for remark in file.remarks]
    if not file.header:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {raw} (_row BIGINT)")
        return (lambda rows: {}), [], findings, 0
    if set(table.required_columns) - set(file.header):
        # Said by the header check; reading rows under a header that does not fit would only add noise.
        columns = ", ".join(f"{quoted(name)} VARCHAR" for name in file.names)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {raw} ({columns}, _row BIGINT)")
        return (lambda rows: {}), [], findings, 0
    rejected = text_file.load_rows(connection, file, raw)
    rows_in = connection.execute(f"SELECT count(*) FROM {raw}").fetchall()[0][0]
    lines = partial(text_file.lines_of, file, {row.line for row in rejected})
    swallowed = text_file.rows_with_swallowed(connection, file, raw)
    if swallowed:
        at = lines(swallowed[:EXAMPLES_SHOWN])
        examples = [Example(path.name, at.get(row), message("a field of several lines")) for row in swallowed[:EXAMPLES_SHOWN]]
        findings.append(finding("swallowed_rows", table.name, len(swallowed), examples))
    return lines, rejected, findings, rows_in


def _read_parquet(connection, path: Path, table: Table, formats: Formats, scratch: Path, raw: str):
    source = "'" + str(path).replace("'", "''") + "'"
    try:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {raw} AS SELECT * EXCLUDE (file_row_number), "
                           f"file_row_number + 1 AS _row FROM read_parquet({source}, file_row_number = true)")
        rows_in = connection.execute(f"SELECT count(*) FROM {raw}").fetchall()[0][0]
    except duckdb.Error as error:
        raise DataError(message("{file}: not a Parquet file that can be read: {reason}", file=path.name,
                                reason=str(error).splitlines()[0])) from error
    return by_row, [], [], rows_in


READERS: dict[str, Callable] = {".csv": _read_text, ".parquet": _read_parquet, ".xlsx": read_sheet}


# -- types ---------------------------------------------------------------------------------------------------------------


def _typed(connection, raw: str, columns: dict[str, str], table: Table, description: CompanyDescription, file: str):
    """The contract's columns of `raw` with their types, `_row`, and `_bad` / `_bad_text` for what has no meaning."""
    selected, bad, findings = ["_row"], [], []
    for column in table.columns:
        if column.name not in columns:
            selected.append(f"NULL::{_SQL_TYPES.get(column.kind, 'DOUBLE')} AS {quoted(column.name)}")
            continue
        name, kind = quoted(column.name), columns[column.name]
        if column.kind == "amount" and kind == "VARCHAR":
            check_written_currency(connection, raw, column.name, file, description.currency,
                                   "currency" if columns.get("currency") == "VARCHAR" else None)
        sql, remark = typed_column(connection, raw, column, kind, description.formats, description.time_zone, file)
        if remark:
            findings.append(finding("mixed_zones", table.name, 1, column=column.name, remark=remark))
        selected.append(f"{sql} AS {name}")
        if column.kind != "text":
            has_text = f"trim(CAST({name} AS VARCHAR)) <> ''"
            bad.append((column.name, f"({has_text}) AND ({sql}) IS NULL", f"CAST({name} AS VARCHAR)"))
    which = "".join(f" WHEN {test} THEN '{name}'" for name, test, _ in bad)
    what = "".join(f" WHEN {test} THEN {text}" for _, test, text in bad)
    selected += [f"CASE{which} END AS _bad", f"CASE{what} END AS _bad_text"] if bad else [
        "NULL::VARCHAR AS _bad", "NULL::VARCHAR AS _bad_text"]
    typed = raw.replace("raw_", "typed_", 1)
    is_view = connection.execute(f"SELECT count(*) FROM duckdb_views() WHERE view_name = '{raw}'").fetchall()[0][0]
    kind = "VIEW" if is_view else "TABLE"
    connection.execute(f"CREATE OR REPLACE TEMP {kind} {typed} AS SELECT {', '.join(selected)} FROM {raw}")
    return connection.table(typed), findings


def typed_column(connection, raw: str, column: Column, found: str, formats: Formats, time_zone: str, file: str) -> Typed:
    """How a column of type `found` in the engine's table `raw` becomes the contract's kind; errors as in `typed_text`.

    Typed cells of a spreadsheet are what they are: only the text in the others has a format that must be found.
    """
    if found != "VARCHAR":
        return Typed(_typed_value(quoted(column.name), found, column.kind, time_zone))
    prefix = {"time": TIME, "text": "", "flag": ""}.get(column.kind, NUMBER)
    if not prefix or prefix + column.name not in _all_columns(connection, raw):
        return typed_text(connection, raw, column, formats, time_zone, file)
    name, twin = quoted(column.name), quoted(prefix + column.name)
    others = f"(SELECT * REPLACE (CASE WHEN {twin} IS NULL THEN {name} END AS {name}) FROM {raw})"
    text = typed_text(connection, others, column, formats, time_zone, file)
    return Typed(f"coalesce({twin}, {text.sql})", text.remark)


def _typed_value(name: str, found: str, wanted: str, time_zone: str) -> str:
    """A column that has a type already (Parquet) as the contract's kind."""
    if wanted == "text":
        if found in ("DOUBLE", "FLOAT"):
            whole = f"CASE WHEN {name} = floor({name}) AND abs({name}) < {_EXACT} THEN CAST(CAST({name} AS BIGINT) AS VARCHAR)"
            return f"{whole} WHEN NOT isnan({name}) THEN CAST({name} AS VARCHAR) END"
        return f"CASE WHEN trim(CAST({name} AS VARCHAR)) <> '' THEN CAST({name} AS VARCHAR) END"
    if wanted == "time":
        if found == "TIMESTAMP WITH TIME ZONE":
            return f"({name} AT TIME ZONE '{time_zone}')"
        return f"TRY_CAST({name} AS TIMESTAMP)"
    if wanted == "flag":
        return f"TRY_CAST({name} AS BOOLEAN)"
    return f"CASE WHEN isfinite(TRY_CAST({name} AS DOUBLE)) THEN TRY_CAST({name} AS DOUBLE) END"


def _damage(connection, raw: str, columns: dict[str, str], table: Table, file: str, lines: Callable) -> Iterator[Finding]:
    """Ids that a spreadsheet program has rounded or taken for dates, and text that was decoded wrongly before it came here."""
    there = _all_columns(connection, raw)
    for name, found in ((name, columns[name]) for name in table.column_names if name in columns):
        if name.endswith("_id"):
            tests = [f"abs({quoted(name)}) >= {_EXACT}"] if found in ("DOUBLE", "FLOAT") else []
            tests += [f"regexp_matches({quoted(name)}, '{_MANGLED}')"] if found == "VARCHAR" else []
            tests += [f"abs({quoted(NUMBER + name)}) >= {_EXACT}"] if NUMBER + name in there else []
            tests += [f"{quoted(TIME + name)} IS NOT NULL"] if TIME + name in there else []
            yield from _mangled(connection, raw, name, " OR ".join(tests), table, file, lines)
        if found == "VARCHAR":
            count = connection.execute(
                f"SELECT count(*) FROM {raw} WHERE regexp_matches({quoted(name)}, '{_MOJIBAKE}')").fetchall()[0][0]
            if count:
                yield finding("mojibake", table.name, count, column=name)


def _mangled(connection, raw: str, column: str, test: str, table: Table, file: str, lines: Callable) -> Iterator[Finding]:
    rows = connection.execute(f"SELECT _row, {quoted(column)}, count(*) OVER () FROM {raw} WHERE {test} ORDER BY _row "
                              f"LIMIT {EXAMPLES_SHOWN}").fetchall() if test else []
    if rows:
        at = lines([row for row, _, _ in rows])
        examples = [Example(file, at.get(row), f"{column} = {value}") for row, value, _ in rows]
        yield finding("mangled_ids", table.name, rows[0][2], examples, column=column)
