"""Which reports are up to date and why the others are not: by hashes of everything a report is made from."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from funnel_lib.address import is_address
from funnel_lib.language.messages import joined, message
from funnel_lib.readers.place import FILE_NAME, database_named, find_folder
from funnel_lib.report.manifest import read_manifest
from funnel_lib.report.order import Order, planned, shown_names
from funnel_lib.report.units import Unit

PACKAGE = Path(__file__).resolve().parents[1]
# Libraries whose versions change numbers, pictures or pages.
LIBRARIES = ("babel", "duckdb", "matplotlib", "narwhals", "nbconvert", "numpy", "pandas", "scipy")

# What a report is made from, as people are told when it has changed.
_INPUTS = {"data": message("data"), "description": message("description"), "code": message("code"), "notebook": message("notebook"),
           "parameters": message("parameters")}


@dataclass(frozen=True)
class Task:
    """A report with what it is made from, and why it has to be made; no reason: it is up to date."""

    unit: Unit
    inputs: dict[str, Any]
    reason: str


def fingerprints(company: Path) -> dict[str, str | None]:
    """Hashes of what all reports of a company share: its data, its description, this code.

    There is none of the data where they are in a database on a server: nothing tells whether they have changed.
    """
    folder, named = find_folder(company), database_named(find_folder(company))
    data = [path for path in folder.iterdir() if path.is_file() and path.name != FILE_NAME and path.name[0] != "."]
    elsewhere = [] if named is None or is_address(named) or (folder / named).parent == folder else [folder / named]
    code = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    versions = [f"{name} {_version(name)}" for name in LIBRARIES]
    return {"data": None if named and is_address(named) else _together(data, folder, map(_of_file, elsewhere)),
            "description": _of_file(folder / FILE_NAME),
            "code": _together(code, PACKAGE, [sys.version, *versions])}


def _together(paths: Iterable[Path], folder: Path, more: Iterable[str] = ()) -> str:
    lines = [f"{path.relative_to(folder).as_posix()} {_of_file(path)}" for path in sorted(paths)]
    return hashlib.sha256("\n".join([*lines, *more]).encode()).hexdigest()


def _of_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def tasks(order: Order, processes: list[str], before: dict[str, Any], prints: dict[str, str | None]) -> list[Task]:
    """Every report of the order, each with its reason to be made, as the manifest `before` and the disk have it.

    Raises `CallError` for what does not exist.
    """
    entries = {entry["report"]: entry for entry in before.get("reports", [])}
    notebooks = {}
    found = []
    for unit in planned(order, processes):
        notebooks.setdefault(unit.notebook, _of_file(unit.notebook))
        inputs = {**prints, "notebook": notebooks[unit.notebook], "parameters": _parameters(unit, order)}
        found.append(Task(unit, inputs, _reason(unit, inputs, entries.get(unit.name), order)))
    return _with_tables(found, order, before) if "xlsx" in order.formats else found


def _parameters(unit: Unit, order: Order) -> dict[str, Any]:
    """What the report is told, without directories of this machine."""
    told = {**unit.parameters, "company": next(iter(shown_names(order).values()))}
    return {**told, "cases": order.cases, "workbook": "xlsx" in order.formats}


def _reason(unit: Unit, inputs: dict[str, Any], entry: dict[str, Any] | None, order: Order) -> str:
    if entry is None:
        return message("new")
    if entry["status"] == "failed":
        return message("failed last time")
    if inputs["data"] is None:
        return message("its data are in a database, where nothing tells whether they have changed")
    known = entry.get("inputs") or {}
    changed = [name for name, value in inputs.items() if known.get(name) != value]
    if changed:
        return message("changed: {what}", what=joined((_INPUTS[name] for name in changed), ", "))
    sizes = entry.get("sizes", {})
    touched = [name for name in _wanted(unit, entry, order) if _size(order.output / name) != sizes.get(name, -1)]
    return message("missing or changed: {files}", files=", ".join(touched)) if touched else ""


def _wanted(unit: Unit, entry: dict[str, Any], order: Order) -> list[str]:
    kinds = [kind for kind in order.formats if kind != "xlsx"] + ["results.json"] if entry["status"] == "done" else ["html"]
    return [f"{unit.name}.{kind}" for kind in kinds]


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _with_tables(found: list[Task], order: Order, before: dict[str, Any]) -> list[Task]:
    """A workbook is written anew with the first of its reports; those whose tables stand nowhere else are made again."""
    done = {entry["report"] for entry in before.get("reports", []) if entry["status"] == "done"}
    books = {task.unit.folder for task in found if task.reason} | outdated_books(order, [task.unit for task in found], before)

    def settled(task: Task) -> Task:
        needed = task.unit.folder in books and task.unit.folder and task.unit.name in done and not task.reason
        if not needed or (order.output / f"{task.unit.name}.ipynb").is_file():
            return task
        return Task(task.unit, task.inputs, message("its tables are needed for tables.xlsx"))

    return [settled(task) for task in found]


def outdated_books(order: Order, units: list[Unit], before: dict[str, Any]) -> set[str]:
    """Folders of processes whose workbook is missing, or may be older than the reports since their run was cut short."""
    if "xlsx" not in order.formats:
        return set()
    done = {entry["report"] for entry in before.get("reports", []) if entry["status"] == "done"}
    folders = {unit.folder for unit in units if unit.folder and unit.name in done}
    return {folder for folder in folders if not is_finished(before) or not (order.output / folder / "tables.xlsx").is_file()}


def is_finished(manifest: dict[str, Any]) -> bool:
    """Whether the run that wrote the manifest came to its end: only then do index and workbooks belong to it."""
    return bool(manifest.get("run", {}).get("finished_at"))


def up_to_date(order: Order) -> int:
    """The number of reports if not one of them has to be made, else 0; reads no data.

    The names of the processes are those of the run before, as long as the description is the same.
    """
    before = read_manifest(order.output)
    prints = fingerprints(order.company)
    company = before.get("company", {})
    if not is_finished(before) or company.get("description") != prints["description"]:
        return 0
    found = tasks(order, company["processes"], before, prints)
    whole = all((order.output / name).is_file() for name in ("index.html", "summary.eml"))
    stale = any(task.reason for task in found) or outdated_books(order, [task.unit for task in found], before)
    return len(found) if whole and not stale else 0
