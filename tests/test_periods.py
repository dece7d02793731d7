"""Elapsed time on every engine against pandas' own subtraction; periods and the end of observation by hand."""

from __future__ import annotations

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_lib import periods
from funnel_lib.engine import collect

MOMENTS = st.datetimes(pd.Timestamp(1970, 1, 1).to_pydatetime(), pd.Timestamp(2199, 12, 31).to_pydatetime())


@given(st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1, max_size=20))
def test_elapsed_days_equals_subtraction(pairs):
    frame = pd.DataFrame(pairs, columns=["start", "end"]).astype("datetime64[us]")
    expected = (frame["end"] - frame["start"]) / pd.Timedelta(days=1)
    for native in (frame, duckdb.from_df(frame)):
        lazy = nw.from_native(native).lazy()
        found = collect(lazy.select(days=periods.elapsed_days(nw.col("start"), nw.col("end"), lazy)))["days"]
        np.testing.assert_allclose(np.sort(found), np.sort(expected), atol=1e-6)


@pytest.mark.parametrize("year", [1971, 2014, 2024])
def test_twenty_days_are_twenty_days_at_every_minute(year):
    """2014-11-10 is day 16,384 since 1970, where a day number with its fraction loses a digit: none may be lost."""
    start = pd.Series(pd.date_range(f"{year}-11-01", periods=1440, freq="min"))
    frame = pd.DataFrame({"start": start, "end": start + pd.Timedelta(days=20)}).astype("datetime64[us]")
    for native in (frame, duckdb.from_df(frame)):
        lazy = nw.from_native(native).lazy()
        days = lazy.select(days=periods.elapsed_days(nw.col("start"), nw.col("end"), lazy))
        assert (days.collect("pandas").to_native()["days"] == 20).all()


def test_elapsed_days_to_a_fixed_moment_over_a_leap_day():
    frame = nw.from_native(pd.DataFrame({"start": pd.to_datetime(["2024-02-28 12:00", None])})).lazy()
    days = collect(frame.select(days=periods.elapsed_days(nw.col("start"), pd.Timestamp("2024-03-01"), frame)))["days"]
    assert days[0] == 1.5 and np.isnan(days[1])


def test_weeks_begin_on_monday():
    times = pd.Series(pd.to_datetime(["2026-06-28 23:59", "2026-06-29 00:00"]))  # a Sunday and a Monday
    assert periods.period_starts(times, "week").tolist() == [pd.Timestamp("2026-06-22"), pd.Timestamp("2026-06-29")]
    assert periods.next_period_start(pd.Timestamp("2026-06-22"), "week") == pd.Timestamp("2026-06-29")
    with pytest.raises(ValueError, match="expected one of day, week"):
        periods.period_starts(times, "fortnight")


def test_all_periods_stop_before_the_end():
    found = periods.all_periods(pd.Timestamp("2026-01-15"), pd.Timestamp("2026-03-01"), "month")
    assert found.tolist() == [pd.Timestamp("2026-01-01"), pd.Timestamp("2026-02-01")]


def test_one_mistyped_year_does_not_move_the_end_of_observation():
    days = pd.Series(1, index=pd.date_range("2024-01-01", "2026-06-30"))
    days[pd.Timestamp("2102-01-01")] = 1
    assert periods.observation_end(days) == pd.Timestamp("2026-07-01")
    # The same limit by pandas' own percentile of the single times.
    limit = days.index.repeat(days).to_series().quantile(0.999) + pd.Timedelta(days=31)
    assert pd.Timestamp("2026-06-30") <= limit < pd.Timestamp("2102-01-01")


def test_the_last_month_counts_although_it_is_beyond_the_percentile():
    days = pd.Series([5000, 1, 1], index=pd.to_datetime(["2026-01-01", "2026-01-20", "2026-03-15"]))
    assert periods.observation_end(days) == pd.Timestamp("2026-01-21")
    assert periods.observation_end(pd.Series(dtype=int)) is None


def test_a_silence_of_years_parts_mistyped_years_from_a_long_history():
    """Ten years with an event a year are a history; a smaller part beyond five silent years is not; a larger part is."""
    yearly = pd.Series(1, index=pd.to_datetime([f"{year}-06-01" for year in range(2016, 2027)]))
    assert periods.last_possible(yearly) == periods.LAST_YEAR
    assert periods.observation_end(yearly) == pd.Timestamp("2026-06-02")
    typed = pd.concat([yearly, pd.Series(2, index=pd.to_datetime(["2036-06-01", "2062-01-02", "9999-12-31"]))])
    assert periods.last_possible(typed) == periods.observation_end(typed) == pd.Timestamp("2026-06-02")
    assert periods.possible_days(typed).sum() == 11
    resumed = pd.Series([3, 10], index=pd.to_datetime(["2015-06-01", "2026-06-01"]))
    assert periods.observation_end(resumed) == pd.Timestamp("2026-06-02"), "the larger part is no typing error"
    assert periods.last_possible(typed, pd.Timestamp("2070-01-01")) == pd.Timestamp("2070-01-01"), "as_of was said"
