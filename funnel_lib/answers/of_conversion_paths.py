"""The way through the funnel in sentences: is the described path followed, who comes back, whom to act on today."""

from __future__ import annotations

from funnel_lib import conversion as measures
from funnel_lib.answers.counted import leads
from funnel_lib.answers.sentence import Sentence, Speaker, attempt
from funnel_lib.company import Process
from funnel_lib.conversion.flow import CANNOT_TELL, STEADY, TOO_FEW, LittlesLaw
from funnel_lib.rates import FEW


def conversion_paths(process: Process) -> list[Sentence]:
    """All sentences on the way through the funnel: whom to act on first, then what is to be improved."""
    topics = (whom_to_act_on, path_followed, returns, in_time, littles_law, sales_velocity)
    return [sentence for topic in topics for sentence in attempt(topic, process)]


def whom_to_act_on(process: Process) -> list[Sentence]:
    """How many running leads stand too long, how many of them a call may still win, and where most of them stand."""
    say, summary = Speaker(process), measures.work_in_progress_summary(process)
    running, late = int(summary["running_count"].sum()), int(summary["late_count"].sum())
    forgotten, unknown = int(summary["forgotten_count"].sum()), int(summary["age_unknown_count"].sum())
    if running == 0:
        return [Sentence("work_in_progress", say("No lead is running: there is nobody to act on today."), running_count=0)]
    numbers = {"running_count": running, "late_count": late, "forgotten_count": forgotten, "age_unknown_count": unknown}
    if unknown == running:
        text = say.plural(running, "{running} lead is running, but whether it waits too long cannot be told: fewer than 10 winners "
                                   "have been through their steps, or the moment is not recorded.",
                          "{running} leads are running, but whether any of them waits too long cannot be told: fewer than 10 "
                          "winners have been through their steps, or the moments are not recorded.",
                          running=say.count(running))
        return [Sentence("work_in_progress", text, **numbers)]
    parts = [_late(say, late, running)]
    if forgotten:
        parts.append(say.plural(forgotten, "{count} more stands there over three times as long: call once more or close it.",
                                "{count} more stand there over three times as long: call once more or close them.",
                                count=say.count(forgotten)))
    worst = summary.assign(_long=summary["late_count"] + summary["forgotten_count"]).sort_values("_long", kind="stable").iloc[-1]
    if worst["_long"] > 0:
        parts.append(say("Most of them stand in “{step}” ({count} of {running} there).", step=say.label(worst.step),
                         count=say.count(worst["_long"]), running=say.count(worst.running_count)))
        if process.has("leads", "expected_amount"):
            numbers["late_amount"] = float(summary["late_amount"].sum())
            parts.append(say("Together they are worth {money}.", money=say.money(numbers["late_amount"])))
    return [Sentence("work_in_progress", " ".join(parts), step=worst.step, **numbers)]


def _late(say: Speaker, late: int, running: int) -> str:
    if late == 0:
        return say("Of {running} running leads none has just become late.", running=say.count(running))
    return say.plural(late, "Act today on {late} of {running} running leads: it stands in its step longer than nine in ten of "
                            "those who won.",
                      "Act today on {late} of {running} running leads: they stand in their step longer than nine in ten of those "
                      "who won.",
                      late=say.count(late), running=say.count(running))


def path_followed(process: Process) -> list[Sentence]:
    """What share of the leads follows the described steps, and which step is passed over most."""
    say, table = Speaker(process), measures.path_following(process).set_index("state")
    row = table.loc["all"]
    text = say("{share} of the leads follow the described steps (95 % interval {range}, {following} of {leads}); {skipping} pass "
               "over a step and {returning} go back.",
               share=say.share(row.following_share), range=say.range(row.following_low_share, row.following_high_share),
               following=say.count(row.following_count), leads=say.count(row.leads_count), skipping=say.count(row.skipping_count),
               returning=say.count(row.returning_count))
    steps = measures.path_steps(process)
    chain = steps[~steps["optional"] & (steps["skipped_count"] > 0)]
    if len(chain):
        worst = chain.sort_values("skipped_share", kind="stable").iloc[-1]
        text += " " + say("Passed over most often: “{step}” ({share}, {skipped} of {reached}).", step=say.label(worst.step),
                          share=say.share(worst.skipped_share), skipped=say.count(worst.skipped_count),
                          reached=say.count(worst.reached_count))
    sentences = [Sentence("path_following", text, following_share=row.following_share, low_share=row.following_low_share,
                          high_share=row.following_high_share, following_count=int(row.following_count),
                          leads_count=int(row.leads_count), skipping_count=int(row.skipping_count),
                          returning_count=int(row.returning_count))]
    if row.undescribed_count * 20 > row.leads_count:
        text = say.plural(row.undescribed_count, "{count} lead went through steps that are not described: if a step was renamed, "
                                                 "give it its present name in the description.",
                          "{count} leads went through steps that are not described: if a step was renamed, give it its present "
                          "name in the description.",
                          count=say.count(row.undescribed_count))
        sentences.append(Sentence("undescribed_steps", text, undescribed_count=int(row.undescribed_count)))
    return sentences


def returns(process: Process) -> list[Sentence]:
    """How many leads came back after a loss, and how many of them bought."""
    say, table = Speaker(process), measures.returns_after_loss(process)
    if table.lost_once_count == 0:
        text = say("No loss is recorded, so nobody can have come back after one.")
        return [Sentence("returns", text, returned_count=0)]
    numbers = {"returned": say.count(table.returned_count), "lost": say.count(table.lost_once_count),
               "share": say.share(table.returned_share), "range": say.range(table.returned_low_share, table.returned_high_share)}
    if table.returned_count:
        text = say.plural(table.lost_once_count, "{returned} of {lost} lead that was given up came back after a loss ({share}, 95 "
                                                 "% interval {range}); {won} of them bought.",
                          "{returned} of {lost} leads that were given up came back after a loss ({share}, 95 % interval {range}); "
                          "{won} of them bought.",
                          won=say.count(table.won_count), **numbers)
    else:
        text = say.plural(table.lost_once_count, "{returned} of {lost} lead that was given up came back after a loss ({share}, 95 "
                                                 "% interval {range}).",
                          "{returned} of {lost} leads that were given up came back after a loss ({share}, 95 % interval {range}).",
                          **numbers)
    if table.won_count and table.returned_count >= FEW:
        text += " " + say("A second call after a refusal is worth its time.")
    return [Sentence("returns", text, returned_count=table.returned_count, lost_once_count=table.lost_once_count,
                     returned_share=table.returned_share, won_count=table.won_count)]


def in_time(process: Process) -> list[Sentence]:
    """For each step with a deadline, the share of entries in time."""
    if all(step.deadline_days is None for step in process.steps):
        return []
    say, sentences = Speaker(process), []
    for row in measures.deadlines(process).itertuples():
        numbers = {"step": row.step, "in_time_count": row.in_time_count, "entries_count": row.entries_count,
                   "in_time_share": row.in_time_share, "overdue_count": row.overdue_count}
        limit = say.plural(row.deadline_days, "{days} working day", "{days} working days", days=say.number(row.deadline_days))
        if row.entries_count:
            text = say("“{step}” is entered within its {limit} in {share} of the cases ({in_time} of {entries}, 95 % interval "
                       "{range}).",
                       step=say.label(row.step), limit=limit, share=say.share(row.in_time_share),
                       in_time=say.count(row.in_time_count),
                       entries=say.count(row.entries_count), range=say.range(row.in_time_low_share, row.in_time_high_share))
        else:
            text = say("“{step}” has a deadline of {limit}, but no entry with a known moment to hold against it.",
                       step=say.label(row.step), limit=limit)
        if row.overdue_count:
            text += " " + say.plural(row.overdue_count, "{count} running lead waits for it longer than that.",
                                     "{count} running leads wait for it longer than that.", count=say.count(row.overdue_count))
        sentences.append(Sentence("deadline", text, **numbers))
    return sentences


def littles_law(process: Process) -> list[Sentence]:
    """Whether as many leads run as the flow explains."""
    say, law = Speaker(process), measures.littles_law(process)
    numbers = {"verdict": law.verdict, "law_ratio": law.law_ratio, "running_mean_count": law.running_mean_count,
               "arrivals_per_day": law.arrivals_per_day, "mean_days": law.mean_days, "ended_count": law.ended_count}
    days = say.days(law.observed_days)
    if law.verdict == CANNOT_TELL:
        text = say.plural(law.ended_count, "Whether running leads pile up cannot be told: only {count} lead ended in the last "
                                           "{days}.",
                          "Whether running leads pile up cannot be told: only {count} leads ended in the last {days}.",
                          count=say.count(law.ended_count), days=days)
        return [Sentence("littles_law", text, **numbers)]
    flow = {"days": days, "leads": leads(say, say.number(law.running_mean_count)), "arrivals": say.number(law.arrivals_per_day),
            "mean": say.days(law.mean_days), "explained": say.number(law.arrivals_per_day * law.mean_days)}
    if law.verdict == STEADY:
        text = say("Over the last {days} {leads} were running on average; {arrivals} new ones a day that take {mean} each "
                   "explain {explained}: the flow is steady.", **flow)
    else:
        text = say("Over the last {days} {leads} were running on average; {arrivals} new ones a day that take {mean} each "
                   "explain {explained}.", **flow)
        text += " " + _off_balance(say, law)
    return [Sentence("littles_law", text, **numbers)]


def _off_balance(say: Speaker, law: LittlesLaw) -> str:
    """Why more or fewer leads run than the flow explains."""
    if law.verdict == TOO_FEW:
        return say("Fewer run than that: old leads were closed, or the flow has just grown.")
    if law.ended_count > law.arrivals_count:
        return say("The rest was forgotten and never closed, or is left from a time of more new leads.")
    return say("The rest was forgotten and never closed: leads pile up.")


def sales_velocity(process: Process) -> list[Sentence]:
    """Money per day that the running leads promise, beside the money really won per day."""
    say, speed = Speaker(process), measures.sales_velocity(process)
    numbers = {"velocity_per_day_amount": speed.velocity_per_day_amount, "won_per_day_amount": speed.won_per_day_amount,
               "running_count": speed.running_count}
    days, won = say.days(speed.observed_days), say.money(speed.won_per_day_amount)
    wins = say.plural(speed.won_count, "{count} win", "{count} wins", count=say.count(speed.won_count))
    if speed.velocity_per_day_amount != speed.velocity_per_day_amount:  # undefined: nobody has won or ended yet
        text = say("In the last {days} {won} a day were won ({wins}); what the running leads promise cannot be told yet.",
                   days=days,
                   won=won, wins=wins)
    else:
        text = say("In the last {days} {won} a day were won ({wins}); the running leads promise {velocity} a day if all of them "
                   "are really worked on.",
                   days=days, won=won, wins=wins, velocity=say.money(speed.velocity_per_day_amount))
    return [Sentence("sales_velocity", text, **numbers)]
