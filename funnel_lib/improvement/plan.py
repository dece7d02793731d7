"""The plan: the best set of measures within a budget and the hours of each role, its frontier and its calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.errors import CallError, nearest
from funnel_lib.improvement.chain import Chain, summary
from funnel_lib.improvement.measures import ranked_rows, register
from funnel_lib.improvement.parameters import chain_of
from funnel_lib.improvement.sets import MOST_ENUMERATED, Candidate, chosen_within, feasible_sets, gain_of
from funnel_lib.language.messages import message
from funnel_lib.periods import DAYS_PER_MONTH
from funnel_lib.schema import MISSING

NO_MEASURE = "no_measure"
FRONTIER = ["budget_amount", "measures_count", "measures", "gain_amount", "low_amount", "high_amount", "cost_amount", "net_amount",
            "pays_probability", "chosen", "exact"]
CALENDAR = ["measure", "owner", "starts", "works_from", "ends", "pays_from", "once_amount", "monthly_amount", "role_hours",
            "start_assumed"]
# A frontier of many measures has hundreds of corners; so many are shown, evenly taken.
MOST_CORNERS = 40
HEURISTIC_BUDGETS = 12


def best_plan(process: Process, budget_amount: float | None = None, hours: Mapping[str, float] | None = None) -> pd.DataFrame:
    """The planned measures with the best set within a budget and the hours of each role, the largest gain net of cost first.

    One row is a measure, as in `rank_measures`; `chosen` says whether it is in the plan, and `added_amount` is what it gains on
    top of the others chosen, with its limits. `exact`: all sets have been compared (up to 20 measures that fit by themselves), by
    the gain at the mean of all parameters and effects less the cost; beyond that the set is a good one, found by an integer
    programme that adds gains up. The budget bounds Σ `cost_amount`: money and hours × hour cost until 12 months at work are over;
    None is no bound, 0 leaves what costs nothing. `hours` bounds the hours for introducing measures by role, roles not named are
    not bounded. What costs more than it gains is never chosen.
    Raises `CallError` for a negative budget or hours or an unknown role, else as `rank_measures`.
    """
    _check(process, budget_amount, hours)
    chain, candidates = chain_of(process), register(process).candidates
    plan = chosen_within(chain, candidates, budget_amount, hours)
    table = ranked_rows(process, chain, candidates, plan.chosen, on_top_of=plan.chosen)
    return process.tidy(table.assign(exact=plan.is_exact))


def plan_frontier(process: Process, hours: Mapping[str, float] | None = None) -> pd.DataFrame:
    """The most that measures can gain for each budget: one row per budget from which on another set gains more.

    Columns: `budget_amount` (the set becomes affordable), `measures_count` and `measures` in the set, `gain_amount` of all of
    them together in their first 12 months at work with its 95 % limits `low_amount` and `high_amount`, `cost_amount`,
    `net_amount` = gain − cost, `pays_probability` (share of the draws with a gain above the cost), `chosen` (the largest gain net
    of cost: spending more brings less than it costs), `exact` as in `best_plan`, whose set for any budget is one of these rows.
    The first row is that of no budget. At most 40 rows, evenly taken. Raises as `best_plan`.
    """
    _check(process, None, hours)
    chain, candidates = chain_of(process), register(process).candidates
    exact = len(candidates) <= MOST_ENUMERATED
    sets = _corners(chain, candidates, hours) if exact else _steps(chain, candidates, hours)
    best = tuple(sorted(chosen_within(chain, candidates, None, hours).chosen))
    if len(sets) > MOST_CORNERS:
        taken = {*np.linspace(0, len(sets) - 1, MOST_CORNERS).round().astype(int)}
        sets = [one for at, one in enumerate(sets) if at in taken or one == best]
    rows = [_frontier_row(process, chain, [candidates[at] for at in chosen]) | {"chosen": chosen == best, "exact": exact}
            for chosen in sets] if candidates else []
    return process.tidy(pd.DataFrame(rows, columns=FRONTIER))


def _corners(chain: Chain, candidates: Sequence[Candidate], hours: Mapping[str, float] | None) -> list[tuple[int, ...]]:
    """The sets that no cheaper set outdoes, cheapest first."""
    best = pd.DataFrame({"cost": [], "gain": [], "set": []})
    for included, cost, net in feasible_sets(chain, candidates, None, hours):
        numbers = included @ (1 << np.arange(len(candidates)))
        best = _undominated(pd.concat([best, pd.DataFrame({"cost": cost, "gain": np.round(net + cost, 6), "set": numbers})]))
    return [tuple(at for at in range(len(candidates)) if int(number) >> at & 1) for number in best["set"]]


def _undominated(sets: pd.DataFrame) -> pd.DataFrame:
    sets = sets.sort_values(["cost", "gain", "set"], ascending=[True, False, True], ignore_index=True)
    return sets[sets["gain"] > sets["gain"].cummax().shift(fill_value=-np.inf)]


def _steps(chain: Chain, candidates: Sequence[Candidate], hours: Mapping[str, float] | None) -> list[tuple[int, ...]]:
    budgets = np.linspace(0, sum(one.cost_amount for one in candidates), HEURISTIC_BUDGETS)
    return list(dict.fromkeys(tuple(sorted(chosen_within(chain, candidates, float(budget), hours).chosen)) for budget in budgets))


def _frontier_row(process: Process, chain: Chain, chosen: list[Candidate]) -> dict:
    gain, cost = gain_of(chain, chosen), sum(one.cost_amount for one in chosen)
    amount, low, high = summary(gain)
    names = ", ".join(process.label(one.measure.key) for one in chosen) or process.label(NO_MEASURE)
    return {"budget_amount": cost, "measures_count": len(chosen), "measures": names, "gain_amount": amount, "low_amount": low,
            "high_amount": high, "cost_amount": cost, "net_amount": amount - cost,
            "pays_probability": float(np.mean(gain[1:] > cost))}


def plan_calendar(process: Process, budget_amount: float | None = None, hours: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Who does what from when: the measures of `best_plan` in the order of their start.

    One row is a chosen measure. Columns: `measure`, `owner` ("(missing)" where nobody is named), `starts` (the end of observation
    where none is planned: `start_assumed`), `works_from` (after the waiting), `ends` (missing where it goes on), `pays_from` (when
    it has earned what it cost; missing where it does not), `once_amount` (hours × hour cost included), `monthly_amount`,
    `role_hours` (hours for introducing it, by role). Raises as `best_plan`.
    """
    plan = best_plan(process, budget_amount, hours)
    plan = plan[plan["chosen"]].set_index("measure")
    rows = [_dated(process, one, plan.loc[one.measure.key, "payback_months"]) for one in register(process).candidates
            if one.measure.key in plan.index]
    table = pd.DataFrame(rows, columns=CALENDAR)
    table = table.astype(dict.fromkeys(["starts", "works_from", "ends", "pays_from"], "datetime64[us]"))
    return process.tidy(table.sort_values(["starts", "measure"]))


def _dated(process: Process, one: Candidate, payback_months: float) -> dict:
    measure = one.measure
    starts = pd.Timestamp(measure.starts) if measure.starts else process.needs_as_of().normalize()
    after = payback_months * DAYS_PER_MONTH
    hours = ", ".join(f"{process.label(role)}: {spent:g}" for role, spent in measure.hours.items())
    return {"measure": measure.key, "owner": measure.owner or MISSING, "starts": starts,
            "works_from": starts + pd.Timedelta(days=measure.works_after_days),
            "ends": pd.Timestamp(measure.ends) if measure.ends else pd.NaT,
            "pays_from": (starts + pd.Timedelta(days=after)).normalize() if after == after else pd.NaT,
            "once_amount": one.once_amount, "monthly_amount": one.monthly_amount, "role_hours": hours,
            "start_assumed": not measure.starts}


def _check(process: Process, budget_amount: float | None, hours: Mapping[str, float] | None) -> None:
    if budget_amount is not None and (isinstance(budget_amount, bool | str) or not 0 <= budget_amount < np.inf):
        raise CallError(message("budget_amount={budget_amount!r}: expected money, 0 or more, or None for no bound",
                                budget_amount=budget_amount))
    known = list(process.company.roles)
    for role, most in (hours or {}).items():
        if role not in known:
            raise CallError(message("hours: the role {role!r} is not described; there are {known}.{nearest}", role=role,
                                    known=", ".join(known) or message("(none)"), nearest=nearest(role, known)))
        if isinstance(most, bool | str) or most is None or not most >= 0:
            raise CallError(message("hours of {role!r}: expected a number, 0 or more, found {most!r}; leave out a role without a "
                                    "limit", role=role, most=most))
