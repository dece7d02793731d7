"""Import by a mapping: small files written in the test, results counted by hand."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from funnel_lib import read_company
from funnel_lib.description import Formats
from funnel_lib.engine import collect
from funnel_lib.errors import CallError, DataError
from funnel_lib.readers import importing
from funnel_lib.readers.draft import flow
from funnel_lib.readers.importing import import_files

DEALS = """id,pipeline,stage,opened,closed,who,source,sum
1,Big deals,New,2026-01-01,,ann,site,10
2,Big deals,Talks,2026-01-02,,bob,phone,20.5
3,Big deals,WON ,2026-01-03,2026-01-10,ann,site,30
4,Big deals,Refused,2026-01-04,2026-01-06,,,
5,big-deals,Won,2026-01-05,2026-01-06,bob,phone,abc
"""
MAPPING = """source: {deals: "deals*", people: "people*"}
company: {name: Test, currency: EUR, time_zone: Europe/Moscow}
processes: {sales: {allow_set_aside_share: 0.5}}
words: {won: [won], lost: [refused]}
tables:
  leads:
    from: deals
    columns: {lead_id: id, created_at: opened, channel: source, owner: who, expected_amount: sum}
    constants: {process: sales, channel: walk-in}
  stage_events:
    - {from: deals, where_not: {stage: [won, refused]}, columns: {lead_id: id, step: stage}}
    - {from: deals, where: {stage: [won, refused]}, columns: {lead_id: id, step: stage, entered_at: closed}}
"""


def write(folder: Path, **texts: str) -> list[Path]:
    """Files of these names; `deals_csv="…"` becomes deals.csv."""
    paths = []
    for name, text in texts.items():
        path = folder / name.replace("_", ".")
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def run(folder: Path, mapping: str, out: str = "company", replace: bool = False, **files: str):
    """The result of the import and the company read back."""
    paths = write(folder, **files)
    (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
    result = import_files(folder / "mapping.yaml", paths, folder / out, replace=replace)
    return result, read_company(result.folder)


def only_deals(mapping: str) -> str:
    return mapping.replace(', people: "people*"', "")


def rows(company, table: str, *columns: str) -> list[tuple]:
    frame = collect(company.source_tables[table])
    frame = frame.sort_values(list(frame)[:2]).astype(object)
    return list(frame.where(frame.notna(), None)[list(columns)].itertuples(index=False, name=None))


def test_words_selection_and_constants(tmp_path):
    result, company = run(tmp_path, only_deals(MAPPING), deals_csv=DEALS)
    assert rows(company, "stage_events", "lead_id", "step", "entered_at") == [
        ("1", "New", None), ("2", "Talks", None), ("3", "won", pd.Timestamp(2026, 1, 10)),
        ("4", "lost", pd.Timestamp(2026, 1, 6))], "lead 5 has a bad amount and is set aside with its event"
    assert rows(company, "leads", "lead_id", "channel", "owner", "expected_amount") == [
        ("1", "site", "ann", 1000), ("2", "phone", "bob", 2050), ("3", "site", "ann", 3000), ("4", "walk-in", None, None)]
    assert result.row_counts["made_count"].to_list() == [5, 2, 3]


def test_a_value_without_meaning_keeps_its_text_for_the_check(tmp_path):
    company = run(tmp_path, only_deals(MAPPING), deals_csv=DEALS)[1]
    bad = [found for found in company.findings if found.key == "bad_number"]
    assert [(found.count, found.examples[0].text) for found in bad] == [(1, "expected_amount = abc")]


def test_steps_come_in_the_order_of_median_age(tmp_path):
    mapping = only_deals(MAPPING).split("  stage_events:")[0].replace("allow_set_aside_share: 0.5", "") + (
        '  stage_events: {from: events, columns: {lead_id: id, step: step, entered_at: at}}\n')
    mapping = mapping.replace('source: {deals: "deals*"', 'source: {deals: "deals*", events: "events*"').replace(
        ", expected_amount: sum", "")
    # Ages: zoom 5 and 9 (median 7), apple 1 and 2, won 3: the last step stays last although it is entered early.
    events = ("id,step,at\n1,zoom,2026-01-06\n2,zoom,2026-01-11\n1,apple,2026-01-02\n2,apple,2026-01-04\n"
              "3,won,2026-01-06\n4,lost,2026-01-05\n")
    company = run(tmp_path, mapping, deals_csv=DEALS, events_csv=events)[1]
    assert [step.key for step in company.process("sales").steps] == ["apple", "zoom", "won"]
    text = (tmp_path / "company" / "company.yaml").read_text(encoding="utf-8")
    assert "- zoom    # entered at a median age of 7.0 days, 2 times" in text


def test_processes_named_in_the_data_get_keys(tmp_path):
    mapping = only_deals(MAPPING).replace("lead_id: id, created_at", "lead_id: id, process: pipeline, created_at").replace(
        "processes: {sales: {allow_set_aside_share: 0.5}}\n", "").replace(", expected_amount: sum", "")
    company = run(tmp_path, mapping, deals_csv=DEALS)[1]
    assert {name: company.process(name).title for name in company.process_names} == {
        "big_deals": "Big deals", "big_deals_2": "big-deals"}
    again = import_files(tmp_path / "mapping.yaml", [tmp_path / "deals.csv"], tmp_path / "company", replace=True)
    assert read_company(again.folder).process_names == company.process_names
    assert {row[0] for row in rows(read_company(again.folder), "leads", "process")} == {"big_deals", "big_deals_2"}


# -- joins -----------------------------------------------------------------------------------------------------------------

JOINED = MAPPING.replace("    constants: {process: sales, channel: walk-in}\n", "    constants: {process: sales}\n"
                         "    joins: {from: people, on: {who: name}, columns: {segment: team}}\n").replace(
                             ", expected_amount: sum", "")


def test_a_join_adds_columns_and_reports_keys_that_match_nothing(tmp_path):
    result, company = run(tmp_path, JOINED, deals_csv=DEALS, people_csv="name,team\nann,north\nbobb,south\n,nobody\n")
    # Deal 4 names nobody: a missing key matches nothing, not even the nameless row.
    assert rows(company, "leads", "lead_id", "segment") == [
        ("1", "north"), ("2", None), ("3", "north"), ("4", None), ("5", None)]
    found = [finding for finding in result.findings if finding.key == "no_match"]
    assert [(finding.count, finding.examples[0].text) for finding in found] == [
        (2, "who = bob, 2 rows. Did you mean 'bobb'?")]


def test_the_joined_key_must_be_unique(tmp_path):
    with pytest.raises(DataError, match=r"people\.csv: expected each name once.*'ann' stands 2 times"):
        run(tmp_path, JOINED, deals_csv=DEALS, people_csv="name,team\nann,north\nann,south\n")
    assert not (tmp_path / "company").exists()


def test_one_to_one_holds_on_both_sides(tmp_path):
    with pytest.raises(DataError, match=r"deals\.csv: expected each who once"):
        run(tmp_path, JOINED.replace("columns: {segment: team}", "columns: {segment: team}, cardinality: one_to_one"),
            deals_csv=DEALS, people_csv="name,team\nann,north\nbob,south\n")


def test_a_join_by_two_keys(tmp_path):
    mapping = JOINED.replace("on: {who: name}", "on: {who: name, source: from}")
    company = run(tmp_path, mapping, deals_csv=DEALS, people_csv="name,from,team\nann,site,x\nbob,site,y\nbob,phone,z\n")[1]
    assert rows(company, "leads", "lead_id", "segment") == [("1", "x"), ("2", "z"), ("3", "x"), ("4", None), ("5", "z")]


# -- files -----------------------------------------------------------------------------------------------------------------

ORDERS = """source: {orders: "orders*"}
processes: {shop: {}}
FORMATS
tables:
  orders:
    from: orders
    columns: {order_id: row_number, customer_id: customer, ordered_at: day, amount: money}
    constants: {process: shop}
"""


def orders(company) -> list[tuple]:
    return rows(company, "orders", "order_id", "customer_id", "ordered_at", "amount")


def test_columns_set_apart_by_blanks_without_a_header(tmp_path):
    formats = 'formats: {separator: whitespace, date: "%Y%m%d", header: [customer, day, pieces, money]}'
    text = " 00001 19970101  1   11.77\r\n 00002 19970112  5   77.00\r\n 00002 19970112  5   77.00\r\n"
    company = run(tmp_path, ORDERS.replace("FORMATS", formats), orders_txt=text)[1]
    assert orders(company) == [("1", "00001", pd.Timestamp(1997, 1, 1), 1177), ("2", "00002", pd.Timestamp(1997, 1, 12), 7700),
                               ("3", "00002", pd.Timestamp(1997, 1, 12), 7700)]


def test_several_files_of_one_source_are_one_table(tmp_path):
    result, company = run(tmp_path, ORDERS.replace("FORMATS", ""), orders1_csv="customer,day,money\na,2026-01-01,1\n",
                          orders2_csv="day;money;customer\n2026-01-02;2,5;b\n")
    assert [row[0] for row in orders(company)] == ["1", "2"], "rows are numbered through"
    assert [row[3] for row in orders(company)] == [100, 250], "each file has its own separator and decimal mark"
    assert result.row_counts["file"].to_list() == ["orders1.csv", "orders2.csv"]


def test_exports_that_overlap_do_not_count_twice(tmp_path):
    mapping = only_deals(MAPPING).replace(", expected_amount: sum", "")
    lines = DEALS.splitlines(keepends=True)
    result, company = run(tmp_path, mapping, deals1_csv="".join(lines[:4]), deals2_csv=lines[0] + "".join(lines[2:]))
    # Deals 2 and 3 are in both files.
    assert [row[0] for row in rows(company, "leads", "lead_id")] == ["1", "2", "3", "4", "5"]
    assert [row[0] for row in rows(company, "stage_events", "lead_id")] == ["1", "2", "3", "4", "5"]
    assert [finding.count for finding in company.findings if finding.key == "duplicate_rows"] == [2]
    assert [finding.count for finding in result.findings if finding.key == "duplicate_rows"] == [2]
    counts = result.row_counts
    assert (counts["rows_count"] == counts["made_count"] + counts["left_out_count"] + counts["broken_count"]).all()


def test_csv_xlsx_and_parquet_give_the_same(tmp_path):
    days = pd.to_datetime(["2026-01-01 00:00", "2026-01-02 10:30", "2026-01-03 00:00"])
    frame = pd.DataFrame({"customer": ["007", "NA", "ё"], "day": days, "money": [1.5, 2, 3000000.25]})
    frame.to_csv(tmp_path / "orders.csv", index=False)
    with pd.ExcelWriter(tmp_path / "orders.xlsx", engine="xlsxwriter") as book:
        frame.to_excel(book, index=False)
    duckdb.from_df(frame).write_parquet(str(tmp_path / "orders.parquet"))
    (tmp_path / "mapping.yaml").write_text(ORDERS.replace("FORMATS", ""), encoding="utf-8")
    found = {}
    for ending in ("csv", "xlsx", "parquet"):
        result = import_files(tmp_path / "mapping.yaml", [tmp_path / f"orders.{ending}"], tmp_path / ending)
        found[ending] = orders(read_company(result.folder))
    assert found["csv"] == found["xlsx"] == found["parquet"]
    assert found["csv"][2] == ("3", "ё", pd.Timestamp(2026, 1, 3), 300000025)


def test_a_heading_that_stands_twice_can_be_named_by_its_number(tmp_path):
    text = "customer,day,money,money\na,2026-01-01,1,9\n"
    with pytest.raises(DataError, match="'money' stands twice"):
        run(tmp_path, ORDERS.replace("FORMATS", ""), orders_csv=text)
    for named, amount in (("money#1", 100), ("money#2", 900)):
        company = run(tmp_path, ORDERS.replace("FORMATS", "").replace("amount: money", f'amount: "{named}"'), named[-1],
                      orders_csv=text)[1]
        assert orders(company)[0][3] == amount


def test_what_can_be_read_two_ways_is_asked_for(tmp_path):
    text = "customer,day,money\na,03/04/2026,1\n"
    with pytest.raises(DataError, match="can be read two ways"):
        run(tmp_path, ORDERS.replace("FORMATS", ""), orders_csv=text)
    result = import_files(tmp_path / "mapping.yaml", [tmp_path / "orders.csv"], tmp_path / "c",
                          formats=Formats(date="%d/%m/%Y"))
    assert orders(read_company(result.folder))[0][2] == pd.Timestamp(2026, 4, 3)


def test_aware_times_become_company_time(tmp_path):
    mapping = ORDERS.replace("FORMATS", "company: {time_zone: Europe/Moscow}")
    company = run(tmp_path, mapping, orders_csv="customer,day,money\na,2026-01-01T10:00:00Z,1\n")[1]
    assert orders(company)[0][2] == pd.Timestamp(2026, 1, 1, 13)


def test_broken_rows_are_findings_and_too_many_an_error(tmp_path):
    good = "".join(f"c{number},2026-01-01,1\n" for number in range(30))
    mapping = ORDERS.replace("FORMATS", "")
    result, _ = run(tmp_path, mapping, orders_csv="customer,day,money\n" + good + "x,2026-01-01,1,surplus\n")
    broken = [found for found in result.findings if found.key == "broken_row"]
    assert [(found.count, found.examples[0].line) for found in broken] == [(1, 32)]
    counts = result.row_counts.iloc[0]
    assert (counts["rows_count"], counts["made_count"], counts["broken_count"]) == (31, 30, 1)
    with pytest.raises(DataError, match="3 of 4 rows are broken"):
        run(tmp_path, mapping, "other", orders_csv="customer,day,money\na,2026-01-01,1\n" + "x,2026-01-01,1,surplus\n" * 3)
    assert not (tmp_path / "other").exists()


def test_a_currency_column_is_found_and_a_second_one_is_left_to_rate(tmp_path):
    mapping = ORDERS.replace("FORMATS", "").replace("amount: money", "amount: money, currency: code")
    text = "customer,day,money,code\na,2026-01-01,1,USD\nb,2026-01-01,1,USD\nc,2026-01-01,1,EUR\n"
    result, company = run(tmp_path, mapping, orders_csv=text)
    assert company.description.currency == "USD"
    assert any("rates: {EUR: 1.0}" in found.text for found in company.findings if found.severity == "error")
    description = result.description.read_text(encoding="utf-8")
    result.description.write_text(description.replace("# rates: {EUR: 1.0}", "rates: {EUR: 2.0}"), encoding="utf-8")
    assert [row[3] for row in orders(read_company(result.folder))] == [100, 100, 200]


# -- the folder ------------------------------------------------------------------------------------------------------------


def test_a_description_that_is_there_is_never_overwritten(tmp_path):
    result, company = run(tmp_path, ORDERS.replace("FORMATS", ""), orders_csv="customer,day,money\na,2026-01-01,1\n")
    assert (result.description.name, result.kept_description) == ("company.yaml", False)
    mine = "currency: EUR\nprocesses: {shop: {name: Mine}}\n"
    result.description.write_text(mine, encoding="utf-8")
    with pytest.raises(CallError, match=r"orders\.parquet: this table is there already.*--replace"):
        run(tmp_path, ORDERS.replace("FORMATS", ""), orders_csv="customer,day,money\na,2026-01-01,5\n")
    assert rows(read_company(result.folder), "orders", "amount") == [(100,)], "what was there still is"
    again, company = run(tmp_path, ORDERS.replace("FORMATS", ""), replace=True,
                         orders_csv="customer,day,money\na,2026-01-01,5\n")
    assert (result.replaced, again.replaced) == ((), ("orders",))
    assert (again.description.name, again.kept_description) == ("company.draft.yaml", True)
    assert (tmp_path / "company" / "company.yaml").read_text(encoding="utf-8") == mine
    assert orders(company)[0][3] == 500 and company.process("shop").title == "Mine"
    assert [found.key for found in company.findings if found.key == "unknown_file"] == []


def test_the_same_input_gives_the_same_bytes(tmp_path):
    first = run(tmp_path, only_deals(MAPPING), "first", deals_csv=DEALS)[0]
    second = run(tmp_path, only_deals(MAPPING), "second", deals_csv=DEALS)[0]
    assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == {
        path.name: path.read_bytes() for path in second.folder.iterdir()}
    assert {path.name for path in first.folder.iterdir()} == {"company.yaml", "leads.parquet", "stage_events.parquet"}


def test_a_failure_while_writing_leaves_nothing(tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importing.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        run(tmp_path, only_deals(MAPPING), deals_csv=DEALS)
    assert not (tmp_path / "company").exists()


def test_a_table_in_another_format_is_not_shadowed(tmp_path):
    (tmp_path / "company").mkdir()
    (tmp_path / "company" / "leads.csv").write_text("lead_id\n")
    with pytest.raises(CallError, match=r"leads\.csv: this table would stand there twice"):
        run(tmp_path, only_deals(MAPPING), deals_csv=DEALS)
    assert [path.name for path in (tmp_path / "company").iterdir()] == ["leads.csv"]


def test_a_file_that_the_mapping_does_not_need_is_left_unread_and_said(tmp_path):
    write(tmp_path, deals_csv=DEALS, other_csv="a\n", mapping_yaml=only_deals(MAPPING))
    result = import_files(tmp_path / "mapping.yaml", sorted(tmp_path.glob("*.csv")), tmp_path / "c")
    assert [found.text for found in result.findings if found.key == "unused_file"] == [
        "other: no source of the mapping takes the file other.csv; not read"]


@pytest.mark.parametrize("preset, file, out, said", [
    ("bitrix42", "deals.csv", "c", "expected a preset .* Did you mean 'bitrix24'"),
    ("mapping.yaml", "deal.csv", "c", "no such file. Did you mean 'deals.csv'"),
    ("mapping.yaml", "other.csv", "c", "no file for the source 'deals'"),
    ("mapping.yaml", "empty", "c", "no file for the source 'deals'"),
    ("mapping.yaml", "deals.csv", "other.csv", "expected a folder to write the company into, found a file"),
])
def test_wrong_calls(tmp_path, preset, file, out, said):
    write(tmp_path, deals_csv=DEALS, other_csv="a\n", mapping_yaml=only_deals(MAPPING))
    (tmp_path / "empty").mkdir()
    name = tmp_path / preset if preset.endswith("yaml") else preset
    with pytest.raises(CallError, match=said):
        import_files(name, [tmp_path / file], tmp_path / out)
    assert not (tmp_path / "c").exists()


def test_an_import_without_a_row_is_refused(tmp_path):
    with pytest.raises(CallError, match=r"deals\.csv: no rows found"):
        run(tmp_path, only_deals(MAPPING), deals_csv=DEALS.splitlines()[0] + "\n")
    assert not (tmp_path / "company").exists()


def test_a_missing_column_is_named_with_the_nearest(tmp_path):
    with pytest.raises(DataError, match=r"deals\.csv: the column 'stage' .* is missing.*Did you mean 'stages'"):
        run(tmp_path, only_deals(MAPPING), deals_csv=DEALS.replace("stage", "stages"))


# -- values are never code -------------------------------------------------------------------------------------------------

HOSTILE = ["'; DROP TABLE leads; --", '"quoted" {flow: [yaml', "# comment: no", "two\nlines", "=cmd()|'x'!A1", "../../etc",
           "null", "007", "да: нет", "{{}} ${HOME} %s", "\u202eright to left", "😀"]


def test_values_stay_values(tmp_path):
    frame = pd.DataFrame({"id": range(len(HOSTILE)), "pipe": HOSTILE, "opened": "2026-01-01", "source": HOSTILE, "who": HOSTILE,
                          "stage": HOSTILE, 'we"ird, name': HOSTILE})
    frame.to_csv(tmp_path / "deals.csv", index=False)
    (tmp_path / "mapping.yaml").write_text('''source: {deals: "deals*"}
tables:
  leads:
    from: deals
    columns: {lead_id: id, process: pipe, created_at: opened, channel: source, owner: who, segment: 'we"ird, name'}
  stage_events: {from: deals, columns: {lead_id: id, step: stage, employee: who}}
''', encoding="utf-8")
    company = read_company(import_files(tmp_path / "mapping.yaml", [tmp_path / "deals.csv"], tmp_path / "company").folder)
    leads = collect(company.source_tables["leads"]).sort_values("lead_id", key=lambda ids: ids.astype(int))
    for column in ("channel", "owner", "segment"):
        assert leads[column].to_list() == HOSTILE
    assert {company.process(name).title for name in company.process_names} == set(HOSTILE)
    assert {step.key for name in company.process_names for step in company.process(name).steps} == {*HOSTILE, "won"}
    assert all(name.replace("_", "").isalnum() and name.isascii() for name in company.process_names)


# YAML cannot carry lone surrogates, in any notation.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.recursive(TEXTS | st.booleans() | st.none() | st.integers(-10**9, 10**9),
                    lambda inner: st.lists(inner) | st.dictionaries(TEXTS.filter(bool), inner), max_leaves=8))
def test_what_is_written_as_yaml_is_read_back(value):
    assert YAML(typ="safe", pure=True).load(f"key: {flow(value)}\n")["key"] == value


def test_currencies_written_in_the_amounts_stop_the_import(tmp_path):
    """20.5 with another sign: once typed, nobody could tell. A mapping that names a currency column knows better."""
    for mapping, said in ((MAPPING, "amounts in USD (such as '$20.5') beside EUR"),
                          (MAPPING.replace("currency: EUR, ", ""), "amounts in USD (such as '$20.5') beside GBP")):
        with pytest.raises(DataError, match=re.escape(said)):
            run(tmp_path, only_deals(mapping), deals_csv=DEALS.replace("20.5", "$20.5").replace(",10\n", ",£10\n"
                if "GBP" in said else ",10\n"))
    named = only_deals(MAPPING).replace("expected_amount: sum", "expected_amount: sum, currency: money")
    deals = "\n".join(line + (",money" if line.startswith("id") else ",USD") for line in DEALS.splitlines()) + "\n"
    _, company = run(tmp_path, named, deals_csv=deals.replace("20.5", "$20.5"))
    assert {finding.key for finding in company.findings if finding.severity == "error"} == {"foreign_currency"}


def test_a_channel_called_like_a_date_is_quoted_in_the_draft(tmp_path):
    result, company = run(tmp_path, only_deals(MAPPING), deals_csv=DEALS.replace("site", "2026-01-01"))
    assert '"2026-01-01"' in result.description.read_text(encoding="utf-8")
    assert company.process("sales").settings.channels == ["2026-01-01", "phone", "walk-in"]
