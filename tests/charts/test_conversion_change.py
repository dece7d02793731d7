"""Charts that compare: values, order and labels read back from the axes and set beside the table."""

from __future__ import annotations

import warnings

import pytest

from funnel_lib import MeasureError, charts, conversion, improvement
from tests.charts.test_lead_flow import texts
from tests.conversion.cases import BAD_INPUTS

MEASURES = {
    "plot_cohort_triangle": conversion.cohort_triangle, "plot_comparison": conversion.comparison,
    "plot_step_trend": conversion.step_trend, "plot_change_decomposition": conversion.change_decomposition,
    "plot_reconciliation": conversion.reconciliation}


def test_the_change_has_one_bar_for_the_mix_and_one_per_channel(demo):
    table = conversion.change_decomposition(demo.process("retail"))
    ax = charts.plot_change_decomposition(table)
    widths = [bar.get_width() for bar in ax.patches]
    rates = table[table["kind"] == "rate"]["change_share"]
    assert widths[0] == pytest.approx(table["change_share"].sum()) and widths[1] == pytest.approx(
        table.loc[table["kind"] == "mix", "change_share"].sum())
    assert widths[2:] == pytest.approx(sorted(rates, reverse=True))
    assert "fell from" in texts(ax) and [label.get_text() for label in ax.get_yticklabels()][:2] == ["whole change", "mix of groups"]


def test_the_reconciliation_is_a_chain_from_their_figure_to_ours(demo):
    table = conversion.reconciliation(demo.process("wholesale"))
    ax = charts.plot_reconciliation(table, step="proposal")
    row, bars = table.set_index("step").loc["proposal"], ax.patches
    assert bars[0].get_width() == row.crm_share and bars[-1].get_width() == row.overall_share
    ends = [bar.get_x() + bar.get_width() for bar in bars]
    assert [bar.get_x() for bar in bars[1:-1]] == pytest.approx(ends[:-2]) and ends[-2] == pytest.approx(ends[-1], abs=0.002)


def test_projected_cells_are_marked_and_named(demo):
    table = conversion.cohort_triangle(demo.process("wholesale"))
    ax = charts.plot_cohort_triangle(table)
    latest = table[table["cohort"].isin(sorted(table["cohort"].unique())[-18:])]
    bracketed = [text.get_text() for text in ax.texts if text.get_text().startswith("(")]
    assert len(bracketed) == latest["projected"].sum() == sum(patch.get_hatch() == "///" for patch in ax.patches)
    assert "in brackets: projected" in texts(ax)


def test_the_funnel_plot_names_no_best_where_there_is_none(demo):
    table = conversion.comparison(demo.process("wholesale"))
    ax = charts.plot_comparison(table)
    assert "No ranking" in ax.get_title(loc="left") and "Vera  58.3 % of 12: too few" in texts(ax)
    hollow = {(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines if line.get_markerfacecolor() == "white"}
    assert hollow == set(zip(table["leads_count"], table["won_share"], strict=True))


def test_bars_of_prices_are_sorted(demo):
    table = improvement.price_of_point(demo.process("retail"))
    ax = charts.plot_price_of_point(table)
    assert [bar.get_width() for bar in ax.patches] == sorted(table["point_amount"], reverse=True)


@pytest.mark.parametrize("name", BAD_INPUTS)
@pytest.mark.parametrize("plot", MEASURES)
def test_bad_input_is_drawn_without_a_warning_or_nothing_is(name, plot):
    try:
        table = MEASURES[plot](BAD_INPUTS[name]())
    except MeasureError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = getattr(charts, plot)(table)
        if ax is not None:
            ax.figure.canvas.draw()
            assert "nan" not in texts(ax).lower()
