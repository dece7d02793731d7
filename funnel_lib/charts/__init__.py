"""Charts: a measure's table in, matplotlib Axes out. One file per exercise."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

# Chart → file of this folder. Loaded on first use: matplotlib is slow to import.
_CHARTS = {
    "plot_step_rates": "conversion", "plot_states": "conversion", "plot_time_curve": "conversion",
    "plot_time_to_win": "conversion", "plot_lost_reasons": "conversion", "plot_eventual_conversion": "conversion",
    "plot_cohort_triangle": "conversion_change", "plot_comparison": "comparison",
    "plot_step_trend": "conversion_change", "plot_change_decomposition": "conversion_change",
    "plot_reconciliation": "conversion_change", "plot_price_of_point": "conversion_change",
    "plot_step_curves": "conversion_paths", "plot_transitions": "conversion_paths", "plot_work_in_progress": "conversion_paths",
    "plot_cumulative_flow": "conversion_paths",
    "plot_lead_counts": "lead_flow", "plot_target_share": "lead_flow", "plot_channel_costs": "lead_flow",
    "plot_customer_forecast": "forecast",
    "plot_attribution_models": "attribution",
    "plot_flow_limits": "lead_limits", "plot_weekday_profile": "lead_limits", "plot_channel_segments": "segments",
    "plot_target_conversion": "segments", "plot_cards": "cards",
    "plot_response_bands": "response", "plot_response_by": "response",
    "plot_channel_returns": "returns", "plot_marginal_cost": "returns",
    "plot_cohort_retention": "loyalty", "plot_sales_split": "loyalty", "plot_referral_share": "loyalty",
    "plot_sales_over_time": "repeat",
    "plot_referred_comparison": "recommended", "plot_referral_forest": "recommended", "plot_loyalty_index": "recommended",
    "plot_holdout": "lifetime", "plot_lifetime": "lifetime",
    "plot_margin_by_order": "earned", "plot_payback": "earned",
    "plot_lorenz": "leaving", "plot_largest_clients": "leaving", "plot_rfm_groups": "leaving",
    "plot_kept_curves": "kept", "plot_kept_by": "kept", "plot_cohort_values": "kept", "plot_next_order": "kept",
    "plot_efficiency_sheet": "efficiency", "plot_technologization": "efficiency",
    "plot_qualification_match": "technology", "plot_next_levels": "technology", "plot_level_map": "technology",
    "plot_reach": "technology",
    "plot_scorecards": "scorecards", "plot_employee_scores": "scorecards",
    "plot_stage_shares": "stage_prices", "plot_stage_efficiency": "stage_prices", "plot_stage_change": "stage_prices",
    "plot_next_unit": "stage_prices", "plot_nerves": "staff", "plot_capacity": "staff", "plot_role_load": "staff",
    "plot_levers": "improvement", "plot_measures": "improvement",
    "plot_plan_frontier": "plan", "plot_plan_calendar": "plan", "plot_detectability": "plan", "plot_did_it_work": "past",
    "plot_measure_trend": "past",
    "plot_past": "conveyor", "plot_forecast": "conveyor", "plot_binding_constraint": "conveyor",
    "plot_processes": "overview",
}

__all__ = sorted(_CHARTS)


def __getattr__(name: str) -> Any:
    if name in _CHARTS:
        return _nothing_for_nothing(getattr(import_module(f"funnel_lib.charts.{_CHARTS[name]}"), name))
    raise AttributeError(f"module 'funnel_lib.charts' has no attribute {name!r}")


def _nothing_for_nothing(plot: Callable[..., Any]) -> Callable[..., Any]:
    """A table without rows has nothing to draw: the chart is None, and the page says why beside the table."""
    @wraps(plot)
    def drawing(table: Any, *arguments: Any, **settings: Any) -> Any:
        return None if not len(table) else plot(table, *arguments, **settings)

    return drawing


def __dir__() -> list[str]:
    return __all__
