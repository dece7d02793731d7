"""The sums behind the efficiency sheet, the change of period and the load of roles in hand-written DuckDB SQL, in two ways.

As an analyst writes them, one query per table, each over the Parquet file with the columns it needs; and tuned, every table from
the cells of one pass.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from tests.bench.many_work import ROLES

_PRICED = ("(select w.*, floor(hours * cost * 100 + 0.5) as labour, date_trunc('month', date) as month from work_file w "
           "left join costs using (role) where date < timestamp '2026-07-01')")
# Every sum wanted is one of these cells: both halves that are compared begin on the first of a month.
_CELLS = ("create temp table cells as select stage, role, automated, month, sum(hours) as hours, sum(labour) as labour "
          f"from {_PRICED} group by all")
_SUMS = "sum(hours) as hours, sum(labour) / 100 as labour_amount"
QUERIES = {
    "stages": f"select stage, {_SUMS} from {{rows}} group by all",
    "hard hours": "select stage, role, sum(hours) as hours from {rows} where not automated group by all",
    "periods": f"select stage, {{moment}} >= timestamp '2025-07-01' as later, {_SUMS} from {{rows}} "
               "where {moment} >= timestamp '2024-07-01' group by all",
    "roles": "select role, sum(hours) as hours from {rows} group by all",
    "months": "select role, month, sum(hours) as hours from {rows} group by all",
}


def counts(connection: duckdb.DuckDBPyConnection, in_one_pass: bool = False) -> dict[str, pd.DataFrame]:
    """Run all of it on `work_file` and `leads_file` of the connection."""
    costs = ", ".join(f"('{role}', {cost})" for role, cost in ROLES.items())
    connection.execute(f"create temp table costs as from (values {costs}) as t(role, cost)")
    if in_one_pass:
        connection.execute(_CELLS)
    rows, moment = ("cells", "month") if in_one_pass else (_PRICED, "date")
    tables = {name: connection.execute(query.format(rows=rows, moment=moment)).df() for name, query in QUERIES.items()}
    tables["leads"] = connection.execute("select date_trunc('month', created_at) as month, count(*) as leads from leads_file "
                                         "group by all").df()
    return tables
