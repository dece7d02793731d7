"""How often the printed 95 % intervals hold the planted truth, over many seeds of the simulator."""

from __future__ import annotations

from collections.abc import Iterable

from funnel_lib import Process, conversion, simulate

AS_OF, OBSERVED_FROM = "2026-07-01", "2023-07-01"


def coverage(process_name: str, seeds: Iterable[int]) -> dict[str, list[bool]]:
    """Quantity → one truth value per seed: does its printed interval hold the true value?"""
    truth = simulate.true_rates(process_name)
    covered: dict[str, list[bool]] = {}
    for seed in seeds:
        for quantity, inside in _one_seed(process_name, seed, truth):
            covered.setdefault(quantity, []).append(bool(inside))
    return covered


def _one_seed(process_name: str, seed: int, truth: dict):
    leads, events = simulate.make_leads(process_name, seed)
    steps = [{"key": step["step"], "optional": step["optional"]} for step in truth["steps"]]
    process = Process.from_tables(process_name, leads=leads, stage_events=events, steps=steps, as_of=AS_OF,
                                  observed_from=OBSERVED_FROM, conversion_window_days=truth["window_days"],
                                  not_leads=truth["not_leads"])
    rates = conversion.step_rates(process).set_index("step")
    for step in truth["steps"]:
        row = rates.loc[step["step"]]
        yield f"{step['step']}: of the step before", row.step_low_share <= step["step_share"] <= row.step_high_share
        yield f"{step['step']}: of all", row.overall_low_share <= step["overall_share"] <= row.overall_high_share
    row = conversion.eventual_conversion(process).iloc[0]
    yield "eventual conversion", row.eventual_low_share <= truth["eventual_share"] <= row.eventual_high_share
