"""Conversion in time: the curve, the time to win, and the share that will have bought in the end."""

from __future__ import annotations

from collections.abc import Iterator

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import as_list, collect, with_groups
from funnel_lib.errors import MeasureError
from funnel_lib.journeys import RUNNING, WON, lead_states
from funnel_lib.language.messages import message
from funnel_lib.periods import elapsed_days
from funnel_lib.rates import FEW, interval_of_share, rate, ratio
from funnel_lib.schema import LOST
from funnel_lib.survival import Curve, aalen_johansen, expected_share, first_day_reaching, grouped

# A quartile of the time to win needs this many at risk before the horizon.
MIN_AT_RISK = 10
BOOTSTRAP_DRAWS = 400
BOOTSTRAP_SEED = 20240229
# Below this share of F(W) already observed a projection is mostly a projection.
MOSTLY_PROJECTED = 0.2


def outcome_counts(process: Process, groups: list[str], returning: bool = False) -> pd.DataFrame:
    """Leads created since `observed_from` per group, state and whole day of age at the outcome (or at `as_of`).

    Columns: the groups, `state`, `day` (missing where the moment of the outcome is unknown), `leads`.
    """
    return process.remembered(("outcome_counts", repr(groups), returning),
                              lambda: _outcome_counts(process, groups, returning)).copy()


def _outcome_counts(process: Process, groups: list[str], returning: bool) -> pd.DataFrame:
    process.needs_as_of()
    leads = with_groups(lead_states(process, returning), groups)
    if process.observed_from is not None:
        leads = leads.filter(nw.col("created_at") >= process.observed_from.to_pydatetime())
    leads = leads.with_columns(day=nw.col("outcome_days").floor())
    counts = collect(leads.group_by([*groups, "state", "day"]).agg(nw.len().alias("leads")))
    # In one order on every engine: bootstrap draws depend on it.
    return counts.sort_values([*groups, "state", "day"], ignore_index=True)


def curve_of(counts: pd.DataFrame, length: int | None = None) -> Curve:
    """The won curve, lost competing and running censored, from `outcome_counts`; outcomes without a moment left out."""
    timed = counts[counts["day"].notna()]
    length = length or (int(timed["day"].max()) + 1 if len(timed) else 1)
    parts = [grouped(timed["day"][timed["state"] == state], timed["leads"][timed["state"] == state], length)
             for state in (WON, LOST, RUNNING)]
    return aalen_johansen(*parts)


def horizon_of(process: Process, curve: Curve, horizon_days: float | None = None) -> int:
    """The horizon W of the eventual conversion in whole days: as given, the window, or the largest age with ≥ 30 at risk."""
    chosen = horizon_days if horizon_days is not None else process.settings.conversion_window_days
    if chosen is not None:
        return int(chosen)
    enough = np.flatnonzero(curve.at_risk_count >= FEW)
    return int(enough[-1]) if len(enough) else curve.last_day


def _each_group(counts: pd.DataFrame, groups: list[str]) -> Iterator[tuple[dict, pd.DataFrame]]:
    """(group columns, its counts), the largest group first."""
    if not groups:
        yield {}, counts
        return
    parts = sorted(counts.groupby(groups), key=lambda part: -part[1]["leads"].sum())
    for key, part in parts:
        yield dict(zip(groups, key, strict=True)), part


def _needs_moments(process: Process, counts: pd.DataFrame) -> None:
    """A curve from a few known moments of many outcomes would be wrong, not merely rough."""
    decided = counts[counts["state"] != RUNNING]
    unknown, total = decided.loc[decided["day"].isna(), "leads"].sum(), decided["leads"].sum()
    if unknown * 2 > total:
        raise MeasureError(message("{process}: the moment is unknown for {unknown} of {total} outcomes (won or lost); conversion "
                                   "in time needs entered_at for most of them", process=process.name, unknown=int(unknown),
                                   total=int(total)))


def time_curve(process: Process, by: str | list[str] | None = None, returning: bool = False) -> pd.DataFrame:
    """What share of the leads is won and lost by each age, running leads treated as not yet known.

    One row is a whole day of age (of a group). Columns: the group, `age_days`, `won_share` (cumulative incidence with
    *lost* competing and *running* censored) with its pointwise 95 % limits, `lost_share`, `running_share` (neither yet),
    `at_risk_count` (leads still running at the start of the day).
    Only leads created since `observed_from` count. Raises `MeasureError` where no moments are known.
    Source: Aalen and Johansen 1978.
    """
    groups = as_list(by)
    counts = outcome_counts(process, groups, returning)
    _needs_moments(process, counts)
    tables = []
    for group, part in _each_group(counts, groups):
        curve = curve_of(part)
        low, high = curve.limits()
        tables.append(pd.DataFrame({
            **group, "age_days": np.arange(curve.last_day + 1), "won_share": curve.event_share, "won_low_share": low,
            "won_high_share": high, "lost_share": curve.competing_share, "running_share": curve.still_share,
            "at_risk_count": curve.at_risk_count.astype(int)}))
    columns = [*groups, "age_days", "won_share", "won_low_share", "won_high_share", "lost_share", "running_share",
               "at_risk_count"]
    return process.tidy(pd.concat(tables)[columns] if tables else pd.DataFrame(columns=columns))


def time_to_win(process: Process, by: str | list[str] | None = None, horizon_days: float | None = None,
                returning: bool = False) -> pd.DataFrame:
    """How long it takes those who win within the horizon.

    One row is a group. Columns: the group, `won_count` (wins within W whose moment is known), `horizon_days` (W),
    `quarter_days`, `median_days`, `three_quarters_days`: the first age at which the won curve reaches ¼, ½, ¾ of its value
    at W, missing ("not reached") where fewer than 10 are at risk before W while some still run; `observed_mean_days` and
    `observed_median_days` of the wins so far, which are too short while many leads still run.
    """
    groups = as_list(by)
    counts = outcome_counts(process, groups, returning)
    _needs_moments(process, counts)
    horizon = horizon_of(process, curve_of(counts), horizon_days)
    moments = _observed_times(process, groups, returning)
    rows = []
    for group, part in _each_group(counts, groups):
        curve = curve_of(part)
        wins = part.loc[(part["state"] == WON) & (part["day"] <= horizon), "leads"].sum()
        rows.append({**group, "won_count": int(wins), "horizon_days": horizon,
                     **quartiles_of(part, curve, horizon)})
    table = pd.DataFrame(rows).astype({name: float for name in ("quarter_days", "median_days", "three_quarters_days")})
    if groups:
        table = table.merge(moments, on=groups, how="left", validate="one_to_one")
    else:
        table = table.assign(**moments.iloc[0].to_dict())
    return process.tidy(table)


def quartiles_of(part: pd.DataFrame, curve: Curve, horizon: int) -> dict[str, int | None]:
    """The first ages at which the curve reaches ¼, ½, ¾ of its value at the horizon; None where too few were followed."""
    followed, final = _is_followed(part, curve, horizon), float(curve.at(horizon))
    return {name: first_day_reaching(curve, share * final) if followed else None
            for name, share in (("quarter_days", 0.25), ("median_days", 0.5), ("three_quarters_days", 0.75))}


def _is_followed(part: pd.DataFrame, curve: Curve, horizon: int) -> bool:
    """Whether enough leads are at risk before the horizon, or every one of enough leads is decided, so that nothing is open."""
    still_open = ((part["state"] == RUNNING) & (part["day"] < horizon)).any()
    at_horizon = curve.at_risk_count[horizon] if horizon <= curve.last_day else 0
    return bool(at_horizon >= MIN_AT_RISK or (curve.at_risk_count[0] >= MIN_AT_RISK and not still_open))


def observed_horizon(curve: Curve, horizon: int) -> int:
    """The horizon, or the largest age with at least 30 at risk where no lead has been followed to the horizon yet.

    Beyond the oldest lead the curve is not known; holding it flat would take every running lead for lost.
    """
    if horizon <= curve.last_day or curve.still_share[-1] <= 0:
        return horizon
    enough = np.flatnonzero(curve.at_risk_count >= FEW)
    return int(enough[-1]) if len(enough) else curve.last_day


def _observed_times(process: Process, groups: list[str], returning: bool) -> pd.DataFrame:
    """Mean and median age at the win, exact, of the wins so far; wins dated before their lead are left out."""
    wins = with_groups(lead_states(process, returning), groups).filter(nw.col("state") == WON)
    wins = wins.filter((nw.col("won_at") >= nw.col("created_at")).fill_null(False)).select(*groups, "outcome_days")
    statistics = [nw.col("outcome_days").mean().alias("observed_mean_days"),
                  nw.col("outcome_days").median().alias("observed_median_days")]
    return collect(wins.group_by(groups).agg(*statistics) if groups else wins.select(*statistics))


def eventual_conversion(process: Process, by: str | list[str] | None = None, horizon_days: float | None = None,
                        returning: bool = False) -> pd.DataFrame:
    """What share of the leads will have bought by the horizon, running leads counted with their chance, not as lost.

    One row is a group. Columns: the group, `leads_count`, `won_count` (by the horizon, so far), `running_count` (younger
    than the horizon and undecided), `eventual_share` = (won + Σ over running leads of [F(W) − F(age)] / S(age)) / leads
    with its 95 % limits, `horizon_days` (W; shorter than `wanted_horizon_days` where no lead has been followed so
    long yet), `own_curve` (whether the group's own curve was used: at least 30 of its leads are W old), `mostly_projected`
    (on average its leads have less than 20 % of F(W) behind them), `untimed_count` (outcomes without a known moment: counted
    as decided), `left_out_count` (leads created before `observed_from`).
    For all leads together the figure equals the won curve at W. Limits: Aalen-Johansen's error for an own curve, otherwise a
    bootstrap of the grouped counts (400 draws, fixed seed).
    """
    groups = as_list(by)
    counts = outcome_counts(process, groups, returning)
    _needs_moments(process, counts)
    everyone = curve_of(counts)
    wanted = horizon_of(process, everyone, horizon_days)
    horizon = observed_horizon(everyone, wanted)
    ages = lead_ages(process, groups, returning)
    rows = []
    for group, part in _each_group(counts, groups):
        own_ages = ages.merge(pd.DataFrame([group]), on=groups) if groups else ages
        rows.append({**group, **_eventual(part, own_ages, counts, horizon), "wanted_horizon_days": wanted})
    columns = [*groups, "leads_count", "won_count", "running_count", "eventual_share", "eventual_low_share",
               "eventual_high_share", "horizon_days", "wanted_horizon_days", "own_curve", "mostly_projected", "untimed_count",
               "left_out_count"]
    return process.tidy(pd.DataFrame(rows, columns=columns))


def lead_ages(process: Process, groups: list[str], returning: bool = False) -> pd.DataFrame:
    """Leads per group and whole day of age at `as_of`: columns the groups, `age`, `observed` (created since
    `observed_from`), `leads`."""
    return process.remembered(("lead_ages", repr(groups), returning), lambda: _lead_ages(process, groups, returning)).copy()


def _lead_ages(process: Process, groups: list[str], returning: bool) -> pd.DataFrame:
    since = process.observed_from if process.observed_from is not None else pd.Timestamp(1970, 1, 1)
    observed = nw.when(nw.col("created_at") >= since.to_pydatetime()).then(nw.lit(1)).otherwise(nw.lit(0))
    leads = with_groups(lead_states(process, returning), groups)
    leads = leads.with_columns(age=elapsed_days(nw.col("created_at"), process.needs_as_of(), leads).floor(), observed=observed)
    return collect(leads.group_by([*groups, "age", "observed"]).agg(nw.len().alias("leads")))


def _eventual(part: pd.DataFrame, ages: pd.DataFrame, counts: pd.DataFrame, horizon: int) -> dict:
    """The eventual conversion of one group: by its own curve if it is old enough, else by everyone's."""
    untimed = part[part["day"].isna()]
    part = part[part["day"].notna()]
    observed = ages[ages["observed"] == 1]
    mature_count = observed.loc[observed["age"] >= horizon, "leads"].sum()
    own = bool(mature_count >= FEW or part["leads"].sum() == counts.loc[counts["day"].notna(), "leads"].sum())
    curve = curve_of(part if own else counts)
    won = part.loc[(part["state"] == WON) & (part["day"] <= horizon), "leads"].sum()
    running = part[(part["state"] == RUNNING) & (part["day"] < horizon)]
    expected = (running["leads"] * expected_share(curve, running["day"].to_numpy(), horizon)).sum()
    # An outcome whose moment is not known is decided all the same; the curve is only for the others.
    won += untimed.loc[untimed["state"] == WON, "leads"].sum()
    timed, leads = part["leads"].sum(), part["leads"].sum() + untimed["leads"].sum()
    share = rate(won + expected, leads).share
    error = curve.at(horizon, "standard_error") if own else _bootstrap_error(part, counts, horizon)
    error = error * np.nan_to_num(ratio(timed, leads))
    low, high = interval_of_share(share, error, leads - running["leads"].sum())
    # How much of the curve the group's leads have behind them, on average.
    behind = ratio((observed["leads"] * curve.at(np.minimum(observed["age"], horizon))).sum(),
                   observed["leads"].sum() * curve.at(horizon))
    return {"leads_count": int(leads), "won_count": int(won), "running_count": int(running["leads"].sum()),
            "eventual_share": share, "eventual_low_share": float(low), "eventual_high_share": float(high),
            "horizon_days": horizon, "own_curve": own, "mostly_projected": bool(behind < MOSTLY_PROJECTED),
            "untimed_count": int(untimed["leads"].sum()),
            "left_out_count": int(ages["leads"].sum() - leads)}


def _bootstrap_error(part: pd.DataFrame, counts: pd.DataFrame, horizon: int) -> float:
    """Standard error of a group's eventual conversion by everyone's curve: both the group and the curve are drawn anew."""
    if part.empty:  # every outcome of the group is decided at an unknown moment
        return 0.0
    random = np.random.default_rng(BOOTSTRAP_SEED)
    everyone = counts[counts["day"].notna()].groupby(["state", "day"], as_index=False)["leads"].sum()
    length = int(max(everyone["day"].max(), horizon)) + 1
    drawn = _redrawn(everyone["leads"], random)
    parts = []
    for state in (WON, LOST, RUNNING):
        daily = np.zeros((BOOTSTRAP_DRAWS, length))
        cells = (everyone["state"] == state).to_numpy()
        daily[:, everyone["day"].astype(int)[cells]] = drawn[:, cells]
        parts.append(daily)
    curves = aalen_johansen(*parts)
    chance = expected_share(curves, part["day"].to_numpy(), horizon)
    won = ((part["state"] == WON) & (part["day"] <= horizon)).to_numpy()
    running = (part["state"] == RUNNING).to_numpy()
    shares = ratio((_redrawn(part["leads"], random) * (won + running * chance)).sum(axis=1), part["leads"].sum())
    return float(np.std(shares, ddof=1))


def _redrawn(leads: pd.Series, random: np.random.Generator) -> np.ndarray:
    """Bootstrap draws of grouped counts."""
    total = int(leads.sum())
    return random.multinomial(total, np.asarray(ratio(leads, total)), size=BOOTSTRAP_DRAWS)
