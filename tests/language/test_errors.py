"""Errors and findings in the language of whoever has to mend them: mistakes in a description, broken files, what a notebook says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from funnel_lib import pages, read_company
from funnel_lib.company import Process
from funnel_lib.errors import DataError, FunnelError, MeasureError, said
from funnel_lib.language.messages import joined, message, plural, translate
from funnel_lib.readers.mapping import read_mapping
from funnel_lib.readers.place import language_of

DESCRIPTION = "name: Гайка\nlanguage: ru\nas_of: 2026-03-01\nprocesses:\n  retail: {steps: [contacted, won]}\n"
# What Russian texts keep as it is: code, names in quotes, what stands in brackets or after a sign of a key, places, numbers.
NAMES = re.compile(r"`[^`]*`|«[^»]*»|\"[^\"]*\"|\{[^}]*\}|'[^']*'|[\w./-]+\.(?:yaml|csv)\b|\b\w+(?:\.\w+)+\b|\b\w+_\w+\b|^\S+: ")


@pytest.mark.parametrize(("wrong", "says"), [
    ("curency: RUB", "строка 6: curency: этот ключ неизвестен. Возможно, вы имели в виду «currency»?"),
    ("currency: rubles", "строка 6: currency: ожидались три буквы валюты, например «EUR», найдено «rubles»"),
    ("time_zone: Moscow", "ожидался часовой пояс вида «Europe/Moscow», найдено «Moscow»"),
    ("observed_from: 2026-02-31", "строка 6: ожидалась дата вида 2026-07-01, найдено «2026-02-31»"),
    ("observed_from: вчера", "observed_from: ожидалась дата вида 2026-07-01, найдено «вчера»"),
    ("roles: [caller]", "roles: ожидались ключи со значениями, найдено ['caller']"),
    ("roles: {a: {hour_cost: 1}}", "roles.a.name: этот ключ обязателен, а его нет"),
    ("roles: {a: {name: А, hour_cost: -5}}", "roles.a.hour_cost: ожидалось не меньше 0, найдено -5"),
    ("roles: {a: {name: А, hour_cost: много}}", "roles.a.hour_cost: ожидалось число, найдено 'много'"),
    ("roles: {a: {name: А, qualification: best}}",
     "roles.a.qualification: ожидалось 'low', 'middle' или 'high', найдено 'best'"),
    ("rates: {USD: 0}", "rates.USD: ожидалось больше 0, найдено 0"),
    ("calendar: {hours: [утро, вечер]}", "calendar.hours: ожидалось время суток вида 09:00, найдено «утро»"),
    ("calendar: {hours: ['18:00', '09:00']}", "ожидалось, что рабочий день заканчивается позже, чем начинается"),
    ("calendar: {hours: ['18:00']}", "calendar.hours.2: не хватает ещё одной записи"),
    ("calendar: {holidays: ZZ}", "ожидалась страна, например «RU», «DE» или «DE-BY», найдено «ZZ»"),
    ("formats: {decimal: ;}", "formats.decimal: ожидалось ',' или '.', найдено ';'"),
    ("name: Снова", "ключ «name» встречается дважды: «Снова», а раньше «Гайка»"),
    ("rates: {USD: 1: 2}", "строка 6, позиция 15: ожидалась запятая или «}», найдено «:»"),
    ("name Снова", "не хватает двоеточия после ключа"),
    ("curency: RUB\nrates: {USD: 0}", "(и ещё 1 ошибка в этом файле)"),
])
def test_a_mistake_in_the_description_is_said_in_russian(tmp_path: Path, wrong: str, says: str) -> None:
    (tmp_path / "company.yaml").write_text(DESCRIPTION + wrong + "\n", encoding="utf-8")
    with pytest.raises(FunnelError) as raised:
        read_company(tmp_path)
    told = said(raised.value, "ru").replace(str(tmp_path) + "/", "")
    assert says in told and told.startswith("company.yaml")
    assert str(raised.value) == said(raised.value, "en") and not re.search("[а-я]", NAMES.sub(" ", str(raised.value))), "English stays"
    assert not re.search(r"[a-z]{3,} [a-z]{3,}", NAMES.sub(" ", told))


@pytest.mark.parametrize(("process", "says"), [
    ("steps: [contacted, contacted]", "steps: ключи должны различаться, а «contacted» встречается дважды"),
    ("steps: [lost, won]", "«lost» — не этап"),
    ("steps: [a, {key: won, optional: true}]", "последний этап означает «оплачено»"),
    ("steps: [a, won], cards: [{key: call, stage: conversion, step: b}]",
     "processes.retail.cards.1.step: ожидалось одно из: a, won; найдено «b»"),
    ("measures: [{key: m, moves: step_rat.a, effect: {low: 0, likely: 0, high: 0}}]",
     "Возможно, вы имели в виду «step_rate»?"),
    ("measures: [{key: m, moves: repeat_rate, effect: {low: 0.5, likely: 0.25, high: 1}}]",
     "ожидалось `low ≤ likely ≤ high`, найдено 0,5, 0,25, 1,0"),
])
def test_a_mistake_in_a_process_is_said_in_russian(tmp_path: Path, process: str, says: str) -> None:
    (tmp_path / "company.yaml").write_text(f"language: ru\nprocesses:\n  retail: {{{process}}}\n", encoding="utf-8")
    with pytest.raises(FunnelError) as raised:
        read_company(tmp_path)
    assert says in said(raised.value, "ru")


def test_a_mistake_in_a_mapping_is_said_in_russian(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text("source: {deals: deals.csv}\ntables: {leads: {from: deals, columns: {lead_id: id, creatd_at: d}, "
                                       "constants: {process: shop}}}\n", encoding="utf-8")
    with pytest.raises(FunnelError) as raised:
        read_mapping(tmp_path / "map.yaml")
    assert "ожидались столбцы таблицы «leads», найдено «creatd_at». Возможно, вы имели в виду «created_at»?" in said(raised.value, "ru")


def broken_company(folder: Path) -> Path:
    (folder / "company.yaml").write_text(DESCRIPTION.replace("won]", "won], allow_set_aside_share: 0.9"), encoding="utf-8")
    (folder / "leads.csv").write_text("lead_id,process,created_at,chanel\n1,retail,2026-01-05,web\n2,retial,2026-01-06,web\n"
                                      "3,retail,скоро,web\n4,retail,2026-01-08,web,лишнее\n,retail,2026-01-08,web\n", encoding="utf-8")
    (folder / "stage_events.csv").write_text("lead_id,step,entered_at\n1,Contacted,2026-01-01\n1,won,\n9,won,2026-01-06\n", encoding="utf-8")
    (folder / "orders.csv").write_text("order_id,customer_id,process,ordered_at,amount\n1,a,retail,2026-01-06,1.234\n", encoding="utf-8")
    (folder / "spend.csv").write_bytes("process,stage,amount,item\nretail,conversion,100,Реклама\n".encode("cp1251"))
    (folder / "wrok.csv").write_text("date\n", encoding="utf-8")
    return folder


def test_every_finding_is_said_in_russian_and_in_english(tmp_path: Path) -> None:
    findings = read_company(broken_company(tmp_path)).findings
    keys = {found.key for found in findings}
    assert {"table_unreadable", "broken_row", "bad_time", "unknown_process", "missing_value", "unknown_lead", "before_lead", "encoding",
            "unknown_file", "unknown_column", "repaired_word", "time_unknown"} <= keys
    for found in findings:
        russian = translate(found.text, "ru")
        assert re.search("[а-яё]{3}", russian) and not re.search(r"[a-z]{3,} [a-z]{3,}", NAMES.sub(" ", russian)), russian
        assert found.text == translate(found.text, "en")


def test_the_page_shows_findings_in_the_language_of_the_company(tmp_path: Path) -> None:
    company = read_company(broken_company(tmp_path))
    shown = pages.data_quality(company)
    assert "leads.csv, строка 4: created_at = скоро" in shown.html and "отложено" in shown.html and "set aside" not in shown.html
    assert shown.data["findings"][0]["message"].startswith("orders.csv, столбец «amount»: 1.234 может быть и тысячей, и дробью")
    assert "orders.csv, column amount: 1.234" in pages.data_quality(read_company(tmp_path, language="en")).html
    with pytest.raises(DataError) as raised:
        company.process("retail")
    assert "может быть и тысячей" in said(raised.value, "ru") and "can be a thousand" in str(raised.value)


def test_a_measure_that_is_impossible_says_why_in_the_language_of_the_process() -> None:
    def measure(process: Process) -> pd.DataFrame:
        return process.table("orders")

    process = Process.from_tables("shop", language="ru", leads=pd.DataFrame({"lead_id": ["1"], "created_at": pd.to_datetime(["2026-01-05"])}))
    shown = pages.show(pages.attempt(measure, process), "Заказы")
    assert "н/д: shop: нужна таблица «orders» (заказы), а у этой компании её нет" in shown.html
    with pytest.raises(MeasureError, match=r"needs the table 'orders' \(orders\), which this company has not"):
        measure(process)


def test_a_running_notebook_says_errors_in_its_language() -> None:
    code = ("from IPython.core.interactiveshell import InteractiveShell\nfrom funnel_lib.pages.errors import say_errors_in\n"
            "shell = InteractiveShell.instance(colors='NoColor')\nsay_errors_in({language!r})\n"
            "shell.run_cell('from funnel_lib import *\\nfrom funnel_lib.company import Process\\nProcess.from_tables(\"x\").table(\"orders\")')\n")
    told = {language: subprocess.run([sys.executable, "-c", code.format(language=language)], capture_output=True, text=True,
                                     check=True).stdout for language in ("en", "ru")}
    assert "MeasureError: x: нужна таблица «orders» (заказы)" in told["ru"] and "needs the table" not in told["ru"].splitlines()[-1]
    assert "MeasureError: x: needs the table 'orders' (orders)" in told["en"]


def test_numbers_and_messages_inside_a_message_are_said_in_its_language() -> None:
    parts = joined([message("{share} % of the events have no time", share=12.5), plural(2, "row", "rows"), "leads.csv"])
    assert (parts, translate(parts, "ru")) == ("12.5 % of the events have no time; rows; leads.csv",
                                               "у 12,5 % событий нет времени; rows; leads.csv")
    assert translate(message("{x!r} {y:.1f} {z:g}", x=0.05, y=1.25, z=3.0), "ru") == "0.05 1,2 3", "code keeps its point"


@pytest.mark.parametrize(("text", "language"), [("language: ru\n", "ru"), ('name: x\nlanguage: "en"\n', "en"), ("language ru\n", None),
                                                ("processes: {language: ru}\n", None), ("a: [\nlanguage: ru", "ru")])
def test_the_language_of_a_description_is_seen_although_it_is_broken(tmp_path: Path, text: str, language: str | None) -> None:
    (tmp_path / "company.yaml").write_text(text, encoding="utf-8")
    assert language_of(tmp_path) == language and language_of(tmp_path / "nowhere") is None
