"""`company.yaml` and mappings: strict YAML, errors that name the place in the file."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from funnel_lib.description import CompanyDescription, in_plain_words, shown_place
from funnel_lib.errors import CallError, nearest

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
        raise CallError(f"{path}: expected keys with values, found {'nothing' if content is None else repr(content)[:60]}")
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
    from ruamel.yaml import YAML  # YAML 1.2 (`no` is a text, 12:30 too), keeps the lines, refuses a key given twice
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        text = path.read_text(encoding="utf-8-sig")
        return YAML(typ="rt").load(text)
    except UnicodeDecodeError as error:
        raise CallError(f"{path}: expected UTF-8 text, found byte {error.object[error.start]:#x} at {error.start}") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise CallError(f"{path}{place}: {(error.problem or error.context or 'not YAML').strip()}") from error
    except YAMLError as error:
        raise CallError(f"{path}: not YAML: {error}") from error
    except ValueError as error:
        raise CallError(f"{path}{_impossible_date(text)}") from error


def _impossible_date(text: str) -> str:
    """Where an unquoted date stands that no calendar has; YAML's own error does not say."""
    for number, line in enumerate(text.splitlines(), 1):
        for written in re.findall(r"\b\d{4}-\d\d?-\d\d?(?:[Tt ]+\d\d?:\d\d(?::\d\d)?)?", line.partition("#")[0]):
            try:
                dt.datetime(*[int(part) for part in re.findall(r"\d+", written)])
            except ValueError:
                return f", line {number}: expected a date such as 2026-07-01, found '{written}'"
    return ": expected a date such as 2026-07-01, found one that no calendar has"


def _plain(node: Any) -> Any:
    """ruamel's round-trip containers and scalars as Python's own."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _in_words(error: dict, content: Any, path: Path, model: type[BaseModel], how_many: int) -> str:
    """One line: file, line, place in the description, what was expected, what was found, the nearest right word."""
    place, message = in_plain_words(error)
    shown = shown_place(place) or "the file"
    line = _line_of(place, content)
    where = f"{path}, line {line}: {shown}" if line else f"{path}: {shown}"
    more = f" ({how_many - 1} more in this file)" if how_many > 1 else ""
    if error["type"] == "extra_forbidden":
        return f"{where}: this key is not known.{nearest(str(place[-1]), _known_keys(place[:-1], model))}{more}"
    if error["type"] == "missing":
        what = "one more entry" if isinstance(place[-1], int) else "this key"
        return f"{where}: {what} is required and missing{more}"
    return f"{where}: {message}{more}"


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
