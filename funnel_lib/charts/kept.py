"""Charts of who is kept: in a month against in it or after, by group, what cohorts pay later, when the next order comes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.loyalty import DARK_SHARE, MOST_AGES, MOST_COHORTS, PALE, cohort_axes
from funnel_lib.charts.period_words import phrase
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_duration, format_moment, format_money, format_share
from funnel_lib.language.messages import marked
from funnel_lib.rates import is_few

# A curve is drawn as long as so many customers are followed, and dashed where fewer than 30 are.
MIN_AT_RISK = 10
YEAR_DAYS = 365
# The age of a year, in periods.
YEAR_AGES = {"day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1}
BAND = 0.15
IN_PERIOD = {"orders_count": marked("Clients order {share} of {first_period} {in_period}"),
             "amount": marked("Clients pay {share} of {first_period} {in_period}"),
             "margin_amount": marked("Clients bring as margin {share} of {first_period} {in_period}")}


def plot_kept_curves(average: pd.DataFrame, in_or_after: pd.DataFrame, per: str = "month", ax: Axes | None = None) -> Axes:
    """Two curves with 95 % limits: who ordered in each period, and who ordered in it or after.

    `average` and `in_or_after` are `loyalty.average_retention(…)` of a bounded and an unbounded table without groups.
    """
    about = about_of(average)
    with style.drawn():
        ax = style.new_axes(ax, 3.2)
        ends, drawn = [], []
        for name, table, paint in ((about.say("in it or later"), in_or_after, style.GREEN),
                                   (phrase("that", per, about), average, style.BLUE)):
            shown = table[(table["age"] > 0) & ~is_few(table["customers_count"])]
            if len(shown):
                drawn.append(shown)
                ax.fill_between(shown["age"], shown["retained_low_share"], shown["retained_high_share"], color=paint, alpha=BAND,
                                linewidth=0)
                ax.plot(shown["age"], shown["retained_share"], color=paint, marker="o", markersize=3)
                ends.append((shown["retained_share"].iloc[-1], shown["age"].iloc[-1], name, paint))
        ax.set_ylim(0, max(0.05, 1.1 * max((shown["retained_high_share"].max() for shown in drawn), default=0.0)))
        style.share_axis(ax, term("retained_share").label(about.language), about, "y")
        style.end_labels(ax, ends, lambda share: format_share(share, about.language))
        ax.set_xlabel(f"{term('age').label(about.language)}: {phrase('since_first', per, about)}")
        style.numbers(ax.xaxis, about)
        style.title(ax, _kept_headline(average, in_or_after, per, about),
                    about.say("share of the customers who could be observed for it, 95 % limits; ages with 30 of them or more"),
                    about)
        return ax


def _kept_headline(average: pd.DataFrame, in_or_after: pd.DataFrame, per: str, about: About) -> str:
    shares = [table[~is_few(table["customers_count"])].set_index("age")["retained_share"] for table in (average, in_or_after)]
    common = [age for age in (12, 6, 3, 1) if all(age in own.index for own in shares)]
    if not common:
        return about.say("Too early to tell who stays a client")
    inside, later = (format_share(own.loc[common[0]], about.language) for own in shares)
    return about.say("{inside} of the clients order {in_period}, {later} in it or later", inside=inside, later=later,
                     in_period=phrase("at_age", per, about, number=common[0]))


def plot_kept_by(average: pd.DataFrame, per: str = "month", ax: Axes | None = None) -> Axes:
    """Bars of the groups' retention a year after the first order (or as far as they can be followed) with 95 % limits.

    `average` is `loyalty.average_retention(…)` of a bounded table with one group; `per` is the period of its ages. Groups of fewer
    than 30 are lighter. Bars go by share only where the intervals of some lie apart, else by size: there is no ranking then.
    """
    about, group = about_of(average), average.columns[0]
    age = _common_age(average, group, YEAR_AGES[per])
    table = average[average["age"] == age].sort_values("customers_count", ascending=False).head(style.MOST_CATEGORIES)
    if table.empty:
        with style.drawn():
            return style.untold(style.new_axes(ax, 1.7),
                                about.say("No group could be {followed} yet", followed=phrase("followed", per, about)),
                                about.say("retention by group of clients"), about)
    enough = table[~is_few(table["customers_count"])]
    apart = len(enough) > 1 and enough["retained_low_share"].max() > enough["retained_high_share"].min()
    table = table.sort_values("retained_share", ascending=False, kind="stable") if apart else table
    with style.drawn():
        ax = style.new_axes(ax, 1.7 + 0.36 * max(len(table), 1))
        texts = [f"{format_share(row.retained_share, about.language)}   ({format_count(row.active_count, about.language)} / "
                 f"{format_count(row.customers_count, about.language)})" for row in table.itertuples()]
        style.bars(ax, [_group_name(key, about) for key in table[group]], table["retained_share"].to_numpy(dtype=float),
                   colours=[style.colour(str(key), about) for key in table[group]], low=table["retained_low_share"],
                   high=table["retained_high_share"], texts=texts, light=is_few(table["customers_count"]))
        ax.set_xticks([tick for tick in ax.get_xticks() if 0 <= tick <= 1])
        style.share_axis(ax, term("retained_share").label(about.language), about)
        few = about.say("lighter: fewer than 30 customers") if is_few(table["customers_count"]).any() else ""
        below = about.say("share of the group's customers who ordered {in_period} after the first order, 95 % limits",
                          in_period=phrase("at_age", per, about, number=age))
        style.title(ax, _groups_headline(enough, apart, age, per, about), style.dotted(below, few), about)
        return ax


def _common_age(average: pd.DataFrame, group: str, most: int) -> int:
    """The oldest age up to a year at which as many groups as at age 1 have 30 customers."""
    enough = average[~is_few(average["customers_count"]) & average["age"].between(1, most)].groupby("age")[group].nunique()
    return int(enough.index[enough == enough.iloc[0]].max()) if len(enough) else 1


def _group_name(key: object, about: About) -> str:
    return format_moment(key, about.language) if isinstance(key, pd.Timestamp) else about.label(key)


def _groups_headline(enough: pd.DataFrame, apart: bool, age: int, per: str, about: About) -> str:
    if len(enough) < 2:
        return about.say("Too few clients in each group to tell which of them stay")
    low, high = (format_share(share, about.language) for share in (enough["retained_share"].min(), enough["retained_share"].max()))
    said = {"low": low, "high": high, "in_period": phrase("at_age", per, about, number=age)}
    if apart:
        return about.say("Between {low} and {high} of the clients of a group order {in_period}", **said)
    return about.say("Between {low} and {high} of the clients of a group order {in_period}: the intervals overlap, so groups "
                     "cannot be ranked", **said)


def plot_cohort_values(retention: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Heat map of the latest cohorts × ages with what they pay as a per cent of their first period; unfinished cells in brackets,
    cohorts of whom some had perhaps bought before paler.

    `retention` is `loyalty.cohort_retention(process, value=…)` without groups. Cells are coloured by the same share, all above
    one and a half alike.
    """
    about = about_of(retention)
    word = style.period_word(retention["cohort"])
    total = next(name for name in ("orders_count", "amount", "margin_amount") if name in retention)
    cohorts = sorted(retention["cohort"].unique())[-MOST_COHORTS:]
    table = retention[retention["cohort"].isin(cohorts) & retention["age"].between(1, MOST_AGES - 1)]
    starts = retention[retention["age"] == 0].set_index("cohort")[total]
    with style.drawn():
        ax = style.new_axes(ax, 1.6 + 0.27 * len(cohorts))
        highest = min(max(float(np.nanmax(table["retained_value_share"].to_numpy(dtype=float), initial=0.0)), 1e-9), 1.5)
        for row in table[table["retained_value_share"].notna()].itertuples():
            _value_cell(ax, cohorts.index(row.cohort), row, highest)
        whole = cohort_axes(ax, table, {start: _total(starts[start], total, about) for start in cohorts}, total, about)
        of_what = about.say("in % of {first_period} (left, in brackets)", first_period=phrase("of_first_order", word, about))
        latest = about.plural(len(cohorts), "the latest {count} cohort", "the latest {count} cohorts", count=len(cohorts))
        style.title(ax, _values_headline(retention, total, word, about), style.dotted(of_what, whole, latest), about)
        return ax


def _value_cell(ax: Axes, position: int, row: tuple, highest: float) -> None:
    strength = float(np.clip(row.retained_value_share / highest, 0, 1)) * (PALE if row.perhaps_older_count else 1.0)
    number = f"{row.retained_value_share * style.PERCENT:.0f}".replace("-", "\N{MINUS SIGN}")
    ax.add_patch(Rectangle((row.age - 0.5, position - 0.5), 1, 1, facecolor=style.GREEN, alpha=0.06 + 0.84 * strength,
                           edgecolor="white", hatch=None if row.complete else "///", linewidth=0))
    ax.text(row.age, position, number if row.complete else f"({number})", ha="center", va="center", fontsize=9,
            color="white" if strength > DARK_SHARE else style.INK)


def _total(value: float, total: str, about: About) -> str:
    return format_count(value, about.language) if total == "orders_count" else format_money(value, about.language, about.currency)


def _values_headline(retention: pd.DataFrame, total: str, word: str, about: About) -> str:
    cells = retention[retention["complete"].astype(bool) & retention["retained_value_share"].notna()]
    for age in (12, 6, 3, 1):
        own = cells[cells["age"] == age]
        starts = cells.loc[(cells["age"] == 0) & cells["cohort"].isin(own["cohort"]), total].sum()
        if len(own) and starts > 0:
            share = format_share(own[total].sum() / starts, about.language)
            return about.say(IN_PERIOD[total], share=share, first_period=phrase("their_first", word, about),
                             in_period=phrase("at_age", word, about, number=age))
    return about.say("No cohort could be {followed} yet", followed=phrase("followed_whole", word, about))


def plot_next_order(curves: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """A curve for each number of an order: the share that has come for the next one by each day after it, for two years at most.

    `curves` is `loyalty.next_order(process)`. Drawn as long as 10 customers are followed, dashed below 30; the band is the 95 %
    interval.
    """
    about = about_of(curves)
    table = curves[(curves["at_risk_count"] >= MIN_AT_RISK) & (curves["age_days"] <= 2 * YEAR_DAYS)]
    numbers = sorted(table["order_number"].unique())
    with style.drawn():
        ax = style.new_axes(ax, 3.4)
        ends = []
        for number in numbers:
            own, paint = table[table["order_number"] == number], style.in_turn(int(number) - 1)
            enough = own[~is_few(own["at_risk_count"])]
            ax.fill_between(own["age_days"], own["came_low_share"], own["came_high_share"], color=paint, alpha=BAND, linewidth=0,
                            step="post")
            ax.plot(own["age_days"], own["came_share"], color=paint, linestyle="--", linewidth=1, drawstyle="steps-post")
            ax.plot(enough["age_days"], enough["came_share"], color=paint, drawstyle="steps-post")
            ends.append((own["came_share"].iloc[-1], own["age_days"].iloc[-1], f"{number} → {number + 1}:", paint))
        ax.set_ylim(0, 1.1)  # room for the names of curves near the top
        ax.set_yticks(np.linspace(0, 1, 6))
        style.share_axis(ax, term("came_share").label(about.language), about, "y")
        style.end_labels(ax, ends, lambda share: format_share(share, about.language))
        ax.set_xlabel(about.say("days since the order"))
        style.numbers(ax.xaxis, about)
        below = about.say("share of the clients with that order, 95 % limits; who has not come yet is not taken for lost")
        few = about.say("dashed: fewer than 30 still followed") if is_few(table["at_risk_count"]).any() else ""
        clients = f"n = {format_count(curves['at_risk_count'].iloc[0], about.language)}"
        style.title(ax, _next_headline(table, about), style.dotted(below, few, clients), about)
        return ax


def _next_headline(table: pd.DataFrame, about: About) -> str:
    own = table[(table["order_number"] == 1) & (table["age_days"] <= YEAR_DAYS)]
    if own.empty:
        return about.say("Too few clients to tell when the next order comes")
    row = own.iloc[-1]
    share = format_share(row.came_share, about.language)
    text = (about.say("{share} of the clients come for a second order within a year", share=share) if row.age_days == YEAR_DAYS else
            about.say("{share} of the clients come for a second order within {days}", share=share,
                      days=format_duration(row.age_days, "days", about.language)))
    half = table[(table["order_number"] == 1) & (table["came_share"] >= 0.5)]
    if half.empty:
        return text
    days = format_duration(half["age_days"].iloc[0], "days", about.language)
    return (about.say("{clients_come}, half of all only later, within {days}", clients_come=text, days=days)
            if half["age_days"].iloc[0] > row.age_days else
            about.say("{clients_come}, half of all within {days}", clients_come=text, days=days))
