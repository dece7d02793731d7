"""Spreadsheets: typed cells are what they are, whatever stands in the other rows; each sheet counted by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

from funnel_lib import read_company
from funnel_lib.readers.importing import import_files
from tests.readers.test_folder import company_of, errors, found, rows

HEADER = ["order_id", "customer_id", "process", "ordered_at", "amount", "channel"]
MOMENT = dt.datetime(2026, 4, 3, 10)


def write_sheet(path: Path, *lines: list, header: list[str] = HEADER) -> Path:
    """A workbook with one sheet, cells typed as Python's values are, NaN and infinity as cells in error."""
    with xlsxwriter.Workbook(path, {"nan_inf_to_errors": True, "default_date_format": "dd.mm.yyyy"}) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate([header, *lines]):
            for position, value in enumerate(line):
                if value is not None:
                    sheet.write(number, position, value)
    return path


def company_with(folder: Path, *lines: list, description: str = ""):
    write_sheet(folder / "orders.xlsx", *lines)
    return company_of(folder, description)


@pytest.mark.parametrize("values, cents", [
    ([1.234, 5.678], [123, 568]), ([12.346, 1500.5], [1235, 150050]), (["1 500,50", "2,5", 12.376], [150050, 250, 1238]),
    (["1.500,50", 1234], [150050, 123400]), ([1.5, -2, 0.25], [150, -200, 25])])
def test_numeric_cells_are_numbers_and_never_ambiguous(tmp_path, values, cents):
    company = company_with(tmp_path, *[[str(number), "a", "shop", MOMENT, value] for number, value in enumerate(values)])
    assert not errors(company) and not found(company, "bad_number")
    assert sorted(rows(company, "orders", "amount")) == sorted(cents)
    company = company_with(tmp_path, ["1", "a", "shop", MOMENT, 12.346], description='formats: {decimal: ","}\n')
    assert rows(company, "orders", "amount") == [1235], "not 12346"


def test_date_cells_are_dates_beside_text(tmp_path):
    company = company_with(tmp_path, ["1", "a", "shop", "03.04.2026", 1], ["2", "a", "shop", MOMENT, 1],
                           ["3", "a", "shop", "05.04.2026 12:00", 1])
    assert rows(company, "orders", "ordered_at") == [pd.Timestamp(2026, 4, 3), pd.Timestamp(2026, 4, 3, 10),
                                                     pd.Timestamp(2026, 4, 5, 12)]


def test_cells_in_error_are_no_blanks(tmp_path):
    """A number, a channel, and one that is a blank."""
    company = company_with(tmp_path, ["1", "a", "shop", MOMENT, float("nan"), "x"], ["2", "a", "shop", MOMENT, 1, float("inf")],
                           ["3", "a", "shop", MOMENT, 1, None])
    assert rows(company, "orders", "order_id") == ["3"]
    assert [(finding.key, finding.count, finding.examples[0].line, finding.examples[0].text) for finding in company.findings
            if finding.severity == "warning"] == [
        ("bad_number", 1, 2, "amount = #NUM!"), ("cell_in_error", 1, 3, "channel = #DIV/0!")]


@pytest.mark.parametrize("damaged, shown", [
    (dt.datetime(2020, 5, 20), "2020-05-20"), (2**53 + 2, "9007199254740994.0"), (1e18, "1e+18"), ("########", "########"),
    (float("nan"), "#NUM!"), ("#REF!", "#REF!")])
def test_ids_that_are_no_ids(tmp_path, damaged, shown):
    company = company_with(tmp_path, ["7", "a", "shop", MOMENT, 1], [damaged, "a", "shop", MOMENT, 1])
    mangled = found(company, "mangled_ids")
    assert [(finding.severity, finding.count, finding.examples[0].line) for finding in mangled] == [("error", 1, 3)]
    assert f"order_id = {shown}" in mangled[0].examples[0].text


def test_typed_cells_are_imported_as_they_are(tmp_path):
    sheet = write_sheet(tmp_path / "sales.xlsx", ["1", "a", "shop", MOMENT, "1 500,50", 1.5], [2, "a", "shop", "04.04.2026", 12.346, "x"])
    (tmp_path / "mapping.yaml").write_text(
        "source: {sales: '*.xlsx'}\ncompany: {currency: EUR}\nprocesses: {shop: {}}\ntables: {orders: {from: sales, columns: "
        "{order_id: order_id, customer_id: customer_id, process: process, ordered_at: ordered_at, amount: amount, "
        "channel: channel}}}\n", encoding="utf-8")
    result = import_files(tmp_path / "mapping.yaml", [sheet], tmp_path / "out")
    company = read_company(result.folder)
    assert rows(company, "orders", "order_id", "ordered_at", "amount", "channel") == [
        ("1", pd.Timestamp(2026, 4, 3, 10), 150050, "1.5"), ("2", pd.Timestamp(2026, 4, 4), 1235, "x")]
