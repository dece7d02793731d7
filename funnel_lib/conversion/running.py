"""Work in progress: where the running leads stand, for how long, and whom to act on today."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.stays import LEAD, OTHER, places, stays
from funnel_lib.engine import collect, left_join
from funnel_lib.journeys import RUNNING, WON
from funnel_lib.periods import elapsed_days
from funnel_lib.rates import rate, ratio

# "Late" is a lead that stands in its step longer than nine in ten winners did; past three times that it is forgotten.
NORM_SHARE, HALF_SHARE = 0.9, 0.5
FORGOTTEN_FACTOR = 3
# A norm needs this many stays of winners.
MIN_WINNERS = 10
DAY_HOURS = 24
# Ages are floats: a stay of exactly ten days must not be taken for a longer one.
NEARLY, AGE_DECIMALS = 1e-6, 6
COLUMNS = ["lead_id", "step", "owner", "expected_amount", "band", "age_days", "half_days", "norm_days", "lateness"]
BANDS = ("fresh", "usual", "late", "forgotten", "age_unknown")
# Who comes first on the list: whom a call may still win, then what is to be closed or revived.
_TURNS = ("late", "forgotten", "usual", "fresh", "age_unknown")


def step_norms(process: Process, returning: bool = False) -> pd.DataFrame:
    """How long those who won in the end stood in each step: the yardstick of the leads that stand there now.

    One row is a step ("lead" before the first one). Columns: `step`, `winners_count` (stays of winners with both moments
    known), `half_days` and `norm_days` (half and nine in ten of these stays were over by then, in whole hours rounded up;
    missing under 10 stays).
    """
    return process.remembered(("step_norms", returning), lambda: _step_norms(process, returning)).copy()


def _step_norms(process: Process, returning: bool) -> pd.DataFrame:
    known = places(process)
    won = stays(process, returning).filter((nw.col("state") == WON) & ~nw.col("days").is_null())
    won = won.with_columns(_hours=(nw.col("days") * DAY_HOURS - NEARLY).ceil())
    counts = collect(won.group_by("place", "_hours").agg(nw.len().alias("stays"))).sort_values(["place", "_hours"])
    rows = []
    for key in _standing(process):
        part = counts[counts["place"] == known.index(key)]
        total, upto = part["stays"].sum(), part["stays"].cumsum().to_numpy()
        ends = [part["_hours"].iloc[np.searchsorted(upto, share * total - 1e-9)] / DAY_HOURS if total >= MIN_WINNERS else np.nan
                for share in (HALF_SHARE, NORM_SHARE)]
        rows.append((key, int(total), *ends))
    return process.tidy(pd.DataFrame(rows, columns=["step", "winners_count", "half_days", "norm_days"]))


def _standing(process: Process) -> list[str]:
    """Where a running lead can stand, in the order of the path."""
    return [LEAD, *(step.key for step in process.steps[:-1]), OTHER]


def _running(process: Process, returning: bool) -> nw.LazyFrame:
    """One row per running lead: its present stay with `age_days` in it, `owner` and `expected_amount`."""
    here = stays(process, returning).filter((nw.col("state") == RUNNING) & nw.col("next_place").is_null())
    here = here.with_columns(age_days=elapsed_days(nw.col("at"), process.needs_as_of(), here).round(AGE_DECIMALS))
    leads = process.leads(returning).select("lead_id", "owner", "expected_amount")
    return left_join(here.select("lead_id", "place", "age_days"), leads, "lead_id")


def _names(process: Process, numbers: pd.Series) -> pd.Series:
    """Places by their numbers."""
    known = pd.Series(places(process), dtype="str")
    return pd.Series(known.reindex(numbers.astype(int)).to_numpy(), index=numbers.index, dtype="str")


def work_in_progress(process: Process, returning: bool = False) -> pd.DataFrame:
    """The running leads as a list to act on: the late ones first, the most money at stake on top.

    One row is a running lead. Columns: `lead_id`, `step` where it stands ("lead" before the first one), `owner`,
    `expected_amount`, `band`, `age_days` in this step (missing where the moment of entry is unknown), `half_days` and
    `norm_days` (half and nine in ten of the later winners had left the step by then; missing under 10 of them), `lateness` =
    age / norm. `band`, in the order of the list: late (lateness above 1: to call today), forgotten (above 3: to revive or to
    close), usual (longer than half of the winners), fresh, age_unknown. Inside a band by money, then by lateness.
    Raises `MeasureError` without leads, events, described steps, or any time.
    """
    # By the key on the engine, then by numbers here: sorting texts is slow in memory.
    table = collect(_running(process, returning).sort("lead_id"))
    table["step"] = _names(process, table["place"])
    table["expected_amount"] = table["expected_amount"] / process.minor_units
    table = table.merge(step_norms(process, returning), on="step", how="left", validate="many_to_one")
    table["lateness"] = ratio(table["age_days"], table["norm_days"])
    known, age = table["lateness"].notna(), table["age_days"]
    # Bands by their turns, as numbers: there may be many rows.
    *upto, beyond = (_TURNS.index(band) for band in ("age_unknown", "fresh", "usual", "late", "forgotten"))
    limits = [~known, age <= table["half_days"], table["lateness"] <= 1, table["lateness"] <= FORGOTTEN_FACTOR]
    turn = np.select(limits, upto, beyond)
    table["band"] = pd.Series(np.array(_TURNS, dtype=object)[turn], index=table.index, dtype="str")
    # The last key comes first; a missing number stands after all others.
    numbers = [-table[name].fillna(-np.inf).to_numpy() for name in ("age_days", "lateness", "expected_amount")]
    order = np.lexsort([*numbers, turn])
    return process.tidy(table[COLUMNS].iloc[order])


def work_in_progress_summary(process: Process, returning: bool = False) -> pd.DataFrame:
    """How many running leads stand in each step, and how many of them too long.

    One row is a step in the order of the path ("lead" before the first one; "other", a step that is not described, only if
    there are such). Columns: `step`, `running_count`, split by the age in the step into `fresh_count` (up to the time that
    half of the later winners stood there), `usual_count` (up to the norm: nine in ten), `late_count` (longer than the norm),
    `forgotten_count` (longer than three norms) and `age_unknown_count` (no norm, or no moment of entry); `late_share` = late
    and forgotten / leads with a known age, with its Wilson 95 % limits; `median_age_days`, `half_days`, `norm_days`,
    `winners_count` behind the norm; `amount` at stake (expected amounts of all) and `late_amount` (of late and forgotten).
    Raises `MeasureError` without leads, events, described steps, or any time.
    """
    return process.remembered(("work_in_progress_summary", returning), lambda: _summary(process, returning)).copy()


def _summary(process: Process, returning: bool) -> pd.DataFrame:
    norms = step_norms(process, returning)
    running = _with_bands(process, _running(process, returning), norms)
    bands = [f"{band}_count" for band in BANDS]
    sums = [nw.col(name).sum() for name in (*bands, "amount", "late_amount")]
    counts = collect(running.group_by("place").agg(*sums, nw.col("age_days").median().alias("median_age_days")))
    counts["step"] = _names(process, counts["place"])
    table = norms.merge(counts, on="step", how="left", validate="one_to_one")
    table = table.fillna(dict.fromkeys([*bands, "amount", "late_amount"], 0)).astype(dict.fromkeys(bands, int))
    table["running_count"] = table[bands].sum(axis=1)
    table = table[(table["step"] != OTHER) | (table["running_count"] > 0)]
    share = rate(table["late_count"] + table["forgotten_count"], table["running_count"] - table["age_unknown_count"])
    table = table.assign(late_share=share.share, late_low_share=share.low_share, late_high_share=share.high_share)
    for name in ("amount", "late_amount"):
        table[name] = table[name] / process.minor_units if process.has("leads", "expected_amount") else np.nan
    return process.tidy(table[["step", "running_count", *bands, "late_share", "late_low_share", "late_high_share",
                               "median_age_days", "half_days", "norm_days", "winners_count", "amount", "late_amount"]])


def _with_bands(process: Process, running: nw.LazyFrame, norms: pd.DataFrame) -> nw.LazyFrame:
    """1 or 0 per running lead for each band of age, and its `amount` and `late_amount`."""
    half, norm = nw.lit(None, dtype=nw.Float64), nw.lit(None, dtype=nw.Float64)
    for row in norms.dropna(subset="norm_days").itertuples():
        here = nw.col("place") == places(process).index(row.step)
        half = nw.when(here).then(nw.lit(row.half_days)).otherwise(half)
        norm = nw.when(here).then(nw.lit(row.norm_days)).otherwise(norm)
    age, amount = nw.col("age_days"), nw.col("expected_amount").fill_null(0.0)
    frame = running.with_columns(_half=half, _norm=norm)
    known = ~(age.is_null() | nw.col("_norm").is_null())
    late, forgotten = age > nw.col("_norm"), age > nw.col("_norm") * FORGOTTEN_FACTOR
    conditions = {"fresh": known & (age <= nw.col("_half")), "usual": known & (age > nw.col("_half")) & ~late,
                  "late": known & late & ~forgotten, "forgotten": known & forgotten, "age_unknown": ~known}
    flags = {f"{band}_count": nw.when(conditions[band].fill_null(False)).then(nw.lit(1)).otherwise(nw.lit(0)) for band in BANDS}
    late_amount = nw.when((known & late).fill_null(False)).then(amount).otherwise(nw.lit(0.0))
    return frame.with_columns(**flags, amount=amount, late_amount=late_amount)
