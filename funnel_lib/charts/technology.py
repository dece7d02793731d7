"""Charts of the work: who does whose, which next level pays back, where to start, what a reached lead costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.efficiency import LEVELS
from funnel_lib.language.formats import (
    format_count,
    format_duration,
    format_money,
    format_number,
    format_share,
    is_available,
)

DEARER, CHEAPER, PAYS = "dearer_role", "cheaper_role", "pays_back"
MOST_ROWS = 12
LOW_LEVEL = 1.0
# Of the level map: sizes of the bubbles in points², where the names stand and how long they are, inches of a level and of the
# height, and how far beside its level a bubble may stand.
SMALLEST, LARGEST, LETTERS = 220, 600, 27
NAMES_LEFT, NAMES_RIGHT, LEVEL_INCHES, MAP_INCHES = 4.75, 7.7, 0.8, 3.6
ASIDES = (0.0, 0.28, -0.28, 0.42, -0.42)


def plot_qualification_match(match: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Hours a year of other roles than the one whose work it is, with what the difference costs or saves.

    `match` is `efficiency.qualification_match(process)`, with the role or the card whose work it is.
    """
    about = about_of(match)
    table = match[match["match"].isin([DEARER, CHEAPER])].head(MOST_ROWS)
    with style.drawn():
        if table.empty:
            return style.untold(style.new_axes(ax, 1.5), _nobody(match, about),
                                about.say("hours of work that names a card"), about)
        ax = style.new_axes(ax, 1.7 + 0.5 * len(table))
        hours = table["hours_per_year"].where(table["hours_per_year"].notna(), table["hours"])
        own = "card" if "card" in table else "card_role"
        labels = [about.say("{role} on work of {whose}", role=about.label(row["role"]), whose=about.label(row[own]))
                  for _, row in table.iterrows()]
        paint = np.where(table["match"] == DEARER, style.VERMILION, style.GREEN)
        style.bars(ax, labels, hours.to_numpy(dtype=float), colours=paint.tolist(),
                   texts=[_difference(row, about) for row in table.itertuples()])
        left, right = ax.get_xlim()
        ax.set_xlim(left, right + 0.3 * (right - left))
        whole_years = table["hours_per_year"].notna().all()
        style.number_axis(ax, about.say("Hours a year") if whole_years else about.say("Hours"), about)
        ax.legend(handles=[Line2D([], [], linestyle="", marker="s", color=colour, label=name) for colour, name in (
            (style.VERMILION, about.say("dearer people on cheaper work")),
            (style.GREEN, about.say("cheaper people on dearer work")))],
            loc="upper left", bbox_to_anchor=(0.0, -0.45 / (0.5 + 0.5 * len(table))), ncols=2)
        whole = format_count(match["hours"].sum(), about.language)
        style.title(ax, _match_headline(table, about), about.say("of {hours} hours on cards; money by the hour costs", hours=whole),
                    about)
        return ax


def _nobody(match: pd.DataFrame, about: About) -> str:
    if (match["match"] == "cannot_tell").all():
        return about.say("Whose work it is cannot be told: no role has an hour cost or a qualification")
    return about.say("Nobody does the work of a dearer or a cheaper role")


def _difference(row: tuple, about: About) -> str:
    money = row.difference_per_year_amount
    hours = format_number(row.hours_per_year if is_available(row.hours_per_year) else row.hours, about.language)
    if not is_available(money):
        return about.say("{hours} h", hours=hours)
    said = {"hours": hours, "money": format_money(abs(money), about.language, about.currency)}
    return about.say("{hours} h · {money} too much", **said) if money > 0 else about.say("{hours} h · {money} saved", **said)


def _match_headline(table: pd.DataFrame, about: About) -> str:
    dear = table[table["match"] == DEARER]
    if dear.empty:
        return about.say("Only cheaper people do the work of others, none dearer")
    share, money = format_share(dear["hours_share"].sum(), about.language), dear["difference_per_year_amount"].sum(min_count=1)
    if not is_available(money):
        return about.say("{share} of the hours on cards are dear people on cheaper work", share=share)
    return about.say("{share} of the hours on cards are dear people on cheaper work: {money} a year", share=share,
                     money=format_money(money, about.language, about.currency))


def plot_next_levels(following: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Gain a month of each card's next level with 95 % limits, the soonest paid back on top, and after how long.

    `following` is `efficiency.next_levels(process)`.
    """
    about, table = about_of(following), following.head(MOST_ROWS)
    with style.drawn():
        ax = style.new_axes(ax, 1.7 + 0.4 * len(table))
        gain = table["monthly_gain_amount"].to_numpy(dtype=float)
        paint = [style.colour(stage, about) for stage in table["stage"]]
        style.bars(ax, [about.label(card) for card in table["card"]], gain, colours=paint, low=table["monthly_gain_low_amount"],
                   high=table["monthly_gain_high_amount"], texts=[_payback(row, about) for row in table.itertuples()],
                   light=(table["verdict"] != PAYS).tolist())
        left, right = ax.get_xlim()
        ax.set_xlim(left, right + 0.2 * (right - left))
        style.money_axis(ax, about.say("Gain a month: freed hours × hour cost − running cost"), about)
        first = table.iloc[0]
        headline = (about.say("The next level of “{card}” pays back soonest: after {months}", card=about.label(first.card),
                              months=_months(first.payback_months, about))
                    if first.verdict == PAYS else about.say("No next level pays back beyond doubt"))
        style.title(ax, headline, about.say("95 % limits; paler: may not, or does not, pay back"), about)
        return ax


def _months(value: float, about: About) -> str:
    return format_duration(value, "months", about.language)


def _payback(row: tuple, about: About) -> str:
    if row.verdict == "cannot_tell":
        return about.say("cannot be told")
    if not is_available(row.payback_months):
        return about.say("never") if row.verdict == "never_pays_back" else about.say("perhaps never")
    months, low = _months(row.payback_months, about), format_number(row.payback_low_months, about.language)
    if is_available(row.payback_high_months):
        return f"{months} ({low}–{format_number(row.payback_high_months, about.language)})"
    return about.say("{months} ({low} or more)", months=months, low=low)


def plot_level_map(cards: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Level that the log shows × what the card costs a year; a bubble is as large as its hours, top left is where to start.

    Bubbles of one level stand beside each other where they would overlap; their names are listed by number.

    `cards` is `efficiency.technologization(process)`; cards without a shown level or a known cost are not on the map, and said.
    """
    about = about_of(cards)
    known = cards[cards["shown_level"].notna() & cards["cost_per_year_amount"].notna()].head(MOST_ROWS)
    with style.drawn():
        if known.empty:
            return style.untold(style.new_axes(ax, 1.5),
                                about.say("Where to start cannot be told: no card has both a shown level and a cost"),
                                about.say("a level takes 20 executions, a cost the hour cost of the role"), about)
        ax = style.new_axes(ax, 4.9)
        start = _start(known)
        known = known.sort_values("cost_per_year_amount", ascending=False, kind="stable")
        size = SMALLEST + (LARGEST - SMALLEST) * known["hours"] / max(known["hours"].max(), 1e-9)
        top = max(known["cost_per_year_amount"].max(), 1e-9)
        paint = [style.colour(stage, about) for stage in known["stage"]]
        edge = [style.VERMILION if card == start.card else "white" for card in known["card"]]
        ax.set_ylim(-0.06 * top, 1.1 * top)
        ax.set_xlim(-0.5, NAMES_RIGHT)
        places = _apart(known["shown_level"], known["cost_per_year_amount"] / (1.16 * top) * MAP_INCHES, np.sqrt(size) / 72)
        ax.scatter(places, known["cost_per_year_amount"], s=size, color=paint, edgecolors=edge, linewidths=2.0, zorder=3)
        _map_names(ax, known, places, paint, about)
        ax.set_xticks(range(len(LEVELS)), [about.say(level) for level in LEVELS])
        ax.grid(axis="both")
        ax.yaxis.set_major_formatter(lambda value, _: format_money(value, about.language, about.currency))
        ax.set_ylabel(about.say("Cost of the work a year"))
        ax.set_xlabel(about.say("Level of technology that the log shows"))
        stages = dict.fromkeys(known["stage"])
        ax.legend(handles=[Line2D([], [], linestyle="", marker="o", color=style.colour(stage, about), label=about.label(stage))
                           for stage in stages], loc="upper left", bbox_to_anchor=(0.0, -0.2), ncols=3)
        off = len(cards) - len(known)
        missing = about.say("not on the map: {count} of {cards} cards", count=off, cards=len(cards)) if off else ""
        below = about.say("bubble: hours; start with dear work of a low level")
        style.title(ax, _map_headline(start, about), style.dotted(below, missing), about)
        return ax


def _start(known: pd.DataFrame) -> pd.Series:
    """The dearest card that is craft or described only; where there is none, of the lowest level."""
    low = known[known["shown_level"] <= max(LOW_LEVEL, known["shown_level"].min())]
    return low.loc[low["cost_per_year_amount"].idxmax()]


def _map_headline(start: pd.Series, about: About) -> str:
    money = format_money(start.cost_per_year_amount, about.language, about.currency)
    return about.say("Start with “{card}”: level {level}, {money} a year", card=about.label(start.card), money=money,
                     level=f"{start.shown_level:.0f}")


def _apart(levels: pd.Series, heights: pd.Series, widths: pd.Series) -> list[float]:
    """The place of each bubble beside its level, so that none covers another's number; heights and widths in inches."""
    placed: list[tuple[float, float, float]] = []
    for level, height, width in zip(levels, heights, widths, strict=True):
        free = (level + aside for aside in ASIDES
                if all(np.hypot((level + aside - x) * LEVEL_INCHES, height - y) > (width + w) / 2 for x, y, w in placed))
        placed.append((next(free, level), height, width))
    return [x for x, *_ in placed]


def _map_names(ax: Axes, known: pd.DataFrame, places: list[float], paint: list[str], about: About) -> None:
    """A number in each bubble, and the names at the right in the colour of their stage."""
    lines = 0
    for number, (row, place, colour) in enumerate(zip(known.itertuples(), places, paint, strict=True), 1):
        ax.annotate(str(number), (place, row.cost_per_year_amount), ha="center", va="center", fontsize=9, color="white", zorder=4)
        name = style.wrapped(about.label(row.card), LETTERS).replace("\n", "\n     ")
        ax.annotate(f"{number:>2}  {name}", (NAMES_LEFT, 1.0), (0, -13.0 * lines), xycoords=("data", "axes fraction"), va="top",
                    textcoords="offset points", fontsize=9, color=colour)
        lines += name.count("\n") + 1


def plot_reach(reach: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """What a reached lead costs by each means, with 95 % limits, and what share of those tried was reached.

    `reach` is `efficiency.reach(process)`; where no cost is known the bars are the shares reached.
    """
    about, table = about_of(reach), reach.head(MOST_ROWS)
    priced = table["cost_per_reached_amount"].notna().any()
    column, unit = ("cost_per_reached", "amount") if priced else ("contacted", "share")
    with style.drawn():
        ax = style.new_axes(ax, 1.8 + 0.45 * len(table))
        style.bars(ax, [_way(row, about) for row in table.itertuples()], table[f"{column}_{unit}"].to_numpy(dtype=float),
                   colours=[style.colour(stage, about) for stage in table["stage"]], low=table[f"{column}_low_{unit}"],
                   high=table[f"{column}_high_{unit}"], light=table["few"].tolist(),
                   texts=[_reached(row, priced, about) for row in table.itertuples()])
        left, right = ax.get_xlim()
        ax.set_xlim(left, right + 0.45 * (right - left))
        if priced:
            style.money_axis(ax, about.say("Cost of one reached lead"), about)
        else:
            ax.set_xticks([tick for tick in ax.get_xticks() if 0 <= tick <= 1])
            style.share_axis(ax, about.say("Reached, of the leads tried"), about)
        few = about.say("lighter: fewer than 30 leads") if table["few"].any() else ""
        style.title(ax, _reach_headline(table, about),
                    style.dotted(about.say("reached: it entered a step; it counts for each means"), few), about)
        return ax


def _way(row: tuple, about: About) -> str:
    return f"{about.label(row.means)} · {about.label(row.role)}"


def _reached(row: tuple, priced: bool, about: About) -> str:
    said = {"share": format_share(row.contacted_share, about.language), "tried": format_count(row.tried_count, about.language)}
    if not priced:
        return about.say("{share} of {tried}", **said)
    return about.say("{money} · reached {share} of {tried}", **said,
                     money=format_money(row.cost_per_reached_amount, about.language, about.currency))


def _reach_headline(table: pd.DataFrame, about: About) -> str:
    known = table[table["cost_per_reached_amount"].notna()].sort_values("cost_per_reached_amount", kind="stable")
    rows = list(known.itertuples())
    if len(rows) < 2:
        first = next(table.itertuples())
        return about.say("{means} reached {share} of the leads it tried", means=_way(first, about),
                         share=format_share(first.contacted_share, about.language))
    low, high = (format_money(row.cost_per_reached_amount, about.language, about.currency) for row in (rows[0], rows[-1]))
    return about.say("A reached lead costs {least} by “{cheapest}”, {most} by “{dearest}”", least=low, most=high,
                     cheapest=_way(rows[0], about), dearest=_way(rows[-1], about))
