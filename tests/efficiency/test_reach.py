"""Reach: six leads and four cards counted by hand, the same in pandas, the planted robot, and input that is not enough."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import MeasureError, Process, answers, charts, efficiency
from funnel_lib.engine import collect
from funnel_lib.new_leads import new_leads
from tests.engines import assert_parity, on_engines

# a and b answered the robot, c only the visit, d nobody, e the call after a visit in vain, f came by itself.
LEADS = pd.DataFrame({"lead_id": [*"abcdef", "old"], "created_at": "2026-01-05", "returning": [False] * 6 + [True]})
EVENTS = pd.DataFrame([(lead, "contacted", "2026-01-07 12:00") for lead in "abcef"] + [("d", "lost", "2026-01-09 10:00")],
                      columns=["lead_id", "step", "entered_at"])
WORK = pd.DataFrame(
    [("robot", "a", 0.0, 6), ("robot", "b", 0.0, 6), ("robot", "d", 0.0, 6), ("visit", "c", 2.0, 6), ("visit", "e", 3.0, 6),
     ("visit", "d", 1.0, 6), ("visit", "d", 1.0, 8), ("call", "e", 1.0, 7), ("list", "a", 1.0, 6), ("call", "a", 1.0, 9),
     ("call", "nobody", 1.0, 6), ("visit", "old", 1.0, 6), ("call", None, 1.0, 6), ("offer", "a", 1.0, 7)],
    columns=["card", "lead_id", "hours", "day"])
WORK = WORK.assign(role=WORK["card"].map({"robot": "robot", "visit": "agent", "call": "caller"}).fillna("caller"),
                   date="2026-01-0" + WORK["day"].astype(str), stage="lead_generation").drop(columns="day")
ROLES = {"robot": {"name": "Robot", "hour_cost": 0}, "agent": {"name": "Agent", "hour_cost": 30},
         "caller": {"name": "Caller", "hour_cost": 10}}
CARDS = [{"key": "list", "stage": "lead_generation", "role": "caller", "means": "computer", "output": "companies"},
         *({"key": key, "stage": "lead_generation", "role": role, "means": means, "cost": cost, "input": "companies"}
           for key, role, means, cost in (("robot", "robot", "phone", 5), ("visit", "agent", "car", 10), ("call", "caller", "phone", 0))),
         {"key": "offer", "stage": "conversion", "role": "caller", "means": "computer", "step": "won"}]
SETTINGS = {"steps": ["contacted", "won"], "roles": ROLES, "cards": CARDS, "as_of": "2026-02-01"}
TABLES = {"leads": LEADS, "stage_events": EVENTS, "work": WORK}


def company(drop: str | None = None, **changes) -> Process:
    """The hand-made process with other tables or settings."""
    parts = {key: value for key, value in {**TABLES, **SETTINGS, **changes}.items() if key != drop}
    return Process.from_tables("p", **parts)


def test_each_means_by_hand():
    table = assert_parity(efficiency.reach, on_engines("p", TABLES, **SETTINGS))
    rows = table.set_index(["means", "role"])
    # The list prepares the others and the offer comes after; work after the first step, on old or unknown leads, is no try.
    assert table[["means", "role"]].to_numpy().tolist() == [["phone", "robot"], ["phone", "caller"], ["car", "agent"]]
    robot, visit, call = (rows.loc[key] for key in (("phone", "robot"), ("car", "agent"), ("phone", "caller")))
    assert (robot.tried_count, robot.contacted_count, robot.cost_amount) == (3, 2, 15)
    assert robot.cost_per_reached_amount == pytest.approx(7.5) and robot.only_reached_count == 2
    # c 2 h, e 3 h, d 1 h twice, thirty an hour, and ten for each of four visits.
    assert (visit.tried_count, visit.contacted_count, visit.cost_amount, visit.executions_count) == (3, 2, 7 * 30 + 40, 4)
    assert visit.only_reached_count == 1 and visit.only_cost_amount == 70
    assert (call.tried_count, call.contacted_count, call.cost_amount, call.only_reached_count) == (1, 1, 10, 0)
    assert np.isnan(call.cost_per_reached_low_amount) and visit.tried_share == pytest.approx(3 / 6)


def test_limits_of_the_cost_are_those_of_the_ratio_estimator():
    row = efficiency.reach(company()).set_index("role").loc["agent"]
    cost, hit = np.array([70.0, 100.0, 80.0]), np.array([1.0, 1.0, 0.0])
    ratio = cost.sum() / hit.sum()
    half = 1.959963985 * np.sqrt(3 / 2 * ((cost - ratio * hit) ** 2).sum()) / hit.sum()
    assert row["cost_per_reached_high_amount"] == pytest.approx(ratio + half)
    assert row["cost_per_reached_low_amount"] == pytest.approx(ratio - half)


def test_leads_that_no_cheap_means_reached():
    """Per lead tried: robot 5, call 10 (twice as dear), visit 83; c and e were reached without the robot: 70, and 100 + 10."""
    dear = efficiency.dear_reach(company())
    assert (dear.cheapest_means, dear.cheapest_role, dear.dear_means_count) == ("phone", "robot", 2)
    assert (dear.contacted_count, dear.only_dear_count, dear.only_dear_cost_amount) == (4, 2, 180)
    assert dear.only_dear_per_reached_amount == 90


def test_the_same_in_pandas(demo):
    process = demo.process("wholesale")
    work = process.table("work").collect("pandas").to_native()
    events = process.table("stage_events").collect("pandas").to_native()
    leads = set(collect(new_leads(process))["lead_id"])
    steps = events[events["step"] != "lost"]
    first = steps.groupby("lead_id")["entered_at"].min()
    work = work[(work["card"] == "field_visit") & work["lead_id"].isin(leads)]
    at = work["lead_id"].map(first)
    tried = work[at.isna() | (work["date"].dt.normalize() <= at.dt.normalize())]
    row = efficiency.reach(process).set_index("means").loc["car"]
    assert row["tried_count"] == tried["lead_id"].nunique()
    assert row["contacted_count"] == tried.loc[tried["lead_id"].isin(set(steps["lead_id"])), "lead_id"].nunique()
    assert row["hours"] == pytest.approx(tried["hours"].sum())


def test_the_planted_robot_costs_a_tenth(demo):
    table = efficiency.reach(demo.process("wholesale"))
    table = table[table["stage"] == "lead_generation"].set_index("role")
    assert abs(table.loc["robot", "tried_share"] - 0.45) < 0.03
    assert abs(table.loc["robot", "cost_per_tried_amount"] / table.loc["field_agent", "cost_per_tried_amount"] - 0.1) < 0.01


def test_sentence_and_chart_say_it():
    said = {one.key: one for one in answers.efficiency(company())}
    assert said["reach"].startswith("“Robot” (phone) reached 66.7")
    assert "2 of 4 leads reached" in said["only_dear_means"]
    ax = charts.plot_reach(efficiency.reach(company()))
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([7.5, 10, 125])
    assert ax.get_title(loc="left").startswith("A reached lead costs")


NO_MEANS = [{key: value for key, value in card.items() if key != "means"} for card in CARDS]


@pytest.mark.parametrize(("drop", "changes", "missing"), [
    ("work", {}, "table 'work'"), ("stage_events", {}, "movement"), ("steps", {}, "described steps"), ("leads", {}, "leads"),
    (None, {"cards": NO_MEANS}, "name their means"), (None, {"work": WORK.drop(columns="card")}, "'card'"),
    (None, {"work": WORK[WORK["lead_id"] == "nobody"]}, "names a new lead")])
def test_what_is_missing_is_named(drop, changes, missing):
    process = company(drop, **changes)
    with pytest.raises(MeasureError, match=missing):
        efficiency.reach(process)
    said = answers.efficiency(process)
    assert not any(one.key == "reach" for one in said) and not any("nan" in one.lower().split() for one in said)


def test_without_hour_costs_the_shares_remain():
    process = company(roles={key: {"name": key} for key in ROLES})
    table = efficiency.reach(process)
    assert table["cost_per_reached_amount"].isna().sum() == 2  # the robot has no hours to be priced
    silent = company(roles={key: {"name": key} for key in ROLES}, work=WORK[WORK["card"] != "robot"])
    table = efficiency.reach(silent)
    assert table["cost_amount"].isna().all() and table["contacted_share"].notna().all()
    said = {one.key: one for one in answers.efficiency(silent)}["reach"]
    assert "reached" in said and "nan" not in said
    ax = charts.plot_reach(table)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(table["contacted_share"].tolist())


def test_nobody_reached_has_no_cost_per_lead():
    table = efficiency.reach(company(stage_events=EVENTS[EVENTS["step"] == "lost"]))
    assert (table["contacted_count"] == 0).all() and table["cost_per_reached_amount"].isna().all()
    assert charts.plot_reach(table).get_title(loc="left")
