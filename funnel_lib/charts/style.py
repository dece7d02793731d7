"""How charts look: one place for colours, sizes, titles and bars with intervals."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from zlib import crc32

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from babel.numbers import get_currency_symbol
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.dates import AutoDateLocator, num2date
from matplotlib.lines import Line2D

from funnel_lib.about import About
from funnel_lib.language.formats import SPACE, format_exact, format_moment, format_money

# Okabe and Ito 2008: told apart by colour-blind readers too.
ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#E69F00", "#56B4E9", "#009E73", "#B8A800", "#0072B2", "#D55E00", "#CC79A7")
INK, GREY, PALE = "#222222", "#7A7A7A", "#D9D9D9"
_FIXED = {
    "lead_generation": ORANGE, "conversion": BLUE, "account_management": GREEN, "all": GREY,
    "won": GREEN, "lost": VERMILION, "running": SKY,
    "first": ORANGE, "repeat": BLUE, "reactivated": SKY, "referred": PURPLE,
    "other": GREY, "unknown": "#A0A0A0", "(missing)": PALE, "(not allocated)": PALE,
}
_ORDER = (BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, YELLOW)
WIDTH_INCHES = 7.6
_RC = {
    "figure.dpi": 100, "savefig.dpi": 150, "figure.facecolor": "white", "axes.facecolor": "white",
    "font.family": "DejaVu Sans", "font.size": 9.5, "axes.titlesize": 11, "axes.labelsize": 9.5, "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": GREY, "axes.labelcolor": INK,
    "xtick.color": INK, "ytick.color": INK, "xtick.labelsize": 9, "ytick.labelsize": 9.5, "legend.frameon": False,
    "legend.fontsize": 9, "axes.axisbelow": True, "grid.color": "#E8E8E8", "grid.linewidth": 0.8,
    "svg.hashsalt": "funnel", "figure.max_open_warning": 0,
    "text.parse_math": False,  # two dollar signs in a name or in amounts are no formula
}
MOST_CATEGORIES = 8
PERCENT = 100
# What fits beside the widest labels.
TITLE_LETTERS, LINE_LETTERS = 70, 96
# Cyrillic letters are wider.
WIDER = {"ru": 0.8}
_LINE_POINTS = 14.5


@contextmanager
def drawn() -> Iterator[None]:
    """The style for the charts drawn inside; nothing outside changes."""
    plt.draw_if_interactive()  # loads the backend: a notebook's one switches on showing, which must outlive the style
    with plt.rc_context(_RC):
        yield


def new_axes(ax: Axes | None, height_inches: float = 3.2) -> Axes:
    """The axes given, else new ones that fill a report's column. Use inside `drawn()`."""
    if ax is not None:
        return ax
    return plt.subplots(figsize=(WIDTH_INCHES, height_inches), layout="constrained")[1]


def colour(key: str, about: About) -> str:
    """The colour of a stage, state or channel: the same on every chart of a process."""
    if key in _FIXED:
        return _FIXED[key]
    position = about.channels.index(key) if key in about.channels else crc32(key.encode())
    return _ORDER[position % len(_ORDER)]


def title(ax: Axes, headline: str, below: str, about: About | None = None) -> None:
    """The headline says what is seen; the line under it period, n and unit.

    The observed period is added to the line when `about` is given.
    """
    period, narrower = (observed_period(about), WIDER.get(about.language, 1.0)) if about else ("", 1.0)
    heads = _balanced(_capital(headline), int(TITLE_LETTERS * narrower))
    line = dotted(below, period).replace("n = ", f"n{SPACE}={SPACE}").replace(" %", f"{SPACE}%").replace(" · ", f"{SPACE}· ")
    lines = [*heads, *textwrap.wrap(line, int(LINE_LETTERS * narrower))]
    ax.set_title(lines[0], fontweight="bold", loc="left", pad=6 + _LINE_POINTS * (len(lines) - 1))
    for number, line in enumerate(lines[1:], 1):
        offset = 6 + _LINE_POINTS * (len(lines) - 1 - number)
        bold = "bold" if number < len(heads) else "normal"
        # The name says what the line is to whoever reads the chart's words without seeing it.
        ax.annotate(line, (0, 1), (0, offset), xycoords="axes fraction", textcoords="offset points", fontweight=bold,
                    fontsize=11 if bold == "bold" else 9, color=INK if bold == "bold" else GREY, va="bottom",
                    gid="title" if bold == "bold" else "below")


def dotted(*parts: str) -> str:
    """The parts of a line under a title, those that say something, set apart by dots."""
    return " · ".join(part for part in parts if part)


def listed(parts: Sequence[str], about: About) -> str:
    """Parts of a sentence one after the other: "a, b and c"."""
    *rest, last = parts
    return about.say("{parts} and {last}", parts=", ".join(rest), last=last) if rest else last


def quoted(keys: Iterable[str], about: About) -> str:
    """Labels in quotation marks, one after the other: “Call”, “Meeting”."""
    return ", ".join(about.say("“{name}”", name=about.label(key)) for key in keys)


def _capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def currency_sign(about: About) -> str:
    """The currency as the language writes it."""
    return get_currency_symbol(about.currency, locale=about.language)


def untold(ax: Axes, headline: str, below: str, about: About) -> Axes:
    """Axes that only say in words why nothing can be drawn."""
    title(ax, headline, below, about)
    ax.axis("off")
    return ax


def _balanced(text: str, most_letters: int) -> list[str]:
    """The text in as few lines as fit, all about equally long, so that no word is left alone on the last one."""
    lines = textwrap.wrap(text, most_letters)
    widths = range(len(text) // max(len(lines), 1), most_letters)
    return next((fit for fit in (textwrap.wrap(text, max(width, 1)) for width in widths) if len(fit) <= len(lines)), lines)


def observed_period(about: About) -> str:
    """The observed period in words, empty where no table has a time."""
    if about.as_of is None or about.observed_from is None:
        return ""
    last_day = about.as_of - pd.Timedelta(microseconds=1)
    first, last = (format_moment(moment.normalize(), about.language) for moment in (about.observed_from, last_day))
    return f"{first}\N{NO-BREAK SPACE}–\N{NO-BREAK SPACE}{last}"


def period_word(starts: Sequence) -> str:
    """What the periods that begin at these moments are, in a word, by the distance between the nearest two."""
    moments = np.unique(np.asarray(starts, dtype="datetime64[D]"))
    days = int(np.diff(moments).astype(int).min(initial=366)) if len(moments) > 1 else 0
    lengths = {"period": 0, "day": 1, "week": 7, "month": 31, "quarter": 92}
    return next((word for word, length in lengths.items() if days <= length), "year")


def in_turn(number: int) -> str:
    """A colour for the line of this number, where lines are no channels, stages or states."""
    return _ORDER[number % len(_ORDER)]


def end_labels(ax: Axes, ends: list[tuple[float, float, str, str]], value: Callable[[float], str]) -> None:
    """Names at the ends of lines, pushed apart where they would overlap: (height, place, name, colour) of each line."""
    low, high = ax.get_ylim()
    least = 0.075 * max(high - low, 1e-9)
    before = -np.inf
    for height, place, name, paint in sorted(ends):
        at = max(height, before + least)
        before = at
        ax.annotate(f"{name} {value(height)}", (place, height), (1.02, at), textcoords=("axes fraction", "data"), color=paint,
                    va="center", fontsize=9, annotation_clip=False,
                    arrowprops={"arrowstyle": "-", "color": paint, "linewidth": 0.6, "alpha": 0.5})


def wrapped(label: str, width: int = 22) -> str:
    """A long label on several lines."""
    return "\n".join(textwrap.wrap(label, width)) or label


def percent(value: float, about: About) -> str:
    """A share at a tick of an axis, in per cent with its digits and no more."""
    return f"{format_exact(value * PERCENT, about.language)} %"


def share_axis(ax: Axes, label: str, about: About, which: str = "x") -> None:
    """An axis of shares from 0 to 1, labelled in per cent, with its grid."""
    _axis(ax, label, which).set_major_formatter(lambda value, _: percent(value, about))


def number_axis(ax: Axes, label: str, about: About, which: str = "x") -> None:
    """An axis of plain numbers as the language writes them, with its grid."""
    numbers(_axis(ax, label, which), about)


def numbers(axis: Axis, about: About) -> None:
    """Plain numbers at the ticks of an axis, as the language writes them."""
    axis.set_major_formatter(lambda value, _: format_exact(value, about.language))


def date_axis(ax: Axes, about: About, most: int = 6) -> None:
    """A horizontal axis of so many dates at most, as the language writes them."""
    # A larger least number leaves the locator without an interval for some ranges of years, and it warns.
    ax.xaxis.set_major_locator(AutoDateLocator(minticks=most // 3, maxticks=most))
    ax.xaxis.set_major_formatter(
        lambda value, _: format_moment(pd.Timestamp(num2date(value)).tz_localize(None).normalize(), about.language))


def _axis(ax: Axes, label: str, which: str) -> Axis:
    """One of the two axes, with its label and its grid."""
    (ax.set_xlabel if which == "x" else ax.set_ylabel)(label)
    ax.grid(axis=which)
    return ax.xaxis if which == "x" else ax.yaxis


def money_axis(ax: Axes, label: str, about: About) -> None:
    """A horizontal axis of money with its grid: few ticks, since amounts are long."""
    ax.xaxis.set_major_locator(plt.MaxNLocator(4))
    ax.xaxis.set_major_formatter(lambda value, _: format_money(value, about.language, about.currency))
    ax.set_xlabel(label)
    ax.grid(axis="x")


def diamonds(ax: Axes, values: Sequence[float], label: str, others: Sequence = ()) -> None:
    """A second value of each horizontal bar as a hollow diamond, named under the axis together with `others`."""
    marks = {"linestyle": "", "marker": "D", "markersize": 5.5, "markerfacecolor": "white", "color": INK}
    ax.plot(values, range(len(values)), **marks)
    ax.legend(handles=[Line2D([], [], label=label, **marks), *others], loc="upper left", bbox_to_anchor=(0.0, -0.18), ncols=2,
              borderaxespad=0.2)


def texts_after(ax: Axes, ends: Sequence[float], texts: Sequence[str]) -> None:
    """A text at the end of each horizontal bar, behind all its marks."""
    for at, (end, text) in enumerate(zip(ends, texts, strict=True)):
        ax.annotate(text, (max(np.nan_to_num(end), 0), at), (8, 0), textcoords="offset points", va="center", fontsize=9, color=INK)


def panel_limits(panel: Axes, table: pd.DataFrame, limits: Sequence[str]) -> np.ndarray:
    """Thin lines for the 95 % limits of a small panel's horizontal bars; returns where they end, zero where there are none."""
    if not limits:
        return np.zeros(len(table))
    low, high = (table[name].to_numpy(dtype=float) for name in limits)
    known = ~(np.isnan(low) | np.isnan(high))
    panel.hlines(np.flatnonzero(known), low[known], high[known], color=INK, linewidth=1.1)
    return np.where(known, high, 0.0)


def panel_texts(panel: Axes, ends: np.ndarray, texts: Sequence[str]) -> None:
    """The values at the ends of a small panel's bars, and room for them."""
    panel.set_xlim(0, (float(np.max(ends, initial=0)) or 1) * 1.85)
    for position, (end, text) in enumerate(zip(ends, texts, strict=True)):
        panel.annotate(text, (end, position), (4, 0), textcoords="offset points", va="center", fontsize=9)


def bars(ax: Axes, labels: Sequence[str], values: Sequence[float], *, colours: Sequence[str] | str = BLUE,
         low: Sequence[float] | None = None, high: Sequence[float] | None = None, texts: Sequence[str] | None = None,
         light: Sequence[bool] | None = None) -> None:
    """Horizontal bars from zero, first on top, thin interval lines, a text at each mark; undefined values get no bar.

    `light` marks bars that are unfinished, projected or rest on few cases: paler and dashed.
    """
    values = np.asarray(values, dtype=float)
    positions = np.arange(len(values))
    paint = [colours] * len(values) if isinstance(colours, str) else list(colours)
    pale = [False] * len(values) if light is None else list(light)
    for position, value, one, is_pale in zip(positions, np.nan_to_num(values), paint, pale, strict=True):
        ax.barh(position, value, color=one, height=0.62, alpha=0.45 if is_pale else 1.0,
                edgecolor=one, linestyle="--" if is_pale else "-", linewidth=1.0 if is_pale else 0.0)
    ends = np.nan_to_num(values)
    if low is not None and high is not None:
        low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        known = ~(np.isnan(low) | np.isnan(high))
        ax.hlines(positions[known], low[known], high[known], color=INK, linewidth=1.1)
        ends = np.where(known, np.maximum(ends, np.nan_to_num(high)), ends)
    for position, end, text in zip(positions, ends, texts if texts is not None else [""] * len(values), strict=True):
        ax.annotate(text, (max(end, 0), position), (5, 0), textcoords="offset points", va="center", fontsize=9, color=INK)
    ax.set_yticks(positions, [wrapped(label) for label in labels])
    ax.set_ylim(len(values) - 0.5, -0.5)
    ax.axvline(0, color=GREY, linewidth=0.8)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    # Room for the texts at the marks.
    left, right = ax.get_xlim()
    ax.set_xlim(left, right + 0.18 * (right - left))


def rows_of_panels(ax: Axes, names: list[str], top: float) -> None:
    """Axes that only name the rows of the panels drawn inside, which leave room for their heads above `top`."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5 - len(names) * (1 - top) / top)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
