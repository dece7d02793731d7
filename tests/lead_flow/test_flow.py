"""Process limits and the weekday profile: counted by hand, from counts, on both engines, planted truth, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_lib import MeasureError, Process, lead_flow
from funnel_lib.engine import collect
from funnel_lib.lead_flow.flow import level_runs, weekday_p_value
from funnel_lib.new_leads import new_leads
from funnel_lib.rates import poisson_limits
from tests.engines import assert_parity, on_engines

MONDAY = pd.Timestamp(2026, 1, 5)


def leads_per_week(counts: list[int], channel: str = "ads", day: int = 0) -> pd.DataFrame:
    """So many leads on one day of each week from 5 January 2026 on."""
    times = [MONDAY + pd.Timedelta(days=7 * week + day) for week, count in enumerate(counts) for _ in range(count)]
    return pd.DataFrame({"lead_id": [f"{channel}{day}-{number}" for number in range(len(times))], "created_at": times,
                         "channel": channel})


def weekly(counts: list[int], unfinished: int = 0) -> Process:
    """A company of so many leads per week, and some in a week that is not over."""
    leads = leads_per_week([*counts, unfinished])
    return Process.from_tables("p", leads=leads, observed_from=MONDAY, as_of=MONDAY + pd.Timedelta(days=7 * len(counts) + 3))


def test_the_limits_of_the_textbook_numbers():
    """10 and 12 in turn: mean 11, mean moving range 2, limits 11 ± 5.32; the unfinished week is held against nothing."""
    leads = leads_per_week([10, 12] * 6 + [40])
    settings = {"as_of": MONDAY + pd.Timedelta(days=84 + 3), "observed_from": MONDAY}
    table = assert_parity(lead_flow.flow_limits, on_engines("p", {"leads": leads}, **settings))
    assert list(table) == ["period_start", "leads_count", "complete", "mean_count", "lower_limit_count", "upper_limit_count", "signal"]
    row = table.iloc[0]
    assert (row.mean_count, row.lower_limit_count, row.upper_limit_count) == pytest.approx((11, 5.68, 16.32))
    assert table["signal"].tolist() == ["noise"] * 12 + [""]
    assert table["leads_count"].iloc[-1] == 40 and not table["complete"].iloc[-1]


def test_a_surge_a_week_without_leads_and_a_level_that_has_moved():
    table = lead_flow.flow_limits(weekly([10, 11] * 10 + [40] + [10, 11, 0]))
    # Sum 271 of 24 weeks, moving ranges 19 + 29 + 30 + 1 + 11 of 23: limits 11.29 ± 10.41. A week without leads has its row.
    assert table["lower_limit_count"].iloc[0] == pytest.approx(271 / 24 - 2.66 * 90 / 23)
    assert table["signal"].tolist()[-5:] == ["outside_limits", "noise", "noise", "outside_limits", ""]
    assert table["leads_count"].iloc[-2] == 0
    moved = lead_flow.flow_limits(weekly([20, 24] * 5 + [30, 34] * 5))
    assert moved["signal"].tolist() == ["run_of_eight"] * 20 + [""]
    runs = level_runs(moved)
    assert runs[["periods_count", "side", "leads_count", "is_latest"]].to_numpy().tolist() == [
        [10, -1, 220, False], [10, 1, 320, True]]
    assert runs["first"].iloc[1] == MONDAY + pd.Timedelta(weeks=10)


def test_one_surge_is_no_fallen_level():
    """Its mean of 11.9 leaves twenty ordinary weeks below; their own mean of 10.5 does not."""
    assert level_runs(lead_flow.flow_limits(weekly([10, 11] * 10 + [40]))).empty


def test_groups_have_limits_of_their_own_and_add_up():
    leads = pd.concat([leads_per_week([10, 12] * 6), leads_per_week([3] * 12, "fair")])
    process = Process.from_tables("p", leads=leads, as_of=MONDAY + pd.Timedelta(weeks=12))
    table = lead_flow.flow_limits(process, by="channel")
    assert table.groupby("channel")["mean_count"].first().to_dict() == {"ads": 11, "fair": 3}
    assert table["leads_count"].sum() == lead_flow.flow_limits(process)["leads_count"].sum() == 132 + 36
    by_channel = table.set_index("channel").loc["fair"]
    assert (by_channel["signal"] == "noise").all() and (by_channel["upper_limit_count"] == 3).all()


def test_counts_stand_in_for_leads():
    counts = pd.DataFrame({"step": "lead", "count": [10, 12] * 6, "channel": "a",
                           "period_start": pd.date_range(MONDAY, periods=12, freq="7D")})
    table = assert_parity(lead_flow.flow_limits, on_engines("p", {"counts": counts}, as_of=MONDAY + pd.Timedelta(weeks=12)))
    assert table["upper_limit_count"].iloc[0] == pytest.approx(16.32)
    with pytest.raises(MeasureError, match="once a week"):
        lead_flow.weekday_profile(Process.from_tables("p", counts=counts, as_of=MONDAY + pd.Timedelta(weeks=12)))


def test_eleven_weeks_rare_leads_and_nobody_have_no_limits():
    for process in (weekly([5] * 11), weekly([1, 0, 0, 0] * 5)):
        table = lead_flow.flow_limits(process)
        assert table[["mean_count", "lower_limit_count", "upper_limit_count"]].isna().all(axis=None)
        assert (table["signal"] == "").all() and level_runs(table).empty
    nobody = lead_flow.flow_limits(Process.from_tables("p", leads=leads_per_week([]).assign(created_at=pd.NaT), as_of=MONDAY))
    assert nobody.empty and "signal" in nobody


def test_the_planted_surge_is_the_signal_of_retail(demo):
    table = lead_flow.flow_limits(demo.process("retail"))
    assert table.loc[table["signal"] == "outside_limits", "period_start"].tolist() == [pd.Timestamp(2024, 10, 14)]
    assert lead_flow.flow_limits(demo.process("custom"))["signal"].isin(["noise", ""]).all()


# -- the week ----------------------------------------------------------------------------------------------------------


def test_each_weekday_by_hand():
    """Two whole weeks from Monday 5 January; the Sunday before and the Monday after them are of broken weeks."""
    leads = pd.DataFrame({"lead_id": list("abcdef"), "created_at": [
        "2026-01-04 12:00", "2026-01-05", "2026-01-12 23:59", "2026-01-13", "2026-01-18", "2026-01-19"]})
    settings = {"as_of": "2026-01-21", "observed_from": "2026-01-03"}
    table = assert_parity(lead_flow.weekday_profile, on_engines("p", {"leads": leads}, **settings))
    assert table["weekday"].tolist() == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert table["leads_count"].tolist() == [2, 1, 0, 0, 0, 0, 1] and (table["days_count"] == 2).all()
    assert table["leads_per_day"].tolist() == [1, 0.5, 0, 0, 0, 0, 0.5]
    assert table["leads_share"].tolist() == [0.5, 0.25, 0, 0, 0, 0, 0.25]
    low, high = poisson_limits(2)
    assert table[["leads_low_per_day", "leads_high_per_day"]].iloc[0].tolist() == pytest.approx([low / 2, high / 2])


def test_the_week_of_the_demonstration_company_in_plain_pandas(demo):
    process = demo.process("wholesale")
    times = collect(new_leads(process).select("created_at"))["created_at"]
    whole = times[(times >= "2023-07-03") & (times < "2026-06-29")]
    table = lead_flow.weekday_profile(process)
    assert table["leads_count"].tolist() == whole.dt.day_of_week.value_counts().sort_index().tolist()
    assert (table["days_count"] == 156).all()


def test_no_whole_week_has_no_rates():
    table = lead_flow.weekday_profile(weekly([], unfinished=5))
    assert table["days_count"].eq(0).all() and table["leads_per_day"].isna().all() and len(table) == 7


def test_even_days_are_even_and_crowds_are_no_rhythm():
    """Every day alike: p near 1. All leads of a week on one day, another one each week: a crowd, no preferred day."""
    even = pd.DataFrame({"created_at": pd.date_range(MONDAY, periods=70).repeat(3)})
    crowds = pd.DataFrame({"created_at": [MONDAY + pd.Timedelta(days=7 * week + (3 * week) % 7) for week in range(10) for _ in range(30)]})
    mondays = leads_per_week([20] * 10)
    values = [weekday_p_value(Process.from_tables("p", leads=frame.assign(lead_id=[str(n) for n in range(len(frame))]),
                                                  observed_from=MONDAY, as_of=MONDAY + pd.Timedelta(days=70)))
              for frame in (even, crowds, mondays)]
    assert values[0] == 1 and values[1] > 0.05 and values[2] < 1e-6
    assert np.isnan(weekday_p_value(weekly([3, 3])))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_weekdays_share_all_leads_of_whole_weeks(counts):
    table = lead_flow.weekday_profile(weekly(counts, unfinished=1))
    assert table["leads_count"].sum() == sum(counts)
    assert table["days_count"].eq(len(counts)).all()
