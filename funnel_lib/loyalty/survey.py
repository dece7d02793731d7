"""Whether clients would recommend (the loyalty index, NPS), how that moves, and whether those who say so really do."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from funnel_lib.company import Process
from funnel_lib.engine import TRUNCATED, collect, flag, left_join
from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import message
from funnel_lib.loyalty.chains import links
from funnel_lib.periods import are_complete
from funnel_lib.pooling import adjusted_p_values, p_values_against_the_rest
from funnel_lib.rates import Z_95, is_few, rate, ratio

PROMOTER, PASSIVE, DETRACTOR = "promoter", "passive", "detractor"
GROUPS = (PROMOTER, PASSIVE, DETRACTOR)
COUNTS = ["promoters_count", "passives_count", "detractors_count"]
LIMITS = ["nps_share", "nps_low_share", "nps_high_share"]
LEAST_PROMOTER, MOST_DETRACTOR, HIGHEST = 9, 6, 10
SIGNIFICANT = 0.05
ABOVE, BELOW, NO_DIFFERENCE, TOO_FEW = "above", "below", "no_difference", "too_few"


@dataclass(frozen=True)
class LoyaltyIndex:
    """Share of promoters (9 or 10) less share of detractors (0 to 6), by the latest answer of each customer."""

    nps_share: float
    nps_low_share: float
    nps_high_share: float
    promoters_count: int
    passives_count: int
    detractors_count: int
    customers_count: int
    answers_count: int


def loyalty_index(process: Process) -> LoyaltyIndex:
    """The loyalty index (NPS) of everything observed: would clients recommend us.

    A frozen dataclass: `nps_share` from −1 to 1 (shares of promoters less detractors) with its 95 % limits,
    `promoters_count`, `passives_count`, `detractors_count`, `customers_count` who answered, `answers_count`. Every customer
    counts once, by the latest answer (of several at one moment the lowest), since whoever is asked more often is not worth more;
    scores between 6 and 9 are passive; answers outside 0 to 10 or without a customer are left out.
    Limits by the variance p + d − (p − d)²; where all are of one group, by Wilson's limit of that group.
    Raises `MeasureError` where there is no survey. Source: Reichheld 2003; Rocks 2016 (variance).
    """
    table = _indexed(_counted(_one_each(process, []), []))
    row = table.iloc[0] if len(table) else pd.Series(dict.fromkeys(COUNTS, 0) | dict.fromkeys(LIMITS, np.nan))
    answers = int(collect(_answers(process).select(nw.len().alias("n")))["n"].iloc[0])
    counts = [int(row[name]) for name in COUNTS]
    return LoyaltyIndex(*(float(row[name]) for name in LIMITS), *counts, sum(counts), answers)


def loyalty_over_time(process: Process, per: str = "quarter") -> pd.DataFrame:
    """The loyalty index of each period, by the latest answer of each customer in it.

    One row is a month, quarter or year with answers. Columns: `period_start`, `promoters_count`, `passives_count`,
    `detractors_count`, `customers_count`, `nps_share` with its 95 % limits, `few` (under 30 customers), `complete`.
    Raises `MeasureError` where there is no survey, `CallError` for another period.
    """
    if per not in TRUNCATED:
        raise CallError(message("per={per!r}: expected one of {known}.{nearest}", per=per, known=", ".join(TRUNCATED),
                                nearest=nearest(per, TRUNCATED)))
    table = _indexed(_counted(_one_each(process, ["period_start"], per), ["period_start"])).sort_values("period_start")
    people = table[COUNTS].sum(axis=1).astype(int)
    table = table.assign(customers_count=people, few=is_few(people),
                         complete=are_complete(table["period_start"], per, process.observed_from, process.needs_as_of()))
    return process.tidy(table[["period_start", *COUNTS, "customers_count", *LIMITS, "few", "complete"]])


def promoters_recommend(process: Process) -> pd.DataFrame:
    """Whether those who say that they would recommend really brought somebody.

    One row is an `answer_group` (promoter, passive, detractor), each customer in that of the latest answer. Columns:
    `customers_count`; `recommended_count` of them who brought at least one new customer, before or after the answer;
    `recommended_share` with Wilson limits; `adjusted_p_value` of the difference from the other two groups together (exact test,
    adjusted for the three comparisons), `few` (under 30 customers: not tested), `verdict` (above, below, no_difference, too_few).
    Raises `MeasureError` where there is no survey, no order, or leads do not say who recommended.
    Source: Wilson 1927; Fisher 1935; Benjamini and Hochberg 1995.
    """
    brought = links(process).select(customer_id=nw.col("referred_by")).unique().with_columns(has_brought=nw.lit(1))
    people = left_join(_one_each(process, []), brought, "customer_id")
    counted = collect(people.with_columns(has_brought=flag(nw.col("has_brought") == 1)).group_by("answer_group").agg(
        nw.len().alias("customers_count"), nw.col("has_brought").sum().alias("recommended_count")))
    table = counted.set_index("answer_group").reindex(list(GROUPS)).fillna(0).astype(int).rename_axis("answer_group").reset_index()
    part, whole = table["recommended_count"], table["customers_count"]
    share, few = rate(part, whole), is_few(whole)
    tested = ~few & (whole.sum() > whole)
    adjusted = adjusted_p_values(np.where(tested, p_values_against_the_rest(part, whole), np.nan))
    differs = np.nan_to_num(adjusted, nan=1.0) < SIGNIFICANT
    more = share.share > ratio(part.sum() - part, whole.sum() - whole)
    verdict = np.where(~tested, TOO_FEW, np.where(~differs, NO_DIFFERENCE, np.where(more, ABOVE, BELOW)))
    return process.tidy(table.assign(
        recommended_share=share.share, recommended_low_share=share.low_share, recommended_high_share=share.high_share,
        adjusted_p_value=adjusted, few=few, verdict=verdict))


def net_share(promoters: ArrayLike, detractors: ArrayLike, people: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of promoters less share of detractors with its 95 % limits; NaN where nobody answered.

    >>> [float(value.round(3)) for value in net_share(50, 20, 100)]
    [0.3, 0.147, 0.453]
    """
    up, down = np.asarray(ratio(promoters, people)), np.asarray(ratio(detractors, people))
    share = up - down
    error = np.sqrt(np.maximum(ratio(up + down - share**2, people), 0))
    # Where all are of one group nothing varies: as many as Wilson's limit leaves room for may be of another.
    room = 1 - np.asarray(rate(people, people).low_share)
    low = np.where(error > 0, share - Z_95 * error, share - room * (1 + share))
    high = np.where(error > 0, share + Z_95 * error, share + room * (1 - share))
    return share, np.maximum(low, -1), np.minimum(high, 1)


def _answers(process: Process) -> nw.LazyFrame:
    """Answers of named customers that can be one."""
    return process.table("survey").filter(~nw.col("customer_id").is_null() & (nw.col("score") >= 0) & (nw.col("score") <= HIGHEST))


def _one_each(process: Process, keys: list[str], per: str = "year") -> nw.LazyFrame:
    """One row per customer (of a period): the `answer_group` of the latest answer, of the lowest where several are the latest."""
    keys, answers = ["customer_id", *keys], _answers(process)
    answers = answers.with_columns(period_start=nw.col("answered_at").dt.truncate(TRUNCATED[per]))
    last = answers.group_by(keys).agg(nw.col("answered_at").max())
    score = answers.join(last, on=[*keys, "answered_at"], how="inner").group_by(keys).agg(nw.col("score").min())
    kind = nw.when(nw.col("score") >= LEAST_PROMOTER).then(nw.lit(PROMOTER)).otherwise(
        nw.when(nw.col("score") <= MOST_DETRACTOR).then(nw.lit(DETRACTOR)).otherwise(nw.lit(PASSIVE)))
    return score.with_columns(answer_group=kind)


def _counted(people: nw.LazyFrame, keys: list[str]) -> pd.DataFrame:
    """Customers of each group in a column (of each period)."""
    counted = collect(people.group_by([*keys, "answer_group"]).agg(nw.len().alias("customers_count")))
    wide = counted.assign(_all=0).pivot_table(index=keys or "_all", columns="answer_group", values="customers_count", aggfunc="sum")
    wide = wide.reindex(columns=list(GROUPS)).fillna(0).astype(int).set_axis(COUNTS, axis=1)
    return wide.reset_index()[[*keys, *COUNTS]]


def _indexed(table: pd.DataFrame) -> pd.DataFrame:
    share, low, high = net_share(table["promoters_count"], table["detractors_count"], table[COUNTS].sum(axis=1))
    return table.assign(nps_share=share, nps_low_share=low, nps_high_share=high)
