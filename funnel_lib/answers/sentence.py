"""A sentence that carries its numbers, and the formats that sentences use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from babel.lists import format_list

from funnel_lib.company import Process
from funnel_lib.errors import MeasureError
from funnel_lib.language import formats
from funnel_lib.language.messages import message, plural, translate
from funnel_lib.working_time import WEEK

UNAVAILABLE = "unavailable"


def answered(process: Process, *topics: Callable[[Process], list[Sentence]]) -> list[Sentence]:
    """The sentences of these topics, the first one's first; what cannot be said for want of data closes them, each reason once."""
    first, *rest = [sentence for topic in topics for sentence in attempt(topic, process)]
    told = [sentence for sentence in rest if sentence.key != UNAVAILABLE]
    reasons = dict.fromkeys(sentence for sentence in rest if sentence.key == UNAVAILABLE and sentence != first)
    return [first, *told, *reasons]


def attempt(topic: Callable[[Process], list[Sentence]], process: Process) -> list[Sentence]:
    """The sentences of one topic, or the one that says what they would need."""
    try:
        return topic(process)
    except MeasureError as error:
        return [Sentence(UNAVAILABLE, _capital(reason_of(error, process)) + ".")]


def reason_of(error: MeasureError, process: Process) -> str:
    """What the error says in the language of the reader, without the process that all the sentences are about."""
    return translate(error.args[0], process.language).removeprefix(f"{process.name}: ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def clauses(*parts: str) -> str:
    """One sentence of several that could stand alone: "The first; the second."."""
    return _capital("; ".join(parts)) + "."


class Sentence(str):
    """One sentence of an answer: a text with a `key` that names it and the plain `numbers` it is made of."""

    key: str
    numbers: dict[str, Any]

    def __new__(cls, key: str, text: str, **numbers: Any) -> Sentence:
        sentence = super().__new__(cls, text.replace(" %", f"{formats.SPACE}%"))
        sentence.key, sentence.numbers = key, numbers
        return sentence


class Speaker:
    """Says sentences about one process in the language of its readers, with numbers and keys as they expect them."""

    def __init__(self, process: Process) -> None:
        self.process, self.language, self.currency = process, process.language, process.currency

    def __call__(self, text: str, /, **values: str) -> str:
        """The text in the reader's language, its `{blanks}` filled with values that are formatted already."""
        return translate(message(text, **values), self.language)

    def plural(self, count: float | str, one: str, other: str, /, **values: str) -> str:
        """The form of the text that `count` asks for: `say.plural(3, "{count} lead", "{count} leads", count=say.count(3))`.

        A mean is given as it is shown, since its words follow what is read: `say.plural(say.number(47.125), …)`.
        """
        number = formats.shown(count) if isinstance(count, str) else count
        return translate(plural(number, one, other, **values), self.language)

    def count(self, value: float) -> str:
        return formats.format_count(value, self.language)

    def number(self, value: float) -> str:
        return formats.format_number(value, self.language)

    def share(self, value: float) -> str:
        return formats.format_share(value, self.language)

    def chance(self, value: float) -> str:
        return formats.format_chance(value, self.language)

    def money(self, value: float) -> str:
        return formats.format_money(value, self.language, self.currency)

    def days(self, value: float) -> str:
        return formats.format_duration(value, "days", self.language)

    def hours(self, value: float) -> str:
        return formats.format_duration(value, "hours", self.language)

    def months(self, value: float) -> str:
        return formats.format_duration(value, "months", self.language)

    def date(self, value: Any) -> str:
        return formats.format_moment(value, self.language)

    def weekday(self, key: str) -> str:
        """The day as it stands inside a sentence: "Monday", «понедельник»."""
        return formats.format_weekday(WEEK.index(key), self.language)

    def range(self, low: float, high: float, unit: str = "share") -> str:
        """The 95 % interval, for instance "18.2–24.0 %"."""
        return formats.format_interval(low, high, unit, self.language, self.currency)

    def limits(self, low: float, high: float, unit: str = "share") -> str:
        """The 95 % interval to end a bracket with; nothing where one client alone, or all alike, leave none."""
        given = message(", 95 % interval {range}", range=self.range(low, high, unit))
        return "" if math.isnan(low) else translate(given, self.language)

    def bracket(self, low: float, high: float, unit: str = "share") -> str:
        """The 95 % interval in a bracket of its own, or nothing."""
        given = message(" (95 % interval {range})", range=self.range(low, high, unit))
        return "" if math.isnan(low) else translate(given, self.language)

    def label(self, key: str) -> str:
        return self.process.label(key)

    def inside(self, key: str) -> str:
        """The label as it stands within a sentence: with a small first letter, unless it is an abbreviation."""
        label = self.label(key)
        return label if label[1:2].isupper() else label[:1].lower() + label[1:]

    def listed(self, parts: Iterable[str]) -> str:
        """One after the other as the language lists things: "a, b, and c"."""
        return format_list(list(parts), locale=self.language)

    def reason(self, text: str) -> str:
        """Why something cannot be told, in the reader's language, as the end of a sentence that has its own full stop."""
        return translate(text, self.language).removesuffix(".")

    def names(self, keys: Iterable[str]) -> str:
        """Labels in quotation marks, one after the other: “Call”, “Meeting”."""
        return ", ".join(translate(message("“{name}”", name=self.label(key)), self.language) for key in keys)
