"""The vocabulary of levers: what a measure may move, in one word and a place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from funnel_lib.company import Process
from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import message
from funnel_lib.schema import LEVER_PLACES as PLACES

# These move in points (0.03 = 3 points) and stay within 0 to 1; all others move relatively.
SHARES = frozenset({"target_share", "step_rate", "repeat_rate", "referral_share", "margin_share"})
# Without a channel the lead flow of all channels is meant.
ALL_PLACES = "all"


class Lever(NamedTuple):
    """One lever: `kind` of `PLACES`, and the channel, step or card that it is about."""

    kind: str
    place: str | None = None

    def __str__(self) -> str:
        return self.kind if self.place in (None, ALL_PLACES) else f"{self.kind}.{self.place}"

    @property
    def label_key(self) -> str:
        """The glossary's key for this kind of lever."""
        return f"lever_{self.kind}"

    @property
    def is_share(self) -> bool:
        return self.kind in SHARES


def lever_kind_is_share(label_key: str) -> bool:
    """Whether the levers of this kind (by its glossary key) move in points."""
    return label_key.removeprefix("lever_") in SHARES


def lever_of(text: str, places: dict[str, Iterable[str]]) -> Lever:
    """The lever that a text such as `step_rate.proposal` names.

    `places` are the known channels, steps and cards. Raises `CallError` with the nearest word for an unknown lever or place.
    """
    kind, _, place = text.partition(".")
    if kind not in PLACES:
        raise CallError(message("lever {text!r}: expected one of {known}.{nearest}", text=text, known=", ".join(PLACES),
                                nearest=nearest(kind, PLACES)))
    what = PLACES[kind]
    if what is None:
        if place:
            raise CallError(message("lever {text!r}: expected {kind!r} alone, it has no part", text=text, kind=kind))
        return Lever(kind)
    if not place and kind == "lead_flow":
        return Lever(kind, ALL_PLACES)
    known = sorted(places[what])
    if place not in known:
        raise CallError(message("lever {text!r}: expected {kind}.<{what}>, the {what} one of {known}.{nearest}", text=text,
                                kind=kind, what=what, known=", ".join(known) or message("(none is known)"),
                                nearest=nearest(place, known)))
    return Lever(kind, place)


def levers_of(changes: dict[str, object], places: dict[str, Iterable[str]]) -> dict[Lever, float]:
    """Levers and their changes from keywords: `step_rate={"proposal": 0.05}`, `repeat_rate=0.02`, `lead_flow=0.1`.

    Raises `CallError` for an unknown lever or place, or a change that is no number.
    """
    named: dict[Lever, float] = {}
    for kind, change in changes.items():
        parts = {f"{kind}.{place}": value for place, value in change.items()} if isinstance(change, dict) else {kind: change}
        for text, value in parts.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise CallError(message("{text}: expected a number such as 0.05 (5 points of a share, 5 % of anything else), "
                                        "found {value!r}", text=text, value=value))
            named[lever_of(text, places)] = float(value)
    return named


def known_places(process: Process, channels: Iterable[str], cards: Iterable[str]) -> dict[str, set[str]]:
    """Channels, steps and cards that a lever of this process may name: the described ones and those seen."""
    described = {card.key for card in process.settings.cards}
    return {"channel": {*(process.settings.channels or ()), *channels}, "step": {step.key for step in process.steps},
            "card": {*described, *cards}}
