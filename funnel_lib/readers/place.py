"""Where a company's folder is; loads no engine, so that a run with nothing to do is quick."""

from __future__ import annotations

import re
from pathlib import Path

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
    """The company folder meant by a path.

    Raises `CallError` where there is none, naming the nearest folder that there is.
    """
    for candidate in [path] if path.is_absolute() else [path, PROJECT / path]:
        if (candidate / FILE_NAME).is_file():
            return candidate
    if path.is_file():
        raise CallError(
            message("{path}: expected a company folder, found a file; give its folder {folder}", path=path, folder=path.parent)
            if path.name == FILE_NAME else message("{path}: expected a company folder, found a file", path=path))
    if path.is_dir():
        raise CallError(message("{path}: no {name} in this folder; `funnel new {path}` writes one to fill in", path=path,
                                name=FILE_NAME))
    parent = path.parent if path.parent.is_dir() else Path()
    siblings = [entry.name for entry in parent.iterdir() if (entry / FILE_NAME).is_file()]
    guess = nearest(path.name, siblings)
    raise CallError(message("{path}: no such folder.{nearest}", path=path, nearest=guess) if guess else
                    message("{path}: no such folder; `funnel new {path}` makes one to fill in", path=path))
