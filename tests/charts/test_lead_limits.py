"""Charts of limits, weekdays, segments and cards, read back from the axes and compared with the tables."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from funnel_lib import Process, cards, charts, lead_flow
from tests.charts.test_lead_flow import texts
from tests.lead_flow.test_flow import MONDAY, leads_per_week, weekly
from tests.lead_flow.test_segments import LEADS, SETTINGS, TABLES
from tests.test_cards import DESCRIBED, WORK
from tests.test_cards import LEADS as CARD_LEADS


def _smallest(ax) -> float:
    marks = [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels()]
    for panel in ax.child_axes:
        marks += [*panel.texts, *panel.get_xticklabels(), *panel.get_yticklabels()]
    return min([text.get_fontsize() for text in marks], default=9)


def test_signals_are_marked_and_named_and_the_unfinished_week_is_hollow():
    table = lead_flow.flow_limits(weekly([10, 13] * 10 + [40], unfinished=4))
    ax = charts.plot_flow_limits(table, SimpleNamespace(needed_per_week=15))
    assert "1 week outside the limits; the other 20 are noise" in texts(ax).replace("\n", " ")
    assert "25 May 2026: 40" in texts(ax)
    done, hollow = ax.lines[:2]
    assert list(done.get_ydata()) == table["leads_count"].iloc[:-1].tolist() and list(hollow.get_ydata()) == [4]
    assert hollow.get_markerfacecolor() == "white"
    named = [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in ax.get_legend().get_texts()]
    assert named == ["Outside the limits", "Noise", "week not wholly observed", "needed for the plan: 15"]


def test_too_few_weeks_say_so_and_groups_have_panels():
    ax = charts.plot_flow_limits(lead_flow.flow_limits(weekly([5] * 3, unfinished=1)))
    assert "3 complete weeks: too few to tell signal from noise" in texts(ax)
    leads = pd.concat([leads_per_week([10, 12] * 6), leads_per_week([3] * 12, "fair"), leads_per_week([1], "rare")])
    process = Process.from_tables("p", leads=leads, as_of=MONDAY + pd.Timedelta(weeks=12))
    ax = charts.plot_flow_limits(lead_flow.flow_limits(process, by="channel"))
    assert [panel.get_title(loc="left") for panel in ax.child_axes] == [
        "ads · 0 signals", "fair · 0 signals", "rare · too few for limits"]


def test_weekday_bars_are_the_leads_a_day(demo):
    profile = lead_flow.weekday_profile(demo.process("wholesale"))
    ax = charts.plot_weekday_profile(profile)
    assert [bar.get_height() for bar in ax.patches] == profile["leads_per_day"].tolist()
    assert "Most leads: Wednesday" in texts(ax) and "156 whole weeks" in texts(ax)
    assert "No whole week" in texts(charts.plot_weekday_profile(lead_flow.weekday_profile(weekly([], unfinished=2))))


def test_cells_of_the_matrix_say_the_counts_and_the_target_is_framed():
    matrix = lead_flow.channel_segments(Process.from_tables("p", **TABLES, **SETTINGS))
    ax = charts.plot_channel_segments(matrix)
    said = [text.get_text().split("\n")[0] for text in ax.texts][:12]
    assert said == [str(count) for count in matrix["leads_count"]]
    assert len([patch for patch in ax.patches if isinstance(patch, Rectangle) and not patch.get_fill()]) == 1
    assert "The largest group is “shop” from “ads”: 3 of 7 leads" in texts(ax)


def test_of_many_channels_and_segments_the_smallest_are_joined():
    leads = pd.DataFrame({"lead_id": [str(n) for n in range(1100)], "created_at": "2026-01-05",
                          "channel": [f"c{n % 11}" for n in range(1100)], "segment": [f"s{n % 10}" for n in range(1100)]})
    ax = charts.plot_channel_segments(lead_flow.channel_segments(Process.from_tables("p", leads=leads, as_of="2026-02-01")))
    cells = [int(text.get_text().split("\n")[0]) for text in ax.texts if text.get_text().split("\n")[0].isdigit()]
    assert len(ax.get_xticklabels()) == len(ax.get_yticklabels()) == 8 and sum(cells) == 1100
    assert "(the rest): 4" in ax.get_yticklabels()[-1].get_text()


def test_target_bars_are_the_shares():
    table = lead_flow.target_conversion(Process.from_tables("p", **TABLES, **SETTINGS))
    ax = charts.plot_target_conversion(table)
    assert [bar.get_width() for bar in ax.patches] == table["won_share"].tolist()
    assert "33.3 %   (1 / 3)   €20 per lead" in texts(ax) and "apart: 33.3 % against 100 %" in texts(ax)
    unknown = Process.from_tables("p", leads=LEADS.assign(segment=None), target_segments=["shop"], as_of="2025-06-15")
    assert "cannot be told yet" in texts(charts.plot_target_conversion(lead_flow.target_conversion(unknown)))


# -- the cards ---------------------------------------------------------------------------------------------------------


def _drawn(described: list, work: pd.DataFrame | None = None, stage: str = "lead_generation", **settings):
    tables = {} if work is None else {"work": work}
    process = Process.from_tables("p", leads=CARD_LEADS, cards=described, as_of="2026-02-01", **tables, **settings)
    return charts.plot_cards(cards.cards(process, stage))


def test_boxes_stand_in_order_with_their_levels_and_what_the_log_shows():
    ax = _drawn(DESCRIBED, WORK)
    boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert len(boxes) == 5  # three cards, work without a card, and with one that is not described
    tops = [box.get_y() for box in boxes]
    assert tops == sorted(tops) and [box.get_linestyle() for box in boxes] == ["-"] * 3 + ["--"] * 2
    filled = [circle.get_facecolor()[:3] != (1, 1, 1) for circle in ax.patches if isinstance(circle, Circle)]
    assert filled == [True, False, False, False, True, True, False, False]  # levels 1 and 2; the third card states none
    said = texts(ax)
    assert "call caller · phone Scripted · Norm: 6 minutes · €12" in said and "Executions: 4 · Hours: 1" in said
    assert "Share of leads: 50.0 %" in said or "Share of leads" in said
    assert "3 cards are described, 1 of them never shows in the log of work" in said


def test_an_arrow_joins_output_and_input():
    chain = [{"key": f"c{n}", "stage": "conversion", "input": f"thing {n}", "output": f"thing {n + 1}"} for n in range(3)]
    said = [text.get_text() for text in _drawn(chain, stage="conversion").texts]
    assert [said.count(f"thing {n}") for n in range(4)] == [1, 1, 1, 1]
    apart = [{**card, "input": "something"} for card in chain]
    assert [text.get_text() for text in _drawn(apart, stage="conversion").texts].count("something") == 3


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("number", [1, 2, 12, 15])
def test_long_names_stay_inside_their_boxes(number, language):
    described = [{"key": f"k{n}", "stage": "conversion", "name": "Подготовка предложения и согласование условий поставки " * 2,
                  "means": "телефон и корпоративная система учёта заявок", "level": n % 5, "norm_minutes": 7,
                  "output": "очень длинное название результата этой работы"} for n in range(number)]
    ax = _drawn(described, stage="conversion", language=language)
    ax.figure.canvas.draw()
    boxes = [patch.get_window_extent() for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    assert len(boxes) == min(number, 12)
    for text in (text for text in ax.texts if text.get_zorder() == 4 and text.get_position()[0] < 1):
        extent = text.get_window_extent()
        assert any(box.x0 <= extent.x0 and extent.x1 <= box.x1 and box.y0 - 1 <= extent.y0 and extent.y1 <= box.y1 + 1 for box in boxes)
    said = texts(ax).lower()
    assert {"en": "no log of work", "ru": "учёта работ нет"}[language] in said and "nan" not in said


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_nothing_undefined_is_shown_to_a_reader(demo, name):
    process = demo.process(name)
    drawn = [charts.plot_flow_limits(lead_flow.flow_limits(process)), charts.plot_flow_limits(lead_flow.flow_limits(process, by="channel")),
             charts.plot_weekday_profile(lead_flow.weekday_profile(process)),
             charts.plot_channel_segments(lead_flow.channel_segments(process)),
             charts.plot_target_conversion(lead_flow.target_conversion(process)),
             *(charts.plot_cards(cards.cards(process, stage)) for stage in ("lead_generation", "conversion", "account_management"))]
    for ax in drawn:
        assert "nan" not in texts(ax).lower().replace("finance", "") and "none" not in texts(ax).lower()
        assert _smallest(ax) >= 9
