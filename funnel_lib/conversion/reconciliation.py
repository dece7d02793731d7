"""From the figure of a CRM to ours: by how much each rule of counting moves the share that reached a step."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.conversion.steps import _reached, _visited, _with_eligibility
from funnel_lib.engine import collect
from funnel_lib.journeys import journeys
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
    leads = _with_eligibility(process, journeys(process), window)
    one, none = nw.lit(1), nw.lit(0)
    leads = leads.with_columns(_returning=nw.when(nw.col("is_returning")).then(one).otherwise(none), _never=nw.col("never_lead"))
    flags = {}
    for number in range(len(process.steps)):
        for name, limit in (("ever", None), ("within", window)):
            flags[f"_{name}_{number}"] = nw.when(_visited(number, limit)).then(one).otherwise(none)
    leads = _reached(process, leads.with_columns(**flags), window, "reached")
    sums = [*flags, *(f"_reached_{number}" for number in range(len(process.steps)))]
    return collect(leads.group_by(list(LEADS_OUT.values())).agg(nw.len().alias("leads"), *[nw.col(name).sum() for name in sums]))


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
