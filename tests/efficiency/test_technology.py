"""Levels shown with their evidence, the reading of shared work, next levels: hand-made logs, laws, planted truth, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import MeasureError, Process, answers, charts, efficiency
from funnel_lib.efficiency.technology import OTHERS_SHARE, PERFORMER_SHARE
from tests.bench.planted_cards import found
from tests.engines import assert_parity, on_engines

ROLES = {"caller": {"name": "Caller", "hour_cost": 10}, "free": {"name": "Free"}}
MONTH = 30.4375
PERIOD = {"as_of": pd.Timestamp("2026-01-01") + pd.Timedelta(days=2 * MONTH), "observed_from": "2026-01-01", "roles": ROLES}


def log(counts: dict, card: str = "call", hours: float = 1.0, **columns) -> pd.DataFrame:
    """So many executions of a card by each employee."""
    names = [name for name, count in counts.items() for _ in range(count)]
    return pd.DataFrame({"date": "2026-01-05", "stage": "conversion", "role": "caller", "hours": hours, "card": card,
                         "employee": names, **columns})


def shown(counts: dict) -> float:
    """The level shown by work that is so shared."""
    cards = [{"key": "call", "stage": "conversion", "role": "caller"}]
    return efficiency.technologization(Process.from_tables("p", work=log(counts), cards=cards, **PERIOD)).loc[0, "shown_level"]


@pytest.mark.parametrize(("counts", "level"), [
    ({"a": 50, "b": 50}, 2), ({"a": 81, "b": 19}, 1), ({"a": 80, "b": 20}, 2), ({"a": 70, "b": 15, "c": 15}, 1),
    ({"a": 25, "b": 25, "c": 25, "d": 25}, 2),
    # Of six who share evenly nobody does a fifth; of six of whom one does nearly all the letter holds too.
    ({name: 17 for name in "abcdef"}, 2), ({"a": 90, **{name: 2 for name in "bcdef"}}, 1),
    ({"a": 55, **{name: 9 for name in "bcdef"}}, 1), ({None: 90, "a": 3, "b": 3, "c": 4}, 1)])
def test_work_is_shared_by_hand(counts, level):
    assert shown(counts) == level


def test_the_reading_of_shared_work_is_the_letter_for_up_to_four():
    """A law over 4,000 drawn teams: for four or fewer, "the others do 60 %" never holds where the letter does not."""
    rng = np.random.default_rng(5)
    for _ in range(4_000):
        shares = np.sort(rng.dirichlet(np.full(rng.integers(2, 5), rng.choice([0.3, 1.0, 30.0]))))[::-1]
        letter = (shares >= PERFORMER_SHARE).sum() >= 2
        assert letter or shares[1:].sum() < OTHERS_SHARE


def test_even_teams_of_any_size_are_scripted_and_one_busy_person_is_not():
    """Planted: even teams of 2 to 12 and one person with 92 %, 60 executions each, 200 draws: the letter alone loses large teams."""
    rng = np.random.default_rng(7)
    letter, reading, alarms = {}, {}, 0
    for people in (2, 4, 6, 8, 12):
        counts = rng.multinomial(300, np.full(people, 1 / people), size=200) / 300
        second, others = np.sort(counts, axis=1)[:, -2], 1 - counts.max(axis=1)
        letter[people] = (second >= PERFORMER_SHARE).mean()
        reading[people] = ((second >= PERFORMER_SHARE) | (others >= OTHERS_SHARE)).mean()
        busy = rng.multinomial(300, [0.92, *np.full(people - 1, 0.08 / (people - 1))], size=200) / 300
        alarms += ((np.sort(busy, axis=1)[:, -2] >= PERFORMER_SHARE) | (1 - busy.max(axis=1) >= OTHERS_SHARE)).sum()
    assert letter[2] == letter[4] == 1 and letter[8] < 0.05 and letter[12] == 0
    assert all(share == 1 for share in reading.values()) and alarms == 0


def test_path_and_rework_beside_the_level():
    leads = pd.DataFrame({"lead_id": list("abcd"), "created_at": "2026-01-01"})
    # `b` skipped the step, `c` came back into it, `d` never got there.
    events = pd.DataFrame([("a", "call", 2), ("a", "won", 3), ("b", "won", 3), ("c", "call", 2), ("c", "won", 3), ("c", "call", 4)],
                          columns=["lead_id", "step", "day"])
    events = events.assign(entered_at="2026-01-0" + events["day"].astype(str)).drop(columns="day")
    work = log({"x": 4}).assign(lead_id=["a", "c", "c", None])
    settings = {"steps": ["call", "won"], "cards": [{"key": "call", "stage": "conversion", "step": "call"}], **PERIOD}
    row = assert_parity(efficiency.technologization, on_engines(
        "p", {"leads": leads, "stage_events": events, "work": work}, **settings)).iloc[0]
    assert (row["path_leads_count"], row["path_followed_count"]) == (3, 1)
    assert (row["worked_leads_count"], row["repeated_leads_count"], row["repeated_leads_share"]) == (2, 1, 0.5)


# -- next levels -----------------------------------------------------------------------------------------------------------


def following(setup: float = 300, monthly: float = 50, work: pd.DataFrame | None = None, role: str = "caller") -> pd.DataFrame:
    """The next level of one card of 60 hours in two months that would save half of them."""
    card = {"key": "call", "stage": "conversion", "role": role,
            "next_level": {"setup_cost": setup, "monthly_cost": monthly, "hours_saved_share": 0.5}}
    work = log({"x": 20}, hours=3.0, role=role) if work is None else work
    return efficiency.next_levels(Process.from_tables("p", work=work, cards=[card], **PERIOD))


def test_limits_of_gain_and_payback_by_hand():
    row = following().iloc[0]
    # 30 hours a month at 10, half of them: 150 − 50; 20 pieces of 30 each: error of their sum 30 √20 in two months, half saved.
    half = 1.959964 * 30 * np.sqrt(20) / 2 * 0.5
    assert row["monthly_gain_amount"] == pytest.approx(100) and row["payback_months"] == pytest.approx(3)
    assert row["monthly_gain_low_amount"] == pytest.approx(100 - half)
    assert row["payback_low_months"] == pytest.approx(300 / (100 + half))
    assert row["payback_high_months"] == pytest.approx(300 / (100 - half)) and row["verdict"] == "pays_back"


@pytest.mark.parametrize(("monthly", "verdict"), [(50, "pays_back"), (140, "may_pay_back"), (300, "never_pays_back")])
def test_the_verdict_goes_by_the_limits(monthly, verdict):
    row = following(monthly=monthly).iloc[0]
    assert row["verdict"] == verdict and np.isnan(row["payback_high_months"]) == (verdict != "pays_back")


def test_limits_hold_the_true_gain():
    """Drawn months of Poisson executions with lognormal hours: the limits hold the true gain about 95 times in 100."""
    rng, cards, work = np.random.default_rng(3), [], []
    for number in range(300):
        hours = rng.lognormal(0.0, 0.5, rng.poisson(60))
        cards.append({**CARD, "key": f"card_{number}"})
        work.append(log({"x": len(hours)}, hours=hours, card=f"card_{number}"))
    table = efficiency.next_levels(Process.from_tables("p", work=pd.concat(work), cards=cards, **PERIOD))
    true = 60 * np.exp(0.125) / 2 * 10 * 0.5 - 50
    held = (table["monthly_gain_low_amount"] <= true) & (table["monthly_gain_high_amount"] >= true)
    assert len(table) == 300 and 0.92 <= held.mean() <= 0.98


def test_rank_and_map_of_the_demonstration(demo):
    process = demo.process("wholesale")
    table = efficiency.next_levels(process)
    paying = table[table["verdict"] == "pays_back"]
    assert paying["payback_months"].is_monotonic_increasing and table["verdict"].eq("pays_back").iloc[:len(paying)].all()
    said = {one.key: one for one in answers.efficiency(process)}["next_levels"]
    assert said.numbers["card"] == table.iloc[0]["card"]
    ax = charts.plot_next_levels(table)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(table["monthly_gain_amount"].tolist())
    cards = efficiency.technologization(process)
    ax = charts.plot_level_map(cards)
    assert sorted(ax.collections[0].get_offsets()[:, 1]) == pytest.approx(sorted(cards["cost_per_year_amount"]))
    assert "Commercial proposal" in ax.get_title(loc="left")


def test_names_of_the_map_do_not_overlap(demo):
    for name in demo.process_names:
        ax = charts.plot_level_map(efficiency.technologization(demo.process(name)))
        ax.figure.canvas.draw()
        boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
        assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[:at]), name


# -- bad input -------------------------------------------------------------------------------------------------------------

CARD = {"key": "call", "stage": "conversion", "role": "caller", "level": 2,
        "next_level": {"setup_cost": 300, "monthly_cost": 50, "hours_saved_share": 0.5}}
NO_LOG = {"leads": pd.DataFrame({"lead_id": ["a"], "created_at": "2026-01-02"}), "cards": [CARD]}
BAD = {
    "cards without log": (NO_LOG, "cannot_tell"),
    "role without hour cost": ({"work": log({"x": 20}, role="free"), "cards": [{**CARD, "role": "free"}]}, "cannot_tell"),
    "no hours in work": ({"work": log({"x": 20}, hours=0.0), "cards": [CARD]}, "never_pays_back"),
    "fewer than 20 executions": ({"work": log({"x": 19}), "cards": [CARD]}, "cannot_tell"),
    "an employee unknown": ({"work": log({None: 20}, hours=3.0), "cards": [CARD]}, "pays_back")}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_through_measure_sentence_and_chart(name):
    tables, verdict = BAD[name]
    process = Process.from_tables("p", **tables, **PERIOD)
    table = efficiency.next_levels(process)
    assert table["verdict"].tolist() == [verdict]
    said = {one.key: one for one in answers.efficiency(process)}["next_levels"]
    assert "nan" not in said.lower().split() and ("cannot be told" in said) == (verdict == "cannot_tell")
    for ax in (charts.plot_next_levels(table), charts.plot_level_map(efficiency.technologization(process))):
        assert ax.get_title(loc="left") and "nan" not in " ".join(text.get_text() for text in ax.texts)


def test_an_unknown_employee_shares_nothing():
    assert shown({None: 40}) == 1


def test_no_next_level_and_no_card_at_all():
    without = Process.from_tables("p", work=log({"x": 20}), **PERIOD)
    with pytest.raises(MeasureError, match="next_level"):
        efficiency.next_levels(without)
    assert any("next_level in company.yaml" in one for one in answers.efficiency(without))
    with pytest.raises(MeasureError, match="technology cards"):
        efficiency.next_levels(Process.from_tables("p", leads=NO_LOG["leads"]))


@pytest.mark.parametrize("seed", range(10))
def test_planted_cards_and_people_are_found(seed):
    case = found(seed)
    assert case.overclaimed and case.dear_people and not case.false_cards and not case.false_people
