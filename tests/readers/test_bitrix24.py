"""The Bitrix24 preset on a made-up export: every expectation is counted by hand from the rows below."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from funnel_lib import read_company
from funnel_lib.engine import collect
from funnel_lib.readers.importing import import_files

# Headings of the field titles, and of a list's export with the closing date missing and other titles.
TITLES = ["ID", "Название", "Воронка", "Стадия сделки", "Закрыта", "Повторная сделка", "Валюта", "Сумма", "Компания", "Контакт",
          "Дата завершения", "Ответственный", "Дата создания", "Дата изменения", "Источник", "Причина отказа"]
OTHER_TITLES = {"Название": "Название сделки", "Закрыта": "Сделка закрыта", "Компания": "Компания: Название компании"}

ROWS = [
    # id   funnel    stage                  closed returning currency          amount       company        contact
    ("001", "Опт", "Новая", "нет", "нет", "Российский рубль", "10 000,00", "ООО Ёлка", "", "", "Анна", "03.04.2026 09:15:00",
     "03.04.2026 09:15:00", "Сайт", ""),
    ("002", "Опт", "Переговоры", "нет", "нет", "Российский рубль", "25 500,50", "", "Пётр", "", "Борис", "13.02.2026 10:00:00",
     "01.03.2026 10:00:00", "Звонок", ""),
    ("003", "Опт", "Сделка успешна", "да", "да", "Российский рубль", "7 000,00", "ООО Ёлка", "", "20.03.2026 18:00:00", "Анна",
     "01.03.2026 12:00:00", "25.03.2026 12:00:00", "Сайт", ""),
    ("004", "Опт", "Сделка провалена", "да", "нет", "Российский рубль", "5 000,00", "ИП Ким", "", "05.04.2026 11:00:00",
     "Борис", "02.04.2026 08:00:00", "05.04.2026 11:00:00", "Сайт", "Дорого"),
    ("005", "Розница", "Выбрали конкурента", "да", "нет", "Российский рубль", "900,00", "", "Мария", "28.03.2026 16:30:00",
     "Анна", "27.03.2026 10:00:00", "28.03.2026 16:30:00", "", ""),
    ("006", "Розница", "Успешно реализована", "да", "нет", "Российский рубль", "1 200,00", "", "Мария", "", "Анна",
     "29.03.2026 10:00:00", "30.03.2026 10:00:00", "Звонок", ""),
    ("007", "Розница", "успешно  реализована", "да", "нет", "Российский рубль", "300,00", "", "", "31.03.2026 12:00:00", "Анна",
     "30.03.2026 10:00:00", "31.03.2026 12:00:00", "Звонок", ""),
]


def export(path: Path, encoding: str, titles: dict[str, str] | None = None, without: tuple[str, ...] = ()) -> Path:
    """The rows above as Bitrix24 writes them: semicolons, quotes around everything."""
    kept = [name for name in TITLES if name not in without]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([(titles or {}).get(name, name) for name in kept])
    for number, row in enumerate(ROWS):
        named = dict(zip(TITLES, (row[0], f'Сделка "{number}"; опт', *row[1:]), strict=True))
        writer.writerow([named[name] for name in kept])
    path.write_bytes(text.getvalue().encode(encoding))
    return path


@pytest.fixture(params=["cp1251", "utf-8", "utf-8-sig"])
def imported(request, tmp_path):
    result = import_files("bitrix24", [export(tmp_path / "DEAL_20260405.csv", request.param)], tmp_path / "company")
    return request.param, result, read_company(tmp_path / "company")


def rows(company, table: str) -> pd.DataFrame:
    return collect(company.source_tables[table]).sort_values("order_id" if table == "orders" else "lead_id")


def test_every_deal_becomes_a_lead(imported):
    encoding, result, company = imported
    leads = rows(company, "leads").set_index("lead_id")
    assert list(leads.index) == ["001", "002", "003", "004", "005", "006", "007"]
    assert leads["process"].to_dict() == {"001": "opt", "002": "opt", "003": "opt", "004": "opt", "005": "roznitsa",
                                          "006": "roznitsa", "007": "roznitsa"}
    assert leads.loc["001", "created_at"] == pd.Timestamp(2026, 4, 3, 9, 15), "the day comes first"
    assert leads.loc["002", "expected_amount"] == 2550050, "kopecks"
    assert leads.loc[["001", "002", "005"], "customer_id"].to_list() == ["ООО Ёлка", "Пётр", "Мария"]
    assert leads["returning"].to_list() == [False, False, True, False, False, False, False]
    assert set(leads["currency"]) == {"RUB"}
    said = [found.message for found in result.findings if found.key == "encoding"]
    assert said == (["not UTF-8; read as cp1251"] if encoding == "cp1251" else [])


def test_only_the_current_step_is_known(imported):
    events = rows(imported[2], "stage_events").set_index("lead_id")
    assert events["step"].to_list() == ["Новая", "Переговоры", "won", "lost", "lost", "won", "won"]
    assert list(events["entered_at"].isna()) == [True, True, False, False, False, False, False]
    assert events.loc["003", "entered_at"] == pd.Timestamp(2026, 3, 20, 18), "the closing date, not the last change"
    assert events.loc["006", "entered_at"] == pd.Timestamp(2026, 3, 30, 10), "the last change where there is no closing date"
    assert events.loc["004", "reason"] == "Дорого"
    assert events.loc["005", "reason"] == "Выбрали конкурента", "closed under a name of its own: that name is the reason"


def test_won_deals_with_a_customer_are_orders(imported):
    orders = rows(imported[2], "orders")
    assert orders["order_id"].to_list() == ["003", "006"], "007 was won but names no customer"
    assert orders["amount"].to_list() == [700000, 120000]
    assert orders["lead_id"].to_list() == ["003", "006"]


def test_what_was_decided_is_said(imported):
    found = {(finding.key, finding.table): finding for finding in imported[1].findings}
    assert found["second_choice", "orders"].count == 1
    assert found["not_needed", "orders"].count == 1
    assert ("not_selected", "stage_events") not in found, "every deal has its event"
    counts = imported[1].row_counts
    assert (counts["rows_count"] == counts["made_count"] + counts["left_out_count"] + counts["broken_count"]).all()


def test_the_draft_names_processes_and_orders_steps(imported):
    company = imported[2]
    assert company.process_names == ["opt", "roznitsa"]
    assert [company.process(name).title for name in company.process_names] == ["Опт", "Розница"]
    # At the last moment known, 3 April 09:15, the deal in "Новая" is 0 days old and that in "Переговоры" 49.
    assert [step.key for step in company.process("opt").steps] == ["Новая", "Переговоры", "won"]
    assert company.process("roznitsa").settings.channels == ["Звонок"]
    assert company.description.currency == "RUB" and company.description.language == "ru"
    assert not [finding for finding in company.findings if finding.severity == "error"]


def test_other_titles_give_the_same_company(tmp_path):
    first = import_files("bitrix24", [export(tmp_path / "a.csv", "cp1251")], tmp_path / "first")
    other = import_files("bitrix24", [export(tmp_path / "b.csv", "utf-8", OTHER_TITLES)], tmp_path / "other")
    for path in first.tables:
        assert path.read_bytes() == (other.folder / path.name).read_bytes(), path.name
    assert first.description.read_bytes() == other.description.read_bytes()


def test_a_short_export_works(tmp_path):
    short = export(tmp_path / "c.csv", "utf-8", {"Стадия сделки": "Стадия"},
                   without=("Воронка", "Дата завершения", "Закрыта", "Валюта", "Причина отказа", "Повторная сделка"))
    result = import_files("bitrix24", [short], tmp_path / "company")
    company = read_company(result.folder)
    assert [company.process(name).title for name in company.process_names] == ["Продажи"]
    events = rows(company, "stage_events").set_index("lead_id")
    assert events.loc["003", "entered_at"] == pd.Timestamp(2026, 3, 25, 12), "only the last change is known"
    taken = next(found for found in result.findings if found.key == "second_choice" and found.table == "stage_events")
    assert taken.count == 4 and "Дата изменения" in taken.message
    assert events.loc["005", "step"] == "Выбрали конкурента", "nothing says that it is closed"


def with_own_steps(folder: Path, groups: dict[str, str] | None) -> Path:
    """The rows above, 005 and 006 closed under names of their own; `groups` gives the group of a step."""
    titles = [*TITLES, *(["Группа стадии"] if groups is not None else [])]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(titles)
    for row in ROWS:
        named = dict(zip(TITLES, (row[0], "Сделка", *row[1:]), strict=True))
        step = {"005": "Выбрали конкурента", "006": "Оплачено"}.get(row[0], named["Стадия сделки"])
        named |= {"Стадия сделки": step, "Группа стадии": (groups or {}).get(step, "")}
        writer.writerow([named[name] for name in titles])
    (folder / "deals.csv").write_text(text.getvalue(), encoding="utf-8")
    return folder / "deals.csv"


@pytest.mark.parametrize("won, lost", [("Успешная", "Неуспешная"), ("S", "F"), ("Сделка успешна", "Сделка провалена")])
def test_the_group_of_a_step_says_how_a_deal_ended(tmp_path, won, lost):
    deals = with_own_steps(tmp_path, {"Оплачено": won, "Выбрали конкурента": lost, "Новая": "В работе"})
    result = import_files("bitrix24", [deals], tmp_path / "company")
    company = read_company(result.folder)
    events = rows(company, "stage_events").set_index("lead_id")
    assert events["step"].to_list() == ["Новая", "Переговоры", "won", "lost", "lost", "won", "won"]
    assert events.loc["005", "reason"] == "Выбрали конкурента"
    assert rows(company, "orders")["order_id"].to_list() == ["003", "006"]
    assert not [found for found in result.findings if found.key == "assumed"]


def test_closed_under_a_name_of_its_own_is_said(tmp_path):
    result = import_files("bitrix24", [with_own_steps(tmp_path, None)], tmp_path / "company")
    assert rows(read_company(result.folder), "stage_events").set_index("lead_id").loc["006", "step"] == "lost"
    said = [found for found in result.findings if found.key == "assumed"]
    assert [(found.count, found.severity) for found in said] == [(2, "warning")]
    assert "'Выбрали конкурента' (1), 'Оплачено' (1)" in said[0].text and "taken for lost" in said[0].text


@pytest.mark.parametrize("without, column", [(("Компания", "Контакт"), "customer_id"),
                                             (("Дата завершения", "Дата изменения"), "ordered_at"), (("Сумма",), "amount")])
def test_an_export_without_what_an_order_takes_has_leads_and_events(tmp_path, without, column):
    result = import_files("bitrix24", [export(tmp_path / "d.csv", "utf-8", without=without)], tmp_path / "company")
    company = read_company(result.folder)
    assert len(rows(company, "leads")) == len(rows(company, "stage_events")) == 7 and "orders" not in company.source_tables
    said = [found for found in result.findings if found.key == "left_out"]
    assert [found.table for found in said] == ["orders"] and f"no column for {column}" in said[0].message
