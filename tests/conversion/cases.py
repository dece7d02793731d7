"""Small processes of plain rows, and the bad inputs that every measure of conversion has to bear."""

from __future__ import annotations

import pandas as pd

from funnel_lib import Process

START = pd.Timestamp("2025-01-01")


def process_of(rows: list[tuple], steps: list[str] | None = None, days: int = 365, **settings) -> Process:
    """Leads as (created on day, channel, {step: age in days or None}); the observation lasts `days`."""
    leads = pd.DataFrame({"lead_id": [f"L{n}" for n in range(len(rows))],
                          "created_at": [START + pd.Timedelta(days=row[0]) for row in rows],
                          "channel": [row[1] for row in rows], "owner": [row[1] for row in rows]})
    leads = leads.astype({"created_at": "datetime64[us]", "channel": "str", "owner": "str", "lead_id": "str"})
    events = [(f"L{n}", step, pd.NaT if age is None else START + pd.Timedelta(days=row[0] + age))
              for n, row in enumerate(rows) for step, age in row[2].items()]
    events = pd.DataFrame(events, columns=["lead_id", "step", "entered_at"])
    events = events.astype({"lead_id": "str", "step": "str", "entered_at": "datetime64[us]"})
    settings = {"as_of": START + pd.Timedelta(days=days), "observed_from": START} | settings
    return Process.from_tables("p", leads=leads, stage_events=events, steps=steps or ["talk", "won"], **settings)


def _renamed_halfway() -> Process:
    return process_of([(n * 3, "ab"[n % 2], {"talk" if n < 60 else "call": 1, **({"won": 5} if n % 3 == 0 else {})})
                       for n in range(120)], conversion_window_days=20)


def _loop() -> Process:
    leads = pd.DataFrame({"lead_id": ["l"], "created_at": [START], "channel": ["a"], "owner": ["a"]})
    events = pd.DataFrame({"lead_id": "l", "step": ["talk", "lost"] * 500, "entered_at": pd.date_range(START, periods=1000, freq="h")})
    return Process.from_tables("p", leads=leads, stage_events=events, steps=["talk", "won"], as_of="2026-01-01")


BAD_INPUTS = {
    "no lost events": lambda: process_of([(n, "ab"[n % 2], {"won": 7} if n % 3 else {}) for n in range(300)]),
    "final state only": lambda: process_of([(n, "ab"[n % 2], {"won": None} if n % 3 else {"lost": None}) for n in range(300)]),
    "one lead": lambda: process_of([(0, "a", {"talk": 1})]),
    "no lead": lambda: process_of([]),
    "all running": lambda: process_of([(n, "ab"[n % 2], {}) for n in range(300)], conversion_window_days=30),
    "a step nobody reached": lambda: process_of([(n, "ab"[n % 2], {"talk": 1}) for n in range(300)], ["talk", "offer", "won"],
                                                conversion_window_days=30),
    "a loop of 500 returns": _loop,
    "all at midnight of one day": lambda: process_of([(0, "ab"[n % 2], {"talk": 0, "won": 0}) for n in range(60)]),
    "renamed halfway": _renamed_halfway,
}
