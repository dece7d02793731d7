"""Nerves: how hard the work of a stage was, and how many hard hours it took."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from funnel_lib.company import Process
from funnel_lib.engine import collect, with_groups
from funnel_lib.rates import ratio

EASIEST, HARDEST = 1.0, 5.0
STRAIN = ["strain", "strain_low", "strain_high", "strain_answers_count"]


def mean_strain(answers: pd.DataFrame) -> dict[str, float]:
    """Mean of the answers with its 95 % limits (Student's t) from `strain_answers`."""
    count, total, squares = (float(answers[name].sum()) for name in ("answers", "total", "squares"))
    mean = ratio(total, count)
    if count < 2:
        return dict(zip(STRAIN, (mean, np.nan, np.nan, count), strict=True))
    variance = ratio(max(squares - count * mean**2, 0.0), count - 1)
    half = student_t.ppf(0.975, count - 1) * np.sqrt(ratio(variance, count))
    return dict(zip(STRAIN, (mean, max(mean - half, EASIEST), min(mean + half, HARDEST), count), strict=True))


def strain_answers(process: Process) -> pd.DataFrame:
    """Sums of the answers per stage and role: `answers` (how many), `total`, `squares`."""
    pulse = with_groups(process.table("pulse"), ["stage", "role"])
    pulse = pulse.with_columns(squares=nw.col("strain") * nw.col("strain"))
    sums = pulse.group_by("stage", "role").agg(nw.len().alias("answers"), nw.col("strain").sum().alias("total"),
                                               nw.col("squares").sum())
    return collect(sums).sort_values(["stage", "role"]).reset_index(drop=True)


def strain_hours(process: Process, answers: pd.DataFrame) -> pd.Series:
    """Per stage Σ hours × (strain − 1): strain as the role says of this stage, else as the whole stage says.

    Automatic work has no nerves and is left out. A stage nobody was asked about has no figure.
    """
    manual = with_groups(process.table("work").filter(~nw.col("automated").fill_null(False)), ["stage", "role"])
    hours = collect(manual.group_by("stage", "role").agg(nw.col("hours").sum()))
    by_role = answers.assign(own=ratio(answers["total"], answers["answers"]))[["stage", "role", "own"]]
    sums = answers.groupby("stage")[["total", "answers"]].sum().reset_index()
    by_stage = pd.DataFrame({"stage": sums["stage"], "common": ratio(sums["total"], sums["answers"])})
    joined = hours.merge(by_role, how="left", on=["stage", "role"]).merge(by_stage, how="left", on="stage")
    strain = joined["own"].fillna(joined["common"])
    joined["strain_hours"] = joined["hours"] * (strain - EASIEST)
    return joined.groupby("stage")["strain_hours"].sum(min_count=1)
