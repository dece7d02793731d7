"""`index.html` over all processes with the verdict of each report, and the page of a report that failed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

from funnel_lib.language.words import word
from funnel_lib.pages.quality import data_quality
from funnel_lib.pages.shown import last_day, period
from funnel_lib.report.evidence import reachable
from funnel_lib.report.headlines import HEADLINES, dated, rows
from funnel_lib.report.manifest import page_name


@dataclass(frozen=True)
class Line:
    """One report in the index."""

    title: str
    link: str = ""
    headline: str = ""
    failure: str = ""
    advice: str = ""
    place: str = ""
    details: str = ""
    old: str = ""
    empty: str = ""
    notebook: str = ""
    pdf: str = ""
    lost: str = ""


@dataclass(frozen=True)
class Section:
    """The reports of one process, or of the whole company; a process may have none yet."""

    title: str
    lines: list[Line] = field(default_factory=list)
    workbook: str = ""


def index_page(company: str, as_of: str, language: str, titles: dict[str, str], folders: dict[str, str],
               entries: list[dict[str, Any]], workbooks: set[str], stale: Collection[str] = ()) -> str:
    """The index as text. `titles` and `folders` by process; `workbooks` are the folders that hold a tables.xlsx; `stale` are
    reports made from earlier data than those of the latest run."""
    from funnel_lib.report.page import standing_page  # nbconvert takes a second: only where a page is made

    sections = []
    for process, title in {None: word("whole_company", language), **titles}.items():
        lines = [_line(entry, stale, language) for entry in entries if entry["process"] == process]
        book = quote(f"{folders[process]}/tables.xlsx") if folders.get(process) in workbooks else ""
        if lines or process is not None:
            sections.append(Section(title, lines, book))
    failed = sum(entry["status"] == "failed" for entry in entries)
    summary = word("failed_count", language, count=failed, total=len(entries)) if failed else ""
    return standing_page("overview.html.j2", title=word("reports", language), process="", language=language, company=company,
                         sections=sections, summary=summary,
                         rows=rows(entries, titles, stale, language),
                         heads=[word(one.words, language) for one in HEADLINES],
                         observed=period("", as_of, language), script=True, word=partial(_word, language))


def _word(language: str, key: str, **values: object) -> str:
    return word(key, language, **values)


def _line(entry: dict[str, Any], stale: Collection[str], language: str) -> Line:
    notebook = f"{entry['report']}.ipynb"
    if entry["status"] == "failed":
        return _failed_line(entry, language)
    files = entry.get("files", [])
    shown = {"link": quote(page_name(entry) or (notebook if notebook in files else "")),
             "notebook": quote(notebook) if notebook in files else "",
             "pdf": quote(f"{entry['report']}.pdf") if f"{entry['report']}.pdf" in files else "",
             "lost": word("pdf_lost", language, reason=entry["lost"]["pdf"]) if entry.get("lost") else ""}
    if entry["status"] == "empty":
        return Line(entry["title"], empty=word("empty_short", language), **shown)
    old = dated("stale", entry, language) if entry["report"] in stale else ""
    return Line(entry["title"], headline=entry["headline"], old=old, **shown)


def _failed_line(entry: dict[str, Any], language: str) -> Line:
    older, failure = entry.get("older"), entry["failure"]
    return Line(entry["title"], link=quote(page_name(entry)), headline=older.get("headline", "") if older else "",
                failure=failure["reason"], advice=failure["advice"], place=place_words(failure, language),
                details=failure["details"], old=_old_words(older, language))


def _old_words(older: dict[str, Any] | None, language: str) -> str:
    if not older:
        return word("no_old_report", language)
    as_of = older.get("as_of")
    return word("old_report", language, date=last_day(as_of, language) if as_of else "–")


def place_words(failure: dict[str, Any], language: str) -> str:
    """Where a notebook failed, as a reader can find it."""
    if not failure.get("cell"):
        return ""
    key = "in_section" if failure.get("section") else "in_cell"
    return word(key, language, cell=failure["cell"], section=failure.get("section"))


def error_page(entry: dict[str, Any], company: str, process: str, as_of: str, language: str, home: str) -> str:
    """A page in words for a report that failed; `as_of` is the end of observation, as far as it was said."""
    from funnel_lib.report.page import standing_page  # nbconvert takes a second: only where a page is made

    older = entry.get("older")
    return standing_page("error.html.j2", language=language, company=company, process=process, title=entry["title"],
                         observed=period("", as_of, language), failure=entry["failure"],
                         place=place_words(entry["failure"], language), home=home,
                         old=_old_words(older, language), old_link=quote(entry["notebook"] + ".html") if older else "",
                         word=partial(_word, language))


def empty_page(title: str, company: str, process: str, as_of: str, language: str, home: str) -> str:
    """The report of a process that has no data yet: what is missing, and what is needed."""
    from funnel_lib.report.page import standing_page  # nbconvert takes a second: only where a page is made

    return standing_page("empty.html.j2", language=language, company=company, process=process, title=title, home=home,
                         observed=period("", as_of, language), word=partial(_word, language))


def findings_page(company: Any) -> str:
    """What the checks found in a company's data, as a page of its own."""
    from funnel_lib.report.page import standing_page  # nbconvert takes a second: only where a page is made

    language = company.description.language
    return standing_page("findings.html.j2", language=language, company=company.name, process="", home="",
                         title=word("data_quality", language),
                         findings=reachable(data_quality(company).html, word("data_quality", language)),
                         word=partial(_word, language))
