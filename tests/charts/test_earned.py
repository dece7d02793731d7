"""Charts of what is earned: bars, curves and words read back from the axes and compared with the table."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_hex

from funnel_lib import charts, loyalty
from funnel_lib.charts import style
from tests.charts.test_lead_flow import texts
from tests.loyalty.test_earned import company, group, small


def bar_ends(ax) -> list[float]:
    return [bar.get_x() + bar.get_width() for bar in ax.patches]


def test_bars_are_what_is_left_and_diamonds_the_margin(demo):
    table = loyalty.margin_by_order(demo.process("wholesale")).head(5)
    ax = charts.plot_margin_by_order(loyalty.margin_by_order(demo.process("wholesale")))
    assert bar_ends(ax) == pytest.approx(table["net_per_order_amount"].tolist())
    diamonds = next(line for line in ax.lines if line.get_marker() == "D")
    assert list(diamonds.get_xdata()) == pytest.approx(table["margin_per_order_amount"].tolist())
    colours = [to_hex(bar.get_facecolor()).upper() for bar in ax.patches]
    assert colours == [style.VERMILION, *[style.GREEN] * 4]
    assert "The first order loses RUB 47 800; from order 2 on clients earn" in texts(ax)
    assert [label.get_text().split(" ")[0] for label in ax.get_yticklabels()] == ["1", "2", "3", "4", "5"]


def test_without_costs_the_bars_are_the_margin_and_few_clients_are_lighter():
    ax = charts.plot_margin_by_order(loyalty.margin_by_order(small(spend=None)))
    assert bar_ends(ax) == [-15, 27.5] and "the cost is not known" in texts(ax) and "lighter: fewer than 30" in texts(ax)
    assert "cannot be told" in texts(ax) and not any(line.get_marker() == "D" for line in ax.lines)


def test_the_curve_passes_through_the_table_and_payback_is_marked(demo):
    table = loyalty.payback(demo.process("wholesale"))
    ax = charts.plot_payback(table)
    assert list(ax.lines[0].get_ydata()) == pytest.approx(table["margin_per_customer_amount"].tolist())
    assert "A new client pays back in month 5" in texts(ax) and "n = 710 at the start, 221 at the end" in texts(ax)
    assert any(list(line.get_ydata()) == [table["cac_amount"].iloc[0]] * 2 for line in ax.lines)
    assert any(list(line.get_xdata()) == [5, 5] for line in ax.lines)


@pytest.mark.parametrize(("process", "said"), [
    (small(), "Too few new clients"), (small(spend=None), "what one costs is not known"),
    (company(group(40, [10, 10])), "A new client pays back with the first order"),
    (company(group(40, [10, 10]), spend=(4_000, 0, 0)), "has not paid back by month 3"),
    (company(group(40, [10, 10]), spend=(700, 0, 0)), "pays back in month 2")])
def test_headlines_say_what_can_be_told(process, said):
    assert said in texts(charts.plot_payback(loyalty.payback(process)))
