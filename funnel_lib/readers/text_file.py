"""Delimited text files: encoding, separator and header found against the contract, broken rows kept with their line."""

from __future__ import annotations

import csv
import logging
import re
import sys
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import duckdb

from funnel_lib.errors import DataError
from funnel_lib.language.messages import message
from funnel_lib.readers.plain_text import encoding_of, recoded, with_one_line_end

log = logging.getLogger(__name__)

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
# Columns set apart by runs of blanks: such a file is read from a copy with tabs.
WHITESPACE = "whitespace"
MAX_LINE_BYTES = 1_000_000
_CHUNK = 1 << 20


@dataclass(frozen=True)
class RejectedRow:
    """A row that is not a row of the table: its line and why."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class TextFile:
    """A delimited file as found: where its UTF-8 form is, how its fields are separated, what its header says."""

    path: Path
    utf8_path: Path
    encoding: str
    separator: str
    header: list[str]
    # What the encoding needs said: fallback to cp1251, NULs and the like.
    remarks: tuple[str, ...] = field(default=())
    # 0 where the file has no header and its columns were named by a mapping.
    header_lines: int = 1
    known_columns: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The headings as the engine's columns."""
        return unique_names(self.header, self.known_columns)


def open_text(path: Path, known_columns: list[str], scratch: Path, encoding: str | None = None,
              separator: str | None = None, header: list[str] | None = None) -> TextFile:
    """Find out how a text file is written: BOM, then UTF-8, then cp1251; the separator that finds most known columns.

    `scratch` is a folder for a copy of a file in another encoding or with lines that end differently. `separator` is a mark,
    its English name or "whitespace"; `header` names the columns of a file that has no header.
    Raises `DataError` for bytes that are no text, for a header given twice and for one that does not end with its line.
    """
    found, remarks = encoding_of(path, encoding)
    blanks = separator == WHITESPACE
    utf8 = path if found == "utf-8" and not blanks else recoded(path, found, scratch, blanks)
    with _opened(utf8) as lines:
        first = lines.readline(MAX_LINE_BYTES)
        if not first.strip():
            if any(line.strip() for line in lines):
                raise DataError(message("{file}, line 1: expected the header, found a blank line; remove it", file=path.name))
            return TextFile(path, utf8, found, separator or ",", [], remarks)
    chosen = _as_separator(separator) if separator else _separator(first, known_columns)
    if header:
        return TextFile(path, with_one_line_end(utf8, chosen, scratch), found, chosen, header, remarks, 0,
                        tuple(known_columns))
    header = _checked_header(first, chosen, known_columns, path)
    return TextFile(path, with_one_line_end(utf8, chosen, scratch), found, chosen, header, remarks, 1, tuple(known_columns))


def _opened(path: Path) -> TextIO:
    # Broken bytes are no reason to stop here: the engine tells their rows.
    return path.open(encoding="utf-8-sig", newline="", errors="replace")


def _checked_header(line: str, separator: str, known_columns: list[str], path: Path) -> list[str]:
    """The headings of the first line."""
    rows = csv.reader([line, '"'], delimiter=separator)
    next(rows, None)
    if rows.line_num > 1:
        raise DataError(message("{file}, line 1: a quote is opened in the header and not closed on its line, so that the rows "
                                "after it cannot be told apart; close it, and keep each heading on one line", file=path.name))
    header = _header(line, separator)
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated and repeated[0] in known_columns:
        raise DataError(message("{file}, line 1: the column {name!r} stands twice; remove one or map it", file=path.name,
                                name=repeated[0]))
    return header


def _as_separator(word: str) -> str:
    names = {name: mark for mark, name in SEPARATORS.items()} | {WHITESPACE: "\t"}
    mark = names.get(word, "\t" if word == "\\t" else word)
    if len(mark) != 1 or mark in "\"\r\n":
        raise DataError(message("formats.separator: expected one character or {known}, found {word!r}", known=", ".join(names),
                                word=word))
    return mark


def _separator(first_line: str, known_columns: list[str]) -> str:
    """The separator under which the header holds most of the known columns; more fields decide a tie."""
    def score(mark: str) -> tuple[int, int]:
        names = _header(first_line, mark)
        return len(set(names) & set(known_columns)), len(names)

    return max(SEPARATORS, key=score)


def _header(line: str, separator: str) -> list[str]:
    names = next(csv.reader([line.rstrip("\r\n")], delimiter=separator), [])
    return [name.strip() for name in names]


def load_rows(connection: duckdb.DuckDBPyConnection, file: TextFile, into: str) -> list[RejectedRow]:
    """All fields as text in the table `into`, with `_row` (position among the readable rows, from 1); the rest returned.

    Rows with too many or too few fields are returned with their line; rows without any value are no rows.
    Raises `DataError` for a quote that is never closed: the rows after it cannot be told apart.
    """
    try:
        connection.execute(_reading(file, into))
    except duckdb.Error as error:
        raise DataError(message("{file}: cannot be read as rows: {reason}", file=file.path.name,
                                reason=str(error).splitlines()[0])) from error
    rejected = connection.execute(f"SELECT DISTINCT ON (line_byte_position) line_byte_position, error_type, csv_line "
                                  f"FROM rejected_{into} WHERE trim(csv_line) <> '' ORDER BY line_byte_position").fetchall()
    lines = _lines_at(file.utf8_path, [place for place, _, _ in rejected])
    unclosed = [line for line, (_, kind, text) in zip(lines, rejected, strict=True)
                if kind == "UNQUOTED VALUE" and "\n" in text.strip()]
    if unclosed:
        raise DataError(message("{file}, line {line}: a quote is opened and never closed, so that the rows after it cannot be "
                                "told apart; close it, or double it if it belongs to the text", file=file.path.name,
                                line=unclosed[0]))
    return [RejectedRow(line, _REASONS.get(kind, kind.lower()), text.strip()[:80])
            for line, (_, kind, text) in zip(lines, rejected, strict=True)]


def _reading(file: TextFile, into: str) -> str:
    """SQL that reads the rows as text."""
    names = file.names
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in names)
    filled = " OR ".join(f"trim({_name(name)}) <> ''" for name in names)
    return f"""
        CREATE OR REPLACE TEMP TABLE {into} AS SELECT *, row_number() OVER () AS _row FROM read_csv(
            {_text(str(file.utf8_path))}, header = false, skip = {file.header_lines}, auto_detect = false,
            delim = {_text(file.separator)}, quote = '"', escape = '"', columns = {{{columns}}},
            strict_mode = true, null_padding = false, max_line_size = {MAX_LINE_BYTES}, store_rejects = true,
            rejects_table = 'rejected_{into}', rejects_scan = 'rejected_scan_{into}', rejects_limit = 0)
        WHERE {filled}"""


def rows_with_swallowed(connection: duckdb.DuckDBPyConnection, file: TextFile, into: str) -> list[int]:
    """Rows with a quoted field of which a line looks like a row: a quote left open ends at the next one, rows later."""
    names = file.names
    row = rf"[\r\n]([^\r\n]*{re.escape(file.separator)}){{{min(max(len(names) - 1, 2), 1000)}}}"
    held = " OR ".join(f"regexp_matches({_name(name)}, {_text(row)})" for name in names)
    return [number for number, in connection.execute(f"SELECT _row FROM {into} WHERE {held} ORDER BY _row").fetchall()]


def _lines_at(path: Path, places: list[int]) -> list[int]:
    """The lines (from 1) at these places in bytes, which are in order; the engine counts a quoted line break as none."""
    lines, line, position = [], 1, 0
    with path.open("rb") as file:
        for place in places:
            while position < place and (chunk := file.read(min(_CHUNK, place - position))):
                line += chunk.count(b"\n")
                position += len(chunk)
            lines.append(line)
    return lines


_REASONS = {"TOO MANY COLUMNS": message("more fields than the header"), "MISSING COLUMNS": message("fewer fields than the header"),
            "UNQUOTED VALUE": message("text after a closing quote"), "LINE SIZE OVER MAXIMUM": message("a line of over a megabyte"),
            "INVALID ENCODING": message("bytes that are no text")}


def unique_names(header: list[str], known: Collection[str] = ()) -> list[str]:
    """Names for the engine, which takes `ID` and `id` for the same: the second `source` becomes `source#2`.

    A heading that is exactly a known one keeps its name, wherever it stands.

    >>> unique_names(["id", "source", "", "Source"])
    ['id', 'source', '(column 3)', 'Source#2']
    >>> unique_names(["Source", "source"], ["source"])
    ['Source#2', 'source']
    """
    exact = {name.lower(): header.index(name) for name in reversed(header) if name in known}
    times = Counter(list(exact))
    names = []
    for position, name in enumerate(header, 1):
        name = name if name and name != "_row" else f"(column {position})"
        if exact.get(name.lower()) == position - 1:
            names.append(name)
            continue
        times[name.lower()] += 1
        names.append(name if times[name.lower()] == 1 else f"{name}#{times[name.lower()]}")
    return names


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def lines_of(file: TextFile, rejected_lines: set[int], rows: list[int]) -> dict[int, int]:
    """The line in the file of each of these readable rows: read again only for the few rows that a finding names."""
    wanted, lines, position = set(rows), {}, 0
    csv.field_size_limit(sys.maxsize)
    with _opened(file.utf8_path) as text:
        reader = csv.reader(text, delimiter=file.separator)
        for _ in range(file.header_lines):
            next(reader, None)
        before = reader.line_num
        for fields in reader:
            line, before = before + 1, reader.line_num
            if line in rejected_lines or not any(field.strip(" ") for field in fields):
                continue
            position += 1
            if position in wanted:
                lines[position] = line
            if len(lines) == len(wanted):
                break
    return lines
