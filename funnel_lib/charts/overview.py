"""The processes side by side: one small panel per figure."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_value, is_available

STAGES = {
    "lead_generation": ("leads_per_week", "target_share"),
    "conversion": ("eventual_share", "median_days"),
    "account_management": ("repeat_share", "referred_share"),
    "all": ("cost_per_result_amount", "margin_per_cost"),
}
# As many letters as fit over both panels, and over one.
LINE_LETTERS, HEAD_LETTERS = 82, 30


def plot_processes(compared: pd.DataFrame, stage: str = "conversion", ax: Axes | None = None) -> Axes:
    """Two panels of bars, one row per process: the two headline figures of a stage, shares with their 95 % limits.

    `compared` is `overview.processes(company)`; `stage` one of the three stages or "all". Returns the first panel.
    """
    about = about_of(compared)
    table = compared.head(style.MOST_CATEGORIES)
    with style.drawn():
        height = 1.8 + 0.42 * len(table)
        panels = plt.subplots(1, 2, figsize=(style.WIDTH_INCHES, height), layout="constrained")[1]
        for panel, name in zip(panels, STAGES[stage], strict=True):
            _panel(panel, table, name, about, style.colour(stage, about))
        panels[1].set_yticks([])
        _title(panels[0].figure, table, stage, about)
        return panels[0]


def _title(figure: Figure, table: pd.DataFrame, stage: str, about: About) -> None:
    """Over both panels: from where to where their figures go, then what is counted."""
    said = (style.wrapped(_range(table, name, about), LINE_LETTERS) for name in STAGES[stage] if table[name].notna().any())
    counted = {"account_management": "orders_count", "all": "customers_count"}.get(stage, "leads_count")
    n = about.say("n = {count} {what}", count=format_count(table[counted].sum(), about.language),
                  what=term(counted).label(about.language).lower())
    limits = about.say("thin lines: 95 % limits") if any(_limits(table, name) for name in STAGES[stage]) else ""
    below = style.dotted(limits, n, style.observed_period(about))
    figure.suptitle("\n".join(said), x=0.01, ha="left", fontsize=11, fontweight="bold")
    figure.text(0.01, -0.03, below, fontsize=9, color=style.GREY, va="top")


def _range(table: pd.DataFrame, name: str, about: About) -> str:
    """The lowest and the highest process of a figure that is known of some."""
    known = table[table[name].notna()].sort_values(name)
    low, high = (about.say("{value} (“{process}”)", value=_value(row[name], name, about), process=about.label(row.process))
                 for row in (known.iloc[0], known.iloc[-1]))
    label = _head(name, about)
    return f"{label}: {high}" if len(known) == 1 else about.say("{label}: from {low} to {high}", label=label, low=low, high=high)


def _head(name: str, about: About) -> str:
    """What a figure is called; the glossary's word for half of something goes for several tables and names none."""
    return about.say("Half of the buyers buy within") if name == "median_days" else term(name).label(about.language)


def _value(value: float, name: str, about: About) -> str:
    return format_value(value if is_available(value) else None, term(name).unit, about.language, about.currency)


def _limits(table: pd.DataFrame, name: str) -> dict[str, pd.Series]:
    """The columns of the 95 % limits, where the figure has them."""
    low, high = (name.removesuffix("_share") + f"_{side}_share" for side in ("low", "high"))
    return {"low": table[low], "high": table[high]} if low in table else {}


def _panel(ax: Axes, table: pd.DataFrame, name: str, about: About, paint: str) -> None:
    texts = [_value(value, name, about) for value in table[name]]
    style.bars(ax, [about.label(key) for key in table["process"]], table[name], colours=paint, texts=texts,
               **_limits(table, name))
    ax.set_title(style.wrapped(_head(name, about), HEAD_LETTERS), fontweight="bold", loc="left", fontsize=10)
    left, right = ax.get_xlim()
    ax.set_xlim(left, right * 1.25)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
