"""Exercise 3: whether clients are kept, what share of sales is repeat, who comes by recommendation, who is late."""

from __future__ import annotations

from funnel_lib.loyalty.lateness import lateness
from funnel_lib.loyalty.next_order import next_order, next_order_times
from funnel_lib.loyalty.referrals import referral_coefficient, referral_share
from funnel_lib.loyalty.retention import average_retention, cohort_retention
from funnel_lib.loyalty.revenue import revenue_retention
from funnel_lib.loyalty.sales import repeat_rate, repeat_share, sales_split

__all__ = ["average_retention", "cohort_retention", "lateness", "next_order", "next_order_times", "referral_coefficient",
           "referral_share", "repeat_rate", "repeat_share", "revenue_retention", "sales_split"]
