"""Exercise 4: what would raise the yearly margin, and which measures are worth their money."""

from __future__ import annotations

from funnel_lib.improvement.chain import YearlyMargin
from funnel_lib.improvement.constraint import binding_constraint
from funnel_lib.improvement.conveyor_parameters import missing_parts
from funnel_lib.improvement.levers import levers
from funnel_lib.improvement.measures import measure_findings, rank_measures
from funnel_lib.improvement.price import price_of_point
from funnel_lib.improvement.reproduction import conveyor_forecast, past_by_week, reproduce_past
from funnel_lib.improvement.what_if import WhatIf, what_if, what_if_table, yearly_margin

__all__ = ["WhatIf", "YearlyMargin", "binding_constraint", "conveyor_forecast", "levers", "measure_findings", "missing_parts",
           "past_by_week", "price_of_point", "rank_measures", "reproduce_past", "what_if", "what_if_table", "yearly_margin"]
