"""Technologization: the level each technology card claims against the level that the log of work shows."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, with_groups
from funnel_lib.errors import MeasureError
from funnel_lib.labour import costed_hours, without_unknown
from funnel_lib.periods import DAYS_PER_MONTH, days_between
from funnel_lib.rates import ratio
from funnel_lib.schema import MISSING, OTHER

# Fewer executions than this show nothing.
ENOUGH_EXECUTIONS = 20
AUTOMATIC_SHARE, ASSISTED_SHARE = 0.9, 0.3
PERFORMERS, PERFORMER_SHARE, LARGEST_VARIATION = 2, 0.2, 0.75
BY_ROLE_SHARE = 0.7
COLUMNS = ["stage", "card", "role", "claimed_level", "shown_level", "level_gap", "executions_count", "hours", "automated_share",
           "performers_count", "hours_variation", "by_role_share", "labour_amount", "freed_hours_per_month",
           "monthly_gain_amount", "setup_cost_amount", "payback_months"]


def technologization(process: Process) -> pd.DataFrame:
    """The level of technology that each card claims, and the level that the log shows.

    One row is a card, most hours first; a card without log shows nothing, work on a card that is not described claims
    nothing. Levels: 0 craft, 1 described, 2 scripted, 3 assisted by software, 4 automatic.
    `shown_level`: 4 if at least 90 % of the executions are automated; 3 if at least 30 %; 2 if at least two employees do 20 %
    each and the variation of hours is at most 0.75; 1 if at least 70 % are by the card's role; else 0; missing under 20
    executions. Its evidence stands beside it: `executions_count` (rows of work), `automated_share`, `performers_count`
    (employees with at least 20 %), `hours_variation` (standard deviation / mean of hours), `by_role_share`. `level_gap` =
    claimed − shown. The card's `hours` and `labour_amount`; of its next level `freed_hours_per_month`,
    `monthly_gain_amount` = freed hours × hour cost − monthly cost, `setup_cost_amount`, and `payback_months` = set-up cost /
    monthly gain, missing where nothing is gained.
    Raises `MeasureError` where there are neither cards nor work with a card.
    """
    if not (process.settings.cards or process.has("work", "card")):
        raise MeasureError(f"{process.name}: needs technology cards in company.yaml (one per kind of work, with its level), or "
                           "the column 'card' in the table 'work'")
    described = pd.DataFrame([_described(card) for card in process.settings.cards], columns=_DESCRIBED)
    numbers = {name: float for name in _DESCRIBED if name not in ("stage", "card", "role")}
    table = described.astype({"stage": "str", "card": "str", "role": "str", **numbers})
    if process.has("work", "card"):
        logged = _logged(process)
        table = table.merge(logged, on="card", how="outer", suffixes=("", "_logged"))
        table["stage"] = table["stage"].fillna(table["stage_logged"])
        table[["executions_count", "hours"]] = table[["executions_count", "hours"]].fillna(0.0)
        table["shown_level"] = _shown_level(table)
    table["level_gap"] = table["claimed_level"] - table.get("shown_level", np.nan)
    table = _with_next_level(table.reindex(columns=[*dict.fromkeys([*COLUMNS, *table.columns])]), process)
    return process.tidy(table.sort_values(["hours", "card"], ascending=[False, True])[COLUMNS])


_DESCRIBED = ["stage", "card", "role", "claimed_level", "setup_cost_amount", "monthly_cost_amount", "hours_saved_share"]


def _described(card) -> tuple:
    following = card.next_level
    next_level = (following.setup_cost, following.monthly_cost, following.hours_saved_share) if following else (np.nan,) * 3
    return (card.stage, card.key, card.role, np.nan if card.level is None else card.level, *next_level)


def _logged(process: Process) -> pd.DataFrame:
    """What the log says of each card, from counts per card and performer."""
    work = _on_cards(process)
    role_of = {card.key: card.role for card in process.settings.cards}
    automated = nw.when(nw.col("automated").fill_null(False)).then(nw.lit(1)).otherwise(nw.lit(0))
    work = with_groups(work, ["employee", "role", "stage"]).with_columns(
        automated=automated, squares=nw.col("hours") * nw.col("hours"))
    cells = collect(work.group_by("card", "stage", "role", "employee").agg(
        nw.len().alias("executions_count"), nw.col("hours").sum(), nw.col("squares").sum(), nw.col("automated").sum()))
    cells["by_role"] = cells["executions_count"].where(cells["role"] == cells["card"].map(role_of), 0.0)
    table = cells.groupby("card")[["executions_count", "hours", "squares", "automated", "by_role"]].sum().reset_index()
    executions = table["executions_count"]
    table["automated_share"] = ratio(table["automated"], executions)
    table["by_role_share"] = ratio(table["by_role"], executions)
    table.loc[table["card"].map(role_of).isna(), "by_role_share"] = np.nan
    table["hours_variation"] = _variation(table)
    table["performers_count"] = table["card"].map(_performers(cells)).fillna(0)
    longest = cells.sort_values(["hours", "stage"], ascending=[False, True]).drop_duplicates("card").set_index("card")["stage"]
    table["stage"] = table["card"].map(longest)
    costed = costed_hours(process, "card", work)
    table["labour_amount"] = table["card"].map(dict(zip(costed["card"], without_unknown(costed, process), strict=True)))
    return table.drop(columns=["squares", "automated", "by_role"])


def _on_cards(process: Process) -> nw.LazyFrame:
    """Work that names a card."""
    return process.table("work").filter(~nw.col("card").is_null())


def _variation(table: pd.DataFrame) -> np.ndarray:
    """Coefficient of variation of the hours of one execution."""
    mean = ratio(table["hours"], table["executions_count"])
    deviations = np.maximum(table["squares"] - table["executions_count"] * mean**2, 0.0)
    return ratio(np.sqrt(ratio(deviations, table["executions_count"] - 1)), mean)


def _performers(cells: pd.DataFrame) -> pd.Series:
    """Per card the number of named employees with at least a fifth of its executions."""
    named = cells[cells["employee"] != MISSING].groupby(["card", "employee"])["executions_count"].sum().reset_index()
    total = cells.groupby("card")["executions_count"].sum()
    much = ratio(named["executions_count"], named["card"].map(total)) >= PERFORMER_SHARE
    return named[much].groupby("card")["employee"].nunique()


def _shown_level(table: pd.DataFrame) -> np.ndarray:
    scripted = (table["performers_count"] >= PERFORMERS) & (table["hours_variation"] <= LARGEST_VARIATION)
    levels = np.select([table["automated_share"] >= AUTOMATIC_SHARE, table["automated_share"] >= ASSISTED_SHARE, scripted,
                        table["by_role_share"] >= BY_ROLE_SHARE], [4.0, 3.0, 2.0, 1.0], 0.0)
    return np.where(table["executions_count"] >= ENOUGH_EXECUTIONS, levels, np.nan)


def _with_next_level(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    """What the next level of each card frees per month, and when it has paid back."""
    months = observed_months(process)
    table["freed_hours_per_month"] = ratio(table["hours"] * table["hours_saved_share"], months)
    freed_amount = ratio(table["labour_amount"] * table["hours_saved_share"], months)
    table["monthly_gain_amount"] = freed_amount - table["monthly_cost_amount"]
    gaining = table["monthly_gain_amount"].where(table["monthly_gain_amount"] > 0)
    table["payback_months"] = ratio(table["setup_cost_amount"], gaining)
    return table


def observed_months(process: Process) -> float:
    """How many months were observed; missing where no table has a time."""
    if process.as_of is None or process.observed_from is None:
        return np.nan
    days = days_between(process.observed_from, process.as_of)
    return days / DAYS_PER_MONTH if days > 0 else np.nan


def stage_levels(process: Process) -> pd.DataFrame:
    """How far each stage is turned into a technology: the mean level of its cards, each weighing as many hours as it takes.

    One row per stage and the row `all`. Columns: `stage`, `cards_count`, `hours`, `claimed_level` and `shown_level` (means
    weighted by hours over the cards that have the level), `level_gap` = claimed − shown over the cards that have both,
    `known_hours_share` (hours on cards with a shown level / hours on all cards). Raises as `technologization`.
    """
    cards = technologization(process)
    groups = [*((stage, cards[cards["stage"] == stage]) for stage in _stages(cards)), ("all", cards)]
    columns = ["stage", "cards_count", "hours", "claimed_level", "shown_level", "level_gap", "known_hours_share"]
    return process.tidy(pd.DataFrame([{"stage": stage, **_levels(part)} for stage, part in groups], columns=columns))


def _stages(cards: pd.DataFrame) -> list[str]:
    order = {stage: number for number, stage in enumerate(("lead_generation", "conversion", "account_management"))}
    return sorted(cards["stage"].fillna(OTHER).unique(), key=lambda stage: (order.get(stage, len(order)), stage))


def _levels(cards: pd.DataFrame) -> dict[str, float]:
    shown = cards["shown_level"].notna()
    return {"cards_count": len(cards), "hours": cards["hours"].sum(),
            **{name: _weighted(cards[name], cards["hours"]) for name in ("claimed_level", "shown_level", "level_gap")},
            "known_hours_share": ratio(cards.loc[shown, "hours"].sum(), cards["hours"].sum())}


def _weighted(values: pd.Series, hours: pd.Series) -> float:
    known = values.notna()
    return ratio((values * hours)[known].sum(), hours[known].sum())
