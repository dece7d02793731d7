"""`--no-cases`: by a search for planted names, no lead or customer is in page, notebook or workbook; employees stay."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from small_reports import code, report_cells, write_company, write_notebooks

from funnel_lib import read_company
from funnel_lib.report import batch

pytestmark = pytest.mark.usefixtures("one_nursery")

CASES = """\
late = pd.DataFrame({"customer_id": ["Ivanova-77", "Petrov-long-name-of-a-client"], "owner": ["Olga", "Oleg"], "amount": [1.0, 2.0]})
display(pages.show(late, "Clients to call", chosen), pages.show(late[["owner", "amount"]], "By owner", chosen))
late"""
NAMED = 'figure, axes = plt.subplots()\naxes.barh(["Ivanova-77", "Petrov-long-name…"], late["amount"]);'
NAMELESS = 'figure, axes = plt.subplots()\naxes.set_title("Money by owner")\naxes.barh(late["owner"], late["amount"]);'


@pytest.fixture(scope="module", params=[True, False], ids=["cases", "no cases"])
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[bool, dict[str, str]]:
    folder = tmp_path_factory.mktemp("cases")
    company = write_company(folder / "nutbolt")
    (company / "orders.csv").write_text("order_id,customer_id,process,ordered_at,amount\n1,Ivanova-77,retail,2026-01-06,ten\n"
                                        + "".join(f"{n},c{n},retail,2026-01-06,5\n" for n in range(2, 40)), encoding="utf-8")
    notebooks = write_notebooks(folder / "notebooks", n01_good=report_cells(code(CASES), code(NAMED), code(NAMELESS)))
    order = batch.Order(company, folder / "reports", ("retail",), notebooks_folder=notebooks, cases=request.param)
    assert batch.run(order, read_company(company)).exit_code == 0
    return request.param, {path.name: _text(path) for path in sorted((folder / "reports").rglob("*.*")) if path.is_file()}


def _text(path: Path) -> str:
    if path.suffix != ".xlsx":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())


def test_names_of_cases_are_in_no_file(published: tuple[bool, dict[str, str]]) -> None:
    with_cases, texts = published
    notebook = json.loads(texts["01_good.ipynb"])
    outputs = {**texts, "01_good.ipynb": json.dumps([cell.get("outputs") for cell in notebook["cells"]])}
    outputs["01_good.html"] = texts["01_good.html"].partition('<details class="code">')[0]
    for name in ("01_good.html", "01_good.ipynb", "tables.xlsx"):
        for person in ("Ivanova-77", "Petrov-long-name"):
            assert (person in outputs[name]) == with_cases, (name, person)
        assert "Olga" in outputs[name] and "Clients to call" in outputs[name]
        assert ("is left out (--no-cases)" in outputs[name]) != with_cases


def test_pictures_that_name_no_case_stay(published: tuple[bool, dict[str, str]]) -> None:
    with_cases, texts = published
    page = texts["01_good.html"]
    assert "Chart: Money by owner" in page and page.count("<img") == (3 if with_cases else 2)


def test_findings_keep_their_places(published: tuple[bool, dict[str, str]]) -> None:
    _, texts = published
    assert "orders.csv, line 2" in texts["01_good.html"]
