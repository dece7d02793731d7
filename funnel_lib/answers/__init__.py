"""The sentences that answer each exercise, each with its numbers: the verdict first."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Exercise → file `of_<exercise>.py` of this folder, loaded on first use.
_EXERCISES = ("lead_generation", "conversion", "account_management", "improvement", "efficiency", "overview")

__all__ = [*_EXERCISES, "what_if_sliders"]


def __getattr__(name: str) -> Any:
    if name in _EXERCISES:
        return getattr(import_module(f"funnel_lib.answers.of_{name}"), name)
    if name == "what_if_sliders":
        return import_module("funnel_lib.answers.sliders").what_if_sliders
    raise AttributeError(f"module 'funnel_lib.answers' has no attribute {name!r}")
