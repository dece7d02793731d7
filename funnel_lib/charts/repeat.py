"""Chart of what the sales are made of from period to period: first, repeat and reactivated ones, in orders and in money."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.lead_flow import unfinished
from funnel_lib.charts.period_words import phrase
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_moment, format_share

MOST_PERIODS = 24
# Bars narrower than this many letters carry no number.
MOST_NUMBERED = 16
KINDS = {"repeat": style.BLUE, "reactivated": style.SKY, "first": style.ORANGE, "unattributed": style.GREY}
AGAIN = ("repeat", "reactivated")
PALE = 0.45
PANELS = (("orders_share", "orders_count"), ("amount_share", "amount"))


def plot_sales_over_time(split: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Stacked bars per period, above of the orders, below of the money; what clients who had bought before made is at the bottom
    with its share on it, sales to referred clients are hatched, unfinished periods lighter.

    `split` is `loyalty.sales_split(process, per="quarter")`; the panels are `ax.child_axes`.
    """
    about = about_of(split)
    starts = sorted(split["period_start"].unique())
    split = split[split["period_start"].isin(starts[-MOST_PERIODS:])]
    word = style.period_word(starts)
    with style.drawn():
        ax = style.new_axes(ax, 4.4)
        ax.axis("off")
        for number, (share, total) in enumerate(PANELS):
            panel = ax.inset_axes((0.06, 0.56 - 0.5 * number, 0.94, 0.38))
            _stacks(panel, split, share, about)
            panel.set_title(term(total).label(about.language), fontsize=9.5, loc="left")
            if number == 0:
                panel.set_xticklabels([])
        _legend(ax, split, about)
        style.title(ax, _headline(split[split["complete"].astype(bool)], word, about), _below(split, starts, word, about), about)
        return ax


def _below(split: pd.DataFrame, starts: list, word: str, about: About) -> str:
    older = int(split["perhaps_older_count"].sum())
    return style.dotted(
        about.say("% of the paid orders and of their amount; the numbers: repeat and reactivated together"),
        f"n = {format_count(split['orders_count'].sum(), about.language)}",
        about.say("the latest {shown} of {all}", shown=MOST_PERIODS, all=len(starts)) if len(starts) > MOST_PERIODS else "",
        about.say("first orders that may be repeat ones: {count}", count=format_count(older, about.language)) if older else "",
        "" if split["complete"].astype(bool).all() else unfinished(word, about))


def _stacks(panel: Axes, split: pd.DataFrame, share: str, about: About) -> None:
    starts = pd.DatetimeIndex(sorted(split["period_start"].unique()))
    # By the calendar, so that a period without an order leaves a gap.
    days = np.asarray((starts - starts[0]).days, dtype=float)
    width = 0.86 * float(np.diff(days).min(initial=31.0 if len(days) < 2 else np.inf))
    for at, start in zip(days, starts, strict=True):
        part = split[split["period_start"] == start].set_index("kind")
        bottom = 0.0
        for kind, paint in KINDS.items():
            for row in part[part.index == kind].itertuples():
                height = float(np.nan_to_num(getattr(row, share)))
                panel.bar(at, height, bottom=bottom, width=width, color=paint, edgecolor="white", linewidth=0.5,
                          hatch="///" if row.referred else None, alpha=1.0 if row.complete else PALE)
                bottom += height
            if kind == AGAIN[-1] and len(starts) <= MOST_NUMBERED and bottom > 0:
                panel.text(at, bottom / 2, f"{bottom * style.PERCENT:.0f}", ha="center", va="center", fontsize=9, color=style.INK,
                           bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.0})
    step = max(1, int(np.ceil(len(starts) / 6)))
    panel.set_xticks(days[::step], [format_moment(start, about.language) for start in starts[::step]])
    panel.set_ylim(0, 1)
    panel.set_yticks([0, 0.5, 1])
    style.share_axis(panel, "", about, "y")


def _legend(ax: Axes, split: pd.DataFrame, about: About) -> None:
    kinds = [kind for kind in KINDS if split.loc[split["kind"] == kind, "orders_count"].sum() > 0]
    handles = [Rectangle((0, 0), 1, 1, color=KINDS[kind]) for kind in kinds]
    names = [about.label(kind) for kind in kinds]
    if split.loc[split["referred"].astype(bool), "orders_count"].sum() > 0:
        handles.append(Rectangle((0, 0), 1, 1, facecolor=style.PALE, hatch="///", edgecolor="white"))
        names.append(about.label("referred"))
    ax.legend(handles, names, ncols=5, loc="upper left", bbox_to_anchor=(0.04, -0.03), handlelength=1.2, columnspacing=1.2,
              borderaxespad=0)


def _headline(done: pd.DataFrame, word: str, about: About) -> str:
    shares = done[done["kind"].isin(AGAIN)].groupby("period_start")["orders_share"].sum(min_count=1).dropna()
    if shares.empty:
        return about.say("{no_period_is_over}: how the repeat share moves cannot be seen",
                         no_period_is_over=phrase("none_over", word, about))
    low, high, last = (format_share(share, about.language) for share in (shares.min(), shares.max(), shares.iloc[-1]))
    if len(shares) == 1:
        return about.say("{in_the_only_period} clients who had bought before made {share} of the orders", share=last,
                         in_the_only_period=phrase("only_whole", word, about))
    return about.say("Clients who had bought before made {share} of the orders {of_the_last_period}, between {low} and {high} in "
                     "each", share=last, of_the_last_period=phrase("last_whole", word, about), low=low, high=high)
