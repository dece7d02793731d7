"""Charts of loyalty: cells, stacks and bars read back from the axes and compared with the table."""

from __future__ import annotations

import pytest

from funnel_lib import loyalty
from funnel_lib.charts import loyalty as charts
from tests.charts.test_lead_flow import texts
from tests.test_loyalty import small


def test_cells_carry_the_numbers_and_unfinished_ones_are_marked():
    """On 15 April: January's cohort 50, 0 and an unfinished 0 %; March's an unfinished 0 %."""
    retention = loyalty.cohort_retention(small(as_of="2026-04-15"))
    ax = charts.plot_cohort_retention(retention)
    cells = {text.get_position(): text.get_text() for text in ax.texts if text.get_text().strip("()").isdigit()}
    assert cells == {(1, 0): "50", (2, 0): "0", (3, 0): "(0)", (1, 1): "(0)"}
    assert [label.get_text().split("\N{NO-BREAK SPACE}", 1)[1] for label in ax.get_yticklabels()] == [
        "Jan\N{NO-BREAK SPACE}2026  (2)", "Mar\N{NO-BREAK SPACE}2026  (1)"]
    assert "hatched and in brackets: not over yet" in texts(ax)
    assert sum(patch.get_hatch() is not None for patch in ax.patches) == 2
    whole = charts.plot_cohort_retention(loyalty.cohort_retention(small()))
    assert "brackets" not in texts(whole) and not any(patch.get_hatch() for patch in whole.patches)


def test_stacks_of_the_split_fill_the_whole():
    split = loyalty.sales_split(small())
    ax = charts.plot_sales_split(split)
    for position, name in ((0, "orders_share"), (1, "amount_share")):
        widths = [bar.get_width() for bar in ax.patches if round(bar.get_y() + bar.get_height() / 2) == position]
        assert sum(widths) == pytest.approx(1)
        assert widths == pytest.approx(split.loc[split[name] > 0, name].tolist())
    assert "60.0 % of the orders and 48.0 % of the money" in texts(ax)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["First", "Repeat", "Reactivated", "No customer named", "By recommendation"]


def test_referral_bars_are_the_shares():
    ax = charts.plot_referral_share(loyalty.referral_share(small()))
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([1 / 3] * 3)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["By recommendation", "Other", "Unknown"]
    assert ax.patches[2].get_alpha() < 1 == ax.patches[0].get_alpha()


@pytest.mark.parametrize("name", ["wholesale", "custom"])
def test_nothing_undefined_is_shown_to_a_reader(demo, name):
    process = demo.process(name)
    for ax in (charts.plot_cohort_retention(loyalty.cohort_retention(process)),
               charts.plot_sales_split(loyalty.sales_split(process)),
               charts.plot_referral_share(loyalty.referral_share(process))):
        assert "nan" not in texts(ax).lower()
        assert min(text.get_fontsize() for text in [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()]) >= 9
