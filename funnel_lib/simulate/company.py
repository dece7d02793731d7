"""The simulated company: all tables, its description, and the truth behind them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from funnel_lib.simulate.activity import pulse_frame, spend_frame, survey_frame, touches_frame, work_frame
from funnel_lib.simulate.bad_rows import spoil
from funnel_lib.simulate.clients import build_clients, customers_frame, orders_frame
from funnel_lib.simulate.clock import AS_OF, AS_OF_SECONDS, DAY_SECONDS, OBSERVED_FROM, seconds
from funnel_lib.simulate.description import describe
from funnel_lib.simulate.leads import LOST, Events, Leads, events_frame, lead_ids, leads_frame, stream, words
from funnel_lib.simulate.planted import planted
from funnel_lib.simulate.profiles import KINDS, Profile
from funnel_lib.simulate.stories import draw_story_leads, tested

DEALS_OF_LUCKY_OWNER, WINS_OF_LUCKY_OWNER, LUCKY_OWNER = 12, 7, "vera"
TABLES = ("leads", "stage_events", "orders", "customers", "spend", "work", "touches", "pulse", "survey")


@dataclass(frozen=True)
class SimulatedCompany:
    """``tables`` by name, with the columns of the data contract and amounts in major units; ``description``, the
    contents of ``company.yaml``; ``truth``, every planted story and true parameter."""

    tables: dict[str, pd.DataFrame]
    description: dict
    truth: dict


def make_company(seed: int = 20260701, leads: int = 12_000, processes: int = 3, bad_rows: bool = True) -> SimulatedCompany:
    """A company of so many leads in all and so many processes; beyond three, copies of the three kinds.

    ``bad_rows``: with some twenty deliberate mistakes, so that spoiled columns of the short tables are text.
    Raises ``ValueError`` for a number below 1.

    >>> company = make_company(seed=1, leads=300, processes=4)
    >>> list(company.description["processes"])
    ['retail', 'wholesale', 'custom', 'retail_2']
    """
    profiles = _profiles(leads, processes)
    parts = [_process_tables(profile, seed) for profile in profiles]
    tables = {name: pd.concat([part[0][name] for part in parts], ignore_index=True) for name in TABLES}
    description = describe(profiles, tables, AS_OF, OBSERVED_FROM)
    mistakes = spoil(tables, stream(seed, "bad rows")) if bad_rows else []
    stories = {profile.key: realised for profile, (_, realised) in zip(profiles, parts, strict=True)}
    return SimulatedCompany(tables, description, planted(profiles, stories, seed, leads, mistakes))


def _profiles(leads: int, processes: int) -> list[Profile]:
    if leads < 1 or processes < 1:
        raise ValueError(f"a company needs at least 1 lead and 1 process, not {leads} and {processes}")
    chosen = [KINDS[number % 3].renamed(number // 3 + 1) for number in range(processes)]
    total = sum(profile.leads_count for profile in chosen)
    edges = [round(leads * part / total) for part in np.cumsum([0] + [profile.leads_count for profile in chosen])]
    return [profile.with_leads(max(1, end - begin)) for profile, begin, end in zip(chosen, edges, edges[1:], strict=False)]


def _process_tables(process: Profile, seed: int) -> tuple[dict[str, pd.DataFrame], dict]:
    """The tables of one process, and the stories planted in them."""
    leads, events = draw_story_leads(process, seed)
    clients = build_clients(process, leads, events, seed)
    ids = lead_ids(process, len(leads.created))
    rng = stream(seed, process.key, "frames")
    lead_table = leads_frame(process, leads, ids, rng)
    lead_table["group"] = lead_table["group"].where(tested(process, leads), None)
    lead_table["customer_id"] = words(clients.ids, clients.lead_client)
    lead_table["referred_by"] = words(clients.ids, clients.referrer)
    event_table = events_frame(process, leads, events, ids, rng)
    lucky = _with_lucky_owner(process, leads, events, clients.lead_client, lead_table, event_table, rng)
    work = work_frame(process, leads, events, clients, ids, seed)
    stories = {"lucky_owner_leads": lucky, **{key: [clients.ids[row] for row in rows] for key, rows in clients.stories.items()}}
    return {"leads": lead_table, "stage_events": event_table, "orders": orders_frame(process, leads, clients, ids),
            "customers": customers_frame(process, clients), "spend": spend_frame(process, leads, work, seed), "work": work,
            "touches": touches_frame(process, leads, ids, seed), "pulse": pulse_frame(process, seed),
            "survey": survey_frame(process, clients, seed)}, stories


def _with_lucky_owner(process: Profile, leads: Leads, events: Events, lead_client, lead_table, event_table, rng) -> list[str]:
    """Gives 12 finished wholesale deals, 7 of them won, to an owner who has no others."""
    if process.kind != "wholesale":
        return []
    won, lost = _finished(process, leads, events)
    recent = (leads.created > seconds("2025-03-01")) & (leads.created < AS_OF_SECONDS - process.window_days * DAY_SECONDS)
    new = recent & (leads.not_lead < 0)
    chosen = [*rng.permutation(np.flatnonzero(won & new & (lead_client >= 0)))[:WINS_OF_LUCKY_OWNER],
              *rng.permutation(np.flatnonzero(lost & new & (lead_client < 0)))[:DEALS_OF_LUCKY_OWNER - WINS_OF_LUCKY_OWNER]]
    ids = lead_table["lead_id"].to_numpy()[sorted(chosen)]
    lead_table.loc[lead_table["lead_id"].isin(ids), "owner"] = LUCKY_OWNER
    theirs = event_table["lead_id"].isin(ids) & event_table["employee"].isin(process.owners)
    event_table.loc[theirs, "employee"] = LUCKY_OWNER
    return list(ids)


def _finished(process: Profile, leads: Leads, events: Events) -> tuple[np.ndarray, np.ndarray]:
    """Per lead at ``as_of``: won; lost (its latest event is a loss)."""
    seen = events.time < AS_OF_SECONDS
    won, last = np.zeros(len(leads.created), bool), np.zeros(len(leads.created), int)
    won[events.lead[seen & (events.step == len(process.steps) - 1)]] = True
    last[events.lead[seen]] = events.step[seen]  # events are in order of time: the latest one stays
    return won, (last == LOST) & ~won
