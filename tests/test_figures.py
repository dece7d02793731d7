"""Pictures of charts: the same to the eye, whole where they can be seen through."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from funnel_lib.pages.figures import smaller


def encoded(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def decoded(picture: bytes, mode: str = "RGB") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert(mode), dtype=float)


def test_a_chart_shrinks_and_looks_the_same():
    figure, stream = Figure(dpi=150), io.BytesIO()
    axes = figure.subplots()
    axes.bar(["a", "b"], [1, 2], color=["#0072b2", "#d55e00"])
    figure.savefig(stream, format="png")
    before = stream.getvalue()
    after, size = smaller(before)
    assert len(after) < 0.75 * len(before) and size == (960, 720)
    difference = np.abs(decoded(after) - decoded(before))
    assert difference.mean() < 1 and np.quantile(difference, 0.99) < 8
    assert smaller(before) == (after, size)


def test_what_can_be_seen_through_stays():
    clear = Image.new("RGBA", (40, 30), (255, 0, 0, 100))
    clear.putpixel((3, 4), (0, 0, 255, 7))
    after, size = smaller(encoded(clear))
    assert size == (40, 30) and (decoded(after, "RGBA") == np.asarray(clear, dtype=float)).all()
