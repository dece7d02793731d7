"""Ten million events of one process as Parquet, drawn by DuckDB in seconds (seeded), for the benchmarks of speed."""

from __future__ import annotations

from pathlib import Path

import duckdb

LEADS = 3_560_000
SETTINGS = {"steps": ["contacted", {"key": "meeting", "optional": True, "deadline_days": 5}, "proposal", "won"],
            "as_of": "2026-07-01", "observed_from": "2023-07-01", "conversion_window_days": 180, "not_leads": ["duplicate"],
            "calendar": {"holidays": "RU"}}
_WAITS = [f"-ln(u{number}) * {days} * 1440" for number, days in ((1, 2), (2, 5), (3, 20), (4, 30), (5, 10))]
# Step, how long after the creation (the waits so far), and for whom.
_ENTRIES = [("contacted", 1, "r1 < 0.88"), ("meeting", 2, "r1 < 0.88 and r2 < 0.55"), ("proposal", 2, "r1 < 0.85 and r2 < 0.62"),
            ("won", 3, "r1 < 0.85 and r2 < 0.62 and r3 < 0.45"),
            ("lost", 4, "not (r1 < 0.85 and r2 < 0.62 and r3 < 0.45) and r4 < 0.9"),
            ("contacted", 5, "not (r1 < 0.85 and r2 < 0.62 and r3 < 0.45) and r4 < 0.05")]


def write(folder: Path, leads: int = LEADS) -> int:
    """Write `leads.parquet` and `stage_events.parquet`; returns the number of events."""
    connection = duckdb.connect()
    # One thread: the draws of several would depend on their turns.
    connection.execute("set threads = 1; select setseed(0.42)")
    drawn = ", ".join(f"random() as {name}" for name in ("u1", "u2", "u3", "u4", "u5", "r1", "r2", "r3", "r4"))
    connection.execute(f"""
        create table drawn as select i, 'L' || lpad(i::varchar, 8, '0') as lead_id, 'sales' as process,
          timestamp '2023-07-01' + to_minutes((random() * 1575000)::int) as created_at,
          ['search', 'partner', 'cold_call', 'exhibition', 'recommendation', 'blog'][1 + floor(random() * 6)::int] as channel,
          'owner_' || floor(random() * 40)::int as owner, round(1000 + random() * 90000, 2) as expected_amount, {drawn}
        from range({leads}) as t(i)""")
    entries = " union all ".join(
        f"select lead_id, '{step}' as step, created_at + to_minutes(({' '.join(_WAITS[:waits]).replace(' -ln', ' - ln')})::int) "
        f"as entered_at from drawn where {who}" for step, waits, who in _ENTRIES)
    connection.execute(f"create table entries as select * from ({entries}) where entered_at < timestamp '2026-07-01'")
    connection.execute("copy (select lead_id, process, created_at, channel, owner, expected_amount from drawn order by i) to "
                       f"'{folder / 'leads.parquet'}'")
    reasons = "['no_answer', 'too_expensive', 'no_need', 'duplicate'][1 + (hash(lead_id) % 4)::int]"
    connection.execute(f"copy (select *, case when step = 'lost' then {reasons} end as reason from entries order by entered_at, "
                       f"lead_id) to '{folder / 'stage_events.parquet'}'")
    return connection.execute("select count(*) from entries").fetchone()[0]
