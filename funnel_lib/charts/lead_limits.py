"""Charts of the flow of leads over time: signals apart from noise, and the rhythm of the week."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.period_words import complete, counted, phrase
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_moment, format_number, is_available

_FLOW = ("period_start", "leads_count", "complete", "mean_count", "lower_limit_count", "upper_limit_count", "signal")
_SIGNALS = {"outside_limits": (style.VERMILION, "D"), "run_of_eight": (style.ORANGE, "o")}
MOST_PANELS = 6
FEWEST_PERIODS = 12
# So many signals outside the limits get their date; more would hide the line.
MOST_DATED = 4


def plot_flow_limits(table: pd.DataFrame, sufficiency: object | None = None, ax: Axes | None = None) -> Axes:
    """Leads per period as a line between its process limits; signals marked and named, unfinished periods hollow.

    `table` is `lead_flow.flow_limits(process)`; with a group, one small panel for each of the 6 largest
    (`ax.child_axes`). `sufficiency` is `lead_flow.sufficiency(process)`: what the plan needs per week is a dashed line (of
    weeks, without groups).
    """
    about = about_of(table)
    group = next((name for name in table.columns if name not in _FLOW), None)
    word = style.period_word(table["period_start"])
    with style.drawn():
        if group is None:
            ax = style.new_axes(ax, 3.7)
            _line(ax, table, about, getattr(sufficiency, "needed_per_week", None))
            _legend(ax, table, word, about)
            ax.set_ylabel(term("leads_count").label(about.language))
            style.title(ax, _headline(table, word, about), _below(table, word, about), about)
            return ax
        keys = table.groupby(group)["leads_count"].sum().sort_values(ascending=False, kind="stable").index
        shown = list(keys[:MOST_PANELS])
        rows = -(-len(shown) // 2)
        ax = style.new_axes(ax, 1.1 + 1.55 * rows)
        ax.axis("off")
        for number, key in enumerate(shown):
            panel = ax.inset_axes((0.52 * (number % 2), 1 - (number // 2 + 0.82) / rows, 0.48, 0.62 / rows))
            part = table[table[group] == key]
            _line(panel, part, about, None, dated=False)
            panel.set_title(f"{about.label(key)} · {_signal_count(part, about)}", fontsize=9.5, loc="left")
        some = about.say("the {shown} largest of {all}", shown=len(shown), all=len(keys)) if len(keys) > len(shown) else ""
        style.title(ax, _groups_headline(table, group, word, about), style.dotted(_below(table, word, about), some), about)
        return ax


def _line(ax: Axes, table: pd.DataFrame, about: About, needed: float | None, dated: bool = True) -> None:
    done = table["complete"].to_numpy(dtype=bool)
    times, values = table["period_start"], table["leads_count"].to_numpy(dtype=float)
    mean, low, high = (table[name].iloc[0] for name in ("mean_count", "lower_limit_count", "upper_limit_count"))
    size = 3.2 if len(table) <= 70 else 0
    ax.plot(times[done], values[done], "-o", color=style.BLUE, markersize=size, linewidth=1.1, zorder=3)
    ax.plot(times[~done], values[~done], "o", markerfacecolor="white", color=style.BLUE, markersize=5, zorder=4)
    top = [*values, 1.0]
    if is_available(mean):
        ax.axhspan(low, high, color=style.SKY, alpha=0.16, linewidth=0)
        _level(ax, mean, format_number(mean, about.language), style.GREY, "-", dated)
        top.append(high)
    if needed is not None and is_available(needed):
        ax.axhline(needed, color=style.GREEN, linestyle="--", linewidth=1.3, zorder=2)
        top.append(needed)
    for signal, (colour, marker) in _SIGNALS.items():
        marked = (table["signal"] == signal).to_numpy()
        ax.plot(times[marked], values[marked], marker, color=colour, markersize=5.5, zorder=5)
    out = table[table["signal"] == "outside_limits"]
    for row in out.itertuples() if dated and len(out) <= MOST_DATED else ():
        side = 1 if row.leads_count > mean else -1
        ax.annotate(f"{format_moment(row.period_start, about.language)}: {format_count(row.leads_count, about.language)}",
                    (row.period_start, row.leads_count), (0, 7 * side), textcoords="offset points", ha="center",
                    va="bottom" if side > 0 else "top", fontsize=9, color=_SIGNALS["outside_limits"][0], zorder=6)
    ax.set_ylim(0, max(top) * 1.15)
    places = np.unique(np.linspace(0, len(table) - 1, min(len(table), 5 if dated else 2)).round().astype(int))
    labels = ax.set_xticks(times.iloc[places], [format_moment(times.iloc[at], about.language) for at in places], fontsize=9)
    if not dated:
        # Inside the small panel, so that neighbours do not touch.
        for tick, side in zip(labels, ("left", "right"), strict=False):
            tick.label1.set_horizontalalignment(side)
    ax.tick_params(axis="y", labelsize=9)
    ax.yaxis.set_major_locator(style.plt.MaxNLocator(5 if dated else 3, integer=True))
    style.numbers(ax.yaxis, about)
    ax.grid(axis="y")


def _level(ax: Axes, value: float, text: str, colour: str, line: str, named: bool) -> None:
    ax.axhline(value, color=colour, linestyle=line, linewidth=1.1, zorder=2)
    if named:
        ax.annotate(text, (1, value), (4, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
                    fontsize=9, color=colour)


def _legend(ax: Axes, table: pd.DataFrame, word: str, about: About) -> None:
    """The words for what is drawn, in the order in which they matter."""
    handles, names = [], []
    for signal, (colour, marker) in _SIGNALS.items():
        if (table["signal"] == signal).any():
            handles.append(ax.plot([], [], marker, color=colour, markersize=5.5)[0])
            names.append(about.labels.get(signal, term(signal).label(about.language)))
    if table["mean_count"].notna().any():
        handles.append(ax.fill_between([], [], color=style.SKY, alpha=0.3))
        names.append(about.labels.get("noise", term("noise").label(about.language)))
    if not table["complete"].all():
        handles.append(ax.plot([], [], "o", markerfacecolor="white", color=style.BLUE)[0])
        names.append(phrase("partly", word, about))
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    if dashed:
        handles.append(dashed[0])
        names.append(about.say("needed for the plan: {count}", count=format_number(dashed[0].get_ydata()[0], about.language)))
    if handles:
        ax.legend(handles, names, ncols=3 if len(names) > 4 else len(names), loc="upper left", bbox_to_anchor=(0, -0.1),
                  borderaxespad=0, columnspacing=1.2, handlelength=1.2, handletextpad=0.5)


def _headline(table: pd.DataFrame, word: str, about: About) -> str:
    known = table[table["mean_count"].notna() & table["complete"].astype(bool)]
    if known.empty:
        count = int(table["complete"].sum())
        if count >= FEWEST_PERIODS:
            return about.say("Fewer than one lead {in_period} on average: too few to tell signal from noise",
                             in_period=phrase("in_a", word, about))
        return about.say("{periods}: too few to tell signal from noise, it takes {fewest}", fewest=FEWEST_PERIODS,
                         periods=complete(count, word, about))
    outside, run = (int((known["signal"] == signal).sum()) for signal in _SIGNALS)
    if not outside + run:
        return about.say("All {periods} lie within the limits: their ups and downs are noise",
                         periods=complete(len(known), word, about))
    said = {"outside": counted(outside, word, about), "run": counted(run, word, about), "rest": len(known) - outside - run}
    if not run:
        return about.say("{outside} outside the limits; the other {rest} are noise", **said)
    if not outside:
        return about.say("{run} in runs of eight or more; the other {rest} are noise", **said)
    return about.say("{outside} outside the limits and {run} in runs of eight or more; the other {rest} are noise", **said)


def _signal_count(part: pd.DataFrame, about: About) -> str:
    if part["mean_count"].isna().all():
        return about.say("too few for limits")
    count = int(part["signal"].isin(list(_SIGNALS)).sum())
    return about.plural(count, "{count} signal", "{count} signals", count=count)


def _groups_headline(table: pd.DataFrame, group: str, word: str, about: About) -> str:
    signals = table[table["signal"].isin(list(_SIGNALS))].groupby(group).size().sort_values(ascending=False, kind="stable")
    if table["mean_count"].isna().all():
        return about.say("Too few leads or periods to tell signal from noise in any group")
    if signals.empty:
        return about.say("In no group {does_one_stand_out}: all ups and downs are noise",
                         does_one_stand_out=phrase("stands_out", word, about))
    return about.say("Most signals in “{group}”: {periods}", group=about.label(signals.index[0]),
                     periods=counted(int(signals.iloc[0]), word, about))


def _below(table: pd.DataFrame, word: str, about: About) -> str:
    limits = (about.say("band: mean ± 2.66 × mean moving range") if table["mean_count"].notna().any() else
              about.say("no limits yet"))
    return style.dotted(about.say("new leads {per_period}", per_period=phrase("per", word, about)), limits,
                        f"n = {format_count(table['leads_count'].sum(), about.language)}")


def plot_weekday_profile(profile: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Leads a day by weekday as bars with their 95 % limits, against the mean of all days.

    `profile` is `lead_flow.weekday_profile(process)`.
    """
    about = about_of(profile)
    days, weeks = profile["days_count"].sum(), int(profile["days_count"].max())
    with style.drawn():
        ax = style.new_axes(ax, 3.0)
        if not days:
            headline = about.say("No whole week has been observed yet: weekdays cannot be compared")
            return style.untold(ax, headline, about.say("new leads by weekday"), about)
        values = profile["leads_per_day"].to_numpy(dtype=float)
        low, high = profile["leads_low_per_day"].to_numpy(dtype=float), profile["leads_high_per_day"].to_numpy(dtype=float)
        mean = float(np.average(values, weights=profile["days_count"]))
        apart = (low > mean) | (high < mean)
        positions = np.arange(len(profile))
        ax.bar(positions, values, width=0.66, color=[style.BLUE if one else style.SKY for one in apart])
        ax.vlines(positions, low, high, color=style.INK, linewidth=1.1)
        for position, value, end in zip(positions, values, high, strict=True):
            ax.annotate(format_number(value, about.language), (position, end), (0, 3), textcoords="offset points", ha="center",
                        fontsize=9)
        _level(ax, mean, about.say("mean {number}", number=format_number(mean, about.language)), style.GREY, "--", True)
        ax.set_xticks(positions, [about.labels.get(key, term(key).label(about.language)) for key in profile["weekday"]])
        ax.tick_params(axis="x", length=0)
        ax.set_ylim(0, max(float(high.max()), 1e-9) * 1.15)
        style.number_axis(ax, term("leads_per_day").label(about.language), about, "y")
        style.title(ax, _week_headline(profile, apart, about),
                    style.dotted(about.say("mean leads a day, 95 % limits"),
                                 about.plural(weeks, "{count} whole week", "{count} whole weeks",
                                              count=format_count(weeks, about.language)),
                                 f"n = {format_count(profile['leads_count'].sum(), about.language)}",
                                 about.say("dark: limits lie off the mean")), about)
        return ax


def _week_headline(profile: pd.DataFrame, apart: np.ndarray, about: About) -> str:
    if not apart.any():
        return about.say("No weekday stands out from the mean by more than chance makes")
    order = profile.sort_values("leads_per_day", kind="stable")
    most, least = order.iloc[-1], order.iloc[0]
    return about.say("Most leads: {best_day} ({most} a day); fewest: {worst_day} ({least})", best_day=_day(most.weekday, about),
                     most=format_number(most.leads_per_day, about.language), worst_day=_day(least.weekday, about),
                     least=format_number(least.leads_per_day, about.language))


def _day(key: str, about: About) -> str:
    """The day inside a sentence, where only English writes it with a capital."""
    name = about.labels.get(key, term(key).label(about.language))
    return name if about.language == "en" else name.lower()
