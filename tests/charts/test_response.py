"""Charts of response time, read back from the axes and compared with the table."""

from __future__ import annotations

import pytest

from funnel_lib import Process, charts, lead_flow
from tests.charts.test_lead_flow import texts
from tests.test_response import STEPS, _two_owners, process_of


@pytest.fixture(scope="module")
def small():
    return Process.from_tables("p", **_two_owners(), steps=STEPS, as_of="2026-06-01", observed_from="2025-01-01",
                               conversion_window_days=30)


def test_bars_are_the_shares_won_and_few_are_lighter(small):
    bands = lead_flow.response_bands(small)
    ax = charts.plot_response_bands(bands)
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == pytest.approx(bands["won_share"].fillna(0).tolist())
    assert [bar.get_alpha() < 1 for bar in ax.patches] == bands["few"].tolist()
    assert "No proof of cause" in texts(ax).replace("\n", " ")
    assert f"({bands['won_count'].iloc[0]} / {bands['leads_count'].iloc[0]})" in texts(ax)


def test_points_are_the_medians(small):
    table = lead_flow.response_time(small, by="owner")
    ax = charts.plot_response_by(table)
    points = sorted(float(line.get_xdata()[0]) for line in ax.lines if len(line.get_xdata()) == 1)
    assert points == pytest.approx(sorted([*table["median_work_hours"], *table["median_hours"]]))
    assert "2 of 2 clearly differ" in texts(ax) and {text.get_text() for text in ax.get_legend().get_texts()} == {
        "working hours", "by the clock"}


def test_hours_run_from_left_to_right(demo):
    table = lead_flow.response_time(demo.process("retail"), by="arrival_hour")
    ax = charts.plot_response_by(table)
    points = [(round(float(line.get_xdata()[0])), float(line.get_ydata()[0])) for line in ax.lines if len(line.get_xdata()) == 1]
    assert len(points) == 2 * len(table) and {place for place, _ in points} == set(table["arrival_hour"])


def test_many_groups_are_cut_and_said():
    leads = [(f"l{n}", "2026-03-02 10:00", f"o{n:02d}") for n in range(12)]
    process = process_of(leads, [(name, "talk", "2026-03-02 11:00", "ann", False) for name, *_ in leads])
    ax = charts.plot_response_by(lead_flow.response_time(process, by="owner"))
    assert len(ax.get_yticks()) == 8 and "4 groups not drawn" in texts(ax).replace("\n", " ")


def test_dates_only_and_nothing():
    process = process_of([(f"l{n}", "2026-03-02", "o") for n in range(40)],
                         [(f"l{n}", "talk", "2026-03-03", "ann", False) for n in range(40)])
    assert charts.plot_response_by(lead_flow.response_time(process, by="owner")) is None
    assert charts.plot_response_by(lead_flow.response_time(process_of([]), by="owner")) is None
    young = process_of([("a", "2026-03-02 10:00", "o")], [("a", "talk", "2026-03-02 11:00", "ann", False)], as_of="2026-03-15",
                       observed_from="2026-03-01")
    assert "Too few leads" in texts(charts.plot_response_bands(lead_flow.response_bands(young)))


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_nothing_undefined_is_shown_to_a_reader(demo, name):
    process = demo.process(name)
    for by in ("owner", "arrival_hour", "arrival_weekday", "arrival_time"):
        shown = texts(charts.plot_response_by(lead_flow.response_time(process, by=by)))
        assert "nan" not in shown and "n/a" not in shown
    shown = texts(charts.plot_response_bands(lead_flow.response_bands(process)))
    assert "nan" not in shown and "n/a" not in shown
