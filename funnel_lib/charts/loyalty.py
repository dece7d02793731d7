"""Charts of exercise 3: retention by cohort, what the sales are made of, who came by recommendation."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.charts.period_words import phrase
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_moment, format_money, format_share, is_available

# What fits a page with readable numbers.
MOST_COHORTS, MOST_AGES = 18, 13
DARK_SHARE = 0.7
# Cohorts of which some had perhaps bought before are drawn lighter.
PALE = 0.45
KIND_COLOURS = {"first": style.ORANGE, "repeat": style.BLUE, "reactivated": style.SKY, "unattributed": style.GREY}


def plot_cohort_retention(retention: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Heat map of the latest cohorts × ages with the share in every cell; partly observed cells are hatched and bracketed,
    cohorts of whom some had perhaps bought before are paler.

    `retention` is `loyalty.cohort_retention(process)`.
    """
    about = about_of(retention)
    cohorts = sorted(retention["cohort"].unique())[-MOST_COHORTS:]
    table = retention[retention["cohort"].isin(cohorts) & retention["age"].between(1, MOST_AGES - 1)]
    sizes = retention.drop_duplicates("cohort").set_index("cohort")["customers_count"]
    word = style.period_word(retention["cohort"])
    highest = max(float(table["retained_share"].max()) if len(table) else 0, 1e-9)
    with style.drawn():
        ax = style.new_axes(ax, 1.6 + 0.27 * len(cohorts))
        for row in table.itertuples():
            _cell(ax, row.age, cohorts.index(row.cohort), row, highest)
        whole = cohort_axes(ax, table, {start: format_count(sizes[start], about.language) for start in cohorts}, "customers_count",
                            about)
        what = about.say("% of the cohort who ordered {in_that_period}", in_that_period=phrase("that", word, about))
        latest = about.plural(len(cohorts), "n = {customers} customers; the latest {count} cohort",
                              "n = {customers} customers; the latest {count} cohorts", count=len(cohorts),
                              customers=format_count(sizes.sum(), about.language))
        style.title(ax, _headline(retention, word, about), style.dotted(what, whole, latest), about)
        return ax


def cohort_axes(ax: Axes, table: pd.DataFrame, starts: dict, name: str, about: About) -> str:
    """The axes of a heat map of cohorts × ages, each cohort with what it began with (`name`); what is to be explained."""
    language, ages = about.language, range(1, max([int(table["age"].max()) if len(table) else 1, 1]) + 1)
    ax.set_yticks(range(len(starts)), [f"{format_moment(start, language)}  ({text})" for start, text in starts.items()])
    ax.set_xticks(ages)
    ax.set_xlim(0.5, ages[-1] + 0.5)
    ax.set_ylim(len(starts) - 0.5, -0.5)
    ages_of = phrase("since_first", style.period_word(pd.Series(list(starts))), about)
    ax.set_xlabel(f"{term('age').label(language)}: {ages_of}")
    began_with = term(name).label(language)
    ax.set_ylabel(f"{term('cohort').label(language)} ({began_with[:1].lower()}{began_with[1:]})")
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0)
    return style.dotted("" if table["complete"].all() else about.say("hatched and in brackets: not over yet"),
                        about.say("paler: some had perhaps bought before") if (table["perhaps_older_count"] > 0).any() else "")


def _cell(ax: Axes, age: int, position: int, row: tuple, highest: float) -> None:
    strength = row.retained_share / highest * (PALE if row.perhaps_older_count else 1.0)
    text = f"{row.retained_share * style.PERCENT:.0f}" if row.complete else f"({row.retained_share * style.PERCENT:.0f})"
    ax.add_patch(Rectangle((age - 0.5, position - 0.5), 1, 1, facecolor=style.BLUE, alpha=0.06 + 0.84 * strength,
                           edgecolor="none"))
    if not row.complete:
        ax.add_patch(Rectangle((age - 0.5, position - 0.5), 1, 1, facecolor="none", edgecolor="white", hatch="///",
                               linewidth=0))
    ax.text(age, position, text, ha="center", va="center", fontsize=9, color="white" if strength > DARK_SHARE else style.INK)


def _headline(retention: pd.DataFrame, word: str, about: About) -> str:
    cells = retention[retention["complete"].astype(bool) & (retention["age"] == 1)]
    if cells.empty:
        return about.say("No cohort could be {followed} yet", followed=phrase("followed_whole", word, about))
    low, high = (format_share(share, about.language) for share in (cells["retained_share"].min(), cells["retained_share"].max()))
    return about.say("Of {clients_of_one}, between {low} and {high} order again {in_the_next}", low=low, high=high,
                     clients_of_one=phrase("clients_of_one", word, about), in_the_next=phrase("after", word, about))


def plot_sales_split(split: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Two stacked bars, orders and amount, of first, repeat and reactivated sales; sales to referred clients are hatched.

    `split` is `loyalty.sales_split(process)` without periods.
    """
    about = about_of(split)
    language = about.language
    with style.drawn():
        ax = style.new_axes(ax, 2.9)
        for position, name in enumerate(("orders_share", "amount_share")):
            left = 0.0
            for row in split[split[name].fillna(0) > 0].itertuples():
                share = getattr(row, name)
                ax.barh(position, share, left=left, height=0.62, color=KIND_COLOURS[row.kind], edgecolor="white",
                        hatch="///" if row.referred else None, linewidth=0.6)
                if share >= 0.055:
                    ax.text(left + share / 2, position, f"{share * style.PERCENT:.0f} %", ha="center", va="center", fontsize=9,
                            color=style.INK, bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.2})
                left += share
        _split_legend(ax, split, about)
        orders, amount = split["orders_count"].sum(), split["amount"].sum()
        ax.set_yticks([0, 1], [f"{term('orders_count').label(language)}\n{format_count(orders, language)}",
                               f"{term('amount').label(language)}\n{format_money(amount, language, about.currency)}"])
        ax.invert_yaxis()
        ax.set_xlim(0, 1)
        ax.xaxis.set_major_formatter(lambda value, _: style.percent(value, about))
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        again = split[split["kind"].isin(["repeat", "reactivated"])]
        style.title(ax, about.say("{orders} of the orders and {money} of the money come from clients who had bought before",
                                  orders=format_share(again["orders_share"].sum(), language),
                                  money=format_share(again["amount_share"].sum(), language)),
                    about.say("share of paid orders and of their amount; refunds are not in it"), about)
        return ax


def _split_legend(ax: Axes, split: pd.DataFrame, about: About) -> None:
    kinds = [kind for kind in KIND_COLOURS if split.loc[split["kind"] == kind, "orders_count"].sum() > 0]
    handles = [Rectangle((0, 0), 1, 1, color=KIND_COLOURS[kind]) for kind in kinds]
    names = [about.label(kind) for kind in kinds]
    if split.loc[split["referred"], "orders_count"].sum() > 0:
        handles.append(Rectangle((0, 0), 1, 1, facecolor=style.PALE, hatch="///", edgecolor="white"))
        names.append(about.label("referred"))
    ax.legend(handles, names, ncols=4, loc="upper left", bbox_to_anchor=(0, -0.14), handlelength=1.2, borderaxespad=0)


def plot_referral_share(shares: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of the share of new customers by origin with 95 % limits; the unknown ones lighter.

    `shares` is `loyalty.referral_share(process)`.
    """
    about = about_of(shares)
    language = about.language
    with style.drawn():
        ax = style.new_axes(ax, 1.5 + 0.42 * len(shares))
        texts = [_origin_text(row, about) for row in shares.itertuples()]
        style.bars(ax, [about.label(key) for key in shares["origin"]], shares["customers_share"].to_numpy(),
                   colours=[style.colour(key, about) for key in shares["origin"]], low=shares["customers_low_share"],
                   high=shares["customers_high_share"], texts=texts, light=shares["origin"] == "unknown")
        ax.set_xlim(0, 1.5)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
        style.share_axis(ax, term("customers_share").label(language), about)
        referred = shares.set_index("origin").loc["referred"]
        style.title(ax, about.say("{share} of the new customers came by recommendation",
                                  share=format_share(referred.customers_share, language)),
                    about.say("share of new customers, 95 % limits · lighter: the channel is not recorded · n = {total}",
                              total=format_count(shares["customers_count"].sum(), language)), about)
        return ax


def _origin_text(row: tuple, about: About) -> str:
    share, count = format_share(row.customers_share, about.language), format_count(row.customers_count, about.language)
    if not is_available(row.amount_share):
        return f"{share}   ({count})"
    return about.say("{share}   ({count}; {of_money} of the money)", share=share, count=count,
                     of_money=format_share(row.amount_share, about.language))
