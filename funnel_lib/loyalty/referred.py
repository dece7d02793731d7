"""Whether clients who came by recommendation are better ones: how often they buy, buy again, and what they bring."""

from __future__ import annotations

from math import erfc

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.cohorts import counts_by_day, equal_window_days
from funnel_lib.customers import ORIGINS, OTHER_ORIGIN, REFERRED, customers, money_rows, origin_of
from funnel_lib.engine import collect, flag
from funnel_lib.journeys import RUNNING, lead_states
from funnel_lib.new_leads import new_leads
from funnel_lib.periods import elapsed_days
from funnel_lib.pooling import adjusted_p_values, p_values_against_the_rest
from funnel_lib.rates import Z_95, is_few, rate, ratio, steady

YEAR_DAYS = 365
SIGNIFICANT = 0.05
ROOT_OF_TWO = 2**0.5
ABOVE, BELOW, NO_DIFFERENCE, TOO_FEW, NOT_COMPARED = "above", "below", "no_difference", "too_few", "not_compared"
WON = ["base_count", "won_count", "won_share", "won_low_share", "won_high_share"]
AGAIN = ["year_customers_count", "again_count", "again_share", "again_low_share", "again_high_share"]
MARGIN = ["customer_margin_amount", "customer_margin_low_amount", "customer_margin_high_amount"]
COLUMNS = ["origin", "leads_count", *WON, "won_verdict", "equal_window_days", "customers_count", *AGAIN, "again_verdict", *MARGIN,
           "margin_verdict"]


def referred_comparison(process: Process) -> pd.DataFrame:
    """Referred leads and customers against the others: conversion, buying again, margin of the first year.

    One row is an `origin` (referred, other, unknown: the channel is missing). Leads: `leads_count`, all new ones; of those at
    least the equal window old `base_count`, `won_count` within it, `won_share` with Wilson limits (see `conversion.comparison`;
    missing where movement is not recorded), `equal_window_days` (missing where the moments of wins are not known: there the
    base is the decided leads). Customers: `customers_count`, all new ones; of those whose first order is at least 365 days ago
    (`year_customers_count`) `again_count` with another order within 365 days of it, `again_share` with Wilson limits, and
    `customer_margin_amount`, the margin of each customer's first 365 days on average, refunds taken off, with limits (mean ± 1.96
    standard errors over customers; missing under 30 customers, or where all brought the same; margin missing where one is
    not known).
    `won_verdict`, `again_verdict`, `margin_verdict`: above or below where referred and other ones differ beyond chance (exact
    test of shares, standard errors of means; adjusted for the three comparisons), no_difference, too_few (under 30 in one of the
    two), not_compared (unknown ones, and what is not known). A difference is no proof of cause.
    Raises `MeasureError` where there are no orders. Source: Fisher 1935; Wilson 1927; Benjamini and Hochberg 1995.
    """
    people = _customers(process)
    table = _leads(process).join(people, how="outer").reindex(list(ORIGINS)).rename_axis("origin")
    counts = ["leads_count", "base_count", "won_count", "customers_count", "year_customers_count", "again_count"]
    known = [name for name in counts if table[name].notna().any() or name in people]
    table[known] = table[known].fillna(0).astype(int)
    table["equal_window_days"] = table["equal_window_days"].max()
    for name, part, whole in (("won", "won_count", "base_count"), ("again", "again_count", "year_customers_count")):
        limits = rate(table[part], table[whole])
        table = table.assign(**{f"{name}_share": limits.share, f"{name}_low_share": limits.low_share,
                                f"{name}_high_share": limits.high_share})
    table, error = _with_margin(table, process)
    return process.tidy(_with_verdicts(table, error).reset_index()[COLUMNS])


def _leads(process: Process) -> pd.DataFrame:
    """By origin: all new leads, those followed long enough and those won; missing where there are no leads, or no movement."""
    nothing = pd.DataFrame(np.nan, index=list(ORIGINS), columns=["leads_count", "base_count", "won_count", "equal_window_days"])
    if not process.has("leads"):
        return nothing
    leads = new_leads(process).with_columns(origin=origin_of(process))
    counted = collect(leads.group_by("origin").agg(nw.len().alias("leads_count"))).set_index("origin")
    if not (process.steps and process.has("stage_events")):
        return counted.reindex(columns=nothing.columns)
    leads, window = lead_states(process).with_columns(origin=origin_of(process)), equal_window_days(process)
    if window is None:
        decided = leads.filter(nw.col("state") != RUNNING).with_columns(is_won=flag(nw.col("state") == "won"))
        won = collect(decided.group_by("origin").agg(nw.len().alias("base_count"), nw.col("is_won").sum().alias("won_count")))
    else:
        last = f"reached_{len(process.steps) - 1}"
        won = counts_by_day(process, ["origin"], window, leads).rename(columns={"leads": "base_count", last: "won_count"})
    won = won.groupby("origin")[["base_count", "won_count"]].sum()
    return counted.join(won, how="outer").assign(equal_window_days=np.nan if window is None else window)


def _customers(process: Process) -> pd.DataFrame:
    """By origin: new customers; of those a year old who bought again in it, its margin (minor units) and the squares (major)."""
    people = customers(process).filter(nw.col("is_older") == 0).select("customer_id", "origin", "first_order_at")
    everyone = collect(people.group_by("origin").agg(nw.len().alias("customers_count"))).set_index("origin")
    old = people.filter(elapsed_days(nw.col("first_order_at"), process.needs_as_of(), people) >= YEAR_DAYS)
    money = money_rows(process).select("customer_id", "ordered_at", "amount", "margin").join(old, on="customer_id", how="inner")
    age = elapsed_days(nw.col("first_order_at"), nw.col("ordered_at"), money)
    money = money.filter((age >= 0) & (age < YEAR_DAYS)).with_columns(
        orders=flag(nw.col("amount") > 0), unknown=flag(nw.col("margin").is_null()),
        margin=nw.col("margin").fill_null(0.0))
    each = money.group_by("customer_id", "origin").agg(nw.col("orders").sum(), nw.col("unknown").sum(), nw.col("margin").sum())
    each = each.with_columns(again=flag(nw.col("orders") > 1), major=nw.col("margin") / process.minor_units)
    each = each.with_columns(square=nw.col("major") * nw.col("major"))
    sums = collect(each.group_by("origin").agg(
        nw.len().alias("year_customers_count"), nw.col("again").sum().alias("again_count"),
        nw.col("margin", "square", "unknown").sum())).set_index("origin")
    return everyone.join(sums, how="outer")


def _with_margin(table: pd.DataFrame, process: Process) -> tuple[pd.DataFrame, np.ndarray]:
    """The table with the mean margin of the first year and its limits, and the standard errors."""
    count, total = table["year_customers_count"].to_numpy(dtype=float), table["margin"].to_numpy(dtype=float) / process.minor_units
    known = process.has("orders", "margin") or process.settings.margin_share is not None
    mean = np.where(known & (table["unknown"] == 0), ratio(total, count), np.nan)
    variance = np.maximum(ratio(table["square"].to_numpy(dtype=float) - count * mean**2, count - 1), 0)
    error = np.where(is_few(count), np.nan, np.sqrt(ratio(variance, count)))
    half = Z_95 * np.where(error > 0, error, np.nan)
    limits = (steady(mean - half), steady(mean + half))
    return table.assign(**dict(zip(MARGIN, (mean, *limits), strict=True))), error


def _with_verdicts(table: pd.DataFrame, error: np.ndarray) -> pd.DataFrame:
    """The table with what of the three differences between referred and other ones is beyond chance."""
    two = table.loc[[REFERRED, OTHER_ORIGIN]]
    tests = {"won": _of_shares(two, "won_count", "base_count"), "again": _of_shares(two, "again_count", "year_customers_count"),
             "margin": _of_means(two["customer_margin_amount"].to_numpy(), error[:2])}
    adjusted = adjusted_p_values([p_value for p_value, _ in tests.values()])
    values = {"won": "won_share", "again": "again_share", "margin": "customer_margin_amount"}
    for p_value, (name, (_, unknown)) in zip(adjusted, tests.items(), strict=True):
        here, there = two[values[name]]
        verdict = (ABOVE, BELOW) if here > there else (BELOW, ABOVE)
        if not p_value < SIGNIFICANT:
            verdict = (NO_DIFFERENCE, NO_DIFFERENCE) if p_value >= SIGNIFICANT else (unknown, unknown)
        table[f"{name}_verdict"] = [*verdict, NOT_COMPARED]
    return table


def _of_shares(two: pd.DataFrame, part: str, whole: str) -> tuple[float, str]:
    """p-value of the difference of two shares, and the verdict where there is none."""
    if two[whole].isna().any():
        return np.nan, NOT_COMPARED
    if is_few(two[whole]).any():
        return np.nan, TOO_FEW
    return float(p_values_against_the_rest(two[part], two[whole])[0]), ""


def _of_means(means: np.ndarray, errors: np.ndarray) -> tuple[float, str]:
    """p-value of the difference of two means by their standard errors, and the verdict where there is none."""
    if np.isnan(means).any():
        return np.nan, NOT_COMPARED
    if np.isnan(errors).any():
        return np.nan, TOO_FEW
    spread = float(np.hypot(*errors))
    distance = abs(float(means[0] - means[1]))
    return erfc(ratio(distance, spread) / ROOT_OF_TWO) if spread else float(distance == 0), ""
