"""The conveyor's parameters under changes of levers: rates, lags, flow, money per order, hours per piece of work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from funnel_lib.errors import MeasureError
from funnel_lib.improvement.vocabulary import ALL_PLACES, Lever
from funnel_lib.language.messages import message
from funnel_lib.last_year import WEEK_DAYS
from funnel_lib.rates import ratio

if TYPE_CHECKING:
    from funnel_lib.improvement.conveyor import Conveyor, Stop

# Lags under a stretch that differs from draw to draw are read between so many computed ones.
STRETCHES = 33
Changes = dict[Lever, Any]


@dataclass(frozen=True)
class MovedStop:
    """A stop in a run: `pace` and `leave_pace` are shares by weeks since they came (weeks, or weeks × draws)."""

    rate: np.ndarray
    pace: np.ndarray
    leave_pace: np.ndarray
    start_moves: np.ndarray
    start_leaves: np.ndarray

    def moves(self, served: np.ndarray, week: int) -> np.ndarray:
        """Who moves on in this week, of those served so far and of those who stood here at the start."""
        return _convolved(self.pace, served, week) * self.rate + self.start_moves[week]

    def leaves(self, served: np.ndarray, week: int) -> np.ndarray:
        """Who is lost in this week."""
        return _convolved(self.leave_pace, served, week) * (1 - self.rate) + self.start_leaves[week]


@dataclass(frozen=True)
class Moved:
    """What one run goes by; see `Conveyor`."""

    flow: np.ndarray
    steps: list[MovedStop]
    orders: list[MovedStop]
    margin: list[np.ndarray]
    referrals: np.ndarray
    need: dict[int | str, dict[str, np.ndarray]]
    capacity: dict[str, np.ndarray | float]


def moved_by(conveyor: Conveyor, changes: Changes) -> Moved:
    """The parameters under these changes: shares in points and clipped to 0-1, everything else relative.

    A role's hours move by the lever `capacity.<role>`, which only this model has. Raises `MeasureError` for a lever without a
    number.
    """
    _known(conveyor, changes)
    better = _better_mix(conveyor, changes)
    last = len(conveyor.steps) - 1
    steps = [_moved_stop(stop, conveyor.weeks, _share(stop.rate, changes.get(Lever("step_rate", stop.key))) if number < last else
                         np.clip(_share(stop.rate, changes.get(Lever("step_rate", stop.key))) * better, 0, 1),
                         changes.get(Lever("step_days", stop.key), 0.0)) for number, stop in enumerate(conveyor.steps)]
    again, gap = changes.get(Lever("repeat_rate")), changes.get(Lever("gap_days"), 0.0)
    factor = 1.0 if again is None else ratio(_share(conveyor.orders[0].rate, again), conveyor.orders[0].rate)
    orders = [_later(_moved_stop(stop, conveyor.weeks, stop.rate if again is None else np.clip(stop.rate * factor, 0, 1), gap))
              for stop in conveyor.orders]
    return Moved(_flow(conveyor, changes), steps, orders, _margins(conveyor, changes), _referrals(conveyor, changes),
                 _need(conveyor, changes), {role: hours * (1 + changes.get(Lever("capacity", role), 0.0))
                                            for role, hours in conveyor.capacity.items()})


def weekly_pace(cumulative: np.ndarray, weeks: int, stretch: float = 1.0) -> np.ndarray:
    """Shares by weeks from cumulative shares by days: who comes on any day of a week crosses its end sooner or later.

    >>> weekly_pace(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]), 3).tolist()
    [0.0, 1.0, 0.0]
    """
    shares = np.diff(np.asarray(cumulative, dtype=float), prepend=0.0)
    at = np.arange(len(shares)) * stretch / WEEK_DAYS
    whole, rest = np.floor(at).astype(int), at - np.floor(at)
    pace = np.zeros(weeks + 1)
    np.add.at(pace, np.minimum(whole, weeks), shares * (1 - rest))
    np.add.at(pace, np.minimum(whole + 1, weeks), shares * rest)
    return pace[:weeks]


def _convolved(pace: np.ndarray, served: np.ndarray, week: int) -> np.ndarray:
    # Not `@`: it has no fast way for a pace that is read backwards.
    return np.einsum("w,wd->d" if pace.ndim == 1 else "wd,wd->d", pace[week::-1], served[:week + 1])


def _moved_stop(stop: Stop, weeks: int, rate: np.ndarray, stretch: Any) -> MovedStop:
    pace, leave = _pace(stop.lags, weeks, stretch), weekly_pace(stop.leaving, weeks)
    factor = np.nan_to_num(ratio(rate, stop.start_rate), nan=1.0)
    before = stop.start_moves.sum()
    # Of those who stand here no more can move than there are.
    factor = np.minimum(factor, ratio(stop.start_count, before)) if before > 0 else np.ones_like(rate)
    moves = stop.start_moves[:, None] * factor
    stay = np.nan_to_num(ratio(stop.start_count - before * factor, stop.start_count - before), nan=1.0)
    return MovedStop(rate, pace, leave, moves, stop.start_leaves[:, None] * stay)


def _later(stop: MovedStop) -> MovedStop:
    """The next order is one of a later week: those of a week's customers are counted before the week's leads become customers."""
    pace = stop.pace.copy()
    if len(pace) > 1:
        pace[1] += pace[0]
    pace[0] = 0.0
    return replace(stop, pace=pace)


def _pace(lags: np.ndarray, weeks: int, change: Any) -> np.ndarray:
    """Lags longer or shorter by this part."""
    stretch = np.maximum(1 + np.asarray(change, dtype=float), 0.0)
    if stretch.ndim == 0:
        return weekly_pace(lags, weeks, float(stretch))
    low, high = float(stretch.min()), float(stretch.max())
    if high == low:
        return weekly_pace(lags, weeks, low)
    grid = np.stack([weekly_pace(lags, weeks, at) for at in np.linspace(low, high, STRETCHES)])
    place = (stretch - low) * (STRETCHES - 1) * ratio(1.0, high - low)
    below = np.minimum(place.astype(int), STRETCHES - 2)
    part = place - below
    return (grid[below] * (1 - part)[:, None] + grid[below + 1] * part[:, None]).T


def _share(now: np.ndarray, points: Any) -> np.ndarray:
    return now if points is None else np.clip(now + points, 0, 1)


def _flows(conveyor: Conveyor, changes: Changes) -> dict[str, np.ndarray]:
    every = 1 + changes.get(Lever("lead_flow", ALL_PLACES), 0.0)
    return {name: np.maximum(leads * (every + changes.get(Lever("lead_flow", name), 0.0)), 0.0)
            for name, leads in conveyor.flow.items()}


def _flow(conveyor: Conveyor, changes: Changes) -> np.ndarray:
    return sum(_flows(conveyor, changes).values(), np.zeros(conveyor.draws))


def _better_mix(conveyor: Conveyor, changes: Changes) -> np.ndarray | float:
    """By how much the leads convert better when channels of another quality, or more of the leads on target, come."""
    places = {lever.place for lever in changes if lever.kind in ("lead_flow", "target_share")} - {ALL_PLACES}
    if not places or not conveyor.quality:
        return 1.0
    before = _mean_quality(conveyor, conveyor.flow, {})
    return np.nan_to_num(ratio(_mean_quality(conveyor, _flows(conveyor, changes), changes), before), nan=1.0)


def _mean_quality(conveyor: Conveyor, flow: dict[str, np.ndarray], changes: Changes) -> np.ndarray:
    total = 0.0
    for name, leads in flow.items():
        quality = conveyor.quality[name]
        points = changes.get(Lever("target_share", name))
        if points is not None:
            now = conveyor.target_share[name]
            quality = np.clip(quality + (np.clip(now + points, 0, 1) - now) * conveyor.target_gain, 0, 1)
        total = total + leads * quality
    return ratio(total, sum(flow.values()))


def _margins(conveyor: Conveyor, changes: Changes) -> list[np.ndarray]:
    margins = conveyor.margin
    if Lever("margin_share") in changes:
        margins = [margin + amount * (np.clip(ratio(margin, amount) + changes[Lever("margin_share")], -1, 1)
                                      - ratio(margin, amount)) for margin, amount in zip(margins, conveyor.amount, strict=True)]
    return [margin * (1 + changes.get(Lever("mean_amount"), 0.0)) for margin in margins]


def _referrals(conveyor: Conveyor, changes: Changes) -> np.ndarray:
    """Recommended leads come on top of the others, whose number stays."""
    points = changes.get(Lever("referral_share"))
    if points is None:
        return conveyor.referrals
    now, then = conveyor.referral_share, np.clip(conveyor.referral_share + points, 0, 1 - 1e-9)
    return conveyor.referrals * ratio(then * (1 - now), (1 - then) * now)


def _need(conveyor: Conveyor, changes: Changes) -> dict[int | str, dict[str, np.ndarray]]:
    need = {place: dict(hours) for place, hours in conveyor.need.items()}
    for lever, change in changes.items():
        if lever.kind == "hours":
            for place, hours in conveyor.card_need[lever.place].items():
                for role, one in hours.items():
                    need[place][role] = np.maximum(need[place][role] + one * change, 0.0)
    return need


def _known(conveyor: Conveyor, changes: Changes) -> None:
    known = {"lead_flow": {ALL_PLACES, *conveyor.flow}, "step_rate": {stop.key for stop in conveyor.steps},
             "step_days": {stop.key for stop in conveyor.steps}, "capacity": set(conveyor.capacity),
             "hours": set(conveyor.card_need),
             "target_share": set(conveyor.target_share) if conveyor.target_gain is not None and conveyor.quality else set()}
    alone = {"repeat_rate": bool(conveyor.orders), "gap_days": bool(conveyor.orders), "mean_amount": bool(conveyor.amount),
             "margin_share": bool(conveyor.amount), "referral_share": conveyor.referral_share > 0}
    for lever in changes:
        if (lever.kind in known and lever.place not in known[lever.kind]) or not alone.get(lever.kind, True):
            raise MeasureError(message("lever {lever!r}: the weekly model has no number for it", lever=str(lever)))
