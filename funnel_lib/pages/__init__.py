"""What a notebook shows: tables, answers, definitions, data quality, and the mark of a finished report."""

from __future__ import annotations

from funnel_lib.pages.attempt import attempt
from funnel_lib.pages.quality import data_quality
from funnel_lib.pages.table import show
from funnel_lib.pages.text import answer, complete, definitions

__all__ = ["answer", "attempt", "complete", "data_quality", "definitions", "show"]
