"""The company at a glance, in sentences: what stands out among the processes."""

from __future__ import annotations

import math

import pandas as pd

from funnel_lib import overview as measures
from funnel_lib.about import About
from funnel_lib.answers.sentence import Sentence
from funnel_lib.company import Company
from funnel_lib.language.formats import format_interval, format_money, format_number, format_share


def overview(company: Company) -> list[Sentence]:
    """The sentences over all processes: one per process, then what differs for certain."""
    table = measures.processes(company)
    about = table.attrs["about"]
    sentences = [*_conversion(table, about), *(_process(row, about) for row in table.itertuples())]
    return [sentence for sentence in sentences if sentence]


def _conversion(table: pd.DataFrame, about: About) -> list[Sentence]:
    known = table[table["eventual_share"].notna() & (table["leads_count"] > 0)]
    if len(known) < 2:
        return []
    ranked = known.sort_values("eventual_share", ascending=False)
    best, worst = ranked.iloc[0], ranked.iloc[-1]
    apart = best.eventual_low_share > worst.eventual_high_share
    figures = {f"{name}{key}": value for name, row in (("best", best), ("worst", worst))
               for key, value in _figures(row, about).items()}
    text = (about.say("The processes convert differently: {best} {best_share} ({best_range}), {worst} {worst_share} "
                      "({worst_range}) of the leads become customers in the end, and the 95 % intervals do not overlap.",
                      **figures) if apart else
            about.say("Whether the processes convert differently cannot be told: their intervals overlap ({best} {best_share} "
                      "({best_range}), {worst} {worst_share} ({worst_range})).", **figures))
    return [Sentence("processes_differ", text, best=best.process, best_share=best.eventual_share, worst=worst.process,
                     worst_share=worst.eventual_share, apart=bool(apart))]


def _figures(row: pd.Series, about: About) -> dict[str, str]:
    return {"": about.label(row.process), "_share": format_share(row.eventual_share, about.language),
            "_range": format_interval(row.eventual_low_share, row.eventual_high_share, "share", about.language)}


def _process(row: tuple, about: About) -> Sentence:
    """One line per process with what is known of its three stages."""
    say, language, parts = about.say, about.language, []
    if _known(row.leads_per_week):
        parts.append(say("{leads} new leads a week (last 52 weeks)", leads=format_number(row.leads_per_week, language)))
    if _known(row.target_share):
        parts.append(say("{share} of them on target", share=format_share(row.target_share, language)))
    if _known(row.eventual_share):
        parts.append(say("{share} become customers in the end", share=format_share(row.eventual_share, language)))
    if _known(row.repeat_share):
        parts.append(say("{share} of the orders are repeat orders", share=format_share(row.repeat_share, language)))
    if _known(row.referred_share):
        parts.append(say("{share} of the new customers come by recommendation", share=format_share(row.referred_share, language)))
    if _known(row.cost_per_result_amount):
        parts.append(say("a new customer costs {money} over all stages",
                         money=format_money(row.cost_per_result_amount, language, about.currency)))
    if _known(row.margin_per_cost):
        parts.append(say("the margin is {times} times the cost", times=format_number(row.margin_per_cost, language)))
    name = about.label(row.process)
    text = (say("{process}: {figures}.", process=name, figures=", ".join(parts)) if parts else
            say("{process}: there is nothing to measure yet, or its data have errors.", process=name))
    return Sentence(f"process_{row.process}", text, process=row.process,
                    **{key: value for key, value in row._asdict().items() if key not in ("Index", "process")})


def _known(value: float) -> bool:
    return not math.isnan(value)
