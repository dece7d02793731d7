"""The mean by age: three customers by hand, a second way customer by customer, the bootstrap, and how often the limits hold."""

from __future__ import annotations

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pytest

from funnel_lib import Process, loyalty
from funnel_lib.customers import money_rows, new_customers
from funnel_lib.engine import collect
from funnel_lib.loyalty.mean_curve import mean_curve, month_of_age, months_seen
from funnel_lib.rates import Z_95
from tests.engines import duckdb_tables
from tests.loyalty.bad_input import MANY, SETTINGS, orders
from tests.loyalty.plain_curve import plain_curve


def curves(seen: list[int], values: pd.DataFrame, most: int) -> list[pd.DataFrame]:
    """The curve of customers 0, 1, … followed for `seen` months on pandas and on DuckDB."""
    people = pd.DataFrame({"customer_id": np.arange(len(seen)), "seen": np.asarray(seen, dtype=float)})
    rows = values.merge(people, on="customer_id").astype({"age": float, "value": float})
    engine = duckdb.connect()
    frames = [(people, rows), tuple(engine.sql("FROM frame") for frame in (people, rows))]
    return [mean_curve(*(nw.from_native(frame).lazy() for frame in pair), most) for pair in frames]


def of(curve: pd.DataFrame) -> np.ndarray:
    """The standard error behind the limits."""
    return ((curve["high"] - curve["mean"]) / Z_95).to_numpy()


def test_three_customers_by_hand():
    """Followed for 2, 1 and 0 months: 10 + 4 + 6, 20 + 0, 60. Month means 90 / 3, 4 / 2, 6.

    Month 0: −20, −10 and 30 off, over 3: 1400 / 9 × 3 / 2. Month 1: −20/3 + 2/2, −10/3 − 2/2, 30/3: 1358 / 9 × 2.
    """
    values = pd.DataFrame([(0, 0, 10), (0, 1, 4), (0, 2, 6), (1, 0, 15), (1, 0, 5), (2, 0, 60), (1, 2, 999)],
                          columns=["customer_id", "age", "value"])
    for curve in curves([2, 1, 0], values, 5):
        assert curve["customers_count"].tolist() == [3, 2, 1] and curve["mean"].tolist() == [30, 32, 38]
        assert of(curve)[:2] == pytest.approx(np.sqrt([1400 / 9 * 3 / 2, 1358 / 9 * 2])) and np.isnan(of(curve)[2])


def test_a_second_way_customer_by_customer():
    """12 random companies, a half with months in which nobody brings anything: sums over customers, no algebra."""
    rng = np.random.default_rng(5)
    for turn in range(12):
        seen = rng.integers(0, 7, rng.integers(2, 12)).tolist()
        values = pd.DataFrame({"customer_id": rng.integers(0, len(seen), 25), "age": rng.integers(0, 7, 25) // (1 + turn % 2),
                               "value": rng.normal(50, 80, 25).round()})
        size, mean, error = plain_curve(dict(enumerate(seen)), values, 4)
        for curve in curves(seen, values, 4):
            assert curve["customers_count"].tolist() == size.tolist() and curve["mean"].tolist() == pytest.approx(mean.tolist())
            assert of(curve) == pytest.approx(error, nan_ok=True, rel=1e-6)


def test_customers_all_alike_have_no_limits():
    """Whether all were followed for as long or not: they do not show how much others would differ."""
    values = pd.DataFrame([(n, age, 10 / 3) for n in range(40) for age in (0, 2)], columns=["customer_id", "age", "value"])
    for curve in [*curves([3] * 40, values, 3), *curves([n % 4 for n in range(40)], values, 3)]:
        assert curve["mean"].tolist() == pytest.approx([10 / 3, 10 / 3, 20 / 3, 20 / 3]) and curve["low"].isna().all()


def test_nobody_followed_is_an_empty_curve():
    for curve in curves([], pd.DataFrame({"customer_id": [], "age": [], "value": []}, dtype=int), 3):
        assert curve.empty and {"customers_count", "mean", "low", "high"} <= set(curve)


def test_a_giant_order_of_the_youngest_is_in_the_limits():
    """40 clients of 30 each, followed for three months, and one of yesterday with 300,000: 7,346 on average, ± 14,300."""
    table = loyalty.payback(orders_of([*MANY, ("giant", "2026-04-14", 1e6, 3e5)]))
    half = table["margin_per_customer_high_amount"] - table["margin_per_customer_amount"]
    assert table["customers_count"].tolist() == [41, 40, 40, 40]
    assert half.iloc[0] == pytest.approx(Z_95 * np.std([30] * 40 + [3e5], ddof=1) / np.sqrt(41))
    assert half.tolist()[1:] == pytest.approx([half.iloc[0]] * 3, rel=0.01)


def orders_of(rows: list[tuple]) -> Process:
    return Process.from_tables("p", **orders(rows), **SETTINGS)


def test_the_error_on_the_demonstration_company_is_that_of_the_bootstrap(demo):
    """Custom work, 24 months: 400 companies of customers drawn anew from those there are. Within 15 %."""
    process = demo.process("custom")
    people = collect(new_customers(process)).set_index("customer_id")["began_at"]
    rows = collect(money_rows(process)).query("customer_id in @people.index")
    began, month = rows["customer_id"].map(people), pd.Timedelta(days=365.25 / 12)
    age = np.where(rows["ordered_at"].dt.normalize() <= began.dt.normalize(), 0, (rows["ordered_at"] - began) // month + 1)
    seen = ((process.as_of - people) // month).clip(upper=24)
    brought = rows.assign(age=age).pivot_table(index="customer_id", columns="age", values="margin", aggfunc="sum")
    brought = brought.reindex(index=people.index, columns=range(25)).fillna(0).to_numpy() / 100
    there = seen.to_numpy()[:, None] >= np.arange(25)
    drawn = np.random.default_rng(3).multinomial(len(people), np.full(len(people), 1 / len(people)), 400)
    bootstrap = np.cumsum((drawn @ (brought * there)) / (drawn @ there), axis=1).std(axis=0)
    table = loyalty.payback(process)
    error = (table["margin_per_customer_high_amount"] - table["margin_per_customer_amount"]) / Z_95
    assert (error / bootstrap[table["age_months"]]).between(0.85, 1.15).all()


def test_the_limits_hold_the_truth_about_95_times_in_100():
    """100 companies of 80 clients, followed for 0 to 12 months: one order at once, then each month another in 3 of 10 cases,
    amounts as skewed as in life: 10 × e^0.5 × (1 + 0.3 × 12) is brought by month 12."""
    rng, held, truth = np.random.default_rng(11), [], 10 * np.exp(0.5) * (1 + 0.3 * np.arange(13))
    for _ in range(100):
        seen = rng.integers(0, 14, 80)
        customer, age = np.meshgrid(np.arange(80), np.arange(13), indexing="ij")
        value = rng.lognormal(np.log(10), 1, (80, 13)) * np.where(age == 0, 1, rng.random((80, 13)) < 0.3)
        rows = pd.DataFrame({"customer_id": customer.ravel(), "age": age.ravel().astype(float), "value": value.ravel()})
        people = pd.DataFrame({"customer_id": np.arange(80), "seen": seen.astype(float)})
        frames = (nw.from_native(frame).lazy() for frame in (people, rows.merge(people, on="customer_id")))
        curve = mean_curve(*frames, 12)
        held.append(((curve["low"] < truth) & (truth < curve["high"])).loc[[0, 6, 12]].to_numpy())
    assert (np.mean(held, axis=0) >= 0.9).all() and (np.mean(held, axis=0) < 1).all(), np.mean(held, axis=0)


def test_months_by_hand():
    """Whole days and hours on pandas and DuckDB: the day itself is month 0, whatever the hour; 31 days later is month 2."""
    table = pd.DataFrame({"start": pd.Timestamp("2026-01-05 18:00"), "moment": pd.to_datetime(
        ["2026-01-05 09:00", "2026-01-05 23:00", "2026-01-06 01:00", "2026-02-05 18:00"])})
    tables = (table, duckdb_tables({"orders": pd.DataFrame({"ordered_at": table["moment"]})})["orders"].select(
        "TIMESTAMP '2026-01-05 18:00' AS start, ordered_at AS moment"))
    for frame in (nw.from_native(native).lazy() for native in tables):
        ages = collect(frame.select("moment", age=month_of_age(nw.col("start"), nw.col("moment"), frame), seen=months_seen(
            nw.col("start"), pd.Timestamp("2026-03-20"), frame))).sort_values("moment")
        assert ages["age"].tolist() == [0, 0, 1, 2] and ages["seen"].tolist() == [2] * 4
