"""The index's script and the policy that lets only it run."""

from __future__ import annotations

import base64
import hashlib
import re

from bs4 import BeautifulSoup

from funnel_lib.report.headlines import HEADLINES
from funnel_lib.report.index import index_page
from funnel_lib.report.page import security_policy, sort_script


def done(process: str, share: float | None) -> dict:
    numbers = {} if share is None else {"eventual_share": share}
    return {"report": f"{process}/02_x", "process": process, "notebook": "02_x", "status": "done", "title": "X", "as_of": "2026-03-01",
            "headline": "", "currency": "EUR", "files": [f"{process}/02_x.html"],
            "sentences": [{"key": "eventual_conversion", "text": "", "numbers": numbers}]}


def test_rows_carry_exact_values_to_sort_by() -> None:
    entries = [done("a", 0.2345678), done("b", None)]
    text = index_page("C", "2026-03-01", "en", {"a": 'A "<b>', "b": "B"}, {"a": "a", "b": "b"}, entries, set())
    table = BeautifulSoup(text, "html.parser").select_one("table.sortable")
    assert [head.get("class") for head in table.select("thead th")] == [None] + [["number"]] * len(HEADLINES)
    rows = table.select("tbody tr")
    assert [row.th["data-value"] for row in rows] == ['A "<b>', "B"]
    assert [row.find_all("td")[1].get("data-value") for row in rows] == ["0.2345678", None]  # what is not known has none


def test_only_the_scripts_own_digest_is_allowed_and_only_on_the_index() -> None:
    text = index_page("C", "", "en", {}, {}, [], set())
    soup = BeautifulSoup(text, "html.parser")
    digest = base64.b64encode(hashlib.sha256(soup.script.string.encode()).digest()).decode()
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert re.findall(r"script-src ([^;]*);", policy) == [f"'sha256-{digest}'"] and soup.script.string == sort_script()
    assert "script-src" not in security_policy() and "default-src 'none'" in security_policy()
