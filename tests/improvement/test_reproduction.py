"""The weekly model estimated: the paper company's past and future, a held-out quarter of the simulator, data that lack something."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from funnel_lib import CallError, MeasureError, Process, answers, charts, improvement
from funnel_lib.answers.of_conveyor import constraint, past
from funnel_lib.answers.sliders import result_text
from funnel_lib.improvement.constraint import constraints_of
from funnel_lib.improvement.conveyor import REPEAT, run_conveyor
from funnel_lib.improvement.conveyor_parameters import conveyor_of
from funnel_lib.last_year import complete_weeks
from tests.bench.conveyor import held
from tests.charts.test_lead_flow import texts
from tests.engines import assert_parity, on_engines
from tests.improvement.test_conveyor import CALLS
from tests.improvement.test_conveyor import PAPER as PAPER_CONVEYOR
from tests.test_improvement import HALF_DAY, SETTINGS, TABLES, WEEKS


def company(without: tuple[str, ...] = (), **changed) -> Process:
    tables = {name: frame for name, frame in {**TABLES, **changed}.items() if name not in without}
    settings = {**SETTINGS, **{key: value for key, value in changed.items() if key not in TABLES}}
    return Process.from_tables("p", **{key: value for key, value in tables.items() if key in TABLES}, **settings)


def told(process: Process, topic) -> dict:
    return {sentence.key: sentence for sentence in topic(process)}


# Made once: the paper company of four leads a week of whom one buys (test_improvement).
PAPER = company()


def test_the_past_of_the_paper_company():
    """208 leads, 52 customers, 52 × 40 and 26 × 20 of margin, 52 hours: counted by hand."""
    table = improvement.reproduce_past(PAPER).set_index("quantity")
    assert table["observed"].to_dict() == {"leads_count": 208, "customers_count": 52, "margin_amount": 2600, "hours": 52}
    assert table["inside"].all() and (table["run_weeks_count"] == 52).all()
    # 104 weeks of four leads: the mean of the draws is 208 within three standard errors of 10,000 draws of about ± 20.
    assert table.loc["leads_count", "band_middle"] == pytest.approx(208, abs=1)
    by_week = improvement.past_by_week(PAPER)
    assert by_week.groupby("quantity")["observed"].sum().to_dict() == table["observed"].to_dict() and len(by_week) == 4 * 52


def test_means_of_the_draws_are_those_on_paper():
    conveyor = conveyor_of(PAPER, complete_weeks(PAPER)[0], 52)
    run = run_conveyor(conveyor)
    error = 3 * run.customers.sum(axis=0).std() / np.sqrt(conveyor.draws)
    # Jeffreys' half to each side: 52.5 / 105 … of 104 weeks; half a customer more or less.
    assert run.customers.sum(axis=0).mean() == pytest.approx(52, abs=error + 0.5)
    assert run.margin.sum(axis=0).mean() == pytest.approx(2600, rel=0.03)
    # An hour a week for four leads.
    assert conveyor.need[0]["caller"].mean() == pytest.approx(0.25, abs=0.01) and REPEAT not in conveyor.need


def test_the_state_at_the_start_feeds_the_first_weeks():
    """On Monday 29 December: last week's two contacted leads run, every second of the customers will order in 31 days."""
    conveyor = conveyor_of(PAPER)
    contacted, won = conveyor.steps
    assert contacted.start_count == 2 * WEEKS and won.start_count == WEEKS
    # `c`, `d` (and `b` after its contact) have never moved later than half a day: they stand here for ever.
    assert contacted.start_moves.sum() == won.start_moves.sum() == 0
    # All but those who came again by then.
    assert conveyor.orders[0].start_count == WEEKS - sum(n % 2 == 0 and n <= 98 for n in range(WEEKS))
    assert 1 < conveyor.orders[0].start_moves[:5].sum() < 5


def test_forecast_bands_add_up_and_widen():
    table = improvement.conveyor_forecast(PAPER, weeks=8)
    total = improvement.forecast_total(PAPER, weeks=8).set_index("quantity")
    for quantity, rows in table.groupby("quantity"):
        assert total.loc[quantity].to_dict() == rows.iloc[-1][list(total.columns)].to_dict()
    own = table[table["quantity"] == "leads_count"]
    assert own["week"].tolist() == list(range(1, 9)) and own["week_end"].iloc[0] == pd.Timestamp("2026-01-04")
    assert own["so_far_middle"].iloc[-1] == pytest.approx(32, abs=1)
    assert (np.diff(own["so_far_high"] - own["so_far_low"]) >= 0).all()


def test_bands_cover_what_the_simulator_does_next():
    """Four fixed seeds, a quarter held out; many seeds of every kind are in the benchmark `conveyor`."""
    inside = [part for case in held("custom", range(4)) for part in case.values()]
    assert len(inside) == 8 and sum(inside) >= 5  # more than three of eight outside at 90 %: one in 2,000


def test_engines_agree():
    processes = on_engines("p", TABLES, **SETTINGS)
    assert_parity(improvement.past_by_week, processes)


# -- constraint ----------------------------------------------------------------------------------------------------------------


def _with_paid(hours: float) -> Process:
    return company(roles={"caller": {"name": "Caller", "hour_cost": 20, "paid_hours_per_month": hours}})


def test_the_full_role_is_the_constraint_on_paper():
    """Ten leads of two hours, ten hours: a tenth more hours or a better step behind it bring a tenth, more leads only wait."""
    table = constraints_of(replace(PAPER_CONVEYOR, **CALLS))
    gained = table.set_index(["kind", "place"])["gained_customers_count"]
    # Eleven weeks of 1 customer each.
    assert gained[("role", "caller")] == pytest.approx(1.1) and gained[("step", "won")] == pytest.approx(1.1)
    assert gained[("lever_lead_flow", "all")] == 0
    first = table.iloc[0]
    assert first["kind"] == "role" and first["holds_back"] and first["used_share"] == 1 and first["waiting_hours"] == 2 * 5 * 12
    assert first["gained_amount"] == pytest.approx(110)
    enough = constraints_of(replace(PAPER_CONVEYOR, **{**CALLS, "capacity": {"caller": 40.0}})).set_index("kind")
    assert not enough["holds_back"].any() and enough.loc["role", "used_share"] == 0.5 and enough.loc["role", "gained_amount"] == 0


def test_a_role_whose_hours_are_just_enough_lets_work_wait():
    process = _with_paid(4.3)  # an hour a week: what is needed on average, so that chance makes work wait
    table = improvement.binding_constraint(process)
    role = table[table["kind"] == "role"].iloc[0]
    assert role["place"] == "caller" and role["holds_back"] and role["waits_probability"] > 0.5 and role["used_share"] > 0.85
    sentence = told(process, constraint)["binding_constraint"]
    assert sentence.numbers["binding_roles"] == ["caller"] and "Work waits for “Caller”" in sentence
    assert "“Caller”" in texts(charts.plot_binding_constraint(table))
    assert improvement.levers(process).set_index("lever")["waiting_amount"]["lead_flow"] < 0


def test_with_hours_enough_no_role_holds_back():
    process = _with_paid(400)
    table = improvement.binding_constraint(process)
    role = table[table["kind"] == "role"].iloc[0]
    assert not role["holds_back"] and role["gained_amount"] == 0 and role["waiting_hours"] == 0
    assert table.iloc[0]["kind"] != "role"
    assert improvement.levers(process)["waiting_amount"].isna().all()
    assert "No role's hours run out" in told(process, constraint)["binding_constraint"]


# -- data that lack something ---------------------------------------------------------------------------------------------------


def test_a_role_without_hours_never_waits_and_is_named():
    table = improvement.binding_constraint(PAPER)
    assert not (table["kind"] == "role").any()
    assert "paid_hours_per_month" in told(PAPER, past)["roles_without_hours"] and "“Caller”" in told(PAPER, past)["roles_without_hours"]
    assert "Whose hours are full is not known" in told(PAPER, constraint)["binding_constraint"]


def test_without_work_there_are_no_hours():
    process = company(without=("work",))
    assert "hours" not in set(improvement.reproduce_past(process)["quantity"])
    assert "work" in told(process, past)["conveyor_missing"].numbers["missing"]
    assert len(charts.plot_past(improvement.past_by_week(process)).child_axes) == 3


def test_without_orders_it_ends_with_customers():
    process = company(without=("orders",))
    assert set(improvement.reproduce_past(process)["quantity"]) == {"leads_count", "customers_count", "hours"}
    table = improvement.binding_constraint(process)
    assert table["gained_amount"].isna().all() and table["gained_customers_count"].iloc[0] > 0
    assert "customers" in told(process, constraint)["binding_constraint"]
    assert "customers" in texts(charts.plot_binding_constraint(table))
    assert "customers if nothing is changed" in texts(charts.plot_forecast(improvement.conveyor_forecast(process))).replace("\n", " ")


def test_orders_without_a_margin_count_no_money():
    process = company(orders=TABLES["orders"].drop(columns="margin"))
    assert "margin_amount" not in set(improvement.reproduce_past(process)["quantity"])
    assert improvement.missing_parts(process)[0] == "margin"


def test_three_won_leads_give_wide_ranges_and_say_so():
    early = {f"a{n}" for n in range(3)}
    events = TABLES["stage_events"]
    few = company(stage_events=events[(events["step"] != "won") | events["lead_id"].isin(early)], orders=TABLES["orders"].iloc[:3])
    table = improvement.conveyor_forecast(few)
    customers = table[table["quantity"] == "customers_count"].iloc[-1]
    assert customers["so_far_high"] >= 3 * max(customers["so_far_middle"], 1)
    assert "Only 3 leads were won" in told(few, past)["few_wins_weekly"]
    assert charts.plot_forecast(table).child_axes


def test_two_weeks_of_history_run_and_one_does_not():
    def first_weeks(count: int) -> Process:
        return company(as_of=pd.Timestamp("2024-01-01") + pd.Timedelta(weeks=count), conversion_window_days=1)

    two = first_weeks(2)
    table = improvement.reproduce_past(two).set_index("quantity")
    assert (table["run_weeks_count"] == 2).all() and table.loc["leads_count", "observed"] == 8
    wide, narrow = (improvement.conveyor_forecast(process, weeks=13).query("quantity == 'leads_count'").iloc[-1]
                    for process in (two, PAPER))
    assert wide["so_far_high"] - wide["so_far_low"] > 1.5 * (narrow["so_far_high"] - narrow["so_far_low"])
    assert "last 2 complete weeks" in told(two, past)["past_reproduced"]
    assert charts.plot_past(improvement.past_by_week(two)).child_axes
    with pytest.raises(MeasureError, match="two complete weeks"):
        improvement.reproduce_past(first_weeks(1))


def test_a_snapshot_without_times_is_passed_at_once_and_says_so():
    untimed = TABLES["stage_events"].assign(entered_at=pd.NaT)
    process = company(stage_events=untimed, as_of="2025-12-29")
    assert "times" in improvement.missing_parts(process)
    assert "times of a step are not known" in told(process, past)["conveyor_missing"]


# -- charts and sliders --------------------------------------------------------------------------------------------------------


def test_the_past_is_drawn_on_its_band():
    table = improvement.past_by_week(PAPER)
    ax = charts.plot_past(table)
    leads = ax.child_axes[0]
    band, observed = leads.lines[:2]
    own = table[table["quantity"] == "leads_count"]
    assert observed.get_ydata().tolist() == own["observed"].tolist() and band.get_ydata().tolist() == own["band_middle"].tolist()
    assert "52 of 52 weeks inside" in leads.get_title(loc="left")
    assert f"{int(table['inside'].sum())} of 208 observed weeks" in texts(ax).replace("\n", " ")


def test_a_year_that_the_model_misses_is_said():
    """Twice as many hours in the first weeks than any week before: not what the parameters of a whole year give."""
    events, leads = TABLES["stage_events"], TABLES["leads"]
    paid = [(f"c{n}", "won", leads["created_at"].iloc[4 * n] + HALF_DAY) for n in range(52, WEEKS)]
    extra = pd.concat([events, pd.DataFrame(paid, columns=events.columns)])
    orders = pd.concat([TABLES["orders"], pd.DataFrame({
        "order_id": [f"c{n}" for n in range(52, WEEKS)], "customer_id": [f"new {n}" for n in range(52, WEEKS)],
        "ordered_at": [row[2] for row in paid], "amount": 100.0, "margin": 40.0, "lead_id": [row[0] for row in paid]})])
    process = company(stage_events=extra, orders=orders)
    table = improvement.reproduce_past(process).set_index("quantity")
    assert not table.loc["customers_count", "inside"]
    assert "misses" in told(process, past)["past_reproduced"]


def test_sliders_need_their_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(CallError, match="ipywidgets"):
        answers.what_if_sliders(PAPER)


def test_sliders_say_what_what_if_says():
    found = improvement.what_if(PAPER, lead_flow=0.1, step_rate={"won": 0.05})
    text = result_text(PAPER, {"lead_flow": 0.1, "step_rate.won": 0.05, "mean_amount": 0.0})
    assert f"€{found.difference.amount:,.0f}".replace(",", "\N{NO-BREAK SPACE}") in text
    assert "a change of €0" in result_text(PAPER, {"lead_flow": 0.0})
    both = result_text(PAPER, {"lead_flow": 0.1, "lead_flow.site": 0.1})
    assert both != result_text(PAPER, {"lead_flow": 0.1})


def test_the_sliders_follow_every_move():
    pytest.importorskip("ipywidgets")
    box = answers.what_if_sliders(PAPER, most=2)
    before = box.children[-1].value
    box.children[0].value = 0.1
    assert "a change of €0" in before and box.children[-1].value != before


def test_a_lag_of_one_week_gives_its_customers_from_the_first_week_on():
    """Ten leads a week, every second pays 100 of margin after exactly 7 days, nobody comes again: 5 customers, 500 a week.

    Last week's ten leads are six and a half days old at the start: they are among those who buy in the first week.
    """
    days = pd.date_range("2024-01-01 10:00", periods=WEEKS, freq="7D")
    leads = pd.DataFrame([(f"{day:%y%m%d}-{number}", day, number < 5) for day in days for number in range(10)],
                         columns=["lead_id", "created_at", "buys"])
    ended = leads.assign(entered_at=leads["created_at"] + pd.Timedelta(days=7), step=leads["buys"].map({True: "won", False: "lost"}))
    ended = ended[ended["entered_at"] < "2025-12-29"]
    orders = ended[ended["buys"]].rename(columns={"entered_at": "ordered_at"})
    orders = orders.assign(order_id=orders["lead_id"], customer_id=orders["lead_id"], amount=200.0, margin=100.0)
    process = Process.from_tables(
        "p", leads=leads[["lead_id", "created_at"]], stage_events=ended[["lead_id", "step", "entered_at"]],
        orders=orders[["order_id", "customer_id", "ordered_at", "amount", "margin", "lead_id"]], steps=["won"], as_of="2025-12-29",
        observed_from="2024-01-01", conversion_window_days=30)
    run = run_conveyor(conveyor_of(process))
    assert run.customers.mean(axis=1) == pytest.approx(np.full(52, 5.0), rel=0.01)
    assert run.margin.sum(axis=0).mean() == pytest.approx(52 * 500, rel=0.01)
