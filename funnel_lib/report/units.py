"""Which notebook is rendered for which process, under which name, with which parameters."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import SOURCE_LANGUAGE, message, translate

if TYPE_CHECKING:
    import nbformat

NAME_LETTERS = 60
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}


@dataclass(frozen=True)
class Unit:
    """One report to make: a notebook, the process (None: the whole company), its folder, its parameters, and the language
    of its prose (empty: the company's)."""

    notebook: Path
    process: str | None
    folder: str
    parameters: dict[str, Any]
    language: str = ""

    @property
    def name(self) -> str:
        """Path of the report under the output folder, without an ending."""
        return f"{self.folder}/{self.notebook.stem}" if self.folder else self.notebook.stem


def notebooks_folder() -> Path:
    """The project's notebooks, beside the package.

    Raises `CallError` where the package was installed without them.
    """
    folder = Path(__file__).resolve().parents[2] / "notebooks"
    if not folder.is_dir():
        raise CallError(message("expected the notebooks in {folder}, found no such folder; install the project from its checkout",
                                folder=folder))
    return folder


def find_notebooks(folder: Path, wanted: Iterable[str] = ()) -> list[Path]:
    """The notebooks of a folder in order, or those named by number ("02"), name or path.

    Raises `CallError` for one that does not exist.
    """
    known = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    if not known:
        raise CallError(message("expected notebooks (*.ipynb) in {folder}, found none", folder=folder))
    wanted = list(wanted)
    return list(dict.fromkeys(_named(name, known) for name in wanted)) if wanted else known


def _named(name: str, known: list[Path]) -> Path:
    stem = name.removesuffix(".ipynb")
    for path in known:
        if stem == path.stem or (stem.isdigit() and path.stem.split("_")[0] == stem.zfill(2)):
            return path
    if name.endswith(".ipynb") and Path(name).is_file():
        return Path(name).resolve()
    stems = [path.stem for path in known]
    guess = nearest(stem, [*stems, *(text.split("_", 1)[-1] for text in stems)])
    raise CallError(message("notebook {name!r} does not exist; there are {known}.{nearest}", name=name, known=", ".join(stems),
                            nearest=guess))


def declared_parameters(notebook: Path) -> dict[str, Any]:
    """Names and defaults in the cell tagged `parameters`.

    Raises `CallError` where the file is no notebook, has no such cell, or the cell holds more than literals.
    """
    for cell in _cells(notebook):
        if cell["cell_type"] == "code" and "parameters" in cell["metadata"].get("tags", []):
            return _literals("".join(cell["source"]), notebook)
    raise CallError(message("{notebook}: expected a cell tagged 'parameters', found none; its values would be ignored",
                            notebook=notebook.name))


def _cells(notebook: Path) -> list[dict[str, Any]]:
    """The cells; a notebook of the present format is read as the JSON it is, others by the library for it."""
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
        if content["nbformat"] == 4 and all({"cell_type", "metadata", "source"} <= cell.keys() for cell in content["cells"]):
            return content["cells"]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass  # said with its reason by the library
    return read_notebook(notebook).cells


def read_notebook(notebook: Path, language: str = SOURCE_LANGUAGE) -> nbformat.NotebookNode:
    """The notebook in the present format, its prose in `language` as far as the catalogs have it: that of a user's own
    notebook stays as it is. `CallError` where the file is none.
    """
    import nbformat  # takes two seconds: only where a notebook is run or written

    try:
        found = nbformat.read(notebook, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise CallError(message("{notebook}: expected a Jupyter notebook, found something else ({reason})",
                                notebook=notebook.name, reason=str(error).splitlines()[0][:80])) from error
    for cell in found.cells:
        if cell.cell_type == "markdown":
            cell.source = translate(cell.source, language)
    return found


def _literals(source: str, notebook: Path) -> dict[str, Any]:
    found = {}
    try:
        for line in ast.parse(source).body:
            targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
            for target in targets:
                found[target.id] = ast.literal_eval(line.value)
    except (SyntaxError, ValueError, AttributeError) as error:
        raise CallError(message("{notebook}: the cell tagged 'parameters' must hold plain values only, one `name = value` a line",
                                notebook=notebook.name)) from error
    return found


def plan(notebooks: Iterable[Path], all_processes: list[str], chosen: Iterable[str],
         parameters: dict[str, Any]) -> list[Unit]:
    """Every report to make: a notebook with the parameter `process` once for each process, others once.

    `parameters` are given to every notebook; those that are None stay at the notebook's default. Folder names are made
    over all processes of the company, so that they do not depend on which are chosen. Raises `CallError` for a process
    that the company does not have and for a parameter that a notebook does not declare.
    """
    chosen = list(dict.fromkeys(chosen)) or all_processes
    for name in chosen:
        if name not in all_processes:
            raise CallError(message("process {name!r} is not described in company.yaml; there are {known}.{nearest}", name=name,
                                    known=", ".join(all_processes), nearest=nearest(name, all_processes)))
    folders = folder_names(all_processes)
    given = {key: value for key, value in parameters.items() if value is not None}
    units = []
    for notebook in notebooks:
        declared = declared_parameters(notebook)
        check_parameters(given, declared, notebook)
        language = str({**declared, **given}.get("language") or "")
        if "process" in declared:
            units += [Unit(notebook, name, folders[name], {**given, "process": name}, language) for name in chosen]
        else:
            units.append(Unit(notebook, None, "", dict(given), language))
    return sorted(units, key=lambda unit: (unit.process is not None, _place(unit, all_processes), unit.notebook.name))


def _place(unit: Unit, processes: list[str]) -> int:
    return processes.index(unit.process) if unit.process is not None else -1


def check_parameters(given: dict[str, Any], declared: dict[str, Any], notebook: Path) -> None:
    """Only declared names and plain values reach a notebook: papermill would paste anything else into a cell."""
    for name, value in given.items():
        if name not in declared:
            raise CallError(message("{notebook}: parameter {name!r} does not exist; there are {known}.{nearest}",
                                    notebook=notebook.name, name=name, known=", ".join(declared), nearest=nearest(name, declared)))
        if not isinstance(value, str | int | float | bool | list | dict | None):
            raise CallError(message("{notebook}: parameter {name!r} must be a plain value, found a {kind}",
                                    notebook=notebook.name, name=name, kind=type(value).__name__))


def folder_names(names: Iterable[str]) -> dict[str, str]:
    """A safe file name for each name, unique also where the file system ignores case; nice names stay as they are.

    >>> folder_names(["retail", "../../x", "CON"])["retail"]
    'retail'
    """
    names = list(dict.fromkeys(names))
    slugs = {name: _slug(name) for name in names}
    taken = [slug.casefold() for slug in slugs.values()]
    return {name: slug if slug == name and taken.count(slug.casefold()) == 1 else f"{slug}-{_mark(name)}"
            for name, slug in slugs.items()}


def _slug(name: str) -> str:
    text = unicodedata.normalize("NFC", name)
    text = re.sub(r"[^\w-]+", "-", text).strip("-_")[:NAME_LETTERS].strip("-_")
    text = text.encode("utf-8")[:120].decode("utf-8", "ignore")
    return f"process-{text}" if not text or text.casefold() in RESERVED else text


def _mark(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
