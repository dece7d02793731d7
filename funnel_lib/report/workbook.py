"""`tables.xlsx` of one process: every table of its reports with exact values, a sheet each, and the definitions."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from funnel_lib.language.formats import not_available
from funnel_lib.language.sheets import date_format, money_format, sheet_format
from funnel_lib.language.words import unit_word, with_unit, word
from funnel_lib.report.series import chart_of, drawn_of

# The only date in the file: Excel wants one, and the clock would make every run differ.
CREATED = datetime(2000, 1, 1)
CELL_LETTERS = 32_767
SHEET_ROWS = 1_048_575
WIDTHS = {"text": 28, "date": 13, "flag": 10}
# Places of the charts: two beside each other, in cells, and their size in pixels.
CHART_CELLS, CHART_SIZE = (18, 10), {"width": 620, "height": 340}
A4, LINE_POINTS, MOST_POINTS = 9, 15, 405


@dataclass(frozen=True)
class ReportTables:
    """The tables and definitions of one report, as they stand in its notebook's outputs; `title` is its heading."""

    report: str
    tables: list[dict[str, Any]]
    definitions: list[dict[str, Any]]
    title: str = ""


def workbook_bytes(reports: Iterable[ReportTables], language: str, currency: str, title: str,
                   labels: Mapping[str, str] | None = None) -> bytes:
    """The workbook; `labels` are the names of keys for a reader. Text is always text: nothing in it is run as a formula or
    followed to another place."""
    import xlsxwriter  # loaded where a workbook is written

    reports, buffer = list(reports), io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                                        "strings_to_numbers": False})
    book.set_properties({"title": title, "created": CREATED})
    writer = _Writer(book, language, currency, labels or {})
    sheets = [(report.title or report.report, table, name) for (report, table), name in
              zip(_pairs(reports), _sheet_names(reports, language), strict=True)]
    writer.contents([(name, table["title"], report, table["note"]) for report, table, name in sheets])
    writer.charts([(name, table) for _, table, name in sheets])
    for _, table, name in sheets:
        writer.table(name, table)
    writer.definitions(_each_once(reports))
    book.close()
    return buffer.getvalue()


def _pairs(reports: list[ReportTables]) -> list[tuple[ReportTables, dict[str, Any]]]:
    return [(report, table) for report in reports for table in report.tables]


def _sheet_names(reports: list[ReportTables], language: str) -> list[str]:
    """A name for each table, unique whatever the case, none of them a name of the other sheets."""
    taken = {*(word(key, language).casefold() for key in ("sheet_contents", "sheet_charts", "sheet_definitions")), "history"}
    names = []
    for _, table in _pairs(reports):
        whole, number = _ended(table["sheet"], table["title"]), 1
        name = whole
        while name.casefold() in taken:
            number += 1
            ending = f" {number}"
            name = whole[: 31 - len(ending)] + ending
        taken.add(name.casefold())
        names.append(name)
    return names


def _ended(name: str, title: str) -> str:
    """The name of a sheet; cut off from a longer title it does not end in a comma or a word of one or two letters."""
    while len(name) < len(title) and re.search(r",$| \S{1,2}$", name):
        name = re.sub(r",$| \S{1,2}$", "", name)
    return name


def _each_once(reports: list[ReportTables]) -> list[dict[str, Any]]:
    return list({entry["key"]: entry for report in reports for entry in report.definitions}.values())


class _Writer:
    """Sheets of one workbook, with its formats."""

    def __init__(self, book: Any, language: str, currency: str, labels: Mapping[str, str]) -> None:
        self.book, self.language, self.currency, self.labels = book, language, currency, labels
        self.head = book.add_format({"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.link = book.add_format({"text_wrap": True, "valign": "top", "font_color": "#0B5A8A", "underline": 1})
        self.missing = book.add_format({"align": "right", "font_color": "#808080"})
        self.formats: dict[str, Any] = {}

    def _format(self, code: str) -> Any:
        if code not in self.formats:
            # Dates stand to the left, like the texts beside them.
            self.formats[code] = self.book.add_format({"num_format": code} | ({"align": "left"} if "yyyy" in code else {}))
        return self.formats[code]

    def contents(self, lines: list[tuple[str, str, str, str]]) -> None:
        """The first sheet: which table stands on which sheet, from which report, with what is to be known of it."""
        heads = [word(key, self.language) for key in ("sheet", "title", "report", "remark")]
        sheet = self._text_sheet(word("sheet_contents", self.language), heads, lines, (34, 60, 70, 60))
        for row, (name, *_) in enumerate(lines, start=1):
            sheet.write_url(row, 0, f"internal:'{name}'!A1", self.link, name)

    def charts(self, tables: list[tuple[str, dict[str, Any]]]) -> None:
        """The second sheet, if there is anything to draw: the tables that are a clear series."""
        contents = word("sheet_contents", self.language)
        drawn = [(row, name, table, found) for row, (name, table) in enumerate(tables, start=1)
                 if (found := drawn_of(table)) is not None]
        if not drawn:
            return
        sheet = self.book.add_worksheet(word("sheet_charts", self.language))
        sheet.hide_gridlines(2)
        self._on_paper(sheet)
        sheet.set_h_pagebreaks(range(2 * CHART_CELLS[0], len(drawn) * CHART_CELLS[0], 2 * CHART_CELLS[0]))
        for place, (row, name, table, found) in enumerate(drawn):
            chart = chart_of(self.book, found, table, name, [contents, row, 1], self.language, self.currency)
            chart.set_size(CHART_SIZE)
            sheet.insert_chart(place // 2 * CHART_CELLS[0], place % 2 * CHART_CELLS[1], chart, {"description": table["title"]})

    @staticmethod
    def _on_paper(sheet: Any) -> None:
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.fit_to_pages(1, 0)

    def definitions(self, entries: list[dict[str, Any]]) -> None:
        """The last sheet: what every name means."""
        heads = [word(key, self.language) for key in ("term", "formula", "unit", "key")]
        lines = [(entry["label"], " ".join(filter(None, [entry["formula"], entry["source"]])),
                  unit_word(entry["unit"], self.language, self.currency), entry["key"]) for entry in entries]
        self._text_sheet(word("sheet_definitions", self.language), heads, lines, (28, 90, 12, 26))

    def _text_sheet(self, name: str, heads: list[str], lines: list[tuple[str, ...]], widths: tuple[int, ...]) -> Any:
        sheet = self.book.add_worksheet(name)
        for at, (head, width) in enumerate(zip(heads, widths, strict=True)):
            sheet.set_column(at, at, width)
            sheet.write_string(0, at, head, self.head)
        for row, line in enumerate(lines, start=1):
            # Said, since not every program makes room for wrapped lines by itself.
            line_count = max(ceil(len(text) / width) for text, width in zip(line, widths, strict=True))
            sheet.set_row(row, min(LINE_POINTS * line_count, MOST_POINTS))
            for at, text in enumerate(line):
                sheet.write_string(row, at, text[:CELL_LETTERS], self.wrapped)
        sheet.freeze_panes(1, 0)
        self._headed(sheet)
        return sheet

    def _headed(self, sheet: Any) -> None:
        self._on_paper(sheet)
        sheet.repeat_rows(0)

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
                by_row = column["unit"] == "by_row"
                self._cell(sheet, number, at, self._named(value, column["key"]), row[own] if by_row else column["unit"], by_row)
        if not columns:
            sheet.write_string(0, 0, table["note"][:CELL_LETTERS])
        sheet.freeze_panes(1, 1)
        self._headed(sheet)
        if columns:
            sheet.autofilter(0, 0, max(1, len(rows)), len(columns) - 1)

    def _named(self, value: Any, column: str) -> Any:
        """A key as its name, a unit as heads say it; every other text, and what is no text, as it is."""
        if column == "unit":
            return unit_word(value, self.language, self.currency)
        return self.labels.get(value, value) if isinstance(value, str) and not column.endswith("_id") else value

    def _cell(self, sheet: Any, row: int, at: int, value: Any, unit: str, by_row: bool) -> None:
        moment = _moment(value) if unit == "date" and isinstance(value, str) else None
        if value is None:
            sheet.write_string(row, at, not_available(self.language), self.missing)
        elif moment is not None:
            timed = bool(moment.hour or moment.minute or moment.second)
            sheet.write_datetime(row, at, moment, self._format(date_format(self.language, timed)))
        elif isinstance(value, bool):
            sheet.write_boolean(row, at, value)
        elif isinstance(value, int | float):
            # No head names the currency of an amount among other units.
            code = (money_format(self.language, self.currency) if by_row and unit == "amount" else
                    sheet_format(unit, self.language, self.currency, value))
            sheet.write_number(row, at, value, self._format(code))
        else:
            sheet.write_string(row, at, str(value)[:CELL_LETTERS])


def _moment(text: str) -> datetime | None:
    """A moment that Excel can hold: it counts from 1900 and knows no zones."""
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
    return moment if moment.year >= 1900 else None
