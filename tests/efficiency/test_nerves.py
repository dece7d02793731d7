"""Nerves: counted by hand, a second way for the moves back, and what is left without the question about strain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import CallError, MeasureError, Process, charts, conversion, efficiency
from tests.efficiency.company import SETTINGS, TABLES, changed
from tests.engines import assert_parity, on_engines


def test_every_cell_by_hand():
    rows = assert_parity(efficiency.nerves, on_engines("p", TABLES, **SETTINGS)).set_index("stage")
    assert rows["strain"].tolist() == [2, 4, 1, 3]
    assert rows["strain_hours"].tolist() == [3, 14.5, 0, 17.5]
    assert rows["strain_hours_per_result"].tolist() == [1, 7.25, 0, 8.75]
    # `b` was lost after its contact; `a` and `c` won.
    assert rows["refusals_count"].tolist() == [0, 1, 0, 1]
    assert rows["wins_count"].tolist() == [2, 2, 0, 2]
    assert rows.loc["conversion", "refusals_per_win"] == 0.5
    # Wilson's limits of 1 of 3 are 0.0615 and 0.7923.
    assert rows.loc["conversion", "refusals_per_win_low"] == pytest.approx(0.0615 / 0.9385, abs=2e-4)
    assert rows.loc["conversion", "refusals_per_win_high"] == pytest.approx(0.7923 / 0.2077, abs=2e-3)
    assert np.isnan(rows.loc["account_management", "refusals_per_win"])
    assert rows["returns_count"].tolist()[1:] == [0, 0, 0]


def test_limits_of_strain_hours_by_hand():
    # Conversion: seller 3 hours, answers 4 and 5 (variance 0.5); caller 2 hours with one answer, which varies as the stage does
    # (4, 5, 3: variance 1). The two customers are a count of 2.
    error = 9 * 0.5 / 2 + 4 * 1 / 1
    half = 1.959964 * np.sqrt(error / 14.5**2 + 1 / 2)
    row = efficiency.nerves(changed()).set_index("stage").loc["conversion"]
    assert row["strain_hours_per_result_low"] == pytest.approx(7.25 * np.exp(-half))
    assert row["strain_hours_per_result_high"] == pytest.approx(7.25 * np.exp(half))


def test_strain_hours_are_those_of_the_sheet(demo):
    for name in demo.process_names:
        rows = efficiency.nerves(demo.process(name)).set_index("stage")
        sheet = efficiency.efficiency_sheet(demo.process(name)).set_index("stage")
        stages = ["lead_generation", "conversion", "account_management"]
        pd.testing.assert_series_equal(rows.loc[stages, "strain_hours"], sheet.loc[stages, "strain_hours"])
        by_role = efficiency.nerves(demo.process(name), by="role")
        assert by_role.groupby("stage")["strain_hours"].sum()[stages].to_numpy() == pytest.approx(
            rows.loc[stages, "strain_hours"].to_numpy())


def test_moves_back_are_the_returns_of_the_transitions(demo):
    """The second way: every move of every lead, counted by kind."""
    for name in demo.process_names:
        process = demo.process(name)
        moves = [conversion.transitions(process, returning=returning) for returning in (False, True)]
        returns = [table.loc[table["kind"] == "return", "events_count"].sum() for table in moves]
        found = efficiency.nerves(process).set_index("stage")["returns_count"]
        assert found[["conversion", "account_management"]].tolist() == returns
        assert found["all"] == sum(returns)


@pytest.mark.parametrize(("steps", "expected"), [
    (["contacted", "proposal", "won"], 0), (["proposal", "contacted", "won"], 1), (["contacted", "proposal", "contacted", "proposal"], 1),
    (["contacted", "lost", "contacted"], 1), (["lost", "proposal", "lost"], 1), (["contacted", "contacted"], 1), (["contacted", "won"], 0)])
@pytest.mark.parametrize("untimed", [False, True])
def test_moves_back_of_one_lead(steps, expected, untimed):
    leads = pd.DataFrame({"lead_id": ["a", "b"], "created_at": ["2026-01-01", "2026-01-01"]})
    events = pd.DataFrame({"lead_id": "a", "step": steps, "entered_at": [f"2026-01-{day + 2:02d}" for day in range(len(steps))]})
    if untimed:
        events = pd.concat([events, pd.DataFrame([("b", "contacted", None)], columns=events.columns)])
    process = Process.from_tables("p", leads=leads, stage_events=events, steps=["contacted", "proposal", "won"], as_of="2026-04-01")
    assert efficiency.nerves(process).set_index("stage").loc["conversion", "returns_count"] == expected


def test_refusals_add_up_to_the_lost_leads(demo):
    for name in demo.process_names:
        process = demo.process(name)
        rows = efficiency.nerves(process).set_index("stage")["refusals_count"]
        lost = [conversion.states(process, returning=returning)["lost_count"].iloc[0] for returning in (False, True)]
        assert rows["lead_generation"] + rows["conversion"] == lost[0]
        assert rows["account_management"] == lost[1] and rows["all"] == sum(lost)


def test_without_the_question_the_log_still_speaks():
    rows = efficiency.nerves(changed(drop="pulse")).set_index("stage")
    assert rows["strain"].isna().all() and rows["strain_hours"].isna().all()
    assert rows.loc["conversion", "refusals_per_win"] == 0.5
    ax = charts.plot_nerves(efficiency.nerves(changed(drop="pulse")))
    assert ax.get_title(loc="left") == "A win in conversion takes 0.500 refusals"


def test_without_both_it_says_what_is_missing():
    with pytest.raises(MeasureError, match="'pulse'"):
        efficiency.nerves(Process.from_tables("p", leads=TABLES["leads"]))
    with pytest.raises(CallError, match="role"):
        efficiency.nerves(changed(), by="employee")


def test_panels_have_the_bars_of_the_table():
    rows = efficiency.nerves(changed())
    ax = charts.plot_nerves(rows)
    columns = ["strain", "strain_hours_per_result", "refusals_per_win", "returns_per_win"]
    drawn = [[bar.get_width() for bar in panel.patches] for panel in ax.child_axes]
    assert np.allclose(drawn, [rows[column].head(3).fillna(0) for column in columns])
    assert [text.get_text() for text in ax.child_axes[2].texts][2] == "n/a"
