"""Pictures of a page at a third of their size: charts have few colours."""

from __future__ import annotations

import base64
import io

COLOURS = 256


def smaller(encoded: str) -> str:
    """A PNG picture (base64) with a palette of 256 colours, or as it is where that is no smaller or it can be seen through."""
    from PIL import Image  # only where something is rendered

    with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        if "A" in picture.mode and picture.getchannel("A").getextrema()[0] < 255:
            return encoded
        palette = picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    palette.save(stream, "PNG")
    return min(base64.b64encode(stream.getvalue()).decode(), encoded, key=len)
