"""Importing the package costs hardly more than importing pandas: the slow libraries load where they are first used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import funnel_lib

SLOW = ("matplotlib", "scipy", "pydantic", "babel", "nbconvert", "papermill", "duckdb", "narwhals", "ruamel", "holidays", "jinja2")


def _loaded_by(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    return {name.split(".")[0] for name in loaded}


def test_importing_the_package_loads_none_of_the_slow_libraries():
    assert not set(SLOW) & _loaded_by("import funnel_lib")


def test_help_of_the_command_line_loads_no_pandas():
    assert "pandas" not in _loaded_by("import funnel_lib.cli")


def test_a_report_is_made_without_a_grammar_of_web_addresses():
    """It took 1.7 s of each process; whoever validates addresses elsewhere has it all the same."""
    assert "lark" not in _loaded_by("import funnel_lib.report.batch")


def test_charts_do_not_load_before_they_are_drawn():
    assert "matplotlib" not in _loaded_by("from funnel_lib import charts, conversion, read_company; read_company")


def test_every_promised_name_is_there():
    for name in funnel_lib.__all__:
        assert getattr(funnel_lib, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        funnel_lib.nothing  # noqa: B018
