"""Cells of the weekly model for notebook 04: (kind, source, tags), to stand before any plan; `sales` is the process."""

CELLS = [
    ("markdown", "## Does the weekly model give the past?\n\n"
     "Before any plan the model must give what has been: leads come, pass the steps with their lags, become customers, order\n"
     "again, recommend; people have so many hours, and what is beyond them waits. It is run over the last year from the state at its\n"
     "beginning.", []),
    ("code", "past = pages.attempt(improvement.reproduce_past, sales)\n"
     'pages.show(past, "The last year: observed and by the weekly model", sales, note="Band: 90 of 100 draws lie inside; margin in '
     'money, before spending and labour.")', []),
    ("markdown", "**What to look for:** every figure inside its band. One outside means that something has changed in this year that an\n"
     "average of the whole record does not show; take plans on that figure with care.", []),
    ("code", "charts.plot_past(pages.attempt(improvement.past_by_week, sales));", ["nbval-ignore-output"]),
    ("markdown", "## What holds the process back\n\n"
     "The flow, each step and each role get a tenth more room, one after the other, and the model runs a year ahead.", []),
    ("code", "held = pages.attempt(improvement.binding_constraint, sales)\n"
     'pages.show(held, "What a tenth more of each would bring in the next year", sales)', []),
    ("code", "charts.plot_binding_constraint(held);", ["nbval-ignore-output"]),
    ("markdown", "**What to look for:** a role whose work waits comes first: until it has more hours, more leads only queue. Where nobody's\n"
     "hours are full the flow and the steps multiply, and the easiest of them is the one to move.", []),
    ("markdown", "## The next year if nothing is changed\n\n"
     "Today's running leads and present customers feed the first weeks.", []),
    ("code", "ahead = pages.attempt(improvement.conveyor_forecast, sales)\n"
     'pages.show(ahead.groupby("quantity", sort=False).tail(1), "Added up over the next year", sales, '
     'columns=["quantity", "so_far_low", "so_far_middle", "so_far_high"])', []),
    ("code", "charts.plot_forecast(ahead);", ["nbval-ignore-output"]),
    ("markdown", "**What to look for:** whether the plan of the company lies in the band without any measure. In JupyterLab\n"
     "`answers.what_if_sliders(sales)` shows sliders over the levers with the result beside them (needs the extra `lab`).", []),
]
