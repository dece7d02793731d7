"""Small companies whose data are awkward: each measure, sentence and chart must say something sensible of them."""

from __future__ import annotations

import pandas as pd

NAMES = ["order_id", "customer_id", "ordered_at", "amount", "margin"]
# a: a first order at a loss, a second one with a refund after it; b: two orders of one moment; d known from before; one nameless.
ORDERS = pd.DataFrame(
    [("a1", "a", "2026-01-10 12:00", 100, -20), ("a2", "a", "2026-02-20", 100, 30), ("a9", "a", "2026-02-25", -50, -15),
     ("b1", "b", "2026-01-10 12:00", 100, -10), ("b2", "b", "2026-01-10 12:00", 100, 40), ("d1", "d", "2026-01-15", 200, 50),
     ("n1", None, "2026-03-01", 80, 8)], columns=NAMES)
TABLES = {
    "orders": ORDERS,
    "leads": pd.DataFrame({"lead_id": ["la", "lb"], "customer_id": ["a", "b"], "created_at": "2026-01-02", "owner": ["ann", None]}),
    "customers": pd.DataFrame({"customer_id": ["d"], "first_order_at": ["2020-05-05"]}),
    "spend": pd.DataFrame({"stage": ["lead_generation", "conversion", "account_management"], "amount": [60, 40, 12],
                           "date": "2026-01-05"}),
}
SETTINGS = {"as_of": "2026-04-15", "observed_from": "2026-01-01"}


def orders(rows: list[tuple]) -> dict:
    """A company of these orders: (customer, day, amount, margin)."""
    frame = pd.DataFrame([(f"{number:03}", *row) for number, row in enumerate(rows)], columns=NAMES)
    return {"orders": frame, "spend": TABLES["spend"]}


MANY = [(f"c{number:02}", "2026-01-10", 100, 30) for number in range(40)]
BAD = {
    "refunds above purchases": orders([("a", "2026-01-10", 100, 30), ("a", "2026-01-20", -150, -45), ("b", "2026-01-11", 10, 3)]),
    "all is refunded": orders([("a", "2026-01-10", 100, 30), ("a", "2026-01-20", -150, -45)]),
    "a refund alone": orders([("a", "2026-01-20", -150, -45)]),
    "one giant client": orders([*MANY, ("giant", "2026-01-10", 1e9, 3e8)]),
    "one client": orders([("a", "2026-01-10", 100, 30), ("a", "2026-02-10", 100, 30)]),
    "everybody once": orders(MANY),
    "a month of history": {**orders([*MANY, ("c01", "2026-01-15", 50, 5)]), "as_of": "2026-02-01"},
    "one moment": orders([("a", "2026-01-10", 100, 30)] * 3 + [("b", "2026-01-10", 50, 5)] * 2),
    "amounts of zero": orders([("a", "2026-01-10", 0, 0), ("b", "2026-01-11", 10, 3), ("b", "2026-02-11", 0, -3)]),
    "only amounts of zero": orders([("a", "2026-01-10", 0, 0)]),
    "no margin": {**TABLES, "orders": ORDERS.drop(columns="margin")},
    "some margins": {**TABLES, "orders": ORDERS.assign(margin=ORDERS["margin"].where(ORDERS["order_id"] != "a2"))},
    "every order at a loss": orders([(f"c{number:02}", "2026-01-10", 100, -30) for number in range(40)]),
    "no spend": {name: frame for name, frame in TABLES.items() if name != "spend"},
    "spend for clients one has only": {**TABLES, "spend": TABLES["spend"].query("stage == 'account_management'")},
    "hours without a cost": {**TABLES, "spend": None, "work": pd.DataFrame({
        "date": ["2026-01-05"], "stage": ["conversion"], "role": ["seller"], "hours": [5.0]})},
    "nameless orders only": orders([(None, "2026-01-10", 100, 30), (None, "2026-02-10", 100, 30)]),
    "no order yet": {**TABLES, "orders": ORDERS.head(0)},
    "no orders": {name: frame for name, frame in TABLES.items() if name != "orders"},
    "names that are markup": orders([("<b>$x$</b>", "2026-01-10", 100, 30), ("$y_1$", "2026-02-10", 300, 30)]),
    "by hand": TABLES,
}
