"""Fifty light reports: `funnel report`, papermill in one process, and the loop of the two commands, equal in what they show.

`python -m tests.bench.batch_speed SIDE FOLDER` runs one side and prints its seconds, its peak memory and its reports a minute.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from tests.bench import sides

REPORTS, PROCESSES = 5, 10
# The commands one by one take minutes: so many reports tell their pace.
LOOPED = 6
PARAMETERS = 'company = "nowhere"\nprocess = "p0"\nas_of = ""\nlanguage = ""'
SETUP = """\
import time
import matplotlib.pyplot as plt
import pandas as pd
from funnel_lib import pages, read_company

chosen = read_company(company).process(process)
start = time.process_time()
while time.process_time() - start < 0.2:
    pass
counts = pd.DataFrame({"channel": ["fair", "web", "calls"], "leads_count": [120, 70, 30]})
pages.show(counts, "Leads by channel", chosen)"""
CHART = """\
figure, axes = plt.subplots(figsize=(7, 3))
axes.bar(counts["channel"], counts["leads_count"] * {number})
axes.set_title("Chart {number}");"""


def compare() -> list[str]:
    """The three sides in turn, and whether they show the same."""
    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
        found = sides.in_turn(__spec__.name, {"funnel report": 2, "papermill in one process": 2, "two commands": 1}, name)
        same = _texts(Path(name) / "funnel") == _texts(Path(name) / "papermill")
    pace = {side: max(run[2] for run in runs) for side, runs in found.items()}
    own = pace["funnel report"]
    return ["| side | reports a minute | peak memory of its process, MB |", "|---|---|---|",
            *(f"| {side} | {pace[side]:.0f} | {sides.peak(found, side):,.0f} |" for side in found), "",
            f"{REPORTS} × {PROCESSES} reports of four charts and 0.2 s of work; the two commands on {LOOPED} of them, one after the "
            f"other. Against the two commands {own / pace['two commands']:.1f} times (bound 5), against papermill called in one "
            f"process {own / pace['papermill in one process']:.1f} times (bound 3). Outputs of the cells "
            f"{'equal' if same else 'NOT equal'}; `funnel report` also writes workbooks and the index."]


def run(side: str, folder: Path) -> None:
    """One side, in this process; its programs are its children."""
    start = time.perf_counter()
    count = {"funnel report": _funnel, "papermill in one process": _papermill, "two commands": _commands}[side](folder)
    sides.say(start, 60 * count / (time.perf_counter() - start))


def write(folder: Path, processes: int = PROCESSES, reports: int = REPORTS) -> None:
    """A company of so many processes with one lead each, and so many light notebooks."""
    company, notebooks = folder / "company", folder / "notebooks"
    company.mkdir()
    notebooks.mkdir()
    keys = [f"p{number}" for number in range(processes)]
    described = "".join(f"  {key}:\n    steps: [won]\n" for key in keys)
    (company / "company.yaml").write_text("name: Light\ncurrency: EUR\ntime_zone: UTC\nas_of: 2026-03-01\n"
                                          f"processes:\n{described}", encoding="utf-8")
    rows = "".join(f"{key}-1,{key},2026-01-05,web\n" for key in keys)
    (company / "leads.csv").write_text(f"lead_id,process,created_at,channel\n{rows}", encoding="utf-8")
    for number in range(1, reports + 1):
        cells = [_code(PARAMETERS, "parameters"), _code(SETUP), *(_code(CHART.format(number=chart)) for chart in range(1, 5)),
                 _code("pages.complete(chosen)", "report-complete")]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"# Light {number}"), *cells], metadata=kernel)
        nbformat.write(notebook, notebooks / f"{number:02}_light.ipynb")


def _code(source: str, *tags: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})


def _units(folder: Path) -> list[tuple[Path, str]]:
    return [(notebook, f"p{number}") for number in range(PROCESSES) for notebook in sorted((folder / "notebooks").iterdir())]


def _funnel(folder: Path) -> int:
    from funnel_lib import read_company
    from funnel_lib.report import batch

    order = batch.Order(folder / "company", folder / "funnel", notebooks_folder=folder / "notebooks", jobs=2)
    outcome = batch.run(order, read_company(folder / "company"))
    assert outcome.exit_code == 0, outcome.results
    return REPORTS * PROCESSES


def _papermill(folder: Path) -> int:
    import papermill

    for notebook, process in _units(folder):
        target = folder / "papermill" / process / notebook.name
        target.parent.mkdir(parents=True, exist_ok=True)
        papermill.execute_notebook(str(notebook), str(target), parameters={"company": str(folder / "company"), "process": process},
                                   kernel_name="python3", progress_bar=False)
        _page(target)
    return REPORTS * PROCESSES


def _page(notebook: Path) -> None:
    from nbconvert import HTMLExporter

    text, _ = HTMLExporter().from_filename(str(notebook))
    notebook.with_suffix(".html").write_text(text, encoding="utf-8")


def _commands(folder: Path) -> int:
    programs = Path(sys.executable).parent
    (folder / "loop").mkdir()
    for notebook, process in _units(folder)[:LOOPED]:
        target = folder / "loop" / f"{process}_{notebook.name}"
        subprocess.run([programs / "papermill", notebook, target, "-p", "company", folder / "company", "-p", "process", process,
                        "-k", "python3"], check=True, capture_output=True)
        subprocess.run([programs / "jupyter", "nbconvert", "--to", "html", target], check=True, capture_output=True)
    return LOOPED


def _texts(folder: Path) -> dict[str, list[str]]:
    """What every cell of the finished notebooks says, pictures and addresses aside."""
    found = {}
    for path in sorted(folder.glob("p*/*.ipynb")):
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        found[f"{path.parent.name}/{path.name}"] = [
            output["data"]["text/html"] for cell in cells for output in cell.outputs if "text/html" in output.get("data", {})]
    return found


if __name__ == "__main__":
    sides.main(run)
