"""Charts of recommendations and loyalty: bars, dots and names read back from the axes and compared with the table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import Process, loyalty
from funnel_lib.charts import recommended as charts
from tests.charts.test_lead_flow import texts
from tests.loyalty.test_chains import small, tables
from tests.loyalty.test_referred import SETTINGS, shop
from tests.loyalty.test_survey import SURVEY, asked, crowd


def everything(ax) -> str:
    return " ".join([texts(ax), *(texts(panel) for panel in ax.child_axes)])


def dots(ax) -> list[tuple[float, float]]:
    return [tuple(point) for collection in ax.collections for point in collection.get_offsets().tolist()]


def test_panels_carry_the_shares_and_say_what_is_beyond_chance():
    table = loyalty.referred_comparison(Process.from_tables("p", **shop((40, 30, 15), (100, 40, 10)), **SETTINGS))
    ax = charts.plot_referred_comparison(table)
    widths = [[bar.get_width() for bar in panel.patches] for panel in ax.child_axes]
    assert widths[0] == pytest.approx([0.75, 0.4]) and widths[1] == pytest.approx([0.5, 0.25])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["By\nrecommendation", "Other"]
    assert ax.get_title(loc="left").startswith("Recommended leads buy more often; recommended clients")
    few = charts.plot_referred_comparison(loyalty.referred_comparison(Process.from_tables("p", **shop((9, 5, 1), (9, 5, 1)), **SETTINGS)))
    assert "too few" in texts(few).lower() and all(bar.get_alpha() < 1 for panel in few.child_axes for bar in panel.patches)


def test_every_person_of_a_tree_is_a_dot_under_whoever_brought_them():
    """a over b and c, b over d: c is free on the right; b stands over d, a in the middle; x over f over g."""
    ax = charts.plot_referral_forest(loyalty.referral_forest(small()))
    levels = sorted(y for _, y in dots(ax))
    assert [round(y - levels[0]) for y in levels] == [0, 0, 1, 1, 1, 2, 2] and len(ax.lines) == 5
    assert "a\nbrought 2, 3 in all" in [text.get_text() for text in ax.texts]
    assert "hollow: no order" in texts(ax) and ax.get_title(loc="left").startswith("One recommender brought 2 of the 5 new")


def test_small_trees_are_counted_and_a_dollar_is_no_formula():
    bought = {f"$c{n}_$": ("2026-01-05", 10) for n in range(12)} | {f"n{n}": ("2026-02-05", 10) for n in range(14)}
    names = {f"n{n}": f"$c{n % 12}_$" for n in range(14)}
    ax = charts.plot_referral_forest(loyalty.referral_forest(small(**tables(bought, names))))
    ax.figure.canvas.draw()
    assert len(dots(ax)) == 6 and "not drawn, recommenders of one client: 10" in texts(ax)
    assert any(text.get_text().startswith("$c0_$") for text in ax.texts)


def test_the_recommender_with_fourteen_is_drawn_whole(demo):
    ax = charts.plot_referral_forest(loyalty.referral_forest(demo.process("custom")))
    assert texts(ax).startswith("One recommender brought 14 of the 44")
    assert any("brought 14, 15 in all" in text.get_text() for text in ax.texts)
    places = np.array(dots(ax))
    assert np.unique(places.round(6), axis=0).shape == places.shape and not any("more" in text.get_text() for text in ax.texts[:1])


def test_of_five_hundred_the_top_is_drawn_and_the_rest_counted():
    random = np.random.default_rng(3)
    names = [f"c{n:03d}" for n in range(500)]
    bought = {name: (pd.Timestamp(2025, 2, 1) + pd.Timedelta(hours=n), n + 1) for n, name in enumerate(names)}
    named = {names[n]: names[int(n * random.random()**2.5)] for n in range(1, 500)}
    ax = charts.plot_referral_forest(loyalty.referral_forest(small(**tables(bought, named))))
    shown = len(dots(ax))
    assert 17 < shown <= charts.MOST_NODES and f"and {500 - shown} more" in [text.get_text() for text in ax.texts]
    assert len({round(y, 3) for _, y in dots(ax)}) > 2
    places = np.array(dots(ax))
    assert places[:, 0].max() <= charts.ROW_WIDTH


def test_bars_of_the_index_are_the_groups():
    """In the second quarter two detractors; all together 1, 1 and 2 of 4."""
    ax = charts.plot_loyalty_index(loyalty.loyalty_over_time(asked()), loyalty.loyalty_index(asked()))
    widths = np.array([bar.get_width() for bar in ax.patches]).reshape(-1, 3)
    assert widths.tolist() == pytest.approx(np.array([[0.5, 0.25, 0.25], [0, 2 / 3, 1 / 3], [1, 0, 0]]))
    assert [label.get_text().split("\N{NO-BREAK SPACE}")[-1] for label in ax.get_yticklabels()] == ["all together (4)", "2026 (3)", "2026 (2)"]
    assert "−25" in texts(ax) and "cannot be told" in texts(ax) and "lighter" in texts(ax)
    happy = charts.plot_loyalty_index(loyalty.loyalty_over_time(crowd(20, 4)), loyalty.loyalty_index(crowd(20, 4)))
    assert texts(happy).startswith("More clients would recommend than advise against: loyalty index +50")
    alone = charts.plot_loyalty_index(loyalty.loyalty_over_time(asked(SURVEY.head(1))))
    assert len(alone.patches) == 3


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_nothing_undefined_is_shown_to_a_reader(demo, name):
    process = demo.process(name)
    for ax in (charts.plot_referred_comparison(loyalty.referred_comparison(process)),
               charts.plot_referral_forest(loyalty.referral_forest(process)),
               charts.plot_loyalty_index(loyalty.loyalty_over_time(process), loyalty.loyalty_index(process))):
        assert "nan" not in everything(ax).lower() and "inf" not in everything(ax).lower()
        ticks = [*ax.get_xticklabels(), *ax.get_yticklabels()]
        assert min(text.get_fontsize() for text in [*ax.texts, *ticks]) >= 9
