"""Charts of the plan and of started measures: heights, order and labels read back from the axes."""

from __future__ import annotations

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
import pytest

from funnel_lib import Process, charts, improvement
from funnel_lib.charts import style
from tests.improvement.test_past import GROUPS, process, two_groups, weekly
from tests.test_improvement import measure, with_measures


@pytest.fixture(scope="module")
def planned() -> Process:
    return with_measures(
        measure("last", "step_rate.won", 0.05, cost_once=100, starts="2026-02-02", works_after_days=28, owner="boss"),
        measure("sooner", "step_rate.contacted", 0.02, cost_once=90, starts="2026-01-05"),
        measure("dear", "repeat_rate", 0.1, cost_once=900), measure("days", "step_days.won", -0.1, cost_once=500))


def _headline(ax) -> str:
    return " ".join([ax.get_title(loc="left"), *(text.get_text() for text in ax.texts if text.get_fontweight() == "bold")])


def test_the_frontier_steps_through_the_table_and_marks_the_plan(planned):
    frontier = improvement.plan_frontier(planned)
    ax = charts.plot_plan_frontier(frontier)
    steps = ax.lines[0]
    assert steps.get_xdata()[:-1].tolist() == frontier["budget_amount"].tolist()
    assert steps.get_ydata()[:-1].tolist() == frontier["gain_amount"].tolist()
    best = frontier[frontier["chosen"]].iloc[0]
    assert [ax.lines[2].get_xdata()[0], ax.lines[2].get_ydata()[0]] == [best.budget_amount, best.gain_amount]
    assert "the plan: 2 measures" in [text.get_text() for text in ax.texts] and "more money brings less" in _headline(ax)


def test_a_frontier_without_a_plan_says_so():
    ax = charts.plot_plan_frontier(improvement.plan_frontier(with_measures(measure("dear", "step_rate.won", 0.01, cost_once=1e5))))
    assert "No budget pays" in _headline(ax)


def test_the_calendar_has_bars_from_the_start_and_owners(planned):
    calendar = improvement.plan_calendar(planned)
    ax = charts.plot_plan_calendar(calendar)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["sooner", "last"]
    starts = [bar.get_x() for bar in ax.patches[::2]]
    assert np.allclose(starts, mdates.date2num(calendar["starts"]))
    waits = [bar.get_width() for bar in ax.patches[::2]]
    assert np.allclose(waits, [0, 28])
    texts = [text.get_text() for text in ax.texts]
    assert any("Boss" in text for text in texts) and any("nobody named" in text for text in texts)
    assert "1 without an owner" in _headline(ax)


def test_weeks_of_trial_stand_beside_a_year(planned):
    table = improvement.detectability(planned)
    ax = charts.plot_detectability(table)
    known = table[table["weeks_to_see"].notna()]
    assert np.allclose([bar.get_x() + bar.get_width() for bar in ax.patches[:len(known)]], np.minimum(known["weeks_to_see"], 520))
    assert "0 of 4 planned measures" in _headline(ax) and "no trial shows: days" in " ".join(text.get_text() for text in ax.texts)
    nothing = improvement.detectability(with_measures(measure("days", "step_days.won", -0.1)))
    assert "can be tried" in _headline(charts.plot_detectability(nothing))


@pytest.fixture(scope="module")
def started() -> Process:
    return process(weekly(lambda week: 10 + 2 * (week % 2) if week < 52 else 16),
                   measure("quote", "step_rate.contacted", 0.2, starts="2024-12-30"),
                   measure("days", "step_days.won", -0.1, starts="2025-01-06"))


def test_effects_with_their_limits_and_what_was_foretold(started):
    table = improvement.did_it_work(started)
    ax = charts.plot_did_it_work(table)
    row = table.set_index("measure").loc["quote"]
    segment = ax.collections[0].get_segments()[0]
    assert segment[:, 0].tolist() == [row.low, row.high]
    assert ax.lines[0].get_xdata().tolist() == [row.forecast]
    assert "“quote”: worked (+25\N{NO-BREAK SPACE}points" in _headline(ax)
    assert "no figure: days" in " ".join(text.get_text() for text in ax.texts)


def test_colours_say_the_verdict():
    table = improvement.did_it_work(process(two_groups((50, 100), (52, 100)),
                                            measure("trial", "step_rate.contacted", 0.1, starts="2025-06-01", groups=GROUPS)))
    ax = charts.plot_did_it_work(table)
    assert np.allclose(ax.collections[0].get_color()[0], style.plt.matplotlib.colors.to_rgba(style.GREY))
    assert "cannot be told" in _headline(ax)


def test_before_and_after_with_limits_and_the_level_foretold(started):
    trend = improvement.measure_trend(started)
    ax = charts.plot_measure_trend(trend)
    assert np.allclose(ax.lines[0].get_ydata(), trend["value"])
    hollow = ax.lines[2].get_ydata()
    assert len(hollow) == (trend["side"] == "between").sum()
    after = trend[trend["side"] == "after"]
    assert any(np.isclose(line.get_segments()[0][0][1], after["forecast_value"].iloc[0]) for line in ax.collections)
    assert f"of {len(after)} " in _headline(ax)


def test_several_started_measures_are_panels():
    many = process(weekly(lambda week: 10 + 2 * (week % 2)), *[measure(f"m{number}", "step_rate.contacted", 0.1, starts="2024-12-30")
                                                              for number in range(2)])
    ax = charts.plot_measure_trend(improvement.measure_trend(many))
    assert len(ax.child_axes) == 2 and "No figure has left the limits" in _headline(ax)


def test_nothing_started_is_no_chart():
    assert charts.plot_did_it_work(improvement.did_it_work(with_measures())) is None
    assert charts.plot_measure_trend(improvement.measure_trend(with_measures())) is None
    assert charts.plot_plan_calendar(pd.DataFrame()) is None
