"""Extraction reads every text that the code says: one that it overlooks would stay English in every language, unnoticed."""

from __future__ import annotations

import ast

import pytest

from tests.conftest import ROOT
from tests.language import catalogs


@pytest.mark.parametrize("path", sorted((ROOT / "funnel_lib").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_literal_is_extracted(path):
    """Babel loses a call whose later arguments hold certain other calls: give those a name before."""
    source = path.read_bytes()
    found = {text for text in catalogs._of_code(source)}
    assert not [text for text in _said(ast.parse(source)) if text not in found], "compute the values on a line of their own"


def _said(tree: ast.AST) -> list[str | tuple[str, str]]:
    """The literals of all calls that mark a message, read a second way."""
    texts = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := ast.unparse(node.func).split(".")[-1]) in catalogs.KEYWORDS:
            wanted = node.args[1:3] if name == "plural" else node.args[:1]
            literals = tuple(part.value for part in wanted if isinstance(part, ast.Constant) and isinstance(part.value, str))
            if literals and len(literals) == len(wanted):
                texts.append(literals if name == "plural" else literals[0])
    return texts


def test_nested_calls_are_found_a_second_way():
    source = 'say.plural(n, "{a} row", "{a} rows", a=", ".join(say(x) for x in y))\nsay("one {b}", b=say("two"))'
    assert set(_said(ast.parse(source))) == {("{a} row", "{a} rows"), "one {b}", "two"}
