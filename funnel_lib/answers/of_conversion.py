"""Exercise 2 answered: how many buy in the end, how long it takes, where and why leads are lost."""

from __future__ import annotations

import math

from funnel_lib import conversion as measures
from funnel_lib.answers import of_conversion_change as changes
from funnel_lib.answers import of_conversion_paths as paths
from funnel_lib.answers.sentence import Sentence, Speaker, answered
from funnel_lib.company import Process
from funnel_lib.rates import FEW


def conversion(process: Process) -> list[Sentence]:
    """The sentences of exercise 2: the verdict, what to do about it, then the rest."""
    return answered(process, _eventual, _funnel, changes.price_of_point, paths.whom_to_act_on, changes.change,
                    changes.reconciliation, _time, _losses, changes.owners, changes.channels, paths.path_followed, paths.returns,
                    paths.in_time, changes.trend, changes.cohorts, paths.littles_law, paths.sales_velocity, _naive, _returning)


def _eventual(process: Process) -> list[Sentence]:
    say = Speaker(process)
    row = measures.eventual_conversion(process).iloc[0]
    if row.leads_count == 0:
        return [Sentence("eventual_conversion", "There are no leads to measure conversion on yet.", leads_count=0)]
    is_short = row.horizon_days < row.wanted_horizon_days
    text = (f"{say.share(row.eventual_share)} of the leads become customers "
            f"{'within ' + say.days(row.horizon_days) if is_short else 'in the end'} (95 % interval "
            f"{say.range(row.eventual_low_share, row.eventual_high_share)}, {say.count(row.won_count)} won of "
            f"{say.count(row.leads_count)} so far{'' if is_short else ', horizon ' + say.days(row.horizon_days)}).")
    if is_short:
        text += (f" How many do in the end cannot be told yet: no lead has been followed for the whole window of "
                 f"{say.days(row.wanted_horizon_days)}.")
    if row.won_count < FEW:
        text += f" With {say.count(row.won_count)} wins this is a rough figure."
    if row.mostly_projected:
        text += " Most of it is projected from older leads."
    if row.untimed_count:
        text += f" The moment of {say.count(row.untimed_count)} outcomes is not recorded; they count as decided."
    if row.left_out_count:
        text += f" {say.count(row.left_out_count)} leads from before the recording began are left out."
    return [Sentence("eventual_conversion", text, eventual_share=row.eventual_share, low_share=row.eventual_low_share,
                     high_share=row.eventual_high_share, won_count=row.won_count, leads_count=row.leads_count,
                     horizon_days=row.horizon_days)]


def _funnel(process: Process) -> list[Sentence]:
    say = Speaker(process)
    rates = measures.step_rates(process)
    chain = rates[~rates["optional"] & (rates["base_count"] > 0)].sort_values("step_share", kind="stable")
    if chain.empty and not rates["too_young_count"].any():
        return []
    if chain.empty:
        return [Sentence("narrowest_step", "No lead is old enough for the conversion window yet, so steps have no rates.")]
    enough = chain[chain["base_count"] >= FEW]
    if enough.empty:
        return [Sentence("narrowest_step", f"Which step is the narrowest cannot be told: fewer than {FEW} leads could reach each.")]
    row, window = enough.iloc[0], process.settings.conversion_window_days
    text = (f"The narrowest step is “{say.label(row.step)}”: {say.share(row.step_share)} of those who could reach it do"
            f"{' within ' + say.days(window) if window else ''} ({say.count(row.reached_count)} of {say.count(row.base_count)}, "
            f"95 % interval {say.range(row.step_low_share, row.step_high_share)}).")
    rivals = [say.label(other.step) for other in enough.iloc[1:].itertuples() if other.step_low_share <= row.step_high_share]
    if rivals:
        text += f" It cannot be told apart for certain from “{'”, “'.join(rivals)}”: the intervals overlap."
    return [Sentence("narrowest_step", text, step=row.step, step_share=row.step_share, low_share=row.step_low_share,
                     high_share=row.step_high_share, reached_count=row.reached_count, base_count=row.base_count)]


def _naive(process: Process) -> list[Sentence]:
    say = Speaker(process)
    row = measures.states(process).iloc[0]
    if row.leads_count == 0:
        return []
    without_running = (f", one that leaves them out {say.share(row.win_rate_share)}"
                       if row.won_count + row.lost_count else "")
    text = (f"Of {say.count(row.leads_count)} leads {say.count(row.won_count)} are won, {say.count(row.lost_count)} lost and "
            f"{say.count(row.running_count)} still running; a count that takes the running ones for lost would say "
            f"{say.share(row.won_share)}{without_running}.")
    return [Sentence("states", text, leads_count=row.leads_count, won_count=row.won_count, lost_count=row.lost_count,
                     running_count=row.running_count, won_share=row.won_share, win_rate_share=row.win_rate_share)]


def _time(process: Process) -> list[Sentence]:
    say = Speaker(process)
    row = measures.time_to_win(process).iloc[0]
    if math.isnan(row.median_days) and not row.won_count:
        return [Sentence("time_to_win", "How long a win takes cannot be told: no lead is won yet.", won_count=0)]
    if math.isnan(row.median_days):
        return [Sentence("time_to_win", "How long a win takes cannot be told yet: fewer than 10 leads were followed to the "
                                        f"horizon of {say.days(row.horizon_days)}.", won_count=row.won_count)]
    text = (f"Half of those who buy have done so within {say.days(row.median_days)}, three quarters within "
            f"{say.days(row.three_quarters_days)} ({say.count(row.won_count)} wins).")
    return [Sentence("time_to_win", text, quarter_days=row.quarter_days, median_days=row.median_days,
                     three_quarters_days=row.three_quarters_days, won_count=row.won_count)]


def _losses(process: Process) -> list[Sentence]:
    say = Speaker(process)
    reasons = measures.lost_reasons(process)
    if not measures.states(process)["leads_count"].iloc[0]:
        return []
    if reasons.empty:
        return [Sentence("lost_reasons", "No lost lead is recorded: either nobody says no, or losses are not written down. "
                                         "Until they are, every lead that has not bought counts as still running.",
                         lost_count=0)]
    row, total = reasons.iloc[0], reasons["lost_count"].sum()
    dearest = ""
    if row.amount == row.amount:  # the money is known
        dearest = (f"Most money is lost to “{say.label(row.reason)}” after “{say.label(row.from_step)}”: "
                   f"{say.money(row.amount)} of expected sales ({say.share(row.amount_share)}). ")
        row = reasons.sort_values("lost_count", ascending=False, kind="stable").iloc[0]
    text = (f"{dearest}The most frequent loss is “{say.label(row.reason)}” after “{say.label(row.from_step)}”: "
            f"{say.count(row.lost_count)} of {say.count(total)} lost leads ({say.share(row.lost_share)}, 95 % interval "
            f"{say.range(row.lost_low_share, row.lost_high_share)}).")
    return [Sentence("lost_reasons", text, from_step=row.from_step, reason=row.reason, lost_count=row.lost_count,
                     lost_share=row.lost_share, total_count=total)]


def _returning(process: Process) -> list[Sentence]:
    say = Speaker(process)
    row = measures.states(process, returning=True).iloc[0]
    if row.leads_count == 0:
        return []
    text = (f"{say.count(row.leads_count)} further leads came from customers who had bought before ({say.count(row.won_count)} "
            "won); they belong to account management and are in none of these figures.")
    return [Sentence("returning_leads", text, leads_count=row.leads_count, won_count=row.won_count)]
