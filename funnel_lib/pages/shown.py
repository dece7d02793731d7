"""The display object of every page element, and whom it is written for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from math import isfinite
from typing import Any

import pandas as pd

from funnel_lib.description import in_language
from funnel_lib.glossary import GLOSSARY, Term, term
from funnel_lib.language.formats import format_moment
from funnel_lib.language.words import word
from funnel_lib.rates import steady

TABLE = "application/vnd.funnel.table+json"
ANSWER = "application/vnd.funnel.answer+json"
DEFINITIONS = "application/vnd.funnel.definitions+json"
FINDINGS = "application/vnd.funnel.findings+json"
COMPLETE = "application/vnd.funnel.complete+json"


@dataclass(frozen=True)
class Shown:
    """One element of a page: HTML for the reader, plain text for a terminal, exact data for Excel and the index."""

    mime: str
    html: str = field(repr=False)
    text: str = field(repr=False)
    data: dict[str, Any] = field(repr=False)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/html": self.html, "text/plain": self.text, self.mime: self.data}


@dataclass(frozen=True)
class Reader:
    """For whom an element is written: language, currency, and the names of the keys."""

    language: str = "en"
    currency: str | None = None
    label: Callable[[str], str] = str


def reader_of(subject: Any) -> Reader:
    """The reader of a `Process` or a `Company`; English without either."""
    if subject is None:
        return Reader()
    if hasattr(subject, "label"):
        return Reader(subject.language, subject.currency, subject.label)
    described = subject.description
    labels = {key: entry.label(described.language) for key, entry in GLOSSARY.items()}
    labels.update((name, in_language(process.name, described.language, name)) for name, process in described.processes.items())
    return Reader(described.language, described.currency, lambda key: labels.get(key, str(key)))


def known_term(key: Any) -> Term | None:
    """The glossary's entry, or None for a name that it does not hold."""
    try:
        return term(key) if isinstance(key, str) else None
    except KeyError:
        return None


def safe(text: Any) -> str:
    """Text from the data or the description as HTML; characters that no page can carry become a mark."""
    clean = "".join("\N{REPLACEMENT CHARACTER}" if ord(char) < 32 and char not in "\n\t" else char for char in str(text))
    return escape(clean, quote=True)


def plain(value: Any) -> Any:
    """A value as JSON can hold it: undefined becomes None, moments ISO text, numpy's scalars Python's.

    Amounts are exact to the hundredth; other fractions have ten significant digits, which are the same on every machine.
    """
    if isinstance(value, pd.Timestamp | pd.Period):
        return None if pd.isna(value) else str(value).replace(" ", "T")
    if hasattr(value, "item"):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not isfinite(value):
            return None
        return value if value == round(value, 2) else float(steady(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def last_day(as_of: Any, language: str) -> str:
    """The last day observed: observation ends before `as_of`."""
    moment = pd.Timestamp(as_of)
    return format_moment((moment - pd.Timedelta(days=1)) if moment == moment.normalize() else moment, language)


def period(since: Any, as_of: Any, language: str) -> str:
    """The days observed: from the first to the last, or up to the last where the first is not known; empty without an end."""
    if not as_of:
        return ""
    if not since:
        return word("as_of", language, date=last_day(as_of, language))
    start = format_moment(pd.Timestamp(since).normalize(), language)
    return word("period", language, start=start, end=last_day(as_of, language))
