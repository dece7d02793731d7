"""What if: the yearly margin before and after a change of any levers."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from funnel_lib.company import Process
from funnel_lib.improvement.chain import Chain, YearlyMargin, summary
from funnel_lib.improvement.parameters import chain_of
from funnel_lib.improvement.vocabulary import Lever, known_places, levers_of


@dataclass(frozen=True)
class WhatIf:
    """Yearly margin before a change, after it, and the difference, each with its 95 % limits."""

    before: YearlyMargin
    after: YearlyMargin
    difference: YearlyMargin


def what_if(process: Process, **changes: float | dict[str, float]) -> WhatIf:
    """The yearly margin if these levers moved together: `what_if(sales, step_rate={"proposal": 0.05}, lead_flow=0.1)`.

    Shares move in points (0.05 = 5 points, clipped to 0-1), everything else relatively (0.1 = 10 % more). Draws are common
    to both sides, so that the difference is not blurred by chance; without changes it is exactly zero.
    Raises `CallError` for an unknown lever with the nearest word, `MeasureError` where the chain of rates cannot be made or
    has no number for a lever.
    """
    return what_if_of(process, levers_of(changes, places_of(process, chain_of(process))))


def what_if_of(process: Process, moved: dict[Lever, float]) -> WhatIf:
    """`what_if` of levers themselves: all channels and one of them by itself can be moved together. Raises as it does."""
    chain = chain_of(process)
    before, after = chain.margin(), chain.margin(moved)
    return WhatIf(summary(before), summary(after), summary(after - before))


def yearly_margin(process: Process) -> YearlyMargin:
    """The yearly margin by the chain of rates: leads of the last 52 complete weeks × chain of rates × margin per customer
    within 12 months − a year's spending − a year's hours × hour cost.

    Spending without a date is spread evenly over the time observed; hours without an hour cost are left out while they are
    few (`allow_set_aside_share` of a stage). Raises as `what_if`, and where more of the hours have no cost.
    """
    return summary(chain_of(process).margin())


def places_of(process: Process, chain: Chain) -> dict[str, set[str]]:
    """The channels, steps and cards that a lever may name."""
    return known_places(process, chain.leads, chain.card_labour_amount)


def what_if_table(process: Process, **changes: float | dict[str, float]) -> pd.DataFrame:
    """`what_if` as a table: one row is `before`, `after` or `difference` (column `moment`), with `yearly_margin` in money and
    its 95 % limits `low_amount` and `high_amount`. Raises as `what_if`."""
    result = what_if(process, **changes)
    rows = [(name, *getattr(result, name)) for name in ("before", "after", "difference")]
    return process.tidy(pd.DataFrame(rows, columns=["moment", "yearly_margin", "low_amount", "high_amount"]))
