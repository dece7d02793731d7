"""Charts of exercise 5: the price of a result in each stage, and the level of technology claimed and shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.language.formats import format_count, format_number, is_available
from funnel_lib.language.messages import marked
from funnel_lib.schema import STAGES

# Column of the sheet, head of its panel, what most of it is called in the headline, and the columns of its limits.
PANELS = (("cost_per_result_amount", marked("{currency} per result"), "money",
           ("cost_per_result_low_amount", "cost_per_result_high_amount")),
          ("hours_per_result", marked("Hours per result"), "hours", ("hours_per_result_low", "hours_per_result_high")),
          ("elapsed_days", marked("Days (half done by)"), "days", ("elapsed_low_days", "elapsed_high_days")),
          ("strain_hours_per_result", marked("Strain-hours per result"), "nerves", ()))
TAKES_MOST = {
    ("money",): marked("“{stage}” takes the most money for one result"),
    ("hours",): marked("“{stage}” takes the most hours for one result"),
    ("nerves",): marked("“{stage}” takes the most nerves for one result"),
    ("money", "hours"): marked("“{stage}” takes the most money and hours for one result"),
    ("money", "nerves"): marked("“{stage}” takes the most money and nerves for one result"),
    ("hours", "nerves"): marked("“{stage}” takes the most hours and nerves for one result"),
    ("money", "hours", "nerves"): marked("“{stage}” takes the most money, hours and nerves for one result"),
}
PANEL_TOP = 0.8
# More than these do not fit over a panel.
HEAD_LETTERS = 20
MOST_CARDS = 14
LEVELS = (marked("0\ncraft"), marked("1\ndescribed"), marked("2\nscripted"), marked("3\nassisted"), marked("4\nautomatic"))


def plot_efficiency_sheet(sheet: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Four small panels side by side, one bar per stage: money, hours, days and strain-hours per result; thin: 95 % limits.

    `sheet` is `efficiency.efficiency_sheet(process)`. Each panel has its own scale; the panels are `ax.child_axes`.
    """
    about = about_of(sheet)
    stages = sheet.set_index("stage").reindex(STAGES)
    with style.drawn():
        ax = style.new_axes(ax, 2.9)
        style.rows_of_panels(ax, [_stage_label(stage, stages, about) for stage in STAGES], PANEL_TOP)
        for number, (column, head, _, limits) in enumerate(PANELS):
            panel = ax.inset_axes((number / len(PANELS), 0, 0.9 / len(PANELS), PANEL_TOP))
            _panel(panel, stages[column], panel_head(head, about), about)
            ends = style.panel_limits(panel, stages, limits)
            style.panel_texts(panel, np.fmax(np.nan_to_num(stages[column]), ends),
                              [format_number(value, about.language) for value in stages[column]])
        counted = [about.say("{count} {results}", count=format_count(value, about.language), results=about.label(result).lower())
                   for value, result in zip(stages["result_count"], stages["result"], strict=True) if is_available(value)]
        style.title(ax, _headline(stages, about), about.say("per result: {results}", results=", ".join(counted)), about)
        return ax


def panel_head(head: str, about: About) -> str:
    """The head of one of `PANELS`."""
    return style.wrapped(about.say(head, currency=style.currency_sign(about)), HEAD_LETTERS)


def _stage_label(stage: str, stages: pd.DataFrame, about: About) -> str:
    return style.wrapped(about.label(stage), 18)


def _panel(panel: Axes, values: pd.Series, head: str, about: About) -> None:
    known = np.nan_to_num(values.to_numpy(dtype=float))
    panel.barh(range(len(values)), known, height=0.6, color=[style.colour(stage, about) for stage in values.index])
    panel.set_ylim(len(values) - 0.5, -0.5)
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines["bottom"].set_visible(False)
    panel.set_title(head, fontsize=9, color=style.INK, loc="left")


def _headline(stages: pd.DataFrame, about: About) -> str:
    """Which stage takes most money, hours and nerves for one result."""
    most = {}
    for column, _, name, _ in PANELS:
        if name != "days" and stages[column].notna().sum() > 1:
            most.setdefault(stages[column].idxmax(), []).append(name)
    if not most:
        return about.say("What a result of each stage costs")
    return "; ".join(about.say(TAKES_MOST[tuple(names)], stage=about.label(stage)) for stage, names in most.items())


def plot_technologization(cards: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Per card the level claimed (ring) and the level that the log shows (dot), cards with most hours on top.

    `cards` is `efficiency.technologization(process)`. A gap is a line; a card whose log shows nothing says so.
    """
    about = about_of(cards)
    table = cards.head(MOST_CARDS)
    with style.drawn():
        ax = style.new_axes(ax, 1.5 + 0.36 * len(table))
        for position, row in enumerate(table.itertuples()):
            _levels(ax, position, row, style.colour(row.stage, about), about)
        ax.set_yticks(range(len(table)), [style.wrapped(about.label(card), 24) for card in table["card"]])
        ax.set_ylim(len(table) - 0.5, -0.5)
        ax.set_xticks(range(len(LEVELS)), [about.say(level) for level in LEVELS])
        ax.set_xlim(-0.3, 5.9)
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        hollow = int((cards["level_gap"] > 0).sum())
        headline = (about.plural(hollow, "{count} of {cards} cards claims a higher level than its log shows",
                                 "{count} of {cards} cards claim a higher level than their log shows", count=hollow,
                                 cards=len(cards))
                    if hollow else about.say("No card claims a higher level than its log shows"))
        style.title(ax, headline, about.say("ring: claimed, dot: shown by the log; colour: stage; most hours on top"), about)
        return ax


def _levels(ax: Axes, position: int, row: object, paint: str, about: About) -> None:
    claimed, shown = row.claimed_level, row.shown_level
    if is_available(claimed) and is_available(shown) and claimed != shown:
        ax.hlines(position, min(claimed, shown), max(claimed, shown), color=style.VERMILION, linewidth=2.5, zorder=1)
    if is_available(claimed):
        ax.plot(claimed, position, "o", markersize=12, markerfacecolor="white", markeredgecolor=paint, markeredgewidth=1.8)
    if is_available(shown):
        ax.plot(shown, position, "o", markersize=6.5, color=paint)
    hours = about.say("{hours} h", hours=format_number(row.hours, about.language)) if is_available(row.hours) else ""
    done = row.executions_count if is_available(row.executions_count) else 0
    unshown = "" if is_available(shown) else about.plural(
        done, "not shown: {count} execution", "not shown: {count} executions",
        count=format_count(row.executions_count, about.language))
    ax.annotate(style.dotted(hours, unshown), (4.35, position), va="center", fontsize=9, color=style.GREY)
