"""What the commands say on a terminal: messages, errors and findings, each in the language of the person who called."""

from __future__ import annotations

import _thread
import atexit
import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import typer

from funnel_lib.errors import CallError, DataError, FunnelError, WriteError, said
from funnel_lib.findings import SEVERITIES, Finding
from funnel_lib.language.messages import Message, message, translate
from funnel_lib.language.words import counted
from funnel_lib.readers.place import language_of

_STOPS = (signal.SIGINT, signal.SIGTERM)
REPEAT_SECONDS = 10.0
EXIT_FAILED, EXIT_WRONG_CALL, EXIT_STOPPED = 1, 2, 130
LANGUAGES = ("en", "ru")
_CANNOT_BE_MADE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.EISDIR,
                   errno.ENAMETOOLONG}
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows has no quota


@dataclass(frozen=True)
class Voice:
    """Speaks in the language asked for, else in the company's, else in English."""

    asked: str | None = None
    company: Path | None = None

    @property
    def language(self) -> str:
        """Looked up when something is to be said: a command may have written the company meanwhile."""
        described = language_of(self.company) if self.company is not None and self.asked not in LANGUAGES else None
        return next((language for language in (self.asked, described) if language in LANGUAGES), "en")

    def tell(self, text: Message, err: bool = False) -> None:
        """One line on the output or the error stream."""
        typer.echo(printable(translate(text, self.language)), err=err)


@contextmanager
def said_plainly(verbose: bool, voice: Voice) -> Iterator[None]:
    """Errors as one line on the error stream and an exit code; the whole traceback only where it is asked for."""
    logging.basicConfig(level=logging.INFO if verbose else logging.CRITICAL, format="%(name)s: %(message)s")
    before = {number: signal.signal(number, _stop) for number in _STOPS}
    try:
        yield
    except (FunnelError, OSError) as error:
        if verbose:
            raise
        reason = " ".join(said(error, voice.language).split()) if isinstance(error, FunnelError) else _of_system(error)
        voice.tell(message("error: {reason}", reason=reason), err=True)
        raise typer.Exit(EXIT_WRONG_CALL if isinstance(error, FunnelError) and not isinstance(error, DataError | WriteError)
                         else EXIT_FAILED) from None
    except KeyboardInterrupt:
        _hear(dict.fromkeys(_STOPS, signal.SIG_IGN))
        voice.tell(message("stopped; every file written so far is whole"), err=True)
        _leave()
    finally:
        _hear(before)


def _hear(handlers: dict[int, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _leave() -> NoReturn:
    """End as after an interruption. The usual end would have DuckDB complain of its objects in a hundred lines, which the
    interruption has left alive (https://nanobind.readthedocs.io/en/latest/refleaks.html)."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_STOPPED)


def _interrupt(number: int) -> None:
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident, number)  # wakes a main thread that waits for something
    else:
        _thread.interrupt_main(number)


def _stop(number: int, frame: Any) -> None:
    """Interrupt, and again where a library has swallowed the interruption (one raised in a callback of the interpreter's is)."""
    again = threading.Timer(REPEAT_SECONDS, _interrupt, [number])
    again.daemon = True
    again.start()
    raise KeyboardInterrupt


def _of_system(error: OSError) -> str:
    named = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{named}"


@contextmanager
def writing(output: Path) -> Iterator[None]:
    """An output that cannot be made is a wrong call; a disk that fills up meanwhile is a failure."""
    try:
        yield
    except OSError as error:
        if error.errno in _CANNOT_BE_MADE:
            raise CallError(message("{output}: cannot be written here ({reason}); choose another folder", output=output,
                                    reason=error.strerror)) from error
        if error.errno in _FULL:
            raise WriteError(message("{output}: could not be written ({reason}); make room on the disk, then call this again",
                                     output=output, reason=error.strerror)) from error
        raise


def print_findings(title: str, findings: Sequence[Finding], voice: Voice) -> None:
    """The findings, the worst first: a table on a terminal, a line each in a pipe."""
    findings = sorted(findings, key=lambda found: SEVERITIES.index(found.severity))
    if not findings:
        voice.tell(message("{title}: nothing was found wrong with the data.", title=title))
    elif not sys.stdout.isatty():
        for found in findings:
            severity = counted(1, found.severity, voice.language)
            voice.tell(message("{severity}: {count} x {found}", severity=severity, count=found.count, found=found.text)
                       if found.count else message("{severity}: {found}", severity=severity, found=found.text))
    else:
        _print_table(title, findings, voice.language)


def _print_table(title: str, findings: Sequence[Finding], language: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    heads = (message("what was found"), message("where"), message("what was done"))
    table = Table("", *(translate(head, language) for head in heads), title=Text(title))
    for found in findings:
        first = found.examples[0] if found.examples else None
        where = f"{first.file}{f':{first.line}' if first.line else ''}\n{translate(first.text, language)}" if first else found.table
        table.add_row(*(Text(printable(text)) for text in (
            counted(1, found.severity, language) + (f"\n{found.count} ×" if found.count else ""),
            f"{found.table}: {translate(found.message, language)}",
            where, translate(found.action, language))))
    Console().print(table)


def printable(text: str) -> str:
    """Text from the data cannot steer the terminal."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)
