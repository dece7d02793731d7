"""What a run is asked for; loads nothing, so that a run with nothing to do is quick."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from funnel_lib.errors import CallError
from funnel_lib.language.messages import message
from funnel_lib.report.pdf import check_available
from funnel_lib.report.units import Unit, find_notebooks, notebooks_folder, plan

# What can be asked for, and what is made where nothing is said.
KNOWN_FORMATS = ("html", "pdf", "ipynb", "xlsx")
FORMATS = ("html", "ipynb", "xlsx")
TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True)
class Order:
    """What is asked for: company, output, and how; empty `processes` and `notebooks` mean all.

    `resume` leaves out what is up to date; without `cases` tables that list leads or customers are left out.
    """

    company: Path
    output: Path
    processes: tuple[str, ...] = ()
    notebooks: tuple[str, ...] = ()
    notebooks_folder: Path | None = None
    language: str | None = None
    as_of: str | None = None
    formats: tuple[str, ...] = FORMATS
    jobs: int | None = None
    timeout: float = TIMEOUT_SECONDS
    resume: bool = False
    cases: bool = True

    @property
    def parameters(self) -> dict[str, Any]:
        """What every notebook is given."""
        return {"company": str(self.company.resolve()), "language": self.language, "as_of": self.as_of}


def planned(order: Order, processes: list[str]) -> list[Unit]:
    """The reports of the order, for the company's `processes`. Raises `CallError` for anything that does not exist."""
    for name in order.formats:
        if name not in KNOWN_FORMATS:
            raise CallError(message("format {name!r} is not available; there are {known}", name=name,
                                    known=", ".join(KNOWN_FORMATS)))
    if "pdf" in order.formats:
        check_available()
    folder = order.notebooks_folder or notebooks_folder()
    return plan(find_notebooks(folder, order.notebooks), processes, order.processes, order.parameters)


def shown_names(order: Order) -> dict[str, str]:
    """The company's directory, and what a published notebook shows for it."""
    path = order.company.resolve()
    here = Path.cwd()
    shown = path.relative_to(here).as_posix() if path.is_relative_to(here) and path != here else path.name
    return {str(path): shown}
