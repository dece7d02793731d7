"""A table on a page: heads and units from the glossary, numbers as a reader of the language expects them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

import pandas as pd

from funnel_lib.language.formats import format_cell, format_interval, format_value
from funnel_lib.language.messages import translate
from funnel_lib.language.words import counted, with_unit, word
from funnel_lib.pages.attempt import why_unavailable
from funnel_lib.pages.shown import TABLE, Reader, Shown, known_term, plain, reader_of, safe

ROW_LIMIT = 12
COLUMNS_AT_FULL_SIZE = 8
SHEET_LETTERS = 31
SUFFIX_UNITS = ("per_hour", "share", "count", "amount", "days", "hours", "months", "minutes", "level")
LEFT_UNITS = {"text", "flag", "date"}
# Flag → the value that makes a row lighter, and the word that says why.
LIGHT_FLAGS = {"few": (True, "few"), "projected": (True, "projected"), "mostly_projected": (True, "projected"),
               "complete": (False, "unfinished")}


@dataclass(frozen=True)
class Column:
    """One column as shown: `high` is the partner of a lower limit that is folded into one interval."""

    key: Any
    label: str
    unit: str
    formula: str = ""
    high: Any = None

    @property
    def is_number(self) -> bool:
        return self.unit not in LEFT_UNITS


def show(table: Any, title: str, process: Any = None, note: str | None = None,
         columns: Sequence[str] | None = None) -> Shown:
    """A result table (DataFrame, Series or a result dataclass) for the page and for Excel.

    Limits stand in one column "95 % interval"; rows of few cases, projected or unfinished ones are lighter and say so;
    after 12 rows the page refers to Excel, which holds every row exactly. `process` gives language, currency and the
    names of keys; `title` and `note`, a line under the table, are English and shown in the reader's language as far as the
    catalogs have them; `columns` are those that the page shows (all others are in Excel).
    """
    reader = reader_of(process if process is not None else getattr(table, "attrs", {}).get("about"))
    title, note = translate(title, reader.language), translate(note or "", reader.language)
    reason = why_unavailable(table)
    if reason:
        return _unavailable(reason, title, reader)
    frame = _frame(table)
    every = columns_of(frame, reader)
    chosen = every if columns is None else [column for key in columns for column in every if column.key == key]
    visible = [column for column in _folded(chosen) if column.key not in LIGHT_FLAGS and _says_something(frame, column)]
    return Shown(TABLE, _html(frame, visible, title, note, reader), _text(frame, visible, title, reader),
                 _data(frame, every, title, note))


def _says_something(frame: pd.DataFrame, column: Column) -> bool:
    """A column of reasons without any says nothing on the page."""
    return frame.empty or not str(column.key).endswith("reason") or not frame[column.key].isin(["", None]).all()


def _unavailable(reason: str, title: str, reader: Reader) -> Shown:
    """A measure that this process cannot have: the reason stands where the table would."""
    sentence = word("unavailable", reader.language, reason=reason)
    html = f'<figure class="table"><figcaption>{safe(title)}</figcaption><p>{safe(sentence)}</p></figure>'
    return Shown(TABLE, html, f"{title}\n{sentence}",
                 {"title": title, "sheet": sheet_name(title), "note": sentence, "columns": [], "rows": []})


def _frame(table: Any) -> pd.DataFrame:
    """A frame without an index of its own, every column with a plain name."""
    if is_dataclass(table) and not isinstance(table, type):
        table = pd.DataFrame([asdict(table)])
    if isinstance(table, pd.Series):
        table = table.to_frame()
    named = [name for name in table.index.names if name is not None]
    return table.reset_index() if named else table.reset_index(drop=True)


def columns_of(frame: pd.DataFrame, reader: Reader) -> list[Column]:
    """How each column is headed and written."""
    return [_column(key, frame[key], reader) for key in frame.columns]


def _column(key: Any, values: pd.Series, reader: Reader) -> Column:
    entry = known_term(key)
    if entry is not None:
        return Column(key, entry.label(reader.language), entry.unit, entry.explained(reader.language))
    return Column(key, str(plain(key)).replace("_", " "), _unit(str(key), values))


def _unit(key: str, values: pd.Series) -> str:
    """The unit of a name that the glossary does not hold, such as an age in a pivoted table."""
    for unit in SUFFIX_UNITS:
        if key == unit or key.endswith("_" + unit):
            return unit
    if pd.api.types.is_bool_dtype(values):
        return "flag"
    if pd.api.types.is_numeric_dtype(values):
        return "number"
    return "date" if pd.api.types.is_datetime64_any_dtype(values) else "text"


def _folded(columns: list[Column]) -> list[Column]:
    """A lower limit with the upper limit next to it becomes one column."""
    folded, skip = [], False
    for column, following in zip(columns, [*columns[1:], None], strict=True):
        if skip:
            skip = False
            continue
        skip = following is not None and _upper_of(column.key) == following.key
        folded.append(Column(column.key, column.label, column.unit, column.formula, following.key) if skip else column)
    return folded


def _upper_of(key: Any) -> str | None:
    name = str(key)
    return re.sub(r"(^|_)low(_|$)", r"\1high\2", name) if re.search(r"(^|_)low(_|$)", name) else None


def _head(column: Column, reader: Reader) -> str:
    if column.high is not None:
        return word("confidence", reader.language)
    return with_unit(column.label, column.unit, reader.language, reader.currency)


def _cell(row: dict[Any, Any], column: Column, reader: Reader) -> str:
    value = row[column.key]
    if column.unit == "by_row":
        # The head cannot name the unit, so each cell does.
        unit = str(row["unit"])
        return (format_value(value, unit, reader.language, reader.currency) if column.high is None else
                format_interval(value, row[column.high], unit, reader.language, reader.currency))
    if column.high is not None:
        return format_interval(value, row[column.high], column.unit, reader.language)
    if column.unit == "text" and isinstance(value, str) and not str(column.key).endswith("_id"):
        return reader.label(value)
    return format_cell(value, column.unit, reader.language, reader.currency)


def _light_words(row: dict[Any, Any], language: str) -> list[str]:
    keys = [name for flag, (light, name) in LIGHT_FLAGS.items()
            if flag in row and plain(row[flag]) is not None and bool(row[flag]) is light]
    return [word(name, language) for name in dict.fromkeys(keys)]


def _html(frame: pd.DataFrame, columns: list[Column], title: str, note: str | None, reader: Reader) -> str:
    if frame.empty:
        body = f"<p>{word('no_rows', reader.language)}</p>"
    else:
        rows = frame.head(ROW_LIMIT).to_dict("records")
        wide = ' class="wide"' if len(columns) > COLUMNS_AT_FULL_SIZE else ""
        body = (f'<div class="scroll"><table{wide}><thead><tr>' + "".join(_head_html(column, reader) for column in columns)
                + "</tr></thead><tbody>" + "".join(_row_html(row, columns, reader) for row in rows)
                + "</tbody></table></div>")
    notes = [text for text in (_more(len(frame), reader.language), note) if text and not frame.empty]
    lines = "".join(f'<p class="note">{safe(text)}</p>' for text in notes)
    return f'<figure class="table"><figcaption>{safe(title)}</figcaption>{body}{lines}</figure>'


def _head_html(column: Column, reader: Reader) -> str:
    numeric = ' class="n"' if column.is_number else ""
    formula = safe(column.formula.replace("`", ""))
    explained = f' title="{formula}"' if formula else ""
    return f'<th scope="col"{numeric}{explained}>{safe(_head(column, reader))}</th>'


def _row_html(row: dict[Any, Any], columns: list[Column], reader: Reader) -> str:
    reasons = _light_words(row, reader.language)
    cells = []
    for position, column in enumerate(columns):
        text = safe(_cell(row, column, reader))
        numeric = ' class="n"' if column.is_number else ""
        if position == 0:
            remark = f" <small>{safe(', '.join(reasons))}</small>" if reasons else ""
            cells.append(f'<th scope="row"{numeric}>{text}{remark}</th>')
        else:
            cells.append(f"<td{numeric}>{text}</td>")
    light = ' class="light"' if reasons else ""
    return f"<tr{light}>{''.join(cells)}</tr>"


def _more(row_count: int, language: str) -> str:
    left = row_count - ROW_LIMIT
    return counted(left, "more_rows", language) if left > 0 else ""


def _text(frame: pd.DataFrame, columns: list[Column], title: str, reader: Reader) -> str:
    """The same cells for a terminal."""
    if frame.empty:
        return f"{title}\n{word('no_rows', reader.language)}"
    heads = [_head(column, reader) for column in columns]
    rows = [[_cell(row, column, reader) for column in columns] for row in frame.head(ROW_LIMIT).to_dict("records")]
    widths = [max(len(line[at]) for line in [heads, *rows]) for at in range(len(columns))]
    lines = ["  ".join(cell.rjust(width) if column.is_number else cell.ljust(width)
                       for cell, width, column in zip(line, widths, columns, strict=True)).rstrip()
             for line in [heads, *rows]]
    return "\n".join([title, *lines, *filter(None, [_more(len(frame), reader.language)])])


def _data(frame: pd.DataFrame, columns: list[Column], title: str, note: str | None) -> dict[str, Any]:
    """Every row with its exact values."""
    heads = [{"key": str(plain(column.key)), "label": column.label, "unit": column.unit} for column in columns]
    rows = [[plain(value) for value in row] for row in frame.itertuples(index=False, name=None)]
    return {"title": title, "sheet": sheet_name(title), "note": note or "", "columns": heads, "rows": rows}


def sheet_name(title: str) -> str:
    """A title as Excel allows it for a sheet: no brackets, slashes, colons, stars or question marks, 31 letters.

    >>> sheet_name("Won / lost: by channel [all]")
    'Won lost by channel all'
    """
    words = re.sub(r"[\[\]:*?/\\'\x00-\x1f]+", " ", title).split()
    name = ""
    for part in words:
        if len(name) + len(part) + 1 > SHEET_LETTERS:
            break
        name = f"{name} {part}".strip()
    return name or title.replace("/", " ")[:SHEET_LETTERS].strip() or "Table"
