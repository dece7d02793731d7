"""Exercise 5: at what price the results of each stage come, and how far its work is turned into a technology."""

from __future__ import annotations

from funnel_lib.efficiency.capacity import capacity, role_load
from funnel_lib.efficiency.change import stage_change
from funnel_lib.efficiency.doubtful import doubtful_hours
from funnel_lib.efficiency.nerves import nerves
from funnel_lib.efficiency.queues import stage_queues
from funnel_lib.efficiency.sheet import efficiency_sheet
from funnel_lib.efficiency.technology import stage_levels, technologization

__all__ = ["capacity", "doubtful_hours", "efficiency_sheet", "nerves", "role_load", "stage_change", "stage_levels",
           "stage_queues", "technologization"]
