"""Charts of response time: how long leads wait by owner and arrival, and what is sold after which wait."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_duration, format_share

HOUR, WEEKDAY, ARRIVAL = "arrival_hour", "arrival_weekday", "arrival_time"
WORK, CLOCK = ("median_work_hours", "median_low_work_hours", "median_high_work_hours"), (
    "median_hours", "median_low_hours", "median_high_hours")
NO_TIME_OF_ANSWER = ("at_outcome", "no_answer_yet")
APART = 0.17
LABEL_LETTERS = 22
EVERY_HOURS = 2


def plot_response_bands(bands: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of the share won by how soon leads were answered, with 95 % limits; grey where no time of an answer is known.

    `bands` is `lead_flow.response_bands(process)`.
    """
    about = about_of(bands)
    texts = [_band_text(row, about) for row in bands.itertuples()]
    timed = ~bands["answer_band"].isin(NO_TIME_OF_ANSWER)
    with style.drawn():
        ax = style.new_axes(ax, 1.7 + 0.42 * len(bands))
        style.bars(ax, [about.label(key) for key in bands["answer_band"]], bands["won_share"].to_numpy(),
                   colours=[style.BLUE if known else style.GREY for known in timed], low=bands["won_low_share"],
                   high=bands["won_high_share"], texts=texts, light=bands["few"])
        ax.set_yticks(range(len(bands)), [style.wrapped(about.label(key), LABEL_LETTERS) for key in bands["answer_band"]])
        highest = float(np.nan_to_num(bands["won_high_share"].where(bands["leads_count"] > 0).max()))
        ax.set_xlim(0, max(1.4 * highest, 0.05))
        style.share_axis(ax, term("won_share").label(about.language), about)
        below = about.say("won within {days} by working time until the first answer by a person, 95 % limits · n = {leads} leads "
                          "as old as that", days=format_duration(bands["equal_window_days"].iloc[0], "days", about.language),
                          leads=format_count(bands["leads_count"].sum(), about.language))
        lighter = about.say("lighter: fewer than 30 leads") if bands["few"].any() else ""
        style.title(ax, _bands_headline(bands[timed & ~bands["few"]], about), style.dotted(below, lighter), about)
        return ax


def _band_text(row: tuple, about: About) -> str:
    counts = f"({format_count(row.won_count, about.language)} / {format_count(row.leads_count, about.language)})"
    return f"{format_share(row.won_share, about.language)}   {counts}" if row.leads_count else about.say("no lead")


def _bands_headline(sure: pd.DataFrame, about: About) -> str:
    if len(sure) < 2:
        return about.say("Too few leads to compare those answered sooner with those answered later")
    first, last = sure.iloc[0], sure.iloc[-1]
    apart = first.won_low_share > last.won_high_share or last.won_low_share > first.won_high_share
    said = {"sooner": about.label(first.answer_band), "share": format_share(first.won_share, about.language),
            "later": about.label(last.answer_band), "other": format_share(last.won_share, about.language)}
    return (about.say("Answered “{sooner}”: {share} bought, “{later}”: {other}. No proof of cause", **said) if apart else
            about.say("Answered “{sooner}”: {share} bought, “{later}”: {other} (not told apart). No proof of cause", **said))


def plot_response_by(table: pd.DataFrame, ax: Axes | None = None) -> Axes | None:
    """Half of the leads answered within: filled points in working hours, hollow ones by the clock, with 95 % limits.

    Groups are rows, hours of arrival run from left to right; groups of fewer than 30 leads are paler. None where no group has
    a median: there is nothing to draw, and the table says why.
    `table` is `lead_flow.response_time(process, by="owner")`, by `arrival_hour`, `arrival_weekday` or `arrival_time`.
    """
    about, group = about_of(table), table.columns[0]
    shown = table[table[list((WORK[0], CLOCK[0]))].notna().any(axis=1)]
    if shown.empty:
        return None
    left_out = len(table) - len(shown)
    if group not in (HOUR, WEEKDAY, ARRIVAL) and len(shown) > style.MOST_CATEGORIES:
        left_out += len(shown) - style.MOST_CATEGORIES
        shown = shown.sort_values(["differs", "leads_count"], ascending=False, kind="stable").head(style.MOST_CATEGORIES)
    across = group == HOUR
    with style.drawn():
        ax = style.new_axes(ax, 3.6 if across else 1.9 + 0.42 * len(shown))
        places = shown[HOUR].to_numpy(dtype=float) if across else np.arange(len(shown), dtype=float)
        for columns, paint, side, filled in ((CLOCK, style.ORANGE, APART, False), (WORK, style.BLUE, -APART, True)):
            _points(ax, shown, columns, places + side, across, paint, filled)
        _axes_of(ax, shown, places, across, about)
        handles = [ax.plot([], [], "o", color=paint, markerfacecolor=face)[0]
                   for paint, face in ((style.BLUE, style.BLUE), (style.ORANGE, "white"))]
        # Beside the name of the axis, under the points.
        ax.legend(handles, [about.say("working hours"), about.say("by the clock")], loc="upper right", bbox_to_anchor=(1.0, 0.0),
                  ncols=2, borderaxespad=2.0 if across else 1.8, handlelength=1.0)
        below = about.say("hours until half of the leads are answered by a person, 95 % limits · n = {leads} leads",
                          leads=format_count(table["leads_count"].sum(), about.language))
        few = about.say("paler: fewer than 30 leads") if shown["few"].any() else ""
        some = about.plural(left_out, "{count} group not drawn", "{count} groups not drawn",
                            count=format_count(left_out, about.language))
        style.title(ax, _headline(table, group, about), style.dotted(below, few, some if left_out else ""), about)
        return ax


def _points(ax: Axes, shown: pd.DataFrame, columns: tuple, places: np.ndarray, across: bool, paint: str, filled: bool) -> None:
    for place, row in zip(places, shown.itertuples(), strict=True):
        middle, low, high = (getattr(row, name) for name in columns)
        if np.isnan(middle):
            continue
        alpha = 0.4 if row.few else 1.0
        x, y = ([place], [middle]) if across else ([middle], [place])
        ax.plot(x, y, "o", color=paint, markerfacecolor=paint if filled else "white", markersize=6, alpha=alpha, zorder=3)
        if not np.isnan(low) and not np.isnan(high):
            (ax.vlines if across else ax.hlines)(place, low, high, color=paint, linewidth=1.2, alpha=alpha)


def _axes_of(ax: Axes, shown: pd.DataFrame, places: np.ndarray, across: bool, about: About) -> None:
    # A handful of leads may have limits of weeks: they leave the axes rather than squeeze the others.
    sure = shown[~shown["few"]] if not shown["few"].all() else shown
    longest = np.nanmax(sure[[*WORK, *CLOCK]].to_numpy(dtype=float), initial=1.0)
    if across:
        ax.set_xticks(np.arange(0, 24, EVERY_HOURS), [f"{hour}:00" for hour in range(0, 24, EVERY_HOURS)])
        ax.set_xlim(-0.7, 23.7)
        ax.set_ylim(0, longest * 1.05)
        ax.set_xlabel(term(HOUR).label(about.language), loc="left")
        style.number_axis(ax, term("hours").label(about.language), about, "y")
        return
    ax.set_yticks(places, [f"{style.wrapped(about.label(key), LABEL_LETTERS)}  ({format_count(count, about.language)})"
                           for key, count in zip(shown.iloc[:, 0], shown["leads_count"], strict=True)])
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.set_xlim(0, longest * 1.18)
    ax.tick_params(axis="y", length=0)
    for side, columns in ((APART, CLOCK), (-APART, WORK)):
        for place, row in zip(places + side, shown.itertuples(), strict=True):
            middle, end = getattr(row, columns[0]), getattr(row, columns[2])
            if not np.isnan(middle):
                # Beyond the axes the limit has no end to write at: then beside the point, on white.
                at = end if middle < end <= longest else middle
                ax.annotate(format_duration(middle, "hours", about.language), (at, place), (7, 0), textcoords="offset points",
                            va="center", fontsize=9, color=style.INK,
                            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.0 if at == end else 1.0})
    # The legend stands to its right.
    ax.set_xlabel(term("hours").label(about.language), loc="left")
    style.numbers(ax.xaxis, about)
    ax.grid(axis="x")


def _headline(table: pd.DataFrame, group: str, about: About) -> str:
    sure = table[~table["few"] & table["median_hours"].notna()]
    if sure.empty:
        return about.say("How soon leads are answered cannot be told: too few, or dates without a time of day")
    if group in (HOUR, WEEKDAY, ARRIVAL):
        limited = sure.fillna({"median_low_hours": 0.0, "median_high_hours": np.inf})
        slow, quick = limited.loc[limited["median_low_hours"].idxmax()], limited.loc[limited["median_high_hours"].idxmin()]
        names = [f"{int(row[group])}:00" if group == HOUR else about.label(row[group]) for row in (slow, quick)]
        if not slow.median_low_hours > quick.median_high_hours:
            return about.say("No two times of arrival are clearly apart by the clock")
        return about.say("Leads of “{slow}” wait {hours} by the clock, those of “{quick}” {fewer}", slow=names[0], quick=names[1],
                         hours=format_duration(slow.median_hours, "hours", about.language),
                         fewer=format_duration(quick.median_hours, "hours", about.language))
    differing = int(table["differs"].sum())
    if not differing:
        return about.say("Who answers sooner cannot be told: differences like these come by chance alone")
    return about.plural(differing, "{count} of {all} clearly differs from the others",
                        "{count} of {all} clearly differ from the others",
                        count=format_count(differing, about.language), all=format_count(len(table), about.language))
