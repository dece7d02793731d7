"""Files that are whole at any moment: written under a dot name, flushed to the disk, renamed; one run at a time."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from funnel_lib.errors import CallError
from funnel_lib.language.messages import Message, message

LOCK_NAME = ".lock"
RUN_PREFIX = ".run-"


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    write_together({path: content})


def write_together(contents: dict[Path, bytes | str]) -> None:
    """Write files of one folder; where one cannot be written, all stay as they are."""
    parts = {path: path.with_name(f".{path.name}.part") for path in contents}
    folder = next(iter(contents)).parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for path, content in contents.items():
            _write(parts[path], content.encode("utf-8") if isinstance(content, str) else content)
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    _flush_folder(folder)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows cannot open a folder to flush it
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_output(output: Path, company: Path) -> None:
    """`CallError` as of `check_place`, and where the output holds the company's folder: a process may have its name."""
    check_place(output, company)
    if company.is_dir() and company.resolve().is_relative_to(output.resolve()):
        raise CallError(message("output {output} holds the company folder {company}, which is never written to; choose another "
                                "with -o", output=output, company=company))


def check_place(output: Path, company: Path) -> None:
    """`CallError` where the output cannot be a folder, or would lie inside the company's folder."""
    blocking = next((path for path in [output, *output.parents] if path.exists() and not path.is_dir()), None)
    if blocking is not None:
        raise CallError(message("output {output}: expected a folder, found the file {blocking}; choose another with -o",
                                output=output, blocking=blocking))
    folder = company.parent if company.is_file() else company
    if folder.is_dir() and output.resolve().is_relative_to(folder.resolve()):
        raise CallError(message("output {output} lies inside the company folder {company}, which is never written to; choose "
                                "another with -o", output=output, company=folder))
    existing = next(path for path in [output, *output.resolve().parents] if path.is_dir())
    if not os.access(existing, os.W_OK):
        raise CallError(message("output {output}: {existing} is not writable; choose another with -o", output=output,
                                existing=existing))


@contextmanager
def run_folder(output: Path, run_id: str) -> Iterator[Path]:
    """A fresh folder for this run's unfinished work, under the lock; both are gone afterwards.

    What a killed run left is removed. Raises `CallError` with the holder where another run is at work.
    """
    output.mkdir(parents=True, exist_ok=True)
    with _lock(output / LOCK_NAME):
        for left in output.glob(f"{RUN_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
        for left in [*output.glob(".*.part"), *output.glob("*/.*.part")]:
            left.unlink(missing_ok=True)
        folder = output / f"{RUN_PREFIX}{run_id}"
        folder.mkdir()
        try:
            yield folder.resolve()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """A lock that the system takes back when its process dies, however it dies."""
    with path.open("a+", encoding="utf-8") as stream:
        try:
            _take(stream)
        except OSError as error:
            raise CallError(message("another run is writing into {folder} ({holder}); wait for it or choose another folder with "
                                    "-o", folder=path.parent, holder=_holder(path))) from error
        stream.truncate(0)
        json.dump({"process": os.getpid(), "computer": socket.gethostname(),
                   "since": datetime.now().astimezone().isoformat(timespec="seconds")}, stream)
        stream.flush()
        yield
        stream.truncate(0)


def _take(stream: Any) -> None:
    if sys.platform == "win32":
        import msvcrt  # this system's way; the other one does not exist here

        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # this system's way; Windows does not have it

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(path: Path) -> Message:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return message("process {process} on {computer}, since {since}", process=about["process"], computer=about["computer"],
                       since=about["since"])
    except (OSError, ValueError, KeyError):
        return message("its process did not say which")
