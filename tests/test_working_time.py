"""Working time counted by hand, across nights, week-ends and holidays; the engine's way against the table's way."""

from __future__ import annotations

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_lib import CallError
from funnel_lib.description import Calendar
from funnel_lib.working_time import WEEK, WorkCalendar, with_work_days, work_days, work_hours

RUSSIA = WorkCalendar(holidays="RU")


@pytest.mark.parametrize(("start", "end", "hours"), [
    ("2026-03-02 10:00", "2026-03-02 12:30", 2.5),  # inside one Monday
    ("2026-03-02 17:00", "2026-03-03 10:00", 2.0),  # over a night
    ("2026-03-02 20:00", "2026-03-03 07:00", 0.0),  # from evening to early morning
    ("2026-03-02 07:00", "2026-03-02 20:00", 9.0),  # longer than the day
    ("2026-02-27 17:00", "2026-03-02 10:00", 2.0),  # over a week-end
    ("2026-02-28 12:00", "2026-03-01 12:00", 0.0),  # a week-end
    ("2026-02-28 12:00", "2026-03-02 10:00", 1.0),  # from a Saturday
    ("2026-03-02 00:00", "2026-03-09 00:00", 45.0),  # a week from midnight to midnight
    ("2026-03-03 10:00", "2026-03-02 17:00", -2.0),  # backwards
    (None, "2026-03-02 10:00", np.nan),
    ("2026-03-02 10:00", None, np.nan)])
def test_hours_by_hand(start, end, hours):
    moments = np.array([start or "NaT", end or "NaT"], dtype="datetime64[us]")
    np.testing.assert_allclose(work_hours(WorkCalendar(), *moments), hours)


def test_holidays_are_free():
    """1 May 2026 is a Friday and 9 March the day off for Sunday's 8 March, by Russian law."""
    assert work_hours(RUSSIA, "2026-04-30 17:00", "2026-05-04 10:00") == 2
    assert work_hours(WorkCalendar(), "2026-04-30 17:00", "2026-05-04 10:00") == 11
    assert work_days(RUSSIA, "2026-03-06", "2026-03-11") == 2


def test_a_saturday_that_is_worked_instead_counts():
    """Saturday 1 November 2025 was worked for Monday 3 November, in Russia."""
    assert work_days(RUSSIA, "2025-11-01", "2025-11-02") == 1
    assert work_days(RUSSIA, "2025-11-03", "2025-11-05") == 0


def test_january_2026_has_fifteen_working_days_in_russia():
    """As in the official production calendar."""
    assert work_days(RUSSIA, "2026-01-01", "2026-02-01") == 15


def test_another_week_and_other_hours():
    calendar = WorkCalendar(("sun", "mon"), ("22:00", "23:30"))
    assert work_hours(calendar, "2026-03-01", "2026-03-08") == 3
    assert work_days(calendar, "2026-03-01 22:45", "2026-03-02 22:45") == 1


def test_calendar_as_described_and_unknown_country():
    assert WorkCalendar.of(Calendar(holidays="DE-BY")) == WorkCalendar(holidays="DE-BY")
    # Corpus Christi 2026, Thursday 4 June: free in Bavaria, worked in Berlin.
    assert work_days(WorkCalendar(holidays="DE-BY"), "2026-06-04", "2026-06-05") == 0
    assert work_days(WorkCalendar(holidays="DE-BE"), "2026-06-04", "2026-06-05") == 1
    with pytest.raises(CallError, match="'Atlantis' is no country"):
        work_days(WorkCalendar(holidays="Atlantis"), "2026-06-04", "2026-06-05")


def test_working_days_at_midnight_are_numpys_business_days():
    """A second way: numpy counts business days between dates."""
    days = pd.date_range("2026-01-01", "2026-03-01").to_numpy().astype("datetime64[us]")
    starts, ends = np.meshgrid(days, days)
    expected = np.busday_count(starts.astype("datetime64[D]"), ends.astype("datetime64[D]"))
    forward = ends >= starts
    np.testing.assert_allclose(work_days(WorkCalendar(), starts, ends)[forward], expected[forward])


MOMENTS = st.datetimes(min_value=pd.Timestamp("2023-01-01"), max_value=pd.Timestamp("2026-12-31"))


WEEKS = st.lists(st.sampled_from(WEEK), min_size=1, unique=True).map(tuple)


@given(st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1, max_size=20), WEEKS)
def test_the_engines_way_equals_the_tables_way(pairs, work_days_of_week):
    calendar = WorkCalendar(work_days_of_week, ("08:30", "17:00"), "RU")
    frame = pd.DataFrame(pairs, columns=["a", "b"]).astype("datetime64[us]")
    expected = work_days(calendar, frame["a"].to_numpy(), frame["b"].to_numpy())
    for native in (frame, duckdb.connect().from_df(frame)):
        lazy = with_work_days(nw.from_native(native).lazy(), "days", "a", "b", calendar, (2023, 2026))
        found = lazy.collect("pandas").to_native().sort_values(["a", "b"], ignore_index=True)
        order = frame.assign(days=expected).sort_values(["a", "b"], ignore_index=True)
        np.testing.assert_allclose(found["days"], order["days"], atol=1e-8)
        assert list(found) == ["a", "b", "days"]


def test_on_the_engine_to_a_fixed_moment_and_from_a_missing_one():
    frame = pd.DataFrame({"a": pd.to_datetime(["2026-02-27 09:00", None]).astype("datetime64[us]")})
    lazy = with_work_days(nw.from_native(frame).lazy(), "days", "a", pd.Timestamp("2026-03-03"), WorkCalendar(), (2026, 2026))
    np.testing.assert_allclose(lazy.collect().to_native()["days"], [2, np.nan])


@given(MOMENTS, MOMENTS, MOMENTS)
def test_times_add_up(first, second, third):
    a, b, c = (np.datetime64(moment, "us") for moment in (first, second, third))
    np.testing.assert_allclose(work_hours(RUSSIA, a, b) + work_hours(RUSSIA, b, c), work_hours(RUSSIA, a, c), atol=1e-8)
