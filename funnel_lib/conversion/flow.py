"""The flow through the process: who stood where over time, Little's law, and the speed at which money is won."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.curves import eventual_conversion
from funnel_lib.conversion.stays import LEAD, OTHER, places, stays
from funnel_lib.engine import collect, flag, left_join
from funnel_lib.errors import MeasureError
from funnel_lib.journeys import RUNNING, WON, lead_states
from funnel_lib.language.messages import message
from funnel_lib.periods import all_periods, days_between, elapsed_days, next_period_start, period_starts
from funnel_lib.rates import FEW, ratio
from funnel_lib.schema import LOST

RECENT_DAYS = 90
# Little's law holds within these limits in a flow that neither grows nor leaves leads behind.
STEADY_FROM, STEADY_TO = 0.8, 1.25
STEADY, TOO_MANY, TOO_FEW, CANNOT_TELL = "steady", "too many", "too few", "cannot tell"


@dataclass(frozen=True)
class LittlesLaw:
    """Running leads against arrivals × time in process; `law_ratio` is 1 in a steady flow.

    `verdict` is "steady" (0.8 to 1.25), "too many" running (above), "too few" (below), or "cannot tell" (under 30 leads ended).
    """

    verdict: str
    running_mean_count: float
    arrivals_per_day: float
    mean_days: float
    law_ratio: float
    arrivals_count: int
    ended_count: int
    observed_days: float
    running_count: int
    left_out_count: int


@dataclass(frozen=True)
class SalesVelocity:
    """Money per day that the running leads promise, beside the money really won per day; amounts in major units."""

    velocity_per_day_amount: float
    won_per_day_amount: float
    running_count: int
    eventual_share: float
    mean_won_amount: float
    mean_days: float
    won_count: int
    observed_days: float


def cumulative_flow(process: Process, per: str = "week", returning: bool = False) -> pd.DataFrame:
    """Where the leads stood at the end of each period: the table of a cumulative flow diagram.

    One row is a period × place (before the first step, each step, won, lost; "other" only if there are entries into steps
    that are not described). Columns: `period_start`, `step`, `leads_count` standing there at the end of the period (all
    places together: every lead created so far), `complete` (the period was observed as a whole). Who has won stays won. An
    entry whose time is unknown counts before the lead's next known one, or in the last period.
    Raises `MeasureError` without leads, events, described steps, or any time.
    """
    as_of = process.needs_as_of()
    changes = _changes(process, returning)
    order = [LEAD, *(step.key for step in process.steps), LOST]
    order += [OTHER] if (changes["step"] == OTHER).any() else []
    if changes.empty:
        return process.tidy(pd.DataFrame(columns=["period_start", "step", "leads_count", "complete"]))
    changes["period_start"] = period_starts(changes["day"], per)
    periods = all_periods(changes["period_start"].min(), as_of, per)
    table = changes.pivot_table(index="period_start", columns="step", values="change", aggfunc="sum")
    table = table.reindex(index=periods, columns=order).fillna(0).cumsum().round().astype(int)
    table = table.rename_axis(index="period_start", columns="step").stack().rename("leads_count").reset_index()
    starts = pd.Series(periods, index=periods)
    complete = (starts >= process.observed_from) & (starts.map(lambda start: next_period_start(start, per)) <= as_of)
    table["complete"] = table["period_start"].map(complete)
    return process.tidy(table)


def _changes(process: Process, returning: bool) -> pd.DataFrame:
    """Leads that came to each place and left it (negative) per day: columns `day`, `step`, `change`."""
    known = places(process)
    last_moment = process.as_of - pd.Timedelta(microseconds=1)
    every = stays(process, returning)
    # What happens after the win changes nothing: won is won.
    every = every.filter(~(nw.col("order_at") > nw.col("won_at")).fill_null(False))
    came = every.select("place", "created_at", _at=nw.col("order_at"), change=nw.lit(1))
    left = every.filter(~nw.col("next_place").is_null() & (nw.col("place") != len(known) - 1))
    left = left.select("place", "created_at", _at=nw.col("next_order_at"), change=nw.lit(-1))
    moves = nw.concat([came, left])
    at, end = nw.col("_at"), nw.lit(last_moment.to_pydatetime()).cast(nw.Datetime("us"))
    at = nw.when(at < nw.col("created_at")).then(nw.col("created_at")).otherwise(nw.when(at > last_moment.to_pydatetime())
                                                                                .then(end).otherwise(at))
    moves = moves.with_columns(day=at.dt.truncate("1d"))
    counts = collect(moves.group_by("place", "day").agg(nw.col("change").sum()))
    counts["step"] = pd.Series([known[int(number)] for number in counts["place"]], index=counts.index, dtype="str")
    return counts


def _recent_from(process: Process) -> pd.Timestamp:
    """Where the last 90 days begin, or the records if they are younger."""
    return max(process.needs_as_of() - pd.Timedelta(days=RECENT_DAYS), process.observed_from)


def _sum_of(frame: nw.LazyFrame, **columns: nw.Expr) -> pd.Series:
    """Sums of these columns over the frame, zeros where it has no row."""
    sums = collect(frame.with_columns(**columns).select(*[nw.col(name).sum() for name in columns]))
    return sums.fillna(0).iloc[0]


def littles_law(process: Process, returning: bool = False) -> LittlesLaw:
    """Whether the running leads are as many as the flow explains: L against λ · W of the last 90 days.

    L: `running_mean_count`, the mean number of leads running; λ: `arrivals_per_day`; W: `mean_days` in process of the leads
    that were won or lost in that time. `law_ratio` = L / (λ · W): above 1.25 more leads run than the flow explains
    (forgotten and never closed, or fewer new ones come than before), below 0.8 fewer (old ones were closed, or the flow has
    just grown). `running_count` is now; `left_out_count` leads whose outcome
    has no known moment; `observed_days` is 90, or less where the records are younger.
    Raises `MeasureError` without leads, events, described steps, or any time. Source: Little 1961.
    """
    leads = lead_states(process, returning)
    return law_between(process, leads, nw.col("created_at"), outcome_moment())


def outcome_moment() -> nw.Expr:
    """When a lead of `lead_states` was won or lost; missing where that has no known moment, or while it runs."""
    return nw.when(nw.col("state") == WON).then(nw.col("won_at")).otherwise(nw.col("lost_at"))


def law_between(process: Process, leads: nw.LazyFrame, begin: nw.Expr, end: nw.Expr, ended: nw.Expr | None = None) -> LittlesLaw:
    """Little's law between two moments of each lead of `lead_states`.

    `ended` says whether the end has come, its moment known or not (default: won or lost).
    """
    since, days = _recent_from(process), days_between(_recent_from(process), process.needs_as_of())
    running = nw.col("state") == RUNNING if ended is None else ~ended
    leads = leads.with_columns(_begin=elapsed_days(since, begin, leads), _ended=elapsed_days(since, end, leads), _running=running)
    running = nw.col("_running")
    leads = leads.with_columns(_end=nw.when(running).then(nw.lit(float(days))).otherwise(nw.col("_ended")))
    first = nw.when(nw.col("_begin") < 0).then(nw.lit(0.0)).otherwise(nw.col("_begin"))
    inside = nw.when(nw.col("_end") > first).then(nw.col("_end") - first).otherwise(nw.lit(0.0))
    length = nw.when(nw.col("_end") > nw.col("_begin")).then(nw.col("_end") - nw.col("_begin")).otherwise(nw.lit(0.0))
    known = ~nw.col("_end").is_null() & ~nw.col("_begin").is_null()
    closed = known & ~running & (nw.col("_end") >= 0).fill_null(False)
    sums = _sum_of(leads, inside=nw.when(known).then(inside).otherwise(nw.lit(0.0)), left_out=flag(~known),
                   arrivals=flag(known & (nw.col("_begin") >= 0)), ended=flag(closed), running=flag(running),
                   length=nw.when(closed).then(length).otherwise(nw.lit(0.0)))
    mean_running, arrivals = ratio(sums["inside"], days), ratio(sums["arrivals"], days)
    mean_days = ratio(sums["length"], sums["ended"])
    law = ratio(mean_running, arrivals * mean_days)
    return LittlesLaw(_verdict(law, sums["ended"]), mean_running, arrivals, mean_days, law, int(sums["arrivals"]),
                      int(sums["ended"]), days, int(sums["running"]), int(sums["left_out"]))


def _verdict(law: float, ended: float) -> str:
    if ended < FEW or np.isnan(law):
        return CANNOT_TELL
    return TOO_MANY if law > STEADY_TO else TOO_FEW if law < STEADY_FROM else STEADY


def sales_velocity(process: Process, returning: bool = False) -> SalesVelocity:
    """How much money a day the running leads promise, beside what was really won per day.

    `velocity_per_day_amount` = `running_count` × `eventual_share` (eventual conversion) × `mean_won_amount` / `mean_days`
    (in process, of all won and lost with known moments); `won_per_day_amount`: money won in the last 90 days (`observed_days`,
    fewer where the records are younger) per day, from `won_count` wins. The amount of a won lead is what its orders paid,
    else its expected amount; wins without either are left out of the mean.
    Raises `MeasureError` where there is no money to measure.
    """
    if not (process.has("leads", "expected_amount") or process.has("orders", "lead_id")):
        raise MeasureError(message("{process}: needs expected_amount of the leads, or orders that name their lead, to measure "
                                   "the money won per day", process=process.name))
    since, days = _recent_from(process), days_between(_recent_from(process), process.needs_as_of())
    leads = _with_paid(process, lead_states(process, returning))
    won, paid = nw.col("state") == WON, nw.col("_paid")
    recent = won & (nw.col("won_at") >= since.to_pydatetime()).fill_null(False)
    ended = (nw.col("state") != RUNNING) & ~nw.col("outcome_days").is_null()
    ended = ended & ~((nw.col("state") == WON) & (nw.col("won_at") < nw.col("created_at")).fill_null(False))
    known, zero = won & ~paid.is_null(), nw.lit(0.0)
    sums = _sum_of(leads, running=flag(nw.col("state") == RUNNING), wins=flag(known), ended=flag(ended),
                   recent=flag(recent), won_amount=nw.when(known).then(paid).otherwise(zero),
                   recent_amount=nw.when(recent & known).then(paid).otherwise(zero),
                   length=nw.when(ended).then(nw.col("outcome_days")).otherwise(zero))
    mean_amount = ratio(sums["won_amount"], sums["wins"]) / process.minor_units
    mean_days = ratio(sums["length"], sums["ended"])
    table = eventual_conversion(process, returning=returning)
    eventual = float(table["eventual_share"].iloc[0]) if len(table) else np.nan
    velocity = ratio(sums["running"] * eventual * mean_amount, mean_days)
    return SalesVelocity(velocity, ratio(sums["recent_amount"], days) / process.minor_units, int(sums["running"]), eventual,
                         mean_amount, mean_days, int(sums["recent"]), days)


def _with_paid(process: Process, leads: nw.LazyFrame) -> nw.LazyFrame:
    """The leads with `_paid`: what their orders paid, else the expected amount; missing where neither is known."""
    if not process.has("orders", "lead_id"):
        return leads.with_columns(_paid=nw.col("expected_amount"))
    orders = process.table("orders").filter((nw.col("amount") > 0) & ~nw.col("lead_id").is_null())
    paid = orders.group_by("lead_id").agg(nw.col("amount").sum().alias("_paid"))
    return left_join(leads, paid, "lead_id").with_columns(
        _paid=nw.when(nw.col("_paid").is_null()).then(nw.col("expected_amount")).otherwise(nw.col("_paid")))
