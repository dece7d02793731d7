"""The glossary: every column of every measure has an entry, complete in both languages."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

import pandas as pd
import pytest

from funnel_lib import overview
from funnel_lib.glossary import GLOSSARY, UNITS, term
from funnel_lib.glossary_terms import TERMS
from tests.measures import MEASURES


@pytest.mark.parametrize("measure", MEASURES)
def test_every_column_is_defined(demo, measure):
    result = MEASURES[measure](demo.process("wholesale"))
    names = result.columns if isinstance(result, pd.DataFrame) else [field.name for field in dataclasses.fields(result)]
    undefined = []
    for name in names:
        try:
            term(name)
        except KeyError:
            undefined.append(name)
    assert not undefined


def test_the_overview_is_defined(demo):
    for table in (overview.processes(demo), overview.stage_efficiency(demo)):
        for name in table.columns:
            term(name)


def test_a_name_has_one_meaning():
    """A second row of a key would silently replace the first one."""
    assert not [key for key, count in Counter(row[0] for row in TERMS).items() if count > 1]


@pytest.mark.parametrize("key", GLOSSARY)
def test_entries_are_complete(key):
    entry = GLOSSARY[key]
    assert entry.unit in UNITS
    assert entry.en and entry.ru and entry.formula.endswith((".", ")")), entry
    assert any("а" <= letter.lower() <= "я" or letter in "ё№%,0123456789 –()" for letter in entry.ru)


@pytest.mark.parametrize("key", GLOSSARY)
def test_formulas_and_sources_are_said_in_russian(key):
    entry = GLOSSARY[key]
    assert entry.explained() == entry.formula and entry.origin() == entry.source
    assert any("а" <= letter.lower() <= "я" for letter in entry.explained("ru")), entry
    assert not re.search(r"\b(and|limits?|et al)\b", entry.origin("ru")), entry


def test_a_limit_names_its_number_in_the_language_of_the_reader():
    limit = term("step_high_share")
    assert limit.explained() == "Upper 95 % limit of: Of the step before."
    assert limit.explained("ru") == "Верхняя 95 % граница показателя «От предыдущего этапа»."
    with pytest.raises(KeyError):
        term("leads_low_nothing")


@pytest.mark.parametrize("suffix", ["share", "count", "amount", "days", "hours", "minutes", "months"])
def test_the_unit_is_last_in_the_name(suffix):
    for key, entry in GLOSSARY.items():
        if key.endswith(f"_{suffix}") and entry.unit != "text":
            assert entry.unit == suffix, key
