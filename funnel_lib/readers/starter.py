"""A company folder to fill in: a commented `company.yaml` and empty tables with their headings."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import get_args

from funnel_lib.description import Language
from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import message
from funnel_lib.readers.place import FILE_NAME
from funnel_lib.readers.table_file import READERS
from funnel_lib.schema import TABLES

_TEMPLATES = Path(__file__).parent / "starter"


def write_starter(folder: str | Path, language: str = "en") -> list[Path]:
    """Write a folder to fill in and return its files; `language` is that of the comments and of the reports.

    Raises `CallError` for a language that there is not, for a file in the folder's place and for a folder that holds a
    company or one of its tables already.
    """
    folder = Path(folder)
    if language not in get_args(Language):
        raise CallError(message("language {language!r}: expected one of {known}.{nearest}", language=language,
                                known=", ".join(get_args(Language)), nearest=nearest(language, get_args(Language))))
    if folder.exists() and not folder.is_dir():
        raise CallError(message("{folder}: expected a folder, found a file", folder=folder))
    names = [FILE_NAME, *(f"{table}{ending}" for table in TABLES for ending in READERS)]
    present = [name for name in names if (folder / name).exists()]
    if present:
        raise CallError(message("{folder}: {name} is there already; give a new folder, nothing was changed", folder=folder,
                                name=present[0]))
    # So written a spreadsheet program of that language opens the table with its columns and letters in place.
    separator = ";" if language == "ru" else ","
    texts = {f"{name}.csv": "\ufeff" + separator.join(table.column_names) + "\n" for name, table in TABLES.items()}
    texts[FILE_NAME] = (_TEMPLATES / f"company.{language}.yaml").read_text(encoding="utf-8")
    return _write(folder, texts)


def _write(folder: Path, texts: dict[str, str]) -> list[Path]:
    """Every file whole or not at all, the description last."""
    folder.mkdir(parents=True, exist_ok=True)
    hidden = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        for name, text in texts.items():
            (hidden / name).write_text(text, encoding="utf-8")
        return [(hidden / name).replace(folder / name) for name in texts]
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
