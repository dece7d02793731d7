"""Charts of exercise 2 that compare: cohorts, periods, a CRM's figure with ours, the price of a point."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.period_words import phrase
from funnel_lib.glossary import term
from funnel_lib.language.formats import (
    format_count,
    format_duration,
    format_exact,
    format_moment,
    format_money,
    format_share,
    is_available,
)

MOST_COHORTS = 18
DARK_SHARE = 0.7
NOTHING_CHANGED = 5e-4
REASONS = ("returning_change_share", "not_leads_change_share", "left_out_change_share", "too_young_change_share",
           "late_entries_change_share", "skipped_change_share")


def _points(change: float, language: str) -> str:
    """A difference of shares in percentage points, with its sign."""
    text = format_share(abs(change), language).removesuffix("%").rstrip()
    return ("−" if change < 0 else "+") + text


# -- the cohort triangle -----------------------------------------------------------------------------------------------------


def plot_cohort_triangle(triangle: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Heat map of the latest cohorts × ages with the share won in every cell; projected cells are hatched and bracketed.

    `triangle` is `conversion.cohort_triangle(process)`.
    """
    about = about_of(triangle)
    cohorts = sorted(triangle["cohort"].unique())[-MOST_COHORTS:]
    table = triangle[triangle["cohort"].isin(cohorts)]
    ages = sorted(table["age"].unique())
    sizes = table.drop_duplicates("cohort").set_index("cohort")["leads_count"]
    highest = max(float(np.nan_to_num(table["won_share"].max())), 1e-9)
    with style.drawn():
        ax = style.new_axes(ax, 1.7 + 0.27 * len(cohorts))
        for row in table.itertuples():
            _cell(ax, ages.index(row.age), cohorts.index(row.cohort), row, highest)
        ax.set_yticks(range(len(cohorts)), [f"{format_moment(start, about.language)}  "
                                            f"({format_count(sizes[start], about.language)})" for start in cohorts])
        days = table.drop_duplicates("age").sort_values("age")["age_days"]
        ax.set_xticks(range(len(ages)), [format_count(day, about.language) for day in days])
        ax.set_xlim(-0.5, len(ages) - 0.5)
        ax.set_ylim(len(cohorts) - 0.5, -0.5)
        ax.set_xlabel(about.say("won within so many days of the lead's creation"))
        ax.set_ylabel(about.say("leads created from (how many)"))
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)
        ax.tick_params(length=0)
        projected = about.say("hatched and in brackets: projected, not that old yet") if table["projected"].any() else ""
        counted = about.plural(len(cohorts), "n = {leads} leads; the latest {cohorts} cohort",
                               "n = {leads} leads; the latest {cohorts} cohorts", cohorts=len(cohorts),
                               leads=format_count(sizes.sum(), about.language))
        style.title(ax, _triangle_headline(triangle, about),
                    style.dotted(about.say("% of the cohort won by that age"), projected, counted), about)
        return ax


def _cell(ax: Axes, column: int, position: int, row: tuple, highest: float) -> None:
    strength = row.won_share / highest
    number = f"{row.won_share * style.PERCENT:.0f}"
    ax.add_patch(Rectangle((column - 0.5, position - 0.5), 1, 1, facecolor=style.ORANGE if row.projected else style.GREEN,
                           alpha=(0.06 + 0.44 * strength) if row.projected else 0.06 + 0.84 * strength, edgecolor="none"))
    if row.projected:
        ax.add_patch(Rectangle((column - 0.5, position - 0.5), 1, 1, facecolor="none", edgecolor="white", hatch="///",
                               linewidth=0))
    ax.text(column, position, f"({number})" if row.projected else number, ha="center", va="center", fontsize=9,
            color="white" if strength > DARK_SHARE and not row.projected else style.INK)


def _triangle_headline(triangle: pd.DataFrame, about: About) -> str:
    last = triangle[triangle["age"] == triangle["age"].max()]
    done = last[~last["projected"].astype(bool)]
    if done.empty:
        return about.say("No cohort has been followed to the end yet: every last cell is projected")
    low, high = (format_share(share, about.language) for share in (done["won_share"].min(), done["won_share"].max()))
    return about.say("Of cohorts followed for {days}, between {low} and {high} have bought", low=low, high=high,
                     days=format_duration(last["age_days"].iloc[0], "days", about.language))


# -- periods -------------------------------------------------------------------------------------------------------------------


def plot_step_trend(trend: pd.DataFrame, step: str | None = None, ax: Axes | None = None) -> Axes:
    """The rate of one step by period with its process limits; signals in red. `step`: the one with most signals, else the last.

    `trend` is `conversion.step_trend(process)`.
    """
    about = about_of(trend)
    signals = trend[trend["signal"].isin(["outside_limits", "run_of_eight"])]["step"].value_counts()
    step = step or (signals.index[0] if len(signals) else trend["step"].iloc[-1])
    table = trend[(trend["step"] == step) & trend["step_share"].notna()]
    with style.drawn():
        ax = style.new_axes(ax, 3.4)
        times = table["period_start"]
        ax.plot(times, table["step_share"], "-o", color=style.BLUE, markersize=4, linewidth=1.3)
        signalling = table[table["signal"].isin(["outside_limits", "run_of_eight"])]
        ax.plot(signalling["period_start"], signalling["step_share"], "o", color=style.VERMILION, markersize=6)
        if len(table) and is_available(table["mean_share"].iloc[0]):
            for column, line in (("mean_share", "-"), ("lower_limit_share", "--"), ("upper_limit_share", "--")):
                value = table[column].iloc[0]
                ax.axhline(value, linestyle=line, color=style.GREY, linewidth=1.1)
                ax.annotate(format_share(value, about.language), (1, value), (4, 0), xycoords=("axes fraction", "data"),
                            textcoords="offset points", va="center", fontsize=9, color=style.GREY)
        style.share_axis(ax, about.say("of the step before"), about, "y")
        style.date_axis(ax, about)
        ax.set_ylim(0, min(max(1.1 * float(np.nan_to_num(table[["step_share", "upper_limit_share"]].max().max(), nan=1)), 0.05),
                           1.05))
        ax.tick_params(axis="x", rotation=0)
        style.title(ax, _trend_headline(table, len(signalling), about.label(step), about),
                    about.say("{by_period}, complete ones · mean and process limits · n = {leads} leads at the step before",
                              by_period=phrase("by_creation", style.period_word(trend["period_start"]), about),
                              leads=format_count(table["base_count"].sum(), about.language)), about)
        return ax


def _trend_headline(table: pd.DataFrame, signals: int, step: str, about: About) -> str:
    if table.empty or not is_available(table["mean_share"].iloc[0]):
        return about.say("“{step}”: too few complete periods to tell a signal from noise", step=step)
    if signals:
        return about.plural(signals, "“{step}”: {signals} of {periods} periods is a signal, the rest is noise",
                            "“{step}”: {signals} of {periods} periods are signals, the rest is noise", step=step, signals=signals,
                            periods=len(table))
    return about.say("“{step}”: all ups and downs of {periods} periods are within the limits of noise", step=step,
                     periods=len(table))


def plot_change_decomposition(change: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of the parts of the change in points: the mix in one bar, then the rate of each group (or step).

    `change` is `conversion.change_decomposition(process)`.
    """
    about = about_of(change)
    rates, mix = change[change["kind"] == "rate"], change[change["kind"] == "mix"]
    shown = rates.loc[rates["change_share"].abs().sort_values(ascending=False).index]
    rest = shown.iloc[style.MOST_CATEGORIES:]
    shown = shown.head(style.MOST_CATEGORIES)
    first = change.iloc[0]
    bars = [(about.say("whole change"), first.overall_change_share)]
    bars += [(about.say("mix of groups"), mix["change_share"].sum())] * bool(len(mix))
    bars += [(about.label(row.part), row.change_share) for row in shown.itertuples()]
    bars += [(about.label("other"), rest["change_share"].sum())] * bool(len(rest))
    labels, values = zip(*bars, strict=True)
    with style.drawn():
        ax = style.new_axes(ax, 1.5 + 0.4 * len(values))
        colours = [style.GREY] + [style.ORANGE] * bool(len(mix)) + [style.BLUE] * (len(values) - 1 - bool(len(mix)))
        ax.barh(range(len(values)), values, color=colours, height=0.62)
        for position, value in enumerate(values):
            ax.annotate(_points(value, about.language), (value, position), (5 if value >= 0 else -5, 0), fontsize=9,
                        textcoords="offset points", va="center", ha="left" if value >= 0 else "right")
        ax.axvline(0, color=style.GREY, linewidth=0.8)
        ax.set_yticks(range(len(values)), [style.wrapped(label) for label in labels])
        ax.set_ylim(len(values) - 0.5, -0.5)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.margins(x=0.16)
        ax.xaxis.set_major_formatter(
            lambda value, _: ("+" if value > 0 else "") + format_exact(value * style.PERCENT, about.language))
        ax.set_xlabel(about.say("points of the share won"))
        ax.grid(axis="x")
        paints = about.say("orange: mix, blue: rates") if len(mix) else about.say("parts of the steps")
        style.title(ax, _change_headline(first, values[1] if len(mix) else None, about),
                    style.dotted(_change_periods(first, about), paints), About(language=about.language))
        return ax


def _change_headline(row: pd.Series, mix: float | None, about: About) -> str:
    before, after = (format_share(row[f"overall_{when}_share"], about.language) for when in ("before", "after"))
    change = (about.say("The share won fell from {before} to {after}", before=before, after=after)
              if row.overall_change_share < 0 else
              about.say("The share won rose from {before} to {after}", before=before, after=after))
    if mix is None:
        return change
    return about.say("{change}; the mix alone {points} points", change=change, points=_points(mix, about.language))


def _change_periods(row: pd.Series, about: About) -> str:
    return about.say("leads created {start} – {end} against those from {before}, each followed for {days}",
                     start=format_moment(row.after_from, about.language),
                     end=format_moment(row.after_until - pd.Timedelta(days=1), about.language),
                     before=format_moment(row.before_from, about.language),
                     days=format_duration(row.equal_window_days, "days", about.language))


# -- a CRM's figure, the price of a point ---------------------------------------------------------------------------------------


def plot_reconciliation(reconciliation: pd.DataFrame, step: str | None = None, ax: Axes | None = None) -> Axes:
    """From a CRM's share of one step to ours, one bar per rule. `step`: the one where the figures are furthest apart.

    `reconciliation` is `conversion.reconciliation(process)`.
    """
    about = about_of(reconciliation)
    gaps = (reconciliation["overall_share"] - reconciliation["crm_share"]).abs()
    row = (reconciliation[reconciliation["step"] == step] if step else reconciliation.loc[[gaps.fillna(-1).idxmax()]]).iloc[0]
    reasons = [name for name in REASONS if abs(np.nan_to_num(row[name])) > NOTHING_CHANGED]
    with style.drawn():
        ax = style.new_axes(ax, 1.7 + 0.4 * len(reasons))
        level = row["crm_share"]
        bars = [(term("crm_share").label(about.language), 0.0, level, style.GREY, format_share(level, about.language))]
        for name in reasons:
            bars.append((term(name).label(about.language), level, row[name], style.GREEN if row[name] > 0 else style.VERMILION,
                         _points(row[name], about.language)))
            level += row[name]
        bars.append((term("overall_share").label(about.language), 0.0, row["overall_share"], style.BLUE,
                     format_share(row["overall_share"], about.language)))
        for position, (_, start, width, paint, text) in enumerate(bars):
            ax.barh(position, width, left=start, color=paint, height=0.62)
            ax.annotate(text, (max(start, start + width), position), (5, 0), textcoords="offset points", va="center", fontsize=9)
        ax.set_yticks(range(len(bars)), [style.wrapped(bar[0]) for bar in bars])
        ax.set_ylim(len(bars) - 0.5, -0.5)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.set_xlim(0, float(np.nanmax([row["crm_share"], row["overall_share"], 0.01])) * 1.25)
        style.share_axis(ax, about.say("share that reached the step"), about)
        style.title(ax, about.say("“{step}”: a CRM would say {theirs}, we say {ours}", step=about.label(row["step"]),
                                  theirs=format_share(row["crm_share"], about.language),
                                  ours=format_share(row["overall_share"], about.language)),
                    about.say("each bar: points that one rule of counting moves · n = {entries} entries, {leads} leads count here",
                              entries=format_count(row["crm_leads_count"], about.language),
                              leads=format_count(row["leads_count"], about.language)), about)
        return ax


def plot_price_of_point(prices: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of what one percentage point of each step is worth in a year, with 95 % limits.

    `prices` is `improvement.price_of_point(process)`.
    """
    about = about_of(prices)
    table = prices.sort_values("point_amount", ascending=False)
    with style.drawn():
        ax = style.new_axes(ax, 1.4 + 0.45 * len(table))
        texts = [about.say("{money}   (now {share})", money=format_money(row.point_amount, about.language, about.currency),
                           share=format_share(row.step_share, about.language)) for row in table.itertuples()]
        style.bars(ax, [about.label(step) for step in table["step"]], table["point_amount"], texts=texts,
                   low=table["point_low_amount"], high=table["point_high_amount"])
        best = table.iloc[0]
        style.title(ax, about.say("One point lost at “{step}” costs the most: {money} a year", step=about.label(best.step),
                                  money=format_money(best.point_amount, about.language, about.currency)),
                    about.say("yearly margin per percentage point of the step's rate, everything else fixed, 95 % limits"), about)
        ax.set_xlim(min(0, float(table["point_low_amount"].min())), float(table["point_high_amount"].max()) * 1.45 + 1e-9)
        style.money_axis(ax, about.say("margin per year"), about)
        return ax
