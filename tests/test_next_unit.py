"""The next unit of money and the next hour: by hand from the chain of rates, and the same interface for another model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import MeasureError, Process, charts, improvement
from funnel_lib.improvement.parameters import chain_of
from tests.efficiency.company import TABLES

WEEKS = 52


def company(paid: float | None, **more) -> Process:
    """Ten leads a week for 52 weeks; half of them buy once for a margin of 100; two hours of the seller each, spending of 10 each."""
    count = 10 * WEEKS
    created = pd.date_range("2025-06-30", periods=count, freq="16h48min")
    leads = pd.DataFrame({"lead_id": [f"L{number}" for number in range(count)], "created_at": created,
                          "customer_id": [f"C{number}" for number in range(count)]})
    end = created + pd.Timedelta(hours=1)
    events = pd.DataFrame({"lead_id": leads["lead_id"], "step": ["won", "lost"] * (count // 2), "entered_at": end})
    bought = leads[::2]
    orders = pd.DataFrame({"order_id": bought["lead_id"], "customer_id": bought["customer_id"], "lead_id": bought["lead_id"],
                           "ordered_at": end[::2], "amount": 400.0, "margin": 100.0})
    work = pd.DataFrame({"date": created, "stage": "conversion", "role": "seller", "hours": 2.0})
    spend = pd.DataFrame({"stage": "lead_generation", "amount": 10.0, "date": created})
    tables = {"leads": leads, "stage_events": events, "orders": orders, "work": work, "spend": spend, **more}
    role = {"name": "Seller", "hour_cost": 5} | ({} if paid is None else {"paid_hours_per_month": paid, "people": 1})
    return Process.from_tables("p", **{name: table for name, table in tables.items() if table is not None}, steps=["won"],
                               as_of="2026-06-29", observed_from="2025-06-30", roles={"seller": role})


def test_by_hand_where_a_role_binds():
    units = improvement.next_unit(company(paid=60)).set_index("stage")
    # A lead brings 0.5 × 100 and costs 10: a unit of money brings 5 by a tenth of a lead.
    generation, conversion = units.loc["lead_generation"], units.loc["conversion"]
    assert generation["cost_per_lead_amount"] == pytest.approx(10, rel=0.005)
    assert generation["money_brings_amount"] == pytest.approx(5, rel=0.01)
    assert generation["money_change_amount"] == generation["money_brings_amount"] - 1
    # An hour serves half a waiting lead: 25; at 5 an hour a unit of money buys a fifth of that.
    assert conversion["next_hour"] == "waiting_leads_served"
    assert conversion["hour_brings_amount"] == pytest.approx(25, rel=0.01)
    assert conversion["hour_change_amount"] == pytest.approx(20, rel=0.02)
    assert conversion["money_brings_amount"] == pytest.approx(5, rel=0.01)
    assert conversion["hour_brings_low_amount"] < 25 < conversion["hour_brings_high_amount"]


def test_an_hour_adds_nothing_where_no_role_binds():
    row = improvement.next_unit(company(paid=600)).set_index("stage").loc["conversion"]
    assert (row["next_hour"], row["hour_brings_amount"], row["hour_change_amount"]) == ("adds_nothing", 0, -5)
    assert (row["money_brings_amount"], row["money_change_amount"]) == (0, -1)


def test_what_is_not_recorded_is_missing_and_not_nothing():
    units = improvement.next_unit(company(paid=None)).set_index("stage")
    assert units["hour_brings_amount"].isna().all()
    no_work = improvement.next_unit(company(paid=60, work=None)).set_index("stage")
    assert no_work["hour_brings_amount"].isna().all() and no_work.loc["lead_generation", "money_brings_amount"] > 0
    ax = charts.plot_next_unit(improvement.next_unit(company(paid=60, work=None)))
    assert ax.get_title(loc="left").startswith("The next unit of money brings most in")
    assert [text.get_text() for text in ax.child_axes[1].texts] == ["n/a"] * 3
    with pytest.raises(MeasureError):
        improvement.next_unit(Process.from_tables("p", **{name: TABLES[name] for name in ("leads", "spend")}, as_of="2026-04-01"))


def test_the_unit_is_the_slope_of_the_yearly_margin():
    """A law: what the next unit brings is the change of the yearly margin by the same number of leads."""
    process = company(paid=60)
    chain = chain_of(process)
    row = improvement.next_unit(process).iloc[0]
    step = 1 / (row["cost_per_lead_amount"] * chain.leads_per_year[0])
    changed = improvement.what_if(process, lead_flow=float(step)).difference.amount
    assert row["money_brings_amount"] == pytest.approx(changed, rel=1e-6)


def test_another_model_of_the_year_answers_the_same_questions():
    class Twice:
        leads_per_year = np.array([520.0, 500.0, 540.0])

        def gross_margin(self, changes=None):
            return 100.0 * self.leads_per_year * (1 + sum((changes or {}).values(), 0.0))

    row = improvement.next_unit(company(paid=60), model=Twice()).set_index("stage").loc["conversion"]
    assert row["hour_brings_amount"] == pytest.approx(50)


def test_bars_are_those_of_the_table():
    units = improvement.next_unit(company(paid=60))
    ax = charts.plot_next_unit(units)
    drawn = [[bar.get_width() for bar in panel.patches] for panel in ax.child_axes]
    assert np.allclose(drawn, [units[name].fillna(0) for name in ("money_brings_amount", "hour_brings_amount")])
