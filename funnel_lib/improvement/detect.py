"""Can we ever see it: how long each planned measure must run until its likely effect shows in this flow of leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.cohorts import equal_window_days
from funnel_lib.errors import MeasureError
from funnel_lib.improvement.chain import Chain
from funnel_lib.improvement.figures import figure_of, sums_of
from funnel_lib.improvement.measures import register
from funnel_lib.improvement.parameters import chain_of
from funnel_lib.improvement.power import group_size_of_means, group_size_of_shares, smallest_effect, weeks_of_flow
from funnel_lib.improvement.sets import Candidate
from funnel_lib.improvement.vocabulary import ALL_PLACES, Lever
from funnel_lib.last_year import WEEK_DAYS, WEEKS, YEAR_DAYS, weekly_leads
from funnel_lib.rates import ratio

HORIZONS = (12, 26, 52)
OF_LEADS, OF_CUSTOMERS, OF_ORDERS = "trial_leads", "trial_customers", "trial_orders"
OF_WEEKS, NONE = "trial_weeks", "trial_none"
COLUMNS = ["measure", "lever", "moves", "place", "trial", "base_value", "likely_effect", "group_size_count", "cases_per_week",
           "weeks_to_see", "weeks_until_known", *(f"seen_in_{weeks}_weeks_share" for weeks in HORIZONS), "proxy_step",
           "proxy_weeks"]


class Trial(NamedTuple):
    """What is compared: `size` says how many cases each group needs for an effect, `per_week` how many come in all.

    `waiting_weeks` pass until the last case has been followed long enough; `most` is the largest effect there can be.
    """

    kind: str
    base_value: float
    per_week: float
    size: Callable[[float], float]
    waiting_weeks: float
    most: float


def detectability(process: Process) -> pd.DataFrame:
    """How long each planned measure must be tried until its likely effect would be seen, and the least that can be seen.

    One row is a planned measure, the quickest to see first. Columns: `measure`, `lever`, `moves`, `place`; `trial`: what is put
    into two equal groups at random (leads at the step before, new customers, orders), or whole weeks in turn with and without the
    measure for the flow of leads, or that no trial shows it; `base_value` (a share, leads a week, money per order) and
    `likely_effect` (shares in points, all else relative); `group_size_count` (cases, or weeks, in each group), `cases_per_week` in
    both groups together with the flow of the last 52 weeks; `weeks_to_see` until both groups are full, `weeks_until_known` with
    the time for which the last case has to be followed; `seen_in_12_weeks_share`, …_26, …_52: the smallest effect that such a
    trial shows (missing where none is large enough). Where the likely effect takes over a year: `proxy_step`, the earlier step
    that needs the fewest weeks `proxy_weeks`, if the effect shows there in the same proportion.
    80 % power, 5 % two-sided. Source: Evan Miller's sample sizes; Fleiss 1981. Raises as `rank_measures`.
    """
    chain = chain_of(process)
    rows = [_row(process, chain, one) for one in register(process).candidates]
    table = pd.DataFrame(rows, columns=COLUMNS)
    numbers = [name for name in COLUMNS[5:] if name != "proxy_step"]
    table = table.astype(dict.fromkeys(numbers, float))
    return process.tidy(table.sort_values(["weeks_to_see", "measure"], na_position="last"))


def _row(process: Process, chain: Chain, one: Candidate) -> dict:
    lever, likely = one.lever, one.measure.effect.likely
    named = {"measure": one.measure.key, "lever": one.measure.moves, "moves": lever.label_key, "place": lever.place or ALL_PLACES,
             "likely_effect": likely, "trial": NONE, "proxy_step": ""}
    trial = _trial(process, chain, lever)
    if trial is None:
        return named
    size = trial.size(_possible(trial, likely)) if likely else np.nan
    weeks = _weeks(trial, size)
    least = {f"seen_in_{horizon}_weeks_share": _least(trial, horizon, likely) for horizon in HORIZONS}
    step, proxy_weeks = _proxy(chain, lever, likely) if not weeks <= WEEKS else ("", np.nan)
    return named | least | {"trial": trial.kind, "base_value": trial.base_value, "group_size_count": np.ceil(size),
                            "cases_per_week": trial.per_week, "weeks_to_see": weeks,
                            "weeks_until_known": weeks + trial.waiting_weeks, "proxy_step": step, "proxy_weeks": proxy_weeks}


def _possible(trial: Trial, likely: float) -> float:
    """A share is moved to 0 or 1 at most, as the yearly margin has it."""
    if trial.kind not in (OF_LEADS, OF_CUSTOMERS):
        return likely
    return float(np.clip(likely, -trial.base_value, 1 - trial.base_value))


def _weeks(trial: Trial, size: float) -> float:
    return float(ratio(2 * size, trial.per_week))


def _least(trial: Trial, weeks: float, likely: float) -> float:
    """The smallest effect in the direction that is meant."""
    found = smallest_effect(lambda effect: trial.size(-effect if likely < 0 else effect), weeks * trial.per_week / 2,
                            trial.base_value if likely < 0 and trial.kind in (OF_LEADS, OF_CUSTOMERS) else trial.most)
    return -found if likely < 0 else found


def _trial(process: Process, chain: Chain, lever: Lever) -> Trial | None:
    made = {"step_rate": _of_step, "target_share": _of_target, "repeat_rate": _of_repeats, "referral_share": _of_referrals,
            "lead_flow": _of_flow, "mean_amount": _of_amounts}
    return made[lever.kind](process, chain, lever) if lever.kind in made else None


def _of_share(kind: str, share: float, per_week: float, waiting_weeks: float) -> Trial:
    return Trial(kind, share, per_week, lambda effect: group_size_of_shares(share, effect), waiting_weeks, 1 - share)


def _of_step(process: Process, chain: Chain, lever: Lever) -> Trial:
    window = equal_window_days(process)
    return _of_share(OF_LEADS, float(chain.step_rates[lever.place][0]), _leads_at(chain, lever.place),
                     0.0 if window is None else window / WEEK_DAYS)


def _leads_at(chain: Chain, step: str) -> float:
    """Leads a week that come to where this step can be reached."""
    share = 1.0
    for key, rates in chain.step_rates.items():
        if key == step:
            break
        share *= float(rates[0])
    return float(chain.leads_per_year[0]) / WEEKS * share


def _of_target(process: Process, chain: Chain, lever: Lever) -> Trial:
    return _of_share(OF_LEADS, float(chain.target_share[lever.place][0]), float(chain.leads[lever.place][0]) / WEEKS, 0.0)


def _customers_per_week(chain: Chain) -> float:
    return float(chain.customers_per_year({})[0]) / WEEKS


def _of_repeats(process: Process, chain: Chain, lever: Lever) -> Trial:
    return _of_share(OF_CUSTOMERS, float(chain.customers.repeat_share[0]), _customers_per_week(chain), YEAR_DAYS / WEEK_DAYS)


def _of_referrals(process: Process, chain: Chain, lever: Lever) -> Trial | None:
    """Who recommends is a customer, who comes is another one: no two groups of customers tell the share apart."""
    return None


def _of_flow(process: Process, chain: Chain, lever: Lever) -> Trial:
    weekly = weekly_leads(process)
    weekly = weekly.sum(axis=1) if lever.place == ALL_PLACES else weekly[lever.place]
    # Neighbouring weeks are compared: a level that moves over the year is not in the way of that.
    spread = max(1.0, float(np.nan_to_num(ratio((weekly.diff() ** 2).mean() / 2, weekly.mean()), nan=1.0)))
    # A case is a week here: one comes each week.
    return Trial(OF_WEEKS, float(weekly.mean()), 1.0, lambda effect: weeks_of_flow(float(weekly.mean()), spread, effect), 0.0, 10.0)


def _of_amounts(process: Process, chain: Chain, lever: Lever) -> Trial | None:
    try:
        days = figure_of(process, lever).days
    except MeasureError:
        return None
    year = days[days["day"] >= process.needs_as_of() - pd.Timedelta(weeks=WEEKS)]
    sums = sums_of(year if len(year) else days)
    mean = ratio(sums["part"], sums["whole"])
    variation = np.sqrt(max(float(ratio(ratio(sums["squares"], sums["whole"]), mean**2)) - 1, 0.0))
    if not variation > 0:
        return None
    return Trial(OF_ORDERS, mean, float(sums["whole"]) / WEEKS, lambda effect: group_size_of_means(variation, effect), 0.0, 10.0)


def _proxy(chain: Chain, lever: Lever, likely: float) -> tuple[str, float]:
    """The earlier step with the fewest weeks, if its rate changes in the same proportion as the step's own."""
    if lever.kind != "step_rate" or not likely:
        return "", np.nan
    keys = list(chain.step_rates)
    part = ratio(likely, float(chain.step_rates[lever.place][0]))
    found = []
    for key in keys[:keys.index(lever.place)]:
        share = float(chain.step_rates[key][0])
        weeks = float(ratio(2 * group_size_of_shares(share, share * part), _leads_at(chain, key)))
        if weeks == weeks:
            found.append((weeks, key))
    own = float(ratio(2 * group_size_of_shares(float(chain.step_rates[lever.place][0]), likely), _leads_at(chain, lever.place)))
    weeks, key = min(found, default=(np.inf, ""))
    return (key, weeks) if weeks < own or (own != own and key) else ("", np.nan)
