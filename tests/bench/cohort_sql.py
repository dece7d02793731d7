"""The counts behind the tables of who is kept in hand-written DuckDB SQL, as an analyst who knows DuckDB would write them.

Temporary tables (orders with the gap before them, customers, orders with their cohort), then a query per table. Estimates are left
out, which makes this side cheaper, never dearer.
"""

from __future__ import annotations

import duckdb

AS_OF = "timestamp '2026-07-01'"
TABLES = [
    f"""create temp table paid as
    select *, case when before is null then null when date_trunc('day', before) = date_trunc('day', ordered_at) then 0
        else greatest(1, epoch(ordered_at - before) / 86400) end as gap
    from (select customer_id, ordered_at, amount, channel,
            lag(ordered_at) over (partition by customer_id order by ordered_at, order_id) as before
          from orders_file where amount > 0 and customer_id is not null and ordered_at < {AS_OF})""",
    """create temp table people as
    select customer_id, ordered_at as first_at, year(ordered_at) * 12 + month(ordered_at) as cohort, channel,
      ordered_at <= timestamp '2023-07-01' + to_days((2 * (select median(gap) from paid where gap > 0))::int) as perhaps_older
    from paid where before is null""",
    """create temp table dated as
    select customer_id, ordered_at, amount, gap, first_at, cohort, year(ordered_at) * 12 + month(ordered_at) - cohort as age
    from paid join people using (customer_id)"""]
_SIZES = "select {0} cohort, count(*), min(first_at), max(first_at), count(*) filter (perhaps_older) from people group by all"
_MONEY = f"""(select ordered_at, customer_id, amount, cohort, age from dated union all
  select ordered_at, customer_id, amount, cohort, year(ordered_at) * 12 + month(ordered_at) - cohort
  from orders_file join people using (customer_id) where amount < 0 and ordered_at < {AS_OF})"""
QUERIES: dict[str, list[str]] = {
    "bounded": [_SIZES.format(""), "select cohort, age, count(distinct customer_id) from dated group by all"],
    "in or after": [_SIZES.format(""), "select cohort, last, count(*) from (select customer_id, cohort, max(age) as last from dated "
                    "group by all) group by all"],
    "rolling": [_SIZES.format(""), "select cohort, floor(epoch(ordered_at - first_at) / 86400 / 30) as months, "
                "count(distinct customer_id) from dated group by all"],
    "by channel": [_SIZES.format("channel,"), "select channel, floor(p.cohort / 3) as quarter, "
                   "floor((d.cohort + age) / 3) - floor(d.cohort / 3) as age, count(distinct customer_id) "
                   "from dated d join people p using (customer_id) group by all"],
    "amounts": [_SIZES.format(""), "select cohort, age, count(distinct customer_id) filter (amount > 0), "
                f"count(*) filter (amount > 0), sum(amount) from {_MONEY} group by all"],
    "next order": [
        "select number, floor(gap) as day, count(*) from (select gap, row_number() over (partition by customer_id order by ordered_at) "
        "as number from dated where gap > 0) where number <= 4 group by all",
        f"select visits, floor(epoch({AS_OF} - last_at) / 86400) as day, count(*) from (select customer_id, max(ordered_at) as last_at, "
        "count(*) filter (gap is null or gap > 0) as visits from dated group by 1) where visits <= 4 group by all"],
    "revenue": [f"""
        with years as (select customer_id, sum(amount) filter (ordered_at < {AS_OF} - interval 365 day) as last,
            sum(amount) filter (ordered_at >= {AS_OF} - interval 365 day) as this,
            count(*) filter (amount > 0 and ordered_at < {AS_OF} - interval 365 day) as last_orders,
            count(*) filter (amount > 0 and ordered_at >= {AS_OF} - interval 365 day) as this_orders
          from {_MONEY} where ordered_at >= {AS_OF} - interval 730 day group by 1)
        select case when first_at < {AS_OF} - interval 730 day then 'before' when first_at < {AS_OF} - interval 365 day then 'joined'
            else 'new' end as began, count(*), sum(last), sum(this), sum(least(last, this)), sum(this * this), sum(this * last),
          sum(last * last), count(*) filter (last_orders > 0), count(*) filter (last_orders > 0 and this_orders = 0), max(last)
        from people left join years using (customer_id) group by 1"""]}


def counts(connection: duckdb.DuckDBPyConnection) -> None:
    """Run all of it on `orders_file` of the connection."""
    for table in TABLES:
        connection.execute(table)
    for queries in QUERIES.values():
        for query in queries:
            connection.execute(query).df()
