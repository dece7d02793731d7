"""Companies and processes: settings, tables of mixed engines, observation, labels, and what errors say."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from funnel_lib import CallError, DataError, MeasureError, Process, lead_flow
from funnel_lib.company import minor_units
from funnel_lib.engine import collect
from tests.engines import on_engines

LEADS = pd.DataFrame({"lead_id": [1, 2, 3], "created_at": ["2026-01-01", "2026-01-02 10:00", "2026-01-05"],
                      "channel": ["site", None, "unknown"], "expected_amount": [10.105, None, 3]})


def test_from_tables_understands_loose_pandas_types():
    """Integer ids, text dates, float customer ids with gaps."""
    leads = LEADS.assign(customer_id=[7.0, None, 9.0])
    rows = collect(Process.from_tables("x", leads=leads).table("leads")).sort_values("lead_id")
    assert rows["lead_id"].tolist() == ["1", "2", "3"]
    assert rows["customer_id"].tolist()[0] == "7" and rows["customer_id"].isna().tolist() == [False, True, False]
    assert rows["created_at"].iloc[1] == pd.Timestamp("2026-01-02 10:00")


def test_money_is_carried_in_whole_minor_units():
    rows = collect(Process.from_tables("x", leads=LEADS, currency="RUB").table("leads")).sort_values("lead_id")
    assert rows["expected_amount"].iloc[[0, 2]].tolist() == [1010.0, 300.0] and pd.isna(rows["expected_amount"].iloc[1])
    assert (minor_units("RUB"), minor_units("JPY"), minor_units("KWD")) == (100, 1, 1000)


def test_observation_is_found_in_the_data_unless_it_is_said():
    process = Process.from_tables("x", leads=LEADS)
    assert (process.observed_from, process.as_of) == (pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-06"))
    said = Process.from_tables("x", leads=LEADS, as_of="2026-01-05", observed_from="2025-12-01")
    assert len(collect(said.table("leads"))) == 2, "a lead at as_of is not observed"
    assert said.observed_from == pd.Timestamp("2025-12-01")


def test_mistyped_years_are_not_observed_on_any_engine():
    """Five leads, one of the year 9999 and one of the year 26; the last possible one is of 5 January."""
    leads = pd.DataFrame({"lead_id": ["1", "2", "3", "4", "5"], "created_at": pd.to_datetime(
        ["2026-01-01", "2026-01-02", "2026-01-05", "9999-12-31", "0026-01-01"], format="ISO8601").astype("datetime64[us]")})
    for process in on_engines("x", {"leads": leads}, steps=["won"]).values():
        assert (process.observed_from, process.as_of) == (pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-06"))
        assert "4" not in collect(process.table("leads"))["lead_id"].tolist()
        assert lead_flow.lead_counts(process)["leads_count"].sum() == 3


def test_what_is_no_date_is_a_wrong_call():
    for wrong in ("31.02.2026", "2026-02-30", 20260101, "soon"):
        with pytest.raises(CallError, match="from_tables: as_of: expected a date such as 2026-07-01"):
            Process.from_tables("x", leads=LEADS, as_of=wrong)
    with pytest.raises(CallError, match="observed_from: expected a date"):
        Process.from_tables("x", leads=LEADS, observed_from="0000-01-01")


def test_an_aware_end_of_observation_becomes_local():
    aware = pd.Timestamp("2026-01-04 22:00", tz="UTC")
    process = Process.from_tables("x", leads=LEADS, as_of=aware, time_zone="Europe/Moscow")
    assert process.as_of == pd.Timestamp("2026-01-05 01:00"), "Moscow is three hours ahead"


def test_steps_are_a_list():
    with pytest.raises(CallError, match="steps: expected a list of steps, found the one text 'won'"):
        Process.from_tables("x", leads=LEADS, steps="won")


def test_counts_without_any_time_have_no_end_of_observation():
    counts = pd.DataFrame({"process": "x", "step": ["lead"], "count": [5]})
    process = Process.from_tables("x", counts=counts)
    assert process.as_of is None and not process.is_empty
    with pytest.raises(MeasureError, match="say when observation ends"):
        process.needs_as_of()


def test_aware_times_become_local():
    leads = pd.DataFrame({"lead_id": ["a"], "created_at": pd.to_datetime(["2026-01-01 22:30"]).tz_localize("UTC")})
    rows = collect(Process.from_tables("x", leads=leads, time_zone="Europe/Moscow").table("leads"))
    assert rows["created_at"].iloc[0] == pd.Timestamp("2026-01-02 01:30")


def test_tables_of_different_engines_meet():
    events = duckdb.sql("SELECT '1' AS lead_id, 'won' AS step, TIMESTAMP '2026-01-03' AS entered_at")
    process = Process.from_tables("x", leads=LEADS, stage_events=events, steps=["won"])
    assert collect(process.table("stage_events"))["lead_id"].tolist() == ["1"]


def test_events_of_unknown_leads_are_not_seen():
    events = pd.DataFrame({"lead_id": [1, 99, None], "step": "won", "entered_at": "2026-01-03"})
    process = Process.from_tables("x", leads=LEADS, stage_events=events, steps=["won"])
    assert len(collect(process.table("stage_events"))) == 1


def test_rows_of_other_processes_are_not_seen_and_a_wrong_name_is_an_error():
    leads = LEADS.assign(process=["x", "x", "y"])
    assert len(collect(Process.from_tables("x", leads=leads).table("leads"))) == 2
    with pytest.raises(DataError, match=r"rows of x, y, none of 'z'"):
        Process.from_tables("z", leads=leads)


def test_wrong_names_say_the_nearest_right_one():
    with pytest.raises(CallError, match=r"'stage_event' is no table and no setting. Did you mean 'stage_events'"):
        Process.from_tables("x", leads=LEADS, stage_event=LEADS)
    with pytest.raises(CallError, match="Did you mean 'leads'"):
        Process.from_tables("x", leads=LEADS).table("lead")
    with pytest.raises(DataError, match=r"column 'created_at' is missing; found lead_id, created.* Did you mean 'created'"):
        Process.from_tables("x", leads=LEADS.rename(columns={"created_at": "created"})[["lead_id", "created"]])
    with pytest.raises(DataError, match="expected a frame"):
        Process.from_tables("x", leads=[1, 2])
    with pytest.raises(CallError, match="margin_share"):
        Process.from_tables("x", leads=LEADS, margin_share=7)
    with pytest.raises(MeasureError, match="needs the table 'spend'"):
        Process.from_tables("x", leads=LEADS).table("spend")


def test_wrong_types_are_named():
    with pytest.raises(DataError, match="column created_at: expected times"):
        Process.from_tables("x", leads=LEADS.assign(created_at=["soon", "later", "never"]))
    with pytest.raises(DataError, match="column expected_amount: expected numbers"):
        Process.from_tables("x", leads=LEADS.assign(expected_amount="much"))


def test_a_second_currency_needs_a_rate():
    orders = pd.DataFrame({"order_id": ["1", "2"], "customer_id": "c", "ordered_at": "2026-01-01", "amount": [10, 10],
                           "currency": ["RUB", "USD"]})
    with pytest.raises(DataError, match=r"amounts in USD beside RUB; give its rate"):
        Process.from_tables("x", orders=orders, currency="RUB")
    process = Process.from_tables("x", orders=orders, currency="RUB", rates={"USD": 92.5})
    assert sorted(collect(process.table("orders"))["amount"]) == [1000, 92500]


def test_labels_fall_back_on_the_key(demo):
    wholesale = demo.process("wholesale")
    assert wholesale.label("won") == "Won" and wholesale.label("no such key") == "no such key"
    assert wholesale.title == "Wholesale" and wholesale.company_name == "Northern Trade"
    assert wholesale.about.label("lead_generation") == "Lead generation"


def test_unknown_process_names_the_nearest(demo):
    with pytest.raises(CallError, match="Did you mean 'wholesale'"):
        demo.process("wholesail")


def test_an_empty_process_says_so():
    assert Process.from_tables("x", leads=LEADS.head(0)).is_empty
    assert not Process.from_tables("x", leads=LEADS).is_empty


def test_results_carry_what_they_are_about_through_pandas():
    process = Process.from_tables("x", leads=LEADS, currency="RUB", language="ru")
    table = process.tidy(pd.DataFrame({"a": [1, 2]}))
    assert table.head(1).attrs["about"].currency == "RUB" and table[table["a"] > 1].attrs["about"].language == "ru"


def test_a_table_that_only_another_process_fills_is_not_there():
    """`b` has no row of its own in orders: it is not recorded for `b`, instead of being zero."""
    from funnel_lib.company import Company

    leads = pd.DataFrame({"lead_id": ["1", "2"], "process": ["a", "b"], "created_at": "2026-01-01"})
    orders = pd.DataFrame({"order_id": ["1"], "customer_id": ["c"], "process": ["a"], "ordered_at": ["2026-01-02"], "amount": [5]})
    process = Process.from_tables("a", leads=leads, orders=orders)
    other = Company(process.company.model_copy(update={"processes": {"b": process.settings}}), process.source_tables,
                    process.present).process("b")
    assert process.has("orders", "amount") and not other.has("orders")
    with pytest.raises(MeasureError, match=r"needs the table 'orders' \(orders\), of which no row is of this process"):
        other.table("orders")
    assert Process.from_tables("a", leads=leads, orders=orders.head(0)).has("orders"), "an empty table is there"


def returning_of(**changes) -> list[bool]:
    """Whether the leads 1 and 2 of customer c are returning: created at 10:00 on the 10th and at midnight of the 20th."""
    leads = pd.DataFrame({"lead_id": ["1", "2"], "created_at": ["2026-01-10 10:00", "2026-01-20"], "customer_id": "c"})
    tables = {"leads": leads, **{name: pd.DataFrame(rows) for name, rows in changes.items()}}
    found = []
    for process in on_engines("p", tables, as_of="2026-03-01").values():
        found.append(collect(process.leads(None)).sort_values("lead_id")["is_returning"].tolist())
    assert found[0] == found[1]
    return found[0]


def test_a_leads_own_order_does_not_make_it_returning():
    """Neither one of the same day without a time, nor one dated before its lead, nor its date in the list of customers."""
    own = {"order_id": ["o"], "customer_id": ["c"], "amount": [5], "lead_id": ["1"]}
    assert returning_of(orders={**own, "ordered_at": ["2026-01-10"]}) == [False, True]
    assert returning_of(orders={**own, "ordered_at": ["2026-01-08"]}) == [False, True]
    assert returning_of(orders={**own, "ordered_at": ["2026-01-10"], "lead_id": [None]}) == [False, True]
    assert returning_of(orders={**own, "ordered_at": ["2026-01-10 09:00"], "lead_id": [None]}) == [True, True]
    listed = {"customer_id": ["c"], "first_order_at": ["2026-01-08"]}
    assert returning_of(orders={**own, "ordered_at": ["2026-01-08 15:00"]}, customers=listed) == [False, True]


def test_a_customer_known_from_before_makes_leads_returning_with_a_date_or_without():
    assert returning_of(customers={"customer_id": ["c"], "first_order_at": ["2020-01-01"]}) == [True, True]
    assert returning_of(customers={"customer_id": ["c", "d"], "first_order_at": [None, "2020-01-01"]}) == [True, True]
    assert returning_of(customers={"customer_id": ["c"], "first_order_at": ["2026-01-15"]}) == [False, True]
