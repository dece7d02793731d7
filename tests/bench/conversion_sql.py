"""The counts behind every table of notebook 02 in hand-written DuckDB SQL, as an analyst who knows DuckDB would write them.

Temporary tables (leads with their state, stays in the steps, days of the company's calendar), then a query per table. Estimates
are left out, which makes this side cheaper, never dearer.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from funnel_lib.working_time import WorkCalendar

AS_OF = "timestamp '2026-07-01'"
WINDOW = "interval 180 day"

BASE = f"""
create temp table base as
with events as (
  select lead_id,
    min(entered_at) filter (step = 'contacted') as at_0, min(entered_at) filter (step = 'meeting') as at_1,
    min(entered_at) filter (step = 'proposal') as at_2, min(entered_at) filter (step = 'won') as at_3,
    max(entered_at) filter (step <> 'lost') as stepped_at, max(entered_at) filter (step = 'lost') as lost_at,
    arg_max(reason, entered_at) filter (step = 'lost') as reason,
    arg_max(step, entered_at) filter (step <> 'lost') as last_step
  from events_file where entered_at < {AS_OF} group by lead_id),
states as (
  select l.*, e.* exclude (lead_id),
    case when at_3 is not null then 'won' when lost_at >= stepped_at or (lost_at is not null and stepped_at is null) then 'lost'
      else 'running' end as state
  from leads_file l left join events e using (lead_id) where created_at < {AS_OF})
select *, state = 'lost' and reason = 'duplicate' as never,
  floor(epoch(case state when 'won' then at_3 when 'lost' then lost_at else {AS_OF} end - created_at) / 86400) as day,
  created_at <= {AS_OF} - {WINDOW} as mature
from states"""

STAYS = f"""
create temp table stays as
with entered as (
  select distinct lead_id, entered_at as t, case step when 'contacted' then 2 when 'meeting' then 3 when 'proposal' then 4
    when 'lost' then 5 when 'won' then 6 else 1 end::utinyint as place
  from events_file where entered_at < {AS_OF}),
every as (
  select lead_id, place, t, t < created_at as early, created_at, state, at_3 as won_at from entered join base using (lead_id)
    where not never
  union all select lead_id, 0, created_at, false, created_at, state, at_3 from base where not never)
select *, lead(place) over later as next_place, lead(t) over later as next_t, lead(early) over later as next_early
from every window later as (partition by lead_id order by t, place)"""

# Working days of nine hours from 9 o'clock by a table of days: how many hours of work went before, and whether it is worked.
_CALENDAR = WorkCalendar(holidays="RU")
_WORKED = "case when {0}.works then greatest(0, least(9, epoch({1} - {0}.day) / 3600 - 9)) else 0 end"
_WORK_DAYS = f"(b.hours - a.hours + {_WORKED.format('b', 'next_t')} - {_WORKED.format('a', 't')}) / 9"

_REACHED = """count(*) as leads,
  count(*) filter (least(at_0, at_2, at_3) <= created_at + interval 180 day) as r0,
  count(*) filter (at_1 <= created_at + interval 180 day) as r1,
  count(*) filter (least(at_2, at_3) <= created_at + interval 180 day) as r2,
  count(*) filter (at_3 <= created_at + interval 180 day) as r3"""
_DAYS = "epoch(next_t - t) / 86400"
_MOVES = "from stays where next_place is not null"


def _funnel(groups: str) -> str:
    grouped = f"group by {groups}" if groups else ""
    return f"select {groups + ',' if groups else ''} {_REACHED} from base where not never and mature {grouped}"


def _step(start: str, events: str) -> str:
    reached = f"least({events})"
    return (f"select case when {reached} >= {start} then 'reached' else state end as state, "
            f"floor(epoch(case when {reached} >= {start} then {reached} when state = 'lost' then lost_at else {AS_OF} end - {start}) "
            f"/ 86400) as day, count(*) from base where not never and {start} is not null group by 1, 2")


_OUTCOMES = "select {} state, day, count(*) from base where not never group by all"
QUERIES: dict[str, list[str]] = {
    "step rates": [_funnel("") .replace("count(*) as leads", "count(*) as leads, sum(expected_amount) filter (at_3 is not null)")],
    "reconciliation": [
        "select never, mature, count(*), count(at_0), count(at_1), count(at_2), count(at_3), "
        "count(*) filter (at_0 <= created_at + interval 180 day), count(*) filter (at_1 <= created_at + interval 180 day), "
        "count(*) filter (at_2 <= created_at + interval 180 day), count(*) filter (at_3 <= created_at + interval 180 day) "
        "from base group by 1, 2"],
    "states": ["select channel, state, count(*) from base where not never group by all"],
    "eventual conversion": [_OUTCOMES.format("channel,"),
                            f"select channel, date_diff('day', created_at, {AS_OF}) as age, count(*) from base where not never "
                            "group by all"],
    "cohort triangle": ["select date_trunc('month', created_at), state, day, "
                        f"floor(epoch({AS_OF} - created_at) / 86400) as age, count(*) from base where not never group by all"],
    "time to win": [_OUTCOMES.format("channel,"),
                    "select channel, avg(epoch(at_3 - created_at)), median(epoch(at_3 - created_at)) from base where not never "
                    "and state = 'won' group by 1"],
    "step times": [_step("created_at", "at_0, at_2, at_3"), _step("at_0", "at_2, at_3"), _step("at_2", "at_3")],
    "lost reasons": ["select last_step, reason, count(*), sum(expected_amount) from base where state = 'lost' and not never "
                     "group by all"],
    "path following": [
        "with paths as (select lead_id, any_value(state) as state, max(next_place not in (5)) as entered, "
        "bool_or((place, next_place) in ((0, 4), (0, 6), (2, 6), (3, 6), (0, 3))) as skips, "
        "bool_or(next_place <> 5 and (place = 5 or next_place <= place)) as back, bool_or(1 in (place, next_place)) as other "
        f"{_MOVES} group by lead_id) "
        "select state, count(*), count(*) filter (not skips and not back), count(*) filter (skips), count(*) filter (back), "
        "count(*) filter (other) from paths where entered group by state"],
    "path steps": [
        "with paths as (select lead_id, max(next_place) filter (next_place not in (1, 5)) as far, max((next_place = 2)::int) as in_2, "
        "max((next_place = 3)::int) as in_3, max((next_place = 4)::int) as in_4, "
        "max((next_place = 2 and place >= 2)::int) as back_2, max((next_place = 3 and place >= 3)::int) as back_3, "
        f"max((next_place = 4 and place >= 4)::int) as back_4 {_MOVES} group by lead_id) "
        "select far, sum(in_2), sum(in_3), sum(in_4), sum(back_2), sum(back_3), sum(back_4), count(*) from paths group by far"],
    "deadlines": [f"select count(*), count(*) filter (work <= 5 + 1e-6), sum(work) from (select {_WORK_DAYS} as work from stays "
                  "join days a on a.day = date_trunc('day', t) join days b on b.day = date_trunc('day', next_t) "
                  "where next_place = 3 and place < 3)"],
    "transitions": [f"select place, next_place, count(*), count(distinct lead_id), median({_DAYS}) {_MOVES} group by 1, 2"],
    "work in progress": [
        f"select place, ceil({_DAYS} * 24) as hours, count(*) {_MOVES} and state = 'won' group by 1, 2",
        f"select s.lead_id, place, owner, expected_amount, epoch({AS_OF} - t) / 86400 as age from stays s join base using (lead_id) "
        "where s.state = 'running' and next_place is null order by expected_amount desc",
        f"select place, count(*), median(epoch({AS_OF} - t)) from stays where state = 'running' and next_place is null group by 1"],
    "cumulative flow": ["select date_trunc('day', t) as day, place, count(*) from stays group by 1, 2",
                        f"select date_trunc('day', next_t) as day, place, count(*) {_MOVES} group by 1, 2"],
    "Little's law": [
        f"select count(*) filter (created_at >= {AS_OF} - interval 90 day), sum(greatest(0, epoch(least({AS_OF}, coalesce(case state "
        f"when 'won' then at_3 when 'lost' then lost_at end, {AS_OF})) - greatest(created_at, {AS_OF} - interval 90 day)))) "
        "from base where not never"],
    "sales velocity": ["select state, count(*), sum(expected_amount), sum(day) from base where not never group by 1"],
    "comparison": [_funnel("owner"), _funnel("channel")],
    "what changed": [_funnel("channel, date_trunc('day', created_at)"), _funnel("date_trunc('day', created_at)")],
    "step trend": [_funnel("date_trunc('month', created_at)")],
}


def _days() -> pd.DataFrame:
    off, on = _CALENDAR.exceptions(2023, 2026)
    days = pd.DataFrame({"day": pd.date_range("2023-01-01", "2026-12-31")})
    days["works"] = ((days["day"].dt.day_of_week < 5) & ~days["day"].dt.date.isin(off)) | days["day"].dt.date.isin(on)
    return days.assign(hours=9 * (days["works"].cumsum() - days["works"]))


def counts(connection: duckdb.DuckDBPyConnection) -> None:
    """Run all of it on `leads_file` and `events_file` of the connection."""
    connection.execute(BASE)
    connection.execute(STAYS)
    days = _days()  # noqa: F841 (read by the next query)
    connection.execute("create temp table days as from days")
    for queries in QUERIES.values():
        for query in queries:
            connection.execute(query).df()
