"""The sums behind the efficiency sheet, the change of period and the load of roles in hand-written DuckDB SQL.

As an analyst who knows DuckDB would write them: one query per table, each over the Parquet file with the columns it needs.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from tests.bench.many_work import ROLES

_PRICED = ("(select w.*, floor(hours * cost * 100 + 0.5) as labour from work_file w left join costs using (role) "
           "where date < timestamp '2026-07-01')")
_SUMS = "sum(hours) as hours, sum(labour) / 100 as labour_amount"
QUERIES = {
    "stages": f"select stage, {_SUMS} from {_PRICED} group by all",
    "hard hours": f"select stage, role, sum(hours) as hours from {_PRICED} where not automated group by all",
    "periods": f"select stage, date >= timestamp '2025-07-01' as later, {_SUMS} from {_PRICED} "
               "where date >= timestamp '2024-07-01' group by all",
    "roles": f"select role, sum(hours) as hours from {_PRICED} group by all",
    "months": f"select role, date_trunc('month', date) as month, sum(hours) as hours from {_PRICED} group by all",
}


def counts(connection: duckdb.DuckDBPyConnection) -> dict[str, pd.DataFrame]:
    """Run all of it on `work_file` and `leads_file` of the connection."""
    costs = ", ".join(f"('{role}', {cost})" for role, cost in ROLES.items())
    connection.execute(f"create temp table costs as from (values {costs}) as t(role, cost)")
    tables = {name: connection.execute(query).df() for name, query in QUERIES.items()}
    tables["leads"] = connection.execute("select date_trunc('month', created_at) as month, count(*) as leads from leads_file "
                                         "group by all").df()
    return tables
