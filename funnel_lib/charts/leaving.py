"""Charts of whom the company hangs on and who is leaving: Lorenz curve, largest clients, groups of clients."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_money, format_share, is_available

FIFTH = 0.2
# As long as a name may be beside its bar.
NAME_LETTERS = 28
_GROUP_COLOURS = {"client_best": style.GREEN, "client_regular": style.BLUE, "client_new": style.SKY, "client_cooling": style.YELLOW,
                  "client_leaving": style.ORANGE, "client_once": style.GREY, "client_gone": style.ASH}


def plot_lorenz(curve: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The share of the money that the largest clients bring, by their share of all clients, with the fifth of them marked.

    `curve` is `loyalty.lorenz(process)`. The dashed line is where all clients would bring the same.
    """
    about = about_of(curve)
    fifth = curve[curve["clients_share"] >= FIFTH].iloc[0]
    share, of_clients = (format_share(value, about.language) for value in (fifth.clients_amount_share, fifth.clients_share))
    with style.drawn():
        ax = style.new_axes(ax, 3.8)
        ax.plot([0, 1], [0, 1], color=style.GREY, linestyle="--", linewidth=1)
        ax.annotate(about.say("if all brought the same"), (0.62, 0.59), color=style.GREY, fontsize=9, ha="left", va="top")
        ax.plot(curve["clients_share"], curve["clients_amount_share"], color=style.BLUE, linewidth=1.8)
        ax.plot(fifth.clients_share, fifth.clients_amount_share, "o", color=style.VERMILION, markersize=7)
        ax.vlines(fifth.clients_share, 0, fifth.clients_amount_share, color=style.VERMILION, linewidth=0.9, linestyle=":")
        ax.annotate(about.say("{of_clients} of the clients: {share}", of_clients=of_clients, share=share),
                    (fifth.clients_share, fifth.clients_amount_share), (9, -5), textcoords="offset points", va="top", fontsize=9,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})
        ax.set_xlim(0, 1.02)
        ax.set_ylim(0, 1.04)
        style.share_axis(ax, about.say("{label}, the largest first", label=term("clients_share").label(about.language)), about)
        style.share_axis(ax, term("clients_amount_share").label(about.language), about, "y")
        whole = curve.iloc[-1]
        money = format_money(whole.clients_amount, about.language, about.currency)
        style.title(ax, about.plural(fifth.clients_count, "{count} of {clients} clients brings {share} of the money",
                                     "{count} of {clients} clients bring {share} of the money", share=share,
                                     count=format_count(fifth.clients_count, about.language),
                                     clients=format_count(whole.clients_count, about.language)),
                    about.say("paid by named clients, refunds taken off: {money}", money=money), about)
        return ax


def plot_largest_clients(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of the share of all money that each of the largest clients brought; diamonds: their share of the last 365 days.

    `table` is `loyalty.largest_clients(process)`. Who is silent beyond the lapse limit is red.
    """
    about = about_of(table)
    shown = table.head(style.MOST_CATEGORIES)
    late = shown["is_late"].astype(bool)
    with style.drawn():
        ax = style.new_axes(ax, 1.9 + 0.36 * len(shown))
        style.bars(ax, [_short(name) for name in shown["customer_id"]], shown["amount_share"].to_numpy(),
                   colours=np.where(late, style.VERMILION, style.BLUE))
        ends = np.nanmax(shown[["amount_share", "last_year_share"]].to_numpy(dtype=float), axis=1)
        style.texts_after(ax, ends, [_client_text(row, about) for row in shown.itertuples()])
        ax.set_xlim(0, 1.6 * ends.max())
        ax.set_xticks([tick for tick in ax.get_xticks() if tick <= min(1.3 * ends.max(), 1)])
        style.share_axis(ax, term("amount_share").label(about.language), about)
        red = [Patch(color=style.VERMILION, label=term("is_late").label(about.language))] if late.any() else []
        style.diamonds(ax, shown["last_year_share"], term("last_year_share").label(about.language), red)
        first = shown.iloc[0]
        said = {"share": format_share(first.amount_share, about.language),
                "lately": format_share(first.last_year_share, about.language)}
        headline = (about.say("The largest client: {share} of all money, {lately} in the last 365 days", **said)
                    if is_available(first.last_year_share) else
                    about.say("The largest client: {share} of all money", share=said["share"]))
        style.title(ax, headline, about.say("share of what named clients paid, refunds taken off"), about)
        return ax


def _client_text(row: tuple, about: About) -> str:
    share, money = format_share(row.amount_share, about.language), format_money(row.amount, about.language, about.currency)
    if not is_available(row.last_year_share):
        return f"{share}   ({money})"
    return about.say("{share}, lately {lately}   ({money})", share=share, money=money,
                     lately=format_share(row.last_year_share, about.language))


def _short(name: str) -> str:
    return name if len(name) <= NAME_LETTERS else name[:NAME_LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"


def plot_rfm_groups(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of each group's share of the clients with 95 % limits; diamonds: its share of the money of a year.

    `table` is `loyalty.rfm_groups(process)`.
    """
    about = about_of(table)
    with style.drawn():
        ax = style.new_axes(ax, 1.9 + 0.4 * len(table))
        money, high = table["yearly_amount_share"].to_numpy(dtype=float), table["clients_high_share"].to_numpy(dtype=float)
        style.bars(ax, [about.label(key) for key in table["client_group"]], table["clients_share"].to_numpy(),
                   colours=[_GROUP_COLOURS[key] for key in table["client_group"]], low=table["clients_low_share"], high=high)
        style.texts_after(ax, np.fmax(high, money), [_group_text(row, about) for row in table.itertuples()])
        ax.set_xlim(min(0, np.nanmin([0, *money])), 1.75 * float(np.nanmax([*high, *money, 0.01])))
        ax.set_xticks([tick for tick in style.plt.MaxNLocator(5).tick_values(0, 1) if tick <= ax.get_xlim()[1] / 1.5])
        style.share_axis(ax, term("clients_share").label(about.language), about)
        style.diamonds(ax, money, term("yearly_amount_share").label(about.language))
        style.title(ax, _groups_headline(table, about),
                    about.say("share of all clients, 95 % limits; money: paid in the 365 days up to each client's last order · n = "
                              "{count}", count=format_count(table["customers_count"].sum(), about.language)), about)
        return ax


def _group_text(row: tuple, about: About) -> str:
    share, count = format_share(row.clients_share, about.language), format_count(row.customers_count, about.language)
    if not is_available(row.yearly_amount_share):
        return f"{share}   ({count})"
    return about.say("{share}   ({count}; {of_money} of the money)", share=share, count=count,
                     of_money=format_share(row.yearly_amount_share, about.language))


def _groups_headline(table: pd.DataFrame, about: About) -> str:
    rows = table.set_index("client_group")
    best, leaving = rows.loc["client_best"], rows.loc["client_leaving"]
    going, count = leaving.customers_count, format_count(leaving.customers_count, about.language)
    if rows.loc["client_new", "customers_count"] == table["customers_count"].sum():
        return about.say("No client can be told from another yet: all are new")
    if not best.customers_count:
        return about.plural(going, "{count} of the clients who came again are about to leave",
                            "{count} of the clients who came again are about to leave", count=count)
    best_bring = about.plural(best.customers_count, "{count} best client brings {share} of the money",
                              "{count} best clients bring {share} of the money",
                              count=format_count(best.customers_count, about.language),
                              share=format_share(best.yearly_amount_share, about.language))
    return about.plural(going, "{best_bring}; {count} who came again are about to leave",
                        "{best_bring}; {count} who came again are about to leave", best_bring=best_bring, count=count)
