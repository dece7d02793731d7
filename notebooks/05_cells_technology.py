"""Cells of notebook 05 on who does whose work, next levels, scorecards and reach: (kind, source, tags), in order.

They follow the cells on the levels shown; `cards` is the table of `efficiency.technologization`.
"""

from __future__ import annotations

CHART = ["nbval-ignore-output"]
CELLS = [
    ("markdown", """## Do dear people do cheap work?

A technology card names the role whose work it is; the log names the role that did it. Hours of a dearer role on
the work of a cheaper one cost the difference of the two hour costs; the other way round saves it, where the
quality holds.""", []),
    ("code", """match = pages.attempt(efficiency.qualification_match, sales)
pages.show(match, "Whose work it is and who did it", sales, columns=[
    "card_role", "role", "match", "executions_count", "hours", "hours_share", "difference_per_year_amount"])""", []),
    ("code", "charts.plot_qualification_match(match);", CHART),
    ("markdown", """**What to look for:** the largest sum paid too much. Ask first why: a full cheaper role, or work that the card
describes as simpler than it is.

## Where to start, and which next level pays back soonest

The map sets the level that the log shows against what the work costs a year. A card may say what its next level
costs and what part of the hours it saves; the limits come from how much the work of such a card varies.""", []),
    ("code", "charts.plot_level_map(cards);", CHART),
    ("code", """following = pages.attempt(efficiency.next_levels, sales)
pages.show(following, "The next level of each card", sales, columns=[
    "card", "shown_level", "freed_hours_per_month", "monthly_gain_amount", "setup_cost_amount", "payback_months",
    "payback_low_months", "payback_high_months", "verdict"])""", []),
    ("code", "charts.plot_next_levels(following);", CHART),
    ("markdown", """**What to look for:** dear work at the left of the map that also pays back soon. Freed hours are worth their
cost only if they are used for other work, or not paid. Where a card claims more than its log shows, first make
the level it has a real one.

## Different work, different indicators

Each role is scored on the figures of its own stage only: the last twelve months against the twelve before.""", []),
    ("code", """scores = pages.attempt(efficiency.scorecards, sales)
pages.show(scores, "Scorecards of the roles", sales, columns=[
    "role", "indicator", "step", "last_value", "last_low", "last_high", "before_value", "verdict"])""", []),
    ("code", "charts.plot_scorecards(scores);", CHART),
    ("code", """employees = pages.attempt(efficiency.employee_scores, sales)
pages.show(employees, "Employees on the indicator of their stage", sales, columns=[
    "employee", "indicator", "cases_count", "of_count", "share", "pooled_share", "pooled_low_share", "pooled_high_share",
    "verdict"])""", []),
    ("code", "charts.plot_employee_scores(employees);", CHART),
    ("markdown", """**What to look for:** a figure that moved by more than chance. In a young company retention and repeat orders
rise by themselves, since only those who stay grow old. Where nobody differs from the others, an order of merit
would reward luck.

## Whom does each means reach?

Not everyone can be reached by telephone and internet, and visits cost far more. A lead counts as reached when
it went on to a step; it counts for each means that tried it.""", []),
    ("code", """contact = pages.attempt(efficiency.reach, sales)
pages.show(contact, "Leads tried and reached by each means, and the price of one", sales, columns=[
    "means", "role", "tried_count", "contacted_count", "contacted_share", "contacted_low_share", "contacted_high_share",
    "cost_per_reached_amount", "only_reached_count"])""", []),
    ("code", "charts.plot_reach(contact);", CHART),
    ("markdown", """**What to look for:** a cheap means that reaches about as large a share as a dear one, and how many only the
dear one reached. Where everybody was reached, tries in vain are not logged. Only a trial tells whom the cheap
means would have reached.""", []),
]
