"""Charts of the lead flow: heights, order and labels read back from the axes and compared with the table."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from funnel_lib import Process, lead_flow
from funnel_lib.charts import lead_flow as charts
from funnel_lib.charts import style
from tests.test_lead_flow import COMPANY, COMPANY_SETTINGS, FLOW, FLOW_SETTINGS


def texts(ax) -> str:
    """Everything that the chart says, in one text with plain spaces."""
    parts = [ax.get_title(loc="left"), *(note.get_text() for note in ax.texts), ax.get_xlabel(), ax.get_ylabel()]
    return " ".join(parts).replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def company():
    return Process.from_tables("p", **COMPANY, **COMPANY_SETTINGS)


def test_stacks_are_as_high_as_the_counts_and_the_unfinished_week_is_lighter():
    counts = lead_flow.lead_counts(Process.from_tables("p", **FLOW, **FLOW_SETTINGS))
    ax = charts.plot_lead_counts(counts)
    tops = {}
    for bar in ax.patches:
        if bar.get_height():
            at = round(bar.get_x() + bar.get_width() / 2)
            tops[at] = max(tops.get(at, 0), bar.get_y() + bar.get_height())
    assert tops == {0: 3, 2: 2, 3: 1}
    alphas = {round(bar.get_x() + bar.get_width() / 2): bar.get_alpha() for bar in ax.patches if bar.get_height()}
    assert alphas[3] < alphas[0] == 1
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert sorted(legend) == ["(missing)", "Unknown", "ads", "fair"] and legend[-1] == "ads"
    # Weeks with 3, 0 and 2 leads are over.
    assert "1.67 leads come in a week on average; the fewest 0, the most 3" in texts(ax)
    assert "lighter: the week is not over" in texts(ax)


def test_many_channels_are_drawn_together_as_the_rest():
    leads = pd.DataFrame({"lead_id": [str(n) for n in range(100)], "created_at": "2026-01-05",
                          "channel": [f"c{n % 12:02}" for n in range(100)]})
    ax = charts.plot_lead_counts(lead_flow.lead_counts(Process.from_tables("p", leads=leads, as_of="2026-01-12")))
    assert len(ax.get_legend().get_texts()) == style.MOST_CATEGORIES
    assert sum(bar.get_height() for bar in ax.patches) == 100


def test_target_bars_are_sorted_and_rest_on_zero(company):
    ax = charts.plot_target_share(lead_flow.target_share(company))
    bars = [bar for bar in ax.patches if bar.get_width()]
    assert [bar.get_width() for bar in bars] == [1.0, 0.5] and all(bar.get_x() == 0 for bar in bars)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["fair", "ads"]
    assert "50.0 %   (1 / 2)" in texts(ax) and "n = 3" in texts(ax)
    assert all(bar.get_alpha() < 1 for bar in bars)  # fewer than 30 leads each


def test_cost_bars_show_what_the_table_says(company):
    economics = lead_flow.channel_economics(company)
    ax = charts.plot_channel_costs(economics)
    assert [bar.get_width() for bar in ax.patches if bar.get_width()] == [121, 70, 5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["ads", "fair", "(missing)"]
    assert "€121   (€121 / 1)" in texts(ax)
    by_lead = charts.plot_channel_costs(economics, per="lead")
    assert [bar.get_width() for bar in by_lead.patches if bar.get_width()] == [60.5, 35, 5]


def test_a_channel_keeps_its_colour(company):
    settings = {**COMPANY_SETTINGS, "channels": ["fair", "ads"]}
    economics = lead_flow.channel_economics(Process.from_tables("p", **COMPANY, **settings))
    about = economics.attrs["about"]
    ax = charts.plot_channel_costs(economics)
    shown = {label.get_text(): to_hex(bar.get_facecolor()) for label, bar in zip(ax.get_yticklabels(), ax.patches, strict=True)}
    assert shown["ads"] == style.colour("ads", about).lower() != shown["fair"] == style.colour("fair", about).lower()


def test_no_cost_says_so():
    process = Process.from_tables("p", leads=COMPANY["leads"], as_of="2025-07-01")
    assert "cannot be told" in texts(charts.plot_channel_costs(lead_flow.channel_economics(process)))


@pytest.mark.parametrize("name", ["retail", "custom"])
def test_nothing_undefined_is_shown_to_a_reader(demo, name):
    process = demo.process(name)
    economics = lead_flow.channel_economics(process)
    for ax in (charts.plot_lead_counts(lead_flow.lead_counts(process)),
               charts.plot_target_share(lead_flow.target_share(process)), charts.plot_channel_costs(economics),
               charts.plot_channel_costs(economics, per="target_lead")):
        assert "nan" not in texts(ax).lower() and "none" not in texts(ax).lower()
        assert min(text.get_fontsize() for text in [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()]) >= 9
