"""Links from each page to the ones before and after it, put in at the end of a run, when it is known which pages there are."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from funnel_lib.language.words import word
from funnel_lib.report.manifest import error_page_name, page_name
from funnel_lib.report.publish import write_whole

# The place that the templates of pages leave for the links. Texts of the data cannot hold it: they are escaped, comments removed.
BEGIN, END = b"<!--neighbours-->", b"<!--/neighbours-->"


def link_neighbours(output: Path, entries: list[dict[str, Any]], language: str) -> None:
    """Write the links into the pages of `entries` (in the index's order), and the new sizes into the entries."""
    by_process: dict[str | None, list[dict[str, Any]]] = {}
    for entry in entries:
        if page_name(entry):
            by_process.setdefault(entry["process"], []).append(entry)
    for shown in by_process.values():
        for before, entry, after in zip([None, *shown], shown, [*shown[1:], None], strict=False):
            links = _links(before, after, language).encode()
            for name, sizes in _pages(entry):
                _relink(output / name, name, links, sizes)


def _pages(entry: dict[str, Any]) -> Iterator[tuple[str, dict[str, int]]]:
    """The pages of a report and where their sizes are noted: a failed one may have an older page beside the error's."""
    if entry["status"] == "failed":
        yield error_page_name(entry), {}
    if page_name(entry) != error_page_name(entry):
        shown = entry["older"] if entry["status"] == "failed" else entry
        yield page_name(entry), shown.get("sizes", {})


def _links(before: dict[str, Any] | None, after: dict[str, Any] | None, language: str) -> str:
    links = [_link("prev", f"← {word('previous', language)}", before), _link("next", f"{word('next', language)} →", after)]
    label = escape(word("neighbours", language))
    return f'<nav class="neighbours" aria-label="{label}">{"".join(links)}</nav>' if any(links) else ""


def _link(rel: str, said: str, entry: dict[str, Any] | None) -> str:
    if entry is None:
        return ""
    address = quote(Path(page_name(entry)).name)
    return f'<a rel="{rel}" href="{address}"><small>{escape(said)}</small> {escape(entry["title"])}</a>'


def _relink(path: Path, name: str, links: bytes, sizes: dict[str, int]) -> None:
    """A page that was removed or changed by somebody else stays as it is, for `--resume` to find."""
    if not path.is_file() or path.stat().st_size != sizes.get(name, path.stat().st_size):
        return
    content = path.read_bytes()
    head, begin, rest = content.partition(BEGIN)
    _, end, tail = rest.partition(END)
    linked = head + begin + links + end + tail
    if end and linked != content:
        write_whole(path, linked)
        if name in sizes:
            sizes[name] = len(linked)
