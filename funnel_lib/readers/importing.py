"""Getting data in: files of a CRM or of any other source become a company folder, by a preset or a mapping."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd

from funnel_lib.description import CompanyDescription, Formats
from funnel_lib.errors import CallError, nearest
from funnel_lib.findings import Finding
from funnel_lib.language.messages import message
from funnel_lib.readers import bitrix24
from funnel_lib.readers.columns import quoted
from funnel_lib.readers.description_file import read_description
from funnel_lib.readers.draft import described, draft, find
from funnel_lib.readers.keys import safe_keys
from funnel_lib.readers.mapped_table import MappedTable, Mapper
from funnel_lib.readers.mapping import Mapping, read_mapping
from funnel_lib.readers.place import FILE_NAME
from funnel_lib.readers.source_file import find_files, load_sources
from funnel_lib.readers.table_file import READERS
from funnel_lib.schema import TABLES

PRESETS: dict[str, Callable[[], Mapping]] = {"bitrix24": bitrix24.mapping}
DRAFT_NAME = "company.draft.yaml"


@dataclass(frozen=True)
class ImportResult:
    """What an import wrote and found.

    `replaced` names the tables that stood in the folder before. `description` is the drafted file: `company.yaml`, or
    `company.draft.yaml` where there was a `company.yaml` already (`kept_description`). `row_counts` has one row per table,
    block of the mapping and file: `table`, `file`, `rows_count` in the file, `made_count` rows of the table,
    `left_out_count` rows not selected or without a needed value, `broken_count` rows that are no rows. Findings here are
    about the files; `read_company` checks the tables.
    """

    folder: Path
    tables: tuple[Path, ...]
    description: Path
    kept_description: bool
    replaced: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    row_counts: pd.DataFrame | None = field(default=None, repr=False)


def import_files(preset_or_mapping: str | Path, files: Iterable[str | Path], out: str | Path, *, language: str | None = None,
                 formats: Formats | None = None, replace: bool = False) -> ImportResult:
    """Write a company folder from files, by a preset's name or the path of a mapping.

    `language` is that of the drafted `company.yaml` and its comments; `formats` answers what reading asks, before the
    mapping's and the folder's own. Tables that stand in `out` are replaced with `replace` only, an existing `company.yaml`
    never is. Nothing is written before everything has been read, and every file appears whole.
    Raises `CallError` for a wrong preset, path or mapping, for a table that would be overwritten and for files without a
    row, and `DataError` for files that cannot be read as it says.
    """
    mapping, out = _mapping(preset_or_mapping), Path(out)
    existing = _existing(out, mapping)
    replaced = tuple(name for name in mapping.blocks if (out / f"{name}.parquet").exists())
    if replaced and not replace:
        raise CallError(message("{path}: this table is there already; import elsewhere, or say --replace (replace=True) to write "
                                "it anew", path=out / f"{replaced[0]}.parquet"))
    sources, unused = find_files(mapping, [Path(file) for file in files])
    with tempfile.TemporaryDirectory(prefix="funnel-") as scratch:
        connection = duckdb.connect(":memory:", config={"temp_directory": scratch, "autoinstall_known_extensions": False})
        how = _formats(mapping, existing, formats)
        zone = existing.time_zone if existing else mapping.company.time_zone
        loaded = load_sources(connection, mapping, sources, how, Path(scratch))
        mapper = Mapper(connection, mapping, loaded, how, zone)
        mapped = [part for name, blocks in mapping.blocks.items() if (part := mapper.mapped(TABLES[name], blocks))]
        left_out = [found for name, blocks in mapping.blocks.items() for found in mapper.absent(TABLES[name], blocks)]
        if not any(made for part in mapped for _, _, _, made, _, _ in part.counts):
            read = ", ".join(dict.fromkeys(file for part in mapped for _, file, *_ in part.counts))
            raise CallError(message("{read}: no rows found that make a row of any table; nothing was written", read=read))
        titles = _with_safe_processes(connection, mapped, mapping, existing)
        tongue = language or (existing.language if existing else mapping.company.language)
        found = find(connection, {part.table.name: (part.name, part.columns) for part in mapped}, titles, tongue)
        processes = {key: described(process) for key, process in mapping.processes.items()}
        text = draft(described(mapping.company), processes, found, tongue)
        description = out / (DRAFT_NAME if existing else FILE_NAME)
        _publish(out, lambda folder: _write(connection, mapped, folder, description.name, text))
    findings = [*unused, *left_out, *(found for some in loaded.values() for file in some for found in file.findings),
                *(found for part in mapped for found in part.findings)]
    return ImportResult(out, tuple(out / f"{part.table.name}.parquet" for part in mapped), description, existing is not None,
                        replaced, tuple(findings), _row_counts(mapped))


def _mapping(name: str | Path) -> Mapping:
    if str(name) in PRESETS:
        return PRESETS[str(name)]()
    if Path(name).suffix.lower() not in (".yaml", ".yml"):
        raise CallError(message("{name}: expected a preset ({known}) or the path of a mapping (.yaml).{nearest}", name=name,
                                known=", ".join(PRESETS), nearest=nearest(str(name), PRESETS)))
    return read_mapping(Path(name))


def _existing(out: Path, mapping: Mapping) -> CompanyDescription | None:
    """The description that stands in the folder already, if any.

    Raises `CallError` for a file instead of a folder and for a table that stands there in another format.
    """
    if out.exists() and not out.is_dir():
        raise CallError(message("{out}: expected a folder to write the company into, found a file", out=out))
    for name in mapping.blocks:
        for other in [out / f"{name}{ending}" for ending in READERS if ending != ".parquet"]:
            if other.exists():
                raise CallError(message("{other}: this table would stand there twice; move it away or import elsewhere",
                                        other=other))
    return read_description(out / FILE_NAME) if (out / FILE_NAME).is_file() else None


def _formats(mapping: Mapping, existing: CompanyDescription | None, said: Formats | None) -> Formats:
    """How values are written: as said in the call, else in the mapping, else in the company's own description."""
    answers: dict = {}
    for source in (existing.formats if existing else None, mapping.formats, said):
        answers |= source.model_dump(exclude_none=True) if source else {}
    return Formats(**answers)


def _with_safe_processes(connection, mapped: list[MappedTable], mapping: Mapping, existing: CompanyDescription | None
                         ) -> dict[str, str]:
    """Give processes that the data name in words keys that can be typed; returns key → name.

    A process that is described already keeps its key.
    """
    own = [part for part in mapped if "process" in part.columns]
    names = {name for part in own for name, in connection.execute(
        f"SELECT DISTINCT process FROM {part.name} WHERE process IS NOT NULL").fetchall()}
    known = dict(mapping.processes) | (existing.processes if existing else {})
    keys = {name: name for name in names if name in known}
    for key, process in known.items():
        shown = process.name.values() if isinstance(process.name, dict) else [process.name]
        keys |= {name: key for name in names - set(keys) if name in shown}
    keys |= safe_keys(names - set(keys))
    pairs = pd.DataFrame({"name": list(keys), "key": list(keys.values())}, dtype="str")
    connection.execute("CREATE TEMP TABLE process_keys (name VARCHAR, key VARCHAR)")
    if len(pairs):
        connection.append("process_keys", pairs)
    for part in own:
        connection.execute(f"UPDATE {part.name} SET process = key FROM process_keys WHERE process = name")
    return {key: name for name, key in keys.items()}


def _write(connection, mapped: list[MappedTable], folder: Path, description: str, text: str) -> None:
    for part in mapped:
        columns = ", ".join(_stored(connection, part, column) for column in part.columns)
        path = str(folder / f"{part.table.name}.parquet").replace("'", "''")
        connection.execute(f"COPY (SELECT {columns} FROM {part.name} ORDER BY _part, _row) TO '{path}' "
                           "(FORMAT parquet, COMPRESSION zstd)")
    (folder / description).write_text(text, encoding="utf-8")


def _stored(connection, part: MappedTable, column: str) -> str:
    """The column as its type, or as text where some values have no meaning as that type: the checks will find them."""
    name, text = quoted(column), quoted(f"_text_{column}")
    if not connection.execute(f"SELECT count({text}) FROM {part.name}").fetchall()[0][0]:
        return name
    return f"coalesce(CAST({name} AS VARCHAR), {text}) AS {name}"


def _publish(out: Path, write: Callable[[Path], None]) -> None:
    """Write into a hidden folder inside `out`, then move each file to its place; a failure leaves nothing behind."""
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    hidden = Path(tempfile.mkdtemp(prefix=".import-", dir=out))
    try:
        write(hidden)
        # The description comes last: a folder without one is not yet a company.
        for path in sorted(hidden.iterdir(), key=lambda path: (path.suffix == ".yaml", path.name)):
            with path.open("rb") as file:
                os.fsync(file.fileno())
            path.replace(out / path.name)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        if is_new and not any(out.iterdir()):
            out.rmdir()


def _row_counts(mapped: list[MappedTable]) -> pd.DataFrame:
    rows = [count for part in mapped for count in part.counts]
    names = ["table", "file", "rows_count", "made_count", "left_out_count", "broken_count"]
    return pd.DataFrame(rows, columns=names)
