"""All processes of a company side by side, by the same definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from funnel_lib import conversion, efficiency, lead_flow, loyalty
from funnel_lib.about import About
from funnel_lib.company import Company, Process
from funnel_lib.description import in_language
from funnel_lib.errors import DataError, MeasureError
from funnel_lib.glossary import GLOSSARY
from funnel_lib.lead_flow.sufficiency import LATEST_WEEKS
from funnel_lib.rates import ratio
from funnel_lib.schema import MISSING, OTHER, STAGES

COLUMNS = ["process", "leads_count", "leads_per_week", "known_count", "target_share", "target_low_share",
           "target_high_share", "won_count", "eventual_share", "eventual_low_share", "eventual_high_share", "median_days",
           "orders_count", "repeat_share", "repeat_low_share", "repeat_high_share", "customers_count", "referred_share",
           "referred_low_share", "referred_high_share", "result_count", "cost_per_result_amount", "hours_per_result",
           "margin_per_cost", "margin_per_hour_amount", "strain"]


def processes(company: Company) -> pd.DataFrame:
    """The headline figures of every process.

    One row is a process. Lead generation: `leads_count`, `leads_per_week` (mean of the last 52 complete weeks),
    `target_share` of the leads with a known segment; conversion: `won_count`, `eventual_share`, `median_days` to win;
    account management: `orders_count`, `repeat_share` of the orders, `referred_share` of the new
    customers (`customers_count`); efficiency of
    the whole process: `cost_per_result_amount` and `hours_per_result` per new customer (`result_count`,
    without perhaps older ones), `margin_per_cost`,
    `margin_per_hour_amount`, `strain`. Shares with 95 % limits where they are shares of independent things.
    What a process has no data for is missing; a process whose data have errors is a row of its name only.
    """
    rows = []
    for name in company.process_names:
        row: dict[str, Any] = {"process": name}
        try:
            process = company.process(name)
        except DataError:
            rows.append(row)
            continue
        for figures in (_leads, _target, _conversion, _time, _repeat, _referred, _efficiency):
            row.update(_attempted(figures, process))
        rows.append(row)
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    table.attrs["about"] = about_company(company)
    return table


STAGE_COLUMNS = ["stage", "process", "result", "result_count", "spend_amount", "labour_amount", "cost_amount", "hours",
                 "cost_per_result_amount", "cost_per_result_low_amount", "cost_per_result_high_amount", "hours_per_result",
                 "hours_per_result_low", "hours_per_result_high", "elapsed_days", "elapsed_low_days", "elapsed_high_days", "strain",
                 "strain_low", "strain_high", "strain_hours", "strain_hours_per_result"]
_ADDED_UP = ["result_count", "spend_amount", "labour_amount", "cost_amount", "hours", "strain_hours"]


def stage_efficiency(company: Company) -> pd.DataFrame:
    """The efficiency sheets of all processes side by side, stage by stage.

    One row is a stage (and `all` stages) × process; process `all` adds them up. Columns as `efficiency.efficiency_sheet`:
    `result`, `result_count`, money, hours and strain-hours, each per result; days and strain, which cannot be added up, are
    missing for the company. A sum with an unknown part is unknown. Processes without spending and work, or whose data have
    errors, are left out.
    """
    sheets = []
    for name in company.process_names:
        try:
            sheets.append(efficiency.efficiency_sheet(company.process(name)).assign(process=name))
        except (DataError, MeasureError):
            continue
    if not sheets:
        return pd.DataFrame(columns=STAGE_COLUMNS)
    table = pd.concat(sheets)
    sums = table.groupby(["stage", "result"], sort=False, dropna=False)[_ADDED_UP].agg(lambda values: values.sum(skipna=False))
    whole = sums.reset_index().assign(process="all")
    for name, total in (("cost_per_result_amount", "cost_amount"), ("hours_per_result", "hours"),
                        ("strain_hours_per_result", "strain_hours")):
        whole[name] = ratio(whole[total], whole["result_count"])
    table = pd.concat([table, whole]).reindex(columns=STAGE_COLUMNS)
    order = {stage: number for number, stage in enumerate([*STAGES, MISSING, OTHER, "all"])}
    table = table.sort_values("stage", key=lambda stages: stages.map(order), kind="stable").reset_index(drop=True)
    table.attrs["about"] = about_company(company)
    return table


def about_company(company: Company) -> About:
    """What tables over all processes are about."""
    described = company.description
    labels = {key: entry.label(described.language) for key, entry in GLOSSARY.items()}
    titles = labels | {name: in_language(settings.name, described.language, name) for name, settings in described.processes.items()}
    bounds = [pd.Timestamp(moment) if moment else None for moment in (described.as_of, described.observed_from)]
    return About("", company.name, described.language, described.currency, *bounds, labels=titles)


def _attempted(figures: Callable[[Process], dict], process: Process) -> dict:
    try:
        return figures(process)
    except MeasureError:
        return {}


def _leads(process: Process) -> dict:
    weeks = lead_flow.lead_counts(process, by=None, per="week")
    last = weeks[weeks["complete"]].tail(LATEST_WEEKS)
    return {"leads_count": weeks["leads_count"].sum(), "leads_per_week": last["leads_count"].mean()}


def _target(process: Process) -> dict:
    row = lead_flow.target_share(process, by=None).iloc[0]
    return {"known_count": row.known_count, "target_share": row.target_share, "target_low_share": row.target_low_share,
            "target_high_share": row.target_high_share}


def _conversion(process: Process) -> dict:
    row = conversion.eventual_conversion(process).iloc[0]
    return {name: row[name] for name in ("won_count", "eventual_share", "eventual_low_share", "eventual_high_share")}


def _time(process: Process) -> dict:
    return {"median_days": conversion.time_to_win(process)["median_days"].iloc[0]}


def _repeat(process: Process) -> dict:
    share = loyalty.repeat_share(process)
    return {"orders_count": share.whole_count, "repeat_share": share.share, "repeat_low_share": share.low_share,
            "repeat_high_share": share.high_share}


def _referred(process: Process) -> dict:
    origins = loyalty.referral_share(process).set_index("origin")
    if "referred" not in origins.index:
        return {}
    row = origins.loc["referred"]
    return {"customers_count": origins["customers_count"].sum(), "referred_share": row.customers_share,
            "referred_low_share": row.customers_low_share, "referred_high_share": row.customers_high_share}


def _efficiency(process: Process) -> dict:
    row = efficiency.efficiency_sheet(process).set_index("stage").loc["all"]
    return {name: row[name] for name in
            ("result_count", "cost_per_result_amount", "hours_per_result", "margin_per_cost", "margin_per_hour_amount", "strain")}
