"""The weekly conveyor against sums on paper, laws (nobody gets lost, no change is no change), and queues counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import MeasureError
from funnel_lib.improvement.conveyor import REPEAT, Conveyor, Stop, run_conveyor
from funnel_lib.improvement.moved import weekly_pace
from funnel_lib.improvement.vocabulary import Lever

WEEKS, DRAWS = 12, 3
NOBODY = np.zeros(WEEKS)


def after(days: int) -> np.ndarray:
    """Everybody comes after exactly so many days."""
    return np.concatenate([np.zeros(days), [1.0]])


def stop(key: str, rate: float, days: int = 0, **more) -> Stop:
    fields = {"leaving": after(7), "start_count": 0.0, "start_moves": NOBODY, "start_leaves": NOBODY, "start_rate": rate, **more}
    return Stop(key, np.full(DRAWS, rate), after(days), **fields)


def conveyor(*steps: Stop, leads: float = 10, **more) -> Conveyor:
    each = np.ones(DRAWS)
    fields = {"flow": {"site": leads * each}, "levels": np.ones((WEEKS, DRAWS)), "orders": [], "buyers": each, "walk_ins": 0 * each,
              "known_again": 0 * each, "margin": [100 * each], "amount": [], "margin_square": [100.0**2], "referrals": 0 * each,
              "referral_share": 0.0, "past_orders": np.zeros(52), **more}
    return Conveyor(weeks=WEEKS, steps=list(steps), **fields)


# On paper: ten leads a week, half are contacted at once, of those four of ten pay a week later.
PAPER = conveyor(stop("contacted", 0.5), stop("won", 0.4, 7))
REPEATED = replace(PAPER, orders=[stop("order 2", 0.5, 14), stop("order 3", 0.5, 14)],
                   margin=[np.full(DRAWS, value) for value in (100.0, 30.0, 10.0)], margin_square=[0.0] * 3, amount=[200.0] * 3)


def first(values: np.ndarray) -> list[float]:
    """By weeks, of the first draw; all draws are alike."""
    assert np.allclose(values, values[:, :1])
    return np.round(values[:, 0], 9).tolist()


def test_customers_on_paper():
    run = run_conveyor(PAPER)
    assert first(run.leads) == [10.0] * WEEKS
    assert first(run.customers) == [0.0] + [2.0] * (WEEKS - 1)
    assert first(run.margin) == [0.0] + [200.0] * (WEEKS - 1)
    # Lost a week after they came: half of the ten, and six of ten of the five.
    assert first(run.lost) == [0.0] + [8.0] * (WEEKS - 1)


def test_repeat_orders_on_paper():
    """Two customers a week; half of them again after two weeks, half of those after two more, and so on."""
    run = run_conveyor(REPEATED)
    assert first(run.orders[0])[:4] == [0, 2, 2, 2]
    assert first(run.orders[1])[:6] == [0, 0, 0, 1, 1, 1]
    assert first(run.orders[2])[:9] == [0, 0, 0, 0, 0, 0.5, 0.5, 0.75, 0.75]
    assert first(run.margin)[5] == 2 * 100 + 1 * 30 + 0.5 * 10


def test_recommendations_come_back_as_leads():
    """0.52 leads per order, over the 52 weeks after it: 0.01 a week and order."""
    run = run_conveyor(replace(PAPER, referrals=np.full(DRAWS, 0.52), past_orders=np.full(52, 100.0)))
    # 5,200 orders of the year before bring 52 leads in the first week.
    assert first(run.leads)[0] == pytest.approx(10 + 52)
    # Then a week of 100 falls out and the 0 customers of week 1 come in.
    assert first(run.leads)[1] == pytest.approx(10 + 51)


def test_lags_between_weeks_are_shared_between_them():
    assert weekly_pace(after(7), 3).tolist() == [0, 1, 0]
    assert weekly_pace(after(10), 3) == pytest.approx([0, 4 / 7, 3 / 7])
    assert weekly_pace(after(10), 3, stretch=0.7).tolist() == [0, 1, 0]


def test_effects_multiply_down_the_funnel():
    usual = run_conveyor(PAPER).customers.sum()
    changes = {Lever("lead_flow", "all"): 0.2, Lever("step_rate", "contacted"): 0.25, Lever("step_rate", "won"): 0.1}
    assert run_conveyor(PAPER, changes).customers.sum() == pytest.approx(usual * 1.2 * (0.75 / 0.5) * (0.5 / 0.4))
    earlier = run_conveyor(PAPER, {Lever("step_days", "won"): -1.0})
    assert first(earlier.customers) == [2.0] * WEEKS
    by_draw = run_conveyor(PAPER, {Lever("step_days", "won"): np.array([0.0, -1.0, -0.5])}).customers
    assert by_draw[:, 0].tolist() == first(run_conveyor(PAPER).customers) and by_draw[0] == pytest.approx([0, 2, 1])


def test_levers_of_orders_move_what_they_say():
    usual = run_conveyor(REPEATED)
    for lever, change, factor in ((Lever("mean_amount"), 0.1, 1.1), (Lever("margin_share"), 0.0, 1.0)):
        assert run_conveyor(REPEATED, {lever: change}).margin == pytest.approx(usual.margin * factor)
    # A quarter of 200 more on every order.
    more = run_conveyor(REPEATED, {Lever("margin_share"): 0.25}).margin - usual.margin
    assert more == pytest.approx(50 * sum(usual.orders))
    assert first(run_conveyor(REPEATED, {Lever("repeat_rate"): 0.25}).orders[1])[3] == pytest.approx(1.5)
    assert first(run_conveyor(REPEATED, {Lever("gap_days"): -0.5}).orders[1])[:4] == [0, 0, 1, 1]


def test_without_a_change_two_runs_are_equal_draw_by_draw():
    random = np.random.default_rng(1)
    drawn = replace(REPEATED, flow={"site": random.gamma(9, 1, DRAWS)}, levels=random.gamma(5, 0.2, (WEEKS, DRAWS)),
                    need={0: {"caller": random.gamma(9, 0.1, DRAWS)}}, capacity={"caller": 8.0})
    usual = run_conveyor(drawn)
    nothing = {Lever("lead_flow", "all"): 0.0, Lever("step_rate", "won"): 0.0, Lever("gap_days"): 0.0, Lever("mean_amount"): 0.0,
               Lever("repeat_rate"): 0.0, Lever("capacity", "caller"): 0.0, Lever("step_days", "won"): np.zeros(DRAWS)}
    for changes in (None, nothing):
        again = run_conveyor(drawn, changes)
        assert np.array_equal(usual.margin, again.margin) and np.array_equal(usual.customers, again.customers)


# -- hours --------------------------------------------------------------------------------------------------------------------

CALLS = {"need": {0: {"caller": np.full(DRAWS, 2.0)}}, "capacity": {"caller": 10.0}}


def test_ten_hours_serve_five_leads_of_two_hours_and_the_rest_waits():
    run = run_conveyor(replace(PAPER, **CALLS))
    assert first(run.served[0]) == [5.0] * WEEKS
    assert first(run.waiting[0]) == [5.0 * week for week in range(1, WEEKS + 1)]
    assert first(run.hours["caller"]) == [10.0] * WEEKS
    assert first(run.waiting_hours["caller"])[-1] == 2 * 5 * WEEKS
    assert first(run.customers)[1:] == [1.0] * (WEEKS - 1)
    # One hour more serves half a lead more; without limits all are served.
    assert first(run_conveyor(replace(PAPER, **CALLS), {Lever("capacity", "caller"): 0.1}).served[0]) == [5.5] * WEEKS
    assert first(run_conveyor(replace(PAPER, **CALLS), limited=False).served[0]) == [10.0] * WEEKS


def test_just_enough_hours_let_nobody_wait():
    run = run_conveyor(replace(PAPER, **{**CALLS, "capacity": {"caller": 20.0}}))
    assert first(run.waiting[0]) == [0.0] * WEEKS and first(run.served[0]) == [10.0] * WEEKS


def test_a_heap_is_worked_off_in_turn():
    heap = np.zeros((WEEKS, DRAWS))
    heap[0] = 2.0
    assert first(run_conveyor(replace(PAPER, levels=heap, **CALLS)).served[0])[:6] == [5, 5, 5, 5, 0, 0]


def test_the_oldest_is_served_first_wherever_it_waits():
    """An hour at each of two steps, ten hours: see the comments for what waits since when."""
    two = conveyor(stop("contacted", 1.0), stop("won", 1.0), need={0: {"seller": np.ones(DRAWS)}, 1: {"seller": np.ones(DRAWS)}},
                   capacity={"seller": 10.0})
    run = run_conveyor(two)
    # Week 1: contacted, nobody left to close. Week 2: those are closed, the new ones wait. Week 3: contacted, and wait to be closed
    # like the new ones for a contact: both since week 3, so that in week 4 each gets half of the hours.
    assert first(run.customers)[:4] == [0, 10, 0, 5]


def test_orders_of_customers_are_served_before_leads_and_fixed_work_before_all():
    both = replace(REPEATED, past_orders=np.zeros(52), known_again=np.full(DRAWS, 4.0), fixed_hours={"caller": np.full(DRAWS, 3.0)},
                   need={REPEAT: {"caller": np.ones(DRAWS)}, 0: {"caller": np.ones(DRAWS)}}, capacity={"caller": 10.0},
                   orders=[stop("order 2", 0.0)])
    both = replace(both, margin=both.margin[:2], margin_square=[0.0] * 2)
    run = run_conveyor(both)
    assert first(run.orders[1]) == [4.0] * WEEKS
    assert first(run.served[0]) == [3.0] * WEEKS


def test_every_role_that_takes_part_must_have_hours():
    run = run_conveyor(replace(PAPER, need={0: {"caller": np.ones(DRAWS), "boss": np.ones(DRAWS), "robot": np.ones(DRAWS)}},
                               capacity={"caller": 8.0, "boss": 6.0}))
    assert first(run.served[0]) == [6.0] * WEEKS and first(run.hours["robot"]) == [6.0] * WEEKS


def test_less_work_on_a_card_frees_hours():
    cards = {"call": {0: {"caller": np.full(DRAWS, 1.0)}}}
    run = run_conveyor(replace(PAPER, **CALLS, card_need=cards), {Lever("hours", "call"): -0.5})
    assert first(run.served[0]) == pytest.approx([10 / 1.5] * WEEKS)


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6), st.lists(st.integers(0, 30), min_size=3, max_size=3),
       st.floats(1, 40), st.floats(0, 30))
@settings(max_examples=15)
def test_no_lead_is_lost_on_the_way(shares, days, hours, start):
    """Leads in, and those who stood here, are won, lost, standing at a stop (counted by what has not yet left it) or waiting."""
    steps = [stop(f"s{n}", shares[n], days[n], leaving=after(9) * shares[n + 3]) for n in range(3)]
    begun = np.linspace(0, start / 20, WEEKS)
    begun = begun * min(1.0, start / max(begun.sum() * 2, 1e-9))
    steps[1] = replace(steps[1], start_count=start, start_moves=begun, start_leaves=begun / 2)
    one = conveyor(*steps, need={n: {"seller": np.ones(DRAWS)} for n in range(3)}, capacity={"seller": hours})
    run = run_conveyor(one)
    standing = start - run_of_start(steps[1])
    for number, step in enumerate(steps):
        moved, left = (np.cumsum(weekly_pace(curve, WEEKS))[::-1, None] for curve in (step.lags, step.leaving))
        standing = standing + (run.served[number] * (1 - step.rate * moved - (1 - step.rate) * left)).sum(axis=0)
    waiting = sum(run.waiting[number][-1] for number in range(3))
    inside = run.leads.sum(axis=0) + start
    assert inside == pytest.approx(run.entered[-1].sum(axis=0) + run.lost.sum(axis=0) + standing + waiting)


def run_of_start(begun: Stop) -> float:
    """Those of the start who have moved on or left in the run, rates being as estimated."""
    return float(begun.start_moves.sum() + begun.start_leaves.sum())


def test_a_lever_without_a_number_is_named():
    for lever in (Lever("step_rate", "luck"), Lever("repeat_rate"), Lever("referral_share"), Lever("target_share", "site"),
                  Lever("capacity", "boss"), Lever("margin_share")):
        with pytest.raises(MeasureError, match=lever.kind):
            run_conveyor(PAPER, {lever: 0.1})
