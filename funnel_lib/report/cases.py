"""A report without its cases: lists of leads and customers to act on, and pictures that name them, are left out."""

from __future__ import annotations

import copy
from html import escape
from typing import Any

import nbformat
from bs4 import BeautifulSoup

from funnel_lib.language.words import word
from funnel_lib.pages.figures import FIGURE
from funnel_lib.pages.shown import COMPLETE, FINDINGS, TABLE

# A table with one of these columns lists cases; employees, who are named in other tables, stay.
CASE_COLUMNS = {"lead_id", "customer_id"}


def without_cases(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy in which each list of cases says that it was left out; what the checks found keeps its places, not its values."""
    notebook = copy.deepcopy(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    about = [output["data"][COMPLETE] for output in outputs if COMPLETE in output.get("data", {})]
    language = about[-1]["language"] if about else "en"
    listed: set[str] = set()
    for cell in notebook.cells:
        tables = [output.data[TABLE] for output in cell.get("outputs", []) if TABLE in output.get("data", {})]
        listed = _listed(tables) if tables else listed
        for output in cell.get("outputs", []):
            if "data" in output:
                _cover(output, listed, language)
    return notebook


def _listed(tables: list[dict[str, Any]]) -> set[str]:
    """The cases that these tables list."""
    return {str(row[at]) for table in tables for at, column in enumerate(table["columns"]) if column["key"] in CASE_COLUMNS
            for row in table["rows"]}


def _cover(output: nbformat.NotebookNode, listed: set[str], language: str) -> None:
    data = output.data
    if TABLE in data:
        if CASE_COLUMNS & {column["key"] for column in data[TABLE]["columns"]}:
            output.data = _left_out(data[TABLE], language)
    elif FINDINGS in data:
        _hide_examples(data, language)
    elif "image/png" in data:
        if _names_a_case(data.get(FIGURE, {}).pop("drawn", []), listed):
            output.data = {"text/plain": word("picture_left_out", language)}
            output.metadata = {}
    elif not any(mime.startswith("application/vnd.funnel.") for mime in data) and _mentions_cases(data):
        output.data = {"text/plain": word("cases_left_out", language)}


def _left_out(table: dict[str, Any], language: str) -> nbformat.NotebookNode:
    """What stands in the place of a list of cases."""
    note, title = word("cases_left_out", language), table["title"]
    html = f'<figure class="table"><figcaption>{escape(title)}</figcaption><p class="note">{escape(note)}</p></figure>'
    kept = {**table, "note": note, "columns": [], "rows": []}
    return nbformat.from_dict({TABLE: kept, "text/html": html, "text/plain": f"{title}\n{note}"})


def _hide_examples(data: dict[str, Any], language: str) -> None:
    soup = BeautifulSoup(data["text/html"], "html.parser")
    rows = soup.select("tbody tr")
    for row, found in zip(rows, data[FINDINGS]["findings"], strict=True):
        places = [example["file"] + (f", {word('line', language, line=example['line'])}" if example["line"] else "")
                  for example in found["examples"]]
        row.find_all("td")[2].string = "; ".join(places)
        for example in found["examples"]:
            example["text"] = ""
    data["text/html"] = str(soup)


def _names_a_case(drawn: list[str], listed: set[str]) -> bool:
    """Whether a text in the picture is a case, perhaps a shortened one, on a line of its own."""
    lines = [line.strip() for text in drawn for line in text.splitlines()]
    starts = tuple(line.removesuffix("…") for line in lines if len(line) > 1 and line.endswith("…"))
    return not listed.isdisjoint(lines) or (bool(starts) and any(name.startswith(starts) for name in listed))


def _mentions_cases(data: dict[str, Any]) -> bool:
    return any(name in str(value) for value in data.values() for name in CASE_COLUMNS)
