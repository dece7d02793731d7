"""A copy of the notebooks to work on, and the call of JupyterLab."""

from __future__ import annotations

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import nbformat

from funnel_lib.errors import CallError
from funnel_lib.language.messages import SOURCE_LANGUAGE, message
from funnel_lib.readers.description_file import read_description
from funnel_lib.readers.place import FILE_NAME, find_folder
from funnel_lib.report.units import find_notebooks, notebooks_folder, read_notebook


def lab_command(folder: Path) -> list[str]:
    """The command that opens JupyterLab on `folder`; `CallError` where it is not installed."""
    program = shutil.which("jupyter-lab")
    if program is None or find_spec("jupyterlab") is None:
        raise CallError(message("JupyterLab is not installed here; `pip install jupyterlab` adds it"))
    return [program, str(folder)]


def copy_notebooks(folder: Path, company: Path | None, language: str | None = None) -> None:
    """Copy the project's notebooks into `folder`, set to `company`; copies that exist already stay as they are.

    Their prose is in `language`, else in the company's.
    """
    if folder.exists() and not folder.is_dir():
        raise CallError(message("{folder}: expected a folder, found a file", folder=folder))
    folder.mkdir(parents=True, exist_ok=True)
    described = read_description(find_folder(company) / FILE_NAME).language if company is not None else SOURCE_LANGUAGE
    for path in find_notebooks(notebooks_folder()):
        copy = folder / path.name
        if copy.exists():
            continue
        notebook = read_notebook(path, language or described)
        if company is not None:
            _point_at(notebook, company.resolve())
        nbformat.write(notebook, copy)


def _point_at(notebook: nbformat.NotebookNode, company: Path) -> None:
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = re.sub(r"^company\s*=\s*(\"[^\"]*\"|'[^']*')", lambda found: f"company = {str(company)!r}",
                                 cell.source, count=1, flags=re.MULTILINE)
