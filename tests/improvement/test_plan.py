"""Sets of measures and the plan: effects on paper, every subset by brute force, an exact knapsack, the sheet read back."""

from __future__ import annotations

import io
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from funnel_lib import CallError, answers, improvement, pages
from funnel_lib.improvement.sets import MOST_ENUMERATED
from funnel_lib.pages.shown import TABLE
from funnel_lib.report.workbook import ReportTables, workbook_bytes
from tests.engines import assert_parity, on_engines
from tests.test_improvement import AS_OF, GROSS, SETTINGS, TABLES, measure, with_measures

# -- together -------------------------------------------------------------------------------------------------------------


def test_effects_multiply_on_paper():
    # Each step rises from 50 to 55 %: alone a tenth more, together 1.1 × 1.1.
    ranked = improvement.rank_measures(with_measures(measure("first", "step_rate.contacted", 0.05),
                                                     measure("last", "step_rate.won", 0.05)))
    assert ranked["gain_amount"].tolist() == pytest.approx([0.1 * GROSS] * 2)
    assert ranked["added_amount"].tolist() == pytest.approx([0.11 * GROSS] * 2)
    assert (ranked["added_low_amount"] < ranked["added_amount"]).all() and (ranked["added_amount"] < ranked["added_high_amount"]).all()


@pytest.mark.parametrize(("moves", "effect", "together"), [("step_rate.won", 0.05, 0.2), ("lead_flow", 0.1, 0.21)])
def test_two_measures_on_one_lever(moves, effect, together):
    # Points add up, relative changes multiply: both alone are worth a tenth.
    ranked = improvement.rank_measures(with_measures(measure("one", moves, effect), measure("two", moves, effect)))
    assert ranked["added_amount"].tolist() == pytest.approx([(together - 0.1) * GROSS] * 2)


def test_a_measure_that_ends_multiplies_only_while_it_works():
    months = 91 / (365.25 / 12)
    process = with_measures(measure("always", "step_rate.won", 0.05),
                            measure("spring", "step_rate.contacted", 0.05, starts="2026-01-01", ends="2026-04-02"))
    added = improvement.rank_measures(process).set_index("measure")["added_amount"]
    assert added["spring"] == pytest.approx(0.11 * GROSS * months / 12)
    assert added["always"] == pytest.approx(0.11 * GROSS * months / 12 + 0.1 * GROSS * (1 - months / 12))


# -- the best set ---------------------------------------------------------------------------------------------------------
PAPER_MEASURES = [
    {"moves": "step_rate.contacted", "effect": 0.03, "cost_once": 60.0, "hours": {"caller": 2}},
    {"moves": "step_rate.won", "effect": 0.04, "cost_once": 120.0, "hours": {"caller": 5}},
    {"moves": "lead_flow", "effect": 0.08, "cost_once": 230.0}, {"moves": "repeat_rate", "effect": 0.1, "cost_once": 90.0},
    {"moves": "mean_amount", "effect": 0.02, "cost_once": 30.0}, {"moves": "target_share.site", "effect": 0.02},
    {"moves": "hours.call", "effect": -0.1, "cost_once": 40.0, "hours": {"caller": 1}}]


@cache
def _paper_measures():
    return with_measures(*[measure(f"m{number}", **settings) for number, settings in enumerate(PAPER_MEASURES)])


@cache
def _all_sets() -> list[tuple[float, float, float, set[str]]]:
    """Net gain, cost, hours and keys of every subset by `what_if`, which knows nothing of sets; an hour of the caller costs 20."""
    process, found = _paper_measures(), []
    for chosen in (some for size in range(len(PAPER_MEASURES) + 1) for some in combinations(range(len(PAPER_MEASURES)), size)):
        some = [PAPER_MEASURES[number] for number in chosen]
        hours = sum(one.get("hours", {}).get("caller", 0) for one in some)
        cost = sum(one.get("cost_once", 0) for one in some) + 20 * hours
        changes: dict = {}
        for one in some:
            kind, _, place = one["moves"].partition(".")
            changes[kind] = {**changes.get(kind, {}), place: one["effect"]} if place else one["effect"]
        net = improvement.what_if(process, **changes).difference.amount - cost
        found.append((net, cost, hours, {f"m{number}" for number in chosen}))
    return found


@pytest.mark.parametrize(("budget", "hours"), [(1e9, 1e9), (300.0, 1e9), (1e9, 5), (190.0, 2)])
def test_the_best_set_is_that_of_brute_force(budget, hours):
    net, _, _, keys = max((one for one in _all_sets() if one[1] <= budget and one[2] <= hours), key=lambda one: one[0])
    plan = improvement.best_plan(_paper_measures(), budget, {"caller": hours})
    chosen = plan[plan["chosen"]]
    assert set(chosen["measure"]) == keys and plan["exact"].all()
    assert chosen["cost_amount"].sum() <= budget
    frontier = improvement.plan_frontier(_paper_measures(), {"caller": hours}).set_index("measures")
    assert frontier.loc[", ".join(sorted(keys)), "net_amount"] == pytest.approx(net), "the best set for any budget is on the frontier"


def test_the_frontier_rises_and_its_best_row_is_the_plan_without_a_bound():
    process = _paper_measures()
    frontier, plan = improvement.plan_frontier(process), improvement.best_plan(process)
    assert np.all(np.diff(frontier["budget_amount"]) > 0) and np.all(np.diff(frontier["gain_amount"]) > 0)
    best = frontier[frontier["chosen"]]
    assert best["measures"].item() == ", ".join(sorted(plan.loc[plan["chosen"], "measure"]))
    assert best["net_amount"].item() == frontier["net_amount"].max()
    assert frontier["measures"].iloc[0] == "m5", "what costs nothing is done without money"


def test_no_money_leaves_what_is_free():
    plan = improvement.best_plan(_paper_measures(), 0).set_index("measure")
    assert plan.index[plan["chosen"]].tolist() == ["m5"]
    none = with_measures(measure("dear", "step_rate.won", 0.05, cost_once=1.0))
    assert not improvement.best_plan(none, 0)["chosen"].any() and improvement.best_plan(none, 1)["chosen"].all()


def test_a_role_without_hours_does_nothing():
    plan = improvement.best_plan(_paper_measures(), hours={"caller": 0}).set_index("measure")
    assert not plan.loc[["m0", "m1", "m6"], "chosen"].any() and plan.loc["m5", "chosen"]


def test_on_top_of_the_others_chosen():
    # Within 1 only the free one fits: the dear one is shown on top of it.
    process = with_measures(measure("free", "step_rate.contacted", 0.05), measure("dear", "step_rate.won", 0.05, cost_once=200))
    plan = improvement.best_plan(process, 1).set_index("measure")
    assert plan["chosen"].to_dict() == {"free": True, "dear": False}
    assert plan["added_amount"].to_dict() == pytest.approx({"free": 0.1 * GROSS, "dear": 0.11 * GROSS})


def test_of_many_measures_the_set_is_said_to_be_a_good_one():
    # An exact knapsack by whole costs over gains that add up, which is what the programme solves; 30 measures.
    costs = [float(5 + 7 * number % 23) for number in range(MOST_ENUMERATED + 10)]
    effects = [0.002 + 0.0007 * (3 * number % 11) for number in range(len(costs))]
    process = with_measures(*[measure(f"m{number:02}", "lead_flow", effect, cost_once=cost)
                              for number, (cost, effect) in enumerate(zip(costs, effects, strict=True))])
    best = np.zeros(61)
    for cost, effect in zip(costs, effects, strict=True):
        for budget in range(60, int(cost) - 1, -1):
            best[budget] = max(best[budget], best[budget - int(cost)] + effect * GROSS - cost)
    plan = improvement.best_plan(process, 60)
    assert not plan["exact"].any()
    assert plan.loc[plan["chosen"], "net_amount"].sum() == pytest.approx(best[60])
    assert not improvement.plan_frontier(process)["exact"].any()


def test_twenty_measures_are_compared_by_all_sets():
    measures = [measure(f"m{number:02}", ("step_rate.won", "lead_flow", "repeat_rate")[number % 3], 0.001 * (number + 1),
                        cost_once=3.0 * number + 1) for number in range(MOST_ENUMERATED)]
    plan = improvement.best_plan(with_measures(*measures), 100)
    assert plan["exact"].all() and 0 < plan.loc[plan["chosen"], "cost_amount"].sum() <= 100


@pytest.mark.parametrize(("budget", "hours", "message"), [
    (-1, None, "expected money, 0 or more"), ("much", None, "expected money"), (None, {"caler": 5}, "Did you mean 'caller'"),
    (None, {"caller": -1}, "expected a number, 0 or more"), (None, {"caller": None}, "leave out a role without a limit")])
def test_a_wrong_call_says_what_was_expected(budget, hours, message):
    with pytest.raises(CallError, match=message):
        improvement.best_plan(_paper_measures(), budget, hours)


def test_without_measures_there_is_no_plan():
    process = with_measures()
    assert improvement.best_plan(process, 100).empty and improvement.plan_frontier(process).empty
    assert improvement.plan_calendar(process).empty
    assert "funnel measures" in answers.improvement(process)[0]


def test_the_same_plan_on_every_engine():
    settings = {**SETTINGS, "measures": [measure(f"m{number}", **one) for number, one in enumerate(PAPER_MEASURES)]}
    processes = on_engines("p", TABLES, **settings)
    for name in ("best_plan", "plan_frontier", "plan_calendar", "detectability"):
        assert_parity(getattr(improvement, name), processes)


# -- the calendar and the sheet -------------------------------------------------------------------------------------------


def _dated():
    return with_measures(
        measure("later", "step_rate.won", 0.05, starts="2026-03-01", works_after_days=31, owner="boss", cost_once=26, hours={"caller": 1}),
        measure("any_time", "step_rate.contacted", 0.05), measure("dear", "repeat_rate", 0.01, cost_once=1e6, starts="2026-01-01"))


def test_the_calendar_says_who_when_and_when_it_is_paid_back():
    calendar = improvement.plan_calendar(_dated()).set_index("measure")
    assert calendar.index.tolist() == ["any_time", "later"]
    assert calendar["owner"].to_dict() == {"any_time": "(missing)", "later": "boss"}
    assert calendar["starts"].to_dict() == {"any_time": pd.Timestamp(AS_OF), "later": pd.Timestamp("2026-03-01")}
    assert calendar["start_assumed"].to_dict() == {"any_time": True, "later": False}
    assert calendar.loc["later", "works_from"] == pd.Timestamp("2026-04-01")
    # 46 at 260 a year are 64.6 days after the 31 of waiting.
    assert calendar.loc["later", "pays_from"] == pd.Timestamp("2026-03-01") + pd.Timedelta(days=95)
    assert calendar.loc["later", ["once_amount", "monthly_amount", "role_hours"]].tolist() == [46, 0, "Caller: 1"]


def test_the_plan_names_who_has_no_owner():
    said = {sentence.key: sentence for sentence in answers.improvement(_dated())}
    assert said["plan"].numbers["measures"] == ["any_time", "later"]
    assert said["plan_without_owner"].numbers["measures"] == ["any_time"]


def test_the_plan_is_a_sheet_of_the_workbook():
    process = _dated()
    plan = improvement.best_plan(process, 1000)
    shown = pages.show(plan, "The plan", process)._repr_mimebundle_()[TABLE]
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook_bytes([ReportTables("04", [shown], [])], "en", "EUR", "P")))
    head, *rows = book.get_sheet_by_name("The plan").to_python()
    sheet = pd.DataFrame(rows, columns=head).set_index("Measure")
    assert sheet["Chosen"].to_dict() == dict(zip(plan["measure"], plan["chosen"], strict=True))
    cost = next(name for name in sheet if name.startswith("Cost"))
    assert sheet[cost].tolist() == pytest.approx(plan["cost_amount"].tolist())


# -- three wins -----------------------------------------------------------------------------------------------------------


def test_three_won_leads_make_wide_ranges_and_it_is_said():
    customers = {f"customer {number}" for number in range(3)}
    orders = TABLES["orders"][TABLES["orders"]["customer_id"].isin(customers)]
    events = TABLES["stage_events"]
    events = events[(events["step"] != "won") | events["lead_id"].isin(["a0", "a1", "a2"])]
    tables = {**TABLES, "orders": orders, "stage_events": events}
    settings = {**SETTINGS, "measures": [measure("script", "step_rate.contacted", 0.05)]}
    process = on_engines("p", tables, **settings)["pandas"]
    row = improvement.rank_measures(process).iloc[0]
    assert row["high_amount"] - row["low_amount"] > row["gain_amount"]
    said = {sentence.key: sentence for sentence in answers.improvement(process)}
    assert said["few_wins"].numbers["won_count"] == 3 and "3 won leads" in said["few_wins"]
    assert "few_wins" not in {sentence.key for sentence in answers.improvement(_paper_measures())}
