"""One offline HTML page from one executed notebook: the answer first, the evidence, definitions, findings, the code."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import bleach
import nbformat
from bs4 import BeautifulSoup
from jinja2 import Environment, FileSystemLoader
from nbconvert.exporters import TemplateExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from funnel_lib.language.words import word
from funnel_lib.pages.figures import FIGURE
from funnel_lib.pages.quality import summary_of
from funnel_lib.pages.shown import ANSWER, COMPLETE, DEFINITIONS, FINDINGS, TABLE, period
from funnel_lib.report.evidence import Figure, Table, reachable, rendered
from funnel_lib.report.render import INJECTED

TEMPLATES = Path(__file__).parent / "template"
TAGS = {*bleach.ALLOWED_TAGS, "p", "br", "hr", "pre", "span", "div", "section", "figure", "figcaption", "h1", "h2", "h3",
        "h4", "h5", "h6", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "dl", "dt", "dd", "small",
        "sub", "sup", "img", "del", "ul", "ol", "li", "details", "summary"}
DROPPED = re.compile(r"<(script|style|iframe|object)\b.*?(</\1\s*>|\Z)", flags=re.DOTALL | re.IGNORECASE)


def _link_may(tag: str, name: str, value: str) -> bool:
    return name in ("class", "title") or (name == "href" and not value.lstrip().lower().startswith("data:"))


def _picture_may(tag: str, name: str, value: str) -> bool:
    return name in ("class", "title", "alt") or (name == "src" and value.startswith("data:image/"))


ATTRIBUTES = {"*": ["class", "title"], "a": _link_may, "img": _picture_may, "th": ["scope", "colspan", "rowspan"],
              "td": ["colspan", "rowspan"]}


@dataclass
class Page:
    """What the template is filled with; every text in `answer`, `blocks` and `code` is clean HTML. `since` is the beginning of
    observation."""

    title: str = ""
    language: str = "en"
    company: str = ""
    process: str = ""
    since: str = ""
    observed: str = ""
    answer: list[str | Table | Figure] = field(default_factory=list)
    blocks: list[str | Table | Figure] = field(default_factory=list)
    closing: dict[str, str] = field(default_factory=dict)
    contents: list[tuple[str, str]] = field(default_factory=list)
    code: list[tuple[int, str]] = field(default_factory=list)
    quality: str = ""
    home: str = "../index.html"
    tables: str = ""
    # The tables above, for the figures drawn from them: the first figure takes the first one.
    tables_above: list[Table] = field(default_factory=list)
    figures_below: int = 0

    @property
    def style(self) -> str:
        return stylesheet()

    @property
    def policy(self) -> str:
        return security_policy()

    def word(self, key: str, **values: object) -> str:
        return word(key, self.language, **values)


class PageExporter(TemplateExporter):
    """nbconvert with this project's template alone: nothing of the stock templates, no script."""

    export_from_notebook = None
    file_extension = ".html"
    output_mimetype = "text/html"
    default_preprocessors: ClassVar[list] = []

    def __init__(self, **settings: Any) -> None:
        super().__init__(template_name=TEMPLATES.name, extra_template_basedirs=[str(TEMPLATES.parent)], **settings)

    def _create_environment(self) -> Environment:
        environment = super()._create_environment()
        environment.autoescape = True
        return environment


@lru_cache
def stylesheet() -> str:
    """The one style sheet of pages and index, without comments and line breaks."""
    text = re.sub(r"/\*.*?\*/", "", (TEMPLATES / "page.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "\n", text).strip()


@lru_cache
def sort_script() -> str:
    """The only script there is, that of the index: it sorts rows."""
    return (TEMPLATES / "sort.js").read_text(encoding="utf-8").strip()


def security_policy(script: str = "") -> str:
    """Nothing but this very style sheet, this very script (none: no script) and pictures inside the page: no request."""
    allowed = f" script-src '{_digest(script)}';" if script else ""
    return (f"default-src 'none'; style-src '{_digest(stylesheet())}';{allowed} img-src data:; base-uri 'none'; "
            "form-action 'none'")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def page_of(notebook: nbformat.NotebookNode, home: str = "../index.html", tables: str = "", since: str = "") -> str:
    """The page as text. `home` and `tables` are the links to the index and the workbook (empty: no link), `since` is the
    beginning of observation."""
    page = _read(notebook, Page(home=home, tables=tables, since=since))
    # The template is filled from `page` alone; nbconvert copies the notebook it is given several times.
    text, _ = PageExporter().from_notebook_node(nbformat.v4.new_notebook(), resources={"page": page})
    return text


def standing_page(template: str, script: bool = False, **values: Any) -> str:
    """The index or an error page, from its own template beside the page's; with `script`, tables of the class "sortable" can
    be sorted."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
                              lstrip_blocks=True)
    source = sort_script() if script else ""
    return environment.get_template(template).render(style=stylesheet(), policy=security_policy(source), script=source, **values)


def shown_data(notebook: nbformat.NotebookNode, mime: str) -> list[dict[str, Any]]:
    """The exact data behind every element of one kind, in the order of the notebook."""
    return [output["data"][mime] for cell in notebook.cells for output in cell.get("outputs", [])
            if mime in output.get("data", {})]


def title_of(notebook: nbformat.NotebookNode) -> str:
    """The first heading of the first level."""
    for cell in notebook.cells:
        found = re.search(r"^#\s+(.+?)\s*$", cell.source, flags=re.MULTILINE) if cell.cell_type == "markdown" else None
        if found:
            return re.sub(r"[*_`]", "", found.group(1))
    return ""


def _read(notebook: nbformat.NotebookNode, page: Page) -> Page:
    for about in shown_data(notebook, COMPLETE):
        page.language, page.company, page.process = about["language"], about["company"], about["title"]
        page.observed = period(page.since, about["as_of"], page.language)
    page.title = title_of(notebook) or page.process or page.company
    number = 0
    for position, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" and not _announces_answer(notebook, position):
            _add_prose(cell.source, page)
        elif cell.cell_type == "code":
            number += INJECTED not in cell.metadata.get("tags", [])
            if cell.source.strip():
                page.code.append((number, _highlighted(cell.source)))
            _add_outputs(cell, page)
    page.answer, page.blocks = (rendered(part, page.title, page.language) for part in (page.answer, page.blocks))
    for key in ("definitions", "data_quality"):
        if key in page.closing:
            anchor = key.replace("_", "-")
            page.contents.append((anchor, page.word(key)))
            page.blocks.append(f'<h2 id="{anchor}">{escape(page.word(key))}</h2>{page.closing[key]}')
    return page


def _announces_answer(notebook: nbformat.NotebookNode, position: int) -> bool:
    """A heading alone above the answer goes with it."""
    cell, after = notebook.cells[position], notebook.cells[position + 1 : position + 2]
    return (len(cell.source.strip().splitlines()) == 1 and cell.source.startswith("#")
            and any("answer" in following.metadata.get("tags", []) for following in after))


def _highlighted(source: str) -> str:
    return Highlight2HTML(pygments_lexer="python")(source).replace("<span></span>", "").strip()


def _add_prose(source: str, page: Page) -> None:
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    soup = BeautifulSoup(clean(MarkdownWithMath(renderer=renderer).render(source)), "html.parser")
    title = soup.find("h1")
    if title is not None and not any(block for block in page.blocks):
        title.decompose()
    for heading in soup.find_all(["h1", "h2"]):
        heading.name = "h2"
        heading["id"] = _anchor(page)
        page.contents.append((heading["id"], heading.get_text()))
    if soup.get_text(strip=True) or soup.find("img"):
        page.blocks.append(str(soup).strip())


def _anchor(page: Page) -> str:
    return f"part-{len(page.contents) + 1}"


def clean(html: str) -> str:
    """HTML without anything that runs, loads or restyles; texts stay."""
    return _pictured(bleach.clean(DROPPED.sub("", html), tags=TAGS, attributes=ATTRIBUTES,
                                  protocols={"http", "https", "mailto", "data"}, strip=True))


def _pictured(html: str) -> str:
    """A picture that lost its source is dropped; one without words is none to who does not see it."""
    if "<img" not in html:
        return html
    soup = BeautifulSoup(html, "html.parser")
    for image in soup.find_all("img"):
        if not image.get("src"):
            image.decompose()
        elif image.get("alt") is None:
            image["alt"] = ""
    return str(soup)


def _add_outputs(cell: nbformat.NotebookNode, page: Page) -> None:
    target = page.answer if "answer" in cell.metadata.get("tags", []) else page.blocks
    if any(TABLE in output.get("data", {}) for output in cell.outputs):
        page.tables_above, page.figures_below = [], 0
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            target.append(f"<pre>{escape(output.text.rstrip())}</pre>")
        elif output.output_type in ("display_data", "execute_result"):
            block = _block(output.data, page, output.get("metadata", {}))
            if block:
                target.append(block)


def _block(data: dict[str, Any], page: Page, metadata: dict[str, Any]) -> str | Table | Figure:
    if TABLE in data:
        return _table(data, page)
    if ANSWER in data:
        return clean(data["text/html"])
    if FINDINGS in data:
        page.quality = summary_of(data[FINDINGS]["counts"], page.language)
        return _close("data_quality", reachable(clean(data["text/html"]), page.word("data_quality")), page)
    if DEFINITIONS in data:
        return _close("definitions", clean(data["text/html"]), page)
    if COMPLETE in data:
        return ""
    if "image/png" in data:
        return _figure(data, page, metadata.get("image/png", {}))
    return _foreign(data, page)


def _foreign(data: dict[str, Any], page: Page) -> str:
    """Output that is not this package's: cleaned, never trusted."""
    if "text/html" in data:
        return reachable(f'<div class="scroll">{clean(data["text/html"])}</div>', page.title)
    if "text/markdown" in data:
        return clean(MarkdownWithMath(renderer=IPythonRenderer(escape=True)).render(data["text/markdown"]))
    return f"<pre>{escape(data['text/plain'])}</pre>" if "text/plain" in data else ""


def _table(data: dict[str, Any], page: Page) -> Table:
    """A table without columns is the reason why there is none: it stays in sight."""
    page.tables_above.append(Table(data[TABLE]["title"], clean(data["text/html"]), folds=bool(data[TABLE]["columns"])))
    return page.tables_above[-1]


def _figure(data: dict[str, Any], page: Page, size: dict[str, Any]) -> Figure:
    table = page.tables_above[min(page.figures_below, len(page.tables_above) - 1)] if page.tables_above else None
    page.figures_below += 1
    return Figure(data["image/png"], data.get(FIGURE, {}), size, table)


def _close(key: str, html: str, page: Page) -> str:
    """A part that closes the page, under its own heading; a bare heading that the notebook put above it goes."""
    last = page.blocks[-1] if page.blocks else ""
    above = BeautifulSoup(last, "html.parser").find_all(True, recursive=False) if isinstance(last, str) else []
    if len(above) == 1 and above[0].name == "h2":
        page.blocks.pop()
        page.contents.pop()
    page.closing[key] = page.closing.get(key, "") + html
    return ""
