"""A figure of the last year beside that of the year before, with what their difference is worth."""

from __future__ import annotations

from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.rates import difference_limits, rate

SHORT_HISTORY, NO_CASES, FEW_CASES, WITHIN_ERROR = "short_history", "no_cases", "few_cases", "within_error"
FEWEST_CASES = 10


class Figure(NamedTuple):
    """A value with its 95 % limits and the counts behind it."""

    value: float
    low: float
    high: float
    cases_count: float
    of_count: float


class Years(NamedTuple):
    """The last year (from `middle` to `end`), the one before it, and the one before that."""

    older: pd.Timestamp
    start: pd.Timestamp
    middle: pd.Timestamp
    end: pd.Timestamp

    def number(self, time: str) -> nw.Expr:
        """1 in the last year, 0 in the one before, −1 in the one before that; missing elsewhere."""
        at = nw.col(time)
        number = nw.lit(None, dtype=nw.Float64)
        for value, begins in ((-1.0, self.older), (0.0, self.start), (1.0, self.middle)):
            number = nw.when((at >= begins.to_pydatetime()).fill_null(False)).then(nw.lit(value)).otherwise(number)
        return number


def compared(process: Process, years: Years, name: str, unit: str, now: Figure, before: Figure, gain: tuple[float, float],
         step: str | None = None, since: pd.Timestamp | None = None, is_less_better: bool = False) -> dict:
    """One indicator; `gain` are the limits of its difference, `since` is where the earlier figure's records must begin."""
    begins, known = since or years.start, process.observed_from
    low, high = (-gain[1], -gain[0]) if is_less_better else gain
    reason = ""
    if known is None or known > begins:
        before, reason = Figure(*[np.nan] * 5), SHORT_HISTORY
    elif not (now.of_count > 0 and before.of_count > 0) or np.isnan(low):
        reason = NO_CASES
    elif min(now.of_count, before.of_count) < FEWEST_CASES:
        reason = FEW_CASES
    return {"indicator": name, "step": step, "unit": unit, "last_value": now.value, "last_low": now.low,
            "last_high": now.high, "cases_count": now.cases_count, "of_count": now.of_count,
            **{f"before_{key}": value for key, value in before._asdict().items()}, "gain_low": low, "gain_high": high,
            "reason": reason, "year_start": years.middle}


def compared_shares(process: Process, years: Years, name: str, part: pd.Series, whole: pd.Series, **more: object) -> dict:
    """An indicator that is a share of independent cases, from counts by number of the year."""
    now, before = (rate(float(part.get(year, 0)), float(whole.get(year, 0))) for year in (1.0, 0.0))
    return compared(process, years, name, "share", Figure(*now), Figure(*before), difference_limits(before, now), **more)
