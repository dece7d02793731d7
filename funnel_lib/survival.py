"""Time curves on grouped counts: Kaplan-Meier and Aalen-Johansen with ties, Greenwood-type errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from funnel_lib.rates import interval_of_share, ratio


@dataclass(frozen=True)
class Curve:
    """Cumulative shares on the whole days 0, 1, …: one array element per day.

    `event_share` is the share that had the event by the end of the day, `still_share` the share that had neither it nor
    the competing one; `standard_error` is that of `event_share`; `at_risk_count` counts cases at the day's start.
    """

    at_risk_count: np.ndarray
    event_count: np.ndarray
    competing_count: np.ndarray
    event_share: np.ndarray
    competing_share: np.ndarray
    still_share: np.ndarray
    standard_error: np.ndarray

    @property
    def last_day(self) -> int:
        return self.event_share.shape[-1] - 1

    def at(self, days: ArrayLike, what: str = "event_share") -> np.ndarray:
        """The value at these ages (whole days, rounded down); after the last day the last value stays."""
        days = np.floor(np.asarray(days, dtype=float)).astype(int)
        return getattr(self, what)[..., np.clip(days, 0, self.last_day)]

    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Pointwise 95 % limits of `event_share`."""
        known = np.cumsum(self.event_count + self.competing_count) + self._left_at_risk()
        return interval_of_share(self.event_share, self.standard_error, known)

    def _left_at_risk(self) -> np.ndarray:
        return np.maximum(self.at_risk_count - self.event_count - self.competing_count, 0)


def grouped(day: pd.Series, count: pd.Series, length: int) -> np.ndarray:
    """Counts per whole day as an array of `length` elements."""
    return np.bincount(day.astype(int), weights=count, minlength=length)[:length]


def aalen_johansen(event_count: np.ndarray, competing_count: np.ndarray, censored_count: np.ndarray) -> Curve:
    """Cumulative incidence of an event with another one competing, from counts per whole day of age.

    The last axis is age; further axes are samples (of a bootstrap) computed at once. Cases censored on a day were at risk
    for that day's events. Without competing events this is one minus Kaplan-Meier with Greenwood's error.
    Source: Aalen and Johansen 1978; error by Marubini and Valsecchi 1995, section 10.2.

    >>> curve = aalen_johansen(np.array([0, 1, 0, 1]), np.zeros(4), np.array([1, 0, 1, 0]))
    >>> curve.event_share.round(4).tolist()
    [0.0, 0.3333, 0.3333, 1.0]
    """
    event, competing, censored = (np.asarray(values, dtype=float) for values in
                                  (event_count, competing_count, censored_count))
    leaving = event + competing + censored
    at_risk = np.flip(np.cumsum(np.flip(leaving, -1), -1), -1)
    gone = np.asarray(ratio(event + competing, at_risk))
    still = np.cumprod(1 - np.nan_to_num(gone), -1)
    before = np.concatenate([np.ones_like(still[..., :1]), still[..., :-1]], -1)
    event_hazard = np.nan_to_num(np.asarray(ratio(event, at_risk)))
    competing_hazard = np.nan_to_num(np.asarray(ratio(competing, at_risk)))
    event_share = np.cumsum(before * event_hazard, -1)
    competing_share = np.cumsum(before * competing_hazard, -1)
    error = _standard_error(event, event + competing, at_risk, event_share, before)
    return Curve(at_risk, event, competing, event_share, competing_share, still, error)


def _standard_error(event, gone, at_risk, share, before) -> np.ndarray:
    """Greenwood-type error of the cumulative incidence; with cumulative sums instead of a loop over days."""
    # Where everybody at risk leaves nothing follows, and the term is left out.
    spread = np.nan_to_num(np.asarray(ratio(gone, at_risk * (at_risk - gone))))
    own = np.nan_to_num(np.asarray(ratio(before**2 * (at_risk - event) * event, at_risk**3)))
    cross = np.nan_to_num(np.asarray(ratio(before * event, at_risk**2)))

    def total(values: np.ndarray) -> np.ndarray:
        return np.cumsum(values, -1)

    variance = (share**2 * total(spread) - 2 * share * total(share * spread) + total(share**2 * spread) + total(own)
                - 2 * (share * total(cross) - total(share * cross)))
    return np.sqrt(np.maximum(variance, 0))


def first_day_reaching(curve: Curve, share: float) -> int | None:
    """The first day at which the event's share is at least this; None where it never is."""
    reached = np.flatnonzero(curve.event_share >= share - 1e-12)
    return int(reached[0]) if len(reached) and share > 0 else None


def expected_share(curve: Curve, age_days: np.ndarray, horizon_days: int) -> np.ndarray:
    """For cases still running at these ages: the share expected to have the event by the horizon.

    (F(W) − F(a)) / S(a) with the event's share F and the still-running share S after the events of day a; 0 at and after
    the horizon.
    """
    age = np.asarray(age_days)
    gain = curve.at([horizon_days]) - curve.at(age)
    expected = np.nan_to_num(np.asarray(ratio(gain, curve.at(age, "still_share"))))
    return np.where(age < horizon_days, np.clip(expected, 0, 1), 0.0)
