"""The words of the pages themselves (headings, table notes, the index), English beside Russian, each in one place."""

from __future__ import annotations

from babel import Locale

WORDS: dict[str, tuple[str, str]] = {
    "answer": ("The answer", "Ответ"),
    "more_answers": ("More answers ({count})", "Другие ответы ({count})"),
    "contents": ("On this page", "На этой странице"),
    "code": ("The code behind this page", "Код, по которому построена страница"),
    "code_cell": ("Cell {number}", "Ячейка {number}"),
    "definitions": ("Definitions", "Определения"),
    "data_quality": ("Data quality", "Качество данных"),
    "confidence": ("95 % interval", "95 % интервал"),
    "confidence_meaning": (
        "From the lower to the upper 95 % limit of the number before it: where the true value lies in 95 cases of 100.",
        "От нижней до верхней 95 % границы числа слева: там истинное значение лежит в 95 случаях из 100."),
    "more_rows": ("… and {count} more {rows} in tables.xlsx", "… и ещё {count} {rows} в tables.xlsx"),
    "rows": ("row|rows", "строка|строки|строк"),
    "no_rows": ("Nothing to show: no rows.", "Показывать нечего: строк нет."),
    "lighter": ("Lighter rows: {reasons}.", "Светлые строки: {reasons}."),
    "few": ("few cases", "мало случаев"),
    "projected": ("partly projected", "частично прогноз"),
    "unfinished": ("not finished", "не завершено"),
    "table": ("Table {number}", "Таблица {number}"),
    "figure": ("Figure {number}", "Рисунок {number}"),
    "chart_of": ("Chart: {title}", "График: {title}"),
    "numbers": ("Table {number}: the numbers of this figure", "Таблица {number}: числа этого рисунка"),
    "numbers_above": ("The numbers of this figure are in table {number}", "Числа этого рисунка – в таблице {number}"),
    "period": ("Data from {start} to {end}", "Данные с {start} по {end}"),
    "previous": ("Previous", "Назад"),
    "next": ("Next", "Дальше"),
    "neighbours": ("Other reports", "Другие отчёты"),
    "term": ("Term", "Термин"),
    "as_of": ("Data up to {date}", "Данные до {date}"),
    "as_of_term": ("Observed", "Наблюдение"),
    "observed": ("from {start} until before {end}", "с {start} до {end}, не включая этот день"),
    "window": ("Conversion window", "Окно конверсии"),
    "source": ("Source: {source}", "Источник: {source}"),
    "error": ("error|errors", "ошибка|ошибки|ошибок"),
    "warning": ("warning|warnings", "предупреждение|предупреждения|предупреждений"),
    "note": ("note|notes", "замечание|замечания|замечаний"),
    "no_findings": ("Nothing was found wrong with the data.", "Замечаний к данным нет."),
    "finding_severity": ("Severity", "Важность"),
    "finding_message": ("What was found", "Что найдено"),
    "finding_count": ("Count", "Число"),
    "finding_examples": ("Examples", "Примеры"),
    "finding_action": ("What was done", "Что сделано"),
    "line": ("line {line}", "строка {line}"),
    "complete": ("Report complete: {process}, data up to {date}.", "Отчёт готов: {process}, данные до {date}."),
    "reports": ("Sales process reports", "Отчёты по процессам продаж"),
    "whole_company": ("The whole company", "Вся компания"),
    "back": ("All reports", "Все отчёты"),
    "tables_file": ("All tables (Excel)", "Все таблицы (Excel)"),
    "notebook_file": ("notebook", "блокнот"),
    "failed": ("Not rendered", "Не построен"),
    "failed_count": ("{count} of {total} reports failed", "Не построено отчётов: {count} из {total}"),
    "old_report": ("The report shown is an older one: data up to {date}.",
                   "Показан прежний отчёт: данные до {date}."),
    "no_old_report": ("There is no earlier report.", "Прежнего отчёта нет."),
    "in_cell": ("In cell {cell}", "В ячейке {cell}"),
    "in_section": ("In cell {cell}, section “{section}”", "В ячейке {cell}, раздел «{section}»"),
    "technical": ("Technical details", "Технические подробности"),
    "try_this": ("What to do", "Что делать"),
    "why": ("Why", "Почему"),
    "empty": ("There is nothing to measure in “{process}” yet: it has no leads, no counts and no orders.",
              "В процессе «{process}» пока нечего измерять: нет ни лидов, ни счётчиков, ни заказов."),
    "empty_needed": ("Needed: rows of this process in the table leads (lead_id, process, created_at), counts (process, "
                     "step, count) or orders (order_id, customer_id, process, ordered_at, amount).",
                     "Нужны строки этого процесса в таблице leads (lead_id, process, created_at), counts (process, "
                     "step, count) или orders (order_id, customer_id, process, ordered_at, amount)."),
    "empty_short": ("Nothing to measure yet", "Пока нечего измерять"),
    "pdf_lost": ("The PDF could not be made: {reason}", "PDF сделать не удалось: {reason}"),
    "stale": ("Made from earlier data", "Построен по прежним данным"),
    "headlines": ("At a glance", "Коротко"),
    "process": ("Process", "Процесс"),
    "headline_flow": ("Leads a week", "Лидов в неделю"),
    "headline_conversion": ("Of leads, customers in the end", "Доля лидов, которые в итоге купят"),
    "headline_repeat": ("Of clients, bought again", "Доля клиентов, купивших снова"),
    "headline_lever": ("Biggest lever, margin a year", "Главный рычаг, маржа за год"),
    "headline_cost": ("Dearest stage, cost per result", "Самый дорогой этап, затраты на результат"),
    "headline_before": ("before: {value} ({date})", "было: {value} ({date})"),
    "cases_left_out": ("This list of leads or customers is left out (--no-cases).",
                       "Этот список лидов или клиентов не показан (--no-cases)."),
    "picture_left_out": ("This picture names leads or customers and is left out (--no-cases).",
                         "Этот рисунок называет лиды или клиентов и не показан (--no-cases)."),
    "sheet_contents": ("Contents", "Содержание"),
    "sheet_definitions": ("Definitions", "Определения"),
    "sheet": ("Sheet", "Лист"),
    "title": ("Title", "Название"),
    "report": ("Report", "Отчёт"),
    "unit": ("Unit", "Единица"),
    "formula": ("Formula", "Формула"),
    "key": ("Key", "Ключ"),
}

UNIT_WORDS: dict[str, tuple[str, str]] = {
    "days": ("days", "дней"), "hours": ("hours", "часов"), "months": ("months", "месяцев"), "minutes": ("minutes", "минут"),
    "per_hour": ("per hour", "в час"), "share": ("%", "%"),
}


def word(key: str, language: str = "en", **values: object) -> str:
    """The page's word for `key` in `language`, with its blanks filled.

    >>> word("as_of", "ru", date="1 июля")
    'Данные до 1 июля'
    """
    text = WORDS[key][language == "ru"]
    return text.format(**values) if values else text


def counted(count: int, key: str, language: str = "en") -> str:
    """The form of a counted noun that `count` asks for, without the number.

    >>> counted(2, "warning"), counted(5, "warning", "ru"), counted(1, "rows", "ru")
    ('warnings', 'предупреждений', 'строка')
    """
    forms = word(key, language).split("|")
    order = ("one", "few", "many") if language == "ru" else ("one", "other")
    form = Locale.parse(language if language in ("en", "ru") else "en").plural_form(count)
    return forms[order.index(form)] if form in order else forms[-1]


def unit_word(unit: str, language: str = "en", currency: str | None = None) -> str:
    """What a column's head says beside its name, or an empty text."""
    if unit == "amount":
        return currency or ""
    return UNIT_WORDS[unit][language == "ru"] if unit in UNIT_WORDS else ""
