"""Customers of a process: their paid orders, the first one, the lead it came from, whether they may be older, who is new."""

from __future__ import annotations

from functools import reduce

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, flag, kept, left_join, with_groups
from funnel_lib.new_leads import all_leads, new_leads
from funnel_lib.periods import elapsed_days
from funnel_lib.schema import MISSING, TABLES

REFERRED, OTHER_ORIGIN, UNKNOWN = "referred", "other", "unknown"
UNATTRIBUTED = "(unattributed)"
ORIGINS = (REFERRED, OTHER_ORIGIN, UNKNOWN)
# First seen within this many median gaps after the recording began: perhaps a customer from before.
PERHAPS_OLDER_GAPS = 2


def money_rows(process: Process) -> nw.LazyFrame:
    """One row per order or refund, with `day` and the `margin` from `margin_share` where the source has none.

    Zero amounts are no sales and are left out. Amounts and margins are whole minor units.
    """
    rows = process.table("orders").filter(nw.col("amount") != 0).with_columns(day=nw.col("ordered_at").dt.truncate("1d"))
    share = process.settings.margin_share
    if share is None:
        return rows
    # Rounded down after a half is added: engines differ in how they round halves.
    estimated = (nw.col("amount") * share + 0.5).floor()
    return rows.with_columns(margin=nw.when(nw.col("margin").is_null()).then(estimated).otherwise(nw.col("margin")))


def paid_orders(process: Process) -> nw.LazyFrame:
    """One row per order with a positive amount of a known customer, in the customer's own order of time.

    `gap_days` is the time since the customer's order before, at least 1 day: missing for the first one, 0 for a later
    order of the same day (they share a visit). Same-moment orders follow `order_id`.
    """
    return process.remembered(("paid_orders",), lambda: _kept_orders(process))


def _kept_orders(process: Process) -> nw.LazyFrame:
    """Every measure of customers begins with these orders, so they are kept: without what the source has not or a plan can add."""
    frame = _paid_orders(process)
    types = frame.collect_schema()
    estimated = {"margin"} if process.settings.margin_share is not None else set()
    absent = {column.name: nw.lit(None, dtype=types[column.name]) for column in TABLES["orders"].columns
              if column.name not in estimated and not process.has("orders", column.name)}
    return kept(frame, {**absent, "process": nw.lit(process.name), "day": nw.col("ordered_at").dt.truncate("1d")})


def _paid_orders(process: Process) -> nw.LazyFrame:
    rows = money_rows(process).filter((nw.col("amount") > 0) & ~nw.col("customer_id").is_null())
    before = nw.col("ordered_at").shift(1).over("customer_id", order_by=["ordered_at", "order_id"])
    rows = rows.with_columns(_before=before)
    rows = rows.with_columns(_days=elapsed_days(nw.col("_before"), nw.col("ordered_at"), rows),
                             _same_day=(nw.col("_before").dt.truncate("1d") == nw.col("day")).fill_null(False))
    gap = nw.when(nw.col("_days") < 1).then(nw.lit(1.0)).otherwise(nw.col("_days"))
    gap = nw.when(nw.col("_same_day")).then(nw.lit(0.0)).otherwise(gap)
    return rows.with_columns(gap_days=gap).drop("_before", "_days", "_same_day")


def median_gap_days(process: Process) -> float:
    """The median of all gaps between one customer's orders of different days; NaN where nobody came twice."""
    return process.remembered(("median_gap_days",), lambda: _median_gap_days(process))


def _median_gap_days(process: Process) -> float:
    gaps = paid_orders(process).filter((nw.col("gap_days") > 0).fill_null(False))
    median = collect(gaps.select(nw.col("gap_days").median()))["gap_days"]
    return float(median.iloc[0]) if len(median) else float("nan")


def customers(process: Process) -> nw.LazyFrame:
    """One row per customer with a paid order in this process.

    Columns: `customer_id`, `first_order_at` and `first_day` of the first order observed; `lead_id`, `lead_created_at`,
    `lead_channel` of the lead that closed it, else of the customer's earliest lead not after it (entries that never were
    leads do not count); `channel` of that lead, else of the order; `origin` (referred, other, unknown: the channel is
    missing); `is_older` (1 where the list of customers has them with an earlier day or without a date, or the source calls
    that lead a returning one) and `is_perhaps_older` (1 where the first order observed came within two median gaps after
    `observed_from`, without a lead before it, and the list of customers does not have them); `referred_by` of that lead. It is
    kept: every measure of clients begins with it.
    """
    return process.remembered(("customers",), lambda: kept(_customers(process)))


def _customers(process: Process) -> nw.LazyFrame:
    frame = _first_orders(process)
    frame = _with_lead(frame, process)
    frame = _with_age_marks(frame, process)
    return frame.with_columns(origin=origin_of(process))


def new_customers(process: Process) -> nw.LazyFrame:
    """One row per new customer, as every count of new customers takes them.

    Those whose first paid order is in this process and who were not known, or perhaps known, from before. A win without a
    paid order is no customer. Where the process has no orders at all: those whose leads are won, each once, by the
    earliest won lead; won leads that name no customer are one each. Columns: `customer_id`, `began_at` (first order, else
    first win), `lead_id`, `lead_created_at`, `channel` of the lead, without a lead of the order, else "(unattributed)".
    Raises `MeasureError` where there are neither orders nor leads.
    """
    return _by_orders(process) if process.has("orders") else _by_wins(process)


def _by_orders(process: Process) -> nw.LazyFrame:
    people = customers(process).filter((nw.col("is_older") == 0) & (nw.col("is_perhaps_older") == 0))
    without_lead = nw.col("channel").fill_null(UNATTRIBUTED)
    channel = nw.when(nw.col("lead_id").is_null()).then(without_lead).otherwise(nw.col("lead_channel").fill_null(MISSING))
    return people.with_columns(channel=channel).select(
        "customer_id", "lead_id", "lead_created_at", "channel", began_at=nw.col("first_order_at"))


def _by_wins(process: Process) -> nw.LazyFrame:
    leads = with_groups(new_leads(process), ["channel"]).filter(nw.col("is_won") == 1)
    if not (process.steps and process.has("stage_events")):
        leads = leads.with_columns(won_at=nw.lit(None, dtype=nw.Datetime("us")))
    person = nw.when(nw.col("customer_id").is_null()).then(nw.concat_str(nw.lit("lead "), nw.col("lead_id"))).otherwise(
        nw.concat_str(nw.lit("customer "), nw.col("customer_id")))
    leads = leads.with_columns(_person=person)
    leads = leads.with_columns(_before=nw.col("lead_id").shift(1).over("_person", order_by=["created_at", "lead_id"]),
                               began_at=nw.col("won_at").min().over("_person"))
    return leads.filter(nw.col("_before").is_null()).select(
        "customer_id", "lead_id", "channel", "began_at", lead_created_at=nw.col("created_at"))


def _first_orders(process: Process) -> nw.LazyFrame:
    first = paid_orders(process).filter(nw.col("gap_days").is_null())
    return first.select("customer_id", first_order_at=nw.col("ordered_at"), first_day=nw.col("day"),
                        closed_lead_id=nw.col("lead_id"), order_channel=nw.col("channel"))


def _with_lead(frame: nw.LazyFrame, process: Process) -> nw.LazyFrame:
    """The lead that closed the first order, else the earliest real lead of the customer not after that order."""
    if not process.has("leads"):
        nothing = nw.lit(None, dtype=nw.String)
        return frame.with_columns(lead_id=nothing, referred_by=nothing, lead_channel=nothing, channel=nw.col("order_channel"),
                                  lead_created_at=nw.lit(None, dtype=nw.Datetime("us")),
                                  returning=nw.lit(False), _had_lead=nw.lit(False)).drop("closed_lead_id", "order_channel")
    leads = all_leads(process)
    closing = leads.select(closed_lead_id=nw.col("lead_id"), closed_channel=nw.col("channel"),
                           closed_referred_by=nw.col("referred_by"), closed_created_at=nw.col("created_at"),
                           closed_returning=nw.col("returning"))
    frame = left_join(frame, closing, "closed_lead_id")
    frame = left_join(frame, _earliest_leads(leads), "customer_id")
    closed = ~nw.col("closed_created_at").is_null()
    in_time = (nw.col("early_created_at").dt.truncate("1d") <= nw.col("first_day")).fill_null(False)

    def chosen(name: str) -> nw.Expr:
        early = nw.when(in_time).then(nw.col(f"early_{name}"))
        return nw.when(closed).then(nw.col(f"closed_{name}")).otherwise(early)

    frame = frame.with_columns(lead_id=chosen("lead_id"), lead_created_at=chosen("created_at"),
                               referred_by=chosen("referred_by"), lead_channel=chosen("channel"),
                               returning=chosen("returning").fill_null(False), _had_lead=in_time)
    by_lead = ~nw.col("lead_channel").is_null()
    return frame.with_columns(channel=nw.when(by_lead).then(nw.col("lead_channel")).otherwise(nw.col("order_channel"))).select(
        "customer_id", "first_order_at", "first_day", "lead_id", "lead_created_at", "lead_channel", "referred_by", "channel",
        "returning", "_had_lead")


def _earliest_leads(leads: nw.LazyFrame) -> nw.LazyFrame:
    """One row per customer: the first of their leads."""
    known = leads.filter(~nw.col("customer_id").is_null())
    before = nw.col("lead_id").shift(1).over("customer_id", order_by=["created_at", "lead_id"])
    first = known.with_columns(_before=before).filter(nw.col("_before").is_null())
    return first.select("customer_id", early_lead_id=nw.col("lead_id"), early_channel=nw.col("channel"),
                        early_referred_by=nw.col("referred_by"), early_created_at=nw.col("created_at"),
                        early_returning=nw.col("returning"))


def _with_age_marks(frame: nw.LazyFrame, process: Process) -> nw.LazyFrame:
    if process.has("customers"):
        frame = left_join(frame, process.known_customers(), "customer_id")
    else:
        frame = frame.with_columns(known_at=nw.lit(None, dtype=nw.Datetime("us")), is_listed=nw.lit(None, dtype=nw.Float64))
    listed = ~nw.col("is_listed").is_null()
    earlier = (nw.col("known_at").dt.truncate("1d") < nw.col("first_day")).fill_null(False)
    older = earlier | (listed & nw.col("known_at").is_null()) | nw.col("returning")
    # A lead of after the first order does not show that the customer was new then; one before it does, whichever closed it.
    lead_after = (nw.col("lead_created_at").dt.truncate("1d") > nw.col("first_day")).fill_null(False)
    no_lead_before = ~nw.col("_had_lead") & (nw.col("lead_id").is_null() | lead_after)
    perhaps = ~listed & ~older & no_lead_before & _seen_early(process, frame)
    return frame.with_columns(is_older=flag(older), is_perhaps_older=flag(perhaps)).drop(
        "known_at", "is_listed", "returning", "_had_lead")


def _seen_early(process: Process, frame: nw.LazyFrame) -> nw.Expr:
    gap = median_gap_days(process)
    if np.isnan(gap) or process.observed_from is None:
        return nw.col("first_order_at").is_null()  # nobody: every customer has a first order
    return elapsed_days(pd.Timestamp(process.observed_from), nw.col("first_order_at"), frame) <= PERHAPS_OLDER_GAPS * gap


def origin_of(process: Process) -> nw.Expr:
    """Where a lead or a customer came from, by their columns `referred_by`, `customer_id` and `channel`.

    Referred by somebody else or through a referral channel; unknown where the channel is missing; other.
    """
    channels = process.settings.referral_channels
    # pandas finds a missing text unlike any other, so missing ones are asked for by themselves.
    by_somebody = ~nw.col("referred_by").is_null() & ~named_self()
    by_channel = reduce(lambda known, key: known | (nw.col("channel") == key).fill_null(False), channels, by_somebody)
    rest = nw.when(nw.col("channel").is_null()).then(nw.lit(UNKNOWN)).otherwise(nw.lit(OTHER_ORIGIN))
    return nw.when(by_channel).then(nw.lit(REFERRED)).otherwise(rest)


def named_self() -> nw.Expr:
    """Whether the lead names its own customer as the recommender: nobody recommends himself."""
    return (nw.col("referred_by") == nw.col("customer_id")).fill_null(False)
