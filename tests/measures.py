"""Every public measure once, as the parity tests, the glossary and the benchmarks call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from typing import Any

import pandas as pd

from funnel_lib import cards, conversion, efficiency, improvement, lead_flow, loyalty

MEASURES: dict[str, Callable[[Any], Any]] = {
    "cards": lambda p: cards.cards(p, "conversion"),
    "lead_counts": lambda p: lead_flow.lead_counts(p),
    "lead_counts per month": lambda p: lead_flow.lead_counts(p, by=None, per="month"),
    "target_share": lambda p: lead_flow.target_share(p),
    "sufficiency": lambda p: lead_flow.sufficiency(p),
    "customer_forecast": lambda p: lead_flow.customer_forecast(p),
    "flow_limits": lambda p: lead_flow.flow_limits(p),
    "flow_limits by channel": lambda p: lead_flow.flow_limits(p, by="channel", per="month"),
    "weekday_profile": lambda p: lead_flow.weekday_profile(p),
    "channel_segments": lambda p: lead_flow.channel_segments(p),
    "target_conversion": lambda p: lead_flow.target_conversion(p),
    "response_time": lambda p: lead_flow.response_time(p),
    "response_time by owner": lambda p: lead_flow.response_time(p, by="owner"),
    "response_time by hour": lambda p: lead_flow.response_time(p, by="arrival_hour"),
    "response_time by weekday": lambda p: lead_flow.response_time(p, by=["arrival_weekday", "month"]),
    "response_time by arrival": lambda p: lead_flow.response_time(p, by="arrival_time"),
    "response_bands": lambda p: lead_flow.response_bands(p),
    "channel_economics": lambda p: lead_flow.channel_economics(p),
    "attribution": lambda p: lead_flow.attribution(p),
    "attribution time_decay": lambda p: lead_flow.attribution(p, model="time_decay"),
    "attribution_models": lambda p: lead_flow.attribution_models(p),
    "channel_returns": lambda p: lead_flow.channel_returns(p),
    "channel_returns on revenue": lambda p: lead_flow.channel_returns(p, on="revenue", horizon_months=6),
    "margin_development": lambda p: lead_flow.margin_development(p),
    "channel_customers": lambda p: lead_flow.channel_customers(p),
    "marginal_cost": lambda p: lead_flow.marginal_cost(p),
    "step_rates": lambda p: conversion.step_rates(p, by="channel"),
    "step_rates visited": lambda p: conversion.step_rates(p, mode="visited"),
    "step_rates ordered": lambda p: conversion.step_rates(p, mode="ordered"),
    "states": lambda p: conversion.states(p, by=["channel", "segment"]),
    "states of returning": lambda p: conversion.states(p, returning=True),
    "time_curve": lambda p: conversion.time_curve(p),
    "time_to_win": lambda p: conversion.time_to_win(p, by="channel"),
    "eventual_conversion": lambda p: conversion.eventual_conversion(p, by="channel"),
    "step_curves": lambda p: conversion.step_curves(p),
    "step_times": lambda p: conversion.step_times(p, by="segment"),
    "step_rates by month": lambda p: conversion.step_rates(p, by="month"),
    "lost_reasons": lambda p: conversion.lost_reasons(p),
    "reconciliation": lambda p: conversion.reconciliation(p),
    "cohort_triangle": lambda p: conversion.cohort_triangle(p, per="quarter"),
    "comparison": lambda p: conversion.comparison(p),
    "step_trend": lambda p: conversion.step_trend(p),
    "change_decomposition": lambda p: conversion.change_decomposition(p),
    "change_decomposition by step": lambda p: conversion.change_decomposition(p, by="step"),
    "transitions": lambda p: conversion.transitions(p),
    "path_following": lambda p: conversion.path_following(p),
    "path_steps": lambda p: conversion.path_steps(p),
    "returns_after_loss": lambda p: conversion.returns_after_loss(p),
    "deadlines": lambda p: conversion.deadlines(p),
    "step_norms": lambda p: conversion.step_norms(p),
    "work_in_progress": lambda p: conversion.work_in_progress(p),
    "work_in_progress_summary": lambda p: conversion.work_in_progress_summary(p),
    "cumulative_flow": lambda p: conversion.cumulative_flow(p),
    "littles_law": lambda p: conversion.littles_law(p),
    "sales_velocity": lambda p: conversion.sales_velocity(p),
    "cohort_retention": lambda p: loyalty.cohort_retention(p),
    "cohort_retention unbounded rolling": lambda p: loyalty.cohort_retention(p, bounded=False, rolling=True),
    "average_retention": lambda p: loyalty.average_retention(loyalty.cohort_retention(p)),
    "cohort_retention by channel and amount": lambda p: loyalty.cohort_retention(p, per="quarter", by=["channel", "segment"], value="amount"),
    "cohort_retention by year and margin": lambda p: loyalty.cohort_retention(p, rolling=True, by="year", value="margin"),
    "average_retention of orders": lambda p: loyalty.average_retention(loyalty.cohort_retention(p, by="origin", value="orders")),
    "next_order": lambda p: loyalty.next_order(p),
    "next_order_times": lambda p: loyalty.next_order_times(p, most=2),
    "revenue_retention": lambda p: loyalty.revenue_retention(p),
    "sales_split": lambda p: loyalty.sales_split(p),
    "repeat_rate": lambda p: loyalty.repeat_rate(p),
    "repeat_share": lambda p: loyalty.repeat_share(p),
    "referral_share": lambda p: loyalty.referral_share(p),
    "lateness": lambda p: loyalty.lateness(p),
    "efficiency_sheet": lambda p: efficiency.efficiency_sheet(p),
    "technologization": lambda p: efficiency.technologization(p),
    "stage_levels": lambda p: efficiency.stage_levels(p),
    "capacity": lambda p: efficiency.capacity(p),
    "levers": lambda p: improvement.levers(p),
    "price_of_point": lambda p: improvement.price_of_point(p),
    "rank_measures": lambda p: improvement.rank_measures(p),
}


def as_table(result: Any) -> pd.DataFrame:
    """A measure's result as a plain table, dataclasses as one row."""
    if is_dataclass(result):
        return pd.DataFrame([asdict(result)])
    table = result.copy()
    table.attrs.clear()
    return table
