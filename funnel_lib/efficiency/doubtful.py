"""Hours that cannot be as they were written down, and how many of all hours they are."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, flag
from funnel_lib.labour import own_work
from funnel_lib.rates import ratio

HOURS_PER_DAY = 24
COLUMNS = ["doubt", "pieces_count", "hours", "hours_share"]


def doubtful_hours(process: Process) -> pd.DataFrame:
    """Work that is in every sum and that somebody should look at.

    One row is a kind of doubt that the source can show: `over_24_hours` (all work here of an employee on a day on which all
    processes together have more than 24 hours of theirs), `negative_hours`, `unknown_lead` (names a lead that is not among the
    leads). Columns: `pieces_count`, `hours`, `hours_share` of all hours of the process. A piece may be doubtful twice.
    Raises `MeasureError` without the table `work`.
    """
    work = process.table("work")
    parts = {"negative_hours": work.filter(nw.col("hours") < 0)}
    if process.has("work", "employee"):
        parts["over_24_hours"] = _of_long_days(process, work)
    if process.has("work", "lead_id") and process.has("leads"):
        named = work.filter(~nw.col("lead_id").is_null())
        parts["unknown_lead"] = named.join(process.table("leads").select("lead_id").unique(), on="lead_id", how="anti")
    rows = [(doubt, *collect(part.select(nw.len().alias("pieces"), nw.col("hours").sum())).fillna(0).iloc[0])
            for doubt, part in sorted(parts.items())]
    table = pd.DataFrame(rows, columns=COLUMNS[:3])
    return process.tidy(table.assign(hours_share=ratio(table["hours"], own_work(process)["hours"].sum())))


def _of_long_days(process: Process, work: nw.LazyFrame) -> nw.LazyFrame:
    day = nw.col("date").dt.truncate("1d")
    known = ~nw.col("employee").is_null()
    days = process.source_tables["work"].filter(known).with_columns(day=day).group_by("employee", "day").agg(nw.col("hours").sum())
    long = days.with_columns(_long=flag(nw.col("hours") > HOURS_PER_DAY)).filter(nw.col("_long") == 1).select("employee", "day")
    return work.filter(known).with_columns(day=day).join(long, on=["employee", "day"], how="semi")
