"""What holds the process back: the flow, a step or the hours of a role, by what a tenth more of each would bring."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.improvement.chain import summary
from funnel_lib.improvement.conveyor import Conveyor, Run, run_conveyor
from funnel_lib.improvement.conveyor_parameters import conveyor_of, missing_parts
from funnel_lib.improvement.vocabulary import ALL_PLACES, SHARES, Lever
from funnel_lib.rates import ratio

STEP = 0.1
# A difference between runs needs fewer draws than a band: both share them.
DRAWS = 1000
LEAST_LOSS = 0.01
FLOW, A_STEP, ROLE = "lever_lead_flow", "step", "role"
DUST = 1e-6
# A role binds where work waits for its hours at the end of the run in so many of the draws.
BINDS = 0.5
AS_MUCH = 0.9
COLUMNS = ["kind", "place", "gained_amount", "gained_low_amount", "gained_high_amount", "gained_customers_count", "used_share",
           "waiting_hours", "waits_probability", "holds_back"]


class _Gain(NamedTuple):
    margin: np.ndarray
    customers: np.ndarray


def binding_constraint(process: Process) -> pd.DataFrame:
    """What the next 52 weeks would bring more if one thing had a tenth more room; the constraint is the first row.

    One row is the flow of leads (`kind` `lever_lead_flow`), a mandatory `step` or a `role` with known hours; `place` is which.
    Columns: `gained_amount`, the change of the margin of orders in the weekly model, with 95 % limits `gained_low_amount` and
    `gained_high_amount` (missing without margins), `gained_customers_count`; of roles `used_share` of their hours,
    `waiting_hours` of work that waits for them at the end, `waits_probability` in how many draws some does, `holds_back` whether
    that is at least every second. The largest
    gain comes first; a role that binds before steps that bring hardly more (its hours nine tenths of the largest gain or more).
    Without margins the rows are sorted by customers.
    Raises `MeasureError` without leads, steps and movement, or two complete weeks with leads.
    """
    in_money = not {"orders", "margin"} & set(missing_parts(process))
    return process.tidy(constraints_of(conveyor_of(process, draws=DRAWS), in_money))


def constraints_of(conveyor: Conveyor, in_money: bool = True) -> pd.DataFrame:
    """`binding_constraint` of a conveyor, by customers where it has no money."""
    base = run_conveyor(conveyor)
    rows = [_row(conveyor, base, kind, lever) for kind, lever in _candidates(conveyor)]
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"holds_back": bool})
    if not in_money:
        table = table.assign(gained_amount=np.nan, gained_low_amount=np.nan, gained_high_amount=np.nan)
    gained = table["gained_amount" if in_money else "gained_customers_count"].round(6)
    # The steps behind a full role bring as much as its hours do, but only of what it lets through: the role is the constraint.
    table = table.assign(_first=table["holds_back"] & (gained >= AS_MUCH * gained.max()), _by=gained)
    return table.sort_values(["_first", "_by", "kind", "place"], ascending=[False, False, True, True])[COLUMNS]


def waiting_losses(process: Process, levers: list[Lever], present: list[float]) -> np.ndarray:
    """How much of each lever's gain is not had in the next 52 weeks, because work waits for hours that are used up.

    The change of the margin with hours as they are − the same with hours enough, both by the weekly model, for +10 % of the present
    value; missing where waiting changes less than a hundredth of the gain, or the weekly model has no number for the lever.
    """
    conveyor = conveyor_of(process, draws=DRAWS)
    losses = np.full(len(levers), np.nan)
    changes = [{lever: STEP * now if lever.kind in SHARES else STEP} for lever, now in zip(levers, present, strict=True)]
    if not conveyor.capacity or not _anything_waits(conveyor, changes):
        return losses
    before = {limited: _margin(run_conveyor(conveyor, limited=limited)) for limited in (True, False)}
    for number, (lever, change) in enumerate(zip(levers, changes, strict=True)):
        if not _is_known(conveyor, lever):
            continue
        gain = {limited: float((_margin(run_conveyor(conveyor, change, limited)) - before[limited]).mean())
                for limited in (True, False)}
        lost = gain[True] - gain[False]
        losses[number] = lost if abs(lost) > LEAST_LOSS * abs(gain[False]) else np.nan
    return losses


def _is_known(conveyor: Conveyor, lever: Lever) -> bool:
    """Levers that bring more work, and that this conveyor has a number for."""
    if lever.kind in ("repeat_rate", "gap_days"):
        return bool(conveyor.orders)
    if lever.kind in ("step_rate", "step_days"):
        return lever.place in {stop.key for stop in conveyor.steps}
    if lever.kind == "lead_flow":
        return lever.place == ALL_PLACES or lever.place in conveyor.flow
    return lever.kind == "referral_share" and conveyor.referral_share > 0


def _anything_waits(conveyor: Conveyor, changes: list[dict[Lever, float]]) -> bool:
    """Whether work waits even if everything that brings work were a tenth more at once."""
    together = {lever: change for moved in changes for lever, change in moved.items()
                if (_is_known(conveyor, lever) and lever.kind in ("step_rate", "repeat_rate", "referral_share"))
                or lever == Lever("lead_flow", ALL_PLACES)}
    run = run_conveyor(conveyor, together)
    return any(waits.max() > 1e-6 for waits in run.waiting.values())


def _margin(run: Run) -> np.ndarray:
    return run.margin.sum(axis=0)


def _candidates(conveyor: Conveyor) -> list[tuple[str, Lever]]:
    roles = {role for hours in conveyor.need.values() for role in hours} & set(conveyor.capacity)
    return [(FLOW, Lever("lead_flow", ALL_PLACES)), *((A_STEP, Lever("step_rate", stop.key)) for stop in conveyor.steps),
            *((ROLE, Lever("capacity", role)) for role in sorted(roles))]


def _row(conveyor: Conveyor, base: Run, kind: str, lever: Lever) -> tuple:
    change = STEP * next(stop.rate for stop in conveyor.steps if stop.key == lever.place) if kind == A_STEP else STEP
    run = run_conveyor(conveyor, {lever: change})
    gained = _without_dust(_margin(run) - _margin(base), _margin(base))
    customers = float(_without_dust((run.customers - base.customers).sum(axis=0), base.customers.sum(axis=0)).mean())
    middle, low, high = summary(np.concatenate([[gained.mean()], gained]))
    return (kind, lever.place, middle, low, high, customers, *(_use(conveyor, base, lever.place) if kind == ROLE else _NO_USE))


def _without_dust(gained: np.ndarray, base: np.ndarray) -> np.ndarray:
    """The gains, all zero where their mean is less than a millionth of what there is: it would only look like a finding."""
    return gained * (np.abs(gained.mean()) >= DUST * np.abs(base).mean())


_NO_USE = (np.nan, np.nan, np.nan, False)


def _use(conveyor: Conveyor, base: Run, role: str) -> tuple[float, float, float, bool]:
    """Of a role: the used share of its hours, what waits for it at the end, in how many draws, and whether it binds."""
    used = float(ratio(base.hours[role].mean(), conveyor.capacity[role]))
    waits = base.waiting_hours[role][-1]
    chance = float((waits > 1e-6).mean())
    return used, float(waits.mean()), chance, chance >= BINDS
