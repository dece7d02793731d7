"""The answer of exercise 1: numbers from a company worked out by hand, the stories of the demonstration company."""

from __future__ import annotations

import pandas as pd
import pytest

from funnel_lib import Process, answers
from tests.test_lead_flow import COMPANY, COMPANY_SETTINGS


def keyed(sentences: list) -> dict:
    return {sentence.key: sentence for sentence in sentences}


def said(process: Process) -> dict:
    """Key → sentence."""
    return keyed(answers.lead_generation(process))


def test_sentences_carry_the_numbers_worked_out_by_hand():
    """In the last 365 days before July 2025 only C9 began: 1 × 30.4375 / 365 customers a month."""
    sentences = said(Process.from_tables("p", **COMPANY, **COMPANY_SETTINGS, plan={"new_customers_per_month": 2}))
    assert next(iter(sentences)) == "enough"
    assert sentences["plan"].numbers["customers_per_month"] == pytest.approx(30.4375 / 365)
    assert sentences["target"].numbers["target_share"] == pytest.approx(2 / 3)
    assert sentences["costs"].numbers["cost_amount"] == pytest.approx(304.33)
    assert sentences["costs"].numbers["not_allocated_amount"] == pytest.approx(63.33)
    assert "€63.33 of it (20.8\N{NO-BREAK SPACE}%) names no channel" in sentences["costs"]
    assert "tv (€45)" in sentences["idle_channels"]
    assert sentences["uncosted_hours"].numbers["hours"] == 0.1


def test_a_revenue_plan_is_divided_by_the_mean_first_order():
    """First orders: 100, 200, 30, 70, 70, mean 94."""
    sentence = said(Process.from_tables("p", **COMPANY, **COMPANY_SETTINGS, plan={"revenue_per_month": 188}))["plan"]
    assert sentence.numbers["planned_per_month"] == pytest.approx(2)


def test_without_a_plan_no_comparison_is_made():
    sentence = said(Process.from_tables("p", **COMPANY, **COMPANY_SETTINGS))["plan"]
    assert "has no plan" in sentence and "planned_per_month" not in sentence.numbers


@pytest.mark.parametrize(("planned", "verdict"), [(0.0001, "Clearly more"), (1, "Clearly fewer"), (0.1, "cannot be told from 1 of")])
def test_one_customer_against_a_plan(planned, verdict):
    """Garwood 1936: one event leaves 0.0253 to 5.572; in 365 days that is 0.0021 to 0.465 a month."""
    sentences = said(Process.from_tables("p", **COMPANY, **COMPANY_SETTINGS, plan={"new_customers_per_month": planned}))
    sentence = sentences["plan"]
    assert verdict in sentence and "95 % interval" in sentences["plan_share"].replace("\N{NO-BREAK SPACE}", " ")
    assert sentence.numbers["customers_low_per_month"] == pytest.approx(0.0253178 * 30.4375 / 365, rel=1e-4)
    assert sentence.numbers["customers_high_per_month"] == pytest.approx(5.57164 * 30.4375 / 365, rel=1e-4)


def test_few_leads_are_not_rounded_to_none():
    """One lead in the last 13 weeks is 0.1 a week, one in the last month of monthly counts is a lead a month."""
    lead = pd.DataFrame({"lead_id": ["1"], "created_at": ["2026-02-03"]})
    flow = said(Process.from_tables("p", leads=lead, observed_from="2025-01-06", as_of="2026-03-02"))["flow"]
    assert flow.startswith("0.1 new leads came in a week") and flow.numbers["weeks_count"] == 13
    counts = pd.DataFrame({"step": "lead", "count": 1, "period_start": ["2026-01-01", "2026-02-01"]})
    flow = said(Process.from_tables("p", counts=counts, as_of="2026-03-01"))["flow"]
    assert flow.numbers["leads_per_month"] == 1 and "in a month on average" in flow


def test_the_off_target_channel_of_retail_is_named(told):
    sentences = keyed(told("lead_generation", "retail"))
    assert sentences["off_target_channel"].numbers["channel"] == "student_blog"
    assert sentences["off_target_money"].numbers["channel"] == "student_blog"


def test_plan_against_arrivals_points_the_way_of_the_stories(told):
    """Retail's flow is too small for its plan, wholesale's is more than enough."""
    assert keyed(told("lead_generation", "retail"))["plan"].numbers["plan_share"] < 0.9
    assert keyed(told("lead_generation", "wholesale"))["plan"].numbers["plan_share"] > 1.1


@pytest.mark.parametrize("tables", [
    {"leads": COMPANY["leads"]}, {"leads": COMPANY["leads"].head(0)}, {"orders": COMPANY["orders"]},
    {"leads": COMPANY["leads"][["lead_id", "created_at"]], "stage_events": COMPANY["stage_events"]},
    {"leads": COMPANY["leads"], "spend": COMPANY["spend"], "orders": COMPANY["orders"].head(0)},
    {"counts": pd.DataFrame({"step": ["lead"], "count": [3]}), "spend": COMPANY["spend"].drop(columns="date")}])
def test_whatever_is_missing_is_said_and_nothing_undefined_is(tables):
    sentences = answers.lead_generation(Process.from_tables("p", **tables, steps=["won"], as_of="2025-07-01"))
    assert len(set(sentences)) == len(sentences)
    assert sentences and all(sentence.endswith(".") for sentence in sentences)
    assert not any(word in " ".join(sentences).lower() for word in ("nan", " inf", "none ", "n/a"))
