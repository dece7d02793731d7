"""Where the margin is earned: with the first order of a client, or with those after it."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import customers, money_rows
from funnel_lib.engine import collect, flag, kept, left_join
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.loyalty.costs import costs_if_known
from funnel_lib.rates import clustered_ratio, is_few

# Orders are told apart up to the fourth.
LAST_NUMBER = 5
NUMBERS = {1: "1", 2: "2", 3: "3", 4: "4", LAST_NUMBER: "5_and_later", 0: "number_unknown"}
LOSS, EARNS, CANNOT_TELL = "loss", "earns", "cannot_tell"
YES, NO, ABOUT_HALF = "claim_holds", "claim_fails", "claim_about_half"
HALF, NEAR_HALF = 0.5, (0.4, 0.6)
SUMS = ["orders_count", "amount", "margin"]
COLUMNS = ["order_number", "orders_count", "customers_count", "amount", "margin_amount", "margin_share", "margin_low_share",
           "margin_high_share", "margin_per_order_amount", "margin_per_order_low_amount", "margin_per_order_high_amount",
           "cost_per_order_amount", "net_per_order_amount", "net_per_order_low_amount", "net_per_order_high_amount", "few",
           "verdict"]


@dataclass(frozen=True)
class MarginAfterFirst:
    """Which part of the margin is earned after a client's first order, of all named clients and of the new ones alone."""

    verdict: str
    after_first_share: float
    after_first_low_share: float
    after_first_high_share: float
    after_first_margin_amount: float
    margin_amount: float
    customers_count: int
    new_after_first_share: float
    new_after_first_low_share: float
    new_after_first_high_share: float
    new_after_first_margin_amount: float
    new_margin_amount: float
    new_customers_count: int


def margin_by_order(process: Process) -> pd.DataFrame:
    """What the first, second, third … order of a client earns, and what remains of it after its cost.

    One row is the number of the order in its client's life (1, 2, 3, 4, 5_and_later), of new clients; number_unknown holds what
    is left of the process's margin: orders of clients known, or perhaps known, from before the records, and of no named one
    (each for itself). Columns: `orders_count`, `customers_count`; `amount` and `margin_amount`, refunds taken off the order they
    follow; `margin_share` of the whole margin with limits (missing where that is no gain; below 0 where the orders are sold
    at a loss); `margin_per_order_amount` with limits; `cost_per_order_amount`: CAC for order 1, account management per repeat
    order for the others (`customer_costs`; missing where not known); `net_per_order_amount` = margin − cost, with limits that
    take the cost as known; `few` (under 30 customers); `verdict`: loss or earns where the limits of the net are on one side of
    0 (without a known cost: loss where those of the margin are below), else cannot_tell; of clients all alike, who have no limits,
    the net itself decides.
    Limits: ratio estimator with the customer as cluster, so of orders 1 to 4 the usual limits of a mean over customers.
    Raises `MeasureError` where there are no orders or an order's margin is not known. Source: Cochran 1977, section 6.3.
    """
    needs_margins(process)
    sums, whole = _sums_by_number(process)
    table = sums.reindex([number for number in NUMBERS if number or number in sums.index]).fillna(0.0)
    per_order = clustered_ratio(table["people"], table["part"], table["orders_count"], table["part_square"],
                                table["part_orders"], table["orders_square"])
    total = whole["whole"] if whole["whole"] > 0 else np.nan
    of_all = clustered_ratio(whole["people"], table["part"], total, table["part_square"], table["part_whole"],
                             whole["whole_square"])
    table = table.assign(**_named("margin", "share", of_all), **_named("margin_per_order", "amount", per_order),
                         order_number=table.index.map(NUMBERS), amount=table["amount"] / process.minor_units,
                         margin_amount=table["margin"] / process.minor_units, few=is_few(table["customers_count"]))
    table["cost_per_order_amount"] = _costs(process, table.index)
    for side in ("", "_low", "_high"):
        table[f"net_per_order{side}_amount"] = table[f"margin_per_order{side}_amount"] - table["cost_per_order_amount"]
    table["verdict"] = _verdicts(table)
    return process.tidy(table.astype({"orders_count": int, "customers_count": int})[COLUMNS])


def margin_after_first(process: Process) -> MarginAfterFirst:
    """Is most of the margin earned after a client's first order, as is said of many businesses?

    A frozen dataclass: `after_first_share` = `after_first_margin_amount` / `margin_amount` of all named clients
    (`customers_count`) with limits, refunds taken off the order they follow; orders of clients known from before the records
    all came after their first one. This is the share of what the process earned in the time observed. `new_after_first_share`
    and its parts are of clients certainly won since the records began: they could not yet earn all that they will, so it is a
    lower bound. `verdict` on the former: claim_holds (limits above a half; of 30 clients or more who are all alike, and so have no
    limits, the share itself), claim_fails (below), claim_about_half (both between 40 and 60 %), else cannot_tell. Above 100 %
    first orders are sold at a loss. Missing where the whole margin is no gain. Limits: ratio estimator, the customer as cluster.
    Raises `MeasureError` without orders or margins. Source: Cochran 1977, section 6.3.
    """
    needs_margins(process)
    people = _cells(process).filter(nw.col("is_named") == 1)
    later = nw.when(nw.col("number") == 1).then(nw.lit(0.0)).otherwise(nw.col("margin"))
    people = people.with_columns(later=later).group_by("person", "is_new").agg(nw.col("later", "margin").sum())
    people = people.with_columns(part=nw.col("later") / process.minor_units, whole=nw.col("margin") / process.minor_units)
    sums = _with_products(people).group_by("is_new").agg(
        nw.len().alias("people"), nw.col("later", "margin", "part_square", "part_whole", "whole_square").sum())
    sums = collect(sums).set_index("is_new").reindex([0, 1]).fillna(0.0)
    sums = sums.assign(part=sums["later"] / process.minor_units, whole=sums["margin"] / process.minor_units)
    (share, everyone), (new_share, new) = (_after_first(row) for row in (sums.sum(), sums.loc[1]))
    return MarginAfterFirst(_by_half(share, everyone[-1]), *share, *everyone, *new_share, *new)


def needs_margins(process: Process) -> None:
    """Raises `MeasureError` where there are no orders, or an order has no margin and no `margin_share` stands in for it."""
    rows = money_rows(process).select(rows_count=nw.len(), unknown=flag(nw.col("margin").is_null()).sum())
    count = process.remembered(("unknown_margins",), lambda: collect(rows)).iloc[0].fillna(0)
    if count.unknown > 0:
        raise MeasureError(message("{process}: needs the margin of every order ({count:.0f} of {total:.0f} have none), or "
                                   "margin_share in the description, to tell where the margin is earned", process=process.name,
                                   count=count.unknown, total=count.rows_count))


def _cells(process: Process) -> nw.LazyFrame:
    """One row per person × number of the order: `orders_count`, `amount` and `margin` in minor units.

    `number` is 1 to 5 (or later), 0 where the client was known from before; a refund has that of the order it follows.
    `is_new` marks clients that are certainly new, `is_named` those that are named; without a name each order is one person.
    """
    return process.remembered(("orders_by_number",), lambda: kept(_numbered(process)))


def _numbered(process: Process) -> nw.LazyFrame:
    rows = money_rows(process).with_columns(orders_count=flag(nw.col("amount") > 0).cast(nw.Float64))
    rows = rows.with_columns(_turn=nw.col("orders_count").cum_sum().over("customer_id", order_by=["ordered_at", "order_id"]))
    rows = left_join(rows, customers(process).select("customer_id", "is_older", "is_perhaps_older"), "customer_id")
    turn = nw.when(nw.col("_turn") > LAST_NUMBER).then(nw.lit(float(LAST_NUMBER))).otherwise(nw.col("_turn"))
    turn = nw.when(nw.col("_turn") < 1).then(nw.lit(1.0)).otherwise(turn)
    is_ours = (nw.col("is_older") == 0).fill_null(False)
    nameless = nw.col("customer_id").is_null()
    person = nw.when(nameless).then(nw.concat_str(nw.lit("order "), nw.col("order_id"))).otherwise(
        nw.concat_str(nw.lit("customer "), nw.col("customer_id")))
    rows = rows.with_columns(person=person, is_named=flag(~nameless), number=nw.when(is_ours).then(turn).otherwise(nw.lit(0.0)),
                             is_new=flag(is_ours & (nw.col("is_perhaps_older") == 0)))
    return rows.group_by("person", "is_named", "is_new", "number").agg(nw.col(*SUMS).sum())


def _sums_by_number(process: Process) -> tuple[pd.DataFrame, pd.Series]:
    """Sums, squares and products per number of the order, and those of each person's whole margin."""
    cells = _cells(process)
    certain = nw.when(nw.col("is_new") == 1).then(nw.col("number")).otherwise(nw.lit(0.0))
    people = cells.group_by("person").agg(minor=nw.col("margin").sum()).with_columns(whole=nw.col("minor") / process.minor_units)
    rows = cells.with_columns(number=certain).group_by("person", "number").agg(nw.col(*SUMS).sum())
    rows = rows.with_columns(part=nw.col("margin") / process.minor_units).join(people, on="person", how="inner")
    rows = _with_products(rows).with_columns(
        part_orders=nw.col("part") * nw.col("orders_count"), orders_square=nw.col("orders_count") * nw.col("orders_count"),
        customers_count=flag(nw.col("orders_count") > 0))
    names = [*SUMS, "customers_count", "part_square", "part_whole", "part_orders", "orders_square"]
    sums = collect(rows.group_by("number").agg(nw.len().alias("people"), nw.col(*names).sum())).set_index("number")
    whole = people.with_columns(whole_square=nw.col("whole") * nw.col("whole")).select(
        nw.len().alias("people"), nw.col("minor", "whole_square").sum())
    whole = collect(whole).fillna(0.0)
    # Whole minor units add up exactly in any order; fractions of major ones would not.
    return sums.assign(part=sums["margin"] / process.minor_units), whole.assign(whole=whole["minor"] / process.minor_units).iloc[0]


def _with_products(frame: nw.LazyFrame) -> nw.LazyFrame:
    part, whole = nw.col("part"), nw.col("whole")
    return frame.with_columns(part_square=part * part, part_whole=part * whole, whole_square=whole * whole)


def _named(name: str, unit: str, found: tuple) -> dict:
    return dict(zip((f"{name}_{unit}", f"{name}_low_{unit}", f"{name}_high_{unit}"), found, strict=True))


def _costs(process: Process, numbers: pd.Index) -> np.ndarray:
    costs = costs_if_known(process)
    if costs is None:
        return np.full(len(numbers), np.nan)
    return np.select([numbers == 1, numbers > 1], [costs.cac_amount, costs.cost_per_repeat_order_amount], np.nan)


def _verdicts(table: pd.DataFrame) -> np.ndarray:
    # A loss before any cost is one after it.
    low, high = (table[f"net_per_order_{side}_amount"].fillna(table["net_per_order_amount"]) for side in ("low", "high"))
    high = high.fillna(table["margin_per_order_high_amount"]).fillna(table["margin_per_order_amount"])
    known = ~table["few"] & (table.index > 0)
    return np.select([known & (high < 0), known & (low > 0)], [LOSS, EARNS], CANNOT_TELL)


def _after_first(sums: pd.Series) -> tuple:
    whole = sums["whole"] if sums["whole"] > 0 else np.nan
    share = clustered_ratio(sums["people"], sums["part"], whole, sums["part_square"], sums["part_whole"], sums["whole_square"])
    return share, (float(sums["part"]), float(sums["whole"]), int(sums["people"]))


def _by_half(share: tuple, people: int) -> str:
    value, low, high = share
    if np.isnan(low) and not is_few(people):
        low = high = value  # clients all alike
    if low > HALF:
        return YES
    if high < HALF:
        return NO
    return ABOUT_HALF if low >= NEAR_HALF[0] and high <= NEAR_HALF[1] else CANNOT_TELL
