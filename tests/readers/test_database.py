"""Companies whose tables are in a database: the same as their folder, value by value; and what may be wrong with an address."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
import sys
import uuid
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import sqlalchemy

from funnel_lib import Company, conversion, read_company, simulate
from funnel_lib.address import holds_password, names_database
from funnel_lib.engine import collect
from funnel_lib.errors import CallError, DataError
from funnel_lib.schema import TABLES

DESCRIPTION = """currency: EUR
time_zone: Europe/Berlin
processes:
  shop: {steps: [called, won], allow_set_aside_share: 1.0}
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the simulator's, with every table and every deliberate mistake of the demonstration company."""
    folder = tmp_path_factory.mktemp("folder")
    simulate.write_company(simulate.make_company(leads=900), folder)
    return folder


def frames_of(folder: Path) -> dict[str, pd.DataFrame]:
    """What stands in the company's files: Parquet as it is, CSV as text."""
    return {name: duckdb.read_parquet(str(folder / f"{name}.parquet")).df() if (folder / f"{name}.parquet").is_file() else
            pd.read_csv(folder / f"{name}.csv", dtype="str", keep_default_na=False, na_values=[""])
            for name in TABLES if list(folder.glob(f"{name}.*"))}


@pytest.fixture(scope="module", params=["crm.duckdb", "sqlite:///crm.sqlite"])
def in_database(request: pytest.FixtureRequest, small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("database") / "o'clock"
    folder.mkdir()
    (folder / "company.yaml").write_text(f"database: {request.param}\n{(small / 'company.yaml').read_text(encoding='utf-8')}", encoding="utf-8")
    frames = frames_of(small)
    assert len(frames) == 9
    if request.param != "crm.duckdb":
        engine = sqlalchemy.create_engine(f"sqlite:///{folder / 'crm.sqlite'}")
        for name, frame in frames.items():
            frame.to_sql(name, engine, index=False)
        engine.dispose()
        return folder
    with duckdb.connect(folder / "crm.duckdb") as connection:
        for name, frame in frames.items():
            connection.register("frame", frame)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")
        # Names that the engine has for tables of its own.
        connection.execute("CREATE TABLE raw_leads (x INTEGER); CREATE TABLE typed_leads (lead_id INTEGER)")
    return folder


@pytest.fixture(scope="module")
def there(small: Path) -> Company:
    return read_company(small)


def test_a_company_in_a_database_is_the_one_in_its_folder(there: Company, in_database: Path) -> None:
    here = read_company(in_database)
    pd.testing.assert_frame_equal(*(one.row_counts.sort_values("table", ignore_index=True) for one in (here, there)))
    assert there.row_counts["set_aside_count"].sum() > 5 and there.row_counts["duplicates_count"].sum() > 1
    for name in there.source_tables:
        frames = [collect(one.source_tables[name]) for one in (here, there)]
        columns = [column for column in frames[1] if column != "_row"]
        pd.testing.assert_frame_equal(*(frame[columns].sort_values(columns, ignore_index=True) for frame in frames))
    said = [{(found.key, found.table, found.process, found.count) for found in one.findings} for one in (here, there)]
    assert said[0] == said[1]
    for name in there.process_names:
        pd.testing.assert_frame_equal(*(conversion.step_rates(one.process(name)) for one in (here, there)))


def described(folder: Path, database: str | None, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    line = f"database: {database}\n" if database else ""
    (folder / "company.yaml").write_text(line + DESCRIPTION + more, encoding="utf-8")
    return folder


def sqlite_of(folder: Path, *statements: str, options: str = "") -> Path:
    """A company whose SQLite file is made by these statements."""
    described(folder, f"sqlite:///crm.sqlite{options}")
    connection = sqlite3.connect(folder / "crm.sqlite")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return folder


def rows(company, table: str, *columns: str) -> list[tuple]:
    frame = collect(company.source_tables[table])[list(columns)].astype(object)
    return sorted(frame.where(frame.notna(), None).itertuples(index=False, name=None), key=str)


def errors(company) -> list[str]:
    return [found.text for found in company.findings if found.severity == "error"]


LEADS = 'CREATE TABLE leads (lead_id {kind}, process TEXT, created_at TEXT, channel TEXT, expected_amount, "returning" INTEGER, note BLOB)'


def test_ids_nulls_letters_numbers_and_flags_of_sqlite(tmp_path: Path) -> None:
    company = read_company(sqlite_of(
        tmp_path, LEADS.format(kind="TEXT"),
        "INSERT INTO leads VALUES ('007', 'shop', '2026-01-05', 'выставка', 1.234, 1, x'00ff'), "
        "('12345678901234567890', 'shop', '2026-01-06 10:30:00.000000', 'NA', 1234, 0, NULL), "
        "('=cmd()', 'shop', '2026-01-07T08:00:00+00:00', NULL, '1 234,5', NULL, NULL), ('8', 'shop', '20266', '', NULL, 2, NULL)",
        "CREATE TABLE stage_events (lead_id INTEGER, step TEXT, entered_at TEXT)",
        "INSERT INTO stage_events VALUES (7, 'called', NULL), (1234567890123456789, 'called', '2026-01-06'), (NULL, 'won', NULL)"))
    assert rows(company, "leads", "lead_id", "channel", "expected_amount", "returning") == [
        ("007", "выставка", 123, True), ("12345678901234567890", "NA", 123400, False), ("=cmd()", None, 123450, None)]
    assert [row[0] for row in rows(company, "leads", "created_at")] == [
        pd.Timestamp("2026-01-05"), pd.Timestamp("2026-01-06 10:30"), pd.Timestamp("2026-01-07 09:00")]
    told = [found.text for found in company.findings]
    assert any("created_at is no date or time (leads, line 3: created_at = 20266)" in text for text in told), told
    assert any("the column note is not in the contract" in text for text in told)
    assert any("the lead is not among the leads that are kept" in text and "1234567890123456789" in text for text in told), told


def test_values_that_a_driver_has_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decimals, moments with and without a zone, dates, booleans, UUIDs, infinity: as drivers of servers give them."""
    made = {"ZONED": lambda text: dt.datetime.fromisoformat(text.decode()), "EXACT": lambda text: Decimal(text.decode()),
            "YESNO": lambda text: text == b"1", "IDENTITY": lambda text: uuid.UUID(text.decode()),
            "DAY": lambda text: dt.date.fromisoformat(text.decode())}
    for name, converter in made.items():
        sqlite3.register_converter(name, converter)
    company = read_company(sqlite_of(
        tmp_path, "CREATE TABLE orders (order_id IDENTITY, customer_id EXACT TEXT, process TEXT, ordered_at ZONED, amount EXACT TEXT)",
        "INSERT INTO orders VALUES ('00000000-0000-0000-0000-000000000007', '12345678901234567890', 'shop', "
        "'2026-03-29T00:30:00+00:00', '10.29'), ('00000000-0000-0000-0000-000000000008', '8', 'shop', "
        "'2026-03-29T01:30:00+00:00', '-1E+2'), ('00000000-0000-0000-0000-000000000009', '9', 'shop', '2026-07-01 00:00:00', 'Infinity')",
        "CREATE TABLE leads (lead_id TEXT, process TEXT, created_at DAY, \"returning\" YESNO)",
        "INSERT INTO leads VALUES ('1', 'shop', '2026-01-05', '1'), ('2', 'shop', '2026-01-06', '0'), ('3', 'shop', '2026-01-07', NULL)",
        options="?detect_types=1"))
    assert rows(company, "orders", "order_id", "customer_id", "ordered_at", "amount") == [
        ("00000000-0000-0000-0000-000000000007", "12345678901234567890", pd.Timestamp("2026-03-29 01:30"), 1029),
        ("00000000-0000-0000-0000-000000000008", "8", pd.Timestamp("2026-03-29 03:30"), -10000)]
    assert rows(company, "leads", "lead_id", "created_at", "returning") == [
        ("1", pd.Timestamp("2026-01-05"), True), ("2", pd.Timestamp("2026-01-06"), False), ("3", pd.Timestamp("2026-01-07"), None)]
    assert [found.count for found in company.findings if found.key == "bad_number"] == [1]


def test_more_rows_than_a_chunk_and_the_same_order_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("funnel_lib.readers.database.CHUNK_ROWS", 7)
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
    statements = [f"CREATE TABLE {name} AS {numbers} SELECT printf('%03d', i) AS lead_id, 'shop' AS process, "
                  f"CASE WHEN i % 10 = 3 THEN 'soon' ELSE '2026-01-05' END AS created_at FROM n ORDER BY i {order}"
                  for name, order in (("leads", "ASC"), ("other", "DESC"))]
    company = read_company(sqlite_of(tmp_path, *statements))
    connection = sqlite3.connect(tmp_path / "crm.sqlite")
    connection.executescript("DROP TABLE leads; ALTER TABLE other RENAME TO leads")
    connection.close()
    again = read_company(tmp_path)
    assert company.row_counts.to_dict("records") == [
        {"table": "leads", "rows_count": 100, "kept_count": 90, "set_aside_count": 10, "duplicates_count": 0}]
    assert company.findings == again.findings and company.findings[0].examples[0] == ("leads", 3, "created_at = soon")


def test_views_names_in_capitals_and_what_is_no_table_of_ours(tmp_path: Path) -> None:
    folder = described(tmp_path, "crm.duckdb")
    with duckdb.connect(folder / "crm.duckdb") as connection:
        connection.execute("CREATE TABLE deals AS SELECT 7 AS id, TIMESTAMPTZ '2026-01-05 10:00:00+00' AS born;"
                           "CREATE VIEW Leads AS SELECT id AS lead_id, 'shop' AS process, born AS created_at FROM deals;"
                           "CREATE SCHEMA old; CREATE TABLE old.orders (x INTEGER); CREATE TABLE b_crm_settings (x INTEGER)")
    company = read_company(folder)
    assert rows(company, "leads", "lead_id", "created_at") == [("7", pd.Timestamp("2026-01-05 11:00"))]
    assert list(company.source_tables) == ["leads"] and not [found for found in company.findings if found.key.startswith("unknown")]


def test_a_table_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    company = read_company(sqlite_of(
        tmp_path, LEADS.format(kind="TEXT"), "CREATE TABLE gone (x)", "CREATE VIEW orders AS SELECT * FROM gone", "DROP TABLE gone",
        "CREATE TABLE stage_events (lead TEXT, step TEXT)", "CREATE TABLE counts (x)"))
    told = "\n".join(errors(company))
    assert "the database does not give its data: no such table: main.gone" in told
    assert "stage_events: the required column 'lead_id' is missing; the header has lead, step. Did you mean 'lead'?" in told
    assert "counts: the required column 'process' is missing; the header has x." in told and "leads" in company.source_tables


def test_no_table_of_the_contract_is_said_with_those_alike(tmp_path: Path) -> None:
    company = read_company(sqlite_of(tmp_path, "CREATE TABLE lead (x)", "CREATE TABLE crm_settings (x)"))
    assert errors(company)[0].startswith("database: the database has lead, and no table of the contract (leads, stage_events, ")
    assert "the database has nothing, and" in errors(read_company(sqlite_of(tmp_path / "empty")))[0]


@pytest.mark.parametrize("database", ["crm.duckdb", "sqlite:///crm.sqlite"])
def test_a_table_in_both_places_is_refused(tmp_path: Path, database: str) -> None:
    folder = sqlite_of(tmp_path, LEADS.format(kind="TEXT"))
    with duckdb.connect(folder / "crm.duckdb") as connection:
        connection.execute("CREATE TABLE leads (lead_id VARCHAR)")
    described(folder, database)
    (folder / "leads.csv").write_text("lead_id,process,created_at\n", encoding="utf-8")
    with pytest.raises(CallError, match=r"the table leads is in the database and in .*leads\.csv, too"):
        read_company(folder)
    (folder / "leads.csv").rename(folder / "orders.csv")
    (folder / "orders.csv").write_text("order_id,customer_id,process,ordered_at,amount\n1,2,shop,2026-01-05,3\n", encoding="utf-8")
    assert "orders" in read_company(folder).source_tables, "other tables may be files"


# -- which database is meant ----------------------------------------------------------------------------------------------


@pytest.fixture
def duckdb_file(tmp_path: Path) -> Path:
    folder = described(tmp_path / "company", None)
    with duckdb.connect(folder / "crm.duckdb") as connection:
        connection.execute("CREATE TABLE leads AS SELECT '007' AS lead_id, 'shop' AS process, DATE '2026-01-05' AS created_at")
    return folder / "crm.duckdb"


def test_a_duckdb_file_beside_its_description(duckdb_file: Path) -> None:
    before = duckdb_file.read_bytes()
    assert rows(read_company(duckdb_file), "leads", "lead_id") == [("007",)]
    with duckdb.connect(duckdb_file):
        pass  # nobody holds it any more
    described(duckdb_file.parent, "crm.duckdb")
    assert rows(read_company(duckdb_file), "leads", "lead_id") == rows(read_company(duckdb_file.parent), "leads", "lead_id") == [("007",)]
    assert duckdb_file.read_bytes() == before and sorted(path.name for path in duckdb_file.parent.iterdir()) == ["company.yaml", "crm.duckdb"]


def test_a_file_that_is_not_the_one_described(duckdb_file: Path) -> None:
    shutil.copy(duckdb_file, duckdb_file.with_name("old.duckdb"))
    described(duckdb_file.parent, "crm.duckdb")
    with pytest.raises(CallError, match=r"old\.duckdb: company\.yaml beside it names another database; give the folder"):
        read_company(duckdb_file.with_name("old.duckdb"))
    with pytest.raises(CallError, match=r"crn\.duckdb: no such file\. Did you mean 'crm\.duckdb'\?"):
        read_company(duckdb_file.with_name("crn.duckdb"))
    described(duckdb_file.parent, "crn.duckdb")
    with pytest.raises(CallError, match=r"crn\.duckdb: no such file\. Did you mean 'crm\.duckdb'\?"):
        read_company(duckdb_file.parent)
    (duckdb_file.parent / "company.yaml").unlink()
    with pytest.raises(CallError, match=r"there is no company\.yaml beside this file"):
        read_company(duckdb_file)


def test_a_file_that_is_no_database(duckdb_file: Path) -> None:
    described(duckdb_file.parent, "crm.duckdb")
    duckdb_file.write_text("lead_id,process\n" * 1000, encoding="utf-8")
    with pytest.raises(DataError, match=r"crm\.duckdb: not a DuckDB file that can be read"):
        read_company(duckdb_file.parent)


def test_sqlite_is_only_read_and_never_made(tmp_path: Path) -> None:
    described(tmp_path, "sqlite:///crm.sqlite")
    with pytest.raises(CallError, match=r"SQLite's file is not there"):
        read_company(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["company.yaml"]
    (tmp_path / "crm.sqlite").write_text("lead_id,process\n" * 1000, encoding="utf-8")
    with pytest.raises(DataError, match="the database does not give its data: file is not a database"):
        read_company(tmp_path)


# -- addresses and their secrets -------------------------------------------------------------------------------------------

SECRET = "Zq7!pä ß@/:%&'\"s"


@pytest.mark.parametrize("address", [
    "postgresql+psycopg://reader:hunter2@host/crm", "postgresql://reader:hunter2@host:5432/crm?sslmode=require",
    "postgresql://reader:hunt/er2@host/crm", "postgresql://reader:${CRM_PASSWORD}hunter2@host/crm", "postgresql://:hunter2@host/crm",
    "postgresql://reader:%24%7Bhunter2%7D@host/crm", "postgresql://reader@host/crm?password=hunter2", "oracle://u@h/?wallet_password=hunter2",
    "mssql+pyodbc:///?odbc_connect=Server%3Dx%3BPWD%3Dhunter2%3BUID%3Du", "bigquery://p?credentials_base64=hunter2",
    "host=x password=hunter2", "md:crm?motherduck_token=hunter2"])
def test_a_password_in_letters_is_refused_and_not_repeated(tmp_path: Path, address: str) -> None:
    described(tmp_path, f"'{address}'")
    with pytest.raises(CallError) as refused:
        read_company(tmp_path)
    assert "line 1: database: expected " in str(refused.value) and "${CRM_PASSWORD}" in str(refused.value)
    assert "hunter2" not in f"{refused.value} {refused.value.__cause__}"


@pytest.mark.parametrize("line", ["database: {url: postgresql://u:hunter2@h/d}", "database: [postgresql://u:hunter2@h/d]", "database:\n  - hunter2",
                                  "data_base: postgresql://u:hunter2@h/d", "database: postgresql://u:hunter2@h/d\ndatabase: postgresql://u:hunter2@h/d",
                                  "database: postgresql://u:hunter2@h/d\nroles: 7\nlanguage: xx"])
def test_nor_is_one_in_a_description_that_is_wrong_otherwise(tmp_path: Path, line: str) -> None:
    (tmp_path / "company.yaml").write_text(f"{line}\n{DESCRIPTION}", encoding="utf-8")
    with pytest.raises(CallError) as refused:
        read_company(tmp_path)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("address", ["crm.duckdb", "../CRM.DUCKDB", "sqlite:///crm.sqlite", "postgresql+psycopg://reader:${P}@host/crm",
                                     "postgresql://reader@host/crm?passfile=/home/reader/.pgpass&sslkey=/x", "${CRM}", "postgresql:///crm",
                                     "mssql+pyodbc:///?odbc_connect=PWD%3D%24%7BP%7D%3BUID%3Du"])
def test_addresses_without_a_password_are_taken(address: str) -> None:
    assert names_database(address) and not holds_password(address)


@pytest.mark.parametrize("given", ["postgresql+psycopg://reader:hunter2@host/crm", Path("postgresql://reader:hunter2@host/crm"),
                                   "duckdb:///hunter2.duckdb"])
def test_an_address_alone_is_no_company(given: str | Path) -> None:
    with pytest.raises(CallError, match="the address of a database does not describe a company") as refused:
        read_company(given)
    assert "hunter2" not in str(refused.value) and "database: postgresql+psycopg://reader:${CRM_PASSWORD}@host/crm" in str(refused.value)


def test_a_variable_that_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRM_PASSWORD", raising=False)
    for database in ("postgresql+psycopg://reader:${CRM_PASSWORD}@host/crm", "${CRM_PASSWORD}"):
        with pytest.raises(CallError, match="the environment variable CRM_PASSWORD, which the address names, is not set"):
            read_company(described(tmp_path, database))


@pytest.mark.parametrize("missing, database, told", [
    ("sqlalchemy", "sqlite:///crm.sqlite", "SQLAlchemy is not installed here.*`pip install sqlalchemy`"),
    ("psycopg", "postgresql+psycopg://reader:${CRM_PASSWORD}@host/crm", "the driver psycopg is not installed here; `pip install psycopg`"),
    ("", "postgrespl://reader:${CRM_PASSWORD}@host/crm", "postgrespl is no kind of database"),
    ("", "postgresql://reader:${CRM_PASSWORD}@host:port/crm", "cannot be taken apart")])
def test_what_has_to_be_installed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, database: str, told: str) -> None:
    monkeypatch.setenv("CRM_PASSWORD", SECRET)
    if missing:
        monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(CallError, match=told) as refused:
        read_company(described(tmp_path, database))
    assert SECRET not in str(refused.value) and refused.value.__suppress_context__


@pytest.mark.parametrize("database", ["crm+leaky://reader:${CRM_PASSWORD}@host/crm", "${CRM_ADDRESS}", "crm+leaky://host/?token=${CRM_PASSWORD}"])
def test_the_server_gets_the_password_and_an_error_does_not_repeat_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    """A driver that tells all it was given, as it is, as Python writes it and as an address writes it."""
    given = []

    class Leaky(sqlalchemy.dialects.sqlite.dialect):
        supports_statement_cache = True

        def create_connect_args(self, url):
            return [], {"password": url.password or url.query["token"], "url": url.render_as_string(hide_password=False)}

        def connect(self, **known):
            given.append(known["password"])
            raise RuntimeError(f"no way in for {known['password']}, {known!r}, {known['url']}")

    monkeypatch.setattr(sys.modules[__name__], "Leaky", Leaky, raising=False)
    sqlalchemy.dialects.registry.register("crm.leaky", __name__, "Leaky")
    monkeypatch.setenv("CRM_PASSWORD", SECRET)
    monkeypatch.setenv("CRM_ADDRESS", str(sqlalchemy.URL.create("crm+leaky", "reader", SECRET, "host").render_as_string(hide_password=False)))
    with pytest.raises(DataError, match=r"the database does not give its data: no way in for \*\*\*") as refused:
        read_company(described(tmp_path, database))
    assert given == [SECRET] and refused.value.__suppress_context__
    assert "Zq7" not in str(refused.value)
