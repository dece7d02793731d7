"""Exercise 5: at what price the results of each stage come, and how far its work is turned into a technology."""

from __future__ import annotations

from funnel_lib.efficiency.capacity import capacity, role_load
from funnel_lib.efficiency.change import stage_change
from funnel_lib.efficiency.doubtful import doubtful_hours
from funnel_lib.efficiency.indicators import indicators
from funnel_lib.efficiency.match import QualificationTotal, qualification_match, qualification_total
from funnel_lib.efficiency.nerves import nerves
from funnel_lib.efficiency.next_level import next_levels
from funnel_lib.efficiency.queues import stage_queues
from funnel_lib.efficiency.reach import dear_reach, reach
from funnel_lib.efficiency.roles import roles
from funnel_lib.efficiency.scorecards import employee_scores, scorecards
from funnel_lib.efficiency.sheet import efficiency_sheet
from funnel_lib.efficiency.technology import stage_levels, technologization

__all__ = ["QualificationTotal", "capacity", "dear_reach", "doubtful_hours", "efficiency_sheet", "employee_scores", "indicators",
           "nerves", "next_levels", "qualification_match", "qualification_total", "reach", "role_load", "roles", "scorecards",
           "stage_change", "stage_levels", "stage_queues", "technologization"]
