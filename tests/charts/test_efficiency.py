"""Charts of the efficiency sheet and of technologization: heights, order and labels read back from the axes."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from funnel_lib import Process, charts, efficiency
from tests.efficiency.company import SETTINGS, SHEET, TABLES
from tests.test_efficiency import LEVEL_SETTINGS, LOG


def words(ax) -> str:
    """Everything written on the axes and its panels."""
    parts = [ax, *ax.child_axes]
    texts = [text.get_text() for part in parts for text in (*part.texts, *part.get_xticklabels(), *part.get_yticklabels())]
    return " ".join([ax.get_title(loc="left"), *texts])


def test_one_panel_per_price_and_one_bar_per_stage():
    ax = charts.plot_efficiency_sheet(efficiency.efficiency_sheet(Process.from_tables("p", **TABLES, **SETTINGS)))
    columns = ["cost_per_result_amount", "hours_per_result", "elapsed_days", "strain_hours_per_result"]
    drawn = [[bar.get_width() for bar in panel.patches] for panel in ax.child_axes]
    assert np.allclose(drawn, [SHEET[column][:3] for column in columns])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Lead generation", "Conversion", "Account management"]
    assert ax.get_title(loc="left") == "“Conversion” takes the most money, hours and nerves for one result"
    # The same stage on the same height in the labels and in the bars, and in the same colour on every panel.
    for panel in ax.child_axes:
        assert [bar.get_y() + bar.get_height() / 2 for bar in panel.patches] == pytest.approx([0, 1, 2])
        assert [bar.get_facecolor() for bar in panel.patches] == [bar.get_facecolor() for bar in ax.child_axes[0].patches]


def test_what_is_not_known_is_not_drawn_as_zero():
    tables = {name: table for name, table in TABLES.items() if name in ("leads", "stage_events", "spend")}
    ax = charts.plot_efficiency_sheet(efficiency.efficiency_sheet(Process.from_tables("p", **tables, **SETTINGS)))
    assert [text.get_text() for text in ax.child_axes[1].texts] == ["n/a"] * 3
    assert "nan" not in words(ax)


def test_marks_fit_beside_their_bars(demo):
    for name in demo.process_names:
        ax = charts.plot_efficiency_sheet(efficiency.efficiency_sheet(demo.process(name)))
        ax.figure.canvas.draw()
        renderer = ax.figure.canvas.get_renderer()
        for left, right in zip(ax.child_axes, ax.child_axes[1:], strict=False):
            assert all(text.get_window_extent(renderer).x1 < right.get_window_extent(renderer).x0 for text in left.texts)


def test_rings_claim_and_dots_show():
    cards = efficiency.technologization(Process.from_tables("p", work=LOG, **LEVEL_SETTINGS))
    ax = charts.plot_technologization(cards)
    marks = [(line.get_xdata()[0], line.get_ydata()[0], line.get_markersize() > 10) for line in ax.lines]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == cards["card"].tolist()
    drawn = {ring: {labels[int(y)]: x for x, y, is_ring in marks if is_ring == ring} for ring in (True, False)}
    known = cards.set_index("card")
    assert drawn[True] == known["claimed_level"].dropna().to_dict()
    assert drawn[False] == known["shown_level"].dropna().to_dict()
    assert ax.get_title(loc="left") == "1 of 8 cards claims a higher level than its log shows"
    assert "19 executions" in words(ax)


def test_a_chart_draws_into_the_axes_it_is_given():
    _, ax = plt.subplots()
    sheet = efficiency.efficiency_sheet(Process.from_tables("p", **TABLES, **SETTINGS))
    assert charts.plot_efficiency_sheet(sheet, ax=ax) is ax
