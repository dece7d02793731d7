"""How far the money hangs on a few clients: shares of the largest ones, the Lorenz curve, Gini."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import money_rows
from funnel_lib.engine import collect, flag, kept
from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import message
from funnel_lib.loyalty.lateness import rhythms
from funnel_lib.rates import interval_of_share, is_few, ratio

ALL_OBSERVED, LAST_YEAR = "all_observed", "last_year"
YEAR = pd.Timedelta(days=365)
TOPS = (1, 5, 20)
LARGEST = 10
PERCENT = 100
COLUMNS = ["period", "customers_count", "refunded_count", "amount", "largest_share",
           *[f"top_{top}_{name}" for top in TOPS for name in ("count", "share", "low_share", "high_share")],
           "gini", "gini_low", "gini_high", "few"]


def concentration(process: Process) -> pd.DataFrame:
    """Which part of the money the largest clients bring.

    One row is a period: everything observed (all_observed), then the 365 days before `as_of` (last_year), if more than that was
    observed. Columns: `period`; `customers_count` named clients with more purchases than refunds in it, `refunded_count` of
    those whose refunds were at least their purchases (left out of everything else); `amount` of the former, refunds taken off;
    `largest_share` of it that the largest client brought; `top_1_share`, `top_5_share`, `top_20_share` of the largest 1, 5, 20 %
    of the clients (`top_1_count` …, rounded up: at least one client) with limits; `gini` (0: all bring the same, near 1: one
    brings all) with limits; `few` (under 30 clients). Limits say how far other clients like these would differ, by linearization;
    the share of the single largest one has none, nor has anything where all
    clients bring the same. Raises `MeasureError` where there are no orders.
    Source: Langel and Tillé 2013 (variances).
    """
    rows = [_concentration(process, period) for period in _periods(process)]
    return process.tidy(pd.DataFrame(rows, columns=COLUMNS))


def lorenz(process: Process, period: str = ALL_OBSERVED) -> pd.DataFrame:
    """The Lorenz curve, read from the largest client: how many bring how much.

    One row is a number of the largest clients, from none to all in at most 100 steps. Columns: `clients_count`, `clients_share` of
    all clients with more purchases than refunds, `clients_amount` that they brought together, `clients_amount_share`; exact, so
    without limits. `period` is all_observed or last_year (the 365 days before `as_of`).
    Raises `CallError` for another period, `MeasureError` where there are no orders.
    """
    if period not in (ALL_OBSERVED, LAST_YEAR):
        raise CallError(message("period={period!r}: expected {every!r} or {year!r}.{nearest}", period=period, every=ALL_OBSERVED,
                                year=LAST_YEAR, nearest=nearest(period, (ALL_OBSERVED, LAST_YEAR))))
    amounts = _amounts(process, period)[0]
    # The same rounding up as for the top shares.
    upto = np.unique(_rounded_up(np.arange(PERCENT + 1), len(amounts))) if len(amounts) else np.array([], dtype=int)
    brought = np.concatenate([[0.0], np.cumsum(amounts)])[upto]
    return process.tidy(pd.DataFrame({
        "clients_count": upto, "clients_share": ratio(upto, len(amounts)), "clients_amount": brought / process.minor_units,
        "clients_amount_share": ratio(brought, amounts.sum())}))


def largest_clients(process: Process, most: int = LARGEST) -> pd.DataFrame:
    """The clients that the company hangs on most, and whether they are still with it.

    One row is a client, the one with the most money in everything observed first. Columns: `customer_id`, `owner` (as in
    `lateness`), `amount` and `amount_share` of the money of all clients (refunds taken off; without those whose refunds are at
    least their purchases), `last_year_amount` and `last_year_share` in the 365 days before `as_of`, `orders_count`, `last_day`,
    `lateness`, `is_late`. Exact, so without limits. Raises `MeasureError` where there are no orders.
    """
    table = collect(_per_client(process).select("customer_id", "amount", "last_year_amount"))
    for name, share in (("amount", "amount_share"), ("last_year_amount", "last_year_share")):
        table[share] = ratio(table[name], table[name].clip(lower=0).sum())
        table[name] = table[name] / process.minor_units
    table = table[table["amount"] > 0].sort_values(["amount", "customer_id"], ascending=[False, True]).head(most)
    table = table.merge(rhythms(process), on="customer_id", how="left", validate="one_to_one")
    return process.tidy(table[["customer_id", "owner", "amount", "amount_share", "last_year_amount", "last_year_share",
                               "orders_count", "last_day", "lateness", "is_late"]])


def _periods(process: Process) -> list[str]:
    """The last year only where it is not all that was observed."""
    before = process.observed_from is not None and process.observed_from < process.needs_as_of() - YEAR
    return [ALL_OBSERVED, LAST_YEAR] if before else [ALL_OBSERVED]


def _per_client(process: Process) -> nw.LazyFrame:
    """One row per named client: `amount` and `last_year_amount` in minor units, `last_year_count` of orders and refunds then."""
    return process.remembered(("per_client",), lambda: kept(_sums_per_client(process)))


def _sums_per_client(process: Process) -> nw.LazyFrame:
    rows = money_rows(process).filter(~nw.col("customer_id").is_null())
    lately = nw.col("ordered_at") >= (process.needs_as_of() - YEAR).to_pydatetime()
    rows = rows.with_columns(last_year_amount=nw.when(lately).then(nw.col("amount")).otherwise(nw.lit(0.0)),
                             last_year_count=flag(lately))
    return rows.group_by("customer_id").agg(nw.col("amount", "last_year_amount", "last_year_count").sum())


def _amounts(process: Process, period: str) -> tuple[np.ndarray, int]:
    """What each client brought in the period, in minor units, the largest first; and the number of those left out."""
    people = _per_client(process)
    if period == LAST_YEAR:
        people = people.filter(nw.col("last_year_count") > 0).with_columns(amount=nw.col("last_year_amount"))
    alike = collect(people.group_by("amount").agg(nw.len().alias("clients"))).sort_values("amount", ascending=False)
    bought = alike[alike["amount"] > 0]
    left_out = alike["clients"].sum() - bought["clients"].sum()
    return np.repeat(bought["amount"].to_numpy(), bought["clients"].astype(int)), int(left_out)


def _concentration(process: Process, period: str) -> dict:
    amounts, refunded = _amounts(process, period)
    count, total = len(amounts), amounts.sum()
    row = {"period": period, "customers_count": count, "refunded_count": refunded, "amount": total / process.minor_units,
           "largest_share": ratio(amounts.max(initial=0.0), total), "few": bool(is_few(count))}
    if not count:
        return row | {f"top_{top}_count": 0 for top in TOPS}
    for top in TOPS:
        upto = int(_rounded_up(top, count))
        names = (f"top_{top}_share", f"top_{top}_low_share", f"top_{top}_high_share")
        row |= {f"top_{top}_count": upto, **dict(zip(names, _limited(*_top_share(amounts, upto)), strict=True))}
    return row | dict(zip(("gini", "gini_low", "gini_high"), _limited(*_gini(amounts)), strict=True))


def _rounded_up(percent: np.ndarray | int, count: int) -> np.ndarray:
    """So many per cent of the clients, in whole ones."""
    return -(-np.asarray(percent) * count // PERCENT)


def _top_share(amounts: np.ndarray, upto: int) -> tuple[float, np.ndarray]:
    """The share of the first clients, and how much each client moves it."""
    part, mean, border = ratio(amounts[:upto].sum(), amounts.sum()), amounts.mean(), amounts[upto - 1]
    above = np.where(np.arange(len(amounts)) < upto, amounts - border, 0.0)
    return part, ratio(above + ratio(upto, len(amounts)) * border - part * amounts, mean)


def _gini(amounts: np.ndarray) -> tuple[float, np.ndarray]:
    """The Gini coefficient (mean difference of two clients / twice the mean), and how much each client moves it."""
    count, mean, rising = len(amounts), amounts.mean(), amounts[::-1]
    below = ratio(np.arange(1, count + 1), count)
    differences = rising * (2 * below - 1) + mean - 2 * ratio(np.cumsum(rising), count)
    gini = float(ratio(differences.mean(), 2 * mean))
    return gini, ratio(differences - gini * (rising + mean), mean)


def _limited(value: float, moved: np.ndarray) -> tuple[float, float, float]:
    """The value with its 95 % limits by linearization; none for a single client, or for clients all alike."""
    count = len(moved)
    error = float(np.sqrt(ratio((moved**2).sum(), count * (count - 1))))
    if not error > 1e-9:
        return value, np.nan, np.nan
    low, high = interval_of_share(np.clip(value, 0, 1), error, count)
    return value, float(low), float(high)
