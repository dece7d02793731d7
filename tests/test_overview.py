"""The company at a glance: the same figures as the exercises', failed and missing ones left open."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from funnel_lib import answers, charts, conversion, efficiency, loyalty, overview
from funnel_lib.findings import finding


def test_figures_are_those_of_the_exercises(demo):
    table = overview.processes(demo).set_index("process")
    for name in demo.process_names:
        process = demo.process(name)
        assert table.loc[name, "eventual_share"] == conversion.eventual_conversion(process)["eventual_share"].iloc[0]
        assert table.loc[name, "repeat_share"] == loyalty.repeat_share(process).share
        sheet = efficiency.efficiency_sheet(process).set_index("stage")
        assert table.loc[name, "hours_per_result"] == sheet.loc["all", "hours_per_result"]


def test_a_process_with_errors_costs_the_others_nothing(demo):
    broken = dataclasses.replace(demo, findings=(*demo.findings, finding(
        "too_many_set_aside", "leads", 9, process="retail", total=10, allowed=5)))
    table = overview.processes(broken).set_index("process")
    assert table.loc["retail"].isna().all() and table.loc["wholesale"].notna().all()
    said = [str(sentence) for sentence in answers.overview(broken)]
    assert any(sentence.startswith("Retail: there is nothing to measure yet, or its data have errors") for sentence in said)
    assert charts.plot_processes(overview.processes(broken)) is not None


def test_differences_are_called_certain_only_where_intervals_are_apart(demo):
    said = answers.overview(demo)[0]
    table = overview.processes(demo).sort_values("eventual_share")
    apart = table["eventual_low_share"].iloc[-1] > table["eventual_high_share"].iloc[0]
    assert said.numbers["apart"] == apart


def test_leads_a_week_by_hand(demo):
    """Mean of the last 52 complete weeks, counted on the lead states themselves."""
    from funnel_lib.engine import collect
    from funnel_lib.journeys import lead_states

    process = demo.process("custom")
    created = collect(lead_states(process).select("created_at"))["created_at"]
    end = pd.Timestamp("2026-06-29")  # the Monday of the unfinished week
    weeks = created[(created >= end - pd.Timedelta(weeks=52)) & (created < end)]
    table = overview.processes(demo).set_index("process")
    assert np.isclose(table.loc["custom", "leads_per_week"], len(weeks) / 52)
