"""Did it work: measures with a past start, by their groups where these were drawn, else before against after."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from funnel_lib.company import Process
from funnel_lib.description import Measure
from funnel_lib.errors import CallError, MeasureError, said
from funnel_lib.findings import Finding
from funnel_lib.improvement.figures import FLOW, MEAN, SHARE, Figure, dispersion, figure_of, sums_of
from funnel_lib.improvement.measures import pert
from funnel_lib.improvement.trend import AFTER, BEFORE, past_lever, past_measures, side_of, since_it_works, trend_of
from funnel_lib.improvement.vocabulary import ALL_PLACES
from funnel_lib.language.messages import message, translate
from funnel_lib.limits import NOISE
from funnel_lib.periods import period_starts
from funnel_lib.rates import Z_95, difference_limits, rate, ratio

RANDOMISED, BEFORE_AFTER = "randomised", "before-after"
WORKED, DID_NOT, CANNOT_BE_TOLD = "worked", "did not", "cannot be told"
COLUMNS = ["measure", "lever", "moves", "place", "design", "starts", "compared_count", "compared_value", "measured_count",
           "measured_value", "effect", "low", "high", "forecast", "verdict", "steady_before", "signals_count", "periods_count",
           "also_started", "reason"]


class Sides(NamedTuple):
    """The days compared: before the start or without the measure, and with it at work."""

    compared: pd.DataFrame
    measured: pd.DataFrame


def did_it_work(process: Process) -> pd.DataFrame:
    """What became of the measures that have started: the effect that the tables show, against the one foretold.

    One row is a measure of company.yaml that starts before `as_of`. Columns: `measure`, `lever`, `moves`, `place`, `starts`;
    `design`: randomised (its `groups` were drawn: leads created since it works, treated against control) or before-after;
    `compared_value` and `measured_value` (a share, leads a week or money per order, of control and treated, or of before and
    after) with their numbers of cases; `effect` with its 95 % limits `low` and `high`: shares in points, all else relative;
    `forecast` (mean of the effect foretold); `verdict`: worked (the interval lies on the side that was meant), did not (it
    lies on the other, or reaches neither zero's far side nor the likely effect), cannot be told. Of before-after also
    `steady_before` (no signal by process limits before the start: else the verdict is cannot be told), `signals_count` of the
    `periods_count` after it that lie outside the limits of before or in a run of 8; `also_started` (other measures of the same
    lever at work since the times compared) and `reason` where there is no figure.
    Leads are followed equally long and only those old enough count; leads under way at the start are on neither side. The
    interval of before-after widens with the ups and downs from period to period (quasi-likelihood); still it cannot tell the
    measure from anything else that changed then.
    Source: Newcombe 1998, method 10; McCullagh and Nelder 1989, section 4.5; Shewhart 1931. Raises `MeasureError` without a time.
    """
    rows = []
    for measure in past_measures(process):
        try:
            rows.append(_row(process, measure))
        except MeasureError as error:
            reason = said(error, process.language).removeprefix(f"{process.name}: ")
            rows.append(_named(process, measure) | {"verdict": CANNOT_BE_TOLD, "reason": reason})
        except CallError:
            continue  # a finding: see past_findings
    numbers = ["compared_count", "compared_value", "measured_count", "measured_value", "effect", "low", "high", "forecast",
               "signals_count", "periods_count"]
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"starts": "datetime64[us]", **dict.fromkeys(numbers, float)})
    return process.tidy(table)


def past_findings(process: Process) -> list[Finding]:
    """Started measures whose lever is unknown, so that nobody can look whether they worked."""
    found = []
    for measure in past_measures(process):
        try:
            past_lever(process, measure)
        except CallError as error:
            found.append(Finding("measure_not_followed", "warning", "company.yaml", 1,
                                 message("measure {measure!r}: {reason}", measure=measure.key, reason=error.args[0]),
                                 message("whether it worked is not looked at until this is mended"), process=process.name))
    return found


def _named(process: Process, measure: Measure) -> dict:
    lever = past_lever(process, measure)
    return {"measure": measure.key, "lever": measure.moves, "moves": lever.label_key, "place": lever.place or ALL_PLACES,
            "design": RANDOMISED if measure.groups else BEFORE_AFTER, "starts": pd.Timestamp(measure.starts),
            "forecast": float(pert(measure.effect)[0]), "also_started": "", "reason": "", "steady_before": None}


def _row(process: Process, measure: Measure) -> dict:
    named, lever = _named(process, measure), past_lever(process, measure)
    figure = figure_of(process, lever, ["group"] if measure.groups else None)
    sides = _by_group(process, measure, figure) if measure.groups else _by_time(measure, figure)
    effect, values = _effect(figure, sides, 1.0 if measure.groups else _spread(figure, sides))
    row = named | values | dict(zip(("effect", "low", "high"), effect, strict=True))
    if not measure.groups:
        trend = trend_of(figure, measure)
        after = trend[trend["side"] == AFTER]
        row |= {"steady_before": bool(trend.loc[trend["side"] == BEFORE, "signal"].isin([NOISE, ""]).all()),
                "signals_count": int((~after["signal"].isin([NOISE, ""])).sum()), "periods_count": len(after),
                "also_started": ", ".join(_also(process, measure, sides))}
    steady = row["steady_before"] is not False
    return row | {"verdict": _verdict(measure, effect, steady), "reason": translate(_why_not(sides, steady), process.language)}


def _by_group(process: Process, measure: Measure, figure: Figure) -> Sides:
    if not process.has("leads", "group"):
        raise MeasureError(message("{process}: needs the column 'group' of leads to compare the groups of {measure!r}",
                                   process=process.name, measure=measure.key))
    days = since_it_works(measure, figure.days)
    known = set(figure.days["group"])
    for label in (measure.groups.control, measure.groups.treated):
        if label not in known:
            raise MeasureError(message("{process}: no lead old enough is in the group {label!r} of {measure!r}; the column "
                                       "'group' has {known}", process=process.name, label=label, measure=measure.key,
                                       known=", ".join(sorted(known)) or message("nothing")))
    return Sides(days[days["group"] == measure.groups.control], days[days["group"] == measure.groups.treated])


def _by_time(measure: Measure, figure: Figure) -> Sides:
    return Sides(figure.days[side_of(figure, measure, figure.days["day"]) == BEFORE],
                 figure.days[side_of(figure, measure, figure.days["day"]) == AFTER])


def _spread(figure: Figure, sides: Sides) -> float:
    """By how much the months of both sides vary more than by chance; never below 1."""
    if figure.kind == MEAN:
        return 1.0
    squares, freedom = 0.0, 0
    for days in sides:
        total = sums_of(days)
        days = days.assign(period_start=period_starts(days["day"], "month") if figure.kind == SHARE else days["day"])
        found, free = dispersion(days, figure.kind, float(np.nan_to_num(ratio(total["part"], total["whole"]))))
        squares, freedom = squares + found, freedom + free
    return max(1.0, float(np.nan_to_num(ratio(squares, freedom), nan=1.0)))


def _effect(figure: Figure, sides: Sides, spread: float) -> tuple[tuple[float, float, float], dict]:
    """The effect with its limits, and the two values it is made of."""
    compared, measured = (sums_of(days) for days in sides)
    values = {"compared_count": compared["whole"], "compared_value": ratio(compared["part"], compared["whole"]),
              "measured_count": measured["whole"], "measured_value": ratio(measured["part"], measured["whole"])}
    if not (compared["whole"] > 0 and measured["whole"] > 0):
        return (np.nan, np.nan, np.nan), values
    if figure.kind == SHARE:
        before, after = (rate(*ratio(side[["part", "whole"]], spread)) for side in (compared, measured))
        return (after.share - before.share, *difference_limits(before, after)), values
    change = ratio(values["measured_value"], values["compared_value"])
    if not change > 0:
        return (np.nan, np.nan, np.nan), values
    error = np.sqrt(sum(_relative_variance(figure, side, spread) for side in (compared, measured)))
    return (change - 1, change * np.exp(-Z_95 * error) - 1, change * np.exp(Z_95 * error) - 1), values


def _relative_variance(figure: Figure, side: pd.Series, spread: float) -> float:
    """Of the mean of one side, over its square: of leads a week as counts vary, of money per order as orders do."""
    if figure.kind == FLOW:
        return float(ratio(spread, side["part"]))
    mean = ratio(side["part"], side["whole"])
    return float(ratio(ratio(side["squares"], side["whole"]) - mean**2, mean**2 * side["whole"]))


def _verdict(measure: Measure, effect: tuple[float, float, float], steady: bool) -> str:
    meant = -1.0 if measure.effect.likely < 0 or (measure.effect.likely == 0 and measure.effect.low < 0) else 1.0
    _, low, high = effect if meant > 0 else tuple(-one for one in (effect[0], effect[2], effect[1]))
    if np.isnan(low) or not steady:
        return CANNOT_BE_TOLD
    if low > 0:
        return WORKED
    return DID_NOT if high < 0 or high < meant * measure.effect.likely else CANNOT_BE_TOLD


def _why_not(sides: Sides, steady: bool) -> str:
    if not sides.compared["whole"].sum() > 0:
        return message("no case on the side it is compared with has been followed long enough")
    if not sides.measured["whole"].sum() > 0:
        return message("no case since it works has been followed long enough")
    return "" if steady else message("the figure moved already before the start")


def _also(process: Process, measure: Measure, sides: Sides) -> list[str]:
    """Other measures of the same lever that begin within the times compared."""
    days = pd.concat([side["day"] for side in sides])
    others = [one for one in process.settings.measures if one.key != measure.key and one.starts and one.moves == measure.moves]
    return [one.key for one in others if len(days) and days.min() <= pd.Timestamp(one.starts) <= days.max()]
