"""A measure that may be impossible for this process: its table, or an empty one that says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from funnel_lib.errors import MeasureError


def attempt(measure: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
    """What the measure returns; where it raises `MeasureError`, an empty table that `show` presents as its sentence.

    The table is about the process that the measure was asked of.

    So a report of a process that has no spending shows everything else. Any other error stays an error.
    """
    try:
        return measure(*arguments, **settings)
    except MeasureError as error:
        table = pd.DataFrame()
        table.attrs["unavailable"] = error.args[0]
        about = getattr(arguments[0], "about", None) if arguments else None
        if about is not None:
            table.attrs["about"] = about
        return table


def why_unavailable(table: Any) -> str:
    """The reason that `attempt` noted, a message to its reader, else an empty string."""
    return getattr(table, "attrs", {}).get("unavailable", "")
