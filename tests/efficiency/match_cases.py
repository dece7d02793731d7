"""A hand-made log of who did whose work, used by the tests of measures, sentences and charts."""

from __future__ import annotations

import pandas as pd

from funnel_lib import Process

ROLES = {"caller": {"name": "Caller", "hour_cost": 10, "qualification": "low"},
         "seller": {"name": "Seller", "hour_cost": 30, "qualification": "high"},
         "clerk": {"name": "Clerk", "hour_cost": 10, "qualification": "middle"},
         "intern": {"name": "Intern", "qualification": "low"}, "guest": {"name": "Guest"}}
CARDS = [{"key": "call", "stage": "lead_generation", "role": "caller"}, {"key": "offer", "stage": "conversion", "role": "seller"},
         {"key": "loose", "stage": "conversion"}]
# Of 20 hours on cards: 4 h of a seller on calls, 2 h of a caller on offers, the rest own work or not to be compared.
WORK = pd.DataFrame(
    [("call", "caller", 6.0), ("call", "seller", 3.0), ("call", "seller", 1.0), ("call", "clerk", 1.0), ("call", None, 0.5),
     ("call", "intern", 0.5), ("call", "guest", 1.0), ("offer", "seller", 4.0), ("offer", "caller", 2.0), ("loose", "seller", 1.0),
     (None, "seller", 50.0)], columns=["card", "role", "hours"]).assign(stage="conversion", date="2026-01-10")
# Half a year.
SETTINGS = {"roles": ROLES, "cards": CARDS, "as_of": "2026-07-02 15:00", "observed_from": "2026-01-01"}


def company(work: pd.DataFrame | None = WORK, **settings) -> Process:
    """The hand-made process, with other work or settings."""
    return Process.from_tables("p", work=work, **{**SETTINGS, **settings})
