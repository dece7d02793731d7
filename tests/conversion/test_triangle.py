"""The cohort triangle: hand-counted cells, its formula in plain Python, laws, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import CallError, MeasureError, conversion
from tests.conversion.cases import BAD_INPUTS, process_of


def _rows():
    """January: 40 leads, half won at age 10, half lost at age 40. April, 20 days before the end: 10 leads, 2 won at age 5."""
    old = [(0, "a", {"won": 10}) if n % 2 else (0, "a", {"lost": 40}) for n in range(40)]
    return old + [(100, "a", {"won": 5}) if n < 2 else (100, "a", {}) for n in range(10)]


def test_cells_by_hand():
    """At risk before day 5: 50, two win: F = 0.04, S = 0.96. Day 10: 48 at risk, 20 win: F = 0.44, S = 0.56. Eight run at age 20;
    then nothing but losses: their chance stays 0, so April keeps 2 / 10 at all ages; before age 20 it is observed."""
    table = conversion.cohort_triangle(process_of(_rows(), ["won"], days=120), horizon_days=60)
    assert table["age_days"].unique().tolist() == [7, 14, 21, 28, 35, 42, 49, 56, 60]
    january = table[table["cohort"] == "2025-01-01"].set_index("age_days")
    assert january["won_share"].tolist() == [0] + [0.5] * 8 and not january["projected"].any()
    april = table[table["cohort"] == "2025-04-01"].set_index("age_days")
    assert april["won_share"].tolist() == pytest.approx([0.2] * 9)
    assert april["projected"].tolist() == [False, False] + [True] * 7
    assert april["running_count"].tolist() == [0, 0] + [8] * 7 and april["won_count"].eq(2).all()


def test_a_young_cohort_by_hand():
    """Ten leads of age 4: each has (F(14) − F(4)) / S(4) = 0.5 to win by day 14, as half of the 40 old ones do."""
    rows = [(0, "a", {"won": 10} if n % 2 else {"lost": 12}) for n in range(40)] + [(116, "a", {}) for _ in range(10)]
    table = conversion.cohort_triangle(process_of(rows, ["won"], days=120), horizon_days=60)
    young = table[table["cohort"] == "2025-04-01"].set_index("age_days")
    assert young.loc[14, "won_share"] == pytest.approx(0.5) and young["projected"].all()
    assert young.loc[14, "won_low_share"] < 0.5 < young.loc[14, "won_high_share"]


OUTCOMES = st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["won", "lost", None]), st.integers(0, 120)), min_size=1,
                    max_size=60)


@settings(max_examples=12)
@given(OUTCOMES, st.integers(20, 150))
def test_by_the_formula_in_plain_python(outcomes, horizon):
    rows = [(day, "a", {what: age} if what and day + age < 320 else {}) for day, what, age in outcomes]
    process = process_of(rows, ["won"], days=320)
    table = conversion.cohort_triangle(process, horizon_days=horizon)
    curve = conversion.time_curve(process)
    won, still = curve["won_share"].to_numpy(), curve["running_share"].to_numpy()
    last = len(won) - 1
    for cell in table.itertuples():
        total = leads = 0
        for day, _, events in rows:
            if (pd.Timestamp("2025-01-01") + pd.Timedelta(days=day)).to_period("M").start_time != cell.cohort:
                continue
            leads += 1
            age = 320 - day
            if "won" in events:
                total += events["won"] <= cell.age_days
            elif not events and age < cell.age_days:
                chance = won[min(cell.age_days, last)] - won[min(age, last)]
                total += chance / still[min(age, last)] if still[min(age, last)] > 1e-12 else 0
        assert cell.leads_count == leads and cell.won_share == pytest.approx(total / leads, abs=1e-9)


@settings(max_examples=12)
@given(OUTCOMES)
def test_shares_never_fall_with_age_and_lie_within_their_limits(outcomes):
    rows = [(day, "a", {what: age} if what and day + age < 320 else {}) for day, what, age in outcomes]
    table = conversion.cohort_triangle(process_of(rows, ["won"], days=320), horizon_days=120)
    assert (table.groupby("cohort")["won_share"].diff().fillna(0) >= -1e-12).all()
    assert (table["won_low_share"] <= table["won_share"] + 1e-9).all()
    assert (table["won_share"] <= table["won_high_share"] + 1e-9).all()
    youngest = {start: 320 - max(row[0] for row in rows if pd.Timestamp("2025-01-01") + pd.Timedelta(days=row[0]) >= start
                                 and pd.Timestamp("2025-01-01") + pd.Timedelta(days=row[0]) < start + pd.DateOffset(months=1))
                for start in table["cohort"].unique()}
    assert (table["projected"] == (table["cohort"].map(youngest) < table["age_days"])).all()
    assert table.loc[table["running_count"] > 0, "projected"].all()


def test_cohorts_add_up_to_the_eventual_conversion(demo):
    """All cohorts by one curve: their last cells, weighted by leads, come near the figure of all leads together."""
    process = demo.process("retail")
    table = conversion.cohort_triangle(process)
    last = table[table["age"] == table["age"].max()]
    whole = conversion.eventual_conversion(process).iloc[0]
    assert last["leads_count"].sum() == whole.leads_count and last["won_count"].sum() == whole.won_count
    assert np.average(last["won_share"], weights=last["leads_count"]) == pytest.approx(whole.eventual_share, abs=0.002)


def test_leads_from_before_the_recording_are_left_out():
    process = process_of(_rows(), ["won"], days=120, observed_from="2025-03-01")
    assert conversion.cohort_triangle(process, horizon_days=60)["cohort"].dt.month.unique().tolist() == [4]


def test_another_period_is_refused():
    with pytest.raises(CallError, match="month"):
        conversion.cohort_triangle(process_of(_rows()), per="mounth")


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_gives_a_table_or_a_reason(name):
    try:
        table = conversion.cohort_triangle(BAD_INPUTS[name]())
    except MeasureError as error:
        assert name == "final state only" and "moment" in str(error)
    else:
        assert table[["won_share", "won_low_share", "won_high_share"]].notna().all().all()
