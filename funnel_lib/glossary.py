"""Every name the product shows: key, unit, English and Russian term, formula in words, source.

The schema, the reports' column heads, their definitions and the documentation all read this one table.
"""

from __future__ import annotations

from dataclasses import dataclass

from funnel_lib.glossary_terms import TERMS
from funnel_lib.language.messages import marked, message, translate

UNITS = {"text", "date", "flag", "number", "count", "share", "amount", "days", "hours", "months", "minutes", "level",
         "per_hour", "ratio", "by_row"}


@dataclass(frozen=True)
class Term:
    """One name: `unit` is one of `UNITS`; `formula` says in words how the number is made; `source` names its origin.

    A limit has the term whose limit it is, `of`; its formula has a blank for it.
    """

    key: str
    unit: str
    en: str
    ru: str
    formula: str
    source: str = ""
    of: Term | None = None

    def label(self, language: str = "en") -> str:
        """The term as a reader of `language` ("en" or "ru") expects it."""
        return self.ru if language == "ru" else self.en

    def explained(self, language: str = "en") -> str:
        """How the number is made, in the language of the reader."""
        said = message(self.formula, of=self.of.label(language)) if self.of else self.formula
        return translate(said, language)

    def origin(self, language: str = "en") -> str:
        """Where the formula is published, in the language of the reader; may be empty."""
        return translate(self.source, language)


GLOSSARY: dict[str, Term] = {row[0]: Term(*row) for row in TERMS}
_LIMITS = {"low": ("95 % from", "95 % от", marked("Lower 95 % limit of: {of}.")),
           "high": ("95 % to", "95 % до", marked("Upper 95 % limit of: {of}."))}


def term(key: str) -> Term:
    """The glossary's entry for `key`; the limits `x_low_share` and `x_high_share` follow from `x_share`.

    Raises `KeyError` for a name that is not in the glossary: a column nobody has defined must not be shown.

    >>> term("leads_count").label("ru")
    'Лиды'
    >>> term("overall_low_share").explained()
    'Lower 95 % limit of: Of all leads.'
    """
    if key in GLOSSARY:
        return GLOSSARY[key]
    for side, (en, ru, formula) in _LIMITS.items():
        of = GLOSSARY.get(key.replace(f"_{side}_", "_", 1))
        if of is not None:
            return Term(key, of.unit, en, ru, formula, of.source, of)
    raise KeyError(key)
