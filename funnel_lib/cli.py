"""The command line: report, check, demo, new, import, measures, lab."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import message, plural, translate
from funnel_lib.report.terminal import EXIT_FAILED, LANGUAGES, Voice, print_findings, said_plainly, writing

if TYPE_CHECKING:
    from funnel_lib.company import Company
    from funnel_lib.report.order import Order

# Commands import what they need where they need it: `funnel --help` must not wait for pandas.

app = typer.Typer(help="Sales processes measured: one report per process, from a folder of tables.", add_completion=False,
                  no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
DESCRIPTION = "company.yaml"

CompanyPath = Annotated[Path, typer.Argument(metavar="COMPANY", help="Folder with company.yaml and the tables, or a DuckDB file "
                                                                     "with the tables beside company.yaml.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show tracebacks and the log.")]
Language = Annotated[str | None, typer.Option(callback=lambda given: given and given.lower(),
                                                  help="ru or en; default: the company's.")]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="Observation ends before this day.")]


def _tell_version(asked: bool) -> None:
    if asked:
        from funnel_lib import __version__

        typer.echo(f"funnel {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Show the version.")] = False,
) -> None:
    """What can be asked for without a command."""


@app.command()
def report(
    company: CompanyPath,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the reports.")] = Path("reports"),
    process: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this process; may be repeated.")] = None,
    notebook: Annotated[list[str] | None, typer.Option(metavar="02", help="Only this notebook; may be repeated.")] = None,
    language: Language = None,
    format: Annotated[str, typer.Option(metavar="LIST", help="html, pdf, ipynb, xlsx, separated by commas.")] = "html,ipynb,xlsx",
    jobs: Annotated[int | None, typer.Option(min=1, help="Reports at a time; default: one per core.")] = None,
    as_of: AsOf = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds allowed for one report.")] = 600,
    resume: Annotated[bool, typer.Option("--resume", help="Make only what is missing or out of date.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be made, and why; write nothing.")] = False,
    cases: Annotated[bool, typer.Option(" /--no-cases", help="Leave out tables that list leads or customers.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Tell of the run in lines of JSON.")] = False,
    verbose: Verbose = False,
) -> None:
    """Render every notebook for every process into HTML, notebooks and Excel, with an index."""
    voice = Voice(language, company)
    with said_plainly(verbose, voice):
        from funnel_lib.report.order import Order

        order = Order(_found(company), output, tuple(process or ()), tuple(notebook or ()), language=_known_language(language),
                      as_of=_day(as_of), formats=_formats(format), jobs=jobs, timeout=timeout, resume=resume, cases=cases)
        if dry_run:
            _tell_what_would_be_made(order, as_json, voice)
        else:
            raise typer.Exit(_make(order, as_json, verbose, voice))


def _make(order: Order, as_json: bool, verbose: bool, voice: Voice) -> int:
    """Make the reports of the order, unless all are up to date; gives the exit code."""
    from funnel_lib.report import freshness
    from funnel_lib.report.progress import heard
    from funnel_lib.report.publish import check_output

    check_output(order.output, order.company)
    started = time.monotonic()
    kept = freshness.up_to_date(order) if order.resume else 0
    if kept:
        _tell_the_end(order, as_json, {"made": 0, "failed": 0, "kept": kept, "lost": 0}, started, voice)
        return 0
    from funnel_lib.report.kernels import Nursery
    from funnel_lib.report.order import planned

    planned(order, _described(order.company))
    prints = freshness.fingerprints(order.company)
    # From here on the engine and the notebooks' libraries are needed: the parent of kernels loads them meanwhile.
    with writing(Path(tempfile.gettempdir())):
        nursery = Nursery()
    with closing(nursery):
        from funnel_lib.report import batch

        read = _read(order.company, order.as_of, order.language)
        with writing(order.output), heard(as_json, verbose, voice.language) as listener:
            outcome = batch.run(order, read, listener.start, listener.result, prints, nursery)
    failed = sum(result.status == "failed" for result in outcome.results)
    _tell_the_end(order, as_json, {"made": len(outcome.results) - failed, "failed": failed, "kept": outcome.kept_count,
                                   "lost": sum(len(result.lost) for result in outcome.results)}, started, voice)
    return outcome.exit_code


def _tell_the_end(order: Order, as_json: bool, counts: dict[str, int], started: float, voice: Voice) -> None:
    from funnel_lib.report.progress import log_event

    seconds, place = time.monotonic() - started, order.output / "index.html"
    if as_json:
        log_event("end", **counts, seconds=round(seconds, 1), index=str(place),
                  exit_code=int(counts["failed"] + counts["lost"] > 0))
        return
    values = {**counts, "all": counts["made"] + counts["failed"], "seconds": round(seconds), "place": place}
    if counts["kept"]:
        voice.tell(plural(values["all"], "{made} of {all} report made, {kept} up to date in {seconds} s: {place}",
                          "{made} of {all} reports made, {kept} up to date in {seconds} s: {place}", **values))
    else:
        voice.tell(plural(values["all"], "{made} of {all} report made in {seconds} s: {place}",
                          "{made} of {all} reports made in {seconds} s: {place}", **values))
    if counts["failed"]:
        voice.tell(plural(counts["failed"], "{failed} failed; the index says why.", "{failed} failed; the index says why.",
                          failed=counts["failed"]), err=True)


def _tell_what_would_be_made(order: Order, as_json: bool, voice: Voice) -> None:
    """One line per report: made or kept, and why. Reads the description and the manifest, never the data's contents."""
    from funnel_lib.report import freshness
    from funnel_lib.report.manifest import read_manifest
    from funnel_lib.report.progress import log_event
    from funnel_lib.report.publish import check_output

    check_output(order.output, order.company)
    processes, prints = _described(order.company), freshness.fingerprints(order.company)
    for task in freshness.tasks(order, processes, read_manifest(order.output), prints):
        made = bool(task.reason) or not order.resume
        why = task.reason or (message("up to date") if order.resume else message("up to date; --resume would keep it"))
        if as_json:
            log_event("plan", report=task.unit.name, action="make" if made else "keep", why=translate(why, voice.language))
        else:
            voice.tell(message("make {report}: {why}", report=task.unit.name, why=why) if made else
                       message("keep {report}: {why}", report=task.unit.name, why=why))


@app.command()
def check(
    company: CompanyPath,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the findings as a page, too.")] = None,
    language: Language = None,
    as_of: AsOf = None,
    verbose: Verbose = False,
) -> None:
    """Read a company and list what was found in its data; exit 1 if there are errors."""
    voice = Voice(language, company)
    with said_plainly(verbose, voice):
        company = _found(company)
        if html is not None:
            _check_page(html, company)
        read = _read(company, _day(as_of), _known_language(language))
        print_findings(read.name, read.findings, voice)
        if html is not None:
            with writing(html):
                _write_findings(read, html)
        errors = any(found.severity == "error" for found in read.findings)
        raise typer.Exit(EXIT_FAILED if errors else 0)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write the company into.")],
    seed: Annotated[int | None, typer.Option(help="Another company with the same truth.")] = None,
    leads: Annotated[int | None, typer.Option(min=1, help="Number of leads, over all processes.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Number of processes.")] = None,
    verbose: Verbose = False,
) -> None:
    """Write a demonstration company whose true rates are known."""
    voice = Voice()
    with said_plainly(verbose, voice):
        from funnel_lib import simulate

        _must_be_free(folder)
        given = {"seed": seed, "leads": leads, "processes": processes}
        made = simulate.make_company(**{key: value for key, value in given.items() if value is not None})
        with writing(folder):
            simulate.write_company(made, folder)
        voice.tell(message("wrote {folder}; next: funnel report {folder}", folder=folder))


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")],
    language: Language = None,
    verbose: Verbose = False,
) -> None:
    """Write a commented company.yaml and empty tables to fill in."""
    voice = Voice(language)
    with said_plainly(verbose, voice):
        from funnel_lib.readers import starter

        _must_be_free(folder)
        with writing(folder):
            starter.write_starter(folder, _known_language(language) or "en")
        voice.tell(message("wrote {folder}; fill in company.yaml and the tables, then: funnel check {folder}", folder=folder))


@app.command("import")
def import_(
    preset: Annotated[str, typer.Argument(metavar="PRESET", help="bitrix24, or a mapping.yaml.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="The exported files.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="COMPANY", help="Folder of the new company.")],
    replace: Annotated[bool, typer.Option("--replace", help="Write tables anew that are in the folder already.")] = False,
    language: Language = None,
    verbose: Verbose = False,
) -> None:
    """Turn an export into a company folder with a drafted company.yaml."""
    voice = Voice(language, output)
    with said_plainly(verbose, voice):
        from funnel_lib.readers import importing

        missing = [path for path in files if not path.exists()]
        if missing:
            raise _no_such_file(missing[0])
        if not (output / DESCRIPTION).is_file():  # a company may be given newer tables; its description is kept
            _must_be_free(output)
        with writing(output):
            result = importing.import_files(preset, files, output, language=_known_language(language), replace=replace)
        print_findings(output.name, result.findings, voice)
        if result.replaced:
            voice.tell(message("replaced: {tables}", tables=", ".join(result.replaced)))
        values = {"output": output, "kept": DESCRIPTION, "draft": result.description.name}
        voice.tell(message("wrote {output} ({kept} is kept as it was); look through {draft}, then: funnel check {output}", **values)
                   if result.kept_description else
                   message("wrote {output}; look through {draft}, then: funnel check {output}", **values))


@app.command()
def measures(
    company: CompanyPath,
    process: Annotated[str | None, typer.Option(metavar="NAME", help="Which process; default: the first one.")] = None,
    language: Language = None,
    verbose: Verbose = False,
) -> None:
    """Print typical measures for a process, to copy into company.yaml; every effect is an assumption."""
    with said_plainly(verbose, Voice(language, company)):
        from funnel_lib.improvement.catalogue import catalogue_text

        read = _read(_found(company), None, _known_language(language))
        typer.echo(catalogue_text(read.process(process or read.process_names[0])), nl=False)


@app.command()
def lab(
    company: Annotated[Path | None, typer.Argument(metavar="[COMPANY]", help="Company the notebooks start with.")] = None,
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Folder of your copies.")] = Path("notebooks-copy"),
    language: Language = None,
    verbose: Verbose = False,
) -> None:
    """Open JupyterLab on a copy of the notebooks; the originals stay as they are."""
    voice = Voice(company=company)
    with said_plainly(verbose, voice):
        from funnel_lib.report.workbench import copy_notebooks, lab_command

        if company is not None:
            company = _found(company)
        command = lab_command(folder)
        copy_notebooks(folder, company, _known_language(language))
        voice.tell(message("your copies are in {folder}", folder=folder))
        sys.stdout.flush()
        os.execvp(command[0], command)


def _read(path: Path, as_of: str | None, language: str | None) -> Company:
    from funnel_lib import read_company

    return read_company(path, as_of=as_of, language=language)


def _described(company: Path) -> list[str]:
    """The names of the processes, without reading the data: a slip in a call is told at once."""
    from funnel_lib.readers.description_file import read_description
    from funnel_lib.readers.place import FILE_NAME, find_folder

    return list(read_description(find_folder(company) / FILE_NAME).processes)


def _found(path: Path) -> Path:
    from funnel_lib.readers.place import find_company

    return find_company(path)


def _no_such_file(path: Path) -> CallError:
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    return CallError(message("{path}: no such file.{nearest}", path=path, nearest=nearest(path.name, names)))


def _must_be_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise CallError(message("{folder}: expected a folder, found a file", folder=folder))
    if folder.is_dir() and any(folder.iterdir()):
        raise CallError(message("{folder}: is not empty; choose a new folder, nothing is overwritten", folder=folder))


def _known_language(language: str | None) -> str | None:
    if language is not None and language not in LANGUAGES:
        first, last = LANGUAGES
        raise CallError(message("--language: expected {first} or {last}, found {language!r}", first=first, last=last,
                                language=language))
    return language


def _formats(text: str) -> tuple[str, ...]:
    from funnel_lib.report.order import KNOWN_FORMATS

    there = ", ".join(KNOWN_FORMATS)
    found = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    for name in found:
        if name not in KNOWN_FORMATS:
            raise CallError(message("--format: {name!r} is not available; there are {known}.{nearest}", name=name, known=there,
                                    nearest=nearest(name, KNOWN_FORMATS)))
    if not found:
        raise CallError(message("--format: expected one or more of {known}, found nothing", known=there))
    return found


def _day(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).isoformat().removesuffix("T00:00:00")
    except ValueError:
        raise CallError(message("--as-of: expected a date such as 2026-07-01, found {text!r}", text=text)) from None


def _check_page(path: Path, company: Path) -> None:
    from funnel_lib.report.publish import check_place

    if path.is_dir():
        raise CallError(message("--html: expected a file, found the folder {path}", path=path))
    check_place(path.absolute().parent, company)


def _write_findings(company: Company, path: Path) -> None:
    from funnel_lib.report.index import findings_page
    from funnel_lib.report.publish import write_whole

    write_whole(path, findings_page(company))


if __name__ == "__main__":
    app()
