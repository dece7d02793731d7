"""`manifest.json`: what was made, from what, and what failed; the memory from one run to the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from funnel_lib.report.make import Result

NAME = "manifest.json"
PUBLISHED = ("title", "as_of", "currency", "headline", "sentences", "previous", "files", "made_at", "sizes")


def read_manifest(output: Path) -> dict[str, Any]:
    """The manifest of the run before; empty where there is none that can be read."""
    try:
        found = json.loads((output / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def page_name(entry: dict[str, Any]) -> str:
    """The page of a report as it stands: of a failed one the older page or the error's; empty where no page was asked for."""
    name = f"{entry['report']}.html"
    if entry["status"] == "failed":
        return name if name in (entry.get("older") or {}).get("files", []) else error_page_name(entry)
    return name if name in entry.get("files", []) else ""


def error_page_name(entry: dict[str, Any]) -> str:
    """The page that says why a report failed."""
    return f"{entry['report']}.error.html"


def entry_of(result: Result, made_at: str, before: dict[str, Any] | None, inputs: dict[str, Any] | None = None) -> dict[str, Any]:
    """One report's entry; a failed one keeps what is still published from an earlier run under `older`.

    `inputs` are the hashes of what the report was made from.
    """
    entry = {"report": result.report, "process": result.process, "notebook": result.notebook, "status": result.status,
             "title": result.title, "seconds": result.seconds,
             "cells_seconds": result.cells_seconds}
    if result.status == "failed":
        return entry | {"failure": result.failure, "older": _older(before), "warnings": list(result.warnings)}
    as_of = result.about.get("as_of", "")
    return entry | {"as_of": as_of, "currency": result.about.get("currency"), "headline": result.headline,
                    "sentences": result.sentences, "previous": _previous(before, as_of),
                    "files": [f"{result.report}.{kind}" for kind in result.files], "made_at": made_at,
                    "sizes": {f"{result.report}.{kind}": path.stat().st_size for kind, path in result.files.items()},
                    "lost": result.lost, "inputs": inputs or {}, "warnings": list(result.warnings)}


def _previous(before: dict[str, Any] | None, as_of: str) -> dict[str, Any] | None:
    """The figures of the last report with another end of observation: the same Monday twice compares with the Monday before."""
    from funnel_lib.report.headlines import figures_of  # loads pandas: only where a report was made

    shown = _older(before)
    if not shown or not shown.get("as_of"):
        return None
    if shown["as_of"] == as_of:
        return shown.get("previous")
    return {"as_of": shown["as_of"], "figures": figures_of(shown.get("sentences", []))}


def _older(before: dict[str, Any] | None) -> dict[str, Any] | None:
    if not before:
        return None
    if before.get("status") == "failed":
        return before.get("older")
    return {key: before[key] for key in PUBLISHED if key in before}


def merged(before: dict[str, Any], entries: list[dict[str, Any]], known: list[str], order: list[str]) -> list[dict]:
    """Entries of this run, and of earlier ones for reports that this run was not asked for.

    `known` are the company's processes, `order` the names of all reports in the index's order.
    """
    by_name = {entry["report"]: entry for entry in before.get("reports", []) if entry.get("process") in (None, *known)}
    by_name.update({entry["report"]: entry for entry in entries})
    place = {name: at for at, name in enumerate(order)}
    return sorted(by_name.values(), key=lambda entry: (place.get(entry["report"], len(place)), entry["report"]))


def manifest_text(run: dict[str, Any], company: dict[str, Any], entries: list[dict[str, Any]]) -> str:
    """The manifest as stored."""
    return json.dumps({"run": run, "company": company, "reports": entries}, ensure_ascii=False, indent=1) + "\n"
