"""`summary.eml`: the headline figures and verdicts of a run as a mail, to be sent by whoever has addresses."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from jinja2 import Environment, FileSystemLoader

from funnel_lib.language.words import word
from funnel_lib.pages.shown import last_day
from funnel_lib.report.headlines import HEADLINES, Row
from funnel_lib.report.page import TEMPLATES

NAME = "summary.eml"
# Fixed: the usual one is drawn by chance, and the same input must give the same bytes. No text of ours holds it.
BOUNDARY = "=====funnel-summary====="


def mail_bytes(company: str, as_of: str, language: str, titles: dict[str, str], entries: list[dict[str, Any]],
               rows: list[Row]) -> bytes:
    """The mail: plain text and HTML of the same content, without pictures, links and addresses; dated by the data's end."""
    until = word("as_of", language, date=last_day(as_of, language)) if as_of else ""
    failed = sum(entry["status"] == "failed" for entry in entries)
    said = {"company": company, "until": until, "rows": rows, "heads": [word(one.words, language) for one in HEADLINES],
            "failed": word("failed_count", language, count=failed, total=len(entries)) if failed else "",
            "sections": _sections(entries, titles, language), "language": language, "process": word("process", language)}
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["Subject"] = " · ".join(filter(None, [f"{word('reports', language)}: {' '.join(company.split())}", until]))
    if as_of:
        message["Date"] = format_datetime(datetime.fromisoformat(as_of))
    # Mail programs open it as a draft.
    message["X-Unsent"] = "1"
    message.set_content(_filled("mail.txt.j2", said, escaped=False))
    message.add_alternative(_filled("mail.html.j2", said, escaped=True), subtype="html")
    message.set_boundary(BOUNDARY)
    return message.as_bytes()


def _sections(entries: list[dict[str, Any]], titles: dict[str, str], language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Title and verdict of each report, by process."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for entry in entries:
        name = titles.get(entry["process"], entry["process"]) if entry["process"] is not None else word("whole_company", language)
        sections.setdefault(name, []).append((entry["title"], _verdict(entry, language)))
    return list(sections.items())


def _verdict(entry: dict[str, Any], language: str) -> str:
    if entry["status"] == "failed":
        return f"{word('failed', language)}: {' '.join(entry['failure']['reason'].split())}"
    return entry["headline"] if entry["status"] == "done" else word("empty_short", language)


def _filled(template: str, values: dict[str, Any], escaped: bool) -> str:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=escaped, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(template).render(**values)
