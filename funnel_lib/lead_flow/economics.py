"""What each channel brings and costs: leads, customers, money, and the return on it."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import UNATTRIBUTED
from funnel_lib.engine import collect, with_groups
from funnel_lib.errors import CallError
from funnel_lib.labour import has_costs, hour_costs
from funnel_lib.language.messages import message
from funnel_lib.lead_flow.buyers import HORIZON_MONTHS, customer_counts, margins
from funnel_lib.lead_flow.costs import (
    NOT_ALLOCATED,
    UNDATED,
    channel_costs,
    mature_months,
    monthly_costs,
    without_known_cost,
)
from funnel_lib.lead_flow.counts import ENTERED
from funnel_lib.lead_flow.targets import target_counts
from funnel_lib.rates import rate, ratio
from funnel_lib.schema import MISSING

ALL = "all"
COUNTS = ["leads_count", "known_count", "target_count", "customers_count", "mature_customers_count"]
MONEY = ["spend_amount", "labour_amount", "cost_amount", "full_cost_amount", "mature_margin_amount", "mature_cost_amount"]
COLUMNS = ["channel", "leads_count", "target_count", "target_share", "target_low_share", "target_high_share",
           "customers_count", "spend_amount", "hours", "labour_amount", "cost_amount", "full_cost_amount",
           "cost_per_lead_amount", "cost_per_target_lead_amount", "cost_per_customer_amount", "off_target_amount",
           "mature_customers_count", "mature_margin_amount", "mature_cost_amount", "romi_share"]
# Rows that are no channel: they close the table and have no return of their own.
NO_CHANNELS = (MISSING, UNATTRIBUTED, NOT_ALLOCATED)


def channel_economics(process: Process, by: str | None = "channel", on: str = "margin") -> pd.DataFrame:
    """What each channel brings, what it costs, and whether it earns its money.

    One row is a channel, the one with most leads first; `by=None` gives one row for all together. Channels with spend and
    without leads appear, and so do those with leads and without spend; what names no channel and no lead is the row
    "(not allocated)", customers without a lead or channel are "(unattributed)". Amounts are in major units and rows sum to
    the total. Columns:
    `leads_count`, `target_count`, `target_share` of the leads with a known segment (Wilson limits), `customers_count` (new
    customers, each once, perhaps older ones left out); `spend_amount`, `hours`, `labour_amount` of lead generation,
    `cost_amount` (both together), `full_cost_amount` (with conversion); `cost_per_lead_amount`,
    `cost_per_target_lead_amount`, `cost_per_customer_amount` (lead-generation cost / count); `off_target_amount`
    (cost × share off target); `mature_cost_amount`, `mature_margin_amount` and `mature_customers_count` (full cost of,
    margin within 12 months of creation of leads from, and new customers by leads from the months all of whose leads are at
    least 12 months old); `romi_share` ((margin − cost) /
    cost; with `on="revenue"` of the amount). A column is missing where it cannot be made, a cost
    where more of the hours than `allow_set_aside_share` are of roles without an hour cost.
    Raises `MeasureError` where there are neither leads nor counts.
    """
    if by not in ("channel", None):
        raise CallError(message("by={by!r}: expected 'channel' or None", by=by))
    if on not in ("margin", "revenue"):
        raise CallError(message("on={on!r}: expected 'margin' or 'revenue'", on=on))
    return process.tidy(process.remembered(("channel_economics", by, on), lambda: _economics(process, by, on)).copy())


def _economics(process: Process, by: str | None, on: str) -> pd.DataFrame:
    table = _counts(process)
    table = _filled(table.merge(_costs(process), on="channel", how="outer"), process)
    table = _with_returns(table, process, on)
    table = _with_ratios(_in_order(_without_unknown_labour(table, process)))
    if by is None:
        # The sum of no channel at all is 0; what is not recorded is missing there too.
        totals = table[[*COUNTS, *MONEY, "hours"]].sum(skipna=False).to_frame().T.assign(channel=ALL)
        totals = _filled(totals, process) if table.empty else totals
        table = _with_ratios(totals).assign(off_target_amount=table["off_target_amount"].sum(min_count=1))
    else:
        # Money that names no channel has no leads of its own to earn it back, and nobody paid for who came by themselves.
        table.loc[table["channel"].isin(NO_CHANNELS[1:]), ["romi_share", "cost_per_customer_amount"]] = np.nan
    return table[COLUMNS].astype({name: float for name in COLUMNS[1:]})


def _counts(process: Process) -> pd.DataFrame:
    if process.has("leads"):
        return target_counts(process).merge(customer_counts(process), on="channel", how="outer")
    if not process.has("counts"):
        process.table("leads")  # says what is needed
    counts = with_groups(process.table("counts"), ["channel"])
    table = collect(counts.group_by("channel", "step").agg(nw.col("count").sum()))
    table = table.pivot(index="channel", columns="step", values="count").rename_axis(columns=None)
    last = process.steps[-1].key if process.steps else None
    return pd.DataFrame({"leads_count": table.get(ENTERED, 0.0), "known_count": np.nan, "target_count": np.nan,
                         "customers_count": table.get(last, np.nan)}, index=table.index).reset_index()


def _costs(process: Process) -> pd.DataFrame:
    """Per channel, in major units: spend, labour and hours of lead generation, and the full cost."""
    costs = channel_costs(process)
    leads = costs[costs["stage"] == "lead_generation"].groupby("channel")[["spend", "labour", "hours"]].sum()
    full = costs.groupby("channel")[["spend", "labour"]].sum().sum(axis=1)
    table = pd.DataFrame({"full_cost_amount": full}).join(leads, how="left").fillna(0)
    table = table.assign(spend_amount=table["spend"], labour_amount=table["labour"],
                         cost_amount=table["spend"] + table["labour"]).drop(columns=["spend", "labour"])
    money = ["full_cost_amount", "spend_amount", "labour_amount", "cost_amount"]
    table[money] = table[money].astype(float) / process.minor_units
    return table.rename_axis("channel").reset_index()


def _with_returns(table: pd.DataFrame, process: Process, on: str) -> pd.DataFrame:
    """Per channel margin and full cost of the creation months whose leads are all old enough; missing where unknown."""
    names = ["mature_customers_count", "mature_margin_amount", "mature_cost_amount"]
    if not (process.has("leads") and process.has("orders") and has_costs(process)):
        return table.assign(**dict.fromkeys(names, np.nan))
    costs = channel_costs(process)
    months = monthly_costs(costs).merge(margins(process, on), on=["channel", "month"], how="outer").fillna(0)
    first, last = mature_months(process, HORIZON_MONTHS)
    mature = months[months["month"].between(first, last)].groupby("channel").sum().reindex(table["channel"]).fillna(0)
    # Spend without a date cannot be set against months, nor can an unknown margin.
    undated = table["channel"].isin(costs.loc[costs["month"] == UNDATED, "channel"]).to_numpy()
    unknown = (mature["unknown_count"] > 0).to_numpy()
    margin, cost = (mature[name].to_numpy() / process.minor_units for name in ("margin", "cost"))
    return table.assign(mature_customers_count=mature["people_count"].to_numpy(),
                        mature_margin_amount=np.where(undated | unknown, np.nan, margin),
                        mature_cost_amount=np.where(undated, np.nan, cost))


def _without_unknown_labour(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    """Costs missing for the channels too many of whose hours have no cost: the rest alone would be too cheap."""
    costs, table = channel_costs(process), table.copy()
    if not hour_costs(process):
        return table
    leads = costs[costs["stage"] == "lead_generation"]
    for part, money in ((leads, ["labour_amount", "cost_amount"]), (costs, ["full_cost_amount", "mature_cost_amount"])):
        table.loc[table["channel"].isin(without_known_cost(part, process)), money] = np.nan
    return table


def _filled(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    """Zero where nothing of a kind came, missing where the kind is not recorded."""
    known = {"leads_count": True, "known_count": table["known_count"].notna().any(),
             "target_count": table["known_count"].notna().any(), "customers_count": table["customers_count"].notna().any()
             or _can_have_customers(process)}
    known |= {"spend_amount": process.has("spend"), "hours": process.has("work"),
              "labour_amount": process.has("work") and bool(hour_costs(process)),
              "cost_amount": has_costs(process), "full_cost_amount": has_costs(process)}
    for name, is_known in known.items():
        values = table[name].astype(float)
        table[name] = values.fillna(0) if is_known else np.nan
    return table


def _can_have_customers(process: Process) -> bool:
    return process.has("orders") or (bool(process.steps) and process.has("stage_events"))


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    last = table["channel"].isin(NO_CHANNELS)
    return table.assign(_last=last).sort_values(["_last", "leads_count", "cost_amount", "channel"],
                                                ascending=[True, False, False, True], ignore_index=True)


def _with_ratios(table: pd.DataFrame) -> pd.DataFrame:
    share, low, high, *_ = rate(table["target_count"], table["known_count"])
    cost = table["cost_amount"]
    earned = table["mature_margin_amount"] - table["mature_cost_amount"]
    return table.assign(
        target_share=share, target_low_share=low, target_high_share=high,
        cost_per_lead_amount=ratio(cost, table["leads_count"]),
        cost_per_target_lead_amount=ratio(cost, table["target_count"]),
        cost_per_customer_amount=ratio(cost, table["customers_count"]),
        off_target_amount=cost * (1 - np.asarray(share)), romi_share=ratio(earned, table["mature_cost_amount"]))
