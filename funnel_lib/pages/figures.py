"""What a chart says, in words: the text that stands for the picture where it cannot be seen."""

from __future__ import annotations

from typing import Any

FIGURE = "application/vnd.funnel.figure+json"


def describe_figures() -> None:
    """Let every figure that the running notebook displays carry its own words; without a notebook nothing happens."""
    from IPython import get_ipython  # only a kernel has it, and reports are read without one
    from IPython.core.formatters import JSONFormatter

    shell = get_ipython()
    if shell is None:
        return
    formatter = JSONFormatter(parent=shell.display_formatter, format_type=FIGURE)
    # Choosing a picture format clears what is registered for `Figure` itself, so its base class is named.
    formatter.for_type_by_name("matplotlib.figure", "FigureBase", _told_of)
    shell.display_formatter.formatters[FIGURE] = formatter
    if FIGURE not in shell.display_formatter.active_types:
        shell.display_formatter.active_types = [*shell.display_formatter.active_types, FIGURE]


def _told_of(figure: Any) -> dict[str, Any]:
    return {**words_of(figure), "drawn": texts_in(figure)}


def texts_in(figure: Any) -> list[str]:
    """Every text drawn in a matplotlib figure, names at the axes included."""
    from matplotlib.text import Text  # whoever has a figure has it loaded

    names = [label for axes in figure.axes for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]]
    return sorted({text.get_text().strip() for text in [*figure.findobj(Text), *names]} - {""})


def words_of(figure: Any) -> dict[str, str]:
    """Title and notes of a matplotlib figure, as drawn: titles of the figure and its axes, then the lines under them."""
    titles, notes = [figure.get_suptitle()], []
    for axes in figure.axes:
        # Each line of a title that does not fit on one is drawn by itself (`charts.style.title`).
        titles.append(" ".join([axes.get_title(loc="left"), *_named(axes, "title")]))
        titles += [axes.get_title(loc=place) for place in ("center", "right")]
        notes.append(" ".join(_named(axes, "below")))
    notes += [note.get_text() for note in figure.texts if note.get_text() not in titles]
    return {"title": _joined(titles), "note": _joined(notes)}


def _named(axes: Any, name: str) -> list[str]:
    """The texts of axes that were drawn under this name, from the top down."""
    return [text.get_text() for text in axes.texts if text.get_gid() == name]


def _joined(lines: list[str]) -> str:
    flat = (" ".join(line.split()) for line in lines)
    return ". ".join(line.rstrip(".") for line in dict.fromkeys(flat) if line)
