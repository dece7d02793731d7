"""Charts of conversion: heights, order, labels and titles read back from the Axes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import Process, charts, conversion
from tests.conversion.seven_rows import LEADS, SETTINGS, TABLES


@pytest.fixture(scope="module")
def small() -> Process:
    labels = {"site": "Website", "proposal": "Written offer"}
    return Process.from_tables("small", **TABLES, **SETTINGS, labels=labels)


def _bar_ends(ax) -> list[float]:
    return [patch.get_x() + patch.get_width() for patch in ax.patches]


def _labels(ax) -> list[str]:
    return [tick.get_text().replace("\n", " ") for tick in ax.get_yticklabels()]


def test_step_rates_from_top_to_bottom(small):
    rates = conversion.step_rates(small)
    ax = charts.plot_step_rates(rates)
    assert _bar_ends(ax) == rates["overall_share"].tolist()
    assert _labels(ax) == ["contacted", "meeting", "Written offer", "Won"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first step is on top"
    assert ax.get_title(loc="left").replace("\N{NO-BREAK SPACE}", " ").startswith("25.0 % of the leads become customers")
    assert ax.patches[1].get_alpha() < 1, "the optional step is lighter"


def test_states_add_up_along_the_bar(small):
    states = conversion.states(small, by="channel")
    ax = charts.plot_states(states)
    assert max(_bar_ends(ax)) == states["leads_count"].max()
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"Won", "Running", "Lost"}
    assert "Website" in _labels(ax)


def test_time_curve_is_the_table(demo):
    curve = conversion.time_curve(demo.process("retail"))
    ax = charts.plot_time_curve(curve)
    won = ax.lines[0]
    shown = curve[curve["age_days"] <= max(won.get_xdata())]
    np.testing.assert_array_equal(won.get_ydata(), shown["won_share"])


def test_eventual_conversion_is_sorted_and_starts_at_zero(demo):
    table = conversion.eventual_conversion(demo.process("wholesale"), by="channel")
    ax = charts.plot_eventual_conversion(table)
    ends = _bar_ends(ax)
    assert ends == sorted(ends, reverse=True) and all(patch.get_x() == 0 for patch in ax.patches)
    assert len(ends) == (table["leads_count"] >= 30).sum()


def test_time_to_win_says_not_reached_in_words():
    table = pd.DataFrame({"channel": ["a", "b"], "won_count": [50, 2], "horizon_days": [30, 30], "quarter_days": [5.0, np.nan],
                          "median_days": [10.0, np.nan], "three_quarters_days": [20.0, np.nan]})
    ax = charts.plot_time_to_win(table)
    texts = [text.get_text() for text in ax.texts]
    assert any("not reached" in text for text in texts) and any(text.startswith("10") for text in texts)


def test_lost_reasons_keep_eight_and_sum_the_rest(demo):
    reasons = conversion.lost_reasons(demo.process("custom"))
    ax = charts.plot_lost_reasons(reasons)
    ends = _bar_ends(ax)
    assert ends[:8] == reasons["amount"].tolist()[:8] == sorted(reasons["amount"], reverse=True)[:8]
    assert sum(ends) == pytest.approx(reasons["amount"].sum()) and _labels(ax)[-1] == "Other"
    counted = conversion.lost_reasons(Process.from_tables("small", **{**TABLES, "leads": LEADS.drop(columns="expected_amount")},
                                                          **SETTINGS))
    assert _bar_ends(charts.plot_lost_reasons(counted)) == counted["lost_count"].tolist()


def test_a_table_without_rows_draws_nothing(small):
    empty = conversion.lost_reasons(small).head(0)
    assert charts.plot_lost_reasons(empty) is None


def test_no_chart_shows_a_missing_number(demo):
    process = demo.process("custom")
    drawn = [charts.plot_step_rates(conversion.step_rates(process)), charts.plot_states(conversion.states(process, by="channel")),
             charts.plot_time_curve(conversion.time_curve(process)), charts.plot_time_to_win(conversion.time_to_win(process)),
             charts.plot_lost_reasons(conversion.lost_reasons(process))]
    for ax in drawn:
        texts = [ax.get_title(loc="left"), *(text.get_text() for text in ax.texts), *_labels(ax)]
        assert not [text for text in texts if "nan" in text.lower() or "none" in text.lower().split()], texts


def test_a_channel_has_the_same_colour_on_every_chart(demo):
    process = demo.process("wholesale")
    from funnel_lib.charts.style import colour

    colours = [colour(channel, process.about) for channel in process.settings.channels]
    assert len(set(colours)) == len(colours)


def test_the_time_curve_ends_at_the_horizon_with_the_eventual_conversion(demo):
    custom = demo.process("custom")
    days = custom.settings.conversion_window_days
    ax = charts.plot_time_curve(conversion.time_curve(custom), horizon_days=days)
    eventual = conversion.eventual_conversion(custom).iloc[0]
    assert ax.lines[0].get_xdata()[-1] == eventual.horizon_days == days
    assert ax.lines[0].get_ydata()[-1] == pytest.approx(eventual.eventual_share)
