"""Charts of people: nerves by stage, the load of roles, and how it went over time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.efficiency import panel_head
from funnel_lib.charts.period_words import out_of, phrase
from funnel_lib.language.formats import format_number, format_share, is_available
from funnel_lib.language.messages import marked
from funnel_lib.schema import STAGES

NERVES = (("strain", marked("Strain, 1 to 5"), ("strain_low", "strain_high")),
          ("strain_hours_per_result", marked("Strain-h per result"),
           ("strain_hours_per_result_low", "strain_hours_per_result_high")),
          ("refusals_per_win", marked("Refusals per win"), ("refusals_per_win_low", "refusals_per_win_high")),
          ("returns_per_win", marked("Moves back per win"), ("returns_per_win_low", "returns_per_win_high")))
PANEL_TOP = 0.8
FULL = 1.0


def plot_nerves(nerves: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Four small panels, one bar per stage: strain, strain-hours per result, refusals and moves back per win; thin: 95 % limits.

    `nerves` is `efficiency.nerves(process)`. Each panel has its own scale; the panels are `ax.child_axes`.
    """
    about = about_of(nerves)
    rows = nerves.set_index("stage").reindex(STAGES).reset_index()
    with style.drawn():
        ax = style.new_axes(ax, 2.9)
        style.rows_of_panels(ax, [style.wrapped(about.label(stage), 18) for stage in rows["stage"]], PANEL_TOP)
        for number, (column, head, limits) in enumerate(NERVES):
            panel = ax.inset_axes((number / len(NERVES), 0, 0.9 / len(NERVES), PANEL_TOP))
            _panel(panel, rows, column, limits, about)
            panel.set_title(panel_head(head, about), fontsize=9, color=style.INK, loc="left")
        answers = np.nansum(rows["strain_answers_count"].to_numpy(dtype=float))
        below = about.plural(answers, "{count} answer; lost leads and moves back from the log; thin lines: 95 % limits",
                             "{count} answers; lost leads and moves back from the log; thin lines: 95 % limits",
                             count=format_number(answers, about.language))
        style.title(ax, _nerves_headline(rows, about), below, about)
        return ax


def _panel(panel: Axes, rows: pd.DataFrame, column: str, limits: tuple[str, str], about: About) -> None:
    known = np.nan_to_num(rows[column].to_numpy(dtype=float))
    panel.barh(range(len(rows)), known, height=0.6, color=[style.colour(stage, about) for stage in rows["stage"]])
    ends = np.fmax(known, style.panel_limits(panel, rows, limits))
    style.panel_texts(panel, ends, [format_number(value, about.language) for value in rows[column]])
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines["bottom"].set_visible(False)


def _nerves_headline(rows: pd.DataFrame, about: About) -> str:
    asked, parts, hardest = rows[rows["strain"].notna()], [], ""
    if len(asked):
        hard = asked.loc[asked["strain"].idxmax()]
        hardest = hard.stage
        parts.append(about.say("strain is highest in “{stage}”, {strain} of 5", stage=about.label(hardest),
                               strain=format_number(hard.strain, about.language)))
    refusals = rows.loc[(rows["stage"] == STAGES[1]) & rows["refusals_per_win"].notna(), "refusals_per_win"]
    if len(refusals):
        count, shown = float(refusals.iloc[0]), format_number(refusals.iloc[0], about.language)
        parts.append(about.plural(count, "a win there takes {count} refusal", "a win there takes {count} refusals", count=shown)
                     if hardest == STAGES[1] else
                     about.plural(count, "a win in conversion takes {count} refusal", "a win in conversion takes {count} refusals",
                                  count=shown))
    return "; ".join(parts) or about.say("How hard the work is cannot be told")


def plot_capacity(roles: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of the load of each role, hours needed / hours paid, with the line at which its hours are full.

    `roles` is `efficiency.capacity(process)`. A role whose paid hours are not described has no bar and says so.
    """
    about = about_of(roles)
    table = roles.head(style.MOST_CATEGORIES)
    known = table["load_share"].notna()
    with style.drawn():
        ax = style.new_axes(ax, 1.6 + 0.38 * len(table))
        style.bars(ax, [about.label(role) for role in table["role"]], table["load_share"],
                   colours=[style.VERMILION if full else style.BLUE for full in table["load_share"] >= FULL])
        style.texts_after(ax, np.where(known, np.fmax(table["load_share"], FULL), 0.0),
                          [_load_text(row, about) for row in table.itertuples()])
        most = float(np.nanmax([FULL, *table["load_share"]]))
        ax.set_xlim(0, 1.75 * most)
        ax.set_xticks([tick for tick in (0, 0.25, 0.5, 0.75, 1, 1.5, 2) if tick <= 1.2 * most])
        ax.axvline(FULL, color=style.INK, linewidth=1, linestyle="--")
        style.share_axis(ax, about.say("hours needed / hours paid"), about)
        style.title(ax, _capacity_headline(table[known], about), about.say("an average month; dashed: all paid hours are needed"),
                    about)
        return ax


def _load_text(row: tuple, about: About) -> str:
    if not is_available(row.load_share):
        return about.say("{hours} h needed, paid hours not described", hours=format_number(row.needed_hours, about.language))
    return about.say("{share}   ({needed} of {paid} h)", share=format_share(row.load_share, about.language),
                     needed=format_number(row.needed_hours, about.language), paid=format_number(row.paid_hours, about.language))


def _capacity_headline(known: pd.DataFrame, about: About) -> str:
    if known.empty:
        return about.say("Whose hours are full cannot be told: no role says how many it is paid for")
    first = known.iloc[0]
    said = {"share": format_share(first.load_share, about.language), "role": about.label(first.role)}
    if not first.is_bottleneck:
        return about.say("No role is full; the tightest, “{role}”, needs {share} of its hours", **said)
    return about.say("“{role}” is the bottleneck: it needs {share} of its paid hours", **said)


def plot_role_load(load: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """A line per role: hours needed / hours paid in each complete period, with the line at which the hours are full.

    `load` is `efficiency.role_load(process)`.
    """
    about = about_of(load)
    rows = load[load["complete"] & load["load_share"].notna()]
    with style.drawn():
        ax = style.new_axes(ax, 3.3)
        if rows.empty:
            return style.untold(ax, about.say("The load over time cannot be told"),
                                about.say("no complete period of a role with paid hours"), about)
        roles = list(rows.groupby("role")["load_share"].mean().sort_values(ascending=False).index[:style.MOST_CATEGORIES])
        for number, role in enumerate(roles):
            line = rows[rows["role"] == role]
            ax.plot(line["period_start"], line["load_share"], color=style.in_turn(number), linewidth=1.6, label=about.label(role))
        ax.axhline(FULL, color=style.INK, linewidth=1, linestyle="--")
        ax.set_ylim(0, 1.08 * max(FULL, rows["load_share"].max()))
        style.share_axis(ax, about.say("needed / paid"), about, "y")
        style.date_axis(ax, about)
        ax.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=4, borderaxespad=0.2, frameon=False)
        word = style.period_word(sorted(rows["period_start"].unique()))
        below = about.say("new leads {of_each_period} × hours per lead / paid hours; dashed: full",
                          of_each_period=phrase("each", word, about))
        style.title(ax, _load_headline(rows, word, about), below, about)
        return ax


def _load_headline(rows: pd.DataFrame, word: str, about: About) -> str:
    tight = rows[rows["load_share"] >= FULL].groupby("role")["period_start"].nunique().sort_values(ascending=False)
    periods = rows["period_start"].nunique()
    if tight.empty:
        return about.say("In none {of_periods} did a role need more hours than it is paid for",
                         of_periods=out_of(periods, word, about))
    said = {"count": tight.iloc[0], "of_periods": out_of(periods, word, about)}
    worst = list(tight[tight == tight.iloc[0]].index)
    if len(worst) > 1:
        return about.say("{roles}: each needed more hours than paid for in {count} {of_periods}",
                         roles=style.quoted(worst, about), **said)
    return about.say("“{role}” needed more hours than paid for in {count} {of_periods}", role=about.label(worst[0]), **said)
