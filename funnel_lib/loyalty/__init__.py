"""Exercise 3: whether clients are kept, what share of sales is repeat, who comes by recommendation, who is late."""

from __future__ import annotations

from funnel_lib.loyalty.concentration import concentration, largest_clients, lorenz
from funnel_lib.loyalty.costs import customer_costs
from funnel_lib.loyalty.earned import margin_after_first, margin_by_order
from funnel_lib.loyalty.lateness import came_back_after_silence, lateness
from funnel_lib.loyalty.payback import payback
from funnel_lib.loyalty.referrals import referral_coefficient, referral_share
from funnel_lib.loyalty.retention import average_retention, cohort_retention
from funnel_lib.loyalty.rfm import rfm_groups
from funnel_lib.loyalty.sales import repeat_rate, repeat_share, sales_split

__all__ = ["average_retention", "came_back_after_silence", "cohort_retention", "concentration", "customer_costs", "largest_clients",
           "lateness", "lorenz", "margin_after_first", "margin_by_order", "payback", "referral_coefficient", "referral_share",
           "repeat_rate", "repeat_share", "rfm_groups", "sales_split"]
