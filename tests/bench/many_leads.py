"""Ten million leads and thirty million touches of one process as Parquet, drawn by DuckDB (seeded), for the benchmark of notebook 01."""

from __future__ import annotations

from pathlib import Path

import duckdb

LEADS, TOUCHES_PER_LEAD = 10_000_000, 3
CHANNELS = 30
SETTINGS = {"steps": ["contacted", "won"], "as_of": "2026-07-01", "observed_from": "2023-07-01", "conversion_window_days": 180,
            "target_segments": ["shop", "chain"], "not_leads": ["duplicate"], "plan": {"new_customers_per_month": 30_000},
            "margin_share": 0.3, "calendar": {"holidays": "RU"}}


def write(folder: Path, leads: int = LEADS) -> tuple[int, int]:
    """Write leads, stage_events, touches, orders and spend; returns the numbers of events and of touches."""
    connection = duckdb.connect()
    # One thread: the draws of several would depend on their turns.
    connection.execute("set threads = 1; select setseed(0.42)")
    connection.execute(f"""
        create table drawn as select i, 'L' || lpad(i::varchar, 8, '0') as lead_id, 'sales' as process,
          timestamp '2023-07-01' + to_minutes((random() * 1575000)::int) as created_at,
          'channel_' || floor(random() * random() * {CHANNELS})::int as channel, 'campaign_' || floor(random() * 60)::int as campaign,
          ['shop', 'chain', 'student', 'tourist', null][1 + floor(random() * 5)::int] as segment,
          'owner_' || floor(random() * 40)::int as owner, random() as r1, random() as r2, random() as u1, random() as u2
        from range({leads}) as t(i)""")
    connection.execute("""
        create table entries as select * from (
          select lead_id, 'contacted' as step, created_at + to_minutes((-ln(u1) * 600)::int) as entered_at, 'E1' as employee,
            false as automated, null as reason from drawn where r1 < 0.9
          union all select lead_id, 'won', created_at + to_minutes((-ln(u1) * 600 - ln(u2) * 14000)::int), 'E1', false, null
            from drawn where r1 < 0.2
          union all select lead_id, 'lost', created_at + to_minutes((-ln(u1) * 600 - ln(u2) * 9000)::int), null, null,
            case when r2 < 0.05 then 'duplicate' else 'no_need' end from drawn where r1 >= 0.25)
        where entered_at < timestamp '2026-07-01'""")
    connection.execute(f"""
        create table touched as select lead_id, case when k = 0 then channel else
            'channel_' || floor(random() * random() * {CHANNELS})::int end as channel,
          created_at + to_minutes((random() * 20000 - 4000)::int) as touched_at
        from drawn, range({TOUCHES_PER_LEAD}) as t(k)""")
    connection.execute("""
        create table bought as select 'O' || lead_id as order_id, 'C' || lead_id as customer_id, 'sales' as process, lead_id,
          entered_at as ordered_at, round(1000 + 9000 * random(), 2) as amount from entries where step = 'won'""")
    connection.execute("""
        create table spent as select d.day as date, 'sales' as process, 'lead_generation' as stage, c.channel,
          round(1000 * (1 + random()), 2) as amount
        from (select unnest(generate_series(timestamp '2023-07-01', timestamp '2026-06-30', interval 1 day)) as day) d,
          (select distinct channel from drawn) c order by all""")
    files = {"leads": "select lead_id, process, created_at, channel, campaign, segment, owner, case when r1 < 0.2 then 'C' || lead_id "
                      "end as customer_id from drawn order by i",
             "stage_events": "select * from entries order by entered_at, lead_id", "orders": "from bought", "spend": "from spent",
             "touches": "select * from touched order by touched_at, lead_id"}
    for name, query in files.items():
        connection.execute(f"copy ({query}) to '{folder / name}.parquet'")
    return tuple(connection.execute(f"select count(*) from {name}").fetchone()[0] for name in ("entries", "touched"))
