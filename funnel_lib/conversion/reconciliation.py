"""From the figure of a CRM to ours: by how much each rule of counting moves the share that reached a step."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.steps import _chain_positions, _with_eligibility
from funnel_lib.engine import collect, left_join
from funnel_lib.journeys import entries, lead_states
from funnel_lib.periods import duration
from funnel_lib.rates import rate

# The rules in the order in which they are applied: column → what leaves the count, or how entries are counted.
LEADS_OUT = {"returning_change_share": "_returning", "not_leads_change_share": "_never", "left_out_change_share": "_early",
             "too_young_change_share": "_young"}
CHANGES = [*LEADS_OUT, "late_entries_change_share", "skipped_change_share"]
COLUMNS = ["step", "optional", "crm_count", "crm_leads_count", "crm_share", *CHANGES, "overall_share", "reached_count",
           "leads_count"]


def reconciliation(process: Process, window_days: float | None = None) -> pd.DataFrame:
    """How a CRM's share of each step becomes ours, rule by rule.

    One row is a step. `crm_share` = `crm_count` (leads with an entry into this very step) / `crm_leads_count` (all leads ever,
    so that running ones count as lost). Then the change, in points of the share, when one rule after the other is applied:
    `returning_change_share` (customers who had bought before leave), `not_leads_change_share` (entries that never were
    leads leave), `left_out_change_share` (leads from before the recording leave, where there is a window),
    `too_young_change_share` (leads still running out their window leave), `late_entries_change_share` (entries after the window
    do not count), `skipped_change_share` (whoever entered a later step has reached this one). Together they give
    `overall_share` = `reached_count` / `leads_count`, the figure of `step_rates`.
    Undefined shares (no lead left) are missing. Raises `MeasureError` without leads, events or described steps.
    """
    window = process.settings.conversion_window_days if window_days is None else window_days
    counts = _counts(process, window)
    return process.tidy(pd.DataFrame([_row(number, step, counts) for number, step in enumerate(process.steps)],
                                     columns=COLUMNS))


def _counts(process: Process, window: float | None) -> pd.DataFrame:
    """Leads, and those with an entry into each step counted in three ways, by which rules they fall under."""
    really = lead_states(process, None).select("lead_id", _really=nw.lit(1))
    leads = left_join(_with_eligibility(process, process.leads(None), window), really, "lead_id")
    leads = left_join(leads, _visits(process, window), "lead_id")
    one, none = nw.lit(1), nw.lit(0)
    rules = list(LEADS_OUT.values())
    leads = leads.with_columns(_returning=nw.when(nw.col("is_returning")).then(one).otherwise(none),
                               _never=nw.when(nw.col("_really").is_null()).then(one).otherwise(none))
    positions = _chain_positions(process.steps)
    flags = {}
    for number, step in enumerate(process.steps):
        flags[f"_ever_{number}"] = nw.col(f"_ever_{number}").fill_null(0)
        flags[f"_within_{number}"] = nw.col(f"_within_{number}").fill_null(0)
        there = (nw.col("_depth") >= positions[step.key]).fill_null(False)
        flags[f"_reached_{number}"] = (nw.col(f"_within_{number}").fill_null(0) if step.optional
                                       else nw.when(there).then(one).otherwise(none))
    counted = leads.with_columns(**flags).group_by(rules).agg(nw.len().alias("leads"), *[nw.col(name).sum() for name in flags])
    return collect(counted)


def _visits(process: Process, window: float | None) -> nw.LazyFrame:
    """Per lead 1 or 0 for an entry into each step, ever and within the window, and how far it came within the window."""
    events, in_time = entries(process, None), nw.lit(True)
    if window is not None:
        in_time = (nw.col("entered_at") <= nw.col("created_at").dt.offset_by(duration(window))).fill_null(False)
        in_time = in_time | nw.col("entered_at").is_null()
    depth, flags = nw.lit(0), {}
    for number, step in enumerate(process.steps):
        here = nw.col("step") == step.key
        flags[f"_ever_{number}"] = nw.when(here).then(nw.lit(1)).otherwise(nw.lit(0))
        flags[f"_within_{number}"] = nw.when(here & in_time).then(nw.lit(1)).otherwise(nw.lit(0))
        depth = nw.when(here & in_time).then(nw.lit(_chain_positions(process.steps)[step.key])).otherwise(depth)
    marked = events.with_columns(_depth=depth, **flags)
    return marked.group_by("lead_id").agg(*[nw.col(name).max() for name in ("_depth", *flags)])


def _row(number: int, step, counts: pd.DataFrame) -> dict:
    crm, left = (counts[f"_ever_{number}"].sum(), counts["leads"].sum()), counts
    figures = [crm]
    for rule in LEADS_OUT.values():
        left = left[left[rule] == 0]
        figures.append((left[f"_ever_{number}"].sum(), left["leads"].sum()))
    leads = left["leads"].sum()
    figures += [(left[f"_within_{number}"].sum(), leads), (left[f"_reached_{number}"].sum(), leads)]
    shares = [rate(part, whole).share for part, whole in figures]
    changes = {name: later - earlier for name, earlier, later in zip(CHANGES, shares, shares[1:], strict=False)}
    return {"step": step.key, "optional": step.optional, "crm_count": int(crm[0]), "crm_leads_count": int(crm[1]),
            "crm_share": shares[0], **changes, "overall_share": shares[-1],
            "reached_count": int(figures[-1][0]), "leads_count": int(leads)}
