"""What changed: hand-made periods, textbook decompositions, laws, the demonstration's paradox, trends, bad input."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_lib import CallError, MeasureError, conversion
from funnel_lib.conversion.change import chain_changes, kitagawa
from tests.conversion.cases import BAD_INPUTS, process_of


def _leads(day: int, channel: str, won: int, leads: int) -> list[tuple]:
    return [(day, channel, {"talk": 1, "won": 5} if n < won else {"talk": 1} if n % 2 else {}) for n in range(leads)]


def _paradox(**settings):
    """First quarter: good 50 of 100, bad 5 of 50. Second: good 33 of 60, bad 18 of 120. Both rise, the whole falls."""
    rows = _leads(5, "good", 50, 100) + _leads(6, "bad", 5, 50) + _leads(95, "good", 33, 60) + _leads(96, "bad", 18, 120)
    return process_of(rows, days=185, conversion_window_days=20, **settings)


def test_the_paradox_by_hand():
    """Δw of good 1/3 − 2/3, r̄ (0.5 + 0.55) / 2; of bad +1/3, (0.1 + 0.15) / 2; w̄ = 1/2 each, Δr = 0.05 each."""
    table = conversion.change_decomposition(_paradox()).set_index(["part", "kind"])["change_share"]
    assert table["good", "mix"] == pytest.approx(-1 / 3 * 0.525) and table["bad", "mix"] == pytest.approx(1 / 3 * 0.125)
    assert table["good", "rate"] == pytest.approx(0.025) and table["bad", "rate"] == pytest.approx(0.025)
    assert table.sum() == pytest.approx(51 / 180 - 55 / 150)


def test_periods_window_and_counts_are_said():
    row = conversion.change_decomposition(_paradox()).iloc[0]
    assert (row.before_from, row.after_from) == (pd.Timestamp("2025-01-01"), pd.Timestamp("2025-04-01"))
    assert row.equal_window_days == 20 and (row.before_whole_count, row.after_whole_count) == (150, 180)
    assert row.overall_change_low_share < row.overall_change_share < row.overall_change_high_share


def test_a_young_period_is_compared_at_its_own_age_or_too_early():
    """Half of the wins are in by day 5. The second quarter ended 10 days ago: both are followed for 10 days; 3 days: too early."""
    rows = _leads(5, "a", 20, 60) + _leads(175, "a", 20, 60)
    table = conversion.change_decomposition(process_of(rows, days=191, conversion_window_days=60), last="2025-04-01")
    assert table["equal_window_days"].eq(10).all() and table["change_share"].sum() == pytest.approx(0)
    with pytest.raises(MeasureError, match="too early"):
        conversion.change_decomposition(process_of(rows, days=184, conversion_window_days=60), last="2025-04-01")


def test_kitagawa_takes_the_others_rate_for_an_absent_group():
    """Group 2 is new: only its coming counts, as mix at its own rate."""
    mix, rates = kitagawa([100, 0], [20, 0], [50, 50], [10, 40])
    assert mix.tolist() == pytest.approx([-0.5 * 0.2, 0.5 * 0.8]) and rates.tolist() == pytest.approx([0, 0])


COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=4, max_size=4)


@given(COUNTS, COUNTS)
def test_mix_and_rates_add_up(before, after):
    (one_leads, one_won), (two_leads, two_won) = (
        (np.array([max(pair) for pair in side]), np.array([min(pair) for pair in side])) for side in (before, after))
    if not (one_leads.sum() and two_leads.sum()):
        return
    mix, rates = kitagawa(one_leads, one_won, two_leads, two_won)
    assert mix.sum() + rates.sum() == pytest.approx(two_won.sum() / two_leads.sum() - one_won.sum() / one_leads.sum(), abs=1e-12)


def _shapley_by_orders(before, after):
    """The mean over all orders in which the rates may change one after the other."""
    total, orders = np.zeros(len(before)), list(permutations(range(len(before))))
    for order in orders:
        now = np.array(before, dtype=float)
        for place in order:
            changed = now.copy()
            changed[place] = after[place]
            total[place] += changed.prod() - now.prod()
            now = changed
    return total / len(orders)


RATES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), min_size=4, max_size=4)


@given(RATES, RATES)
def test_parts_of_the_steps_add_up(before, after):
    parts = chain_changes(np.array(before), np.array(after))
    assert parts.sum() == pytest.approx(np.prod(after) - np.prod(before), abs=1e-12)
    unchanged = np.array(before) == np.array(after)
    assert np.allclose(parts[unchanged], 0, atol=1e-12)
    if 0 in before or 0 in after:
        assert parts == pytest.approx(_shapley_by_orders(before, after), abs=1e-12)


def test_steps_of_a_process_add_up_and_name_the_step():
    """Only the rate of `won` changed: talk 2/2 in both, won 0.5 → 0.25."""
    rows = [(5, "a", {"talk": 1, "won": 5} if n < 30 else {"talk": 1}) for n in range(60)]
    rows += [(95, "a", {"talk": 1, "won": 5} if n < 15 else {"talk": 1}) for n in range(60)]
    table = conversion.change_decomposition(process_of(rows, days=185, conversion_window_days=20), by="step").set_index("part")
    assert table["change_share"].to_dict() == pytest.approx({"talk": 0, "won": -0.25})
    assert table["kind"].eq("rate").all()


def test_retails_mix_explains_the_fall_while_every_channel_rises(demo):
    table = conversion.change_decomposition(demo.process("retail"))
    sums = table.groupby("kind")["change_share"].sum()
    assert table["overall_change_share"].iloc[0] < -0.01 and sums["mix"] < -0.03
    assert (table.loc[table["kind"] == "rate", "change_share"] > 0).all()


@pytest.mark.parametrize("by", ["channel", "owner", ["channel", "segment"], "step"])
@pytest.mark.parametrize("process", ["retail", "wholesale", "custom"])
def test_parts_add_up_to_the_whole(demo, process, by):
    table = conversion.change_decomposition(demo.process(process), by=by)
    whole = table["overall_after_share"].iloc[0] - table["overall_before_share"].iloc[0]
    assert table["change_share"].sum() == pytest.approx(whole, abs=1e-12)


def test_another_period_and_a_missing_column_are_refused():
    with pytest.raises(CallError, match="Did you mean 'month'"):
        conversion.change_decomposition(_paradox(), per="mont")
    with pytest.raises(MeasureError, match="segment"):
        conversion.change_decomposition(_paradox(), by="segment")


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_is_decomposed_or_refused_with_the_reason(name):
    try:
        table = conversion.change_decomposition(BAD_INPUTS[name]())
    except MeasureError as error:
        assert "too early" in str(error) or "moments" in str(error)
    else:
        assert table["change_share"].notna().all()


# -- trends ----------------------------------------------------------------------------------------------------------------


def test_trend_counts_complete_periods_in_plain_pandas():
    """20 leads a month for 15 months, the rate of `won` 0.5, in June 2025 all: that month alone is outside the limits."""
    rows = [(int((pd.Timestamp("2025-01-01") + pd.DateOffset(months=month) - pd.Timestamp("2025-01-01")).days) + 1, "a",
             {"talk": 1, **({"won": 5} if n < (20 if month == 5 else 10 + month % 2) else {})})
            for month in range(15) for n in range(20)]
    table = conversion.step_trend(process_of(rows, days=470, conversion_window_days=30)).set_index(["step", "period_start"])
    won = table.loc["won"]
    assert len(won) == 14, "the last month is not 30 days old"
    assert won["base_count"].eq(20).all() and won["reached_count"].tolist() == [10, 11] * 2 + [10, 20] + [10, 11] * 4
    assert won.index[won["signal"] == "outside_limits"].tolist() == [pd.Timestamp("2025-06-01")]
    assert table.loc["talk", "signal"].eq("noise").all()
    spread = np.abs(np.diff(won["step_share"])).mean()
    assert won["upper_limit_share"].iloc[0] == pytest.approx(won["step_share"].mean() + 2.66 * spread)


def test_few_months_have_no_limits():
    table = conversion.step_trend(_paradox())
    assert table["mean_share"].isna().all() and table["signal"].eq("").all()


def test_another_period_of_a_trend_is_refused():
    with pytest.raises(CallError, match="month"):
        conversion.step_trend(_paradox(), per="moon")


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_has_a_trend_or_none(name):
    table = conversion.step_trend(BAD_INPUTS[name]())
    assert (table["reached_count"] <= table["base_count"]).all()
    assert table.loc[table["base_count"] > 0, "step_share"].notna().all()
