"""Roles: in which stage each of them works, by its cards or by its hours."""

from __future__ import annotations

import pandas as pd

from funnel_lib.company import Process
from funnel_lib.efficiency.work_log import work_cells
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.rates import ratio
from funnel_lib.schema import MISSING, STAGES

CARDS, HOURS = "cards", "hours"
COLUMNS = ["role", "stage", "stage_from", "cards_count", "employees_count", "hours", "stage_hours", "stage_hours_share"]


def roles(process: Process) -> pd.DataFrame:
    """The stage that each role belongs to, on whose indicators it is scored.

    One row is a role with cards or work. `stage` is the one of its cards; where they are in several stages, or it has none, the
    one where most of its hours go (of its cards' stages, if it has cards). Columns: `role`, `stage`, `stage_from` (cards or hours),
    `cards_count`, `employees_count` (named in the work), `hours` in all, `stage_hours` in its stage and `stage_hours_share` of
    them: the rest of its hours go to other stages. Work without a role or a known stage is left out.
    Raises `MeasureError` where no card names a role and there is no work.
    """
    cards = pd.DataFrame([(card.role, card.stage) for card in process.settings.cards if card.role is not None],
                         columns=["role", "stage"])
    if cards.empty and not process.has("work"):
        raise MeasureError(message("{process}: needs technology cards that name their role, or the table 'work', to tell in "
                                   "which stage each role works", process=process.name))
    cells = work_cells(process) if process.has("work") else pd.DataFrame(columns=["role", "stage", "employee", "hours"])
    cells = cells[(cells["role"] != MISSING) & cells["stage"].isin(STAGES)]
    found = sorted({*cards["role"], *cells["role"]})
    rows = [_role(role, cards[cards["role"] == role], cells[cells["role"] == role]) for role in found]
    table = pd.DataFrame(rows, columns=COLUMNS)
    place = table["stage"].map({stage: number for number, stage in enumerate(STAGES)})
    return process.tidy(table.assign(_place=place).sort_values(["_place", "hours", "role"], ascending=[True, False, True])[COLUMNS])


def _role(role: str, cards: pd.DataFrame, cells: pd.DataFrame) -> tuple:
    hours = cells.groupby("stage")["hours"].sum().reindex(list(STAGES), fill_value=0.0)
    own = cards["stage"].unique()
    among = hours[[stage for stage in STAGES if stage in own]] if len(own) else hours
    stage = among.idxmax()
    employees = cells.loc[cells["employee"] != MISSING, "employee"].nunique()
    return (role, stage, CARDS if len(own) == 1 else HOURS, len(cards), employees, hours.sum(), hours[stage],
            ratio(hours[stage], hours.sum()))
