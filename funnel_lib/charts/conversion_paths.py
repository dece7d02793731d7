"""Charts of the way through the funnel: the drawn path, the ageing of running leads, the cumulative flow."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.language.formats import SPACE, format_count, format_duration, format_moment, format_share
from funnel_lib.schema import OTHER

_KIND_COLOURS = {"forward": style.BLUE, "skip": style.ORANGE, "return": style.PURPLE, "lost": style.VERMILION}
_BAND_COLOURS = {"fresh": style.GREEN, "usual": style.SKY, "late": style.ORANGE, "forgotten": style.VERMILION,
                 "age_unknown": style.PALE}
# The steps of the flow diagram take their colours in this order.
_STEP_COLOURS = (style.PALE, style.SKY, style.BLUE, style.YELLOW, style.ORANGE, style.PURPLE)
BOX_WIDTH, BOX_HEIGHT = 0.62, 0.42
WIDEST_POINTS, THINNEST_POINTS = 14.0, 0.8
# Rarer moves than this share of the largest would be hairs without a message.
SHOWN_FROM = 0.002
# A band of undescribed steps that was never more than this part of the whole, and is empty now, could not be seen.
UNSEEN = 0.01


def plot_transitions(moves: pd.DataFrame, ax: Axes | None = None, standing: pd.DataFrame | None = None) -> Axes:
    """The drawn path: steps as boxes in a row, arrows as wide as the number of moves.

    Forward moves run along the row, moves that pass over a step above it, returns and losses below it. `moves` is
    `conversion.transitions(process)`; with `standing`, `conversion.work_in_progress_summary(process)`, each box says how many
    running leads stall there.
    """
    about = about_of(moves)
    moves = moves[moves["kind"] != "other"]
    shown = moves[moves["events_count"] >= SHOWN_FROM * moves["events_count"].max()]
    # Steps that nobody described get a box only where an arrow leads to it.
    steps = [step for step in _steps_in_order(moves) if step != OTHER or step in {*shown["from_step"], *shown["to_step"]}]
    place = {step: float(number) for number, step in enumerate(steps)}
    with style.drawn():
        ax = style.new_axes(ax, 4.4)
        for row in shown.sort_values("events_count", ascending=False).itertuples():
            width = max(THINNEST_POINTS, WIDEST_POINTS * row.events_count / moves["events_count"].max())
            _arrow(ax, row, place, width, about)
        for step, x in place.items():
            _box(ax, x, about.label(step), _stalled_text(step, standing, about))
        _lost_bar(ax, moves, place, about)
        ax.set_xlim(-0.55, len(steps) - 0.45)
        ax.set_ylim(-1.7, 1.1)
        ax.axis("off")
        counts = moves.groupby("kind")["events_count"].sum().reindex(list(_KIND_COLOURS)).fillna(0)
        texts = [f"{about.label(kind)}: {format_count(count, about.language)}" for kind, count in counts.items()]
        for number, (kind, text) in enumerate(zip(counts.index, texts, strict=True)):
            ax.text((number + 0.5) / len(texts), 0.0, text, transform=ax.transAxes, ha="center", va="bottom",
                    color=_KIND_COLOURS[kind], fontsize=9.5, fontweight="bold")
        style.title(ax, about.plural(counts["skip"], "{skips} move passes over a step, {returns} go back",
                                     "{skips} moves pass over a step, {returns} go back",
                                     skips=format_count(counts["skip"], about.language),
                                     returns=format_count(counts["return"], about.language)),
                    about.say("moves between steps, the width of an arrow is their number"), about)
        return ax


def _steps_in_order(moves: pd.DataFrame) -> list[str]:
    """The steps of the table from `lead` on: a move that is forward or skips leads to a later step."""
    names = dict.fromkeys([*moves["from_step"], *moves["to_step"]])
    names.pop("lost", None)
    onward = moves[moves["kind"].isin(["forward", "skip"])]
    # A step stands behind every step that leads to it; rows come in the order of the path, so one pass per step is enough.
    rank = dict.fromkeys(names, 0)
    for _ in names:
        for row in onward.itertuples():
            rank[row.to_step] = max(rank[row.to_step], rank[row.from_step] + 1)
    return sorted(names, key=lambda name: (name != "lead", rank[name]))


def _stalled_text(step: str, standing: pd.DataFrame | None, about: About) -> str:
    here = standing[standing["step"] == step] if standing is not None else []
    stalled = int(here.iloc[0][["late_count", "forgotten_count"]].sum()) if len(here) else 0
    said = about.plural(stalled, "{count} stalled", "{count} stalled", count=format_count(stalled, about.language))
    return f"\n{said}" if stalled else ""


def _box(ax: Axes, x: float, label: str, below: str) -> None:
    ax.add_patch(FancyBboxPatch((x - BOX_WIDTH / 2, -BOX_HEIGHT / 2), BOX_WIDTH, BOX_HEIGHT, zorder=3,
                                boxstyle="round,pad=0.02,rounding_size=0.05", facecolor="white", edgecolor=style.INK))
    ax.text(x, 0, style.wrapped(label, 12) + below, ha="center", va="center", fontsize=9, zorder=4)


def _lost_bar(ax: Axes, moves: pd.DataFrame, place: dict[str, float], about: About) -> None:
    """`lost` as one long box under all steps."""
    lost = moves.loc[moves["kind"] == "lost", "events_count"].sum()
    left, right = min(place.values()) - BOX_WIDTH / 2, max(place.values()) + BOX_WIDTH / 2
    ax.add_patch(FancyBboxPatch((left, -1.32), right - left, 0.2, boxstyle="round,pad=0.02,rounding_size=0.05",
                                facecolor="white", edgecolor=style.VERMILION, zorder=3))
    ax.text((left + right) / 2, -1.22, f"{about.label('lost')}: {format_count(lost, about.language)}", ha="center", va="center",
            fontsize=9, zorder=4)


def _arrow(ax: Axes, row: tuple, place: dict[str, float], width: float, about: About) -> None:
    start, end, bend, label_at = _line(row, place)
    colour = _KIND_COLOURS[row.kind]
    ax.add_patch(FancyArrowPatch(start, end, connectionstyle=f"arc3,rad={bend}", linewidth=width, color=colour, alpha=0.6,
                                 arrowstyle=f"-|>,head_length=0.5,head_width={0.2 + 0.03 * width}",
                                 mutation_scale=10, shrinkA=0, shrinkB=0, zorder=2))
    ax.text(*label_at, format_count(row.events_count, about.language), ha="center", va="center", fontsize=9, color=style.INK,
            zorder=5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85})


def _line(row: tuple, place: dict[str, float]) -> tuple[tuple, tuple, float, tuple]:
    """Where the arrow begins and ends, how it bends, and where its number stands."""
    half_width, half_height = BOX_WIDTH / 2 + 0.02, BOX_HEIGHT / 2 + 0.02
    if row.to_step == "lost":
        x = place.get(row.from_step, 0.0) - 0.12
        return (x, -half_height), (x, -1.1), 0.0, (x, -0.62)
    if row.from_step == "lost":
        x = place[row.to_step] + 0.16
        return (x, -1.1), (x, -half_height), 0.0, (x, -0.86)
    start, end = place[row.from_step], place[row.to_step]
    if start == end:
        return (start + 0.12, -half_height), (start + 0.24, -half_height), 1.6, (start + 0.22, -0.42)
    if row.kind == "return":
        return (start, -half_height), (end, -half_height), -0.25, ((start + end) / 2, -half_height - 0.17 * abs(end - start))
    if row.kind == "forward" and end - start == 1:
        return (start + half_width, 0), (end - half_width, 0), 0.0, ((start + end) / 2, 0.17)
    bend, lift = -0.28, 0.14 * (end - start)
    return (start + 0.1, half_height), (end - 0.1, half_height), bend, ((start + end) / 2, half_height + lift)


def plot_step_curves(curves: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """One line per move: the share of the leads in a step that has gone on to the next one, by days in the step.

    `curves` is `conversion.step_curves(process)`. Each line ends where fewer than 10 leads are left at risk.
    """
    about = about_of(curves)
    moves = [(here, there, part[part["at_risk_count"] >= 10])
             for (here, there), part in curves.groupby(["from_step", "to_step"], sort=False)]
    moves = [move for move in moves if len(move[2])] or [(here, there, part) for (here, there), part in
                                                         curves.groupby(["from_step", "to_step"], sort=False)]
    last_day = max(_telling_day(part) for *_, part in moves)
    with style.drawn():
        ax = style.new_axes(ax, 3.6)
        ends = []
        for number, (here, there, part) in enumerate(moves):
            shown = part[part["age_days"] <= last_day]
            colour = style.in_turn(number)
            ax.step(shown["age_days"], shown["reached_share"], where="post", color=colour, linewidth=2)
            ax.fill_between(shown["age_days"], shown["reached_low_share"], shown["reached_high_share"], step="post", color=colour,
                            alpha=0.15, linewidth=0)
            ends.append((float(shown["reached_share"].iloc[-1]), float(shown["age_days"].iloc[-1]),
                         f"{about.label(here)} → {about.label(there)}", colour))
        style.end_labels(ax, ends, lambda value: format_share(value, about.language))
        slowest = max(moves, key=lambda move: _half_day(move[2]))
        half = format_duration(_half_day(slowest[2]), "days", about.language)
        style.title(ax, about.say("The longest way is from “{step}” to “{next}”: half of those who go on do so within {days}",
                                  step=about.label(slowest[0]), next=about.label(slowest[1]), days=half),
                    about.say("share that has gone on to the next step, 95 % bands · loss competes, running leads count as not "
                              "known yet"), about)
        style.share_axis(ax, about.say("share of the leads in the step"), about, "y")
        ax.set_xlabel(about.say("days since the step was entered"))
        style.numbers(ax.xaxis, about)
        ax.set_ylim(0, 1)
        ax.set_xlim(0, last_day * 1.02 + 0.5)
        return ax


def _half_day(part: pd.DataFrame) -> float:
    """The first day at which half of the line's final height is reached."""
    return float(part.loc[part["reached_share"] >= part["reached_share"].iloc[-1] / 2, "age_days"].iloc[0])


def _telling_day(part: pd.DataFrame) -> float:
    """Somewhat after the day at which the line is nearly flat, two weeks at least."""
    flat = part.loc[part["reached_share"] >= 0.98 * part["reached_share"].iloc[-1], "age_days"].iloc[0]
    return min(max(1.4 * float(flat), 14.0), float(part["age_days"].iloc[-1]))


def plot_work_in_progress(summary: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Running leads per step as one bar each, split by how long they stand there against those who won.

    `summary` is `conversion.work_in_progress_summary(process)`.
    """
    about = about_of(summary)
    with style.drawn():
        ax = style.new_axes(ax, 1.7 + 0.5 * len(summary))
        left, positions = np.zeros(len(summary)), np.arange(len(summary))
        bands = [band for band in _BAND_COLOURS if summary[f"{band}_count"].sum()]
        for band in bands:
            values = summary[f"{band}_count"].to_numpy(dtype=float)
            ax.barh(positions, values, left=left, color=_BAND_COLOURS[band], height=0.62, label=about.label(band))
            for position, start, value in zip(positions, left, values, strict=True):
                if value > 0.05 * summary["running_count"].max():
                    ax.text(start + value / 2, position, format_count(value, about.language), ha="center", va="center",
                            fontsize=9, color=style.INK)
            left += values
        for position, row in zip(positions, summary.itertuples(), strict=True):
            norm = (about.say("no norm yet") if np.isnan(row.norm_days) else
                    about.say("norm {days}", days=format_duration(row.norm_days, "days", about.language)))
            ax.annotate(norm, (row.running_count, position), (5, 0), textcoords="offset points", va="center", fontsize=9)
        ax.set_yticks(positions, [style.wrapped(about.label(step)) for step in summary["step"]])
        ax.set_ylim(len(summary) - 0.5, -0.5)
        ax.set_xlim(0, max(1.0, float(summary["running_count"].max())) * 1.28)
        style.number_axis(ax, about.say("running leads"), about)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        if bands:
            ax.legend(ncols=5, loc="upper left", bbox_to_anchor=(0, -0.86 / len(summary)), borderaxespad=0, handlelength=1.2,
                      columnspacing=1.2)
        long = (summary["late_count"] + summary["forgotten_count"]).sum()
        total = summary["running_count"].sum()
        style.title(ax, about.plural(long, "{long} of {total} running leads stands in its step longer than winners do",
                                     "{long} of {total} running leads stand in their step longer than winners do",
                                     long=format_count(long, about.language), total=format_count(total, about.language)),
                    about.say("late: longer than nine in ten of those who won stood there; forgotten: three times that"), about)
        return ax


def plot_cumulative_flow(flow: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Cumulative flow diagram of the running leads: one band per step, the height is the leads standing there.

    Won and lost leads have left the process; their totals stand in the line under the title. `flow` is
    `conversion.cumulative_flow(process)`.
    """
    about = about_of(flow)
    wide = flow.pivot_table(index="period_start", columns="step", values="leads_count", sort=False)
    ended = ["lost", wide.columns[list(wide.columns).index("lost") - 1]]
    running = wide.drop(columns=ended)
    if OTHER in running and running[OTHER].iloc[-1] == 0 and running[OTHER].max() <= UNSEEN * running.sum(axis=1).max():
        running = running.drop(columns=OTHER)
    with style.drawn():
        ax = style.new_axes(ax, 3.6)
        colours = [_STEP_COLOURS[number % len(_STEP_COLOURS)] for number in range(running.shape[1])]
        ax.stackplot(running.index, running.to_numpy().T, colors=colours, step="post", linewidth=0)
        _band_labels(ax, running, about)
        first, last = (format_count(running.iloc[row].sum(), about.language) for row in (0, -1))
        totals = ", ".join(f"{about.label(name)}{SPACE}{format_count(wide[name].iloc[-1], about.language)}"
                           for name in reversed(ended))
        style.title(ax, about.say("Running leads by step: {last} now, {first} in the first period", last=last, first=first),
                    about.say("number of leads standing in each step at the end of the period · ended so far: {totals}",
                              totals=totals), about)
        style.number_axis(ax, about.say("running leads"), about, "y")
        ax.set_ylim(0, max(1.0, running.sum(axis=1).max()) * 1.05)
        span = running.index[-1] - running.index[0]
        ticks = running.index[np.unique(np.linspace(0, len(running) - 1, 5).round().astype(int))]
        ax.set_xticks(ticks, [format_moment(tick, about.language) for tick in ticks])
        ax.set_xlim(running.index[0], running.index[-1] + max(span * 0.2, pd.Timedelta(days=2)))
        return ax


def _band_labels(ax: Axes, running: pd.DataFrame, about: About) -> None:
    """The names at the right end of the bands, kept apart where bands are thin."""
    values, upto = running.iloc[-1].to_numpy(dtype=float), 0.0
    gap, at = 0.065 * max(1.0, running.sum(axis=1).max()), -np.inf
    for step, value in zip(running.columns, values, strict=True):
        at = max(upto + value / 2, at + gap)
        upto += value
        ax.annotate(f"{about.label(step)} {format_count(value, about.language)}", (running.index[-1], at), (5, 0),
                    textcoords="offset points", va="center", fontsize=9, annotation_clip=False)
