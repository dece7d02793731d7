"""Charts of levers and measures: heights, order and labels read back from the axes."""

from __future__ import annotations

import numpy as np

from funnel_lib import Process, charts, improvement
from funnel_lib.charts import style
from funnel_lib.charts.improvement import MOST_LEVERS
from tests.test_improvement import GROSS, SETTINGS, TABLES, measure


def _process(**settings) -> Process:
    return Process.from_tables("p", **TABLES, **{**SETTINGS, **settings})


def test_the_tornado_has_the_strongest_levers_on_top():
    levers = improvement.levers(_process())
    ax = charts.plot_levers(levers)
    widths = [bar.get_width() for bar in ax.patches]
    assert np.allclose(widths, levers["margin_change_amount"].head(MOST_LEVERS))
    assert np.all(np.diff(np.abs(widths)) <= 1e-6)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    label = ax.get_yticklabels()[levers["lever"].tolist().index("step_rate.won")].get_text()
    assert label.replace("\n", " ") == "Step rate: Won"
    assert ax.get_title(loc="left").startswith("+10\N{NO-BREAK SPACE}% of any of the 7 strongest levers brings €260")


def test_what_costs_is_drawn_to_the_left():
    levers = improvement.levers(_process())
    ax = charts.plot_levers(levers)
    position = levers["lever"].tolist().index("hours.call")
    assert ax.patches[position].get_width() < 0
    assert ax.patches[position].get_facecolor() == style.plt.matplotlib.colors.to_rgba(style.VERMILION)


def test_gain_is_a_bar_and_cost_a_mark():
    process = _process(measures=[measure("script", "step_rate.won", 0.05, cost_once=100),
                                 measure("dear", "step_rate.won", 0.01, cost_once=900)])
    ranked = improvement.rank_measures(process)
    ax = charts.plot_measures(ranked)
    assert [bar.get_width() for bar in ax.patches] == ranked["gain_amount"].tolist()
    marks = [line.get_segments()[0][0][0] for line in ax.collections[1:]]
    assert marks == [100, 900]
    assert ranked["gain_amount"].iloc[0] == np.float64(0.1 * GROSS).round(9)
    assert ax.get_title(loc="left") == "1 of 2 planned measures brings more than it costs"


def test_no_measure_is_no_chart():
    assert charts.plot_measures(improvement.rank_measures(_process())) is None
