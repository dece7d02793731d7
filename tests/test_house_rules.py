"""The written rules of the house, held against the code, the notebooks and the files of the set-up."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "funnel_lib"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))

# Rooms of the house, by floor: an import goes to the same floor or further down.
FLOORS = [
    {"language", "colours"},
    {"errors", "address", "schema", "rates", "periods", "glossary", "glossary_terms", "survival", "about", "engine", "frames", "lifetime", "pooling", "limits",
     "working_time"},
    {"description", "findings", "checks", "company", "readers", "journeys", "new_leads", "customers", "cards", "last_year", "staffing", "labour",
     "stage_costs"},
    {"lead_flow", "conversion", "loyalty", "efficiency"},
    {"improvement", "overview", "answers"},
]
# Rooms apart, and the rooms that each may know.
APART = {
    "charts": {"about", "colours", "glossary", "language", "pooling", "rates", "schema"},
    "pages": {"about", "description", "errors", "findings", "glossary", "language", "checks", "rates"},
    "report": {"about", "address", "colours", "company", "description", "errors", "findings", "glossary", "language", "pages", "readers", "schema"},
    "simulate": set(),
    "training": {"simulate", "language"},
}
DOORS = {"cli", "__main__", ""}


def room(path: Path) -> str:
    """The top-level module or folder that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py").replace("__init__", "")


def imports_of(tree: ast.AST) -> set[str]:
    """Names of this package's rooms that the code imports."""
    rooms = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "funnel_lib":
            parts = node.module.split(".")
            rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            rooms |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("funnel_lib.")}
    return rooms


def floor_of(name: str) -> int | None:
    return next((number for number, rooms in enumerate(FLOORS) if name in rooms), None)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_go_one_way(path):
    here = room(path)
    if here in DOORS:
        return
    for name in imports_of(ast.parse(path.read_text(encoding="utf-8"))) - {here, "__version__"}:
        if here in APART:
            assert name in APART[here], f"{here} must not know {name}"
        else:
            floor = floor_of(here)
            assert floor is not None, f"{here} has no floor yet: give it one in FLOORS"
            below = set().union(*FLOORS[:floor + 1])
            assert name in below, f"{here} (floor {floor}) must not know {name}"


def test_no_circles_between_rooms():
    arrows = {}
    for path in MODULES:
        arrows.setdefault(room(path), set()).update(imports_of(ast.parse(path.read_text(encoding="utf-8"))) - {room(path)})
    for start in arrows:
        seen, ways = set(), list(arrows[start])
        while ways:
            name = ways.pop()
            assert name != start, f"{start} comes back to itself by imports"
            if name not in seen:
                seen.add(name)
                ways += arrows.get(name, [])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_say_what_they_are_and_hide_no_imports(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the first line of a file is its purpose"
    assert path.stem not in {"utils", "helpers", "common", "misc", "tools"}
    public = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"]
    assert not [node.name for node in public if not ast.get_docstring(node)], "public names have a docstring"
    if path.name == "cli.py":
        return  # commands load what they need: `funnel --help` must be quick
    lines = path.read_text(encoding="utf-8").splitlines()
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom) and imports_of(node):
                assert "#" in lines[node.lineno - 1], f"{function.name}: an import of ours inside a function says why"


MEASURING = FLOORS[3] | FLOORS[4] | {"cards", "last_year", "staffing", "customers", "journeys", "new_leads"}


@pytest.mark.parametrize("path", [path for path in MODULES if room(path) in MEASURING],
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_totals_are_divided_by_rate_and_ratio_only(path):
    """A measure divides with / only by a number, a constant or the minor units of the currency."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            by = node.right
            allowed = (isinstance(by, ast.Constant) or (isinstance(by, ast.Name) and by.id.isupper())
                       or (isinstance(by, ast.Attribute) and (by.attr == "minor_units" or by.attr.isupper())))
            assert allowed, f"line {node.lineno}: {ast.unparse(node)}: use rate() or ratio()"


# -- notebooks ---------------------------------------------------------------------------------------------------------


def cells(path: Path, kind: str) -> list[dict]:
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


FORBIDDEN = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.Try, ast.Lambda)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_has_its_roles(path):
    code, prose = cells(path, "code"), cells(path, "markdown")
    assert 15 <= len(code) + len(prose) <= 45
    everything = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert everything[0]["cell_type"] == "markdown" and source(everything[0]).startswith("# ")
    assert [tags(cell) for cell in code].count(["parameters"]) == 1 and tags(code[0]) == ["parameters"]
    assert sum("answer" in tags(cell) for cell in code) == 1
    assert tags(code[-1]) == ["report-complete"] and everything[-1] == code[-1]
    assert len({cell["id"] for cell in everything}) == len(everything)
    # nbval runs cells without a history, where a closing semicolon hides nothing; tables are what it compares.
    assert all(source(cell).endswith(";") == ("nbval-ignore-output" in tags(cell)) for cell in code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_code_only_calls(path):
    for cell in cells(path, "code"):
        text = source(cell)
        assert len(text.splitlines()) <= 12
        tree = ast.parse(text)
        found = [type(node).__name__ for node in ast.walk(tree) if isinstance(node, FORBIDDEN)]
        assert not found, f"{found} in: {text}"
        divisions = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
        assert not divisions, text
        assert not re.search(r"import \*|sys\.path|^!|^%|https?://|now\(\)|today\(\)|/home/|[A-Z]:\\\\", text, re.M), text
        if "parameters" in tags(cell):
            for node in tree.body:
                assert isinstance(node, ast.Assign), text
                ast.literal_eval(node.value)
            assert all("#" in line for line in text.splitlines()), "each parameter has its meaning as a comment"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_executed_and_clean(path):
    outputs = []
    for cell in cells(path, "code"):
        assert cell["execution_count"] is not None, "not executed: its outputs are what a reader sees first"
        outputs += cell["outputs"]
    text = json.dumps(outputs, ensure_ascii=False)
    for mark in ("Traceback (most recent", "Warning:", " object at 0x", ">nan<", ">inf<", ">NaN<", ">None<", "stderr"):
        assert mark not in text, mark
    shown = [name for output in outputs for name in output.get("data", {})]
    assert "application/vnd.funnel.answer+json" in shown and "application/vnd.funnel.complete+json" in shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_prose_states_no_values(path):
    for cell in cells(path, "markdown"):
        for line in source(cell).splitlines():
            assert not re.search(r"\d[\d  ,.]*\s?(%|₽|RUB|€|leads|customers|roubles)", re.sub(r"\b(95|10) %", "", line)), line


# -- files of the set-up -----------------------------------------------------------------------------------------------


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _name(requirement: str) -> str:
    return re.split(r"[\s<>=!\[;~]", requirement)[0].lower().replace("_", "-")


def test_environment_and_constraints_name_what_the_project_needs():
    project = _project()
    core = {_name(entry): entry for entry in project["dependencies"]}
    extras = project["optional-dependencies"]
    test = {_name(entry): entry for entry in [*extras["test"], *extras["lab"]]}
    pinned = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, version = line.split("==")
            pinned[_name(name)] = version
    every = {_name(entry) for entries in extras.values() for entry in entries}
    missing = sorted((set(core) | every) - set(pinned))
    assert not missing, f"constraints.txt does not pin {missing}"
    assert set(extras["pdf"]) <= set(extras["browser"]), "the PDFs are tested with the pages"
    conda = _conda_names()
    assert conda == set(core) | set(test), conda ^ (set(core) | set(test))


def _conda_names() -> set[str]:
    from ruamel.yaml import YAML

    listed = YAML(typ="safe").load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    conda_spelling = {"matplotlib-base": "matplotlib", "python-duckdb": "duckdb"}
    plain = [entry for entry in listed if isinstance(entry, str)]
    nested = [entry for item in listed if isinstance(item, dict) for entry in item["pip"] if not entry.startswith("-e")]
    names = {_name(entry) for entry in [*plain, *nested]} - {"python", "pip"}
    return {conda_spelling.get(name, name) for name in names}


def test_constraints_name_versions_only():
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert not line or line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line


def test_readme_lists_the_notebooks_on_disk():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"notebooks/(\d\d_\w+\.ipynb)", text))
    assert listed == {path.name for path in NOTEBOOKS}
    for folder in re.findall(r"^\| `(\w+/)` \|", text, re.M):
        assert (ROOT / folder).is_dir(), folder


def test_no_address_of_an_index_and_no_path_of_a_machine():
    # Written apart, so that this file does not hold what it looks for.
    words = re.compile("|".join(["index" + "-url", "/simp" + "le/", "pypi" + r"\.org", "/wo" + "rk/", "/ho" + "me/", "/ro" + "ot/"]))
    for path in [*ROOT.glob("*.*"), *ROOT.glob("notebooks/*"), *ROOT.glob("data/**/*.yaml"), *PACKAGE.rglob("*.py")]:
        if path.is_file():
            found = words.search(path.read_text(encoding="utf-8"))
            assert not found, f"{path.name}: {found.group()}"
