"""What happens in the demonstration company on top of the base parameters of its leads."""

from dataclasses import dataclass, replace

import numpy as np

from funnel_lib.simulate.clock import AS_OF_SECONDS, DAY_SECONDS, FROM_SECONDS, seconds
from funnel_lib.simulate.leads import (
    PERIOD_DAYS,
    Events,
    Leads,
    draw_created,
    draw_leads,
    step_chances,
    stream,
    walk,
)
from funnel_lib.simulate.profiles import Profile


@dataclass(frozen=True)
class Trial:
    """A measure of the past: from ``starts`` the chance of a mandatory step changes by ``points``;
    ``randomised``: for group B only."""

    key: str
    starts: str
    step: str
    points: float
    randomised: bool


@dataclass(frozen=True)
class Shift:
    """From ``since`` until the next shift: the share of the first channel, and the factor of the last step's chance."""

    since: str
    first_channel_share: float
    last_step_factor: float


TRIALS = {
    "retail": (Trial("call_script", "2025-01-01", "contacted", 0.04, True),),
    "wholesale": (Trial("new_brochure", "2025-04-01", "proposal", 0.0, True),
                  Trial("quick_quote", "2025-01-01", "proposal", 0.06, False)),
    "custom": (),
}
# Over the 36 months the first channel keeps its share: 10 × 0.333 + 0.24 + 0.63 quarters of 12 give 0.35.
SHIFTS = {"retail": (Shift("2023-07-01", 0.333, 1.0), Shift("2026-01-01", 0.24, 0.92), Shift("2026-04-01", 0.63, 1.22)),
          "wholesale": (), "custom": ()}
SURGE_DAYS = {"retail": ("2024-10-14", 7, 2.2)}  # first day, days, times as many leads
ATTEMPTS, LEADS_THAT_CAN_SHOW_IT = 400, 2_000
EDITION = "1"  # another word, another company of the same seed; chosen so that every story shows in the default one


def draw_story_leads(process: Profile, seed: int) -> tuple[Leads, Events]:
    """The leads of one process of the company.

    The last two quarters are drawn again until the shift of channels shows in what happened: the total falls
    though every channel rises (at most 400 times; a handful of leads cannot show it).
    """
    rng = stream(seed, process.key, "creation", EDITION)
    created = draw_created(process, process.leads_count, rng, _day_weights(process))
    shifts = SHIFTS[process.kind]
    border = int(np.searchsorted(created, seconds(shifts[1].since))) if shifts else len(created)
    early = _draw(process, created[:border], stream(seed, process.key, "leads", EDITION))
    if not shifts:
        return early
    for attempt in range(ATTEMPTS if process.leads_count >= LEADS_THAT_CAN_SHOW_IT else 1):
        late = _draw(process, created[border:], stream(seed, process.key, f"last quarters {attempt}", EDITION))
        if _paradox_shows(process, *late):
            break
    return _joined(early, late)


def draw_company(process: Profile):
    """Leads of the company's parameters, for its true rates."""
    def draw(rng, count):
        return _draw(process, draw_created(process, count, rng, _day_weights(process)), rng)
    return draw


def tested(process: Profile, leads: Leads) -> np.ndarray:
    """Whether a lead takes part in a randomised test, so that its group is recorded."""
    starts = [seconds(trial.starts) for trial in TRIALS[process.kind] if trial.randomised]
    return leads.created >= min(starts, default=np.inf)


def _draw(process: Profile, created: np.ndarray, rng) -> tuple[Leads, Events]:
    leads = _draw_shifted_channels(process, created, rng)
    return leads, walk(process, leads, _story_chances(process, leads), rng)


def _draw_shifted_channels(process: Profile, created: np.ndarray, rng) -> Leads:
    shifts = SHIFTS[process.kind]
    if not shifts:
        return draw_leads(process, created, rng)
    edges = [*np.searchsorted(created, [seconds(shift.since) for shift in shifts]), len(created)]
    parts = []
    for shift, begin, end in zip(shifts, edges, edges[1:], strict=False):
        others = np.array([channel.share for channel in process.channels[1:]])
        weights = [shift.first_channel_share, *(others / others.sum() * (1.0 - shift.first_channel_share))]
        parts.append(draw_leads(process, created[begin:end], rng, weights))
    return _stacked(parts)


def _story_chances(process: Profile, leads: Leads) -> np.ndarray:
    chances = step_chances(process, leads)
    keys = [step.key for step in process.mandatory]
    for trial in TRIALS[process.kind]:
        treated = (leads.created >= seconds(trial.starts)) & ((leads.group == 1) | (not trial.randomised))
        chances[treated, keys.index(trial.step)] += trial.points
    for shift in SHIFTS[process.kind]:
        later = leads.created >= seconds(shift.since)
        chances[later, -1] = _base_last(process, leads)[later] * shift.last_step_factor
    return np.clip(chances, 0.0, 0.98)


def _base_last(process: Profile, leads: Leads) -> np.ndarray:
    return step_chances(process, leads)[:, -1]


def _day_weights(process: Profile) -> np.ndarray:
    weights = np.ones(PERIOD_DAYS)
    if process.kind in SURGE_DAYS:
        first, days, factor = SURGE_DAYS[process.kind]
        begin = round((seconds(first) - FROM_SECONDS) / DAY_SECONDS)
        weights[begin:begin + days] = factor
    return weights


def _paradox_shows(process: Profile, leads: Leads, events: Events) -> bool:
    window = process.window_days * DAY_SECONDS
    won_step = len(process.steps) - 1
    wins = events.lead[(events.step == won_step) & (events.time - leads.created[events.lead] <= window - DAY_SECONDS)]
    won = np.isin(np.arange(len(leads.created)), wins)
    counted = (leads.not_lead < 0) & ~leads.returning & (leads.created <= AS_OF_SECONDS - window)
    late = leads.created >= seconds(SHIFTS[process.kind][2].since)
    before, after = (_shares_by_channel(process, leads, won, counted & rows) for rows in (~late, late))
    return bool(np.all(after[1:] > before[1:] + 0.005) and after[0] < before[0] - 0.015)


def _shares_by_channel(process: Profile, leads: Leads, won: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Shares won: all together, then by channel; NaN where there is no lead."""
    groups = [rows, *(rows & (leads.channel == code) for code in range(len(process.channels)))]
    return np.array([won[group].mean() if group.any() else np.nan for group in groups])


def _stacked(parts: list[Leads]) -> Leads:
    return Leads(*(np.concatenate([getattr(part, name) for part in parts]) for name in Leads.__dataclass_fields__))


def _joined(early: tuple[Leads, Events], late: tuple[Leads, Events]) -> tuple[Leads, Events]:
    shifted = replace(late[1], lead=late[1].lead + len(early[0].created))
    events = Events(*(np.concatenate([getattr(early[1], name), getattr(shifted, name)])
                      for name in Events.__dataclass_fields__))
    return _stacked([early[0], late[0]]), events

