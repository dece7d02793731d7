"""Scorecards: figures of two years counted by hand, laws of drawn years, only the own stage, no ranking by chance, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import MeasureError, Process, answers, charts, efficiency
from funnel_lib.efficiency.indicators import with_verdicts
from funnel_lib.rates import difference_limits, rate
from tests.engines import assert_parity, on_engines

# The last year begins on 1 January 2025, the one before on 1 January 2024.
ROLES = {"caller": {"name": "Caller", "hour_cost": 10}, "seller": {"name": "Seller", "hour_cost": 20},
         "keeper": {"name": "Keeper", "hour_cost": 20}, "robot": {"name": "Robot", "hour_cost": 0}}
CARDS = [{"key": "call", "stage": "lead_generation", "role": "caller"}, {"key": "offer", "stage": "conversion", "role": "seller"},
         {"key": "bot", "stage": "lead_generation", "role": "robot"}]
SETTINGS = {"steps": ["contacted", "won"], "as_of": "2026-01-01", "observed_from": "2022-01-01", "roles": ROLES, "cards": CARDS,
            "target_segments": ["shop"]}
# Year → leads, of which on target, reached, won; the others are lost.
YEARS = {2024: (100, 40, 60, 20), 2025: (120, 90, 80, 60)}


def tables() -> dict[str, pd.DataFrame]:
    """Leads of two years, all decided in their own year, and the work on them."""
    leads, events = [], []
    for year, (count, on_target, reached, won) in YEARS.items():
        for number in range(count):
            key, day = f"{year}-{number}", pd.Timestamp(f"{year}-01-10") + pd.Timedelta(days=number)
            leads.append((key, day, "shop" if number < on_target else "other", "ann" if number % 2 else "bob"))
            events += [(key, "contacted", day + pd.Timedelta(days=1))] * (number < reached)
            events.append((key, "won" if number < won else "lost", day + pd.Timedelta(days=3)))
    work = pd.DataFrame(
        [(f"{year}-02-01", stage, role, hours, card, employee, automated) for year in YEARS
         for stage, role, hours, card, employee, automated in (
             ("lead_generation", "caller", 50.0, "call", "cid", False), ("conversion", "seller", 20.0, "offer", "ann", False),
             ("conversion", "caller", 70.0, None, "cid", False), ("account_management", "keeper", 5.0, None, "kim", False),
             ("conversion", "keeper", 1.0, None, "kim", False), ("lead_generation", "robot", 1.0, "bot", None, True))],
        columns=["date", "stage", "role", "hours", "card", "employee", "automated"])
    return {"leads": pd.DataFrame(leads, columns=["lead_id", "created_at", "segment", "owner"]),
            "stage_events": pd.DataFrame(events, columns=["lead_id", "step", "entered_at"]), "work": work}


def company(drop: str | None = None, **changes) -> Process:
    """The hand-made process, without a table or with other settings."""
    return Process.from_tables("p", **{key: value for key, value in {**tables(), **SETTINGS, **changes}.items() if key != drop})


def test_figures_of_two_years_by_hand():
    table = assert_parity(efficiency.indicators, on_engines("p", tables(), **SETTINGS))
    rows = table.assign(key=table["indicator"] + table["step"].fillna("")).set_index("key")
    for key, now, before in (("target_share", (90, 120), (40, 100)), ("step_ratecontacted", (80, 120), (60, 100)),
                             ("step_ratewon", (60, 80), (20, 60)), ("win_rate", (60, 120), (20, 100))):
        row = rows.loc[key]
        assert [row["cases_count"], row["of_count"], row["before_cases_count"], row["before_of_count"]] == [*now, *before], key
        assert row["last_value"] == pytest.approx(now[0] / now[1]) and row["last_low"] == pytest.approx(rate(*now).low_share)
        expected = difference_limits(rate(*before), rate(*now))[0] > 0
        assert (row["verdict"] == "better") == expected == (key != "step_ratecontacted"), key
    flow = rows.loc["lead_flow"]
    assert flow["last_value"] == pytest.approx(120 / (365 / 7)) and flow["before_value"] == pytest.approx(100 / (366 / 7))
    # 50 hours at 10 and an hour of the robot at 0, per lead of the year; fewer per lead, but within the error.
    assert rows.loc["cost_per_lead", "last_value"] == pytest.approx(500 / 120)
    assert rows.loc["cost_per_lead", "before_value"] == pytest.approx(5)
    assert rows.loc["days_to_win", ["last_value", "before_value"]].tolist() == [3, 3]


def test_customers_of_three_years_by_hand():
    """2023: a b; 2024: a c c; 2025: a c d. Of two of 2023 one came in 2024, of two of 2024 both in 2025."""
    orders = pd.DataFrame(
        [("a", "2023-03-01", 10), ("b", "2023-03-02", 10), ("a", "2024-03-01", 20), ("c", "2024-03-02", 10), ("c", "2024-05-02", 30),
         ("a", "2025-03-01", 40), ("c", "2025-04-01", 60), ("d", "2025-05-01", 10)], columns=["customer_id", "ordered_at", "margin"])
    orders = orders.assign(order_id=[str(number) for number in range(len(orders))], amount=100.0, margin=orders["margin"].astype(float))
    table = efficiency.indicators(Process.from_tables("p", orders=orders, as_of="2026-01-01", observed_from="2022-01-01"))
    rows = table.set_index("indicator")
    columns = ["cases_count", "of_count", "before_cases_count", "before_of_count"]
    assert rows.loc["retention", columns].tolist() == [2, 2, 1, 2]
    assert rows.loc["repeat_share", columns].tolist() == [2, 3, 2, 3]
    assert rows.loc["margin_per_repeat", ["last_value", "before_value"]].tolist() == [50, 25]
    assert set(rows["verdict"]) == {"cannot_tell"} and rows.loc["retention", "reason"] == "few_cases"


def test_each_role_belongs_to_one_stage():
    table = efficiency.roles(company()).set_index("role")
    # The caller's card is in lead generation though most of the hours go to conversion; the keeper has no card.
    assert table.loc["caller", ["stage", "stage_from", "stage_hours", "hours"]].tolist() == ["lead_generation", "cards", 100, 240]
    assert table.loc["keeper", ["stage", "stage_from"]].tolist() == ["account_management", "hours"]
    assert table.loc["caller", "stage_hours_share"] == pytest.approx(100 / 240)


def test_a_role_is_scored_on_its_own_stage_only():
    scores = efficiency.scorecards(company())
    stages = efficiency.indicators(company()).groupby("stage")["indicator"].unique()
    for role, stage in (("caller", "lead_generation"), ("seller", "conversion")):
        assert set(scores.loc[scores["role"] == role, "indicator"]) == set(stages[stage])
    # Nobody is asked for the robot's result, and the keeper's stage has no figures.
    assert set(scores["role"]) == {"caller", "seller"}


def test_what_does_not_change_is_not_called_a_change():
    """Planted: 60 pairs of years of the same chances; with eight figures each, a change is called in few."""
    rng, called = np.random.default_rng(11), 0
    for _ in range(60):
        part = rng.binomial(150, [0.4] * 8, size=(2, 8))
        gains = [difference_limits(rate(*before), rate(*now)) for before, now in zip(
            [(count, 150) for count in part[0]], [(count, 150) for count in part[1]], strict=True)]
        table = pd.DataFrame(gains, columns=["gain_low", "gain_high"]).assign(reason="")
        called += (with_verdicts(table)["verdict"] != "cannot_tell").any()
    assert called <= 6


def test_no_employee_is_ranked_by_chance_and_a_planted_one_is_found(demo):
    table = efficiency.employee_scores(demo.process("wholesale"))
    assert set(table["verdict"]) <= {"no_difference", "too_few"}
    # Vera looks best by luck alone: 7 of 12.
    vera = table[table["employee"] == "vera"].iloc[0]
    assert vera["share"] > 0.5 and vera["pooled_share"] < 0.35 and vera["verdict"] == "too_few"
    assert table[table["indicator"] == "win_rate"]["employee"].is_monotonic_increasing
    leads = tables()["leads"].assign(owner=["ann" if number < YEARS[int(key[:4])][3] else "bob" for key, number in (
        (key, int(key[5:])) for key in tables()["leads"]["lead_id"])])
    apart = efficiency.employee_scores(company(leads=leads)).set_index("employee")
    assert apart.loc["ann", "verdict"] == "above" and apart.loc["bob", "verdict"] == "below" and apart.index[0] == "ann"


def test_sentences_and_charts():
    process = company()
    said = {one.key: one for one in answers.efficiency(process)}
    assert said["scorecards"].numbers["better_count"] >= 3 and "“Seller”" in said["scorecards"]
    assert "no order of merit" in said["employees"]
    scores = efficiency.scorecards(process)
    ax = charts.plot_scorecards(scores)
    assert len(ax.get_yticklabels()) == len(scores.drop_duplicates(["stage", "indicator", "step"]))
    assert f"{said['scorecards'].numbers['better_count']} became better" in ax.get_title(loc="left").replace("\n", " ")
    employees = efficiency.employee_scores(process)
    ax = charts.plot_employee_scores(employees)
    drawn = [line.get_xdata()[0] for line in ax.lines if line.get_markerfacecolor() != "white"]
    assert drawn == pytest.approx(employees["pooled_share"].tolist())


@pytest.mark.parametrize(("drop", "stages"), [("stage_events", {"lead_generation"}), ("work", {"lead_generation", "conversion"}),
                                              ("segment", {"lead_generation", "conversion"})])
def test_what_is_missing_leaves_the_other_figures(drop, stages):
    changes = {"leads": tables()["leads"].drop(columns="segment")} if drop == "segment" else {}
    process = company(drop, **changes)
    table = efficiency.indicators(process)
    assert set(table["stage"]) == stages and table["last_value"].notna().all()
    assert charts.plot_scorecards(table).get_title(loc="left")
    assert not any("nan" in one.lower().split() for one in answers.efficiency(process))


def test_less_than_two_years_are_not_compared():
    process = company(observed_from="2024-06-01")
    table = efficiency.scorecards(process)
    assert set(table["reason"]) == {"short_history"} and table["before_value"].isna().all()
    assert "two years of records" in {one.key: one for one in answers.efficiency(process)}["scorecards"]
    assert "less than two years" in charts.plot_scorecards(table).get_title(loc="left")


def test_nobody_to_score():
    with pytest.raises(MeasureError, match="which stage"):
        efficiency.roles(Process.from_tables("p", leads=tables()["leads"], as_of="2026-01-01"))
    with pytest.raises(MeasureError, match="owner"):
        efficiency.employee_scores(Process.from_tables("p", leads=tables()["leads"][["lead_id", "created_at"]], as_of="2026-01-01"))
