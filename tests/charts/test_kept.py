"""Charts of who is kept: curves, bars and cells read back from the axes and compared with the tables."""

from __future__ import annotations

import pandas as pd
import pytest

from funnel_lib import Process, charts, loyalty, read_company
from funnel_lib.charts import kept
from funnel_lib.charts import loyalty as loyalty_charts
from tests.charts.test_lead_flow import texts
from tests.conftest import ROOT
from tests.loyalty.test_next_order import AS_OF, SEVEN
from tests.test_loyalty import small


def many(per_month: int = 40) -> Process:
    """Every month 40 customers begin for 10; a quarter of them, those of channel x, pay 20 a month later."""
    rows = []
    for month, name in enumerate(pd.date_range("2025-01-05", periods=6, freq="MS")):
        for n in range(per_month):
            channel = "x" if n % 4 == 0 else "y"
            rows.append((f"{month}-{n}", f"{month}-{n}", name, 10, channel))
            if channel == "x":
                rows.append((f"{month}-{n}b", f"{month}-{n}", name + pd.DateOffset(months=1), 20, channel))
    orders = pd.DataFrame(rows, columns=["order_id", "customer_id", "ordered_at", "amount", "channel"])
    return Process.from_tables("p", orders=orders, as_of="2026-01-01")


def test_two_curves_pass_through_the_tables():
    tables = [loyalty.average_retention(loyalty.cohort_retention(many(), bounded=bounded)) for bounded in (True, False)]
    ax = kept.plot_kept_curves(*tables)
    later, inside = ax.lines
    assert inside.get_ydata()[0] == later.get_ydata()[0] == 0.25 and inside.get_ydata()[1] == 0
    assert "in that month" in texts(ax) and "in it or later" in texts(ax)
    assert "Too early to tell" in texts(kept.plot_kept_curves(*[
        loyalty.average_retention(loyalty.cohort_retention(small(), bounded=bounded)) for bounded in (True, False)]))


def test_bars_of_groups_go_by_share_only_where_intervals_lie_apart():
    average = loyalty.average_retention(loyalty.cohort_retention(many(), by="channel"))
    ax = kept.plot_kept_by(average)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["y", "x"] and "cannot be ranked" in texts(ax)  # month 7: nobody
    early = kept.plot_kept_by(average[average["age"] <= 1])
    assert [label.get_text() for label in early.get_yticklabels()] == ["x", "y"] and "ranked" not in texts(early)
    assert [bar.get_width() for bar in early.patches] == [1, 0] and "100 %   (60 / 60)" in texts(early)
    one = loyalty.average_retention(loyalty.cohort_retention(small(), by="origin"))
    assert "Too few clients in each group" in texts(kept.plot_kept_by(one))


def test_cells_of_values_carry_the_numbers():
    """On 15 April January's cohort has paid 0 % in February and March, 0 % of 230 in an unfinished April; March's nothing."""
    ax = kept.plot_cohort_values(loyalty.cohort_retention(small(as_of="2026-04-15"), value="amount"))
    cells = {text.get_position(): text.get_text() for text in ax.texts if text.get_text().strip("()").isdigit()}
    assert cells == {(1, 0): "0", (2, 0): "0", (3, 0): "(0)", (1, 1): "(0)"} and "not over yet" in texts(ax)
    assert [label.get_text().replace("\N{NO-BREAK SPACE}", " ") for label in ax.get_yticklabels()] == [
        "1 Jan 2026  (€230)", "1 Mar 2026  (€60)"]
    whole = kept.plot_cohort_values(loyalty.cohort_retention(many(), value="orders"))
    assert "Clients order 0 % of their first month in month 6" in texts(whole)
    assert {text.get_text() for text in whole.texts if text.get_position()[0] == 1} == {"25"}


def test_refunds_that_leave_nothing_leave_no_cell():
    orders = pd.DataFrame([("1", "a", "2026-01-02", 100), ("2", "a", "2026-01-03", -150), ("3", "a", "2026-02-03", 30)],
                          columns=["order_id", "customer_id", "ordered_at", "amount"])
    table = loyalty.cohort_retention(Process.from_tables("p", orders=orders, as_of="2026-04-01"), value="amount")
    ax = kept.plot_cohort_values(table)
    assert not ax.patches and "nan" not in texts(ax) and "No cohort" in texts(ax)


def test_cohorts_that_are_perhaps_older_are_paler():
    """Without leads January's customers are seen too soon after the records begin; March's is not."""
    sure, perhaps = (loyalty_charts.plot_cohort_retention(loyalty.cohort_retention(small(**changes)))
                     for changes in ({}, {"leads": None}))
    assert "paler: some had perhaps bought before" in texts(perhaps) and "paler" not in texts(sure)
    assert perhaps.patches[0].get_alpha() < sure.patches[0].get_alpha()
    values = kept.plot_cohort_values(loyalty.cohort_retention(small(leads=None), value="margin"))
    assert "paler: some had perhaps bought before" in texts(values)


def test_curves_of_the_next_order_are_those_of_the_table():
    """Ten customers come again after 10 days, thirty more never."""
    orders = pd.DataFrame([(f"{n}", f"{n}", "2026-01-01") for n in range(40)] + [(f"{n}b", f"{n}", "2026-01-11") for n in range(10)],
                          columns=["order_id", "customer_id", "ordered_at"]).assign(amount=5)
    ax = kept.plot_next_order(loyalty.next_order(Process.from_tables("p", orders=orders, as_of="2026-03-01")))
    dashed, solid = ax.lines[:2]
    assert list(solid.get_ydata()[[0, 9, 10, 59]]) == [0, 0, 0.25, 0.25] and len(dashed.get_ydata()) == 60
    assert "25.0 % of the clients come for a second order within 59 days" in texts(ax) and "1 → 2: 25.0 %" in texts(ax)
    few = kept.plot_next_order(loyalty.next_order(Process.from_tables("p", **SEVEN, **AS_OF)))
    assert not few.lines and "Too few clients" in texts(few)


@pytest.mark.parametrize("name", ["wholesale", "retail", "custom"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_nothing_undefined_or_small_is_shown_to_a_reader(name, language):
    process = read_company(ROOT / "data" / "demo", language=language).process(name)
    averages = [loyalty.average_retention(loyalty.cohort_retention(process, **call))
                for call in ({}, {"bounded": False}, {"per": "quarter", "by": "channel"})]
    for ax in (charts.plot_kept_curves(*averages[:2]), charts.plot_kept_by(averages[2], "quarter"),
               charts.plot_cohort_values(loyalty.cohort_retention(process, value="margin")),
               charts.plot_next_order(loyalty.next_order(process))):
        assert "nan" not in texts(ax).lower() and ax.get_xlabel()
        assert min(text.get_fontsize() for text in [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()]) >= 9


def test_groups_that_nobody_could_follow_are_a_sentence():
    """All of one month, observed for one month: there is no age but that of the first order."""
    orders = pd.DataFrame({"order_id": ["1", "2"], "customer_id": ["a", "b"], "ordered_at": "2026-01-10", "amount": 10})
    table = loyalty.cohort_retention(Process.from_tables("p", orders=orders, as_of="2026-02-05"), per="quarter", by="channel")
    start = loyalty.average_retention(table.assign(complete=True))
    assert "No group could be followed for a quarter yet" in texts(kept.plot_kept_by(start, "quarter"))
