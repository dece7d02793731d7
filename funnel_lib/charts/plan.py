"""Charts of the plan: gain against budget, who does what when, and how long an effect takes to show."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.improvement import effect_text
from funnel_lib.language.formats import (
    format_count,
    format_moment,
    format_money,
    format_number,
    is_available,
)

MOST_ROWS = 12
YEAR_WEEKS, FAR_WEEKS = 52, 520
CALENDAR_DAYS = 365


def plot_plan_frontier(frontier: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The most that measures gain for each budget, as steps with 95 % limits; where a sum brings back itself is a dashed line.

    `frontier` is `improvement.plan_frontier(process)`.
    """
    about = about_of(frontier)
    budget, gain = (frontier[name].to_numpy(dtype=float) for name in ("budget_amount", "gain_amount"))
    right = max(float(budget.max()) * 1.12, 1.0)
    with style.drawn():
        ax = style.new_axes(ax, 4.2)
        edges = [*budget, right]
        ax.fill_between(edges, [*frontier["low_amount"], frontier["low_amount"].iloc[-1]],
                        [*frontier["high_amount"], frontier["high_amount"].iloc[-1]], step="post", color=style.SKY, alpha=0.2,
                        linewidth=0)
        ax.step(edges, [*gain, gain[-1]], where="post", color=style.BLUE, linewidth=1.8)
        top = max(float(frontier["high_amount"].max()), 1.0) * 1.12
        even = min(right, top)
        ax.plot([0, even], [0, even], linestyle="--", color=style.GREY, linewidth=1)
        ax.annotate(about.say("gain = cost"), (even * 0.93, even * 0.93), (9, 0), textcoords="offset points", va="center",
                    color=style.GREY, fontsize=9)
        best = frontier[frontier["chosen"].astype(bool)]
        ax.plot(best["budget_amount"], best["gain_amount"], "o", color=style.GREEN, markersize=8, zorder=5)
        for row in best.itertuples():
            text = about.plural(row.measures_count, "the plan: {count} measure", "the plan: {count} measures",
                                count=format_count(row.measures_count, about.language))
            ax.annotate(text, (row.budget_amount, row.gain_amount), (8, -12),
                        textcoords="offset points", va="top", fontsize=9, color=style.GREEN, fontweight="bold")
        ax.set_xlim(0, right)
        ax.set_ylim(min(0.0, float(frontier["low_amount"].min())), top)
        style.money_axis(ax, about.say("budget: all that the set costs until 12 months at work are over"), about)
        ax.yaxis.set_major_locator(style.plt.MaxNLocator(5))
        ax.yaxis.set_major_formatter(lambda value, _: format_money(value, about.language, about.currency))
        ax.set_ylabel(about.say("gain of the first 12 months"))
        ax.grid(axis="y")
        below = (about.say("best set for each budget, all effects together, 95 % limits; all sets compared")
                 if frontier["exact"].all() else
                 about.say("best set for each budget, all effects together, 95 % limits; a good set, not surely the best one"))
        style.title(ax, _frontier_headline(frontier, best, about), below, about)
        return ax


def _frontier_headline(frontier: pd.DataFrame, best: pd.DataFrame, about: About) -> str:
    if best.empty or not best["measures_count"].iloc[0] > 0:
        return about.say("No budget pays: no set of measures gains more than it costs")
    row = best.iloc[0]
    cost, gain = (format_money(value, about.language, about.currency) for value in (row.cost_amount, row.gain_amount))
    return (about.say("{cost} bring {gain}; more money brings less than it costs", cost=cost, gain=gain)
            if row.cost_amount < frontier["cost_amount"].max() else about.say("{cost} bring {gain}", cost=cost, gain=gain))


def plot_plan_calendar(calendar: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The measures of the plan as bars in time, the earliest on top: pale until they work, with owner and the day of payback.

    `calendar` is `improvement.plan_calendar(process)`.
    """
    about, table = about_of(calendar), calendar.head(MOST_ROWS)
    first = table["starts"].min()
    last = max(table["works_from"].max(), table["pays_from"].max() if table["pays_from"].notna().any() else first,
               first + pd.Timedelta(days=CALENDAR_DAYS))
    with style.drawn():
        ax = style.new_axes(ax, 1.6 + 0.55 * len(table))
        for at, row in enumerate(table.itertuples()):
            end = row.ends if is_available(row.ends) and row.ends < last else last
            works = min(row.works_from, end)
            ax.barh(at, works - row.starts, left=row.starts, height=0.5, color=style.SKY, alpha=0.5, edgecolor=style.SKY,
                    linestyle="--")
            ax.barh(at, end - works, left=works, height=0.5, color=style.BLUE)
            name = about.say("nobody named") if row.owner == "(missing)" else about.label(row.owner)
            start = format_moment(row.starts, about.language)
            ax.annotate(about.say("{owner} · from {date}", owner=name, date=start), (row.starts, at - 0.3), va="bottom", fontsize=9,
                        color=style.INK)
            if is_available(row.pays_from):
                ax.plot(row.pays_from, at, "D", color="white", markeredgecolor=style.INK, markersize=6, zorder=5)
        ax.set_yticks(range(len(table)), [style.wrapped(about.label(key)) for key in table["measure"]])
        ax.set_ylim(len(table) - 0.4, -0.75)
        ax.set_xlim(first - pd.Timedelta(days=8), last + pd.Timedelta(days=8))
        style.date_axis(ax, about)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
        style.title(ax, _calendar_headline(table, about),
                    about.say("pale: not at work yet · diamond: paid back, as far as the estimate goes"), about)
        return ax


def _calendar_headline(table: pd.DataFrame, about: About) -> str:
    row, number = table.iloc[0], len(table)
    nobody = int((table["owner"] == "(missing)").sum())
    head = about.plural(number, "{count} measure to do; first “{measure}”, from {date}",
                        "{count} measures to do; first “{measure}”, from {date}", count=format_count(number, about.language),
                        measure=about.label(row.measure), date=format_moment(row.starts, about.language))
    return about.say("{to_do}; {count} without an owner", to_do=head, count=nobody) if nobody else head


def plot_detectability(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Weeks of a trial until the likely effect of each measure shows, on a scale of powers; a year is the dashed line.

    `table` is `improvement.detectability(process)`; measures that no trial shows are named under the title.
    """
    about = about_of(table)
    known = table[table["weeks_to_see"].notna()].head(MOST_ROWS)
    none = [about.label(key) for key in table.loc[table["weeks_to_see"].isna(), "measure"]]
    below = style.dotted(about.say("weeks of a randomised trial, 80 % power, 5 % two-sided"),
                         about.say("no trial shows: {measures}", measures=", ".join(none)) if none else "")
    with style.drawn():
        if known.empty:
            return style.untold(style.new_axes(ax, 1.6), about.say("No planned measure can be tried with this flow"), below, about)
        ax = style.new_axes(ax, 1.7 + 0.5 * len(known))
        weeks = known["weeks_to_see"].to_numpy(dtype=float)
        quick = weeks <= YEAR_WEEKS
        positions = np.arange(len(known))
        ends = np.minimum(weeks, FAR_WEEKS)
        left = min(1.0, float(weeks.min()) / 2)
        ax.barh(positions, ends - left, left=left, height=0.56, color=[style.GREEN if one else style.GREY for one in quick])
        for at, row in enumerate(known.itertuples()):
            ax.annotate(_weeks_text(row, about), (ends[at], at), (6, 0), textcoords="offset points", va="center", fontsize=9,
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})
        ax.set_xscale("log")
        ax.set_xlim(left, FAR_WEEKS * 25)
        ax.set_xticks([tick for tick in (1, 4, 12, 52, 520) if tick >= left],
                      [format_number(tick, about.language) for tick in (1, 4, 12, 52, 520) if tick >= left])
        ax.minorticks_off()
        ax.axvline(YEAR_WEEKS, color=style.VERMILION, linestyle="--", linewidth=1.1)
        ax.annotate(about.say("a year"), (YEAR_WEEKS, -0.45), (4, 0), textcoords="offset points", color=style.VERMILION, fontsize=9,
                    va="bottom")
        ax.set_yticks(positions, [style.wrapped(about.label(key)) for key in known["measure"]])
        ax.set_ylim(len(known) - 0.5, -0.9)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel(about.say("weeks of trial"))
        head = about.plural(int(quick.sum()), "{count} of {measures} planned measures can be seen within a year of trial",
                            "{count} of {measures} planned measures can be seen within a year of trial",
                            count=format_count(int(quick.sum()), about.language), measures=format_count(len(table), about.language))
        style.title(ax, head, below, about)
        return ax


def _weeks_text(row: object, about: About) -> str:
    weeks = round(row.weeks_to_see)
    lines = [about.plural(weeks, "{weeks} week, {cases} in each", "{weeks} weeks, {cases} in each",
                          weeks=format_number(weeks, about.language), cases=format_count(row.group_size_count, about.language))
             if row.weeks_to_see <= FAR_WEEKS else about.say("over 10 years")]
    if row.proxy_step:
        lines.append(about.say("at “{step}”: {weeks}", step=about.label(row.proxy_step),
                               weeks=format_number(round(row.proxy_weeks), about.language)))
    elif is_available(row.seen_in_52_weeks_share):
        lines.append(about.say("a year shows {effect} or more", effect=effect_text(row.seen_in_52_weeks_share, row.moves, about)))
    return "\n".join(lines)

