"""Makes the message catalogs: `python -m tests.language.catalogs` (make messages) extracts, merges and compiles them."""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import nbformat
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from funnel_lib.findings import KINDS
from funnel_lib.glossary import GLOSSARY
from funnel_lib.language.messages import DOMAINS, LOCALE
from tests.conftest import ROOT

LANGUAGES = ("ru",)
# What marks a message → which of its arguments are the texts.
KEYWORDS = {"message": (0,), "say": (0,), "marked": (0,), "plural": (1, 2)}
# Rooms of the package whose code feeds each domain; whatever is named nowhere is in findings.
ROOMS = {"answers": {"answers"}, "charts": {"charts"}, "glossary": {"glossary"}, "pages": {"pages", "report", "language", "cli"}}
# No moments in the files: the same code makes the same catalogs.
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
BLANK = re.compile(r"\{\w+\}")


class Found(NamedTuple):
    """One message of the code: where it stands (file from the root) and its English text or pair of texts."""

    place: str
    text: str | tuple[str, str]


def messages_of(domain: str) -> Iterator[Found]:
    """Every message that belongs to this domain, in the order of the files."""
    if domain == "glossary":
        texts = (text for term in GLOSSARY.values() for text in (term.formula, term.source))
        yield from (Found("funnel_lib/glossary_terms.py", text) for text in texts if text)
    if domain == "findings":
        texts = (text for kind in KINDS.values() for text in (kind.message, kind.action))
        yield from (Found("funnel_lib/findings.py", text) for text in texts if not BLANK.fullmatch(text))
    if domain == "notebooks":
        for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
            yield from (Found(str(path.relative_to(ROOT)), text) for text in _of_notebook(path))
    for path in sorted((ROOT / "funnel_lib").rglob("*.py")):
        if _domain_of(path) == domain:
            yield from (Found(str(path.relative_to(ROOT)), text) for text in _of_code(path.read_bytes()))


def _domain_of(path: Path) -> str:
    room = path.relative_to(ROOT / "funnel_lib").parts[0].removesuffix(".py")
    return next((domain for domain, rooms in ROOMS.items() if room in rooms), "findings")


def _of_code(source: bytes) -> Iterator[str | tuple[str, str]]:
    """The literals of calls that mark messages, also of calls inside other calls, in the order of the code."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        places = KEYWORDS.get(ast.unparse(call.func).split(".")[-1], ())
        texts = [call.args[place].value for place in places if place < len(call.args) and isinstance(call.args[place], ast.Constant)]
        if texts and len(texts) == len(places):
            yield texts[0] if len(texts) == 1 else tuple(texts)


def _of_notebook(path: Path) -> Iterator[str]:
    """Markdown cells, each one message, and the titles and notes of the tables that `pages.show` shows."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            yield cell.source
        else:
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "pages.show" and len(node.args) > 1:
                    yield ast.literal_eval(node.args[1])
                    yield from (ast.literal_eval(given.value) for given in node.keywords if given.arg == "note")


def catalog_path(domain: str, language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.po"


def catalog(domain: str, language: str) -> Catalog:
    """The catalog as committed; an empty one where there is none yet."""
    path = catalog_path(domain, language)
    if not path.exists():
        return Catalog(locale=language, domain=domain)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def merged(domain: str, language: str) -> Catalog:
    """The messages of the code with the translations that the committed catalog has for them; no guesses."""
    old = catalog(domain, language)
    new = Catalog(locale=language, domain=domain, project="funnel_lib", version="1", creation_date=MOMENT, revision_date=MOMENT,
                  msgid_bugs_address="none", last_translator="maintainers", language_team=language, fuzzy=False,
                  header_comment="# Made by `make messages` from the code; the translations are written by hand.")
    for place, text in messages_of(domain):
        known = old.get(text)
        # A text that was counted before and is not any more has to be translated anew.
        same = known is not None and isinstance(known.id, str) == isinstance(text, str)
        new.add(text, known.string if same else "" if isinstance(text, str) else ("",) * new.num_plurals,
                locations=[(place, None)])
    return new


def as_po(whole: Catalog) -> bytes:
    """The text file that people edit, without line numbers, so that it changes only where messages do."""
    file = io.BytesIO()
    write_po(file, whole, width=132, include_lineno=False)
    return file.getvalue()


def as_mo(whole: Catalog) -> bytes:
    """The compiled file that the package reads."""
    file = io.BytesIO()
    write_mo(file, whole)
    return file.getvalue()


def untranslated(whole: Catalog) -> list[str]:
    """English texts that have no translation, or not one for every plural form."""
    return [str(entry.id) for entry in whole if entry.id
            and not all([entry.string] if isinstance(entry.string, str) else entry.string)]


def make() -> int:
    """Writes all catalogs; the number of messages that wait for a translation."""
    waiting = 0
    for language in LANGUAGES:
        for domain in DOMAINS:
            whole, path = merged(domain, language), catalog_path(domain, language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(as_po(whole))
            path.with_suffix(".mo").write_bytes(as_mo(whole))
            missing = untranslated(whole)
            waiting += len(missing)
            sys.stdout.write(f"{language} {domain}: {len(whole)} messages, {len(missing)} without a translation\n")
    return waiting


if __name__ == "__main__":
    sys.exit(1 if make() else 0)
