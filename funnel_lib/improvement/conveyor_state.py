"""What the conveyor is estimated from: how long leads and customers stood at each stop, and who stood there at a moment."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import customers, money_rows, paid_orders
from funnel_lib.engine import collect, flag, kept, left_join
from funnel_lib.journeys import LOST, lead_states
from funnel_lib.last_year import WEEK_DAYS, WEEKS
from funnel_lib.periods import elapsed_days, period_starts
from funnel_lib.survival import Curve, aalen_johansen, grouped

# Orders are told apart up to this number; the last one stands for all later ones.
ORDER_NUMBERS = 5
MIN_AT_RISK = 10


@dataclass(frozen=True)
class Stays:
    """How long those stood at one stop: the curve of moving on with leaving as the competing event, by whole days; and who stood
    there at the start, by the days since they came (`start_days`, `start_counts`). `timed_share` of the moves have a known time."""

    curve: Curve
    start_days: np.ndarray
    start_counts: np.ndarray
    timed_share: float

    @property
    def horizon(self) -> int:
        """The last day on which enough are followed."""
        enough = np.flatnonzero(self.curve.at_risk_count >= MIN_AT_RISK)
        return int(enough[-1]) if len(enough) else self.curve.last_day


def step_stays(process: Process, start: pd.Timestamp) -> list[Stays]:
    """One entry per mandatory step: from reaching the step before (or from creation) to reaching this one, as `step_rates` means
    it; leads created before `observed_from` are in the state at the start only."""
    def counted() -> list[Stays]:
        leads = _reached(process)
        return [_stays_of(process, leads, f"_r{place}", f"_r{place + 1}", start) for place in range(len(_mandatory(process)))]

    return process.remembered(("conveyor steps", start), counted)


def _mandatory(process: Process) -> list[int]:
    return [number for number, step in enumerate(process.steps) if not step.optional]


def _reached(process: Process) -> nw.LazyFrame:
    return process.remembered(("conveyor reached",), lambda: _reached_steps(process, _mandatory(process)))


def _reached_steps(process: Process, steps: list[int]) -> nw.LazyFrame:
    """Leads with `_r0` (creation), `_r1` … (the first entry into this mandatory step or any later one, no earlier than `_r0`)."""
    frame = lead_states(process).with_columns(_later=nw.lit(None, dtype=nw.Datetime("us")))
    for number in reversed(range(len(process.steps))):
        first, later = nw.col(f"first_{number}_at"), nw.col("_later")
        earlier = nw.when(first.is_null() | (later < first).fill_null(False)).then(later).otherwise(first)
        frame = frame.with_columns(_later=earlier)
        if number in steps:
            soon = (nw.col("_later") < nw.col("created_at")).fill_null(False)
            frame = frame.with_columns(**{f"_r{steps.index(number) + 1}": nw.when(soon).then(nw.col("created_at")).otherwise(
                nw.col("_later"))})
    untimed = {f"_u{place + 1}": flag(sum((nw.col(f"untimed_{later}") for later in range(number, len(process.steps))),
                                         nw.lit(0)) > 0) for place, number in enumerate(steps)}
    names = [f"_r{place}" for place in range(len(steps) + 1)]
    frame = frame.with_columns(_r0=nw.col("created_at"), **untimed)
    return kept(frame.select("created_at", "state", "lost_at", *names, *untimed))


def _stays_of(process: Process, leads: nw.LazyFrame, since: str, until: str, start: pd.Timestamp) -> Stays:
    came = leads.filter(~nw.col(since).is_null())
    moved, is_lost = ~nw.col(until).is_null(), nw.col("state") == LOST
    end = process.needs_as_of()
    came = came.with_columns(_end=nw.when(moved).then(nw.col(until)).otherwise(nw.when(is_lost).then(nw.col("lost_at"))))
    untimed = nw.col("_u" + until[2:]) == 1
    came = came.with_columns(_out=nw.when(moved).then(nw.lit(2)).otherwise(nw.when(is_lost & ~nw.col("lost_at").is_null()).then(
        nw.lit(1)).otherwise(nw.when(untimed | is_lost).then(nw.lit(3)).otherwise(nw.lit(0)))))
    observed = came.filter(nw.col("created_at") >= process.observed_from.to_pydatetime())
    day = nw.when(nw.col("_out") == 0).then(_whole(elapsed_days(nw.col(since), end, observed))).otherwise(
        elapsed_days(nw.col(since), nw.col("_end"), observed))
    counts = collect(_by_day(observed, day).group_by("_out", "day").agg(nw.len().alias("n"))).sort_values(["_out", "day"])
    known = counts[counts["_out"] != 3]
    timed, rest = known.loc[known["_out"] == 2, "n"].sum(), counts.loc[counts["_out"] == 3, "n"].sum()
    then = start.to_pydatetime()
    here = came.filter((nw.col(since) < then) & ((nw.col("_out") == 0) | (nw.col("_end") >= then).fill_null(False)))
    ages = collect(_by_day(here, _whole(elapsed_days(nw.col(since), start, here))).group_by("day").agg(nw.len().alias("n")))
    return Stays(_curve(known.rename(columns={"_out": "out"})), *_sorted(ages), 1.0 if rest == 0 else float(timed >= rest))


def _by_day(frame: nw.LazyFrame, days: nw.Expr) -> nw.LazyFrame:
    """`day`: elapsed days to the nearest whole one, none below 0; nearest, so that lags one after another do not grow."""
    frame = frame.with_columns(day=(days + 0.5).floor())
    return frame.with_columns(day=nw.when(nw.col("day") < 0).then(nw.lit(0.0)).otherwise(nw.col("day")))


def _whole(days: nw.Expr) -> nw.Expr:
    """The age of those who still stand here, in days that are over: rounded up it would count a day that nobody has followed."""
    return days.floor()


def _curve(counts: pd.DataFrame) -> Curve:
    length = int(counts["day"].max()) + 1 if len(counts) else 1
    parts = [grouped(part["day"], part["n"], length) for part in (counts[counts["out"] == out] for out in (2, 1, 0))]
    return aalen_johansen(*parts)


def _sorted(ages: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    ages = ages.sort_values("day")
    return ages["day"].to_numpy(dtype=float), ages["n"].to_numpy(dtype=float)


# -- orders ------------------------------------------------------------------------------------------------------------------


def visits(process: Process) -> nw.LazyFrame:
    """One row per customer × day with an order: `customer_id`, `number` (1 to `ORDER_NUMBERS`, of customers from before the records
    always the last), `at`, `next_at`, `margin`, `amount` (minor units), `is_older`."""
    return process.remembered(("conveyor visits",), lambda: kept(_visits(process)))


def _visits(process: Process) -> nw.LazyFrame:
    older = customers(process).select("customer_id", "is_older", "is_perhaps_older")
    orders = left_join(paid_orders(process), older, "customer_id")
    is_visit = nw.col("gap_days").is_null() | (nw.col("gap_days") > 0).fill_null(False)
    orders = orders.with_columns(_visit=flag(is_visit), margin=nw.col("margin").fill_null(0.0),
                                 _known=flag(~nw.col("margin").is_null()))
    orders = orders.with_columns(_number=nw.col("_visit").cum_sum().over("customer_id", order_by=["ordered_at", "order_id"]))
    every = orders.group_by("customer_id", "_number").agg(
        nw.col("ordered_at").min().alias("at"), nw.col("margin", "amount").sum(), nw.col("is_older", "is_perhaps_older").max(),
        nw.col("_known").min())
    following = nw.col("at").shift(-1).over("customer_id", order_by="_number")
    is_older = (nw.col("is_older") == 1) | (nw.col("is_perhaps_older") == 1)
    many = is_older | (nw.col("_number") > ORDER_NUMBERS)
    return every.with_columns(next_at=following, is_first=flag(nw.col("_number") == 1), is_older=flag(is_older),
                              number=nw.when(many).then(nw.lit(ORDER_NUMBERS)).otherwise(nw.col("_number").cast(nw.Int32)))


def order_stays(process: Process, start: pd.Timestamp) -> list[Stays]:
    """One entry per number of an order: from it to the customer's next one."""
    return process.remembered(("conveyor orders", start), lambda: _order_stays(process, start))


def _order_stays(process: Process, start: pd.Timestamp) -> list[Stays]:
    every, end, then = visits(process), process.needs_as_of(), start.to_pydatetime()
    came = ~nw.col("next_at").is_null()
    day = nw.when(came).then(elapsed_days(nw.col("at"), nw.col("next_at"), every)).otherwise(
        _whole(elapsed_days(nw.col("at"), end, every)))
    counted = _by_day(every.with_columns(out=flag(came) * 2), day)
    counts = collect(counted.group_by("number", "out", "day").agg(nw.len().alias("n"))).sort_values(["number", "out", "day"])
    here = every.filter((nw.col("at") < then) & ~(nw.col("next_at") < then).fill_null(False))
    aged = _by_day(here, _whole(elapsed_days(nw.col("at"), start, here)))
    ages = collect(aged.group_by("number", "day").agg(nw.len().alias("n")))
    return [Stays(_curve(counts[counts["number"] == number]), *_sorted(ages[ages["number"] == number]), 1.0)
            for number in range(1, ORDER_NUMBERS + 1)]


def order_money(process: Process) -> pd.DataFrame:
    """Per number of an order: `n`, sums of `margin`, its `square` and `amount` in major units, and how many margins are `known`."""
    return process.remembered(("conveyor money",), lambda: _order_money(process))


def _order_money(process: Process) -> pd.DataFrame:
    every = visits(process).with_columns(square=nw.col("margin") * nw.col("margin"))
    sums = collect(every.group_by("number").agg(nw.len().alias("n"), nw.col("margin", "square", "amount").sum(),
                                                nw.col("_known").sum().alias("known")))
    table = sums.set_index("number").reindex(range(1, ORDER_NUMBERS + 1), fill_value=0.0).astype(float)
    table[["margin", "square", "amount"]] /= process.minor_units
    return table.assign(square=table["square"] / process.minor_units)


def weekly(process: Process, table: nw.LazyFrame, time: str, weeks: pd.DatetimeIndex, amount: str | None = None) -> np.ndarray:
    """Rows of a table (or the sum of a column) in each of these weeks."""
    end = weeks[-1] + pd.Timedelta(days=WEEK_DAYS)
    rows = table.filter((nw.col(time) >= weeks[0].to_pydatetime()) & (nw.col(time) < end.to_pydatetime()))
    rows = rows.with_columns(_day=nw.col(time).dt.truncate("1d"))
    summed = nw.len().alias("n") if amount is None else nw.col(amount).sum().alias("n")
    days = collect(rows.group_by("_day").agg(summed))
    return days.groupby(period_starts(days["_day"], "week"))["n"].sum().reindex(weeks, fill_value=0.0).to_numpy(dtype=float)


def orders_before(process: Process, start: pd.Timestamp) -> np.ndarray:
    """Orders of each of the 52 weeks before the start, which still bring recommendations; of weeks not observed their mean."""
    weeks = pd.date_range(end=start - pd.Timedelta(days=WEEK_DAYS), periods=WEEKS, freq="7D")
    counts = weekly(process, visits(process), "at", weeks)
    seen = weeks >= process.observed_from
    return np.where(seen, counts, counts[seen].mean() if seen.any() else 0.0)


def money_per_week(process: Process, weeks: pd.DatetimeIndex) -> np.ndarray:
    """Margin of each week in major units, refunds taken off."""
    return weekly(process, money_rows(process), "ordered_at", weeks, "margin") / process.minor_units


def reached_between(process: Process, weeks: pd.DatetimeIndex) -> list[float]:
    """How many leads came in these weeks to each stop: created, reached the first mandatory step, …, the last but one."""
    leads, first = _reached(process), weeks[0].to_pydatetime()
    end = (weeks[-1] + pd.Timedelta(days=WEEK_DAYS)).to_pydatetime()
    names = [f"_r{place}" for place in range(len(_mandatory(process)))]
    inside = {name: flag(((nw.col(name) >= first) & (nw.col(name) < end)).fill_null(False)) for name in names}
    sums = collect(leads.with_columns(**inside).select(*[nw.col(name).sum() for name in names]))
    return [float(sums[name].iloc[0]) for name in names]
