"""The counts behind the tables of notebook 01 in hand-written DuckDB SQL; attribution has a file of its own.

One temporary table of leads with their state, then a query per table. Estimates are left out, which makes this side cheaper, never
dearer.
"""

from __future__ import annotations

import duckdb

from tests.bench import attribution_sql

AS_OF = "timestamp '2026-07-01'"
WINDOW = "interval 60 day"
TARGET = "segment in ('shop', 'chain')"

BASE = f"""
create temp table base as
with events as (
  select lead_id, min(entered_at) filter (step = 'contacted') as contacted_at, min(entered_at) filter (step = 'won') as won_at,
    max(entered_at) filter (step <> 'lost') as stepped_at, max(entered_at) filter (step = 'lost') as lost_at,
    min(entered_at) filter (employee is not null and step <> 'lost') as answered_at,
    arg_max(reason, entered_at) filter (step = 'lost') as reason
  from events_file where entered_at < {AS_OF} group by lead_id),
states as (
  select l.*, e.* exclude (lead_id),
    case when won_at is not null then 'won' when lost_at >= stepped_at or (lost_at is not null and stepped_at is null) then 'lost'
      else 'running' end as state
  from leads_file l left join events e using (lead_id) where created_at < {AS_OF})
select * exclude (reason, process), created_at <= {AS_OF} - {WINDOW} as mature,
  floor(epoch(case state when 'won' then won_at when 'lost' then lost_at else {AS_OF} end - created_at) / 86400) as day
from states where not (state = 'lost' and coalesce(reason = 'duplicate', false))"""
CUSTOMERS = f"""
create temp table buyers as
with first as (select customer_id, min(ordered_at) as began_at, arg_min(lead_id, ordered_at) as lead_id from orders_file
  where ordered_at < {AS_OF} group by 1)
select f.*, b.channel, date_trunc('month', b.created_at) as month, b.created_at
from first f join base b using (lead_id)"""

_WON = f"count(*) filter (mature) as base, count(*) filter (mature and won_at <= created_at + {WINDOW}) as won"
QUERIES: dict[str, str] = {
    "leads per month": "select date_trunc('month', created_at), count(*) from base group by 1",
    "leads per week": "select date_trunc('week', created_at), channel, count(*) from base group by 1, 2",
    "campaigns": "select date_trunc('week', created_at), campaign, count(*) from base group by 1, 2",
    "weekdays": "select dayofweek(created_at), count(*) from base group by 1",
    "outcomes": "select state, day, count(*) from base group by 1, 2",
    "ages": f"select date_diff('day', created_at, {AS_OF}), count(*) from base group by 1",
    "time to win": "select avg(epoch(won_at - created_at)), median(epoch(won_at - created_at)) from base where state = 'won'",
    "target": f"select channel, count(*), count(segment), count(*) filter ({TARGET}) from base group by 1",
    "target conversion": f"select {TARGET}, {_WON} from base group by 1",
    "segments": f"select channel, segment, count(*), {_WON} from base group by 1, 2",
    "customers": "select channel, month, count(*) from buyers group by 1, 2",
    "margin": "select channel, month, date_diff('month', created_at, ordered_at) as age, sum(amount * 0.3), sum(pow(amount * 0.3, 2)) "
              "from orders_file join buyers using (customer_id) group by all",
    "spend": "select channel, date_trunc('month', date), date_trunc('week', date), sum(amount) from spend_file group by all",
    "answered": "select floor(epoch(answered_at - created_at) / 900), state, count(*) from base group by 1, 2",
    "answered by hour": "select hour(created_at), floor(epoch(answered_at - created_at) / 900), count(*) from base group by 1, 2",
    "answered by owner": "select owner, floor(epoch(answered_at - created_at) / 900), count(*) from base group by 1, 2",
    "bands": f"select floor(log2(1 + epoch(answered_at - created_at) / 3600)), {_WON} from base group by 1",
}


def counts(connection: duckdb.DuckDBPyConnection) -> None:
    """Run all of it on views named after the tables (`leads_file`, …)."""
    connection.execute(BASE)
    connection.execute(CUSTOMERS)
    for query in QUERIES.values():
        connection.execute(query).df()
    attribution_sql.counts(connection)
