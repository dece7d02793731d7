"""The data-quality box of a page: what the checks found, and what was done about it."""

from __future__ import annotations

from typing import Any

from funnel_lib.findings import SEVERITIES, Finding
from funnel_lib.language.formats import format_count
from funnel_lib.language.messages import translate
from funnel_lib.language.words import counted, word
from funnel_lib.pages.shown import FINDINGS, Shown, reader_of, safe

COLUMNS = ("finding_severity", "finding_message", "finding_count", "finding_examples", "finding_action")


def data_quality(company_or_findings: Any, process: Any = None) -> Shown:
    """Findings of a company, a process or a list of them: how many of each severity, then one row for each.

    With `process`, findings of other processes are left out.
    """
    found = list(getattr(company_or_findings, "findings", company_or_findings))
    if process is not None:
        found = [one for one in found if one.process in (None, process.name)]
    found.sort(key=lambda one: SEVERITIES.index(one.severity))
    subject = process if process is not None else company_or_findings
    language = reader_of(subject if hasattr(subject, "findings") or process is not None else None).language
    counts = {severity: sum(one.severity == severity for one in found) for severity in SEVERITIES}
    summary = summary_of(counts, language)
    html = f'<section class="quality"><p>{safe(summary)}</p>{_table(found, language) if found else ""}</section>'
    text = "\n".join([summary, *(_line(one, language) for one in found)])
    return Shown(FINDINGS, html, text, {"counts": counts, "findings": [_plain(one, language) for one in found]})


def summary_of(counts: dict[str, int], language: str) -> str:
    """The counts as a phrase: "2 warnings, 1 note".

    >>> summary_of({"error": 0, "warning": 2, "note": 1}, "en")
    '2 warnings, 1 note'
    """
    parts = [f"{counts[one]} {counted(counts[one], one, language)}" for one in SEVERITIES if counts[one]]
    return ", ".join(parts) or word("no_findings", language)


def _table(found: list[Finding], language: str) -> str:
    heads = "".join(_head(name, language) for name in COLUMNS)
    return ('<div class="scroll"><table><thead><tr>' + heads + "</tr></thead><tbody>"
            + "".join(_row(one, language) for one in found) + "</tbody></table></div>")


def _head(name: str, language: str) -> str:
    numeric = ' class="n"' if name == "finding_count" else ""
    return f'<th scope="col"{numeric}>{safe(word(name, language))}</th>'


def _line(one: Finding, language: str) -> str:
    return (f"{counted(1, one.severity, language)}: {translate(one.message, language)} ({one.count}). "
            f"{translate(one.action, language)}")


def _row(one: Finding, language: str) -> str:
    examples = "<br>".join(safe(translate(example.message, language)) for example in one.examples)
    what, action = translate(one.message, language), translate(one.action, language)
    alarm = ' class="error"' if one.severity == "error" else ""
    return (f'<tr{alarm}><th scope="row">{safe(counted(1, one.severity, language))}</th>'
            f"<td>{safe(f'{one.table}: {what}' if one.table else what)}</td>"
            f'<td class="n">{safe(format_count(one.count, language))}</td><td>{examples}</td><td>{safe(action)}</td></tr>')


def _plain(one: Finding, language: str) -> dict[str, Any]:
    return {"key": one.key, "severity": one.severity, "table": one.table, "count": int(one.count),
            "message": translate(one.message, language), "action": translate(one.action, language), "process": one.process or "",
            "examples": [{"file": str(example.file), "line": example.line, "text": translate(example.text, language)}
                         for example in one.examples]}
