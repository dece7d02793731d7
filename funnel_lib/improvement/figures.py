"""The figure that a lever is about, day by day: what a trial compares, and what stands before and after a start."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.cohorts import counts_by_day, equal_window_days
from funnel_lib.customers import REFERRED, customers, paid_orders
from funnel_lib.engine import collect
from funnel_lib.errors import MeasureError
from funnel_lib.improvement.vocabulary import ALL_PLACES, Lever
from funnel_lib.language.messages import message
from funnel_lib.last_year import YEAR_DAYS
from funnel_lib.lead_flow import lead_counts
from funnel_lib.lead_flow.targets import can_tell_target, with_target
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import elapsed_days
from funnel_lib.rates import ratio

SHARE, FLOW, MEAN = "share", "flow", "mean"
# Levers whose figure belongs to a lead, so that two groups of leads can be compared.
OF_LEADS = frozenset({"step_rate", "target_share"})


class Figure(NamedTuple):
    """`days` has a row per day (per week of a flow): `day`, the groups, `part` and `whole`.

    A share is part / whole of counts; a flow is `part` leads a week (`whole` is 1); a mean is `part` money of `whole` orders, with
    the sum of `squares`. What began on a day has been followed for `followed_days` since.
    """

    kind: str
    days: pd.DataFrame
    followed_days: float


def figure_of(process: Process, lever: Lever, groups: list[str] | None = None) -> Figure:
    """The figure of a lever; `groups` are columns of the leads.

    Raises `MeasureError` where the tables do not show this figure in time.
    """
    if lever.kind not in _FIGURES or (groups and lever.kind not in OF_LEADS):
        raise MeasureError(
            message("{process}: the tables do not show {lever!r} by group over time, so that nothing tells whether it has moved",
                    process=process.name, lever=str(lever)) if groups else
            message("{process}: the tables do not show {lever!r} over time, so that nothing tells whether it has moved",
                    process=process.name, lever=str(lever)))
    return _FIGURES[lever.kind](process, lever, groups or [])


def _step_rate(process: Process, lever: Lever, groups: list[str]) -> Figure:
    window = equal_window_days(process)
    if window is None:
        raise MeasureError(message("{process}: needs the moments of wins, or conversion_window_days, to follow the leads of "
                                   "before and after equally long", process=process.name))
    counts = counts_by_day(process, groups, window)
    keys = [step.key for step in process.steps]
    at = keys.index(lever.place)
    before = [number for number in range(at) if not process.steps[number].optional]
    base = counts[f"reached_{before[-1]}"] if before else counts["leads"]
    return Figure(SHARE, counts[["day", *groups]].assign(part=counts[f"reached_{at}"], whole=base), window)


def _target_share(process: Process, lever: Lever, groups: list[str]) -> Figure:
    if not can_tell_target(process):
        raise MeasureError(message("{process}: needs target_segments and the segment of the leads", process=process.name))
    leads = with_target(new_leads(process), process).filter((nw.col("is_known") == 1) & (nw.col("channel") == lever.place))
    leads = leads.with_columns(day=nw.col("created_at").dt.truncate("1d"))
    days = leads.group_by(["day", *groups]).agg(nw.col("is_target").sum().alias("part"), nw.len().alias("whole"))
    return Figure(SHARE, _in_order(days), 0.0)


def _lead_flow(process: Process, lever: Lever, groups: list[str]) -> Figure:
    by = None if lever.place == ALL_PLACES else "channel"
    weeks = lead_counts(process, by=by, per="week")
    weeks = weeks[weeks["complete"].astype(bool)]
    if by:
        weeks = weeks[weeks["channel"] == lever.place]
    return Figure(FLOW, pd.DataFrame({"day": weeks["period_start"], "part": weeks["leads_count"].astype(float), "whole": 1.0}), 0.0)


def _repeat_rate(process: Process, lever: Lever, groups: list[str]) -> Figure:
    people = customers(process).filter(nw.col("is_older") == 0).select("customer_id", "first_order_at", day=nw.col("first_day"))
    people = people.filter(elapsed_days(nw.col("first_order_at"), process.needs_as_of(), people) >= YEAR_DAYS)
    later = paid_orders(process).filter(~nw.col("gap_days").is_null()).select("customer_id", "ordered_at")
    later = later.join(people, on="customer_id", how="inner")
    later = later.filter(elapsed_days(nw.col("first_order_at"), nw.col("ordered_at"), later) < YEAR_DAYS)
    came_back = later.group_by("customer_id").agg(nw.len().alias("orders"))
    people = people.join(came_back, on="customer_id", how="left")
    people = people.with_columns(part=nw.when(nw.col("orders").is_null()).then(nw.lit(0)).otherwise(nw.lit(1)))
    return Figure(SHARE, _in_order(people.group_by("day").agg(nw.col("part").sum(), nw.len().alias("whole"))), YEAR_DAYS)


def _referral_share(process: Process, lever: Lever, groups: list[str]) -> Figure:
    referred = nw.when(nw.col("origin") == REFERRED).then(nw.lit(1)).otherwise(nw.lit(0))
    people = customers(process).filter(nw.col("is_older") == 0).with_columns(part=referred, day=nw.col("first_day"))
    return Figure(SHARE, _in_order(people.group_by("day").agg(nw.col("part").sum(), nw.len().alias("whole"))), 0.0)


def _mean_amount(process: Process, lever: Lever, groups: list[str]) -> Figure:
    orders = paid_orders(process).with_columns(_square=nw.col("amount") * nw.col("amount"))
    days = _in_order(orders.group_by("day").agg(nw.col("amount").sum().alias("part"), nw.len().alias("whole"),
                                                nw.col("_square").sum().alias("squares")))
    squares = days["squares"] / process.minor_units / process.minor_units
    return Figure(MEAN, days.assign(part=days["part"] / process.minor_units, squares=squares), 0.0)


def _in_order(days: nw.LazyFrame) -> pd.DataFrame:
    return collect(days).sort_values("day", ignore_index=True)


_FIGURES: dict[str, Callable[[Process, Lever, list[str]], Figure]] = {
    "step_rate": _step_rate, "target_share": _target_share, "lead_flow": _lead_flow, "repeat_rate": _repeat_rate,
    "referral_share": _referral_share, "mean_amount": _mean_amount}


def sums_of(days: pd.DataFrame) -> pd.Series:
    """`part`, `whole` and, of a mean, `squares` of all these days."""
    return days[[name for name in ("part", "whole", "squares") if name in days]].sum().astype(float)


def dispersion(days: pd.DataFrame, kind: str, level: float) -> tuple[float, int]:
    """How much more the periods of `days` (column `period_start`) vary around their level than by chance: χ² and its freedom."""
    periods = days.groupby("period_start")[["part", "whole"]].sum()
    periods = periods[periods["whole"] > 0]
    variance = periods["whole"] * level * (1.0 if kind == FLOW else 1 - level)
    known = variance > 0
    squares = (periods["part"] - level * periods["whole"])[known] ** 2
    return float(np.sum(ratio(squares, variance[known]))), max(int(known.sum()) - 1, 0)
