"""The one family of exceptions: what was expected, what was found, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from funnel_lib.language.messages import message, translate


class FunnelError(Exception):
    """Every error this package raises on purpose, with a message that can be said in another language; as a `str` it is English."""


class CallError(FunnelError):
    """The call was wrong: a path, a name, a parameter or a key in a description that does not exist."""


class DataError(FunnelError):
    """The data cannot be used as they are; the message names the file and the place."""


class WriteError(FunnelError):
    """A file could not be written: the disk is full, or another program holds it."""


class MeasureError(FunnelError):
    """A measure needs something that this process does not have; the message says what it would take."""


def nearest(word: str, known: Iterable[str]) -> str:
    """" Did you mean 'x'?" for the known word most like `word`, or an empty string.

    >>> nearest("wholesail", ["retail", "wholesale"])
    " Did you mean 'wholesale'?"
    """
    by_lower = {name.lower(): name for name in known}
    match = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return message(" Did you mean {word!r}?", word=by_lower[match[0]]) if match else ""


def said(error: FunnelError, language: str) -> str:
    """What an error of this package says, in the language of its reader.

    >>> said(CallError("no such folder"), "en")
    'no such folder'
    """
    return translate(error.args[0], language)
