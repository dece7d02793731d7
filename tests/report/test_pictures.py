"""Pictures: the same to the eye, whole where they can be seen through."""

from __future__ import annotations

import base64
import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from funnel_lib.report.pictures import smaller


def encoded(picture: Image.Image) -> str:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def decoded(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"), dtype=float)


def test_a_chart_shrinks_and_looks_the_same():
    figure, stream = Figure(dpi=150), io.BytesIO()
    axes = figure.subplots()
    axes.bar(["a", "b"], [1, 2], color=["#0072b2", "#d55e00"])
    figure.savefig(stream, format="png")
    before = base64.b64encode(stream.getvalue()).decode()
    after = smaller(before)
    assert len(after) < 0.75 * len(before)
    difference = np.abs(decoded(after) - decoded(before))
    assert difference.mean() < 1 and np.quantile(difference, 0.99) < 8
    assert smaller(before) == after


def test_what_can_be_seen_through_or_cannot_shrink_stays():
    clear = encoded(Image.new("RGBA", (40, 40), (255, 0, 0, 100)))
    dot = encoded(Image.new("P", (1, 1)))
    assert smaller(clear) == clear and len(smaller(dot)) <= len(dot)
