"""Who the leads are and whether it matters: channel against segment, target leads against the others."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.cohorts import counts_by_day, equal_window_days
from funnel_lib.conversion.states import states
from funnel_lib.customers import money_rows, new_customers
from funnel_lib.engine import collect, flag, with_groups
from funnel_lib.errors import CallError, MeasureError
from funnel_lib.language.messages import message
from funnel_lib.lead_flow.buyers import HORIZON_MONTHS
from funnel_lib.lead_flow.targets import UNKNOWN
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import DAYS_PER_MONTH, elapsed_days
from funnel_lib.rates import Z_95, is_few, rate, ratio, steady
from funnel_lib.schema import MISSING, OTHER

TARGET = "target"
KINDS = (TARGET, OTHER, UNKNOWN)
SHARES = ["leads_share", "leads_low_share", "leads_high_share"]
WON = ["base_count", "won_count", "won_share", "won_low_share", "won_high_share", "few", "equal_window_days"]
MARGIN = ["mature_leads_count", "year_margin_amount", "margin_per_lead_amount", "margin_per_lead_low_amount",
          "margin_per_lead_high_amount"]


def channel_segments(process: Process, rows: str = "channel", columns: str = "segment") -> pd.DataFrame:
    """The matrix of channels and segments: which channel brings whom, and how they buy.

    One row is a channel × segment, every pair of them, the largest first; an unknown segment is one of its own, behind the
    others. `rows` and `columns` are any two columns of the leads. Columns: both of them, `leads_count`, `leads_share` of the
    channel's leads with its 95 % limits, `target_group` (target, other, unknown; empty where no target segments are
    described, or `columns` is not the segment); of the leads at least the equal window old `base_count`, `won_count` within
    it, `won_share` with its 95 % limits, `few` (base under 30), `equal_window_days` (see `conversion.comparison`; these are
    missing where movement is not recorded).
    Raises `MeasureError` without leads or without one of the columns, `CallError` for twice the same column.
    """
    if rows == columns:
        raise CallError(message("rows={rows!r}, columns={columns!r}: expected two different columns of the leads", rows=rows,
                                columns=columns))
    groups = [rows, columns]
    leads = with_groups(new_leads(process), groups)
    for name in groups:
        if not process.has("leads", name):
            raise MeasureError(message("{process}: needs the column {name!r} of leads (to set {rows} against {columns})",
                                       process=process.name, name=name, rows=rows, columns=columns))
    counted = collect(leads.group_by(groups).agg(nw.len().alias("leads_count")))
    keys = [_in_order(counted, name) for name in groups]
    table = pd.MultiIndex.from_product(keys, names=groups).to_frame(index=False)
    table = table.merge(counted, on=groups, how="left", validate="one_to_one")
    table["leads_count"] = table["leads_count"].fillna(0).astype(int)
    share = rate(table["leads_count"], table.groupby(rows)["leads_count"].transform("sum"))
    table = table.assign(**dict(zip(SHARES, share[:3], strict=True)), target_group=_kinds(table[columns], process)
                         if columns == "segment" and process.settings.target_segments else "")
    table = _with_won(table, groups, process)
    return process.tidy(table[[*groups, "leads_count", *SHARES, "target_group", *WON]])


def _in_order(counted: pd.DataFrame, name: str) -> list[str]:
    """The keys of a column, most leads first, what is not known last."""
    sizes = counted.groupby(name)["leads_count"].sum().reset_index()
    last = sizes[name].isin([MISSING, UNKNOWN])
    return sizes.assign(_last=last).sort_values(["_last", "leads_count", name], ascending=[True, False, True])[name].tolist()


def target_conversion(process: Process) -> pd.DataFrame:
    """Whether leads on target buy more, and bring more, than the others.

    One row each for `target`, `other` and `unknown` leads (the segment is missing or says so), in this order. Columns:
    `target_group`, `leads_count`, `leads_share` with its limits; of the leads at least the equal window old `base_count`,
    `won_count` within it, `won_share` with its 95 % limits, `few`, `equal_window_days` (see `conversion.comparison`; missing
    where movement is not recorded); `customers_count` (new customers who came by these leads); `mature_leads_count` (leads at
    least 12 months old, created since `observed_from`), `year_margin_amount` (what their customers brought within 12 months
    of the lead) and `margin_per_lead_amount` with its 95 % limits (mean ± 1.96 standard errors; missing under 30 leads).
    Margins are missing where there are no orders, or an order of the group whose margin is not known.
    Raises `MeasureError` where no target segments are described or leads have no segment.
    """
    process.table("leads")
    if not process.settings.target_segments:
        raise MeasureError(message("{process}: needs target_segments in the description to tell which leads are on target",
                                   process=process.name))
    if not process.has("leads", "segment"):
        raise MeasureError(message("{process}: needs the column 'segment' of leads to tell which of them are on target",
                                   process=process.name))
    leads = with_groups(new_leads(process), ["segment"])
    counted = collect(leads.group_by("segment").agg(nw.len().alias("leads_count")))
    table = pd.DataFrame({"target_group": KINDS})
    table["leads_count"] = _by_kind(counted, ["leads_count"], process)["leads_count"].to_numpy(dtype=int)
    share = rate(table["leads_count"], np.full(len(table), table["leads_count"].sum()))
    table = table.assign(**dict(zip(SHARES, share[:3], strict=True)))
    table = _with_margin(_with_customers(_with_won(table, ["target_group"], process), process), process)
    return process.tidy(table[["target_group", "leads_count", *SHARES, *WON, "customers_count", *MARGIN]])


def _kinds(segments: pd.Series, process: Process) -> np.ndarray:
    """Segment → target, other or unknown."""
    known = ~segments.isin([MISSING, UNKNOWN])
    return np.where(~known, UNKNOWN, np.where(segments.isin(process.settings.target_segments or []), TARGET, OTHER))


def _by_kind(table: pd.DataFrame, columns: list[str], process: Process) -> pd.DataFrame:
    """Sums by segment as sums of target, other and unknown."""
    return table.assign(_kind=_kinds(table["segment"], process)).groupby("_kind")[columns].sum().reindex(KINDS).fillna(0)


def _with_won(table: pd.DataFrame, groups: list[str], process: Process) -> pd.DataFrame:
    """The table with who won of the leads followed long enough; missing where movement is not recorded."""
    if not (process.steps and process.has("stage_events")):
        return table.assign(**dict.fromkeys(WON, np.nan)).assign(few=True)
    by_kind = groups == ["target_group"]
    window = equal_window_days(process)
    won = _followed(process, ["segment"] if by_kind else groups, window)
    if by_kind:
        won = _by_kind(won, ["base_count", "won_count"], process).rename_axis("target_group").reset_index()
    table = table.merge(won, on=groups, how="left", validate="one_to_one")
    table[["base_count", "won_count"]] = table[["base_count", "won_count"]].fillna(0).astype(int)
    share, low, high, *_ = rate(table["won_count"], table["base_count"])
    return table.assign(won_share=share, won_low_share=low, won_high_share=high, few=is_few(table["base_count"]),
                        equal_window_days=np.nan if window is None else window)


def _followed(process: Process, groups: list[str], window: float | None) -> pd.DataFrame:
    """Per group the leads followed long enough and those won; of decided leads where the moments of wins are not known."""
    if window is None:
        table = states(process, by=groups)
        return table.assign(base_count=table["won_count"] + table["lost_count"])[[*groups, "base_count", "won_count"]]
    days = counts_by_day(process, groups, window)
    days = days.rename(columns={"leads": "base_count", f"reached_{len(process.steps) - 1}": "won_count"})
    return days.groupby(groups, as_index=False)[["base_count", "won_count"]].sum()


def _with_customers(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    if not (process.has("orders") or (process.steps and process.has("stage_events"))):
        return table.assign(customers_count=np.nan)
    leads = with_groups(new_leads(process), ["segment"]).select("lead_id", "segment")
    people = new_customers(process).select("lead_id").filter(~nw.col("lead_id").is_null()).join(leads, on="lead_id", how="inner")
    counts = collect(people.group_by("segment").agg(nw.len().alias("customers_count")))
    return table.assign(customers_count=_by_kind(counts, ["customers_count"], process)["customers_count"].to_numpy(dtype=int))


def _with_margin(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    """What leads at least 12 months old brought within 12 months, per lead, with the spread from lead to lead."""
    known = process.has("orders", "margin") or (process.has("orders") and process.settings.margin_share is not None)
    if not known:
        return table.assign(**dict.fromkeys(MARGIN, np.nan))
    leads = _mature_leads(process)
    sizes = collect(leads.group_by("segment").agg(nw.len().alias("mature_leads_count")))
    sums = collect(_margin_per_lead(process, leads).group_by("segment").agg(
        nw.col("margin", "square", "unknown_count").sum()))
    count = _by_kind(sizes, ["mature_leads_count"], process)["mature_leads_count"].to_numpy(dtype=float)
    sums = _by_kind(sums, ["margin", "square", "unknown_count"], process)
    margin = sums["margin"].to_numpy() / process.minor_units
    margin = np.where(sums["unknown_count"] > 0, np.nan, margin)
    mean = ratio(margin, count)
    variance = np.maximum(ratio(sums["square"].to_numpy() - count * mean**2, count - 1), 0)
    half = np.where(is_few(count), np.nan, Z_95 * np.sqrt(ratio(variance, count)))
    return table.assign(mature_leads_count=count.astype(int), year_margin_amount=margin, margin_per_lead_amount=mean,
                        margin_per_lead_low_amount=steady(mean - half), margin_per_lead_high_amount=steady(mean + half))


def _mature_leads(process: Process) -> nw.LazyFrame:
    """New leads that can have brought all that they bring within 12 months."""
    before = process.needs_as_of() - pd.Timedelta(days=HORIZON_MONTHS * DAYS_PER_MONTH)
    leads = with_groups(new_leads(process), ["segment"])
    return leads.filter((nw.col("created_at") <= before.to_pydatetime())
                        & (nw.col("created_at") >= process.observed_from.to_pydatetime())).select("lead_id", "segment")


def _margin_per_lead(process: Process, leads: nw.LazyFrame) -> nw.LazyFrame:
    """Per lead that brought a customer: `margin` in whole minor units, its `square` in major ones, orders without a margin."""
    people = new_customers(process).filter(~nw.col("lead_id").is_null()).select("customer_id", "lead_id", "lead_created_at")
    people = people.join(leads, on="lead_id", how="inner")
    money = money_rows(process).select("customer_id", "ordered_at", "margin").join(people, on="customer_id", how="inner")
    age = elapsed_days(nw.col("lead_created_at"), nw.col("ordered_at"), money)
    money = money.filter(age < HORIZON_MONTHS * DAYS_PER_MONTH)
    money = money.with_columns(unknown_count=flag(nw.col("margin").is_null()), margin=nw.col("margin").fill_null(0.0))
    per_lead = money.group_by("lead_id", "segment").agg(nw.col("margin").sum(), nw.col("unknown_count").sum())
    return per_lead.with_columns(square=(nw.col("margin") / process.minor_units) * (nw.col("margin") / process.minor_units))
