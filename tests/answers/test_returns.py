"""Whether the channels are worth their money, said: numbers worked out by hand, the demonstration company, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import Process, lead_flow
from funnel_lib.answers.of_returns import REASONS, earned_back, marginal, paid_back, returns
from funnel_lib.answers.sentence import attempt
from funnel_lib.glossary import term
from tests.lead_flow.test_marginal import company, settings
from tests.lead_flow.test_returns import TOY, TOY_SETTINGS
from tests.test_lead_flow import COMPANY, COMPANY_SETTINGS


def shop(margin: float, other: float | None = None, seed: int = 1) -> Process:
    """40 customers of 100 leads of January 2024 per channel, each with about this margin; 1,000 of money per channel."""
    rng, leads, orders, spend = np.random.default_rng(seed), [], [], []
    for channel, mean in (("ads", margin), ("fair", other)):
        if mean is None:
            continue
        leads += [(f"{channel}{n}", "2024-01-10", channel, f"{channel}{n}" if n < 40 else None) for n in range(100)]
        orders += [(f"{channel}{n}", f"{channel}{n}", "2024-02-20", 500, mean * rng.uniform(0.5, 1.5)) for n in range(40)]
        spend.append(("lead_generation", channel, "2024-01-05", 1_000))
    return Process.from_tables(
        "p", leads=pd.DataFrame(leads, columns=["lead_id", "created_at", "channel", "customer_id"]),
        orders=pd.DataFrame(orders, columns=["order_id", "customer_id", "ordered_at", "amount", "margin"]),
        spend=pd.DataFrame(spend, columns=["stage", "channel", "date", "amount"]), as_of="2025-06-01", observed_from="2024-01-01")


def test_a_clear_difference_is_said_and_a_small_one_is_no_rank():
    clear = earned_back(shop(200, 30))[0]
    assert clear.key == "returns" and "clearly more than the others: “ads”" in clear and "clearly less than the others: “fair”" in clear
    assert clear.numbers["romi_share_ads"] == lead_flow.channel_returns(shop(200, 30)).set_index("channel").loc["ads", "romi_share"]
    small = earned_back(shop(100, 104))[0]
    assert "cannot be ranked by it: chance explains their differences (“ads” and “fair”)" in small and "clearly" not in small
    assert "Only “ads” has 30 customers" in earned_back(shop(100))[0]


def test_a_loss_and_an_open_case_are_said_as_such():
    assert "did not earn back their full cost" in earned_back(shop(5))[0] and "“ads” did not earn the cost back." in earned_back(shop(5))[0]
    assert "Whether “ads” earned the cost back cannot be told." in earned_back(shop(25))[0]


def test_the_month_of_payback_is_said():
    """All orders come 41 days after the lead: in the second month of age."""
    assert "by month 2 of their age, all together" in paid_back(shop(100))[0]
    assert paid_back(shop(100))[0].numbers["payback_months_ads"] == 2
    assert "not within 12 months" in paid_back(shop(5))[0] and "payback_months" not in paid_back(shop(5))[0].numbers


def test_no_ranking_in_custom_and_the_students_in_retail(demo):
    assert "cannot be ranked" in earned_back(demo.process("custom"))[0]
    retail = earned_back(demo.process("retail"))
    assert "clearly less than the others: “Student blog”" in retail[0]
    left_out = lead_flow.channel_returns(demo.process("retail")).iloc[-1].left_out_cost_amount
    assert retail[1].numbers["left_out_cost_amount"] == left_out


def test_one_more_customer_comes_with_its_doubt():
    spend = [100.0, 200.0] * 8
    process = Process.from_tables("p", **company(spend, [10 + int(amount) // 50 for amount in spend]), **settings(16))
    first, doubt = marginal(process)
    assert first.numbers["verdict"] == "dearer" and "dearer than the" in first
    assert doubt.key == "marginal_doubt" and "no proof" in doubt


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_words(reason):
    assert term(reason).formula


BAD = {
    "no spend": {name: frame for name, frame in TOY.items() if name != "spend"},
    "leads only": {"leads": TOY["leads"]},
    "orders only": {"orders": TOY["orders"]},
    "undated spend": {**TOY, "spend": TOY["spend"].assign(date=None)},
    "leads without channel": {**TOY, "leads": TOY["leads"].assign(channel=None)},
    "spend without leads": {**TOY, "leads": TOY["leads"].head(0), "orders": TOY["orders"].head(0)},
    "nothing happened": {name: frame.head(0) for name, frame in TOY.items()},
    "one channel": {**TOY, "leads": TOY["leads"].query("channel == 'a'"), "spend": TOY["spend"].query("channel == 'a'")},
    "counts": {"counts": pd.DataFrame({"step": ["lead"], "count": [3]}), "spend": TOY["spend"].drop(columns="date")},
    "by hand": {**COMPANY, "as_of": COMPANY_SETTINGS["as_of"], "roles": COMPANY_SETTINGS["roles"], "steps": ["won"]},
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_said_and_nothing_undefined_is(case):
    process = Process.from_tables("p", **{**TOY_SETTINGS, **BAD[case]})
    sentences = [sentence for topic in (earned_back, paid_back, marginal) for sentence in attempt(topic, process)]
    assert sentences and all(sentence.endswith(".") for sentence in sentences)
    assert not any(word in " ".join(sentences).lower() for word in ("nan", " inf", "none ", "n/a")), sentences
    assert not any(isinstance(value, float) and not np.isfinite(value) for sentence in sentences
                   for value in sentence.numbers.values())


def test_a_company_two_weeks_old():
    process = Process.from_tables("p", **{**TOY, "as_of": "2025-01-15", "observed_from": "2025-01-01"})
    assert "cannot be told yet" in earned_back(process)[0] and paid_back(process) == []
    assert "fewer than 12 whole weeks or months" in marginal(process)[0]


def test_all_topics_together(demo):
    assert [sentence.key for sentence in returns(demo.process("custom"))] == [
        "returns", "returns_left_out", "payback", "marginal_cost", "marginal_doubt"]
