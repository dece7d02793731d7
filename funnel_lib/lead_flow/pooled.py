"""What a customer of each channel costs, small channels drawn towards the common share of leads that become customers."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, with_groups
from funnel_lib.lead_flow.buyers import HORIZON_MONTHS, led_customers
from funnel_lib.lead_flow.economics import NO_CHANNELS, channel_economics
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import DAYS_PER_MONTH, elapsed_days
from funnel_lib.pooling import pooled_shares
from funnel_lib.rates import is_few, rate, ratio

COLUMNS = ["channel", "leads_count", "followed_leads_count", "followed_customers_count", "customer_share", "customer_low_share",
           "customer_high_share", "pooled_won_share", "pooled_won_low_share", "pooled_won_high_share", "cost_per_lead_amount",
           "cost_per_followed_customer_amount", "pooled_cost_per_customer_amount", "pooled_cost_per_customer_low_amount",
           "pooled_cost_per_customer_high_amount", "few"]


def channel_customers(process: Process) -> pd.DataFrame:
    """What share of each channel's leads become customers and what one costs, raw and drawn towards the common share.

    One row is a channel with leads, the one with most leads first. Columns: `leads_count`; `followed_leads_count`, leads at
    least the conversion window old (12 months where none is described), and `followed_customers_count`, new customers who came
    by them within it; `customer_share` with Wilson limits; `pooled_won_share` with limits (beta-binomial over the channels: the
    fewer the leads, the closer to the common share); `cost_per_lead_amount` (lead-generation cost of all leads);
    `cost_per_followed_customer_amount` and `pooled_cost_per_customer_amount` with limits (cost per lead / share; the cost is
    taken as known): the cost of a lead over the share of leads who became customers when they had time to, so it is not made
    dear by leads that are still running; `few`: fewer than 30 leads followed.
    From `counts`, all of them are taken as followed. Raises `MeasureError` where there are neither leads nor counts.
    Source: Efron and Morris 1975.
    """
    return process.tidy(process.remembered(("channel_customers",), lambda: _customers(process)).copy())


def _customers(process: Process) -> pd.DataFrame:
    economics = channel_economics(process)
    named = economics[(economics["leads_count"] > 0) & ~economics["channel"].isin(NO_CHANNELS[1:])]
    table = named[["channel", "leads_count", "cost_per_lead_amount"]].merge(_followed(process, named), on="channel", how="left")
    counts = ["followed_leads_count", "followed_customers_count"]
    leads = table[counts[0]].fillna(0).to_numpy(dtype=float)
    people = np.minimum(table[counts[1]].fillna(0).to_numpy(dtype=float), leads)
    raw, pooled = rate(people, leads), pooled_shares(people, leads)
    cost = table["cost_per_lead_amount"]
    return table.assign(
        followed_leads_count=leads, followed_customers_count=people, customer_share=raw.share, customer_low_share=raw.low_share,
        customer_high_share=raw.high_share, pooled_won_share=pooled.share, pooled_won_low_share=pooled.low_share,
        pooled_won_high_share=pooled.high_share, cost_per_followed_customer_amount=ratio(cost, raw.share),
        pooled_cost_per_customer_amount=ratio(cost, pooled.share),
        pooled_cost_per_customer_low_amount=ratio(cost, pooled.high_share),
        pooled_cost_per_customer_high_amount=ratio(cost, pooled.low_share), few=is_few(leads),
    ).astype({"leads_count": int, **dict.fromkeys(counts, int)})[COLUMNS]


def window_days(process: Process) -> float:
    """How long a lead is followed: the conversion window, or 12 months where none is described."""
    window = process.settings.conversion_window_days
    return HORIZON_MONTHS * DAYS_PER_MONTH if window is None else float(window)


def _followed(process: Process, economics: pd.DataFrame) -> pd.DataFrame:
    if not process.has("leads"):
        known = economics["customers_count"].notna()
        return pd.DataFrame({"channel": economics["channel"], "followed_customers_count": economics["customers_count"],
                             "followed_leads_count": economics["leads_count"].where(known, 0).round()})
    if not (process.has("orders") or (process.steps and process.has("stage_events"))):
        return pd.DataFrame({"channel": [], "followed_leads_count": [], "followed_customers_count": []})
    end, window = process.needs_as_of(), window_days(process)
    leads, people = with_groups(new_leads(process), ["channel"]), led_customers(process)
    leads = leads.filter(elapsed_days(nw.col("created_at"), end, leads) >= window)
    people = people.filter((elapsed_days(nw.col("lead_created_at"), end, people) >= window)
                           & (elapsed_days(nw.col("lead_created_at"), nw.col("began_at"), people) <= window))
    counts = [collect(frame.group_by("channel").agg(nw.len().alias(name)))
              for frame, name in ((leads, "followed_leads_count"), (people, "followed_customers_count"))]
    return counts[0].merge(counts[1], on="channel", how="left")
