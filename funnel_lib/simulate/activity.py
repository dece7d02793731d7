"""What the stages cost and how hard they are: work, money, touches, strain, and what clients answer."""

import numpy as np
import pandas as pd

from funnel_lib.simulate.cards import ACCOUNTS, CONVERSION, GENERATION, PEOPLE, STAGES, Card
from funnel_lib.simulate.clients import Clients
from funnel_lib.simulate.clock import AS_OF, AS_OF_SECONDS, DAY_SECONDS, FROM_SECONDS, OBSERVED_FROM, add_work_hours, moments
from funnel_lib.simulate.leads import LOST, Events, Leads, stream, words
from funnel_lib.simulate.profiles import Profile

STRAIN = {CONVERSION: ((3, 4, 5), (0.2, 0.4, 0.4))}  # mean 4.2
CALM = ((1, 2, 3, 4), (0.3, 0.35, 0.3, 0.05))  # mean 2.1
STRAIN_ANSWERS_PER_MONTH = 5
NEGOTIATORS_ON_CALLERS_WORK_SHARE = 0.20
TOUCHED_SHARE = 0.9
SURVEYED_SHARE = 0.3
AUTOMATED_SHARE = {3: 0.45, 4: 1.0}
VARIATION = {0: 1.3, 1: 0.5, 2: 0.4, 3: 0.4, 4: 0.1}  # coefficient of variation of the hours
OTHER_ROLE = {"account_manager": "negotiator", "designer": "account_manager"}
MONTHLY_ITEMS = (  # item, stage, roubles per lead of the month
    ("website", GENERATION, 55.0), ("phone_line", CONVERSION, 40.0), ("samples", CONVERSION, 90.0),
    ("crm_licence", ACCOUNTS, 45.0), ("gifts", ACCOUNTS, 60.0))
ITEM_BY_CHANNEL = {"exhibition": "stand", "partner": "commission", "architects": "commission", "cold_call": "phone_line"}


def work_frame(process: Profile, leads: Leads, events: Events, clients: Clients, ids: np.ndarray, seed: int) -> pd.DataFrame:
    """The table ``work`` of one process in order of time; one row is one execution of a card."""
    parts = [_card_work(process, card, leads, events, clients, ids, stream(seed, process.key, "work", card.key))
             for card in process.cards]
    work = pd.concat(parts, ignore_index=True)
    _lend_negotiators(process, work, stream(seed, process.key, "lending"))
    work = work.sort_values(["date", "card", "lead_id"], kind="stable", ignore_index=True)
    columns = ["date", "process", "stage", "role", "hours", "employee", "card", "channel", "lead_id", "customer_id",
               "automated"]
    return work[columns]


def spend_frame(process: Profile, leads: Leads, work: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The table ``spend`` of one process: one row is one item of one month; whole tens of roubles."""
    rng = stream(seed, process.key, "spend")
    months = pd.date_range(OBSERVED_FROM, AS_OF, freq="MS", inclusive="left")
    month_of = pd.Series(moments(leads.created)).dt.to_period("M").dt.to_timestamp()
    counts = pd.crosstab(month_of, leads.channel).reindex(index=months, columns=range(len(process.channels)), fill_value=0)
    rows = []
    for month in months:
        total = int(counts.loc[month].sum())
        for code, channel in enumerate(process.channels):
            amount = counts.loc[month, code] * channel.lead_cost * rng.uniform(0.85, 1.15)
            rows.append((month, GENERATION, channel.key, ITEM_BY_CHANNEL.get(channel.key, "advertising"), amount))
        for item, stage, per_lead in MONTHLY_ITEMS:
            rows.append((month, stage, None, item, per_lead * _money_scale(process) * total * rng.uniform(0.9, 1.1)))
    spend = pd.DataFrame(rows, columns=["date", "stage", "channel", "item", "amount"])
    spend = pd.concat([spend, _card_spend(process, work)], ignore_index=True)
    spend["amount"] = spend["amount"].astype(float).round(-1)
    spend.insert(1, "process", process.key)
    spend = spend[spend["amount"] > 0].sort_values(["date", "stage", "item", "channel"], kind="stable", ignore_index=True)
    return spend[["process", "stage", "amount", "date", "channel", "item"]]


def touches_frame(process: Profile, leads: Leads, ids: np.ndarray, seed: int) -> pd.DataFrame:
    """The table ``touches`` of one process: the lead's own channel at its creation, others before and after it."""
    rng = stream(seed, process.key, "touches")
    own = np.flatnonzero(rng.random(len(ids)) < TOUCHED_SHARE)
    others = np.repeat(own, rng.poisson(process.touches_per_lead, len(own)))
    shares = np.array([channel.share for channel in process.channels])
    drawn = rng.choice(len(shares), len(others), p=shares / shares.sum())
    before = rng.random(len(others)) < 0.65
    days = np.where(before, -rng.exponential(6.0, len(others)), rng.exponential(process.window_days / 15, len(others)))
    lead = np.concatenate([own, others])
    channel = np.concatenate([leads.channel[own], drawn])
    time = np.concatenate([leads.created[own] - 120.0, leads.created[others] + days * DAY_SECONDS])
    inside = (time >= FROM_SECONDS) & (time < AS_OF_SECONDS)
    order = np.lexsort((time[inside], lead[inside]))
    lead, channel, time = (part[inside][order] for part in (lead, channel, time))
    cost = np.array([c.touch_cost for c in process.channels], float)
    return pd.DataFrame({"lead_id": ids[lead], "channel": words([c.key for c in process.channels], channel),
                         "touched_at": moments(time), "cost": cost[channel]})


def pulse_frame(process: Profile, seed: int) -> pd.DataFrame:
    """The table ``pulse`` of one process: five answers per month and stage."""
    rng = stream(seed, process.key, "pulse")
    parts = []
    for stage in STAGES:
        days = np.repeat(np.arange(36), STRAIN_ANSWERS_PER_MONTH) * 30.4 + rng.integers(0, 30, 36 * STRAIN_ANSWERS_PER_MONTH)
        values, shares = STRAIN.get(stage, CALM)
        roles = sorted({card.role for card in process.cards if card.stage == stage and PEOPLE[card.role]})
        parts.append(pd.DataFrame({
            "date": moments(FROM_SECONDS + np.floor(np.sort(days)) * DAY_SECONDS), "process": process.key, "stage": stage,
            "role": rng.choice(roles, len(days)).astype(object), "strain": rng.choice(values, len(days), p=shares)}))
    return pd.concat(parts).sort_values(["date", "stage"], kind="stable", ignore_index=True)


def survey_frame(process: Profile, clients: Clients, seed: int) -> pd.DataFrame:
    """The table ``survey`` of one process: answers some weeks after an order; recommenders are content."""
    rng = stream(seed, process.key, "survey")
    rows = np.flatnonzero((rng.random(len(clients.client)) < SURVEYED_SHARE / _orders_per_client(clients))
                          & (clients.time < AS_OF_SECONDS - 40 * DAY_SECONDS) & (clients.amount > 0))
    who = clients.client[rows]
    content = np.isin(who, clients.referrer[clients.referrer >= 0])
    usual = rng.choice(np.arange(3, 11), len(rows), p=[0.03, 0.04, 0.06, 0.09, 0.17, 0.21, 0.22, 0.18])
    score = np.where(content, rng.choice([7, 8, 9, 10], len(rows), p=[0.06, 0.14, 0.35, 0.45]), usual)
    answered = add_work_hours(clients.time[rows] + rng.uniform(7, 35, len(rows)) * DAY_SECONDS, rng.uniform(0, 6, len(rows)))
    frame = pd.DataFrame({"customer_id": clients.ids[who], "process": process.key, "answered_at": moments(answered),
                          "score": score})
    return frame.sort_values(["answered_at", "customer_id"], kind="stable", ignore_index=True)


def _card_work(process, card: Card, leads: Leads, events: Events, clients: Clients, ids, rng) -> pd.DataFrame:
    lead, client, time = _causes(process, card, leads, events, clients, rng)
    count = len(time)
    automated = rng.random(count) < AUTOMATED_SHARE.get(card.shown_level, 0.0)
    role, employee = _people(process, card, leads, lead, automated, rng)
    hours = card.minutes / 60.0 * _spread(rng, VARIATION[card.shown_level], count)
    hours = np.where(automated & (card.shown_level == 3), 0.02, hours)
    channel = np.where(lead >= 0, leads.channel[lead], -1)
    return pd.DataFrame({
        "date": moments(time), "process": process.key, "stage": card.stage, "role": role,
        "hours": np.maximum(np.round(hours, 2), 0.01), "employee": employee, "card": card.key,
        "channel": words([c.key for c in process.channels], channel), "lead_id": words(ids, lead),
        "customer_id": words(clients.ids, client), "automated": automated})


def _causes(process, card: Card, leads: Leads, events: Events, clients: Clients, rng):
    """Rows ``(lead, client, time)`` of what makes people do this work."""
    if card.done_for == "week":
        weeks = FROM_SECONDS + np.arange(0, AS_OF_SECONDS - FROM_SECONDS, 7 * DAY_SECONDS) + DAY_SECONDS
        time = add_work_hours(weeks, rng.uniform(0, 30, len(weeks)))
        lead = client = np.full(len(time), -1)
    elif card.done_for == "lead":
        channels = [channel.key for channel in process.channels]
        rows = np.flatnonzero(leads.not_lead < 0 if card.channel is None else leads.channel == channels.index(card.channel))
        # Work that brings a lead precedes it; otherwise it would count as the answer to the lead.
        lead, time = rows, leads.created[rows] - rng.uniform(300, 3_600, len(rows))
        client = np.full(len(rows), -1)
    elif card.done_for == "order":
        rows = np.flatnonzero((clients.lead < 0) & (clients.amount > 0))
        lead, client, time = np.full(len(rows), -1), clients.client[rows], clients.time[rows]
    else:
        codes = {step.key: number for number, step in enumerate(process.steps)} | {"lost": LOST}
        rows = np.flatnonzero(events.step == codes[card.done_for])
        lead, time = events.lead[rows], events.time[rows]
        client = clients.lead_client[lead] if card.stage == ACCOUNTS else np.full(len(rows), -1)
        lead = np.full(len(rows), -1) if card.stage == ACCOUNTS else lead
    times = np.floor(card.share) + (rng.random(len(time)) < card.share % 1)
    chosen = np.repeat(np.arange(len(time)), times.astype(int))
    lead, client, time = lead[chosen], client[chosen], time[chosen]
    seen = (time >= FROM_SECONDS) & (time < AS_OF_SECONDS)
    return lead[seen], client[seen], time[seen]


def _people(process, card: Card, leads: Leads, lead, automated, rng):
    """Role and employee of each execution: who owns the lead, one for all, two roles mixed, or a machine."""
    count = len(lead)
    role = np.full(count, card.role, dtype=object)
    if card.shown_level == 0:
        role[rng.random(count) < 0.5] = OTHER_ROLE[card.role]
    employee = np.full(count, None, dtype=object)
    for name in np.unique(role.astype(str)):
        rows = np.flatnonzero(role == name)
        people = _team(process, name)
        if not people:
            continue
        if card.shown_level == 1:
            code = np.where(rng.random(len(rows)) < 0.92, 0, rng.integers(0, len(people), len(rows)))
        else:
            code = rng.integers(0, len(people), len(rows))
        employee[rows] = np.array(people, object)[code]
    own = (role == card.role) & (lead >= 0) & (card.shown_level == 2) & np.isin(card.role, ("negotiator", "seller", "designer"))
    employee[own] = words(process.owners, leads.owner[lead[own]])
    employee[automated] = None
    return role, employee


def _team(process: Profile, role: str) -> tuple[str, ...]:
    return process.callers if role == "caller" else PEOPLE[role]


def _lend_negotiators(process: Profile, work: pd.DataFrame, rng) -> None:
    """Gives callers' work to negotiators until it is a fifth of all their hours."""
    callers_cards = [card.key for card in process.cards if card.role == "caller"]
    own = work.loc[work["role"] == "negotiator", "hours"].sum()
    if not own or not callers_cards:
        return
    wanted = own * NEGOTIATORS_ON_CALLERS_WORK_SHARE / (1.0 - NEGOTIATORS_ON_CALLERS_WORK_SHARE)
    rows = rng.permutation(np.flatnonzero(work["card"].isin(callers_cards)))
    taken = rows[np.cumsum(work["hours"].to_numpy()[rows]) <= wanted]
    work.loc[taken, "role"] = "negotiator"
    work.loc[taken, "employee"] = rng.choice(np.array(process.owners, object), len(taken))


def _card_spend(process: Profile, work: pd.DataFrame) -> pd.DataFrame:
    """Money that goes with each execution of the cards of lead generation that cost something."""
    costs = {card.key: card.cost for card in process.cards if card.stage == GENERATION and card.cost}
    done = work[work["card"].isin(list(costs))]
    month = done["date"].dt.to_period("M").dt.to_timestamp()
    counts = done.groupby([month, "card"]).size().rename("count").reset_index()
    return pd.DataFrame({"date": counts["date"], "stage": GENERATION, "channel": None, "item": counts["card"],
                         "amount": counts["count"] * counts["card"].map(costs)})


def _money_scale(process: Profile) -> float:
    """Dearer goods come with dearer samples and gifts."""
    return {"retail": 1.0, "wholesale": 8.0, "custom": 14.0}[process.kind]


def _orders_per_client(clients: Clients) -> float:
    return max(1.0, len(clients.client) / max(1, len(np.unique(clients.client))) / 2.0)


def _spread(rng, variation: float, count: int) -> np.ndarray:
    """Lognormal factors with mean 1 and this coefficient of variation."""
    sigma = np.sqrt(np.log1p(variation**2))
    return np.exp(sigma * rng.standard_normal(count) - sigma**2 / 2.0)
