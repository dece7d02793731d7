"""Scorecards in sentences: which figures of the stages moved, and whether anybody differs from the others."""

from __future__ import annotations

import pandas as pd

from funnel_lib import efficiency as measures
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.company import Process
from funnel_lib.efficiency.indicators import BETTER, WORSE
from funnel_lib.efficiency.years import SHORT_HISTORY
from funnel_lib.language.formats import format_value
from funnel_lib.pooling import ABOVE, BELOW

MOST_NAMED = 3


def moved(process: Process) -> list[Sentence]:
    """Figures that became better or worse in a year, with the roles of their stage."""
    say, scores = Speaker(process), measures.scorecards(process)
    if scores.empty:
        return [Sentence("scorecards", say("No role can be scored: none works in a stage that has figures of the last year."))]
    figures = scores.drop_duplicates(["stage", "indicator", "step"])
    compared = figures[figures["before_value"].notna()]
    if compared.empty:
        text = say("Whether anybody's figures moved cannot be told: two years of records are needed to set one against the other.")
        return [Sentence("scorecards", text, compared_count=0)]
    changed = compared[compared["verdict"].isin([BETTER, WORSE])]
    numbers = {"compared_count": len(compared), "better_count": int((compared["verdict"] == BETTER).sum()),
               "worse_count": int((compared["verdict"] == WORSE).sum())}
    if changed.empty:
        text = say.plural(len(compared), "The {figures} figure by which the roles are scored did not move in a year by more than "
                          "chance makes it move.",
                          "None of the {figures} figures by which the roles are scored moved in a year by more than chance makes "
                          "them move.", figures=say.count(len(compared)))
        return [Sentence("scorecards", text, **numbers)]
    told = "; ".join(_moved(say, row, scores) for row in changed.head(MOST_NAMED).itertuples())
    text = say("Each role on its own stage's figures, the last year against the one before: {told}.", told=told)
    short = int((figures["reason"] == SHORT_HISTORY).sum())
    return [Sentence("scorecards", " ".join([text, *_rest(say, len(compared) - len(changed), short)]), **numbers)]


def _rest(say: Speaker, rest: int, short: int) -> list[str]:
    told = [say.plural(rest, "The other {figures} figure stayed within the error.", "The other {figures} stayed within the error.",
                       figures=say.count(rest)) if rest else say("Nothing stayed as it was.")]
    return [*told, say("For {figures} more the records are too short.", figures=say.count(short))] if short else told


def _moved(say: Speaker, row: tuple, scores: pd.DataFrame) -> str:
    before, now = (format_value(value, row.unit, say.language, say.currency) for value in (row.before_value, row.last_value))
    figure = say.inside(row.indicator)
    if isinstance(row.step, str):
        figure = say("{figure} of “{step}”", figure=figure, step=say.label(row.step))
    told = {"figure": figure, "before": before, "now": now,
            "roles": say.names(scores.loc[scores["stage"] == row.stage, "role"].unique())}
    return (say("{figure} became better, {before} → {now} ({roles})", **told) if row.verdict == BETTER else
            say("{figure} became worse, {before} → {now} ({roles})", **told))


def employees(process: Process) -> list[Sentence]:
    """Whether any employee differs from the others by more than chance; there is no order of merit otherwise."""
    say, table = Speaker(process), measures.employee_scores(process)
    enough = table[~table["few"]]
    apart = table[table["verdict"].isin([ABOVE, BELOW])]
    people = int(table["employee"].nunique())
    if enough["employee"].nunique() < 2:
        text = say("Whether one employee is better than another cannot be told: fewer than two have 30 finished cases.")
    elif apart.empty:
        text = say("None of {employees} employees differs from the others by more than chance, so there is no order of merit; "
                   "their figures are best read as the common one.", employees=say.count(people))
    else:
        told = "; ".join(_apart(say, row) for row in apart.head(MOST_NAMED).itertuples())
        text = say("By more than chance, {told}. All others do not differ.", told=told)
    return [Sentence("employees", text, employees_count=people, differing_count=len(apart))]


def _apart(say: Speaker, row: tuple) -> str:
    told = {"employee": say.label(row.employee), "figure": say.inside(row.indicator), "share": say.share(row.pooled_share),
            "range": say.range(row.pooled_low_share, row.pooled_high_share)}
    return (say("{employee} ({figure}, pooled {share}, {range}, above the others)", **told) if row.verdict == ABOVE else
            say("{employee} ({figure}, pooled {share}, {range}, below the others)", **told))


TOPICS = (moved, employees)
