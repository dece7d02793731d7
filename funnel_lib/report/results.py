"""`<report>.results.json`: the numbers behind a report's sentences, for whoever automates further."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import funnel_lib
from funnel_lib.report.make import Result

KIND = "results.json"
# The shape of the files; its number changes when a reader of them would have to change.
SCHEMA = Path(__file__).parent / "results.schema.json"
SCHEMA_NUMBER = 1


def results_text(result: Result, observed_from: str | None) -> str:
    """The file of a finished report, the same for the same input; `observed_from` is where its period begins."""
    about = result.about
    content = {
        "schema": SCHEMA_NUMBER,
        "about": {"report": result.report, "notebook": result.notebook, "title": result.title, "company": about["company"],
                  "process": result.process, "process_title": about["title"],
                  "period": {"from": observed_from, "before": about["as_of"] or None}, "as_of": about["as_of"] or None,
                  "language": about["language"], "currency": about["currency"], "version": funnel_lib.__version__},
        "sentences": [_plain(sentence) for sentence in result.sentences],
    }
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _plain(sentence: dict[str, Any]) -> dict[str, Any]:
    return {"key": sentence["key"], "text": sentence["text"], "numbers": sentence["numbers"]}
