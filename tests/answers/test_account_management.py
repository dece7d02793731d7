"""The answer of exercise 3: numbers counted by hand, the stories of the demonstration company, and what is missing."""

from __future__ import annotations

import pandas as pd
import pytest

from funnel_lib import Process, answers
from tests.test_loyalty import SETTINGS, TABLES, small


def keyed(sentences: list) -> dict:
    return {sentence.key: sentence for sentence in sentences}


def said(process: Process) -> dict:
    """Key → sentence."""
    return keyed(answers.account_management(process))


def test_sentences_carry_the_numbers_counted_by_hand():
    sentences = said(small())
    assert next(iter(sentences)) == "repeat_share"
    assert sentences["repeat_share"].numbers["part_count"] == 6 and sentences["repeat_share"].numbers["whole_count"] == 9
    assert sentences["retention"].numbers == pytest.approx({"retained_share_1": 1 / 3, "retained_share_3": 1 / 2})
    assert sentences["referral_share"].numbers["unknown_count"] == 1
    assert sentences["lateness"].numbers["late_count"] == 3 and sentences["lateness"].numbers["amount"] == 170


def test_about_half_is_said_only_where_it_is_sure():
    """6 of 9 orders of three customers tell nothing of a half; one order tells nothing at all; one names no customer."""
    sentence = said(small())["repeat_share"]
    assert sentence.startswith("Repeat sales: 66.7") and "1 order names no customer" in sentence
    one = said(small(orders=TABLES["orders"].query("order_id == 'c1'")))["repeat_share"]
    assert "cannot be told" in one and "share" not in one.numbers


def test_the_recommended_quarter_of_custom_is_said(told):
    numbers = keyed(told("account_management", "custom"))["referral_share"].numbers
    assert numbers["share"] == pytest.approx(0.25, abs=0.02) and numbers["low_share"] < 0.25 < numbers["high_share"]


def test_unknown_origins_are_not_taken_for_no_recommendations():
    sentences = said(small(leads=None))
    assert "cannot be told" in sentences["referral_share"] and "share" not in sentences["referral_share"].numbers
    assert sentences["perhaps_older"].numbers["perhaps_older_count"] == 2


@pytest.mark.parametrize("tables", [
    {"leads": TABLES["leads"]}, {"orders": TABLES["orders"].head(0)}, {"orders": TABLES["orders"].query("order_id == 'c1'")},
    {"orders": TABLES["orders"].query("amount <= 0")}, {"orders": TABLES["orders"].query("order_id == 'n1'")}])
def test_whatever_is_missing_is_said_and_nothing_undefined_is(tables):
    sentences = answers.account_management(Process.from_tables("p", **tables, **SETTINGS))
    assert sentences and all(sentence.endswith(".") for sentence in sentences)
    assert not any(word in " ".join(sentences).lower() for word in ("nan", " inf", "none ", "n/a"))


def bought(rows: list[tuple], **tables: object) -> Process:
    """A process of orders (customer, day), each of 10."""
    orders = pd.DataFrame(rows, columns=["customer_id", "ordered_at"]).assign(amount=10.0, margin=3.0)
    orders["order_id"] = [f"{number:03}" for number in range(len(orders))]
    return Process.from_tables("p", orders=orders, **{"as_of": "2026-03-01", "observed_from": "2026-01-01"} | tables)


def test_one_client_is_spoken_of_as_one():
    sentences = said(bought([("a", "2026-01-10"), ("a", "2026-02-10")]))
    assert sentences["lateness"].startswith("The only client has not been silent")
    assert sentences["next_order"].startswith("The only client came for a second order")
    assert "nobody who had come again is leaving" in sentences["client_groups"] and "1 more is" not in sentences["client_groups"]
    assert not any(value != value for sentence in sentences.values() for value in sentence.numbers.values())


def test_the_coefficient_names_its_window():
    """59 days of records are no year; the recommended client is one of two."""
    leads = pd.DataFrame({"lead_id": ["1", "2"], "customer_id": ["a", "b"], "created_at": "2026-01-02", "channel": "ads",
                          "referred_by": [None, "a"]})
    sentence = said(bought([("a", "2026-01-10"), ("b", "2026-02-10")], leads=leads))["referral_coefficient"]
    assert sentence.startswith("In the 59\N{NO-BREAK SPACE}days of the records 1 new client came") and sentence.numbers["window_days"] == 59


def test_clients_perhaps_older_are_said_to_be_in_shares_only():
    sentence = said(small(leads=None))["perhaps_older"]
    assert "count them as new" in sentence and "payback and the value of a client leave them out" in sentence


def test_clients_all_alike_leave_no_interval():
    """40 clients with one order each: an interval from 0 to 0 % would promise what nobody knows."""
    sentences = said(bought([(f"c{number}", "2026-01-10") for number in range(40)]))
    for key in ("after_first", "first_sale", "lifetime_value"):
        assert "interval" not in sentences[key]
