"""Sentences on who is kept: numbers counted by hand, the stories of the demonstration company, and what bad data make of them."""

from __future__ import annotations

import pandas as pd
import pytest

from funnel_lib import Process
from funnel_lib.answers.of_kept import cohort_money, next_orders, revenue, still_clients
from tests.charts.test_kept import many
from tests.loyalty.test_next_order import AS_OF, SEVEN
from tests.loyalty.test_revenue import ORDERS
from tests.loyalty.test_revenue import SETTINGS as THREE_YEARS
from tests.test_loyalty import SETTINGS, TABLES, small

COLUMNS = ["order_id", "customer_id", "ordered_at", "amount"]


def of(orders: pd.DataFrame, **changes) -> Process:
    return Process.from_tables("p", orders=orders, **{**THREE_YEARS, **changes})


def told(process: Process) -> dict:
    """Key → sentence of all four topics."""
    return {sentence.key: sentence for topic in (still_clients, cohort_money, next_orders, revenue) for sentence in topic(process)}


def test_numbers_counted_by_hand():
    assert revenue(of(ORDERS))[0].numbers == {"nrr": pytest.approx(0.88), "grr": pytest.approx(0.56), "customers_count": 4,
                                              "lost_count": 1, "joined_count": 1, "joined_amount": 60}
    said = revenue(of(ORDERS))[0].replace("\N{NO-BREAK SPACE}", " ")
    assert "paid €220 this year against €250" in said and "1 of 3 who bought then" in said and "few clients" in said
    money = cohort_money(small())[0]
    assert money.numbers == {"age": 3, "retained_value_share": pytest.approx(40 / 230)} and "interval" not in money
    assert still_clients(many())[0].numbers == {"retained_share_3": 0, "retained_share_6": 0}


def test_next_orders_are_told_from_thirty_clients_on():
    sentence = next_orders(many())[0]
    assert sentence.numbers["came_share_1"] == 0.25 and sentence.startswith("After the first order 25.0")
    assert next_orders(Process.from_tables("p", **SEVEN, **AS_OF))[0].startswith("2 of 3 clients came for a second order so far")


def yearly(back: int) -> Process:
    """40 clients, each for three years; so many of them come again, always 366 days after the order before."""
    rows = [(f"{n}-{turn}", f"c{n}", pd.Timestamp("2022-01-03") + pd.Timedelta(days=n + 366 * turn), 10)
            for n in range(40) for turn in range(3 if n < back else 1)]
    return Process.from_tables("p", orders=pd.DataFrame(rows, columns=COLUMNS), as_of="2025-01-01", observed_from="2020-01-01")


@pytest.mark.parametrize(("back", "words"), [
    (40, "come again within a year, half of all only later, within 366 days"),
    (12, "come again within a year, a quarter of all only later, within 366 days"), (5, "come again within a year: 5 came later")])
def test_a_rhythm_longer_than_a_year_is_not_told_as_nobody_coming(back, words):
    """Within 365 days 0 % of them come, and that alone would mislead."""
    sentence = next_orders(yearly(back))[0].replace("\N{NO-BREAK SPACE}", " ")
    assert sentence.startswith("After the first order 0 %") and words in sentence


def test_a_second_order_that_makes_a_third_likelier_is_said_only_where_intervals_lie_apart(demo):
    assert "comes a third time more often" in next_orders(demo.process("wholesale"))[0]
    assert "cannot be told: the intervals overlap" in next_orders(demo.process("custom"))[0]


@pytest.mark.parametrize(("orders", "key", "words"), [
    (ORDERS.query("customer_id in ['e', 'f']"), "revenue_retention", "there is none"),
    (ORDERS.query("customer_id == 'd'"), "revenue_retention", "refunds took all of it"),
    (ORDERS[ORDERS["ordered_at"] < "2024-07-01"].drop_duplicates("customer_id"), "next_order", "None of 4 clients has come"),
    (ORDERS.head(1), "next_order", "The only client has not come"),
    (ORDERS.query("customer_id == 'a'"), "revenue_retention", "It is one client"),
    (pd.concat([ORDERS, pd.DataFrame([("z1", "z", "2024-01-01", 1), ("z2", "z", "2025-01-01", 9000)], columns=COLUMNS)]),
     "revenue_retention", "One client alone made 97.3"),
    (pd.DataFrame([("1", "a", "2025-01-02", 100), ("2", "a", "2025-01-03", -150), ("3", "a", "2025-02-03", 30)], columns=COLUMNS),
     "cohort_money", "refunds took all that they paid")])
def test_bad_data_get_a_sentence(orders, key, words):
    assert words in told(of(orders))[key]


def test_a_month_of_history_is_too_short_for_anything():
    month = TABLES["orders"].query("ordered_at < '2026-02-01'")
    sentences = told(small(orders=month, as_of="2026-02-01"))
    assert "under 24 months" in sentences["revenue_retention"] and "cannot be told how long" in sentences["still_clients"]
    assert "so far: too few" in sentences["next_order"] and "cohort_money" not in sentences


def test_clients_that_are_too_young_to_be_lost():
    """a comes back after two months; nobody is silent for three times that yet."""
    orders = pd.DataFrame([("1", "a", "2026-01-02", 10), ("2", "a", "2026-03-02", 10)], columns=COLUMNS)
    assert "who is silent today may still order" in still_clients(of(orders, as_of="2026-04-01"))[0]


@pytest.mark.parametrize("tables", [
    {"orders": TABLES["orders"].head(0)}, {"orders": TABLES["orders"].query("order_id == 'c1'")},
    {"orders": TABLES["orders"].query("amount <= 0")}, {"orders": TABLES["orders"].query("order_id == 'n1'")}, TABLES])
def test_nothing_undefined_is_said(tables):
    sentences = told(Process.from_tables("p", **tables, **SETTINGS)).values()
    assert sentences and all(sentence.endswith(".") for sentence in sentences)
    assert not any(word in " ".join(sentences).lower() for word in ("nan", " inf", "none ", "n/a"))


@pytest.mark.parametrize("name", ["wholesale", "retail", "custom"])
def test_the_demonstration_company_is_told_in_full(demo, name):
    sentences = told(demo.process(name))
    assert list(sentences) == ["still_clients", "cohort_money", "next_order", "revenue_retention"]
    assert not any(word in " ".join(sentences.values()).lower() for word in ("nan", " inf", "n/a"))
