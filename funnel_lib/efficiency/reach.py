"""Reach: which leads each means of making contact got hold of, and what one of them costs."""

from __future__ import annotations

from dataclasses import dataclass
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
from funnel_lib.language.messages import message
from funnel_lib.new_leads import new_leads
from funnel_lib.rates import clustered_ratio, is_few, rate, ratio
from funnel_lib.schema import LOST, MISSING, STAGES

COLUMNS = ["stage", "means", "role", "executions_count", "tried_count", "tried_share", "contacted_count", "contacted_share",
           "contacted_low_share", "contacted_high_share", "few", "hours", "cost_amount", "cost_per_tried_amount",
           "cost_per_reached_amount", "cost_per_reached_low_amount", "cost_per_reached_high_amount", "only_reached_count",
           "only_cost_amount", "only_cost_per_reached_amount"]
_SUMS = ["executions", "hours", "uncosted_hours", "reached", "cost", "squares", "product"]
# So many times as dear as the cheapest means of its stage.
DEAR_TIMES = 2.0


class Way(NamedTuple):
    """One way of making contact: a stage, a means, and the role whose work it is."""

    stage: str
    means: str
    role: str


@dataclass(frozen=True)
class DearReach:
    """Leads that dear means alone reached, and what they cost."""

    cheapest_means: str
    cheapest_role: str
    dear_means_count: int
    contacted_count: int
    only_dear_count: int
    only_dear_share: float
    only_dear_low_share: float
    only_dear_high_share: float
    only_dear_cost_amount: float
    only_dear_per_reached_amount: float


def reach(process: Process) -> pd.DataFrame:
    """What share of the leads each means reached, and what a reached lead costs: not everybody answers a telephone.

    One row is a means × the role of its cards, in one stage. It takes the cards that meet a lead for the first time: those of
    lead generation, unless their output is what another card of that stage begins with (a list, a registration), and those that
    serve the first step; only with a means and with work that names leads. Tried: new leads with such work up to the day of
    their first step (later work needs no reaching). Reached: tried leads that entered a step (not `lost`) at any time: the next
    step is the only mark the data have that somebody answered; of a lead tried by several means it counts for each.
    Columns: `stage`, `means`, `role`; `executions_count`, `tried_count` and `tried_share` of all new leads; `contacted_count`,
    `contacted_share` of those tried with Wilson limits, `few` (under 30 tried); `hours`, `cost_amount` (hours × hour cost, and the
    described cost of an execution), `cost_per_tried_amount`, `cost_per_reached_amount` with 95 % limits (ratio estimator,
    the lead as cluster); `only_reached_count`: reached leads that no other means of this stage tried, with the
    `only_cost_amount` of leads tried by this means alone and what one of those reached costs. Cheapest per tried lead first.
    Raises `MeasureError` without leads, movement, work on leads, or cards that name their means.
    Source: Wilson 1927; Cochran 1977, section 6.3.
    """
    table = _by_way(process, _ways(process))
    order = ["cost_per_tried_amount", "tried_count", "means", "role"]
    return process.tidy(table.sort_values(order, ascending=[True, False, True, True])[COLUMNS])


def _ways(process: Process) -> dict[str, Way]:
    """Card → way, of the cards that meet a lead for the first time."""
    if not (process.has("leads") and process.has("stage_events") and process.steps):
        raise MeasureError(message("{process}: needs leads, their movement (stage_events) and described steps; the next step "
                                   "tells who was reached", process=process.name))
    if not process.has("work", "card", "lead_id"):
        raise MeasureError(message("{process}: needs the table 'work' with the columns 'card' and 'lead_id'; it would tell whom "
                                   "the telephone, a robot or a visit reaches", process=process.name))
    cards = process.settings.cards
    first = process.steps[0].key
    meeting = [card for card in cards if (card.stage == STAGES[0] and not _prepares(card, cards)) or card.step == first]
    ways = {card.key: Way(card.stage, card.means, card.role or MISSING) for card in meeting if card.means}
    if not ways:
        raise MeasureError(message("{process}: needs technology cards of lead generation, or of the first step, that name their "
                                   "means (phone, robot, visit); it would tell whom each of them reaches", process=process.name))
    return ways


def _prepares(card: Card, cards: list[Card]) -> bool:
    """Whether another card of the stage begins with what this one gives."""
    return card.output is not None and any(
        other.input == card.output for other in cards if other.stage == card.stage and other.key != card.key)


def _sums(process: Process, ways: dict[str, Way]) -> pd.DataFrame:
    """Per way and set of ways that tried the same leads: leads, executions, hours, cost, reached; made once.

    A set is the sum of 2 to the power of its ways' numbers.
    """
    return process.remembered(("reach",), lambda: _counted(process, ways)).copy()


def _counted(process: Process, ways: dict[str, Way]) -> pd.DataFrame:
    per_lead = _per_lead(process, ways)
    bits = {float(number): 2.0**number for number in range(len(set(ways.values())))}
    sets = per_lead.with_columns(bit=_numbered(bits, nw.col("way"))).group_by("lead_id").agg(nw.col("bit").sum().alias("tried_by"))
    per_lead = per_lead.join(sets, on="lead_id", how="inner").with_columns(
        squares=nw.col("cost") * nw.col("cost"), product=nw.col("cost") * nw.col("reached"))
    sums = collect(per_lead.group_by("way", "tried_by").agg(nw.len().alias("tried_count"), *[nw.col(name).sum() for name in _SUMS]))
    return sums.astype({"way": int, "tried_by": int}).sort_values(["way", "tried_by"]).reset_index(drop=True)


def _by_way(process: Process, ways: dict[str, Way]) -> pd.DataFrame:
    """The sums of each way, and what of them is of leads that nothing else in its stage tried."""
    sums, keys = _sums(process, ways), list(dict.fromkeys(ways.values()))
    if sums.empty:
        raise MeasureError(message("{process}: no work of a card with a means names a new lead before its first step (work: card "
                                   "and lead_id); it would tell whom the telephone, a robot or a visit reaches",
                                   process=process.name))
    in_stage = {way: sum(2**other for other, key in enumerate(keys) if key.stage == keys[way].stage) for way in range(len(keys))}
    alone = sums["tried_by"] & sums["way"].map(in_stage) == 2 ** sums["way"]
    sums["only"], sums["only_cost"] = sums["reached"].where(alone, 0.0), sums["cost"].where(alone, 0.0)
    table = sums.drop(columns="tried_by").groupby("way").sum().reset_index()
    named = pd.DataFrame([keys[way] for way in table["way"]], columns=list(Way._fields))
    return _priced(named.join(table), process)


def dear_reach(process: Process) -> DearReach:
    """The leads that no cheap means reached: not everyone can be reached by telephone and internet.

    Of lead generation, or of conversion where that has no means: a means is dear if a tried lead costs at least twice as much
    as with the cheapest one. A frozen dataclass: `cheapest_means` and `cheapest_role`, `dear_means_count`, `contacted_count`
    (leads reached that any means of the stage tried), `only_dear_count` of them that dear means alone tried,
    `only_dear_share` with Wilson limits, `only_dear_cost_amount` of all leads that dear means alone tried and
    `only_dear_per_reached_amount`. Raises as `reach`, and where fewer than two means have a known cost.
    """
    ways = _ways(process)
    table, sums = _by_way(process, ways), _sums(process, ways)
    stage = STAGES[0] if (table["stage"] == STAGES[0]).any() else STAGES[1]
    known = table[(table["stage"] == stage) & table["cost_per_tried_amount"].notna()].sort_values("cost_per_tried_amount")
    if len(known) < 2:
        raise MeasureError(message("{process}: needs at least two means of contact with a known cost (role with hour_cost) to "
                                   "tell whom only the dear ones reach", process=process.name))
    cheapest = known.iloc[0]
    dear = known[known["cost_per_tried_amount"] >= DEAR_TIMES * cheapest["cost_per_tried_amount"]]
    of_stage, of_dear = (int((2 ** part["way"].astype(int)).sum()) for part in (table[table["stage"] == stage], dear))
    sums["others"] = sums["tried_by"] & of_stage
    sums = sums[sums["others"] > 0]
    # Each lead once: in the row of the first of its ways in this stage.
    first = sums[2 ** sums["way"] == (sums["others"] & -sums["others"])]
    is_dear = (sums["others"] & ~of_dear) == 0
    only = first.loc[is_dear.reindex(first.index), "reached"].sum()
    cost = sums.loc[is_dear & (2 ** sums["way"] & of_stage > 0), "cost"].sum() / process.minor_units
    share = rate(only, first["reached"].sum())
    return DearReach(cheapest["means"], cheapest["role"], len(dear), int(share.whole_count), int(only), share.share,
                     share.low_share, share.high_share, float(cost), ratio(cost, only))


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
        nw.len().alias("executions"), nw.col("hours").sum(), nw.col("uncosted_hours").sum(),
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
    squares = table["squares"] / process.minor_units / process.minor_units
    per_reached = clustered_ratio(table["tried_count"], money["cost"], table["reached"], squares,
                                  table["product"] / process.minor_units, table["reached"])
    low, high = (np.where(unknown | (table["tried_count"] < 2), np.nan, limit) for limit in per_reached[1:])
    return table.assign(
        executions_count=table["executions"], tried_share=ratio(table["tried_count"], everyone), contacted_count=table["reached"],
        contacted_share=share.share, contacted_low_share=share.low_share, contacted_high_share=share.high_share,
        few=is_few(table["tried_count"]), cost_amount=money["cost"],
        cost_per_tried_amount=ratio(money["cost"], table["tried_count"]), cost_per_reached_amount=per_reached.value,
        cost_per_reached_low_amount=np.maximum(low, 0.0), cost_per_reached_high_amount=high, only_reached_count=table["only"],
        only_cost_amount=money["only_cost"], only_cost_per_reached_amount=ratio(money["only_cost"], table["only"]))
