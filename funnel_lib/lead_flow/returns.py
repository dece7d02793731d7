"""What each channel earned back of what it cost, the young leads projected, and which channels really differ."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, with_groups
from funnel_lib.labour import has_costs, hour_costs
from funnel_lib.lead_flow.buyers import HORIZON_MONTHS, led_customers, margins_by_age
from funnel_lib.lead_flow.costs import (
    UNDATED,
    channel_costs,
    mature_months,
    month_number,
    monthly_costs,
    without_known_cost,
)
from funnel_lib.lead_flow.development import (
    Development,
    check_arguments,
    development,
    margins_table,
    needs_costs,
    needs_orders_of_leads,
)
from funnel_lib.lead_flow.economics import ALL, NO_CHANNELS
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import DAYS_PER_MONTH, days_between
from funnel_lib.pooling import ABOVE, BELOW, NO_DIFFERENCE, SIGNIFICANT, TOO_FEW, adjusted_p_values
from funnel_lib.rates import FEW, Z_95, is_few, poisson_limits, ratio

NOT_COMPARED = "not_compared"
COLUMNS = ["channel", "leads_count", "mature_leads_count", "young_leads_count", "mature_customers_count", "mature_cost_amount",
           "mature_margin_amount", "romi_share", "romi_low_share", "romi_high_share", "payback_months", "projected",
           "projected_cost_amount", "projected_margin_amount", "projected_romi_share", "projected_romi_low_share",
           "projected_romi_high_share", "left_out_cost_amount", "few", "adjusted_p_value", "verdict",
           "measured_on", "horizon_months"]


def channel_returns(process: Process, on: str = "margin", horizon_months: int = HORIZON_MONTHS) -> pd.DataFrame:
    """What each channel earned back within 12 months of its leads' creation, with the leads that are still young projected.

    One row is a channel, the one with most leads first, then what names no channel, and last `all`; counts and amounts of the
    rows sum to it. Cost and margin are those of the same creation months, as in `channel_economics`. Columns:
    `leads_count` (new leads since `observed_from`), `mature_leads_count` (of the months all of whose leads are as old as the
    horizon), `young_leads_count` (of the months after), `mature_customers_count`; `mature_cost_amount` and
    `mature_margin_amount`; `romi_share` = (margin − full cost) / full cost of the mature months with its 95 % limits;
    `payback_months`: the first month of age by which the margin of the mature leads reaches their full cost, missing where it
    does not within the horizon; `projected` (some months are projected), `projected_cost_amount`, `projected_margin_amount`
    and `projected_romi_share` with limits, of mature and young months together; `left_out_cost_amount`: cost of the months
    whose youngest leads are under a month old, which are not projected; `few`: fewer than 30 mature customers;
    `adjusted_p_value` and `verdict` (above, below, no_difference, too_few, not_compared): whether the return of the mature
    months differs from that of all the other channels together, adjusted for the number of channels; `measured_on` (margin or
    revenue) and `horizon_months`.

    Projection: a young month keeps what it earned by the age that all its leads have reached, and is given the rest that such
    leads bring later: leads × margin per lead within the horizon × (1 − share earned by that age, `margin_development`); margin
    per lead is the channel's own where it has at least 30 mature leads, else that of all together. Dividing by the share earned
    instead would break where the first orders are sold at a loss: the share is near zero then.
    Limits are of what such leads earn on average: customers come by chance and bring unlike amounts, so the variance of a margin
    is the sum of the squared margins of the customers (compound Poisson); nobody at all may stand for 3.7 average customers;
    the cost is taken as known; the projected part adds the spread of the shares over resampled creation months. That a channel
    changes lately is not in them.
    A figure is missing where spend has no date, a margin is not known or too many hours have no cost. Raises `MeasureError`
    without leads, orders or any cost, `CallError` for another `on`.
    Source: Bornhuetter and Ferguson 1972 (projection); Benjamini and Hochberg 1995 (comparison).
    """
    check_arguments(on, horizon_months)
    needs_orders_of_leads(process)
    needs_costs(process, has_costs(process))
    key = ("channel_returns", on, horizon_months)
    return process.tidy(process.remembered(key, lambda: _returns(process, on, horizon_months)).copy())


def _returns(process: Process, on: str, horizon: int) -> pd.DataFrame:
    first, last = mature_months(process, horizon)
    cells = _cells(process, on, horizon, first, last)
    by_age = margins_table(process, on, horizon)
    table = _without_unknown(_sums(cells, last), process)
    table = _projected(table, cells[cells["age"].between(1, horizon - 1)], development(by_age, first, last, horizon))
    table["payback_months"] = _payback(table, by_age[by_age["month"].between(first, last)], horizon)
    table = _compared(_with_intervals(table))
    amounts = [name for name in COLUMNS if name.endswith("_amount")]
    table[amounts] = table[amounts].astype(float) / process.minor_units
    counts = [name for name in COLUMNS if name.endswith("_count")]
    return table.astype(dict.fromkeys(counts, int)).assign(measured_on=on, horizon_months=horizon)[COLUMNS]


def _cells(process: Process, on: str, horizon: int, first: int, last: int) -> pd.DataFrame:
    """Per channel × creation month observed: `leads`, `people`, `cost`, the `margin` by the `age` that all its leads have
    reached (whole months, at most the horizon), `square` (squared margins of its customers), their `least` margin and the
    orders of `unknown` margin."""
    end = process.needs_as_of()
    months = range(first, end.year * 12 + end.month)
    ages = {month: _age_reached(month, end, horizon) for month in months}
    leads = with_groups(new_leads(process), ["channel"]).with_columns(month=month_number(nw.col("created_at")))
    parts = [collect(leads.group_by("channel", "month").agg(nw.len().alias("leads"))),
             collect(led_customers(process).group_by("channel", "month").agg(nw.len().alias("people"))),
             monthly_costs(channel_costs(process)), _customer_sums(process, on, horizon, ages)]
    names = ["leads", "people", "cost", "margin", "square", "unknown"]
    together = pd.concat([part.set_index(["channel", "month"]) for part in parts], axis=1)
    # Spend without a date is of no month, but its channel is a row of the table.
    channels = together.index.get_level_values("channel").unique()
    grid = together.reindex(pd.MultiIndex.from_product([channels, months], names=["channel", "month"])).reindex(
        columns=[*names, "least"])
    grid[names] = grid[names].astype(float).fillna(0.0)
    grid = grid.reset_index()
    return grid.assign(age=grid["month"].map(ages).astype(int))


def _age_reached(month: int, end: pd.Timestamp, horizon: int) -> int:
    """Whole months of age that every lead created in the month has reached; negative in the month not over."""
    over = pd.Timestamp((month + 1) // 12, (month + 1) % 12 + 1, 1)
    return int(min(np.floor(days_between(over, end) / DAYS_PER_MONTH), horizon))


def _customer_sums(process: Process, on: str, horizon: int, ages: dict[int, int]) -> pd.DataFrame:
    limit = nw.lit(float(horizon))
    for month, age in ages.items():
        if age < horizon:
            limit = nw.when(nw.col("month") == month).then(nw.lit(float(age))).otherwise(limit)
    money = margins_by_age(process, on, horizon).filter(nw.col("age") < limit)
    people = money.group_by("customer_id", "channel", "month").agg(nw.col("margin").sum(), unknown=nw.col("unknown_count").sum())
    people = people.with_columns(margin=nw.col("margin").cast(nw.Float64)).with_columns(square=nw.col("margin") * nw.col("margin"))
    return collect(people.group_by("channel", "month").agg(
        nw.col("margin").sum(), nw.col("square").sum(), nw.col("unknown").sum(), least=nw.col("margin").min()))


def _sums(cells: pd.DataFrame, last: int) -> pd.DataFrame:
    """One row per channel in order: what its mature and its young months sum to, in minor units."""
    mature, young = cells[cells["month"] <= last], cells[cells["month"] > last]
    groups = {"mature": mature.groupby("channel"), "young": young[young["age"] >= 1].groupby("channel")}
    sums = {"leads_count": cells.groupby("channel")["leads"].sum(), "young_leads_count": young.groupby("channel")["leads"].sum(),
            "left_out_cost_amount": young[young["age"] < 1].groupby("channel")["cost"].sum()}
    for kind, grouped in groups.items():
        sums |= {f"{kind}_{name}": grouped[name].sum() for name in ("leads", "people", "cost", "margin", "square", "unknown")}
    table = pd.DataFrame(sums).fillna(0.0).assign(least=cells.groupby("channel")["least"].min())
    table = table.rename_axis("channel").reset_index().rename(columns={
        "mature_leads": "mature_leads_count", "mature_people": "mature_customers_count", "mature_cost": "mature_cost_amount",
        "mature_margin": "mature_margin_amount"})
    table["_last"] = table["channel"].isin(NO_CHANNELS)
    return table.sort_values(["_last", "leads_count", "mature_cost_amount", "channel"], ascending=[True, False, False, True],
                             ignore_index=True).drop(columns="_last")


def _without_unknown(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    """Costs and margins missing where they cannot be told: undated spend, hours without a cost, unknown margins."""
    costs, table = channel_costs(process), table.copy()
    lost = set(costs.loc[costs["month"] == UNDATED, "channel"])
    if hour_costs(process):
        lost |= set(without_known_cost(costs, process))
    hidden = table["channel"].isin(lost)
    table.loc[hidden, ["mature_cost_amount", "young_cost", "left_out_cost_amount"]] = np.nan
    table.loc[table["mature_unknown"] > 0, "mature_margin_amount"] = np.nan
    table.loc[table["young_unknown"] > 0, "young_margin"] = np.nan
    return table


def _payback(table: pd.DataFrame, by_age: pd.DataFrame, horizon: int) -> np.ndarray:
    """Per row the first month of age by which the margin of the mature leads reaches their full cost."""
    grid = by_age.pivot_table(index="channel", columns="age", values="margin", aggfunc="sum")
    grid = grid.reindex(index=table["channel"], columns=range(horizon)).fillna(0.0)
    grid.loc[ALL] = grid.sum()
    cost = table["mature_cost_amount"].to_numpy(dtype=float)
    known = table["mature_margin_amount"].notna().to_numpy() & (cost > 0)
    reached = (grid.to_numpy().cumsum(axis=1) >= cost[:, None]) & known[:, None]
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.nan)


def _projected(table: pd.DataFrame, young: pd.DataFrame, pattern: Development | None) -> pd.DataFrame:
    """The table with the projected months and, as its last row, the total; `_variance` of both margins beside it."""
    leads = table["mature_leads_count"].to_numpy(dtype=float)
    margin, square = table["mature_margin_amount"].to_numpy(dtype=float), _squares(table)
    own = (leads >= FEW) & ~np.isnan(margin)
    known = ~np.isnan(margin)
    common = float(ratio(margin[known].sum(), leads[known].sum()))
    per_lead = np.where(own, ratio(margin, leads), common)
    to_come, spread = _still_to_come(table, young, pattern, per_lead)
    # How much one unit of each channel's mature margin moves each row: its own, and what is projected from it.
    load = np.eye(len(table)) + np.diag(np.where(own, np.nan_to_num(ratio(to_come, leads)), 0.0))
    load += np.where(~own, to_come, 0.0)[:, None] * np.nan_to_num(ratio(known.astype(float), leads[known].sum()))[None, :]
    is_projected = (table["channel"].isin(young.loc[(young["leads"] > 0) | (young["cost"] != 0), "channel"])).to_numpy()
    rest = np.where(to_come == 0, 0.0, to_come * per_lead)
    rest[is_projected & (pattern is None)] = np.nan
    table = table.assign(
        projected=is_projected & (pattern is not None),
        projected_cost_amount=table["mature_cost_amount"] + table["young_cost"],
        projected_margin_amount=margin + table["young_margin"] + rest,
        _variance=square, _projected_variance=(load**2 @ square) + table["young_square"] + spread.std(axis=0)**2)
    return _with_total(table, load.sum(axis=0)**2 @ square, spread.sum(axis=1).std()**2)


def _squares(table: pd.DataFrame) -> np.ndarray:
    """Variance of each mature margin: nobody yet may stand for as many average customers as chance hides (Garwood 1936)."""
    people, square = table["mature_customers_count"].to_numpy(dtype=float), table["mature_square"].to_numpy(dtype=float)
    known = table["mature_margin_amount"].notna()
    mean = np.nan_to_num(ratio(table.loc[known, "mature_margin_amount"].sum(), people[known].sum()))
    nobody = (people == 0) & (table["mature_leads_count"] > 0).to_numpy()
    return np.where(nobody, (poisson_limits(0)[1] * mean / Z_95)**2, square)


def _still_to_come(table: pd.DataFrame, young: pd.DataFrame, pattern: Development | None,
                   per_lead: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per channel the young leads weighted by the share not yet earned, and draws of the margin that they still bring."""
    counts = young.pivot_table(index="channel", columns="age", values="leads", aggfunc="sum").reindex(table["channel"]).fillna(0.0)
    if counts.empty or not counts.to_numpy().any():
        return np.zeros(len(table)), np.zeros((1, len(table)))
    if pattern is None:
        return np.where(counts.sum(axis=1) > 0, np.nan, 0.0), np.zeros((1, len(table)))
    ages = counts.columns.to_numpy(dtype=int)
    draws = pattern.draws[~np.isnan(pattern.draws).any(axis=1)]
    spread = (1 - draws[:, ages]) @ counts.to_numpy().T
    return counts.to_numpy() @ (1 - pattern.shares[ages]), np.where(np.isnan(per_lead), 0.0, spread * np.nan_to_num(per_lead))


def _with_total(table: pd.DataFrame, variance: float, spread: float) -> pd.DataFrame:
    total = table.drop(columns=["channel", "least", "projected"]).sum(skipna=False)
    total["_projected_variance"] = variance + table["young_square"].sum() + spread
    row = total.to_frame().T.assign(channel=ALL, least=table["least"].min(), projected=bool(table["projected"].any()))
    return pd.concat([table, row], ignore_index=True).astype({"projected": bool})


def _with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    table = table.assign(few=is_few(table["mature_customers_count"]))
    for name, margin, cost, variance in (("romi", "mature_margin_amount", "mature_cost_amount", "_variance"),
                                         ("projected_romi", "projected_margin_amount", "projected_cost_amount",
                                          "_projected_variance")):
        half = Z_95 * np.sqrt(table[variance].to_numpy(dtype=float))
        value, price = table[margin].to_numpy(dtype=float), table[cost].to_numpy(dtype=float)
        # Where nobody brought a loss, the margin cannot fall below nothing.
        low = np.where((table["least"].fillna(0) >= 0) & (value >= 0), np.maximum(value - half, 0.0), value - half)
        for side, amount in (("", value), ("_low", low), ("_high", value + half)):
            table[f"{name}{side}_share"] = ratio(amount - price, price)
        # Money that names no channel has no leads of its own to earn it back.
        table.loc[table["channel"].isin(NO_CHANNELS[1:]), [f"{name}{side}_share" for side in ("", "_low", "_high")]] = np.nan
    return table


def _compared(table: pd.DataFrame) -> pd.DataFrame:
    """Each channel against all the other ones together; money of no channel is in neither."""
    named = ~table["channel"].isin([*NO_CHANNELS, ALL]).to_numpy() & table["romi_share"].notna().to_numpy()
    cost, margin, variance = (np.where(named, table[name].to_numpy(dtype=float), 0.0)
                              for name in ("mature_cost_amount", "mature_margin_amount", "_variance"))
    others = ratio(margin.sum() - margin - (cost.sum() - cost), cost.sum() - cost)
    error = np.sqrt(ratio(variance, cost**2) + ratio(variance.sum() - variance, (cost.sum() - cost)**2))
    tested = named & ~table["few"].to_numpy() & ~np.isnan(others)
    values = table["romi_share"].to_numpy(dtype=float)
    p_values = np.where(tested, _two_sided(np.asarray(ratio(values - others, error))), np.nan)
    adjusted = adjusted_p_values(p_values)
    outside = (others < table["romi_low_share"].to_numpy(dtype=float)) | (others > table["romi_high_share"].to_numpy(dtype=float))
    differs = outside & (np.nan_to_num(adjusted, nan=1.0) < SIGNIFICANT)
    verdict = np.where(~named, NOT_COMPARED, np.where(table["few"], TOO_FEW, np.where(
        ~differs, NO_DIFFERENCE, np.where(values > others, ABOVE, BELOW))))
    return table.assign(adjusted_p_value=adjusted, verdict=verdict)


def _two_sided(z: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr  # loaded here: scipy is slow to import

    return 2 * ndtr(-np.abs(z))
