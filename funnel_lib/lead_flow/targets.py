"""Whether the leads are on target: in a segment that this business is for."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import as_list, collect, with_groups
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.new_leads import new_leads
from funnel_lib.rates import is_few, rate

UNKNOWN = "unknown"


def can_tell_target(process: Process) -> bool:
    """Whether target segments are described and leads have a segment."""
    return bool(process.settings.target_segments) and process.has("leads", "segment")


def with_target(leads: nw.LazyFrame, process: Process) -> nw.LazyFrame:
    """Leads with `is_known` (the segment is given and does not say `unknown`) and `is_target`, 1 or 0."""
    segment = nw.col("segment")
    known = ~segment.is_null() & (segment != UNKNOWN).fill_null(False)
    target = known & segment.is_in(process.settings.target_segments or [""]).fill_null(False)
    return leads.with_columns(is_known=nw.when(known).then(nw.lit(1)).otherwise(nw.lit(0)),
                              is_target=nw.when(target).then(nw.lit(1)).otherwise(nw.lit(0)))


def target_share(process: Process, by: str | list[str] | None = "channel") -> pd.DataFrame:
    """What share of the new leads belongs to a target segment.

    One row is a group, the largest first. Columns: the group, `leads_count`, `known_count` (with a known segment; one that
    is missing or called `unknown` is not), `unknown_count`, `target_count`, `target_share` of the known ones with Wilson
    limits, `few` (fewer than 30 known). By `segment` the unknown ones are rows of their own without a share.
    Raises `MeasureError` where no target segments are described or leads have no segment.
    """
    process.table("leads")
    if not process.settings.target_segments:
        raise MeasureError(message("{process}: needs target_segments in the description to tell which leads are on target",
                                   process=process.name))
    if not process.has("leads", "segment"):
        raise MeasureError(message("{process}: needs the column 'segment' of leads to tell which of them are on target",
                                   process=process.name))
    groups = as_list(by)
    leads = with_target(new_leads(process), process).with_columns(_all=nw.lit(1))
    counted = collect(with_groups(leads, groups).group_by(groups or ["_all"]).agg(
        nw.len().alias("leads_count"), nw.col("is_known").sum().alias("known_count"),
        nw.col("is_target").sum().alias("target_count")))
    table = counted.sort_values(["leads_count", *groups], ascending=[False, *[True] * len(groups)])
    share, low, high, *_ = rate(table["target_count"], table["known_count"])
    table = table.assign(unknown_count=table["leads_count"] - table["known_count"], target_share=share, target_low_share=low,
                         target_high_share=high, few=is_few(table["known_count"]))
    counts = ["leads_count", "known_count", "unknown_count", "target_count"]
    table[counts] = table[counts].astype(int)
    return process.tidy(table[[*groups, *counts, "target_share", "target_low_share", "target_high_share", "few"]])


def target_counts(process: Process) -> pd.DataFrame:
    """Leads per channel, with a known segment and on target (missing where that cannot be told)."""
    leads = with_groups(with_target(new_leads(process), process), ["channel"])
    table = collect(leads.group_by("channel").agg(
        nw.len().alias("leads_count"), nw.col("is_known").sum().alias("known_count"),
        nw.col("is_target").sum().alias("target_count")))
    if not can_tell_target(process):
        table[["known_count", "target_count"]] = np.nan
    return table
