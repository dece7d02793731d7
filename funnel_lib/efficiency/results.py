"""What each stage brings: new leads, new customers, orders of customers who came back; and the process's margin."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np

from funnel_lib.company import Process
from funnel_lib.customers import customers, money_rows, new_customers, paid_orders
from funnel_lib.engine import collect, flag, left_join
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import Span
from funnel_lib.rates import Z_95, Limited, ratio, scaled_poisson_limits
from funnel_lib.schema import STAGES

RESULTS = {"lead_generation": "new_leads", "conversion": "new_customers", "account_management": "repeat_orders",
           "all": "new_customers"}


@dataclass(frozen=True)
class Results:
    """Results of the three stages; `nan` where the process has no table that would show them.

    `repeat_squares` is Σ (orders of one customer)²: orders of one customer hang together.
    """

    leads_count: float
    target_count: float
    customers_count: float
    repeat_orders_count: float
    repeat_squares: float

    def of(self, stage: str) -> float:
        """The result of a stage, or of the process as a whole (`all`)."""
        return {"lead_generation": self.leads_count, "account_management": self.repeat_orders_count}.get(
            stage, self.customers_count if stage in RESULTS else np.nan)

    def limits(self, stage: str) -> tuple[float, float]:
        """95 % limits of the mean of which this many results are one draw: a Poisson count, of orders one per customer."""
        count = self.of(stage)
        squares = self.repeat_squares if stage == STAGES[2] else count
        return (np.nan, np.nan) if np.isnan(count) else scaled_poisson_limits(count, squares)

    def relative_variance(self, stage: str) -> float:
        """Variance of the count / its square."""
        count = self.of(stage)
        return ratio(self.repeat_squares if stage == STAGES[2] else count, count**2)


def results(process: Process, span: Span | None = None) -> Results:
    """New leads, target leads, new customers and orders after the first one, of everything observed or of a span of time.

    Leads belong to the span in which they were created, customers to that of their first order, orders to their own.
    """
    return process.remembered(("results", span), lambda: _results(process, span))


def _results(process: Process, span: Span | None) -> Results:
    leads, target, won = _leads(process, span)
    if not process.has("orders"):
        return Results(leads, target, won, np.nan, np.nan)
    new = _number(_within(new_customers(process), "began_at", span).select(nw.len().alias("value")))
    return Results(leads, target, new, *_repeat_orders(process, span))


def _within(frame: nw.LazyFrame, time: str, span: Span | None) -> nw.LazyFrame:
    return frame if span is None else frame.filter(span.holds(nw.col(time)))


def _repeat_orders(process: Process, span: Span | None) -> tuple[float, float]:
    """Orders after the first one, and the sum of the squares of each customer's.

    Who was perhaps known before is no new customer for certain, nor is their first order certainly a repeat one.
    """
    orders = _within(paid_orders(process), "ordered_at", span)
    orders = orders.with_columns(orders=nw.lit(1), first=flag(nw.col("gap_days").is_null()))
    people = orders.group_by("customer_id").agg(nw.col("orders").sum(), nw.col("first").sum())
    people = left_join(people, customers(process).select("customer_id", "is_older"), "customer_id")
    people = people.with_columns(repeat=nw.col("orders") - nw.col("first") * (1 - nw.col("is_older")))
    people = people.with_columns(squares=nw.col("repeat") * nw.col("repeat"))
    sums = collect(people.select(nw.col("repeat").sum(), nw.col("squares").sum())).fillna(0).iloc[0]
    return float(sums["repeat"]), float(sums["squares"])


def _leads(process: Process, span: Span | None) -> tuple[float, float, float]:
    """New leads, those in a target segment, and the customers won; from `counts` where there is no list of leads."""
    if not process.has("leads"):
        won = process.steps[-1].key if process.steps else ""
        return _counted(process, "lead", span), np.nan, _counted(process, won, span)
    on_target = nw.col("segment").is_in(list(process.settings.target_segments) or [""]).fill_null(False)
    leads = _within(new_leads(process), "created_at", span)
    leads = leads.with_columns(target=nw.when(on_target).then(nw.lit(1)).otherwise(nw.lit(0)))
    sums = collect(leads.select(nw.len().alias("leads"), nw.col("target").sum())).fillna(0).iloc[0]
    target = float(sums["target"]) if process.settings.target_segments and process.has("leads", "segment") else np.nan
    can_win = not process.has("orders") and process.steps and process.has("stage_events")
    won = _within(new_customers(process), "began_at", span) if can_win else None
    return float(sums["leads"]), target, np.nan if won is None else _number(won.select(nw.len().alias("value")))


def _counted(process: Process, step: str, span: Span | None) -> float:
    if not process.has("counts"):
        return np.nan
    rows = _within(process.table("counts").filter(nw.col("step") == step), "period_start", span)
    found = collect(rows.select(nw.len().alias("rows"), nw.col("count").sum())).iloc[0]
    return float(found["count"]) if found["rows"] else np.nan


def _number(frame: nw.LazyFrame) -> float:
    return float(collect(frame)["value"].fillna(0).iloc[0])


def process_margin(process: Process) -> Limited:
    """Margin of all orders and refunds observed, in major units, with 95 % limits.

    Customers come by chance and each brings their own: the variance of the sum is Σ (margin of a customer)² (compound
    Poisson). Missing where an order has no margin and no `margin_share` is described.
    """
    if not process.has("orders"):
        return Limited(np.nan, np.nan, np.nan)
    rows = money_rows(process)
    unknown = nw.when(nw.col("margin").is_null()).then(nw.lit(1)).otherwise(nw.lit(0))
    alone = nw.concat_str(nw.lit("order "), nw.col("order_id"))
    named = nw.concat_str(nw.lit("customer "), nw.col("customer_id"))
    person = nw.when(nw.col("customer_id").is_null()).then(alone).otherwise(named)
    people = rows.with_columns(unknown=unknown, person=person).group_by("person")
    people = people.agg(nw.col("margin").sum(), nw.col("unknown").sum())
    people = people.with_columns(squares=nw.col("margin") * nw.col("margin"))
    sums = collect(people.select(*[nw.col(name).sum() for name in ("margin", "unknown", "squares")])).fillna(0).iloc[0]
    if sums["unknown"] > 0:
        return Limited(np.nan, np.nan, np.nan)
    margin, half = sums["margin"] / process.minor_units, Z_95 * np.sqrt(sums["squares"]) / process.minor_units
    return Limited(float(margin), float(margin - half), float(margin + half))
