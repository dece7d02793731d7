"""Messages to people: English in the code, other languages from gettext catalogs, translated where the reader is known."""

from __future__ import annotations

import gettext
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

# One catalog per kind of text: `locale/<language>/LC_MESSAGES/<domain>.po`, made by `make messages`.
DOMAINS = ("answers", "charts", "findings", "glossary", "notebooks", "pages")
LOCALE = Path(__file__).with_name("locale")
SOURCE_LANGUAGE = "en"


class Message(str):
    """An English text that remembers how it was made, so that it can be said again in the language of its reader.

    As a `str` it is the English text. It is made by `message` and `plural`, whose literals the catalogs are extracted from.
    """

    template: tuple[str, ...]
    count: float | None
    values: dict[str, Any]

    def __new__(cls, template: tuple[str, ...], count: float | None, values: dict[str, Any]) -> Message:
        self = super().__new__(cls, _said(template, count, values, SOURCE_LANGUAGE))
        self.template, self.count, self.values = template, count, values
        return self

    def __reduce__(self) -> tuple:
        return Message, (self.template, self.count, self.values)


def message(text: str, /, **values: Any) -> Message:
    """A text whose `{blanks}` are filled with `values`; without values braces are left as they are.

    >>> message("{file} has no rows", file="leads.csv")
    'leads.csv has no rows'
    """
    return Message((text,), None, values)


def plural(count: float, one: str, other: str, /, **values: Any) -> Message:
    """The text for `count` things: English has two forms, a catalog has as many as its language.

    >>> plural(2, "{count} row", "{count} rows", count=2)
    '2 rows'
    """
    return Message((one, other), count, values)


def joined(texts: Iterable[str], separator: str = "; ") -> Message:
    """Several texts one after the other, each said in the language of the reader.

    >>> joined(["no leads", message("{count} orders", count=2)])
    'no leads; 2 orders'
    """
    parts = {f"part{number}": text for number, text in enumerate(texts)}
    return Message((separator.join(f"{{{name}}}" for name in parts),), None, parts)


def marked(text: str) -> str:
    """The text itself, marked for the catalogs: it stands in a table and is translated where it is shown."""
    return text


def translate(text: str, language: str = SOURCE_LANGUAGE) -> str:
    """The text in `language`: a `Message` with its blanks filled, any other text as the catalogs have it, else as it is.

    >>> translate("Of all leads.", "en")
    'Of all leads.'
    """
    if isinstance(text, Message):
        return _said(text.template, text.count, text.values, language)
    return _catalog(language).gettext(text) if text else text  # the empty text is a catalog's own header


def _said(template: tuple[str, ...], count: float | None, values: dict[str, Any], language: str) -> str:
    text = translate(template[0], language) if count is None else _counted(template, count, language)
    return text.format(**{name: _spoken(value, language) for name, value in values.items()}) if values else text


def _counted(template: tuple[str, ...], count: float, language: str) -> str:
    """The form that the count asks for; fractions take the form of two: "1.5 days", «4,5 дня».

    Where a language says the two differently, the form of two has the one for fractions behind a bar:
    «{count} новых лида|{count} нового лида».
    """
    is_whole = count == int(count)
    whole, _, fraction = _catalog(language).ngettext(*template, int(count) if is_whole else 2).partition("|")
    return whole if is_whole else fraction or whole


def _spoken(value: Any, language: str) -> Any:
    """A value as it is said inside a text: messages in its language, fractions with its decimal mark."""
    if isinstance(value, Message):
        return translate(value, language)
    return _Fraction(value).in_language(language) if isinstance(value, float) and language != SOURCE_LANGUAGE else value


class _Fraction(float):
    """A number that is written with the decimal mark of a language, whatever its format."""

    mark = "."

    def in_language(self, language: str) -> _Fraction:
        from babel import Locale, UnknownLocaleError  # loaded here: the package is imported without it, and English needs none

        with suppress(UnknownLocaleError):
            self.mark = Locale.parse(language).number_symbols["latn"]["decimal"]
        return self

    def __format__(self, how: str) -> str:
        return super().__format__(how).replace(".", self.mark)


@cache
def _catalog(language: str) -> gettext.NullTranslations:
    """All domains of a language, one behind the other; English needs none."""
    whole = gettext.NullTranslations()
    if language != SOURCE_LANGUAGE:
        for domain in DOMAINS:
            whole.add_fallback(gettext.translation(domain, LOCALE, [language], fallback=True))
    return whole
