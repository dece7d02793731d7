"""The colours of everything drawn, on pages and in workbooks: one place, and the same word is the same colour everywhere."""

from __future__ import annotations

# Okabe and Ito 2008: told apart by colour-blind readers too.
ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#E69F00", "#56B4E9", "#009E73", "#B8A800", "#0072B2", "#D55E00", "#CC79A7")
INK, GREY, ASH, PALE, GRID = "#222222", "#7A7A7A", "#A0A0A0", "#D9D9D9", "#E8E8E8"
