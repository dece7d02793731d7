"""Chart of attribution: what each model credits to each channel, and where the models disagree."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_number
from funnel_lib.rates import FEW

# Model → mark and colour; the first touch points back, the last one on.
_MARKS = {"first": ("<", style.ORANGE), "last": (">", style.BLUE), "linear": ("s", style.GREY), "time_decay": ("v", style.SKY),
          "position": ("D", style.PURPLE), "markov": ("o", style.GREEN)}
# Figures this close are the same figure.
SAME = 0.05
# More letters than these do not fit on one line of the legend.
LEGEND_LETTERS = 56


def plot_attribution_models(models: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Per channel the range of the conversions that the models credit to it, a mark per model; the widest range on top.

    The range is orange where the models differ by more than chance would make. `models` is `lead_flow.attribution_models(process)`.
    """
    about = about_of(models)
    shown = _shown(models)
    positions = np.arange(len(shown))
    with style.drawn():
        ax = style.new_axes(ax, 2.1 + 0.42 * len(shown))
        for position, row in zip(positions, shown.itertuples(), strict=True):
            colour = style.VERMILION if row.models_differ else style.PALE
            ax.plot([row.smallest_conversions, row.largest_conversions], [position, position], color=colour, linewidth=5,
                    solid_capstyle="round", alpha=0.6 if row.models_differ else 1.0)
            ax.annotate(_range(row, about), (row.largest_conversions, position), (10, 0), textcoords="offset points", va="center",
                        fontsize=9, color=style.INK)
        for model, (mark, colour) in _MARKS.items():
            ax.scatter(shown[f"{model}_conversions"], positions, marker=mark, s=42, color=colour, edgecolor="white", linewidth=0.7,
                       zorder=3, label=term(f"{model}_conversions").label(about.language))
        ax.set_yticks(positions, [style.wrapped(about.label(key)) for key in shown["channel"]])
        ax.set_ylim(len(shown) - 0.5, -0.5)
        ax.set_xlim(0, max(1.0, float(shown["largest_conversions"].max())) * 1.2)
        ax.set_xlabel(term("conversions").label(about.language))
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        letters = len("".join(ax.get_legend_handles_labels()[1]))
        ax.legend(ncols=6 if letters <= LEGEND_LETTERS else 3, loc="upper left", borderaxespad=0, handletextpad=0.2,
                  bbox_to_anchor=(-0.02, -0.55 / len(shown) - 0.1), columnspacing=1.1)
        total = models["first_conversions"].sum()
        what = about.say("conversions that six models credit to a channel, each adds up to {total}",
                         total=format_count(total, about.language))
        wider = about.say("orange: wider than by chance") if shown["models_differ"].any() else ""
        dropped = about.say("{shown} of {all} rows, the widest ranges", shown=len(shown), all=len(models))
        style.title(ax, _headline(models, total, about), style.dotted(what, wider, dropped if len(shown) < len(models) else ""),
                    about)
        return ax


def _shown(models: pd.DataFrame) -> pd.DataFrame:
    """As many rows as fit; the last one of leads without touches stays."""
    if len(models) <= style.MOST_CATEGORIES:
        return models
    last = models[models["channel"] == "(no touches)"]
    return pd.concat([models.drop(last.index).head(style.MOST_CATEGORIES - len(last)), last])


def _range(row: tuple, about: About) -> str:
    low, high = (format_number(value, about.language) for value in (row.smallest_conversions, row.largest_conversions))
    return high if low == high or row.spread_conversions < SAME else f"{low}–{high}"


def _headline(models: pd.DataFrame, total: float, about: About) -> str:
    first = models.iloc[0]
    if not total:
        return about.say("No lead has converted yet: there is nothing to attribute")
    if first["spread_conversions"] < SAME:
        return about.say("All models of attribution agree")
    widest = {"channel": about.label(first["channel"]), "range": _range(first, about)}
    if total < FEW:
        return about.say("Too few conversions to tell the models apart; the widest range is “{channel}”: {range} conversions",
                         **widest)
    if not models["models_differ"].any():
        return about.say("Models of attribution agree but for chance; the widest range is “{channel}”: {range} conversions",
                         **widest)
    first = first if first["models_differ"] else models[models["models_differ"]].iloc[0]
    return about.say("Models of attribution disagree most on “{channel}”: {range} conversions",
                     channel=about.label(first["channel"]), range=_range(first, about))
