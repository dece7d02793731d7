"""Chains of recommendations: trees counted by hand, a second way in plain Python, the planted recommender, circles, laws."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_lib import MeasureError, Process, loyalty
from funnel_lib.customers import customers
from funnel_lib.engine import collect
from funnel_lib.loyalty.chains import _below, links, without_circles
from tests.conftest import ROOT
from tests.engines import assert_parity, on_engines

# a brought b and c, b brought d; e names himself; x, no customer here, brought f, who brought g. h: nobody says.
BOUGHT = {"a": ("2026-01-01", 100), "b": ("2026-02-01", 50), "c": ("2026-03-01", 20), "d": ("2026-04-01", 10),
          "e": ("2026-02-10", 30), "f": ("2026-05-01", 40), "g": ("2026-05-02", 5), "h": ("2026-05-03", 1)}
BROUGHT_BY = {"a": None, "b": "a", "c": "a", "d": "b", "e": "e", "f": "x", "g": "f", "h": None}


def tables(bought: dict, brought_by: dict) -> dict[str, pd.DataFrame]:
    """One order and one lead, a day before it, of each customer."""
    orders = pd.DataFrame([(f"o{name}", name, at, amount) for name, (at, amount) in bought.items()],
                          columns=["order_id", "customer_id", "ordered_at", "amount"])
    leads = pd.DataFrame({"lead_id": [f"l{name}" for name in bought], "customer_id": list(bought),
                          "created_at": pd.to_datetime(orders["ordered_at"]) - pd.Timedelta(days=1),
                          "referred_by": [brought_by.get(name) for name in bought], "channel": "ads"})
    return {"orders": orders, "leads": leads}


def small(**changes) -> Process:
    return Process.from_tables("p", **{**tables(BOUGHT, BROUGHT_BY), "as_of": "2026-06-01", "observed_from": "2025-01-01", **changes})


def test_recommenders_by_hand():
    both = on_engines("p", tables(BOUGHT, BROUGHT_BY), as_of="2026-06-01", observed_from="2025-01-01")
    table = assert_parity(loyalty.referral_chains, both)
    assert table.to_numpy().tolist() == [
        ["a", 2, 3, 2, 70, 80, True], ["x", 1, 2, 2, 40, 45, False], ["b", 1, 1, 1, 10, 10, True], ["f", 1, 1, 1, 5, 5, True]]


def test_trees_by_hand():
    both = on_engines("p", tables(BOUGHT, BROUGHT_BY), as_of="2026-06-01", observed_from="2025-01-01")
    table = assert_parity(loyalty.referral_forest, both)
    assert table[["customer_id", "tree_id", "generation", "amount"]].to_numpy().tolist() == [
        ["a", "a", 0, 100], ["b", "a", 1, 50], ["c", "a", 1, 20], ["d", "a", 2, 10], ["x", "x", 0, 0], ["f", "x", 1, 40], ["g", "x", 2, 5]]
    assert table["referred_by"].fillna("-").tolist() == ["-", "a", "a", "b", "-", "x", "f"]


def test_summary_by_hand():
    """a, b and f of eight customers recommend; x is not from here; e names himself."""
    result = loyalty.referral_summary(small())
    assert (result.customers_count, result.recommending_count, result.recommending_share) == (8, 3, 3 / 8)
    assert result.recommending_low_share < 3 / 8 < result.recommending_high_share
    assert (result.named_count, result.unnamed_count, result.outside_count, result.self_named_count) == (5, 0, 1, 1)
    assert (result.circles_count, result.trees_count, result.largest_tree_count, result.most_referred_count, result.chain_depth) == (
        0, 2, 3, 2, 2)


def test_a_referral_channel_without_a_name_is_counted_as_such():
    """All came through it; e names himself, a and h nobody."""
    assert loyalty.referral_summary(small(referral_channels=["ads"])).unnamed_count == 3


def test_refunds_above_purchases_make_the_amount_negative():
    both = tables(BOUGHT, BROUGHT_BY)
    refund = pd.DataFrame([("r", "b", "2026-02-03", -60)], columns=["order_id", "customer_id", "ordered_at", "amount"])
    row = loyalty.referral_chains(small(orders=pd.concat([both["orders"], refund]))).iloc[0]
    assert row[["customer_id", "amount", "chain_amount"]].tolist() == ["a", 10, 20]


def test_a_circle_is_opened_at_whoever_bought_first():
    """a and b name each other, c names a: a bought first. d, e and f in a circle on one moment: the first by id."""
    bought = {"b": ("2026-02-01", 1), "a": ("2026-01-01", 1), "c": ("2026-01-05", 1), "f": ("2026-03-01", 1), "e": ("2026-03-01", 1),
              "d": ("2026-03-01", 1)}
    names = {"a": "b", "b": "a", "c": "a", "d": "e", "e": "f", "f": "d"}
    process = small(**tables(bought, names))
    forest = loyalty.referral_forest(process).set_index("customer_id")
    assert forest["referred_by"].fillna("-").to_dict() == {"a": "-", "b": "a", "c": "a", "d": "-", "e": "f", "f": "d"}
    summary = loyalty.referral_summary(process)
    assert (summary.circles_count, summary.named_count, summary.trees_count, summary.chain_depth) == (2, 6, 2, 2)


def test_a_chain_of_five_thousand():
    names = [f"c{number:04d}" for number in range(5_000)]
    bought = {name: (pd.Timestamp(2024, 1, 1) + pd.Timedelta(hours=number), 1) for number, name in enumerate(names)}
    process = small(**tables(bought, dict(zip(names[1:], names, strict=False))))
    summary = loyalty.referral_summary(process)
    assert (summary.chain_depth, summary.largest_tree_count, summary.trees_count) == (4_999, 4_999, 1)
    assert loyalty.referral_chains(process).iloc[0][["customer_id", "chain_amount"]].tolist() == ["c0000", 4_999]


def test_a_customer_of_two_processes_recommends_from_outside_in_the_other():
    """a bought in p and in q; k bought in p only and brought b in q."""
    orders = pd.DataFrame([("1", "a", "p"), ("2", "a", "q"), ("3", "k", "p"), ("4", "b", "q")], columns=["order_id", "customer_id", "process"])
    orders = orders.assign(ordered_at="2026-02-02", amount=10)
    leads = pd.DataFrame([("1", "a", "p", None), ("2", "a", "q", "k"), ("4", "b", "q", "k")],
                         columns=["lead_id", "customer_id", "process", "referred_by"]).assign(created_at="2026-02-01")
    chains = loyalty.referral_chains(Process.from_tables("q", orders=orders, leads=leads, as_of="2026-06-01"))
    assert chains[["customer_id", "referred_count", "amount", "is_customer"]].to_numpy().tolist() == [["k", 2, 20, False]]
    assert len(loyalty.referral_chains(Process.from_tables("p", orders=orders, leads=leads, as_of="2026-06-01"))) == 0


def test_customers_known_from_before_recommend_but_are_not_brought():
    """b is known from before: nobody brought him, but he brought d."""
    known = pd.DataFrame({"customer_id": ["b"], "first_order_at": ["2020-01-01"]})
    chains = loyalty.referral_chains(small(customers=known)).set_index("customer_id")["referred_count"]
    assert chains.to_dict() == {"a": 1, "b": 1, "f": 1, "x": 1}


def test_nobody_recommends_and_nobody_says():
    none = small(**tables(BOUGHT, {}))
    assert len(loyalty.referral_chains(none)) == len(loyalty.referral_forest(none)) == 0
    assert loyalty.referral_summary(none).chain_depth == 0 and loyalty.referral_summary(none).recommending_share == 0
    empty = small(orders=tables(BOUGHT, {})["orders"].head(0))
    assert np.isnan(loyalty.referral_summary(empty).recommending_share)
    for leads in (None, tables(BOUGHT, {})["leads"].drop(columns="referred_by")):
        with pytest.raises(MeasureError, match="needs the column 'referred_by' of leads"):
            loyalty.referral_chains(small(leads=leads))
    with pytest.raises(MeasureError, match="needs the table 'orders'"):
        loyalty.referral_chains(Process.from_tables("p", leads=tables(BOUGHT, BROUGHT_BY)["leads"], as_of="2026-06-01"))


# -- a second way, and the planted truth -----------------------------------------------------------------------------------


def walked(parent: list[int]) -> dict[str, list[int]]:
    """Every node walks up to its root: who is met has one more below, at that distance."""
    below, depth, generation = [0] * len(parent), [0] * len(parent), []
    for node in range(len(parent)):
        steps, above = 0, parent[node]
        while above >= 0:
            steps += 1
            below[above] += 1
            depth[above] = max(depth[above], steps)
            above = parent[above]
        generation.append(steps)
    return {"chain_count": below, "chain_depth": depth, "generation": generation}


@given(st.integers(1, 12).flatmap(lambda size: st.lists(st.integers(-1, size - 1), min_size=size, max_size=size)))
def test_trees_against_walking_up(named):
    """Anybody may name anybody, himself excepted: circles and what hangs on them included."""
    parent = np.array([-1 if name == node else name for node, name in enumerate(named)])
    turn = np.arange(len(parent))[::-1]
    opened, circles = without_circles(parent, turn)
    assert (opened != parent).sum() == circles and (opened[opened != parent] == -1).all()
    table = _below(opened, np.ones(len(parent)))
    for name, expected in walked(opened.tolist()).items():
        assert table[name].tolist() == expected, name
    assert table["referred_count"].sum() == (opened >= 0).sum()
    assert table.loc[opened < 0, "chain_count"].sum() == (opened >= 0).sum()
    assert table["chain_amount"].tolist() == table["chain_count"].tolist()
    assert (table["chain_count"] >= table["referred_count"]).all()


def plain_links(process: Process) -> pd.DataFrame:
    """New customers with the recommender whom the lead of the first order names, in plain pandas."""
    leads = collect(process.table("leads")).set_index("lead_id")
    orders = collect(process.table("orders")).query("amount > 0").sort_values(["ordered_at", "order_id"])
    first = orders.drop_duplicates("customer_id").dropna(subset=["lead_id"])
    first = first.assign(referred_by=first["lead_id"].map(leads["referred_by"])).dropna(subset=["referred_by"])
    known = set(collect(process.table("customers"))["customer_id"])
    return first[(first["referred_by"] != first["customer_id"]) & ~first["customer_id"].isin(known)][["customer_id", "referred_by"]]


@pytest.mark.parametrize("name", ["wholesale", "retail", "custom"])
def test_the_referral_tree_of_the_demonstration_company_is_recovered(demo, name):
    process = demo.process(name)
    expected = plain_links(process).sort_values("customer_id").to_numpy().tolist()
    assert collect(links(process).select("customer_id", "referred_by")).sort_values("customer_id").to_numpy().tolist() == expected
    chains = loyalty.referral_chains(process).set_index("customer_id")["referred_count"]
    assert chains.to_dict() == plain_links(process)["referred_by"].value_counts().to_dict()


def test_the_planted_recommender_is_first(demo):
    truth = json.loads((ROOT / "data" / "demo" / "truth.json").read_text(encoding="utf-8"))["processes"]["custom"]["stories"]["recommender"]
    first, second = loyalty.referral_chains(demo.process("custom")).iloc[:2].itertuples()
    assert (first.customer_id, first.referred_count) == (truth["customer_id"], truth["new_customers_count"])
    assert second.referred_count < first.referred_count and first.is_customer


def test_the_recommender_of_a_customer_is_that_of_the_rule_of_origins():
    people = collect(customers(small())).set_index("customer_id")
    assert people["origin"].to_dict() == {"a": "other", "b": "referred", "c": "referred", "d": "referred", "e": "other", "f": "referred",
                                          "g": "referred", "h": "other"}
