"""Charts of recommendations: referred clients against the others, who brought whom, and the loyalty index."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.period_words import phrase
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_moment, format_number, format_value, is_available
from funnel_lib.language.messages import marked

# -- referred against the others ------------------------------------------------------------------------------------------

PANELS = (("won", "won_share", "base_count"), ("again", "again_share", "year_customers_count"),
          ("margin", "customer_margin_amount", "year_customers_count"))
PANEL_TOP = 0.84
SAID = {("won", "above"): marked("recommended leads buy more often"), ("won", "below"): marked("recommended leads buy less often"),
        ("again", "above"): marked("recommended clients come back more often"),
        ("again", "below"): marked("recommended clients come back less often"),
        ("margin", "above"): marked("recommended clients bring more in their first year"),
        ("margin", "below"): marked("recommended clients bring less in their first year")}


def plot_referred_comparison(comparison: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Three panels of bars with 95 % limits, one bar per origin: conversion, buying again, margin of the first year.

    `comparison` is `loyalty.referred_comparison(process)`; the panels are `ax.child_axes`; few cases and unknown origins are
    lighter.
    """
    about = about_of(comparison)
    comparison = comparison[(comparison["leads_count"].fillna(0) + comparison["customers_count"] > 0) | (comparison.index == 0)]
    with style.drawn():
        ax = style.new_axes(ax, 2.7)
        style.rows_of_panels(ax, [style.wrapped(about.label(key), 16) for key in comparison["origin"]], PANEL_TOP)
        for number, (_, column, whole) in enumerate(PANELS):
            panel = ax.inset_axes((number / len(PANELS), 0, 0.92 / len(PANELS), PANEL_TOP))
            _panel(panel, comparison, column, whole, about)
        verdicts = comparison.iloc[0]
        parts = [about.say(SAID[key]) for key in ((name, verdicts[f"{name}_verdict"]) for name, *_ in PANELS) if key in SAID]
        told = any(verdicts[f"{name}_verdict"] == "no_difference" for name, *_ in PANELS)
        headline = "; ".join(parts) if parts else (
            about.say("Recommended clients and the others cannot be told apart") if told
            else about.say("Too few recommended clients to compare them with the others yet"))
        below = about.say("95 % limits; in brackets: out of how many · paler: fewer than 30, or origin unknown · no proof of cause")
        style.title(ax, headline, below, about)
        return ax


def _panel(panel: Axes, table: pd.DataFrame, column: str, whole: str, about: About) -> None:
    low, high = (column.replace("_share", f"_{side}_share").replace("_amount", f"_{side}_amount") for side in ("low", "high"))
    unit, values = term(column).unit, table[column].to_numpy(dtype=float)
    texts = [format_value(value, unit, about.language, about.currency)
             + (f" ({format_count(number, about.language)})" if is_available(value) else "")
             for value, number in zip(values, table[whole], strict=True)]
    pale = (table["origin"] == "unknown") | ~(table[whole].fillna(0) >= 30)
    style.bars(panel, [""] * len(table), values, low=table[low], high=table[high], texts=texts, light=pale,
               colours=[style.colour(key, about) for key in table["origin"]])
    left, right = panel.get_xlim()
    panel.set_xlim(left, left + (right - left) * 1.5)
    panel.set_yticks([])
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)
    panel.set_title(style.wrapped(term(column).label(about.language), 26), fontsize=9.5, loc="left")


# -- who brought whom -----------------------------------------------------------------------------------------------------

# Of one tree at most so many people and levels are drawn, and so many trees.
MOST_NODES, MOST_LEVELS, MOST_TREES = 44, 4, 8
# And of those whom one person brought.
MOST_BROUGHT = 16
# The width of a row of trees in leaves, and what the name of a tree takes.
ROW_WIDTH, LEAST_WIDTH = 44, 10
HEAD, FOOT, LEVEL_INCHES = 1.2, 0.8, 0.42
NAME_LETTERS = 18


def plot_referral_forest(forest: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The largest trees of recommendations, each from its recommender down; small ones are counted in the line under the title.

    `forest` is `loyalty.referral_forest(process)`. A dot is a client, the larger the more they paid; hollow: no order in this
    process. Of a large tree the top is drawn, with the number of those left out below it.
    """
    about = about_of(forest)
    roots = forest[forest["generation"] == 0]
    large = roots[roots["chain_count"] > 1] if (roots["chain_count"] > 1).any() else roots
    drawn = [_top(forest[forest["tree_id"] == name]) for name in large["customer_id"].head(MOST_TREES)]
    corners, height = _packed(drawn)
    with style.drawn():
        ax = style.new_axes(ax, 0.8 + LEVEL_INCHES * height)
        most = max(float(forest["amount"].max()), 1e-9)
        for tree, corner in zip(drawn, corners, strict=True):
            _tree(ax, tree, corner, most, about)
        ax.set_xlim(-1, ROW_WIDTH)
        ax.set_ylim(height - 0.4, 0)
        ax.axis("off")
        style.title(ax, _forest_headline(forest, about), _forest_line(pd.concat(drawn), roots.iloc[len(drawn):], about), about)
        return ax


def _top(tree: pd.DataFrame) -> pd.DataFrame:
    """The first levels of a tree, at most so many people, those with the most below them first."""
    parts, names = [], set()
    for generation, part in tree.groupby("generation"):
        part = part if generation == 0 else part[part["referred_by"].isin(names)].groupby("referred_by").head(MOST_BROUGHT)
        room = MOST_NODES - sum(map(len, parts))
        if generation > MOST_LEVELS or room <= 0:
            break
        parts.append(part.head(room))
        names = set(parts[-1]["customer_id"])
    return pd.concat(parts)


def _places(tree: pd.DataFrame) -> dict[str, float]:
    """How far to the right each person stands: leaves side by side, everybody else over the middle of those below."""
    below = tree.groupby("referred_by", sort=False)["customer_id"].agg(list).to_dict()
    places, free = {}, count()

    def place(name: str) -> float:
        under = [place(other) for other in below.get(name, [])]
        places[name] = (under[0] + under[-1]) / 2 if under else float(next(free))
        return places[name]

    place(tree["customer_id"].iloc[0])
    return places


def _packed(trees: list[pd.DataFrame]) -> tuple[list[tuple[float, float]], float]:
    """The left upper corner of each tree, row by row, and the height of all rows."""
    corners, left, top, deepest = [], 0.0, 0.0, 0
    for tree in trees:
        width = max(len(tree) - tree["referred_by"].nunique(), LEAST_WIDTH)
        if left and left + width > ROW_WIDTH:
            left, top, deepest = 0.0, top + HEAD + deepest + FOOT, 0
        corners.append((left, top))
        left, deepest = left + width + 1, max(deepest, int(tree["generation"].max()))
    return corners, top + HEAD + deepest + FOOT


def _tree(ax: Axes, tree: pd.DataFrame, corner: tuple[float, float], most: float, about: About) -> None:
    places, (left, top) = _places(tree), corner
    root = tree.iloc[0]
    for row in tree.itertuples():
        x, y = left + places[row.customer_id], top + HEAD + row.generation
        if row.generation:
            ax.plot([left + places[row.referred_by], x], [y - 1, y], color=style.GREY, linewidth=0.8, zorder=1)
        paint = style.BLUE if row.generation == 0 else style.PURPLE
        ax.scatter(x, y, s=18 + 110 * max(row.amount, 0.0) / most, color=paint if row.is_customer else "white", edgecolor=paint,
                   zorder=2)
    name = str(root.customer_id)
    name = name if len(name) <= NAME_LETTERS else name[:NAME_LETTERS - 1] + "…"
    brought, whole = format_count(root.referred_count, about.language), format_count(root.chain_count, about.language)
    said = (about.say("brought {count}, {all} in all", count=brought, all=whole) if root.chain_count > root.referred_count else
            about.say("brought {count}", count=brought))
    # A name may hold a dollar sign, which is no formula.
    ax.text(left - 0.3, top + HEAD - 0.34, f"{name}\n{said}", fontsize=9, va="bottom", color=style.INK, parse_math=False)
    hidden = root.chain_count + 1 - len(tree)
    if hidden:
        ax.text(left - 0.3, top + HEAD + tree["generation"].max() + 0.3, 
                about.say("and {count} more", count=format_count(hidden, about.language)), fontsize=9, va="top", color=style.GREY)


def _forest_headline(forest: pd.DataFrame, about: About) -> str:
    counts = forest.loc[forest["referred_count"] > 0, "referred_count"]
    most, best = format_count(counts.max(), about.language), int((counts == counts.max()).sum())
    if best > 1:
        said = {"people": format_count(len(counts), about.language), "most": most}
        if best == len(counts):
            return about.plural(len(counts), "{people} people recommend; each brought {most}",
                                "{people} people recommend; each brought {most}", **said)
        return about.plural(len(counts), "{people} people recommend; the most that one of them brought is {most}",
                            "{people} people recommend; the most that one of them brought is {most}", **said)
    return about.say("One recommender brought {most} of the {named} new clients whose recommender is named", most=most,
                     named=format_count(counts.sum(), about.language))


def _forest_line(drawn: pd.DataFrame, rest: pd.DataFrame, about: About) -> str:
    single = int((rest["chain_count"] == 1).sum())
    small = len(rest) - single
    return style.dotted(
        about.say("not drawn, smaller trees: {count}", count=format_count(small, about.language)) if small else "",
        about.say("not drawn, recommenders of one client: {count}", count=format_count(single, about.language)) if single else "",
        about.say("a dot is a client, larger: paid more; blue: recommender at the root"),
        "" if drawn["is_customer"].all() else about.say("hollow: no order in this process"))


# -- the loyalty index ------------------------------------------------------------------------------------------------------

MOST_PERIODS = 8
# How far under the bars the legend stands, in bars.
LEGEND_ROWS = 1.0
ANSWERS = {"detractors_count": style.VERMILION, "promoters_count": style.GREEN, "passives_count": style.PALE}


def plot_loyalty_index(over_time: pd.DataFrame, index: Any = None, ax: Axes | None = None) -> Axes:
    """One bar per period: detractors left of zero, promoters and passives right of it; a diamond with 95 % limits is the index.

    `over_time` is `loyalty.loyalty_over_time(process)`, `index` `loyalty.loyalty_index(process)`, drawn first. Periods with few
    answers, or not over, are lighter.
    """
    about = about_of(over_time)
    word = style.period_word(over_time["period_start"])
    table = over_time.tail(MOST_PERIODS)
    with style.drawn():
        ax = style.new_axes(ax, 1.7 + 0.36 * (len(table) + (index is not None)))
        rows = [(format_moment(row.period_start, about.language), row, row.few or not row.complete) for row in table.itertuples()]
        rows = [(about.say("all together"), index, index.customers_count < 30), *rows] if index is not None else rows
        for place, (_, row, pale) in enumerate(rows):
            _answers(ax, place, row, 0.4 if pale else 1.0, about)
        ax.set_yticks(range(len(rows)), [f"{name} ({format_count(row.customers_count, about.language)})" for name, row, _ in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.axvline(0, color=style.GREY, linewidth=0.8)
        ax.set_xlim(-1, 1)
        ax.set_xticks([-1, -0.5, 0, 0.5, 1])
        ax.xaxis.set_major_formatter(lambda value, _: _points(value, about))
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        handles = [Rectangle((0, 0), 1, 1, color=paint) for paint in ANSWERS.values()]
        handles.append(Line2D([], [], color=style.INK, marker="D", markersize=5))
        names = [style.wrapped(term(name).label(about.language), 24) for name in (*ANSWERS, "nps_share")]
        ax.legend(handles, names, ncols=4, loc="upper left", bbox_to_anchor=(-0.1, -LEGEND_ROWS / len(rows)), handlelength=1.2,
                  columnspacing=1.0, borderaxespad=0)
        lighter = (about.say("lighter: fewer than 30 clients, or {not_over}", not_over=phrase("not_over", word, about))
                   if any(pale for *_, pale in rows) else "")
        below = about.say("would you recommend us, 0 to 10; the latest answer of each client, 95 % limits")
        style.title(ax, _index_headline(rows[0][1], about), style.dotted(below, lighter), about)
        return ax


def _answers(ax: Axes, place: int, row: Any, alpha: float, about: About) -> None:
    people = row.customers_count or np.nan
    unhappy, happy, between = (np.nan_to_num(getattr(row, name) / people) for name in ANSWERS)
    for left, width, paint in zip((-unhappy, 0, happy), (unhappy, happy, between), ANSWERS.values(), strict=True):
        ax.barh(place, width, left=left, height=0.62, color=paint, alpha=alpha)
    if is_available(row.nps_share):
        ax.hlines(place, row.nps_low_share, row.nps_high_share, color=style.INK, linewidth=1.3)
        ax.plot(row.nps_share, place, "D", color=style.INK, markersize=5)
        ax.annotate(_points(row.nps_share, about), (1, place), (4, 0), textcoords="offset points", va="center", fontsize=9)


def _points(share: float, about: About) -> str:
    text = format_number(round(share * style.PERCENT), about.language)
    return f"+{text}" if round(share * style.PERCENT) > 0 else text


def _index_headline(row: Any, about: About) -> str:
    if not is_available(row.nps_share):
        return about.say("Nobody has answered yet whether they would recommend")
    index = _points(row.nps_share, about)
    if row.nps_low_share > 0:
        return about.say("More clients would recommend than advise against: loyalty index {index}", index=index)
    if row.nps_high_share < 0:
        return about.say("More clients would advise against than recommend: loyalty index {index}", index=index)
    return about.say("Whether more clients would recommend than advise against cannot be told: loyalty index {index}", index=index)
