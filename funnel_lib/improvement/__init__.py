"""Exercise 4: what would raise the yearly margin, and which measures are worth their money."""

from __future__ import annotations

from funnel_lib.improvement.chain import YearlyMargin
from funnel_lib.improvement.levers import levers
from funnel_lib.improvement.measures import measure_findings, rank_measures
from funnel_lib.improvement.next_unit import next_unit
from funnel_lib.improvement.price import price_of_point
from funnel_lib.improvement.what_if import WhatIf, what_if, what_if_table, yearly_margin

__all__ = ["WhatIf", "YearlyMargin", "levers", "measure_findings", "next_unit", "price_of_point", "rank_measures", "what_if",
           "what_if_table", "yearly_margin"]
