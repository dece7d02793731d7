"""Text fields as times, numbers and flags: one format per column, found on all its values."""

from __future__ import annotations

from typing import NamedTuple

import duckdb

from funnel_lib.description import Formats
from funnel_lib.errors import DataError
from funnel_lib.language.messages import message
from funnel_lib.schema import Column

_CLOCK = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_ISO = r"^\s*\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?\s*(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)?\s*$"
_AWARE = r"(Z|UTC|GMT|:\d{2}(\.\d+)?\s*[+-]\d{2}(:?\d{2})?)\s*$"
# Families of date formats; those of one line are told apart by the values only.
_DATE_FORMATS = {"DD.MM.YYYY": "%d.%m.%Y", "DD.MM.YY": "%d.%m.%y", "YYYY/MM/DD": "%Y/%m/%d", "YYYY.MM.DD": "%Y.%m.%d",
                 "YYYYMMDD": "%Y%m%d", "DD/MM/YYYY": "%d/%m/%Y", "MM/DD/YYYY": "%m/%d/%Y", "DD-MM-YYYY": "%d-%m-%Y",
                 "MM-DD-YYYY": "%m-%d-%Y"}
_TWINS = (("DD/MM/YYYY", "MM/DD/YYYY"), ("DD-MM-YYYY", "MM-DD-YYYY"))
_YES = ("true", "t", "1", "yes", "y", "да", "истина", "д")
_NO = ("false", "f", "0", "no", "n", "нет", "ложь", "н")
# Spaces of every width and apostrophes as thousands marks, as SQL writes them; currency signs and codes.
_BLANK = "[\\s\u00a0\u202f\u2009''’_]"
_CURRENCY = "[€$₽£¥₴₸]|руб\\.?|р\\.|^[A-Z]{3}|[A-Z]{3}$"
# A column of a spreadsheet has twins of these names for the cells that are numbers or times, not text.
NUMBER, TIME = "_number of ", "_time of "


class Typed(NamedTuple):
    """SQL for a column's typed value, and how the text was understood, for the finding that says so."""

    sql: str
    remark: str = ""


def typed_text(connection: duckdb.DuckDBPyConnection, source: str, column: Column, formats: Formats, time_zone: str,
               file: str) -> Typed:
    """How the text column of table `source` becomes the contract's kind.

    Raises `DataError` where the values could mean two things; the message says which key of `formats` answers.
    """
    name = quoted(column.name)
    if column.kind == "text":
        return Typed(f"CASE WHEN trim({name}) <> '' THEN {name} END")
    if column.kind == "time":
        return _time(connection, source, column, formats, time_zone, file)
    if column.kind == "flag":
        word = f"lower(trim({name}))"
        return Typed(f"CASE WHEN {word} IN {_YES} THEN true WHEN {word} IN {_NO} THEN false END")
    return _number(connection, source, column, formats, file)


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _time(connection, source: str, column: Column, formats: Formats, time_zone: str, file: str) -> Typed:
    name = f"trim({quoted(column.name)})"
    aware = f"regexp_matches({name}, '{_AWARE}')"
    # The engine takes no blank before an offset.
    joined = rf"regexp_replace({name}, '\s+(Z|[+-]\d{{2}}(:?\d{{2}})?)$', '\1')"
    zoned = f"(TRY_CAST({joined} AS TIMESTAMPTZ) AT TIME ZONE '{time_zone}')"
    iso = (f"CASE WHEN regexp_matches({name}, '{_ISO}') THEN CASE WHEN {aware} THEN {zoned} "
           f"ELSE TRY_CAST({name} AS TIMESTAMP) END END")
    # What was said comes first: values that can be read both ways are as it says.
    candidates = {} if formats.date else {"ISO": iso}
    known = {formats.date: formats.date} if formats.date else _DATE_FORMATS
    for label, pattern in known.items():
        written = ", ".join("'" + f"{pattern}{clock}".replace("'", "''") + "'" for clock in _CLOCK)
        parsed = f"TRY_STRPTIME({name}, [{written}])"
        # DuckDB takes 26 for the year 26 where four digits are meant.
        candidates[label] = f"CASE WHEN year({parsed}) >= 1000 THEN {parsed} END" if "%Y" in pattern else parsed
    candidates.setdefault("ISO", iso)
    counted = (f"SELECT {', '.join(f'count({sql})' for sql in candidates.values())}, "
               f"count(CASE WHEN {aware} THEN {iso} END) FROM {source}")
    try:
        counts = connection.execute(counted).fetchall()[0]
    except duckdb.InvalidInputException as error:
        raise DataError(message("formats.date: expected a format such as %d.%m.%Y, found {format!r}",
                                format=formats.date)) from error
    parsed = dict(zip(candidates, counts[:-1], strict=True))
    best = max(parsed, key=lambda label: parsed[label])
    for twin in _TWINS:
        if best in twin and len({parsed[label] for label in twin}) == 1:
            day_first, month_first = (_DATE_FORMATS[label] for label in twin)
            raise DataError(message("{file}, column {column}: dates such as {example} can be read two ways; say formats: {{date: "
                                    '"{day_first}"}} or {{date: "{month_first}"}} in company.yaml or in the mapping', file=file,
                                    column=column.name, example=_example(connection, source, name), day_first=day_first,
                                    month_first=month_first))
    mixed = best == "ISO" and 0 < counts[-1] < parsed["ISO"]
    return Typed(candidates[best], message("aware and naive times mixed; naive ones taken as company time") if mixed else "")


def _number(connection, source: str, column: Column, formats: Formats, file: str) -> Typed:
    written = f"regexp_replace(trim({quoted(column.name)}), '{_CURRENCY}', '', 'g')"
    clean = f"regexp_replace(replace({written}, '−', '-'), '{_BLANK}|^\\s*\\+', '', 'g')"
    mark = formats.decimal or _decimal_mark(connection, source, column, clean, file)
    other = "." if mark == "," else ","
    plain = f"replace(replace({clean}, '{other}', ''), '{mark}', '.')"
    # A thousands mark is one only between groups of three digits; anything else is not a number.
    shape = rf"^-?(\d+|\d{{1,3}}(\{other}\d{{3}})+)?(\{mark}\d*)?([eE][+-]?\d+)?$"
    # So is a blank: 1 2 3 is no number.
    parted = rf"\d{_BLANK}+(\d{{1,2}}(\D|$)|\d{{4}})"
    return Typed(f"CASE WHEN regexp_matches({clean}, '{shape}') AND NOT regexp_matches({written}, '{parted}') "
                 f"THEN TRY_CAST({plain} AS DOUBLE) END")


def _decimal_mark(connection, source: str, column: Column, clean: str, file: str) -> str:
    """Point or comma, from the values that leave no doubt."""
    def sure(mark: str, other: str) -> str:
        fraction = rf"^-?\d*\{mark}(\d{{1,2}}|\d{{4,}})$|^-?(0|\d{{4,}})\{mark}\d+$|^-?\d{{1,3}}(\{other}\d{{3}})+\{mark}\d*$"
        thousands = rf"^-?\d{{1,3}}(\{other}\d{{3}}){{2,}}$"
        return f"count(CASE WHEN regexp_matches({clean}, '{fraction}') OR regexp_matches({clean}, '{thousands}') THEN 1 END)"

    doubtful = r"^-?[1-9]\d{0,2}[.,]\d{3}$"
    point, comma, unsure = connection.execute(
        f"SELECT {sure('.', ',')}, {sure(',', '.')}, count(CASE WHEN regexp_matches({clean}, '{doubtful}') THEN 1 END) "
        f"FROM {source}").fetchall()[0]
    if point == comma == 0 and unsure:
        raise DataError(message("{file}, column {column}: {example} can be a thousand or a fraction; say formats: {{decimal: "
                                '","}} or {{decimal: "."}} in company.yaml or in the mapping', file=file, column=column.name,
                                example=_example(connection, source, clean, doubtful)))
    return "," if comma > point else "."


def _example(connection, source: str, value: str, pattern: str = ".") -> str:
    # All rows are fetched: a result left open would bar the connection from its next query.
    return connection.execute(f"SELECT {value} FROM {source} WHERE regexp_matches({value}, '{pattern}') LIMIT 1").fetchall()[0][0]
