"""Exercise 2: how potential clients become real ones, step by step and in time."""

from __future__ import annotations

from funnel_lib.conversion.change import change_decomposition
from funnel_lib.conversion.comparison import comparison
from funnel_lib.conversion.curves import eventual_conversion, time_curve, time_to_win
from funnel_lib.conversion.flow import cumulative_flow, littles_law, sales_velocity
from funnel_lib.conversion.losses import lost_reasons
from funnel_lib.conversion.paths import deadlines, path_following, path_steps, returns_after_loss, transitions
from funnel_lib.conversion.reconciliation import reconciliation
from funnel_lib.conversion.running import step_norms, work_in_progress, work_in_progress_summary
from funnel_lib.conversion.states import states
from funnel_lib.conversion.step_times import step_curves, step_times
from funnel_lib.conversion.steps import step_rates
from funnel_lib.conversion.trend import step_trend
from funnel_lib.conversion.triangle import cohort_triangle

__all__ = ["change_decomposition", "cohort_triangle", "comparison", "cumulative_flow", "deadlines",
           "eventual_conversion", "littles_law", "lost_reasons", "path_following", "path_steps", "reconciliation",
           "returns_after_loss", "sales_velocity", "states", "step_curves", "step_norms", "step_rates",
           "step_times", "step_trend", "time_curve", "time_to_win", "transitions", "work_in_progress", "work_in_progress_summary"]
