"""Twenty million pieces of work of one process as Parquet, with its leads, drawn by DuckDB (seeded), for the benchmark of the sheet."""

from __future__ import annotations

from pathlib import Path

import duckdb

PIECES = 20_000_000
LEADS = 200_000
ROLES = {"caller": 450, "marketer": 700, "seller": 520, "negotiator": 900, "manager": 750, "designer": 1000}
SETTINGS = {"as_of": "2026-07-01", "observed_from": "2023-07-01", "steps": ["contacted", "won"], "currency": "RUB",
            "roles": {role: {"name": role, "hour_cost": cost, "paid_hours_per_month": 160, "people": 100_000}
                      for role, cost in ROLES.items()}}


def write(folder: Path, pieces: int = PIECES) -> int:
    """Write `work.parquet`, in order of time, and `leads.parquet`; returns the number of pieces."""
    connection = duckdb.connect()
    # One thread: the draws of several would depend on their turns.
    connection.execute("set threads = 1; select setseed(0.42)")
    roles = ", ".join(f"'{role}'" for role in ROLES)
    connection.execute(f"""
        copy (select timestamp '2023-07-01' + to_minutes((i * 1578240.0 / {pieces})::bigint) as date, 'sales' as process,
            list_value('lead_generation', 'conversion', 'account_management')[1 + floor(random() * 3)::int] as stage,
            list_value({roles})[1 + floor(random() * {len(ROLES)})::int] as role, 0.05 * (1 + floor(random() * 100)) as hours,
            'employee_' || floor(random() * 400)::int as employee, random() < 0.1 as automated
          from range({pieces}) as t(i)) to '{folder / 'work.parquet'}'""")
    connection.execute(f"""
        copy (select 'L' || i as lead_id, timestamp '2023-07-01' + to_minutes((i * 1578240.0 / {LEADS})::bigint) as created_at
          from range({LEADS}) as t(i)) to '{folder / 'leads.parquet'}'""")
    return pieces
