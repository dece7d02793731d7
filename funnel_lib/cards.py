"""Technology cards of a stage: what is described, and beside it what the log of work shows."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.description import Card, in_language
from funnel_lib.engine import collect
from funnel_lib.errors import CallError, MeasureError, nearest
from funnel_lib.language.messages import message
from funnel_lib.new_leads import new_leads
from funnel_lib.rates import rate, ratio
from funnel_lib.schema import MISSING, OTHER, STAGES

DESCRIBED = ["card", "stage", "step", "role", "means", "level", "norm_minutes", "norm_cost_amount", "input", "output"]
SHOWN = ["executions_count", "hours", "actual_minutes", "leads_touched_count", "leads_touched_share"]
MINUTES_PER_HOUR = 60


def cards(process: Process, stage: str) -> pd.DataFrame:
    """The technology cards of one stage.

    One row is a card, in the order of the description; work of this stage that names no card is the row "(missing)", a card
    that is not described the row `other`. Columns: `card`, `stage`, `step`, `role`, `means`, `level` (0 craft to 4
    automatic, as claimed), `norm_minutes` and `norm_cost_amount` of one execution, `input`, `output`; from the log
    `executions_count` (rows of work), `hours`, `actual_minutes` per execution, `leads_touched_count` (new leads with such
    work; missing for work that never names a lead) and `leads_touched_share` of all new leads. Without the table `work`,
    or its column `card`, these are missing.
    Raises `MeasureError` where the stage has neither cards nor work, `CallError` for an unknown stage.
    """
    if stage not in STAGES:
        raise CallError(message("stage {stage!r}: expected one of {known}.{nearest}", stage=stage, known=", ".join(STAGES),
                                nearest=nearest(stage, STAGES)))
    described = pd.DataFrame([_row(card, process) for card in process.settings.cards if card.stage == stage],
                             columns=DESCRIBED)
    described = described.astype({"level": float, "norm_minutes": float, "norm_cost_amount": float})
    if not process.has("work", "card"):
        if described.empty:
            raise MeasureError(message("{process}: needs technology cards of this stage (who does what, by what means, in how "
                                       "many minutes) or the table 'work' with the column 'card'", process=process.name))
        return process.tidy(described.assign(**dict.fromkeys(SHOWN, float("nan"))))
    table = described.merge(_shown(process, stage, list(described["card"])), on="card", how="outer")
    table["position"] = table["card"].map({key: at for at, key in enumerate(described["card"])})
    table = table.sort_values(["position", "card"]).assign(stage=stage)
    counts = ["executions_count", "hours", "leads_touched_count"]
    table[counts] = table[counts].fillna(0)
    table["actual_minutes"] = ratio(table["hours"] * MINUTES_PER_HOUR, table["executions_count"])
    table["leads_touched_share"] = rate(table["leads_touched_count"], _leads_count(process)).share
    # Work that never names a lead (an advertisement, a call to an old client) says nothing of leads.
    table.loc[table["named_count"].fillna(0) == 0, ["leads_touched_count", "leads_touched_share"]] = float("nan")
    return process.tidy(table[DESCRIBED + SHOWN])


def _row(card: Card, process: Process) -> dict:
    texts = {name: in_language(getattr(card, name), process.language) or None for name in ("input", "output")}
    return {"card": card.key, "stage": card.stage, "step": card.step, "role": card.role, "means": card.means,
            "level": card.level, "norm_minutes": card.norm_minutes, "norm_cost_amount": card.cost, **texts}


def _shown(process: Process, stage: str, described: list[str]) -> pd.DataFrame:
    """Per card: executions, hours, new leads touched."""
    card = nw.col("card")
    known = card.is_in(described or [""]).fill_null(False)
    named = nw.when(known).then(card).otherwise(nw.when(card.is_null()).then(nw.lit(MISSING)).otherwise(nw.lit(OTHER)))
    work = process.table("work").filter((nw.col("stage") == stage).fill_null(False)).with_columns(card=named)
    totals = collect(work.group_by("card").agg(nw.len().alias("executions_count"), nw.col("hours").sum(),
                                               nw.col("lead_id").count().alias("named_count")))
    if not process.has("leads"):
        return totals.assign(leads_touched_count=float("nan"))
    touched = work.select("card", "lead_id").join(new_leads(process).select("lead_id"), on="lead_id", how="inner")
    touched = collect(touched.group_by("card").agg(nw.col("lead_id").n_unique().alias("leads_touched_count")))
    return totals.merge(touched, on="card", how="left")


def _leads_count(process: Process) -> float:
    if not process.has("leads"):
        return float("nan")
    return float(collect(new_leads(process).select(nw.len().alias("leads_count")))["leads_count"].iloc[0])
