"""The company at a glance, in sentences: what stands out among the processes."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import overview as measures
from funnel_lib.answers.sentence import Sentence
from funnel_lib.company import Company
from funnel_lib.language.formats import format_interval, format_money, format_number, format_share


def overview(company: Company) -> list[Sentence]:
    """The sentences over all processes: one per process, then what differs for certain."""
    table = measures.processes(company)
    about = table.attrs["about"]
    sentences = [*_conversion(table, about), *(_process(row, about) for row in table.itertuples())]
    return [sentence for sentence in sentences if sentence]


def _conversion(table: pd.DataFrame, about) -> list[Sentence]:
    known = table[table["eventual_share"].notna() & (table["leads_count"] > 0)]
    if len(known) < 2:
        return []
    ranked = known.sort_values("eventual_share", ascending=False)
    best, worst = ranked.iloc[0], ranked.iloc[-1]
    figures = (f"{about.label(best.process)} {format_share(best.eventual_share, about.language)} "
               f"({format_interval(best.eventual_low_share, best.eventual_high_share, 'share', about.language)}), "
               f"{about.label(worst.process)} {format_share(worst.eventual_share, about.language)} "
               f"({format_interval(worst.eventual_low_share, worst.eventual_high_share, 'share', about.language)})")
    apart = best.eventual_low_share > worst.eventual_high_share
    text = (f"The processes convert differently: {figures} of the leads become customers in the end, and the 95 % intervals do "
            "not overlap." if apart else
            f"Whether the processes convert differently cannot be told: their intervals overlap ({figures}).")
    return [Sentence("processes_differ", text, best=best.process, best_share=best.eventual_share, worst=worst.process,
                     worst_share=worst.eventual_share, apart=bool(apart))]


def _process(row, about) -> Sentence:
    """One line per process with what is known of its three stages."""
    name, language = about.label(row.process), about.language
    parts = []
    if _known(row.leads_per_week):
        parts.append(f"{format_number(round(row.leads_per_week, 1), language)} new leads a week (last 13 weeks)")
    if _known(row.target_share):
        parts.append(f"{format_share(row.target_share, language)} of them on target")
    if _known(row.eventual_share):
        parts.append(f"{format_share(row.eventual_share, language)} become customers in the end")
    if _known(row.repeat_share):
        parts.append(f"{format_share(row.repeat_share, language)} of the orders are repeat orders")
    if _known(row.referred_share):
        parts.append(f"{format_share(row.referred_share, language)} of the new customers come by recommendation")
    if _known(row.cost_per_result_amount):
        parts.append(f"a new customer costs {format_money(row.cost_per_result_amount, language, about.currency)} over all stages")
    if _known(row.margin_per_cost):
        parts.append(f"the margin is {format_number(row.margin_per_cost, language)} times the cost")
    text = f"{name}: {', '.join(parts)}." if parts else f"{name}: there is nothing to measure yet, or its data have errors."
    return Sentence(f"process_{row.process}", text, process=row.process,
                    **{key: value for key, value in row._asdict().items() if key not in ("Index", "process")})


def _known(value: float) -> bool:
    return not math.isnan(value)
