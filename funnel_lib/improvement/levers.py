"""Levers: what a tenth more of each rate, flow and price would change in the yearly margin."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.errors import MeasureError
from funnel_lib.improvement.chain import Chain, summary
from funnel_lib.improvement.constraint import waiting_losses
from funnel_lib.improvement.parameters import chain_of
from funnel_lib.improvement.vocabulary import ALL_PLACES, Lever
from funnel_lib.schema import MISSING, OTHER

STEP = 0.1
COLUMNS = ["lever", "moves", "place", "present_value", "changed_value", "margin_change_amount", "low_amount", "high_amount",
           "waiting_amount"]


def levers(process: Process) -> pd.DataFrame:
    """What +10 % of each lever's present value would change in the yearly margin, the others fixed; the strongest first.

    One row is a lever. Columns: `lever` (as company.yaml writes it), `moves` and `place` (its kind, and the channel, step or
    card), `present_value` and
    `changed_value` (shares as 0 to 1, clipped there; days; leads, money per year), `margin_change_amount` with its 95 %
    limits `low_amount` and `high_amount` from 4,000 draws of the parameters' sampling distributions. `lead_flow` without a
    channel is all channels together. The yearly margin is the chain of rates, see glossary, which knows no waiting: beside it
    stands `waiting_amount`, what the next 52 weeks would bring less of the change because work waits for people whose hours are
    used up, by the weekly model; missing where that is under a hundredth of the change, or hours are not known.
    Raises `MeasureError` where leads, movement through the steps or orders are missing.
    """
    chain = chain_of(process)
    found = present_levers(chain)
    table = pd.DataFrame([_row(chain, lever) for lever in found], columns=COLUMNS[:-1])
    table["waiting_amount"] = _waiting(process, found, list(table["present_value"]))
    order = table["margin_change_amount"].abs().round(6)
    table = table.assign(_size=order).sort_values(["_size", "lever"], ascending=[False, True])
    return process.tidy(table[COLUMNS])


def present_levers(chain: Chain) -> list[Lever]:
    """The levers that this chain has a number above zero for; a tenth more of nothing is nothing."""
    channels = [name for name, leads in chain.leads.items() if name not in (MISSING, OTHER) and leads[0] > 0]
    found = [Lever("lead_flow", ALL_PLACES), *(Lever("lead_flow", name) for name in channels)]
    if chain.target_gain is not None:
        found += [Lever("target_share", name) for name in channels if chain.target_share.get(name, [0])[0] > 0]
    found += [Lever("step_rate", step) for step, rate in chain.step_rates.items() if rate[0] > 0]
    found += [Lever("step_days", step) for step, days in chain.step_days.items() if days > 0]
    if chain.customers.repeat_share[0] > 0:
        found += [Lever("repeat_rate"), Lever("gap_days")]
    if chain.referral_share is not None and chain.referral_share[0] > 0:
        found.append(Lever("referral_share"))
    found += [Lever("mean_amount"), Lever("margin_share")]
    found += [Lever("hours", card) for card, amount in chain.card_labour_amount.items() if amount > 0]
    return found + [Lever("cost", card) for card, amount in chain.card_cost_amount.items() if amount > 0]


def _waiting(process: Process, found: list[Lever], present: list[float]) -> np.ndarray:
    try:
        return waiting_losses(process, found, present)
    except MeasureError:
        return np.full(len(found), np.nan)


def _row(chain: Chain, lever: Lever) -> tuple:
    present = chain.present(lever)
    change = STEP * present if lever.is_share else STEP
    gain = summary(chain.margin({lever: change}) - chain.margin())
    now = float(np.atleast_1d(present)[0])
    after = now * (1 + STEP)
    if lever.is_share:
        after = min(after, 1.0)
    return (str(lever), lever.label_key, lever.place or ALL_PLACES, now, after, *gain)
