"""From step to step in time: a table counted by hand, statsmodels on the demo counted in plain pandas, hard input."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight

from funnel_lib import MeasureError, conversion
from funnel_lib.engine import collect
from funnel_lib.journeys import lead_states
from tests.conftest import ROOT
from tests.conversion.cases import BAD_INPUTS, process_of


def test_moves_by_hand():
    """Twelve leads talk on day 1. Four are won 2 days later, four 4 days later, two are lost 3 days later, and two, created
    on day 98, have run for one day; one more goes from its creation straight to the win, so it counts for the first move only."""
    rows = ([(0, "a", {"talk": 1, "won": 3})] * 4 + [(0, "a", {"talk": 1, "won": 5})] * 4
            + [(0, "a", {"talk": 1, "lost": 4})] * 2 + [(98, "a", {"talk": 1})] * 2 + [(0, "a", {"won": 9})])
    table = conversion.step_times(process_of(rows, days=100))
    first, second = table.to_dict("records")
    assert (first["from_step"], first["to_step"], first["leads_count"], first["reached_count"]) == ("lead", "talk", 13, 13)
    # Days to the first move: twelve times 1 and once 9, which is after the last day with ten at risk.
    assert (first["quarter_days"], first["median_days"], first["three_quarters_days"], first["horizon_days"]) == (1, 1, 1, 1)
    assert first["reached_share"] == pytest.approx(12 / 13)
    assert (second["leads_count"], second["reached_count"], second["lost_count"], second["running_count"]) == (12, 8, 2, 2)
    # Two leave with nothing known after day 1; of ten at risk four win on day 2, of six two are lost on day 3, four win on 4.
    curve = conversion.step_curves(process_of(rows, days=100)).query("to_step == 'won'").set_index("age_days")
    assert curve["at_risk_count"].to_dict() == {0: 12, 1: 12, 2: 10, 3: 6, 4: 4}
    assert curve["reached_share"].round(10).to_dict() == {0: 0, 1: 0, 2: 0.4, 3: 0.4, 4: 0.8}
    assert curve["lost_share"].loc[4] == pytest.approx(0.2)
    # Ten at risk on day 2 at the latest: the horizon; all of 0.4 came on that day.
    assert (second["horizon_days"], second["median_days"], second["reached_share"]) == (2, 2, pytest.approx(0.4))


def test_the_demo_counted_in_plain_pandas_equals_statsmodels(demo):
    """From contacted to a proposal or a win in wholesale, lead by lead; the curve by statsmodels."""
    events = duckdb.read_parquet(str(ROOT / "data/demo/stage_events.parquet")).df().drop_duplicates()
    process = demo.process("wholesale")
    states = conversion.states(process)
    own = events[events["lead_id"].str.startswith("W") & (events["entered_at"] < process.as_of)]
    leads = collect(lead_states(process).select("lead_id", "created_at", "state", "lost_at"))
    assert len(leads) == states["leads_count"].iloc[0]
    own = own.merge(leads, on="lead_id")
    start = own[own["step"] == "contacted"].groupby("lead_id")["entered_at"].min().rename("start")
    own = own.merge(start, on="lead_id")
    own["start"] = own[["start", "created_at"]].max(axis=1)
    later = own[own["step"].isin(["proposal", "won"]) & (own["entered_at"] >= own["start"])]
    leads = leads.set_index("lead_id").join(own.groupby("lead_id")["start"].first(), how="inner")
    leads["next"] = later.groupby("lead_id")["entered_at"].min()
    leads["end"] = leads["next"].fillna(leads["lost_at"]).fillna(process.as_of)
    status = np.where(leads["next"].notna(), 1, np.where(leads["state"] == "lost", 2, 0))
    days = ((leads["end"] - leads["start"]) / pd.Timedelta(days=1)).apply(np.floor)
    known = (leads["next"].notna() | (leads["state"] != "won")).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        other = CumIncidenceRight(days[known].to_numpy(), status[known])
    curve = conversion.step_curves(process).query("from_step == 'contacted'").set_index("age_days")
    np.testing.assert_allclose(curve["reached_share"][other.times.astype(int)], other.cinc[0], atol=1e-9)
    np.testing.assert_allclose(curve["lost_share"][other.times.astype(int)], other.cinc[1], atol=1e-9)


def test_groups_add_up(demo):
    process = demo.process("retail")
    counts = ["leads_count", "reached_count", "lost_count", "running_count", "untimed_count"]
    every = conversion.step_times(process).set_index("to_step")[counts]
    parts = conversion.step_times(process, by="channel").groupby("to_step")[counts].sum()
    pd.testing.assert_frame_equal(parts.loc[every.index], every)
    assert (every["leads_count"] == every[["reached_count", "lost_count", "running_count"]].sum(axis=1)).all()


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_gives_a_table_or_a_reason(name):
    try:
        table = conversion.step_times(BAD_INPUTS[name]())
    except MeasureError as error:
        assert "entered" in str(error)
        return
    assert len(table) and table["reached_share"].between(0, 1).all()
    assert (table["leads_count"] == table[["reached_count", "lost_count", "running_count"]].sum(axis=1)).all()
