"""Exercise 5, capacity: whose hours are full, what that costs in customers, where leads wait, which hours are doubtful."""

from __future__ import annotations

from funnel_lib import efficiency as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.language.formats import is_available

FULL_LOAD, HIGH_LOAD = 1.0, 0.9


def binding_role(process: Process) -> list[Sentence]:
    """Which role is the bottleneck, and the customers that it costs."""
    say, roles = Speaker(process), measures.capacity(process)
    known = roles[roles["load_share"].notna()]
    if known.empty:
        return [Sentence("binding_role", "Whose hours are the bottleneck cannot be told: no role says how many hours it is "
                                         "paid for (paid_hours_per_month).")]
    row = known.iloc[0]
    told = (f"“{say.label(row.role)}” needs {say.number(row.needed_hours)} hours a month for the present flow of leads and has "
            f"{say.number(row.paid_hours)} paid ones ({say.share(row.load_share)})")
    if row.load_share >= FULL_LOAD:
        text = f"The bottleneck is a role: {told}. More leads would only wait there. {_lost(say, row)}"
    elif row.load_share >= HIGH_LOAD:
        text = f"The tightest role is nearly full: {told}."
    else:
        text = f"No role is the bottleneck; the tightest: {told}."
    return [Sentence("binding_role", text, role=row.role, needed_hours=row.needed_hours, paid_hours=row.paid_hours,
                     load_share=row.load_share, binds=bool(row.load_share >= FULL_LOAD), hours_basis=row.hours_basis,
                     lost_customers=row.lost_customers)]


def _lost(say: Speaker, row: tuple) -> str:
    if not is_available(row.lost_customers):
        return (f"{say.number(row.unserved_leads)} leads a month are not served; with movement through the steps we could say "
                "how many of them buy.")
    return (f"It leaves {say.number(row.unserved_leads)} leads a month unserved, which costs {say.number(row.lost_customers)} new "
            f"customers a month (95 % interval {say.range(row.lost_customers_low, row.lost_customers_high, 'number')}).")


def queues(process: Process) -> list[Sentence]:
    """Stages in which more leads stand than their flow explains."""
    say, table = Speaker(process), measures.stage_queues(process)
    judged = table[table["verdict"] != "cannot tell"]
    if judged.empty:
        return []
    many = judged[judged["verdict"] == "too many"]
    if many.empty:
        text = "In no stage do more leads wait than their flow explains (Little's law, last 90 days)."
        return [Sentence("queues", text, too_many=0)]
    parts = [f"“{say.label(row.stage)}” {say.number(row.running_mean_count)} on average against "
             f"{say.number(row.arrivals_per_day * row.mean_days)} explained" for row in many.itertuples()]
    text = (f"More leads stand than the flow explains (Little's law, last 90 days): {'; '.join(parts)}. Either leads are forgotten "
            "and never closed, or fewer come than before.")
    return [Sentence("queues", text, too_many=len(many), stage=many.iloc[0].stage, law_ratio=many.iloc[0].law_ratio)]


def doubtful(process: Process) -> list[Sentence]:
    """Hours that can hardly be right."""
    say, table = Speaker(process), measures.doubtful_hours(process)
    found = table[table["pieces_count"] > 0]
    if found.empty:
        return []
    parts = [f"{say.label(row.doubt).lower()}: {say.hours(row.hours)} ({say.share(row.hours_share)} of all)"
             for row in found.itertuples()]
    text = f"Hours to look at, which are in every sum: {'; '.join(parts)}."
    return [Sentence("doubtful_hours", text, **{row.doubt: row.hours for row in found.itertuples()})]


TOPICS = (binding_role, queues)
LAST_TOPICS = (doubtful,)
