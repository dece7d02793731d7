"""Clients of one process: their orders, who recommended whom, and the planted stories among them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from funnel_lib.simulate.clock import AS_OF_SECONDS, DAY_SECONDS, FROM_SECONDS, moments
from funnel_lib.simulate.leads import Events, Leads, numbered, stream, words
from funnel_lib.simulate.profiles import Profile
from funnel_lib.simulate.purchases import later_orders, order_amounts, order_margins, usual_gap_days

KNOWN_ORDERS = 10  # a client from before has ordered about so often already
KEY_CLIENT_SHARE, KEY_CLIENT_GAP_DAYS, KEY_CLIENT_MARGIN_SHARE = 0.18, 27.0, 0.14
LATE_CLIENTS, LATE_CLIENT_ORDERS, LAPSE_FACTOR = 20, 6, 3.0
RECOMMENDER_CLIENTS = 14
PERHAPS_OLDER_CLIENTS = 5
REFUNDS = {"retail": 15, "wholesale": 6, "custom": 1}


@dataclass(frozen=True)
class Clients:
    """The clients of one process with their orders (one entry per order in the lower arrays).

    Clients known from before come first in ``ids``; then those whom a lead brought.
    """

    ids: np.ndarray
    known_count: int
    first: np.ndarray  # seconds of the very first order
    segment: np.ndarray
    lead_client: np.ndarray  # per lead: row of the client once known, else -1
    referrer: np.ndarray  # per lead: row of the client who recommended it, else -1
    client: np.ndarray
    time: np.ndarray
    lead: np.ndarray  # the lead that the order closed, else -1
    amount: np.ndarray
    margin: np.ndarray
    stories: dict


def build_clients(process: Profile, leads: Leads, events: Events, seed: int) -> Clients:
    """All clients and orders of one process up to ``as_of``."""
    rng = stream(seed, process.key, "clients")
    won_at = _won_at(process, leads, events)
    returning = leads.returning & (leads.not_lead < 0)
    known = process.known_customers
    new_leads = np.flatnonzero(np.isfinite(won_at) & ~returning)
    first = np.concatenate([FROM_SECONDS - rng.uniform(60, 1_400, known) * DAY_SECONDS, won_at[new_leads]])
    lead_client = np.full(len(won_at), -1)
    lead_client[new_leads] = known + np.arange(len(new_leads))
    lead_client[returning] = _earlier_client(first, leads.created[returning], rng)
    referrer = _referrers(process, leads, first, lead_client, known, rng)
    client, time, lead = _all_orders(process, first, known, won_at, lead_client, rng)
    stories = {}
    if process.kind == "wholesale":
        client, time, lead, stories["late_clients"] = _with_late_clients(client, time, lead, known, rng)
    order = np.lexsort((time, client))
    client, time, lead = client[order], time[order], lead[order]
    number = _order_numbers(client, known)
    amount = order_amounts(process.amounts, client, number, len(first), rng)
    if process.kind == "wholesale":
        amount = _with_key_client(client, amount)
    margin = order_margins(process.amounts, amount, number, rng)
    if process.kind == "wholesale":
        margin = np.where(client == 0, np.round(amount * KEY_CLIENT_MARGIN_SHARE, 2), margin)
    refunds = _refunds(process, client, time, number, amount, margin, rng)
    client, time, amount, margin = (np.concatenate(pair) for pair in zip((client, time, amount, margin), refunds, strict=True))
    lead = np.concatenate([lead, np.full(len(refunds[0]), -1)])
    segment = _segments(process, leads, new_leads, known, rng)
    return Clients(_client_ids(process, known, len(first)), known, first, segment, lead_client, referrer, client, time,
                   lead, amount, margin, stories)


def orders_frame(process: Profile, leads: Leads, clients: Clients, lead_ids: np.ndarray) -> pd.DataFrame:
    """The table ``orders`` of one process, in order of time; amounts in major units."""
    order = np.argsort(clients.time, kind="stable")
    lead = clients.lead[order]
    channel = np.where(lead >= 0, leads.channel[lead], -1)
    return pd.DataFrame({
        "order_id": numbered(f"{process.letter}O", len(order), 7),
        "customer_id": clients.ids[clients.client[order]], "process": process.key,
        "ordered_at": moments(clients.time[order]), "amount": clients.amount[order], "margin": clients.margin[order],
        "lead_id": words(lead_ids, lead), "channel": words([c.key for c in process.channels], channel)})


def customers_frame(process: Profile, clients: Clients) -> pd.DataFrame:
    """The table ``customers``: those known from before, but for a few of whom nobody knows it."""
    rows = np.setdiff1d(np.arange(clients.known_count), _perhaps_older(clients))
    return pd.DataFrame({"customer_id": clients.ids[rows], "first_order_at": moments(clients.first[rows]),
                         "segment": words(process.target_segments + process.other_segments, clients.segment[rows])})


def _perhaps_older(clients: Clients) -> np.ndarray:
    early = clients.client[(clients.client < clients.known_count) & (clients.time < FROM_SECONDS + 25 * DAY_SECONDS)]
    return np.setdiff1d(early, [0, 1])[:PERHAPS_OLDER_CLIENTS]


def _client_ids(process: Profile, known: int, count: int) -> np.ndarray:
    new = np.arange(count) >= known
    return np.where(new, numbered(f"{process.letter}C", count, 6), numbered(f"{process.letter}K", count, 6))


def _won_at(process: Profile, leads: Leads, events: Events) -> np.ndarray:
    won_at = np.full(len(leads.created), np.inf)
    rows = (events.step == len(process.steps) - 1) & (events.time < AS_OF_SECONDS)
    np.minimum.at(won_at, events.lead[rows], events.time[rows])
    return won_at


def _earlier_client(first: np.ndarray, before: np.ndarray, rng, exclude: int = 2) -> np.ndarray:
    """For each moment a client (but the first two) whose first order lies at least a week before it."""
    order = np.argsort(first, kind="stable")
    order = order[order >= exclude]
    if not len(order):
        return np.full(len(before), -1)
    ready = np.searchsorted(first[order], before - 7 * DAY_SECONDS)
    return np.where(ready > 0, order[(rng.random(len(before)) * np.maximum(ready, 1)).astype(int)], -1)


def _referrers(process: Profile, leads: Leads, first, lead_client, known: int, rng) -> np.ndarray:
    """Who recommended a lead. In the custom process one client, known from before, brought 14 new ones."""
    keys = [channel.key for channel in process.channels]
    recommended = np.isin(leads.channel, [keys.index(key) for key in process.referral_channels])
    named = np.where(recommended, rng.random(len(recommended)) < 0.85, rng.random(len(recommended)) < 0.004)
    named &= leads.not_lead < 0
    referrer = np.full(len(recommended), -1)
    referrer[named] = _earlier_client(first, leads.created[named], rng)
    if process.kind == "custom":
        candidates = np.flatnonzero(recommended & (lead_client >= known))
        chosen = rng.permutation(candidates)[:RECOMMENDER_CLIENTS]
        referrer[chosen] = 1
    referrer[(referrer >= 0) & (referrer == lead_client)] = -1
    return referrer


def _all_orders(process: Profile, first, known: int, won_at, lead_client, rng):
    """Rows ``(client, time, lead)``: first orders, later ones, those that returning leads paid."""
    later = later_orders(process.purchases, first, rng)
    keep = later.time >= FROM_SECONDS
    if process.kind == "wholesale":
        keep &= later.client != 0
    bought = np.flatnonzero(np.isfinite(won_at) & (lead_client >= 0))
    client = [lead_client[bought], later.client[keep]]
    time = [won_at[bought], later.time[keep]]
    if process.kind == "wholesale":
        key_gaps = KEY_CLIENT_GAP_DAYS + rng.uniform(-3, 3, 40)
        key_times = FROM_SECONDS + (4.45 + np.cumsum(key_gaps)) * DAY_SECONDS
        key_times = key_times[key_times < AS_OF_SECONDS - DAY_SECONDS]
        client.append(np.zeros(len(key_times), int))
        time.append(key_times)
    count = sum(map(len, client[1:]))
    return np.concatenate(client), np.concatenate(time), np.concatenate([bought, np.full(count, -1)])


def _order_numbers(client: np.ndarray, known: int) -> np.ndarray:
    """1, 2, 3 … within each client; rows are sorted by client and time."""
    starts = np.r_[True, client[1:] != client[:-1]] if len(client) else np.zeros(0, bool)
    begin = np.maximum.accumulate(np.where(starts, np.arange(len(client)), 0))
    return np.arange(len(client)) - begin + 1 + np.where(client < known, KNOWN_ORDERS, 0)


def _with_key_client(client: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Scales the orders of client 0 to 18 % of the amount of all orders."""
    key = client == 0
    if not key.any() or key.all():
        return amount
    wanted = amount[~key].sum() * KEY_CLIENT_SHARE / (1.0 - KEY_CLIENT_SHARE)
    return np.where(key, np.round(amount * wanted / amount[key].sum(), -1), amount)


def _with_late_clients(client, time, lead, known: int, rng):
    """Ends the orders of some regular clients so that 20 of them are late at ``as_of``."""
    for _ in range(8):
        silence, usual, count = _habits(client, time)
        regular = (count >= LATE_CLIENT_ORDERS) & (np.arange(len(count)) > 1)
        late = np.flatnonzero(regular & (silence > LAPSE_FACTOR * usual))
        missing = LATE_CLIENTS - len(late)
        if missing <= 0:
            break
        tied = np.unique(client[(lead >= 0) & (client < known)])
        candidates = np.setdiff1d(np.flatnonzero(regular & (count >= 2 * LATE_CLIENT_ORDERS)), [*late, *tied])
        chosen = rng.permutation(candidates)[:missing]
        end = np.full(len(count), np.inf)
        end[chosen] = AS_OF_SECONDS - rng.uniform(3.8, 6.5, len(chosen)) * usual[chosen] * DAY_SECONDS
        kept = (time < end[client]) | (lead >= 0)
        client, time, lead = client[kept], time[kept], lead[kept]
        if not len(chosen):
            break
    return client, time, lead, late


def _habits(client: np.ndarray, time: np.ndarray):
    """Per client: days of silence at ``as_of``, usual gap, number of orders."""
    order = np.lexsort((time, client))
    client, day = client[order], np.floor(time[order] / DAY_SECONDS)
    same = client[1:] == client[:-1]
    gaps = (time[order][1:] - time[order][:-1]) / DAY_SECONDS
    counted = same & (day[1:] != day[:-1])
    size = int(client.max()) + 1 if len(client) else 0
    silence, usual, count = np.full(size, -1.0), np.full(size, np.inf), np.bincount(client, minlength=size)
    if counted.any():
        own = pd.Series(gaps[counted]).groupby(client[1:][counted]).agg(["count", "median"])
        usual = np.full(size, float(np.median(gaps[counted])))
        usual[own.index] = usual_gap_days(own["count"].to_numpy(), own["median"].to_numpy(), usual[0])
    last = np.full(size, -np.inf)
    np.maximum.at(last, client, time[order])
    seen = np.isfinite(last)
    silence[seen] = (AS_OF_SECONDS - last[seen]) / DAY_SECONDS
    return silence, usual, count


def _refunds(process: Profile, client, time, number, amount, margin, rng):
    """A few goods returned some days after a repeat order (retail: after any order)."""
    allowed = (time < AS_OF_SECONDS - 20 * DAY_SECONDS) & ((number > 1) | (process.kind == "retail")) & (client > 1)
    rows = rng.permutation(np.flatnonzero(allowed))[:REFUNDS[process.kind]]
    part = rng.choice([0.25, 0.5, 1.0], len(rows))
    return (client[rows], time[rows] + rng.uniform(2, 12, len(rows)) * DAY_SECONDS, -np.round(amount[rows] * part, 2),
            -np.round(margin[rows] * part, 2))


def _segments(process: Profile, leads: Leads, new_leads, known: int, rng) -> np.ndarray:
    return np.concatenate([rng.integers(0, len(process.target_segments), known), leads.segment[new_leads]])
