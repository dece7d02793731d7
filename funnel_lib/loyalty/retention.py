"""Retention: which part of the customers of a month orders again later, and which part of their orders and money comes again."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import customers, money_rows, paid_orders
from funnel_lib.engine import as_list, collect, flag, kept
from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import message
from funnel_lib.loyalty.groups import grouped_customers
from funnel_lib.loyalty.rhythm import lapse_limit_days
from funnel_lib.periods import PERIODS, days_between, elapsed_days, next_period_start
from funnel_lib.rates import error_of_ratio, limits_of_ratio, rate, ratio

ROLLING_DAYS = 30
COLUMNS = ["cohort", "age", "customers_count", "active_count", "retained_share", "retained_low_share",
           "retained_high_share", "complete", "perhaps_older_count"]
# What a cell can count beside customers: its total, and the total per customer of the cohort.
VALUES = {"customers": (), "orders": ("orders_count", "orders_per_customer"),
          "amount": ("amount", "paid_per_customer_amount"), "margin": ("margin_amount", "earned_per_customer_amount")}
# A Monday: whole weeks are counted from it.
FIRST_MONDAY = pd.Timestamp(1969, 12, 29)


def cohort_retention(process: Process, per: str = "month", bounded: bool = True, rolling: bool = False,
                     by: str | list[str] | None = None, value: str = "customers") -> pd.DataFrame:
    """How many customers of each cohort order again, by their age; with `value`, also how much.

    One row is a cohort (customers by the day, week, month, quarter or year of their first order; of a group) × `age` (0 = the
    period of the first order). Columns: the groups of `by` (channel, origin, segment, campaign, owner, group of the lead that
    the customer began with; month, quarter, year of the first order), `cohort` (first day), `age` in periods,
    `customers_count`, `active_count` (who ordered in that period; with `bounded=False` in it or after), `retained_share` with
    Wilson limits, `complete`, `perhaps_older_count` of the cohort. With `rolling=True` ages are 30 days from each customer's
    own first order. With `value` "orders", "amount" or "margin" also the cell's total (`orders_count`, `amount`,
    `margin_amount`; refunds taken off at the age at which they were paid; margin missing where one of the cell is unknown), the
    total per customer of the cohort (`orders_per_customer`, `paid_per_customer_amount`, `earned_per_customer_amount`) and
    `retained_value_share`, the total / that of age 0: it may lie above 1, and is missing where age 0 has nothing.
    A cell is complete only if every customer of the cohort could be observed for the whole of it; unbounded cells only if
    they end at least one lapse limit before `as_of`, since who is silent for less may still come. Customers known from
    before the records belong to no cohort, refunds before the first order to no cell.
    Raises `MeasureError` where there are no orders, `CallError` for a group, period or value that does not exist and for a
    value other than customers with `bounded=False`.

    >>> sales = Process.from_tables("x", as_of="2026-04-01", orders=pd.DataFrame({
    ...     "order_id": ["1", "2", "3"], "customer_id": ["a", "b", "a"], "amount": [10, 20, 30],
    ...     "ordered_at": pd.to_datetime(["2026-01-05", "2026-01-09", "2026-03-02"])}))
    >>> cohort_retention(sales)[["age", "customers_count", "active_count", "complete"]].values.tolist()
    [[0, 2, 2, True], [1, 2, 0, True], [2, 2, 1, True]]
    >>> cohort_retention(sales, value="amount")["retained_value_share"].tolist()
    [1.0, 0.0, 1.0]
    """
    _check_call(per, bounded, value)
    groups = as_list(by)
    people = grouped_customers(process, groups)
    people = people.with_columns(cohort_number=_period_number(nw.col("first_order_at"), per, people))
    cohorts = _cohorts(people, per, groups)
    columns = [*groups, *COLUMNS, *VALUES[value], *(["retained_value_share"] if VALUES[value] else [])]
    if cohorts.empty:
        return process.tidy(pd.DataFrame(columns=columns))
    keys = [*groups, "cohort_number"]
    counted = _counted(process, people, keys, per, bounded, rolling, value)
    table = _cells(cohorts, process.needs_as_of(), per, rolling).merge(counted, on=[*keys, "age"], how="left",
                                                                      validate="one_to_one")
    if not bounded:
        table["active_count"] = _in_or_after(table, keys)
        limit = lapse_limit_days(process)
        end = process.as_of - (pd.Timedelta(days=limit) if limit == limit else pd.Timedelta.max)
        table["complete"] = table["complete"] & (table["cell_end"] <= end)
    table["active_count"] = table["active_count"].fillna(0).astype(int)
    table["retained_share"], table["retained_low_share"], table["retained_high_share"], *_ = rate(
        table["active_count"], table["customers_count"])
    if VALUES[value]:
        table = _with_values(process, table, keys, *VALUES[value])
    return process.tidy(table.sort_values([*groups, "cohort", "age"])[columns])


def average_retention(retention: pd.DataFrame) -> pd.DataFrame:
    """The average curve of a table of `cohort_retention`: numerators and denominators pooled over complete cells.

    One row is an age (of a group, the largest first). Columns: the groups, `age`, `customers_count`, `active_count`,
    `retained_share` with Wilson limits. Of a table with a value also its total, the total per customer, and
    `retained_value_share`: the total / that of the same cohorts at age 0, with limits that take the cohort for what varies
    (missing with a single cohort, or where nobody paid).
    Source of these limits: ratio estimator, Cochran 1977.
    """
    if "age" not in retention:
        return retention  # a measure that could not be made stays the note that says why
    groups = list(retention.columns[:retention.columns.get_loc("cohort")])
    whole = retention[retention["complete"].astype(bool)]
    pooled = whole.groupby([*groups, "age"], as_index=False)[["customers_count", "active_count"]].sum()
    if groups:
        # The largest group first.
        pooled["_size"] = pooled.groupby(groups)["customers_count"].transform("max")
        pooled = pooled.sort_values(["_size", *groups, "age"], ascending=[False, *[True] * len(groups), True], ignore_index=True)
        pooled = pooled.drop(columns="_size")
    shares = rate(pooled["active_count"], pooled["customers_count"])
    pooled = pooled.assign(retained_share=shares.share, retained_low_share=shares.low_share,
                           retained_high_share=shares.high_share)
    if "retained_value_share" in retention:
        pooled = _pooled_values(retention, pooled, groups)
    if groups:
        size = pooled.groupby(groups)["customers_count"].transform("max")
        pooled = pooled.assign(size=-size).sort_values(["size", *groups, "age"], ignore_index=True).drop(columns="size")
    pooled.attrs.update(retention.attrs)
    return pooled


def customer_orders(process: Process) -> nw.LazyFrame:
    """`paid_orders` with `first_order_at` and `is_older` of their customer; most of loyalty begins with it."""
    def make() -> nw.LazyFrame:
        orders = paid_orders(process).select("customer_id", "ordered_at", "amount", "margin", "gap_days")
        return kept(_with_first_order(process, orders))

    return process.remembered(("customer_orders",), make)


def customer_refunds(process: Process) -> nw.LazyFrame:
    """Refunds to customers, with the same columns of their customer."""
    def make() -> nw.LazyFrame:
        refunds = money_rows(process).filter(nw.col("amount") < 0).select("customer_id", "ordered_at", "amount", "margin")
        return kept(_with_first_order(process, refunds))

    return process.remembered(("customer_refunds",), make)


def _with_first_order(process: Process, rows: nw.LazyFrame) -> nw.LazyFrame:
    people = customers(process).select("customer_id", "first_order_at", "is_older")
    return rows.join(people, on="customer_id", how="inner")


def _check_call(per: str, bounded: bool, value: str) -> None:
    for name, word, known in (("per", per, PERIODS), ("value", value, VALUES)):
        if word not in known:
            raise CallError(message("{name}={word!r}: expected one of {known}.{nearest}", name=name, word=word,
                                    known=", ".join(known), nearest=nearest(str(word), known)))
    if not bounded and VALUES[value]:
        raise CallError(message("value={value!r} is counted in the period of an age only: leave bounded=True", value=value))


def _period_number(time: nw.Expr, per: str, frame: nw.LazyFrame) -> nw.Expr:
    """A number that grows by one with each period, from the calendar's parts, so that it is the same on every engine."""
    year, month = time.dt.year().cast(nw.Float64), time.dt.month().cast(nw.Float64)
    days = elapsed_days(FIRST_MONDAY, time, frame).floor()
    return {"day": days, "week": (days / 7).floor(), "month": year * 12 + month - 1,
            "quarter": ((year * 12 + month - 1) / 3).floor(), "year": year}[per]


def _cohorts(people: nw.LazyFrame, per: str, groups: list[str]) -> pd.DataFrame:
    """Per cohort (of a group) its size, and when its first and its last customer began."""
    grouped = people.with_columns(last_at=nw.col("first_order_at")).group_by(*groups, "cohort_number").agg(
        nw.len().alias("customers_count"), nw.col("first_order_at").min(), nw.col("last_at").max(),
        nw.col("is_perhaps_older").sum().alias("perhaps_older_count"))
    table = collect(grouped).sort_values([*groups, "cohort_number"], ignore_index=True)
    table["cohort"] = table["first_order_at"].dt.to_period(PERIODS[per]).dt.start_time
    return table.astype({"customers_count": int, "perhaps_older_count": int})


def _cells(cohorts: pd.DataFrame, as_of: pd.Timestamp, per: str, rolling: bool) -> pd.DataFrame:
    """Every cohort × age that began before `as_of`, where it ends, and whether all of the cohort was seen through it."""
    last = (as_of - pd.Timedelta(microseconds=1)).to_period(PERIODS[per])
    if rolling:
        lengths = np.ceil(days_between(cohorts["first_order_at"], as_of) / ROLLING_DAYS).astype(int)
    else:
        lengths = cohorts["cohort"].map(lambda start: (last - start.to_period(PERIODS[per])).n + 1)
    cells = cohorts.loc[cohorts.index.repeat(lengths)]
    cells = cells.assign(age=cells.groupby(level=0).cumcount())
    cohort_end = cells["cohort"].map({start: next_period_start(start, per) for start in cohorts["cohort"]})
    if rolling:
        ends = cells["last_at"] + pd.to_timedelta((cells["age"] + 1) * ROLLING_DAYS, unit="D")
    else:
        periods = cells["cohort"].dt.to_period(PERIODS[per])
        ends = (periods + cells["age"] + 1).dt.start_time
    return cells.assign(cell_end=ends, complete=(ends <= as_of) & (cohort_end <= as_of))


def _counted(process: Process, people: nw.LazyFrame, keys: list[str], per: str, bounded: bool, rolling: bool,
             value: str) -> pd.DataFrame:
    """Customers per cohort and age of an order, each once (unbounded: per age of their last order), and the value's totals."""
    rows = customer_orders(process).drop("gap_days")
    if value in ("amount", "margin"):
        rows = nw.concat([rows, customer_refunds(process).filter(nw.col("ordered_at") >= nw.col("first_order_at"))])
    rows = rows.filter(nw.col("is_older") == 0)
    if len(keys) > 1:
        rows = rows.join(people.select("customer_id", *keys[:-1]), on="customer_id", how="inner")
    rows = rows.with_columns(cohort_number=_period_number(nw.col("first_order_at"), per, rows))
    if rolling:
        age = (elapsed_days(nw.col("first_order_at"), nw.col("ordered_at"), rows) / ROLLING_DAYS).floor()
    else:
        age = _period_number(nw.col("ordered_at"), per, rows) - nw.col("cohort_number")
    rows = rows.with_columns(age=age)
    # Customers first: the few cells are then summed, which is quicker than counting distinct customers in each.
    if bounded:
        own, names = _per_customer(rows, keys, value)
    else:
        own, names = rows.group_by("customer_id", *keys).agg(nw.col("age").max()), []
        own = own.with_columns(active_count=nw.lit(1))
    return collect(own.group_by(*keys, "age").agg(*[nw.col(name).sum() for name in ("active_count", *names)]))


def _per_customer(rows: nw.LazyFrame, keys: list[str], value: str) -> tuple[nw.LazyFrame, list[str]]:
    """Per customer and age whether there was an order, and the totals of these names."""
    names = {"amount": ["amount"], "margin": ["margin_amount", "unknown_count"]}.get(value, [])
    rows = rows.with_columns(orders_count=flag(nw.col("amount") > 0), margin_amount=nw.col("margin"),
                             unknown_count=flag(nw.col("margin").is_null()))
    names = ["orders_count", *names]
    own = rows.group_by("customer_id", *keys, "age").agg(*[nw.col(name).sum() for name in names])
    return own.with_columns(active_count=flag(nw.col("orders_count") > 0)), names


def _in_or_after(table: pd.DataFrame, keys: list[str]) -> pd.Series:
    """From customers per age of their last order to customers active in that period or after."""
    backwards = table.sort_values("age", ascending=False).fillna({"active_count": 0})
    return backwards.groupby(keys)["active_count"].cumsum()


def _with_values(process: Process, table: pd.DataFrame, keys: list[str], total: str, per_customer: str) -> pd.DataFrame:
    """The cell's total in major units, per customer of the cohort, and as a part of the cohort's total at age 0."""
    table[total] = table[total].fillna(0)
    if total != "orders_count":
        table[total] = table[total] / process.minor_units
    if total == "margin_amount":
        table[total] = table[total].where(table["unknown_count"].fillna(0) == 0)
    start = _total_at_start(table, keys, total)
    return table.assign(**{per_customer: ratio(table[total], table["customers_count"]),
                           "retained_value_share": ratio(table[total], start)})


def _total_at_start(table: pd.DataFrame, keys: list[str], total: str) -> pd.Series:
    """For each cell the total of its cohort at age 0; missing where refunds left nothing of it."""
    start = table.loc[(table["age"] == 0) & (table[total] > 0), [*keys, total]].rename(columns={total: "start"})
    return table[keys].merge(start, on=keys, how="left", validate="many_to_one")["start"].set_axis(table.index)


def _pooled_values(retention: pd.DataFrame, pooled: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    """The pooled curve with the value's totals; one of which a part is unknown is unknown."""
    keys = [*groups, "age"]
    total, per_customer = next(names for names in VALUES.values() if names and names[0] in retention)
    cells = retention.assign(part=retention[total], whole=_total_at_start(retention, [*groups, "cohort"], total), cohorts=1.0)
    cells = cells[cells["complete"].astype(bool)]
    totals = cells.groupby(keys)[total].agg(lambda values: values.sum(skipna=False)).reset_index()
    known = cells[cells["retained_value_share"].notna()].astype({"part": float})
    sums = known.groupby(keys)[["part", "whole", "cohorts"]].sum()
    share = pd.Series(ratio(sums["part"], sums["whole"]), sums.index, name="retained_value_share")
    residual = known["part"] - known["whole"] * known[keys].merge(share, on=keys, how="left")["retained_value_share"].to_numpy()
    sums["squares"] = (residual**2).groupby([known[key] for key in keys]).sum()
    low, high = limits_of_ratio(share, error_of_ratio(sums["squares"], sums["whole"], sums["cohorts"]), sums["cohorts"])
    shares = sums.assign(retained_value_share=share, retained_value_low_share=low, retained_value_high_share=high)
    pooled = pooled.merge(totals, on=keys, how="left").merge(shares.iloc[:, -3:].reset_index(), on=keys, how="left")
    pooled.insert(pooled.columns.get_loc(total) + 1, per_customer, ratio(pooled[total], pooled["customers_count"]))
    return pooled
