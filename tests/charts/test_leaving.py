"""Charts of concentration and of groups: places, names and words read back from the axes and compared with the table."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_hex

from funnel_lib import Process, charts, loyalty
from funnel_lib.charts import style
from tests.charts.test_lead_flow import texts
from tests.loyalty.bad_input import BAD, SETTINGS
from tests.loyalty.test_leaving import MONEY, TENS, UNTIL, YEAR, visits


def diamonds(ax) -> list[float]:
    return list(next(line for line in ax.lines if line.get_marker() == "D").get_xdata())


def test_the_lorenz_curve_marks_the_fifth(demo):
    curve = loyalty.lorenz(demo.process("wholesale"))
    ax = charts.plot_lorenz(curve)
    assert list(ax.lines[1].get_ydata()) == pytest.approx(curve["clients_amount_share"].tolist())
    mark = next(line for line in ax.lines if line.get_marker() == "o")
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == tuple(curve.iloc[20][["clients_share", "clients_amount_share"]])
    assert "148 of 736 clients bring 72.1 % of the money" in texts(ax) and "if all brought the same" in texts(ax)


def test_bars_of_the_largest_clients_with_their_last_year():
    table = loyalty.largest_clients(Process.from_tables("p", **MONEY, **YEAR))
    ax = charts.plot_largest_clients(table)
    assert [bar.get_width() for bar in ax.patches] == table["amount_share"].tolist()
    assert diamonds(ax) == pytest.approx(table["last_year_share"].tolist())
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c", "d"]
    assert "The largest client: 60.0 % of all money, 57.1 % in the last 365 days" in texts(ax)


def test_late_clients_are_red(demo):
    table = loyalty.largest_clients(demo.process("custom"))
    colours = [to_hex(bar.get_facecolor()).upper() for bar in charts.plot_largest_clients(table).patches]
    assert [colour == style.VERMILION for colour in colours] == table["is_late"].head(8).tolist()


def test_names_from_data_are_text():
    table = loyalty.largest_clients(Process.from_tables("p", **BAD["names that are markup"], **SETTINGS))
    ax = charts.plot_largest_clients(table)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["$y_1$", "<b>$x$</b>"]
    assert not any(label.get_parse_math() for label in ax.get_yticklabels())
    ax.figure.canvas.draw()


def test_long_names_are_cut():
    orders = MONEY["orders"].assign(customer_id=MONEY["orders"]["customer_id"] + "x" * 300)
    ax = charts.plot_largest_clients(loyalty.largest_clients(Process.from_tables("p", orders=orders, **YEAR)))
    assert all(len(label.get_text().replace("\n", "")) <= 28 for label in ax.get_yticklabels())


def test_bars_of_groups_and_their_money():
    table = loyalty.rfm_groups(Process.from_tables("p", **visits(TENS, {"best": 100.0}), **UNTIL))
    ax = charts.plot_rfm_groups(table)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(table["clients_share"].tolist())
    assert diamonds(ax) == pytest.approx(table["yearly_amount_share"].tolist())
    assert [label.get_text() for label in ax.get_yticklabels()][:3] == ["Best", "Regular", "New"]
    assert "1 who came again are about to leave" in texts(ax).replace("\n", " ")


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_drawn_without_nan(case):
    from funnel_lib import pages

    process = Process.from_tables("p", **{**SETTINGS, **BAD[case]})
    for measure, plot in ((loyalty.lorenz, charts.plot_lorenz), (loyalty.largest_clients, charts.plot_largest_clients),
                          (loyalty.rfm_groups, charts.plot_rfm_groups), (loyalty.margin_by_order, charts.plot_margin_by_order),
                          (loyalty.payback, charts.plot_payback)):
        ax = plot(pages.attempt(measure, process))
        if ax is not None:
            ax.figure.canvas.draw()
            assert not any(word in texts(ax).lower().split() for word in ("nan", "inf", "none", "n/a")), texts(ax)
