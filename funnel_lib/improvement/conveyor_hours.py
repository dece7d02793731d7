"""Hours on every arrow of the conveyor, and the hours that each role has in a week."""

from __future__ import annotations

from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, flag, with_groups
from funnel_lib.improvement.conveyor import REPEAT
from funnel_lib.last_year import WEEK_DAYS, WEEKS_PER_MONTH, complete_weeks
from funnel_lib.periods import period_starts
from funnel_lib.rates import ratio
from funnel_lib.schema import MISSING, OTHER
from funnel_lib.staffing import paid_by_role, work_of_company

QUARTER_WEEKS = 13
STAGE_OF_REPEATS, STAGE_OF_LEADS = "account_management", "lead_generation"


class Hours(NamedTuple):
    """Hours by place, card and role of the weeks counted, what is done in any week, and what roles have; see `Conveyor`."""

    by_card: dict[str, dict[int | str, dict[str, float]]]
    fixed: dict[str, float]
    capacity: dict[str, float]
    spread: dict[str, float]
    total: dict[str, float]


def no_hours() -> Hours:
    """Nobody's work is known."""
    return Hours({}, {}, {}, {}, {})


def hours_of(process: Process, weeks: pd.DatetimeIndex) -> Hours:
    """The hours worked in these weeks: at the stop that the card serves, at the first one, or for repeat orders.

    Work for leads in general stands at the first stop. Cards of lead generation that never name a lead are done in any week.
    A role has the hours that are paid for, less those that other processes took of it, or what it has worked over its busiest
    quarter where that is more; roles without paid hours have no limit.
    """
    return process.remembered(("conveyor hours", weeks[0], len(weeks)), lambda: _hours_of(process, weeks))


def _hours_of(process: Process, weeks: pd.DatetimeIndex) -> Hours:
    work = _of_weeks(process, weeks)
    table = collect(with_groups(work, ["card", "role"]).group_by("stage", "card", "role").agg(
        nw.col("hours").sum(), nw.col("_named").sum().alias("named")))
    by_card, fixed = {}, {}
    names_leads = process.has("work", "lead_id")
    for row in table.sort_values(["stage", "card", "role"]).itertuples():
        if row.stage == STAGE_OF_LEADS and names_leads and not row.named > 0:
            fixed[row.role] = fixed.get(row.role, 0.0) + float(ratio(row.hours, len(weeks)))
            continue
        roles = by_card.setdefault(row.card, {}).setdefault(_place(process, row.stage, row.card), {})
        roles[row.role] = roles.get(row.role, 0.0) + float(row.hours)
    by_week = _by_week(work, weeks)
    total = {role: float(hours.sum()) for role, hours in by_week.items()}
    spread = {role: float(np.nan_to_num(ratio(hours.var(ddof=1), hours.mean()))) if len(hours) > 1 else float(hours.mean())
              for role, hours in by_week.items()}
    return Hours(by_card, fixed, _capacity(process, by_week, weeks), spread, total)


def _inside(work: nw.LazyFrame, weeks: pd.DatetimeIndex) -> nw.LazyFrame:
    end = weeks[-1] + pd.Timedelta(days=WEEK_DAYS)
    return work.filter((nw.col("date") >= weeks[0].to_pydatetime()) & (nw.col("date") < end.to_pydatetime()))


def _of_weeks(process: Process, weeks: pd.DatetimeIndex) -> nw.LazyFrame:
    return _inside(process.table("work"), weeks).with_columns(_named=flag(~nw.col("lead_id").is_null()))


def _by_week(work: nw.LazyFrame, weeks: pd.DatetimeIndex) -> dict[str, np.ndarray]:
    rows = with_groups(work, ["role"]).with_columns(_day=nw.col("date").dt.truncate("1d"))
    days = collect(rows.group_by("role", "_day").agg(nw.col("hours").sum()))
    days["week"] = period_starts(days["_day"], "week")
    sums = days.groupby(["role", "week"])["hours"].sum()
    return {role: sums[role].reindex(weeks, fill_value=0.0).to_numpy(dtype=float)
            for role in sorted(days["role"].unique())}


def _place(process: Process, stage: str, card: str) -> int | str:
    """Where the work is done: before the mandatory step that the card serves (or that follows an optional one it serves)."""
    if stage == STAGE_OF_REPEATS:
        return REPEAT if process.has("orders") else 0
    served = next((one.step for one in process.settings.cards if one.key == card), None)
    place = 0
    for step in process.steps:
        if step.key == served:
            return place
        place += not step.optional
    return 0


def _capacity(process: Process, by_week: dict[str, np.ndarray], weeks: pd.DatetimeIndex) -> dict[str, float]:
    """Paid hours a week less what the role did for other processes, or what it worked here in its busiest quarter, if more."""
    others = _by_week(_inside(work_of_company(process), weeks).filter((nw.col("process") != process.name).fill_null(True)), weeks)
    paid = {role: ratio(hours, WEEKS_PER_MONTH) - (others[role].mean() if role in others else 0.0)
            for role, hours in paid_by_role(process).items() if role in by_week}
    return {role: float(max(hours, _busiest(by_week[role]))) for role, hours in paid.items()}


def _busiest(hours: np.ndarray) -> float:
    """Hours a week over the busiest quarter of a year (or all weeks, where there are fewer)."""
    length = min(QUARTER_WEEKS, len(hours))
    return float(np.convolve(hours, np.full(length, ratio(1.0, length)), mode="valid").max())


def roles_without_limit(process: Process) -> list[str]:
    """Roles that work here and of which the description has no paid hours."""
    if not process.has("work"):
        return []
    roles = set(_by_week(process.table("work"), complete_weeks(process)))
    return sorted(roles - set(paid_by_role(process)) - {MISSING, OTHER})
