"""Reading a company folder: what bad data get, each case in files of its own, counted by hand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from funnel_lib import read_company
from funnel_lib.checks import check_tables
from funnel_lib.engine import collect
from funnel_lib.errors import CallError, DataError

DESCRIPTION = """currency: EUR
time_zone: Europe/Berlin
processes:
  shop: {steps: [called, won], allow_set_aside_share: SHARE}
"""
LEADS = "lead_id,process,created_at,channel\n"
ORDERS = "order_id,customer_id,process,ordered_at,amount\n"


def company_of(folder: Path, description: str = "", share: float = 1.0, currency: str = "EUR", **files: str | bytes):
    """A company of these files: `leads="…"` becomes leads.csv, bytes are written as they are."""
    text = (DESCRIPTION + description).replace("SHARE", str(share)).replace("EUR", currency, 1)
    (folder / "company.yaml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        path = folder / (name.replace("__", ".") if "__" in name else f"{name}.csv")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    company = read_company(folder)
    counts = company.row_counts
    assert (counts["rows_count"] == counts["kept_count"] + counts["set_aside_count"] + counts["duplicates_count"]).all()
    for row in counts.to_dict("records"):
        kept = collect(company.source_tables[row["table"]].select("process" if row["table"] == "leads" else next(
            iter(company.source_tables[row["table"]].collect_schema()))))
        assert len(kept) == row["kept_count"], row["table"]
    return company


def rows(company, table: str, *columns: str) -> list:
    frame = collect(company.source_tables[table])
    frame = frame.sort_values(list(frame)).astype(object)
    frame = frame.where(frame.notna(), None)
    return frame[columns[0]].to_list() if len(columns) == 1 else list(frame[list(columns)].itertuples(index=False, name=None))


def found(company, key: str) -> list:
    return [finding for finding in company.findings if finding.key == key]


def errors(company) -> list[str]:
    return [finding.text for finding in company.findings if finding.severity == "error"]


def leads(*lines: str) -> str:
    return LEADS + "\n".join(lines) + "\n"


# -- encodings, separators, shape of the file ------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding, said", [("utf-8", 0), ("utf-8-sig", 0), ("utf-16", 1), ("cp1251", 1)])
def test_encodings(tmp_path, encoding, said):
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-01,Сайт и ёлки").encode(encoding))
    assert rows(company, "leads", "lead_id", "channel") == [("1", "Сайт и ёлки")]
    assert len(found(company, "encoding")) == said


def test_a_broken_byte_costs_its_row_and_never_the_encoding(tmp_path):
    lines = [f"{number},shop,2026-01-01,Звонок" for number in range(40)]
    good = leads(*lines).encode()
    for broken in (b"x,shop,2026-01-01,\xff\n", b"x,shop,2026-01-01,\xd0\n", "x,shop,2026-01-01,Сайт\n".encode("cp1251")):
        company = company_of(tmp_path, share=0.05, leads=good + broken)
        assert set(rows(company, "leads", "channel")) == {"Звонок"} and not errors(company) and not found(company, "encoding")
        assert [(finding.message, finding.count, finding.examples[0].line) for finding in found(company, "broken_row")] == [
            ("a row that is not a row: bytes that are no text", 1, 42)]


def test_an_encoding_that_is_said_must_be_true(tmp_path):
    company = company_of(tmp_path, "formats: {encoding: utf-8}\n", leads=leads("1,shop,2026-01-01,Сайт").encode("cp1251"))
    assert "leads.csv: not utf-8 at byte" in errors(company)[0]


def test_utf_16_is_named(tmp_path):
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-01,Сайт").encode("utf-16"))
    assert [finding.message for finding in found(company, "encoding")] == ["not UTF-8; read as UTF-16"]


@pytest.mark.parametrize("column, values, says", [
    ("amount", ("1.234", "5.678"), "can be a thousand or a fraction; say formats: {decimal:"),
    ("ordered_at", ("03/04/2026", "05/06/2026"), "can be read two ways; say formats: {date:")])
def test_values_of_two_meanings_stop_with_the_question(tmp_path, column, values, says):
    """In the table that is read last: a result left open would bar the engine from what follows."""
    plain = {"ordered_at": "2026-01-01", "amount": "10"}
    lines = [",".join([str(number), "a", "shop", *(plain | {column: value}).values()]) for number, value in enumerate(values)]
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-03,a"), orders=ORDERS + "\n".join(lines) + "\n")
    assert len(errors(company)) == 1 and says in errors(company)[0] and values[0] in errors(company)[0]
    assert rows(company, "leads", "lead_id") == ["1"]


def test_orders_are_held_against_their_leads(tmp_path):
    orders = "order_id,customer_id,process,ordered_at,amount,lead_id\n" + "\n".join([
        "1,a,shop,2026-01-06,10,1", "2,a,shop,2026-01-04,10,1", "3,a,shop,2026-01-05,10,1", "4,b,shop,2026-01-06,10,ghost",
        "5,b,shop,2026-01-06,10,"]) + "\n"
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-05 12:00,a"), orders=orders)
    assert [(finding.key, finding.count, finding.severity, finding.examples[0].line) for finding in company.findings
            if finding.key.startswith("order_")] == [
        ("order_before_lead", 1, "warning", 3), ("order_of_unknown_lead", 1, "warning", 5)]
    assert rows(company, "orders", "order_id") == ["1", "2", "3", "4", "5"], "the order of the lead's own day is not before it"


def test_bounds_of_observation_that_leave_nothing_are_one_error(tmp_path):
    many = leads(*(f"{number},shop,2026-01-0{number},a" for number in range(1, 6)))
    early = company_of(tmp_path, "as_of: 2025-01-01\n", share=0.05, leads=many)
    assert errors(early) == ["company: as_of 2025-01-01 lies before the first row (2026-01-01); say a later as_of, or leave it out"]
    reversed_ = company_of(tmp_path, "as_of: 2026-02-01\nobserved_from: 2026-03-01\n", share=0.05, leads=many)
    assert [error.split(";")[0] for error in errors(reversed_)] == [
        "company: observed_from 2026-03-01 is not before as_of 2026-02-01"]


def test_leads_that_cannot_be_read_are_one_error(tmp_path):
    company = company_of(tmp_path, share=0.05, leads="lead_id,procs,created_at\n1,shop,2026-01-01\n",
                         stage_events=EVENTS + "1,called,2026-01-02\n1,won,2026-01-03\n")
    assert len(errors(company)) == 1 and errors(company)[0].startswith("leads: leads.csv: the required column 'process'")


def test_mojibake_is_seen(tmp_path):
    spoilt = "Сайт компании".encode().decode("cp1251", errors="replace")
    company = company_of(tmp_path, leads=leads(f"1,shop,2026-01-01,{spoilt}", "2,shop,2026-01-01,Россия РФ"))
    assert [finding.count for finding in found(company, "mojibake")] == [1]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_from_the_header(tmp_path, separator):
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-01,site").replace(",", separator))
    assert rows(company, "leads", "lead_id", "channel") == [("1", "site")]


def test_a_header_that_does_not_fit_is_shown_as_read(tmp_path):
    company = company_of(tmp_path, leads="lead_id/process/created_at\n1/shop/2026-01-01\n")
    assert "the required column 'lead_id' is missing; the header has lead_id/process/created_at" in errors(company)[0]
    company = company_of(tmp_path, leads="lead_id,process,createdat\n1,shop,2026-01-01\n")
    assert "'created_at' is missing" in errors(company)[0] and "Did you mean 'createdat'?" in errors(company)[0]


def test_one_row_with_a_field_too_many_is_set_aside(tmp_path):
    lines = [f"{number},shop,2026-01-01,a" for number in range(40)]
    company = company_of(tmp_path, share=0.05, leads=leads(*lines[:20], "x,shop,2026-01-01,a,surplus", "y,shop", *lines[20:]))
    broken = {finding.message: finding for finding in found(company, "broken_row")}
    assert {message: (finding.count, finding.examples[0].line) for message, finding in broken.items()} == {
        "a row that is not a row: more fields than the header": (1, 22),
        "a row that is not a row: fewer fields than the header": (1, 23)}
    assert not errors(company) and len(rows(company, "leads", "lead_id")) == 40
    assert company.row_counts.loc[0, ["rows_count", "set_aside_count"]].to_list() == [42, 2]


def test_every_row_with_a_field_too_many_is_an_error(tmp_path):
    company = company_of(tmp_path, share=0.05, leads=leads(*[f"{number},shop,2026-01-01,a,x" for number in range(40)]))
    assert "40 of 40 rows had to be set aside" in errors(company)[0]
    with pytest.raises(DataError):
        company.process("shop")


def test_a_separator_at_the_end_of_rows_and_empty_rows_are_harmless(tmp_path):
    """Spreadsheet programs write both; nothing is shifted by them."""
    company = company_of(tmp_path, share=0.05, leads=leads("1,shop,2026-01-01,a,", ",,,", "2,shop,2026-01-01,b,", " , ,,",
                                                           *[",,,"] * 50, "3,shop,never,b,"))
    assert rows(company, "leads", "lead_id", "channel") == [("1", "a"), ("2", "b")]
    assert company.row_counts.loc[0, "rows_count"] == 3
    assert [finding.examples[0].line for finding in found(company, "bad_time")] == [56]


def test_lines_are_those_of_an_editor(tmp_path):
    """A line break inside quotes, a byte order mark and broken rows before: the line is still the one in the file."""
    text = leads('1,shop,2026-01-01,"two', 'lines"', "2,shop,2026-01-01,a,surplus", '3,shop,2026-01-01,"a"x', "4,shop,never,a",
                 "5,shop", "6,shop,never,a")
    company = company_of(tmp_path, leads=text.replace("\n", "\r\n").encode("utf-8-sig"))
    broken = {finding.examples[0].line: finding.message.split(": ")[1] for finding in found(company, "broken_row")}
    assert broken == {4: "more fields than the header", 5: "text after a closing quote", 7: "fewer fields than the header"}
    assert [example.line for finding in found(company, "bad_time") for example in finding.examples] == [6, 8]


@pytest.mark.parametrize("ends", [("\r\n", "\n"), ("\n", "\r\n"), ("\n", "\r\r\n"), ("\r", "\r")])
def test_lines_that_end_differently(tmp_path, ends):
    """Two exports put together; what stands in quotes keeps its own line breaks."""
    first = leads("1,shop,2026-01-01,a").replace("\n", ends[0])
    company = company_of(tmp_path, leads=(first + f'2,shop,2026-01-01,"x\r\ny\rz"{ends[1]}3,shop,never,b{ends[1]}').encode())
    assert rows(company, "leads", "lead_id", "channel") == [("1", "a"), ("2", "x\r\ny\rz")]
    assert [(finding.key, finding.count) for finding in company.findings if finding.severity == "warning"] == [("bad_time", 1)]


def test_a_stray_carriage_return_is_a_blank(tmp_path):
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-01,one\rtwo", "2,shop,never,b").encode())
    assert rows(company, "leads", "lead_id", "channel") == [("1", "one two")]
    assert [finding.examples[0].line for finding in found(company, "bad_time")] == [3]


def test_whatever_the_engine_refuses_is_an_error_of_its_table(tmp_path, monkeypatch):
    def refuse(*given):
        raise duckdb.InvalidInputException("no\nmore of it")

    monkeypatch.setattr("funnel_lib.readers.table_file.columns_of", refuse)
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-01,a"))
    assert [error.split(";")[0] for error in errors(company)] == ["leads: leads.csv: no"]


def test_a_quote_left_open_in_the_header_or_closed_rows_later(tmp_path):
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-01,a").replace("channel", '"channel', 1))
    assert "leads.csv, line 1: a quote is opened in the header and not closed on its line" in errors(company)[0]
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-01,a", '2,shop,2026-01-01,"open', "3,shop,2026-01-01,b",
                                               '4,shop,2026-01-01,closed"', '5,shop,2026-01-01,"a note,\nof, two lines"'))
    assert [(finding.count, finding.severity, finding.examples[0].line) for finding in found(company, "swallowed_rows")] == [
        (1, "warning", 3)]


def test_repeated_headers(tmp_path):
    company = company_of(tmp_path, leads="lead_id,process,created_at,channel,channel\n1,shop,2026-01-01,a,b\n")
    assert "the column 'channel' stands twice" in errors(company)[0]
    company = company_of(tmp_path, leads="lead_id,process,created_at,note,Note,note\n1,shop,2026-01-01,a,b,c\n")
    assert not errors(company) and rows(company, "leads", "lead_id") == ["1"]
    assert len(found(company, "unknown_column")) == 3


@pytest.mark.parametrize("nothing", [b"", b"\n", b"\xef\xbb\xbf", b"  \n \r\n", "\n".encode("utf-16")])
def test_an_empty_file_and_a_header_only(tmp_path, nothing):
    company = company_of(tmp_path, leads=nothing, orders=ORDERS)
    assert not errors(company) and company.process("shop").is_empty
    assert [finding.table for finding in found(company, "empty_table")] == ["leads", "orders"]
    (tmp_path / "leads.csv").unlink()
    assert company_of(tmp_path, orders=ORDERS).process("shop").is_empty


def test_headings_that_differ_in_case_only(tmp_path):
    """The exact name is the contract's, wherever it stands."""
    company = company_of(tmp_path, leads="Lead_ID,process,created_at,Channel,channel,lead_id\nx,shop,2026-01-01,a,b,1\n")
    assert rows(company, "leads", "lead_id", "channel") == [("1", "b")]
    assert [finding.message.split(".")[0] for finding in found(company, "unknown_column")] == [
        "the column Lead_ID#2 is not in the contract", "the column Channel#2 is not in the contract"]


def test_an_empty_sheet_is_an_empty_file_and_a_blank_first_line_is_said(tmp_path):
    with pd.ExcelWriter(tmp_path / "leads.xlsx", engine="xlsxwriter") as book:
        pd.DataFrame().to_excel(book, index=False)
    company = company_of(tmp_path)
    assert not errors(company) and company.process("shop").is_empty and len(found(company, "empty_table")) == 1
    (tmp_path / "leads.xlsx").unlink()
    company = company_of(tmp_path, leads="\n" + leads("1,shop,2026-01-01,a"))
    assert "leads.csv, line 1: expected the header, found a blank line" in errors(company)[0]


def test_no_table_at_all_and_no_leads_of_a_process(tmp_path):
    company = company_of(tmp_path)
    assert [finding.severity for finding in found(company, "nothing_to_measure")] == ["note"]
    assert company.process("shop").is_empty
    company = company_of(tmp_path, "  other: {}\n", leads=leads("1,shop,2026-01-01,a"))
    assert [finding.process for finding in found(company, "no_leads")] == ["other"]


def test_control_characters_unclosed_quotes_and_huge_fields(tmp_path):
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-01,a\x00b", "2,shop,2026-01-01,ok"))
    nul = found(company, "control_character")
    assert [(finding.count, finding.examples[0].line) for finding in nul] == [(1, 2)]
    assert rows(company, "leads", "lead_id") == ["2"]
    lines = [f"{number},shop,2026-01-01,ok" for number in range(1000)]
    company = company_of(tmp_path, leads=leads(*lines[:500], 'x,shop,2026-01-01,"never closed', *lines[500:]))
    assert "leads.csv, line 502: a quote is opened and never closed" in errors(company)[0]
    huge = "m" * 1_200_000
    lines = [f"{number},shop,2026-01-01,ok" for number in range(30)]
    company = company_of(tmp_path, leads=leads(*lines[:15], f"x,shop,2026-01-01,{huge}", *lines[15:]))
    assert [(finding.count, finding.examples[0].line) for finding in found(company, "broken_row")] == [(1, 17)]
    assert len(rows(company, "leads", "lead_id")) == 30


def test_quoted_newlines_separators_and_blank_lines(tmp_path):
    company = company_of(tmp_path, leads=leads('1,shop,2026-01-01,"two\nlines"', "", '2,shop,2026-01-01,"a ""b"", c"',
                                               "3,shop,bad,x"))
    assert rows(company, "leads", "lead_id", "channel") == [("1", "two\nlines"), ("2", 'a "b", c')]
    assert [finding.examples[0].line for finding in found(company, "bad_time")] == [6], "lines of the file, not rows"
    assert company.row_counts.loc[0, "rows_count"] == 3


# -- values ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("currency, values, cents", [
    ("RUB", ["12 500 руб.", "1 р.", "7 ₽", "8 RUB"], [1250000, 100, 700, 800]), ("CAD", ["$3,500.25", "2 CAD"], [350025, 200])])
def test_the_companys_own_currency_may_stand_in_the_amounts(tmp_path, currency, values, cents):
    company = amounts(tmp_path, *values, currency=currency)
    assert not errors(company) and sorted(rows(company, "orders", "amount")) == sorted(cents)


@pytest.mark.parametrize("values, said", [
    (["100", "$100"], "orders.csv, column amount: amounts in USD (such as '$100') beside EUR"),
    (["EUR 7", "100 ₽", "$5"], "amounts in RUB (such as '100 ₽') beside EUR"),
    (["5 руб.", "6 руб."], "amounts in RUB (such as '5 руб.') beside EUR"),
    (["GBP 1.50"], "amounts in GBP (such as 'GBP 1.50') beside EUR")])
def test_currencies_written_in_the_amounts_are_never_added_up(tmp_path, values, said):
    company = amounts(tmp_path, *values, description="rates: {USD: 0.5}\n")
    assert said in errors(company)[0] and "a column of its own, currency" in errors(company)[0]


def test_a_currency_column_may_repeat_what_the_amounts_say(tmp_path):
    text = "order_id;customer_id;process;ordered_at;amount;currency\n1;a;shop;2026-01-01;$10;usd\n2;b;shop;2026-01-01;€10;\n"
    company = company_of(tmp_path, "rates: {USD: 0.5}\n", orders=text)
    assert not errors(company) and rows(company, "orders", "amount") == [500, 1000]
    company = company_of(tmp_path, "rates: {USD: 0.5}\n", orders=text.replace("€", "$"))
    assert "amounts in USD (such as '$10') beside EUR" in errors(company)[0]


def amounts(folder, *values: str, description: str = "", currency: str = "EUR"):
    lines = [f'{number};c;shop;2026-01-01;"{value}"' for number, value in enumerate(values)]
    text = ORDERS.replace(",", ";") + "\n".join(lines) + "\n"
    return company_of(folder, description, currency=currency, orders=text)


@pytest.mark.parametrize("values, cents", [
    (["3 500,00", "1\u00a0000,5", "7"], [350000, 100050, 700]),
    (["€ 3.500,00", "12,30 €", "EUR 1"], [350000, 1230, 100]),
    (["€3,500.25", "1,000,000.5"], [350025, 100000050]),
    (["1'000.50", "−5.25"], [100050, -525]),
    (["1.000.000", "2.500,5"], [100000000, 250050]),
    (["+5", "+ 1 000,5", "-1 000 000"], [500, 100050, -100000000]),
    (["0.124", "1.234"], [12, 123]),
])
def test_one_number_format_per_column(tmp_path, values, cents):
    company = amounts(tmp_path, *values)
    assert not errors(company)
    assert sorted(rows(company, "orders", "amount")) == sorted(cents)


@pytest.mark.parametrize("mark, cents", [(",", 123400 / 1000), (".", 123.4)])
def test_an_ambiguous_number_is_asked_for(tmp_path, mark, cents):
    company = amounts(tmp_path, "1.234", "5.678")
    assert 'say formats: {decimal: ","}' in errors(company)[0] and "1.234" in errors(company)[0]
    company = amounts(tmp_path, "1.234", "5.678", description=f'formats: {{decimal: "{mark}"}}\n')
    assert rows(company, "orders", "amount") == ([123400, 567800] if mark == "," else [123, 568])


def test_blanks_stand_between_groups_of_three_only(tmp_path):
    company = amounts(tmp_path, "1 2 3", "12 34", "1 0000", "5 5 руб.", "12 345", currency="RUB")
    assert rows(company, "orders", "amount") == [1234500] and [item.count for item in found(company, "bad_number")] == [4]


def test_broken_infinite_and_absurd_numbers_are_set_aside(tmp_path):
    company = amounts(tmp_path, "1.5", "#REF!", "nan", "inf", "1e400", "9e15", "-2.5", "0", "")
    assert rows(company, "orders", "amount") == [150, -250, 0]
    assert [finding.examples[0].text for finding in found(company, "bad_number")] == ["amount = #REF!"]
    assert [finding.count for finding in found(company, "bad_number")] == [3]
    assert [finding.count for finding in found(company, "absurd_value")] == [2]
    assert [finding.count for finding in found(company, "missing_value")] == [1]
    assert [finding.count for finding in found(company, "refund")] == [1]
    assert [finding.count for finding in found(company, "zero_amount")] == [1]


@pytest.mark.parametrize("values, moments", [
    (["03.04.2026", "12.05.2026 14:30"], ["2026-04-03 00:00", "2026-05-12 14:30"]),
    (["2026-04-03", "2026-04-03T10:00:00", "2026-04-03 10:00:00.123456789"], ["2026-04-03", "2026-04-03 10:00",
                                                                             "2026-04-03 10:00:00.123456"]),
    (["13/04/2026", "01/02/2026"], ["2026-04-13", "2026-02-01"]),
    (["04/13/2026 1:05 PM", "01/02/2026 12:00 AM"], ["2026-04-13 13:05", "2026-01-02 00:00"]),
    (["20260403", "20260131"], ["2026-04-03", "2026-01-31"]),
    (["03.04.26", "01.02.26"], ["2026-04-03", "2026-02-01"]),
])
def test_one_date_format_per_column(tmp_path, values, moments):
    company = company_of(tmp_path, leads=leads(*[f"{number},shop,{value},a" for number, value in enumerate(values)]))
    assert not errors(company) and not found(company, "bad_time")
    assert sorted(rows(company, "leads", "created_at")) == sorted(pd.Timestamp(moment) for moment in moments)


def test_ambiguous_dates_are_asked_for(tmp_path):
    text = leads("1,shop,03/04/2026,a", "2,shop,05/06/2026,a")
    company = company_of(tmp_path, leads=text)
    assert '{date: "%d/%m/%Y"} or {date: "%m/%d/%Y"}' in errors(company)[0] and "03/04/2026" in errors(company)[0]
    company = company_of(tmp_path, 'formats: {date: "%m/%d/%Y"}\n', leads=text)
    assert rows(company, "leads", "created_at") == [pd.Timestamp(2026, 3, 4), pd.Timestamp(2026, 5, 6)]
    for said, moment in (("%Y-%d-%m", pd.Timestamp(2026, 4, 3)), ("%d.%m.%Y", pd.Timestamp(2026, 3, 4))):
        company = company_of(tmp_path, f'formats: {{date: "{said}"}}\n', leads=leads("1,shop,2026-03-04,a"))
        assert rows(company, "leads", "created_at") == [moment], "what was said, if the dates are written so; else ISO"


@pytest.mark.parametrize("formats, said", [
    ('{date: "%Q"}', "formats.date: expected a format such as %d.%m.%Y, found '%Q'"),
    ("{date: \"%d'%m\"}", None), ("{separator: '::'}", "formats.separator: expected one character or comma, semicolon"),
    ("{encoding: klingon}", "'klingon' is no encoding that Python knows"),
    ("{separator: semicolon, encoding: cp1251}", None)])
def test_answers_that_cannot_be(tmp_path, formats, said):
    company = company_of(tmp_path, f"formats: {formats}\n", leads=leads("1,shop,2026-01-01,a").replace(",", ";"))
    assert said in errors(company)[0] if said else not errors(company)


def test_dates_in_another_format_and_absurd_ones_are_set_aside(tmp_path):
    good = [f"{number},shop,2026-01-{number:02},a" for number in range(1, 29)]
    company = company_of(tmp_path, leads=leads(*good, "a,shop,03.04.2026,a", "b,shop,20266,a", "c,shop,3026-01-01,a",
                                               "d,shop,2026-02-30,a", "e,shop,0026-01-01,a", "f,shop,,a"))
    assert len(rows(company, "leads", "lead_id")) == 28
    assert sum(finding.count for finding in found(company, "bad_time")) == 3
    assert company.description.as_of == "2026-01-29T00:00:00", "3026 does not move the end of observation"
    assert [finding.count for finding in found(company, "absurd_value")] == [2], "3026 and 0026"
    assert [finding.count for finding in found(company, "missing_value")] == [1]


@pytest.mark.parametrize("wrong", [["3026-01-02", "3026-05-02"], ["2062-01-02"] * 12, ["2102-01-01", "2033-06-01"],
                                   ["9999-12-31"], ["9999-12-31 23:59:59"] * 3])
def test_mistyped_years_never_move_the_end_of_observation(tmp_path, wrong):
    """200 leads in January 2026, the last of them on the 28th."""
    good = [f"{number},shop,2026-01-{1 + number % 28:02},a" for number in range(200)]
    company = company_of(tmp_path, share=0.1, leads=leads(*good, *(f"x{i},shop,{day},a" for i, day in enumerate(wrong))))
    assert company.description.as_of == "2026-01-29T00:00:00" and len(rows(company, "leads", "lead_id")) == 200
    assert [(finding.count, finding.examples[0].line) for finding in found(company, "absurd_value")] == [(len(wrong), 202)]


def test_mistyped_years_count_among_the_rows_set_aside_whatever_as_of_is(tmp_path):
    good = [f"{number},shop,2026-01-{1 + number:02},a" for number in range(28)]
    text = leads(*good, *(f"x{number},shop,3026-01-02,a" for number in range(8)))
    for said in ("", "as_of: 2026-02-01\n", "as_of: 2026-01-11\n"):
        company = company_of(tmp_path, said, share=0.05, leads=text)
        assert [(finding.count, finding.severity) for finding in found(company, "too_many_set_aside")] == [(8, "error")]
    assert [finding.count for finding in found(company, "after_as_of")] == [18], "11 to 28 January are late, not bad"
    company = company_of(tmp_path, "as_of: 2062-02-01\n", leads=leads(*good, "x,shop,2062-01-02,a"))
    assert not found(company, "absurd_value"), "what lies before an as_of that was said is possible"


def test_aware_and_naive_times_and_the_change_of_the_clock(tmp_path):
    """Berlin is 1 hour ahead of UTC until 29 March 2026 01:00 UTC, 2 hours after."""
    company = company_of(tmp_path, leads=leads("1,shop,2026-03-29T00:30:00Z,a", "2,shop,2026-03-29T01:30:00+00:00,a",
                                               "3,shop,2026-03-29 10:00:00,a", "4,shop,2026-03-29T10:00:00+0300,a"))
    assert rows(company, "leads", "created_at") == [
        pd.Timestamp(2026, 3, 29, 1, 30), pd.Timestamp(2026, 3, 29, 3, 30), pd.Timestamp(2026, 3, 29, 10),
        pd.Timestamp(2026, 3, 29, 9)]
    assert len(found(company, "mixed_zones")) == 1
    company = company_of(tmp_path, leads=leads("1,shop,2026-03-29T00:30:00Z,a", "2,shop,never,a", "3,shop,2026-02-30,a"))
    assert not found(company, "mixed_zones"), "what is no time is not a naive time"


@pytest.mark.parametrize("written", ["+0300", " +0300", " +03:00", "+03"])
def test_a_blank_before_the_zone(tmp_path, written):
    """Berlin is one hour ahead of UTC in January."""
    company = company_of(tmp_path, leads=leads(f"1,shop,2026-01-03 10:00:00{written},a", "2,shop,2026-01-03 10:00:00 UTC,a",
                                               "3,shop,2026-01-03 10:00:00 Z,a"))
    assert rows(company, "leads", "created_at") == [pd.Timestamp(2026, 1, 3, hour) for hour in (8, 11, 11)]
    assert not company.findings[1:], "only that there are no customers"


def test_ids_are_text_from_the_first_byte(tmp_path):
    ids = ["007", "7", "12345678901234567890", "12345678901234567891", "1e5"]
    company = company_of(tmp_path, leads=leads(*[f"{name},shop,2026-01-01,a" for name in ids]))
    assert sorted(rows(company, "leads", "lead_id")) == sorted(ids)


@pytest.mark.parametrize("damaged", ["1.0e18", "1.23457E+18", "1,23457E+18", "May-20", "20-May", "12.май", "1.2E+05"])
def test_ids_that_a_spreadsheet_has_mangled_are_an_error(tmp_path, damaged):
    company = company_of(tmp_path, leads=leads("5,shop,2026-01-01,a", f'"{damaged}",shop,2026-01-01,a'))
    assert "look damaged by a spreadsheet program" in errors(company)[0]
    assert damaged in errors(company)[0]


def test_words_that_look_like_missing_ones_are_words(tmp_path):
    words = ["NA", "None", "null", "nan", "N/A", "unknown"]
    company = company_of(tmp_path, leads=leads(*[f"{number},shop,2026-01-01,{word}" for number, word in enumerate(words)],
                                               "8,shop,2026-01-01,", "9,shop,2026-01-01,   "))
    assert rows(company, "leads", "channel") == [*words, None, None]


# -- rows among each other ---------------------------------------------------------------------------------------------------


def test_the_same_row_twice_and_one_id_with_two_contents(tmp_path):
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-01,a", "1,shop,2026-01-01,a", "2,shop,2026-01-01,a",
                                               "2,shop,2026-01-01,b", "2,shop,2026-01-01,a", "3,shop,2026-01-01,a"))
    assert rows(company, "leads", "lead_id") == ["1", "3"]
    assert [(finding.count, finding.examples[0].line) for finding in found(company, "duplicate_rows")] == [(1, 3)]
    assert [(finding.count, finding.examples[0].line) for finding in found(company, "conflicting_rows")] == [(3, 4)]
    assert company.row_counts.loc[0].to_list()[1:] == [6, 2, 3, 1]


EVENTS = "lead_id,step,entered_at\n"


def test_events_of_unknown_leads_after_the_end_and_before_the_lead(tmp_path):
    company = company_of(tmp_path, "as_of: 2026-02-01\n", leads=leads("1,shop,2026-01-10,a"), stage_events=EVENTS +
                         "1,called,2026-01-09\n9,called,2026-01-11\n,called,2026-01-11\n1,won,2026-02-01\n1,won,2026-01-31\n1,,2026-01-30\n")
    assert rows(company, "stage_events", "step") == ["called", "won"]
    assert [(finding.count, finding.examples[0].line) for finding in found(company, "unknown_lead")] == [(1, 3)]
    assert [(finding.count, finding.examples[0].line) for finding in found(company, "after_as_of")] == [(1, 5)]
    assert [(finding.count, finding.examples[0].line) for finding in found(company, "before_lead")] == [(1, 2)]
    assert sorted(finding.count for finding in found(company, "missing_value")) == [1, 1]


def test_events_of_leads_that_were_set_aside_go_with_them(tmp_path):
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-10,a", "2,shop,never,a", "3,nowhere,2026-01-10,a"),
                         stage_events=EVENTS + "1,called,2026-01-11\n2,called,2026-01-11\n3,called,2026-01-11\n")
    assert rows(company, "stage_events", "lead_id") == ["1"]
    assert sum(finding.count for finding in found(company, "unknown_lead")) == 2


def test_events_without_a_time_are_kept_and_counted(tmp_path):
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-10,a"), stage_events=EVENTS + "1,called,\n1,won,2026-01-12\n")
    assert [finding.message for finding in found(company, "time_unknown")] == ["50.0 % of the events have no time"]
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-10,a"), stage_events="lead_id,step\n1,called\n")
    assert [finding.message for finding in found(company, "time_unknown")] == ["100.0 % of the events have no time"]
    assert len(rows(company, "stage_events", "step")) == 1
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-10,a"), stage_events=EVENTS + "1,called,\n1,won,2026-01-12\n9,won,\n")
    assert [finding.message for finding in found(company, "time_unknown")] == ["50.0 % of the events have no time"], "of those kept"


def test_words_written_differently_are_repaired_and_unknown_ones_are_other(tmp_path):
    description = "  yard: {name: Yard, channels: [Звонок со счётом, web_site]}\n"
    lines = ["1,yard,2026-01-01,Звонок со счетом", "2,yard,2026-01-01,WEB site", "3,yard,2026-01-01,web_sit",
             "4,Yard ,2026-01-01,web_site", "5,yrd,2026-01-01,web_site"]
    company = company_of(tmp_path, description, leads=leads(*lines))
    assert rows(company, "leads", "lead_id", "channel") == [
        ("1", "Звонок со счётом"), ("2", "web_site"), ("3", "other"), ("4", "web_site")]
    assert len(found(company, "repaired_word")) == 3
    assert [finding.message for finding in found(company, "unknown_word")] == [
        "channel 'web_sit' is not described. Did you mean 'web_site'?"]
    assert [finding.message for finding in found(company, "unknown_process")] == [
        "process 'yrd' is not described. Did you mean 'yard'?"]


def test_unknown_steps_stages_and_roles(tmp_path):
    company = company_of(tmp_path, "roles: {caller: {name: Caller}}\n", leads=leads("1,shop,2026-01-10,a"),
                         stage_events=EVENTS + "1,caled,2026-01-11\n1,lost,2026-01-12\n",
                         work="date,process,stage,role,hours\n2026-01-11,shop,conversoin,caler,1\n")
    messages = [finding.message for finding in found(company, "unknown_word")]
    assert "step 'caled' is not described. Did you mean 'called'?" in messages
    assert "stage 'conversoin' is not described. Did you mean 'conversion'?" in messages
    assert "role 'caler' is not described. Did you mean 'caller'?" in messages
    assert rows(company, "stage_events", "step") == ["lost", "other"]


def test_two_currencies_need_rates(tmp_path):
    text = "order_id,customer_id,process,ordered_at,amount,currency\n1,a,shop,2026-01-01,10,EUR\n2,b,shop,2026-01-01,10,USD\n"
    company = company_of(tmp_path, orders=text)
    assert errors(company) == ["orders: amounts in USD beside EUR (orders.csv, line 3: currency = USD); give its rate in "
                               "company.yaml, for instance rates: {USD: 1.0}"]
    company = company_of(tmp_path, "rates: {USD: 0.5}\n", orders=text)
    assert not errors(company) and rows(company, "orders", "amount") == [1000, 500]


def test_a_currency_is_the_same_in_small_letters_and_stops_only_its_own_process(tmp_path):
    """Of the shop EUR in three spellings; USD in the yard, and in a row of the shop that is set aside."""
    text = "order_id,customer_id,process,ordered_at,amount,currency\n" + "".join(
        f"{number},a,{process},{day},10,{code}\n" for number, (process, day, code) in enumerate(
            [("shop", "2026-01-01", "eur"), ("shop", "2026-01-01", "EUR "), ("shop", "never", "USD"), ("yard", "2026-01-02", "usd")]))
    company = company_of(tmp_path, "  yard: {allow_set_aside_share: 1}\n", orders=text)
    assert [(finding.process, finding.count, finding.examples[0].line) for finding in found(company, "foreign_currency")] == [
        ("yard", 1, 5)]
    assert collect(company.process("shop").table("orders"))["amount"].to_list() == [1000, 1000]
    with pytest.raises(DataError, match="amounts in USD beside EUR"):
        company.process("yard")


def test_orders_without_a_customer_are_kept_apart(tmp_path):
    company = company_of(tmp_path, orders=ORDERS + "1,,shop,2026-01-01,10\n2,b,shop,2026-01-01,10\n")
    assert rows(company, "orders", "customer_id") == [None, "b"]
    assert [finding.count for finding in found(company, "no_customer")] == [1]


def test_too_much_set_aside_stops_only_the_process_concerned(tmp_path):
    lines = [f"{number},{'shop' if number % 2 else 'yard'},2026-01-01,a" for number in range(200)]
    lines += [f"bad{number},yard,never,a" for number in range(20)]
    company = company_of(tmp_path, "  yard: {}\n", share=0.05, leads=leads(*lines))
    assert [(finding.process, finding.count) for finding in found(company, "too_many_set_aside")] == [("yard", 20)]
    assert company.process("shop").name == "shop"
    with pytest.raises(DataError, match="20 of 120 rows had to be set aside"):
        company.process("yard")


# -- formats and files -------------------------------------------------------------------------------------------------------


def test_csv_xlsx_and_parquet_are_the_same_company(tmp_path):
    frame = pd.DataFrame({
        "lead_id": ["007", "12345678901234567890", "3"], "process": "shop",
        "created_at": pd.to_datetime(["2026-01-01 10:30:00", "2026-01-02 00:00:00", "2026-01-03 23:59:59"]),
        "channel": ["NA", None, "ёлка"], "expected_amount": [1.5, None, 1000000.25], "returning": [True, False, None]})
    kept = {}
    for ending in ("csv", "xlsx", "parquet"):
        folder = tmp_path / ending
        folder.mkdir()
        path = folder / f"leads.{ending}"
        if ending == "csv":
            frame.to_csv(path, index=False)
        elif ending == "xlsx":
            with pd.ExcelWriter(path, engine="xlsxwriter") as book:
                frame.to_excel(book, index=False)
        else:
            duckdb.from_df(frame.assign(returning=frame["returning"].astype("boolean"))).write_parquet(str(path))
        company = company_of(folder)
        assert not errors(company)
        kept[ending] = rows(company, "leads", "lead_id", "created_at", "channel", "expected_amount", "returning")
    assert kept["csv"] == kept["xlsx"] == kept["parquet"]
    assert kept["csv"][0] == ("007", pd.Timestamp(2026, 1, 1, 10, 30), "NA", 150, True)


def test_one_table_in_two_formats_is_refused(tmp_path):
    with pytest.raises(CallError, match=r"leads\.csv and leads\.xlsx are the same table"):
        company_of(tmp_path, leads=leads(), leads__xlsx=b"")


@pytest.mark.parametrize("ending", ["xlsx", "parquet"])
def test_a_file_that_is_not_what_its_name_says(tmp_path, ending):
    company = company_of(tmp_path, **{f"leads__{ending}": b"neither"})
    assert f"leads.{ending}: not a" in errors(company)[0]


def test_a_misspelt_file_is_seen(tmp_path):
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-01,a"), stage_evnts=EVENTS)
    assert [finding.message for finding in found(company, "unknown_file")] == [
        "the file stage_evnts.csv is no table of the contract. Did you mean 'stage_events'?"]


@pytest.mark.parametrize("name", ["orders.xls", "orders.ods", "Orders.csv", "orders.CSV"])
def test_tables_in_files_that_are_not_read_are_seen(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    company = company_of(tmp_path, leads=leads("1,shop,2026-01-01,a"))
    assert [finding.message for finding in found(company, "unknown_file")] == [
        f"the file {name} is no table of the contract. Expected orders.csv or orders.parquet or orders.xlsx"]


def test_columns_that_are_not_in_the_contract_are_named(tmp_path):
    company = company_of(tmp_path, leads="lead_id,process,created_at,chanel\n1,shop,2026-01-01,a\n")
    assert [finding.message for finding in found(company, "unknown_column")] == [
        "the column chanel is not in the contract. Did you mean 'channel'?"]


@pytest.mark.parametrize("text, said", [
    ("processes: {shop: {stepps: [won]}}", "line 1: processes.shop.stepps: this key is not known. Did you mean 'steps'?"),
    ("currency: EUR\nprocesses: {}", "line 2: processes: expected at least one process"),
    ("processes: {shop: {}}\nprocesses: {}", "line 2"),
    ("processes: [", "line"),
    ("", "found nothing"),
    ("processes: {shop: {steps: [won, {key: a, optional: true}]}}", "the last step means 'paid' and cannot be optional"),
    ("currency: EUR\nproceses: {shop: {}}", "line 2: proceses: this key is not known. Did you mean 'processes'?"),
    ("as_of: 2026-02-30\nprocesses: {shop: {}}", "line 1: expected a date such as 2026-07-01, found '2026-02-30'"),
    ("as_of: 0000-01-01\nprocesses: {shop: {}}", "line 1: expected a date such as 2026-07-01, found '0000-01-01'"),
    ('as_of: "2026-05-30 25:00"\nprocesses: {shop: {}}', "as_of: expected a date such as 2026-07-01, found '2026-05-30 25:00'"),
    ("roles: {a: {name: A, hour_cost: .inf}}\nprocesses: {shop: {}}", "roles.a.hour_cost: expected a finite number, found inf"),
    ("roles: {a: {name: A, hour_cost: 1e300}}\nprocesses: {shop: {}}", "expected at most 1000000000000, found 1e+300"),
    ("roles: {a: {name: A, paid_hours_per_month: 200000}}\nprocesses: {shop: {}}", "expected at most 100000, found 200000"),
    ("roles: {a: {name: A, people: many}}\nprocesses: {shop: {}}", "roles.a.people: expected a number, found 'many'"),
    ("roles: {caller: {name: A}}\nprocesses:\n  shop:\n    cards:\n    - {key: a, stage: conversion}\n"
     "    - {key: b, stage: conversion, role: caler}",
     "line 6: processes.shop.cards.2.role: expected caller, found 'caler'. Did you mean 'caller'?"),
    ("processes: {shop: {steps: [called, won], cards: [{key: a, stage: conversion, step: caled}]}}",
     "processes.shop.cards.1.step: expected one of called, won, found 'caled'. Did you mean 'called'?"),
    ("roles: {caller: {name: A}}\nprocesses: {shop: {measures: [{key: m, moves: repeat_rate, hours: {caler: 1}, "
     "effect: {low: 0, likely: 0, high: 0}}]}}", "measures.1.hours.caler: expected caller, found 'caler'"),
    ("processes: {shop: {measures: [{key: m, moves: step_rat.won, effect: {low: 0, likely: 0, high: 0}}]}}",
     "processes.shop.measures.1.moves: expected one of lead_flow, target_share"),
    ("processes: {shop: {steps: [contacted, won], measures: [{key: m, moves: step_rate.contcted, "
     "effect: {low: 0, likely: 0, high: 0}}]}}",
     "measures.1.moves: expected one of contacted, won, found 'contcted'. Did you mean 'contacted'?"),
    ("currency: euro\nprocesses: {shop: {}}", "line 1: currency: expected the three letters of a currency such as EUR, found 'euro'"),
    ("currency: usd\nprocesses: {shop: {}}", "found 'usd'. Did you mean 'USD'?"),
    ("time_zone: Europe/Moskow\nprocesses: {shop: {}}", "found 'Europe/Moskow'. Did you mean 'Europe/Moscow'?"),
    ("calendar: {holidays: XX}\nprocesses: {shop: {}}", "calendar.holidays: expected a country such as RU, DE or DE-BY, found 'XX'"),
    ("processes: [shop]", "line 1: processes: expected keys with values, found ['shop']"),
    ("processes: {shop: {steps: won}}", "processes.shop.steps: expected a list, found 'won'"),
    ("processes: {shop: {steps: [won, [a]]}}", "processes.shop.steps.2: expected keys with values, found ['a']"),
    ("name: [a]\nprocesses: {shop: {}}", "line 1: name: expected a text, found ['a']"),
    ("time_zone: Mars/Base\nprocesses: {shop: {}}", "line 1: time_zone: expected a time zone such as Europe/Moscow"),
])
def test_mistakes_in_the_description_name_the_place(tmp_path, text, said):
    (tmp_path / "company.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CallError) as error:
        read_company(tmp_path)
    assert said in str(error.value) and "company.yaml" in str(error.value) and "\n" not in str(error.value)


def test_wrong_paths(tmp_path):
    company_of(tmp_path)
    with pytest.raises(CallError, match="language: expected one of en, ru, found 'de'"):
        read_company(tmp_path, language="de")
    with pytest.raises(CallError, match=r"no such folder\. Did you mean"):
        read_company(str(tmp_path)[:-1])
    with pytest.raises(CallError, match="found a file; give its folder"):
        read_company(tmp_path / "company.yaml")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CallError, match=r"no company\.yaml in this folder"):
        read_company(tmp_path / "empty")
    with pytest.raises(CallError, match=r"'shpo' is not described.*Did you mean 'shop'"):
        read_company(tmp_path).process("shpo")


def test_checks_say_nothing_of_good_data(tmp_path):
    company = company_of(tmp_path, leads="lead_id,process,created_at,customer_id\n1,shop,2026-01-01,a\n",
                         stage_events=EVENTS + "1,called,2026-01-02\n1,won,2026-01-03\n",
                         orders=ORDERS + "1,a,shop,2026-01-03,10\n")
    assert company.findings == ()
    assert check_tables({}, company.description, None) == {}
