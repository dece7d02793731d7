"""The same bytes whatever the surroundings: languages, zones, chance, fonts, settings, jobs, folders that cannot be written to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from denied import funnel, read_only
from small_reports import code, report_cells, write_company, write_notebooks

WARNS = "import warnings; warnings.warn('old habit', UserWarning, stacklevel=1)"
# Chance, sorting, letters whose small form depends on the language, and the time of day are what could differ.
SURROUNDED = """\
import locale
order = sorted({"Ы", "i", "I", "ı", "₽"})
print(sorted("ПРИВЕТ I İ".casefold()), list({"a", "b", "c", "d"}), pd.Timestamp(0, unit="s"), f"{1234.5:n}", order)"""
CHARTS = [f"""\
figure, axes = plt.subplots(figsize=(7, 3))
axes.plot(pd.to_datetime(["2026-01-05 00:00", "2026-03-29 02:30"]), [0, {number}.5], label="Продажи, ₽ ≥ {number}")
axes.set_title("Прибыль и лиды {number}")
axes.legend();""" for number in (1, 2, 3)]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="permissions and locales of POSIX")


def report(folder: Path, output: str, here: Path, *words: object, **environment: str) -> dict[str, bytes]:
    """The files of a run from the folder `here` in these surroundings."""
    notebooks = folder / "notebooks"
    if not notebooks.exists():
        write_company(folder / "nutbolt")
        write_notebooks(notebooks, n01_good=report_cells(code(WARNS), code(SURROUNDED), *map(code, CHARTS)))
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "XDG_"))}
    run = funnel("report", "../nutbolt", "-o", folder / output, "--notebook", notebooks / "01_good.ipynb", *words, cwd=here,
                 env={**ours, **environment})
    assert run.returncode == 0 and not run.stderr, run.stderr
    return {path.relative_to(folder / output).as_posix(): path.read_bytes() for path in sorted((folder / output).rglob("*.*"))
            if path.is_file() and path.name not in (".lock", "manifest.json")}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    folder = tmp_path_factory.mktemp("surroundings")
    (folder / "here").mkdir()
    return folder, report(folder, "plain", folder / "here", "--jobs", 2, LC_ALL="C", TZ="UTC", HOME="/nonexistent")


def locale_of(name: str, folder: Path) -> dict[str, str]:
    """The settings of a language, the language made where that can be done here: elsewhere its name alone."""
    program = shutil.which("localedef")
    if program:
        subprocess.run([program, "-c", "-i", name, "-f", "UTF-8", str(folder / f"{name}.UTF-8")], capture_output=True, check=False)
    return {"LC_ALL": f"{name}.UTF-8", "LOCPATH": str(folder)} if (folder / f"{name}.UTF-8").is_dir() else {"LC_ALL": f"{name}.UTF-8"}


def test_same_bytes_in_folders_that_cannot_be_written_to(plain: tuple[Path, dict[str, bytes]], tmp_path: Path) -> None:
    """Home, matplotlib's, Jupyter's and the company's folder, and that from which the command is called; in Russian."""
    folder, expected = plain
    home = tmp_path / "home"
    for name in ("", ".config/matplotlib", ".cache/matplotlib", ".jupyter", ".ipython", ".local/share/jupyter"):
        (home / name).mkdir(parents=True, exist_ok=True)
    with read_only(home, *(path for path in home.rglob("*") if path.is_dir()), folder / "nutbolt", folder / "here"):
        found = report(folder, "denied", folder / "here", "--jobs", 1, **locale_of("ru_RU", tmp_path), TZ="Asia/Kathmandu", HOME=str(home),
                       MPLCONFIGDIR=str(home / ".config/matplotlib"), JUPYTER_RUNTIME_DIR=str(home), PYTHONHASHSEED="7")
    assert found == expected and not list(home.rglob("*.json"))
    assert sorted(path.name for path in folder.iterdir()) == ["denied", "here", "notebooks", "nutbolt", "plain"]


def test_same_bytes_whatever_the_caller_has_set(plain: tuple[Path, dict[str, bytes]], tmp_path: Path) -> None:
    """Turkish, no font of the system, a style in the folder, settings of matplotlib, Python and IPython, a deep output with odd letters."""
    folder, expected = plain
    style = "axes.facecolor: black\nfont.size: 22\nsavefig.dpi: 30\n"
    (tmp_path / "here").mkdir()
    shutil.copytree(folder / "nutbolt", tmp_path / "nutbolt")
    (tmp_path / "here/matplotlibrc").write_text(style, encoding="utf-8")
    startup = tmp_path / ".ipython/profile_default/startup"
    startup.mkdir(parents=True)
    for path in (startup / "00.py", tmp_path / "started.py"):
        path.write_text("import matplotlib; matplotlib.rc('axes', facecolor='red'); print('started')", encoding="utf-8")
    found = report(folder, "deep/" + "x" * 120 + "/{odd} ё", tmp_path / "here", "--jobs", 3, **locale_of("tr_TR", tmp_path),
                   TZ="America/St_Johns", HOME=str(tmp_path), FONTCONFIG_FILE=os.devnull, PATH="/nowhere", PYTHONHASHSEED="random",
                   MATPLOTLIBRC=str(tmp_path / "here/matplotlibrc"), PYTHONWARNINGS="ignore",
                   PYTHONSTARTUP=str(tmp_path / "started.py"))
    assert found == expected
