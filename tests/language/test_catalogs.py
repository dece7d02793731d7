"""Every message is translated, none is stale, none mixes languages, and no prose stands outside the catalogs."""

from __future__ import annotations

import ast
import re
from string import Formatter

import pytest

from funnel_lib.glossary import GLOSSARY
from funnel_lib.language.messages import DOMAINS, message, plural, translate
from tests.conftest import ROOT
from tests.language import catalogs

EACH = pytest.mark.parametrize(("domain", "language"), [(domain, language) for domain in DOMAINS for language in catalogs.LANGUAGES])
# Latin words that Russian texts have as well: names of systems, methods, files and abbreviations.
LATIN = {"CRM", "Excel", "PDF", "HTML", "CSV", "UTF", "YAML", "NUL", "Parquet", "Jupyter", "JupyterLab", "WeasyPrint", "Pango",
         "Spark", "PySpark", "DuckDB", "SQLite", "SQLAlchemy", "Polars", "pandas", "CAC", "NPS", "NRR", "GRR", "BG", "NBD", "PERT", "exp", "ln"}
# Authors are named as their works name them.
LATIN |= {name for term in GLOSSARY.values() for name in re.findall(r"[A-Z][A-Za-z]+", term.source)}
# A single Latin word in quotes is a name: a table, a column, a key, a code.
CODE = re.compile(r"`[^`]*`|«[A-Za-z][\w./-]*»|\{[^{}]*\}|<[^<>]*>|\[\[.*?\]\]|\(https?:[^)]*\)|\b[\w-]+\.(?:yaml|csv|xlsx|parquet|py|ipynb|html|json)\b|--[\w-]+|\b\w+_\w+\b")
# Rooms in which every text of several words is one of the catalogs'.
SPEAKING = ("answers", "charts", "pages", "report")
# Of several words, and yet no prose: keys of tables, and what matplotlib calls places and units.
KEYS = {*GLOSSARY, "upper left", "upper right", "offset points", "axes fraction"}
WORDS = re.compile(r"[A-Za-z’']{2,} [a-z’']{2,}")
# Signs of markup, styles and code, which are no prose.
MARKUP = re.compile(r"[<>=\n]|-src\b|^tbody\b|\byyyy\b|\bimport\b|; del\b")
MESSAGES = {"message", "plural", "joined"}
ERRORS = {"CallError", "DataError", "MeasureError", "WriteError"}
# Here people's descriptions are checked: what is wrong with them is raised as pydantic wants it.
CHECKED = {"description.py", "readers/mapping.py"}


@EACH
def test_the_catalogs_are_those_of_the_code(domain, language):
    """Stale, missing or reordered messages change the file that `make messages` makes."""
    fresh = catalogs.merged(domain, language)
    assert catalogs.as_po(fresh).decode() == catalogs.catalog_path(domain, language).read_text(encoding="utf-8"), "run make messages"
    assert catalogs.as_mo(fresh) == catalogs.catalog_path(domain, language).with_suffix(".mo").read_bytes(), "run make messages"


@EACH
def test_every_message_is_translated(domain, language):
    assert not catalogs.untranslated(catalogs.catalog(domain, language))


def _pairs(domain: str, language: str) -> list[tuple[str, str]]:
    """English beside its translation; every plural form beside the English plural."""
    return [pair for entry in catalogs.catalog(domain, language) if entry.id for pair in (
        [(entry.id, entry.string)] if isinstance(entry.id, str) else [(entry.id[1], form) for form in entry.string])]


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@EACH
def test_translations_have_the_same_blanks(domain, language):
    for english, translated in _pairs(domain, language):
        if translated and domain not in ("notebooks", "glossary"):
            assert _blanks(translated) == _blanks(english), english


@EACH
def test_translations_do_not_mix_languages(domain, language):
    for _, translated in _pairs(domain, language):
        foreign = set(re.findall(r"[A-Za-z]{2,}", CODE.sub(" ", translated))) - LATIN
        assert not foreign, f"{sorted(foreign)} in: {translated}"


def _numbers(text: str) -> list[str]:
    """The numbers in a text as it writes them, thousands and decimals the English way."""
    return sorted(re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<=\d)[ ,](?=\d{3}\b)", "", CODE.sub(" ", text))))


@pytest.mark.parametrize("domain", ["glossary", "notebooks"])
def test_formulas_and_prose_keep_their_numbers(domain):
    for english, translated in _pairs(domain, "ru"):
        assert _numbers(translated.replace(",", ".")) == _numbers(english), translated


@pytest.mark.parametrize("language", catalogs.LANGUAGES)
def test_a_text_has_the_same_translation_in_every_catalog(language):
    """The catalogs stand one behind the other: the first that has a text would speak for all."""
    said: dict = {}
    for domain in DOMAINS:
        for entry in catalogs.catalog(domain, language):
            if entry.id and entry.string:
                said.setdefault(str(entry.id), set()).add(str(entry.string))
    assert not {text: forms for text, forms in said.items() if len(forms) > 1}


@pytest.mark.parametrize("path", [path for room in SPEAKING for path in sorted((ROOT / "funnel_lib" / room).rglob("*.py"))],
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_no_prose_outside_the_catalogs(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = {id(part) for node in ast.walk(tree) for part in _allowed(node)}
    loose = [node.value for node in ast.walk(tree)
             if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in allowed
             and node.value not in KEYS and WORDS.search(node.value) and not MARKUP.search(node.value)]
    assert not loose, "say() it, so that it can be translated"


def _allowed(node: ast.AST) -> list[ast.AST]:
    """Docstrings, the arguments of what marks a message, and what is for programmers: the log, unknown names of the code."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return [node.value]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "AttributeError":
        return list(ast.walk(node))
    if isinstance(node, ast.Call) and (_called(node) in catalogs.KEYWORDS or ast.unparse(node.func).startswith("log.")):
        return list(node.args)
    return []


def test_messages_are_found_also_inside_other_messages():
    code = """
say("{count} of {texts}", count=say.plural(n, "{n} one", "{n} many", n=words(say, n)), texts=say((marked("a"), marked("b"))[n]))
say(table[key])
"""
    assert list(catalogs._of_code(code.encode())) == ["{count} of {texts}", ("{n} one", "{n} many"), "a", "b"]


def _called(node: ast.AST) -> str:
    return ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""


@pytest.mark.parametrize("path", sorted((ROOT / "funnel_lib").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_error_is_a_message(path):
    """Whoever sees an error can have it said in another language: its text is a message, or what a function makes one of."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    makers = MESSAGES | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.returns is not None
                         and ast.unparse(node.returns) == "Message"}
    errors = ERRORS | ({"ValueError"} if str(path.relative_to(ROOT / "funnel_lib")) in CHECKED else set())
    made = [node for node in ast.walk(tree) if _called(node) in errors and node.args]
    loose = [ast.unparse(node) for node in made if not all(_called(text) in makers for text in _either(node.args[0]))]
    assert not loose, "raise it with message(…)"


def _either(node: ast.AST) -> list[ast.AST]:
    """Both sides of a choice, or the text itself."""
    return [*_either(node.body), *_either(node.orelse)] if isinstance(node, ast.IfExp) else [node]


def test_a_message_is_said_in_both_languages():
    text = plural(3, "{count} row", "{count} rows", count=3)
    assert text == "3 rows"
    assert translate(message("{file}: {text}", file="a.csv", text=text), "de") == "a.csv: 3 rows", "a language without catalogs"


def test_fractions_may_have_a_form_of_their_own():
    said = [translate(plural(count, "{count} new customer", "{count} new customers", count=count), "ru") for count in (1, 2, 4.5, 5)]
    assert said == ["1 новый клиент", "2 новых клиента", "4,5 нового клиента", "5 новых клиентов"]
