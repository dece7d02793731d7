"""Charts of whom the leads are: channels against segments, and whether leads on target buy more."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_duration, format_money, format_share, is_available
from funnel_lib.rates import ratio

DARK_SHARE = 0.75
_KIND_COLOURS = {"target": style.GREEN, "other": style.ORANGE, "unknown": style.ASH}


def plot_channel_segments(matrix: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The matrix as a heat map: in each cell the number of leads and their share of the channel; target segments framed.

    `matrix` is `lead_flow.channel_segments(process)`. Of more than 8 channels or segments the smallest are joined.
    """
    about = about_of(matrix)
    rows, columns = matrix.columns[:2]
    counts = matrix.pivot_table(index=rows, columns=columns, values="leads_count", aggfunc="sum", sort=False)
    counts = _joined(_joined(counts, about).T, about).T
    sizes = counts.sum(axis=1)
    shares = pd.DataFrame(ratio(counts.to_numpy(dtype=float), sizes.to_numpy(dtype=float)[:, None]), counts.index, counts.columns)
    on_target = set(matrix.loc[matrix["target_group"] == "target", columns])
    with style.drawn():
        ax = style.new_axes(ax, 1.7 + 0.5 * len(counts))
        highest = max(float(np.nanmax(shares.to_numpy(), initial=0.0)), 1e-9)
        for at, key in enumerate(counts.index):
            for place, segment in enumerate(counts.columns):
                _cell(ax, place, at, counts.loc[key, segment], shares.loc[key, segment], highest, about)
        for place, segment in enumerate(counts.columns):
            if segment in on_target:
                ax.add_patch(Rectangle((place - 0.49, -0.49), 0.98, len(counts) - 0.02, fill=False, edgecolor=style.GREEN,
                                       linewidth=2, zorder=3))
        ax.set_xticks(range(len(counts.columns)), [style.wrapped(about.label(key), 12) for key in counts.columns])
        ax.set_yticks(range(len(counts)), [f"{style.wrapped(about.label(key), 20)} ({format_count(size, about.language)})"
                                           for key, size in sizes.items()])
        ax.set_xlim(-0.5, len(counts.columns) - 0.5)
        ax.set_ylim(len(counts) - 0.5, -0.5)
        ax.tick_params(length=0, labelsize=9)
        for spine in ax.spines.values():
            spine.set_visible(False)
        framed = about.say("framed: {what}", what=term("target").label(about.language).lower()) if on_target else ""
        style.title(ax, _matrix_headline(counts, about),
                    style.dotted(about.say("leads, and their share of the row"), framed,
                                 f"n = {format_count(sizes.sum(), about.language)}"), about)
        return ax


def _joined(counts: pd.DataFrame, about: About) -> pd.DataFrame:
    """At most 8 rows: the smallest ones together as the last."""
    if len(counts) <= style.MOST_CATEGORIES:
        return counts
    order = counts.sum(axis=1).sort_values(ascending=False, kind="stable").index
    kept = [key for key in counts.index if key in set(order[:style.MOST_CATEGORIES - 1])]
    rest = counts.drop(index=kept)
    return pd.concat([counts.loc[kept], rest.sum().to_frame(about.say("(the rest): {count}", count=len(rest))).T])


def _cell(ax: Axes, place: int, at: int, count: float, share: float, highest: float, about: About) -> None:
    strength = share / highest if is_available(share) else 0.0
    ax.add_patch(Rectangle((place - 0.5, at - 0.5), 1, 1, facecolor=style.BLUE, alpha=0.03 + 0.8 * strength, edgecolor="white"))
    text = format_count(count, about.language)
    text += f"\n{format_share(share, about.language)}" if is_available(share) and count else ""
    ax.text(place, at, text, ha="center", va="center", fontsize=9, color="white" if strength > DARK_SHARE else style.INK)


def _matrix_headline(counts: pd.DataFrame, about: About) -> str:
    """The largest cell: a count, no ranking of shares that rest on few leads."""
    key, segment = counts.stack().idxmax()
    largest, total = (format_count(count, about.language) for count in (counts.loc[key, segment], counts.to_numpy().sum()))
    return about.say("The largest group is “{segment}” from “{channel}”: {count} of {leads} leads", segment=about.label(segment),
                     channel=about.label(key), count=largest, leads=total)


def plot_target_conversion(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Bars of the share won with 95 % limits: leads on target, others, and unknown ones; margin per lead beside each bar.

    `table` is `lead_flow.target_conversion(process)`.
    """
    about = about_of(table)
    with style.drawn():
        ax = style.new_axes(ax, 2.6)
        labels = [f"{about.labels.get(row.target_group, row.target_group)} ({format_count(row.leads_count, about.language)})"
                  for row in table.itertuples()]
        style.bars(ax, labels, table["won_share"].to_numpy(dtype=float), low=table["won_low_share"], high=table["won_high_share"],
                   colours=[_KIND_COLOURS[kind] for kind in table["target_group"]], light=table["few"].astype(bool),
                   texts=[_bar_text(row, about) for row in table.itertuples()])
        top = float(np.nanmax(table["won_high_share"].to_numpy(dtype=float), initial=0.0))
        has_margin = table["margin_per_lead_amount"].notna().any()
        ax.set_xlim(0, max(top, 0.01) * (2.3 if has_margin else 1.5))
        ax.set_xticks([tick for tick in style.plt.MaxNLocator(4).tick_values(0, max(top, 0.01)) if 0 <= tick <= 1])
        style.share_axis(ax, term("won_share").label(about.language), about)
        lighter = (table["few"] & (table["leads_count"] > 0)).any()
        style.title(ax, _target_headline(table, about), style.dotted(
            _won_of_what(table, about), about.say("margin per lead within 12 months") if has_margin else "",
            about.say("lighter: fewer than 30 leads") if lighter else ""), about)
        return ax


def _won_of_what(table: pd.DataFrame, about: About) -> str:
    window, count = table["equal_window_days"].iloc[0], format_count(table["base_count"].sum(), about.language)
    if not is_available(window):
        return about.say("won / leads at least that old, 95 % limits · n = {count}", count=count)
    return about.say("won within {days} / leads at least that old, 95 % limits · n = {count}", count=count,
                     days=format_duration(window, "days", about.language))


def _bar_text(row: tuple, about: About) -> str:
    if not is_available(row.won_share):
        return about.say("no lead followed long enough") if row.leads_count else about.say("no such lead")
    text = (f"{format_share(row.won_share, about.language)}   ({format_count(row.won_count, about.language)} / "
            f"{format_count(row.base_count, about.language)})")
    if not is_available(row.margin_per_lead_amount):
        return text
    return about.say("{share}   {money} per lead", share=text,
                     money=format_money(row.margin_per_lead_amount, about.language, about.currency))


def _target_headline(table: pd.DataFrame, about: About) -> str:
    rows = table.set_index("target_group")
    here, there = rows.loc["target"], rows.loc["other"]
    if not (is_available(here.won_share) and is_available(there.won_share)):
        return about.say("Whether leads on target buy more cannot be told yet")
    shares = {"share": format_share(here.won_share, about.language), "other": format_share(there.won_share, about.language)}
    if here.won_low_share > there.won_high_share:
        return about.say("Leads on target buy more often than the others: {share} against {other}", **shares)
    if here.won_high_share < there.won_low_share:
        return about.say("Leads on target buy less often than the others: {share} against {other}", **shares)
    return about.say("Leads on target and the others cannot be told apart: {share} against {other}", **shares)
