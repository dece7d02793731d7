"""Chart of the sales over time: stacks read back from the axes add up to all, unfinished periods are lighter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import loyalty
from funnel_lib.charts import repeat as charts
from tests.charts.test_lead_flow import texts
from tests.loyalty.test_repeat import ORDERS, shop


def quarters(**changes):
    return loyalty.sales_split(shop(ORDERS, **changes), per="quarter")


def stacks(panel) -> pd.DataFrame:
    """Per place the height of each bar that has one."""
    return pd.DataFrame([(bar.get_x() + bar.get_width() / 2, bar.get_y(), bar.get_height(), bar.get_alpha()) for bar in panel.patches
                         if bar.get_height() > 0], columns=["at", "bottom", "height", "alpha"])


def test_stacks_fill_the_whole_and_carry_what_is_repeat():
    """Quarters with orders: 2023 II, 2024 I and II, 2025 I, II and III; a, b and c began in three of them."""
    ax = charts.plot_sales_over_time(quarters())
    assert len(ax.child_axes) == 2
    for panel in ax.child_axes:
        bars = stacks(panel)
        assert bars.groupby("at")["height"].sum().tolist() == pytest.approx([1] * 6)
        assert [text.get_text() for text in panel.texts] == ["100", "100", "100"]
        # By the calendar: three quarters without an order leave a gap.
        assert np.diff(sorted(bars["at"].unique())).tolist() == [275, 91, 275, 90, 91]
    assert "made 0 % of the orders of the last whole quarter, between 0 % and 100 %" in texts(ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Repeat", "First"]


def test_an_unfinished_quarter_is_lighter():
    ax = charts.plot_sales_over_time(quarters(as_of="2025-05-10"))
    alphas = stacks(ax.child_axes[0]).groupby("at")["alpha"].max()
    assert alphas.tolist() == [1, 1, 1, 1, charts.PALE] and "lighter: the quarter is not over" in texts(ax)


def test_one_quarter_alone_and_none_whole():
    first = ORDERS.head(1)
    ax = charts.plot_sales_over_time(loyalty.sales_split(shop(first, as_of="2023-07-05"), per="quarter"))
    assert "In the only whole" in texts(ax)
    open_one = charts.plot_sales_over_time(loyalty.sales_split(shop(first, as_of="2023-05-05"), per="quarter"))
    assert "No" in texts(open_one) and "is over yet" in texts(open_one)


@pytest.mark.parametrize("per", ["month", "quarter", "year"])
def test_nothing_undefined_is_shown_to_a_reader(demo, per):
    ax = charts.plot_sales_over_time(loyalty.sales_split(demo.process("retail"), per=per))
    said = " ".join([texts(ax), *(texts(panel) for panel in ax.child_axes)])
    assert "nan" not in said.lower()
    for panel in ax.child_axes:
        assert stacks(panel).groupby("at")["height"].sum().to_numpy() == pytest.approx(1)
        assert min(text.get_fontsize() for text in [*panel.texts, *panel.get_xticklabels(), *panel.get_yticklabels()]) >= 9
