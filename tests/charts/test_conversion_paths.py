"""Charts of the way through the funnel, read back from the axes and compared with the table."""

from __future__ import annotations

import pytest
from matplotlib.patches import FancyArrowPatch

from funnel_lib import Process, charts, conversion
from tests.charts.test_lead_flow import texts
from tests.conversion.seven_rows import SETTINGS, TABLES
from tests.conversion.test_running import SETTING, _tables


@pytest.fixture(scope="module")
def small():
    return Process.from_tables("small", **_tables(), **SETTING)


def test_arrows_are_as_wide_as_their_moves_and_steps_stand_in_order():
    process = Process.from_tables("small", **TABLES, **SETTINGS)
    moves = conversion.transitions(process)
    ax = charts.plot_transitions(moves)
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == len(moves)
    widths = sorted((arrow.get_linewidth() for arrow in arrows), reverse=True)
    counts = sorted(moves["events_count"], reverse=True)
    assert widths == pytest.approx([14 * count / 5 for count in counts])
    boxes = {text.get_text().replace("\n", " "): text.get_position() for text in ax.texts if text.get_zorder() == 4}
    order = sorted((name for name in boxes if "Lost" not in name), key=lambda name: boxes[name][0])
    assert order == ["Before the first step", "contacted", "meeting", "proposal", "Won"]
    assert "2 moves pass over a step, 4 go back" in texts(ax)


def test_stalled_leads_stand_in_their_boxes(small):
    ax = charts.plot_transitions(conversion.transitions(small), standing=conversion.work_in_progress_summary(small))
    assert "contacted\n3 stalled" in [text.get_text() for text in ax.texts]


def test_ageing_bars_add_up_to_the_running_leads(small):
    summary = conversion.work_in_progress_summary(small)
    ax = charts.plot_work_in_progress(summary)
    widths = [0.0, 0.0]
    for bar in ax.patches:
        widths[round(bar.get_y() + bar.get_height() / 2)] += bar.get_width()
    assert widths == summary["running_count"].tolist()
    assert "4 of 6 running leads" in texts(ax) and "norm 90" in texts(ax)


def test_flow_bands_reach_the_running_leads(small):
    flow = conversion.cumulative_flow(small)
    ax = charts.plot_cumulative_flow(flow)
    top = ax.collections[-1].get_paths()[0].vertices[:, 1].max()
    running = flow[~flow["step"].isin(["won", "lost"])].groupby("period_start")["leads_count"].sum()
    assert top == running.max()
    assert f"{running.iloc[-1]} now" in texts(ax)


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_nothing_undefined_is_shown_to_a_reader(demo, name):
    process = demo.process(name)
    for ax in (charts.plot_transitions(conversion.transitions(process)), charts.plot_cumulative_flow(conversion.cumulative_flow(process)),
               charts.plot_work_in_progress(conversion.work_in_progress_summary(process))):
        assert "nan" not in texts(ax).lower()
        assert min(text.get_fontsize() for text in [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()]) >= 9


def test_nobody_running_and_one_move_are_drawn():
    tables = _tables()
    process = Process.from_tables("x", leads=tables["leads"].head(1), stage_events=tables["stage_events"].head(2), **SETTING)
    assert charts.plot_work_in_progress(conversion.work_in_progress_summary(process)) is not None
    assert charts.plot_cumulative_flow(conversion.cumulative_flow(process)) is not None
    assert charts.plot_transitions(conversion.transitions(process)) is not None


def test_a_line_per_move_ends_at_its_share(demo):
    curves = conversion.step_curves(demo.process("wholesale"))
    ax = charts.plot_step_curves(curves)
    ends = [line.get_ydata()[-1] for line in ax.lines]
    assert len(ends) == 3
    for end, (_, part) in zip(ends, curves.groupby("to_step", sort=False), strict=True):
        assert end in part["reached_share"].to_numpy()
    assert "The longest way is from “Proposal” to “Won”" in texts(ax) and "half of those who go on do so within 14 days" in texts(ax)


def test_undescribed_steps_without_an_arrow_get_no_box_and_no_band(demo):
    """One entry into a step that nobody described is among the moves, too rare for an arrow; the flow has nobody there today."""
    retail = demo.process("retail")
    moves, flow = conversion.transitions(retail), conversion.cumulative_flow(retail)
    assert "other" in {*moves["from_step"], *moves["to_step"]} and "other" in set(flow["step"])
    for ax in (charts.plot_transitions(moves), charts.plot_cumulative_flow(flow)):
        assert not [text.get_text() for text in ax.texts if text.get_text().startswith("Other")]
