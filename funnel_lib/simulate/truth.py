"""The true rates of the simulated processes: averages over millions of drawn leads.

The constants come from ``python -m funnel_lib.simulate``; a test draws again and compares.
"""

import numpy as np

from funnel_lib.simulate.clock import AS_OF_SECONDS, DAY_SECONDS
from funnel_lib.simulate.leads import LOST, Events, Leads, draw_created, draw_leads, step_chances, stream, walk
from funnel_lib.simulate.profiles import Profile, profile

DRAWN_LEADS = 6_000_000
CHUNK_LEADS = 500_000


def first_ages(process: Profile, leads: Leads, events: Events) -> np.ndarray:
    """Leads × steps: age in days at the first recorded entry into this very step; infinite if never."""
    ages = np.full((len(leads.created), len(process.steps)), np.inf)
    entries = events.step != LOST
    lead, step = events.lead[entries], events.step[entries]
    np.minimum.at(ages, (lead, step), (np.floor(events.time[entries] / 60) * 60
                                       - np.floor(leads.created[lead] / 60) * 60) / DAY_SECONDS)
    return ages


def windowed_counts(process: Profile, leads: Leads, events: Events) -> dict[str, np.ndarray | int]:
    """What the shares are made of, over real leads (no duplicates, no spam).

    ``mature_count``: old enough for the window at ``as_of``; ``reached_count``: of these, by step, entered it or a
    later one within the window; ``visited_count``: entered this very one; ``all_count`` and ``won_count``: over all
    leads whatever their age, as if they were observed for the whole window.
    """
    real = leads.not_lead < 0
    mature = real & (leads.created <= AS_OF_SECONDS - process.window_days * DAY_SECONDS)
    inside = first_ages(process, leads, events) <= process.window_days
    reached = np.flip(np.logical_or.accumulate(np.flip(inside, axis=1), axis=1), axis=1)
    return {"mature_count": int(mature.sum()), "reached_count": reached[mature].sum(axis=0),
            "visited_count": inside[mature].sum(axis=0), "all_count": int(real.sum()),
            "won_count": int(inside[real, -1].sum())}


def draw_truth(process: Profile, draw, leads_count: int, seed: int = 1) -> dict:
    """The shares over ``leads_count`` leads of ``draw(rng, count) -> (Leads, Events)``; see :func:`true_rates`."""
    total = None
    for chunk in range(-(-leads_count // CHUNK_LEADS)):
        rng = stream(seed, process.kind, f"truth {chunk}")
        counts = windowed_counts(process, *draw(rng, min(CHUNK_LEADS, leads_count)))
        total = counts if total is None else {key: total[key] + counts[key] for key in counts}
    return _shares(process, total)


def draw_base(process: Profile):
    """Leads of the base parameters, as ``make_leads`` draws them."""
    def draw(rng, count):
        leads = draw_leads(process, draw_created(process, count, rng), rng)
        return leads, walk(process, leads, step_chances(process, leads), rng)
    return draw


def true_rates(process_name: str) -> dict:
    """The true rates behind ``make_leads(process_name, …)``, over real leads (those lost for a reason in
    ``not_leads`` left out), within the window of the process.

    ``steps``: per step in order ``step_share`` (reached it or a later one / reached the mandatory step before; for an
    optional step: visited it / reached the mandatory step before) and ``overall_share`` (/ all leads);
    ``eventual_share``: won within the window. ``largest_standard_error_share`` is that of the drawing by which these
    were found. Raises ``ValueError`` for an unknown process.
    """
    process = profile(process_name)
    return {"process": process_name, **described(process, BASE_RATES[process.kind])}


def company_rates(process: Profile) -> dict:
    """The same rates for a company with its stories: test groups, changed steps, shifted channels."""
    return described(process, COMPANY_RATES[process.kind])


def described(process: Profile, rates: dict) -> dict:
    """The true rates of a process as `truth.json` writes them."""
    steps = [{"step": step.key, "optional": step.optional, "step_share": share, "overall_share": overall}
             for step, share, overall in zip(process.steps, rates["step_shares"], rates["overall_shares"], strict=True)]
    return {"window_days": process.window_days, "not_leads": [reason for reason, _ in process.not_leads],
            "steps": steps, "eventual_share": rates["eventual_share"],
            "largest_standard_error_share": rates["largest_standard_error_share"]}


def _shares(process: Profile, counts: dict) -> dict:
    step_shares, overall, errors, base = [], [], [], counts["mature_count"]
    for column, step in enumerate(process.steps):
        part = int((counts["visited_count"] if step.optional else counts["reached_count"])[column])
        share = part / base
        step_shares.append(round(share, 6))
        overall.append(round(part / counts["mature_count"], 6))
        errors.append((share * (1.0 - share) / base) ** 0.5)
        base = base if step.optional else part
    return {"step_shares": tuple(step_shares), "overall_shares": tuple(overall),
            "eventual_share": round(counts["won_count"] / counts["all_count"], 6),
            "largest_standard_error_share": round(max(errors), 6)}


# Printed by `python -m funnel_lib.simulate`.
BASE_RATES = {
    "retail": {
        "step_shares": (0.791774, 0.44976, 0.490197),
        "overall_shares": (0.791774, 0.356108, 0.174563),
        "eventual_share": 0.174538, "largest_standard_error_share": 0.000358},
    "wholesale": {
        "step_shares": (0.810714, 0.555923, 0.579327, 0.507961),
        "overall_shares": (0.810714, 0.450695, 0.469668, 0.238573),
        "eventual_share": 0.238644, "largest_standard_error_share": 0.000333},
    "custom": {
        "step_shares": (0.849311, 0.704538, 0.618963, 0.541558),
        "overall_shares": (0.849311, 0.598372, 0.525693, 0.284693),
        "eventual_share": 0.284387, "largest_standard_error_share": 0.000402},
}
COMPANY_RATES = {
    "retail": {
        "step_shares": (0.800833, 0.451781, 0.491694),
        "overall_shares": (0.800833, 0.361801, 0.177896),
        "eventual_share": 0.177302, "largest_standard_error_share": 0.000355},
    "wholesale": {
        "step_shares": (0.810692, 0.555658, 0.603193, 0.507726),
        "overall_shares": (0.810692, 0.450467, 0.489004, 0.24828),
        "eventual_share": 0.250735, "largest_standard_error_share": 0.000327},
    "custom": {
        "step_shares": (0.849311, 0.704538, 0.618963, 0.541558),
        "overall_shares": (0.849311, 0.598372, 0.525693, 0.284693),
        "eventual_share": 0.284387, "largest_standard_error_share": 0.000402},
}
