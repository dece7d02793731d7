"""Loyalty: orders, rhythms and cohorts counted by hand, the demonstration company in plain pandas, CDNOW, laws."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import MeasureError, Process, loyalty
from funnel_lib.customers import customers, median_gap_days, paid_orders
from funnel_lib.engine import collect
from funnel_lib.loyalty.rhythm import medians_before, return_visits
from funnel_lib.rates import clustered_share
from tests.conftest import ROOT
from tests.engines import assert_parity, on_engines

# a: two orders at the same moment, then after 10, 10 and 99 days; b after 30; c once; d known from before; one nameless.
# Gaps: 10, 10, 30, 99 (d has none), median 20.
TABLES = {
    "orders": pd.DataFrame(
        [("a2", "a", "2026-01-01 12:00", 50, 5), ("a1", "a", "2026-01-01 12:00", 100, 10),
         ("a3", "a", "2026-01-11 12:00", 30, 3), ("a4", "a", "2026-01-21 12:00", 30, 3),
         ("a5", "a", "2026-04-30 12:00", 40, 4), ("b1", "b", "2026-01-05 12:00", 20, 2),
         ("b2", "b", "2026-02-04 12:00", 20, 2), ("c1", "c", "2026-03-10", 60, 6), ("c0", "c", "2026-01-02", 0, 0),
         ("a9", "a", "2026-02-01", -20, -2), ("d1", "d", "2026-03-01", 70, 7), ("n1", None, "2026-03-02", 80, 8)],
        columns=["order_id", "customer_id", "ordered_at", "amount", "margin"]),
    "leads": pd.DataFrame([("la", "2025-12-30", "a", None, "ads"), ("lb", "2026-01-03", "b", "a", "ads")],
                          columns=["lead_id", "created_at", "customer_id", "referred_by", "channel"]),
    "customers": pd.DataFrame({"customer_id": ["d"], "first_order_at": ["2020-05-05"]}),
}
SETTINGS = {"as_of": "2026-06-01", "observed_from": "2026-01-01"}


def small(**changes) -> Process:
    return Process.from_tables("p", **{**TABLES, **SETTINGS, **changes})


# -- customers and their rhythm ------------------------------------------------------------------------------------------


def test_gaps_and_first_orders_by_hand():
    """Orders of one moment follow their id: a1 is the first, a2 shares its visit. Zero amounts start no relation."""
    for process in on_engines("p", TABLES, **SETTINGS).values():
        orders = collect(paid_orders(process)).set_index("order_id")["gap_days"]
        assert orders.round(9).fillna(-1).to_dict() == {"a1": -1, "a2": 0, "a3": 10, "a4": 10, "a5": 99, "b1": -1, "b2": 30,
                                                        "c1": -1, "d1": -1}
        assert median_gap_days(process) == pytest.approx(20)
        people = collect(customers(process)).set_index("customer_id").sort_index()
        assert people["origin"].to_dict() == {"a": "other", "b": "referred", "c": "unknown", "d": "unknown"}
        assert people["is_older"].to_dict() == {"a": 0, "b": 0, "c": 0, "d": 1}
        # c came 68 days after the beginning, more than 2 × 20; a and b have leads; d has a date.
        assert people["is_perhaps_older"].sum() == 0


def test_perhaps_older_by_hand():
    """Without leads a and b are first seen within 40 days of the beginning; c is not; d is known to be older."""
    people = collect(customers(small(leads=None))).set_index("customer_id")
    assert people["is_perhaps_older"].sort_index().to_dict() == {"a": 1, "b": 1, "c": 0, "d": 0}
    table = loyalty.cohort_retention(small(leads=None))
    assert table.groupby("cohort")["perhaps_older_count"].first().tolist() == [2, 0]


def test_a_lead_after_the_first_order_does_not_make_a_customer_new():
    """Seen four days after the records begin, the only lead two weeks later; the median gap is 31 days, twice that is 62."""
    orders = pd.DataFrame([("1", "a", "2025-01-05", "L1"), ("2", "a", "2025-02-05", None)],
                          columns=["order_id", "customer_id", "ordered_at", "lead_id"]).assign(amount=10.0)
    leads = pd.DataFrame({"lead_id": ["L1"], "customer_id": ["a"], "created_at": ["2025-01-20"], "channel": ["site"]})
    process = Process.from_tables("p", orders=orders, leads=leads, as_of="2025-06-01", observed_from="2025-01-01")
    assert loyalty.referral_share(process)["perhaps_older_count"].sum() == 1


def test_a_lead_before_the_first_order_makes_a_customer_new_though_a_later_one_closed_it():
    """The order names a lead of two weeks later; an earlier lead shows that the customer came then."""
    orders = pd.DataFrame([("1", "a", "2025-01-05", "L1"), ("2", "a", "2025-02-05", None)],
                          columns=["order_id", "customer_id", "ordered_at", "lead_id"]).assign(amount=10.0)
    leads = pd.DataFrame({"lead_id": ["L0", "L1"], "customer_id": "a", "created_at": ["2025-01-02", "2025-01-20"], "channel": "site"})
    for process in on_engines("p", {"orders": orders, "leads": leads}, as_of="2025-06-01", observed_from="2025-01-01").values():
        assert loyalty.referral_share(process)["perhaps_older_count"].sum() == 0


def test_a_listed_customer_without_a_date_is_older_and_never_perhaps_older():
    known = pd.DataFrame({"customer_id": ["a", "d"], "first_order_at": [None, "2020-05-05"]})
    for process in on_engines("p", {"orders": TABLES["orders"], "customers": known}, **SETTINGS).values():
        people = collect(customers(process)).set_index("customer_id").sort_index()
        assert people["is_older"].to_dict() == {"a": 1, "b": 0, "c": 0, "d": 1}
        assert people["is_perhaps_older"].to_dict() == {"a": 0, "b": 1, "c": 0, "d": 0}


def test_the_origin_is_that_of_the_first_real_lead():
    """The first entry named a recommender but was a duplicate; the lead that really was one came by ads."""
    leads = pd.DataFrame([("1", "2026-03-01", "c", "a", "ads"), ("2", "2026-03-02", "c", None, "ads")],
                         columns=["lead_id", "created_at", "customer_id", "referred_by", "channel"])
    events = pd.DataFrame({"lead_id": ["1"], "step": ["lost"], "entered_at": ["2026-03-02"], "reason": ["duplicate"]})
    process = small(leads=leads, stage_events=events, steps=["won"], not_leads=["duplicate"])
    people = collect(customers(process)).set_index("customer_id")
    assert people.loc["c", ["lead_id", "origin"]].tolist() == ["2", "other"]


def test_gaps_of_hours_count_a_day_at_least():
    orders = pd.DataFrame({"order_id": ["1", "2"], "customer_id": "x", "amount": 1,
                           "ordered_at": ["2026-01-01 23:00", "2026-01-02 01:00"]})
    assert median_gap_days(Process.from_tables("p", orders=orders)) == 1


def test_usual_gap_and_reactivation_by_hand():
    """a5 comes 99 days after a4; what was known then: gaps 10 and 10, usual (10²·20²)^(1/4) = 14.1, limit 42.4."""
    for process in on_engines("p", TABLES, **SETTINGS).values():
        visits = return_visits(process).sort_values(["customer_id", "day"])
        assert visits["usual_gap_days"].tolist() == pytest.approx([20, (10 * 20**2) ** (1 / 3), (10**2 * 20**2) ** 0.25, 20])
        assert visits["is_reactivated"].tolist() == [False, False, True, False]


@given(st.lists(st.lists(st.floats(1, 500), min_size=1, max_size=8), min_size=1, max_size=6))
def test_running_medians_against_a_plain_loop(customers_gaps):
    gaps = np.concatenate([np.array(own) for own in customers_gaps])
    number = np.concatenate([np.arange(len(own)) for own in customers_gaps])
    expected = [np.median(own[:at]) if at else np.nan for own in customers_gaps for at in range(len(own))]
    np.testing.assert_array_equal(medians_before(gaps, number), expected)


# -- the split of sales --------------------------------------------------------------------------------------------------


def test_split_by_hand():
    table = assert_parity(loyalty.sales_split, on_engines("p", TABLES, **SETTINGS))
    rows = {(row.kind, row.referred): (row.orders_count, row.amount, row.margin_amount) for row in table.itertuples()}
    assert rows == {("first", False): (2, 160, 16), ("first", True): (1, 20, 2), ("repeat", False): (4, 180, 18),
                    ("repeat", True): (1, 20, 2), ("reactivated", False): (1, 40, 4), ("reactivated", True): (0, 0, 0),
                    ("unattributed", False): (1, 80, 8)}
    for name in ("orders_share", "amount_share", "margin_share"):
        assert table[name].sum() == pytest.approx(1, abs=1e-12)
    assert table.iloc[0][["orders_share", "amount_share"]].tolist() == [2 / 10, 160 / 500]


def test_split_over_time_and_within_a_period():
    monthly = assert_parity(loyalty.sales_split, on_engines("p", TABLES, **SETTINGS), per="month")
    assert monthly.groupby("period_start")["orders_share"].sum().tolist() == pytest.approx([1] * 4)
    assert monthly.groupby("period_start")["orders_count"].sum().tolist() == [5, 1, 3, 1]
    spring = loyalty.sales_split(small(), since="2026-03-01", until="2026-04-01")
    assert spring.set_index(["kind", "referred"])["orders_count"].loc[lambda counts: counts > 0].to_dict() == {
        ("first", False): 1, ("repeat", False): 1, ("unattributed", False): 1}


def test_an_unknown_margin_is_not_taken_for_nothing():
    orders = TABLES["orders"].assign(margin=np.where(TABLES["orders"]["order_id"] == "c1", np.nan, 1))
    table = loyalty.sales_split(small(orders=orders)).set_index(["kind", "referred"])
    assert np.isnan(table.loc[("first", False), "margin_amount"]) and table.loc[("first", True), "margin_amount"] == 1
    assert table["margin_share"].isna().all()
    assert loyalty.sales_split(small(orders=orders, margin_share=0.5)).set_index(["kind", "referred"]).loc[
        ("first", False), "margin_amount"] == 1 + 30


def plain_kinds(process: Process) -> pd.DataFrame:
    """A second way: the definitions in plain Python, one customer and one order after the other."""
    orders = collect(process.table("orders"))
    orders = orders[(orders["amount"] > 0) & orders["customer_id"].notna()].sort_values(["ordered_at", "order_id"])
    known = {}
    if process.has("customers"):
        known = collect(process.table("customers")).dropna().set_index("customer_id")["first_order_at"].to_dict()
    gaps_of, kinds = {}, []
    for customer, own in orders.groupby("customer_id"):
        gaps, before = [], None
        for order in own.itertuples():
            same_day = before is not None and order.ordered_at.date() == before.date()
            gap = None if before is None or same_day else max((order.ordered_at - before) / pd.Timedelta(days=1), 1)
            kinds.append((order.order_id, customer, order.ordered_at, order.amount, before is None, gap, list(gaps)))
            gaps += [] if gap is None else [gap]
            before = order.ordered_at
        gaps_of[customer] = gaps
    typical = float(np.median([gap for gaps in gaps_of.values() for gap in gaps]))
    rows = []
    for order_id, customer, at, amount, first, gap, earlier in kinds:
        kind = "repeat"
        if first and not known.get(customer, at).normalize() < at.normalize():
            kind = "first"
        elif gap is not None:
            middle = math.log(np.median(earlier)) if earlier else 0
            usual = math.exp((len(earlier) * middle + 2 * math.log(typical)) / (len(earlier) + 2))
            kind = "reactivated" if gap > process.settings.lapse_factor * usual else "repeat"
        rows.append((order_id, customer, at, amount / process.minor_units, kind))
    return pd.DataFrame(rows, columns=["order_id", "customer_id", "ordered_at", "amount", "kind"])


@pytest.mark.parametrize("name", ["wholesale", "custom"])
def test_split_of_the_demonstration_company_in_plain_python(demo, name):
    process = demo.process(name)
    expected = plain_kinds(process).groupby("kind")["amount"].agg(["size", "sum"])
    table = loyalty.sales_split(process).groupby("kind")[["orders_count", "amount"]].sum()
    assert table["orders_count"].to_dict() == expected["size"].to_dict()
    assert table["amount"].to_dict() == pytest.approx(expected["sum"].to_dict())


def test_repeat_share_by_hand_and_its_interval_by_bootstrap(demo):
    result = loyalty.repeat_share(small())
    assert (result.part_count, result.whole_count, result.share) == (6, 9, pytest.approx(6 / 9))
    assert (result.part_amount, result.whole_amount) == (240, 420)
    assert result.low_share < result.share < result.high_share
    process = demo.process("custom")
    kinds = plain_kinds(process)
    own = kinds.assign(again=(kinds["kind"] != "first").astype(float)).groupby("customer_id")["again"].agg(["sum", "size"])
    draws = np.random.default_rng(5).multinomial(len(own), np.full(len(own), 1 / len(own)), 4000)
    shares = draws @ own["sum"].to_numpy() / (draws @ own["size"].to_numpy())
    result = loyalty.repeat_share(process)
    assert result.share == pytest.approx(own["sum"].sum() / own["size"].sum())
    assert [result.low_share, result.high_share] == pytest.approx(np.quantile(shares, [0.025, 0.975]), abs=0.015)


def test_repeat_share_of_a_period_knows_what_came_before():
    assert loyalty.repeat_share(small(), since="2026-02-01", until="2026-03-01").share == 1
    assert math.isnan(loyalty.repeat_share(small(), since="2026-05-01").share)


def test_repeat_rate_by_hand():
    """a and b came back, c did not, d is known from before; 100 days before June only a and b had begun."""
    assert loyalty.repeat_rate(small()).part_count == 2 and loyalty.repeat_rate(small()).whole_count == 3
    assert loyalty.repeat_rate(small(), at_least_days=100).share == 1
    assert math.isnan(loyalty.repeat_rate(small(), at_least_days=1000).share)


# -- retention -------------------------------------------------------------------------------------------------------------


def test_cohorts_by_hand():
    """January: a (orders in months 0, 3) and b (0, 1); March: c. In February and later a's refund is no order."""
    table = assert_parity(loyalty.cohort_retention, on_engines("p", TABLES, **SETTINGS))
    january = table[table["cohort"] == "2026-01-01"]
    assert january[["age", "customers_count", "active_count"]].to_numpy().tolist() == [
        [0, 2, 2], [1, 2, 1], [2, 2, 0], [3, 2, 1], [4, 2, 0]]
    assert table[table["cohort"] == "2026-03-01"]["active_count"].tolist() == [1, 0, 0] and table["complete"].all()
    average = loyalty.average_retention(table).set_index("age")
    assert average["customers_count"].to_dict() == {0: 3, 1: 3, 2: 3, 3: 2, 4: 2}
    assert average.loc[1, "retained_share"] == pytest.approx(1 / 3)


def test_unfinished_cells_are_marked_and_left_out_of_averages():
    table = loyalty.cohort_retention(small(as_of="2026-04-15"))
    assert table.loc[~table["complete"], ["cohort", "age"]].to_numpy().tolist() == [
        [pd.Timestamp(2026, 1, 1), 3], [pd.Timestamp(2026, 3, 1), 1]]
    assert loyalty.average_retention(table)["age"].max() == 2


def test_unbounded_by_hand():
    """Active in or after: January 2, 2, 1, 1, 0; lapse limit 60 days, so that only ages ending before 2 April are complete."""
    table = assert_parity(loyalty.cohort_retention, on_engines("p", TABLES, **SETTINGS), bounded=False)
    january = table[table["cohort"] == "2026-01-01"]
    assert january["active_count"].tolist() == [2, 2, 1, 1, 0]
    assert january["complete"].tolist() == [True, True, True, False, False]


def test_rolling_by_hand():
    """a: 0, 0, 10, 20 and 119 days after its first order; b: 30 days. b began 5 January, so that by 1 June 4 × 30 days
    are over for both and the fifth is not."""
    table = assert_parity(loyalty.cohort_retention, on_engines("p", TABLES, **SETTINGS), rolling=True)
    january = table[table["cohort"] == "2026-01-01"]
    assert january["active_count"].tolist() == [2, 1, 0, 1, 0, 0]
    assert january["complete"].tolist() == [True, True, True, True, False, False]


@pytest.mark.parametrize(("per", "ages"), [("week", {0: 1, 2: 1, 3: 1, 17: 1}), ("day", {0: 1, 10: 1, 20: 1, 119: 1}),
                                           ("quarter", {0: 1, 1: 1}), ("year", {0: 1})])
def test_other_periods_against_the_calendar(per, ages):
    """a alone: 1 January is a Thursday; the 11th a Sunday (week 1 of age), hence weeks 0, 1, 2 … by hand below."""
    orders = TABLES["orders"].query("customer_id == 'a'")
    table = loyalty.cohort_retention(small(orders=orders), per=per)
    active = table.loc[table["active_count"] > 0].set_index("age")["active_count"].to_dict()
    # Mondays: 29 December (age 0), 5 January (1: the 11th), 19 January (3: the 21st), 27 April (17: the 30th).
    assert active == ({0: 1, 1: 1, 3: 1, 17: 1} if per == "week" else ages)


COHORTS = {
    "1997-01-01": [7814, 1155, 964, 810, 679, 736, 720, 582, 559, 594, 673, 634, 528, 511, 664, 471, 497, 498],
    "1997-02-01": [8455, 1311, 980, 783, 847, 786, 626, 619, 666, 719, 661, 545, 568, 717, 545, 548, 551],
    "1997-03-01": [7231, 1032, 752, 756, 674, 564, 561, 579, 634, 569, 464, 472, 677, 420, 443, 457]}


@pytest.fixture(scope="module")
def cdnow(open_data_folder):
    """CDNOW's orders, each row its own order, read here in plain pandas."""
    path = open_data_folder / "cdnow" / "CDNOW_master.txt"
    rows = pd.read_csv(path, sep=r"\s+", header=0, names=["customer_id", "ordered_at", "n", "amount"],
                       dtype={"customer_id": str, "ordered_at": str})
    rows["ordered_at"] = pd.to_datetime(rows["ordered_at"], format="%Y%m%d")
    return Process.from_tables("cdnow", orders=rows.assign(order_id=rows.index.astype(str)).drop(columns="n"), currency="USD")


@pytest.fixture(scope="module")
def open_data_folder():
    from tests.conftest import SHARED_DATA

    if not SHARED_DATA.is_dir():
        pytest.skip("the open data sets are not here")
    return SHARED_DATA


def test_cdnow_cohorts_exactly(cdnow):
    table = loyalty.cohort_retention(cdnow)
    rows = {str(start.date()): part["active_count"].tolist() for start, part in table.groupby("cohort")}
    assert {start: rows[start] for start in COHORTS} == COHORTS and table["complete"].all()


def test_cdnow_customers_and_repeaters_exactly(cdnow):
    result = loyalty.repeat_rate(cdnow)
    assert (result.whole_count, result.part_count) == (23502, 11659)
    days = collect(paid_orders(cdnow).select("customer_id", "gap_days"))
    assert days.loc[days["gap_days"] > 0, "customer_id"].nunique() == 11513


def test_cdnow_split_adds_up_to_the_sales(cdnow):
    table = loyalty.sales_split(cdnow)
    assert table["orders_count"].sum() == 69659 - 80
    assert table["amount"].sum() == pytest.approx(2500315.63, abs=0.005)
    assert table.loc[table["kind"] == "first", "orders_count"].sum() == 23502
    assert loyalty.referral_share(cdnow).set_index("origin")["customers_share"].to_dict() == {
        "referred": 0, "other": 0, "unknown": 1}


# -- referrals and lateness ------------------------------------------------------------------------------------------------


def test_referral_share_by_hand():
    """b was recommended by a; a came by ads; c's channel is nowhere; d is no new customer. a's refund of 20 is taken off."""
    table = assert_parity(loyalty.referral_share, on_engines("p", TABLES, **SETTINGS)).set_index("origin")
    assert table["customers_count"].to_dict() == {"referred": 1, "other": 1, "unknown": 1}
    assert table["amount"].to_dict() == {"referred": 40, "other": 230, "unknown": 60}
    assert table["customers_share"].sum() == pytest.approx(1) and table["amount_share"].sum() == pytest.approx(1)
    for origin, own in (("referred", [0, 40, 0]), ("other", [230, 0, 0]), ("unknown", [0, 0, 60])):
        limits = table.loc[origin, ["amount_share", "amount_low_share", "amount_high_share"]].tolist()
        assert limits == pytest.approx(list(clustered_share(own, [230, 40, 60])[:3])), origin
    by_channel = loyalty.referral_share(small(referral_channels=["ads"])).set_index("origin")
    assert by_channel.loc["referred", "customers_count"] == 2


def test_nobody_recommends_himself():
    leads = TABLES["leads"].assign(referred_by=["a", "b"])
    assert loyalty.referral_share(small(leads=leads)).set_index("origin").loc["referred", "customers_count"] == 0


def test_the_channel_of_an_order_counts_where_there_is_no_lead():
    orders = TABLES["orders"].assign(channel=np.where(TABLES["orders"]["customer_id"] == "c", "friends", None))
    table = loyalty.referral_share(small(orders=orders, referral_channels=["friends"])).set_index("origin")
    assert table["customers_count"].to_dict() == {"referred": 2, "other": 1, "unknown": 0}


def test_a_lead_after_the_first_order_did_not_bring_it():
    leads = TABLES["leads"].assign(created_at=["2025-12-30", "2026-01-06"])
    assert loyalty.referral_share(small(leads=leads)).set_index("origin").loc["unknown", "customers_count"] == 2


def test_referral_coefficient_by_hand():
    for process in on_engines("p", TABLES, **SETTINGS).values():
        result = loyalty.referral_coefficient(process)
        assert (result.referred_count, result.active_count, result.referrals_per_customer) == (1, 4, 0.25)
    assert loyalty.referral_coefficient(small(as_of="2027-01-05 12:00:01")).referred_count == 0


def test_a_quarter_of_the_custom_clients_are_recommended(demo):
    """The story of the demonstration company."""
    row = loyalty.referral_share(demo.process("custom")).set_index("origin").loc["referred"]
    assert row["customers_low_share"] < 0.25 < row["customers_high_share"]
    assert row["customers_share"] == pytest.approx(0.25, abs=0.02)


def test_lateness_by_hand():
    """a: own gaps 10, 10, 99, usual (10³·20²)^(1/5), silent from 30 April noon to 1 June; c has no gap of its own."""
    table = assert_parity(loyalty.lateness, on_engines("p", TABLES, **SETTINGS)).set_index("customer_id")
    usual = (10**3 * 20**2) ** 0.2
    assert table.loc["a", ["silence_days", "usual_gap_days"]].tolist() == pytest.approx([31.5, usual])
    assert table.loc["a", "lateness"] == pytest.approx(31.5 / usual)
    assert table.loc["c", ["silence_days", "usual_gap_days"]].tolist() == pytest.approx([83, 20])
    assert table["is_late"].to_dict() == {"a": False, "b": True, "c": True, "d": True}
    assert table["yearly_amount"].to_dict() == {"d": 70, "c": 60, "b": 40, "a": 230}
    assert table.index.tolist() == ["d", "c", "b", "a"]


def test_the_twenty_late_clients_are_found(demo):
    """The story of the demonstration company: exactly these regulars of wholesale are silent for too long."""
    truth = json.loads((ROOT / "data" / "demo" / "truth.json").read_text())["processes"]["wholesale"]["stories"]["late_clients"]
    table = loyalty.lateness(demo.process("wholesale"))
    late = table[table["is_late"] & (table["orders_count"] >= truth["at_least_orders_count"])]
    assert sorted(late["customer_id"]) == sorted(truth["customer_ids"])


# -- edges and laws ---------------------------------------------------------------------------------------------------------


def test_no_orders_at_all_and_no_table():
    for process in on_engines("p", {"orders": TABLES["orders"].head(0)}, as_of="2026-06-01").values():
        assert len(loyalty.cohort_retention(process)) == 0 and len(loyalty.lateness(process)) == 0
        assert len(loyalty.average_retention(loyalty.cohort_retention(process))) == 0
        assert loyalty.sales_split(process)["orders_count"].sum() == 0
        assert math.isnan(loyalty.repeat_share(process).share) and math.isnan(loyalty.repeat_rate(process).share)
        assert loyalty.referral_share(process)["customers_count"].sum() == 0
    without = Process.from_tables("p", leads=TABLES["leads"], as_of="2026-06-01")
    for measure in (loyalty.cohort_retention, loyalty.sales_split, loyalty.repeat_share, loyalty.repeat_rate,
                    loyalty.referral_share, loyalty.lateness):
        with pytest.raises(MeasureError, match="needs the table 'orders'"):
            measure(without)


def test_one_customer_with_one_order():
    process = Process.from_tables("p", orders=TABLES["orders"].query("order_id == 'c1'"), as_of="2026-05-20")
    assert loyalty.cohort_retention(process)["active_count"].tolist() == [1, 0, 0]
    assert not loyalty.cohort_retention(process, bounded=False)["complete"].any()
    assert loyalty.sales_split(process)["orders_share"].tolist() == [1, 0, 0, 0, 0, 0]
    assert loyalty.lateness(process)["lateness"].isna().all() and not loyalty.lateness(process)["is_late"].any()
    assert loyalty.repeat_share(process).share == 0


histories = st.lists(st.tuples(st.integers(0, 200), st.sampled_from("abcd"), st.integers(-2, 9)), min_size=1, max_size=25)


@settings(max_examples=8)
@given(histories, st.randoms())
def test_laws(rows, random):
    orders = pd.DataFrame(rows, columns=["day", "customer_id", "amount"]).assign(order_id=[f"{n:02}" for n in range(len(rows))])
    orders["ordered_at"] = pd.Timestamp(2026, 1, 1) + pd.to_timedelta(orders.pop("day"), unit="D")
    order = list(range(len(orders)))
    random.shuffle(order)
    process = Process.from_tables("p", orders=orders, as_of="2026-08-01")
    mixed = Process.from_tables("p", orders=orders.iloc[order], as_of="2026-08-01")
    for measure in (loyalty.sales_split, loyalty.cohort_retention, loyalty.lateness):
        pd.testing.assert_frame_equal(measure(process), measure(mixed))
    split = loyalty.sales_split(process)
    positive = orders[orders["amount"] > 0]
    assert split["orders_count"].sum() == len(positive) and split["amount"].sum() == positive["amount"].sum()
    assert split.loc[split["kind"] == "first", "orders_count"].sum() == positive["customer_id"].nunique()
    bounded, unbounded = loyalty.cohort_retention(process), loyalty.cohort_retention(process, bounded=False)
    assert (bounded["active_count"] <= unbounded["active_count"]).all()
    assert unbounded.groupby("cohort")["active_count"].apply(lambda counts: counts.is_monotonic_decreasing).all()
    start = bounded[bounded["age"] == 0]
    assert (start["active_count"] == start["customers_count"]).all()
    share = loyalty.repeat_share(process)
    assert math.isnan(share.share) if positive.empty else 0 <= share.low_share <= share.share <= share.high_share <= 1 or (
        math.isnan(share.low_share))
