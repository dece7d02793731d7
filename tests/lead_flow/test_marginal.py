"""The cost of one more customer: a line by hand, least squares a second way, planted effects, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import MeasureError, Process, lead_flow
from funnel_lib.lead_flow.marginal import slope_of_changes
from tests.engines import assert_parity, on_engines

MONDAY = pd.Timestamp("2025-01-06")


def company(spend: list[float], leads: list[int], dates: pd.DatetimeIndex | None = None, **more) -> dict:
    """One channel with this spend (on Mondays, unless other dates are given) and so many leads on the day after; one in four
    leads buys on the spot."""
    dates = pd.date_range(MONDAY, periods=len(spend), freq="7D") if dates is None else dates
    created = [day + pd.Timedelta(days=1) for day, count in zip(dates, leads, strict=True) for _ in range(count)]
    table = pd.DataFrame({"created_at": created, "channel": "ads"})
    table["lead_id"] = table["customer_id"] = [str(n) for n in range(len(table))]
    table["customer_id"] = table["customer_id"].where(np.arange(len(table)) % 4 == 0)
    orders = pd.DataFrame({"customer_id": table["customer_id"].dropna(), "amount": 100.0}).assign(margin=50.0)
    orders["order_id"], orders["ordered_at"] = orders["customer_id"], table["created_at"]
    paid = pd.DataFrame({"stage": "lead_generation", "channel": "ads", "date": dates, "amount": spend})
    return {"leads": table, "orders": orders, "spend": paid, **more}


def settings(periods: int) -> dict:
    return {"observed_from": MONDAY, "as_of": MONDAY + pd.Timedelta(weeks=periods), "conversion_window_days": 7}


def test_a_straight_line_by_hand():
    """Leads are 10 + spend / 50: one more lead costs 50, one more customer (a quarter of the leads) 200; on average 150 of money
    brings 13 leads, so a customer costs 150 / 13 × 4."""
    spend = [100.0, 200.0] * 8
    tables = company(spend, [10 + int(amount) // 50 for amount in spend])
    table = assert_parity(lead_flow.marginal_cost, on_engines("p", tables, **settings(16)))
    row = table.iloc[0]
    assert (row.channel, row.per, row.periods_count) == ("ads", "week", 16)
    assert (row.spend_per_week_amount, row.leads_per_week) == (150, 13)
    assert row.extra_leads_per_thousand == pytest.approx(20) and row.mean_leads_per_thousand == pytest.approx(1000 * 13 / 150)
    share = row.pooled_won_share
    assert share == pytest.approx(0.25, abs=0.01)
    assert row.extra_cost_per_customer_amount == pytest.approx(50 / share)
    assert row.mean_cost_per_customer_amount == pytest.approx(150 / 13 / share)
    assert (row.verdict, row.reason) == ("dearer", "")


def test_the_slope_is_least_squares_of_the_changes():
    """A second way: a line with an intercept through the changes, and HC3 errors from the hat matrix."""
    rng = np.random.default_rng(5)
    spend = rng.uniform(50, 150, 40)
    leads = rng.poisson(3 + 0.1 * spend).astype(float)
    x, y = np.diff(spend), np.diff(leads)
    design = np.column_stack([np.ones(len(x)), x])
    solved = np.linalg.lstsq(design, y, rcond=None)[0]
    hat = np.diag(design @ np.linalg.inv(design.T @ design) @ design.T)
    weighted = design * ((y - design @ solved) / (1 - hat))[:, None]
    bread = np.linalg.inv(design.T @ design)
    plain = weighted.T @ weighted
    both = plain + weighted[1:].T @ weighted[:-1] + weighted[:-1].T @ weighted[1:]
    errors = [np.sqrt((bread @ meat @ bread)[1, 1]) for meat in (plain, both)]
    found = slope_of_changes(spend, leads)
    assert found.value == pytest.approx(solved[1]) and found.error == pytest.approx(max(errors)) and found.freedom == 37


@pytest.mark.parametrize("weeks", [14, 52])
def test_the_limits_hold_the_planted_slope_beside_a_trend(weeks):
    """Leads rise by themselves while the spend falls: levels would show a slope below zero, changes hold the true one."""
    from scipy.stats import t

    rng, held, levels = np.random.default_rng(2), 0, []
    for _ in range(300):
        spend = 300 - 150 * np.arange(weeks) / weeks + rng.uniform(-40, 40, weeks)
        leads = rng.poisson(10 + 60 * np.arange(weeks) / weeks + 0.05 * spend)
        found = slope_of_changes(spend, leads.astype(float))
        held += abs(found.value - 0.05) <= t.ppf(0.975, found.freedom) * found.error
        levels.append(np.polyfit(spend, leads, 1)[0])
    assert np.mean(levels) < 0 and 0.92 <= held / 300 <= 0.995


def _verdicts(draw, runs: int) -> list[tuple]:
    found = []
    for seed in range(runs):
        spend, leads = draw(np.random.default_rng(seed))
        row = lead_flow.marginal_cost(Process.from_tables("p", **company(list(spend), list(leads)), **settings(len(spend)))).iloc[0]
        found.append((row.verdict, row.reason))
    return found


def test_planted_saturation_is_found_and_no_saturation_is_not_invented():
    def saturated(rng):
        spend = rng.uniform(100, 300, 52).round()
        return spend, rng.poisson(15 + 0.01 * spend)

    def straight(rng):
        spend = rng.uniform(100, 900, 52).round()
        return spend, rng.poisson(0.04 * spend)

    assert sum(verdict == "dearer" for verdict, _ in _verdicts(saturated, 12)) >= 11
    assert sum(verdict in ("dearer", "cheaper") for verdict, _ in _verdicts(straight, 15)) <= 2


def test_money_paid_per_lead_is_not_called_dearer():
    """Spend is leads × 20 with a spread: the slope of leads on money is too low by construction, and that is no saturation."""
    def commission(rng):
        leads = rng.poisson(12, 52)
        return (leads * 20 * rng.uniform(0.7, 1.3, 52)).round(), leads

    found = _verdicts(commission, 15)
    assert sum(verdict == "dearer" for verdict, _ in found) <= 2
    assert any(reason == "money_follows_leads" for _, reason in found)


def test_the_demonstration_company_pays_per_lead(demo):
    """Its spend is drawn from the leads of the month: nowhere is a further customer dearer in truth; paid monthly."""
    for name in demo.process_names:
        table = lead_flow.marginal_cost(demo.process(name))
        assert set(table["per"]) == {"month"} and set(table["periods_count"]) <= {34, 35, 36}
        assert not set(table["verdict"]) & {"dearer", "cheaper"}


# -- what cannot be told ---------------------------------------------------------------------------------------------------------


def _reason(tables: dict, periods: int) -> str:
    table = lead_flow.marginal_cost(Process.from_tables("p", **tables, **settings(periods)))
    assert (table["verdict"] == "cannot_tell").all() and table["extra_leads_per_thousand"].isna().all()
    return table["reason"].iloc[0]


def test_each_reason_not_to_tell():
    varied = [100.0, 200.0] * 8
    assert _reason(company([100.0] * 16, [5] * 16), 16) == "steady_spend"
    assert _reason(company(varied[:8], [5] * 8), 8) == "few_periods"
    undated = company(varied, [5] * 16)
    undated["spend"] = undated["spend"].assign(date=None)
    assert _reason(undated, 16) == "undated_spend"
    quarters = pd.date_range("2025-01-06", periods=4, freq="QS")
    assert _reason(company(varied[:4], [5] * 4, quarters), 60) == "rare_spend"
    other = company(varied, [5] * 16)
    other["leads"] = other["leads"].assign(channel="fair")
    assert _reason(other, 16) == "no_leads"
    monthly = pd.DataFrame({"step": "lead", "channel": "ads", "count": 9, "period_start": pd.date_range("2025-01-01", periods=4, freq="MS")})
    assert _reason({"counts": monthly, "spend": company(varied, [5] * 16)["spend"]}, 16) == "coarse_leads"


def test_noise_is_called_noise_and_has_no_upper_limit():
    rng = np.random.default_rng(3)
    spend, leads = rng.uniform(90, 110, 20).round(), rng.poisson(10, 20)
    row = lead_flow.marginal_cost(Process.from_tables("p", **company(list(spend), list(leads)), **settings(20))).iloc[0]
    assert (row.verdict, row.reason) == ("cannot_tell", "lost_in_noise")
    assert np.isnan(row.extra_cost_per_customer_high_amount) and row.extra_low_leads_per_thousand < 0


def test_a_week_that_began_before_the_first_payment_and_the_unfinished_one_are_left_out():
    """The first payment is on a Wednesday, and observation ends on a Thursday: 14 whole weeks remain of 16."""
    dates = pd.date_range(MONDAY + pd.Timedelta(days=2), periods=16, freq="7D")
    tables = company([100.0, 200.0] * 8, [8, 10] * 8, dates)
    process = Process.from_tables("p", **tables, observed_from=MONDAY, as_of=MONDAY + pd.Timedelta(days=15 * 7 + 3))
    assert lead_flow.marginal_cost(process)["periods_count"].tolist() == [14]


def test_months_are_the_way_of_monthly_payments():
    months = pd.date_range("2025-01-01", periods=14, freq="MS")
    tables = company([1_000.0, 2_000.0] * 7, [20, 30] * 7, months)
    row = lead_flow.marginal_cost(Process.from_tables("p", **tables, observed_from="2025-01-01", as_of="2026-03-01")).iloc[0]
    assert (row.per, row.periods_count) == ("month", 14) and row.extra_leads_per_thousand == pytest.approx(10)


def test_spend_that_names_no_channel_has_no_row_and_no_spend_is_said():
    tables = company([100.0, 200.0] * 8, [5] * 16)
    loose = {**tables, "spend": tables["spend"].assign(channel=None)}
    assert lead_flow.marginal_cost(Process.from_tables("p", **loose, **settings(16))).empty
    with pytest.raises(MeasureError, match="needs the table 'spend'"):
        lead_flow.marginal_cost(Process.from_tables("p", leads=tables["leads"], **settings(16)))
