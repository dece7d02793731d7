"""Exercise 5, capacity: whose hours are full, what that costs in customers, where leads wait, which hours are doubtful."""

from __future__ import annotations

from funnel_lib import efficiency as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.conversion.flow import CANNOT_TELL, TOO_MANY
from funnel_lib.language.formats import is_available

FULL_LOAD, HIGH_LOAD = 1.0, 0.9


def binding_role(process: Process) -> list[Sentence]:
    """Which role is the bottleneck, and the customers that it costs."""
    say, roles = Speaker(process), measures.capacity(process)
    known = roles[roles["load_share"].notna()]
    if known.empty:
        return [Sentence("binding_role", say("Whose hours are the bottleneck cannot be told: no role says how many hours it is "
                                             "paid for (paid_hours_per_month)."))]
    row = known.iloc[0]
    told = {"role": say.label(row.role), "needed": say.hours(row.needed_hours), "paid": say.number(row.paid_hours),
            "load": say.share(row.load_share)}
    if row.load_share >= FULL_LOAD:
        text = say("The bottleneck is a role: “{role}” needs {needed} a month for the present flow of leads and has {paid} paid "
                   "ones ({load}). More leads would only wait there.", **told) + " " + _lost(say, row)
    elif row.load_share >= HIGH_LOAD:
        text = say("The tightest role is nearly full: “{role}” needs {needed} a month for the present flow of leads and has {paid} "
                   "paid ones ({load}).", **told)
    else:
        text = say("No role is the bottleneck; the tightest: “{role}” needs {needed} a month for the present flow of leads and has "
                   "{paid} paid ones ({load}).", **told)
    return [Sentence("binding_role", text, role=row.role, needed_hours=row.needed_hours, paid_hours=row.paid_hours,
                     load_share=row.load_share, binds=bool(row.load_share >= FULL_LOAD), hours_basis=row.hours_basis,
                     lost_customers=row.lost_customers)]


def _lost(say: Speaker, row: tuple) -> str:
    if not is_available(row.lost_customers):
        return say("{leads} leads a month are not served; with movement through the steps we could say how many of them buy.",
                   leads=say.number(row.unserved_leads))
    return say("It leaves {leads} leads a month unserved, which costs {customers} new customers a month (95 % interval {range}).",
               leads=say.number(row.unserved_leads), customers=say.number(row.lost_customers),
               range=say.range(row.lost_customers_low, row.lost_customers_high, "number"))


def queues(process: Process) -> list[Sentence]:
    """Stages in which more leads stand than their flow explains."""
    say, table = Speaker(process), measures.stage_queues(process)
    judged = table[table["verdict"] != CANNOT_TELL]
    if judged.empty:
        return []
    many = judged[judged["verdict"] == TOO_MANY]
    if many.empty:
        text = say("In no stage do more leads wait than their flow explains (Little's law, last 90 days).")
        return [Sentence("queues", text, too_many=0)]
    told = "; ".join(say("“{stage}” {running} on average against {explained} explained", stage=say.label(row.stage),
                         running=say.number(row.running_mean_count), explained=say.number(row.arrivals_per_day * row.mean_days))
                     for row in many.itertuples())
    text = say("More leads stand than the flow explains (Little's law, last 90 days): {told}. Either leads are forgotten and never "
               "closed, or fewer come than before.", told=told)
    return [Sentence("queues", text, too_many=len(many), stage=many.iloc[0].stage, law_ratio=many.iloc[0].law_ratio)]


def doubtful(process: Process) -> list[Sentence]:
    """Hours that can hardly be right."""
    say, table = Speaker(process), measures.doubtful_hours(process)
    found = table[table["pieces_count"] > 0]
    if found.empty:
        return []
    told = "; ".join(say("{doubt}: {hours} ({share} of all)", doubt=say.inside(row.doubt), hours=say.hours(row.hours),
                         share=say.share(row.hours_share)) for row in found.itertuples())
    return [Sentence("doubtful_hours", say("Hours to look at, which are in every sum: {told}.", told=told),
                     **{row.doubt: row.hours for row in found.itertuples()})]


TOPICS = (binding_role, queues)
LAST_TOPICS = (doubtful,)
