"""This period against the last: counted by hand, planted changes found and none invented."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import MeasureError, Process, answers, charts, efficiency
from funnel_lib.efficiency import change
from funnel_lib.pooling import p_values_of_limits
from funnel_lib.stage_costs import stage_sums
from tests.efficiency.company import SETTINGS, TABLES
from tests.engines import assert_parity, on_engines

LEADS = pd.DataFrame({"lead_id": [f"L{number}" for number in range(300)],
                      "created_at": [*pd.date_range("2024-08-01", periods=200, freq="D"), *pd.date_range("2025-08-01", periods=100, freq="3D")]})
SPEND = pd.DataFrame([("lead_generation", 1000.0, "2024-08-01"), ("lead_generation", 1500.0, "2025-08-01"),
                      ("lead_generation", 99.0, "2023-08-01")], columns=["stage", "amount", "date"])
WORK = pd.DataFrame([("2024-09-01", "lead_generation", "caller", 50.0), ("2025-09-01", "lead_generation", "caller", 30.0)],
                    columns=["date", "stage", "role", "hours"])
PERIOD = {"as_of": "2026-07-01", "observed_from": "2023-07-01", "roles": SETTINGS["roles"]}


def test_one_year_against_the_year_before_by_hand():
    tables = {"leads": LEADS, "spend": SPEND, "work": WORK}
    row = assert_parity(efficiency.stage_change, on_engines("p", tables, **PERIOD)).iloc[0]
    assert (row["before_from"], row["after_from"]) == (pd.Timestamp("2024-07-01"), pd.Timestamp("2025-07-01"))
    assert (row["before_result_count"], row["after_result_count"]) == (200, 100)
    # 1,000 + 50 hours at 10 for 200 leads; 1,500 + 30 hours at 10 for 100 leads.
    assert (row["before_cost_per_result_amount"], row["after_cost_per_result_amount"]) == (7.5, 18)
    assert row["cost_per_result_change_share"] == pytest.approx(18 / 7.5 - 1)
    assert row["cost_per_result_change_low_share"] == pytest.approx(2.4 * np.exp(-1.959964 * np.sqrt(1 / 200 + 1 / 100)) - 1)
    assert row["cost_per_result_verdict"] == "rose"
    # 0.25 and 0.3 hours: within the error of the counts.
    assert row["hours_per_result_change"] == pytest.approx(0.05)
    assert row["hours_per_result_verdict"] == "cannot tell"
    said = {sentence.key: sentence for sentence in answers.efficiency(Process.from_tables("p", **tables, **PERIOD))}["period_change"]
    assert said.numbers == {"moved": 1, "stage": "lead_generation"} and "140 % more money" in said.replace("\xa0", " ")


def test_one_of_many_that_moves_by_chance_is_not_called_a_change():
    """Benjamini and Hochberg by hand: of twelve p-values the least must be below 0.05 / 12."""
    def table(z: float) -> pd.DataFrame:
        found = pd.DataFrame({"stage": [0, 1, 2, 3], "strain_change_low": -1.0, "strain_change_high": 1.0})
        for name in ("cost_per_result", "hours_per_result"):
            found[f"{name}_change_low_share"], found[f"{name}_change_high_share"] = np.expm1(-0.1), np.expm1(0.1)
        found.loc[0, ["cost_per_result_change_low_share", "cost_per_result_change_high_share"]] = np.expm1([z - 1.959964, z + 1.959964])
        return found

    assert p_values_of_limits([1 - 1.959964], [1 + 1.959964])[0] == pytest.approx(0.3173, abs=1e-4)
    for z, verdict in ((2.5, "cannot tell"), (3.0, "rose"), (-3.0, "fell")):
        assert change._with_verdicts(table(z)).loc[0, "cost_per_result_verdict"] == verdict


def test_a_short_observation_is_cut_into_halves():
    change = efficiency.stage_change(Process.from_tables("p", **TABLES, **SETTINGS))
    assert change["period_days"].unique() == [45]
    assert change["after_from"].unique() == [pd.Timestamp("2026-02-15")]
    with pytest.raises(MeasureError, match="56 days"):
        efficiency.stage_change(Process.from_tables("p", **TABLES, **{**SETTINGS, "as_of": "2026-02-20"}))


def test_spending_without_a_date_is_spread_evenly():
    spend = pd.concat([SPEND, pd.DataFrame([("conversion", 1096.0, None)], columns=SPEND.columns)])
    process = Process.from_tables("p", leads=LEADS, spend=spend, **PERIOD)
    change = efficiency.stage_change(process).set_index("stage")
    # 1,096 days observed, 365 in each period; no customer to divide by.
    assert np.isnan(change.loc["conversion", "before_cost_per_result_amount"])
    first, second = (stage_sums(process, span).set_index("stage").loc["conversion", "spend_amount"] for span in _periods(process))
    assert first == second == 365


def _periods(process):
    from funnel_lib.efficiency.change import periods_compared

    return periods_compared(process)


def test_strain_of_both_periods():
    pulse = pd.DataFrame([(day, "conversion", "seller", strain) for day, answers in
                          (("2024-09-01", [1, 2, 2, 1, 2]), ("2025-09-01", [4, 5, 5, 4, 4])) for strain in answers],
                         columns=["date", "stage", "role", "strain"])
    row = efficiency.stage_change(Process.from_tables("p", spend=SPEND, pulse=pulse, leads=LEADS, **PERIOD)).set_index("stage").loc["conversion"]
    assert (row["before_strain"], row["after_strain"]) == (1.6, 4.4)
    assert row["strain_change"] == pytest.approx(2.8) and row["strain_verdict"] == "rose"


def test_no_change_is_found_where_none_is_planted():
    """The same process in both years: the limits hold no change in at least 36 of 40 draws."""
    random, told = np.random.default_rng(1), 0
    for _ in range(40):
        days = np.sort(random.integers(0, 730, random.poisson(300)))
        leads = pd.DataFrame({"lead_id": [f"L{number}" for number in range(len(days))],
                              "created_at": pd.Timestamp("2024-07-01") + pd.to_timedelta(days, unit="D")})
        spend = SPEND.assign(amount=1000.0)
        told += efficiency.stage_change(Process.from_tables("p", leads=leads, spend=spend, **PERIOD)).iloc[0]["cost_per_result_verdict"] \
            == "cannot tell"
    assert told >= 36


def test_dots_are_those_of_the_table_and_only_what_changed_is_filled():
    change = efficiency.stage_change(Process.from_tables("p", leads=LEADS, spend=SPEND, work=WORK, **PERIOD))
    ax = charts.plot_stage_change(change)
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in dots] == pytest.approx([1.4, 0.2])
    assert [line.get_markerfacecolor() == "white" for line in dots] == [False, True]
    assert ax.get_title(loc="left") == "Per result: money for one of “Lead generation” rose"


def test_nothing_to_compare_is_drawn_in_words():
    change = efficiency.stage_change(Process.from_tables("p", spend=SPEND, **PERIOD))
    assert "Nothing can be compared" in charts.plot_stage_change(change).get_title(loc="left")
