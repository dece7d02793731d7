"""Text files as the engine reads them: their encoding found, a copy where they are not UTF-8 with one kind of line end."""

from __future__ import annotations

import codecs
import csv
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from funnel_lib.errors import DataError
from funnel_lib.language.messages import message

_CHUNK = 1 << 20
# Bytes that are no UTF-8, as Python hands them on.
_NO_TEXT = re.compile("[\udc80-\udcff]")


def encoding_of(path: Path, said: str | None) -> tuple[str, tuple[str, ...]]:
    """The encoding: the one that was said, else by byte order mark, then UTF-8, then cp1251; and what must be said of it.

    A file of which most is UTF-8 is UTF-8 with broken bytes, whose rows are no rows: it is never read as cp1251.
    Raises `DataError` for bytes that are no text in that encoding.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", (message("not UTF-8; read as UTF-16"),)
    for candidate in [said] if said else ["utf-8", "cp1251"]:
        try:
            for _ in _chunks(path, candidate):
                pass
        except UnicodeDecodeError as error:
            if said:
                raise DataError(message("{file}: not {said} at byte {place}; correct formats.encoding", file=path.name,
                                        said=said, place=error.start)) from error
            if candidate == "utf-8" and _is_mostly_utf8(path):
                return candidate, ()
            continue
        except LookupError as error:
            raise DataError(message("{file}: formats.encoding: {said!r} is no encoding that Python knows", file=path.name,
                                    said=said)) from error
        normal = candidate.lower().replace("_", "-")
        if candidate == "cp1251" and not said:
            return candidate, (message("not UTF-8; read as cp1251"),)
        return ("utf-8" if normal in ("utf8", "utf-8", "utf-8-sig") else candidate), ()
    raise DataError(message("{file}: neither UTF-8 nor cp1251 text; say formats.encoding in company.yaml or in the mapping",
                            file=path.name))


def _chunks(path: Path, encoding: str, errors: str = "strict") -> Iterator[str]:
    with path.open(encoding=encoding, newline="", errors=errors) as text:
        while chunk := text.read(_CHUNK):
            yield chunk


def _is_mostly_utf8(path: Path) -> bool:
    """Whether more of the bytes beyond ASCII form letters of UTF-8 than do not."""
    good = broken = 0
    for chunk in _chunks(path, "utf-8", "surrogateescape"):
        wrong = len(_NO_TEXT.findall(chunk))
        broken += wrong
        # A broken byte is handed on as a letter of three bytes.
        good += len(chunk.encode("utf-8", "surrogatepass")) - 3 * wrong - sum(map(str.isascii, chunk))
    return good > broken


def recoded(path: Path, encoding: str, scratch: Path, blanks: bool = False) -> Path:
    """A UTF-8 copy; with `blanks`, runs of blanks become tabs."""
    copy = _copy_of(path, scratch, "utf8")
    with copy.open("w", encoding="utf-8", newline="") as target:
        if blanks:
            with path.open(encoding=encoding, newline="") as source:
                target.writelines(re.sub(r"\s+", "\t", line.strip()) + "\n" for line in source)
        else:
            target.writelines(_chunks(path, encoding))
    return copy


def with_one_line_end(path: Path, separator: str, scratch: Path) -> Path:
    """The UTF-8 file itself if all its lines end alike, else a copy in which every row ends with a line feed.

    What stands inside of quotes is kept as it is. A lone carriage return ends a row only where most lines do so;
    elsewhere it is a blank. The engine stops at a mixture: files put together from two systems, notes from a CRM.
    """
    returns, feeds, pairs = _line_ends(path)
    if not returns or returns == feeds == pairs:
        return path
    copy, end = _copy_of(path, scratch, "lines"), ("\r", "\n") if returns - pairs > feeds else ("\n",)
    # Broken bytes go as they came.
    with (path.open(encoding="utf-8", newline="", errors="surrogateescape") as source,
          copy.open("w", encoding="utf-8", newline="", errors="surrogateescape") as target):
        before = ""
        for row in _rows(source, separator):
            text, is_end = row.rstrip("\r\n"), row.endswith(end)
            target.write((before if text else "") + text + ("\n" if is_end else ""))
            before = "" if is_end else " "
    return copy


def _rows(lines: Iterable[str], separator: str) -> Iterator[str]:
    """The rows as they are written, with their quoted line breaks and their ends."""
    csv.field_size_limit(sys.maxsize)
    read: list[str] = []

    def watched() -> Iterator[str]:
        for line in lines:
            read.append(line)
            yield line

    for _ in csv.reader(watched(), delimiter=separator):
        yield "".join(read)
        read.clear()


def _line_ends(path: Path) -> tuple[int, int, int]:
    """How many carriage returns, line feeds, and pairs of them a file has."""
    returns = feeds = pairs = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            while chunk.endswith(b"\r") and (more := file.read(1)):
                chunk += more
            returns, feeds, pairs = returns + chunk.count(b"\r"), feeds + chunk.count(b"\n"), pairs + chunk.count(b"\r\n")
    return returns, feeds, pairs


def _copy_of(path: Path, scratch: Path, what: str) -> Path:
    return scratch / f"{path.stem}-{abs(hash(path))}.{what}.csv"
