"""Exercise 3: whether clients are kept, what is repeat, who comes by recommendation, who is late, what a client is worth."""

from __future__ import annotations

from funnel_lib.loyalty.chains import ReferralSummary, referral_chains, referral_forest, referral_summary
from funnel_lib.loyalty.concentration import concentration, largest_clients, lorenz
from funnel_lib.loyalty.costs import customer_costs
from funnel_lib.loyalty.earned import margin_after_first, margin_by_order
from funnel_lib.loyalty.holdout import holdout
from funnel_lib.loyalty.lateness import came_back_after_silence, lateness
from funnel_lib.loyalty.lifetime_value import lifetime_value, value_by_age
from funnel_lib.loyalty.next_order import next_order, next_order_times
from funnel_lib.loyalty.payback import payback
from funnel_lib.loyalty.purchases import purchases
from funnel_lib.loyalty.referrals import referral_coefficient, referral_share
from funnel_lib.loyalty.referred import referred_comparison
from funnel_lib.loyalty.repeat import repeat_change, repeat_figures
from funnel_lib.loyalty.retention import average_retention, cohort_retention
from funnel_lib.loyalty.revenue import revenue_retention
from funnel_lib.loyalty.rfm import rfm_groups
from funnel_lib.loyalty.sales import repeat_rate, repeat_share, sales_split
from funnel_lib.loyalty.survey import loyalty_index, loyalty_over_time, promoters_recommend

__all__ = ["ReferralSummary", "average_retention", "came_back_after_silence", "cohort_retention", "concentration",
           "customer_costs", "holdout", "largest_clients", "lateness", "lifetime_value", "lorenz", "loyalty_index",
           "loyalty_over_time", "margin_after_first", "margin_by_order", "next_order", "next_order_times", "payback",
           "promoters_recommend", "purchases", "referral_chains", "referral_coefficient", "referral_forest", "referral_share",
           "referral_summary", "referred_comparison", "repeat_change", "repeat_figures", "repeat_rate", "repeat_share",
           "revenue_retention", "rfm_groups", "sales_split", "value_by_age"]
