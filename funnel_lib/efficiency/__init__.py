"""Exercise 5: at what price the results of each stage come, and how far its work is turned into a technology."""

from __future__ import annotations

from funnel_lib.efficiency.capacity import capacity
from funnel_lib.efficiency.match import qualification_match, qualification_total
from funnel_lib.efficiency.next_level import next_levels
from funnel_lib.efficiency.reach import reach
from funnel_lib.efficiency.sheet import efficiency_sheet
from funnel_lib.efficiency.technology import stage_levels, technologization

__all__ = ["capacity", "efficiency_sheet", "next_levels", "qualification_match", "qualification_total", "reach",
           "stage_levels", "technologization"]
