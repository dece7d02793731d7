"""The price of a lost point: what one percentage point of each step is worth in a year."""

from __future__ import annotations

import pandas as pd

from funnel_lib.company import Process
from funnel_lib.improvement.chain import summary
from funnel_lib.improvement.parameters import chain_of
from funnel_lib.improvement.vocabulary import Lever

POINT = 0.01


def price_of_point(process: Process) -> pd.DataFrame:
    """What the yearly margin would gain if one step's rate rose by one percentage point, the others fixed.

    One row is a mandatory step. Columns: `step`, `step_share` (its rate now), `point_amount` with its 95 % limits
    `point_low_amount` and `point_high_amount` from the draws of the yearly margin. A rate cannot pass 100 %: at the top the
    point is worth less.
    Raises `MeasureError` where leads, movement through the steps or orders are missing.
    """
    chain = chain_of(process)
    now = chain.margin()
    rows = [(step, float(rates[0]), *summary(chain.margin({Lever("step_rate", step): POINT}) - now))
            for step, rates in chain.step_rates.items()]
    return process.tidy(pd.DataFrame(rows, columns=["step", "step_share", "point_amount", "point_low_amount",
                                                    "point_high_amount"]))
