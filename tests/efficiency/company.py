"""A company of three leads, two roles and five pieces of work, small enough to be counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib import Process

TABLES = {
    "leads": pd.DataFrame(
        [("a", "2026-01-01", "anna", "shop"), ("b", "2026-01-01", None, "reseller"), ("c", "2026-01-02", "clara", "shop")],
        columns=["lead_id", "created_at", "customer_id", "segment"]),
    "stage_events": pd.DataFrame(
        [("a", "contacted", "2026-01-02"), ("b", "contacted", "2026-01-04"), ("c", "contacted", "2026-01-04"),
         ("b", "lost", "2026-01-06"), ("a", "won", "2026-01-11"), ("c", "won", "2026-01-22")],
        columns=["lead_id", "step", "entered_at"]),
    "orders": pd.DataFrame(
        [("1", "anna", "2026-01-11", 1000.0, 300.0, "a"), ("2", "anna", "2026-02-10", 500.0, 100.0, None),
         ("3", "clara", "2026-01-22", 2000.0, 600.0, "c"), ("4", "clara", "2026-03-03", 1500.0, 500.0, None)],
        columns=["order_id", "customer_id", "ordered_at", "amount", "margin", "lead_id"]),
    "spend": pd.DataFrame([("lead_generation", 120.0, "2026-01-01"), ("lead_generation", 60.0, "2026-02-01"),
                           ("conversion", 100.0, "2026-01-01")], columns=["stage", "amount", "date"]),
    "work": pd.DataFrame(
        [("2026-01-02", "lead_generation", "caller", 2.0), ("2026-01-04", "lead_generation", "caller", 1.0),
         ("2026-01-08", "conversion", "seller", 3.0), ("2026-01-15", "conversion", "caller", 2.0),
         ("2026-02-05", "account_management", "seller", 1.0)], columns=["date", "stage", "role", "hours"]),
    "pulse": pd.DataFrame(
        [("2026-01-05", "lead_generation", "caller", 2), ("2026-01-09", "conversion", "seller", 4),
         ("2026-01-12", "conversion", "seller", 5), ("2026-01-16", "conversion", "caller", 3),
         ("2026-02-06", "account_management", "seller", 1)], columns=["date", "stage", "role", "strain"]),
}
SETTINGS = {"steps": ["contacted", "won"], "as_of": "2026-04-01", "observed_from": "2026-01-01", "target_segments": ["shop"],
            "roles": {"caller": {"name": "Caller", "hour_cost": 10, "paid_hours_per_month": 2, "people": 2},
                      "seller": {"name": "Seller", "hour_cost": 30}}}

SHEET = {
    "stage": ["lead_generation", "conversion", "account_management", "all"],
    "result": ["new_leads", "new_customers", "repeat_orders", "new_customers"],
    "result_count": [3, 2, 2, 2],
    "target_count": [2, np.nan, np.nan, np.nan],
    "spend_amount": [180, 100, 0, 280],
    "labour_amount": [30, 3 * 30 + 2 * 10, 30, 170],
    "cost_amount": [210, 210, 30, 450],
    "cost_per_result_amount": [70, 105, 15, 225],
    "hours": [3, 5, 1, 9],
    "hours_per_result": [1, 2.5, 0.5, 4.5],
    # 1, 2, 3 days to the first step; 10 and 20 to the win; orders followed after 30 and 40 days, open for 29 and 50: at day 30
    # one of three at risk, at day 40 one of two, so that two thirds are followed by then.
    "elapsed_days": [2, 15, 40, 15],
    "strain": [2, 4, 1, 3],
    "strain_answers_count": [1, 3, 1, 5],
    # By role: in conversion 3 hours at 4.5 and 2 hours at 3.
    "strain_hours": [3, 3 * 3.5 + 2 * 2, 0, 17.5],
    "strain_hours_per_result": [1, 7.25, 0, 8.75],
    "margin_per_cost": [1500 / 210, 1500 / 210, 50, 1500 / 450],
    "margin_per_hour_amount": [500, 300, 1500, 1500 / 9],
    "uncosted_hours": [0, 0, 0, 0],
}


def changed(drop: str | None = None, **tables: pd.DataFrame) -> Process:
    """The hand-made company with other tables."""
    kept = {name: table for name, table in {**TABLES, **tables}.items() if name != drop}
    return Process.from_tables("p", **kept, **SETTINGS)
