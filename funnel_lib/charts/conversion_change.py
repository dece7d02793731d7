"""Charts of exercise 2 that compare: cohorts, groups, periods, a CRM's figure with ours, the price of a point."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.glossary import term
from funnel_lib.language.formats import (
    format_count,
    format_duration,
    format_moment,
    format_money,
    format_share,
    is_available,
)
from funnel_lib.pooling import funnel_limits

MOST_COHORTS = 18
DARK_SHARE = 0.7
CURVE_POINTS = 160
FAR_LEVEL = 0.998
# Room for labels, as a factor of the logarithmic axis.
RIGHT_ROOM = 9
# Labels of points stand at least this far apart, in parts of the height of the axes.
LABEL_GAP = 0.065
ALONE_ON_THE_LEFT = 0.2
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
        ax.set_xlabel("won within so many days of the lead's creation")
        ax.set_ylabel(f"leads created from ({term('leads_count').label(about.language)})")
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)
        ax.tick_params(length=0)
        marked = " · hatched and in brackets: projected, not that old yet" if table["projected"].any() else ""
        style.title(ax, _triangle_headline(triangle, about),
                    f"% of the cohort won by that age{marked} · n = {format_count(sizes.sum(), about.language)} leads; "
                    f"the latest {len(cohorts)} cohorts", about)
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
        return "No cohort has been followed to the end yet: every last cell is projected"
    low, high = (format_share(share, about.language) for share in (done["won_share"].min(), done["won_share"].max()))
    return (f"Of cohorts followed for {format_duration(last['age_days'].iloc[0], 'days', about.language)}, between {low} and "
            f"{high} have bought")


# -- groups beside each other ------------------------------------------------------------------------------------------------


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
        ax.set_ylim(0, min(max(highest * 1.15, 0.05), 1.05))
        ax.set_xscale("log")
        ax.set_xlim(smallest, sizes[-1] * RIGHT_ROOM)
        places = _spread((table["won_share"] / ax.get_ylim()[1]).tolist())
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
        ax.set_xlabel("leads")
        style.share_axis(ax, "won, of the leads", "y")
        style.title(ax, _comparison_headline(comparison, about),
                    "hollow: won share, filled: pooled with the others · dashed: 95 of 100 groups that are like the others lie "
                    f"between, dotted: 998 of 1,000 · n = {format_count(comparison['leads_count'].sum(), about.language)} leads",
                    about)
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
    text = f"{label}  {format_share(row.won_share, about.language)} of {format_count(row.leads_count, about.language)}"
    if row.few:
        text += ": too few"
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
            return "Too few leads to compare: fewer than two groups have 30"
        return f"No ranking: chance alone makes such differences between {format_count(tested, about.language)} groups"
    names = ", ".join(f"“{about.label(row[0])}” {'above' if row.verdict == 'above' else 'below'}"
                      for row in differing.head(4).itertuples(index=False))
    rest = len(differing) - 4
    return f"Beyond chance: {names}" + (f" and {rest} more" if rest > 0 else "")


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
        marked = table[table["signal"].isin(["outside_limits", "run_of_eight"])]
        ax.plot(marked["period_start"], marked["step_share"], "o", color=style.VERMILION, markersize=6)
        if len(table) and is_available(table["mean_share"].iloc[0]):
            for column, line in (("mean_share", "-"), ("lower_limit_share", "--"), ("upper_limit_share", "--")):
                value = table[column].iloc[0]
                ax.axhline(value, linestyle=line, color=style.GREY, linewidth=1.1)
                ax.annotate(format_share(value, about.language), (1, value), (4, 0), xycoords=("axes fraction", "data"),
                            textcoords="offset points", va="center", fontsize=9, color=style.GREY)
        style.share_axis(ax, "of the step before", "y")
        ax.set_ylim(0, min(max(1.1 * float(np.nan_to_num(table[["step_share", "upper_limit_share"]].max().max(), nan=1)), 0.05),
                           1.05))
        ax.tick_params(axis="x", rotation=0)
        style.title(ax, _trend_headline(table, len(marked), about.label(step)),
                    f"by {style.period_word(trend['period_start'])} of the lead's creation, complete ones · mean and process "
                    f"limits · n = {format_count(table['base_count'].sum(), about.language)} leads at the step before", about)
        return ax


def _trend_headline(table: pd.DataFrame, signals: int, step: str) -> str:
    if table.empty or not is_available(table["mean_share"].iloc[0]):
        return f"“{step}”: too few complete periods to tell a signal from noise"
    if signals:
        return f"“{step}”: {signals} of {len(table)} periods are signals, the rest is noise"
    return f"“{step}”: all ups and downs of {len(table)} periods are within the limits of noise"


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
    bars = [("whole change", first.overall_change_share)]
    bars += [("mix of groups", mix["change_share"].sum())] * bool(len(mix))
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
        ax.xaxis.set_major_formatter(lambda value, _: f"{value * style.PERCENT:+g}" if value else "0")
        ax.set_xlabel("points of the share won")
        ax.grid(axis="x")
        direction = "fell" if first.overall_change_share < 0 else "rose"
        style.title(ax, f"The share won {direction} from {format_share(first.overall_before_share, about.language)} to "
                        f"{format_share(first.overall_after_share, about.language)}"
                        + (f"; the mix alone {_points(values[1], about.language)} points" if len(mix) else ""),
                    f"leads created {format_moment(first.after_from, about.language)} – "
                    f"{format_moment(first.after_until - pd.Timedelta(days=1), about.language)} against those from "
                    f"{format_moment(first.before_from, about.language)}, each followed for "
                    f"{format_duration(first.equal_window_days, 'days', about.language)} · "
                    f"{'orange: mix, blue: rates' if len(mix) else 'parts of the steps'}")
        return ax


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
        style.share_axis(ax, "share that reached the step")
        style.title(ax, f"“{about.label(row['step'])}”: a CRM would say {format_share(row['crm_share'], about.language)}, we say "
                        f"{format_share(row['overall_share'], about.language)}",
                    "each bar: points that one rule of counting moves · "
                    f"n = {format_count(row['crm_leads_count'], about.language)} entries, "
                    f"{format_count(row['leads_count'], about.language)} leads count here", about)
        return ax


def plot_price_of_point(prices: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of what one percentage point of each step is worth in a year, with 95 % limits.

    `prices` is `improvement.price_of_point(process)`.
    """
    about = about_of(prices)
    table = prices.sort_values("point_amount", ascending=False)
    with style.drawn():
        ax = style.new_axes(ax, 1.4 + 0.45 * len(table))
        texts = [f"{format_money(row.point_amount, about.language, about.currency)}   "
                 f"(now {format_share(row.step_share, about.language)})" for row in table.itertuples()]
        style.bars(ax, [about.label(step) for step in table["step"]], table["point_amount"], texts=texts,
                   low=table["point_low_amount"], high=table["point_high_amount"])
        best = table.iloc[0]
        style.title(ax, f"One point lost at “{about.label(best.step)}” costs the most: "
                        f"{format_money(best.point_amount, about.language, about.currency)} a year",
                    "yearly margin per percentage point of the step's rate, everything else fixed, 95 % limits", about)
        ax.set_xlim(min(0, float(table["point_low_amount"].min())), float(table["point_high_amount"].max()) * 1.45 + 1e-9)
        style.money_axis(ax, "margin per year", about)
        return ax
