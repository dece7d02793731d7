"""Charts of what a client is worth: heights and texts read back from the axes and compared with the table."""

from __future__ import annotations

import numpy as np
import pytest

from funnel_lib import Process, charts, loyalty
from tests.charts.test_lead_flow import texts
from tests.loyalty.test_lifetime_value import SETTINGS, TABLES


def test_the_holdout_stands_where_the_table_says(demo):
    table = loyalty.holdout(demo.process("retail"))
    ax = charts.plot_holdout(table)
    bars = sorted((bar.get_x(), bar.get_height()) for bar in ax.patches)
    assert [height for _, height in bars] == pytest.approx(table["actual_mean_orders"].tolist())
    diamonds = next(line for line in ax.lines if line.get_marker() == "D")
    assert diamonds.get_ydata() == pytest.approx(table["expected_mean_orders"].to_numpy())
    intervals = ax.collections[0].get_segments()
    assert [segment[1, 1] for segment in intervals] == pytest.approx(table["actual_mean_high_orders"].tolist())
    assert ax.get_xticklabels()[-1].get_text().startswith("7+")
    assert "584 orders came" in texts(ax) and "too many" in texts(ax)


def test_observed_and_expected_values_stand_where_the_table_says(demo):
    table = loyalty.value_by_age(demo.process("wholesale"))
    ax = charts.plot_lifetime(table)
    lines = {tuple(np.round(line.get_ydata(), 3)) for line in ax.lines}
    for name in ("observed_value_amount", "expected_value_amount"):
        assert tuple(np.round(table[name], 3)) in lines
    assert ax.get_ylim()[0] < 0 < ax.get_ylim()[1]
    assert {"expected", "observed"} <= {text.get_text().split("\n")[0] for text in ax.texts}
    assert "A new client brings about" in texts(ax)


def test_few_customers_are_dashed_and_named(demo):
    ax = charts.plot_lifetime(loyalty.value_by_age(demo.process("custom"), horizon_months=36))
    assert "dashed: fewer than 30" in texts(ax) and "A new client has brought" in texts(ax)
    assert "expected" not in {text.get_text().split("\n")[0] for text in ax.texts}


def test_a_handful_of_customers_is_drawn():
    table = loyalty.value_by_age(Process.from_tables("p", **TABLES, **SETTINGS), horizon_months=3)
    assert "with the first order" in texts(charts.plot_lifetime(table))
