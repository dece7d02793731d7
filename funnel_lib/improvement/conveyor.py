"""The weekly conveyor: leads → steps with their lags → customers → repeat orders → recommendations, which are leads again.

Every array is weeks × draws (or one value per draw) and holds what is expected of that draw's parameters; nothing is drawn while
it runs, so that without a change two runs are equal draw by draw. Work waits where the hours of a role are used up: orders of
customers are served before leads, and the oldest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from funnel_lib.improvement.moved import Moved, moved_by
from funnel_lib.improvement.vocabulary import Lever
from funnel_lib.rates import ratio

REFERRAL_WEEKS = 52
# Where work is done: at the stop of this number, or for an order of a customer who comes again.
REPEAT = "repeat"


@dataclass(frozen=True)
class Stop:
    """Where leads (or customers) stand until they come to `key`: the next step, or their next order.

    `rate` is the share that comes there in the end, per draw; `lags` and `leaving` the cumulative shares by whole day of those who
    do and of those who do not (the rest of the latter is never closed). `start_count` stand here at the beginning, of whom
    `start_moves` and `start_leaves` are expected to go in each week at the estimated `start_rate`.
    """

    key: str
    rate: np.ndarray
    lags: np.ndarray
    leaving: np.ndarray
    start_count: float
    start_moves: np.ndarray
    start_leaves: np.ndarray
    start_rate: float


@dataclass(frozen=True)
class Conveyor:
    """The parameters of one process per draw.

    `flow` is leads a week by channel, recommendations left out; `levels` (weeks × draws, mean 1) by how much each week is above
    or below; `buyers` customers per win, `walk_ins` customers a week without a lead, `known_again` orders a week of customers from
    before the records. Orders are told apart by their number (the last stop stands for all later ones): `margin`, `amount` per
    order and the `margin_square` that its chance needs. `referrals` leads per order of the 52 weeks after it, `past_orders` those
    of the 52 weeks before the start. `need` are hours per piece of work by place and role, `card_need` those of one card,
    `fixed_hours` what roles do in any week, `capacity` hours a week by role, `hours_spread` variance / mean of a week's hours.
    An order is followed by the next one in a later week at the earliest.
    """

    weeks: int
    flow: dict[str, np.ndarray]
    levels: np.ndarray
    steps: list[Stop]
    orders: list[Stop]
    buyers: np.ndarray
    walk_ins: np.ndarray
    known_again: np.ndarray
    margin: list[np.ndarray]
    amount: list[float]
    margin_square: list[float]
    referrals: np.ndarray
    referral_share: float
    past_orders: np.ndarray
    quality: dict[str, np.ndarray] = field(default_factory=dict)
    target_share: dict[str, np.ndarray] = field(default_factory=dict)
    target_gain: np.ndarray | None = None
    need: dict[int | str, dict[str, np.ndarray]] = field(default_factory=dict)
    card_need: dict[str, dict[int | str, dict[str, np.ndarray]]] = field(default_factory=dict)
    fixed_hours: dict[str, np.ndarray] = field(default_factory=dict)
    capacity: dict[str, float] = field(default_factory=dict)
    hours_spread: dict[str, float] = field(default_factory=dict)

    @property
    def draws(self) -> int:
        return self.levels.shape[1]


@dataclass(frozen=True)
class Run:
    """What a run gives, weeks × draws: `leads`, `entered` per stop, `customers`, `orders` by their number, `margin` (of orders,
    before spending and labour), `hours` by role, `lost`, `waiting` (work beyond the hours, at the end of the week), and per role
    `waiting_hours` at the end of the week that wait because this role had none left."""

    leads: np.ndarray
    entered: list[np.ndarray]
    served: list[np.ndarray]
    customers: np.ndarray
    orders: list[np.ndarray]
    margin: np.ndarray
    hours: dict[str, np.ndarray]
    lost: np.ndarray
    waiting: dict[int | str, np.ndarray]
    waiting_hours: dict[str, np.ndarray]


def run_conveyor(conveyor: Conveyor, changes: Mapping[Lever, float | np.ndarray] | None = None,
                 limited: bool = True) -> Run:
    """The conveyor for its weeks under these changes; without `limited` everybody has hours enough.

    Raises `MeasureError` for a lever that this conveyor has no number for.
    """
    return _Running(conveyor, moved_by(conveyor, dict(changes or {})), limited).through()


class _Running:
    """One run: what has come to each place so far, and the work that waits there."""

    def __init__(self, conveyor: Conveyor, moved: Moved, limited: bool) -> None:
        self.conveyor, self.moved = conveyor, moved
        shape = (conveyor.weeks, conveyor.draws)
        self.entered = [np.zeros(shape) for _ in range(len(conveyor.steps) + 1)]
        self.served = [np.zeros(shape) for _ in conveyor.steps]
        self.lost, self.margin = np.zeros(shape), np.zeros(shape)
        self.orders = [np.zeros(shape) for _ in range(len(conveyor.orders) + 1)]
        self.customers = np.zeros(shape)
        self.desk = Desk(shape, [*range(len(conveyor.steps)), REPEAT], moved.need, moved.capacity if limited else {},
                         conveyor.fixed_hours)
        self.past = np.concatenate([np.repeat(conveyor.past_orders[:, None], conveyor.draws, axis=1), np.zeros(shape)])

    def through(self) -> Run:
        for week in range(self.conveyor.weeks):
            self._week(week)
        return Run(self.entered[0], self.entered, self.served, self.customers, self.orders, self.margin, self.desk.hours,
                   self.lost, self.desk.waiting, self.desk.waiting_hours)

    def _week(self, week: int) -> None:
        conveyor, moved = self.conveyor, self.moved
        self.desk.begin(week)
        if moved.orders:
            coming = [stop.moves(self._standing(number, week), week) for number, stop in enumerate(moved.orders)]
            coming[-1] = coming[-1] + conveyor.known_again
            self._serve_orders(week, coming)
        self.desk.serve_earlier(week, list(range(len(moved.steps))))
        referred = self.past[week:week + REFERRAL_WEEKS].sum(axis=0) * (moved.referrals / REFERRAL_WEEKS)
        self.entered[0][week] = moved.flow * conveyor.levels[week] + referred
        for number, stop in enumerate(moved.steps):
            self.served[number][week] = self.desk.serve(week, number, self.entered[number][week])
            self.entered[number + 1][week] = stop.moves(self.served[number], week)
            self.lost[week] += stop.leaves(self.served[number], week)
        self.customers[week] = self.entered[-1][week] * conveyor.buyers + conveyor.walk_ins
        self.orders[0][week] = self.customers[week]
        every = sum(orders[week] for orders in self.orders)
        self.past[week + REFERRAL_WEEKS] = every
        self.margin[week] = sum(orders[week] * margin for orders, margin in zip(self.orders, moved.margin, strict=True))

    def _standing(self, number: int, week: int) -> np.ndarray:
        """After an order of this number customers wait for the next; the last stop holds all who ordered more often."""
        last = number == len(self.conveyor.orders) - 1
        return self.orders[number][:week + 1] + self.orders[number + 1][:week + 1] if last else self.orders[number]

    def _serve_orders(self, week: int, coming: list[np.ndarray]) -> None:
        """Whoever is a customer already is served before leads are. Orders that are due wait together; those of this week come in
        the mix in which they are due."""
        due = sum(coming)
        self.desk.serve_earlier(week, [REPEAT])
        done = self.desk.serve(week, REPEAT, due)
        share = np.where(due > 0, np.nan_to_num(ratio(done, due)), 0.0)
        for number, orders in enumerate(coming):
            self.orders[number + 1][week] = orders * share


class Desk:
    """The hours of each role week by week, and the work that waits for them."""

    def __init__(self, shape: tuple[int, int], places: list[int | str], need: Mapping, capacity: Mapping[str, np.ndarray | float],
                 fixed: Mapping[str, np.ndarray]) -> None:
        roles = sorted({role for hours in need.values() for role in hours} | set(fixed))
        self.need, self.capacity, self.fixed, self.draws = need, capacity, fixed, shape[1]
        self.hours = {role: np.zeros(shape) for role in roles}
        self.waiting_hours = {role: np.zeros(shape) for role in roles if role in capacity}
        self.waiting = {place: np.zeros(shape) for place in places}
        self.queue: dict[int | str, list[tuple[int, np.ndarray]]] = {}
        self.left: dict[str, np.ndarray] = {}
        self.done: dict[int | str, np.ndarray] = {}
        # At each place the roles whose hours may be used up there.
        self.limits = {place: [role for role, each in hours.items() if role in capacity and np.any(each > 0)]
                       for place, hours in need.items()}

    def begin(self, week: int) -> None:
        """A new week: what any week takes comes first."""
        for role, hours in self.hours.items():
            hours[week] = self.fixed.get(role, 0.0)
        self.left = {role: np.maximum(limit - self.hours[role][week], 0.0) for role, limit in self.capacity.items()
                     if role in self.hours}
        self.done = {}

    def serve_earlier(self, week: int, places: list[int | str]) -> None:
        """What waits at these places from earlier weeks, the oldest first wherever it stands."""
        for came in sorted({came for place in places for came, _ in self.queue.get(place, [])}):
            self._serve_all(week, {place: amount for place in places for at, amount in self.queue.get(place, []) if at == came},
                            came)

    def _serve_all(self, week: int, amounts: dict[int | str, np.ndarray], came: int) -> None:
        """Work of one age at several places: where a role has not hours for all of it, each place gets the same part."""
        part = self._part(amounts)
        for place, amount in amounts.items():
            done = amount * self._common(place, part)
            self._take(week, place, done)
            self.done[place] = self.done.get(place, 0.0) + done
            left = amount - done
            rest = [(at, left if at == came else other) for at, other in self.queue[place]]
            self.queue[place] = [(at, other) for at, other in rest if at != came or np.any(left > 1e-9)]

    def serve(self, week: int, place: int | str, amount: np.ndarray) -> np.ndarray:
        """How much is served at this place this week, old and new; the rest waits."""
        earlier = self.done.pop(place, 0.0)
        if not self._limits(place):
            self._take(week, place, amount)
            return amount + earlier
        done = amount * self._common(place, self._part({place: amount}))
        self._take(week, place, done)
        left = amount - done
        if np.any(left > 1e-9):
            self.queue.setdefault(place, []).append((week, left))
        self._note(week, place)
        return done + earlier

    def _note(self, week: int, place: int | str) -> None:
        waits = sum((amount for _, amount in self.queue.get(place, [])), np.zeros(self.draws))
        self.waiting[place][week] = waits
        for role in self._limits(place):
            self.waiting_hours[role][week] += waits * self.need[place][role] * (self.left[role] <= 1e-9)

    def _limits(self, place: int | str) -> list[str]:
        return self.limits.get(place, [])

    def _part(self, amounts: dict[int | str, np.ndarray]) -> dict[str, np.ndarray]:
        """By role: the part of this work for which it has hours left."""
        needed: dict[str, np.ndarray] = {}
        for place, amount in amounts.items():
            for role in self._limits(place):
                needed[role] = needed.get(role, 0.0) + self.need[place][role] * amount
        return {role: np.fmin(ratio(self.left[role], hours), 1.0) for role, hours in needed.items()}

    def _common(self, place: int | str, part: dict[str, np.ndarray]) -> np.ndarray | float:
        """Everybody who takes part in the work must have hours for it."""
        parts = [part[role] for role in self._limits(place)]
        return np.minimum.reduce(parts) if parts else 1.0

    def _take(self, week: int, place: int | str, done: np.ndarray) -> None:
        for role, hours in self.need.get(place, {}).items():
            self.hours[role][week] += hours * done
            if role in self.left:
                self.left[role] = np.maximum(self.left[role] - hours * done, 0.0)
