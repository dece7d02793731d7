"""Charts of what the stages take: shares, processes side by side, this period against the last, the next unit."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.efficiency import PANELS, panel_head
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_moment, format_money, format_number, format_share, is_available
from funnel_lib.language.messages import marked
from funnel_lib.schema import STAGES

# Column of the sheet, the name of its bar, and what a stage takes of it.
SHARES = (("cost_share", marked("Money"), marked("{share} of the money")),
          ("hours_share", marked("Hours"), marked("{share} of the hours")),
          ("strain_hours_share", marked("Nerves (strain-hours)"), marked("{share} of the nerves")))
# A narrower part of a bar has no room for its number.
NARROW = 0.06
ROSE, FELL = "rose", "fell"
CHANGES = (("cost_per_result", marked("Money: {stage}")), ("hours_per_result", marked("Hours: {stage}")))
MOVED = {("cost_per_result", ROSE): marked("money for one of “{stage}” rose"),
         ("cost_per_result", FELL): marked("money for one of “{stage}” fell"),
         ("hours_per_result", ROSE): marked("hours for one of “{stage}” rose"),
         ("hours_per_result", FELL): marked("hours for one of “{stage}” fell")}


def plot_stage_shares(sheet: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """One bar each for money, hours and nerves, cut into the shares that the stages take.

    `sheet` is `efficiency.efficiency_sheet(process)`. A resource that is not recorded has no bar and says so.
    """
    about = about_of(sheet)
    rows = sheet[sheet["stage"] != "all"]
    with style.drawn():
        ax = style.new_axes(ax, 2.7)
        for position, (column, *_) in enumerate(SHARES):
            _cut_bar(ax, position, rows, column, about)
        ax.set_yticks(range(len(SHARES)), [style.wrapped(about.say(name), 14) for _, name, _ in SHARES])
        ax.set_ylim(len(SHARES) - 0.5, -0.5)
        ax.set_xlim(0, 1)
        style.share_axis(ax, about.say("share of all three stages"), about)
        ax.tick_params(axis="y", length=0)
        known = [plt.Rectangle((0, 0), 1, 1, color=style.colour(stage, about)) for stage in rows["stage"]]
        ax.legend(known, [about.label(stage) for stage in rows["stage"]], loc="upper left", bbox_to_anchor=(0, -0.28),
                  ncols=3, borderaxespad=0.2, frameon=False)
        style.title(ax, _shares_headline(rows, about), about.say("everything observed"), about)
        return ax


def _cut_bar(ax: Axes, position: int, rows: pd.DataFrame, column: str, about: About) -> None:
    if rows[column].isna().any():
        ax.annotate(about.say("n/a: not recorded"), (0.01, position), va="center", fontsize=9, color=style.GREY)
        return
    left = 0.0
    for stage, share in zip(rows["stage"], rows[column], strict=True):
        ax.barh(position, share, left=left, height=0.6, color=style.colour(stage, about))
        if share >= NARROW:
            ax.annotate(format_share(share, about.language), (left + share / 2, position), ha="center", va="center", fontsize=9,
                        color="white", fontweight="bold")
        left += share


def _shares_headline(rows: pd.DataFrame, about: About) -> str:
    most: dict[str, list[str]] = {}
    for column, _, part in SHARES:
        if rows[column].notna().all():
            row = rows.loc[rows[column].idxmax()]
            most.setdefault(row["stage"], []).append(about.say(part, share=format_share(row[column], about.language)))
    if not most:
        return about.say("What each stage takes cannot be told")
    return "; ".join(about.say("“{stage}” takes {parts}", stage=about.label(stage), parts=style.listed(parts, about))
                     for stage, parts in most.items())


def plot_stage_efficiency(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The stages of all processes at a glance: four small panels, a group of bars per stage, a bar per process.

    `table` is `overview.stage_efficiency(company)`. Each panel has its own scale; the panels are `ax.child_axes`.
    """
    about = about_of(table)
    rows = table[table["stage"].isin(STAGES) & (table["process"] != "all")].reset_index(drop=True)
    with style.drawn():
        ax = style.new_axes(ax, 1.6 + 0.3 * (len(rows) + len(STAGES)))
        ax.set_xticks([])
        ax.set_yticks([])
        for spine in ax.spines.values():
            spine.set_visible(False)
        gap, top = 0.16, 0.9
        for number, (column, head, _, limits) in enumerate(PANELS):
            panel = ax.inset_axes((gap + number * (1 - gap) / len(PANELS), 0, 0.9 * (1 - gap) / len(PANELS), top))
            _stage_panel(panel, rows, column, limits, about)
            panel.set_title(panel_head(head, about), fontsize=9, color=style.INK, loc="left")
            if number == 0:
                panel.set_yticks(range(len(rows)), [about.label(name) for name in rows["process"]])
        paint = [plt.Rectangle((0, 0), 1, 1, color=style.colour(stage, about)) for stage in STAGES]
        ax.legend(paint, [about.say("{stage}; its results: {results}", stage=about.label(stage),
                                    results=about.label(_result(rows, stage)).lower()) for stage in STAGES],
                  loc="upper left", bbox_to_anchor=(0, 0.0), ncols=1, borderaxespad=0.2, frameon=False)
        style.title(ax, _across_headline(rows, about), about.say("per result of the stage; thin lines: 95 % limits"), about)
        return ax


def _result(rows: pd.DataFrame, stage: str) -> str:
    found = rows.loc[rows["stage"] == stage, "result"]
    return found.iloc[0] if len(found) else stage


def _stage_panel(panel: Axes, rows: pd.DataFrame, column: str, limits: tuple[str, ...], about: About) -> None:
    known = np.nan_to_num(rows[column].to_numpy(dtype=float))
    panel.barh(range(len(rows)), known, height=0.7, color=[style.colour(stage, about) for stage in rows["stage"]])
    ends = np.fmax(known, style.panel_limits(panel, rows, limits))
    style.panel_texts(panel, ends, [format_number(value, about.language) for value in rows[column]])
    for border in np.flatnonzero(rows["stage"].to_numpy()[1:] != rows["stage"].to_numpy()[:-1]):
        panel.axhline(border + 0.5, color=style.PALE, linewidth=0.8)
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_xticks([])
    panel.set_yticks([])
    panel.tick_params(axis="y", length=0)
    panel.spines["bottom"].set_visible(False)


def _across_headline(rows: pd.DataFrame, about: About) -> str:
    """For a new customer: the dearest and the cheapest process."""
    stage = rows[(rows["stage"] == STAGES[1]) & rows["cost_per_result_amount"].notna()].sort_values("cost_per_result_amount")
    if len(stage) < 2:
        return about.say("What a result of each stage takes in each process")
    low, high = (format_money(stage["cost_per_result_amount"].iloc[at], about.language, about.currency) for at in (0, -1))
    return about.say("Converting one new customer costs from {least} (“{cheapest}”) to {most} (“{dearest}”)", least=low, most=high,
                     cheapest=about.label(stage["process"].iloc[0]), dearest=about.label(stage["process"].iloc[-1]))


def plot_stage_change(change: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Dots with 95 % limits: by how much the cost and the hours of a result changed against the period before.

    `change` is `efficiency.stage_change(process)`. Filled dots changed beyond chance; hollow ones cannot be told from no change.
    """
    about = about_of(change)
    rows = [(row.stage, name, *(getattr(row, f"{price}_change{side}_share") for side in ("", "_low", "_high")),
             getattr(row, f"{price}_verdict")) for row in change.itertuples() for price, name in CHANGES]
    known = [row for row in rows if is_available(row[2])]
    first = change.iloc[0]
    period = about.plural(first.period_days, "{days} day from {date} against as many before; 95 % limits; filled: beyond chance",
                          "{days} days from {date} against as many before; 95 % limits; filled: beyond chance",
                          days=format_number(first.period_days, about.language),
                          date=format_moment(first.after_from, about.language))
    with style.drawn():
        ax = style.new_axes(ax, 1.5 + 0.34 * max(len(known), 1))
        if not known:
            return style.untold(ax, about.say("Nothing can be compared with the period before"), period, about)
        for position, (stage, _, value, low, high, verdict) in enumerate(known):
            paint = style.colour(stage, about)
            ax.hlines(position, low, high, color=paint, linewidth=1.4)
            ax.plot(value, position, "o", markersize=7, markeredgecolor=paint,
                    markerfacecolor=paint if verdict in (ROSE, FELL) else "white")
            ax.annotate(format_share(value, about.language), (max(high, value), position), (6, 0), textcoords="offset points",
                        va="center", fontsize=9)
        ax.axvline(0, color=style.GREY, linewidth=0.9)
        ax.set_yticks(range(len(known)), [style.wrapped(about.say(name, stage=about.label(stage))) for stage, name, *_ in known])
        ax.set_ylim(len(known) - 0.5, -0.5)
        left, right = ax.get_xlim()
        ax.set_xlim(left, right + 0.12 * (right - left))
        style.share_axis(ax, about.say("change per result"), about)
        style.title(ax, _change_headline(change, about), period, about)
        return ax


def _change_headline(change: pd.DataFrame, about: About) -> str:
    moved = [about.say(MOVED[price, getattr(row, f"{price}_verdict")], stage=about.label(row.stage)) for row in change.itertuples()
             for price, _ in CHANGES if (price, getattr(row, f"{price}_verdict")) in MOVED]
    if not moved:
        return about.say("No result has become dearer or cheaper beyond chance")
    return about.say("Per result: {changes}", changes=", ".join(moved))


def plot_next_unit(units: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Two panels: what one more unit of money, and one more hour, would bring in each stage; upright mark: what it costs.

    `units` is `improvement.next_unit(process)`. The panels are `ax.child_axes`.
    """
    about = about_of(units)
    with style.drawn():
        ax = style.new_axes(ax, 2.7)
        top = 0.86
        style.rows_of_panels(ax, [style.wrapped(about.label(stage), 18) for stage in units["stage"]], top)
        for number, (name, cost) in enumerate((("money", np.ones(len(units))), ("hour", units["hour_cost_amount"]))):
            panel = ax.inset_axes((number * 0.5, 0, 0.46, top))
            _unit_panel(panel, units, name, np.asarray(cost, dtype=float), about)
            head = about.say("{what}, {currency} a year", what=term(f"{name}_brings_amount").label(about.language),
                             currency=style.currency_sign(about))
            panel.set_title(head, fontsize=9, color=style.INK, loc="left")
        style.title(ax, _unit_headline(units, about),
                    about.say("upright mark: what the unit costs; thin lines: 95 % limits; by the chain of rates"), about)
        return ax


def _unit_panel(panel: Axes, units: pd.DataFrame, name: str, cost: np.ndarray, about: About) -> None:
    values = units[f"{name}_brings_amount"].to_numpy(dtype=float)
    known = np.nan_to_num(values)
    panel.barh(range(len(units)), known, height=0.55, color=[style.colour(stage, about) for stage in units["stage"]])
    ends = np.fmax(known, style.panel_limits(panel, units, (f"{name}_brings_low_amount", f"{name}_brings_high_amount")))
    priced = np.flatnonzero(~np.isnan(cost))
    panel.vlines(cost[priced], priced - 0.36, priced + 0.36, color=style.VERMILION, linewidth=2.5)
    style.panel_texts(panel, np.fmax(ends, np.nan_to_num(cost)), [format_number(value, about.language) for value in values])
    panel.set_ylim(len(units) - 0.5, -0.5)
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines["bottom"].set_visible(False)


def _unit_headline(units: pd.DataFrame, about: About) -> str:
    known = units[units["money_brings_amount"].notna()]
    if known.empty:
        return about.say("What the next unit of money would bring cannot be told")
    best = known.loc[known["money_brings_amount"].idxmax()]
    return about.say("The next unit of money brings most in “{stage}”: {number} of yearly margin", stage=about.label(best.stage),
                     number=format_number(best.money_brings_amount, about.language))
