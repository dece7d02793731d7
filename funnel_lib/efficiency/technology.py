"""Technologization: the level each technology card claims against the level that the log of work shows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion import path_steps
from funnel_lib.description import Card
from funnel_lib.efficiency.work_log import MONTHS_PER_YEAR, observed_months, on_cards, repeated_work
from funnel_lib.errors import MeasureError
from funnel_lib.labour import without_unknown
from funnel_lib.language.messages import message
from funnel_lib.rates import rate, ratio
from funnel_lib.schema import MISSING, OTHER

# Fewer executions than this show nothing.
ENOUGH_EXECUTIONS = 20
AUTOMATIC_SHARE, ASSISTED_SHARE = 0.9, 0.3
PERFORMERS, PERFORMER_SHARE, LARGEST_VARIATION = 2, 0.2, 0.75
# Of four employees or fewer, one does a fifth where all but the busiest do so much together.
OTHERS_SHARE = 0.6
BY_ROLE_SHARE = 0.7
FOLLOWED = ["path_leads_count", "path_followed_count", "path_followed_share", "path_followed_low_share", "path_followed_high_share"]
REPEATED = ["worked_leads_count", "repeated_leads_count", "repeated_leads_share", "repeated_leads_low_share",
            "repeated_leads_high_share"]
COLUMNS = ["stage", "card", "role", "claimed_level", "shown_level", "level_gap", "executions_count", "hours", "automated_share",
           "performers_count", "others_share", "hours_variation", "by_role_share", *FOLLOWED, *REPEATED, "labour_amount",
           "cost_per_year_amount", "freed_hours_per_month", "monthly_gain_amount", "setup_cost_amount", "payback_months"]


def technologization(process: Process) -> pd.DataFrame:
    """The level of technology that each card claims, and the level that the log shows.

    One row is a card, most hours first; a card without log shows nothing, work on a card that is not described claims
    nothing. Levels: 0 craft, 1 described, 2 scripted, 3 assisted by software, 4 automatic.
    `shown_level`: 4 if at least 90 % of the executions are automated; 3 if at least 30 %; 2 if the work is shared and the
    variation of hours is at most 0.75; 1 if at least 70 % are by the card's role; else 0; missing under 20 executions. Shared
    are at least two employees with 20 % each, or all named ones but the busiest with 60 % together: of four or fewer this is
    the same, and of more, who share the work evenly, nobody may do a fifth.
    The evidence beside it: `executions_count` (rows of work), `automated_share`, `performers_count` (employees with at least
    20 %), `others_share` (executions by named employees but the busiest), `hours_variation` (standard deviation / mean of
    hours), `by_role_share`; `path_leads_count` that reached the card's step, `path_followed_count` of them that entered it
    and never came back into it (of an optional step: that entered it), their share with Wilson limits;
    `worked_leads_count`, `repeated_leads_count` of them on which the same card was worked more than once, their share with
    Wilson limits (a second call may be the described way). `level_gap` = claimed − shown. The card's `hours` and
    `labour_amount`, `cost_per_year_amount` (labour and the described cost of an execution × executions, per year observed);
    of its next level `freed_hours_per_month`, `monthly_gain_amount` = freed hours × hour cost − monthly cost,
    `setup_cost_amount`, and `payback_months` = set-up cost / monthly gain, missing where nothing is gained.
    Raises `MeasureError` where there are neither cards nor work with a card.
    """
    return process.tidy(measured_cards(process)[COLUMNS])


def measured_cards(process: Process) -> pd.DataFrame:
    """The table of `technologization` with the sums of the log that its next levels are worked out from."""
    return process.remembered(("measured_cards",), lambda: _measured(process)).copy()


def _measured(process: Process) -> pd.DataFrame:
    if not (process.settings.cards or process.has("work", "card")):
        raise MeasureError(message("{process}: needs technology cards in company.yaml (one per kind of work, with its level), or "
                                   "the column 'card' in the table 'work'", process=process.name))
    table = described_cards(process)
    if process.has("work", "card"):
        table = table.merge(_logged(process), on="card", how="outer", suffixes=("", "_logged"))
        table["stage"] = table["stage"].fillna(table["stage_logged"])
        table[["executions_count", "hours"]] = table[["executions_count", "hours"]].fillna(0.0)
        table["shown_level"] = _shown_level(table)
        table = table.merge(repeated_work(process), on="card", how="left")
    table = _with_path(table, process)
    table["level_gap"] = table["claimed_level"] - table.get("shown_level", np.nan)
    table = _with_next_level(table.reindex(columns=[*dict.fromkeys([*COLUMNS, "labour_squares", *table.columns])]), process)
    return table.sort_values(["hours", "card"], ascending=[False, True]).reset_index(drop=True)


_DESCRIBED = ["stage", "card", "role", "step", "claimed_level", "card_cost_amount", "setup_cost_amount", "monthly_cost_amount",
              "hours_saved_share"]
_TEXTS = ("stage", "card", "role", "step")


def described_cards(process: Process) -> pd.DataFrame:
    """One row per technology card as company.yaml describes it; what it does not say is missing."""
    table = pd.DataFrame([_described(card) for card in process.settings.cards], columns=_DESCRIBED)
    return table.astype({name: "str" if name in _TEXTS else float for name in _DESCRIBED})


def _described(card: Card) -> tuple:
    following = card.next_level
    next_level = (following.setup_cost, following.monthly_cost, following.hours_saved_share) if following else (np.nan,) * 3
    numbers = [np.nan if value is None else value for value in (card.level, card.cost)]
    return (card.stage, card.key, card.role, card.step, *numbers, *next_level)


def _logged(process: Process) -> pd.DataFrame:
    """What the log says of each card, from counts per card and performer."""
    cells = on_cards(process)
    role_of = {card.key: card.role for card in process.settings.cards if card.role is not None}
    cells["by_role"] = cells["executions_count"].where(cells["role"] == cells["card"].map(role_of), 0.0)
    sums = ["executions_count", "hours", "squares", "automated", "by_role", "labour_amount", "labour_squares", "uncosted_hours"]
    table = cells.groupby("card")[sums].sum().reset_index()
    executions = table["executions_count"]
    table["automated_share"] = ratio(table["automated"], executions)
    table["by_role_share"] = ratio(table["by_role"], executions)
    table.loc[table["card"].map(role_of).isna(), "by_role_share"] = np.nan
    table["hours_variation"] = _variation(table)
    table = table.merge(_performers(cells), on="card", how="left")
    table[["performers_count", "others_share"]] = table[["performers_count", "others_share"]].fillna(0.0)
    table["stage"] = table["card"].map(_longest_stage(cells))
    table["labour_amount"] = without_unknown(table, process)
    return table.drop(columns=["squares", "automated", "by_role", "uncosted_hours"])


def _longest_stage(cells: pd.DataFrame) -> pd.Series:
    """The stage in which most hours of each card were worked."""
    hours = cells.groupby(["card", "stage"], as_index=False)["hours"].sum()
    return hours.sort_values(["hours", "stage"], ascending=[False, True]).drop_duplicates("card").set_index("card")["stage"]


def _variation(table: pd.DataFrame) -> np.ndarray:
    """Coefficient of variation of the hours of one execution."""
    mean = ratio(table["hours"], table["executions_count"])
    deviations = np.maximum(table["squares"] - table["executions_count"] * mean**2, 0.0)
    return ratio(np.sqrt(ratio(deviations, table["executions_count"] - 1)), mean)


def _performers(cells: pd.DataFrame) -> pd.DataFrame:
    """Per card how many named employees do at least a fifth of its executions, and the share of all named but the busiest."""
    named = cells[cells["employee"] != MISSING].groupby(["card", "employee"])["executions_count"].sum().reset_index()
    named["share"] = ratio(named["executions_count"], named["card"].map(cells.groupby("card")["executions_count"].sum()))
    named["much"] = (named["share"] >= PERFORMER_SHARE).astype(float)
    table = named.groupby("card").agg(performers_count=("much", "sum"), total=("share", "sum"), busiest=("share", "max"))
    table["others_share"] = table["total"] - table["busiest"]
    return table[["performers_count", "others_share"]].reset_index()


def _shown_level(table: pd.DataFrame) -> np.ndarray:
    shared = (table["performers_count"] >= PERFORMERS) | (table["others_share"] >= OTHERS_SHARE)
    scripted = shared & (table["hours_variation"] <= LARGEST_VARIATION)
    levels = np.select([table["automated_share"] >= AUTOMATIC_SHARE, table["automated_share"] >= ASSISTED_SHARE, scripted,
                        table["by_role_share"] >= BY_ROLE_SHARE], [4.0, 3.0, 2.0, 1.0], 0.0)
    return np.where(table["executions_count"] >= ENOUGH_EXECUTIONS, levels, np.nan)


def _with_path(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    """Of the leads that reached the step of a card: how many went through it once, as described."""
    nowhere = table.assign(**dict.fromkeys(FOLLOWED, np.nan))
    if not (process.steps and process.has("leads") and process.has("stage_events")):
        return nowhere
    try:
        steps = path_steps(process).set_index("step")
    except MeasureError:  # only the end of each way is recorded: there is no path to follow
        return nowhere
    whole = steps["reached_count"].where(~steps["optional"], steps["entered_count"])
    share = rate(steps["entered_count"] - steps["returned_count"], whole)
    known = pd.DataFrame(dict(zip(FOLLOWED, (share.whole_count, share.part_count, *share[:3]), strict=True)), index=steps.index)
    return table.merge(known, left_on="step", right_index=True, how="left")


def _with_next_level(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    """What the next level of each card frees per month, and when it has paid back; and what the card costs a year."""
    months = observed_months(process)
    table["freed_hours_per_month"] = ratio(table["hours"] * table["hours_saved_share"], months)
    freed_amount = ratio(table["labour_amount"] * table["hours_saved_share"], months)
    table["monthly_gain_amount"] = freed_amount - table["monthly_cost_amount"]
    gaining = table["monthly_gain_amount"].where(table["monthly_gain_amount"] > 0)
    table["payback_months"] = ratio(table["setup_cost_amount"], gaining)
    spent = table["labour_amount"] + table["executions_count"] * table["card_cost_amount"].fillna(0.0)
    table["cost_per_year_amount"] = ratio(spent * MONTHS_PER_YEAR, months)
    return table


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
