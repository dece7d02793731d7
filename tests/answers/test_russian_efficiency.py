"""Exercises 4 and 5 in Russian: the sentences of English with the same numbers, in Russian words and in the right forms."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd
import pytest

from funnel_lib import Process, answers, improvement
from funnel_lib.answers import of_capacity, of_efficiency, of_nerves, of_plan, of_sheet, of_technology
from funnel_lib.answers.sentence import Sentence, Speaker
from funnel_lib.answers.sliders import result_text
from tests import test_efficiency, test_improvement
from tests.answers.russian import in_russian
from tests.efficiency import company as small
from tests.efficiency import match_cases, test_reach
from tests.language.test_catalogs import CODE, LATIN

ANSWERS = {"efficiency": answers.efficiency, "improvement": answers.improvement}
# What the hand-made tables call things that are named without quotation marks, and keys of company.yaml.
DATA = {"car", "phone", "contacted", "site", "hours", "cost"}


def foreign_words(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z]{2,}", CODE.sub(" ", text))) - LATIN


def alike(one: object, other: object) -> bool:
    """Equal, undefined both, or the same sum added up in another order."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(alike(*pair) for pair in zip(one, other, strict=True))
    return one == (pytest.approx(other, nan_ok=True) if isinstance(other, float) else other)


def held_against(english: list[Sentence], russian: list[Sentence], data: frozenset[str] | set[str] = frozenset()) -> None:
    """The same sentences of the same numbers, every digit of the English text in the Russian one, and no English word."""
    assert [sentence.key for sentence in russian] == [sentence.key for sentence in english]
    for one, other in zip(english, russian, strict=True):
        assert other.numbers.keys() == one.numbers.keys()
        assert all(alike(other.numbers[name], value) for name, value in one.numbers.items()), one.key
        assert sorted(re.findall(r"\d+", other)) == sorted(re.findall(r"\d+", one)), f"{one}\n{other}"
        assert not foreign_words(other) - data, other
        assert other[-1] == "." and not re.search(r"[{}]|\.\.|;\.| ,", other), other


@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
@pytest.mark.parametrize("exercise", ANSWERS)
def test_the_demonstration_company_in_russian(demo, told, name, exercise):
    held_against(told(exercise, name), ANSWERS[exercise](in_russian(demo.process(name))))


def _many(*measures: dict) -> dict:
    return {**test_improvement.TABLES, **test_improvement.SETTINGS, "measures": list(measures)}


MEASURE = test_improvement.measure
HALF_BAD = {**small.TABLES, "orders": small.TABLES["orders"].iloc[[0, 2]], "work": pd.DataFrame(
    [("2026-01-08", "conversion", "seller", 30.0, "ann"), ("2026-01-09", None, "seller", 2.0, "bob"),
     ("2026-01-09", "account_management", "seller", 1.0, "bob")], columns=["date", "stage", "role", "hours", "employee"])}
EFFICIENCY = {
    "all tables": {**small.TABLES, **small.SETTINGS},
    **{f"without {table}": {**{name: frame for name, frame in small.TABLES.items() if name != table}, **small.SETTINGS}
       for table in small.TABLES},
    "no hour cost": {**small.TABLES, **small.SETTINGS, "roles": {"caller": {"name": "Caller"}, "seller": {"name": "Seller"}}},
    "bad input": {**HALF_BAD, **small.SETTINGS},
    "levels": {"work": test_efficiency.LOG, **test_efficiency.LEVEL_SETTINGS},
    "who does whose work": {"work": match_cases.WORK, **match_cases.SETTINGS},
    "who is reached": {**test_reach.TABLES, **test_reach.SETTINGS},
}
IMPROVEMENT = {
    "no measures": _many(),
    "no orders": {name: part for name, part in _many().items() if name != "orders"},
    "measures": _many(MEASURE("good", "step_rate.won", 0.05, cost_once=100), MEASURE("even", "step_rate.won", 0.05, cost_once=260),
                      MEASURE("bad", "step_rate.won", 0.01, cost_once=500), MEASURE("odd", "luck", 0.01)),
    "only bad measures": _many(MEASURE("bad", "step_rate.won", 0.01, cost_once=500, owner="boss")),
    "measures that started": _many(MEASURE("old", "step_rate.won", 0.05, starts="2025-01-06"),
                                   MEASURE("newer", "lead_flow", -0.1, starts="2025-03-03"),
                                   MEASURE("idea", "mean_amount", 0.2, starts="2025-06-02"),
                                   MEASURE("odd", "luck", 0.01, starts="2025-06-02")),
}


@pytest.mark.parametrize(("exercise", "case"), [*(("efficiency", case) for case in EFFICIENCY),
                                                *(("improvement", case) for case in IMPROVEMENT)])
def test_small_companies_in_russian(exercise, case):
    given = {"efficiency": EFFICIENCY, "improvement": IMPROVEMENT}[exercise][case]
    english, russian = (ANSWERS[exercise](Process.from_tables("p", **given, language=language)) for language in ("en", "ru"))
    held_against(english, russian, DATA)


def test_what_if_sliders_speak_russian():
    process = Process.from_tables("p", **_many(), language="ru")
    text = result_text(process, {improvement.levers(process)["lever"].iloc[0]: 0.1})
    assert text.startswith("Годовая маржа: ") and not foreign_words(text)


# -- forms of counted nouns -------------------------------------------------------------------------------------------------
COUNTS = (1, 2, 5, 11, 21, 101)


def _leads(count: int) -> dict[str, pd.DataFrame]:
    """So many leads, all lost after the first step."""
    keys = [f"lead {number}" for number in range(count)]
    steps = [pd.DataFrame({"lead_id": keys, "step": step, "entered_at": day})
             for step, day in (("contacted", "2026-01-06"), ("lost", "2026-01-07"))]
    return {"leads": pd.DataFrame({"lead_id": keys, "created_at": "2026-01-05"}), "stage_events": pd.concat(steps)}


def _refusals(count: int) -> str:
    return of_nerves.refusals(Process.from_tables("p", **_leads(count), **{**small.SETTINGS, "language": "ru"}))[0]


def _answers(count: int) -> str:
    """Mean strain of so many answers against few that differ widely: within the error."""
    rows = [("conversion", 5 - number % 2) for number in range(count)] + [("lead_generation", strain) for strain in (1, 5, 5)]
    pulse = pd.DataFrame(rows, columns=["stage", "strain"]).assign(date="2026-01-05", role="caller")
    return of_nerves.hardest_stage(Process.from_tables("p", pulse=pulse, **_leads(3), **small.SETTINGS, language="ru"))[0]


def _executions(count: int) -> str:
    """A card that claims more than so many executions by one employee show."""
    work = pd.DataFrame({"date": ["2026-01-05"] * count, "stage": "conversion", "role": "caller", "hours": 1.0, "employee": "ann",
                         "card": "call"})
    cards = [{"key": "call", "stage": "conversion", "role": "caller", "level": 3}]
    said = of_efficiency._overclaimed(Process.from_tables("p", work=work, cards=cards, **small.SETTINGS, language="ru"))
    return said[0]


def _results(kind: str) -> Callable[[int], str]:
    return lambda count: of_sheet._results(_speaker(), pd.Series({"result": kind, "result_count": count}))


def _speaker() -> Speaker:
    return Speaker(Process.from_tables("p", **_leads(1), **small.SETTINGS, language="ru"))


def _trial(kind: str) -> Callable[[int], str]:
    return lambda count: of_plan._cases(_speaker(), pd.Series({"trial": kind, "group_size_count": count}))


FORMS = {
    "refusals": (_refusals, COUNTS, ("1 отказ и", "2 отказа и", "5 отказов и", "11 отказов и", "21 отказ и", "101 отказ и")),
    "answers": (_answers, COUNTS[1:], ("(2 ответа)", "(5 ответов)", "(11 ответов)", "(21 ответ)", "(101 ответ)")),
    "executions": (_executions, (21, 22, 25, 101, 111),
                   ("21 выполнение)", "22 выполнения)", "25 выполнений)", "101 выполнение)", "111 выполнений)")),
    "new leads": (_results("new_leads"), COUNTS, ("1 новый лид", "2 новых лида", "5 новых лидов", "11 новых лидов", "21 новый лид",
                                                  "101 новый лид")),
    "new customers": (_results("new_customers"), COUNTS, ("1 новый клиент", "2 новых клиента", "5 новых клиентов",
                                                          "11 новых клиентов", "21 новый клиент", "101 новый клиент")),
    "repeat orders": (_results("repeat_orders"), COUNTS, (
        "1 заказ постоянных", "2 заказа постоянных", "5 заказов постоянных", "11 заказов постоянных", "21 заказ постоянных",
        "101 заказ постоянных")),
    "weeks": (lambda count: of_plan._weeks(_speaker(), count), COUNTS, ("1 неделя", "2 недели", "5 недель", "11 недель", "21 неделя",
                                                                        "101 неделя")),
    "leads of a trial": (_trial("trial_leads"), COUNTS, ("1 лид", "2 лида", "5 лидов", "11 лидов", "21 лид", "101 лид")),
    "customers of a trial": (_trial("trial_customers"), COUNTS, ("1 новый клиент", "2 новых клиента", "5 новых клиентов",
                                                                 "11 новых клиентов", "21 новый клиент", "101 новый клиент")),
    "orders of a trial": (_trial("trial_orders"), COUNTS, ("1 заказ", "2 заказа", "5 заказов", "11 заказов", "21 заказ",
                                                           "101 заказ")),
}


@pytest.mark.parametrize(("said", "count", "form"), [
    pytest.param(said, count, form, id=f"{subject}-{count}") for subject, (said, counts, expected) in FORMS.items()
    for count, form in zip(counts, expected, strict=True)])
def test_counted_nouns_take_the_form_of_their_number(said, count, form):
    assert re.search(rf"(?<!\d){re.escape(form)}(?!\w)", said(count))


@pytest.mark.parametrize(("won", "form"), [(1, "1 выигранном лиде, прослеженном"), (2, "2 выигранных лидах, прослеженных"),
                                           (11, "11 выигранных лидах, прослеженных"), (21, "21 выигранном лиде, прослеженном")])
def test_few_wins_in_russian(won, form):
    tables = _leads(won)
    events = tables["stage_events"].replace({"step": {"lost": "won"}})
    process = Process.from_tables("p", leads=tables["leads"], stage_events=events, **small.SETTINGS, language="ru")
    assert f"держится на {form}" in of_plan.few_wins(process)[0]


def test_abbreviations_keep_their_capitals_within_a_sentence():
    cards = [{**card, "means": "crm"} if card["key"] == "robot" else card for card in test_reach.CARDS]
    said = of_technology.reached(test_reach.company(cards=cards, labels={"crm": {"en": "CRM", "ru": "CRM"}}, language="ru"))
    assert "«Robot» (CRM): из лидов" in said[0]


def test_the_bottleneck_says_what_it_costs_without_counted_nouns():
    """Fractions of leads and of customers stand after a dash, where no form can be wrong."""
    row = pd.Series({"unserved_leads": 3.1, "lost_customers": 0.75, "lost_customers_low": 0.0, "lost_customers_high": 2.2})
    assert of_capacity._lost(_speaker(), row) == ("Без внимания остаются лиды — 3,10 в месяц, из-за этого теряются новые клиенты — "
                                                  "0,750 в месяц (95 % интервал 0–2,20).")
