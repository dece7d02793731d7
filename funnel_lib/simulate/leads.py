"""Leads and their way through the funnel, drawn from a profile."""

from dataclasses import dataclass, fields
from zlib import crc32

import numpy as np
import pandas as pd

from funnel_lib.simulate.clock import AS_OF_SECONDS, DAY_SECONDS, FROM_SECONDS, add_work_hours, moments, weekday
from funnel_lib.simulate.profiles import Profile, profile

LOST = -1  # the code of `lost` among the steps
PERIOD_DAYS = round((AS_OF_SECONDS - FROM_SECONDS) / DAY_SECONDS)


def stream(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for each purpose, so that a change in one story leaves the others as they were."""
    return np.random.default_rng([seed, *(crc32(name.encode()) for name in names)])


@dataclass(frozen=True)
class Leads:
    """One entry per lead in every array; codes point into the profile's tuples, -1 is missing."""

    created: np.ndarray  # seconds
    channel: np.ndarray
    segment: np.ndarray  # into target_segments + other_segments
    group: np.ndarray  # 0 A, 1 B
    owner: np.ndarray
    not_lead: np.ndarray  # into not_leads, -1: a real lead
    amount: np.ndarray
    returning: np.ndarray  # of a client who has bought before (the company only; leads alone are all new)

    def take(self, rows) -> "Leads":
        return Leads(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Events:
    """One entry per recorded event in every array, whenever it happens (also after ``as_of``)."""

    lead: np.ndarray
    step: np.ndarray  # index into profile.steps, or LOST
    time: np.ndarray  # seconds
    reason: np.ndarray  # index into reason_keys(profile), -1 for steps


def draw_created(process: Profile, count: int, rng: np.random.Generator, day_weights=None) -> np.ndarray:
    """Creation times in seconds, in order: every lead an independent draw; fewer at week-ends."""
    days = FROM_SECONDS + np.arange(PERIOD_DAYS) * DAY_SECONDS
    weights = np.where(weekday(days) >= 5, process.weekend_weight, 1.0)
    if day_weights is not None:
        weights = weights * day_weights
    day = days[_pick(rng, weights, count)]
    return np.sort(day + rng.triangular(8.0, 13.0, 21.5, count) * 3_600.0)


def draw_leads(process: Profile, created: np.ndarray, rng: np.random.Generator, channel_weights=None) -> Leads:
    """Channel, segment, group and owner of leads created at these moments, independent of each other's leads."""
    count = len(created)
    weights = [channel.share for channel in process.channels] if channel_weights is None else channel_weights
    channel = _pick(rng, weights, count)
    return Leads(created, channel, _draw_segments(process, channel, rng), rng.integers(0, 2, count),
                 rng.integers(0, len(process.owners), count), _draw_not_leads(process, count, rng),
                 np.round(_typical_amount(process) * rng.lognormal(0.0, 0.45, count), -2),
                 _draw_returning(process, created, rng))


def step_chances(process: Profile, leads: Leads) -> np.ndarray:
    """Leads × mandatory steps: the chance to enter the step from the one before."""
    factor = np.array([channel.factor for channel in process.channels])[leads.channel]
    off_target = leads.segment >= len(process.target_segments)
    factor = factor * np.where(off_target, process.off_target_factor, 1.0)
    shares = np.array([step.share for step in process.mandatory])
    chances = np.outer(factor, shares)
    chances[:, 0] = shares[0]
    return np.clip(chances, 0.0, 0.98)


def walk(process: Profile, leads: Leads, chances: np.ndarray, rng: np.random.Generator) -> Events:
    """Every recorded event of every lead: steps, losses, returns after a loss; skipped steps are left out."""
    count = len(leads.created)
    real = leads.not_lead < 0
    first = _pass(process, leads.created, np.zeros(count, int), np.where(real[:, None], chances, 0.0), rng)
    lost = (first.passed < len(process.mandatory)) & real & (rng.random(count) >= process.forgotten_share)
    lost_at = add_work_hours(first.end, _lag(rng, process.lost_lag_hours, process.lost_lag_sigma, count))
    never = np.flatnonzero(~real)
    events = [*_step_events(first, np.arange(count)),
              _losses(np.flatnonzero(lost), lost_at, _draw_reasons(process, first.passed[lost], rng)),
              _losses(never, add_work_hours(leads.created, _lag(rng, 1.0, 0.6, count)),
                      leads.not_lead[never] + len(real_reasons(process)))]
    back = np.flatnonzero(lost & (rng.random(count) < process.return_share))
    events += _second_try(process, back, first.passed[back], lost_at[back], chances[back], rng)
    parts = [np.concatenate(part) for part in zip(*events, strict=True)]
    order = np.lexsort((np.where(parts[1] == LOST, len(process.steps), parts[1]), parts[2], parts[0]))
    return Events(*(part[order] for part in parts))


def make_leads(process_name: str, seed: int, leads: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leads and stage events of one process, from its base parameters alone and without any bad row.

    Leads are independent draws; the true rates are those of ``true_rates(process_name)``. Returns
    ``(leads, stage_events)`` with the columns of the data contract: one row per lead, one per recorded event.
    Duplicates and spam among the leads are lost for those reasons. Raises ``ValueError`` for an unknown process.

    >>> leads, stage_events = make_leads("wholesale", seed=1, leads=500)
    >>> len(leads), sorted(stage_events["step"].unique())
    (500, ['contacted', 'lost', 'meeting', 'proposal', 'won'])
    """
    process = profile(process_name)
    rng = stream(seed, process_name, "leads alone")
    drawn = draw_leads(process, draw_created(process, leads or process.leads_count, rng), rng)
    events = walk(process, drawn, step_chances(process, drawn), rng)
    ids = lead_ids(process, len(drawn.created))
    return leads_frame(process, drawn, ids, rng), events_frame(process, drawn, events, ids, rng)


def lead_ids(process: Profile, count: int) -> np.ndarray:
    """Ids of the leads of one process."""
    return numbered(process.letter, count, 7)


def numbered(prefix: str, count: int, digits: int) -> np.ndarray:
    """Texts such as ``R0000001``, from 1 to ``count``."""
    if not count:
        return np.zeros(0, dtype=object)  # zfill refuses an empty array
    return np.char.add(prefix, np.char.zfill(np.arange(1, count + 1).astype(str), digits)).astype(object)


def leads_frame(process: Profile, leads: Leads, ids: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """The table ``leads`` of one process; amounts in major units."""
    segments = process.target_segments + process.other_segments
    return pd.DataFrame({
        "lead_id": ids, "process": process.key, "created_at": moments(leads.created),
        "channel": words([channel.key for channel in process.channels], leads.channel),
        "campaign": _campaigns(process, leads.channel, rng), "segment": words(segments, leads.segment),
        "owner": words(process.owners, leads.owner), "expected_amount": leads.amount,
        "group": words(["A", "B"], leads.group)})


def events_frame(process: Profile, leads: Leads, events: Events, ids: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """The table ``stage_events`` of one process, cut at ``as_of``."""
    seen = events.time < AS_OF_SECONDS
    lead, step, time, reason = (part[seen] for part in (events.lead, events.step, events.time, events.reason))
    robot = (step == LOST) & (reason >= len(real_reasons(process)))
    caller = rng.integers(0, len(process.callers), len(lead)) + len(process.owners)
    employee = np.where(robot, -1, np.where(step == 0, caller, leads.owner[lead]))
    return pd.DataFrame({
        "lead_id": ids[lead], "step": words([step.key for step in process.steps] + ["lost"], step, missing=False),
        "entered_at": moments(time), "employee": words(process.owners + process.callers, employee), "automated": robot,
        "reason": words(reason_keys(process), reason)})


def real_reasons(process: Profile) -> list[str]:
    """Reasons for which a real lead is lost."""
    return sorted({reason for weights in process.reasons for reason, _ in weights})


def reason_keys(process: Profile) -> list[str]:
    """All recorded reasons, those of entries that never were leads last."""
    return real_reasons(process) + [reason for reason, _ in process.not_leads]


def words(values, codes: np.ndarray, missing: bool = True) -> np.ndarray:
    """Texts for codes; -1 is ``None``, or the last value where nothing can be missing."""
    table = np.array([*values, None] if missing else [*values], dtype=object)
    return table[codes]


@dataclass(frozen=True)
class _Pass:
    entered: np.ndarray  # leads × steps, seconds, NaN where not recorded
    passed: np.ndarray  # mandatory steps passed
    end: np.ndarray  # time of the last step, recorded or not


def _pass(process: Profile, begin: np.ndarray, passed: np.ndarray, chances: np.ndarray, rng) -> _Pass:
    """One try, from the moment ``begin`` and so many mandatory steps already ``passed``."""
    count = len(begin)
    entered, end, passed = np.full((count, len(process.steps)), np.nan), begin.copy(), passed.copy()
    start, number = passed.copy(), 0
    for column, step in enumerate(process.steps):
        at = add_work_hours(end, _lag(rng, step.lag_hours, step.lag_sigma, count))
        goes = rng.random(count) < (step.share if step.optional else chances[:, number])
        goes &= (passed == number) & (number > 0) if step.optional else passed == number
        end = np.where(goes, at, end)
        entered[goes, column] = at[goes]
        if not step.optional:
            number += 1
            passed[goes] = number
    _hide_skipped(process, entered, start, passed, rng)
    return _Pass(entered, passed, end)


def _hide_skipped(process: Profile, entered: np.ndarray, start, passed, rng) -> None:
    number = 0
    for column, step in enumerate(process.steps):
        if step.optional:
            continue
        number += 1
        hidden = (rng.random(len(passed)) < process.skip_share) & (passed > number) & (start < number)
        entered[hidden, column] = np.nan


def _second_try(process: Profile, rows, passed, lost_at, chances, rng) -> list[tuple]:
    """A lead that comes back enters its last step again (the first one if it had none) and goes on."""
    count = len(rows)
    begin = add_work_hours(lost_at, _lag(rng, process.return_lag_hours, 0.6, count))
    passed = np.maximum(passed, 1)
    columns = np.array([column for column, step in enumerate(process.steps) if not step.optional])
    second = _pass(process, begin, passed, chances, rng)
    again = second.passed < len(process.mandatory)
    lost_again = add_work_hours(second.end, _lag(rng, process.lost_lag_hours, process.lost_lag_sigma, count))
    reasons = _draw_reasons(process, second.passed[again], rng)
    return [(rows, columns[passed - 1], begin, np.full(count, -1)), *_step_events(second, rows),
            (rows[again], np.full(again.sum(), LOST), lost_again[again], reasons)]


def _step_events(tried: _Pass, rows: np.ndarray) -> list[tuple]:
    lead, column = np.nonzero(~np.isnan(tried.entered))
    return [(rows[lead], column, tried.entered[lead, column], np.full(len(lead), -1))]


def _losses(rows: np.ndarray, lost_at: np.ndarray, reasons: np.ndarray) -> tuple:
    return rows, np.full(len(rows), LOST), lost_at[rows], reasons


def _draw_reasons(process: Profile, passed: np.ndarray, rng) -> np.ndarray:
    keys, result = real_reasons(process), np.zeros(len(passed), int)
    for number, weights in enumerate(process.reasons):
        rows = np.flatnonzero(passed == number)
        codes = np.array([keys.index(reason) for reason, _ in weights])
        result[rows] = codes[_pick(rng, [share for _, share in weights], len(rows))]
    return result


def _draw_segments(process: Profile, channel: np.ndarray, rng) -> np.ndarray:
    count, targets = len(channel), len(process.target_segments)
    on_target = rng.random(count) < np.array([c.target_share for c in process.channels])[channel]
    segment = np.where(on_target, rng.integers(0, targets, count),
                       targets + rng.integers(0, len(process.other_segments), count))
    return np.where(rng.random(count) < process.unknown_segment_share, -1, segment)


def _draw_not_leads(process: Profile, count: int, rng) -> np.ndarray:
    shares = [share for _, share in process.not_leads]
    return _pick(rng, [1.0 - sum(shares), *shares], count) - 1


def _draw_returning(process: Profile, created: np.ndarray, rng) -> np.ndarray:
    return (rng.random(len(created)) < process.returning_share) & (created > FROM_SECONDS + 180 * DAY_SECONDS)


def _campaigns(process: Profile, channel: np.ndarray, rng) -> np.ndarray:
    result, draw = np.full(len(channel), None, dtype=object), rng.random(len(channel))
    for code, details in enumerate(process.channels):
        rows = np.flatnonzero(channel == code)
        if details.campaigns:
            result[rows] = np.array(details.campaigns, object)[(draw[rows] * len(details.campaigns)).astype(int)]
    return result


def _typical_amount(process: Profile) -> float:
    amounts = process.amounts
    return amounts.p * amounts.gamma / (amounts.q - 1.0) * amounts.first_factor * 0.9


def _pick(rng: np.random.Generator, weights, count: int) -> np.ndarray:
    edges = np.cumsum(np.asarray(weights, float))
    return np.searchsorted(edges, rng.random(count) * edges[-1], side="right")


def _lag(rng: np.random.Generator, median_hours: float, sigma: float, count: int) -> np.ndarray:
    return median_hours * np.exp(sigma * rng.standard_normal(count))
