"""A finished page as PDF, by WeasyPrint in a process of its own: whatever happens there costs the PDF only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from funnel_lib.errors import CallError
from funnel_lib.language.messages import message
from funnel_lib.report.orphans import end_with

if TYPE_CHECKING:
    from weasyprint import Document

# matplotlib's own fonts: they hold Cyrillic and the rouble sign, and are the same on every machine.
FACES = (("DejaVu Sans", "DejaVuSans.ttf", "normal", "normal"), ("DejaVu Sans", "DejaVuSans-Bold.ttf", "bold", "normal"),
         ("DejaVu Sans", "DejaVuSans-Oblique.ttf", "normal", "italic"), ("DejaVu Serif", "DejaVuSerif.ttf", "normal", "normal"),
         ("DejaVu Serif", "DejaVuSerif-Bold.ttf", "bold", "normal"), ("DejaVu Sans Mono", "DejaVuSansMono.ttf", "normal", "normal"))
# Important, since the page's own style sheet would win otherwise. DejaVu runs wide: its letters may be smaller than others.
PAPER = """
:root { --sans: "DejaVu Sans" !important; --serif: "DejaVu Serif" !important; }
code, pre { font-family: "DejaVu Sans Mono" !important; }
body { font-size: 9.5pt !important; }
h1 { font-size: 19pt !important; string-set: title content(); }
.verdict li.lead { font-size: 12.5pt !important; }
table { font-size: 8pt !important; }
table.wide { font-size: 7pt !important; }
thead th { hyphenate-limit-chars: 10 4 4 !important; }
/* The contents are links on a screen; on paper they have the numbers of the pages. */
nav.contents { display: block !important; font-size: .9em !important; margin: 14pt 0 !important; padding: 6pt 0 !important; }
.contents p { display: none !important; }
.contents a::after { content: " " leader(".") " " target-counter(attr(href), page); }
@page { @bottom-left { content: string(title); font: 8pt var(--sans); color: #5d6670; } }
@page :first { @bottom-left { content: none; } }
"""


def check_available() -> None:
    """`CallError` where WeasyPrint, or the library for texts that it uses, is not installed."""
    try:
        import weasyprint  # noqa: F401  takes a while: only where a PDF is asked for
    except ImportError as error:
        raise CallError(message("format 'pdf' needs WeasyPrint, which is not installed; pip install 'funnel-lib[pdf]' adds it; "
                                "elsewhere leave pdf out of --format")) from error
    except OSError as error:
        raise CallError(message("format 'pdf' needs Pango, which is not installed ({reason}); install your system's Pango, or "
                                "leave pdf out of --format", reason=str(error).splitlines()[0])) from error


def write_pdf(page: Path, target: Path, timeout: float) -> str:
    """Write the page as PDF; gives the reason if that failed, else an empty text."""
    call = [sys.executable, "-P", "-m", "funnel_lib.report.pdf", str(page), str(target), str(os.getpid())]
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return message("timed out after {seconds:g} s", seconds=timeout)
    if done.returncode < 0:
        return message("the process died (out of memory?)")
    if done.returncode:
        return (done.stderr.strip().splitlines() or [message("no reason was given")])[-1]
    return ""


def printed(page: Path) -> Document:
    """The page on paper: numbered, with bookmarks, in fonts of its own; nothing is fetched but what the page holds."""
    import matplotlib
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = FontConfiguration()
    faces = "".join(f'@font-face {{ font-family: "{name}"; font-weight: {weight}; font-style: {style}; '
                    f'src: url("{(folder / file).as_uri()}"); }}\n' for name, file, weight, style in FACES)
    style = CSS(string=faces + PAPER, font_config=fonts)
    html = HTML(string=page.read_text(encoding="utf-8"), url_fetcher=URLFetcher(allowed_protocols=["data"]))
    return html.render(stylesheets=[style], font_config=fonts, presentational_hints=True)


if __name__ == "__main__":
    end_with(int(sys.argv[3]))
    printed(Path(sys.argv[1])).write_pdf(sys.argv[2])
