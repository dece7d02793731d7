"""`tables.xlsx` of one process: every table of its reports with exact values, a sheet each, and the definitions."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from funnel_lib.language.formats import not_available
from funnel_lib.language.words import unit_word, with_unit, word

# The only date in the file: Excel wants one, and the clock would make every run differ.
CREATED = datetime(2000, 1, 1)
CELL_LETTERS = 32_767
SHEET_ROWS = 1_048_575
NUMBER_FORMATS = {"count": "#,##0", "share": "0.0%", "amount": "#,##0.00", "days": "0.0", "hours": "0.0", "months": "0.0",
                  "minutes": "0.0", "level": "0.0", "ratio": "0.00", "number": "#,##0.###", "per_hour": "0.00"}
WIDTHS = {"text": 28, "date": 13, "flag": 10}


@dataclass(frozen=True)
class ReportTables:
    """The tables and definitions of one report, as they stand in its notebook's outputs."""

    report: str
    tables: list[dict[str, Any]]
    definitions: list[dict[str, Any]]


def workbook_bytes(reports: Iterable[ReportTables], language: str, currency: str | None, title: str) -> bytes:
    """The workbook. Text is always text: nothing in it is run as a formula or followed as a link."""
    import xlsxwriter  # loaded where a workbook is written

    reports, buffer = list(reports), io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                                        "strings_to_numbers": False})
    book.set_properties({"title": title, "created": CREATED})
    writer = _Writer(book, language, currency)
    sheets = [(report.report, table, name) for (report, table), name in
              zip(_pairs(reports), _sheet_names(reports, language), strict=True)]
    writer.contents([(name, table["title"], report) for report, table, name in sheets])
    for _, table, name in sheets:
        writer.table(name, table)
    writer.definitions(_each_once(reports))
    book.close()
    return buffer.getvalue()


def _pairs(reports: list[ReportTables]) -> list[tuple[ReportTables, dict[str, Any]]]:
    return [(report, table) for report in reports for table in report.tables]


def _sheet_names(reports: list[ReportTables], language: str) -> list[str]:
    """A name for each table, unique whatever the case, none of them a name of the other sheets."""
    taken = {word("sheet_contents", language).casefold(), word("sheet_definitions", language).casefold(), "history"}
    names = []
    for _, table in _pairs(reports):
        name, number = table["sheet"], 1
        while name.casefold() in taken:
            number += 1
            ending = f" {number}"
            name = table["sheet"][: 31 - len(ending)] + ending
        taken.add(name.casefold())
        names.append(name)
    return names


def _each_once(reports: list[ReportTables]) -> list[dict[str, Any]]:
    return list({entry["key"]: entry for report in reports for entry in report.definitions}.values())


class _Writer:
    """Sheets of one workbook, with its formats."""

    def __init__(self, book: Any, language: str, currency: str | None) -> None:
        self.book, self.language, self.currency = book, language, currency
        self.head = book.add_format({"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.missing = book.add_format({"align": "right", "font_color": "#808080"})
        self.date = book.add_format({"num_format": "yyyy-mm-dd"})
        self.moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self.numbers = {unit: book.add_format({"num_format": text}) for unit, text in NUMBER_FORMATS.items()}

    def contents(self, lines: list[tuple[str, str, str]]) -> None:
        """The first sheet: which table stands on which sheet, from which report."""
        heads = [word(key, self.language) for key in ("sheet", "title", "report")]
        self._text_sheet(word("sheet_contents", self.language), heads, lines, (30, 70, 30))

    def definitions(self, entries: list[dict[str, Any]]) -> None:
        """The last sheet: what every name means."""
        heads = [word(key, self.language) for key in ("term", "formula", "unit", "key")]
        lines = [(entry["label"], " ".join(filter(None, [entry["formula"], entry["source"]])),
                  unit_word(entry["unit"], self.language, self.currency), entry["key"]) for entry in entries]
        self._text_sheet(word("sheet_definitions", self.language), heads, lines, (28, 90, 12, 26))

    def _text_sheet(self, name: str, heads: list[str], lines: list[tuple[str, ...]], widths: tuple[int, ...]) -> None:
        sheet = self.book.add_worksheet(name)
        for at, (head, width) in enumerate(zip(heads, widths, strict=True)):
            sheet.set_column(at, at, width)
            sheet.write_string(0, at, head, self.head)
        for row, line in enumerate(lines, start=1):
            for at, text in enumerate(line):
                sheet.write_string(row, at, text[:CELL_LETTERS], self.wrapped)
        sheet.freeze_panes(1, 0)

    def table(self, name: str, table: dict[str, Any]) -> None:
        """One table: typed cells under a fixed head that filters."""
        sheet, columns, rows = self.book.add_worksheet(name), table["columns"], table["rows"][:SHEET_ROWS]
        for at, column in enumerate(columns):
            sheet.set_column(at, at, WIDTHS.get(column["unit"], 14))
            head = with_unit(column["label"], column["unit"], self.language, self.currency)
            sheet.write_string(0, at, head, self.head)
        own = next((at for at, column in enumerate(columns) if column["key"] == "unit"), None)
        for number, row in enumerate(rows, start=1):
            for at, (value, column) in enumerate(zip(row, columns, strict=True)):
                self._cell(sheet, number, at, value, row[own] if column["unit"] == "by_row" else column["unit"])
        if not columns:
            sheet.write_string(0, 0, table["note"][:CELL_LETTERS])
        sheet.freeze_panes(1, 1)
        if columns:
            sheet.autofilter(0, 0, max(1, len(rows)), len(columns) - 1)

    def _cell(self, sheet: Any, row: int, at: int, value: Any, unit: str) -> None:
        moment = _moment(value) if unit == "date" and isinstance(value, str) else None
        if value is None:
            sheet.write_string(row, at, not_available(self.language), self.missing)
        elif moment is not None:
            timed = moment.hour or moment.minute or moment.second
            sheet.write_datetime(row, at, moment, self.moment if timed else self.date)
        elif isinstance(value, bool):
            sheet.write_boolean(row, at, value)
        elif isinstance(value, int | float):
            sheet.write_number(row, at, value, self.numbers.get(unit))
        else:
            sheet.write_string(row, at, str(value)[:CELL_LETTERS])


def _moment(text: str) -> datetime | None:
    """A moment that Excel can hold: it counts from 1900 and knows no zones."""
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
    return moment if moment.year >= 1900 else None
