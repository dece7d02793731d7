"""The register of measures: what each planned measure brings, what it costs, and when it has paid back."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.description import Effect, Measure
from funnel_lib.errors import CallError, MeasureError
from funnel_lib.findings import Finding
from funnel_lib.improvement.chain import Chain, summary
from funnel_lib.improvement.parameters import DRAWS, SEED, chain_of
from funnel_lib.improvement.sets import Candidate, chosen_within, gain_of
from funnel_lib.improvement.vocabulary import ALL_PLACES, Lever, lever_of
from funnel_lib.improvement.what_if import places_of
from funnel_lib.labour import hour_costs
from funnel_lib.language.messages import message
from funnel_lib.periods import DAYS_PER_MONTH, days_between
from funnel_lib.rates import ratio

MONTHS = 12
COLUMNS = ["measure", "lever", "moves", "place", "starts", "owner", "gain_amount", "low_amount", "high_amount", "cost_amount",
           "net_amount", "pays_probability", "payback_months", "added_amount", "added_low_amount", "added_high_amount", "chosen"]


class Register(NamedTuple):
    """The planned measures that can be computed, and the findings for those that cannot."""

    candidates: list[Candidate]
    findings: list[Finding]


def rank_measures(process: Process) -> pd.DataFrame:
    """The planned measures of company.yaml, the largest gain net of cost first.

    One row is a measure that starts at or after `as_of` (or has no start yet). Columns: `measure`, `lever` (as company.yaml
    writes it), `moves` and `place` (its kind, and the channel, step or card), `starts`, `owner`; `gain_amount` (change of
    the yearly margin in the first 12 months in which it works, or until it ends) with its 95 % limits `low_amount` and
    `high_amount`: draws of the process's parameters and of the effect (PERT: low, likely, high); `cost_amount` = cost once
    + hours × hour cost + cost per month × (the months until it works and the months of that gain); `net_amount` = gain −
    cost; `pays_probability` = share of the draws in which the gain exceeds the cost; `payback_months` from the start, the
    time until it works included, missing where it never pays; `added_amount` = the gain on top of all the other planned
    measures, with its limits (effects multiply: another figure than alone); `chosen` (in the best plan that no budget bounds).
    A measure that cannot be computed is no row: `measure_findings` says why. Raises `MeasureError` where the chain of rates
    cannot be made.
    """
    chain, candidates = chain_of(process), register(process).candidates
    plan = chosen_within(chain, candidates)
    return process.tidy(ranked_rows(process, chain, candidates, plan.chosen, on_top_of=range(len(candidates))))


def ranked_rows(process: Process, chain: Chain, candidates: list[Candidate], chosen: Collection[int],
                on_top_of: Collection[int]) -> pd.DataFrame:
    """The table of these measures, the largest gain net of cost first; `added_amount` is on top of those of `on_top_of`."""
    rows = []
    for number, one in enumerate(candidates):
        others = [candidates[other] for other in on_top_of if other != number]
        added = gain_of(chain, [*others, one]) - gain_of(chain, others)
        rows.append(_row(one, gain_of(chain, [one]), added) | {"chosen": number in chosen})
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"starts": "datetime64[us]", "chosen": bool})
    return table.sort_values(["net_amount", "measure"], ascending=[False, True])


def measure_findings(process: Process) -> list[Finding]:
    """Why planned measures of company.yaml could not be computed; raises as `rank_measures`."""
    return list(register(process).findings)


def planned_measures(process: Process) -> list[Measure]:
    """The measures that start at or after `as_of`, or have no start yet."""
    as_of = process.needs_as_of()
    return [measure for measure in process.settings.measures if not measure.starts or pd.Timestamp(measure.starts) >= as_of]


def register(process: Process) -> Register:
    """The planned measures sorted into those that can be computed and findings; read once per process."""
    return process.remembered(("register",), lambda: _register(process))


def _register(process: Process) -> Register:
    chain, found = chain_of(process), Register([], [])
    for number, measure in enumerate(planned_measures(process)):
        try:
            found.candidates.append(_candidate(process, chain, measure, number))
        except (CallError, MeasureError) as error:
            found.findings.append(Finding(
                "measure_not_computed", "warning", "company.yaml", 1,
                message("measure {measure!r}: {reason}", measure=measure.key, reason=error.args[0]),
                message("it is not in the ranking until this is mended"), process=process.name))
    return found


def checked_lever(process: Process, chain: Chain, measure: Measure) -> Lever:
    """The lever that a measure moves; raises `CallError` or `MeasureError` where it is unknown, cannot be valued, or the effect
    cannot be meant."""
    lever = lever_of(measure.moves, places_of(process, chain))
    if lever.is_share and max(abs(measure.effect.low), abs(measure.effect.high)) > 1:
        raise MeasureError(message("its effect on {lever} is more than 100 points; write 3 points as 0.03", lever=measure.moves))
    chain.present(lever)
    return lever


def _candidate(process: Process, chain: Chain, measure: Measure, number: int) -> Candidate:
    lever = checked_lever(process, chain, measure)
    months = _months_at_work(measure)
    once, monthly = _costs(process, measure)
    cost = once + monthly * (_months_waiting(measure) + months)
    found = Candidate(measure, lever, pert(measure.effect, number), float(ratio(months, MONTHS)), cost, once, monthly)
    if not np.all(np.isfinite(gain_of(chain, [found]))):
        raise MeasureError(message("the gain from {lever} has no finite value with this effect", lever=measure.moves))
    return found


def _row(one: Candidate, gain: np.ndarray, added: np.ndarray) -> dict:
    measure, lever, (amount, low, high) = one.measure, one.lever, summary(gain)
    starts = pd.Timestamp(measure.starts) if measure.starts else pd.NaT
    return {"measure": measure.key, "lever": measure.moves, "moves": lever.label_key, "place": lever.place or ALL_PLACES,
            "starts": starts, "owner": measure.owner, "gain_amount": amount, "low_amount": low, "high_amount": high,
            "cost_amount": one.cost_amount, "net_amount": amount - one.cost_amount,
            "pays_probability": float(np.mean(gain[1:] > one.cost_amount)),
            "payback_months": _payback(amount, one.working_share * MONTHS, one.once_amount, one.monthly_amount, measure),
            **dict(zip(("added_amount", "added_low_amount", "added_high_amount"), summary(added), strict=True))}


def _months_at_work(measure: Measure) -> float:
    """In how many of the 12 months after the waiting it works: fewer if it ends before."""
    return float(np.clip(_months_running(measure) - measure.works_after_days / DAYS_PER_MONTH, 0, MONTHS))


def _months_waiting(measure: Measure) -> float:
    """The months in which it costs and does not work yet."""
    return min(measure.works_after_days / DAYS_PER_MONTH, _months_running(measure))


def _months_running(measure: Measure) -> float:
    """From the start to the end, without limit where one of them is open."""
    if not (measure.starts and measure.ends):
        return np.inf
    return max(days_between(pd.Timestamp(measure.starts), pd.Timestamp(measure.ends)), 0.0) / DAYS_PER_MONTH


def _costs(process: Process, measure: Measure) -> tuple[float, float]:
    """Money once, with the hours it takes to introduce it, and money per month."""
    costs = hour_costs(process)
    unknown = [role for role in measure.hours if role not in costs]
    if unknown:
        raise MeasureError(message("it takes hours of {word!r}, whose hour_cost is not described under roles", word=unknown[0]))
    return measure.cost_once + sum(hours * costs[role] for role, hours in measure.hours.items()), measure.cost_per_month


def _payback(gain: float, months: float, once: float, monthly: float, measure: Measure) -> float:
    waiting = _months_waiting(measure)
    net = ratio(gain, months) - monthly
    if not net > 0:
        return np.nan
    needed = ratio(once + monthly * waiting, net)
    return waiting + needed if not measure.ends or needed <= months else np.nan


def pert(effect: Effect, number: int = 0) -> np.ndarray:
    """The mean of the PERT distribution of an effect, then draws of it; `number` keeps measures independent.

    Source: Malcolm, Roseboom, Clark and Fazar 1959.

    >>> float(pert(Effect(low=0, likely=0.03, high=0.06))[0])
    0.03
    """
    mean = (effect.low + 4 * effect.likely + effect.high) / 6
    width = effect.high - effect.low
    if width == 0:
        return np.full(DRAWS + 1, mean)
    random = np.random.default_rng([SEED, number])
    rising, falling = (1 + 4 * ratio(part, width) for part in (effect.likely - effect.low, effect.high - effect.likely))
    return np.concatenate([[mean], effect.low + width * random.beta(rising, falling, DRAWS)])
