"""Exercise 1: whether enough leads come, whether they are on target, and what each channel costs."""

from __future__ import annotations

import pandas as pd

from funnel_lib.cards import cards as cards_of_stage
from funnel_lib.company import Process
from funnel_lib.lead_flow.attribution import attribution, attribution_models
from funnel_lib.lead_flow.counts import lead_counts
from funnel_lib.lead_flow.development import margin_development
from funnel_lib.lead_flow.economics import channel_economics
from funnel_lib.lead_flow.flow import flow_limits, weekday_profile
from funnel_lib.lead_flow.forecast import customer_forecast
from funnel_lib.lead_flow.marginal import marginal_cost
from funnel_lib.lead_flow.pooled import channel_customers
from funnel_lib.lead_flow.response import response_bands, response_time
from funnel_lib.lead_flow.returns import channel_returns
from funnel_lib.lead_flow.segments import channel_segments, target_conversion
from funnel_lib.lead_flow.sufficiency import Sufficiency, sufficiency
from funnel_lib.lead_flow.targets import target_share

__all__ = ["Sufficiency", "attribution", "attribution_models", "cards", "channel_customers", "channel_economics",
           "channel_returns", "channel_segments", "customer_forecast", "flow_limits", "lead_counts", "margin_development",
           "marginal_cost", "response_bands", "response_time", "sufficiency", "target_conversion", "target_share",
           "weekday_profile"]


def cards(process: Process) -> pd.DataFrame:
    """The technology cards of lead generation with what the log of work shows; see `funnel_lib.cards.cards`."""
    return cards_of_stage(process, "lead_generation")
