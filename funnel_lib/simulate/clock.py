"""The observed period and the working hours of the simulated company."""

import numpy as np
import pandas as pd

OBSERVED_FROM = pd.Timestamp("2023-07-01")
AS_OF = pd.Timestamp("2026-07-01")

DAY_SECONDS = 86_400
WEEK_SECONDS = 7 * DAY_SECONDS
OPENING_SECONDS = 9 * 3_600
WORK_DAY_SECONDS = 9 * 3_600
WORK_WEEK_SECONDS = 5 * WORK_DAY_SECONDS
FIRST_MONDAY_SECONDS = 4 * DAY_SECONDS  # 1970-01-05
MONTH_DAYS = 365.25 / 12


def seconds(moment) -> float:
    """Seconds from 1970-01-01 to a naive local moment."""
    return (pd.Timestamp(moment) - pd.Timestamp(0)) / pd.Timedelta(seconds=1)


FROM_SECONDS = seconds(OBSERVED_FROM)
AS_OF_SECONDS = seconds(AS_OF)


def moments(times: np.ndarray) -> np.ndarray:
    """Times in seconds as whole minutes of ``datetime64[us]``; NaN becomes NaT."""
    minutes = np.floor(times / 60.0) * 60.0
    empty = np.isnan(minutes)
    result = np.where(empty, 0, minutes).astype("int64").astype("datetime64[s]").astype("datetime64[us]")
    result[empty] = np.datetime64("NaT")
    return result


def weekday(times: np.ndarray) -> np.ndarray:
    """0 for Monday … 6 for Sunday."""
    return np.floor((times - FIRST_MONDAY_SECONDS) / DAY_SECONDS).astype(int) % 7


def add_work_hours(times: np.ndarray, hours: np.ndarray) -> np.ndarray:
    """The moment when so many working hours (Monday to Friday, 9 to 18) have passed.

    What begins at night or at the week-end begins at the next opening. Public holidays are worked.
    """
    return _calendar_time(_worked_seconds(times) + np.asarray(hours) * 3_600.0)


def _worked_seconds(times: np.ndarray) -> np.ndarray:
    week, rest = np.divmod(times - FIRST_MONDAY_SECONDS, WEEK_SECONDS)
    day, second = np.divmod(rest, DAY_SECONDS)
    today = np.clip(second - OPENING_SECONDS, 0, WORK_DAY_SECONDS)
    return week * WORK_WEEK_SECONDS + np.minimum(day * WORK_DAY_SECONDS + today * (day < 5), WORK_WEEK_SECONDS)


def _calendar_time(worked: np.ndarray) -> np.ndarray:
    week, rest = np.divmod(worked, WORK_WEEK_SECONDS)
    day, second = np.divmod(rest, WORK_DAY_SECONDS)
    return FIRST_MONDAY_SECONDS + week * WEEK_SECONDS + day * DAY_SECONDS + OPENING_SECONDS + second
