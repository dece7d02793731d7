"""Charts of the scorecards: a stage's figures against the year before, and employees with what chance would do."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.language.formats import format_count, format_share, format_value, is_available
from funnel_lib.language.messages import marked

BETTER, WORSE = "better", "worse"
PAINTS = {BETTER: style.GREEN, WORSE: style.VERMILION}
# Beside a year before this is far enough; longer intervals are cut.
FURTHEST = 2.0
APART = 0.17
MOST_EMPLOYEES = 16
BESIDE = {"above": marked("{employee} (above)"), "below": marked("{employee} (below)")}


def plot_scorecards(scores: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Each figure of the last year as a part of the year before, both with their 95 % limits; coloured where it moved.

    `scores` is `efficiency.scorecards(process)` or `efficiency.indicators(process)`; roles of one stage share a row.
    """
    about = about_of(scores)
    table = scores.drop_duplicates(["stage", "indicator", "step"]).reset_index(drop=True)
    with style.drawn():
        ax = style.new_axes(ax, 1.6 + 0.36 * len(table))
        ax.axvline(1, color=style.GREY, linewidth=0.8)
        for at, row in enumerate(table.itertuples()):
            _both_years(ax, at, row, about)
        ax.set_yticks(range(len(table)), [_name(row, about) for row in table.itertuples()])
        for label, stage in zip(ax.get_yticklabels(), table["stage"], strict=True):
            label.set_color(style.colour(stage, about))
        ax.set_ylim(len(table) - 0.5, -0.5)
        ax.set_xlim(0, FURTHEST * 1.62)
        ax.set_xticks([0, 0.5, 1, 1.5, FURTHEST])
        style.share_axis(ax, about.say("Against the year before (100 %)"), about)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        style.title(ax, _headline(table, about),
                    about.say("grey: year before; green better, red worse, blue within the error; 95 % limits"), about)
        return ax


def _name(row: tuple, about: About) -> str:
    step = f": {about.label(row.step)}" if isinstance(row.step, str) else ""
    return style.wrapped(about.label(row.indicator) + step, 24)


def _both_years(ax: Axes, at: int, row: tuple, about: About) -> None:
    paint = PAINTS.get(row.verdict, style.BLUE)
    value, before = (format_value(number, row.unit, about.language, about.currency)
                     for number in (row.last_value, row.before_value))
    known = is_available(row.before_value) and row.before_value > 0 and is_available(row.last_value)
    if known:
        for place, mark, names in ((-APART, style.GREY, ("before_low", "before_value", "before_high")),
                                   (APART, paint, ("last_low", "last_value", "last_high"))):
            low, middle, high = (np.clip(getattr(row, name) / row.before_value, 0, FURTHEST) for name in names)
            ax.hlines(at + place, low, high, color=mark, linewidth=1.6)
            ax.plot(middle, at + place, "o", color=mark, markersize=5)
    text = f"{before} → {value}" if known else about.say("{value} (no year before)", value=value)
    ax.annotate(text, (FURTHEST * 1.06, at), va="center", fontsize=9, color=paint if row.verdict in PAINTS else style.INK)


def _headline(table: pd.DataFrame, about: About) -> str:
    compared = table[table["before_value"].notna()]
    better, worse = (int((compared["verdict"] == word).sum()) for word in (BETTER, WORSE))
    if compared.empty:
        return about.say("Nothing to compare with: less than two years are recorded")
    if not better + worse:
        return about.say("None of {count} figures moved more than chance makes them", count=len(compared))
    return about.say("Of {count} figures {better} became better and {worse} worse; the rest is within the error",
                     count=len(compared), better=better, worse=worse)


def plot_employee_scores(employees: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Employees on the indicator of their stage: dot the pooled value with 95 % limits, ring the raw one.

    `employees` is `efficiency.employee_scores(process)`. In an order of merit only where somebody differs from the others.
    """
    about = about_of(employees)
    table = employees.head(MOST_EMPLOYEES)
    with style.drawn():
        ax = style.new_axes(ax, 1.8 + 0.36 * len(table))
        for at, row in enumerate(table.itertuples()):
            paint = {"above": style.GREEN, "below": style.VERMILION}.get(row.verdict, style.BLUE)
            ax.hlines(at, row.pooled_low_share, row.pooled_high_share, color=paint, linewidth=1.6)
            ax.plot(row.pooled_share, at, "o", color=paint, markersize=6)
            ax.plot(row.share, at, "o", markerfacecolor="white", markeredgecolor=style.GREY, markersize=6, zorder=1)
        right = 1.05 * np.nanmax(table[["share", "pooled_high_share"]].to_numpy(dtype=float))
        for at, row in enumerate(table.itertuples()):
            counts = f"{format_count(row.cases_count, about.language)} / {format_count(row.of_count, about.language)}"
            counts = about.say("{counts}, few", counts=counts) if row.few else counts
            ax.annotate(f"{format_share(row.pooled_share, about.language)}  ({counts})", (right, at), va="center", fontsize=9)
        names = [f"{about.label(row.employee)} · {about.label(row.indicator)}" for row in table.itertuples()]
        ax.set_yticks(range(len(table)), names)
        ax.set_ylim(len(table) - 0.5, -0.5)
        ax.set_xlim(0, right * 1.45)
        ax.set_xticks([tick for tick in ax.get_xticks() if 0 <= tick <= min(right, 1.0)])
        style.share_axis(ax, about.say("Share, drawn towards the common one"), about)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        style.title(ax, _employees_headline(table, about), about.say("dot: pooled with 95 % limits; ring: raw; counts behind it"),
                    about)
        return ax


def _employees_headline(table: pd.DataFrame, about: About) -> str:
    apart = table[table["verdict"].isin(["above", "below"])]
    if apart.empty:
        return about.say("No employee differs from the others by more than chance: there is no order of merit")
    named = ", ".join(about.say(BESIDE[row.verdict], employee=about.label(row.employee)) for row in apart.head(3).itertuples())
    return about.plural(len(apart), "{count} of {figures} figures of employees differs from the others: {employees}",
                        "{count} of {figures} figures of employees differ from the others: {employees}", count=len(apart),
                        figures=len(table), employees=named)
