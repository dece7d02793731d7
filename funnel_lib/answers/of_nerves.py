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
    if len(alone):
        named = " and ".join(f"“{say.label(stage)}”" for stage in alone["stage"])
        text = (f"The highest strain is {say.number(hard.strain)} of 5 in “{say.label(hard.stage)}”, but whether that stage is "
                f"really harder on people than the others cannot be told: there is one answer only from {named}.")
        return [Sentence("hardest_stage", text, stage=hard.stage, strain=hard.strain, clear=False,
                         single_answers=list(alone["stage"]))]
    if not hard.strain_low > others["strain_high"].max():
        text = (f"No stage is clearly harder on people than the others: the highest strain is {say.number(hard.strain)} of 5 "
                f"in “{say.label(hard.stage)}” ({say.count(hard.strain_answers_count)} answers), within the error of the rest.")
        return [Sentence("hardest_stage", text, stage=hard.stage, strain=hard.strain, clear=False)]
    rest = " and ".join(f"{say.number(row.strain)} in “{say.label(row.stage)}”" for row in others.itertuples())
    text = (f"“{say.label(hard.stage)}” takes the most nerves: mean strain {say.number(hard.strain)} of 5 (95 % interval "
            f"{say.range(hard.strain_low, hard.strain_high, 'number')}, {say.count(hard.strain_answers_count)} answers) "
            f"against {rest}.")
    return [Sentence("hardest_stage", text, stage=hard.stage, strain=hard.strain, strain_low=hard.strain_low,
                     strain_high=hard.strain_high, strain_answers_count=hard.strain_answers_count, clear=True)]


def refusals(process: Process) -> list[Sentence]:
    """How many refusals and moves back a win takes, by the log."""
    say, rows = Speaker(process), measures.nerves(process).set_index("stage")
    row = rows.loc["conversion"]
    if not is_available(row.refusals_count):
        text = "How many refusals a win takes cannot be told: that needs leads and the table “stage_events”."
        return [Sentence("refusals", text)]
    if not is_available(row.refusals_per_win):
        text = f"{say.count(row.refusals_count)} refusals in conversion and no win yet: how many a win takes is undefined."
        return [Sentence("refusals", text, refusals_count=row.refusals_count, wins_count=row.wins_count)]
    text = (f"A win in conversion takes {say.number(row.refusals_per_win)} refusals (95 % interval "
            f"{say.range(row.refusals_per_win_low, row.refusals_per_win_high, 'number')}; {say.count(row.refusals_count)} lost, "
            f"{say.count(row.wins_count)} won) and {say.number(row.returns_per_win)} moves back.")
    return [Sentence("refusals", text, refusals_per_win=row.refusals_per_win, refusals_count=row.refusals_count,
                     wins_count=row.wins_count, returns_per_win=row.returns_per_win, returns_count=row.returns_count)]


TOPICS = (hardest_stage, refusals)
