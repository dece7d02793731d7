"""The next rouble and the next hour of each stage: what one more of it would change in the yearly margin."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.efficiency import capacity
from funnel_lib.errors import MeasureError
from funnel_lib.improvement.chain import summary
from funnel_lib.improvement.parameters import chain_of
from funnel_lib.improvement.vocabulary import ALL_PLACES, Lever
from funnel_lib.labour import hour_costs, own_work
from funnel_lib.last_year import year_start, yearly_factor
from funnel_lib.periods import Span
from funnel_lib.rates import ratio
from funnel_lib.schema import STAGES
from funnel_lib.stage_costs import stage_sums

MORE_LEADS, MORE_SERVED, NOTHING = "more_leads", "waiting_leads_served", "adds_nothing"
COLUMNS = ["stage", "role", "binds", "next_money", "money_brings_amount", "money_brings_low_amount", "money_brings_high_amount",
           "money_change_amount", "next_hour", "hour_brings_amount", "hour_brings_low_amount", "hour_brings_high_amount",
           "hour_cost_amount", "hour_change_amount", "cost_per_lead_amount", "hours_per_lead"]
_UNKNOWN = (np.nan,) * 3


class YearlyModel(Protocol):
    """What the next unit is asked of: the chain of rates, or any model of the year that moves by the same levers."""

    @property
    def leads_per_year(self) -> np.ndarray:
        """New leads a year: the estimate first, then draws."""

    def gross_margin(self, changes: dict[Lever, np.ndarray] | None = None) -> np.ndarray:
        """The margin of a year's customers before money and hours, under these changes."""


def next_unit(process: Process, model: YearlyModel | None = None) -> pd.DataFrame:
    """What one more unit of money, or one more hour, would change in the yearly margin, stage by stage.

    One row is a stage. Money brings, in lead generation, 1 / (cost per lead) more leads through the chain of rates; elsewhere it
    pays 1 / (hour cost) more hours. An hour serves 1 / (hours per lead) leads that wait, if its role is the bottleneck; else it
    adds nothing. Columns: `role` (the bottleneck in the stage where it works most, else the stage's main role), `binds`,
    `next_money` and `next_hour` (more_leads, waiting_leads_served, adds_nothing), `money_brings_amount` and `hour_brings_amount`
    (yearly margin before the unit itself is paid) with 95 % limits from the draws of the model, `hour_cost_amount`,
    `money_change_amount` and `hour_change_amount` (after the unit is paid for: the change of the yearly margin),
    `cost_per_lead_amount` (cost of lead generation in a year / leads of a year) and `hours_per_lead` of the role. A figure whose
    basis is not recorded is missing. `model` is the chain of rates, or another model with the same levers.
    Raises `MeasureError` where the chain of rates cannot be made.
    """
    model = chain_of(process) if model is None else model
    rows = [_row(process, model, stage, role) for stage, role in _roles(process).items()]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return process.tidy(table.astype({"role": "str"}))


def _roles(process: Process) -> dict[str, pd.Series | None]:
    """Stage → the row of `capacity` of the role whose hours decide there; None where no work is recorded in it."""
    try:
        roles = capacity(process).set_index("role")
    except MeasureError:
        return dict.fromkeys(STAGES)
    if not process.has("work"):
        return dict.fromkeys(STAGES)
    work = own_work(process)
    hours = work[~work["is_automatic"]].pivot_table(index="stage", columns="role", values="hours", aggfunc="sum", fill_value=0.0)
    hours = hours.reindex(list(STAGES), fill_value=0.0)
    tight = roles.index[0] if roles["is_bottleneck"].iloc[0] else None
    main = {stage: row.idxmax() if row.max() > 0 else None for stage, row in hours.iterrows()}
    if tight in hours:
        main[hours[tight].idxmax()] = tight
    return {stage: roles.loc[role] if role in roles.index else None for stage, role in main.items()}


def _row(process: Process, model: YearlyModel, stage: str, role: pd.Series | None) -> tuple:
    binds = role is not None and bool(role["is_bottleneck"])
    hour_cost = np.nan if role is None else hour_costs(process).get(role.name, np.nan)
    if role is None or np.isnan(role["load_share"]):
        hour, how = _UNKNOWN, None
    else:
        hour, how = (_margin_of(model, ratio(1.0, role["hours_per_lead"])), MORE_SERVED) if binds else ((0.0,) * 3, NOTHING)
    if stage == STAGES[0]:
        cost = _cost_per_lead(process, model)
        money, by_money = _margin_of(model, ratio(1.0, cost)), MORE_LEADS
        cost_per_lead = float(np.atleast_1d(cost)[0])
    else:
        money, by_money, cost_per_lead = tuple(ratio(value, hour_cost) for value in hour), how, np.nan
    name, hours_per_lead = ("", np.nan) if role is None else (role.name, role["hours_per_lead"])
    by_money = None if np.isnan(money[0]) else by_money
    return (stage, name, binds, by_money, *money, money[0] - 1, how, *hour, hour_cost, hour[0] - hour_cost, cost_per_lead,
            hours_per_lead)


def _margin_of(model: YearlyModel, leads: float | np.ndarray) -> tuple[float, float, float]:
    """The yearly margin of so many leads more, with its limits; missing where that number is not known."""
    if not np.all(np.isfinite(leads)):
        return _UNKNOWN
    change = {Lever("lead_flow", ALL_PLACES): ratio(leads, model.leads_per_year)}
    return summary(model.gross_margin(change) - model.gross_margin())


def _cost_per_lead(process: Process, model: YearlyModel) -> np.ndarray | float:
    if not (process.has("spend") or process.has("work")):
        return np.nan
    span = Span(year_start(process).normalize(), process.needs_as_of().ceil("D"))
    row = stage_sums(process, span).set_index("stage").loc[STAGES[0]]
    parts = [row[name] for name, table in (("spend_amount", "spend"), ("labour_amount", "work")) if process.has(table)]
    # Nothing at all is more likely not recorded than free.
    cost = sum(parts) if sum(parts) > 0 else np.nan
    return ratio(cost * yearly_factor(process), model.leads_per_year)
