"""What a client costs: to win a new one, and to look after one for another order."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np

from funnel_lib.company import Process
from funnel_lib.conversion.curves import eventual_conversion
from funnel_lib.customers import customers, new_customers, paid_orders
from funnel_lib.engine import collect
from funnel_lib.errors import MeasureError
from funnel_lib.labour import has_costs, hour_costs
from funnel_lib.language.messages import message
from funnel_lib.rates import ratio
from funnel_lib.schema import STAGES
from funnel_lib.stage_costs import stage_sums


@dataclass(frozen=True)
class CustomerCosts:
    """What winning a new client and serving another order cost, with the totals behind both, everything observed."""

    cac_amount: float
    acquisition_cost_amount: float
    new_customers_count: int
    coming_customers_count: float
    cost_per_repeat_order_amount: float
    care_cost_amount: float
    repeat_orders_count: int


def customer_costs(process: Process) -> CustomerCosts:
    """The cost of a new client (CAC), and of another order of a client one has.

    A frozen dataclass: `cac_amount` = `acquisition_cost_amount` (money and hours of lead generation and conversion) /
    (`new_customers_count` + `coming_customers_count`), where the latter are expected of the leads that run today: their cost
    is in, so they must be too. `cost_per_repeat_order_amount` = `care_cost_amount` (money and hours of account management) /
    `repeat_orders_count` (all orders but the first ones of clients not known from before). Costs and clients are those of
    everything observed; clients perhaps older are no new ones. An amount is missing where more of the hours than
    `allow_set_aside_share` have no hour cost (where no role has one, the money alone counts), or nothing was recorded for it.
    Raises `MeasureError` where there are no orders, or neither spend nor work with an hour cost.
    """
    return process.remembered(("customer_costs",), lambda: _customer_costs(process))


def _customer_costs(process: Process) -> CustomerCosts:
    orders = _number(paid_orders(process))
    if not has_costs(process):
        raise MeasureError(message("{process}: needs the table 'spend', or 'work' of roles with an hour cost, to tell what a "
                                   "client costs", process=process.name))
    generation, conversion, care = (_stage_cost(process, stage) for stage in STAGES)
    won, coming = _number(new_customers(process)), _coming(process)
    repeat = orders - _number(customers(process).filter(nw.col("is_older") == 0))
    acquisition = generation + conversion
    # Nothing at all is more likely not recorded than free.
    return CustomerCosts(float(ratio(acquisition or np.nan, won + coming)), acquisition, won, coming,
                         float(ratio(care or np.nan, repeat)), care, repeat)


def costs_if_known(process: Process) -> CustomerCosts | None:
    """The costs, or None where none are recorded."""
    return customer_costs(process) if has_costs(process) else None


def _stage_cost(process: Process, stage: str) -> float:
    """Money and labour of a stage; the money alone where no role has an hour cost."""
    row = process.remembered(("stage_sums",), lambda: stage_sums(process).set_index("stage")).loc[stage]
    cost = row.spend_amount if process.has("spend") else 0.0
    return float(cost + row.labour_amount if process.has("work") and hour_costs(process) else cost)


def _coming(process: Process) -> float:
    """Customers expected of the leads that run today; none where the moments of wins are not recorded."""
    if not (process.has("leads") and process.has("stage_events") and process.steps):
        return 0.0
    try:
        row = eventual_conversion(process).iloc[0]
    except MeasureError:
        return 0.0
    return max(float(np.nan_to_num(row.eventual_share * row.leads_count - row.won_count)), 0.0)


def _number(frame: nw.LazyFrame) -> int:
    return int(collect(frame.select(rows_count=nw.len()))["rows_count"].iloc[0])
