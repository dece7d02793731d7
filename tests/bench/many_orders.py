"""Ten million orders of one process as Parquet, drawn by DuckDB (seeded), for the benchmark of who is kept."""

from __future__ import annotations

from pathlib import Path

import duckdb

CUSTOMERS = 2_250_000
SETTINGS = {"as_of": "2026-07-01", "observed_from": "2023-07-01"}


def write(folder: Path, customers: int = CUSTOMERS) -> int:
    """Write `orders.parquet`, in order of time; returns the number of orders and refunds."""
    connection = duckdb.connect()
    # One thread: the draws of several would depend on their turns.
    connection.execute("set threads = 1; select setseed(0.42)")
    connection.execute(f"""
        create table drawn as select 'C' || lpad(i::varchar, 8, '0') as customer_id, 1 + floor(-ln(1 - random()) * 4.6)::int as most,
          timestamp '2023-07-01' + to_minutes((random() * 1575000)::int) as began_at, 5 + 120 * random() * random() as gap_days,
          'channel_' || floor(random() * 8)::int as channel, 500 + 9000 * random() * random() as size
        from range({customers}) as t(i)""")
    connection.execute("""
        create table bought as
        select customer_id, 'sales' as process, channel, ordered_at, case when refunded then -amount / 2 else amount end as amount,
          case when refunded then -amount / 8 else amount / 4 end as margin
        from (select customer_id, channel, round(size * (0.5 + random()), 2) as amount, k > 0 and random() < 0.02 as refunded,
            began_at + to_minutes((k * gap_days * 1440 * (0.8 + 0.4 * random()))::int) as ordered_at
          from drawn, range(20) as t(k) where k < most)
        where ordered_at < timestamp '2026-07-01' order by ordered_at""")
    connection.execute("copy (select 'O' || lpad((row_number() over (order by ordered_at, customer_id))::varchar, 9, '0') as order_id, * "
                       f"from bought order by ordered_at, customer_id) to '{folder / 'orders.parquet'}'")
    return connection.execute("select count(*) from bought").fetchone()[0]
