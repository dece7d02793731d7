"""Exercise 5, nerves: which stage is hardest on people, and how many refusals a win takes."""

from __future__ import annotations

from funnel_lib import efficiency as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.language.formats import is_available


def hardest_stage(process: Process) -> list[Sentence]:
    """Which stage people say is hardest, if the answers tell."""
    say, stages = Speaker(process), measures.nerves(process)
    stages = stages[stages["stage"] != "all"]
    asked = stages[stages["strain"].notna()].sort_values("strain", ascending=False)
    if len(asked) < 2:
        return []
    hard, others = asked.iloc[0], asked.iloc[1:]
    alone = asked[asked["strain_low"].isna() | asked["strain_high"].isna()]
    told = {"stage": say.label(hard.stage), "strain": say.number(hard.strain)}
    if len(alone):
        text = say("The highest strain is {strain} of 5 in “{stage}”, but whether that stage is really harder on people than the "
                   "others cannot be told: there is one answer only from {stages}.",
                   stages=say.listed(say.names([stage]) for stage in alone["stage"]), **told)
        return [Sentence("hardest_stage", text, stage=hard.stage, strain=hard.strain, clear=False,
                         single_answers=list(alone["stage"]))]
    told["answers"] = say.count(hard.strain_answers_count)
    if not hard.strain_low > others["strain_high"].max():
        text = say.plural(hard.strain_answers_count, "No stage is clearly harder on people than the others: the highest strain is "
                          "{strain} of 5 in “{stage}” ({answers} answer), within the error of the rest.",
                          "No stage is clearly harder on people than the others: the highest strain is {strain} of 5 in “{stage}” "
                          "({answers} answers), within the error of the rest.", **told)
        return [Sentence("hardest_stage", text, stage=hard.stage, strain=hard.strain, clear=False)]
    text = say.plural(hard.strain_answers_count, "“{stage}” takes the most nerves: mean strain {strain} of 5 (95 % interval "
                      "{range}, {answers} answer) against {others}.",
                      "“{stage}” takes the most nerves: mean strain {strain} of 5 (95 % interval {range}, {answers} answers) "
                      "against {others}.", range=say.range(hard.strain_low, hard.strain_high, "number"),
                      others=say.listed(say("{strain} in “{stage}”", strain=say.number(row.strain), stage=say.label(row.stage))
                                        for row in others.itertuples()), **told)
    return [Sentence("hardest_stage", text, stage=hard.stage, strain=hard.strain, strain_low=hard.strain_low,
                     strain_high=hard.strain_high, strain_answers_count=hard.strain_answers_count, clear=True)]


def refusals(process: Process) -> list[Sentence]:
    """How many refusals and moves back a win takes, by the log."""
    say, rows = Speaker(process), measures.nerves(process).set_index("stage")
    row = rows.loc["conversion"]
    if not is_available(row.refusals_count):
        text = say("How many refusals a win takes cannot be told: that needs leads and the table “{table}”.", table="stage_events")
        return [Sentence("refusals", text)]
    if not is_available(row.refusals_per_win):
        text = say.plural(row.refusals_count, "{refusals} refusal in conversion and no win yet: how many a win takes is undefined.",
                          "{refusals} refusals in conversion and no win yet: how many a win takes is undefined.",
                          refusals=say.count(row.refusals_count))
        return [Sentence("refusals", text, refusals_count=row.refusals_count, wins_count=row.wins_count)]
    text = say("A win in conversion takes {refusals} refusals (95 % interval {range}; {lost} lost, {won} won) and {returns} moves "
               "back.",
               refusals=say.number(row.refusals_per_win), lost=say.count(row.refusals_count), won=say.count(row.wins_count),
               range=say.range(row.refusals_per_win_low, row.refusals_per_win_high, "number"),
               returns=say.number(row.returns_per_win))
    return [Sentence("refusals", text, refusals_per_win=row.refusals_per_win, refusals_count=row.refusals_count,
                     wins_count=row.wins_count, returns_per_win=row.returns_per_win, returns_count=row.returns_count)]


TOPICS = (hardest_stage, refusals)
