"""The words of a page: the answer, the definitions, and the line that says a report is complete."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from funnel_lib.errors import DataError
from funnel_lib.glossary import Term
from funnel_lib.language.formats import format_moment, format_value
from funnel_lib.language.words import word
from funnel_lib.pages.shown import ANSWER, COMPLETE, DEFINITIONS, Shown, known_term, last_day, plain, reader_of, safe

# What an owner reads on the first screen.
SENTENCES_SHOWN = 7
_LIMIT = re.compile(r"(^|_)(low|high)(_|$)")
# What limits are called whose column on the page is "95 % interval".
_NAMELESS = {"95 % from", "95 % to"}


def answer(sentences: Iterable[str], process: Any = None) -> Shown:
    """The sentences that answer the exercise; the first is the verdict, those after the seventh are folded away.

    Sentences may carry `key` and `numbers`, which go to the index and the manifest with their text.
    """
    lines = list(sentences)
    language = reader_of(process).language
    items = [f'<li class="lead">{safe(line)}</li>' if at == 0 else f"<li>{safe(line)}</li>" for at, line in enumerate(lines)]
    more = items[SENTENCES_SHOWN:] if len(items) > SENTENCES_SHOWN + 1 else []
    html = f"<ul>{''.join(items[:len(items) - len(more)])}</ul>"
    if more:
        html += f"<details><summary>{word('more_answers', language, count=len(more))}</summary><ul>{''.join(more)}</ul></details>"
    data = {"language": language,
            "sentences": [{"text": str(line), "key": getattr(line, "key", ""),
                           "numbers": {key: plain(value) for key, value in getattr(line, "numbers", {}).items()}}
                          for line in lines]}
    return Shown(ANSWER, f'<section class="answer">{html}</section>',
                 "\n".join(f"{'-' if at else '*'} {line}" for at, line in enumerate(lines)), data)


def definitions(*tables: Any, process: Any = None, keys: Iterable[str] = ()) -> Shown:
    """The glossary's entry of every column of `tables` and of `keys`, each once, and what was observed."""
    abouts = [table.attrs["about"] for table in tables if "about" in getattr(table, "attrs", {})]
    reader = reader_of(process if process is not None else next(iter(abouts), None))
    named = [column for table in tables for column in _names(table)] + list(keys)
    entries = _entries(named)
    pairs = [*_observation(process, reader.language), *_terms(entries, reader.language)]
    return Shown(DEFINITIONS, f'<section class="definitions"><dl>{_items(pairs)}</dl></section>',
                 "\n".join(f"{name}: {text}" for name, text in pairs), {"entries": _data(entries, reader.language)})


def completed(bundle: dict[str, Any], columns: Iterable[str], language: str) -> dict[str, Any]:
    """The definitions as shown, with those of `columns` that they have none of; a limit that has a name of its own, too."""
    entries, known = _entries(columns), {entry["key"] for entry in bundle[DEFINITIONS]["entries"]}
    named = [(entry.label(language), _explained(entry, language)) for entry in entries
             if _LIMIT.search(entry.key) and entry.label() not in _NAMELESS]
    pairs = [(name, text) for name, text in dict([*_terms(entries, language), *named]).items()
             if f"<dt>{safe(name)}</dt>" not in bundle["text/html"]]
    new = [entry for entry in entries if entry.key not in known]
    return {**bundle, "text/html": bundle["text/html"].replace("</dl>", f"{_items(pairs)}</dl>"),
            "text/plain": "\n".join([bundle["text/plain"], *(f"{name}: {text}" for name, text in pairs)]),
            DEFINITIONS: {"entries": [*bundle[DEFINITIONS]["entries"], *_data(new, language)]}}


def _entries(names: Iterable[str]) -> list[Term]:
    return [entry for entry in map(known_term, dict.fromkeys(names)) if entry is not None]


def _items(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<dt>{safe(name)}</dt><dd>{_with_code(safe(text))}</dd>" for name, text in pairs)


def _data(entries: Iterable[Term], language: str) -> list[dict[str, str]]:
    return [{"key": entry.key, "label": entry.label(language), "unit": entry.unit, "formula": entry.explained(language),
             "source": entry.origin(language)} for entry in entries]


def _names(table: Any) -> list[str]:
    if hasattr(table, "columns"):
        return [str(name) for name in [*(name for name in table.index.names if name), *table.columns]]
    return list(getattr(table, "__dataclass_fields__", {}))


def _terms(entries: list[Term], language: str) -> list[tuple[str, str]]:
    """Terms with their meanings; the limits of all shares are one term, as they are one column on the page."""
    limits = {entry.key for entry in entries if _LIMIT.search(entry.key)}
    terms = [(entry.label(language), _explained(entry, language)) for entry in entries if entry.key not in limits]
    return [*terms, (word("confidence", language), word("confidence_meaning", language))] if limits else terms


def _explained(entry: Term, language: str) -> str:
    formula = entry.explained(language)
    return f"{formula} {word('source', language, source=entry.origin(language))}." if entry.source else formula


def _with_code(html: str) -> str:
    """Words that the glossary writes between backticks, as code."""
    return re.sub(r"`([^`<>]+)`", r"<code>\1</code>", html)


def _observation(process: Any, language: str) -> list[tuple[str, str]]:
    """When observation began and ended, and the conversion window, where there are such."""
    pairs = []
    as_of, observed_from = getattr(process, "as_of", None), getattr(process, "observed_from", None)
    if as_of is not None and observed_from is not None:
        start, end = (format_moment(pd.Timestamp(moment).normalize(), language) for moment in (observed_from, as_of))
        pairs.append((word("as_of_term", language), word("observed", language, start=start, end=end)))
    window = getattr(getattr(process, "settings", None), "conversion_window_days", None)
    if window:
        pairs.append((word("window", language), format_value(window, "days", language)))
    return pairs


def complete(process: Any) -> Shown:
    """The last cell of every notebook: without it a report counts as failed. Takes a `Process` or a `Company`."""
    reader = reader_of(process)
    as_of = _as_of(process)
    data = {"process": process.name if hasattr(process, "label") else "",
            "title": getattr(process, "title", ""), "company": getattr(process, "company_name", None) or process.name,
            "as_of": plain(pd.Timestamp(as_of)) if as_of is not None else "",
            "language": reader.language, "currency": reader.currency or ""}
    until = last_day(as_of, reader.language) if as_of is not None else format_moment(None, reader.language)
    line = word("complete", reader.language, process=data["title"] or data["company"], date=until)
    return Shown(COMPLETE, f'<p class="complete">{safe(line)}</p>', line, data)


def _as_of(subject: Any) -> Any:
    """The end of observation of a process; of a company as described, else the latest of its processes."""
    if hasattr(subject, "label"):
        return subject.as_of
    if subject.description.as_of:
        return subject.description.as_of
    ends = []
    for name in subject.process_names:
        try:
            ends.append(subject.process(name).as_of)
        except DataError:  # said in the report of that process
            continue
    return max((end for end in ends if end is not None), default=None)
