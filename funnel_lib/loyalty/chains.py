"""Who recommends: chains of recommendations, the biggest recommenders, and what the clients they brought have paid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import REFERRED, customers, money_rows, named_self
from funnel_lib.engine import collect, flag, left_join
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.rates import rate

FOREST = ["customer_id", "referred_by", "tree_id", "generation", "referred_count", "chain_count", "chain_depth", "amount",
          "is_customer"]
CHAINS = ["customer_id", "referred_count", "chain_count", "chain_depth", "amount", "chain_amount", "is_customer"]


@dataclass(frozen=True)
class ReferralSummary:
    """How many customers recommend, how far it goes, and what of it the records do not tell."""

    customers_count: int
    recommending_count: int
    recommending_share: float
    recommending_low_share: float
    recommending_high_share: float
    named_count: int
    unnamed_count: int
    outside_count: int
    self_named_count: int
    circles_count: int
    trees_count: int
    largest_tree_count: int
    most_referred_count: int
    chain_depth: int


def referral_chains(process: Process) -> pd.DataFrame:
    """Everybody who brought a new customer by recommendation, the one who brought most first.

    One row is a recommender. Columns: `customer_id`; `referred_count`, new customers brought directly; `chain_count`, those, the
    ones whom they brought, and so on; `chain_depth` (1: only direct ones); `amount` that those brought directly have paid so
    far and `chain_amount` that all below have paid, refunds taken off; `is_customer`, whether the recommender has an order in
    this process. A new customer has one recommender: whom the lead of the first order names. Who names himself counts as
    brought by nobody. Where recommenders go in a circle (A brought B and B brought A), the one whose first order came first (on
    the same moment by id) was brought by nobody.
    Raises `MeasureError` where there are no orders or leads do not say who recommended.
    """
    forest, _ = _forest(process)
    table = forest[forest["referred_count"] > 0].drop(columns="amount").rename(columns={"brought_amount": "amount"})
    order = ["referred_count", "chain_count", "customer_id"]
    return process.tidy(table.sort_values(order, ascending=[False, False, True])[CHAINS])


def referral_forest(process: Process) -> pd.DataFrame:
    """The same as trees: everybody who recommended or was recommended by a named one, the largest tree first.

    One row is a person. Columns: `customer_id`, `referred_by` (missing at the root of a tree), `tree_id` (the root), `generation`
    (0 at the root), `referred_count`, `chain_count` and `chain_depth` below this person as in `referral_chains`, `amount` that
    this person paid so far, `is_customer`. Raises what `referral_chains` raises.
    """
    forest, _ = _forest(process)
    size = forest.set_index("customer_id")["chain_count"]
    forest = forest.assign(_size=forest["tree_id"].map(size))
    order = ["_size", "tree_id", "generation", "chain_count", "customer_id"]
    return process.tidy(forest.sort_values(order, ascending=[False, True, True, False, True])[FOREST])


def referral_summary(process: Process) -> ReferralSummary:
    """What share of the customers ever brought a new one, how far chains go, and what is not known.

    A frozen dataclass: `customers_count` (all of the process), `recommending_count` of them and `recommending_share` with Wilson
    limits; `named_count`, new customers whose recommender is named, and `unnamed_count`, referred ones without a name;
    `outside_count`, recommenders without an order in this process; `self_named_count`, new customers who name themselves;
    `circles_count` that were broken; `trees_count`, `largest_tree_count` (all below the root of the largest tree),
    `most_referred_count` (brought directly by one person), `chain_depth` of the longest chain. Raises what `referral_chains`
    raises.
    """
    forest, circles = _forest(process)
    recommenders = forest[forest["referred_count"] > 0]
    inside = int(recommenders["is_customer"].sum())
    everyone = customers(process)
    counted = collect(everyone.select(nw.len().alias("n")))["n"].iloc[0]
    share = rate(inside, counted)
    new = everyone.filter(nw.col("is_older") == 0).with_columns(
        _self=flag(named_self()), _unnamed=flag((nw.col("origin") == REFERRED) & (nw.col("referred_by").is_null() | named_self())))
    odd = collect(new.select(nw.col("_self", "_unnamed").sum())).fillna(0).iloc[0]
    named = int((forest["generation"] > 0).sum()) + circles
    return ReferralSummary(
        int(counted), inside, share.share, share.low_share, share.high_share, named, int(odd["_unnamed"]),
        len(recommenders) - inside, int(odd["_self"]), circles, int((forest["generation"] == 0).sum()),
        int(forest["chain_count"].max() if len(forest) else 0), int(forest["referred_count"].max() if len(forest) else 0),
        int(forest["chain_depth"].max() if len(forest) else 0))


def links(process: Process) -> nw.LazyFrame:
    """New customers whose recommender is named and is somebody else: columns of `customers`.

    Raises `MeasureError` where leads do not say who recommended.
    """
    if not process.has("leads", "referred_by"):
        raise MeasureError(message("{process}: needs the column 'referred_by' of leads, the customer who recommended, to tell "
                                   "who brings new clients", process=process.name))
    return customers(process).filter((nw.col("is_older") == 0) & ~nw.col("referred_by").is_null() & ~named_self())


def _forest(process: Process) -> tuple[pd.DataFrame, int]:
    """Everybody who recommended or was recommended, and the number of circles broken."""
    return process.remembered(("referral_forest",), lambda: _grown(process))


def _grown(process: Process) -> tuple[pd.DataFrame, int]:
    totals = money_rows(process).filter(~nw.col("customer_id").is_null()).group_by("customer_id").agg(nw.col("amount").sum())
    brought = collect(left_join(links(process).select("customer_id", "referred_by", "first_order_at"), totals, "customer_id"))
    brought = brought.sort_values(["first_order_at", "customer_id"], ignore_index=True)
    names = links(process).select(customer_id=nw.col("referred_by")).unique()
    people = customers(process).select("customer_id").join(names, on="customer_id", how="semi")
    known = pd.concat([collect(left_join(people, totals, "customer_id")), brought[["customer_id", "amount"]]])
    known = known.drop_duplicates("customer_id").set_index("customer_id")["amount"]
    ids = pd.Index(brought["referred_by"]).union(brought["customer_id"]).unique()
    parent, place = np.full(len(ids), -1), ids.get_indexer(brought["customer_id"])
    parent[place] = ids.get_indexer(brought["referred_by"])
    turn = np.zeros(len(ids))
    turn[place] = np.arange(len(brought))
    parent, circles = without_circles(parent, turn)
    amount = known.reindex(ids).fillna(0).to_numpy(dtype=float)
    forest = _below(parent, amount).assign(customer_id=ids, is_customer=ids.isin(known.index))
    forest["referred_by"] = pd.Series(ids.to_numpy(dtype=object)[parent]).where(parent >= 0)
    forest["tree_id"] = ids.to_numpy(dtype=object)[forest["tree"]]
    money = ["amount", "brought_amount", "chain_amount"]
    forest[money] = forest[money] / process.minor_units
    return forest, circles


def leaves_first(parent: np.ndarray) -> Iterator[np.ndarray]:
    """Nodes in rounds, each after all that are below it; `parent` is −1 at a root. Nodes on a circle never come.

    >>> [nodes.tolist() for nodes in leaves_first(np.array([-1, 0, 1, 0, 5, 4]))]
    [[2, 3], [1], [0]]
    """
    waiting = np.bincount(parent[parent >= 0], minlength=len(parent))
    ready = np.flatnonzero(waiting == 0)
    while len(ready):
        yield ready
        above = parent[ready]
        above = above[above >= 0]
        np.subtract.at(waiting, above, 1)
        above = np.unique(above)
        ready = above[waiting[above] == 0]


def without_circles(parent: np.ndarray, turn: np.ndarray) -> tuple[np.ndarray, int]:
    """The parents with every circle opened at its node of the lowest `turn`, which becomes a root, and how many there were.

    >>> without_circles(np.array([1, 2, 0, 0]), np.array([5, 3, 4, 1]))
    (array([ 1, -1,  0,  0]), 1)
    """
    on_circle = np.ones(len(parent), dtype=bool)
    for nodes in leaves_first(parent):
        on_circle[nodes] = False
    parent, circles = parent.copy(), 0
    for start in np.flatnonzero(on_circle):
        if on_circle[start]:
            circle = [start]
            while parent[circle[-1]] != start:
                circle.append(parent[circle[-1]])
            on_circle[circle] = False
            parent[min(circle, key=turn.__getitem__)] = -1
            circles += 1
    return parent, circles


def _below(parent: np.ndarray, amount: np.ndarray) -> pd.DataFrame:
    """Per node its tree and generation, and how many, how deep and how much money is below it.

    One step per generation, not per node.
    """
    size, has_parent = len(parent), parent >= 0
    count, depth, money = np.zeros(size, dtype=int), np.zeros(size, dtype=int), np.zeros(size)
    rounds = [nodes[has_parent[nodes]] for nodes in leaves_first(parent)]
    for nodes in rounds:
        above = parent[nodes]
        np.add.at(count, above, count[nodes] + 1)
        np.maximum.at(depth, above, depth[nodes] + 1)
        np.add.at(money, above, money[nodes] + amount[nodes])
    tree, generation = np.arange(size), np.zeros(size, dtype=int)
    for nodes in reversed(rounds):
        tree[nodes], generation[nodes] = tree[parent[nodes]], generation[parent[nodes]] + 1
    direct = np.bincount(parent[has_parent], minlength=size)
    brought = np.bincount(parent[has_parent], weights=amount[has_parent], minlength=size)
    return pd.DataFrame({"tree": tree, "generation": generation, "referred_count": direct, "chain_count": count,
                         "chain_depth": depth, "amount": amount, "brought_amount": brought, "chain_amount": money})
