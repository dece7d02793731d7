"""Cells for notebook 04: the plan, what a trial can show, what has worked. Parameter to add: budget_amount."""

PARAMETER = "budget_amount = 600000  # money for new measures, their hours at hour cost included, until 12 months at work are over"

CELLS = [
    ("markdown", """## The plan: which measures together

Effects multiply along the chain, so a set of measures gains another sum than its parts. Every set is tried; for each budget the one
that gains most is shown, and marked is the set whose gain exceeds its cost by most. Hours count at their hour cost.""", []),
    ("code", """frontier = pages.attempt(improvement.plan_frontier, sales)
shown = frontier.filter(["measures", "gain_amount", "low_amount", "high_amount", "cost_amount", "net_amount", "pays_probability"])
pages.show(shown, "The best set for each budget", sales)""", []),
    ("code", "charts.plot_plan_frontier(frontier);", ["nbval-ignore-output"]),
    ("markdown", """**What to look for:** where the steps become flat. Beyond the mark more money brings less than it costs.""", []),
    ("code", """plan = pages.attempt(improvement.best_plan, sales, budget_amount)
shown = plan.filter(["measure", "gain_amount", "low_amount", "high_amount", "cost_amount", "payback_months", "added_amount", "chosen"])
pages.show(shown, "The plan within the budget", sales, note="Gain on top: what a measure adds to the others chosen.")""", []),
    ("code", """calendar = pages.attempt(improvement.plan_calendar, sales, budget_amount)
pages.show(calendar, "Who does what from when", sales)""", []),
    ("code", "charts.plot_plan_calendar(calendar);", ["nbval-ignore-output"]),
    ("markdown", """**What to look for:** measures without an owner or a start, and several that begin together on the same step: nobody will
know which of them worked. Start them one after the other, or with groups drawn at random.""", []),
    ("markdown", """## Could we ever see it

A trial puts leads, customers or whole weeks into two groups at random. How long it must run follows from the flow and from the
effect foretold: four times as long for half the effect.""", []),
    ("code", """seen = pages.attempt(improvement.detectability, sales)
pages.show(seen, "Weeks until the likely effect shows", sales, columns=["measure", "trial", "base_value", "likely_effect",
    "group_size_count", "weeks_to_see", "weeks_until_known", "seen_in_52_weeks_share", "proxy_step", "proxy_weeks"])""", []),
    ("code", "charts.plot_detectability(seen);", ["nbval-ignore-output"]),
    ("markdown", """**What to look for:** bars beyond a year. There a trial of the final figure tells nothing in time: watch the earlier step, if
the measure acts there too, or decide without a proof and say so.""", []),
    ("markdown", """## Did it work

Measures that have started: by their two groups where leads were drawn at random, otherwise the time before against the time at work,
each beside the effect that was foretold.""", []),
    ("code", """past = pages.attempt(improvement.did_it_work, sales)
pages.show(past, "Effect found against effect foretold", sales, columns=["measure", "design", "starts", "compared_value",
    "measured_value", "effect", "low", "high", "forecast", "verdict", "reason"], note="Of shares in points, all else relative.")""", []),
    ("code", "charts.plot_did_it_work(past);", ["nbval-ignore-output"]),
    ("code", """trend = pages.attempt(improvement.measure_trend, sales)
charts.plot_measure_trend(trend);""", ["nbval-ignore-output"]),
    ("markdown", """**What to look for:** an interval on one side of zero. Before and after is no proof: a season, new prices or another mix of
leads would look the same; the limits of the time before say only whether the level is another one.""", []),
]
# To replace in the notebook: the findings also of what was started, and the definitions of the new tables.
QUALITY = ("pages.data_quality([*data.findings, *pages.attempt(improvement.measure_findings, sales),\n"
           "                    *pages.attempt(improvement.past_findings, sales)], sales)")
DEFINITIONS = "pages.definitions(levers, ranked, frontier, plan, calendar, seen, past, outcome, process=sales)"
