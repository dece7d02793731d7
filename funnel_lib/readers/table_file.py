"""One table from one file: CSV, Parquet or XLSX, typed by the contract."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import duckdb
import narwhals as nw
import pandas as pd

from funnel_lib.checks import Loaded
from funnel_lib.description import CompanyDescription, Formats
from funnel_lib.errors import DataError, nearest
from funnel_lib.findings import EXAMPLES_SHOWN, Example, Finding, finding
from funnel_lib.readers import text_file
from funnel_lib.readers.columns import Typed, quoted, typed_text
from funnel_lib.readers.written_currency import check_written_currency
from funnel_lib.schema import Column, Table

_SQL_TYPES = {"text": "VARCHAR", "time": "TIMESTAMP", "flag": "BOOLEAN"}
# What spreadsheet programs make of ids: 1.23457E+18, May-20, 20.май.
_MANGLED = (r"^\d[.,]\d+[eE]\+?\d+$|^\d[eE]\+\d+$|^(\d{1,2}-MONTHS|MONTHS-\d{2})$|^(\d{1,2}\.МЕСЯЦЫ|МЕСЯЦЫ\.\d{2})$"
            .replace("MONTHS", "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)")
            .replace("МЕСЯЦЫ", "(янв|фев|мар|апр|май|июн|июл|авг|сен|окт|ноя|дек)"))
# Whole numbers from here on are rounded in a float.
_EXACT = 2**53
_MOJIBAKE = "Ð[\u0080-\u00bf°-¿]|Ñ[\u0080-\u00bf]|(Р[°-ї]|С[Ђ-Џ‚-›]){2,}|\ufffd"


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
    columns = columns_of(connection, raw)
    if not columns:
        return _no_rows(connection, path, table, raw)
    _check_header(columns, table, path)
    findings = [*findings, *_unknown_columns(columns, table)]
    typed, more = _typed(connection, raw, columns, table, description, path)
    findings += more
    findings += broken_rows(table.name, path, rejected)
    frame = nw.from_native(typed)
    present = frozenset(name for name in table.column_names if name in columns)
    return Loaded(table, path.name, frame, present, rows_in + len(rejected), tuple(findings), len(rejected), lines)


def _no_rows(connection: duckdb.DuckDBPyConnection, path: Path, table: Table, raw: str) -> Loaded:
    """A file with nothing in it, not even a header: the table with its required columns and no row."""
    columns = ", ".join(f"{quoted(column.name)} {_SQL_TYPES.get(column.kind, 'DOUBLE')}" for column in table.columns)
    typed = raw.replace("raw_", "typed_", 1)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {typed} (_row BIGINT, {columns}, _bad VARCHAR, _bad_text VARCHAR)")
    return Loaded(table, path.name, nw.from_native(connection.table(typed)), frozenset(table.required_columns), 0)


def columns_of(connection: duckdb.DuckDBPyConnection, raw: str) -> dict[str, str]:
    """Name and type of the columns that were read into the engine's table `raw`."""
    columns = dict(connection.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? "
                                      "ORDER BY column_index", [raw]).fetchall())
    columns.pop("_row", None)
    return columns


def _check_header(columns: dict[str, str], table: Table, path: Path) -> None:
    absent = [name for name in table.required_columns if name not in columns]
    if absent:
        shown = ", ".join(list(columns)[:12])
        raise DataError(f"{path.name}: the required column {absent[0]!r} is missing; the header has {shown}."
                        + nearest(absent[0], columns))


def _unknown_columns(columns: dict[str, str], table: Table) -> list[Finding]:
    strange = [name for name in columns if name not in table.column_names]
    return [finding("unknown_column", table.name, 1, column=name, nearest=nearest(name, table.column_names))
            for name in strange]


def broken_rows(table: str, path: Path, rejected: list[text_file.RejectedRow]) -> list[Finding]:
    """A finding for each reason why rows of a file are no rows."""
    findings = []
    for reason in dict.fromkeys(row.reason for row in rejected):
        rows = [row for row in rejected if row.reason == reason]
        examples = [Example(path.name, row.line, row.text) for row in rows[:EXAMPLES_SHOWN]]
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
        columns = ", ".join(f"{quoted(name)} VARCHAR" for name in text_file.unique_names(file.header))
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {raw} ({columns}, _row BIGINT)")
        return (lambda rows: {}), [], findings, 0
    rejected = text_file.load_rows(connection, file, raw)
    rows_in = connection.execute(f"SELECT count(*) FROM {raw}").fetchall()[0][0]
    lines = partial(text_file.lines_of, file, {row.line for row in rejected})
    swallowed = text_file.rows_with_swallowed(connection, file, raw)
    if swallowed:
        at = lines(swallowed[:EXAMPLES_SHOWN])
        examples = [Example(path.name, at.get(row), "a field of several lines") for row in swallowed[:EXAMPLES_SHOWN]]
        findings.append(finding("swallowed_rows", table.name, len(swallowed), examples))
    return lines, rejected, findings, rows_in


def _read_parquet(connection, path: Path, table: Table, formats: Formats, scratch: Path, raw: str):
    source = "'" + str(path).replace("'", "''") + "'"
    try:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {raw} AS SELECT * EXCLUDE (file_row_number), "
                           f"file_row_number + 1 AS _row FROM read_parquet({source}, file_row_number = true)")
        rows_in = connection.execute(f"SELECT count(*) FROM {raw}").fetchall()[0][0]
    except duckdb.Error as error:
        raise DataError(f"{path.name}: not a Parquet file that can be read: {str(error).splitlines()[0]}") from error
    return (lambda rows: {row: row for row in rows}), [], [], rows_in


def _read_spreadsheet(connection, path: Path, table: Table, formats: Formats, scratch: Path, raw: str):
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, IndexError, ValueError) as error:
        raise DataError(f"{path.name}: not a spreadsheet that can be read: {error}") from error
    rows = [[_cell_text(value) for value in row] for row in rows]
    header = _spreadsheet_header(rows)
    repeated = [name for name in table.column_names if header.count(name) > 1]
    if repeated:
        raise DataError(f"{path.name}, row 1: the column {repeated[0]!r} stands twice; remove one")
    filled = [(number, row) for number, row in enumerate(rows[1:], 2) if any(row)]
    positions = {name: position for position, name in enumerate(text_file.unique_names(header)) if header[position]}
    names = list(positions)
    frame = pd.DataFrame({name: [row[positions[name]] for _, row in filled] for name in names}, dtype="str")
    frame["_row"] = pd.Series([number for number, _ in filled], dtype="int64")
    columns = ", ".join([*(f"{quoted(name)} VARCHAR" for name in names), "_row BIGINT"])
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {raw} ({columns})")
    if len(frame):
        connection.append(raw, frame)
    return (lambda numbers: {number: number for number in numbers}), [], [], len(filled)


def _spreadsheet_header(rows: list[list[str]]) -> list[str]:
    """The headings; a column that has values but no heading is named by its place, so that it is seen."""
    names = [name.strip() for name in rows[0]] if rows else []
    filled = [any(row[position] for row in rows[1:]) for position in range(len(names))]
    return [name or (f"(column {position})" if filled[position - 1] else "") for position, name in enumerate(names, 1)]


def _cell_text(value: object) -> str:
    """A spreadsheet's cell as the text that a person sees in it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat(sep=" ") if isinstance(value, dt.datetime) else value.isoformat()
    return "" if value is None else str(value)


READERS: dict[str, Callable] = {".csv": _read_text, ".parquet": _read_parquet, ".xlsx": _read_spreadsheet}


# -- types ---------------------------------------------------------------------------------------------------------------


def _typed(connection, raw: str, columns: dict[str, str], table: Table, description: CompanyDescription, path: Path):
    """The contract's columns of `raw` with their types, `_row`, and `_bad` / `_bad_text` for what has no meaning."""
    selected, bad, findings = ["_row"], [], []
    for column in table.columns:
        if column.name not in columns:
            selected.append(f"NULL::{_SQL_TYPES.get(column.kind, 'DOUBLE')} AS {quoted(column.name)}")
            continue
        name, kind = quoted(column.name), columns[column.name]
        if column.kind == "amount" and kind == "VARCHAR":
            check_written_currency(connection, raw, column.name, path.name, description.currency,
                                   "currency" if columns.get("currency") == "VARCHAR" else None)
        sql, remark = typed_column(connection, raw, column, kind, description.formats, description.time_zone, path.name)
        if remark:
            findings.append(finding("mixed_zones", table.name, 1, column=column.name, remark=remark))
        findings += _damage(connection, raw, column.name, kind, table, path)
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
    """How a column of type `found` in the engine's table `raw` becomes the contract's kind; errors as in `typed_text`."""
    if found == "VARCHAR":
        return typed_text(connection, raw, column, formats, time_zone, file)
    return Typed(_typed_value(quoted(column.name), found, column.kind, time_zone))


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


def _damage(connection, raw: str, column: str, found: str, table: Table, path: Path) -> Iterator[Finding]:
    """Ids that a spreadsheet program has rounded, and text that was decoded wrongly before it came here."""
    name = quoted(column)
    rounded = {"VARCHAR": f"regexp_matches({name}, '{_MANGLED}')", "DOUBLE": f"abs({name}) >= {_EXACT}"}.get(found)
    if column.endswith("_id") and rounded:
        count = connection.execute(f"SELECT count(*) FROM {raw} WHERE {rounded}").fetchall()[0][0]
        first = connection.execute(f"SELECT {name} FROM {raw} WHERE {rounded} ORDER BY _row LIMIT {EXAMPLES_SHOWN}").fetchall()
        if count:
            examples = [Example(path.name, None, f"{column} = {value}") for value, in first]
            yield finding("mangled_ids", table.name, count, examples, column=column)
    if found == "VARCHAR":
        count = connection.execute(f"SELECT count(*) FROM {raw} WHERE regexp_matches({name}, '{_MOJIBAKE}')").fetchall()[0][0]
        if count:
            yield finding("mojibake", table.name, count, column=column)
