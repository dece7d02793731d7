"""The headline figure of each exercise, process by process, beside the one of the run before: for the index and the mail."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from funnel_lib.language.formats import format_value, not_available
from funnel_lib.language.words import word
from funnel_lib.pages.shown import last_day
from funnel_lib.report.manifest import page_name


class Headline(NamedTuple):
    """A number that stands for an exercise: whose notebook begins so, which sentence and number, its unit and its words."""

    notebook: str
    sentence: str
    number: str
    unit: str
    words: str

    @property
    def key(self) -> str:
        """Its name in the manifest."""
        return f"{self.sentence}.{self.number}"


HEADLINES = (
    Headline("01", "needed", "actual_per_week", "number", "headline_flow"),
    Headline("02", "eventual_conversion", "eventual_share", "share", "headline_conversion"),
    Headline("03", "repeat_rate", "share", "share", "headline_repeat"),
    Headline("04", "biggest_lever", "margin_change_amount", "amount", "headline_lever"),
    Headline("05", "dearest_stage", "cost_per_result_amount", "amount", "headline_cost"),
)


@dataclass(frozen=True)
class Figure:
    """One headline figure as shown: the value, that of the run before, and what is to be known of it (failed, old, empty);
    `number` is the value to sort by."""

    value: str
    number: float | None = None
    before: str = ""
    mark: str = ""
    link: str = ""
    is_failed: bool = False


@dataclass(frozen=True)
class Row:
    """The figures of one process, an exercise each."""

    title: str
    figures: list[Figure]


def figures_of(sentences: list[dict[str, Any]]) -> dict[str, Any]:
    """The headline figures among the sentences of a report, by their key."""
    found = {sentence["key"]: sentence["numbers"] for sentence in reversed(sentences)}
    return {one.key: found[one.sentence][one.number] for one in HEADLINES if one.number in found.get(one.sentence, {})}


def rows(entries: list[dict[str, Any]], titles: dict[str, str], stale: Collection[str], language: str) -> list[Row]:
    """A row for each process, if there are figures at all; `stale` are reports of earlier data than the latest run's."""
    by_process: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry["process"] in titles:
            by_process.setdefault(entry["process"], {})[entry["notebook"][:2]] = entry
    if not {one.notebook for one in HEADLINES} & set().union(*by_process.values()):
        return []
    never = [Figure("–", mark=word("never", language))] * len(HEADLINES)
    return [Row(title, [_figure(one, by_process[name].get(one.notebook), stale, language) for one in HEADLINES]
                if name in by_process else never) for name, title in titles.items()]


def _figure(one: Headline, entry: dict[str, Any] | None, stale: Collection[str], language: str) -> Figure:
    if entry is None:
        return Figure("–")
    if entry["status"] == "empty":
        return Figure("–", mark=word("empty_short", language), link=quote(page_name(entry)))
    shown = entry.get("older") or {} if entry["status"] == "failed" else entry
    figures = figures_of(shown.get("sentences", []))
    value = _told(one, figures, shown.get("currency"), language)
    return Figure(value, figures.get(one.key), _before(one, shown, language), _mark(entry, shown, stale, language),
                  quote(page_name(entry)), entry["status"] == "failed")


def _told(one: Headline, figures: dict[str, Any], currency: str | None, language: str) -> str:
    value = figures.get(one.key)
    return not_available(language) if value is None else format_value(value, one.unit, language, currency)


def _before(one: Headline, shown: dict[str, Any], language: str) -> str:
    previous = shown.get("previous") or {}
    if previous.get("figures", {}).get(one.key) is None:
        return ""
    value = _told(one, previous["figures"], shown.get("currency"), language)
    return word("headline_before", language, value=value, date=last_day(previous["as_of"], language))


def _mark(entry: dict[str, Any], shown: dict[str, Any], stale: Collection[str], language: str) -> str:
    if entry["status"] == "failed":
        return dated("failed", shown, language)
    return dated("stale", shown, language) if entry["report"] in stale else ""


def dated(key: str, shown: dict[str, Any], language: str) -> str:
    """The word for what is to be known of a report, and up to when its data go."""
    until = word("as_of", language, date=last_day(shown["as_of"], language)) if shown.get("as_of") else ""
    return ": ".join(filter(None, [word(key, language), until]))
