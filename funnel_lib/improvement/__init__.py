"""Exercise 4: what would raise the yearly margin, which measures are worth their money, and whether they worked."""

from __future__ import annotations

from funnel_lib.improvement.catalogue import catalogue_text, measure_catalogue
from funnel_lib.improvement.chain import YearlyMargin
from funnel_lib.improvement.constraint import binding_constraint
from funnel_lib.improvement.conveyor_parameters import missing_parts
from funnel_lib.improvement.detect import detectability
from funnel_lib.improvement.levers import levers
from funnel_lib.improvement.measures import measure_findings, rank_measures
from funnel_lib.improvement.next_unit import next_unit
from funnel_lib.improvement.past import did_it_work, past_findings
from funnel_lib.improvement.plan import best_plan, plan_calendar, plan_frontier
from funnel_lib.improvement.price import price_of_point
from funnel_lib.improvement.reproduction import conveyor_forecast, forecast_total, past_by_week, reproduce_past
from funnel_lib.improvement.trend import measure_trend
from funnel_lib.improvement.what_if import WhatIf, what_if, what_if_table, yearly_margin

__all__ = ["WhatIf", "YearlyMargin", "best_plan", "binding_constraint", "catalogue_text", "conveyor_forecast", "detectability",
           "did_it_work", "forecast_total", "levers", "measure_catalogue", "measure_findings", "measure_trend", "missing_parts",
           "next_unit", "past_by_week", "past_findings", "plan_calendar", "plan_frontier", "price_of_point", "rank_measures",
           "reproduce_past", "what_if", "what_if_table", "yearly_margin"]
