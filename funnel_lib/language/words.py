"""The words of the pages themselves (headings, table notes, the index), each in one place; other languages are in the catalogs."""

from __future__ import annotations

import re

from funnel_lib.language.formats import currency_sign, format_count
from funnel_lib.language.messages import marked, message, plural, translate

WORDS: dict[str, str] = {
    "unavailable": marked("n/a: {reason}"),
    "answer": marked("The answer"),
    "more_answers": marked("More answers ({count})"),
    "contents": marked("On this page"),
    "code": marked("The code behind this page"),
    "code_cell": marked("Cell {number}"),
    "definitions": marked("Definitions"),
    "data_quality": marked("Data quality"),
    "confidence": marked("95 % interval"),
    "confidence_meaning": marked("From the lower to the upper 95 % limit of the number before it: where the true value lies in 95 "
                                 "cases of 100."),
    "no_rows": marked("Nothing to show: no rows."),
    "few": marked("few cases"),
    "projected": marked("partly projected"),
    "unfinished": marked("not finished"),
    "table": marked("Table {number}"),
    "figure": marked("Figure {number}"),
    "chart_of": marked("Chart: {title}"),
    "numbers": marked("Table {number}: the numbers of this figure"),
    "numbers_above": marked("The numbers of this figure are in table {number}"),
    "period": marked("Data from {start} to {end}"),
    "previous": marked("Previous"),
    "next": marked("Next"),
    "neighbours": marked("Other reports"),
    "term": marked("Term"),
    "as_of": marked("Data up to {date}"),
    "as_of_term": marked("Observed"),
    "observed": marked("from {start} until before {end}"),
    "window": marked("Conversion window"),
    "source": marked("Source: {source}"),
    "no_findings": marked("Nothing was found wrong with the data."),
    "finding_severity": marked("Severity"),
    "finding_message": marked("What was found"),
    "finding_count": marked("Count"),
    "finding_examples": marked("Examples"),
    "finding_action": marked("What was done"),
    "line": marked("line {line}"),
    "complete": marked("Report complete: {process}, data up to {date}."),
    "reports": marked("Sales process reports"),
    "whole_company": marked("The whole company"),
    "back": marked("All reports"),
    "tables_file": marked("All tables (Excel)"),
    "failed": marked("Not rendered"),
    "failed_count": marked("{count} of {total} reports failed"),
    "old_report": marked("The report shown is an older one: data up to {date}."),
    "no_old_report": marked("There is no earlier report."),
    "in_cell": marked("In cell {cell}"),
    "in_section": marked("In cell {cell}, section “{section}”"),
    "technical": marked("Technical details"),
    "why": marked("Why"),
    "empty": marked("There is nothing to measure in “{process}” yet: it has no leads, no counts and no orders."),
    "empty_needed": marked("Needed: rows of this process in the table leads (lead_id, process, created_at), counts (process, "
                           "step, count) or orders (order_id, customer_id, process, ordered_at, amount)."),
    "never": marked("Not reported yet"),
    "empty_short": marked("Nothing to measure yet"),
    "pdf_lost": marked("The PDF could not be made: {reason}"),
    "stale": marked("Made from earlier data"),
    "headlines": marked("At a glance"),
    "process": marked("Process"),
    "headline_flow": marked("Leads a week"),
    "headline_conversion": marked("Of leads, customers in the end"),
    "headline_repeat": marked("Of clients, bought again"),
    "headline_lever": marked("Biggest lever, margin a year"),
    "headline_cost": marked("Dearest stage, cost per result"),
    "headline_before": marked("before: {value} ({date})"),
    "cases_left_out": marked("This list of leads or customers is left out (--no-cases)."),
    "picture_left_out": marked("This picture names leads or customers and is left out (--no-cases)."),
    "sheet_contents": marked("Contents"),
    "sheet_charts": marked("Charts"),
    "sheet_definitions": marked("Definitions"),
    "sheet": marked("Sheet"),
    "title": marked("Title"),
    "report": marked("Report"),
    "remark": marked("Remark"),
    "unit": marked("Unit"),
    "formula": marked("Formula"),
    "key": marked("Key"),
}

UNIT_WORDS: dict[str, str] = {
    "days": marked("days"), "hours": marked("hours"), "months": marked("months"), "minutes": marked("minutes"),
    "per_hour": marked("per hour"), "share": "%",
}


def word(key: str, language: str = "en", **values: object) -> str:
    """The page's word for `key` in `language`, with its blanks filled.

    >>> word("as_of", "ru", date="1 июля")
    'Данные до 1 июля'
    """
    return translate(message(WORDS[key], **values), language)


def counted(count: int, key: str, language: str = "en") -> str:
    """The form that `count` asks for: of the nouns without the number, of the sentences with it.

    >>> counted(2, "warning"), counted(5, "warning", "ru"), counted(2, "more_rows")
    ('warnings', 'предупреждений', '… and 2 more rows in tables.xlsx')
    """
    forms = {
        "error": plural(count, "error", "errors"),
        "warning": plural(count, "warning", "warnings"),
        "note": plural(count, "note", "notes"),
        "more_rows": plural(count, "… and {count} more row in tables.xlsx", "… and {count} more rows in tables.xlsx",
                            count=format_count(count, language)),
    }
    return translate(forms[key], language)


def unit_word(unit: str, language: str = "en", currency: str | None = None) -> str:
    """What a column's head says beside its name, or an empty text."""
    if unit == "amount":
        return currency_sign(currency, language) if currency else ""
    return translate(UNIT_WORDS[unit], language) if unit in UNIT_WORDS else ""


def with_unit(label: str, unit: str, language: str = "en", currency: str | None = None) -> str:
    """The head of a column: its label, and its unit where the label does not say it in one form or another.

    >>> with_unit("Norm", "minutes"), with_unit("Days to win", "days"), with_unit("Часы с нагрузкой", "hours", "ru")
    ('Norm, minutes', 'Days to win', 'Часы с нагрузкой')
    """
    told = unit_word(unit, language, currency)
    stem = told[:3].lower()  # «дней» and «день», «часов» and «часы»
    known = not told or unit == "share" or any(part.startswith(stem) for part in re.findall(r"\w+", label.lower()))
    return label if known else f"{label}, {told}"
