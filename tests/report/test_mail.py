"""`summary.eml`: read back by the standard library's own parser, which is not what wrote the expectations."""

from __future__ import annotations

import email
import re
from email import policy
from typing import Any

import pytest
from bs4 import BeautifulSoup

from funnel_lib.report.headlines import rows
from funnel_lib.report.mail import mail_bytes

HOSTILE = "<script>alert(1)</script>\r\nBcc: x"


def entry(process: str | None, notebook: str, **more: Any) -> dict[str, Any]:
    return {"report": f"{process}/{notebook}", "process": process, "notebook": notebook, "status": "done", "title": "Conversion",
            "as_of": "2026-07-01T00:00:00", "currency": "RUB", "headline": "24.2 % buy.", "files": [], **more}


ENTRIES = [
    entry("retail", "02_conversion", sentences=[{"key": "eventual_conversion", "text": "", "numbers": {"eventual_share": 0.242}}],
          previous={"as_of": "2026-06-24T00:00:00", "figures": {"eventual_conversion.eventual_share": 0.23}}),
    entry("opt", "02_conversion", status="failed", failure={"reason": "kernel died"}, older=None),
    entry("new", "02_conversion", status="empty"), entry(None, "00_overview", headline=HOSTILE)]
TITLES = {"retail": "Розница ₽", "opt": "Опт", "new": HOSTILE}


def mail(language: str = "en", company: str = HOSTILE) -> bytes:
    return mail_bytes(company, "2026-07-01T00:00:00", language, TITLES, ENTRIES, rows(ENTRIES, TITLES, (), language))


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_mail_says_the_same_in_text_and_in_html(language: str) -> None:
    message = email.message_from_bytes(mail(language), policy=policy.default)
    assert message["Date"].datetime.isoformat() == "2026-07-01T00:00:00" and not message.defects
    assert set(message.keys()) == {"Subject", "Date", "X-Unsent", "MIME-Version", "Content-Type"}  # no address, no smuggled header
    text = message.get_body(("plain",)).get_content()
    page = BeautifulSoup(message.get_body(("html",)).get_content(), "html.parser")
    shown = page.get_text(" ")
    value, before, failed, empty = (
        ("24.2 %", "before: 23.0 % (23 Jun 2026)", "kernel died", "Nothing to measure yet") if language == "en" else
        ("24,2 %", "было: 23,0 % (23 июн. 2026)", "kernel died", "Пока нечего измерять"))
    for part in (text, shown):
        flat = " ".join(part.split())
        for words in (value, before, failed, empty, "Розница ₽", "Опт"):
            assert " ".join(words.split()) in flat, (words, flat)
    assert not page.find_all(["script", "img", "a", "link", "style"]) and page.html["lang"] == language
    # Nothing is said in one part only; the head above the processes' names is the table's own.
    assert words_of(text) | words_of(page.th.get_text()) == words_of(page.body.get_text(" "))


def words_of(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


@pytest.mark.parametrize(("language", "subject"), [
    ("en", "Sales process reports: Северная торговля · Data up to 30 Jun 2026"),
    ("ru", "Отчёты по процессам продаж: Северная торговля · Данные до 30 июн. 2026")])
def test_the_subject_is_read_back_as_written(language: str, subject: str) -> None:
    raw = mail(language, "Северная торговля")
    # A mail of seven bits passes everywhere.
    assert raw.isascii() and max(len(line) for line in raw.splitlines()) < 998
    assert " ".join(email.message_from_bytes(raw, policy=policy.default)["Subject"].split()) == subject


def test_the_html_asks_for_nothing_outside_and_styles_in_place_only() -> None:
    page = BeautifulSoup(email.message_from_bytes(mail(), policy=policy.default).get_body(("html",)).get_content(), "html.parser")
    attributes = {name: str(value) for tag in page.find_all(True) for name, value in tag.attrs.items()}
    assert set(attributes) <= {"lang", "charset", "style", "align", "valign", "scope", "cellpadding", "cellspacing", "border"}
    styles = " ".join(tag["style"] for tag in page.find_all(style=True))
    assert styles and not re.search(r"url\(|@import|expression|position|flex|grid|var\(", styles)


def test_same_input_same_bytes() -> None:
    assert mail() == mail()
