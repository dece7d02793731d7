"""Sufficiency: companies whose answer is known by hand, a second way to draw, laws, and a few simulated years."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from funnel_lib import MeasureError, Process, answers, lead_flow
from funnel_lib.lead_flow.sufficiency import (
    DRAWS,
    HORIZON_WEEKS,
    Flow,
    _effective_size,
    drawn_leads,
    met_probability,
    verdict_of,
)
from funnel_lib.rates import rate
from tests.bench.calibration import cases

MONDAY = pd.Timestamp("2025-01-06")
WEEKS = 60


def company(per_week: int = 10, won_of: int = 2, weeks: int = WEEKS, **settings) -> Process:
    """Leads every week at the same hours; each second (third, …) one is won on the third day, the others are lost then."""
    leads = pd.DataFrame({"lead_id": [f"{week}-{number}" for week in range(weeks) for number in range(per_week)],
                          "created_at": [MONDAY + pd.Timedelta(weeks=week, hours=9) for week in range(weeks) for _ in range(per_week)]})
    won = leads.index % won_of == 0
    events = pd.DataFrame({"lead_id": leads["lead_id"], "step": np.where(won, "won", "lost"),
                           "entered_at": leads["created_at"] + pd.Timedelta(days=3)})
    as_of = MONDAY + pd.Timedelta(weeks=weeks)
    return Process.from_tables("p", leads=leads, stage_events=events, steps=["won"], as_of=as_of, observed_from=MONDAY,
                               conversion_window_days=6, **settings)


def test_a_steady_company_by_hand():
    """Ten leads a week, half of them buy: 65 customers in 13 weeks, which is 21.7 a month (13 weeks are 2.99 months)."""
    found = lead_flow.sufficiency(company(plan={"new_customers_per_month": 15}))
    assert (found.actual_per_week, found.weeks_count, found.eventual_share) == (10.0, 60 - 8, pytest.approx(0.5))
    assert found.planned_customers_count == pytest.approx(15 * 13 * 7 * 12 / 365.25)
    assert found.needed_per_week == pytest.approx(found.planned_customers_count / 13 / 0.5)
    assert found.expected_customers_count == pytest.approx(65, abs=1)
    assert found.verdict == "enough" and found.plan_met_probability > 0.95 and found.missing_per_week == 0
    assert found.from_running_count == pytest.approx(0) and found.median_days == 3


@pytest.mark.parametrize(("planned", "verdict"), [(15, "enough"), (21.7, "cannot tell"), (30, "not enough")])
def test_verdicts_by_plan(planned, verdict):
    found = lead_flow.sufficiency(company(plan={"new_customers_per_month": planned}))
    assert found.verdict == verdict
    if verdict == "not enough":
        safe = lead_flow.sufficiency(company(math.ceil(found.safe_per_week) + 1, plan={"new_customers_per_month": planned}))
        assert safe.verdict == "enough", "so many leads a week as are called safe are enough"
        assert found.missing_per_week == pytest.approx(found.safe_per_week - 10)


def test_the_probability_as_a_second_way_of_drawing_gives_it():
    """A negative binomial of numpy and binomial draws, instead of a gamma mixture and the exact binomial tail."""
    mean, variance, share, planned = 20.0, 60.0, 0.3, 80
    flow = Flow(np.full(DRAWS, mean), np.full(DRAWS, variance), np.full(DRAWS, share))
    leads = drawn_leads(flow, HORIZON_WEEKS, np.random.default_rng(1))
    assert leads.mean() == pytest.approx(260, rel=0.01) and leads.var() == pytest.approx(13 * 60, rel=0.1)
    random = np.random.default_rng(2)
    size = (13 * mean) ** 2 / (13 * (variance - mean))
    other = random.binomial(random.negative_binomial(size, size / (size + 13 * mean), 200_000), share)
    assert met_probability(leads, flow.share, planned) == pytest.approx((other >= planned).mean(), abs=0.02)


def test_limits_tell_how_many_leads_they_are_of():
    for part, whole in ((0, 40), (3, 40), (20, 40), (39, 40), (700, 2000)):
        found = rate(part, whole)
        assert _effective_size(found.share, found.low_share, found.high_share) == pytest.approx(whole)


def test_more_plan_is_never_likelier_and_more_leads_never_less_likely():
    flow = Flow(np.full(500, 5.0), np.full(500, 9.0), np.full(500, 0.2))
    leads = drawn_leads(flow, HORIZON_WEEKS, np.random.default_rng(3))
    chances = [met_probability(leads, flow.share, planned) for planned in range(30)]
    assert chances[0] == 1 and all(one >= other for one, other in pairwise(chances))
    more = [met_probability(leads + extra, flow.share, 12) for extra in range(0, 50, 10)]
    assert all(one <= other for one, other in pairwise(more))
    assert [verdict_of(value) for value in (0.8, 0.5, 0.2)] == ["enough", "cannot tell", "not enough"]


def test_people_limit_the_leads_that_can_be_served():
    """One hour per lead, 26 paid hours a month: about 6 leads a week of the ten that come, so 3 customers a week."""
    work = company().source_tables["leads"].collect().to_native().reset_index(drop=True)
    work = pd.DataFrame({"date": work["created_at"], "stage": "conversion", "role": "seller", "hours": 1.0, "lead_id": work["lead_id"]})
    found = lead_flow.sufficiency(company(plan={"new_customers_per_month": 15}, work=work,
                                          roles={"seller": {"name": "Seller", "paid_hours_per_month": 26}}))
    assert found.capacity_per_week == pytest.approx(26 * 12 * 7 / 365.25) and found.capacity_role == "seller"
    assert (found.verdict, found.capacity_verdict) == ("enough", "not enough")


def test_a_plan_of_revenue_is_divided_by_the_mean_first_order():
    orders = pd.DataFrame({"order_id": ["1", "2"], "customer_id": ["a", "b"], "ordered_at": ["2025-02-01", "2025-03-01"],
                           "amount": [100.0, 300.0]})
    found = lead_flow.sufficiency(company(plan={"revenue_per_month": 3000}, orders=orders))
    assert found.planned_per_month == pytest.approx(15)


def test_no_plan_a_plan_of_zero_and_a_young_company_say_so():
    with pytest.raises(MeasureError, match="needs a plan"):
        lead_flow.sufficiency(company())
    assert "has no plan" in answers.lead_generation(company())[0]
    zero = company(plan={"new_customers_per_month": 0})
    assert lead_flow.sufficiency(zero).plan_met_probability == 1
    assert "asks for nobody" in answers.lead_generation(zero)[0]
    young = company(weeks=1, plan={"new_customers_per_month": 5})
    assert "cannot tell yet" in answers.lead_generation(young)[0]
    # Two weeks alike leave the next ones open: nothing is sure but what no flow of this size could bring.
    two = lead_flow.sufficiency(company(weeks=2, plan={"new_customers_per_month": 21.7}))
    assert two.verdict == "cannot tell"


def test_nobody_buys_and_nobody_comes():
    nobody = company(won_of=10_000_000, plan={"new_customers_per_month": 15})
    found = lead_flow.sufficiency(nobody)
    assert found.verdict == "not enough" and found.eventual_share == pytest.approx(1 / 600, abs=1e-3)
    text = " ".join(answers.lead_generation(nobody))
    assert "nan" not in text and "inf" not in text


def test_counts_alone_are_enough_for_a_verdict():
    weeks = pd.date_range(MONDAY, periods=30, freq="7D")
    counts = pd.concat([pd.DataFrame({"period_start": weeks, "step": step, "count": count})
                        for step, count in (("lead", 10), ("won", 5))])
    process = Process.from_tables("p", counts=counts, steps=["won"], as_of=MONDAY + pd.Timedelta(weeks=30),
                                  observed_from=MONDAY, plan={"new_customers_per_month": 15})
    found = lead_flow.sufficiency(process)
    assert found.verdict == "enough" and math.isnan(found.from_running_count)


def test_forecast_by_hand():
    """Buyers buy on the third day: of ten leads a week five buy, those of the last three days only in the next week."""
    table = lead_flow.customer_forecast(company(plan={"new_customers_per_month": 15}))
    assert table["from_running_count"].tolist() == pytest.approx([0.0] * 13)
    # Leads of a week come evenly: of the seven days (in the middle of the day) four are three days old by its end.
    expected = [5 * 4 / 7 + 5 * week for week in range(13)]
    assert table["from_new_count"].tolist() == pytest.approx(expected, rel=0.02)
    assert table["planned_count"].tolist() == pytest.approx([15 * 7 * week * 12 / 365.25 for week in range(1, 14)])
    ordered = table[["expected_low_count", "half_from_count", "half_to_count", "expected_high_count"]].to_numpy()
    assert (np.diff(ordered, axis=1) >= 0).all() and (np.diff(ordered, axis=0) >= 0).all()


def test_running_leads_win_as_the_curve_says(demo):
    """All that running leads may still bring comes within the horizon: the sum is that of the eventual conversion."""
    retail = demo.process("retail")
    assert lead_flow.customer_forecast(retail)["from_running_count"].iloc[-1] == pytest.approx(
        lead_flow.sufficiency(retail).from_running_count, rel=0.02)


def test_the_stated_chance_holds_in_simulated_years():
    """Fourteen fixed seeds of each of two processes; three hundred are in the benchmark."""
    found = [case for name in ("retail", "wholesale") for case in cases(name, range(14))]
    sure = [case.met for case in found if case.probability >= 0.8]
    hopeless = [case.met for case in found if case.probability <= 0.2]
    assert len(sure) >= 5 and len(hopeless) >= 8
    assert np.mean(sure) >= 0.75 and np.mean(hopeless) <= 0.25
