"""The files that a mapping names: found among those given, read as they are, their columns by heading."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from funnel_lib.description import Formats
from funnel_lib.errors import CallError, DataError, nearest
from funnel_lib.findings import Finding, finding
from funnel_lib.language.messages import joined, message
from funnel_lib.readers.columns import Typed
from funnel_lib.readers.mapping import Mapping
from funnel_lib.readers.table_file import READERS, broken_rows, columns_of, typed_column
from funnel_lib.schema import Column, Table

# What the reader of spreadsheets takes beside .xlsx.
_SPREADSHEETS = (".xls", ".xlsm", ".xlsb", ".ods")


@dataclass(frozen=True)
class SourceFile:
    """One file in the engine: its rows are in the table `raw` (with `_row`), `columns` are its headings with types."""

    source: str
    path: Path
    raw: str
    columns: dict[str, str]
    rows_in: int
    rejected_count: int
    findings: tuple[Finding, ...]
    aliases: dict[str, list[str]]

    def heading(self, wanted: str) -> str | None:
        """The heading in this file that a mapping means: itself, an alias of it, `source#1` for the first of several."""
        names = [wanted, *self.aliases.get(wanted, []), wanted.removesuffix("#1")]
        return next((name for name in names if name in self.columns), None)

    def typed(self, connection, heading: str, kind: str, formats: Formats, time_zone: str) -> Typed:
        """SQL for the column as a kind of the contract, found on all its values."""
        return typed_column(connection, self.raw, Column(heading, kind), self.columns[heading], formats, time_zone,
                            self.path.name)

    def absent(self, wanted: str) -> DataError:
        """The error for a heading that this file does not have."""
        return DataError(message("{file}: the column {wanted!r} that the mapping names is missing; the header has "
                                 "{known}.{nearest}", file=self.path.name, wanted=wanted,
                                 known=", ".join(list(self.columns)[:12]) or message("nothing"),
                                 nearest=nearest(wanted, self.columns)))


def find_files(mapping: Mapping, files: Iterable[Path]) -> tuple[dict[str, list[Path]], list[Finding]]:
    """The files of each source, by the mapping's patterns of names; a folder stands for the files in it.

    A file that no pattern takes is left unread, with a finding: whoever gives `*.csv` need not pick.
    Raises `CallError` for a path that is not there and a source without a file.
    """
    found: dict[str, list[Path]] = {name: [] for name in mapping.source}
    unused: list[Path] = []
    for path in files:
        if not path.exists():
            siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            raise CallError(message("{path}: no such file.{nearest}", path=path, nearest=nearest(path.name, siblings)))
        inside = [entry for entry in sorted(path.iterdir()) if entry.is_file()] if path.is_dir() else [path]
        for file in inside:
            names = [name for name, pattern in mapping.source.items() if fnmatch.fnmatch(file.name.lower(), pattern.lower())]
            if not names:
                unused.append(file)
            for name in names:
                found[name].append(file)
    for name, some in found.items():
        if not some:
            raise CallError(message("no file for the source {name!r}: none of those given is called {pattern}", name=name,
                                    pattern=mapping.source[name]))
    left = [finding("unused_file", file.stem, 1, file=file.name) for file in dict.fromkeys(unused)]
    return {name: list(dict.fromkeys(some)) for name, some in found.items()}, left


def load_sources(connection, mapping: Mapping, files: dict[str, list[Path]], formats: Formats, scratch: Path
                 ) -> dict[str, list[SourceFile]]:
    """Every file of every source, in the engine.

    Raises `DataError` for a file that cannot be read, or of which more rows are broken than the processes allow.
    """
    allowed = min((process.allow_set_aside_share for process in mapping.processes.values()), default=0.05)
    loaded: dict[str, list[SourceFile]] = {}
    for position, (name, paths) in enumerate(files.items()):
        loaded[name] = [_load(connection, mapping, name, path, f"source_{position}_{number}", formats, scratch)
                        for number, path in enumerate(paths)]
        for file in loaded[name]:
            if file.rejected_count > allowed * file.rows_in:
                raise DataError(message("{file}: {count} of {total} rows are broken: {reasons}", file=file.path.name,
                                        count=file.rejected_count, total=file.rows_in,
                                        reasons=joined(found.text for found in file.findings if found.key == "broken_row")))
    return loaded


def _load(connection, mapping: Mapping, source: str, path: Path, raw: str, formats: Formats, scratch: Path) -> SourceFile:
    known = Table(source, source, tuple(Column(name) for name in _headings(mapping, source)))
    ending = path.suffix.lower()
    reader = READERS.get(".xlsx" if ending in _SPREADSHEETS else ending, READERS[".csv"])
    _, rejected, findings, rows_in = reader(connection, path, known, formats, scratch, raw)
    columns = columns_of(connection, raw)
    if not columns:
        raise DataError(message("{file}: the file is empty, not even a header", file=path.name))
    return SourceFile(source, path, raw, columns, rows_in + len(rejected), len(rejected),
                      (*findings, *broken_rows(source, path.name, rejected)), mapping.aliases)


def _headings(mapping: Mapping, source: str) -> list[str]:
    """All headings that the mapping names for this source, their aliases included: they tell the separator."""
    named: list[str] = []
    for block in (block for blocks in mapping.blocks.values() for block in blocks):
        if block.source == source:
            named += [*(name for choice in block.columns.values() for name in choice), *block.where, *block.where_not]
            named += [name for join in block.joins for name in join.on]
        for join in block.joins:
            if join.source == source:
                named += [*(name for choice in join.columns.values() for name in choice), *join.on.values()]
    named += [alias for name in named for alias in mapping.aliases.get(name, [])]
    return list(dict.fromkeys(named))
