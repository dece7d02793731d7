"""The same small company on every engine: equal results for every measure."""

from __future__ import annotations

import os
from functools import cache

import pandas as pd
import pytest

from funnel_lib import Process, simulate
from funnel_lib.schema import TABLES
from tests.engines import duckdb_tables
from tests.measures import MEASURES, as_table

PROCESS = "wholesale"


@cache
def _company() -> tuple[dict[str, pd.DataFrame], dict]:
    """Clean tables of a small simulated company, one process, typed as the contract has them."""
    company = simulate.make_company(seed=7, leads=1_500, bad_rows=False)
    tables = {}
    leads = company.tables["leads"].query("process == @PROCESS")
    for name, frame in company.tables.items():
        if "process" in frame:
            frame = frame[frame["process"] == PROCESS]
        elif "lead_id" in frame:
            frame = frame[frame["lead_id"].isin(leads["lead_id"])]
        tables[name] = frame[[column for column in TABLES[name].column_names if column in frame]].reset_index(drop=True)
    described = company.description
    settings = {key: value for key, value in described["processes"][PROCESS].items() if key != "name"}
    settings |= {key: described[key] for key in ("currency", "time_zone", "as_of", "observed_from", "roles", "calendar")}
    return tables, settings


@cache
def _process(engine: str) -> Process:
    tables, settings = _company()
    return Process.from_tables(PROCESS, **ENGINES[engine](tables), **settings)


def _polars_tables(tables):
    polars = pytest.importorskip("polars")
    return {name: polars.from_arrow(relation.arrow()).lazy() for name, relation in duckdb_tables(tables).items()}


def _spark_tables(tables):
    sql = pytest.importorskip("pyspark.sql")
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    session = (sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
               .config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC")
               .config("spark.driver.bindAddress", "127.0.0.1").getOrCreate())
    session.sparkContext.setLogLevel("ERROR")
    return {name: session.createDataFrame(relation.arrow().read_all()) for name, relation in duckdb_tables(tables).items()}


ENGINES = {"pandas": lambda tables: tables, "duckdb": duckdb_tables, "polars": _polars_tables, "pyspark": _spark_tables}


@cache
def _expected(measure: str) -> pd.DataFrame:
    return as_table(MEASURES[measure](_process("pandas")))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("engine", ["duckdb", pytest.param("polars", marks=pytest.mark.engines),
                                    pytest.param("pyspark", marks=pytest.mark.engines)])
def test_equal_results(engine, measure):
    found = as_table(MEASURES[measure](_process(engine)))
    expected = _expected(measure)
    assert len(expected), "a parity of nothing shows nothing"
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-9, obj=f"{measure} on {engine}")
