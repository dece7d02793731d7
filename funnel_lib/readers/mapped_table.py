"""One table of the contract from the sources that a mapping names: columns, constants, joins, words, selection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import duckdb

from funnel_lib.description import Formats
from funnel_lib.errors import DataError, nearest
from funnel_lib.findings import EXAMPLES_SHOWN, Example, Finding, finding
from funnel_lib.language.messages import message, plural
from funnel_lib.readers.columns import quoted
from funnel_lib.readers.mapping import ROW_NUMBER, Block, Join, Mapping
from funnel_lib.readers.source_file import SourceFile
from funnel_lib.readers.written_currency import check_written_currency
from funnel_lib.schema import Table

_TYPES = {"text": "VARCHAR", "time": "TIMESTAMP", "flag": "BOOLEAN"}
# Words are compared without case, blanks, hyphens and the dots of ё.
_FOLD = r"""CREATE OR REPLACE TEMP MACRO folded(word) AS
    replace(regexp_replace(lower(CAST(word AS VARCHAR)), '[\s\x{00a0}_-]+', '', 'g'), 'ё', 'е')"""


class MappedTable(NamedTuple):
    """A table as mapped: its rows are in the engine's table `name`, `columns` in the contract's order.

    `counts` has a row per block and file: (table, file, rows in, rows made, rows left out, rows broken).
    """

    table: Table
    name: str
    columns: list[str]
    findings: list[Finding]
    counts: list[tuple[str, str, int, int, int, int]]


class _Part(NamedTuple):
    """What one block makes of one file: the engine's table `name` of `rows_made` rows."""

    name: str
    block: int
    file: SourceFile
    rows_made: int
    findings: list[Finding]


class _Value(NamedTuple):
    """SQL of one column: its typed value, its text where it has no meaning as that type, which choice gave it."""

    typed: str
    text: str
    choice: str


@dataclass(frozen=True)
class Mapper:
    """What mapping a table takes: the engine, the mapping, the loaded files, and how their values are written."""

    connection: duckdb.DuckDBPyConnection
    mapping: Mapping
    sources: dict[str, list[SourceFile]]
    formats: Formats
    time_zone: str

    def absent(self, table: Table, blocks: list[Block]) -> list[Finding]:
        """A finding for every block and file that is left out because a required column has no source column there."""
        found = [finding("left_out", table.name, 1, source=file.path.name, column=column, wanted=", ".join(block.columns[column]))
                 for block in blocks for file in self.sources[block.source] for column in self._lacking(table, block, file)[:1]]
        return list(dict.fromkeys(found))

    def _lacking(self, table: Table, block: Block, file: SourceFile) -> list[str]:
        if not block.may_be_left_out:
            return []
        return [name for name in table.required_columns if name in block.columns and name not in block.constants
                and not any(map(file.heading, block.columns[name]))]

    def mapped(self, table: Table, blocks: list[Block]) -> MappedTable | None:
        """The rows of all blocks, in the order of blocks, files and rows; None where every one is left out (`absent`).

        Values that have no meaning as their type keep their text, so that the checks find them.
        Raises `DataError` for a column that is not in its file and for a key that is not unique in a joined source.
        """
        self.connection.execute(_FOLD)
        filled = [name for name in table.column_names if any(name in block.filled for block in blocks)]
        parts = [self._part(table, block, file, filled, f"part_{table.name}_{number}_{position}", number)
                 for number, block in enumerate(blocks) for position, file in enumerate(self.sources[block.source])
                 if not self._lacking(table, block, file)]
        if not parts:
            return None
        findings = [found for part in parts for found in part.findings] + list(self._not_selected(table, blocks))
        kept = ", ".join(f"{quoted(name)}, {quoted('_text_' + name)}" for name in filled)
        union = " UNION ALL ".join(f"SELECT {part.block} AS _block, {number} AS _part, _row, {kept} FROM {part.name}"
                                   for number, part in enumerate(parts))
        numbered = [column for column in filled if any(block.columns.get(column) == [ROW_NUMBER] for block in blocks)]
        ids = ", ".join(f"CAST(row_number() OVER (ORDER BY _part, _row) AS VARCHAR) AS {quoted(name)}" for name in numbered)
        # Exports that overlap hold the same rows; where rows have an id of their own the checks see to that.
        first = "" if table.id_column else f"QUALIFY _part = min(_part) OVER (PARTITION BY _block, {kept})"
        name = f"mapped_{table.name}"
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT *{f' REPLACE ({ids})' if ids else ''} "
                                f"FROM ({union}) {first} ORDER BY _part, _row")
        made = dict(self.connection.execute(f"SELECT _part, count(*) FROM {name} GROUP BY _part").fetchall())
        again = sum(part.rows_made for part in parts) - sum(made.values())
        findings += [finding("duplicate_rows", table.name, again)] if again else []
        counts = [(table.name, part.file.path.name, part.file.rows_in, made.get(number, 0),
                   part.file.rows_in - part.file.rejected_count - made.get(number, 0), part.file.rejected_count)
                  for number, part in enumerate(parts)]
        return MappedTable(table, name, filled, findings, counts)

    def _part(self, table: Table, block: Block, file: SourceFile, filled: list[str], name: str, number: int) -> _Part:
        """The rows of one block from one file as the engine's table `name`."""
        findings: list[Finding] = []
        selection = self._selection(block, file)
        if "currency" not in block.filled:
            self._check_currency(table, block, file)
        values = {column: self._column(table, file, column, choice, findings, column in block.constants)
                  for column, choice in block.columns.items()}
        keys = [f"{self._key(file, heading)} AS _key_{place}_{position}"
                for place, join in enumerate(block.joins) for position, heading in enumerate(join.on)]
        left, joins = ", ".join(["_row", *_named(values), *keys]), ""
        for place, join in enumerate(block.joins):
            added, sql = self._joined(table, join, place, findings)
            values, joins = values | added, joins + sql
            self._check_join(table, file, join, selection, findings)
        columns = ", ".join(self._filled(table, block, column, values) for column in filled)
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT _row, {columns} "
                                f"FROM (SELECT {left} FROM {file.raw} WHERE {selection}) {joins}")
        findings += [*self._choices(table, file, block, name), *self._without_needed(table, block, file, name),
                     *self._assumed(table, block, file, selection)]
        return _Part(name, number, file, self._count(f"SELECT count(*) FROM {name}"), findings)

    # -- columns -------------------------------------------------------------------------------------------------------

    def _column(self, table: Table, file: SourceFile, name: str, choice: list[str], findings: list[Finding],
                has_constant: bool = False) -> _Value | None:
        """The value of a contract column from the first of the source columns that has one; None where none is there."""
        if choice == [ROW_NUMBER]:
            return _Value("NULL::VARCHAR", "NULL::VARCHAR", "0")
        kind = next(column.kind for column in table.columns if column.name == name)
        headings = [file.heading(wanted) for wanted in choice]
        must_be = name in table.required_columns and not has_constant and not any(headings)
        is_needed = must_be or not self.mapping.skip_absent
        if None in headings and is_needed:
            raise file.absent(choice[headings.index(None)])
        present = [heading for heading in headings if heading]
        if not present:
            return None
        typed = []
        for heading in present:
            found = file.typed(self.connection, heading, kind, self.formats, self.time_zone)
            typed.append(found.sql)
            if found.remark:
                findings.append(finding("mixed_zones", table.name, 1, column=heading, remark=found.remark))
        texts = [f"nullif(trim(CAST({quoted(heading)} AS VARCHAR)), '')" for heading in present]
        value = f"CASE {' '.join(f'WHEN {text} IS NOT NULL THEN {sql}' for text, sql in zip(texts, typed, strict=True))} END"
        text = f"CASE WHEN ({value}) IS NULL THEN coalesce({', '.join(texts)}, NULL) END" if kind != "text" else "NULL::VARCHAR"
        chosen = " ".join(f"WHEN {text} IS NOT NULL THEN {number}" for number, text in enumerate(texts))
        return _Value(value, text, f"CASE {chosen} END")

    def _check_currency(self, table: Table, block: Block, file: SourceFile) -> None:
        """Amounts that the mapping takes for one currency must not be written in several."""
        own = self.mapping.company
        expected = own.currency if "currency" in own.model_fields_set else None
        for name in set(table.of_kind("amount")) & set(block.columns):
            for heading in filter(None, map(file.heading, block.columns[name])):
                if file.columns[heading] == "VARCHAR":
                    check_written_currency(self.connection, file.raw, heading, file.path.name, expected)

    def _filled(self, table: Table, block: Block, name: str, values: dict[str, _Value | None]) -> str:
        """SELECT items of one contract column: its value, else the constant, its words translated."""
        kind = next(column.kind for column in table.columns if column.name == name)
        sql_type, constant = _TYPES.get(kind, "DOUBLE"), block.constants.get(name)
        there = values.get(name) is not None
        value = quoted(name) if there else f"NULL::{sql_type}"
        text = quoted(f"_text_{name}") if there else "NULL::VARCHAR"
        words = dict(block.words.get(name, {}))
        if name == "step":
            words |= self.mapping.words
        if words and there:
            cases = " ".join(f"WHEN folded({value}) IN ({_folded(some)}) THEN {_literal(right)}"
                             for right, some in words.items())
            value = f"CASE {cases} ELSE {value} END"
        if constant is not None:
            # A source value without meaning stays what it is: the constant is for rows that have none.
            fixed = _literal(constant) if kind == "text" else f"TRY_CAST({_literal(constant)} AS {sql_type})"
            value = f"CASE WHEN {text} IS NULL THEN coalesce({value}, {fixed}) END"
            text = f"CASE WHEN ({value}) IS NULL THEN coalesce({text}, {_literal(constant)}) END"
        choice = quoted(f"_choice_{name}") if there else "0"
        return f"{value} AS {quoted(name)}, {text} AS {quoted('_text_' + name)}, {choice} AS {quoted('_choice_' + name)}"

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _selection(self, block: Block, file: SourceFile) -> str:
        """The condition of `where` and `where_not`; a column that may be absent has no value."""
        conditions = ["true"]
        for wanted, words, negated in [*((name, words, False) for name, words in block.where.items()),
                                       *((name, words, True) for name, words in block.where_not.items())]:
            heading = file.heading(wanted)
            if heading is None and not self.mapping.skip_absent:
                raise file.absent(wanted)
            held = f"coalesce(folded({quoted(heading)}) IN ({_folded(words)}), false)" if heading else "false"
            conditions.append(f"NOT {held}" if negated else held)
        return " AND ".join(conditions)

    def _not_selected(self, table: Table, blocks: list[Block]) -> Iterator[Finding]:
        """A note where no block of the table takes some of a file's rows."""
        for source in dict.fromkeys(block.source for block in blocks):
            for file in self.sources[source]:
                taken = " OR ".join(f"({self._selection(block, file)})" for block in blocks if block.source == source)
                count = self._count(f"SELECT count(*) FROM {file.raw} WHERE NOT ({taken})")
                if count:
                    yield finding("not_selected", table.name, count, source=file.path.name)

    def _assumed(self, table: Table, block: Block, file: SourceFile, selection: str) -> Iterator[Finding]:
        """A warning that names the words of which nobody has said what they mean."""
        heading = file.heading(block.assumed) if block.assumed else None
        words = self.connection.execute(
            f"SELECT trim({quoted(heading)}), count(*) AS n FROM {file.raw} WHERE {selection} AND trim({quoted(heading)}) <> '' "
            "GROUP BY 1 ORDER BY n DESC, 1").fetchall() if heading else []
        if words:
            named = ", ".join(f"{word!r} ({count})" for word, count in words)
            yield finding("assumed", table.name, sum(count for _, count in words), column=heading, words=named,
                          meant=", ".join(block.constants.values()))

    def _without_needed(self, table: Table, block: Block, file: SourceFile, part: str) -> Iterator[Finding]:
        """Rows without a needed value are taken out, with a note."""
        for name in block.needs:
            absent = f"{quoted(name)} IS NULL AND {quoted('_text_' + name)} IS NULL"
            count = self._count(f"SELECT count(*) FROM {part} WHERE {absent}")
            if count:
                self.connection.execute(f"DELETE FROM {part} WHERE {absent}")
                yield finding("not_needed", table.name, count, source=file.path.name, column=name)

    def _choices(self, table: Table, file: SourceFile, block: Block, part: str) -> Iterator[Finding]:
        """A note for every column that some rows take from a second source column."""
        for name, choice in block.columns.items():
            present = [heading for heading in map(file.heading, choice) if heading]
            if len(choice) < 2 or not present:
                continue
            chosen = self.connection.execute(f"SELECT {quoted('_choice_' + name)} AS place, count(*) FROM {part} "
                                             "WHERE place IS NOT NULL GROUP BY place ORDER BY place").fetchall()
            for position, count in chosen:
                if present[position] != file.heading(choice[0]):
                    yield finding("second_choice", table.name, count, column=name, second=present[position], first=choice[0])

    # -- joins ---------------------------------------------------------------------------------------------------------

    def _joined(self, table: Table, join: Join, number: int, findings: list[Finding]
                ) -> tuple[dict[str, _Value | None], str]:
        """The columns that a join adds, and its SQL."""
        right = self._right(join)
        values = {name: self._column(table, right, name, choice, findings) for name, choice in join.columns.items()}
        keys = [f"{self._key(right, heading)} AS _key_{number}_{position}" for position, heading in enumerate(join.on.values())]
        using = ", ".join(f"_key_{number}_{position}" for position in range(len(keys)))
        return values, f" LEFT JOIN (SELECT {', '.join([*keys, *_named(values)])} FROM {right.raw}) USING ({using})"

    def _right(self, join: Join) -> SourceFile:
        files = self.sources[join.source]
        if len(files) > 1:
            raise DataError(message("the joined source {source!r}: expected one file, found {files}", source=join.source,
                                    files=", ".join(file.path.name for file in files)))
        return files[0]

    def _key(self, file: SourceFile, wanted: str) -> str:
        heading = file.heading(wanted)
        if heading is None:
            raise file.absent(wanted)
        return f"nullif(trim(CAST({quoted(heading)} AS VARCHAR)), '')"

    def _check_join(self, table: Table, file: SourceFile, join: Join, selection: str, findings: list[Finding]) -> None:
        """A key that stands twice where it must be unique is an error, one that matches nothing a finding."""
        right = self._right(join)
        left_key = [self._key(file, heading) for heading in join.on]
        right_key = [self._key(right, heading) for heading in join.on.values()]
        sides = [(right, right_key, join.on.values(), "true")]
        if join.cardinality == "one_to_one":
            sides.append((file, left_key, join.on, selection))
        for side, key, headings, condition in sides:
            repeated = self.connection.execute(
                f"SELECT {_row_of(key)} AS key, count(*) FROM {side.raw} WHERE {condition} AND key IS NOT NULL "
                "GROUP BY ALL HAVING count(*) > 1 ORDER BY 1 LIMIT 1").fetchall()
            if repeated:
                raise DataError(message("{file}: expected each {headings} once, to join {source} by it; {key!r} stands {count} "
                                        "times", file=side.path.name, headings=" + ".join(headings), source=join.source,
                                        key=repeated[0][0], count=repeated[0][1]))
        unmatched = self.connection.execute(
            f"SELECT {_row_of(left_key)} AS key, count(*) AS n FROM {file.raw} WHERE {selection} AND key IS NOT NULL "
            f"AND key NOT IN (SELECT key FROM (SELECT {_row_of(right_key)} AS key FROM {right.raw}) WHERE key IS NOT NULL) "
            "GROUP BY ALL ORDER BY n DESC, key").fetchall()
        if unmatched:
            known = [key for key, in self.connection.execute(f"SELECT {_row_of(right_key)} FROM {right.raw}").fetchall() if key]
            heading = " + ".join(join.on)
            examples = [Example(file.path.name, None, plural(count, "{heading} = {key}, {count} row.{nearest}",
                                                                  "{heading} = {key}, {count} rows.{nearest}", heading=heading,
                                                                  key=key, count=count, nearest=nearest(key, known)))
                        for key, count in unmatched[:EXAMPLES_SHOWN]]
            findings.append(finding("no_match", table.name, sum(count for _, count in unmatched), examples, column=heading,
                                    source=right.path.name))

    def _count(self, query: str) -> int:
        return self.connection.execute(query).fetchall()[0][0]


def _named(values: dict[str, _Value | None]) -> list[str]:
    """SELECT items of the columns' values, texts and choices."""
    return [item for name, value in values.items() if value for item in (
        f"{value.typed} AS {quoted(name)}", f"{value.text} AS {quoted('_text_' + name)}",
        f"{value.choice} AS {quoted('_choice_' + name)}")]


def _row_of(keys: list[str]) -> str:
    """Several keys as one text, missing where one of them is."""
    return " || ' + ' || ".join(keys)


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _folded(words: list[str]) -> str:
    return ", ".join(f"folded({_literal(word)})" for word in words)
