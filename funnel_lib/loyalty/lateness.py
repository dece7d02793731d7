"""Who is late: customers silent for longer than they usually are, the money at stake, and how many come back after all."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import customers, median_gap_days, money_rows, paid_orders
from funnel_lib.engine import collect, left_join
from funnel_lib.loyalty.rhythm import return_visits, usual_gap_days
from funnel_lib.periods import days_between, elapsed_days
from funnel_lib.rates import clustered_share, ratio

YEAR_DAYS = 365
COLUMNS = ["customer_id", "owner", "last_day", "silence_days", "usual_gap_days", "expected_day", "lateness", "yearly_amount",
           "orders_count", "is_late"]


@dataclass(frozen=True)
class CameBack:
    """Silences beyond the lapse limit with a year observed after it, and how many of them ended within that year."""

    silences_count: int
    came_back_count: int
    came_back_share: float
    came_back_low_share: float
    came_back_high_share: float
    customers_count: int


def lateness(process: Process) -> pd.DataFrame:
    """Every customer by how long they have been silent against their own rhythm, the most money at stake first.

    One row is a customer. Columns: `customer_id`, `owner` of the lead that brought the first order (missing where none is
    named), `last_day` of an order, `silence_days` from the last order to `as_of`, `usual_gap_days` (between the customer's own
    median gap and that of the process), `expected_day` (last order + usual gap: when the next one was to come), `lateness`
    (silence / usual gap; 1 is on time), `yearly_amount` (paid in the 365 days up to the last order, refunds taken off),
    `orders_count`, `is_late` (lateness above `lapse_factor`). Where nobody came twice there is no rhythm, and `lateness` is
    missing. Raises `MeasureError` where there are no orders.
    """
    return process.tidy(rhythms(process)[COLUMNS])


def rhythms(process: Process) -> pd.DataFrame:
    """The rows of `lateness` with `visits_count` (days with an order) and `is_older` (1: known from before the records)."""
    return process.remembered(("rhythms",), lambda: _rhythms(process)).copy()


def _rhythms(process: Process) -> pd.DataFrame:
    as_of = process.needs_as_of()
    orders = paid_orders(process)
    last = orders.group_by("customer_id").agg(nw.col("ordered_at").max().alias("last_at"),
                                                nw.len().alias("orders_count"))
    money = left_join(money_rows(process).select("customer_id", "ordered_at", "amount"), last, "customer_id")
    yearly = money.filter((elapsed_days(nw.col("ordered_at"), nw.col("last_at"), money) < YEAR_DAYS).fill_null(False))
    yearly = yearly.group_by("customer_id").agg(nw.col("amount").sum().alias("yearly_amount"))
    table = collect(left_join(left_join(last, yearly, "customer_id"), _owners(process), "customer_id"))
    table = table.merge(_own_gaps(orders), on="customer_id", how="left").fillna({"own_count": 0})
    table["silence_days"] = days_between(table["last_at"], as_of)
    table["usual_gap_days"] = usual_gap_days(table["own_median"], table["own_count"], median_gap_days(process))
    table["lateness"] = ratio(table["silence_days"], table["usual_gap_days"])
    table["is_late"] = table["lateness"] > process.settings.lapse_factor
    table["yearly_amount"] = table["yearly_amount"] / process.minor_units
    table["last_day"] = table["last_at"].dt.normalize()
    due = table["last_at"] + pd.to_timedelta(table["usual_gap_days"], unit="D")
    table["expected_day"] = due.dt.normalize().astype("datetime64[us]")
    table["visits_count"] = table["own_count"] + 1
    table = table.sort_values(["is_late", "yearly_amount", "customer_id"], ascending=[False, False, True], ignore_index=True)
    return table.astype({"orders_count": int, "visits_count": int})


def came_back_after_silence(process: Process) -> CameBack:
    """Is a late client lost? How many who were silent for longer than their lapse limit ordered again within a year after it.

    A frozen dataclass: `silences_count` that passed the limit (`lapse_factor` × the usual gap as it was known then) at least a
    year before `as_of`, `came_back_count` of them ended by an order within a year of passing it, `came_back_share` with limits
    that take the customer as the unit, `customers_count` behind it. Missing where there is no such silence.
    Raises `MeasureError` where there are no orders. Source: ratio estimator, Cochran 1977.
    """
    now, factor = process.needs_as_of(), process.settings.lapse_factor
    ended, still = return_visits(process), rhythms(process)
    ended = ended[ended["is_reactivated"]]
    still = still[still["is_late"]]
    beyond = ended["gap_days"] - factor * ended["usual_gap_days"]
    ended = pd.DataFrame({"customer_id": ended["customer_id"], "came_back": beyond <= YEAR_DAYS,
                          "seen_days": beyond + days_between(ended["ordered_at"], now)})
    still = pd.DataFrame({"customer_id": still["customer_id"], "came_back": False,
                          "seen_days": still["silence_days"] - factor * still["usual_gap_days"]})
    silences = pd.concat([ended, still]).astype({"came_back": float})
    each = silences[silences["seen_days"] >= YEAR_DAYS].groupby("customer_id")["came_back"].agg(["sum", "size"])
    found = clustered_share(each["sum"], each["size"])
    return CameBack(int(found.whole_count), int(found.part_count), found.share, found.low_share, found.high_share, len(each))


def _owners(process: Process) -> nw.LazyFrame:
    """Per customer the owner of the lead that brought them, and whether they were known from before."""
    people = customers(process).select("customer_id", "lead_id", "is_older")
    if not process.has("leads", "owner"):
        return people.select("customer_id", "is_older", owner=nw.lit(None, dtype=nw.String))
    return left_join(people, process.table("leads").select("lead_id", "owner"), "lead_id").drop("lead_id")


def _own_gaps(orders: nw.LazyFrame) -> pd.DataFrame:
    """Median and number of each repeater's gaps."""
    gaps = orders.filter((nw.col("gap_days") > 0).fill_null(False))
    return collect(gaps.group_by("customer_id").agg(nw.col("gap_days").median().alias("own_median"),
                                                    nw.len().alias("own_count")))
