"""Charts of returns: places, limits and texts read back from the axes and compared with the table."""

from __future__ import annotations

import numpy as np
import pytest

from funnel_lib import Process, charts, lead_flow
from funnel_lib.charts import returns as drawing
from tests.charts.test_lead_flow import texts
from tests.lead_flow.test_marginal import company, settings
from tests.lead_flow.test_returns import TOY, TOY_SETTINGS


def dots(ax, marker: str) -> list[tuple[float, float]]:
    return [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in ax.lines if line.get_marker() == marker]


def test_measured_and_projected_returns_stand_where_the_table_says(demo):
    table = lead_flow.channel_returns(demo.process("retail"))
    ax = drawing.plot_channel_returns(table)
    shown = table[table["channel"] != "(not allocated)"]
    full = [dot for dot in dots(ax, "o") if float(dot[1]).is_integer()]
    hollow = [dot for dot in dots(ax, "o") if not float(dot[1]).is_integer()]
    assert [x for x, _ in full] == pytest.approx(shown["romi_share"].tolist())
    assert [x for x, _ in hollow] == pytest.approx(shown["projected_romi_share"].tolist())
    lines = [segment[:, 0].tolist() for lines in ax.collections for segment in lines.get_segments()]
    assert lines[0] == pytest.approx([shown.iloc[0].romi_low_share, shown.iloc[0].romi_high_share])
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[0] == "Student blog" and labels[-1] == "all together"
    assert "“Student blog” and “Search advertising” earned back clearly less" in " ".join(texts(ax).split())
    assert any(list(line.get_xdata()) == [0, 0] for line in ax.lines)  # where the cost is just earned back


def test_few_customers_are_lighter_and_nothing_is_ranked():
    table = lead_flow.channel_returns(Process.from_tables("p", **TOY, **TOY_SETTINGS), horizon_months=3)
    ax = drawing.plot_channel_returns(table)
    alphas = [line.get_alpha() for line in ax.lines if line.get_marker() == "o" and line.get_label()[0] == "_"]
    assert set(alphas) == {drawing.PALE}
    assert "Too few customers to compare" in texts(ax) and "in 3 months" in texts(ax) and "lighter" in texts(ax)


def test_nothing_to_show_says_so():
    process = Process.from_tables("p", **{**TOY, "as_of": "2025-01-15", "observed_from": "2025-01-01"})
    assert "cannot be told yet" in texts(charts.plot_channel_returns(lead_flow.channel_returns(process)))
    assert "cannot be told" in texts(charts.plot_marginal_cost(lead_flow.marginal_cost(process)))


def test_mean_and_extra_cost_stand_where_the_table_says(demo):
    table = lead_flow.marginal_cost(demo.process("wholesale"))
    ax = drawing.plot_marginal_cost(table)
    assert [x for x, _ in dots(ax, "D")] == pytest.approx(table["mean_cost_per_customer_amount"].tolist())
    assert [x for x, _ in dots(ax, "o")] == pytest.approx(table["extra_cost_per_customer_amount"].tolist())
    assert "no proof of cause" in texts(ax).replace("\n", " ")


def test_a_cost_without_a_limit_ends_in_an_arrow():
    rng = np.random.default_rng(3)
    tables = company(list(rng.uniform(90, 110, 20).round()), list(rng.poisson(10, 20)))
    table = lead_flow.marginal_cost(Process.from_tables("p", **tables, **settings(20)))
    ax = drawing.plot_marginal_cost(table)
    assert len(dots(ax, ">")) == 1 and "no limit" in texts(ax)
    assert ax.get_xlim()[1] < 10 * table["mean_cost_per_customer_amount"].iloc[0]
