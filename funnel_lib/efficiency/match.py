"""Qualification match: hours of dear people on the work of cheaper ones, and the other way round, in hours and money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.efficiency.work_log import MONTHS_PER_YEAR, observed_months, on_cards
from funnel_lib.engine import as_list
from funnel_lib.errors import CallError, MeasureError
from funnel_lib.labour import hour_costs
from funnel_lib.language.messages import message
from funnel_lib.rates import Z_95, ratio
from funnel_lib.schema import MISSING

DEARER, CHEAPER, SAME_COST, OWN_ROLE, CANNOT_TELL = "dearer_role", "cheaper_role", "same_cost", "own_role", "cannot_tell"
KINDS = (DEARER, CHEAPER, SAME_COST, OWN_ROLE, CANNOT_TELL)
QUALIFICATIONS = {"low": 0, "middle": 1, "high": 2}
BY = ("card_role", "card")
COLUMNS = ["card_role", "role", "match", "executions_count", "hours", "hours_share", "hour_cost_amount", "card_hour_cost_amount",
           "difference_amount", "hours_per_year", "difference_per_year_amount"]


@dataclass(frozen=True)
class QualificationTotal:
    """What a year of work by other roles than the card's amounts to; money is missing where no hour cost is known for it."""

    card_hours: float
    dearer_hours: float
    dearer_share: float
    dearer_executions_count: float
    dearer_hours_per_year: float
    dearer_per_year_amount: float
    dearer_per_year_low_amount: float
    dearer_per_year_high_amount: float
    cheaper_hours: float
    cheaper_share: float
    cheaper_executions_count: float
    cheaper_per_year_amount: float
    unmatched_hours: float


def qualification_match(process: Process, by: str = "card_role") -> pd.DataFrame:
    """Who did the work of which role: hours of dear people on cards of a cheaper role, the other way round, and all others.

    One row is a role that did the work × the role that the card names (`by="card_role"`) or the card (`by="card"`); dearer
    first, most money first; the hours add up to all hours of work that names a card. Columns: `card` (with by="card"),
    `card_role`, `role`, `match` (dearer_role, cheaper_role, same_cost, own_role, cannot_tell: a role missing, not described, or
    without hour cost and qualification), `executions_count`, `hours`, `hours_share` of all hours on cards, `hour_cost_amount` of
    the role that did it and `card_hour_cost_amount` of the card's role, `difference_amount` = hours × (the one − the other): paid
    too much above 0, saved below; `hours_per_year` and `difference_per_year_amount` over the time observed.
    Roles are ordered by hour cost, by qualification where one of the costs is missing: then there is no money.
    Raises `MeasureError` without work that names cards, or where no card names a role; `CallError` for another `by`.
    """
    if by not in BY:
        raise CallError(message("qualification_match: by={by!r}: expected one of {known}", by=by, known=", ".join(BY)))
    table, months = _pairs(process), observed_months(process)
    groups = [*as_list(by if by == "card" else None), "card_role", "role"]
    sums = table.groupby(groups, as_index=False)[["executions_count", "hours"]].sum()
    sums = _compared(sums, process)
    sums["hours_share"] = ratio(sums["hours"], sums["hours"].sum())
    sums["hours_per_year"] = ratio(sums["hours"] * MONTHS_PER_YEAR, months)
    sums["difference_per_year_amount"] = ratio(sums["difference_amount"] * MONTHS_PER_YEAR, months)
    sums["_kind"] = sums["match"].map({kind: number for number, kind in enumerate(KINDS)})
    sums["_money"] = -sums["difference_amount"].abs()
    sums = sums.sort_values(["_kind", "_money", "hours", *groups], ascending=[True, True, False, *[True] * len(groups)])
    return process.tidy(sums[[*groups[:-2], *COLUMNS]])


def qualification_total(process: Process) -> QualificationTotal:
    """The year's total of `qualification_match`: hours and money of dearer roles on cheaper work, and of cheaper ones.

    A frozen dataclass: `card_hours` (all hours on cards); `dearer_hours`, their share and executions, hours and money per year
    with 95 % limits (the work observed is one draw: a compound Poisson sum); the same of `cheaper_…` (money that was saved, at
    the risk of quality); `unmatched_hours` (cannot be told). Raises as `qualification_match`.
    """
    table, months = _compared(_pairs(process), process), observed_months(process)
    whole, (dear, cheap) = table["hours"].sum(), (table[table["match"] == kind] for kind in (DEARER, CHEAPER))
    money = ratio(_money(dear) * MONTHS_PER_YEAR, months)
    squares = dear["squares"] * (dear["hour_cost_amount"] - dear["card_hour_cost_amount"]) ** 2
    half = Z_95 * ratio(float(np.sqrt(squares.sum())) * MONTHS_PER_YEAR, months)
    return QualificationTotal(
        float(whole), float(dear["hours"].sum()), ratio(dear["hours"].sum(), whole), float(dear["executions_count"].sum()),
        ratio(dear["hours"].sum() * MONTHS_PER_YEAR, months), money, max(money - half, 0.0) if money == money else np.nan,
        money + half, float(cheap["hours"].sum()), ratio(cheap["hours"].sum(), whole), float(cheap["executions_count"].sum()),
        -ratio(_money(cheap) * MONTHS_PER_YEAR, months) + 0.0, float(table.loc[table["match"] == CANNOT_TELL, "hours"].sum()))


def _money(part: pd.DataFrame) -> float:
    """The sum of the differences; unknown where there are hours and none of them has a cost."""
    return float(part["difference_amount"].sum(min_count=1)) if len(part) else 0.0


def _pairs(process: Process) -> pd.DataFrame:
    """Cells of work on cards with the role that the card names."""
    role_of = {card.key: card.role for card in process.settings.cards if card.role is not None}
    if not process.has("work", "card"):
        raise MeasureError(message("{process}: needs the table 'work' with the column 'card' (which kind of work it was); it "
                                   "would tell whether dear people do the work of cheaper ones", process=process.name))
    if not role_of:
        raise MeasureError(message("{process}: no technology card names the role whose work it is (cards: role in company.yaml); "
                                   "it would tell whether dear people do the work of cheaper ones", process=process.name))
    cells = on_cards(process)
    return cells.assign(card_role=cells["card"].map(role_of).fillna(MISSING).astype("str"))


def _compared(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    """The hour costs of both roles, what the difference costs, and which of them is the dearer one."""
    costs = hour_costs(process)
    ranks = {key: QUALIFICATIONS[role.qualification] for key, role in process.company.roles.items() if role.qualification}
    done, due = (table[name].map(costs).astype(float) for name in ("role", "card_role"))
    by_rank = table["role"].map(ranks).astype(float) - table["card_role"].map(ranks).astype(float)
    apart = (done - due).fillna(by_rank)
    own = (table["role"] == table["card_role"]) & (table["role"] != MISSING)
    match = np.select([own, apart.isna(), apart > 0, apart < 0], [OWN_ROLE, CANNOT_TELL, DEARER, CHEAPER], SAME_COST)
    money = (table["hours"] * (done - due)).mask(own, 0.0)
    return table.assign(match=match, hour_cost_amount=done, card_hour_cost_amount=due, difference_amount=money)
