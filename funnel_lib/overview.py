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

COLUMNS = ["process", "leads_count", "leads_per_week", "known_count", "target_share", "target_low_share",
           "target_high_share", "won_count", "eventual_share", "eventual_low_share", "eventual_high_share", "median_days",
           "orders_count", "repeat_share", "repeat_low_share", "repeat_high_share", "customers_count", "referred_share",
           "referred_low_share", "referred_high_share", "result_count", "cost_per_result_amount", "hours_per_result",
           "margin_per_cost", "margin_per_hour_amount", "strain"]


def processes(company: Company) -> pd.DataFrame:
    """The headline figures of every process.

    One row is a process. Lead generation: `leads_count`, `leads_per_week` (mean of the last 13 complete weeks),
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


def about_company(company: Company) -> About:
    """What tables over all processes are about."""
    described = company.description
    titles = {name: in_language(settings.name, described.language, name) for name, settings in described.processes.items()}
    bounds = [pd.Timestamp(moment) if moment else None for moment in (described.as_of, described.observed_from)]
    return About("", company.name, described.language, described.currency, *bounds, labels=titles)


def _attempted(figures: Callable[[Process], dict], process: Process) -> dict:
    try:
        return figures(process)
    except MeasureError:
        return {}


def _leads(process: Process) -> dict:
    weeks = lead_flow.lead_counts(process, by=None, per="week")
    last = weeks[weeks["complete"]].tail(13)
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
