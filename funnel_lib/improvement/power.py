"""How many cases a trial needs to see an effect, and the smallest effect that so many cases show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from funnel_lib.rates import Z_95, ratio

# Of 100 trials of a true effect 80 see it; of 100 trials without one 5 seem to.
POWER = 0.8
_Z_POWER = 0.8416212335729143
_HALVINGS = 60


def group_size_of_shares(base_share: float, effect_share: float) -> float:
    """Cases in each of two equal groups that show a change of a share by `effect_share` points; NaN where it leaves 0 to 1.

    80 % power, 5 % two-sided; the normal approximation with the base share's variance in both groups where nothing has changed.
    Source: the formula of Evan Miller's sample size calculator (for a base share up to one half); Fleiss 1981, section 3.2.

    >>> round(group_size_of_shares(0.2, 0.05))
    1030
    """
    after = base_share + effect_share
    if effect_share == 0 or not 0 < base_share < 1 or not 0 <= after <= 1:
        return float("nan")
    unchanged, changed = base_share * (1 - base_share), after * (1 - after)
    spread = Z_95 * np.sqrt(2 * unchanged) + _Z_POWER * np.sqrt(unchanged + changed)
    return float(ratio(spread, effect_share) ** 2)


def group_size_of_means(variation: float, effect: float) -> float:
    """Cases in each of two equal groups that show a relative change of a mean; `variation` is standard deviation / mean.

    >>> round(group_size_of_means(1.0, 0.1))
    1570
    """
    return float(2 * ratio((Z_95 + _Z_POWER) * variation, effect) ** 2)


def weeks_of_flow(per_week: float, dispersion: float, effect: float) -> float:
    """Weeks with and as many without the measure that show a relative change of leads a week.

    Counts vary `dispersion` times as much as by chance. Source: normal approximation of two Poisson means.

    >>> round(weeks_of_flow(100, 1.0, 0.1), 1)
    15.9
    """
    spread = Z_95 * np.sqrt(2.0) + _Z_POWER * np.sqrt(2 + effect) if effect > -1 else np.nan
    return float(ratio(dispersion * spread**2, per_week * effect**2))


def smallest_effect(size: Callable[[float], float], available: float, most: float) -> float:
    """The smallest effect, with the sign of `most`, for which `size` asks for no more than is available; NaN where none does.

    >>> round(smallest_effect(lambda effect: group_size_of_shares(0.2, effect), 1030.2, 0.8), 3)
    0.05
    """
    low, high = 0.0, most
    if not available > 0 or not size(high) <= available:
        return float("nan")
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if size(middle) <= available else (middle, high)
    return float(high)
