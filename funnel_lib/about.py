"""What a result table is about: process, currency, language, observation; it travels in `DataFrame.attrs["about"]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from funnel_lib.language.messages import message, plural, translate


@dataclass(frozen=True)
class About:
    """What charts and pages need to know of a table beside its columns."""

    process: str = ""
    title: str = ""
    language: str = "en"
    currency: str = "EUR"
    as_of: pd.Timestamp | None = None
    observed_from: pd.Timestamp | None = None
    # Keys that keep one colour on every chart, in the order of the description.
    channels: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __deepcopy__(self, memo: dict) -> About:
        # pandas copies attrs with every frame; nothing here ever changes.
        return self

    def label(self, key: object) -> str:
        """The name for a reader of a key (channel, step, segment, role, …), else the key itself."""
        return self.labels.get(str(key), str(key))

    def say(self, text: str, /, **values: object) -> str:
        """The text in the language of the reader, its `{blanks}` filled with values that are formatted already."""
        return translate(message(text, **values), self.language)

    def plural(self, count: float, one: str, other: str, /, **values: object) -> str:
        """The form of the text that `count` asks for in the language of the reader."""
        return translate(plural(count, one, other, **values), self.language)


def about_of(table: object) -> About:
    """What the table is about; an empty description for a frame that is not a result of ours."""
    return getattr(table, "attrs", {}).get("about") or About()
