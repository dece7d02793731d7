"""A measure that may be impossible for this process: its table, or an empty one that says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from funnel_lib.errors import MeasureError


def attempt(measure: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
    """What the measure returns; where it raises `MeasureError`, an empty table that `show` presents as its sentence.

    So a report of a process that has no spending shows everything else. Any other error stays an error.
    """
    try:
        return measure(*arguments, **settings)
    except MeasureError as error:
        table = pd.DataFrame()
        table.attrs["unavailable"] = str(error)
        return table


def why_unavailable(table: Any) -> str:
    """The reason that `attempt` noted, else an empty string."""
    return getattr(table, "attrs", {}).get("unavailable", "")
