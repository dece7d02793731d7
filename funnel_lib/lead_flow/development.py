"""How the margin of a month's leads grows with their age: what young leads are projected by."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect
from funnel_lib.errors import CallError, MeasureError
from funnel_lib.language.messages import message
from funnel_lib.lead_flow.buyers import HORIZON_MONTHS, margins_by_age
from funnel_lib.lead_flow.costs import mature_months
from funnel_lib.rates import ratio

# Fewer creation months than this show no pattern, nor how far it can be trusted.
LEAST_MONTHS = 3
DRAWS = 400
SEED = 20260701
LIMITS = (0.025, 0.975)


@dataclass(frozen=True)
class Development:
    """Share of the margin within the horizon that is earned by each whole month of age, 0 to the horizon; `draws` are the same
    shares from resampled creation months, one row each."""

    shares: np.ndarray
    draws: np.ndarray


def margin_development(process: Process, on: str = "margin", horizon_months: int = HORIZON_MONTHS) -> pd.DataFrame:
    """What share of the margin of their first 12 months the leads have earned by each month of age.

    One row is a month of age of the lead, 0 to the horizon. Columns: `age_months`; `earned_share` (margin by that age / margin
    within the horizon, all channels together, only creation months all of whose leads are as old as the horizon; it is
    negative while the first orders are sold at a loss) with 95 % limits (creation months resampled, 400 draws, fixed seed).
    No row where fewer than 3 such months were observed or they brought no margin.
    Raises `MeasureError` without leads or orders. Source: chain ladder (Mack 1993), pooled over channels.
    """
    check_arguments(on, horizon_months)
    needs_orders_of_leads(process)
    found = development(margins_table(process, on, horizon_months), *mature_months(process, horizon_months), horizon_months)
    if found is None:
        return process.tidy(pd.DataFrame({name: [] for name in ("age_months", "earned_share", "earned_low_share",
                                                                "earned_high_share")}))
    low, high = np.nanquantile(found.draws, LIMITS, axis=0)
    return process.tidy(pd.DataFrame({"age_months": np.arange(horizon_months + 1), "earned_share": found.shares,
                                      "earned_low_share": low, "earned_high_share": high}))


def check_arguments(on: str, horizon_months: int) -> None:
    """Raises `CallError` for another word than margin or revenue, or a horizon that is no whole number of months."""
    if on not in ("margin", "revenue"):
        raise CallError(message("on={on!r}: expected 'margin' or 'revenue'", on=on))
    if not (isinstance(horizon_months, int) and horizon_months >= 1):
        raise CallError(message("horizon_months={horizon_months!r}: expected a whole number of months, at least 1",
                                horizon_months=horizon_months))


def needs_orders_of_leads(process: Process) -> None:
    """Raises `MeasureError` where what leads brought cannot be told."""
    process.table("leads")
    process.table("orders")
    process.needs_as_of()


def margins_table(process: Process, on: str, horizon_months: int) -> pd.DataFrame:
    """Margin per channel, creation month and whole month of age, in minor units, with the orders of unknown margin."""
    cells = margins_by_age(process, on, horizon_months).group_by("channel", "month", "age").agg(
        nw.col("margin").sum(), nw.col("unknown_count").sum())
    return process.remembered(("margins_table", on, horizon_months), lambda: collect(cells)).copy()


def development(cells: pd.DataFrame, first: int, last: int, horizon_months: int) -> Development | None:
    """The shares earned by age in the creation months `first` to `last`, of the rows of `margins_table`.

    Channels with an unknown margin in these months are left out. None where that cannot be told.
    """
    mature = cells[cells["month"].between(first, last)]
    known = mature[~mature["channel"].isin(mature.loc[mature["unknown_count"] > 0, "channel"])]
    grid = known.pivot_table(index="month", columns="age", values="margin", aggfunc="sum").reindex(
        index=range(first, last + 1), columns=range(horizon_months)).fillna(0.0).to_numpy(dtype=float)
    if len(grid) < LEAST_MONTHS or not grid.sum() > 0:
        return None
    earned = np.hstack([np.zeros((len(grid), 1)), grid.cumsum(axis=1)])
    chosen = np.random.default_rng(SEED).integers(0, len(grid), (DRAWS, len(grid)))
    return Development(_shares(earned.sum(axis=0)), _shares(earned[chosen].sum(axis=1)))


def _shares(earned: np.ndarray) -> np.ndarray:
    """Totals by age as shares of the last one; unknown where that is no gain."""
    whole = earned[..., -1:]
    return np.asarray(ratio(earned, np.where(whole > 0, whole, np.nan)))


def needs_costs(process: Process, known: bool) -> None:
    """Raises `MeasureError` where no cost is recorded."""
    if not known:
        raise MeasureError(message("{process}: needs the table 'spend', or 'work' of roles with an hour cost, to tell what the "
                                   "channels earn back", process=process.name))
