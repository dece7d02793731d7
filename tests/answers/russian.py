"""A process for Russian readers, for the tests of what is said to them."""

from __future__ import annotations

from dataclasses import replace

from funnel_lib import Process


def in_russian(process: Process) -> Process:
    """The process with another language; what has been counted for it is counted once."""
    again = replace(process, company=process.company.model_copy(update={"language": "ru"}))
    vars(again)["_memory"] = process._memory
    return again
