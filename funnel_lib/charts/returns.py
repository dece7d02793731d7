"""Charts of what the channels earn back: measured and projected returns, the mean and the extra cost of a customer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_interval, format_money, format_share
from funnel_lib.language.messages import marked

# Distance of a projected mark below the measured one, in rows.
APART = 0.24
PALE = 0.45
RETURN_ON = {
    "margin": marked("(margin in {months} months − full cost) / full cost, 95 % limits; money of no channel is in “all” only"),
    "revenue": marked("(revenue in {months} months − full cost) / full cost, 95 % limits; money of no channel is in “all” only"),
}
EXTRA = {"dearer": marked("in “{channel}” one more customer is dearer than one on average"),
         "cheaper": marked("in “{channel}” one more customer is cheaper than one on average")}
NOWHERE = ("(not allocated)", "(unattributed)", "(missing)")


def plot_channel_returns(returns: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Returns of the channels with 95 % limits: full dots measured on mature leads, hollow dots with the young ones projected.

    `returns` is `lead_flow.channel_returns(process)`. Channels by number of leads, all together last; the line at zero is
    where the cost is just earned back; fewer than 30 customers are lighter.
    """
    about = about_of(returns)
    table = returns[(returns["romi_share"].notna() | returns["projected_romi_share"].notna())
                    & ~returns["channel"].isin(NOWHERE)]
    named, whole = table[table["channel"] != "all"].head(style.MOST_CATEGORIES), table[table["channel"] == "all"]
    table = pd.concat([named, whole])
    first = returns.iloc[0]
    below = about.say(RETURN_ON[first.measured_on], months=first.horizon_months)
    with style.drawn():
        ax = style.new_axes(ax, 1.9 + 0.5 * max(len(table), 1))
        if table.empty:
            return style.untold(ax, about.say("What the channels earned back cannot be told yet"), below, about)
        for place, row in enumerate(table.itertuples()):
            _dots(ax, place, row, about)
        ax.axvline(0, color=style.INK, linewidth=1.0)
        ax.set_yticks(range(len(table)), [style.wrapped(_name(key, about)) for key in table["channel"]])
        ax.set_ylim(len(table) - 0.35, -0.6)
        ax.tick_params(axis="y", length=0)
        style.share_axis(ax, term("romi_share").label(about.language), about)
        _room_for_texts(ax)
        old = about.say("leads at least {months} months old", months=first.horizon_months)
        handles = [Line2D([], [], color=style.INK, marker="o", linestyle="-", label=old)]
        if table["projected"].any():
            handles.append(Line2D([], [], color=style.INK, marker="o", markerfacecolor="white", linestyle="--",
                                  label=about.say("with young leads, projected")))
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.0, -0.16), ncols=2, borderaxespad=0.2)
        people = table["mature_customers_count"].where(table["channel"] != "all", 0).sum()
        customers = about.plural(people, "{count}\N{NO-BREAK SPACE}customer", "{count}\N{NO-BREAK SPACE}customers",
                                 count=format_count(people, about.language))
        few = about.say("lighter: fewer than 30 customers") if table["few"].any() else ""
        style.title(ax, _returns_headline(named, about), style.dotted(below, customers, few), about)
        return ax


def _dots(ax: Axes, place: int, row: tuple, about: About) -> None:
    paint, alpha = style.colour(row.channel, about), PALE if row.few else 1.0
    marks = [(row.romi_share, row.romi_low_share, row.romi_high_share, place, "-", paint)]
    if row.projected:
        marks.append((row.projected_romi_share, row.projected_romi_low_share, row.projected_romi_high_share, place + APART, "--",
                      "white"))
    ends = [0.0]
    for value, low, high, height, line, fill in marks:
        if np.isnan(value):
            continue
        ax.hlines(height, low, high, color=paint, linewidth=1.3, linestyle=line, alpha=alpha)
        ax.plot(value, height, "o", color=paint, markerfacecolor=fill, alpha=alpha, markersize=6.5)
        ends += [value, high]
    shown = row.romi_share if not np.isnan(row.romi_share) else row.projected_romi_share
    text = f"{format_share(shown, about.language)}   ({format_count(row.mature_customers_count, about.language)})"
    ax.annotate(text, (np.nanmax(ends), place), (6, 0), textcoords="offset points", va="center", fontsize=9)


def _name(key: str, about: About) -> str:
    return about.say("all together") if key == "all" else about.label(key)


def _room_for_texts(ax: Axes) -> None:
    left, right = ax.get_xlim()
    ax.set_xlim(min(left, -0.05 * (right - left)), right + 0.2 * (right - left))


def _returns_headline(named: pd.DataFrame, about: About) -> str:
    """Names only channels that differ from the others more than chance makes them."""
    more, less = ([about.say("“{name}”", name=about.label(key)) for key in named.loc[named["verdict"] == verdict, "channel"]]
                  for verdict in ("above", "below"))
    if more and less:
        return about.say("{more} earned back clearly more; {less} earned back clearly less than the others",
                         more=style.listed(more, about), less=style.listed(less, about))
    if more:
        return about.plural(len(more), "{channels} earned back clearly more than the others",
                            "{channels} earned back clearly more than the others", channels=style.listed(more, about))
    if less:
        return about.plural(len(less), "{channels} earned back clearly less than the others",
                            "{channels} earned back clearly less than the others", channels=style.listed(less, about))
    compared = (~named["verdict"].isin(["too_few", "not_compared"])).sum()
    if compared > 1:
        return about.say("No channel's return differs from the others' by more than chance")
    return about.say("Too few customers to compare the returns of the channels")


def plot_marginal_cost(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """What one more customer cost when the spending rose (dots with 95 % limits) beside the mean cost (diamonds).

    `table` is `lead_flow.marginal_cost(process)`. A line that runs out of the picture with an arrow has no upper limit;
    channels that nothing can be said of are lighter.
    """
    about = about_of(table)
    shown = table[table["mean_cost_per_customer_amount"].notna()].head(style.MOST_CATEGORIES)
    below = about.say("spend / customers, 95 % limits from the changes of spend and leads between periods, without labour; "
                      "no proof of cause: money may follow leads")
    with style.drawn():
        ax = style.new_axes(ax, 2.0 + 0.5 * max(len(shown), 1))
        if shown.empty:
            return style.untold(ax, about.say("What one more customer costs cannot be told"), below, about)
        right = _right_edge(shown)
        for place, row in enumerate(shown.itertuples()):
            _mean_and_extra(ax, place, row, right, about)
        ax.set_yticks(range(len(shown)), [style.wrapped(about.label(key)) for key in shown["channel"]])
        ax.set_ylim(len(shown) - 0.35, -0.6)
        ax.set_xlim(0, right * 1.35)
        ax.tick_params(axis="y", length=0)
        style.money_axis(ax, term("extra_cost_per_customer_amount").label(about.language), about)
        handles = [Line2D([], [], color=style.GREY, marker="D", linestyle="", label=about.say("a customer on average")),
                   Line2D([], [], color=style.INK, marker="o", label=about.say("one more customer"))]
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.0, -0.18), ncols=2, borderaxespad=0.2)
        lighter = about.say("lighter: cannot be told") if (shown["verdict"] == "cannot_tell").any() else ""
        style.title(ax, _marginal_headline(shown, about), style.dotted(below, lighter), about)
        return ax


def _right_edge(shown: pd.DataFrame) -> float:
    """Wide enough for most limits; one that is many times its own cost is drawn as an arrow."""
    values = shown[["mean_cost_per_customer_amount", "extra_cost_per_customer_amount"]].to_numpy(dtype=float)
    largest = float(np.nanmax(values))
    highs = shown["extra_cost_per_customer_high_amount"].to_numpy(dtype=float)
    return max([largest * 1.2, *highs[highs <= 2.5 * largest]])


def _mean_and_extra(ax: Axes, place: int, row: tuple, right: float, about: About) -> None:
    paint, alpha = style.colour(row.channel, about), PALE if row.verdict == "cannot_tell" else 1.0
    mean, extra = row.mean_cost_per_customer_amount, row.extra_cost_per_customer_amount
    low, high = row.extra_cost_per_customer_low_amount, row.extra_cost_per_customer_high_amount
    ax.plot(mean, place - APART / 2, "D", color=style.GREY, markersize=6)
    if not np.isnan(low):
        bounded = not np.isnan(high) and high <= right
        ax.hlines(place + APART / 2, min(low, right), high if bounded else right, color=paint, linewidth=1.3, alpha=alpha)
        if not bounded:
            ax.plot(right, place + APART / 2, ">", color=paint, markersize=6, alpha=alpha)
    if not np.isnan(extra):
        ax.plot(min(extra, right), place + APART / 2, "o", color=paint, markersize=6.5, alpha=alpha)
    ends = [value for value in (mean, extra, low, high) if not np.isnan(value)]
    unbounded = not np.isnan(low) and (np.isnan(high) or high > right)
    text = term(row.verdict).label(about.language) if row.reason == "" else term(row.reason).label(about.language)
    if not np.isnan(low) and not np.isnan(high):
        text = format_interval(low, high, "amount", about.language, about.currency)
    elif not np.isnan(low):
        text = about.say("from {money}, no limit", money=format_money(low, about.language, about.currency))
    ax.annotate(text, (right if unbounded else min(max(ends), right), place), (9, 0), textcoords="offset points", va="center",
                fontsize=9)


def _marginal_headline(shown: pd.DataFrame, about: About) -> str:
    parts = [about.say(EXTRA[row.verdict], channel=about.label(row.channel)) for row in shown.itertuples() if row.verdict in EXTRA]
    if parts:
        return "; ".join(parts[:2])
    if (shown["verdict"] == "no_difference").any():
        return about.say("In no channel is one more customer clearly dearer or cheaper than one on average")
    return about.say("Whether one more customer is dearer than one on average cannot be told")
