"""Nerves: how hard the work of a stage was, and how many hard hours it took."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.engine import collect, with_groups
from funnel_lib.labour import own_work, summed
from funnel_lib.periods import Span
from funnel_lib.rates import ratio

EASIEST, HARDEST = 1.0, 5.0
STRAIN = ["strain", "strain_low", "strain_high", "strain_answers_count"]


def mean_strain(answers: pd.DataFrame) -> dict[str, float]:
    """Mean of the answers with its 95 % limits (Student's t) from `strain_answers`."""
    count, total, squares = (float(answers[name].sum()) for name in ("answers", "total", "squares"))
    mean = ratio(total, count)
    if count < 2:
        return dict(zip(STRAIN, (mean, np.nan, np.nan, count), strict=True))
    from scipy.special import stdtrit  # loaded here: scipy is slow to import

    variance = ratio(max(squares - count * mean**2, 0.0), count - 1)
    half = stdtrit(count - 1, 0.975) * np.sqrt(ratio(variance, count))
    return dict(zip(STRAIN, (mean, max(mean - half, EASIEST), min(mean + half, HARDEST), count), strict=True))


def strain_answers(process: Process, span: Span | None = None) -> pd.DataFrame:
    """Sums of the answers per stage and role: `answers` (how many), `total`, `squares`."""
    return process.remembered(("strain_answers", span), lambda: _strain_answers(process, span))


def _strain_answers(process: Process, span: Span | None) -> pd.DataFrame:
    pulse = with_groups(process.table("pulse"), ["stage", "role"])
    pulse = pulse if span is None else pulse.filter(span.holds(nw.col("date")))
    pulse = pulse.with_columns(squares=nw.col("strain") * nw.col("strain"))
    sums = pulse.group_by("stage", "role").agg(nw.len().alias("answers"), nw.col("strain").sum().alias("total"),
                                               nw.col("squares").sum())
    return collect(sums).sort_values(["stage", "role"]).reset_index(drop=True)


def hard_hours(process: Process) -> pd.DataFrame:
    """Per stage and role the hours done by people and `strain_hours` = hours × (strain − 1).

    Strain as the role says of this stage, else as the whole stage says; automatic work has no nerves and is left out. A stage
    nobody was asked about has no figure.
    """
    work, answers = own_work(process), strain_answers(process)
    hours = summed(work[~work["is_automatic"]], ["stage", "role"], process)[["stage", "role", "hours"]]
    by_role = answers.assign(own=ratio(answers["total"], answers["answers"]))[["stage", "role", "own"]]
    sums = answers.groupby("stage")[["total", "answers"]].sum().reset_index()
    by_stage = pd.DataFrame({"stage": sums["stage"], "common": ratio(sums["total"], sums["answers"])})
    joined = hours.merge(by_role, how="left", on=["stage", "role"]).merge(by_stage, how="left", on="stage")
    return joined.assign(strain_hours=joined["hours"] * (joined["own"].fillna(joined["common"]) - EASIEST))


def strain_hours(process: Process) -> pd.Series:
    """Per stage Σ hours × (strain − 1); see `hard_hours`. A stage whose work is all automatic has none."""
    hard = hard_hours(process).groupby("stage")["strain_hours"].sum(min_count=1)
    return hard.reindex(sorted(own_work(process)["stage"].unique()), fill_value=0.0)
