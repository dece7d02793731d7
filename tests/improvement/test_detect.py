"""Sample sizes: Evan Miller's published figure, his formula written anew, statsmodels; weeks of a flow counted on paper."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import power_proportions_2indep

from funnel_lib import Process, improvement
from funnel_lib.improvement.power import group_size_of_means, group_size_of_shares, smallest_effect, weeks_of_flow
from tests.test_improvement import SETTINGS, TABLES, measure, with_measures


def test_evan_millers_published_sample_size():
    # The figure that his calculator shows first: a base of 20 %, 5 points, 80 % power, 5 %: 1,030 in each group.
    assert round(group_size_of_shares(0.2, 0.05)) == 1030


@pytest.mark.parametrize(("base", "effect"), [(0.02, 0.002), (0.05, 0.01), (0.1, 0.02), (0.5, 0.05), (0.4, -0.1)])
def test_his_formula_and_the_power_by_statsmodels(base, effect):
    size, after = group_size_of_shares(base, effect), base + effect
    expected = ((norm.ppf(0.975) * (2 * base * (1 - base)) ** 0.5
                 + norm.ppf(0.8) * (base * (1 - base) + after * (1 - after)) ** 0.5) / effect) ** 2
    assert size == pytest.approx(expected, rel=1e-9)
    # statsmodels takes the pooled share where nothing has changed, and so finds a little another power.
    assert power_proportions_2indep(effect, base, size, return_results=False) == pytest.approx(0.8, abs=0.03)


def test_means_and_flows_by_statsmodels():
    size = NormalIndPower().solve_power(effect_size=0.1 / 1.5, alpha=0.05, power=0.8)
    assert group_size_of_means(1.5, 0.1) == pytest.approx(size, rel=1e-3)
    # Weeks of 40 leads that vary as counts do are cases with a variation of 1 / √40, a little more with more leads.
    assert weeks_of_flow(40, 1.0, 0.2) == pytest.approx(group_size_of_means(40**-0.5, 0.2), rel=0.06)
    assert weeks_of_flow(40, 3.0, 0.2) == pytest.approx(3 * weeks_of_flow(40, 1.0, 0.2))


@given(st.floats(0.02, 0.9), st.integers(100, 100_000))
def test_the_smallest_effect_needs_just_what_there_is(base, available):
    effect = smallest_effect(lambda points: group_size_of_shares(base, points), available, 1 - base)
    if np.isnan(effect):
        assert group_size_of_shares(base, 1 - base) > available
    else:
        assert group_size_of_shares(base, effect) == pytest.approx(available, rel=1e-6) or effect == pytest.approx(1 - base)


@pytest.mark.parametrize(("base", "effect"), [(0.2, 0.0), (0.9, 0.2), (0.0, 0.1), (0.1, -0.2)])
def test_what_cannot_be_has_no_size(base, effect):
    assert np.isnan(group_size_of_shares(base, effect))


def test_weeks_on_paper():
    # Four leads a week, of which two come to `contacted` and so to the base of `won`; both rates are 50 %; the window is 30 days.
    table = improvement.detectability(with_measures(
        measure("first", "step_rate.contacted", 0.1), measure("last", "step_rate.won", 0.1), measure("target", "target_share.site", 0.1),
        measure("again", "repeat_rate", 0.1), measure("days", "step_days.won", -0.1))).set_index("measure")
    size = group_size_of_shares(0.5, 0.1)
    assert table.loc[["first", "last", "target", "again"], "group_size_count"].tolist() == [np.ceil(size)] * 4
    weeks = {"first": 2 * size / 4, "last": 2 * size / 2, "target": 2 * size / 4, "again": 2 * size / 1}
    assert table["weeks_to_see"].drop("days").to_dict() == pytest.approx(weeks)
    waiting = (table["weeks_until_known"] - table["weeks_to_see"]).drop("days")
    assert waiting.to_dict() == pytest.approx({"first": 30 / 7, "last": 30 / 7, "target": 0, "again": 365.25 / 7})
    # Over a year: the earlier step has the same rate and twice the leads.
    assert table.loc["last", "proxy_step"] == "contacted" and table.loc["last", "proxy_weeks"] == pytest.approx(2 * size / 4)
    assert table.loc["first", "proxy_step"] == ""
    least = table.loc["first", "seen_in_26_weeks_share"]
    assert group_size_of_shares(0.5, least) == pytest.approx(26 * 4 / 2)
    assert table.loc["days", "trial"] == "trial_none" and np.isnan(table.loc["days", "weeks_to_see"])
    assert table.index[-1] == "days", "the quickest first, what cannot be tried last"


def test_a_flow_is_tried_by_weeks_in_turn():
    # Weeks of 2 and 6 leads in turn: the mean is 4; neighbours differ by 4, so that the variance is 8 and the dispersion 2.
    leads = TABLES["leads"]
    number, letter = leads["lead_id"].str.slice(1).astype(int), leads["lead_id"].str.slice(0, 1)
    more = leads[(number % 2 == 1) & letter.isin(["c", "d"])].assign(lead_id=lambda rows: "x" + rows["lead_id"])
    fewer = leads[(number % 2 == 1) | letter.isin(["a", "b"])]
    process = Process.from_tables("p", **{**TABLES, "leads": pd.concat([fewer, more])},
                                  **{**SETTINGS, "measures": [measure("fair", "lead_flow", 0.5)]})
    row = improvement.detectability(process).iloc[0]
    assert row["trial"] == "trial_weeks" and row["base_value"] == 4 and row["cases_per_week"] == 1
    assert row["weeks_to_see"] == pytest.approx(2 * weeks_of_flow(4, 2.0, 0.5))


def test_money_per_order_by_its_spread():
    # In the last year 52 orders of 100 and 26 of 50: mean 83.3, standard deviation 23.6.
    process = with_measures(measure("more", "mean_amount", 0.1))
    row = improvement.detectability(process).iloc[0]
    amounts = TABLES["orders"].loc[TABLES["orders"]["ordered_at"].between("2024-12-30", "2025-12-28 23:59"), "amount"]
    assert row["base_value"] == pytest.approx(amounts.mean())
    assert row["group_size_count"] == np.ceil(group_size_of_means(amounts.std(ddof=0) / amounts.mean(), 0.1))
    assert row["cases_per_week"] == pytest.approx(len(amounts) / 52)


def test_a_measure_without_an_effect_is_never_seen():
    row = improvement.detectability(with_measures(measure("nothing", "step_rate.won", 0.0))).iloc[0]
    assert np.isnan(row["weeks_to_see"]) and row["seen_in_52_weeks_share"] > 0


def test_an_effect_beyond_all_is_tried_as_all():
    # Half of the leads are contacted: 90 points more are 50, since a share is cut at 1.
    wild, whole = (improvement.detectability(with_measures(measure("m", "step_rate.contacted", effect))).iloc[0] for effect in (0.9, 0.5))
    assert wild["group_size_count"] == whole["group_size_count"] == np.ceil(group_size_of_shares(0.5, 0.5))
