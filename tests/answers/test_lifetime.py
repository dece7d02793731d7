"""Sentences on what a client is worth: numbers of the measure, the check beside them, and a plain word where no model holds."""

from __future__ import annotations

import pandas as pd
import pytest

from funnel_lib import Process, loyalty
from funnel_lib.answers.of_lifetime import lifetime
from funnel_lib.answers.sentence import attempt
from funnel_lib.engine import collect
from tests.loyalty.test_lifetime_value import SETTINGS, TABLES, shop


def said(process: Process) -> dict:
    """Key → sentence; nothing undefined in any."""
    sentences = attempt(lifetime, process)
    assert sentences and all(sentence.endswith(".") for sentence in sentences)
    assert not any(word in " ".join(sentences).lower() for word in ("nan", " inf", "none ", "n/a"))
    assert not any(value != value for sentence in sentences for value in sentence.numbers.values())
    return {sentence.key: sentence for sentence in sentences}


def small(**changes) -> Process:
    return Process.from_tables("p", **{**TABLES, **SETTINGS, **changes})


def test_the_model_and_its_check_are_said_together(demo):
    process = demo.process("retail")
    sentences, result = said(process), loyalty.lifetime_value(process)
    assert list(sentences) == ["lifetime_value", "lifetime_check", "present_value"]
    assert sentences["lifetime_value"].numbers["ltv_amount"] == result.ltv_amount
    assert "within 24\N{NO-BREAK SPACE}months" in sentences["lifetime_value"] and "15.0" in sentences["lifetime_value"]
    assert sentences["lifetime_check"].numbers["holdout_error_share"] == result.holdout_error_share
    assert "584 came" in sentences["lifetime_check"]
    assert sentences["present_value"].numbers["unseen_count"] == result.unseen_count > 0


def test_a_first_sale_at_a_loss_is_said_as_one(demo):
    sentences = said(demo.process("wholesale"))
    assert "the first order loses" in sentences["lifetime_value"]
    # Its margin share is planted to grow with the number of the order, which one share for all repeat orders cannot follow.
    numbers = sentences["lifetime_course"].numbers
    assert numbers["expected_amount"] > 1.3 * numbers["observed_amount"] and numbers["since_first_months"] <= 6


def test_few_repeaters_are_the_reason_for_the_plain_figure(demo):
    sentences = said(demo.process("custom"))
    assert "only 76 clients came back, and a model needs 200" in sentences["lifetime_check"]
    assert sentences["lifetime_value"].numbers["method"] == "plain" and "present_value" not in sentences


def test_a_handful_of_clients():
    sentences = said(small())
    assert "only 1 client came back" in sentences["lifetime_check"] and "Fewer than 30" in sentences["lifetime_check"]
    assert "with the first order" in sentences["lifetime_value"]
    assert sentences["lifetime_giant"].numbers["largest_margin_share"] == pytest.approx(136 / 176)


def test_nobody_came_back():
    once = TABLES["orders"].query("order_id in ('a1', 'b1', 'c1')")
    assert "nobody came back" in said(small(orders=once))["lifetime_check"]


def test_refunds_above_purchases_are_a_loss():
    refund = pd.DataFrame([("a9", "a", "2026-02-10", -900, -300), ("b9", "b", "2026-02-10", -900, -300)], columns=TABLES["orders"].columns)
    sentences = said(small(orders=pd.concat([TABLES["orders"], refund])))
    assert "lifetime_giant" not in sentences, "nobody's share of a loss"
    everything = pd.concat([TABLES["orders"].query("order_id in ('a1', 'b1', 'c1')"), refund])
    months = pd.concat([everything.assign(order_id=everything["order_id"] + str(n), customer_id=everything["customer_id"] + str(n))
                        for n in range(40)])
    text = said(small(orders=months))["lifetime_value"]
    assert "has lost" in text and "More is lost" in text and text.numbers["ltv_amount"] < 0


def test_a_month_of_history():
    assert "shorter than half a year" in said(shop(3000, 4, weeks=4, alpha=1.0))["lifetime_check"]


def test_a_failed_check_is_the_reason():
    orders = collect(shop(1500, 9).table("orders")).query("ordered_at < '2025-02-01'")
    orders[["amount", "margin"]] /= 100
    process = Process.from_tables("shop", orders=orders, as_of="2026-01-01", observed_from="2020-01-01")
    sentence = said(process)["lifetime_check"]
    assert "does not hold" in sentence and "too many were expected" in sentence and sentence.count("it expected") == 1


def test_one_giant_client():
    sentence = said(shop(1500, 8, giant=True))["lifetime_giant"]
    assert sentence.numbers["largest_margin_share"] > 0.4 and "One client alone" in sentence


@pytest.mark.parametrize("tables", [
    {"orders": TABLES["orders"].head(0)}, {"orders": TABLES["orders"].query("order_id == 'c1'")},
    {"orders": TABLES["orders"].query("amount <= 0")}, {"orders": TABLES["orders"].query("order_id == 'n1'")},
    {"orders": TABLES["orders"].query("order_id == 'd1'")}, {"orders": TABLES["orders"].drop(columns="margin")},
    {"orders": TABLES["orders"].assign(ordered_at="2026-02-01 12:00")}])
def test_whatever_is_missing_is_said(tables):
    assert said(small(**tables))
