"""The way through the funnel in sentences: is the described path followed, who comes back, whom to act on today."""

from __future__ import annotations

from funnel_lib import conversion as measures
from funnel_lib.answers.sentence import Sentence, Speaker, attempt
from funnel_lib.company import Process
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
        return [Sentence("work_in_progress", "No lead is running: there is nobody to act on today.", running_count=0)]
    numbers = {"running_count": running, "late_count": late, "forgotten_count": forgotten, "age_unknown_count": unknown}
    if unknown == running:
        text = (f"{say.count(running)} leads are running, but whether any of them waits too long cannot be told: fewer than 10 "
                "winners have been through their steps, or the moments are not recorded.")
        return [Sentence("work_in_progress", text, **numbers)]
    text = f"Act today on {say.count(late)} of {say.count(running)} running leads: they stand in their step longer than nine in " \
           "ten of those who won."
    if late == 0:
        text = f"Of {say.count(running)} running leads none has just become late."
    if forgotten:
        text += f" {say.count(forgotten)} more stand there over three times as long: call once more or close them."
    worst = summary.assign(_long=summary["late_count"] + summary["forgotten_count"]).sort_values("_long", kind="stable").iloc[-1]
    if worst["_long"] > 0:
        text += (f" Most of them stand in “{say.label(worst.step)}” ({say.count(worst['_long'])} of "
                 f"{say.count(worst.running_count)} there).")
        if process.has("leads", "expected_amount"):
            numbers["late_amount"] = float(summary["late_amount"].sum())
            text += f" Together they are worth {say.money(numbers['late_amount'])}."
    return [Sentence("work_in_progress", text, step=worst.step, **numbers)]


def path_followed(process: Process) -> list[Sentence]:
    """What share of the leads follows the described steps, and which step is passed over most."""
    say, table = Speaker(process), measures.path_following(process).set_index("state")
    row = table.loc["all"]
    text = (f"{say.share(row.following_share)} of the leads follow the described steps (95 % interval "
            f"{say.range(row.following_low_share, row.following_high_share)}, {say.count(row.following_count)} of "
            f"{say.count(row.leads_count)}); {say.count(row.skipping_count)} pass over a step and {say.count(row.returning_count)} "
            "go back.")
    steps = measures.path_steps(process)
    chain = steps[~steps["optional"] & (steps["skipped_count"] > 0)]
    if len(chain):
        worst = chain.sort_values("skipped_share", kind="stable").iloc[-1]
        text += (f" Passed over most often: “{say.label(worst.step)}” ({say.share(worst.skipped_share)}, "
                 f"{say.count(worst.skipped_count)} of {say.count(worst.reached_count)}).")
    sentences = [Sentence("path_following", text, following_share=row.following_share, low_share=row.following_low_share,
                          high_share=row.following_high_share, following_count=int(row.following_count),
                          leads_count=int(row.leads_count), skipping_count=int(row.skipping_count),
                          returning_count=int(row.returning_count))]
    if row.undescribed_count * 20 > row.leads_count:
        sentences.append(Sentence("undescribed_steps", f"{say.count(row.undescribed_count)} leads went through steps that are not "
                                  "described: if a step was renamed, give it its present name in the description.",
                                  undescribed_count=int(row.undescribed_count)))
    return sentences


def returns(process: Process) -> list[Sentence]:
    """How many leads came back after a loss, and how many of them bought."""
    say, table = Speaker(process), measures.returns_after_loss(process)
    if table.lost_once_count == 0:
        return [Sentence("returns", "No loss is recorded, so nobody can have come back after one.", returned_count=0)]
    text = (f"{say.count(table.returned_count)} of {say.count(table.lost_once_count)} leads that were given up came back after a "
            f"loss ({say.share(table.returned_share)}, 95 % interval "
            f"{say.range(table.returned_low_share, table.returned_high_share)})")
    text += f"; {say.count(table.won_count)} of them bought." if table.returned_count else "."
    if table.won_count and table.returned_count >= FEW:
        text += " A second call after a refusal is worth its time."
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
        limit = f"{say.number(row.deadline_days)} working days"
        text = f"“{say.label(row.step)}” has a deadline of {limit}, but no entry with a known moment to hold against it."
        if row.entries_count:
            text = (f"“{say.label(row.step)}” is entered within its {limit} in {say.share(row.in_time_share)} of the cases "
                    f"({say.count(row.in_time_count)} of {say.count(row.entries_count)}, 95 % interval "
                    f"{say.range(row.in_time_low_share, row.in_time_high_share)}).")
        if row.overdue_count:
            text += f" {say.count(row.overdue_count)} running leads wait for it longer than that."
        sentences.append(Sentence("deadline", text, **numbers))
    return sentences


def littles_law(process: Process) -> list[Sentence]:
    """Whether as many leads run as the flow explains."""
    say, law = Speaker(process), measures.littles_law(process)
    numbers = {"verdict": law.verdict, "law_ratio": law.law_ratio, "running_mean_count": law.running_mean_count,
               "arrivals_per_day": law.arrivals_per_day, "mean_days": law.mean_days, "ended_count": law.ended_count}
    days = say.number(law.observed_days)
    if law.verdict == "cannot tell":
        text = (f"Whether running leads pile up cannot be told: only {say.count(law.ended_count)} leads ended in the last {days} "
                "days.")
        return [Sentence("littles_law", text, **numbers)]
    text = (f"Over the last {days} days {say.number(law.running_mean_count)} leads were running on average; "
            f"{say.number(law.arrivals_per_day)} new ones a day that take {say.days(law.mean_days)} each explain "
            f"{say.number(law.arrivals_per_day * law.mean_days)}")
    fewer = law.ended_count > law.arrivals_count
    endings = {"steady": ": the flow is steady.",
               "too few": ". Fewer run than that: old leads were closed, or the flow has just grown.",
               "too many": ". The rest was forgotten and never closed" + (", or is left from a time of more new leads." if fewer
                                                                          else ": leads pile up.")}
    return [Sentence("littles_law", text + endings[law.verdict], **numbers)]


def sales_velocity(process: Process) -> list[Sentence]:
    """Money per day that the running leads promise, beside the money really won per day."""
    say, speed = Speaker(process), measures.sales_velocity(process)
    numbers = {"velocity_per_day_amount": speed.velocity_per_day_amount, "won_per_day_amount": speed.won_per_day_amount,
               "running_count": speed.running_count}
    text = (f"In the last {say.number(speed.observed_days)} days {say.money(speed.won_per_day_amount)} a day were won "
            f"({say.count(speed.won_count)} wins)")
    if speed.velocity_per_day_amount != speed.velocity_per_day_amount:  # undefined: nobody has won or ended yet
        return [Sentence("sales_velocity", text + "; what the running leads promise cannot be told yet.", **numbers)]
    text += f"; the running leads promise {say.money(speed.velocity_per_day_amount)} a day if all of them are really worked on."
    return [Sentence("sales_velocity", text, **numbers)]
