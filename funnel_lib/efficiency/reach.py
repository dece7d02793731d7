"""Reach: which leads each means of making contact got hold of, and what one of them costs."""

from __future__ import annotations

from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.description import Card
from funnel_lib.engine import collect, flag, left_join
from funnel_lib.errors import MeasureError
from funnel_lib.journeys import entries
from funnel_lib.labour import priced, without_unknown
from funnel_lib.new_leads import new_leads
from funnel_lib.rates import clustered_ratio, is_few, rate, ratio
from funnel_lib.schema import LOST, MISSING, STAGES

COLUMNS = ["stage", "means", "role", "executions_count", "tried_count", "tried_share", "reached_count", "reached_share",
           "reached_low_share", "reached_high_share", "few", "hours", "cost_amount", "cost_per_tried_amount",
           "cost_per_reached_amount", "cost_per_reached_low_amount", "cost_per_reached_high_amount", "only_reached_count",
           "only_cost_amount", "only_cost_per_reached_amount"]
_SUMS = ["executions", "hours", "labour", "uncosted_hours", "reached", "cost", "squares", "product", "only", "only_cost"]


class Way(NamedTuple):
    """One way of making contact: a stage, a means, and the role whose work it is."""

    stage: str
    means: str
    role: str


def reach(process: Process) -> pd.DataFrame:
    """What share of the leads each means reached, and what a reached lead costs: not everybody answers a telephone.

    One row is a means × the role of its cards, in one stage. It takes the cards that meet a lead for the first time: those of
    lead generation, unless their output is what another card of that stage begins with (a list, a registration), and those that
    serve the first step; only with a means and with work that names leads. Tried: new leads with such work up to the day of
    their first step (later work needs no reaching). Reached: tried leads that entered a step (not `lost`) at any time: the next
    step is the only mark the data have that somebody answered; of a lead tried by several means it counts for each.
    Columns: `stage`, `means`, `role`; `executions_count`, `tried_count` and `tried_share` of all new leads; `reached_count`,
    `reached_share` of those tried with Wilson limits, `few` (under 30 tried); `hours`, `cost_amount` (hours × hour cost, and the
    described cost of an execution), `cost_per_tried_amount`, `cost_per_reached_amount` with 95 % limits (ratio estimator,
    the lead as cluster); `only_reached_count`: reached leads that no other means of this stage tried, with the
    `only_cost_amount` of leads tried by this means alone and what one of those reached costs. Cheapest per tried lead first.
    Raises `MeasureError` without leads, movement, work on leads, or cards that name their means.
    Source: Wilson 1927; Cochran 1977, section 6.3.
    """
    ways = _ways(process)
    sums = _sums(process, ways)
    if sums.empty:
        raise MeasureError(f"{process.name}: no work of a card with a means names a new lead before its first step (work: card and "
                           "lead_id); it would tell whom the telephone, a robot or a visit reaches")
    keys = list(dict.fromkeys(ways.values()))
    table = pd.DataFrame([keys[int(number)] for number in sums["way"]], columns=list(Way._fields)).join(sums.drop(columns="way"))
    return process.tidy(_priced(table, process).sort_values(["cost_per_tried_amount", "tried_count", "means", "role"],
                                                            ascending=[True, False, True, True])[COLUMNS])


def _ways(process: Process) -> dict[str, Way]:
    """Card → way, of the cards that meet a lead for the first time."""
    if not (process.has("leads") and process.has("stage_events") and process.steps):
        raise MeasureError(f"{process.name}: needs leads, their movement (stage_events) and described steps; the next step tells "
                           "who was reached")
    if not process.has("work", "card", "lead_id"):
        raise MeasureError(f"{process.name}: needs the table 'work' with the columns 'card' and 'lead_id'; it would tell whom the "
                           "telephone, a robot or a visit reaches")
    cards = process.settings.cards
    first = process.steps[0].key
    meeting = [card for card in cards if (card.stage == STAGES[0] and not _prepares(card, cards)) or card.step == first]
    ways = {card.key: Way(card.stage, card.means, card.role or MISSING) for card in meeting if card.means}
    if not ways:
        raise MeasureError(f"{process.name}: needs technology cards of lead generation, or of the first step, that name their means "
                           "(phone, robot, visit); it would tell whom each of them reaches")
    return ways


def _prepares(card: Card, cards: list[Card]) -> bool:
    """Whether another card of the stage begins with what this one gives."""
    return card.output is not None and any(
        other.input == card.output for other in cards if other.stage == card.stage and other.key != card.key)


def _sums(process: Process, ways: dict[str, Way]) -> pd.DataFrame:
    """Per way the sums over its leads: executions, hours, cost, reached, and of leads that nothing else in the stage tried."""
    per_lead = _per_lead(process, ways)
    keys = list(dict.fromkeys(ways.values()))
    stage = _numbered({number: STAGES.index(way.stage) for number, way in enumerate(keys)}, nw.col("way"))
    per_lead = per_lead.with_columns(place=stage)
    others = per_lead.group_by("lead_id", "place").agg(nw.len().alias("ways_count"))
    per_lead = per_lead.join(others, on=["lead_id", "place"], how="inner")
    cost, alone = nw.col("cost"), nw.col("ways_count") == 1
    per_lead = per_lead.with_columns(
        squares=cost * cost, product=cost * nw.col("reached"), only=flag(alone & (nw.col("reached") == 1)),
        only_cost=nw.when(alone).then(cost).otherwise(nw.lit(0.0)))
    sums = collect(per_lead.group_by("way").agg(nw.len().alias("tried_count"), *[nw.col(name).sum() for name in _SUMS]))
    return sums.sort_values("way").reset_index(drop=True)


def _per_lead(process: Process, ways: dict[str, Way]) -> nw.LazyFrame:
    """One row per way and new lead that it tried: executions, hours, cost in minor units, whether the lead was reached."""
    keys = list(dict.fromkeys(ways.values()))
    numbers = {card: keys.index(way) for card, way in ways.items()}
    price = {card.key: (card.cost or 0.0) * process.minor_units for card in process.settings.cards if card.key in ways}
    work = process.table("work").filter(nw.col("card").is_in(list(ways)).fill_null(False) & ~nw.col("lead_id").is_null())
    work = priced(work, process).with_columns(way=_numbered(numbers, nw.col("card")), extra=_numbered(price, nw.col("card")))
    reached = entries(process).filter(nw.col("step") != LOST).group_by("lead_id").agg(nw.col("entered_at").min())
    leads = left_join(new_leads(process).select("lead_id"), reached.with_columns(reached=nw.lit(1)), "lead_id")
    work = work.join(leads, on="lead_id", how="inner")
    # Days are compared: work may be logged without a time of day.
    in_time = nw.col("entered_at").is_null() | (nw.col("date").dt.truncate("1d") <= nw.col("entered_at").dt.truncate("1d"))
    work = work.filter(in_time).with_columns(
        cost=(nw.col("labour") + nw.col("extra")).round(0), reached=flag(nw.col("reached") == 1))
    return work.group_by("way", "lead_id").agg(
        nw.len().alias("executions"), nw.col("hours").sum(), nw.col("labour").sum(), nw.col("uncosted_hours").sum(),
        nw.col("cost").sum(), nw.col("reached").max())


def _numbered(numbers: dict, column: nw.Expr) -> nw.Expr:
    """The number of each value of a column."""
    expression = nw.lit(None, dtype=nw.Float64)
    for value, number in numbers.items():
        expression = nw.when((column == value).fill_null(False)).then(nw.lit(float(number))).otherwise(expression)
    return expression


def _priced(table: pd.DataFrame, process: Process) -> pd.DataFrame:
    """Shares with their limits and what a lead costs; no money where the hour cost of the work is not known."""
    everyone = float(collect(new_leads(process).select(nw.len().alias("leads")))["leads"].iloc[0])
    share = rate(table["reached"], table["tried_count"])
    unknown = without_unknown(table.assign(labour_amount=0.0), process).isna()
    money = {name: (table[name] / process.minor_units).mask(unknown) for name in ("cost", "only_cost")}
    minor = process.minor_units
    per_reached = clustered_ratio(table["tried_count"], money["cost"], table["reached"], table["squares"] / minor / minor,
                                  table["product"] / minor, table["reached"])
    low, high = (np.where(unknown | (table["tried_count"] < 2), np.nan, limit) for limit in per_reached[1:])
    return table.assign(
        executions_count=table["executions"], tried_share=ratio(table["tried_count"], everyone), reached_count=table["reached"],
        reached_share=share.share, reached_low_share=share.low_share, reached_high_share=share.high_share,
        few=is_few(table["tried_count"]), cost_amount=money["cost"],
        cost_per_tried_amount=ratio(money["cost"], table["tried_count"]), cost_per_reached_amount=per_reached.value,
        cost_per_reached_low_amount=np.maximum(low, 0.0), cost_per_reached_high_amount=high, only_reached_count=table["only"],
        only_cost_amount=money["only_cost"], only_cost_per_reached_amount=ratio(money["only_cost"], table["only"]))
