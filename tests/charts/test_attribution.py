"""The chart of attribution: marks, ranges, order and headline read back and compared with the table."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from funnel_lib import charts, lead_flow
from funnel_lib.charts import style
from funnel_lib.lead_flow.attribution import MODELS
from tests.charts.test_lead_flow import texts
from tests.test_attribution import EVENTS, process


def test_marks_stand_at_the_figures_and_the_widest_range_is_on_top(demo):
    models = lead_flow.attribution_models(demo.process("retail"))
    ax = charts.plot_attribution_models(models)
    assert len(ax.collections) == len(MODELS)
    for marks, model in zip(ax.collections, MODELS, strict=True):
        assert marks.get_offsets()[:, 0].tolist() == pytest.approx(models[f"{model}_conversions"].tolist())
    spans = [max(line.get_xdata()) - min(line.get_xdata()) for line in ax.lines]
    assert spans == pytest.approx(models["spread_conversions"].tolist()) and spans[0] == max(spans)
    assert [to_hex(line.get_color()) == style.VERMILION.lower() for line in ax.lines] == models["models_differ"].tolist()
    assert [label.get_text() for label in ax.get_legend().get_texts()] == [
        "First touch", "Last touch", "Linear", "Time decay", "Position", "Markov"]
    assert "Models of attribution disagree most on “Student blog”: 194–270 conversions" in headline(ax)
    assert ax.get_yticklabels()[-1].get_text() == "(no touches)" and ax.get_xlim()[0] == 0


def headline(ax) -> str:
    """The headline, on however many lines."""
    bold = [note.get_text() for note in ax.texts if note.get_fontweight() == "bold"]
    return " ".join([ax.get_title(loc="left"), *bold]).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(("changes", "said"), [
    ({}, "Too few conversions to tell the models apart; the widest range is “a”: 0–2"),
    ({"stage_events": EVENTS.assign(step="lost")}, "there is nothing to attribute"),
    ({"touches": pd.DataFrame({"lead_id": ["L1"], "channel": ["a"], "touched_at": ["2026-01-02"]})}, "All models of attribution agree")])
def test_headlines_of_odd_data(changes, said):
    ax = charts.plot_attribution_models(lead_flow.attribution_models(process(**changes)))
    assert said in headline(ax)


def test_many_channels_show_the_widest_ranges_and_the_leads_without_touches(demo):
    models = lead_flow.attribution_models(demo.process("retail"))
    many = pd.concat([models.iloc[:5].assign(channel=[f"c{turn}{n}" for n in range(5)]) for turn in range(3)] + [models.iloc[5:]])
    ax = charts.plot_attribution_models(many)
    assert len(ax.get_yticklabels()) == style.MOST_CATEGORIES and ax.get_yticklabels()[-1].get_text() == "(no touches)"
    assert "8 of 16 rows" in texts(ax)
