"""Exercise 2 answered: how many buy in the end, how long it takes, where and why leads are lost."""

from __future__ import annotations

import math

from funnel_lib import conversion as measures
from funnel_lib.answers import of_conversion_change as changes
from funnel_lib.answers import of_conversion_paths as paths
from funnel_lib.answers.sentence import Sentence, Speaker, answered
from funnel_lib.company import Process
from funnel_lib.conversion.losses import UNKNOWN_STEP
from funnel_lib.conversion.stays import LEAD
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
        return [Sentence("eventual_conversion", say("There are no leads to measure conversion on yet."), leads_count=0)]
    numbers = {"share": say.share(row.eventual_share), "range": say.range(row.eventual_low_share, row.eventual_high_share),
               "won": say.count(row.won_count), "leads": say.count(row.leads_count), "days": say.days(row.horizon_days)}
    if row.horizon_days < row.wanted_horizon_days:
        parts = [say("{share} of the leads become customers within {days} (95 % interval {range}, {won} won of {leads} so far).",
                     **numbers),
                 say("How many do in the end cannot be told yet: no lead has been followed for the whole window of {days}.",
                     days=say.days(row.wanted_horizon_days))]
    else:
        parts = [say("{share} of the leads become customers in the end (95 % interval {range}, {won} won of {leads} so far; "
                     "each lead counts for {days}).", **numbers)]
    if row.won_count < FEW:
        parts.append(say.plural(row.won_count, "With {won} win this is a rough figure.", "With {won} wins this is a rough figure.",
                                won=say.count(row.won_count)))
    if row.mostly_projected:
        parts.append(say("Most of it is projected from older leads."))
    if row.untimed_count:
        parts.append(say.plural(row.untimed_count, "The moment of {count} outcome is not recorded; it counts as decided.",
                                "The moment of {count} outcomes is not recorded; they count as decided.",
                                count=say.count(row.untimed_count)))
    if row.left_out_count:
        parts.append(say.plural(row.left_out_count, "{count} lead from before the recording began is left out.",
                                "{count} leads from before the recording began are left out.", count=say.count(row.left_out_count)))
    return [Sentence("eventual_conversion", " ".join(parts), eventual_share=row.eventual_share, low_share=row.eventual_low_share,
                     high_share=row.eventual_high_share, won_count=row.won_count, leads_count=row.leads_count,
                     horizon_days=row.horizon_days)]


def _funnel(process: Process) -> list[Sentence]:
    say = Speaker(process)
    rates = measures.step_rates(process)
    chain = rates[~rates["optional"] & (rates["base_count"] > 0)].sort_values("step_share", kind="stable")
    if chain.empty and not rates["too_young_count"].any():
        return []
    if chain.empty:
        return [Sentence("narrowest_step", say("No lead is old enough for the conversion window yet, so steps have no rates."))]
    enough = chain[chain["base_count"] >= FEW]
    if enough.empty:
        text = say("Which step is the narrowest cannot be told: fewer than {few} leads could reach each.", few=say.count(FEW))
        return [Sentence("narrowest_step", text)]
    row, window = enough.iloc[0], process.settings.conversion_window_days
    numbers = {"step": say.label(row.step), "share": say.share(row.step_share), "reached": say.count(row.reached_count),
               "base": say.count(row.base_count), "range": say.range(row.step_low_share, row.step_high_share)}
    text = (say("The narrowest step is “{step}”: {share} of those who could reach it do within {days} ({reached} of {base}, "
                "95 % interval {range}).", days=say.days(window), **numbers) if window else
            say("The narrowest step is “{step}”: {share} of those who could reach it do ({reached} of {base}, 95 % interval "
                "{range}).", **numbers))
    rivals = [other.step for other in enough.iloc[1:].itertuples() if other.step_low_share <= row.step_high_share]
    if rivals:
        text += " " + say("It cannot be told apart for certain from {steps}: the intervals overlap.", steps=say.names(rivals))
    return [Sentence("narrowest_step", text, step=row.step, step_share=row.step_share, low_share=row.step_low_share,
                     high_share=row.step_high_share, reached_count=row.reached_count, base_count=row.base_count)]


def _naive(process: Process) -> list[Sentence]:
    say = Speaker(process)
    row = measures.states(process).iloc[0]
    if row.leads_count == 0:
        return []
    numbers = {"leads": say.count(row.leads_count), "won": say.count(row.won_count), "lost": say.count(row.lost_count),
               "running": say.count(row.running_count), "share": say.share(row.won_share)}
    if row.won_count + row.lost_count:
        text = say.plural(row.leads_count, "Of {leads} lead {won} are won, {lost} lost and {running} still running; a count that "
                                           "takes the running ones for lost would say {share}, one that leaves them out {rate}.",
                          "Of {leads} leads {won} are won, {lost} lost and {running} still running; a count that takes the running "
                          "ones for lost would say {share}, one that leaves them out {rate}.",
                          rate=say.share(row.win_rate_share), **numbers)
    else:
        text = say.plural(row.leads_count, "Of {leads} lead {won} are won, {lost} lost and {running} still running; a count that "
                                           "takes the running ones for lost would say {share}.",
                          "Of {leads} leads {won} are won, {lost} lost and {running} still running; a count that takes the running "
                          "ones for lost would say {share}.", **numbers)
    return [Sentence("states", text, leads_count=row.leads_count, won_count=row.won_count, lost_count=row.lost_count,
                     running_count=row.running_count, won_share=row.won_share, win_rate_share=row.win_rate_share)]


def _time(process: Process) -> list[Sentence]:
    say = Speaker(process)
    row = measures.time_to_win(process).iloc[0]
    if math.isnan(row.median_days) and not row.won_count:
        return [Sentence("time_to_win", say("How long a win takes cannot be told: no lead is won yet."), won_count=0)]
    if math.isnan(row.median_days):
        text = say("How long a win takes cannot be told yet: fewer than 10 leads were followed to the horizon of {days}.",
                   days=say.days(row.horizon_days))
        return [Sentence("time_to_win", text, won_count=row.won_count)]
    text = say.plural(row.won_count, "Half of those who buy have done so within {half}, three quarters within {most} ({wins} win).",
                      "Half of those who buy have done so within {half}, three quarters within {most} ({wins} wins).",
                      half=say.days(row.median_days), most=say.days(row.three_quarters_days), wins=say.count(row.won_count))
    return [Sentence("time_to_win", text, quarter_days=row.quarter_days, median_days=row.median_days,
                     three_quarters_days=row.three_quarters_days, won_count=row.won_count)]


def _losses(process: Process) -> list[Sentence]:
    say = Speaker(process)
    reasons = measures.lost_reasons(process)
    if not measures.states(process)["leads_count"].iloc[0]:
        return []
    if reasons.empty:
        text = say("No lost lead is recorded: either nobody says no, or losses are not written down. Until they are, every lead "
                   "that has not bought counts as still running.")
        return [Sentence("lost_reasons", text, lost_count=0)]
    row, total, parts = reasons.iloc[0], reasons["lost_count"].sum(), []
    if row.amount == row.amount:  # the money is known
        parts.append(say("Most money is lost to “{reason}” {place}: {money} of expected sales ({share}).",
                         reason=say.label(row.reason), place=_place(say, row.from_step), money=say.money(row.amount),
                         share=say.share(row.amount_share)))
        row = reasons.sort_values("lost_count", ascending=False, kind="stable").iloc[0]
    parts.append(say.plural(total, "The only loss is “{reason}” {place}: {lost} of {total} lost lead ({share}, 95 % interval "
                                   "{range}).",
                            "The most frequent loss is “{reason}” {place}: {lost} of {total} lost leads ({share}, 95 % interval "
                            "{range}).", reason=say.label(row.reason), place=_place(say, row.from_step),
                            lost=say.count(row.lost_count), total=say.count(total), share=say.share(row.lost_share),
                            range=say.range(row.lost_low_share, row.lost_high_share)))
    return [Sentence("lost_reasons", " ".join(parts), from_step=row.from_step, reason=row.reason, lost_count=row.lost_count,
                     lost_share=row.lost_share, total_count=total)]


def _place(say: Speaker, step: str) -> str:
    """Where on their way leads were lost: the step entered last."""
    if step == LEAD:
        return say("before the first step")
    return say("at an unknown step") if step == UNKNOWN_STEP else say("after “{step}”", step=say.label(step))


def _returning(process: Process) -> list[Sentence]:
    say = Speaker(process)
    row = measures.states(process, returning=True).iloc[0]
    if row.leads_count == 0:
        return []
    text = say.plural(row.leads_count, "{leads} further lead came from customers who had bought before ({won} won); it belongs to "
                      "account management and is in none of these figures.",
                      "{leads} further leads came from customers who had bought before ({won} won); they belong to account "
                      "management and are in none of these figures.",
                      leads=say.count(row.leads_count), won=say.count(row.won_count))
    return [Sentence("returning_leads", text, leads_count=row.leads_count, won_count=row.won_count)]
