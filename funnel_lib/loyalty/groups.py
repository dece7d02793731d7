"""Groups of customers: by the lead that they began with, by the list of customers, by when they began."""

from __future__ import annotations

import narwhals as nw

from funnel_lib.company import Process
from funnel_lib.customers import customers
from funnel_lib.engine import TRUNCATED, left_join, with_groups
from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import message
from funnel_lib.new_leads import all_leads

OF_LEAD = ("segment", "campaign", "owner", "group")
GROUPS = ("channel", "origin", *OF_LEAD, *TRUNCATED)


def grouped_customers(process: Process, by: list[str]) -> nw.LazyFrame:
    """One row per customer who was not known from before: `customers` with the group columns, missing ones as "(missing)".

    `channel` and `origin` are those of the customer; `campaign`, `owner` and `group` those of the lead that the customer began
    with; `segment` that of the list of customers, else of that lead; `month`, `quarter` and `year` are those of the first order.
    Raises `CallError` for another name.
    """
    for name in by:
        if name not in GROUPS:
            raise CallError(message("by={name!r}: customers have no such group; there are {known}.{nearest}", name=name,
                                    known=", ".join(GROUPS), nearest=nearest(name, GROUPS)))
    people = customers(process).filter(nw.col("is_older") == 0)
    wanted = [name for name in OF_LEAD if name in by]
    if wanted:
        people = _with_lead(process, people, wanted)
    # A month is cut from the moment at which a row began: of a customer that is the first order.
    return with_groups(people.with_columns(created_at=nw.col("first_order_at")), by)


def _with_lead(process: Process, people: nw.LazyFrame, wanted: list[str]) -> nw.LazyFrame:
    if process.has("leads"):
        people = left_join(people, all_leads(process).select("lead_id", *wanted), "lead_id")
    else:
        people = people.with_columns(**{name: nw.lit(None, dtype=nw.String) for name in wanted})
    if "segment" not in wanted or not process.has("customers", "segment"):
        return people
    listed = process.table("customers").filter(~nw.col("segment").is_null())
    listed = listed.group_by("customer_id").agg(nw.col("segment").min().alias("_listed"))
    by_list = ~nw.col("_listed").is_null()
    people = left_join(people, listed, "customer_id")
    return people.with_columns(segment=nw.when(by_list).then(nw.col("_listed")).otherwise(nw.col("segment"))).drop("_listed")
