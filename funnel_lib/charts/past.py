"""Charts of measures that have started: the effect against the one foretold, and the figure before and after."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.improvement import effect_number, effect_text, lever_label
from funnel_lib.charts.period_words import out_of, phrase
from funnel_lib.language.formats import (
    format_count,
    format_moment,
    format_money,
    format_number,
    is_available,
)

MOST_ROWS, MOST_PANELS = 12, 4
_COLOURS = {"worked": style.GREEN, "did not": style.VERMILION, "cannot be told": style.GREY}


def plot_did_it_work(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Each started measure's effect as a point with its 95 % limits beside zero; the effect foretold is a hollow diamond.

    `table` is `improvement.did_it_work(process)`; measures without a figure are named under the title.
    """
    about = about_of(table)
    known = table[table["effect"].notna()].head(MOST_ROWS)
    none = [about.label(key) for key in table.loc[table["effect"].isna(), "measure"]]
    below = style.dotted(about.say("effect with 95 % limits: of shares in points, of all else relative"),
                         about.say("no figure: {measures}", measures=", ".join(none)) if none else "")
    with style.drawn():
        if known.empty:
            return style.untold(style.new_axes(ax, 1.6), about.say("Whether the started measures worked cannot be told yet"), below,
                                about)
        ax = style.new_axes(ax, 2.1 + 0.62 * len(known))
        positions = np.arange(len(known))
        colours = [_COLOURS[verdict] for verdict in known["verdict"]]
        ax.hlines(positions, known["low"], known["high"], color=colours, linewidth=2)
        ax.scatter(known["effect"], positions, color=colours, s=44, zorder=4)
        ax.plot(known["forecast"], positions, "D", color="white", markeredgecolor=style.INK, markersize=6, zorder=5, linestyle="")
        ax.axvline(0, color=style.GREY, linewidth=1)
        left = min(float(known[["low", "forecast"]].min().min()), 0.0)
        right = max(float(known[["high", "forecast"]].max().max()), 0.0)
        span = max(right - left, 1e-6)
        ax.set_xlim(left - 0.08 * span, right + 0.55 * span)
        for at, row in enumerate(known.itertuples()):
            text = f"{about.label(row.verdict).lower()}\n{about.label(row.design).lower()}"
            ax.annotate(text, (max(row.high, row.forecast), at), (9, 0), textcoords="offset points", va="center", fontsize=9,
                        color=colours[at])
        ax.set_yticks(positions, [style.wrapped(about.label(key)) for key in known["measure"]])
        ax.set_ylim(len(known) - 0.4, -0.6)
        style.share_axis(ax, about.say("effect"), about)
        ax.tick_params(axis="y", length=0)
        ax.legend(handles=[Line2D([], [], marker="o", color=style.INK, label=about.say("found")),
                           Line2D([], [], marker="D", linestyle="", markerfacecolor="white", color=style.INK,
                                  label=about.say("foretold"))],
                  loc="upper left", bbox_to_anchor=(0.0, -0.45 / (0.6 + 0.62 * len(known))), ncols=2)
        style.title(ax, _headline(known, about), below, about)
        return ax


def _headline(known: pd.DataFrame, about: About) -> str:
    if len(known) == 1:
        row = known.iloc[0]
        return about.say("“{measure}”: {verdict} ({effect}, 95 % {low} to {high})", measure=about.label(row.measure),
                         verdict=about.label(row.verdict).lower(),
                         effect=_sign(row.effect) + effect_text(row.effect, row.moves, about),
                         low=_sign(row.low) + effect_number(row.low, row.moves, about),
                         high=_sign(row.high) + effect_text(row.high, row.moves, about))
    worked = known[known["verdict"] == "worked"]
    count = about.plural(len(worked), "{count} of {measures} started measures worked",
                         "{count} of {measures} started measures worked",
                         count=format_count(len(worked), about.language), measures=format_count(len(known), about.language))
    return count if worked.empty else f"{count}: {style.quoted(worked['measure'], about)}"


def _sign(value: float) -> str:
    return "−" if value < 0 else "+"


def plot_measure_trend(trend: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The figure of each started measure over time: limits of the time before it, the start, and the level foretold.

    `trend` is `improvement.measure_trend(process)`; one panel for each of the first 4 measures (`ax.child_axes` where there are
    several). Periods under way at the start are hollow.
    """
    about = about_of(trend)
    keys = list(dict.fromkeys(trend["measure"]))[:MOST_PANELS]
    below = about.say("band: process limits of the time before · dotted: level foretold · hollow: under way at the start or not at "
                      "work yet · diamond: outside the limits · orange: run of 8")
    with style.drawn():
        if len(keys) == 1:
            ax = style.new_axes(ax, 3.9)
            _panel(ax, trend, about)
            style.title(ax, about.say("“{measure}”: {seen}", measure=about.label(keys[0]), seen=_seen(trend, about)), below, about)
            return ax
        ax = style.new_axes(ax, 1.5 + 2.1 * len(keys))
        ax.axis("off")
        for number, key in enumerate(keys):
            part = trend[trend["measure"] == key]
            panel = ax.inset_axes((0.02, 1 - (number + 0.9) / len(keys), 0.97, 0.68 / len(keys)))
            _panel(panel, part, about)
            panel.set_title(f"{about.label(key)}: {_seen(part, about)}", fontsize=9.5, loc="left")
        style.title(ax, _trend_headline(trend, keys, about), below, about)
        return ax


def _trend_headline(trend: pd.DataFrame, keys: list[str], about: About) -> str:
    moved = [key for key in keys if _signals(trend[trend["measure"] == key]) > 0]
    if not moved:
        return about.say("No figure has left the limits of the time before its measure")
    return about.say("Another level than before: {measures}", measures=style.quoted(moved, about))


def _signals(part: pd.DataFrame) -> int:
    return int(part.loc[part["side"] == "after", "signal"].isin(["outside_limits", "run_of_eight"]).sum())


def _seen(part: pd.DataFrame, about: About) -> str:
    word, signals = part["per"].iloc[0], _signals(part)
    if not is_available(part["low_value"].iloc[0]):
        return phrase("too_few_before", word, about)
    since = out_of(int((part["side"] == "after").sum()), word, about)
    if not signals:
        return about.say("none {of_periods} since is a signal", of_periods=since)
    return about.plural(signals, "{signals} {of_periods} since are a signal", "{signals} {of_periods} since are a signal",
                        signals=signals, of_periods=since)


def _panel(ax: Axes, part: pd.DataFrame, about: About) -> None:
    kind = part["kind"].iloc[0]
    times, values = part["period_start"], part["value"].to_numpy(dtype=float)
    between = (part["side"] == "between").to_numpy()
    ax.plot(times, values, "-", color=style.BLUE, linewidth=1.0, zorder=2)
    ax.plot(times[~between], values[~between], "o", color=style.BLUE, markersize=3.6, zorder=3)
    ax.plot(times[between], values[between], "o", color=style.BLUE, markerfacecolor="white", markersize=4.5, zorder=3)
    mean, low, high = (part[name].iloc[0] for name in ("mean_value", "low_value", "high_value"))
    if is_available(low):
        ax.axhspan(low, high, color=style.SKY, alpha=0.16, linewidth=0)
    if is_available(mean):
        ax.axhline(mean, color=style.GREY, linewidth=1)
    after = part[part["side"] == "after"]
    if len(after):
        ax.hlines(part["forecast_value"].iloc[0], after["period_start"].min(), after["period_start"].max(), color=style.GREEN,
                  linestyle=":", linewidth=1.8, zorder=4)
        ax.axvline(after["period_start"].min(), color=style.INK, linestyle="--", linewidth=1)
    for signal, colour, marker in (("outside_limits", style.VERMILION, "D"), ("run_of_eight", style.ORANGE, "o")):
        marked = (part["signal"] == signal).to_numpy()
        ax.plot(times[marked], values[marked], marker, color=colour, markersize=5, zorder=5)
    places = np.unique(np.linspace(0, len(part) - 1, min(len(part), 5)).round().astype(int))
    ax.set_xticks(times.iloc[places], [format_moment(times.iloc[at], about.language) for at in places], fontsize=9)
    ax.yaxis.set_major_locator(style.plt.MaxNLocator(4))
    label = lever_label(part["moves"].iloc[0], part["place"].iloc[0], about)
    if kind == "share":
        style.share_axis(ax, style.wrapped(label, 18), about, "y")
    else:
        show = (lambda value, _: format_money(value, about.language, about.currency)) if kind == "mean" else (
            lambda value, _: format_number(value, about.language))
        ax.yaxis.set_major_formatter(show)
        ax.set_ylabel(style.wrapped(label, 18))
        ax.grid(axis="y")
