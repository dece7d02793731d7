"""What each stage brings: new leads, new customers, orders of customers who came back; and the process's margin."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np

from funnel_lib.company import Process
from funnel_lib.customers import customers, money_rows, new_customers, paid_orders
from funnel_lib.engine import collect
from funnel_lib.journeys import WON, entries, lead_states
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import elapsed_days
from funnel_lib.schema import LOST
from funnel_lib.survival import aalen_johansen, first_day_reaching, grouped

RESULTS = {"lead_generation": "new_leads", "conversion": "new_customers", "account_management": "repeat_orders",
           "all": "new_customers"}


@dataclass(frozen=True)
class Results:
    """Results of the three stages; `nan` where the process has no table that would show them."""

    leads_count: float
    target_count: float
    customers_count: float
    repeat_orders_count: float

    def of(self, stage: str) -> float:
        """The result of a stage, or of the process as a whole (`all`)."""
        return {"lead_generation": self.leads_count, "account_management": self.repeat_orders_count}.get(
            stage, self.customers_count if stage in RESULTS else np.nan)


def results(process: Process) -> Results:
    """New leads, target leads, new customers and orders after the first one, of everything observed."""
    leads, target, won = _leads(process)
    if not process.has("orders"):
        return Results(leads, target, won, np.nan)
    orders = _number(paid_orders(process).select(nw.len().alias("value")))
    new = _number(new_customers(process).select(nw.len().alias("value")))
    # Who was perhaps known before is no new customer for certain, nor is their first order certainly a repeat one.
    first = _number(customers(process).filter(nw.col("is_older") == 0).select(nw.len().alias("value")))
    return Results(leads, target, new, orders - first)


def _leads(process: Process) -> tuple[float, float, float]:
    """New leads, those in a target segment, and the customers won; from `counts` where there is no list of leads."""
    if not process.has("leads"):
        return _counted(process, "lead"), np.nan, _counted(process, process.steps[-1].key if process.steps else "")
    on_target = nw.col("segment").is_in(list(process.settings.target_segments) or [""]).fill_null(False)
    leads = new_leads(process).with_columns(target=nw.when(on_target).then(nw.lit(1)).otherwise(nw.lit(0)))
    sums = collect(leads.select(nw.len().alias("leads"), nw.col("target").sum())).fillna(0).iloc[0]
    target = float(sums["target"]) if process.settings.target_segments and process.has("leads", "segment") else np.nan
    can_win = not process.has("orders") and process.steps and process.has("stage_events")
    won = _number(new_customers(process).select(nw.len().alias("value"))) if can_win else np.nan
    return float(sums["leads"]), target, won


def _counted(process: Process, step: str) -> float:
    if not process.has("counts"):
        return np.nan
    rows = process.table("counts").filter(nw.col("step") == step).select(nw.len().alias("rows"), nw.col("count").sum())
    found = collect(rows).iloc[0]
    return float(found["count"]) if found["rows"] else np.nan


def _number(frame: nw.LazyFrame) -> float:
    return float(collect(frame)["value"].fillna(0).iloc[0])


def process_margin(process: Process) -> float:
    """Margin of all orders and refunds observed, in major units.

    Missing where an order has none and no `margin_share` is described.
    """
    if not process.has("orders"):
        return np.nan
    rows = money_rows(process)
    unknown = nw.when(nw.col("margin").is_null()).then(nw.lit(1)).otherwise(nw.lit(0))
    sums = collect(rows.with_columns(unknown=unknown).select(nw.col("margin").sum(), nw.col("unknown").sum())).iloc[0]
    return np.nan if sums["unknown"] > 0 else float(np.nan_to_num(sums["margin"])) / process.minor_units


def median_days(process: Process) -> dict[str, float]:
    """Elapsed days of each stage: median creation → first step, creation → won, and order → next order (Kaplan-Meier)."""
    first_step, won = np.nan, np.nan
    if process.has("leads") and process.has("stage_events") and process.steps:
        first_step, won = _days_to_first_step(process), _days_to_win(process)
    between = _days_between_orders(process) if process.has("orders") and process.as_of is not None else np.nan
    return {"lead_generation": first_step, "conversion": won, "account_management": between, "all": won}


def _days_to_first_step(process: Process) -> float:
    """Of the leads whose first step is not before the lead itself: their second step does not stand in for it."""
    timed = entries(process).filter((nw.col("step") != LOST) & ~nw.col("age_days").is_null())
    timed = timed.join(lead_states(process).select("lead_id"), on="lead_id", how="semi")
    timed = timed.with_columns(before=nw.when(nw.col("is_before_lead")).then(nw.lit(1)).otherwise(nw.lit(0)))
    first = timed.group_by("lead_id").agg(nw.col("age_days").min(), nw.col("before").max())
    return _median(first.filter(nw.col("before") == 0), "age_days")


def _days_to_win(process: Process) -> float:
    wins = lead_states(process).filter((nw.col("state") == WON) & (nw.col("won_at") >= nw.col("created_at")).fill_null(False))
    return _median(wins, "outcome_days")


def _median(frame: nw.LazyFrame, column: str) -> float:
    return float(collect(frame.select(nw.col(column).median()))[column].iloc[0])


def _days_between_orders(process: Process) -> float:
    """The day by which half of the orders were followed by the customer's next one; missing where that is not reached."""
    orders = paid_orders(process)
    followed = collect(orders.filter(~nw.col("gap_days").is_null()).group_by("gap_days").agg(nw.len().alias("orders")))
    last = orders.group_by("customer_id").agg(nw.col("ordered_at").max())
    silent = last.with_columns(silence=elapsed_days(nw.col("ordered_at"), process.needs_as_of(), last).floor())
    open_ends = collect(silent.group_by("silence").agg(nw.len().alias("orders")))
    if open_ends.empty:
        return np.nan
    length = int(max(open_ends["silence"].max(), followed["gap_days"].max() if len(followed) else 0)) + 1
    event = grouped(followed["gap_days"], followed["orders"], length)
    censored = grouped(open_ends["silence"], open_ends["orders"], length)
    day = first_day_reaching(aalen_johansen(event, event * 0, censored), 0.5)
    return np.nan if day is None else float(day)
