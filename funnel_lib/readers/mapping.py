"""What a mapping may say: which files, and which of their columns, become the tables of the contract."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, create_model, field_validator, model_validator

from funnel_lib.description import CompanyDescription, Formats, Key, Part, ProcessDescription
from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import message
from funnel_lib.readers.description_file import read_yaml
from funnel_lib.schema import TABLES, Table

# Stands for a source column: the row's position among all rows of the table, so that every row has an id of its own.
ROW_NUMBER = "row_number"
PROJECT = Path(__file__).resolve().parents[2]


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _as_text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else value


Constant = Annotated[str, BeforeValidator(_as_text)]
# One source column, or several of which the first that has a value counts.
Choice = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]
Words = Annotated[list[Constant], BeforeValidator(_as_list)]


class Join(Part):
    """Columns from a second source that has one row per key; a row whose key is not there gets none."""

    source: str = Field(alias="from")
    # Column of the first source → column of this one.
    on: dict[str, str] = Field(min_length=1)
    columns: dict[str, Choice]
    cardinality: Literal["many_to_one", "one_to_one"] = "many_to_one"


class Block(Part):
    """Rows of one table from one source.

    A constant fills its column where no source column gives a value. `where` keeps the rows that have one of the words
    in each of its columns, `where_not` leaves out those that have one in any. `needs` names columns of the contract
    without which a source row makes no row of this table. `assumed` is a source column for the words of which the
    constants are a guess, said with how often each stands. A `may_be_left_out` block is left out, with a finding, for a
    file that has no source column for a required one.
    """

    source: str = Field(alias="from")
    columns: dict[str, Choice] = Field(default={})
    constants: dict[str, Constant] = Field(default={})
    joins: Annotated[list[Join], BeforeValidator(_as_list)] = Field(default=[])
    words: dict[str, dict[str, Words]] = Field(default={})
    where: dict[str, Words] = Field(default={})
    where_not: dict[str, Words] = Field(default={})
    needs: list[str] = Field(default=[])
    assumed: str | None = None
    may_be_left_out: bool = False

    @property
    def filled(self) -> dict[str, int]:
        """The contract's columns that this block fills, each with how often a source column is named for it."""
        named = [*self.columns, *(name for join in self.joins for name in join.columns)]
        return {name: named.count(name) for name in (*named, *self.constants)}


def _fits(table: Table, blocks: list[Block]) -> list[Block]:
    """The blocks, or an error that names the column that is not in the contract or is missing."""
    for block in blocks:
        for name in (*block.filled, *block.words, *block.needs):
            if name not in table.column_names:
                raise ValueError(message("expected columns of the table {table}, found {name!r}.{nearest}", table=table.name,
                                         name=name, nearest=nearest(name, table.column_names)))
        twice = [name for name, count in block.filled.items() if count > 1]
        if twice:
            raise ValueError(message("expected one source for each column, found {column!r} in columns and in joins",
                                     column=twice[0]))
        absent = [name for name in table.required_columns if name not in block.filled]
        if absent:
            raise ValueError(message("expected the required column {column!r}, found {known}", column=absent[0],
                                     known=", ".join(block.filled)))
    return blocks


_Tables = create_model("_Tables", __base__=Part, **{
    name: (Annotated[list[Block], BeforeValidator(_as_list), AfterValidator(partial(_fits, table))], [])
    for name, table in TABLES.items()})


class _Company(CompanyDescription):
    """The company's keys without its processes, which have a place of their own in a mapping."""

    processes: dict[Key, ProcessDescription] = Field(default={}, exclude=True)

    @field_validator("processes")
    @classmethod
    def _some(cls, value: dict) -> dict:
        raise ValueError(message("expected processes beside company, not inside it"))


class Mapping(Part):
    """Sources (name → pattern of file names), the description as far as it is known, and the tables' columns.

    `words` translate a status into a step or into `lost`; `aliases` are other headings of a source column;
    `skip_absent` lets optional columns be missing from the files.
    """

    source: dict[str, str] = Field(min_length=1)
    company: _Company = _Company()
    processes: dict[Key, ProcessDescription] = Field(default={})
    formats: Formats = Formats()
    tables: _Tables
    words: dict[str, Words] = Field(default={})
    aliases: dict[str, Words] = Field(default={})
    skip_absent: bool = False

    @property
    def blocks(self) -> dict[str, list[Block]]:
        """The tables that this mapping fills."""
        return {name: getattr(self.tables, name) for name in TABLES if getattr(self.tables, name)}

    @model_validator(mode="after")
    def _sources_exist(self) -> Mapping:
        if not self.blocks:
            raise ValueError(message("tables: expected at least one of {known}, found none", known=", ".join(TABLES)))
        for table, blocks in self.blocks.items():
            for part in [part for block in blocks for part in (block, *block.joins)]:
                if part.source not in self.source:
                    raise ValueError(message("tables.{table}: expected one of the sources {known}, found {source!r}.{nearest}",
                                             table=table, known=", ".join(self.source), source=part.source,
                                             nearest=nearest(part.source, self.source)))
        return self


def read_mapping(path: Path) -> Mapping:
    """The mapping in this file; a relative path is looked for here, then in the project.

    Raises `CallError` with line and place for an unknown key, table, column or source.
    """
    for candidate in [path] if path.is_absolute() else [path, PROJECT / path]:
        if candidate.is_file():
            return read_yaml(candidate, Mapping)
    folder = path.parent if path.parent.is_dir() else Path()
    raise CallError(message("{path}: no such mapping.{nearest}", path=path,
                            nearest=nearest(path.name, [file.name for file in folder.glob("*.y*ml")])))
