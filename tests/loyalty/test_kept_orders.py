"""The orders that are kept for many queries: nothing that the contract or a setting adds gets lost on any engine."""

from __future__ import annotations

import narwhals as nw
import pandas as pd
import pytest

from funnel_lib.customers import money_rows, paid_orders
from funnel_lib.engine import collect
from tests.engines import on_engines

ORDERS = pd.DataFrame([("1", "a", "2026-01-01 12:00", 10.0), ("2", "a", "2026-02-01", 30.0), ("3", "b", "2026-02-03", -5.0)],
                      columns=["order_id", "customer_id", "ordered_at", "amount"])


@pytest.mark.parametrize("changes", [{}, {"margin": [1.0, None, 2.0]}, {"channel": ["x", None, "y"], "lead_id": None}])
@pytest.mark.parametrize("margin_share", [None, 0.3])
def test_kept_orders_are_the_paid_rows_of_the_source(changes, margin_share):
    for process in on_engines("p", {"orders": ORDERS.assign(**changes)}, as_of="2026-03-01", margin_share=margin_share).values():
        source = collect(money_rows(process).filter(nw.col("amount") > 0)).sort_values("order_id", ignore_index=True)
        found = collect(paid_orders(process)).sort_values("order_id", ignore_index=True)
        pd.testing.assert_frame_equal(found[list(source.columns)], source, check_dtype=False)
        assert found["gap_days"].round(3).fillna(-1).tolist() == [-1, 30.5]
        if margin_share and "margin" not in changes:
            assert found["margin"].tolist() == [300, 900], "minor units"
