"""Charts of the plan: gain against budget, who does what when, and how long an effect takes to show."""

from __future__ import annotations

import matplotlib.dates as mdates
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
        ax.annotate("gain = cost", (even * 0.93, even * 0.93), (9, 0), textcoords="offset points", color=style.GREY, fontsize=9,
                    va="center")
        best = frontier[frontier["chosen"].astype(bool)]
        ax.plot(best["budget_amount"], best["gain_amount"], "o", color=style.GREEN, markersize=8, zorder=5)
        for row in best.itertuples():
            text = f"the plan: {format_count(row.measures_count, about.language)} measures"
            ax.annotate(text if row.measures_count != 1 else "the plan: 1 measure", (row.budget_amount, row.gain_amount), (8, -12),
                        textcoords="offset points", va="top", fontsize=9, color=style.GREEN, fontweight="bold")
        ax.set_xlim(0, right)
        ax.set_ylim(min(0.0, float(frontier["low_amount"].min())), top)
        style.money_axis(ax, "budget: all that the set costs until 12 months at work are over", about)
        ax.yaxis.set_major_locator(style.plt.MaxNLocator(5))
        ax.yaxis.set_major_formatter(lambda value, _: format_money(value, about.language, about.currency))
        ax.set_ylabel("gain of the first 12 months")
        ax.grid(axis="y")
        style.title(ax, _frontier_headline(frontier, best, about), "best set for each budget, all effects together, 95 % limits; "
                    + ("all sets compared" if frontier["exact"].all() else "a good set, not surely the best one"), about)
        return ax


def _frontier_headline(frontier: pd.DataFrame, best: pd.DataFrame, about: About) -> str:
    if best.empty or not best["measures_count"].iloc[0] > 0:
        return "No budget pays: no set of measures gains more than it costs"
    row = best.iloc[0]
    head = (f"{format_money(row.cost_amount, about.language, about.currency)} bring "
            f"{format_money(row.gain_amount, about.language, about.currency)}")
    return f"{head}; more money brings less than it costs" if row.cost_amount < frontier["cost_amount"].max() else head


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
            name = "nobody named" if row.owner == "(missing)" else about.label(row.owner)
            ax.annotate(f"{name} · from {format_moment(row.starts, about.language)}", (row.starts, at - 0.3),
                        va="bottom", fontsize=9, color=style.INK)
            if is_available(row.pays_from):
                ax.plot(row.pays_from, at, "D", color="white", markeredgecolor=style.INK, markersize=6, zorder=5)
        ax.set_yticks(range(len(table)), [style.wrapped(about.label(key)) for key in table["measure"]])
        ax.set_ylim(len(table) - 0.4, -0.75)
        ax.set_xlim(first - pd.Timedelta(days=8), last + pd.Timedelta(days=8))
        ax.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=6))
        ax.xaxis.set_major_formatter(lambda value, _: _day(value, about))
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
        style.title(ax, _calendar_headline(table, about), "pale: not at work yet · diamond: paid back, as far as the estimate goes",
                    about)
        return ax


def _day(value: float, about: About) -> str:
    return format_moment(pd.Timestamp(mdates.num2date(value)).tz_localize(None).normalize(), about.language)


def _calendar_headline(table: pd.DataFrame, about: About) -> str:
    row, number = table.iloc[0], len(table)
    nobody = int((table["owner"] == "(missing)").sum())
    head = (f"{format_count(number, about.language)} {'measure' if number == 1 else 'measures'} to do; first “"
            f"{about.label(row.measure)}”, from {format_moment(row.starts, about.language)}")
    return f"{head}; {nobody} without an owner" if nobody else head


def plot_detectability(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Weeks of a trial until the likely effect of each measure shows, on a scale of powers; a year is the dashed line.

    `table` is `improvement.detectability(process)`; measures that no trial shows are named under the title.
    """
    about = about_of(table)
    known = table[table["weeks_to_see"].notna()].head(MOST_ROWS)
    none = [about.label(key) for key in table.loc[table["weeks_to_see"].isna(), "measure"]]
    below = "weeks of a randomised trial, 80 % power, 5 % two-sided" + (f" · no trial shows: {', '.join(none)}" if none else "")
    with style.drawn():
        if known.empty:
            return style.untold(style.new_axes(ax, 1.6), "No planned measure can be tried with this flow", below, about)
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
        ax.set_xlim(left, FAR_WEEKS * 14)
        ax.set_xticks([tick for tick in (1, 4, 12, 52, 520) if tick >= left],
                      [format_number(tick, about.language) for tick in (1, 4, 12, 52, 520) if tick >= left])
        ax.minorticks_off()
        ax.axvline(YEAR_WEEKS, color=style.VERMILION, linestyle="--", linewidth=1.1)
        ax.annotate("a year", (YEAR_WEEKS, -0.45), (4, 0), textcoords="offset points", color=style.VERMILION, fontsize=9,
                    va="bottom")
        ax.set_yticks(positions, [style.wrapped(about.label(key)) for key in known["measure"]])
        ax.set_ylim(len(known) - 0.5, -0.9)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("weeks of trial")
        head = (f"{format_count(int(quick.sum()), about.language)} of {format_count(len(table), about.language)} planned "
                "measures can be seen within a year of trial")
        style.title(ax, head, below, about)
        return ax


def _weeks_text(row: object, about: About) -> str:
    weeks = "over 10 years"
    if row.weeks_to_see <= FAR_WEEKS:
        weeks = (f"{format_number(round(row.weeks_to_see), about.language)} weeks, "
                 f"{format_count(row.group_size_count, about.language)} in each")
    if row.proxy_step:
        weeks += f"\nat “{about.label(row.proxy_step)}”: {format_number(round(row.proxy_weeks), about.language)}"
    elif is_available(row.seen_in_52_weeks_share):
        weeks += f"\na year shows {effect_text(row.seen_in_52_weeks_share, row.moves, about)}"
    return weeks

