"""The counts behind the tables of who is kept as idiomatic pandas: groupby, shift, nunique."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

AS_OF = pd.Timestamp("2026-07-01")
DAY, YEAR = pd.Timedelta(days=1), pd.Timedelta(days=365)


def counts(folder: Path) -> None:
    """Read the file and count."""
    rows = duckdb.read_parquet(str(folder / "orders.parquet")).df().sort_values(["customer_id", "ordered_at", "order_id"])
    paid = rows[rows["amount"] > 0].copy()
    paid["gap"] = paid.groupby("customer_id")["ordered_at"].diff() / DAY
    day = paid["ordered_at"].dt.normalize()
    paid["is_visit"] = (day != day.shift()) | (paid["customer_id"] != paid["customer_id"].shift())
    people = paid.drop_duplicates("customer_id").set_index("customer_id")
    month = people["ordered_at"].dt.year * 12 + people["ordered_at"].dt.month
    people = people.assign(cohort=month, first_at=people["ordered_at"])[["cohort", "first_at", "channel"]]
    rows = rows.drop(columns="channel").join(people, on="customer_id")
    rows["age"] = rows["ordered_at"].dt.year * 12 + rows["ordered_at"].dt.month - rows["cohort"]
    dated = rows[rows["amount"] > 0]
    people.groupby("cohort")["first_at"].agg(["size", "min", "max"])
    dated.groupby(["cohort", "age"])["customer_id"].nunique()
    dated.groupby(["customer_id", "cohort"])["age"].max().reset_index().groupby(["cohort", "age"]).size()
    dated.groupby(["cohort", (dated["ordered_at"] - dated["first_at"]) // DAY // 30])["customer_id"].nunique()
    dated.groupby(["channel", dated["cohort"] // 3, (dated["cohort"] + dated["age"]) // 3 - dated["cohort"] // 3])["customer_id"].nunique()
    rows.groupby(["cohort", "age"])["amount"].sum()
    _next_orders(paid)
    _revenue(rows, people)


def _next_orders(paid: pd.DataFrame) -> None:
    visits = paid[paid["is_visit"]]
    number = visits.groupby("customer_id").cumcount()
    few = number.between(1, 4)
    visits[few].groupby([number[few], visits["gap"][few] // 1]).size()
    last = paid.groupby("customer_id").agg(visits=("is_visit", "sum"), last_at=("ordered_at", "max"))
    last[last["visits"] <= 4].groupby(["visits", (AS_OF - last["last_at"]) // DAY]).size()


def _revenue(rows: pd.DataFrame, people: pd.DataFrame) -> None:
    recent = rows[rows["ordered_at"] >= AS_OF - 2 * YEAR]
    is_last = recent["ordered_at"] < AS_OF - YEAR
    years = pd.DataFrame({"customer_id": recent["customer_id"], "last": recent["amount"].where(is_last, 0),
                          "this": recent["amount"].where(~is_last, 0)}).groupby("customer_id").sum()
    old = people[people["first_at"] < AS_OF - 2 * YEAR].join(years).fillna({"last": 0, "this": 0})
    old.assign(kept=old[["last", "this"]].min(axis=1))[["last", "this", "kept"]].sum()
