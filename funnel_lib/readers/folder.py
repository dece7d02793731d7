"""A company folder: `company.yaml` and one CSV, Parquet or XLSX file per table, or a database with them, lazy on DuckDB."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import duckdb
import narwhals as nw
import pandas as pd

from funnel_lib import periods
from funnel_lib.checks import Checked, Loaded, check_tables, with_words
from funnel_lib.company import Company, day_counts, in_company_currency, minor_units
from funnel_lib.description import LANGUAGES, CompanyDescription, moment_text
from funnel_lib.engine import to_lazy
from funnel_lib.errors import CallError, nearest
from funnel_lib.findings import Finding, finding
from funnel_lib.language.messages import message
from funnel_lib.readers.database import load_database
from funnel_lib.readers.description_file import read_description
from funnel_lib.readers.place import FILE_NAME, find_company
from funnel_lib.readers.table_file import READERS, files_of, load_table, or_finding
from funnel_lib.schema import TABLES, THROUGH_LEADS

# Files that may hold a table and are not read.
_OTHERS = (".xls", ".xlsm", ".xlsb", ".ods", ".tsv")


def read_company(path: str | Path, *, as_of: str | pd.Timestamp | None = None, language: str | None = None) -> Company:
    """Read a company folder, check its tables against the contract, keep what was found.

    `path` may be a DuckDB file beside its `company.yaml`, too. Tables in another database are those of the folder whose
    `company.yaml` has its address under `database:`.

    `as_of` and `language` replace those of `company.yaml`. A relative path that is not found from here is looked for in
    the project, so that notebooks work from any folder.
    Raises `CallError` for a path, a key or a value in the description that cannot be; what is wrong in the tables is a
    finding of the company, and a process with an error among its findings raises `DataError` when asked for.
    """
    found = find_company(Path(path))
    folder = found.parent if found.is_file() else found
    description = read_description(folder / FILE_NAME)
    if language and language not in LANGUAGES:
        raise CallError(message("language: expected one of {known}, found {language!r}", known=", ".join(LANGUAGES),
                                language=language))
    changes = {"as_of": moment_text(as_of, description.time_zone), "language": language}
    description = description.model_copy(update={key: value for key, value in changes.items() if value})
    connection, scratch = _connection()
    loaded, findings = _load(connection, folder, description, scratch)
    database = description.database or (found.name if found.is_file() else None)
    if database:
        more, said = load_database(connection, database, folder, description)
        loaded, findings = {**loaded, **more}, findings + said
    return checked_company(connection, description, loaded, findings)


def _connection() -> tuple[duckdb.DuckDBPyConnection, Path]:
    """An engine of its own for this company; it spills into a folder of its own that goes with the process."""
    scratch = tempfile.TemporaryDirectory(prefix="funnel-")
    connection = duckdb.connect(":memory:", config={"temp_directory": scratch.name, "autoinstall_known_extensions": False})
    _SCRATCH.append(scratch)
    return connection, Path(scratch.name)


# Kept until the process ends: lazy tables of a company may be read at any time.
_SCRATCH: list[tempfile.TemporaryDirectory] = []


def _load(connection, folder: Path, description: CompanyDescription, scratch: Path
          ) -> tuple[dict[str, Loaded], list[Finding]]:
    loaded, findings = {}, list(_unknown_files(folder))
    for name, table in TABLES.items():
        files = files_of(folder, name)
        if len(files) > 1:
            raise CallError(message("{folder}: {first} and {second} are the same table; keep one", folder=folder,
                                    first=files[0].name, second=files[1].name))
        if files:
            load = partial(load_table, connection, files[0], table, description, scratch)
            loaded[name] = or_finding(name, files[0].name, load, findings)
    return {name: table for name, table in loaded.items() if table is not None}, findings


def _unknown_files(folder: Path) -> list[Finding]:
    """Files that look like tables but are none: a misspelt name must not make a table silently missing."""
    read = {f"{name}{ending}" for name in TABLES for ending in READERS}
    strange = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in (*READERS, *_OTHERS) and path.name not in read]
    return [finding("unknown_file", path.stem, 1, file=path.name, nearest=_right_name(path)) for path in strange]


def _right_name(path: Path) -> str:
    if path.stem.lower() in TABLES:
        csv, parquet, xlsx = (f"{path.stem.lower()}{ending}" for ending in READERS)
        return message(" Expected {csv} or {parquet} or {xlsx}", csv=csv, parquet=parquet, xlsx=xlsx)
    return nearest(path.stem, TABLES)


def checked_company(connection, description: CompanyDescription, loaded: Mapping[str, Loaded], findings: list[Finding]
                    ) -> Company:
    """A company from loaded tables: observation bounds found, tables checked, bad rows set aside."""
    days = _times(loaded)
    said = pd.Timestamp(description.as_of) if description.as_of else None
    as_of = said or periods.observation_end(days)
    first = periods.possible_days(days).index.min()
    too_early = as_of is not None and as_of <= first
    findings.extend(_observation(description, as_of, first if too_early else None))
    checked = check_tables(dict(loaded), description, None if too_early else as_of, periods.last_possible(days, said))
    leads_unreadable = any(found.table == "leads" and found.key == "table_unreadable" for found in findings)
    tables, present = {}, {}
    for name, source in loaded.items():
        kept = _without(connection, with_words(source.frame, checked[name].words), name, checked[name])
        tables[name], _ = to_lazy(kept.to_native(), source.table, description.time_zone, minor_units(description.currency))
        present[name] = source.present
        # What the leads' own error has brought about is not said again of every table that goes by them.
        findings.extend(found for found in checked[name].findings
                        if not (leads_unreadable and name in THROUGH_LEADS and found.key == "too_many_set_aside"))
    tables = in_company_currency(tables, present, description)
    description = _with_bounds(description, as_of, tables)
    findings.extend(_anchors(loaded, findings))
    order = {severity: position for position, severity in enumerate(("error", "warning", "note"))}
    findings = sorted(findings, key=lambda found: (order[found.severity], found.table, found.key, -found.count))
    return Company(description, tables, present, tuple(findings), _row_counts(loaded, checked))


def _observation(description: CompanyDescription, as_of: pd.Timestamp | None, first: pd.Timestamp | None) -> list[Finding]:
    """Errors in the bounds of observation; `first` is the day of the first row where `as_of` lies before it."""
    if first is not None:
        return [finding("nothing_observed", "company", 1, as_of=_shown(as_of), first=_shown(first))]
    since = pd.Timestamp(description.observed_from) if description.observed_from else None
    if as_of is not None and since is not None and since >= as_of:
        return [finding("observed_backwards", "company", 1, as_of=_shown(as_of), observed_from=_shown(since))]
    return []


def _shown(moment: pd.Timestamp) -> str:
    return moment.isoformat(sep=" ").removesuffix(" 00:00:00")


def _times(loaded: Mapping[str, Loaded]) -> pd.Series:
    return day_counts({name: source.frame for name, source in loaded.items()})


def _with_bounds(description: CompanyDescription, as_of: pd.Timestamp | None, tables: Mapping[str, nw.LazyFrame]
                 ) -> CompanyDescription:
    """The description with both ends of observation, the same for all its processes."""
    bounds = {"as_of": as_of.isoformat() if as_of is not None else None}
    if not description.observed_from:
        days = day_counts(tables)
        bounds["observed_from"] = days.index.min().isoformat() if len(days) else None
    return description.model_copy(update=bounds)


def _without(connection, frame: nw.LazyFrame, name: str, checked: Checked) -> nw.LazyFrame:
    """The frame without the rows set aside and the duplicates."""
    left_out = pd.concat([checked.aside["_row"], checked.duplicates["_row"]])
    if left_out.empty:
        return frame
    connection.execute(f"CREATE OR REPLACE TEMP TABLE left_out_{name} (_row BIGINT)")
    connection.append(f"left_out_{name}", pd.DataFrame({"_row": left_out.astype("int64")}))
    return frame.join(nw.from_native(connection.table(f"left_out_{name}")), on="_row", how="anti")


def _anchors(loaded: Mapping[str, Loaded], findings: list[Finding]) -> list[Finding]:
    if any(name in loaded for name in ("leads", "counts", "orders")) or any(f.severity == "error" for f in findings):
        return []
    return [finding("nothing_to_measure", "company", 1)]


def _row_counts(loaded: Mapping[str, Loaded], checked: Mapping[str, Checked]) -> pd.DataFrame:
    """Per table: rows in, kept, set aside, exact duplicates."""
    rows = []
    for name, source in loaded.items():
        aside = len(checked[name].aside) + source.rejected_count
        duplicates = len(checked[name].duplicates)
        rows.append({"table": name, "rows_count": source.rows_in, "kept_count": source.rows_in - aside - duplicates,
                     "set_aside_count": aside, "duplicates_count": duplicates})
    return pd.DataFrame(rows, columns=["table", "rows_count", "kept_count", "set_aside_count", "duplicates_count"])
