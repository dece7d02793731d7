"""Charts of exercise 1: the flow of leads, the share on target, what a lead and a customer cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.period_words import counted, out_of, phrase
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_moment, format_money, format_number, format_share
from funnel_lib.language.messages import marked
from funnel_lib.rates import is_few

# More groups than this are drawn together as the rest.
MOST_LAYERS = style.MOST_CATEGORIES - 1
REST = "(rest)"
MOST_PERIODS, MOST_DATES = 60, 5
# Of a lead, a lead on target and a customer: what one costs from the dearest and the cheapest channel, or that it is not known.
COSTS = {"lead": (marked("A lead costs {most} from “{first}” and {least} from “{last}”"),
                  marked("What a lead costs cannot be told by channel")),
         "target_lead": (marked("A lead on target costs {most} from “{first}” and {least} from “{last}”"),
                         marked("What a lead on target costs cannot be told by channel")),
         "customer": (marked("A new customer costs {most} from “{first}” and {least} from “{last}”"),
                      marked("What a new customer costs cannot be told by channel"))}


def plot_lead_counts(counts: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Leads of the latest 60 periods as stacked bars, one colour per channel; unfinished periods are lighter.

    `counts` is `lead_flow.lead_counts(process)`, by one column or by none.
    """
    about = about_of(counts)
    group = next((name for name in counts.columns if name not in ("period_start", "leads_count", "complete")), None)
    layers, finished = _layers(counts, group)
    word, all_count = style.period_word(layers.index), len(layers)
    layers, finished = layers.tail(MOST_PERIODS), finished[-MOST_PERIODS:]
    positions, bottom = np.arange(len(layers)), np.zeros(len(layers))
    with style.drawn():
        ax = style.new_axes(ax, 3.6)
        for key in layers:
            values = layers[key].to_numpy(dtype=float)
            for bars, alpha, edge in ((finished, 1.0, "-"), (~finished, 0.4, "--")):
                ax.bar(positions[bars], values[bars], bottom=bottom[bars], width=0.85, alpha=alpha, linestyle=edge,
                       color=style.colour(key, about) if key != REST else style.GREY)
            bottom += values
        if group:
            _name_layers(ax, layers, about)
        _period_ticks(ax, layers.index, about)
        style.number_axis(ax, term("leads_count").label(about.language), about, "y")
        ax.set_xlim(-0.8, len(layers) - 0.2)
        ax.set_ylim(0, max(1.0, bottom.max()) * 1.12)
        style.title(ax, _flow_headline(bottom[finished], word, about), style.dotted(
            about.say("new leads {per_period}", per_period=phrase("per", word, about)), _which(all_count, word, about),
            f"n = {format_count(bottom.sum(), about.language)}", "" if finished.all() else unfinished(word, about)), about)
        return ax


def unfinished(word: str, about: About) -> str:
    """Why some periods are lighter."""
    return about.say("lighter: {not_over} or began before the records", not_over=phrase("not_over", word, about))


def _layers(counts: pd.DataFrame, group: str | None) -> tuple[pd.DataFrame, np.ndarray]:
    """Periods × groups, the largest group first and the smallest together, and which periods are finished."""
    finished = counts.groupby("period_start")["complete"].all().to_numpy()
    wide = counts.assign(_group=counts[group] if group else "all").pivot_table(
        index="period_start", columns="_group", values="leads_count", aggfunc="sum")
    order = wide.sum().sort_values(ascending=False, kind="stable").index
    kept, rest = list(order[:MOST_LAYERS]), list(order[MOST_LAYERS:])
    layers = wide[kept].assign(**{REST: wide[rest].sum(axis=1)}) if len(rest) > 1 else wide[list(order)]
    return layers, finished


def _name_layers(ax: Axes, layers: pd.DataFrame, about: About) -> None:
    """A legend in the order of the stack, the top layer first."""
    keys = list(layers)[::-1]
    handles = [ax.bar(0, 0, color=style.colour(key, about) if key != REST else style.GREY) for key in keys]
    names = [about.label(key) if key != REST else about.say("the rest") for key in keys]
    ax.legend(handles, [style.wrapped(name, 18) for name in names], loc="upper left", bbox_to_anchor=(1.0, 1.0),
              handlelength=1.0, borderaxespad=0.2)


def _flow_headline(counts: np.ndarray, word: str, about: About) -> str:
    if not len(counts):
        return phrase("none_over", word, about)
    mean, least, most = format_number(counts.mean(), about.language), *(
        format_count(count, about.language) for count in (counts.min(), counts.max()))
    return about.plural(counts.mean(), "{mean} lead comes {in_period} on average; the fewest {least}, the most {most}",
                        "{mean} leads come {in_period} on average; the fewest {least}, the most {most}", mean=mean, least=least,
                        most=most, in_period=phrase("in_a", word, about))


def _which(all_count: int, word: str, about: About) -> str:
    if all_count <= MOST_PERIODS:
        return counted(all_count, word, about)
    return about.say("the latest {count} {of_periods}", count=MOST_PERIODS, of_periods=out_of(all_count, word, about))


def _period_ticks(ax: Axes, starts: pd.DatetimeIndex, about: About) -> None:
    step = max(1, int(np.ceil(len(starts) / MOST_DATES)))
    at = np.arange(0, len(starts), step)
    ax.set_xticks(at, [format_moment(starts[position], about.language) for position in at])


def plot_target_share(shares: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of the share of leads on target with 95 % limits, highest first; groups with few leads lighter.

    `shares` is `lead_flow.target_share(process)`.
    """
    about = about_of(shares)
    group = shares.columns[0]
    table = shares[shares["known_count"] > 0].sort_values("target_share", ascending=False)
    dropped = len(table) - style.MOST_CATEGORIES
    table = table.nlargest(style.MOST_CATEGORIES, "known_count").sort_values("target_share", ascending=False)
    with style.drawn():
        ax = style.new_axes(ax, 1.4 + 0.42 * max(len(table), 1))
        below = about.say("leads in a target segment / leads with a known segment, 95 % limits · n = {count}",
                          count=format_count(shares["known_count"].sum(), about.language))
        if table.empty:
            return style.untold(ax, about.say("No lead has a known segment: their share on target cannot be told"), below, about)
        texts = [f"{format_share(row.target_share, about.language)}   ({format_count(row.target_count, about.language)} / "
                 f"{format_count(row.known_count, about.language)})" for row in table.itertuples()]
        style.bars(ax, [about.label(key) for key in table[group]], table["target_share"].to_numpy(),
                   colours=[style.colour(key, about) for key in table[group]], low=table["target_low_share"],
                   high=table["target_high_share"], texts=texts, light=table["few"])
        style.share_axis(ax, term("target_share").label(about.language), about)
        ax.set_xlim(0, 1.3)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
        sure = table[~table["few"]] if not table["few"].all() else table
        best, worst = sure.iloc[0], sure.iloc[-1]
        some = about.say("the {count} largest groups", count=len(table)) if dropped > 0 else ""
        lighter = about.say("lighter: fewer than 30 leads") if table["few"].any() else ""
        style.title(ax, about.say("On target: {most} of the leads from “{first}”, {least} from “{last}”",
                                  most=format_share(best.target_share, about.language), first=about.label(best[group]),
                                  least=format_share(worst.target_share, about.language), last=about.label(worst[group])),
                    style.dotted(below, some, lighter), about)
        return ax


def plot_channel_costs(economics: pd.DataFrame, per: str = "customer", ax: Axes | None = None) -> Axes:
    """Bars of the lead-generation cost of one lead, target lead or new customer by channel, dearest first.

    `economics` is `lead_flow.channel_economics(process)`; `per` is "lead", "target_lead" or "customer".
    """
    about = about_of(economics)
    value, count = {"lead": ("cost_per_lead_amount", "leads_count"),
                    "target_lead": ("cost_per_target_lead_amount", "target_count"),
                    "customer": ("cost_per_customer_amount", "customers_count")}[per]
    table = economics[economics[value].notna()].nlargest(style.MOST_CATEGORIES, count).sort_values(value, ascending=False)
    label = term(value).label(about.language)
    costs, unknown = COSTS[per]
    below = about.say("lead-generation cost / count; money that names no channel is left out")
    with style.drawn():
        ax = style.new_axes(ax, 1.4 + 0.42 * max(len(table), 1))
        texts = [f"{format_money(row[value], about.language, about.currency)}   "
                 f"({format_money(row['cost_amount'], about.language, about.currency)} / "
                 f"{format_count(row[count], about.language)})" for _, row in table.iterrows()]
        if table.empty:
            return style.untold(ax, about.say(unknown), below, about)
        few = is_few(table[count])
        style.bars(ax, [about.label(key) for key in table["channel"]], table[value].to_numpy(),
                   colours=[style.colour(key, about) for key in table["channel"]], texts=texts, light=few)
        ax.set_xlim(0, max(float(table[value].max()), 1e-9) * 1.6)
        style.money_axis(ax, label, about)
        sure = table[~few] if not few.all() else table
        dear, cheap = sure.iloc[0], sure.iloc[-1]
        style.title(ax, about.say(costs, most=format_money(dear[value], about.language, about.currency),
                                  first=about.label(dear.channel), last=about.label(cheap.channel),
                                  least=format_money(cheap[value], about.language, about.currency)),
                    style.dotted(below, f"n = {format_count(table[count].sum(), about.language)}",
                                 about.say("lighter: fewer than 30") if few.any() else ""), about)
        return ax
