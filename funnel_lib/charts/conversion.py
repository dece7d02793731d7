"""Charts of exercise 2: the funnel, the time curve, the eventual conversion, the reasons for losses."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.language.formats import format_count, format_duration, format_share
from funnel_lib.rates import FEW


def plot_step_rates(rates: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of the share of all leads that reach each step, with 95 % limits; optional steps lighter.

    `rates` is `conversion.step_rates(process)` without groups.
    """
    about = about_of(rates)
    with style.drawn():
        ax = style.new_axes(ax, 1.2 + 0.55 * len(rates))
        texts = [f"{format_share(row.overall_share, about.language)}   "
                 f"({format_count(row.reached_count, about.language)} / {format_count(row.leads_count, about.language)})"
                 for row in rates.itertuples()]
        style.bars(ax, [about.label(step) for step in rates["step"]], rates["overall_share"].to_numpy(),
                   colours=style.BLUE, low=rates["overall_low_share"], high=rates["overall_high_share"], texts=texts,
                   light=rates["optional"])
        last, leads = rates.iloc[-1], format_count(rates["leads_count"].iloc[0], about.language)
        narrow = rates[~rates["optional"]].sort_values("step_share").iloc[0]
        style.title(ax, about.say("{share} of the leads become customers; the narrowest step is “{step}”",
                                  share=format_share(last.overall_share, about.language), step=about.label(narrow.step)),
                    about.say("share of all leads that reached the step, 95 % limits · n = {leads} leads old enough", leads=leads),
                    about)
        style.share_axis(ax, about.say("share of all leads"), about)
        ax.set_xlim(0, max(1.0, float(np.nanmax(rates["overall_high_share"].fillna(0))) * 1.18))
        return ax


def plot_states(states: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """One stacked bar per group: won, still running, lost."""
    about = about_of(states)
    group = states.columns[0] if states.columns[0] != "leads_count" else None
    table = states.head(style.MOST_CATEGORIES)
    labels = _names(table, group, about)
    with style.drawn():
        ax = style.new_axes(ax, 1.3 + 0.45 * len(table))
        left = np.zeros(len(table))
        for state in ("won", "running", "lost"):
            values = table[f"{state}_count"].to_numpy(dtype=float)
            ax.barh(range(len(table)), values, left=left, color=style.colour(state, about), height=0.6, label=about.label(state))
            for position, (start, value) in enumerate(zip(left, values, strict=True)):
                if value > 0.05 * table["leads_count"].max():
                    ax.text(start + value / 2, position, format_count(value, about.language), ha="center", va="center",
                            fontsize=9, color="white")
            left += values
        ax.set_yticks(range(len(table)), labels)
        ax.invert_yaxis()
        style.numbers(ax.xaxis, about)
        ax.legend(ncols=3, loc="upper left", bbox_to_anchor=(0, -0.16 if len(table) > 2 else -0.3), borderaxespad=0)
        running, leads = table["running_count"].sum(), table["leads_count"].sum()
        style.title(ax, about.say("{running} of {leads} leads are still running: not won yet, but not lost either",
                                  running=format_count(running, about.language), leads=format_count(leads, about.language)),
                    about.say("number of leads by their state today"), about)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        return ax


def plot_time_curve(curve: pd.DataFrame, ax: Axes | None = None, horizon_days: float | None = None) -> Axes:
    """The share won by each age with its 95 % band, and the share lost, up to the horizon where one is given.

    Cut there, the curve ends at the eventual conversion; without, it goes on somewhat after it is nearly flat.
    """
    about = about_of(curve)
    shown = _telling_part(curve) if horizon_days is None else curve[curve["age_days"] <= horizon_days]
    with style.drawn():
        ax = style.new_axes(ax, 3.4)
        won, lost = style.colour("won", about), style.colour("lost", about)
        ax.step(shown["age_days"], shown["won_share"], where="post", color=won, linewidth=2)
        ax.fill_between(shown["age_days"], shown["won_low_share"], shown["won_high_share"], step="post", color=won, alpha=0.2,
                        linewidth=0)
        ax.step(shown["age_days"], shown["lost_share"], where="post", color=lost, linewidth=1.6)
        for column, colour in (("won_share", won), ("lost_share", lost)):
            end = shown.iloc[-1]
            ax.annotate(f"{about.label(column.removesuffix('_share'))} {format_share(end[column], about.language)}",
                        (end.age_days, end[column]), (6, 0), textcoords="offset points", color=colour, va="center",
                        annotation_clip=False)
        end = shown.iloc[-1]
        style.title(ax, about.say("By day {day}, {share} of the leads have bought", day=int(end.age_days),
                                  share=format_share(end.won_share, about.language)),
                    about.say("leads still running count as not known yet, 95 % band · n = {leads} leads",
                              leads=format_count(curve["at_risk_count"].iloc[0], about.language)), about)
        style.share_axis(ax, about.say("share of leads"), about, "y")
        ax.set_xlabel(about.say("days since the lead was created"))
        style.numbers(ax.xaxis, about)
        ax.set_ylim(0, None)
        ax.set_xlim(0, float(end.age_days) * 1.16 + 0.5)
        return ax


def _telling_part(curve: pd.DataFrame) -> pd.DataFrame:
    """The ages with at least 10 leads at risk, up to twice the age at which the curve is nearly flat."""
    enough = curve[curve["at_risk_count"] >= 10]
    shown = enough if len(enough) else curve
    flat = shown.loc[shown["won_share"] >= 0.98 * shown["won_share"].iloc[-1], "age_days"].iloc[0]
    return shown[shown["age_days"] <= max(2 * flat, 14)]


def plot_eventual_conversion(eventual: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Eventual conversion per group with its 95 % limits; mostly projected or borrowed curves lighter."""
    about = about_of(eventual)
    group = eventual.columns[0] if eventual.columns[0] != "leads_count" else None
    # The limits of a handful of leads span the whole axis: such groups stay in the table.
    told = eventual[eventual["leads_count"] >= FEW] if (eventual["leads_count"] >= FEW).any() else eventual
    table = told.nlargest(style.MOST_CATEGORIES, "leads_count").sort_values("eventual_share", ascending=False)
    labels = _names(table, group, about)
    with style.drawn():
        ax = style.new_axes(ax, 1.3 + 0.42 * len(table))
        texts = [about.say("{share}   ({won} / {leads} so far)", share=format_share(row.eventual_share, about.language),
                           won=format_count(row.won_count, about.language), leads=format_count(row.leads_count, about.language))
                 for row in table.itertuples()]
        colours = [style.colour(key, about) for key in table[group]] if group else style.BLUE
        style.bars(ax, labels, table["eventual_share"], colours=colours, low=table["eventual_low_share"],
                   high=table["eventual_high_share"], texts=texts,
                   light=table["mostly_projected"] | (table["leads_count"] < FEW))
        best, worst = table.iloc[0], table.iloc[-1]
        most, least = (format_share(row.eventual_share, about.language) for row in (best, worst))
        headline = (about.say("Will have bought in the end: {most} of the leads from “{first}”, {least} from “{last}”", most=most,
                              least=least, first=labels[0], last=labels[-1])
                    if group else about.say("{share} of the leads will have bought in the end", share=most))
        below = about.say("won by day {day}, leads still running counted with their chance · 95 % limits: where they overlap, no "
                          "difference is shown", day=int(best.horizon_days))
        hidden = about.say("groups of fewer than 30 leads are in the table only") if len(told) < len(eventual) else ""
        style.title(ax, headline, style.dotted(below, hidden), about)
        style.share_axis(ax, about.say("eventual conversion"), about)
        ax.set_xlim(0, float(np.nanmax(table["eventual_high_share"].fillna(0))) * 1.45 + 1e-6)
        return ax


def _names(table: pd.DataFrame, group: str | None, about: About) -> list[str]:
    """The names of the rows; without groups the one row is the process."""
    return [about.label(key) for key in table[group]] if group else [about.title or about.say("all leads")]


def plot_time_to_win(times: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """From a quarter to three quarters of the wins as a line per group, the median as a dot; "not reached" in words."""
    about = about_of(times)
    group = times.columns[0] if times.columns[0] != "won_count" else None
    table = times.nlargest(style.MOST_CATEGORIES, "won_count")
    labels = _names(table, group, about)
    with style.drawn():
        ax = style.new_axes(ax, 1.3 + 0.4 * len(table))
        for position, row in enumerate(table.itertuples()):
            if np.isnan(row.median_days):
                ax.annotate(about.say("not reached: too few leads followed long enough"), (0, position), (5, 0), va="center",
                            textcoords="offset points", color=style.GREY, fontsize=9)
                continue
            ax.hlines(position, row.quarter_days, row.three_quarters_days, color=style.BLUE, linewidth=5, alpha=0.35)
            ax.plot(row.median_days, position, "o", color=style.BLUE)
            ax.annotate(format_duration(row.median_days, "days", about.language), (row.median_days, position), (0, 7),
                        textcoords="offset points", ha="center", fontsize=9)
        ax.set_yticks(range(len(table)), [style.wrapped(label) for label in labels])
        ax.set_ylim(len(table) - 0.5, -0.6)
        ax.set_xlim(0, float(np.nanmax([*table["three_quarters_days"].fillna(0), 1])) * 1.12)
        style.title(ax, _time_headline(table["median_days"].dropna(), about),
                    about.say("a quarter to three quarters of the wins, dot: half · n = {wins} wins",
                              wins=format_count(times["won_count"].sum(), about.language)), about)
        style.number_axis(ax, about.say("days since the lead was created"), about)
        ax.tick_params(axis="y", length=0)
        return ax


def _time_headline(medians: pd.Series, about: About) -> str:
    if medians.empty:
        return about.say("The time to win cannot be told yet")
    ends = [format_duration(days, "days", about.language) for days in sorted({medians.min(), medians.max()})]
    if len(ends) == 1:
        return about.say("Half of those who buy have done so within {days}", days=ends[0])
    return about.say("Half of those who buy have done so within {shortest} to {longest}, depending on the group",
                     shortest=ends[0], longest=ends[1])


def plot_lost_reasons(reasons: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of the step-and-reason pairs that lost the most money (without money: the most leads), the rest as "other"."""
    about = about_of(reasons)
    of_money = bool(reasons["amount"].notna().any())
    value, share = ("amount", "amount_share") if of_money else ("lost_count", "lost_share")
    top, rest = reasons.head(style.MOST_CATEGORIES), reasons.iloc[style.MOST_CATEGORIES:]
    labels = [f"{about.label(row.from_step)}: {about.label(row.reason)}" for row in top.itertuples()]
    figures = [value, share, "lost_count"]
    table = pd.concat([top[figures], rest[figures].sum().to_frame().T]) if len(rest) else top
    labels += [about.label("other")] * bool(len(rest))
    with style.drawn():
        ax = style.new_axes(ax, 1.3 + 0.4 * len(table))
        texts = [about.plural(row["lost_count"], "{share} · {count} lead", "{share} · {count} leads",
                              share=format_share(row[share], about.language), count=format_count(row["lost_count"], about.language))
                 for row in table.to_dict("records")]
        colours = [style.VERMILION] * len(top) + [style.GREY] * bool(len(rest))
        style.bars(ax, labels, table[value], colours=colours, texts=texts)
        first, lost = reasons.iloc[0], format_count(reasons["lost_count"].sum(), about.language)
        said = {"reason": about.label(first.reason), "step": about.label(first.from_step),
                "share": format_share(first[share], about.language)}
        if of_money:
            style.title(ax, about.say("Most money is lost: “{reason}” after “{step}”, {share} of all", **said),
                        about.say("expected money of the lost leads by last step and reason · n = {lost}", lost=lost), about)
            style.money_axis(ax, about.say("expected amounts of the lost leads"), about)
        else:
            style.title(ax, about.say("Most losses: “{reason}” after “{step}”, {share} of all", **said),
                        about.say("lost leads by last step and reason · n = {lost}", lost=lost), about)
            style.number_axis(ax, about.say("lost leads"), about)
        return ax
