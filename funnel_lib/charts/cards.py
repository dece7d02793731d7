"""The technology of a stage as a drawn flow: its cards in order, and beside each what the log of work shows."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from funnel_lib.about import About, about_of
from funnel_lib.charts import style
from funnel_lib.glossary import term
from funnel_lib.language.formats import format_count, format_money, format_number, format_share, format_value, is_available
from funnel_lib.schema import MISSING, OTHER

MOST_CARDS = 12
TOP_LEVEL = 4
# The drawing is laid out in inches of a report's column: boxes on the left, the log on the right.
BOX_LEFT, BOX_RIGHT, LOG_LEFT, LOG_RIGHT = 0.42, 4.22, 4.5, style.WIDTH_INCHES - 0.05
LINE, PADDING, GAP, SPARE = 0.172, 0.09, 0.4, 0.16
NAME_LETTERS, LINE_LETTERS, ARROW_LETTERS = 32, 46, 22
# Actual minutes further from the norm than a third are marked, once there are enough executions to say so.
FAR_PART, ENOUGH = 1 / 3, 30


def plot_cards(cards: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Technology cards of one stage as a drawn flow from input to output, the log of work beside each.

    In a box: the name, the level as filled dots (0 to 4), who works and by what means, norm minutes and cost of one
    execution. Beside it: executions, hours, actual minutes (red where they are more than a third off the norm) and the share
    of leads touched. An arrow joins two cards where one's output is the other's input. `cards` is
    `lead_flow.cards(process)` or `cards.cards(process, stage)`; the first 12 are drawn.
    """
    about = about_of(cards)
    described = cards[~cards["card"].isin([MISSING, OTHER])]
    loose = cards[cards["card"].isin([MISSING, OTHER]) & (cards["executions_count"] > 0)]
    shown = pd.concat([described.head(MOST_CARDS), loose])
    rows = list(shown.itertuples())
    texts = [_box_lines(row, about) for row in rows]
    tops, total = _places(rows, texts)
    with style.drawn():
        ax = style.new_axes(ax, total + 0.95)
        for row, lines, top in zip(rows, texts, tops, strict=True):
            _box(ax, row, lines, top, about)
            _log(ax, row, top, _height(lines), about)
        _arrows(ax, rows[:len(shown) - len(loose)], texts, tops, about)
        ax.set_xlim(0, style.WIDTH_INCHES)
        ax.set_ylim(total, 0)
        ax.axis("off")
        cut = about.say("the first {shown} of {all} cards", shown=MOST_CARDS, all=len(described))
        style.title(ax, _headline(described, loose, about),
                    style.dotted(_below(cards, about), cut if len(described) > MOST_CARDS else ""), about)
        return ax


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _box_lines(row: tuple, about: About) -> list[tuple[str, bool]]:
    """The lines of a box, bold or not: name; who, by what means; level, norm and cost."""
    if row.card in (MISSING, OTHER):
        return [(f"{term('card').label(about.language)}: {about.label(row.card)}", False)]
    who = [about.label(value) for value in (row.role, row.means) if _is_text(value)]
    level = f"level_{int(row.level)}" if is_available(row.level) else ""
    norm = [about.labels.get(level, term(level).label(about.language))] if level else []
    norm.append(f"{term('norm_minutes').label(about.language)}: {format_value(row.norm_minutes, 'minutes', about.language)}")
    if is_available(row.norm_cost_amount) and row.norm_cost_amount > 0:
        norm.append(format_money(row.norm_cost_amount, about.language, about.currency))
    name = textwrap.wrap(about.label(row.card), NAME_LETTERS) or [str(row.card)]
    plain = [line for text in (" · ".join(who) or f"{term('role').label(about.language)}: {format_count(None, about.language)}",
                               " · ".join(norm)) for line in textwrap.wrap(text, LINE_LETTERS)]
    return [*((line, True) for line in name), *((line, False) for line in plain)]


def _height(lines: list) -> float:
    return 2 * PADDING + LINE * len(lines)


def _places(rows: list, texts: list[list]) -> tuple[list[float], float]:
    """The top of each box, and the height of it all: room for arrows before, between and after the cards."""
    tops, at = [], GAP if rows and _is_text(rows[0].input) else 0.05
    for row, lines in zip(rows, texts, strict=True):
        is_loose = row.card in (MISSING, OTHER)
        tops.append(at + (SPARE if is_loose else 0))
        at = tops[-1] + max(_height(lines), 2 * PADDING + LINE * _log_lines(row)) + (0 if is_loose else GAP)
    return tops, at + 0.05


def _log_lines(row: tuple) -> int:
    return 1 if row.card in (MISSING, OTHER) or not is_available(row.executions_count) or not row.executions_count else 3


def _box(ax: Axes, row: tuple, lines: list[tuple[str, bool]], top: float, about: About) -> None:
    is_loose = row.card in (MISSING, OTHER)
    colour = style.GREY if is_loose else style.colour(row.stage, about)
    ax.add_patch(FancyBboxPatch((BOX_LEFT, top), BOX_RIGHT - BOX_LEFT, _height(lines), zorder=3, facecolor="white",
                                boxstyle="round,pad=0,rounding_size=0.07", edgecolor=colour, linewidth=1.4,
                                linestyle="--" if is_loose else "-"))
    for number, (text, bold) in enumerate(lines):
        ax.text(BOX_LEFT + 0.1, top + PADDING + LINE * (number + 0.5), text, va="center", fontsize=9.5 if bold else 9, zorder=4,
                fontweight="bold" if bold else "normal", color=style.INK)
    if not is_loose and is_available(row.level):
        for number in range(TOP_LEVEL):
            ax.add_patch(Circle((BOX_RIGHT - 0.14 - 0.15 * (TOP_LEVEL - 1 - number), top + PADDING + LINE / 2), 0.05, zorder=4,
                                facecolor=colour if number < row.level else "white", edgecolor=colour, linewidth=1.1))


def _log(ax: Axes, row: tuple, top: float, height: float, about: About) -> None:
    """What the log shows of a card, level with its box."""
    lines = _log_texts(row, about)
    start = top + height / 2 - LINE * len(lines) / 2
    for number, (text, colour) in enumerate(lines):
        ax.text(LOG_LEFT, start + LINE * (number + 0.5), text, va="center", fontsize=9, color=colour, zorder=4)
    if len(lines) > 1 and is_available(row.leads_touched_share):
        bottom, width = start + LINE * (len(lines) + 0.15), LOG_RIGHT - LOG_LEFT
        ax.plot([LOG_LEFT, LOG_RIGHT], [bottom, bottom], color=style.PALE, linewidth=3.5, solid_capstyle="butt")
        ax.plot([LOG_LEFT, LOG_LEFT + width * row.leads_touched_share], [bottom, bottom], color=style.BLUE, linewidth=3.5,
                solid_capstyle="butt", gid="touched")


def _log_texts(row: tuple, about: About) -> list[tuple[str, str]]:
    def said(name: str, value: str) -> str:
        return f"{term(name).label(about.language)}: {value}"

    executions = said("executions_count", format_count(row.executions_count, about.language))
    if not is_available(row.executions_count):
        return [(executions, style.GREY)]
    if not row.executions_count:
        return [(executions, style.VERMILION)]
    work = (f"{executions} · {said('hours', format_number(row.hours, about.language))}", style.INK)
    if row.card in (MISSING, OTHER):
        return [work]
    minutes = said("actual_minutes", format_number(row.actual_minutes, about.language))
    far = is_far_from_norm(row.actual_minutes, row.norm_minutes, row.executions_count)
    touched = said("leads_touched_share", format_share(row.leads_touched_share, about.language))
    return [work, (minutes, style.VERMILION if far else style.INK),
            (touched, style.INK if is_available(row.leads_touched_share) else style.GREY)]


def is_far_from_norm(minutes: float, norm: float, executions: float) -> bool:
    """Whether so many executions take more than a third longer, or shorter, than the norm says."""
    known = is_available(minutes) and is_available(norm) and norm > 0 and executions >= ENOUGH
    return bool(known and abs(minutes - norm) > FAR_PART * norm)


def _arrows(ax: Axes, rows: list, texts: list[list], tops: list[float], about: About) -> None:
    """Down from card to card where the output is the next one's input; else out of the one and into the other."""
    bottoms = [top + _height(lines) for top, lines in zip(tops, texts, strict=True)][:len(rows)]
    for at, row in enumerate(rows):
        before = rows[at - 1] if at else None
        if before is None or not (_is_text(row.input) and row.input == before.output):
            room = bottoms[at - 1] if at else tops[at] - GAP
            if _is_text(row.input):
                _arrow(ax, BOX_LEFT + (2.4 if at else 0.35), max(room + 0.08, tops[at] - GAP + 0.05), tops[at], row.input, about)
        if not _is_text(row.output):
            continue
        follows = at + 1 < len(rows) and rows[at + 1].input == row.output
        end = tops[at + 1] if follows else bottoms[at] + GAP - 0.09
        _arrow(ax, BOX_LEFT + 0.35, bottoms[at], end, row.output, about)
        later = [number for number in range(at + 2, len(rows)) if rows[number].input == row.output]
        for number in later:
            # A nearer card with the same output feeds it visibly already.
            if not any(rows[between].output == row.output for between in range(at + 1, number)):
                _round(ax, bottoms[at] - 0.2, tops[number] + 0.2, number - at)


def _arrow(ax: Axes, x: float, start: float, end: float, label: str, about: About) -> None:
    ax.add_patch(FancyArrowPatch((x, start), (x, end), arrowstyle="-|>", mutation_scale=11, color=style.GREY, linewidth=1.3,
                                 shrinkA=0, shrinkB=0, zorder=2))
    text = style.wrapped(about.label(label), ARROW_LETTERS)
    ax.text(x + 0.12, (start + end) / 2, text, va="center", fontsize=9, color=style.GREY, linespacing=0.95)


def _round(ax: Axes, start: float, end: float, distance: int) -> None:
    """Around the boxes between, along the left side."""
    x = BOX_LEFT - min(0.12 + 0.07 * distance, BOX_LEFT - 0.03)
    ax.plot([BOX_LEFT, x, x], [start, start, end], color=style.GREY, linewidth=1.1, zorder=1)
    ax.add_patch(FancyArrowPatch((x, end), (BOX_LEFT, end), arrowstyle="-|>", mutation_scale=11, color=style.GREY, linewidth=1.1,
                                 shrinkA=0, shrinkB=0, zorder=1))


def _headline(described: pd.DataFrame, loose: pd.DataFrame, about: About) -> str:
    count = len(described)
    if not count:
        return about.say("No card of this stage is described: all of its work is without one")
    cards = about.plural(count, "{count} card is described", "{count} cards are described", count=count)
    if described["executions_count"].isna().all():
        return about.say("{cards}; no log of work says what is really done", cards=cards)
    idle = int((described["executions_count"] == 0).sum())
    if idle:
        return about.plural(idle, "{cards}, {idle} of them never shows in the log of work",
                            "{cards}, {idle} of them never show in the log of work", cards=cards, idle=idle)
    far = sum(is_far_from_norm(row.actual_minutes, row.norm_minutes, row.executions_count) for row in described.itertuples())
    if far:
        return about.plural(far, "{cards}; {far} takes a time far from the norm", "{cards}; {far} take a time far from the norm",
                            cards=cards, far=far)
    if len(loose):
        return about.say("{cards}, and all of them are done; some work is without a card", cards=cards)
    return about.say("{cards}, and all of them are done", cards=cards)


def _below(cards: pd.DataFrame, about: About) -> str:
    executions = cards["executions_count"].to_numpy(dtype=float)
    logged, normed = not np.isnan(executions).all(), cards["norm_minutes"].notna().any()
    return style.dotted(about.label(cards["stage"].iloc[0]), about.say("left: as described"),
                        about.say("right: the log of work") if logged else "",
                        f"n = {format_count(np.nansum(executions), about.language)}" if logged else "",
                        "" if normed else about.say("no norms are described"))
