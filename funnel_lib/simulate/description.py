"""The contents of ``company.yaml`` of a simulated company."""

from dataclasses import dataclass
from math import ceil

import pandas as pd

from funnel_lib.simulate.cards import PEOPLE, Card
from funnel_lib.simulate.profiles import Profile
from funnel_lib.simulate.stories import TRIALS
from funnel_lib.simulate.words import ROLES, label, names

PAID_HOURS = 160.0
MONTHS = 36
MARGIN_SHARES = {"retail": 0.42, "wholesale": 0.22, "custom": 0.31}
DISCOUNT_RATE = 0.15
OUR_OWN_REASONS = ("duplicate", "spam", "test")


@dataclass(frozen=True)
class Measure:
    """One planned or past measure; ``pays`` is the planted truth of a future one: gain above cost within a year."""

    key: str
    names: tuple[str, str]
    moves: str
    effect: tuple[float, float, float]
    cost_once: float
    cost_per_month: float
    hours: dict[str, int]
    owner: str
    starts: str
    works_after_days: int
    pays: bool | None = None


def _measure(key, english, russian, moves, effect, costs, hours, owner, starts, works_after_days, pays=None):
    return Measure(key, (english, russian), moves, effect, *costs, hours, owner, starts, works_after_days, pays)


MEASURES = {
    "retail": (
        _measure("call_script", "New call script", "Новый сценарий звонка", "step_rate.contacted", (0.0, 0.03, 0.06),
                 (80_000, 0), {"caller": 40}, "head_of_sales", "2025-01-01", 0),
        _measure("weekend_duty", "Answers at the week-end", "Ответы в выходные", "step_rate.contacted",
                 (0.02, 0.05, 0.08), (60_000, 12_000), {"caller": 20}, "head_of_sales", "2026-08-01", 14, True),
        _measure("more_student_posts", "More posts for students", "Больше постов для студентов",
                 "lead_flow.student_blog", (0.0, 0.10, 0.20), (90_000, 70_000), {"marketer": 60}, "head_of_marketing",
                 "2026-08-01", 30, False),
        _measure("bonus_cards", "Bonus cards", "Бонусные карты", "repeat_rate", (0.0, 0.005, 0.01), (900_000, 60_000),
                 {"account_manager": 80}, "owner", "2026-10-01", 60, False)),
    "wholesale": (
        _measure("new_brochure", "New brochure", "Новый буклет", "step_rate.proposal", (0.0, 0.03, 0.05), (140_000, 0),
                 {"marketer": 50}, "head_of_marketing", "2025-04-01", 0),
        _measure("quick_quote", "Quotation within a day", "Расчёт за один день", "step_rate.proposal",
                 (0.02, 0.05, 0.08), (200_000, 10_000), {"negotiator": 60}, "head_of_sales", "2025-01-01", 0),
        _measure("contract_templates", "Contract templates", "Шаблоны договоров", "step_rate.won", (0.02, 0.04, 0.06),
                 (250_000, 15_000), {"negotiator": 80}, "head_of_sales", "2026-08-15", 30, True),
        _measure("second_stand", "A second stand at the fair", "Второй стенд на выставке", "lead_flow.exhibition",
                 (0.0, 0.05, 0.10), (3_800_000, 60_000), {"field_agent": 120}, "head_of_marketing", "2026-09-01", 45, False),
        _measure("meeting_car", "A car for meetings", "Автомобиль для встреч", "step_days.meeting", (-0.20, -0.10, 0.0),
                 (2_600_000, 45_000), {"negotiator": 30}, "owner", "2026-09-01", 30, False)),
    "custom": (
        _measure("project_gallery", "Gallery of projects for proposals", "Галерея проектов в предложении",
                 "step_rate.proposal", (0.03, 0.06, 0.09), (90_000, 3_000), {"designer": 60}, "head_of_sales",
                 "2026-08-01", 14, True),
        _measure("virtual_showroom", "Virtual showroom", "Виртуальный салон", "mean_amount", (0.0, 0.005, 0.01),
                 (2_200_000, 40_000), {"designer": 200}, "owner", "2026-11-01", 90, False)),
}


def describe(processes: list[Profile], tables: dict[str, pd.DataFrame], as_of: pd.Timestamp,
             observed_from: pd.Timestamp) -> dict:
    """The description of the company; the number of people follows from the hours they worked."""
    used = sorted({card.role for process in processes for card in process.cards}, key=list(ROLES).index)
    hours = tables["work"].groupby("role")["hours"].sum()
    return {"name": {"en": "Northern Trade", "ru": "Северная торговля"}, "currency": "RUB",
            "time_zone": "Europe/Moscow", "language": "en", "as_of": f"{as_of:%Y-%m-%d}",
            "observed_from": f"{observed_from:%Y-%m-%d}",
            "calendar": {"work_days": ["mon", "tue", "wed", "thu", "fri"], "hours": ["09:00", "18:00"], "holidays": "RU"},
            "roles": {role: _role(role, float(hours.get(role, 0.0)) / MONTHS) for role in used},
            "processes": {process.key: _process(process, tables) for process in processes}}


def _role(key: str, hours_per_month: float) -> dict:
    pair, qualification, hour_cost, load = ROLES[key]
    role = {"name": names(pair), "qualification": qualification, "hour_cost": hour_cost}
    if load is None:
        return role
    paid = hours_per_month / load
    people = max(len(PEOPLE[key]), ceil(paid / PAID_HOURS))
    return role | {"paid_hours_per_month": max(1, round(paid / people)), "people": people}


def _process(process: Profile, tables: dict[str, pd.DataFrame]) -> dict:
    return {"name": names(process.names), "plan": {"new_customers_per_month": round(process.plan_per_month, 1)},
            "discount_rate_per_year": DISCOUNT_RATE, "target_segments": list(process.target_segments),
            "channels": [channel.key for channel in process.channels],
            "referral_channels": list(process.referral_channels), "not_leads": list(OUR_OWN_REASONS), "lapse_factor": 3,
            "allow_set_aside_share": 0.05, "conversion_window_days": process.window_days,
            "margin_share": MARGIN_SHARES[process.kind], "steps": [_step(step) for step in process.steps],
            "cards": [_card(card) for card in process.cards],
            "measures": [_described_measure(process, measure) for measure in MEASURES[process.kind]],
            "labels": {key: label(key) for key in _keys(process, tables)}}


def _step(step):
    if not step.optional:
        return step.key
    return {"key": step.key, "optional": True, "deadline_days": step.deadline_days}


def _card(card: Card) -> dict:
    described = {"key": card.key, "stage": card.stage, "name": names(card.names), "role": card.role, "means": card.means,
                 "norm_minutes": card.minutes, "cost": card.cost, "input": card.given, "output": card.result,
                 "level": card.level,
                 "next_level": {"setup_cost": card.setup_cost, "monthly_cost": card.monthly_cost,
                                "hours_saved_share": card.hours_saved_share}}
    return described | ({"step": card.step} if card.step else {})


def _described_measure(process: Profile, measure: Measure) -> dict:
    low, likely, high = measure.effect
    described = {"key": measure.key, "name": names(measure.names), "moves": measure.moves,
                 "effect": {"low": low, "likely": likely, "high": high}, "cost_once": measure.cost_once,
                 "cost_per_month": measure.cost_per_month, "hours": measure.hours, "owner": measure.owner,
                 "starts": measure.starts, "works_after_days": measure.works_after_days}
    randomised = {trial.key for trial in TRIALS[process.kind] if trial.randomised}
    return described | ({"groups": {"treated": "B", "control": "A"}} if measure.key in randomised else {})


def _keys(process: Profile, tables: dict[str, pd.DataFrame]) -> list[str]:
    """Every key of the process that needs a label, in the order of the description, then of the tables."""
    described = [step.key for step in process.steps] + ["lost"] + [channel.key for channel in process.channels]
    described += [*process.target_segments, *process.other_segments, *OUR_OWN_REASONS]
    described += [part for card in process.cards for part in (card.means, card.given, card.result)]
    described += [measure.owner for measure in MEASURES[process.kind]]
    described += [person for card in process.cards for person in PEOPLE[card.role]]
    leads = tables["leads"].loc[lambda frame: frame["process"] == process.key]
    events = tables["stage_events"].loc[lambda frame: frame["lead_id"].str.startswith(process.letter)]
    columns = [leads["campaign"], leads["owner"], leads["group"], events["reason"], events["employee"]]
    for name, column in (("spend", "item"), ("work", "employee")):
        columns.append(tables[name].loc[tables[name]["process"] == process.key, column])
    found = [key for column in columns for key in sorted(column.dropna().unique())]
    return list(dict.fromkeys(described + found))
