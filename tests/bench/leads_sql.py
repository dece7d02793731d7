"""The counts behind the tables of notebook 01 in hand-written DuckDB SQL; attribution and response time have files of their own.

The temporary table of leads with their state is that of conversion. Estimates are left out, which makes this side cheaper, never
dearer.
"""

from __future__ import annotations

import duckdb

from tests.bench import attribution_sql, conversion_sql, response_sql

AS_OF, WINDOW = conversion_sql.AS_OF, conversion_sql.WINDOW
TARGET = "segment in ('shop', 'chain')"
CUSTOMERS = f"""
create temp table buyers as
with first as (select customer_id, min(ordered_at) as began_at, arg_min(lead_id, ordered_at) as lead_id from orders_file
  where ordered_at < {AS_OF} group by 1)
select f.*, b.channel, date_trunc('month', b.created_at) as month, b.created_at
from first f join base b using (lead_id) where not never"""

_WON = f"count(*) filter (mature) as base, count(*) filter (mature and at_3 <= created_at + {WINDOW}) as won"
QUERIES: dict[str, str] = {
    "leads per month": "select date_trunc('month', created_at), count(*) from base where not never group by 1",
    "leads per week": "select date_trunc('week', created_at), channel, count(*) from base where not never group by 1, 2",
    "campaigns": "select date_trunc('week', created_at), campaign, count(*) from base where not never group by 1, 2",
    "weekdays": "select dayofweek(created_at), count(*) from base where not never group by 1",
    "outcomes": "select state, day, count(*) from base where not never group by 1, 2",
    "ages": f"select date_diff('day', created_at, {AS_OF}), count(*) from base where not never group by 1",
    "time to win": "select avg(epoch(at_3 - created_at)), median(epoch(at_3 - created_at)) from base where not never and state = 'won'",
    "target": f"select channel, count(*), count(segment), count(*) filter ({TARGET}) from base where not never group by 1",
    "target conversion": f"select {TARGET}, {_WON} from base where not never group by 1",
    "segments": f"select channel, segment, count(*), {_WON} from base where not never group by 1, 2",
    "customers": "select channel, month, count(*) from buyers group by 1, 2",
    "margin": "select channel, month, date_diff('month', created_at, ordered_at) as age, sum(amount * 0.3), sum(pow(amount * 0.3, 2)) "
              "from orders_file join buyers using (customer_id) group by all",
    "spend": "select channel, date_trunc('month', date), date_trunc('week', date), sum(amount) from spend_file group by all",
}


def counts(connection: duckdb.DuckDBPyConnection) -> None:
    """Run all of it on views named after the tables (`leads_file`, …)."""
    connection.execute(conversion_sql.BASE)
    connection.execute(CUSTOMERS)
    for query in QUERIES.values():
        connection.execute(query).df()
    attribution_sql.counts(connection)
    response_sql.tables(connection)
