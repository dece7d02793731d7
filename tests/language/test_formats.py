"""Formats against CLDR's rules of the two languages, written out by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_lib.glossary import UNITS
from funnel_lib.language.formats import format_cell, format_interval, format_value
from funnel_lib.language.words import counted


def said(value: object, unit: str, language: str, currency: str | None = "RUB") -> str:
    return format_value(value, unit, language, currency).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(("value", "unit", "english", "russian"), [
    (0.1834, "share", "18.3 %", "18,3 %"),
    (0, "share", "0 %", "0 %"),
    (1, "share", "100 %", "100 %"),
    (-0.153, "share", "−15.3 %", "−15,3 %"),
    (12345, "count", "12 345", "12 345"),
    (1234567, "amount", "RUB 1.23M", "1,23 млн ₽"),
    (123456, "amount", "RUB 123 000", "123 000 ₽"),
    (-999.4, "amount", "−RUB 999", "−999 ₽"),
    (1, "days", "1 day", "1 день"),
    (2, "days", "2 days", "2 дня"),
    (5, "days", "5 days", "5 дней"),
    (21, "hours", "21 hours", "21 час"),
    (1.5, "months", "1.5 months", "1,5 месяца"),
    (True, "flag", "yes", "да"),
    (pd.Timestamp("2026-07-01"), "date", "1 Jul 2026", "1 июл. 2026"),
    ("fair", "text", "fair", "fair"),
    (2.25, "level", "2.2", "2,2"),
])
def test_each_unit_reads_as_the_language_writes_it(value: object, unit: str, english: str, russian: str) -> None:
    assert (said(value, unit, "en"), said(value, unit, "ru")) == (english, russian)


@pytest.mark.parametrize("unit", sorted(UNITS))
@pytest.mark.parametrize("value", [None, float("nan"), math.inf, -math.inf, pd.NaT, pd.NA])
def test_what_is_undefined_is_said_to_be_so(value: object, unit: str) -> None:
    assert said(value, unit, "en") == format_cell(value, unit) == "n/a"
    assert said(value, unit, "ru") == "н/д"


@given(st.floats(-1e12, 1e12), st.sampled_from(sorted(UNITS - {"text", "flag", "date"})), st.sampled_from(["en", "ru"]))
def test_no_number_shows_an_ordinary_space_a_hyphen_or_nan(value: float, unit: str, language: str) -> None:
    for text in (format_cell(value, unit, language), format_interval(value, value, unit, language)):
        assert "nan" not in text and "-" not in text and "e+" not in text


@given(st.floats(0.01, 10), st.sampled_from(["en", "ru"]))
def test_a_share_is_read_back_to_the_decimals_shown(value: float, language: str) -> None:
    text = format_value(value, "share", language).removesuffix("%").replace("\N{NO-BREAK SPACE}", "")
    assert float(text.replace(",", ".")) / 100 == pytest.approx(value, abs=0.005)


def test_an_interval_says_its_unit_once() -> None:
    assert format_interval(0.182, 0.24, "share") == "18.2–24.0\N{NO-BREAK SPACE}%"
    assert format_interval(1200, 3400, "amount", "en", "USD") == "$1\N{NO-BREAK SPACE}200–3\N{NO-BREAK SPACE}400"
    assert format_interval(-5, 5, "days", "ru").startswith("−5 … 5")
    nbsp = "\N{NO-BREAK SPACE}"
    for limits, english, russian in (
            ((-73.64, -38.36), "−€73.64 … −38.36", f"−73,64 … −38,36{nbsp}€"), ((-5, 12), "−€5 … 12", f"−5 … 12{nbsp}€"),
            ((-7_020_000, -1_200_000), "−€7.02M … −1.2M", f"−7,02{nbsp}млн … −1,2{nbsp}млн{nbsp}€"),
            ((-7_020_000, 12), "−€7.02M … 12", f"−7,02{nbsp}млн … 12{nbsp}€"), ((38.36, 73.64), "€38.36–73.64", f"38,36–73,64{nbsp}€"),
            ((1_250_000, 3_000_000), "€1.25M–3M", f"1,25{nbsp}млн–3{nbsp}млн{nbsp}€")):
        assert format_interval(*limits, "amount", "en", "EUR") == english
        assert format_interval(*limits, "amount", "ru", "EUR") == russian
    assert format_interval(-5, 12, "amount", "en", "KZT") == f"−KZT{nbsp}5 … 12"
    assert format_interval(-5, 12, "amount") == "−5 … 12"
    assert format_interval(float("nan"), 1, "share") == "n/a"


def test_counted_nouns_follow_the_plural_rules() -> None:
    assert [counted(count, "warning", "ru") for count in (1, 3, 11, 21)] == [
        "предупреждение", "предупреждения", "предупреждений", "предупреждение"]
    assert [counted(count, "more_rows") for count in (1, 2)] == ["… and 1 more row in tables.xlsx", "… and 2 more rows in tables.xlsx"]
    assert counted(22, "more_rows", "ru") == "… и ещё 22 строки в tables.xlsx"
