"""Where a company's folder is; loads no engine, so that a run with nothing to do is quick."""

from __future__ import annotations

import re
from pathlib import Path

from funnel_lib.address import DATABASE_FILE, EXAMPLE, is_address, looks_like_address
from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import message

FILE_NAME = "company.yaml"
PROJECT = Path(__file__).resolve().parents[2]


def language_of(path: Path) -> str | None:
    """The language that a company's description names, as far as a glance tells: the file may be broken, or not there."""
    try:
        text = (find_folder(path) / FILE_NAME).read_text(encoding="utf-8", errors="replace")
    except (CallError, OSError):
        return None
    found = re.search(r"""^language:[ ]*["']?(\w+)""", text, flags=re.MULTILINE)
    return found[1] if found else None


def find_folder(path: Path) -> Path:
    """The company folder meant by a path; errors as in `find_company`."""
    found = find_company(path)
    return found.parent if found.is_file() else found


def find_company(path: Path) -> Path:
    """The company meant by a path: its folder, or a DuckDB file beside a description that names no database.

    Raises `CallError` where there is none, naming the nearest folder that there is.
    """
    for candidate in [path] if path.is_absolute() else [path, PROJECT / path]:
        if (candidate / FILE_NAME).is_file():
            return candidate
        if candidate.suffix == DATABASE_FILE and candidate.is_file():
            return _beside_its_description(candidate)
    if looks_like_address(str(path)):
        raise CallError(message("the address of a database does not describe a company; give a folder whose {name} has it, as "
                                "in database: {example}; `funnel new mycompany` makes one to fill in", name=FILE_NAME,
                                example=EXAMPLE))
    if path.is_file():
        raise CallError(
            message("{path}: expected a company folder, found a file; give its folder {folder}", path=path, folder=path.parent)
            if path.name == FILE_NAME else message("{path}: expected a company folder, found a file", path=path))
    if path.is_dir():
        raise CallError(message("{path}: no {name} in this folder; `funnel new {path}` writes one to fill in", path=path,
                                name=FILE_NAME))
    parent = path.parent if path.parent.is_dir() else Path()
    if path.suffix == DATABASE_FILE:
        raise CallError(message("{path}: no such file.{nearest}", path=path,
                                nearest=nearest(path.name, (entry.name for entry in parent.glob(f"*{DATABASE_FILE}")))))
    siblings = [entry.name for entry in parent.iterdir() if (entry / FILE_NAME).is_file()]
    guess = nearest(path.name, siblings)
    raise CallError(message("{path}: no such folder.{nearest}", path=path, nearest=guess) if guess else
                    message("{path}: no such folder; `funnel new {path}` makes one to fill in", path=path))


def _beside_its_description(file: Path) -> Path:
    if not (file.parent / FILE_NAME).is_file():
        raise CallError(message("{path}: there is no {name} beside this file, to describe the company; `funnel new mycompany` "
                                "writes one to fill in and to put there", path=file, name=FILE_NAME))
    named = database_named(file.parent)
    if named is None:
        return file
    if is_address(named) or (file.parent / named).resolve() != file.resolve():
        raise CallError(message("{path}: {name} beside it names another database; give the folder {folder} to read that one, or "
                                "change database: in {name}", path=file, name=FILE_NAME, folder=file.parent))
    return file.parent


def database_named(folder: Path) -> str | None:
    """What the description of this company has under `database:`; a broken one says nothing, its reader says why."""
    text = (folder / FILE_NAME).read_text(encoding="utf-8-sig", errors="replace")
    if "database" not in text:
        return None
    from ruamel.yaml import YAML  # loaded here: only companies in databases pay for it
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError):
        return None
    named = content.get("database") if isinstance(content, dict) else None
    return named if isinstance(named, str) else None
