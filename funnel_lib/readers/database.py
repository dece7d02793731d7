"""A company's tables in a database, a DuckDB file or whatever SQLAlchemy knows: copied into the engine, never written to."""

from __future__ import annotations

import datetime as dt
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from funnel_lib.address import EXAMPLE, VARIABLE, is_address, passwords_in, without
from funnel_lib.checks import Loaded
from funnel_lib.description import CompanyDescription
from funnel_lib.errors import CallError, DataError, FunnelError, nearest
from funnel_lib.findings import Finding, finding
from funnel_lib.language.messages import message
from funnel_lib.readers.columns import NUMBER, TIME, quoted
from funnel_lib.readers.spreadsheet import cell_text
from funnel_lib.readers.table_file import files_of, or_finding, typed_table
from funnel_lib.schema import TABLES, Column, Table

CHUNK_ROWS = 20_000
_ATTACHED = quoted("database of the company")
_TWINS = {"time": (TIME, "TIMESTAMP", "datetime64[us]"),
          **dict.fromkeys(("amount", "number", "count"), (NUMBER, "DOUBLE", "float64"))}
# Copies a table of the contract, which has this name there, into the engine; gives the number of rows.
Copy = Callable[[Table, str], int]


def load_database(connection: duckdb.DuckDBPyConnection, database: str, folder: Path, description: CompanyDescription
                  ) -> tuple[dict[str, Loaded], list[Finding]]:
    """The contract's tables that are in the database; a CRM's database has hundreds of others, which are nobody's mistake.

    Raises `CallError` for what is wrong in the address or its surroundings and `DataError` for a database that does not
    answer; neither repeats anything from the environment. A table that cannot be read is a finding.
    """
    opened = (_on_server(connection, database, folder, description.time_zone) if is_address(database) else
              _in_file(connection, folder / database))
    findings: list[Finding] = []
    with opened as (names, copy):
        by_lower = {**{name.lower(): name for name in names}, **{name: name for name in names}}
        there = {name: by_lower[name] for name in TABLES if name in by_lower}
        _must_not_be_twice(there, folder)
        rows = {name: or_finding(name, name, partial(copy, TABLES[name], there[name]), findings) for name in there}
    # Typed only now that the database is closed: it may have tables with the names that the engine's have.
    loaded = {name: or_finding(name, name, partial(typed_table, connection, f"raw_{name}", TABLES[name], description, name, count),
                               findings) for name, count in rows.items() if count is not None}
    if not there:
        alike = [name for name in names if nearest(name, TABLES)] or names
        findings.append(finding("no_known_table", "database", 1, known=", ".join(TABLES),
                                found=", ".join(sorted(alike)[:8]) or message("nothing")))
    return {name: table for name, table in loaded.items() if table is not None}, findings


def _must_not_be_twice(names: dict[str, str], folder: Path) -> None:
    for name in names:
        for file in files_of(folder, name):
            raise CallError(message("the table {table} is in the database and in {file}, too; take one of them away, so that it is "
                                    "clear which is meant", table=name, file=file))


def _create(connection, raw: str, columns: Sequence[str], source: str, order: str = "") -> int:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {raw} AS SELECT {', '.join(columns)}, row_number() OVER () AS _row "
                       f"FROM (SELECT * FROM {source}{order})")
    return connection.execute(f"SELECT count(*) FROM {raw}").fetchall()[0][0]


# -- a DuckDB file -------------------------------------------------------------------------------------------------------


@contextmanager
def _in_file(connection, path: Path) -> Iterator[tuple[list[str], Copy]]:
    if not path.is_file():
        others = [entry.name for entry in path.parent.glob(f"*{path.suffix}")] if path.parent.is_dir() else []
        raise CallError(message("{path}: no such file.{nearest}", path=path, nearest=nearest(path.name, others)))
    try:
        connection.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS {_ATTACHED} (READ_ONLY, TYPE duckdb)")
    except duckdb.Error as error:
        raise DataError(message("{file}: not a DuckDB file that can be read: {reason}", file=path.name,
                                reason=str(error).splitlines()[0])) from error
    try:
        names = connection.execute("SELECT table_name FROM information_schema.tables WHERE table_catalog = ? AND "
                                   "table_schema = 'main'", [_ATTACHED.strip('"')]).fetchall()
        yield [name for name, in names], partial(_copy_attached, connection)
    finally:
        connection.execute(f"DETACH {_ATTACHED}")


def _copy_attached(connection, table: Table, there: str) -> int:
    source = f"{_ATTACHED}.main.{quoted(there)}"
    names = [row[0] for row in connection.execute(f"DESCRIBE {source}").fetchall()]
    return _create(connection, f"raw_{table.name}", _selected(names, table), source)


def _selected(names: Sequence[str], table: Table) -> list[str]:
    """The contract's columns as they are; of others only the names, for the finding that says so."""
    return [quoted(name) if name in table.column_names else f"NULL::VARCHAR AS {quoted(name)}" for name in names if name != "_row"]


# -- a server, or whatever else SQLAlchemy has an address for --------------------------------------------------------------


@contextmanager
def _on_server(connection, address: str, folder: Path, time_zone: str) -> Iterator[tuple[list[str], Copy]]:
    try:
        import sqlalchemy  # an extra: only companies whose database has an address need it
    except ImportError:
        raise CallError(message("database: SQLAlchemy is not installed here, which reads databases by their address; `pip install "
                                "sqlalchemy` and the driver of the database add it")) from None
    secrets: set[str] = set()
    with _kept_secret(secrets):
        engine = _engine(sqlalchemy, _url(sqlalchemy, address, folder, secrets))
        try:
            inspector = sqlalchemy.inspect(engine)
            names = [*inspector.get_table_names(), *inspector.get_view_names()]
            # Materialized views and the like are in neither list.
            names += [name for name in TABLES if name not in names and inspector.has_table(name)]
            yield names, partial(_copy_rows, connection, engine, ZoneInfo(time_zone), secrets)
        finally:
            engine.dispose()


@contextmanager
def _kept_secret(secrets: set[str]) -> Iterator[None]:
    """Errors in words without the secrets: a driver raises what it likes and may repeat the whole address."""
    try:
        yield
    except (FunnelError, duckdb.Error):
        raise
    except Exception as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split()) or type(error).__name__
        raise DataError(message("the database does not give its data: {reason}", reason=without(reason, secrets))) from None


def _engine(sqlalchemy: Any, url: Any) -> Any:
    try:
        return sqlalchemy.create_engine(url, hide_parameters=True)
    except sqlalchemy.exc.NoSuchModuleError:
        raise CallError(message("database: {name} is no kind of database that SQLAlchemy knows; correct the beginning of the "
                                "address, or install what adds it", name=url.drivername)) from None
    except ImportError as error:
        raise CallError(message("database: the driver {name} is not installed here; `pip install {name}` adds it, or the "
                                "address names another one", name=error.name)) from None


def _url(sqlalchemy: Any, address: str, folder: Path, secrets: set[str]) -> Any:
    """The address with values from the environment in its parts, so that a password may have any letters."""
    whole = re.fullmatch(VARIABLE, address)
    if whole:
        address = _from_environment(whole, secrets)
        secrets |= passwords_in(address)
    try:
        url = sqlalchemy.make_url(address)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise CallError(message("database: expected an address such as {example}, found one that cannot be taken apart",
                                example=EXAMPLE)) from None
    if not whole:
        fill = partial(re.sub, VARIABLE, lambda found: _from_environment(found, secrets))
        parts = {name: fill(part) for name in ("username", "password", "host", "database") if (part := getattr(url, name))}
        options = {name: fill(value) if isinstance(value, str) else tuple(map(fill, value)) for name, value in url.query.items()}
        url = url.set(**parts, query=options)
    return _only_read(url, folder) if url.get_backend_name() == "sqlite" and url.database else url


def _from_environment(found: re.Match, secrets: set[str]) -> str:
    value = os.environ.get(found[1])
    if value is None:
        raise CallError(message("database: the environment variable {name}, which the address names, is not set; set it where the "
                                "command is run", name=found[1]))
    secrets.add(value)
    return value


def _only_read(url: Any, folder: Path) -> Any:
    """SQLite's file beside the description, opened for reading: else a missing one would be made."""
    path = folder / url.database
    if not path.is_file():
        raise CallError(message("database: SQLite's file is not there; its address is sqlite:///crm.sqlite, seen from the company "
                                "folder {folder}", folder=folder))
    return url.set(database=path.resolve().as_uri(), query={**url.query, "mode": "ro", "uri": "true"})


def _copy_rows(connection, engine: Any, zone: ZoneInfo, secrets: set[str], table: Table, there: str) -> int:
    """Rows of the server in chunks; sorted, because a server gives them in any order and examples name the row."""
    from sqlalchemy import column, false, quoted_name, select, text
    from sqlalchemy import table as named

    with _kept_secret(secrets), engine.connect() as reading:
        source = named(there)
        names = list(reading.execute(select(text("*")).select_from(source).where(false())).keys())
        known = [entry for entry in table.columns if entry.name in names]
        copied = f"copied_{table.name}"
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {copied} ({', '.join(_declared(known)) or 'nothing INTEGER'})")
        # Columns without a type: values come as the driver gives them. SQLAlchemy does not know that SQLite reserves "returning".
        quote = True if engine.dialect.name == "sqlite" else None
        statement = select(*(column(quoted_name(entry.name, quote)) for entry in known)).select_from(source)
        rows = reading.execution_options(yield_per=CHUNK_ROWS).execute(statement).partitions() if known else ()
        for some in rows:
            connection.append(copied, _frame(some, known, zone))
    twins = [quoted(_TWINS[entry.kind][0] + entry.name) for entry in known if entry.kind in _TWINS]
    count = _create(connection, f"raw_{table.name}", [*_selected(names, table), *twins], copied, " ORDER BY ALL" if known else "")
    connection.execute(f"DROP TABLE {copied}")
    return count


def _declared(columns: Sequence[Column]) -> Iterator[str]:
    """Each column as the text that a person sees; one of numbers or times has a twin that holds them typed, as a sheet's."""
    for column in columns:
        yield f"{quoted(column.name)} VARCHAR"
        if column.kind in _TWINS:
            twin, sql_type, _ = _TWINS[column.kind]
            yield f"{quoted(twin + column.name)} {sql_type}"


def _frame(rows: Sequence[Any], columns: Sequence[Column], zone: ZoneInfo) -> pd.DataFrame:
    made = {}
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        twin, _, dtype = _TWINS.get(column.kind, ("", "", ""))
        typed = [_time(value, zone) if twin == TIME else _number(value) for value in values] if twin else [None] * len(values)
        made[column.name] = pd.Series([_text(value) if known is None else None for value, known in zip(values, typed, strict=True)],
                                      dtype="str")
        if twin:
            made[twin + column.name] = pd.Series(typed, dtype=dtype)
    return pd.DataFrame(made)


def _time(value: Any, zone: ZoneInfo) -> dt.datetime | None:
    if isinstance(value, dt.datetime):
        return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value
    return dt.datetime.combine(value, dt.time()) if isinstance(value, dt.date) else None


def _number(value: Any) -> float | None:
    number = float(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else math.nan
    return number if math.isfinite(number) else None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    return bytes(value).hex() if isinstance(value, bytes | bytearray | memoryview) else cell_text(value)
