"""Orders: the first one closes a lead, then clients come back, pause, leave, and return goods."""

from dataclasses import dataclass

import numpy as np

from funnel_lib.simulate.clock import AS_OF_SECONDS, DAY_SECONDS, add_work_hours
from funnel_lib.simulate.profiles import Amounts, ChancePurchases, RegularPurchases

ALWAYS_FROM_ORDER = 6  # a regular client who has come so often never leaves by himself


@dataclass(frozen=True)
class Purchases:
    """One entry per order in every array: whose (row of the clients), which one (1 first), when (seconds)."""

    client: np.ndarray
    number: np.ndarray
    time: np.ndarray


def later_orders(model: RegularPurchases | ChancePurchases, first: np.ndarray, rng: np.random.Generator) -> Purchases:
    """The orders after the first of clients whose first orders were at ``first``, up to ``as_of``."""
    draw = _regular_gaps(model, len(first), rng) if isinstance(model, RegularPurchases) else _chance_gaps(
        model, len(first), rng)
    client, time, number = np.arange(len(first)), first.astype(float), 1
    found = []
    while len(client):
        stays, gap_days = draw(client, number)
        time = time + np.maximum(gap_days, 0.5) * DAY_SECONDS
        stays &= time < AS_OF_SECONDS - DAY_SECONDS
        client, time, number = client[stays], time[stays], number + 1
        found.append((client, np.full(len(client), number), _in_office_hours(time, rng)))
    parts = [np.concatenate(part) for part in zip(*found, strict=True)] if found else [np.zeros(0, int)] * 2 + [np.zeros(0)]
    return Purchases(*parts)


def _regular_gaps(model: RegularPurchases, count: int, rng):
    mean_gap = model.gap_days * rng.gamma(model.gap_spread, 1.0 / model.gap_spread, count)

    def draw(client, number):
        stop = model.stop_after_first_share if number == 1 else model.stop_share * (number < ALWAYS_FROM_ORDER)
        gap = mean_gap[client] * rng.gamma(model.regularity, 1.0 / model.regularity, len(client))
        gap = np.where(rng.random(len(client)) < model.pause_share, 5.0 * gap, gap)
        return rng.random(len(client)) >= stop, gap

    return draw


def _chance_gaps(model: ChancePurchases, count: int, rng):
    weekly_rate = rng.gamma(model.r, 1.0 / model.alpha, count)
    leave = rng.beta(model.a, model.b, count)

    def draw(client, number):
        # BG/NBD: a client may leave after every *repeat* order, never right after the first.
        stays = rng.random(len(client)) >= leave[client] * (number > 1)
        return stays, 7.0 * rng.exponential(1.0, len(client)) / np.maximum(weekly_rate[client], 1e-9)

    return draw


def _in_office_hours(times: np.ndarray, rng) -> np.ndarray:
    opened = add_work_hours(times, np.zeros(len(times)))
    moved = opened > times
    return np.where(moved, opened + rng.random(len(times)) * 8.5 * 3_600.0, times)


def order_amounts(amounts: Amounts, client: np.ndarray, number: np.ndarray, clients: int, rng) -> np.ndarray:
    """Gamma-gamma amounts, to ten roubles: a level per client, the orders around it, the first one scaled."""
    level = rng.gamma(amounts.q, 1.0 / amounts.gamma, clients)
    drawn = rng.gamma(amounts.p, 1.0, len(client)) / level[client]
    return np.maximum(np.round(drawn * np.where(number == 1, amounts.first_factor, 1.0), -1), 100.0)


def order_margins(amounts: Amounts, order_amount: np.ndarray, number: np.ndarray, rng) -> np.ndarray:
    """Margins to the kopeck; those of the first orders together are exactly their planted share."""
    share = np.select([number == 1, number <= 4], [amounts.first_margin_share, amounts.early_margin_share],
                      amounts.later_margin_share)
    share = share + rng.normal(0.0, amounts.margin_noise, len(number))
    margin = np.round(order_amount * share, 2)
    first = np.flatnonzero(number == 1)
    if len(first):
        target = amounts.first_margin_share * order_amount[first].sum()
        margin[first] += np.round((target - margin[first].sum()) * order_amount[first] / order_amount[first].sum(), 2)
    return np.round(margin, 2)


def usual_gap_days(counts: np.ndarray, medians_days: np.ndarray, process_median_days: float) -> np.ndarray:
    """Usual gaps of clients with so many own gaps of such a median, drawn towards the process's like two more gaps."""
    own = counts * np.log(np.maximum(medians_days, 1.0))
    return np.exp((own + 2.0 * np.log(process_median_days)) / (counts + 2.0))
