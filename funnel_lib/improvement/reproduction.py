"""Whether the weekly conveyor gives the past as it was, and what it expects of the weeks to come."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.customers import new_customers
from funnel_lib.improvement.conveyor import Conveyor, Run, run_conveyor
from funnel_lib.improvement.conveyor_parameters import conveyor_of, missing_parts
from funnel_lib.improvement.conveyor_state import money_per_week, weekly
from funnel_lib.improvement.parameters import SEED
from funnel_lib.last_year import WEEK_DAYS, WEEKS, complete_weeks
from funnel_lib.new_leads import new_leads
from funnel_lib.rates import ratio

# Of 100 draws 90 lie in the band.
BAND = (0.05, 0.5, 0.95)
LEADS, CUSTOMERS, MARGIN, HOURS = "leads_count", "customers_count", "margin_amount", "hours"
PAST = ["quantity", "observed", "band_low", "band_middle", "band_high", "inside", "run_weeks_count"]
WEEKLY_PAST = ["week_start", "quantity", "observed", "band_low", "band_middle", "band_high", "inside"]
FORECAST = ["week", "week_end", "quantity", "band_low", "band_middle", "band_high", "so_far_low", "so_far_middle", "so_far_high"]


class _Past(NamedTuple):
    """The complete weeks, what was observed in each, and what the draws gave (weeks × draws), by quantity."""

    weeks: pd.DatetimeIndex
    observed: dict[str, np.ndarray]
    drawn: dict[str, np.ndarray]


def reproduce_past(process: Process) -> pd.DataFrame:
    """The last 12 months as the weekly conveyor gives them, from the state at their beginning, against what was observed.

    One row is a `quantity` (`leads_count`, `customers_count`, `margin_amount` before spending and labour, `hours`) over all
    complete weeks of the last 52 (`run_weeks_count`). Columns: `observed`, `band_low`, `band_middle`, `band_high` (5, 50 and 95 of
    100 draws lie below), `inside` the 90 % band or not. Parameters are those of the whole record, so that this shows whether the
    parts fit together, not how well the future is known. Quantities without data are no row: `missing_parts` names them.
    Raises `MeasureError` without leads, steps and movement through them, or two complete weeks with leads.
    """
    past = _past(process)
    rows = []
    for quantity, observed in past.observed.items():
        low, middle, high = np.quantile(past.drawn[quantity].sum(axis=0), BAND)
        total = observed.sum()
        rows.append((quantity, total, low, middle, high, bool(low <= total <= high), len(past.weeks)))
    return process.tidy(pd.DataFrame(rows, columns=PAST))


def past_by_week(process: Process) -> pd.DataFrame:
    """`reproduce_past` week by week.

    One row is a `quantity` × week (`week_start`, a Monday). Columns as there, the band of one week: of ten weeks one lies outside
    by chance. Raises as `reproduce_past`.
    """
    past, tables = _past(process), []
    for quantity, observed in past.observed.items():
        low, middle, high = np.quantile(past.drawn[quantity], BAND, axis=1)
        tables.append(pd.DataFrame({
            "week_start": past.weeks, "quantity": quantity, "observed": observed, "band_low": low, "band_middle": middle,
            "band_high": high, "inside": (low <= observed) & (observed <= high)}))
    return process.tidy(pd.concat(tables)[WEEKLY_PAST])


def conveyor_forecast(process: Process, weeks: int = WEEKS) -> pd.DataFrame:
    """What the weekly conveyor expects of the next weeks if nothing is changed.

    One row is a `quantity` (as in `reproduce_past`) × `week` from `as_of` on, with its last day `week_end`. Columns:
    `band_low`, `band_middle`, `band_high` of that week alone and `so_far_low`, `so_far_middle`, `so_far_high` of all weeks up to
    it: 5, 50 and 95 of 100 draws lie below. Running leads and present customers feed the first weeks. Raises as `reproduce_past`.
    """
    conveyor = conveyor_of(process, weeks=weeks)
    drawn = drawn_quantities(process, conveyor, run_conveyor(conveyor))
    ends = pd.date_range(process.as_of.normalize() + pd.Timedelta(days=WEEK_DAYS - 1), periods=weeks, freq="7D")
    tables = []
    for quantity, values in drawn.items():
        alone, so_far = np.quantile(values, BAND, axis=1), np.quantile(values.cumsum(axis=0), BAND, axis=1)
        tables.append(pd.DataFrame(dict(zip(FORECAST, [np.arange(1, weeks + 1), ends, quantity, *alone, *so_far], strict=True))))
    return process.tidy(pd.concat(tables)[FORECAST])


def forecast_total(process: Process, weeks: int = WEEKS) -> pd.DataFrame:
    """What the weekly conveyor expects of all the next weeks together if nothing is changed.

    One row is a `quantity`; `so_far_low`, `so_far_middle`, `so_far_high` as in the last week of `conveyor_forecast`, `week` their
    number. Raises as `reproduce_past`.
    """
    last = conveyor_forecast(process, weeks).groupby("quantity", sort=False).tail(1)
    return process.tidy(last[["quantity", "week", "so_far_low", "so_far_middle", "so_far_high"]])


def _past(process: Process) -> _Past:
    return process.remembered(("conveyor past",), lambda: _reproduced(process))


def _reproduced(process: Process) -> _Past:
    weeks = complete_weeks(process)
    conveyor = conveyor_of(process, weeks[0], len(weeks))
    drawn = drawn_quantities(process, conveyor, run_conveyor(conveyor))
    return _Past(weeks, observed_quantities(process, weeks, list(drawn)), drawn)


def observed_quantities(process: Process, weeks: pd.DatetimeIndex, quantities: list[str]) -> dict[str, np.ndarray]:
    """What was observed in each of these weeks."""
    ways = {LEADS: lambda: weekly(process, new_leads(process), "created_at", weeks),
            CUSTOMERS: lambda: weekly(process, new_customers(process), "began_at", weeks),
            MARGIN: lambda: money_per_week(process, weeks),
            HOURS: lambda: weekly(process, process.table("work"), "date", weeks, "hours")}
    return {quantity: ways[quantity]() for quantity in quantities}


def drawn_quantities(process: Process, conveyor: Conveyor, run: Run) -> dict[str, np.ndarray]:
    """What might be observed, weeks × draws: the run's expectations with the chance of single leads, orders and hours.

    Leads that come by chance, and customers and orders that come of them by chance, are Poisson counts in every week; the margin of
    so many orders is taken as normal, hours as gamma with the spread that weeks have shown.
    """
    random, missing = np.random.default_rng(SEED + 1), missing_parts(process)
    drawn = {LEADS: random.poisson(run.leads).astype(float), CUSTOMERS: random.poisson(run.customers).astype(float)}
    if not {"orders", "margin"} & set(missing):
        square = sum(orders * each for orders, each in zip(run.orders, conveyor.margin_square, strict=True))
        drawn[MARGIN] = run.margin + np.sqrt(square) * random.standard_normal(run.margin.shape)
    if run.hours:
        drawn[HOURS] = sum(_spread(hours, conveyor.hours_spread.get(role, 0.0), random) for role, hours in run.hours.items())
    return drawn


def _spread(hours: np.ndarray, spread: float, random: np.random.Generator) -> np.ndarray:
    """Hours of weeks that vary by `spread` times their mean."""
    return hours if spread <= 1e-12 else random.standard_gamma(ratio(hours, spread)) * spread
