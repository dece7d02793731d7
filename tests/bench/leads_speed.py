"""All tables of notebook 01 on ten million leads: this package and hand-written DuckDB SQL, each in a process of its own.

`python -m tests.bench.leads_speed SIDE FOLDER` runs one side and prints its seconds and its peak memory in MB.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np

from tests.bench import leads_sql, many_leads, sides

SIDES = ("funnel_lib", "sql")
TABLES = ("leads", "stage_events", "touches", "orders", "spend")
MEMORY = "8GB"
CHAIN_CHANNELS = 30


def compare(runs: int = 2) -> list[str]:
    """The two sides in turn, and the Markov chain of 30 channels."""
    with tempfile.TemporaryDirectory() as name:
        events, touches = many_leads.write(Path(name))
        found = sides.in_turn(__spec__.name, {side: runs for side in SIDES}, name)
    seconds = sides.median_seconds(found)
    return [*sides.table(found),
            f"{many_leads.LEADS:,} leads, {events:,} events, {touches:,} touches in Parquet; DuckDB with a memory limit of {MEMORY} on "
            f"both sides. Against SQL {seconds['funnel_lib'] / seconds['sql']:.2f} (bound 1.5; runs of each side: {runs}). Removal effects of {CHAIN_CHANNELS} "
            f"channels with their limits, after the counts: {_chain_seconds():.2f} s (bound 1 s)."]


def run(side: str, folder: Path) -> None:
    """One side, in this process."""
    start = time.perf_counter()
    connection = sides.connect(folder, MEMORY, *TABLES)
    connection.execute("create view events_file as from stage_events_file; create view work_file as select null::varchar as lead_id, "
                       "null::timestamp as date, null::varchar as stage, null::boolean as automated where false")
    leads_sql.counts(connection) if side == "sql" else _tables(connection)
    sides.say(start)


def _tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Every measure of notebook 01 but the cards, which need the table of work."""
    from funnel_lib import Process, lead_flow

    process = Process.from_tables("sales", **{table: connection.table(f"{table}_file") for table in TABLES}, **many_leads.SETTINGS)
    for measure in ("lead_counts", "flow_limits", "weekday_profile", "sufficiency", "customer_forecast", "target_share",
                    "target_conversion", "channel_segments", "channel_economics", "channel_returns", "channel_customers",
                    "marginal_cost", "attribution_models", "attribution", "response_time", "response_bands"):
        getattr(lead_flow, measure)(process)
    lead_flow.lead_counts(process, by=None, per="month")
    lead_flow.lead_counts(process, by="campaign")
    for group in ("owner", "arrival_hour"):
        lead_flow.response_time(process, by=group)


def _chain_seconds() -> float:
    from funnel_lib.lead_flow.markov import removal_effects

    random = np.random.default_rng(1)
    starts, moves, conversions, ends = (random.integers(1, 1000, shape).astype(float) for shape in (
        CHAIN_CHANNELS, (CHAIN_CHANNELS, CHAIN_CHANNELS), CHAIN_CHANNELS, CHAIN_CHANNELS))
    start = time.perf_counter()
    removal_effects(starts, moves, conversions, ends)
    return time.perf_counter() - start


if __name__ == "__main__":
    sides.main(run)
