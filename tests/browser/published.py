"""A small output folder as two Mondays leave it, with names that attack: done, failed, stale and empty reports."""

from __future__ import annotations

from pathlib import Path

import nbformat

from funnel_lib import read_company
from funnel_lib.report import batch
from funnel_lib.report.index import findings_page
from funnel_lib.report.page import page_of
from funnel_lib.report.render import cleaned
from tests.conftest import ROOT
from tests.report.small_reports import code, prose, report_cells, write_notebooks

SCRIPT = "<script>alert(1)</script>"
PICTURE = "<img src=x onerror=alert(2)>"
HOSTILE_KEY = '"><svg onload=alert(3)>'
FORMULA = "=cmd()"
DESCRIPTION = f"""\
name: 'Nut & Bolt {SCRIPT}'
currency: EUR
time_zone: UTC
as_of: 2026-03-01
observed_from: 2026-01-01
processes:
  retail: {{name: {{en: 'Retail {PICTURE}', ru: Розница}}, steps: [contacted, won]}}
  '{HOSTILE_KEY}': {{steps: [contacted, won]}}
  '{FORMULA}': {{name: {{en: '{FORMULA} and nothing else', ru: Пусто}}, steps: [contacted, won]}}
"""
ROWS = f"1,retail,2026-01-05,{SCRIPT},{PICTURE}\n2,retail,2026-01-06,{FORMULA},Olga\n"
SAYS = {"01": ("needed", "actual_per_week", 19.6), "02": ("eventual_conversion", "eventual_share", 0.242),
        "03": ("repeat_rate", "share", 0.75), "05": ("dearest_stage", "cost_per_result_amount", 24800.0)}
TITLES = {"01": "Lead generation", "02": "Conversion", "03": "Account management", "04": "Improvement plan", "05": "Efficiency"}
NAMES = [SCRIPT, PICTURE, FORMULA, HOSTILE_KEY, "Unbroken" * 12]
# The same table for a figure (folded) and beside it (open), too wide for a telephone; values and titles attack.
TABLES = f"""\
names = {NAMES!r}
wide = pd.DataFrame({{"channel": names, "owner": names[::-1], **{{f"number {{at}}": range(5) for at in range(9)}}}})
display(pages.show(wide, {f"By owner {SCRIPT}"!r}, chosen, note={PICTURE!r}),
        pages.show(wide, "Open beside it", chosen))"""
CHART = f"""\
figure, axes = plt.subplots(figsize=(7, 3))
axes.barh(["a", "b"], [1, 2])
axes.set_title({f"The best is {SCRIPT}"!r});"""


def notebook(number: str, value: float | None, fault: str = "") -> list[nbformat.NotebookNode]:
    """A small report of one exercise, with names that attack in every place; `fault` is code that breaks it."""
    cells = report_cells(prose(f"## Owners {SCRIPT}\n\nWords with `{SCRIPT}` and {PICTURE}."), code(TABLES), code(CHART),
                         *([code(fault)] if fault else []))
    cells[0] = prose(f"# {TITLES[number]}: what is to be known of it?\n\nThe question.")
    if value is not None:
        sentence, name, _ = SAYS[number]
        said = f"It is so, says {SCRIPT}. " + "Unbroken" * 12
        cells[-5] = code("from funnel_lib.answers.sentence import Sentence\n"
                         f"pages.answer([Sentence({sentence!r}, {said!r}, **{{{name!r}: {value}}}), *names, *names], chosen)",
                         "answer")
    return cells


def notebooks(folder: Path, factor: float, broken: str) -> Path:
    """One notebook per exercise, the fourth and the `broken` ones failing."""
    return write_notebooks(folder, **{
        f"n{number}_exercise": notebook(number, SAYS[number][2] * factor if number in SAYS else None,
                                        "raise ValueError(names[0])" if number in broken else "") for number in TITLES})


def published(folder: Path) -> Path:
    """The output after two runs: everything; then, with more data, one process only, whose third report fails now."""
    company = folder / "company"
    company.mkdir()
    (company / "company.yaml").write_text(DESCRIPTION, encoding="utf-8")
    leads = "lead_id,process,created_at,channel,owner\n" + ROWS + f'3,"{HOSTILE_KEY.replace(chr(34), chr(34) * 2)}",2026-01-07,web,\n'
    (company / "leads.csv").write_text(leads, encoding="utf-8")
    output = folder / "reports"
    _run(company, output, notebooks(folder / "first", 1.0, broken="04"), as_of="2026-02-23")
    (company / "leads.csv").write_text(leads + "4,retail,2026-01-08,web,\n", encoding="utf-8")
    _run(company, output, notebooks(folder / "second", 1.25, broken="03 04"), processes=("retail",),
         notebooks=("01", "03", "04"), as_of="2026-03-01")
    _run(company, folder / "others", folder / "first", processes=("retail",), notebooks=("01",), language="ru", as_of="2026-03-01")
    findings = findings_page(read_company(company))
    (output.parent / "others/findings.html").write_text(findings, encoding="utf-8")
    return output


def _run(company: Path, output: Path, folder: Path, as_of: str, language: str | None = None, **order: tuple[str, ...]) -> None:
    asked = batch.Order(company, output, notebooks_folder=folder, formats=("html",), as_of=as_of, language=language, jobs=2, **order)
    batch.run(asked, read_company(company, as_of=as_of, language=language))


def demonstration(folder: Path) -> Path:
    """The project's own notebooks, as executed and committed, as pages."""
    folder.mkdir()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        page = page_of(cleaned(nbformat.read(path, as_version=4), {}), home="", since="2023-07-01")
        (folder / f"{path.stem}.html").write_text(page, encoding="utf-8")
    return folder
