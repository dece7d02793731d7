"""Leads and conversion said in Russian: nothing is left in English, no number is lost, counted words have the right endings."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from funnel_lib import Process, answers, read_company
from funnel_lib.answers import counted, of_conversion, of_lead_generation
from funnel_lib.answers.of_attribution import attributed
from funnel_lib.answers.of_conversion_paths import in_time, whom_to_act_on
from funnel_lib.answers.of_lead_flow import weekdays
from funnel_lib.answers.of_response import answered_in
from funnel_lib.answers.of_returns import REASONS
from funnel_lib.answers.sentence import Sentence, Speaker, attempt
from funnel_lib.language.formats import SPACE
from funnel_lib.language.messages import translate
from tests.answers import russian
from tests.answers.test_attribution import _repeated
from tests.answers.test_response import BAD as BAD_RESPONSES
from tests.conftest import ROOT
from tests.conversion.cases import BAD_INPUTS, process_of
from tests.language import catalogs
from tests.language.test_catalogs import CODE, LATIN
from tests.lead_flow.test_sufficiency import company
from tests.test_attribution import EVENTS, TOUCHES
from tests.test_attribution import process as touched
from tests.test_lead_flow import COMPANY, COMPANY_SETTINGS

NUMBER = re.compile(rf"\d+(?:{SPACE}\d{{3}})*(?:[.,]\d+)?")
EXERCISES = (answers.lead_generation, answers.conversion)
# The files of the sentences on leads, conversion and the company.
OURS = {"counted.py", "of_attribution.py", "of_cards.py", "of_conversion.py", "of_conversion_change.py", "of_conversion_paths.py",
        "of_lead_flow.py", "of_lead_generation.py", "of_overview.py", "of_response.py", "of_returns.py", "of_sufficiency.py", "of_target.py"}
COUNTS = (1, 2, 5, 11, 21, 101)


@pytest.fixture(scope="session")
def russian_demo():
    return read_company(ROOT / "data" / "demo", language="ru")


@pytest.fixture
def in_russian(monkeypatch):
    """Says again in Russian what was said of a process in English; a process is of one language, so the tests change the class."""
    def said(topic, process: Process) -> tuple[list[Sentence], list[Sentence]]:
        english = topic(process)
        with monkeypatch.context() as patch:
            patch.setattr(Process, "language", "ru")
            return english, topic(process)

    return said


def numbers(text: str) -> set[float]:
    """Every number of a text, as it is written in either language; order and repetition are the language's own."""
    return {float(found.replace(SPACE, "").replace(",", ".")) for found in NUMBER.findall(text)}


def english_words(sentence: str, *data: str) -> set[str]:
    """Latin words that are neither values of the data (which stand in quotes) nor words that Russian texts have as well."""
    return set(re.findall(r"[A-Za-z]{2,}", CODE.sub(" ", re.sub("«[^»]*»", " ", sentence)))) - LATIN - set(data)


def assert_said(english: list[Sentence], russian: list[Sentence], *data: str) -> None:
    """The same sentences with the same numbers."""
    assert [sentence.key for sentence in russian] == [sentence.key for sentence in english]
    for one, other in zip(english, russian, strict=True):
        assert repr(other.numbers) == repr(one.numbers), one.key
        assert not english_words(other, *data), other
        assert numbers(other) == numbers(one), (one, other)
        assert other.endswith(".") and " %" not in other and "н/д" not in other, other


@pytest.mark.parametrize("topic", EXERCISES, ids=lambda topic: topic.__name__)
@pytest.mark.parametrize("name", ["retail", "wholesale", "custom"])
def test_the_demonstration_company(demo, told, topic, name):
    assert_said(told(topic.__name__, name), topic(russian.in_russian(demo.process(name))))


def test_the_overview(demo, russian_demo):
    assert_said(answers.overview(demo), answers.overview(russian_demo))


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_inputs(in_russian, name):
    assert_said(*in_russian(answers.conversion, BAD_INPUTS[name]()))


@pytest.mark.parametrize("name", BAD_RESPONSES)
def test_bad_responses(in_russian, name):
    assert_said(*in_russian(answered_in, BAD_RESPONSES[name][0]()))


PLANS = {"customers": {"new_customers_per_month": 1}, "nobody": {"new_customers_per_month": 0}, "revenue": {"revenue_per_month": 188},
         "none": None}


@pytest.mark.parametrize("plan", PLANS)
def test_plans(in_russian, plan):
    small = Process.from_tables("p", **COMPANY, **COMPANY_SETTINGS, plan=PLANS[plan])
    assert_said(*in_russian(answers.lead_generation, small), "tv")


@pytest.mark.parametrize("planned", [10, 20, 25])
def test_verdicts_on_the_flow(in_russian, planned):
    assert_said(*in_russian(answers.lead_generation, company(plan={"new_customers_per_month": planned})))


@pytest.mark.parametrize("make", [
    touched, lambda: touched(stage_events=EVENTS.assign(step="lost")), lambda: touched(touches=TOUCHES.head(0)),
    lambda: touched(touches=TOUCHES.assign(channel="a")), lambda: _repeated({"ax": 50, "ay": 50}), lambda: _repeated({"xa": 50, "ya": 50}),
    lambda: _repeated({"xaz": 60, "yaw": 60, "uav": 60})])
def test_attribution(in_russian, make):
    assert_said(*in_russian(attributed, make()))


def test_reasons_are_said_after_the_names_of_channels():
    for reason in REASONS.values():
        said = translate(reason, "ru")
        assert said != reason and not english_words(said) and not said.endswith(".") and said[0].islower()


# -- endings ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def say() -> Speaker:
    return Speaker(process_of([(0, "a", {})], language="ru"))


def forms(say_one) -> list[str]:
    return [say_one(count).replace(SPACE, " ") for count in COUNTS]


@pytest.mark.parametrize(("say_one", "expected"), [
    (counted.leads, "1 лид|2 лида|5 лидов|11 лидов|21 лид|101 лид"),
    (counted.new_leads, "1 новый лид|2 новых лида|5 новых лидов|11 новых лидов|21 новый лид|101 новый лид"),
    (counted.new_customers, "1 новый клиент|2 новых клиента|5 новых клиентов|11 новых клиентов|21 новый клиент|101 новый клиент")])
def test_counted_people(say, say_one, expected):
    assert forms(lambda count: say_one(say, say.count(count))) == expected.split("|")


@pytest.mark.parametrize(("per", "expected"), [
    ("week", "1 полная неделя|2 полные недели|5 полных недель|11 полных недель|21 полная неделя|101 полная неделя"),
    ("month", "1 полный месяц|2 полных месяца|5 полных месяцев|11 полных месяцев|21 полный месяц|101 полный месяц"),
    ("quarter", "1 полный квартал|2 полных квартала|5 полных кварталов|11 полных кварталов|21 полный квартал|101 полный квартал"),
    ("year", "1 полный год|2 полных года|5 полных лет|11 полных лет|21 полный год|101 полный год")])
def test_counted_periods(say, per, expected):
    assert forms(lambda count: counted.complete_periods(say, count, per)) == expected.split("|")
    bare = forms(lambda count: counted.counted_periods(say, count, per))
    assert bare == [re.sub(r"полн\w+ ", "", text) for text in expected.split("|")]


@pytest.mark.parametrize(("mean", "expected"), [(47.125, "47,1 лида"), (109.3, "109 лидов"), (1234.4, "1 230 лидов"), (0.5, "0,500 лида")])
def test_words_follow_the_number_that_is_shown(say, mean, expected):
    assert counted.leads(say, say.number(mean)).replace(SPACE, " ") == expected


RUNNING = ("1 лид, но не слишком ли долго он ждёт", "2 лида, но не слишком ли долго они ждут", "5 лидов, но", "11 лидов, но", "21 лид, но",
           "101 лид, но")


@pytest.mark.parametrize(("count", "running"), zip(COUNTS, RUNNING, strict=True))
def test_running_leads(count, running):
    process = process_of([(0, "a", {})] * count, language="ru")
    assert f"В работе {running}" in whom_to_act_on(process)[0]
    of_leads = "лида" if count in (1, 21, 101) else "лидов"
    assert f"Из {count} {of_leads} выиграно 0, проиграно 0, ещё в работе {count};" in of_conversion._naive(process)[0]


@pytest.mark.parametrize(("days", "limit"), [(1, "1 рабочий день"), (2, "2 рабочих дня"), (5, "5 рабочих дней"), (21, "21 рабочий день")])
def test_deadlines(days, limit):
    process = process_of([(n, "a", {"talk": 0}) for n in range(3)], [{"key": "talk", "deadline_days": days}, "won"], language="ru")
    assert f"На этап «talk» переходят в срок ({limit}) в 100{SPACE}% случаев (3 из 3," in in_time(process)[0]


def test_durations_stand_only_where_their_form_is_right():
    """The formats give the nominative, and days and hours are written so in the accusative too («за 21 день», «ждёт 21 час»)."""
    other_case = re.compile(r"\b(в течение|после|до|около|более|менее|больше|меньше|свыше|от|из|с|со|к|по|при) \{(days|hours)\}", re.I)
    texts = [form for entry in catalogs.catalog("answers", "ru") if entry.id and OURS & {Path(place).name for place, _ in entry.locations}
             for form in ([entry.string] if isinstance(entry.string, str) else entry.string)]
    assert [text for text in texts if "{days}" in text], "there are such texts"
    assert not [text for text in texts if other_case.search(text)]


@pytest.mark.parametrize(("spoken", "expected"), [
    (Speaker.days, "1 день|2 дня|5 дней|11 дней|21 день|101 день"), (Speaker.hours, "1 час|2 часа|5 часов|11 часов|21 час|101 час"),
    (Speaker.months, "1 месяц|2 месяца|5 месяцев|11 месяцев|21 месяц|101 месяц")])
def test_durations(say, spoken, expected):
    assert forms(lambda count: spoken(say, count)) == expected.split("|")


def test_days_of_the_week_are_small_inside_a_sentence(russian_demo):
    said = weekdays(russian_demo.process("retail"))[0]
    assert "Больше среднего: понедельник (" in said and "; меньше: суббота (" in said


def test_percent_stays_with_its_number():
    assert Sentence("key", "95 % интервал 16,6–18,4 %.") == f"95{SPACE}% интервал 16,6–18,4{SPACE}%."


def test_names_are_quoted_as_russian_quotes(say):
    assert say.names(["a", "b"]) == "«a», «b»"


def test_a_topic_without_data_is_told_from_its_reason(in_russian):
    lead = pd.DataFrame({"lead_id": ["1"], "created_at": ["2026-02-03"]})
    _, russian = in_russian(lambda process: attempt(of_lead_generation._plan, process), Process.from_tables("p", leads=lead))
    assert russian == ["Без заказов или движения лидов по этапам нельзя сказать, достаточен ли поток."]
