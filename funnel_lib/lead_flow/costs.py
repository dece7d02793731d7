"""What lead generation and conversion cost, by channel and month."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, left_join
from funnel_lib.labour import priced, without_cost
from funnel_lib.periods import DAYS_PER_MONTH
from funnel_lib.schema import MISSING

NOT_ALLOCATED = "(not allocated)"
UNDATED = -1
STAGES_COUNTED = ("lead_generation", "conversion")
COLUMNS = ["channel", "stage", "month", "spend", "labour", "hours", "uncosted_hours"]


def channel_costs(process: Process) -> pd.DataFrame:
    """Spend and labour of lead generation and conversion.

    One row is a channel × stage × month. Columns: `channel` ("(not allocated)" for what names neither a channel nor a
    lead), `stage`, `month` (year × 12 + month − 1; −1 where the spend has no date), `spend` and `labour` in whole minor
    units, so that every sum is exact, `hours`, and `uncosted_hours` of roles without an hour cost. Work that names a lead
    but no channel belongs to the lead's channel, whether or not the lead is a new one.
    """
    return process.remembered(("channel_costs",), lambda: _channel_costs(process)).copy()


def _channel_costs(process: Process) -> pd.DataFrame:
    parts = [part(process) for table, part in (("spend", _spend), ("work", _labour)) if process.has(table)]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(parts, ignore_index=True).reindex(columns=COLUMNS).fillna({name: 0.0 for name in COLUMNS[3:]})
    return table.groupby(["channel", "stage", "month"], as_index=False)[COLUMNS[3:]].sum()


def without_known_cost(costs: pd.DataFrame, process: Process) -> pd.Index:
    """The channels of these rows of `channel_costs` whose cost is not known: too many of their hours have no cost."""
    sums = costs.groupby("channel")[["hours", "uncosted_hours"]].sum()
    return sums.index[without_cost(sums, process)]


def monthly_costs(costs: pd.DataFrame) -> pd.DataFrame:
    """Rows of `channel_costs` summed per channel and month: columns `channel`, `month`, `cost` in minor units."""
    return costs.assign(cost=costs["spend"] + costs["labour"]).groupby(["channel", "month"], as_index=False)["cost"].sum()


def mature_months(process: Process, horizon_months: int) -> tuple[int, int]:
    """Numbers of the first observed month and of the last one all of whose leads are at least so many months old."""
    before = process.needs_as_of() - pd.Timedelta(days=horizon_months * DAYS_PER_MONTH)
    first = process.observed_from
    return first.year * 12 + first.month - 1, before.year * 12 + before.month - 2


def month_number(time: nw.Expr) -> nw.Expr:
    """Months since year 0, from the calendar's parts."""
    return time.dt.year().cast(nw.Float64) * 12 + time.dt.month().cast(nw.Float64) - 1


def _spend(process: Process) -> pd.DataFrame:
    rows = process.table("spend").filter(nw.col("stage").is_in(list(STAGES_COUNTED)).fill_null(False))
    rows = rows.with_columns(channel=nw.col("channel").fill_null(NOT_ALLOCATED),
                             month=month_number(nw.col("date")).fill_null(UNDATED))
    return collect(rows.group_by("channel", "stage", "month").agg(nw.col("amount").sum().alias("spend")))


def _labour(process: Process) -> pd.DataFrame:
    rows = process.table("work").filter(nw.col("stage").is_in(list(STAGES_COUNTED)).fill_null(False))
    if process.has("leads"):
        rows = left_join(rows, _lead_channels(process), "lead_id")
    else:
        rows = rows.with_columns(lead_channel=nw.lit(None, dtype=nw.String))
    lead_channel = nw.col("lead_channel").fill_null(NOT_ALLOCATED)
    rows = rows.with_columns(month=month_number(nw.col("date")),
                             channel=nw.when(nw.col("channel").is_null()).then(lead_channel).otherwise(nw.col("channel")))
    return collect(priced(rows, process).group_by("channel", "stage", "month").agg(
        nw.col("labour").sum(), nw.col("hours").sum(), nw.col("uncosted_hours").sum()))


def _lead_channels(process: Process) -> nw.LazyFrame:
    """Per lead its channel, "(missing)" where the lead has none."""
    return process.table("leads").select("lead_id", lead_channel=nw.col("channel").fill_null(MISSING))

