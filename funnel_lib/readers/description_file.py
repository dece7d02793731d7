"""`company.yaml` and mappings: strict YAML, errors that name the place in the file."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from funnel_lib.description import CompanyDescription, in_plain_words, shown_place
from funnel_lib.errors import CallError, nearest
from funnel_lib.language.messages import Message, marked, message, plural
from funnel_lib.readers import as_written

Model = TypeVar("Model", bound=BaseModel)


def read_description(path: Path) -> CompanyDescription:
    """The description in this file.

    Raises `CallError` with the line and the place for what is not YAML, an unknown key or a value of a wrong kind.
    """
    return read_yaml(path, CompanyDescription)


def read_yaml(path: Path, model: type[Model]) -> Model:
    """A YAML file as an instance of `model`, errors as in `read_description`."""
    content = _load(path)
    if not isinstance(content, dict):
        raise CallError(message("{path}: expected keys with values, found {found}", path=path,
                                found=message("nothing") if content is None else repr(content)[:60]))
    try:
        return model.model_validate(_plain(content), context={"is_file": True})
    except ValidationError as error:
        raise CallError(_in_words(_foremost(error.errors()), content, path, model, len(_places(error)))) from error


def _foremost(errors: list) -> dict:
    """The error to name: a mistyped key rather than the required one that is missing because of it."""
    mistyped = [error for error in errors if error["type"] == "extra_forbidden"]
    return mistyped[0] if mistyped and errors[0]["type"] == "missing" else errors[0]


def _places(error: ValidationError) -> set[tuple]:
    """The places that have errors: a value may be wrong in several ways."""
    return {tuple(in_plain_words(part)[0]) for part in error.errors()}


def _load(path: Path) -> Any:
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        text = path.read_text(encoding="utf-8-sig")
        return as_written.reader().load(text)
    except UnicodeDecodeError as error:
        raise CallError(message("{path}: expected UTF-8 text, found byte {byte:#x} at {place}", path=path,
                                byte=error.object[error.start], place=error.start)) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = _problem((error.problem or error.context or "not YAML").strip())
        raise CallError(message("{path}, line {line}, column {column}: {problem}", path=path, line=mark.line + 1,
                                column=mark.column + 1, problem=problem) if mark else
                        message("{path}: {problem}", path=path, problem=problem)) from error
    except YAMLError as error:
        raise CallError(message("{path}: not YAML: {error}", path=path, error=str(error))) from error
    except RecursionError as error:
        raise CallError(message("{path}: brackets or lists inside one another, too deep to be read", path=path)) from error
    except ValueError as error:
        raise CallError(_impossible_date(path, text)) from error


# What YAML's reader says of the commonest slips, so that it can be said in other languages.
_PROBLEMS = (marked("not YAML"), marked("mapping values are not allowed here"), marked("could not find expected ':'"),
             marked("found unexpected end of stream"), marked("expected <block end>, but found '<scalar>'"),
             marked("expected <block end>, but found '<block mapping start>'"), marked("expected <block end>, but found ','"),
             marked("expected <block end>, but found '-'"), marked("found character '\\t' that cannot start any token"))


def _problem(text: str) -> Message:
    twice = re.fullmatch(r'found duplicate key "(.*)" with value "(.*)" \(original value: "(.*)"\)', text, re.DOTALL)
    if twice and "://" in text:  # may be an address with a password
        return message('found duplicate key "{key}"', key=twice[1])
    if twice:
        return message('found duplicate key "{key}" with value "{value}" (original value: "{first}")', key=twice[1], value=twice[2],
                       first=twice[3])
    unended = re.fullmatch(r"expected ',' or '(.)', but got '(.+)'", text)
    return message("expected ',' or {end!r}, but got {found!r}", end=unended[1], found=unended[2]) if unended else message(text)


def _impossible_date(path: Path, text: str) -> Message:
    """Where an unquoted date stands that no calendar has; YAML's own error does not say."""
    for number, line in enumerate(text.splitlines(), 1):
        for written in re.findall(r"\b\d{4}-\d\d?-\d\d?(?:[Tt ]+\d\d?:\d\d(?::\d\d)?)?", line.partition("#")[0]):
            try:
                dt.datetime(*[int(part) for part in re.findall(r"\d+", written)])
            except ValueError:
                return message("{path}, line {line}: expected a date such as 2026-07-01, found {written!r}", path=path,
                               line=number, written=written)
    return message("{path}: expected a date such as 2026-07-01, found one that no calendar has", path=path)


def _plain(node: Any) -> Any:
    """ruamel's round-trip containers and scalars as Python's own."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind) and not hasattr(node, "written"):
            return kind(node)
    return node


def _in_words(error: dict, content: Any, path: Path, model: type[BaseModel], how_many: int) -> Message:
    """One line: file, line, place in the description, what was expected, what was found, the nearest right word."""
    place, what = in_plain_words(error)
    shown = shown_place(place) or message("the file")
    line, more = _line_of(place, content), how_many - 1
    where = (message("{path}, line {line}: {place}", path=path, line=line, place=shown) if line else
             message("{path}: {place}", path=path, place=shown))
    if error["type"] == "extra_forbidden":
        what = message("this key is not known.{nearest}", nearest=nearest(str(place[-1]), _known_keys(place[:-1], model)))
    if error["type"] == "missing" and isinstance(place[-1], int):
        what = message("one more entry is required and missing")
    return (plural(more, "{where}: {what} ({more} more in this file)", "{where}: {what} ({more} more in this file)", where=where,
                   what=what, more=more) if more else message("{where}: {what}", where=where, what=what))


def _line_of(place: list, content: Any) -> int | None:
    """The line of the deepest key of `place` that exists in the file."""
    node, line = content, None
    for part in place:
        try:
            position = node.lc.key(part) if isinstance(node, dict) else node.lc.item(part)
            line, node = position[0] + 1, node[part]
        except (KeyError, IndexError, AttributeError, TypeError):
            break
    return line


def _known_keys(place: list, model: type[BaseModel]) -> list[str]:
    """Keys that may stand at this place."""
    for part in place:
        if not isinstance(part, str) or part not in model.model_fields:
            continue  # a key of the user's or a position: the model is the one found before
        inner = _model_inside(model.model_fields[part].annotation)
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in reversed(getattr(annotation, "__args__", ())):
        found = _model_inside(argument)
        if found:
            return found
    return None
