"""Charts of exercise 4: what each lever would change, and what the measures bring against their cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.language.formats import format_chance, format_interval, format_money, format_number, format_share

MOST_LEVERS = 12
_IN_POINTS = frozenset({"lever_target_share", "lever_step_rate", "lever_repeat_rate", "lever_referral_share", "lever_margin_share"})


def lever_label(moves: str, place: str, about: About) -> str:
    """A lever in words: its kind, and the channel, step or card."""
    if place == "all" and moves != "lever_lead_flow":
        return about.label(moves)
    return f"{about.label(moves)}: {about.label(place)}"


def effect_number(value: float, moves: str, about: About) -> str:
    """The size of an effect without its sign: of shares the bare number of points, of all else relative."""
    if moves in _IN_POINTS:
        return format_number(abs(value) * style.PERCENT, about.language)
    return format_share(abs(value), about.language)


def effect_text(value: float, moves: str, about: About) -> str:
    """The size of an effect in words, without its sign: of shares in points, of all else relative."""
    number = effect_number(value, moves, about)
    return about.say("{number}\N{NO-BREAK SPACE}points", number=number) if moves in _IN_POINTS else number


def plot_levers(levers: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Tornado: the change of the yearly margin per +10 % of each lever, strongest on top, with 95 % limits.

    `levers` is `improvement.levers(process)`.
    """
    about = about_of(levers)
    table = levers.head(MOST_LEVERS)
    values = table["margin_change_amount"].to_numpy()
    with style.drawn():
        ax = style.new_axes(ax, 1.4 + 0.4 * len(table))
        labels = [lever_label(row.moves, row.place, about) for row in table.itertuples()]
        style.bars(ax, labels, values, colours=[style.GREEN if value > 0 else style.VERMILION for value in values],
                   low=table["low_amount"], high=table["high_amount"],
                   texts=[format_money(value, about.language, about.currency) for value in values])
        style.money_axis(ax, about.say("change of the yearly margin"), about)
        amount = format_money(values[0], about.language, about.currency)
        tied = int(np.isclose(values, values[0]).sum())
        headline = (about.say("+10\N{NO-BREAK SPACE}% of any of the {count} strongest levers brings {money} a year", count=tied,
                              money=amount) if tied > 1 else
                    about.say("The strongest lever: “{lever}”, {money} a year for +10\N{NO-BREAK SPACE}%", lever=labels[0],
                              money=amount))
        style.title(ax, headline, about.say("change of the yearly margin per +10 % of the lever's present value, others fixed, "
                                            "95 % limits; estimate by the chain of rates"), about)
        return ax


def plot_measures(measures: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Per measure the gain of 12 months with its 95 % limits, and its cost as an upright mark; the best on top.

    `measures` is `improvement.rank_measures(process)`.
    """
    about = about_of(measures)
    table = measures.head(MOST_LEVERS)
    pays = table["net_amount"] > 0
    with style.drawn():
        ax = style.new_axes(ax, 1.5 + 0.5 * len(table))
        texts = [about.say("{range}\nchance to pay: {share}", share=format_chance(row.pays_probability, about.language),
                           range=format_interval(row.low_amount, row.high_amount, "amount", about.language, about.currency))
                 for row in table.itertuples()]
        style.bars(ax, [about.label(key) for key in table["measure"]], table["gain_amount"],
                   colours=[style.GREEN if good else style.GREY for good in pays], low=table["low_amount"],
                   high=table["high_amount"])
        for position, row in enumerate(table.itertuples()):
            ax.vlines(row.cost_amount, position - 0.36, position + 0.36, color=style.VERMILION, linewidth=3)
            end = max(row.high_amount, row.cost_amount, 0)
            ax.annotate(texts[position], (end, position), (7, 0), textcoords="offset points", va="center", fontsize=9)
        right = float(max(table["high_amount"].max(), table["cost_amount"].max(), 0)) or 1.0
        ax.set_xlim(min(0.0, float(table["low_amount"].min())) * 1.1, right * 1.75)
        style.money_axis(ax, about.say("gain of 12 months and cost"), about)
        good = int(pays.sum())
        style.title(ax, about.plural(good, "{count} of {measures} planned measures brings more than it costs",
                                     "{count} of {measures} planned measures bring more than they cost", count=good,
                                     measures=len(table)),
                    about.say("bar: gain of the first 12 months with 95 % limits; upright mark: cost; estimate by the chain of "
                              "rates"), about)
        return ax
