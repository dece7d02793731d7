"""What changed: the conversion of one period against the one before, taken apart into mix and rates, adding up exactly."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.cohorts import counts_by_day, equal_window_days, half_win_days, needs_column
from funnel_lib.engine import as_list
from funnel_lib.errors import CallError, MeasureError, nearest
from funnel_lib.language.messages import message
from funnel_lib.periods import PERIODS, all_periods, days_between, next_period_start, period_starts
from funnel_lib.rates import FEW, difference_limits, rate, ratio

MIX, RATE = "mix", "rate"
STEP = "step"
COLUMNS = ["part", "kind", "change_share", "before_count", "before_whole_count", "before_share", "after_count",
           "after_whole_count", "after_share", "overall_before_share", "overall_after_share", "overall_change_share",
           "overall_change_low_share", "overall_change_high_share", "before_from", "after_from", "after_until",
           "equal_window_days"]
# A period is judged by the leads that are old enough if they are at least this part of it.
ENOUGH_OF_PERIOD = 0.5
_COMPARED = {"day": message("one day with the one before"), "week": message("one week with the one before"),
             "month": message("one month with the one before"), "quarter": message("one quarter with the one before"),
             "year": message("one year with the one before")}


class _Periods(NamedTuple):
    """The two periods, the moment up to which leads of the later one are old enough, and the window for both."""

    before_from: pd.Timestamp
    after_from: pd.Timestamp
    until: pd.Timestamp
    window: float


def change_decomposition(process: Process, by: str | list[str] = "channel", per: str = "quarter",
                         window_days: float | None = None, last: object = None) -> pd.DataFrame:
    """The change of the share won from one period of creation to the next, taken apart.

    `by` a column of the leads: one row is a group × `kind`: *mix* Δw·r̄ (its part of the leads changed) and *rate* w̄·Δr (its
    own share won changed), with w the group's part of the leads, r its share won and bars for the mean of both periods; a
    group absent in one period takes the other's rate. `by="step"`: one row is a mandatory step, all of kind *rate*, by
    log-mean weights L(R₁, R₀)·ln(r₁/r₀), or by Shapley's shares where a rate is zero. `change_share` adds up to
    `overall_change_share` exactly.
    Both periods are followed equally long: the process's window (without one the age by which nine tenths of the wins are
    in) where at least half of the later period's leads are that old, and then only those count; else the age of its
    youngest lead, if by then half of the wins are usually in. `last` is the first day of the later period; None takes the latest
    one that can be compared.
    Columns: `part`, `kind`, `change_share`; `before_count` / `before_whole_count` = `before_share` and the same after
    (mix: leads of the group of all leads; rate: won of the group's leads, or reached of those at the step before);
    `overall_before_share`, `overall_after_share` and `overall_change_share` with its 95 % limits; `before_from`,
    `after_from`, `after_until` (leads created before this day), `equal_window_days`.
    Source: Kitagawa 1955; Ang 2005 (log-mean weights); Shapley 1953; Newcombe 1998 (limits).
    Raises `MeasureError` where it is too early or leads, events, steps or the column are missing; `CallError` for another period.
    """
    if per not in PERIODS:
        raise CallError(message("per={per!r}: expected one of {known}.{nearest}", per=per, known=", ".join(PERIODS),
                                nearest=nearest(per, PERIODS)))
    groups = [] if by == STEP else as_list(by)
    needs_column(process, groups)
    periods = _chosen(process, per, window_days, last)
    counts = counts_by_day(process, groups, periods.window)
    middle = counts["day"] >= periods.after_from
    before = counts[(counts["day"] >= periods.before_from) & ~middle]
    after = counts[middle & (counts["day"] < periods.until)]
    parts = _by_group(before, after, groups, len(process.steps) - 1) if groups else _by_step(before, after, process)
    final = f"reached_{len(process.steps) - 1}"
    totals = [rate(side[final].sum(), side["leads"].sum()) for side in (before, after)]
    low, high = difference_limits(*totals)
    return process.tidy(parts.assign(
        overall_before_share=totals[0].share, overall_after_share=totals[1].share,
        overall_change_share=totals[1].share - totals[0].share, overall_change_low_share=low, overall_change_high_share=high,
        before_from=periods.before_from, after_from=periods.after_from, after_until=periods.until,
        equal_window_days=periods.window)[COLUMNS])


# -- which periods ---------------------------------------------------------------------------------------------------------


def _chosen(process: Process, per: str, window_days: float | None, last: object) -> _Periods:
    end, window = process.needs_as_of(), equal_window_days(process, window_days)
    days = counts_by_day(process, [], None)
    if window is None or days.empty:
        raise MeasureError(message("{process}: needs wins with known moments to compare periods of equal maturity",
                                   process=process.name))
    starts = list(all_periods(process.observed_from, end, per))
    if last is not None:
        wanted = period_starts(pd.Series([pd.Timestamp(last)]), per).iloc[0]
        starts = [start for start in starts if start <= wanted]
    half = half_win_days(process) or window
    # The first period may have begun before the recording.
    candidates = pairwise(starts)
    pairs = [pair for pair in candidates if pair[0] >= process.observed_from.normalize()]
    for before, after in reversed(pairs):
        found = _comparable(before, after, per, end, min(half, window), window, days)
        if found:
            return found
        if last is not None:
            break
    raise MeasureError(message("{process}: too early to compare {periods}: at least {count} leads of each have to be followed "
                               "equally long, until half of the wins are usually in", process=process.name, count=FEW,
                               periods=_COMPARED[per] if last is None else message("these periods")))


def _comparable(before: pd.Timestamp, after: pd.Timestamp, per: str, end: pd.Timestamp, half: float, window: float,
                days: pd.DataFrame) -> _Periods | None:
    """The two periods under one window, or None where it is too early or there are too few leads."""
    stop = next_period_start(after, per)
    until = min(stop, (end - pd.Timedelta(days=window)).normalize() + pd.Timedelta(days=1))
    leads, mature = _leads_between(days, after, stop), _leads_between(days, after, until)
    if mature < max(FEW, ENOUGH_OF_PERIOD * leads):
        window, until, mature = np.floor(days_between(stop, end)), stop, leads
        if window < half:
            return None
    if min(mature, _leads_between(days, before, after)) < FEW:
        return None
    return _Periods(before, after, until, float(window))


def _leads_between(days: pd.DataFrame, start: pd.Timestamp, stop: pd.Timestamp) -> float:
    return float(days.loc[(days["day"] >= start) & (days["day"] < stop), "leads"].sum())


# -- taking apart ------------------------------------------------------------------------------------------------------------


def _by_group(before: pd.DataFrame, after: pd.DataFrame, groups: list[str], last: int) -> pd.DataFrame:
    sides = [side.groupby(groups)[["leads", f"reached_{last}"]].sum().set_axis(["leads", "won"], axis=1)
             for side in (before, after)]
    index = sides[0].index.union(sides[1].index)
    before, after = (side.reindex(index, fill_value=0) for side in sides)
    order = np.argsort(-(before["leads"] + after["leads"]).to_numpy(), kind="stable")
    mix, rates = kitagawa(*(side[column].to_numpy() for side in (before, after) for column in ("leads", "won")))
    names = [" · ".join(key) if isinstance(key, tuple) else key for key in index]
    rows = []
    for place in order:
        for kind, changes, part, whole in ((MIX, mix, "leads", None), (RATE, rates, "won", "leads")):
            counts = [(side[part].iloc[place], side["leads"].sum() if whole is None else side[whole].iloc[place])
                      for side in (before, after)]
            rows.append(_part_row(names[place], kind, changes[place], counts))
    return pd.DataFrame(rows)


def kitagawa(before_leads, before_won, after_leads, after_won) -> tuple[np.ndarray, np.ndarray]:
    """Per group the change by mix Δw·r̄ and by rate w̄·Δr; their sum is the change of the whole share.

    A group absent in one period takes the other's rate. Source: Kitagawa 1955.

    >>> mix, rates = kitagawa([50, 50], [25, 5], [10, 90], [6, 18])
    >>> mix.round(3).tolist(), rates.round(3).tolist()
    ([-0.22, 0.06], [0.03, 0.07])
    """
    before_weight, after_weight = (np.asarray(ratio(leads, np.sum(leads))) for leads in (before_leads, after_leads))
    before_rate, after_rate = np.asarray(ratio(before_won, before_leads)), np.asarray(ratio(after_won, after_leads))
    before_rate, after_rate = (np.where(np.isnan(one), other, one)
                               for one, other in ((before_rate, after_rate), (after_rate, before_rate)))
    mix = (after_weight - before_weight) * (before_rate + after_rate) / 2
    return mix, (before_weight + after_weight) / 2 * (after_rate - before_rate)


def _by_step(before: pd.DataFrame, after: pd.DataFrame, process: Process) -> pd.DataFrame:
    chain = ["leads", *(f"reached_{number}" for number, step in enumerate(process.steps) if not step.optional)]
    keys = [step.key for step in process.steps if not step.optional]
    sums = [side[chain].sum().to_numpy() for side in (before, after)]
    changes = chain_changes(*(np.asarray(ratio(side[1:], side[:-1])) for side in sums))
    return pd.DataFrame([_part_row(key, RATE, changes[place], [(side[place + 1], side[place]) for side in sums])
                         for place, key in enumerate(keys)])


def chain_changes(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Per link the part of the change of the product of a chain of rates; the parts add up to the change.

    Log-mean weights L(R₁, R₀)·ln(r₁/r₀), or Shapley's shares where a rate is zero. An undefined rate (nobody came that
    far) takes the other period's. Source: Ang 2005; Shapley 1953.

    >>> chain_changes(np.array([0.5, 0.5]), np.array([0.5, 0.4])).round(6).tolist()
    [0.0, -0.05]
    """
    before, after = (np.where(np.isnan(one), np.nan_to_num(other), one) for one, other in ((before, after), (after, before)))
    if (before <= 0).any() or (after <= 0).any():
        return _shapley(before, after)
    old, new = before.prod(), after.prod()
    ratios = np.asarray(ratio(after, before))
    mean = old if np.isclose(new, old, rtol=1e-12, atol=0) else ratio(new - old, np.log(ratio(new, old)))
    return np.asarray(mean * np.log(ratios))


def _shapley(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Shapley's shares of a product: the integral of its slope on the straight way from before to after (Owen 1972).

    Exact with so many nodes, since the slope is a polynomial of the number of links less one.
    """
    nodes, weights = np.polynomial.legendre.leggauss(len(before) // 2 + 1)
    on_way = before + (after - before) * ((nodes + 1) / 2)[:, None]
    others = np.stack([np.delete(on_way, place, axis=1).prod(axis=1) for place in range(len(before))], axis=1)
    return (after - before) * (weights[:, None] / 2 * others).sum(axis=0)


def _part_row(part: str, kind: str, change: float, counts: list[tuple[float, float]]) -> dict:
    row = {"part": part, "kind": kind, "change_share": float(change)}
    for side, (count, whole) in zip(("before", "after"), counts, strict=True):
        row |= {f"{side}_count": int(count), f"{side}_whole_count": int(whole), f"{side}_share": ratio(count, whole)}
    return row
