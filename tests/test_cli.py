"""The command line: one clear line and the right exit code for every wrong call, and nothing written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import funnel_lib
from funnel_lib.cli import app

COMPANY_YAML = """\
name: Nut & Bolt
currency: EUR
as_of: 2026-03-01
processes:
  retail: {name: Retail, steps: [contacted, won]}
"""


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def company(tmp_path: Path) -> Path:
    folder = tmp_path / "nutbolt"
    folder.mkdir()
    (folder / "company.yaml").write_text(COMPANY_YAML, encoding="utf-8")
    (folder / "leads.csv").write_text("lead_id,process,created_at,channel\n1,retail,2026-01-05,web\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(("words", "says"), [
    (["nutbold"], "Did you mean 'nutbolt'?"),
    (["empty"], "funnel new"),
    (["elsewhere"], "no such folder; `funnel new elsewhere` makes one to fill in"),
    (["nutbolt", "--process", "retial"], "Did you mean 'retail'?"),
    (["nutbolt", "--notebook", "42"], "does not exist; there are"),
    (["nutbolt", "--notebook", "00_company_overveiw"], "Did you mean '00_company_overview'?"),
    (["nutbolt", "--format", "html,docx"], "'docx' is not available; there are html, pdf, ipynb, xlsx"),
    (["nutbolt", "--language", "DE"], "expected en or ru, found 'de'"),
    (["nutbolt", "--as-of", "31.02.2026"], "expected a date such as 2026-07-01, found '31.02.2026'"),
    (["nutbolt", "-o", "nutbolt/reports"], "never written to"),
    (["nutbolt", "-o", "."], "holds the company folder nutbolt"),
    (["nutbolt/company.yaml"], "expected a company folder, found a file"),
])
def test_a_wrong_report_call_is_one_line_with_the_way_out(company: Path, monkeypatch: pytest.MonkeyPatch, words: list[str],
                                                         says: str) -> None:
    (company.parent / "empty").mkdir()
    monkeypatch.chdir(company.parent)
    before = sorted(company.parent.rglob("*"))
    result = call("report", *words)
    assert result.exit_code == 2 and says in result.stderr, result.output
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("error: ") and "Traceback" not in result.output
    assert sorted(company.parent.rglob("*")) == before


def test_a_typo_in_the_description_is_one_line_with_the_place(company: Path) -> None:
    (company / "company.yaml").write_text(COMPANY_YAML.replace("currency", "curency"), encoding="utf-8")
    for command in (["report", company, "-o", company.parent / "reports"], ["check", company]):
        result = call(*command)
        assert result.exit_code == 2 and "curency" in result.stderr and "currency" in result.stderr
        assert result.stderr.count("\n") == 1
    assert not (company.parent / "reports").exists()


@pytest.mark.parametrize(("words", "says"), [
    (["reprot"], "Did you mean 'report'"), (["report"], "COMPANY"), (["report", "x", "--jobs", "0"], "--jobs"),
    (["report", "x", "--proces", "y"], "--process")])
def test_an_unknown_word_is_a_wrong_call(words: list[str], says: str) -> None:
    result = call(*words)
    assert result.exit_code == 2 and says in result.output


def test_the_version_is_told() -> None:
    result = call("--version")
    assert result.exit_code == 0 and result.stdout == f"funnel {funnel_lib.__version__}\n"


def test_verbose_shows_the_traceback(company: Path) -> None:
    assert call("report", company, "--process", "x", "-v").exception is not None


def test_check_lists_findings_and_writes_them_as_a_page(company: Path, tmp_path: Path) -> None:
    (company / "stage_events.csv").write_text("lead_id,step,entered_at\n1,won,2026-02-01\n<b>ghost</b>,won,2026-02-02\n",
                                              encoding="utf-8")
    result = call("check", company, "--html", tmp_path / "findings.html")
    assert result.exit_code == 1 and "stage_events" in result.stdout  # one row in two is more than 5 % set aside
    page = (tmp_path / "findings.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in page and "<b>ghost" not in page and "ghost" in page


@pytest.mark.parametrize("page", ["", "nutbolt", "nutbolt/x.html"])
def test_a_page_of_findings_that_cannot_be_is_a_wrong_call_before_anything_is_said(company: Path, monkeypatch: pytest.MonkeyPatch,
                                                                                  page: str) -> None:
    monkeypatch.chdir(company.parent)
    result = call("check", "nutbolt", "--html", page)
    assert result.exit_code == 2 and not result.stdout and result.stderr.count("\n") == 1 and not (company / "x.html").exists()


def test_a_note_on_a_process_names_it(company: Path) -> None:
    with (company / "company.yaml").open("a", encoding="utf-8") as stream:
        stream.write("  wholesale: {steps: [won]}\n")
    assert "note: leads: process 'wholesale' has no leads; measures of leads say so\n" in call("check", company).stdout
    assert "замечание: leads: в процессе «wholesale» нет лидов; " in call("check", company, "--language", "ru").stdout


def test_check_of_good_data_exits_0(company: Path) -> None:
    assert call("check", company).exit_code == 0


def test_new_and_import_never_overwrite(company: Path) -> None:
    before = {path: path.read_bytes() for path in company.iterdir()}
    assert call("new", company).exit_code == call("demo", company).exit_code == 2
    assert call("import", "bitrix24", company / "leads.csv", "-o", company).exit_code == 2
    missing = call("import", "bitrix24", company / "laeds.csv", "-o", company.parent / "other")
    assert missing.exit_code == 2 and "Did you mean 'leads.csv'?" in missing.stderr
    assert {path: path.read_bytes() for path in company.iterdir()} == before


def test_import_replaces_tables_only_when_told(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text("id,day\n1,2026-01-05\n", encoding="utf-8")
    (tmp_path / "map.yaml").write_text("source: {deals: deals.csv}\nprocesses: {shop: {}}\ntables: {leads: {from: deals, "
                                       "columns: {lead_id: id, created_at: day}, constants: {process: shop}}}\n",
                                       encoding="utf-8")
    words = ["import", tmp_path / "map.yaml", tmp_path / "deals.csv", "-o", tmp_path / "out"]
    assert call(*words).exit_code == 0
    refused = call(*words)
    assert refused.exit_code == 2 and "leads.parquet" in refused.stderr and "--replace" in refused.stderr
    replaced = call(*words, "--replace")
    assert replaced.exit_code == 0 and "replaced: leads" in replaced.stdout


def test_check_asks_what_an_ambiguous_number_means(company: Path) -> None:
    (company / "orders.csv").write_text("order_id,customer_id,process,ordered_at,amount\n1,a,retail,2026-01-06,1.234\n",
                                        encoding="utf-8")
    result = call("check", company)
    assert result.exit_code == 1 and "1.234 can be a thousand or a fraction" in result.stdout


def test_an_output_that_cannot_be_made_is_a_wrong_call(company: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    inside = tmp_path / "file" / "inside"
    for words in (["demo", inside, "--leads", 300], ["new", inside], ["check", company, "--html", inside / "page.html"],
                  ["report", company, "-o", inside]):
        result = call(*words)
        assert result.exit_code == 2 and result.stderr.startswith("error: ") and str(inside) in result.stderr, result.output
        assert result.stderr.count("\n") == 1


def test_demo_and_new_write_companies_that_can_be_read(tmp_path: Path) -> None:
    made = call("demo", tmp_path / "demo", "--leads", 300, "--seed", 3)
    assert made.exit_code == 0 and "funnel report" in made.stdout
    (tmp_path / "demo" / "leads.csv").write_text("mine", encoding="utf-8")
    again = call("demo", tmp_path / "demo", "--leads", 300, "--seed", 3)
    assert again.exit_code == 2 and "is not empty" in again.stderr
    assert (tmp_path / "demo" / "leads.csv").read_text(encoding="utf-8") == "mine"
    made = call("demo", tmp_path / "demo2", "--leads", 300, "--seed", 3)
    assert call("check", tmp_path / "demo2").exit_code == 0
    assert call("new", tmp_path / "new", "--language", "ru").exit_code == 0
    assert call("check", tmp_path / "new").exit_code == 0


def test_help_does_not_wait_for_what_it_does_not_use() -> None:
    loaded = subprocess.run([sys.executable, "-c", "import sys, funnel_lib.cli; print(*sys.modules)"], text=True,
                            capture_output=True, check=True).stdout.split()
    assert not {"pandas", "matplotlib", "papermill", "nbconvert", "duckdb", "joblib"} & set(loaded)


RUSSIAN = (("currency: EUR", "currency: RUB\nlanguage: ru"), ("steps: [contacted, won]", "steps: [contacted, won], allow_set_aside_share: 0.5"))


@pytest.fixture
def russian(company: Path) -> Path:
    """The company for Russian readers; a third of its leads is broken."""
    text = (company / "company.yaml").read_text(encoding="utf-8")
    for english, of_russian in RUSSIAN:
        text = text.replace(english, of_russian)
    (company / "company.yaml").write_text(text, encoding="utf-8")
    with (company / "leads.csv").open("a", encoding="utf-8") as leads:
        leads.write("2,retail,2026-02-31,web\n3,retail,2026-01-07,web\n")
    return company


@pytest.mark.parametrize(("words", "says"), [
    (["nutbolt", "--process", "retial"], "процесс «retial» не описан в company.yaml; есть retail. Возможно, вы имели в виду «retail»?"),
    (["nutbolt", "--notebook", "42"], "блокнота «42» нет; есть"),
    (["nutbolt", "--format", "html,docx"], "--format: «docx» недоступен; есть html, pdf, ipynb, xlsx."),
    (["nutbolt", "--language", "de"], "--language: ожидалось «en» или «ru», найдено «de»"),
    (["nutbolt", "--as-of", "31.02.2026"], "--as-of: ожидалась дата вида 2026-07-01, найдено «31.02.2026»"),
    (["nutbolt", "-o", "nutbolt/reports"], "лежит внутри папки компании nutbolt, а туда ничего не записывается"),
    (["nutbolt", "-o", "."], "внутри неё лежит папка компании nutbolt, а туда ничего не записывается"),
    (["nutbold", "--language", "ru"], "nutbold: такой папки нет. Возможно, вы имели в виду «nutbolt»?"),
    (["empty", "--language", "ru"], "`funnel new empty` создаст его для заполнения"),
])
def test_a_wrong_call_is_said_in_the_language_of_the_company(russian: Path, monkeypatch: pytest.MonkeyPatch, words: list[str],
                                                             says: str) -> None:
    (russian.parent / "empty").mkdir()
    monkeypatch.chdir(russian.parent)
    result = call("report", *words)
    assert result.exit_code == 2 and result.stderr.startswith("ошибка: ") and says in result.stderr, result.output
    assert result.stderr.count("\n") == 1
    english = call("report", *(word for word in words if word not in ("--language", "ru", "de")), "--language", "en", "--dry-run", "-v")
    assert not any("а" <= letter <= "я" for letter in english.output)


def test_findings_are_said_in_the_language_asked_for_with_the_same_exit_code(russian: Path, tmp_path: Path) -> None:
    result = call("check", russian, "--html", tmp_path / "findings.html")
    assert result.exit_code == 0, result.output
    assert ("предупреждение: 1 × leads: в столбце «created_at» не дата и не время (leads.csv, строка 3: created_at = 2026-02-31); "
            "отложено\n") in result.stdout
    page = (tmp_path / "findings.html").read_text(encoding="utf-8")
    assert "не дата и не время" in page and "leads.csv, строка 3" in page and "no date or time" not in page
    english = call("check", russian, "--language", "en")
    assert english.exit_code == 0 and ("warning: 1 x leads: created_at is no date or time (leads.csv, line 3: created_at = 2026-02-31); "
                                       "set aside\n") in english.stdout
    (russian / "company.yaml").write_text((russian / "company.yaml").read_text(encoding="utf-8").replace("share: 0.5", "share: 0.1"),
                                          encoding="utf-8")
    failed = call("check", russian)
    assert failed.exit_code == call("check", russian, "--language", "en").exit_code == 1
    assert "ошибка: 1 × leads: пришлось отложить строк: 1 из 3, это больше допустимых 10,0 %; исправьте строки" in failed.stdout


def test_a_broken_description_is_told_of_in_its_own_language(russian: Path) -> None:
    text = (russian / "company.yaml").read_text(encoding="utf-8")
    (russian / "company.yaml").write_text(text.replace("currency", "curency"), encoding="utf-8")
    result = call("check", russian)
    assert result.exit_code == 2 and "этот ключ неизвестен. Возможно, вы имели в виду «currency»?" in result.stderr
    assert "this key is not known. Did you mean 'currency'?" in call("check", russian, "--language", "en").stderr


def test_what_would_be_made_is_said_in_the_language_of_the_company(russian: Path, tmp_path: Path) -> None:
    words = ["report", russian, "-o", tmp_path / "reports", "--dry-run", "--notebook", "02"]
    assert call(*words).stdout == "построить retail/02_conversion: новый\n"
    assert call(*words, "--language", "en").stdout == "make retail/02_conversion: new\n"
    assert '"action": "make", "why": "новый"' in call(*words, "--json").stdout


def test_new_and_import_speak_the_language_of_the_company_they_write(tmp_path: Path) -> None:
    made = call("new", tmp_path / "new", "--language", "ru")
    assert made.exit_code == 0 and "заполните company.yaml и таблицы" in made.stdout
    assert "папка не пуста; выберите новую" in call("new", tmp_path / "new", "--language", "ru").stderr
    (tmp_path / "deals.csv").write_text("id,day\n1,2026-01-05\n2,2026-01-05,3\n", encoding="utf-8")
    (tmp_path / "map.yaml").write_text("source: {deals: deals.csv}\nprocesses: {shop: {allow_set_aside_share: 0.9}}\ntables: {leads: "
                                       "{from: deals, columns: {lead_id: id, created_at: day}, constants: {process: shop}}}\n",
                                       encoding="utf-8")
    result = call("import", tmp_path / "map.yaml", tmp_path / "deals.csv", "-o", tmp_path / "out", "--language", "ru")
    assert result.exit_code == 0 and "полей больше, чем в заголовке (deals.csv, строка 3: 2,2026-01-05,3); отложено" in result.stdout
    again = call("import", tmp_path / "map.yaml", tmp_path / "deals.csv", "-o", tmp_path / "out")
    assert again.exit_code == 2 and "такая таблица уже есть; загрузите в другую папку или укажите --replace" in again.stderr
