"""A chart on a page: its picture, sharp in print and small, and what it says in words where it cannot be seen."""

from __future__ import annotations

import base64
import io
from typing import Any

FIGURE = "application/vnd.funnel.figure+json"
COLOURS = 256
# Drawn at twice the resolution at which it is shown.
SCALE = 2


def describe_figures() -> None:
    """Let every figure that the running notebook displays be a small picture with its own words; without a notebook nothing
    happens."""
    from IPython import get_ipython  # only a kernel has it, and reports are read without one
    from IPython.core.formatters import JSONFormatter

    shell = get_ipython()
    if shell is None:
        return
    formatter = JSONFormatter(parent=shell.display_formatter, format_type=FIGURE)
    # Choosing a picture format clears what is registered for `Figure` itself, so its base class is named.
    formatter.for_type_by_name("matplotlib.figure", "FigureBase", _told_of)
    shell.display_formatter.formatters["image/png"].for_type_by_name("matplotlib.figure", "FigureBase", _picture)
    shell.display_formatter.formatters[FIGURE] = formatter
    if FIGURE not in shell.display_formatter.active_types:
        shell.display_formatter.active_types = [*shell.display_formatter.active_types, FIGURE]


def _picture(figure: Any) -> tuple[str, dict[str, int]] | None:
    """The figure as a PNG (base64) and its size on the page; None for one with nothing in it."""
    from IPython.core.pylabtools import print_figure  # as above

    drawn = print_figure(figure, "tif", dpi=SCALE * figure.dpi)  # not packed: it is unpacked at once
    if drawn is None:
        return None
    small, (width, height) = smaller(drawn)
    return base64.b64encode(small).decode(), {"width": width // SCALE, "height": height // SCALE}


def smaller(drawn: bytes) -> tuple[bytes, tuple[int, int]]:
    """A picture as a PNG with a palette, since charts have few colours, and its width and height; one that can be seen
    through keeps all its colours."""
    from PIL import Image  # only where something is drawn

    with Image.open(io.BytesIO(drawn)) as picture:
        if "A" in picture.mode and picture.getchannel("A").getextrema()[0] < 255:
            small = picture.copy()
        else:
            small = picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    small.save(stream, "PNG")
    return stream.getvalue(), small.size


def _told_of(figure: Any) -> dict[str, Any]:
    is_empty = not any(axes.axison or axes.has_data() or axes.child_axes for axes in figure.axes)
    return {**words_of(figure), "drawn": texts_in(figure), "is_empty": is_empty}


def texts_in(figure: Any) -> list[str]:
    """Every text drawn in a matplotlib figure, names at the axes included."""
    from matplotlib.text import Text  # whoever has a figure has it loaded

    names = [label for axes in figure.axes for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]]
    return sorted({text.get_text().strip() for text in [*figure.findobj(Text), *names]} - {""})


def words_of(figure: Any) -> dict[str, str]:
    """Title and notes of a matplotlib figure, as drawn: titles of the figure and its axes, then the lines under them."""
    titles, below = [figure.get_suptitle()], []
    for axes in figure.axes:
        titles += [" ".join([axes.get_title(loc="left"), *_lines(axes, "headline")]),
                   *(axes.get_title(loc=place) for place in ("center", "right"))]
        below.append(" ".join(_lines(axes, "below")))
    notes = [note.get_text() for note in figure.texts if note.get_text() not in titles]
    return {"title": _joined(titles), "note": _joined([*below, *notes])}


def _lines(axes: Any, name: str) -> list[str]:
    """Further lines of a long title, or those under it, which charts name so."""
    return [text.get_text() for text in axes.texts if text.get_gid() == name]


def _joined(lines: list[str]) -> str:
    flat = (" ".join(line.split()) for line in lines)
    return ". ".join(line.rstrip(".") for line in dict.fromkeys(flat) if line)
