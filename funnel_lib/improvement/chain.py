"""The chain of rates: yearly margin = leads × step rates × margin per customer − money − hours × hour cost.

Every parameter is an array: the estimate first, then draws from its sampling distribution. The same draws stand behind
every change (common random numbers), so that differences are not blurred by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from funnel_lib.errors import MeasureError
from funnel_lib.improvement.vocabulary import ALL_PLACES, Lever
from funnel_lib.language.messages import message
from funnel_lib.last_year import YEAR_DAYS
from funnel_lib.rates import ratio

LIMITS = (0.025, 0.975)


class YearlyMargin(NamedTuple):
    """Money per year with its 95 % limits."""

    amount: float
    low_amount: float
    high_amount: float


@dataclass(frozen=True)
class Customers:
    """What a new customer brings within 12 months, as arrays of means per customer in major units.

    `repeat_share` is the share that orders again within the 12 months, `order_amount` the mean of one order, `gap_days` the
    median time between two orders. `is_partial`: nobody is a year old yet, and the
    means are of what has been bought so far.
    """

    first_margin: np.ndarray
    repeat_margin: np.ndarray
    amount: np.ndarray
    repeat_share: np.ndarray
    order_amount: float
    gap_days: float
    customers_count: int
    is_partial: bool = False

    @property
    def margin(self) -> np.ndarray:
        return self.first_margin + self.repeat_margin


@dataclass(frozen=True)
class Chain:
    """The parameters of one process; arrays hold the estimate first and then the draws, plain numbers are counted totals.

    `channel_share` is the share of a channel's leads that become customers, drawn towards the common one where leads are
    few; `target_gain` is by how much the leads on target convert better than the others, in the same share. Of
    `spend_amount`, `undated_amount` had no date and is spread evenly over the time observed; `uncosted_hours` a year have no
    hour cost and are not in `labour_amount`.
    """

    leads: dict[str, np.ndarray]
    step_rates: dict[str, np.ndarray]
    channel_share: dict[str, np.ndarray]
    target_share: dict[str, np.ndarray]
    target_gain: np.ndarray | None
    step_days: dict[str, float]
    customers: Customers
    referral_share: np.ndarray | None
    spend_amount: float
    labour_amount: float
    card_labour_amount: dict[str, float]
    card_cost_amount: dict[str, float]
    undated_amount: float = 0.0
    uncosted_hours: float = 0.0

    def margin(self, changes: Mapping[Lever, float | np.ndarray] | None = None) -> np.ndarray:
        """Yearly margin under these changes: shares in points and clipped to 0-1, everything else relative.

        Raises `MeasureError` for a lever that this chain has no number for.
        """
        changes = dict(changes or {})
        for lever in changes:
            self.present(lever)
        return self.customers_per_year(changes) * self._margin_per_customer(changes) - self._cost(changes)

    def gross_margin(self, changes: Mapping[Lever, float | np.ndarray] | None = None) -> np.ndarray:
        """The margin of a year's customers before the money and hours spent for them."""
        changes = dict(changes or {})
        return self.customers_per_year(changes) * self._margin_per_customer(changes)

    def customers_per_year(self, changes: Mapping[Lever, float | np.ndarray]) -> np.ndarray:
        """Leads × chain of rates; a channel's leads count with the channel's own quality, a better mix converts better."""
        usual = ratio(sum(self.leads[name] * self.channel_share[name] for name in self.leads), self.leads_per_year)
        weighted = 0.0
        for name, leads in self.leads.items():
            flow = leads * (1 + changes.get(Lever("lead_flow", ALL_PLACES), 0.0) + changes.get(Lever("lead_flow", name), 0.0))
            quality = self.channel_share[name] + self._target_shift(name, changes)
            weighted = weighted + np.maximum(flow, 0) * np.clip(quality, 0, 1)
        leads_of_usual_quality = np.nan_to_num(ratio(weighted, usual))
        customers = leads_of_usual_quality * self._chain_share(changes)
        return customers * self._referral_factor(changes) * (1 + self._days_saved(changes) / YEAR_DAYS)

    @property
    def leads_per_year(self) -> np.ndarray:
        return sum(self.leads.values())

    def _chain_share(self, changes: Mapping[Lever, float | np.ndarray]) -> np.ndarray:
        share = 1.0
        for step, rate in self.step_rates.items():
            share = share * np.clip(rate + changes.get(Lever("step_rate", step), 0.0), 0, 1)
        return share

    def _target_shift(self, channel: str, changes: Mapping[Lever, float | np.ndarray]) -> np.ndarray | float:
        points = changes.get(Lever("target_share", channel))
        if points is None:
            return 0.0
        now = self.target_share[channel]
        return (np.clip(now + points, 0, 1) - now) * self.target_gain

    def _referral_factor(self, changes: Mapping[Lever, float | np.ndarray]) -> np.ndarray | float:
        """Recommended customers come on top of the others, whose number stays."""
        points = changes.get(Lever("referral_share"))
        if points is None:
            return 1.0
        others = 1 - np.clip(self.referral_share + points, 0, 1)
        return ratio(1 - self.referral_share, others)

    def _days_saved(self, changes: Mapping[Lever, float | np.ndarray]) -> np.ndarray | float:
        """Customers who come sooner move into this year once: so many days of a year's customers more."""
        moved = {lever: change for lever, change in changes.items() if lever.kind == "step_days"}
        return sum((-change * self.step_days[lever.place] for lever, change in moved.items()), 0.0)

    def _margin_per_customer(self, changes: Mapping[Lever, float | np.ndarray]) -> np.ndarray:
        people = self.customers
        orders = self._repeat_factor(changes)
        margin = people.first_margin + people.repeat_margin * orders
        if Lever("margin_share") in changes:
            # The amount grows with the orders as the margin does.
            amount = people.amount * ratio(margin, people.margin) if np.any(orders != 1.0) else people.amount
            now = ratio(people.margin, people.amount)
            margin = margin + amount * (np.clip(now + changes[Lever("margin_share")], -1, 1) - now)
        return margin * (1 + changes.get(Lever("mean_amount"), 0.0))

    def _repeat_factor(self, changes: Mapping[Lever, float | np.ndarray]) -> np.ndarray | float:
        """How many times more repeat orders: more of the customers order again, or with shorter gaps."""
        factor = 1.0
        if Lever("repeat_rate") in changes:
            now = self.customers.repeat_share
            factor = factor * ratio(np.clip(now + changes[Lever("repeat_rate")], 0, 1), now)
        return factor * ratio(1.0, 1 + np.asarray(changes.get(Lever("gap_days"), 0.0)))

    def _cost(self, changes: Mapping[Lever, float | np.ndarray]) -> np.ndarray | float:
        cost = self.spend_amount + self.labour_amount
        for lever, change in changes.items():
            if lever.kind == "hours":
                cost = cost + self.card_labour_amount[lever.place] * change
            elif lever.kind == "cost":
                cost = cost + self.card_cost_amount[lever.place] * change
        return cost

    def present(self, lever: Lever) -> np.ndarray | float:
        """The present value of a lever.

        Raises `MeasureError` where the process has no number for it.
        """
        value = self._value(lever)
        if value is None or not np.all(np.isfinite(value)):
            raise MeasureError(message("lever {lever!r}: nothing in the data says where it stands today", lever=str(lever)))
        return value

    def _value(self, lever: Lever) -> np.ndarray | float | None:
        people = self.customers
        if lever.kind == "lead_flow":
            return self.leads_per_year if lever.place == ALL_PLACES else self.leads.get(lever.place)
        if lever.kind == "target_share":
            known = self.target_gain is not None and lever.place in self.leads
            return self.target_share.get(lever.place) if known else None
        by_place = {"step_rate": self.step_rates, "step_days": self.step_days, "hours": self.card_labour_amount,
                    "cost": self.card_cost_amount}
        if lever.kind in by_place:
            return by_place[lever.kind].get(lever.place)
        if lever.kind in ("repeat_rate", "gap_days") and not people.repeat_share[0] > 0:
            return None
        single = {"repeat_rate": people.repeat_share, "gap_days": people.gap_days, "mean_amount": people.order_amount,
                  "margin_share": ratio(people.margin, people.amount), "referral_share": self.referral_share}
        return single[lever.kind]


def summary(values: np.ndarray) -> YearlyMargin:
    """The estimate and its 95 % limits from an array that holds the estimate first and then the draws.

    At the edge of what can be (nobody or everybody so far) all draws lie on one side; the limits then begin at the estimate.
    """
    values = np.atleast_1d(np.asarray(values, dtype=float))
    draws = values[1:] if len(values) > 1 else values
    low, high = np.quantile(draws, LIMITS)
    amount = float(values[0])
    return YearlyMargin(amount, min(float(low), amount), max(float(high), amount))
