"""The price of a lost point: the same change asked of the what-if, and the chain worked out by hand."""

from __future__ import annotations

import pytest

from funnel_lib import MeasureError, Process, improvement
from tests.conversion.seven_rows import EVENTS, LEADS, SETTINGS


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_a_point_is_what_the_what_if_says(demo, name):
    process = demo.process(name)
    table = improvement.price_of_point(process).set_index("step")
    assert list(table.index) == [step.key for step in process.steps if not step.optional]
    for step, row in table.iterrows():
        asked = improvement.what_if(process, step_rate={step: 0.01}).difference
        assert tuple(row[["point_amount", "point_low_amount", "point_high_amount"]]) == pytest.approx(tuple(asked))


def test_a_point_is_its_part_of_what_the_customers_bring(demo):
    """The chain is a product: a point of a step is worth the yearly margin before costs × 0.01 / its rate."""
    process = demo.process("wholesale")
    before_costs = {step: row.point_amount * row.step_share / 0.01
                    for step, row in improvement.price_of_point(process).set_index("step").iterrows()}
    assert len({round(amount) for amount in before_costs.values()}) == 1
    assert next(iter(before_costs.values())) > improvement.yearly_margin(process).amount


def test_without_orders_the_reason_is_given():
    with pytest.raises(MeasureError, match="orders"):
        improvement.price_of_point(Process.from_tables("x", leads=LEADS, stage_events=EVENTS, **SETTINGS))
