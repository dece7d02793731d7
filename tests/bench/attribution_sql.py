"""The counts behind all six models of attribution in hand-written DuckDB SQL, as an analyst who knows DuckDB would write them.

One temporary table of leads with their outcome, one of touches with their place on the path, then a query per model. The chain of
the Markov model is counted, not solved, which makes this side cheaper, never dearer.
"""

from __future__ import annotations

import duckdb

AS_OF = "timestamp '2026-07-01'"
OBSERVED_FROM = "timestamp '2023-07-01'"
WINDOW = "interval 180 day"

LEADS = f"""
create temp table attributed_leads as
with events as (
  select lead_id, min(entered_at) filter (step = 'won') as won_at, max(entered_at) filter (step <> 'lost') as stepped_at,
    max(entered_at) filter (step = 'lost') as lost_at, arg_max(reason, entered_at) filter (step = 'lost') as reason
  from events_file where entered_at < {AS_OF} group by lead_id)
select lead_id, coalesce(won_at <= created_at + {WINDOW}, false) as converted,
  least(coalesce(won_at, created_at + {WINDOW}), created_at + {WINDOW}) as until
from leads_file left join events using (lead_id)
where created_at between {OBSERVED_FROM} and {AS_OF} - {WINDOW}
  and not (won_at is null and coalesce(lost_at >= stepped_at, lost_at is not null) and coalesce(reason = 'duplicate', false))"""

PATHS = f"""
create temp table paths as
select channel, converted, lag(channel) over path as before, lead(channel) over path is null as is_last,
  count(*) over (partition by lead_id) as touches, weight / sum(weight) over (partition by lead_id) as decayed
from (
  select lead_id, coalesce(channel, '(missing)') as channel, converted, touched_at,
    case when converted then pow(2, -epoch(until - touched_at) / 86400 / 7) end as weight
  from touches_file join attributed_leads using (lead_id) where touched_at <= until and touched_at < {AS_OF})
window path as (partition by lead_id order by touched_at, channel)"""

QUERIES: dict[str, str] = {
    "leads": "select converted, count(*) from attributed_leads group by 1",
    "first": "select channel, count(*) from paths where converted and before is null group by 1",
    "last": "select channel, count(*) from paths where converted and is_last group by 1",
    "linear": "select channel, sum(1 / touches) from paths where converted group by 1",
    "time decay": "select channel, sum(decayed) from paths where converted group by 1",
    "position": "select channel, sum(case when touches = 1 then 1 when touches = 2 then 0.5 when before is null or is_last then 0.4 "
                "else 0.2 / (touches - 2) end) from paths where converted group by 1",
    "Markov, moves": "select before, channel, count(*) from paths group by 1, 2",
    "Markov, ends": "select channel, converted, count(*) from paths where is_last group by 1, 2",
    "touched": "select channel, count(*), count(distinct lead_id) from touches_file join attributed_leads using (lead_id) "
               f"where touched_at <= until and touched_at < {AS_OF} group by 1",
}


def counts(connection: duckdb.DuckDBPyConnection) -> None:
    """Run all of it on `leads_file`, `touches_file` and `events_file` of the connection."""
    connection.execute(LEADS)
    connection.execute(PATHS)
    for query in QUERIES.values():
        connection.execute(query).df()
