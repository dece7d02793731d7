"""Measures done together: what a set of them brings, and the best set within a budget and the hours of each role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np

from funnel_lib.description import Measure
from funnel_lib.improvement.chain import Chain, Customers
from funnel_lib.improvement.vocabulary import Lever

# All sets of so many measures are compared; of more the best is looked for by their gains alone.
MOST_ENUMERATED = 20
_CHUNK = 1 << 16
# Costs and hours are sums of fractions: a set that fits exactly must not fail by the last digit.
SLACK = 1e-9


@dataclass(frozen=True)
class Candidate:
    """A planned measure with its lever and the draws of its effect (the mean first).

    `working_share` is the part of its 12 months in which it works, `cost_amount` all that it costs in them and in the waiting
    before; `once_amount` (hours included) and `monthly_amount` are its parts.
    """

    measure: Measure
    lever: Lever
    effect: np.ndarray
    working_share: float
    cost_amount: float
    once_amount: float
    monthly_amount: float

    @property
    def hours(self) -> Mapping[str, float]:
        return self.measure.hours


class Plan(NamedTuple):
    """A set of measures by their places in the list; `is_exact` where every set has been compared."""

    chosen: tuple[int, ...]
    is_exact: bool


def gain_of(chain: Chain, measures: Sequence[Candidate]) -> np.ndarray:
    """What these measures bring together in their first 12 months at work, draw by draw, the estimate first.

    Effects on one lever add up where it is a share and multiply otherwise; effects on different levers meet in the chain of
    rates. A measure that ends early works in the first part of the 12 months only.
    """
    now = chain.margin()
    return _in_parts(chain, now, [(one, one.effect) for one in measures])


def _in_parts(chain: Chain, now: np.ndarray, effects: Sequence[tuple[Candidate, np.ndarray]]) -> np.ndarray:
    """The gain, each part of the year with the measures that still work in it."""
    gain, before = now * 0.0, 0.0
    for edge in sorted({one.working_share for one, _ in effects} - {0.0}):
        working = [(one.lever, effect) for one, effect in effects if one.working_share >= edge]
        gain = gain + (edge - before) * (chain.margin(_together(working)) - now)
        before = edge
    return gain


def _together(effects: Iterable[tuple[Lever, np.ndarray]]) -> dict[Lever, np.ndarray]:
    changes: dict[Lever, np.ndarray] = {}
    for lever, effect in effects:
        if lever in changes:
            effect = changes[lever] + effect if lever.is_share else (1 + changes[lever]) * (1 + effect) - 1
        changes[lever] = effect
    return changes


def expected_gains(chain: Chain, measures: Sequence[Candidate], included: np.ndarray) -> np.ndarray:
    """The gain of each set at the mean of all parameters and effects; `included` is sets × measures of 0 and 1."""
    point = _at_the_estimate(chain)
    gains = _in_parts(point, point.margin(), [(one, included[:, at] * one.effect[0]) for at, one in enumerate(measures)])
    return np.broadcast_to(gains, len(included))


def _at_the_estimate(chain: Chain) -> Chain:
    """The chain with its estimates only, without the draws."""
    def first(value: object) -> object:
        if isinstance(value, np.ndarray):
            return value[:1]
        if isinstance(value, dict):
            return {key: first(one) for key, one in value.items()}
        if isinstance(value, Customers):
            return replace(value, **{field.name: first(getattr(value, field.name)) for field in fields(value)})
        return value

    return replace(chain, **{field.name: first(getattr(chain, field.name)) for field in fields(chain)})


def chosen_within(chain: Chain, measures: Sequence[Candidate], budget_amount: float | None = None,
                  hours: Mapping[str, float] | None = None) -> Plan:
    """The set with the largest expected gain net of cost that costs no more than the budget and no more hours of any role.

    Up to 20 measures that fit by themselves every set is compared, so that the choice is exact for the mean of all parameters
    and effects; of several equally good sets the cheaper one. Beyond that the set is the best for gains that add up (integer
    programme), which leaves out how effects multiply.
    """
    fitting = [at for at, one in enumerate(measures) if _fits([one], budget_amount, hours)]
    few = [measures[at] for at in fitting]
    if len(few) > MOST_ENUMERATED:
        return Plan(tuple(fitting[at] for at in _by_programme(chain, few, budget_amount, hours)), False)
    best, worth = (), (0.0, 0.0)
    for included, cost, net in feasible_sets(chain, few, budget_amount, hours):
        at = int(np.lexsort((cost, -np.round(net, 6)))[0])
        if (round(net[at], 6), -cost[at]) > worth:
            best, worth = tuple(np.flatnonzero(included[at])), (round(float(net[at]), 6), -float(cost[at]))
    return Plan(tuple(fitting[at] for at in best), True)


def _fits(measures: Iterable[Candidate], budget_amount: float | None, hours: Mapping[str, float] | None) -> bool:
    measures = list(measures)
    cost = sum(one.cost_amount for one in measures)
    return (budget_amount is None or cost <= budget_amount + SLACK * max(1.0, abs(budget_amount))) and all(
        sum(one.hours.get(role, 0.0) for one in measures) <= most + SLACK for role, most in (hours or {}).items())


def feasible_sets(chain: Chain, measures: Sequence[Candidate], budget_amount: float | None,
                  hours: Mapping[str, float] | None) -> Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """All sets within the budget and the hours, some at a time: which measures (0 or 1), what they cost, gain − cost."""
    costs = np.array([one.cost_amount for one in measures])
    for start in range(0, 1 << len(measures), _CHUNK):
        numbers = np.arange(start, min(start + _CHUNK, 1 << len(measures)))
        included = (numbers[:, None] >> np.arange(len(measures)) & 1).astype(float)
        cost, fits = included @ costs, np.ones(len(included), dtype=bool)
        if budget_amount is not None:
            fits &= cost <= budget_amount + SLACK * max(1.0, abs(budget_amount))
        for role, most in (hours or {}).items():
            fits &= included @ np.array([one.hours.get(role, 0.0) for one in measures]) <= most + SLACK
        if fits.any():
            included, cost = included[fits], cost[fits]
            yield included, cost, expected_gains(chain, measures, included) - cost


def _by_programme(chain: Chain, measures: Sequence[Candidate], budget_amount: float | None,
                  hours: Mapping[str, float] | None) -> list[int]:
    from scipy.optimize import LinearConstraint, milp  # loaded here: scipy is slow to import

    costs = np.array([one.cost_amount for one in measures])
    net = expected_gains(chain, measures, np.eye(len(measures))) - costs
    limits = [] if budget_amount is None else [LinearConstraint(costs, ub=budget_amount)]
    limits += [LinearConstraint(np.array([one.hours.get(role, 0.0) for one in measures]), ub=most)
               for role, most in (hours or {}).items()]
    found = milp(-net, integrality=np.ones(len(measures)), bounds=(0, 1), constraints=limits)
    return [at for at, taken in enumerate(found.x) if taken > 0.5]
