"""Chart of groups beside each other: each one's share against its size, with the limits of what chance does."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.language.formats import format_count, format_share
from funnel_lib.pooling import funnel_limits

CURVE_POINTS = 160
FAR_LEVEL = 0.998
# Room for labels, as a part of the width; and under the points, as a part of the height between them and the top.
RIGHT_ROOM, LOWER_ROOM = 0.38, 0.3
# Labels of points stand at least this far apart, in parts of the height of the axes.
LABEL_GAP = 0.065
ALONE_ON_THE_LEFT = 0.2
# So many groups are named in the headline.
MOST_NAMED = 4


def plot_comparison(comparison: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Funnel plot: each group's share against its number of leads, with the limits of what chance does.

    Hollow: the raw share; filled: the pooled one. Between the dashed lines lie 95 of 100 groups that are like all the others,
    between the dotted ones 998 of 1,000. `comparison` is `conversion.comparison(process)`.
    """
    about = about_of(comparison)
    group = comparison.columns[0]
    table = comparison.nlargest(max(style.MOST_CATEGORIES, int(comparison["differs"].sum())), "leads_count")
    table = pd.concat([table, comparison[comparison["differs"]]]).drop_duplicates(group).sort_values("won_share")
    common = float(comparison["common_share"].iloc[0])
    smallest, largest = max(table["leads_count"].min() * 0.7, 0.7), table["leads_count"].max() * 1.3
    sizes = np.unique(np.geomspace(max(smallest, 1), max(largest, smallest + 2), CURVE_POINTS).round())
    with style.drawn():
        ax = style.new_axes(ax, 4.0)
        for level, line in ((0.95, "--"), (FAR_LEVEL, ":")):
            for limit in funnel_limits(common, sizes, level):
                ax.plot(sizes, limit, line, color=style.GREY, linewidth=1.1)
        ax.axhline(common, color=style.GREY, linewidth=1.1)
        highest = max(float(table["won_share"].max()), float(np.nanmax(funnel_limits(common, sizes)[1])))
        lowest = min(float(table["won_share"].min()), float(np.nanmin(funnel_limits(common, sizes, FAR_LEVEL)[0])))
        bottom = max(lowest - LOWER_ROOM * (highest - lowest), 0) if 2 * lowest > highest else 0
        top = min(max(highest + 0.15 * (highest - bottom), 0.05), 1.05)
        ax.set_ylim(bottom, top)
        ax.set_xscale("log")
        ax.set_xlim(smallest, smallest * (sizes[-1] / smallest) ** (1 / (1 - RIGHT_ROOM)))
        places = _spread(((table["won_share"] - bottom) / (top - bottom)).tolist())
        for row, place in zip(table.itertuples(index=False), places, strict=True):
            colour = style.VERMILION if row.differs else style.BLUE
            ax.plot([row.leads_count] * 2, [row.won_share, row.pooled_share], color=colour, linewidth=1)
            ax.plot(row.leads_count, row.won_share, "o", markerfacecolor="white", color=colour)
            ax.plot(row.leads_count, row.pooled_share, "o", color=colour, markersize=4)
            _point_label(ax, row, about.label(row[0]), place, colour, about)
        known = sorted({int(table["leads_count"].min()), int(table["leads_count"].max())})
        ticks = known if len(known) > 1 and known[1] > 2 * known[0] else known[-1:]
        ax.set_xticks(ticks, [format_count(count, about.language) for count in ticks])
        ax.set_xticks([], minor=True)
        ax.set_xlabel(about.say("leads"))
        style.share_axis(ax, about.say("won, of the leads"), about, "y")
        style.title(ax, _comparison_headline(comparison, about),
                    about.say("hollow: won share, filled: pooled with the others · dashed: 95 of 100 groups that are like the "
                              "others lie between, dotted: 998 of 1,000 · n = {leads} leads",
                              leads=format_count(comparison["leads_count"].sum(), about.language)), about)
        return ax


def _spread(heights: list[float]) -> list[float]:
    """Rising heights moved up as little as keeps their labels apart, and down again where they would leave the axes."""
    places: list[float] = []
    for height in heights:
        places.append(max(height, places[-1] + LABEL_GAP) if places else height)
    top = 1.0
    for number in reversed(range(len(places))):
        places[number] = min(places[number], top)
        top = places[number] - LABEL_GAP
    return places


def _point_label(ax: Axes, row: tuple, label: str, place: float, colour: str, about: About) -> None:
    said = {"group": label, "share": format_share(row.won_share, about.language),
            "leads": format_count(row.leads_count, about.language)}
    text = (about.say("{group}  {share} of {leads}: too few", **said) if row.few else
            about.say("{group}  {share} of {leads}", **said))
    along = ax.transAxes.inverted().transform(ax.transData.transform((row.leads_count, row.won_share)))[0]
    # Room beside the point only where it stands alone on the left; the other labels are one column on the right.
    small = along < ALONE_ON_THE_LEFT
    at = (along + 0.03, place) if small else (0.985, place)
    ax.annotate(text, (row.leads_count, row.won_share), at, textcoords="axes fraction", fontsize=9, color=colour, va="center",
                ha="left" if small else "right", arrowprops={"arrowstyle": "-", "color": style.PALE, "linewidth": 0.8},
                bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.85})


def _comparison_headline(comparison: pd.DataFrame, about: About) -> str:
    differing = comparison[comparison["differs"]]
    if differing.empty:
        tested = int((~comparison["few"].astype(bool)).sum())
        if tested < 2:
            return about.say("Too few leads to compare: fewer than two groups have 30")
        return about.say("No ranking: chance alone makes such differences between {count} groups",
                         count=format_count(tested, about.language))
    names = ", ".join(about.say("“{group}” above", group=about.label(row[0])) if row.verdict == "above"
                      else about.say("“{group}” below", group=about.label(row[0]))
                      for row in differing.head(MOST_NAMED).itertuples(index=False))
    rest = len(differing) - MOST_NAMED
    return (about.say("Beyond chance: {groups} and {rest} more", groups=names, rest=rest) if rest > 0 else
            about.say("Beyond chance: {groups}", groups=names))
