"""Clients in a few groups by how lately, how often and for how much they bought, and what to do with each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.loyalty.lateness import YEAR_DAYS, rhythms
from funnel_lib.rates import clustered_ratio, rate

BEST, REGULAR, NEW, COOLING, LEAVING, ONCE, GONE = (
    "client_best", "client_regular", "client_new", "client_cooling", "client_leaving", "client_once", "client_gone")
WHAT_TO_DO = {BEST: "do_keep_close", REGULAR: "do_offer_more", NEW: "do_second_order", COOLING: "do_remind", LEAVING: "do_call",
              ONCE: "do_ask_why", GONE: "do_invite_back"}
# A client is one of the best above the amount that four in five regular clients do not reach.
BEST_QUANTILE = 0.8
# Half the way to the lapse limit: cooling.
COOLING_PART = 0.5
COLUMNS = ["client_group", "customers_count", "clients_share", "clients_low_share", "clients_high_share", "yearly_amount",
           "yearly_amount_share", "yearly_amount_low_share", "yearly_amount_high_share", "what_to_do"]


def rfm_groups(process: Process) -> pd.DataFrame:
    """All clients in seven groups by recency, frequency and money, the ones to keep first.

    One row is a group, also an empty one (no row where there is no client). Silence is measured against the client's own rhythm
    (`lateness`); the lapse limit is `lapse_factor` usual gaps. With orders on two days or more (or known from before the
    records): client_best and client_regular, silent for at most half the lapse limit, the best of them with a `yearly_amount`
    above that of four in five; client_cooling, silent for longer; client_leaving, beyond the limit for up to a year;
    client_gone, for longer. With orders on one day: client_new within the limit, client_once beyond it. Where nobody came twice
    all are new: no rhythm is known.
    Columns: `client_group`, `customers_count`, `clients_share` of all clients (Wilson limits), `yearly_amount` (paid in the 365
    days up to each client's last order, refunds taken off), `yearly_amount_share` with limits (the client as cluster; missing
    where all together is no gain), `what_to_do`. Raises `MeasureError` where there are no orders.
    """
    people = rhythms(process)
    if people.empty:
        return process.tidy(pd.DataFrame(columns=COLUMNS))
    groups = pd.Series(_groups(people, process.settings.lapse_factor), index=people.index, dtype="str")
    money = people["yearly_amount"]
    sums = pd.DataFrame({"client_group": groups, "customers_count": 1, "yearly_amount": money, "square": money**2})
    table = sums.groupby("client_group").sum().reindex(list(WHAT_TO_DO)).fillna(0.0).rename_axis("client_group").reset_index()
    share = rate(table["customers_count"], np.full(len(table), len(people)))
    total = money.sum() if money.sum() > 0 else np.nan
    of_money = clustered_ratio(len(people), table["yearly_amount"], total, table["square"], table["square"], (money**2).sum())
    table = table.assign(
        clients_share=share.share, clients_low_share=share.low_share, clients_high_share=share.high_share,
        yearly_amount_share=of_money.value, yearly_amount_low_share=of_money.low, yearly_amount_high_share=of_money.high,
        what_to_do=table["client_group"].map(WHAT_TO_DO))
    return process.tidy(table.astype({"customers_count": int})[COLUMNS])


def _groups(people: pd.DataFrame, factor: float) -> np.ndarray:
    """The group of each client."""
    late, again = people["is_late"], (people["visits_count"] > 1) | (people["is_older"] == 1)
    on_time = again & ~(people["lateness"] > COOLING_PART * factor)
    amounts = people.loc[on_time, "yearly_amount"]
    # Where all bring the same nobody stands out.
    best = on_time & (people["yearly_amount"] > (amounts.quantile(BEST_QUANTILE) if len(amounts) else np.inf))
    gone = people["silence_days"] - factor * people["usual_gap_days"] > YEAR_DAYS
    return np.select([best, on_time, again & ~late, again & ~gone, again, late], [BEST, REGULAR, COOLING, LEAVING, GONE, ONCE], NEW)
