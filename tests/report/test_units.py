"""Units: every combination of notebook and process once, and names that no file system stumbles over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_reports import PARAMETERS, code, prose, report_cells, write_notebooks

from funnel_lib.errors import CallError
from funnel_lib.report.units import declared_parameters, find_notebooks, folder_names, plan

HOSTILE = ["../../x", "..", ".", "CON", "nul", "a/b", "a\\b", "x" * 300, "х" * 300, "a\x00b", "\u202egnp.exe", "", " ", "-",
           "index.html", "Опт", "опт", "OPT", "opt", "a b", "a-b", "a:b", "\ud800"]


def check_names(names: list[str]) -> None:
    folders = folder_names(names)
    assert len({folder.casefold() for folder in folders.values()}) == len(set(names))
    for folder in folders.values():
        path = Path("/out") / folder
        assert path.resolve().parent == Path("/out") and 0 < len(folder.encode()) <= 255
        assert folder.isprintable() and folder[0] not in ".-" and not set(folder) & set('<>:"/\\|?*.')
        assert folder.casefold() not in {"con", "nul", "aux", "prn", "com1"}


def test_hostile_names_become_safe_unique_folders() -> None:
    check_names(HOSTILE)


@given(st.lists(st.text(max_size=80), max_size=6, unique=True))
def test_any_names_become_safe_unique_folders(names: list[str]) -> None:
    check_names(names)


def test_nice_names_stay_as_they_are() -> None:
    assert folder_names(["wholesale", "розница", "custom-made_2"]) == {
        name: name for name in ("wholesale", "розница", "custom-made_2")}


def test_a_notebook_with_a_process_is_made_once_for_each_the_others_once(tmp_path: Path) -> None:
    overview = [code('company = "x"', "parameters")]
    folder = write_notebooks(tmp_path, n00_all=overview, n01_one=report_cells(), n02_two=report_cells())
    units = plan(find_notebooks(folder), ["retail", "b/c"], [], {"company": "here", "language": None})
    made = folder_names(["retail", "b/c"])["b/c"]
    assert [unit.name for unit in units] == ["00_all", "retail/01_one", "retail/02_two", f"{made}/01_one", f"{made}/02_two"]
    assert units[0].parameters == {"company": "here"}
    assert units[3].parameters == {"company": "here", "process": "b/c"}


@pytest.mark.parametrize(("chosen", "given", "wanted", "says"), [
    (["retial"], {}, [], "Did you mean 'retail'?"),
    ([], {"compny": "x"}, [], "Did you mean 'company'?"),
    ([], {"x = 1; import os": 1}, [], "does not exist"),
    ([], {"company": Path("x")}, [], "must be a plain value"),
    ([], {}, ["03"], "does not exist; there are 01_one"),
    ([], {}, ["01_oen"], "Did you mean '01_one'?"),
])
def test_what_does_not_exist_stops_the_plan_with_the_nearest_word(tmp_path: Path, chosen: list, given: dict, wanted: list,
                                                                 says: str) -> None:
    folder = write_notebooks(tmp_path, n01_one=report_cells())
    with pytest.raises(CallError) as raised:
        plan(find_notebooks(folder, wanted), ["retail"], chosen, given)
    assert says in str(raised.value)


@pytest.mark.parametrize(("cells", "says"), [
    ([prose("# No parameters")], "tagged 'parameters'"),
    ([code("company = open('x')", "parameters")], "plain values only"),
    ([code("import os", "parameters")], "plain values only"),
])
def test_a_notebook_that_would_ignore_its_values_is_refused(tmp_path: Path, cells: list, says: str) -> None:
    folder = write_notebooks(tmp_path, n01_own=cells)
    with pytest.raises(CallError, match=says):
        declared_parameters(folder / "01_own.ipynb")


def test_a_file_that_is_no_notebook_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.ipynb").write_text("<html>", encoding="utf-8")
    with pytest.raises(CallError, match=r"x\.ipynb: expected a Jupyter notebook"):
        declared_parameters(tmp_path / "x.ipynb")


def test_declared_parameters_are_read_with_their_defaults(tmp_path: Path) -> None:
    folder = write_notebooks(tmp_path, n01_one=[code(PARAMETERS, "parameters")])
    assert declared_parameters(folder / "01_one.ipynb") == {"company": "nowhere", "process": "retail", "as_of": "",
                                                            "language": ""}
