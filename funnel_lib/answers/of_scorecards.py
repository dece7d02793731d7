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
        return [Sentence("scorecards", "No role can be scored: none works in a stage that has figures of the last year.")]
    figures = scores.drop_duplicates(["stage", "indicator", "step"])
    compared = figures[figures["before_value"].notna()]
    if compared.empty:
        text = "Whether anybody's figures moved cannot be told: two years of records are needed to set one against the other."
        return [Sentence("scorecards", text, compared_count=0)]
    changed = compared[compared["verdict"].isin([BETTER, WORSE])]
    numbers = {"compared_count": len(compared), "better_count": int((compared["verdict"] == BETTER).sum()),
               "worse_count": int((compared["verdict"] == WORSE).sum())}
    if changed.empty:
        text = (f"None of the {say.count(len(compared))} figures by which the roles are scored moved in a year by more than chance "
                "makes them move.")
        return [Sentence("scorecards", text, **numbers)]
    parts = [_moved(say, row, scores) for row in changed.head(MOST_NAMED).itertuples()]
    short = int((figures["reason"] == SHORT_HISTORY).sum())
    rest = len(compared) - len(changed)
    text = f"Each role on its own stage's figures, the last year against the one before: {'; '.join(parts)}. "
    text += f"The other {say.count(rest)} stayed within the error." if rest else "Nothing stayed as it was."
    if short:
        text += f" For {say.count(short)} more the records are too short."
    return [Sentence("scorecards", text, **numbers)]


def _moved(say: Speaker, row: tuple, scores: pd.DataFrame) -> str:
    before, now = (format_value(value, row.unit, say.language, say.currency) for value in (row.before_value, row.last_value))
    step = f" of “{say.label(row.step)}”" if isinstance(row.step, str) else ""
    roles = ", ".join(f"“{say.label(role)}”" for role in scores.loc[scores["stage"] == row.stage, "role"].unique())
    return f"{say.label(row.indicator).lower()}{step} became {row.verdict}, {before} → {now} ({roles})"


def employees(process: Process) -> list[Sentence]:
    """Whether any employee differs from the others by more than chance; there is no order of merit otherwise."""
    say, table = Speaker(process), measures.employee_scores(process)
    enough = table[~table["few"]]
    apart = table[table["verdict"].isin([ABOVE, BELOW])]
    numbers = {"employees_count": int(table["employee"].nunique()), "differing_count": len(apart)}
    if len(enough) < 2:
        text = "Whether one employee is better than another cannot be told: fewer than two have 30 finished cases."
    elif apart.empty:
        text = (f"None of {say.count(table['employee'].nunique())} employees differs from the others by more than chance, so "
                "there is no order of merit; their figures are best read as the common one.")
    else:
        parts = [f"{say.label(row.employee)} ({say.label(row.indicator).lower()}, pooled {say.share(row.pooled_share)}, "
                 f"{say.range(row.pooled_low_share, row.pooled_high_share)}, {row.verdict} the others)"
                 for row in apart.head(MOST_NAMED).itertuples()]
        text = f"By more than chance, {'; '.join(parts)}. All others do not differ."
    return [Sentence("employees", text, **numbers)]


TOPICS = (moved, employees)
