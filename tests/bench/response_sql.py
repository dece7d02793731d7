"""The counts behind the tables of response time in hand-written DuckDB SQL, as an analyst who knows DuckDB would write them.

A temporary table of leads with their outcome, one of their first answers with the wait in minutes by the clock and by the
company's calendar, then a query per table. Curves and tests are left out, which makes this side cheaper, never dearer.
"""

from __future__ import annotations

import duckdb

from tests.bench.conversion_sql import _WORKED, AS_OF, BASE, WINDOW, _days

# A date without a time of day counts at the end of its day.
_MOMENT = "case when {0} = date_trunc('day', {0}) then {0} + interval 1 day else {0} end"
_UNIT = "case when {0} < 600 then 1 when {0} < 14400 then 15 else 60 end"
_COARSE = (f"(case when answered then ceil({{0}} / ({_UNIT}) - 1e-6) else floor({{0}} / ({_UNIT}) + 1e-6) end * ({_UNIT}))::int")

ANSWERS = f"""
create temp table waits as
with answers as (
  select lead_id, {_MOMENT.format('entered_at')} as t, step in ('lost', 'won') as is_outcome, step not in ('lost', 'won') as is_step
  from events_file where employee is not null and not coalesce(automated, false) and entered_at < {AS_OF}
  union all
  select lead_id, {_MOMENT.format('date')}, false, false from work_file
  where lead_id is not null and not coalesce(automated, false) and date < {AS_OF}
    and not (date = date_trunc('day', date) and stage = 'lead_generation')),
firsts as (
  select lead_id, min(t) as answer_at, min(t) filter (is_step) as step_at, min(t) filter (is_outcome) as outcome_at
  from answers join base using (lead_id) where t >= created_at group by lead_id),
timed as (
  select created_at, owner, at_3, answer_at is not null as answered, coalesce(answer_at, {AS_OF}) as end_at,
    coalesce(outcome_at = answer_at and (step_at is null or step_at > answer_at), false) as at_outcome,
    created_at = date_trunc('day', created_at) or coalesce(answer_at = date_trunc('day', answer_at), false) as dated
  from base left join firsts using (lead_id) where not never),
waited as (
  select created_at, owner, at_3, answered, at_outcome, dated, epoch(end_at - created_at) / 60 as clock,
    (b.hours - a.hours + {_WORKED.format('b', 'end_at')} - {_WORKED.format('a', 'created_at')}) * 60 as work, a.works
  from timed join days a on a.day = date_trunc('day', created_at) join days b on b.day = date_trunc('day', end_at))
select created_at, owner, at_3, answered, at_outcome, dated, works, {_COARSE.format('clock')} as minutes,
  {_COARSE.format('work')} as work_minutes
from waited"""

_KIND = "case when not works then 2 when hour(created_at) between 9 and 17 then 0 else 1 end"
GROUPS = {"": "", "owner": "owner,", "arrival hour": "hour(created_at),", "weekday": "isodow(created_at),", "arrival": f"{_KIND},"}
QUERIES = {
    f"response time {name}": [
        f"select {group} answered, minutes, count(*), sum(at_outcome::int), sum(dated::int) from waits group by all",
        f"select {group} answered, work_minutes, count(*) from waits group by all"] for name, group in GROUPS.items()}
QUERIES["response bands"] = [
    "select case when not answered or minutes > 180 * 1440 then 6 when at_outcome then 5 when work_minutes <= 60 then 0 "
    "when work_minutes <= 240 then 1 when work_minutes <= 540 then 2 when work_minutes <= 1620 then 3 else 4 end, count(*), "
    f"count(*) filter (at_3 <= created_at + {WINDOW}), sum(dated::int) from waits where created_at <= {AS_OF} - {WINDOW} group by 1"]


def counts(connection: duckdb.DuckDBPyConnection) -> None:
    """Run all of it on `leads_file`, `events_file` and `work_file` of the connection."""
    connection.execute(BASE)
    tables(connection)


def tables(connection: duckdb.DuckDBPyConnection) -> dict[str, list]:
    """The results by table, where the leads with their outcome (`base`) are there already."""
    days = _days()  # noqa: F841 (read by the next query)
    connection.execute("create or replace temp table days as from days")
    connection.execute(ANSWERS)
    return {name: [connection.execute(query).df() for query in queries] for name, queries in QUERIES.items()}
