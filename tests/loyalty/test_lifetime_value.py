"""What a client is worth: histories counted by hand, plain pandas, CDNOW, planted truth, and whatever makes a model useless."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import CallError, MeasureError, Process, lifetime, loyalty
from funnel_lib.customers import customers
from funnel_lib.engine import collect
from funnel_lib.loyalty.holdout import _limits as holdout_limits
from funnel_lib.loyalty.observed_value import discounts, margins
from tests.conftest import ROOT
from tests.engines import assert_parity, on_engines
from tests.loyalty.plain_curve import plain_curve

# a: two orders on the first day, one after 14 days, a refund of 10 (margin 4) on the day after that, one after 28 days.
# b: once, then a refund of half of it. c: once, on the last day. d is known from before. The nought and the nameless order count nowhere.
TABLES = {
    "orders": pd.DataFrame(
        [("a1", "a", "2026-01-05 09:00", 100, 40), ("a2", "a", "2026-01-05 18:00", 50, 20), ("a3", "a", "2026-01-19 12:00", 80, 30),
         ("a4", "a", "2026-01-20", -10, -4), ("a5", "a", "2026-02-02 08:00", 120, 50), ("b1", "b", "2026-01-07 10:00", 60, 20),
         ("b2", "b", "2026-02-20", -30, -10), ("c1", "c", "2026-03-15 23:00", 90, 30), ("d1", "d", "2026-02-01", 70, 7),
         ("a0", "a", "2026-03-01", 0, 0), ("n1", None, "2026-02-02", 80, 8)],
        columns=["order_id", "customer_id", "ordered_at", "amount", "margin"]),
    "customers": pd.DataFrame({"customer_id": ["d"], "first_order_at": ["2020-05-05"]}),
}
SETTINGS = {"as_of": "2026-03-16", "observed_from": "2025-06-01"}


def shop(size: int, seed: int, weeks: int = 150, giant: bool = False, **chances: float) -> Process:
    """Customers of a BG/NBD world with gamma-gamma amounts at 40 % margin, whole days."""
    rng = np.random.default_rng(seed)
    world = {"r": 0.6, "alpha": 10.0, "a": 0.8, "b": 2.6} | chances
    first = pd.Timestamp("2026-01-01") - pd.to_timedelta(rng.integers(1, 7 * weeks, size), unit="D")
    rate, leave, level = rng.gamma(world["r"], 1 / world["alpha"], size), rng.beta(world["a"], world["b"], size), rng.gamma(4.0, 1 / 300.0, size)
    rows, time, there = [pd.DataFrame({"customer": range(size), "day": first})], np.zeros(size), np.full(size, True)
    while there.any():
        time = time + np.maximum(7 * rng.exponential(1.0, size) / np.maximum(rate, 1e-9), 1.0)
        day = first + pd.to_timedelta(np.minimum(time, 1e5).round(), unit="D")
        there &= day < pd.Timestamp("2026-01-01")
        rows.append(pd.DataFrame({"customer": np.flatnonzero(there), "day": day[there]}))
        there &= rng.random(size) >= leave
    orders = pd.concat(rows, ignore_index=True)
    orders["amount"] = (rng.gamma(6.0, 1.0, len(orders)) / level[orders["customer"]]).round(2).clip(0.01)
    if giant:
        orders.loc[orders["customer"] == 0, "amount"] = orders["amount"].sum()
    orders = orders.assign(customer_id=orders["customer"].map("c{:05d}".format), order_id=orders.index.map("o{:06d}".format),
                           ordered_at=orders["day"], margin=(orders["amount"] * 0.4).round(2))
    return Process.from_tables("shop", orders=orders[["order_id", "customer_id", "ordered_at", "amount", "margin"]], as_of="2026-01-01",
                               observed_from="2020-01-01")


# -- counted by hand -----------------------------------------------------------------------------------------------------------


def test_histories_by_hand():
    """a came back twice, the last time after 4 weeks, and was seen for 69 days; b for 67 days, c for none."""
    table = assert_parity(loyalty.purchases, on_engines("p", TABLES, **SETTINGS))
    assert table[["frequency", "recency", "customers_count", "amount"]].values.tolist() == [[0, 0, 1, 0], [0, 0, 1, 0], [2, 4, 1, 200]]
    assert (table["age"] * 7).round(6).tolist() == [0, 67, 69]


def test_margins_by_hand():
    """First visits: a 40 + 20, b 20 − 10 (nothing came between), c 30: mean 100 / 3. Later: a 30 − 4 + 50 of 80 + 120. a brought 136 of 176."""
    for process in on_engines("p", TABLES, **SETTINGS).values():
        found = margins(process)
        assert found.first_amount == pytest.approx(100 / 3)
        assert found.first_variance == pytest.approx(np.var([60, 10, 30], ddof=1) / 3)
        assert found.repeat_share == pytest.approx(76 / 200)
        assert found.largest_margin_share == pytest.approx(136 / 176)


def test_values_by_hand():
    """The first day of all three: 60, 20, 30. a and b were seen for two months: a brought 76 in the first, b −10 in the second."""
    table = assert_parity(loyalty.value_by_age, on_engines("p", TABLES, **SETTINGS), horizon_months=3)
    assert table["customers_count"].tolist() == [3, 2, 2, 0]
    assert table["observed_value_amount"].tolist()[:3] == pytest.approx([110 / 3, 110 / 3 + 38, 110 / 3 + 33])
    assert np.isnan(table["observed_value_amount"].iloc[3])
    # Off the means of the months: a 70 / 9 + 38 / 2 + 5 / 2, b −50 / 9 − 38 / 2 − 5 / 2, c −20 / 9.
    half = 1.959964 * np.sqrt(2 * ((70 / 9 + 21.5)**2 + (50 / 9 + 21.5)**2 + (20 / 9)**2))
    value = 110 / 3 + 33
    assert table.loc[2, ["observed_value_low_amount", "observed_value_high_amount"]].tolist() == pytest.approx([value - half, value + half])
    assert table["observed_orders"].tolist()[:3] == pytest.approx([0, 1, 1])
    result = loyalty.lifetime_value(Process.from_tables("p", **TABLES, **SETTINGS), horizon_months=3)
    assert (result.method, result.reason, result.reached_months) == ("plain", "few_repeaters", 0)
    assert (result.customers_count, result.repeaters_count, result.unseen_count) == (3, 1, 1)
    assert result.ltv_amount == pytest.approx(110 / 3) and result.repeat_amount == 100


def test_discounting_by_hand():
    """15 % a year: a margin in the middle of the first month is worth 1.15^(−1/24) of itself, that of the first day all of it."""
    assert discounts(np.array([0, 1, 13]), 0.15) == pytest.approx([1, 1.15 ** (-0.5 / 12), 1.15 ** (-12.5 / 12)])
    process = Process.from_tables("p", **TABLES, **SETTINGS, discount_rate_per_year=0.15)
    table = loyalty.value_by_age(process, horizon_months=2)
    assert table["observed_value_amount"].iloc[1] == pytest.approx(110 / 3 + 38 * 1.15 ** (-0.5 / 12))


# -- a second way ----------------------------------------------------------------------------------------------------------------


def plain_days(process: Process) -> pd.DataFrame:
    """Money of new customers per day, from the rows of the source."""
    rows = collect(process.table("orders"))
    people = collect(customers(process)).query("is_older == 0 and is_perhaps_older == 0")[["customer_id", "first_day"]]
    rows = rows.merge(people, on="customer_id")
    return rows.assign(day=rows["ordered_at"].dt.normalize()).query("amount != 0 and day >= first_day")


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_histories_of_the_demonstration_company_in_plain_pandas(demo, name):
    process = demo.process(name)
    days = plain_days(process).query("amount > 0").groupby(["customer_id", "first_day", "day"], as_index=False)["amount"].sum()
    people = days.groupby(["customer_id", "first_day"]).agg(frequency=("day", lambda day: len(day) - 1), last=("day", "max")).reset_index()
    table = loyalty.purchases(process)
    assert table["customers_count"].sum() == len(people)
    assert (table["frequency"] * table["customers_count"]).sum() == people["frequency"].sum()
    assert (table["recency"] * table["customers_count"]).sum() * 7 == pytest.approx((people["last"] - people["first_day"]).dt.days.sum())
    assert (table["age"] * table["customers_count"]).sum() * 7 == pytest.approx((pd.Timestamp("2026-06-30") - people["first_day"]).dt.days.sum())
    later = days[days["day"] > days["first_day"]]
    assert table["amount"].sum() == pytest.approx(later["amount"].sum() / 100)


def test_value_at_a_year_in_plain_pandas(demo):
    """Month for month: what the customers brought who were old enough by its end, over their number; errors customer by customer."""
    process = demo.process("wholesale")
    days, length = plain_days(process), 365.25 / 12
    days["age"] = np.where(days["day"] > days["first_day"], np.floor((days["day"] - days["first_day"]).dt.days / length) + 1, 0)
    days["value"] = days["margin"] / 100 * 1.15 ** -(np.maximum(days["age"] - 0.5, 0) / 12)
    seen = ((pd.Timestamp("2026-07-01") - days.set_index("customer_id")["first_day"]).dt.days // length).to_dict()
    size, mean, error = plain_curve(seen, days, 12)
    table = loyalty.value_by_age(process, horizon_months=12)
    assert table["customers_count"].tolist() == size.tolist()
    assert table["observed_value_amount"].tolist() == pytest.approx(mean)
    assert table["observed_value_high_amount"].tolist() == pytest.approx(mean + 1.959964 * error)


# -- CDNOW -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cdnow(open_data) -> pd.DataFrame:
    """The orders of the 2,357 customers of the literature."""
    rows = pd.read_csv(open_data / "cdnow" / "CDNOW_sample.txt", sep=r"\s+", header=None, dtype={0: str, 2: str})
    return pd.DataFrame({"order_id": [f"{number:05d}" for number in range(len(rows))], "customer_id": rows[0],
                         "ordered_at": pd.to_datetime(rows[2]), "amount": rows[4]})


def cdnow_shop(orders: pd.DataFrame, as_of: str) -> Process:
    # The records are said to begin long before: none of these customers is from before.
    return Process.from_tables("music", orders=orders, as_of=as_of, observed_from="1996-01-01", margin_share=0.3)


def test_cdnow_from_orders_to_the_published_parameters(cdnow):
    """First orders of the first quarter of 1997, seen to the end of September; orders of nothing are no orders."""
    table = loyalty.purchases(cdnow_shop(cdnow, "1997-10-01"))
    fit = lifetime.fit_bg_nbd(table)
    assert [fit.r, fit.alpha, fit.a, fit.b] == pytest.approx([0.243, 4.414, 0.793, 2.426], rel=0.03)
    assert table["customers_count"].sum() == pytest.approx(2357, abs=12)
    assert table.loc[table["frequency"] > 0, "customers_count"].sum() == pytest.approx(946, abs=5)


def test_cdnow_the_holdout_of_the_literature(cdnow):
    """39 weeks are held out; what came in them is counted in plain pandas, what was expected by the formulas that were published."""
    table = loyalty.holdout(cdnow_shop(cdnow, "1998-07-01"))
    assert table["holdout_weeks"].unique().tolist() == [39]
    visits = cdnow[cdnow["amount"] > 0].drop_duplicates(["customer_id", "ordered_at"])
    known = visits.loc[visits["ordered_at"] < "1997-10-01", "customer_id"]
    later = visits[(visits["ordered_at"] >= "1997-10-01") & visits["customer_id"].isin(known)]
    assert table["actual_orders_count"].sum() == len(later)
    early = loyalty.purchases(cdnow_shop(cdnow, "1997-10-01"))
    fit = lifetime.BgNbd(0.243, 4.414, 0.793, 2.426, 0, 1, 1, np.eye(4))
    published = lifetime.expected_purchases(fit, early["frequency"], early["recency"], early["age"], 39) @ early["customers_count"]
    assert table["expected_orders_count"].sum() == pytest.approx(published, rel=0.02)
    assert (np.diff(table["expected_mean_orders"]) > 0).all()
    result = loyalty.lifetime_value(cdnow_shop(cdnow, "1998-07-01"), horizon_months=12)
    assert (result.method, result.reason) == ("model", "")
    values = loyalty.value_by_age(cdnow_shop(cdnow, "1998-07-01"), horizon_months=15).iloc[-1]
    assert values["observed_value_low_amount"] < values["expected_value_amount"] < values["observed_value_high_amount"]


def test_a_row_of_customers_all_alike_has_the_limits_of_a_count():
    """40 customers of whom nobody came: up to 3.69 orders (Garwood) among them; 30 who came once each: 20.2 to 42.8."""
    low, high = holdout_limits(np.array([40.0, 30.0, 3.0]), np.array([0.0, 30.0, 4.0]), np.array([0.0, 30.0, 6.0]))
    assert low[:2].round(3).tolist() == [0, round(20.24 / 30, 3)] and high[:2].round(3).tolist() == [0.092, round(42.83 / 30, 3)]
    assert high[2] - 4 / 3 == pytest.approx(1.959964 * np.std([1, 1, 2], ddof=1) / np.sqrt(3))


# -- planted truth -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["retail"])
def test_the_parameters_of_the_demonstration_company_are_found(demo, name):
    """The clients of retail are drawn by the two models: every parameter within three standard errors."""
    truth = json.loads((ROOT / "data" / "demo" / "truth.json").read_text(encoding="utf-8"))["processes"][name]["parameters"]
    purchases, amounts = truth["purchases"], truth["amounts"]
    fit = lifetime.fit_bg_nbd(loyalty.purchases(demo.process(name)))
    away = np.log([fit.r / purchases["r"], fit.alpha / purchases["alpha"], fit.a / purchases["a"], fit.b / purchases["b"]])
    assert np.abs(away / np.sqrt(np.diag(fit.covariance))).max() < 3
    result = loyalty.lifetime_value(demo.process(name))
    assert (result.method, result.reason) == ("model", "")
    assert result.repeat_margin_share == pytest.approx(amounts["later_margin_share"], abs=0.01)
    true = lifetime.BgNbd(**purchases, log_likelihood=0, customers_count=1, repeaters_count=1, covariance=np.eye(4))
    by_month = np.diff(lifetime.expected_purchases(true, 0, 0, 0, np.arange(25) * 365.25 / 84), prepend=0)
    mean = amounts["p"] * amounts["gamma"] / (amounts["q"] - 1)
    value = mean * (amounts["first_margin_share"] + amounts["later_margin_share"] * by_month @ discounts(np.arange(25), 0.15))
    assert result.ltv_low_amount < value < result.ltv_high_amount


def test_the_repeat_rate_of_the_demonstration_company_is_the_planted_one(demo):
    """Drawn by BG/NBD, a client of retail has come again by age t with the chance 1 − (alpha / (alpha + t))^r."""
    truth = json.loads((ROOT / "data" / "demo" / "truth.json").read_text(encoding="utf-8"))["processes"]["retail"]["parameters"]
    r, alpha = truth["purchases"]["r"], truth["purchases"]["alpha"]
    old = loyalty.purchases(demo.process("retail")).query("age >= 364 / 7")
    chance = np.average(1 - (alpha / (alpha + old["age"]))**r, weights=old["customers_count"])
    found = loyalty.repeat_rate(demo.process("retail"), at_least_days=365)
    assert found.low_share < chance < found.high_share


def test_the_interval_of_the_value_holds_the_truth():
    """12 shops of 1,500 customers, undiscounted: the planted value of 24 months lies in the 95 % interval of at least 10."""
    true = lifetime.BgNbd(0.6, 10.0, 0.8, 2.6, 0, 1, 1, np.eye(4))
    value = 0.4 * 6.0 * 300.0 / 3.0 * (1 + float(lifetime.expected_purchases(true, 0, 0, 0, 24 * 365.25 / 84)))
    results = [loyalty.lifetime_value(shop(1500, seed)) for seed in range(12)]
    assert {result.method for result in results} == {"model"}
    # Gaps under a day are drawn up to a day, which costs frequent customers a few orders.
    assert sum(result.ltv_low_amount < value < result.ltv_high_amount for result in results) >= 10
    assert np.mean([result.ltv_amount for result in results]) == pytest.approx(value, rel=0.04)


def test_what_the_present_clients_bring_is_expected():
    """Records cut a year early: what the model expected of the clients then is what came of them, within 15 %."""
    process = shop(4000, 77)
    orders = collect(process.table("orders")).assign(amount=lambda rows: rows["amount"] / 100, margin=lambda rows: rows["margin"] / 100)
    early = Process.from_tables("shop", orders=orders, as_of="2025-01-01", observed_from="2020-01-01")
    known = orders.loc[orders["ordered_at"] < "2025-01-01", "customer_id"].unique()
    came = orders[(orders["ordered_at"] >= "2025-01-01") & orders["customer_id"].isin(known)]["margin"].sum()
    assert loyalty.lifetime_value(early).present_amount == pytest.approx(came, rel=0.15)


# -- laws --------------------------------------------------------------------------------------------------------------------------


@settings(max_examples=10)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 200), st.integers(-50, 90)), min_size=1, max_size=40), st.randoms())
def test_histories_add_up_in_any_order(rows, random):
    orders = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    orders["ordered_at"] = pd.Timestamp("2025-06-01") + pd.to_timedelta(orders["day"], unit="D")
    orders["order_id"] = [f"o{number}" for number in range(len(orders))]
    shuffled = orders.sample(frac=1, random_state=random.randint(0, 99))
    if not (orders["amount"] > 0).any():
        return
    settings = {"as_of": "2026-01-01", "observed_from": "2020-01-01", "margin_share": 0.3}
    one, other = (Process.from_tables("p", orders=frame.drop(columns="day"), **settings) for frame in (orders, shuffled))
    table = loyalty.purchases(one)
    pd.testing.assert_frame_equal(table, loyalty.purchases(other))
    assert ((table["recency"] >= 0) & (table["recency"] <= table["age"])).all()
    visits = orders[orders["amount"] > 0].drop_duplicates(["customer_id", "day"])
    assert (table["customers_count"] * (table["frequency"] + 1)).sum() == len(visits)
    assert np.isfinite(loyalty.value_by_age(one, horizon_months=2).iloc[0]["observed_value_amount"])


def test_a_longer_horizon_is_the_same_curve_for_longer():
    process = shop(1200, 5)
    short, long = loyalty.value_by_age(process, 6), loyalty.value_by_age(process, 18)
    pd.testing.assert_frame_equal(short, long.head(7), check_exact=False)
    assert loyalty.lifetime_value(process, 6).ltv_amount == pytest.approx(long["expected_value_amount"].iloc[6])


def test_no_discount_is_worth_more():
    process = shop(1200, 5)
    orders = collect(process.table("orders")).assign(amount=lambda rows: rows["amount"] / 100, margin=lambda rows: rows["margin"] / 100)
    dear = Process.from_tables("shop", orders=orders, as_of="2026-01-01", observed_from="2020-01-01", discount_rate_per_year=0.2)
    assert loyalty.lifetime_value(dear).ltv_amount < loyalty.lifetime_value(process).ltv_amount
    assert loyalty.lifetime_value(dear).first_margin_amount == loyalty.lifetime_value(process).first_margin_amount


# -- bad input -----------------------------------------------------------------------------------------------------------------------


def test_no_orders_no_margins_nobody_new():
    with pytest.raises(MeasureError, match="orders"):
        loyalty.lifetime_value(Process.from_tables("p", leads=pd.DataFrame({"lead_id": ["1"], "created_at": ["2026-01-01"]})))
    without = TABLES["orders"].drop(columns="margin")
    with pytest.raises(MeasureError, match="margin of every order, and 8 have none"):
        loyalty.lifetime_value(Process.from_tables("p", orders=without, customers=TABLES["customers"], **SETTINGS))
    with pytest.raises(MeasureError, match="first order was seen"):
        loyalty.value_by_age(Process.from_tables("p", orders=TABLES["orders"].query("customer_id == 'd'"), customers=TABLES["customers"], **SETTINGS))
    with pytest.raises(MeasureError, match="first order was seen"):
        loyalty.purchases(Process.from_tables("p", orders=TABLES["orders"].query("customer_id == 'd'"), customers=TABLES["customers"], **SETTINGS))


@pytest.mark.parametrize("horizon", [0, -3, 1.5, "12"])
def test_a_horizon_is_a_whole_number_of_months(horizon):
    with pytest.raises(CallError, match="whole number of months"):
        loyalty.lifetime_value(Process.from_tables("p", **TABLES, **SETTINGS), horizon_months=horizon)


def test_a_check_that_fails_leaves_the_plain_figure():
    """Everybody stops for good eleven months before the end: the model expects orders that do not come."""
    orders = collect(shop(1500, 9).table("orders"))
    orders = orders[(orders["ordered_at"] < "2025-02-01")].assign(amount=lambda rows: rows["amount"] / 100, margin=lambda rows: rows["margin"] / 100)
    process = Process.from_tables("shop", orders=orders, as_of="2026-01-01", observed_from="2020-01-01")
    result = loyalty.lifetime_value(process)
    assert (result.method, result.reason) == ("plain", "holdout_off")
    assert result.holdout_error_share > 0.2 and result.ltv_low_amount < result.ltv_amount < result.ltv_high_amount
    assert np.isnan(result.present_amount)


def test_a_month_of_history_is_too_short_for_a_model():
    process = shop(3000, 4, weeks=4, alpha=1.0)
    result = loyalty.lifetime_value(process)
    assert (result.method, result.reason, result.reached_months) == ("plain", "short_history", 0)
    with pytest.raises(MeasureError, match="26 weeks"):
        loyalty.holdout(process)


def test_one_giant_client_is_told_and_breaks_nothing():
    result = loyalty.lifetime_value(shop(1500, 8, giant=True))
    assert result.largest_margin_share > 0.4 and np.isfinite(result.ltv_amount)


def test_equal_amounts_have_no_gamma_gamma():
    orders = collect(shop(1500, 8).table("orders")).assign(amount=100.0, margin=40.0)
    result = loyalty.lifetime_value(Process.from_tables("shop", orders=orders, as_of="2026-01-01", observed_from="2020-01-01"))
    assert (result.method, result.reason) == ("plain", "model_unsettled")
