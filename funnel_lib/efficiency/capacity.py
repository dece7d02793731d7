"""Capacity: the hours that the flow of leads needs against the hours that are paid for, role by role."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.curves import eventual_conversion
from funnel_lib.engine import collect
from funnel_lib.errors import MeasureError
from funnel_lib.journeys import entries
from funnel_lib.labour import own_work
from funnel_lib.language.messages import message
from funnel_lib.last_year import WEEKS_PER_MONTH, complete_weeks, leads_per_month, weekly_leads
from funnel_lib.lead_flow.counts import lead_counts
from funnel_lib.periods import Span, period_starts
from funnel_lib.rates import poisson_limits, ratio
from funnel_lib.staffing import hours_by_role, paid_by_role

FULL = 1.0
MINUTES_PER_HOUR = 60
BY_WORK, BY_NORM = "by_work", "by_norm"
_LOST = ["lost_customers", "lost_customers_low", "lost_customers_high"]
COLUMNS = ["role", "needed_hours", "paid_hours", "load_share", "hours_per_lead", "process_hours_share", "hours_basis",
           "is_bottleneck", "unserved_leads", *_LOST]


def capacity(process: Process) -> pd.DataFrame:
    """The hours of an average month that each role needs, against those it is paid for; the tightest role first.

    One row is a role. Columns: `role`, `needed_hours` = new leads per month (last 52 complete weeks) × `hours_per_lead` (hours
    of the role / new leads, everything observed), `paid_hours` = `paid_hours_per_month` × people × `process_hours_share` (the
    part of the role's hours that this process takes), `load_share` = needed / paid, missing where the role's paid hours are not
    described. `hours_basis` is "by_work", or "by_norm" where there is no work: then the hours are Σ norm minutes of the cards
    × entries into the steps they serve, and the paid hours are those of the whole company. `is_bottleneck`: the tightest
    role, if it needs all its paid hours or more. It leaves `unserved_leads` leads a month, which would have become
    `lost_customers` (× eventual conversion; limits from those of the flow and of the conversion); both are zero where no role
    binds.
    Raises `MeasureError` without leads, or without both the table `work` and cards with norm minutes and a step.
    """
    table = _needed(process).rename_axis("role").reset_index()
    table["load_share"] = ratio(table["needed_hours"], table["paid_hours"])
    table = table.sort_values(["load_share", "needed_hours"], ascending=False).reset_index(drop=True)
    binds = (table.index == 0) & (table["load_share"] >= FULL)
    table = table.assign(is_bottleneck=binds, unserved_leads=0.0, **dict.fromkeys(_LOST, 0.0))
    if binds.any():
        row = table.iloc[0]
        served = ratio(row["paid_hours"], row["hours_per_lead"])
        table.loc[0, ["unserved_leads", *_LOST]] = _lost(process, served)
    return process.tidy(table[COLUMNS])


def _needed(process: Process) -> pd.DataFrame:
    """Per role the hours a month, those per lead, and the paid ones."""
    if process.has("work"):
        table, leads = hours_by_role(process), leads_per_month(process)
        return table.assign(needed_hours=table["hours_per_lead"] * leads, hours_basis=BY_WORK)
    needed = _hours_by_norm(process)
    table = pd.DataFrame({"needed_hours": needed, "hours_per_lead": ratio(needed, leads_per_month(process))}, index=needed.index)
    paid = pd.Series(paid_by_role(process), dtype=float).reindex(needed.index)
    return table.assign(paid_hours=paid, process_hours_share=np.nan, hours_basis=BY_NORM)


def _hours_by_norm(process: Process) -> pd.Series:
    """Hours a month of each role by the norms of its cards; an execution is an entry into the step that the card serves."""
    cards = [card for card in process.settings.cards if card.role and card.norm_minutes is not None and card.step]
    if not (cards and process.has("leads") and process.has("stage_events")):
        raise MeasureError(message("{process}: needs the table 'work' (hours by role), or cards in company.yaml with a role, "
                                   "norm_minutes and the step they serve, to tell whose hours are full", process=process.name))
    weeks = complete_weeks(process)
    span = Span(weeks[0], weeks[-1] + pd.Timedelta(weeks=1))
    came = entries(process).filter(span.holds(nw.col("entered_at")))
    counts = collect(came.group_by("step").agg(nw.len().alias("entries"))).set_index("step")["entries"]
    hours = pd.DataFrame([(card.role, card.norm_minutes / MINUTES_PER_HOUR * float(counts.get(card.step, 0))) for card in cards],
                         columns=["role", "hours"]).groupby("role")["hours"].sum()
    return ratio(1, len(weeks)) * WEEKS_PER_MONTH * hours


def _lost(process: Process, served: float) -> list[float]:
    """Leads a month beyond those `served`, and the customers lost with them, with 95 % limits."""
    weekly = weekly_leads(process)
    scale = ratio(WEEKS_PER_MONTH, len(weekly))
    count = float(weekly.to_numpy().sum())
    leads = [max(scale * number - served, 0.0) for number in (count, *poisson_limits(count))]
    try:
        share = eventual_conversion(process).iloc[0][["eventual_share", "eventual_low_share", "eventual_high_share"]]
    except MeasureError:
        share = [np.nan] * 3
    return [leads[0], *(number * part for number, part in zip(leads, share, strict=True))]


def role_load(process: Process, per: str = "month") -> pd.DataFrame:
    """The load of each role period by period: what the leads of the time needed, and what was worked and paid.

    One row is a `role` × `period_start` (`per` "week" or "month"). Columns: `complete`, `leads_count`, `needed_hours` = new leads
    of the period × `hours_per_lead` of the role (everything observed), `worked_hours`, `paid_hours`, `load_share` = needed /
    paid, `is_bottleneck` (the highest load of the period, at least 100 %). Raises `MeasureError` without leads or `work`.
    """
    roles = hours_by_role(process).rename_axis("role").reset_index()
    if per == "week":
        roles["paid_hours"] = roles["paid_hours"] / WEEKS_PER_MONTH
    periods = lead_counts(process, by=None, per=per)[["period_start", "leads_count", "complete"]]
    table = roles[["role", "hours_per_lead", "paid_hours"]].merge(periods, how="cross")
    work = own_work(process)
    starts = period_starts(work["day"], per)
    worked = work.groupby([work["role"], starts.rename("period_start")])["hours"].sum().rename("worked_hours").reset_index()
    table = table.merge(worked, on=["role", "period_start"], how="left").fillna({"worked_hours": 0.0})
    table["needed_hours"] = table["leads_count"] * table["hours_per_lead"]
    table["load_share"] = ratio(table["needed_hours"], table["paid_hours"])
    tightest = table.groupby("period_start")["load_share"].transform("max")
    table["is_bottleneck"] = (table["load_share"] == tightest) & (tightest >= FULL)
    return process.tidy(table[["role", "period_start", "complete", "leads_count", "needed_hours", "worked_hours", "paid_hours",
                               "load_share", "is_bottleneck"]])
