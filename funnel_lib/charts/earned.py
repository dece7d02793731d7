"""Charts of where the margin is earned: order by order, and how a new client pays back with age."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.period_words import phrase
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_money, format_share, is_available

_VERDICT_COLOURS = {"loss": style.VERMILION, "earns": style.GREEN, "cannot_tell": style.GREY}


def plot_margin_by_order(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of what is left per order after its cost (the margin, where no cost is known) with 95 % limits, by order number.

    `table` is `loyalty.margin_by_order(process)`. Diamonds: the margin before the cost. Red is a loss, green a gain, grey cannot be
    told; fewer than 30 customers are lighter. Orders whose number is not known are not drawn.
    """
    about = about_of(table)
    shown = table[(table["order_number"] != "number_unknown") & (table["orders_count"] > 0)]
    costed = shown["net_per_order_amount"].notna().all()
    name = "net_per_order" if costed else "margin_per_order"
    with style.drawn():
        ax = style.new_axes(ax, 1.9 + 0.42 * len(shown))
        if shown.empty:
            return style.untold(ax, about.say("No order of a new client was seen yet"),
                                about.say("what each order of new clients earns"), about)
        labels = [f"{about.label(number)} ({format_count(count, about.language)})"
                  for number, count in zip(shown["order_number"], shown["orders_count"], strict=True)]
        style.bars(ax, labels, shown[f"{name}_amount"], low=shown[f"{name}_low_amount"], high=shown[f"{name}_high_amount"],
                   colours=[_VERDICT_COLOURS[verdict] for verdict in shown["verdict"]], light=shown["few"])
        ends = shown[[f"{name}_amount", f"{name}_high_amount", "margin_per_order_amount"]].to_numpy(dtype=float)
        style.texts_after(ax, np.nanmax(ends, axis=1), [_money_text(row, name, about) for row in shown.itertuples()])
        if costed:
            style.diamonds(ax, shown["margin_per_order_amount"], about.say("margin before the cost"))
        left, right = ax.get_xlim()
        ax.set_xlim(left, right + 0.25 * (right - left))
        style.money_axis(ax, term(f"{name}_amount").label(about.language), about)
        ax.set_ylabel(f"{term('order_number').label(about.language)} ({term('orders_count').label(about.language).lower()})")
        below = (about.say("margin − cost of winning the client (first order) or of account management (later ones); per order of "
                           "new clients, 95 % limits") if costed
                 else about.say("margin; the cost is not known; per order of new clients, 95 % limits"))
        few = about.say("lighter: fewer than 30 customers") if shown["few"].any() else ""
        style.title(ax, _order_headline(shown, name, about), style.dotted(below, few), about)
        return ax


def _money_text(row: tuple, name: str, about: About) -> str:
    money = format_money(getattr(row, f"{name}_amount"), about.language, about.currency)
    money = about.say("{money} left", money=money) if name == "net_per_order" else money
    if not is_available(row.margin_share):
        return money
    return about.say("{money}   ({share} of all margin)", money=money, share=format_share(row.margin_share, about.language))


def _order_headline(shown: pd.DataFrame, name: str, about: About) -> str:
    first = shown.iloc[0]
    money = format_money(abs(first[f"{name}_amount"]), about.language, about.currency)
    if first.verdict == "loss":
        later = shown[(shown["order_number"] != "1") & (shown["verdict"] == "earns")]
        if later.empty:
            return about.say("The first order loses {money}", money=money)
        return about.say("The first order loses {money}; from order {number} on clients earn", money=money,
                         number=about.label(later.iloc[0].order_number))
    if first.verdict == "earns":
        return about.say("Already the first order earns {money} after its cost", money=money)
    return about.say("Whether the first order is sold at a loss cannot be told")


def plot_payback(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The margin of a new client by age with 95 % limits, and the cost of winning one as a line; the month of payback is marked.

    `table` is `loyalty.payback(process)`.
    """
    about = about_of(table)
    cac, found = float(table["cac_amount"].iloc[0]), table[table["paid_back"]]
    ages, mean = table["age_months"].to_numpy(dtype=float), table["margin_per_customer_amount"].to_numpy(dtype=float)

    def money(value: float) -> str:
        return format_money(value, about.language, about.currency)

    with style.drawn():
        ax = style.new_axes(ax, 3.4)
        ax.fill_between(ages, table["margin_per_customer_low_amount"], table["margin_per_customer_high_amount"], color=style.GREEN,
                        alpha=0.18, linewidth=0)
        ax.plot(ages, mean, color=style.GREEN, marker="o", markersize=3.5, linestyle="--" if table["few"].all() else "-")
        ax.axhline(0, color=style.GREY, linewidth=0.8)
        if is_available(cac):
            ax.axhline(cac, color=style.VERMILION, linewidth=1.3)
            ax.annotate(f"{term('cac_amount').label(about.language)}: {money(cac)}", (ages[-1], cac), (0, 4),
                        textcoords="offset points", ha="right", va="bottom", color=style.VERMILION, fontsize=9)
        if len(found):
            first = found.iloc[0]
            ax.plot(first.age_months, first.margin_per_customer_amount, "o", color=style.VERMILION, markersize=8, fillstyle="none")
            ax.axvline(first.age_months, color=style.GREY, linewidth=0.8, linestyle=":")
        ax.xaxis.set_major_locator(style.plt.MaxNLocator(integer=True))
        ax.yaxis.set_major_locator(style.plt.MaxNLocator(5))
        ax.yaxis.set_major_formatter(lambda value, _: money(value))
        ax.set_xlabel(f"{term('age_months').label(about.language)}: {phrase('since_first', 'month', about)}")
        ax.set_ylabel(term("margin_per_customer_amount").label(about.language))
        ax.grid(axis="y")
        first, last = (format_count(table["customers_count"].iloc[at], about.language) for at in (0, -1))
        style.title(ax, _payback_headline(table, cac, about),
                    about.say("margin of a new client added up by age, 95 % limits; customers at least that old · n = {first} at "
                              "the start, {last} at the end", first=first, last=last), about)
        return ax


def _payback_headline(table: pd.DataFrame, cac: float, about: About) -> str:
    if not is_available(cac):
        return about.say("What a new client earns by age; what one costs is not known")
    found = table[table["paid_back"]]
    if table["few"].all():
        return about.say("Too few new clients to tell when one pays back")
    if found.empty:
        return about.say("A new client has not paid back by month {month}", month=table["age_months"].iloc[-1])
    month = found["age_months"].iloc[0]
    if is_available(found["margin_per_customer_low_amount"].iloc[0]) and not table["surely_paid_back"].any():
        return (about.say("Whether a new client pays back cannot be told: on average in month {month}, by the lower limit not yet",
                          month=month) if month else
                about.say("Whether a new client pays back cannot be told: on average with the first order, by the lower limit not "
                          "yet"))
    return (about.say("A new client pays back in month {month}", month=month) if month else
            about.say("A new client pays back with the first order"))
