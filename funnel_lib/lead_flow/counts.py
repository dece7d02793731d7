"""The flow of leads: how many were created per day, week or month, and from where."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import as_list, collect, with_groups
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import PERIODS, all_periods, are_complete, period_starts

# The step of the table `counts` that means: a lead came.
ENTERED = "lead"
# Length of the shortest period of each kind.
SHORTEST_DAYS = {"day": 1, "week": 7, "month": 28, "quarter": 90, "year": 365}
_GIVEN = {"week": message("the counts are given once a week"), "month": message("the counts are given once a month"),
          "quarter": message("the counts are given once a quarter"), "year": message("the counts are given once a year")}
_WANTED = {"day": message("so leads per day cannot be told"), "week": message("so leads per week cannot be told"),
           "month": message("so leads per month cannot be told"), "quarter": message("so leads per quarter cannot be told")}


def lead_counts(process: Process, by: str | list[str] | None = "channel", per: str = "week") -> pd.DataFrame:
    """How many new leads came in each period.

    One row is a period × group; every group has a row for every period from the first lead (or the described beginning of
    the records) to `as_of`, with 0 where no lead came. Columns: `period_start`, the group, `leads_count`, `complete` (the
    whole period was observed: it ended by `as_of` and did not begin before `observed_from`).
    Where there is no list of leads the table `counts` is summed; it can be grouped by channel only, and counts are put into
    the period in which they begin. Raises `MeasureError` where there is neither, where no count has a period, or where the
    counts are given for longer periods than `per` (see `finest_period`).

    >>> sales = Process.from_tables("x", as_of="2026-01-21", leads=pd.DataFrame({
    ...     "lead_id": ["1", "2"], "created_at": pd.to_datetime(["2026-01-05", "2026-01-20"]), "channel": ["ads", "ads"]}))
    >>> counts = lead_counts(sales)
    >>> counts["leads_count"].tolist(), counts["complete"].tolist()
    ([1, 0, 1], [True, True, False])
    """
    groups = as_list(by)
    finest = finest_period(process)
    if per in PERIODS and list(PERIODS).index(per) < list(PERIODS).index(finest):
        raise MeasureError(message("{process}: {given}, {wanted}", process=process.name, given=_GIVEN[finest], wanted=_WANTED[per]))
    days = (process.remembered(("leads_by_day", repr(groups)), lambda: _from_leads(process, groups)) if process.has("leads")
            else _from_counts(process, groups))
    days = days.assign(period_start=period_starts(days["day"], per) if len(days) else days["day"])
    counted = days.groupby([*groups, "period_start"], as_index=False)["leads_count"].sum()
    table = _every_period(counted, groups, process, per)
    table["complete"] = are_complete(table["period_start"], per, process.observed_from, process.as_of)
    order = counted.groupby(groups)["leads_count"].sum().sort_values(ascending=False) if groups else None
    if groups and len(table):
        table["position"] = order.reindex(pd.MultiIndex.from_frame(table[groups]) if len(groups) > 1
                                          else table[groups[0]]).to_numpy()
        table = table.sort_values(["period_start", "position", *groups], ascending=[True, False, *[True] * len(groups)])
    return process.tidy(table[["period_start", *groups, "leads_count", "complete"]])


def finest_period(process: Process) -> str:
    """The shortest period by which leads can be told: "day" of a list of leads; of counts, the distance of their beginnings.

    Counts that begin once a month say nothing of weeks.
    """
    if process.has("leads") or not process.has("counts"):
        return "day"
    return process.remembered(("finest_period",), lambda: _finest_period(process))


def _finest_period(process: Process) -> str:
    entered = process.table("counts").filter((nw.col("step") == ENTERED) & ~nw.col("period_start").is_null())
    entered = with_groups(entered, ["channel"]).with_columns(day=nw.col("period_start").dt.truncate("1d"))
    days = collect(entered.select("channel", "day").unique()).sort_values(["channel", "day"])
    distance = days.groupby("channel")["day"].diff().min()
    fitting = [per for per, shortest in SHORTEST_DAYS.items() if distance >= pd.Timedelta(days=shortest)]
    return fitting[-1] if fitting else "day"


def _from_leads(process: Process, groups: list[str]) -> pd.DataFrame:
    leads = with_groups(new_leads(process), groups).with_columns(day=nw.col("created_at").dt.truncate("1d"))
    return collect(leads.group_by([*groups, "day"]).agg(nw.len().alias("leads_count")))


def _from_counts(process: Process, groups: list[str]) -> pd.DataFrame:
    if not process.has("counts"):
        process.table("leads")  # says what is needed
    if set(groups) - {"channel"}:
        raise MeasureError(message("{process}: needs the table 'leads' to group by {groups}; counts are known by channel only",
                                   process=process.name, groups=", ".join(groups)))
    entered = process.table("counts").filter((nw.col("step") == ENTERED) & ~nw.col("period_start").is_null())
    entered = with_groups(entered, groups).with_columns(day=nw.col("period_start").dt.truncate("1d"))
    days = collect(entered.group_by([*groups, "day"]).agg(nw.col("count").sum().alias("leads_count")))
    if days.empty:
        raise MeasureError(message("{process}: the counts have no period_start, so how they come over time cannot be told",
                                   process=process.name))
    return days


def _every_period(counted: pd.DataFrame, groups: list[str], process: Process, per: str) -> pd.DataFrame:
    if counted.empty:
        return counted
    first = counted["period_start"].min()
    if process.company.observed_from:
        first = min(first, process.observed_from)
    end = max(process.needs_as_of(), counted["period_start"].max() + pd.Timedelta(microseconds=1))
    table = pd.DataFrame({"period_start": all_periods(first, end, per)})
    if groups:
        table = table.merge(counted[groups].drop_duplicates(), how="cross")
    table = table.merge(counted, on=[*groups, "period_start"], how="left", validate="one_to_one")
    return table.assign(leads_count=table["leads_count"].fillna(0).astype(int))
