"""Tables and figures of a page, numbered in the order of reading; the table that a figure is drawn from is folded under it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import Any

from bs4 import BeautifulSoup

from funnel_lib.language.words import word


@dataclass
class Table:
    """A table as clean HTML; `folds` is false for one that has to stay in sight, such as the reason why there is none."""

    title: str
    html: str
    folds: bool = True
    is_taken: bool = False
    number: int = 0


@dataclass
class Figure:
    """A picture (base64) with the words drawn in it, its size, and the table it is drawn from; it takes a table that none has."""

    picture: str
    words: dict[str, Any]
    size: dict[str, Any]
    table: Table | None = None
    takes: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.table is not None and self.table.folds and not self.table.is_taken:
            self.table.is_taken = self.takes = True


def rendered(blocks: Iterable[str | Table | Figure], title: str, language: str) -> list[str]:
    """Every block as HTML; `title` is that of the page, for a figure that says nothing of itself."""
    tables = figures = 0
    found = []
    for block in blocks:
        if isinstance(block, Table) and not block.is_taken:
            tables += 1
            found.append(_open_table(block, tables, language))
        elif isinstance(block, Figure):
            if block.takes:
                tables += 1
                block.table.number = tables
            if block.words.get("is_empty"):
                found.append(_said(block, language))
                continue
            figures += 1
            found.append(_figure(block, figures, title, language))
        elif isinstance(block, str):
            found.append(block)
    return found


def reachable(html: str, name: str) -> str:
    """What scrolls sideways on a narrow screen can be scrolled by the keyboard, and has a name for who does not see it."""
    return html.replace('<div class="scroll">',
                        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(name, quote=True)}">')


def _open_table(table: Table, number: int, language: str) -> str:
    name = word("table", language, number=number)
    return reachable(table.html, name).replace("<figcaption>", f"<figcaption><b>{escape(name)}</b> ", 1)


def _figure(figure: Figure, number: int, title: str, language: str) -> str:
    """A picture with its words as alternative text, the title of its table as caption, and that table folded away."""
    table = figure.table.title if figure.table else ""
    drawn = ". ".join(filter(None, [figure.words.get("title"), figure.words.get("note")])) or table or title
    alt = escape(word("chart_of", language, title=drawn), quote=True)
    name = word("figure", language, number=number)
    caption = f"<b>{escape(name)}</b> {escape(table or figure.words.get('title', '') or title)}"
    measured = "".join(f' {side}="{int(figure.size[side])}"' for side in ("width", "height") if figure.size.get(side))
    source = re.sub(r"\s+", "", figure.picture)
    picture = f'<div class="scroll"><img alt="{alt}"{measured} src="data:image/png;base64,{source}"></div>'
    return (f'<figure class="chart">{reachable(picture, name)}<figcaption>{caption}</figcaption>'
            f"{_behind(figure, language)}</figure>")


def _said(figure: Figure, language: str) -> str:
    """In place of a picture with nothing in it: what it says, and its table."""
    return f'<figure class="chart"><p><b>{escape(figure.words["title"])}.</b></p>{_behind(figure, language)}</figure>'


def _behind(figure: Figure, language: str) -> str:
    """The table of the figure, or where it is if an earlier figure has it."""
    table = figure.table
    if table is None or not table.is_taken:
        return ""
    anchor = f"table-{table.number}"
    if not figure.takes:
        return f'<p class="note"><a href="#{anchor}">{escape(word("numbers_above", language, number=table.number))}</a></p>'
    summary = escape(word("numbers", language, number=table.number))
    body = reachable(_body(table.html), word("table", language, number=table.number))
    return f'<details class="behind"><summary>{summary}</summary><div id="{anchor}">{body}</div></details>'


def _body(html: str) -> str:
    """A table without its frame and its title, which is the caption of the figure."""
    soup = BeautifulSoup(html, "html.parser")
    frame = soup.find("figure")
    if frame is None:
        return html
    if frame.figcaption is not None:
        frame.figcaption.decompose()
    return frame.decode_contents()
