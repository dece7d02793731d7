"""Frames as users hold them: every engine and every loose type gives the same table, or an error that names the column."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import pandas as pd
import pytest

from funnel_lib import CallError, DataError, Process
from funnel_lib.engine import collect

LEADS = pd.DataFrame({"lead_id": ["a", "b"], "created_at": pd.to_datetime(["2026-01-01 22:30", "2026-07-01 22:30"])})


def polars_of(frame):
    return pytest.importorskip("polars").from_pandas(frame)


def arrow_of(frame):
    return pytest.importorskip("pyarrow").Table.from_pandas(frame)


ENGINES = [pytest.param(lambda frame: frame, id="pandas"), pytest.param(duckdb.from_df, id="duckdb"),
           pytest.param(polars_of, id="polars", marks=pytest.mark.engines),
           pytest.param(arrow_of, id="arrow", marks=pytest.mark.engines)]


def column(table: str, name: str, frame, **settings) -> list:
    """One column of the table as a process sees it, in the order of its values."""
    process = Process.from_tables("x", **{table: frame}, as_of="2027-01-01", **settings)
    return sorted(collect(process.table(table))[name].dropna())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Ho_Chi_Minh", "Etc/GMT-3"])
def test_aware_times_become_local_on_every_engine(engine, zone):
    """Half past ten in the evening; Moscow is at UTC+3 all year."""
    hours = {"UTC": (0, 0), "America/New_York": (-5, -4), "Asia/Ho_Chi_Minh": (7, 7), "Etc/GMT-3": (3, 3)}[zone]
    aware = LEADS.assign(created_at=LEADS["created_at"].dt.tz_localize(zone))
    assert column("leads", "created_at", engine(aware), time_zone="Europe/Moscow") == [
        time + pd.Timedelta(hours=3 - hour) for time, hour in zip(LEADS["created_at"], hours, strict=True)]


@pytest.mark.parametrize("values, hours", [
    (["2026-01-01T10:00:00+03:00", "2026-01-01T10:00:00Z"], [10, 13]), (["2026-01-01T10:00:00+0300", "2026-01-01 12:00"], [10, 12]),
    (["2026-01-01T10:00:00-05:00"] * 2, [18, 18]),
    ([dt.datetime(2026, 1, 1, 9, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, 10)], [10, 12])])
def test_times_with_an_offset_of_their_own(values, hours):
    frame = LEADS.assign(created_at=pd.Series(values, dtype=object))
    assert [time.hour for time in column("leads", "created_at", frame, time_zone="Europe/Moscow")] == hours


@pytest.mark.parametrize("engine", ENGINES)
def test_float_ids_stay_different_and_no_number_is_missing(engine):
    ids = LEADS.assign(lead_id=[1.1, 1.2], customer_id=[7.0, float("nan")])
    assert column("leads", "lead_id", engine(ids)) == ["1.1", "1.2"]
    assert column("leads", "customer_id", engine(ids)) == ["7"]
    relation = duckdb.sql("SELECT * FROM (VALUES ('nan'::DOUBLE), (3.0), (3.5)) t(lead_id), (SELECT DATE '2026-01-01' AS created_at)")
    assert column("leads", "lead_id", relation) == ["3", "3.5"]


def test_tables_of_two_connections_meet():
    events = duckdb.connect().sql("SELECT 'a' AS lead_id, 'won' AS step, TIMESTAMPTZ '2026-01-03 00:00:00+00' AS entered_at")
    leads = duckdb.connect().sql("SELECT 'a' AS lead_id, TIMESTAMP '2026-01-01' AS created_at")
    process = Process.from_tables("x", leads=leads, stage_events=events, steps=["won"], time_zone="Europe/Moscow")
    assert collect(process.table("stage_events"))["entered_at"].to_list() == [pd.Timestamp("2026-01-03 03:00")]


@pytest.mark.parametrize("amounts", [[10, 2.5], [Decimal("10"), Decimal("2.5")], [10, Decimal("2.50")], [10, 2.5, None]])
def test_objects_that_are_numbers(amounts):
    frame = pd.DataFrame({"order_id": range(len(amounts)), "customer_id": "c", "ordered_at": "2026-01-01",
                          "amount": pd.Series(amounts, dtype=object)})
    assert column("orders", "amount", frame) == [250, 1000]


def test_natural_empty_frames_are_empty_tables():
    process = Process.from_tables("x", leads=pd.DataFrame(columns=["lead_id", "created_at", "returning", "expected_amount"]),
                                  orders=pd.DataFrame(columns=["order_id", "customer_id", "ordered_at", "amount"]), steps=["won"])
    assert process.is_empty and collect(process.leads()).empty


def doubled(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    return pd.concat([frame, frame[[name]]], axis=1)


@pytest.mark.parametrize("frame, said", [
    (doubled(LEADS, "lead_id"), "table leads, column lead_id: expected one column of this name, found 2"),
    (LEADS.set_axis(pd.MultiIndex.from_tuples([("lead_id", ""), ("created_at", "")]), axis=1),
     "table leads: expected column names of one level, found 2 levels"),
    (LEADS.assign(returning=["yes", "no"]), "table leads, column returning: expected true or false, found 'yes'"),
    (LEADS.assign(created_at=["2026-01-01", "03.04.2026"]), "column created_at: expected times such as 2026-07-01 10:00, found '03.04.2026'"),
    (LEADS.assign(created_at=[20260101, 20260102]), "column created_at: expected times such as 2026-07-01 10:00, found '20260101'"),
    (LEADS.assign(expected_amount=pd.Series([1, "much"], dtype=object)), "column expected_amount: expected numbers, found 'much'"),
    (pd.DataFrame(), "table leads: column 'lead_id' is missing"),
])
def test_frames_that_cannot_be_name_the_column(frame, said):
    with pytest.raises(DataError) as error:
        Process.from_tables("x", leads=frame)
    assert said in str(error.value)


def test_a_column_of_the_users_own_may_stand_twice():
    assert column("leads", "lead_id", doubled(LEADS.assign(note=1), "note")) == ["a", "b"]
    with pytest.raises(CallError, match="expected a time zone such as Europe/Moscow, found 'Mars'"):
        column("leads", "lead_id", duckdb.from_df(LEADS), time_zone="Mars")
