"""Technology cards beside the log of work, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import CallError, MeasureError, Process, cards, lead_flow
from tests.engines import assert_parity, on_engines

LEADS = pd.DataFrame({"lead_id": ["1", "2", "3", "spam"], "created_at": "2026-01-05"})
EVENTS = pd.DataFrame({"lead_id": ["spam"], "step": ["lost"], "entered_at": ["2026-01-06"], "reason": ["spam"]})
WORK = pd.DataFrame(
    [("lead_generation", "call", 0.1, "1"), ("lead_generation", "call", 0.2, "1"), ("lead_generation", "call", 0.3, "2"),
     ("lead_generation", "call", 0.4, "spam"), ("lead_generation", "ads", 5, None), ("lead_generation", None, 2, "3"),
     ("lead_generation", "typo", 1, None), ("conversion", "call", 9, "3")],
    columns=["stage", "card", "hours", "lead_id"]).assign(date="2026-01-06", role="caller")
DESCRIBED = [{"key": "visit", "stage": "lead_generation", "level": 1},
             {"key": "call", "stage": "lead_generation", "role": "caller", "means": "phone", "norm_minutes": 6, "cost": 12,
              "input": {"en": "list", "ru": "список"}, "level": 2},
             {"key": "ads", "stage": "lead_generation"}, {"key": "offer", "stage": "conversion"}]
SETTINGS = {"steps": ["won"], "not_leads": ["spam"], "cards": DESCRIBED, "as_of": "2026-02-01"}


def test_each_card_by_hand():
    """`call`: four executions in an hour, two of the three new leads; ads never name a lead; visits were never made."""
    tables = {"leads": LEADS, "stage_events": EVENTS, "work": WORK}
    table = assert_parity(lead_flow.cards, on_engines("p", tables, **SETTINGS))
    assert table["card"].tolist() == ["visit", "call", "ads", "(missing)", "other"]
    call = table.iloc[1]
    assert (call.role, call.means, call.input, call.norm_minutes, call.norm_cost_amount, call.level) == (
        "caller", "phone", "list", 6, 12, 2)
    assert table["executions_count"].tolist() == [0, 4, 1, 1, 1]
    assert table["hours"].tolist() == pytest.approx([0, 1, 5, 2, 1])
    assert table["actual_minutes"].tolist() == pytest.approx([np.nan, 15, 300, 120, 60], nan_ok=True)
    assert table["leads_touched_share"].tolist() == pytest.approx([np.nan, 2 / 3, np.nan, 1 / 3, np.nan], nan_ok=True)


def test_hours_of_the_cards_are_the_hours_of_the_stage(demo):
    process = demo.process("wholesale")
    for stage in ("lead_generation", "conversion", "account_management"):
        work = process.table("work").collect("pandas").to_native()
        assert cards.cards(process, stage)["hours"].sum() == pytest.approx(work.loc[work["stage"] == stage, "hours"].sum())


def test_descriptions_alone_and_nothing_at_all():
    table = cards.cards(Process.from_tables("p", leads=LEADS, cards=DESCRIBED, as_of="2026-02-01"), "conversion")
    assert table["card"].tolist() == ["offer"] and table["hours"].isna().all()
    with pytest.raises(MeasureError, match="needs technology cards"):
        cards.cards(Process.from_tables("p", leads=LEADS, as_of="2026-02-01"), "conversion")
    with pytest.raises(CallError, match="Did you mean 'conversion'"):
        cards.cards(Process.from_tables("p", leads=LEADS), "convertion")
