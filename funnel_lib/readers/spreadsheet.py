"""XLSX sheets: every cell as the text that a person sees, and beside it what a typed cell really is."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from funnel_lib.description import Formats
from funnel_lib.errors import DataError
from funnel_lib.language.messages import message
from funnel_lib.readers.columns import NUMBER, TIME, quoted
from funnel_lib.readers.text_file import unique_names
from funnel_lib.schema import Table


def read_sheet(connection: duckdb.DuckDBPyConnection, path: Path, table: Table, formats: Formats, scratch: Path, raw: str):
    """The first sheet in the engine's table `raw`; a column with numbers or dates has a twin that holds them typed.

    A cell in error (`#REF!`, `#DIV/0!`) has that text. Only .xlsx tells; in older kinds of files it is a blank.
    Raises `DataError` for a file that is no spreadsheet and for a column of the contract that stands twice.
    """
    cells = _cells(path)
    texts = [[cell_text(value) for value in row] for row in cells]
    header = _header(texts)
    repeated = [name for name in table.column_names if header.count(name) > 1]
    if repeated:
        raise DataError(message("{file}, row 1: the column {name!r} stands twice; remove one", file=path.name, name=repeated[0]))
    filled = [number for number, row in enumerate(texts[1:], 1) if any(row)]
    positions = {name: position for position, name in enumerate(unique_names(header, table.column_names)) if header[position]}
    columns: dict[str, tuple[str, list]] = {}
    for name, position in positions.items():
        values = [cells[number][position] for number in filled]
        columns[name] = "VARCHAR", [texts[number][position] for number in filled]
        for twin, sql_type, typed in ((NUMBER, "DOUBLE", _number), (TIME, "TIMESTAMP", _time)):
            if any(typed(value) is not None for value in values):
                columns[twin + name] = sql_type, [typed(value) for value in values]
    columns["_row"] = "BIGINT", [number + 1 for number in filled]
    _insert(connection, raw, columns)
    return (lambda numbers: {number: number for number in numbers}), [], [], len(filled)


def _insert(connection: duckdb.DuckDBPyConnection, raw: str, columns: dict[str, tuple[str, list]]) -> None:
    kinds = {"VARCHAR": "str", "DOUBLE": "float64", "TIMESTAMP": "datetime64[us]", "BIGINT": "int64"}
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {raw} "
                       f"({', '.join(f'{quoted(name)} {sql_type}' for name, (sql_type, _) in columns.items())})")
    frame = pd.DataFrame({name: pd.Series(values, dtype=kinds[sql_type]) for name, (sql_type, values) in columns.items()})
    if len(frame):
        connection.append(raw, frame)


def _cells(path: Path) -> list[list[Any]]:
    """The cells of the first sheet as Python's own types."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, IndexError, ValueError) as error:
        raise DataError(message("{file}: not a spreadsheet that can be read: {error}", file=path.name, error=str(error))) from error
    for row, column, text in _cells_in_error(path):
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = text
    return rows


def _cells_in_error(path: Path) -> list[tuple[int, int, str]]:
    """Row, column (from 0) and text of the first sheet's cells in error.

    Calamine gives blanks for them: https://github.com/dimastbk/python-calamine/issues/105
    """
    try:
        with zipfile.ZipFile(path) as book:
            first = re.search(rb'<(?:\w+:)?sheet\b[^>]*\br:id="([^"]+)"', book.read("xl/workbook.xml"))
            targets = {identity: target for relation in re.findall(rb"<(?:\w+:)?Relationship\b[^>]*>",
                                                                   book.read("xl/_rels/workbook.xml.rels"))
                       for identity in re.findall(rb'\bId="([^"]+)"', relation)
                       for target in re.findall(rb'\bTarget="([^"]+)"', relation)}
            target = targets[first[1]].decode() if first else ""
            sheet = book.read(target.lstrip("/") if target.startswith("/") else f"xl/{target}")
    except (KeyError, zipfile.BadZipFile):
        return []
    found = re.findall(rb'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"[^>]*>.*?<v>([^<]*)</v>', sheet, re.DOTALL)
    return [(int(row) - 1, _column_number(letters.decode()), text.decode()) for letters, row, text in found]


def _column_number(letters: str) -> int:
    """The column (from 0) that a spreadsheet program calls by these letters.

    >>> _column_number("A"), _column_number("AB")
    (0, 27)
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _header(rows: list[list[str]]) -> list[str]:
    """The headings; a column that has values but no heading is named by its place, so that it is seen."""
    names = [name.strip() for name in rows[0]] if rows else []
    filled = [any(row[position] for row in rows[1:]) for position in range(len(names))]
    return [name or (f"(column {position})" if filled[position - 1] else "") for position, name in enumerate(names, 1)]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _time(value: Any) -> dt.datetime | None:
    if isinstance(value, dt.datetime):
        return value
    return dt.datetime.combine(value, dt.time()) if isinstance(value, dt.date) else None


def cell_text(value: Any) -> str:
    """A spreadsheet's cell as the text that a person sees in it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat(sep=" ") if isinstance(value, dt.datetime) else value.isoformat()
    return "" if value is None else str(value)
