"""Reports of a company whose tables are in a database: no byte of them holds the password, and what --resume can know."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest
from bs4 import BeautifulSoup
from small_reports import COMPANY_YAML, code, report_cells, write_company, write_notebooks

from funnel_lib.report.freshness import fingerprints

SECRET = "Zq7 !pä@/:%&'\"<s>"
# SQLite takes any option of an address into the name it opens, so that each of its errors could repeat it.
ADDRESS = "sqlite:///crm.sqlite?password=${CRM_PASSWORD}"
# The command, which says afterwards whether an engine was loaded.
CALL = ("import sys; from funnel_lib.cli import app\n"
        "try:\n    app(sys.argv[1:])\n"
        "finally:\n    print('LOADED', *{'duckdb', 'pandas'} & set(sys.modules), file=sys.stderr)\n")


def funnel(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", CALL, *map(str, words)], capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})


def in_database(folder: Path, database: str = ADDRESS) -> Path:
    """The small company with its tables in a database instead of files."""
    write_company(folder, f"database: {database}\n" * bool(database) + COMPANY_YAML)
    if database.startswith("sqlite"):
        connection = sqlite3.connect(folder / "crm.sqlite")
        connection.executescript("CREATE TABLE leads (lead_id INTEGER, process TEXT, created_at TEXT, channel TEXT);"
                                 "INSERT INTO leads VALUES (1, 'retail', '2026-01-05', 'web'), (2, 'retail', '2026-01-06', 'fair'),"
                                 "(3, 'wholesale', '2026-01-07', 'web');"
                                 "CREATE TABLE stage_events (lead_id INTEGER, step TEXT, entered_at TEXT);"
                                 "INSERT INTO stage_events VALUES (1, 'contacted', '2026-01-08'), (1, 'won', '2026-02-01')")
        connection.close()
    else:
        with duckdb.connect(folder / "crm.duckdb") as connection:
            for name in ("leads", "stage_events"):
                connection.execute(f"CREATE TABLE {name} AS SELECT * FROM '{folder / name}.csv'")
    for name in ("leads", "stage_events"):
        (folder / f"{name}.csv").unlink()
    return folder


def whole_contents(folder: Path) -> bytes:
    """Every byte of a folder, its names and what is packed in it."""
    found = []
    for path in sorted(folder.rglob("*")):
        found.append(path.name.encode())
        if path.is_file():
            found.append(path.read_bytes())
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as book:
                    found += [book.read(name) for name in book.namelist()]
    return b"\n".join(found)


def must_not_hold(secret: str, everything: bytes) -> None:
    for form in (secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1],
                 repr(secret)[1:-1], secret.replace("<", "&lt;").replace(">", "&gt;"), "Zq7"):
        assert form.encode() not in everything, form


@pytest.fixture(scope="module")
def monday(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """One run: a good notebook, and one that reads a second company, whose database is none."""
    folder = tmp_path_factory.mktemp("database")
    in_database(folder / "nutbolt")
    broken = in_database(folder / "broken")
    (broken / "crm.sqlite").write_text("lead_id,process\n" * 1000, encoding="utf-8")
    gone = in_database(folder / "gone")
    (gone / "company.yaml").write_text((gone / "company.yaml").read_text(encoding="utf-8").replace("sqlite:", "sqlite+${CRM_PASSWORD}:"))
    reading = 'read_company(company + "/../NAME")'
    write_notebooks(folder / "notebooks", n01_good=report_cells(), n02_broken=report_cells(code(reading.replace("NAME", "broken"))),
                    n03_gone=report_cells(code(reading.replace("NAME", "gone"))))
    notebooks = [word for path in sorted((folder / "notebooks").iterdir()) for word in ("--notebook", path)]
    return folder, funnel("report", folder / "nutbolt", "-o", folder / "reports", "--process", "retail", "-v", *notebooks, CRM_PASSWORD=SECRET)


def test_no_byte_of_a_run_holds_the_password(monday: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, run = monday
    entries = json.loads((folder / "reports" / "manifest.json").read_text(encoding="utf-8"))["reports"]
    assert {entry["report"]: entry["status"] for entry in entries} == {
        "retail/01_good": "done", "retail/02_broken": "failed", "retail/03_gone": "failed"}, run.stderr
    said = {entry["report"]: json.dumps(entry.get("failure")) for entry in entries}
    assert "file is not a database" in said["retail/02_broken"] and "cannot be taken apart" in said["retail/03_gone"]
    page = (folder / "reports" / "retail" / "01_good.html").read_text(encoding="utf-8")
    assert "The fair brings enough leads." in page and (folder / "reports" / "retail" / "tables.xlsx").is_file()
    must_not_hold(SECRET, whole_contents(folder / "reports") + run.stdout.encode() + run.stderr.encode())
    with pytest.raises(AssertionError, match="fair brings"):
        must_not_hold("The fair brings", whole_contents(folder / "reports"))


@pytest.mark.parametrize("database, told", [
    ("postgresql+nosuch://reader:${CRM_PASSWORD}@127.0.0.1:1/crm", "is no kind of database"),
    ("sqlite://reader:${CRM_PASSWORD}@host/crm.sqlite", "Invalid SQLite URL"),
    ("sqlite:///${CRM_PASSWORD}.sqlite", "SQLite's file is not there"),
    ("sqlite:///crm.sqlite?timeout=${CRM_PASSWORD}", "the database does not give its data")])
def test_nor_does_a_run_that_cannot_begin(tmp_path: Path, database: str, told: str) -> None:
    company = in_database(tmp_path / "nutbolt", "sqlite:///crm.sqlite")
    (company / "company.yaml").write_text(f"database: '{database}'\n{COMPANY_YAML}", encoding="utf-8")
    run = funnel("report", company, "-o", tmp_path / "reports", "-v", CRM_PASSWORD=SECRET)
    assert run.returncode in (1, 2) and "Traceback" in run.stderr and told in run.stderr, run.stderr
    must_not_hold(SECRET, (run.stdout + run.stderr).encode())
    assert not (tmp_path / "reports").exists()


def test_a_password_in_the_call_is_not_repeated(tmp_path: Path) -> None:
    for words in (("report", "postgresql://reader:Zq7@host/crm", "-o", tmp_path / "reports"), ("check", "-v", "postgresql://reader:Zq7@host/crm")):
        run = funnel(*words)
        assert run.returncode in (1, 2) and "the address of a database does not describe a company" in run.stderr
        must_not_hold(SECRET, (run.stdout + run.stderr).encode())


def plan(company: Path, folder: Path, **environment: str) -> dict[str, tuple[str, str]]:
    run = funnel("report", company, "-o", folder / "reports", "--process", "retail", "--notebook", folder / "notebooks" / "01_good.ipynb",
                 "--dry-run", "--resume", "--json", **environment)
    assert run.returncode == 0, run.stderr
    return {event["report"]: (event["action"], event["why"]) for event in map(json.loads, run.stdout.splitlines())}


def test_what_a_server_holds_is_never_up_to_date(monday: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = monday
    reason = "its data are in a database, where nothing tells whether they have changed"
    assert plan(folder / "nutbolt", folder) == {"retail/01_good": ("make", reason)}, "told without the password, the data are not read"


def test_what_an_earlier_run_made_is_marked(monday: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = monday
    assert "Made from earlier data" not in (folder / "reports" / "index.html").read_text(encoding="utf-8")
    run = funnel("report", folder / "nutbolt", "-o", folder / "reports", "--process", "wholesale", "--notebook",
                 folder / "notebooks" / "01_good.ipynb", CRM_PASSWORD=SECRET)
    assert run.returncode == 0, run.stderr
    page = BeautifulSoup((folder / "reports" / "index.html").read_text(encoding="utf-8"), "html.parser")
    marked = {mark.find_previous("a")["href"] for mark in page.find_all("p") if "Made from earlier data" in mark.get_text()}
    assert marked == {"retail/01_good.html"}


def test_a_duckdb_file_is_data_like_any_other(tmp_path: Path) -> None:
    """As the file itself, as one that the description names, and as one that is elsewhere."""
    company = in_database(tmp_path / "nutbolt", "")
    file = company / "crm.duckdb"
    write_notebooks(tmp_path / "notebooks", n01_good=report_cells())
    words = ("-o", tmp_path / "reports", "--process", "retail", "--notebook", tmp_path / "notebooks" / "01_good.ipynb", "--resume")
    run = funnel("report", file, *words)
    assert run.returncode == 0 and "1 of 1 report made" in run.stdout, run.stderr
    assert plan(file, tmp_path) == {"retail/01_good": ("keep", "up to date")}
    again = funnel("report", file, *words)
    assert "1 up to date" in again.stdout and again.stderr.endswith("LOADED\n")
    assert str(tmp_path).encode() not in whole_contents(tmp_path / "reports")
    with duckdb.connect(file) as connection:
        connection.execute("DELETE FROM stage_events")
    assert plan(file, tmp_path) == {"retail/01_good": ("make", "changed: data")}
    refused = funnel("report", file, "-o", company / "reports")
    assert refused.returncode == 2 and "lies inside the company folder" in refused.stderr


def test_the_hash_of_a_database_elsewhere(tmp_path: Path) -> None:
    company = in_database(tmp_path / "nutbolt", "../crm.duckdb")
    shutil.move(company / "crm.duckdb", tmp_path / "crm.duckdb")
    before = fingerprints(company)
    assert fingerprints(company) == before
    with duckdb.connect(tmp_path / "crm.duckdb") as connection:
        connection.execute("DELETE FROM leads")
    assert fingerprints(company)["data"] != before["data"]
    (company / "company.yaml").write_text(f"database:\n  postgresql://reader@host/crm\n{COMPANY_YAML}", encoding="utf-8")
    assert fingerprints(company)["data"] is None
    (company / "company.yaml").write_text(f"# no database: here\n{COMPANY_YAML}", encoding="utf-8")
    assert fingerprints(company)["data"] not in (None, before["data"])
