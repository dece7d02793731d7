"""The next level of each technology card: what it frees, what it costs, and which one pays back first."""

from __future__ import annotations

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.efficiency.technology import ENOUGH_EXECUTIONS, measured_cards
from funnel_lib.efficiency.work_log import observed_months
from funnel_lib.errors import MeasureError
from funnel_lib.language.messages import message
from funnel_lib.rates import Z_95, ratio

PAYS, PERHAPS, NEVER, CANNOT_TELL = "pays_back", "may_pay_back", "never_pays_back", "cannot_tell"
_ORDER = {PAYS: 0, PERHAPS: 1, NEVER: 2, CANNOT_TELL: 3}
COLUMNS = ["card", "stage", "role", "claimed_level", "shown_level", "executions_count", "hours_saved_share",
           "freed_hours_per_month", "monthly_cost_amount", "monthly_gain_amount", "monthly_gain_low_amount",
           "monthly_gain_high_amount", "setup_cost_amount", "payback_months", "payback_low_months", "payback_high_months",
           "verdict"]


def next_levels(process: Process) -> pd.DataFrame:
    """The next level of each card that describes one, the soonest paid back first.

    One row is a card with `next_level`. Columns: `card`, `stage`, `role`, `claimed_level` and `shown_level` (a next level on
    top of one that the log does not show stands on sand), `executions_count`, `hours_saved_share`,
    `freed_hours_per_month` = hours of the card a month × that share, `monthly_cost_amount`, `monthly_gain_amount` = freed hours
    × hour cost − monthly cost, `setup_cost_amount`, `payback_months` = set-up cost / monthly gain, missing where nothing is
    gained. The work observed is one draw of what comes: its sum varies by the root of Σ labour² (a compound Poisson sum),
    which gives the 95 % limits of gain and payback; an upper limit is missing where it may never pay back. The saved share
    and the costs are taken as described. `verdict`: pays_back (the lower limit of the gain is above 0), may_pay_back,
    never_pays_back (the upper one is not), cannot_tell (under 20 executions, or the hour cost is not known).
    Raises `MeasureError` where no card describes its next level.
    """
    table = measured_cards(process)
    table = table[table["setup_cost_amount"].notna()].copy()
    if table.empty:
        raise MeasureError(message("{process}: no card says what its next level costs and how many hours it saves (next_level in "
                                   "company.yaml); it would tell which card to lift first", process=process.name))
    months = observed_months(process)
    half = Z_95 * ratio(np.sqrt(table["labour_squares"]) * table["hours_saved_share"], months)
    # Work is never less than none.
    table["monthly_gain_low_amount"] = np.maximum(table["monthly_gain_amount"] - half, -table["monthly_cost_amount"])
    table["monthly_gain_high_amount"] = table["monthly_gain_amount"] + half
    for payback, gain in (("payback_low_months", "monthly_gain_high_amount"), ("payback_high_months", "monthly_gain_low_amount")):
        table[payback] = ratio(table["setup_cost_amount"], table[gain].where(table[gain] > 0))
    table["verdict"] = _verdict(table)
    table["_order"] = table["verdict"].map(_ORDER)
    order = ["_order", "payback_months", "monthly_gain_amount", "card"]
    return process.tidy(table.sort_values(order, ascending=[True, True, False, True])[COLUMNS])


def _verdict(table: pd.DataFrame) -> np.ndarray:
    unknown = table["monthly_gain_low_amount"].isna() | ~(table["executions_count"] >= ENOUGH_EXECUTIONS)
    return np.select([unknown, table["monthly_gain_low_amount"] > 0, table["monthly_gain_high_amount"] <= 0],
                     [CANNOT_TELL, PAYS, NEVER], PERHAPS)
