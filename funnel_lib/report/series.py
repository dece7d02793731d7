"""Which tables of the workbook are also drawn there: few, each a clear series, on one sheet of native charts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from funnel_lib.colours import BLUE, GREY, GRID, VERMILION
from funnel_lib.language.sheets import axis_format, sheet_format

# As in the pages' charts: the first series blue, the second vermilion.
COLOURS = (BLUE, VERMILION)
LEAST_POINTS, MOST_BARS = 4, 12


@dataclass(frozen=True)
class Series:
    """One kind of chart: columns by their keys, `limits` in thin dashes; a line over time or age, or bars that compare.

    `skips` are first rows that are 100 % whatever happens.
    """

    over: str
    values: tuple[str, ...]
    limits: tuple[str, ...] = ()
    bars: bool = False
    skips: int = 0


@dataclass(frozen=True)
class Drawn:
    """A series found in a table: the columns' positions and the rows (from 0) from the first to the last complete one."""

    series: Series
    at: dict[str, int]
    first: int
    last: int


# The first that fits a table is drawn.
SERIES = (
    Series("period_start", ("leads_count",), ("lower_limit_count", "upper_limit_count")),
    Series("period_start", ("leads_count",)),
    Series("period_start", ("nps_share",), ("nps_low_share", "nps_high_share")),
    Series("week_end", ("expected_count", "planned_count"), ("expected_low_count", "expected_high_count")),
    Series("age", ("retained_value_share",), skips=1),
    Series("age", ("retained_share",), ("retained_low_share", "retained_high_share"), skips=1),
    Series("age_months", ("margin_per_customer_amount", "cac_amount"),
           ("margin_per_customer_low_amount", "margin_per_customer_high_amount")),
    Series("since_first_months", ("observed_value_amount", "expected_value_amount")),
    Series("step", ("point_amount",), bars=True),
    Series("step", ("step_share",), bars=True),
    Series("channel", ("eventual_share",), bars=True),
    Series("channel", ("cost_per_customer_amount",), bars=True),
    Series("role", ("load_share",), bars=True),
)


def drawn_of(table: dict[str, Any]) -> Drawn | None:
    """The series to draw of a table, or None: it has no such columns, several rows for one place, gaps, or too few rows."""
    at = {column["key"]: position for position, column in enumerate(table["columns"])}
    for series in SERIES:
        columns = [series.over, *series.values, *series.limits]
        if all(key in at for key in columns):
            return _complete(series, at, table["rows"])
    return None


def _complete(series: Series, at: dict[str, int], rows: list[list[Any]]) -> Drawn | None:
    columns = [at[key] for key in (series.over, *series.values, *series.limits)]
    whole = [number for number, row in enumerate(rows)
             if number >= series.skips and all(row[column] is not None for column in columns)
             and ("complete" not in at or row[at["complete"]])]
    if not whole or len({row[columns[0]] for row in rows}) < len(rows):
        return None
    drawn = Drawn(series, at, whole[0], whole[-1])
    count = drawn.last - drawn.first + 1
    # A text such as "n/a" amid a series would be drawn as a zero.
    enough = 2 <= count <= MOST_BARS if series.bars else count >= LEAST_POINTS
    return drawn if enough and len(whole) == count else None


def chart_of(book: Any, drawn: Drawn, table: dict[str, Any], sheet: str, title: list[Any], language: str, currency: str) -> Any:
    """XlsxWriter's chart of the series on `sheet`; `title` is the cell that holds it. Words are cells' and never formulas."""
    series, unit = drawn.series, {column["key"]: column["unit"] for column in table["columns"]}
    number = axis_format(unit[series.values[0]], language, currency)
    chart = book.add_chart({"type": "bar" if series.bars else "line"})
    for key in (*series.limits, *series.values):
        chart.add_series(_one(drawn, key, sheet) | _look(series, key, number if unit[key] == "amount" else sheet_format(unit[key])))
    chart.set_title({"name": title, "name_font": {"size": 12}, "overlay": False})
    chart.set_legend({"none": True} if len(series.values) + len(series.limits) == 1 else {"position": "bottom"})
    values = {"num_format": number, "num_font": {"size": 9}, "major_gridlines": {"visible": True, "line": {"color": GRID}},
              "line": {"none": True}}
    if series.bars:
        # Of bars that lie, the y axis is that of the names; reversed, so that the first row is on top.
        chart.set_y_axis({"reverse": True, "num_font": {"size": 9}, "major_gridlines": {"visible": False}})
        chart.set_x_axis(values | {"min": 0, "label_position": "none", "major_gridlines": {"visible": False}})
    else:
        chart.set_x_axis(_over(drawn, table, sheet, unit[series.over], axis_format("date", language, currency)))
        chart.set_y_axis(values)
    return chart


def _over(drawn: Drawn, table: dict[str, Any], sheet: str, unit: str, dates: str) -> dict[str, Any]:
    """The axis of time or age: about a dozen labels, the age with its name."""
    at, font = drawn.at[drawn.series.over], {"size": 9, "bold": False}
    if unit != "date":
        return {"name": [sheet, 0, at], "name_font": font, "num_font": font, "interval_unit": (drawn.last - drawn.first) // 12 + 1}
    first, last = sorted(datetime.fromisoformat(table["rows"][row][at]) for row in (drawn.first, drawn.last))
    months = (last.year - first.year) * 12 + last.month - first.month
    return {"date_axis": True, "num_format": dates, "num_font": font, "major_unit": months // 12 + 1, "major_unit_type": "months"}


def _one(drawn: Drawn, key: str, sheet: str) -> dict[str, Any]:
    rows = (drawn.first + 1, drawn.last + 1)
    return {side: [sheet, rows[0], drawn.at[of], rows[1], drawn.at[of]] for side, of in
            (("categories", drawn.series.over), ("values", key))} | {"name": [sheet, 0, drawn.at[key]]}


def _look(series: Series, key: str, number: str) -> dict[str, Any]:
    if key in series.limits:
        return {"line": {"color": GREY, "width": 1, "dash_type": "dash"}}
    colour = COLOURS[series.values.index(key)]
    if series.bars:
        return {"fill": {"color": colour}, "gap": 60, "data_labels": {"value": True, "num_format": number}}
    return {"line": {"color": colour, "width": 2.25}}
