"""Account management said in Russian: the same numbers as in English, no English left, and every counted noun in its form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pandas as pd
import pytest

from funnel_lib import Process, answers
from funnel_lib.answers import of_earned, of_kept, of_leaving, of_lifetime, of_recommended
from funnel_lib.answers.sentence import Sentence, attempt
from tests.answers.russian import in_russian
from tests.answers.test_kept import of, yearly
from tests.charts.test_kept import many
from tests.language.test_catalogs import CODE, LATIN
from tests.loyalty import (
    test_chains,
    test_earned,
    test_leaving,
    test_lifetime_value,
    test_referred,
    test_repeat,
    test_revenue,
    test_survey,
)
from tests.loyalty.bad_input import BAD, MANY, SETTINGS, orders
from tests.test_loyalty import small

PLACES = ("wholesale", "retail", "custom")
# 1, 21 and 101 take the first form, 2 the second, 5 and 11 the third.
COUNTS = (1, 2, 5, 11, 21, 101)
ONE, FEW, MANY_OF = (1, 21, 101), (2,), (5, 11)
SAID_OF = {
    "earned": (of_earned.first_sale, of_earned.paid_back, of_earned.after_first),
    "kept": (of_kept.still_clients, of_kept.cohort_money, of_kept.next_orders, of_kept.revenue),
    "leaving": (of_leaving.came_back, of_leaving.groups, of_leaving.largest),
    "lifetime": (of_lifetime.lifetime,),
    "recommended": (of_recommended.repeat_over_time, of_recommended.recommended_compared, of_recommended.recommenders,
                    of_recommended.loyalty_said, of_recommended.promoters_recommend),
    "everything": (answers.account_management,)}


def said(process: Process, *topics: Callable) -> list[Sentence]:
    return [sentence for topic in topics for sentence in attempt(topic, process)]


def figures(text: str) -> Counter:
    """The figures that stand in a text, without the spaces between thousands and with a decimal point."""
    return Counter(re.findall(r"\d+(?:\.\d+)?", text.replace("\N{NO-BREAK SPACE}", "").replace(",", ".")))


def assert_the_same(english: list[Sentence], russian: list[Sentence]) -> None:
    assert english and [sentence.key for sentence in russian] == [sentence.key for sentence in english]
    for source, translated in zip(english, russian, strict=True):
        assert translated.numbers == pytest.approx(source.numbers), source
        assert figures(translated) == figures(source), (source, translated)
        assert not set(re.findall(r"[A-Za-z]+", CODE.sub(" ", translated))) - LATIN, translated
        assert re.match("[А-ЯЁ0-9]", translated) and translated.endswith(".") and not re.search(r"[{}]|  |\. [а-яё]", translated), translated


@pytest.mark.parametrize("name", PLACES)
def test_the_demonstration_company_is_told_in_russian(demo, told, name):
    russian = said(in_russian(demo.process(name)), answers.account_management)
    assert_the_same(told("account_management", name), russian)
    assert len(russian) > 25 and russian[0].key == "repeat_rate"


def earned(rows: list[tuple], spend: tuple = (60, 40, 12)) -> Process:
    return test_earned.company(rows, spend=spend)


UNEQUAL = [*test_earned.group(20, [2, 10, 10]), *test_earned.group(20, [18, 10, 10], name="d")]
UNDONE = [*test_earned.group(40, [10]), *[(f"c{n}", "2026-01-22", -50, -9) for n in range(40)]]
CASES = {
    "by hand": ("everything", small),
    "no leads": ("everything", lambda: small(leads=None)),
    **{case: ("everything", lambda case=case: Process.from_tables("p", **{**SETTINGS, **BAD[case]})) for case in (
        "refunds above purchases", "one giant client", "one client", "everybody once", "nameless orders only", "no spend")},
    "later losses": ("earned", lambda: earned(test_earned.group(40, [-10, -5, 8]))),
    "a loss made good": ("earned", lambda: earned(test_earned.group(40, [-10, 5]))),
    "a loss before any cost": ("earned", lambda: earned(test_earned.group(40, [-10, 5]), (0, 0, 0))),
    "never paid back": ("earned", lambda: earned(test_earned.group(40, [10, 10]), (4_000, 0, 0))),
    "paid back perhaps": ("earned", lambda: earned(UNEQUAL, (1_150, 0, 0))),
    "paid back between": ("earned", lambda: earned(UNEQUAL, (450, 0, 0))),
    "undone by refunds": ("earned", lambda: earned(UNDONE, (200, 0, 0))),
    "few new clients": ("earned", test_earned.small),
    "three years": ("kept", lambda: of(test_revenue.ORDERS)),
    "no older clients": ("kept", lambda: of(test_revenue.ORDERS.query("customer_id in ['e', 'f']"))),
    "refunds took all": ("kept", lambda: of(test_revenue.ORDERS.query("customer_id == 'd'"))),
    "six months": ("kept", many),
    "half after a year": ("kept", lambda: yearly(40)),
    "a quarter after a year": ("kept", lambda: yearly(12)),
    "some after a year": ("kept", lambda: yearly(5)),
    "silences": ("leaving", lambda: Process.from_tables("p", **test_leaving.visits(test_leaving.SILENT), **test_leaving.UNTIL)),
    "groups": ("leaving", lambda: Process.from_tables("p", **test_leaving.visits(test_leaving.TENS, {"best": 100.0}), **test_leaving.UNTIL)),
    "one large client": ("leaving", lambda: Process.from_tables("p", **test_leaving.MONEY, **test_leaving.YEAR)),
    "a giant": ("lifetime", lambda: test_lifetime_value.shop(1500, 8, giant=True)),
    "a month": ("lifetime", lambda: test_lifetime_value.shop(3000, 4, weeks=4, alpha=1.0)),
    "a handful": ("lifetime", lambda: Process.from_tables("p", **test_lifetime_value.TABLES, **test_lifetime_value.SETTINGS)),
    "more repeat orders": ("recommended", lambda: test_repeat.shop(test_repeat.regulars(50, 120), observed_from="2019-01-01")),
    "fewer repeat orders": ("recommended", lambda: test_repeat.shop(test_repeat.regulars(120, 50), observed_from="2019-01-01")),
    "as many repeat orders": ("recommended", lambda: test_repeat.shop(test_repeat.regulars(100, 104), observed_from="2019-01-01")),
    "perhaps older": ("recommended", lambda: test_repeat.shop(test_repeat.regulars(50, 120))),
    "one year": ("recommended", lambda: test_repeat.shop(observed_from="2025-01-01")),
    **{f"recommended {name}": ("recommended", lambda groups=groups: Process.from_tables(
        "p", **test_referred.shop(*groups), **test_referred.SETTINGS)) for name, groups in {
            "better": ((40, 30, 15), (100, 40, 10)), "worse": ((100, 40, 10), (40, 30, 15)),
            "alike": ((60, 40, 20), (60, 40, 20)), "few": ((20, 15, 10), (200, 20, 5))}.items()},
    "chains": ("recommended", test_chains.small),
    "from outside": ("recommended", lambda: test_chains.small(
        **test_chains.tables(test_chains.BOUGHT, dict.fromkeys("bcdfg", "x")))),
    "a circle": ("recommended", lambda: test_chains.small(
        **test_chains.tables(test_chains.BOUGHT, test_chains.BROUGHT_BY | {"a": "b"}))),
    "few answers": ("recommended", test_survey.asked),
    "promoters recommend": ("recommended", lambda: test_survey.crowd(20, 4)),
    "promoters like others": ("recommended", lambda: test_survey.crowd(12, 10)),
    "promoters do not": ("recommended", lambda: test_survey.crowd(3, 18)),
}


@pytest.mark.parametrize("case", CASES)
def test_small_companies_are_told_in_russian(case):
    topics, made = CASES[case]
    process = made()
    assert_the_same(said(process, *SAID_OF[topics]), said(in_russian(process), *SAID_OF[topics]))


def told(rows: list[tuple], *topics: Callable) -> str:
    """What is said in Russian of these orders: (customer, day, amount, margin)."""
    process = Process.from_tables("p", **{**SETTINGS, **orders(rows)}, language="ru")
    return " ".join(said(process, *topics)).replace("\N{NO-BREAK SPACE}", " ")


def form(count: int, one: str, few: str, many_of: str) -> str:
    return f"{count} {one if count in ONE else few if count in FEW else many_of}"


@pytest.mark.parametrize("count", COUNTS)
def test_counted_nouns_take_their_form(count):
    people = [(f"c{number}", "2026-04-01", 100, 30) for number in range(count)]
    text = told([*people, *[(None, "2026-04-02", 100, 30)] * count], answers.account_management)
    assert form(count, "заказ, в котором не указан клиент, не учтён", "заказа, в которых не указан клиент, не учтены",
                "заказов, в которых не указан клиент, не учтены") + "." in text
    assert f"({form(count, 'первый заказ', 'первых заказа', 'первых заказов')})" in text
    assert f"({form(count, 'клиент', 'клиента', 'клиентов')})" in text
    assert f"{form(count, 'клиент', 'клиента', 'клиентов')} с заказами в один-единственный день" in text


@pytest.mark.parametrize("count", COUNTS)
def test_counted_clients_take_their_form_with_what_they_do(count):
    """So many clients come again and then fall silent; as many get more back than they paid; one more is as usual."""
    again = [(f"c{number}", day, 100, 30) for number in range(count) for day in ("2026-01-02", "2026-01-08")]
    refunded = [(f"r{number}", "2026-04-01", amount, 0) for number in range(count) for amount in (10, -20)]
    text = told([*again, *refunded, ("z", "2026-04-10", 1, 0), ("z", "2026-04-12", 1, 0)], of_leaving.groups, of_leaving.largest,
                of_lifetime.lifetime)
    assert f"{form(count, 'из возвращавшихся уходит', 'из возвращавшихся уходят', 'из возвращавшихся уходят')} (" in text
    assert f"{form(count, 'клиент, у которого', 'клиента, у которых', 'клиентов, у которых')} возвратов не меньше, чем покупок" in text


@pytest.mark.parametrize(("count", "words"), [
    (1, "пришёл 1 новый клиент,"), (2, "пришли 2 новых клиента,"), (5, "пришли 5 новых клиентов,"), (11, "пришли 11 новых клиентов,"),
    (21, "пришёл 21 новый клиент,"), (101, "пришёл 101 новый клиент,")])
def test_recommended_clients_take_their_form(count, words):
    """All by one, who is a client too; from three on that one is said to stand out, in words that fit any number."""
    names = ["boss", *[f"c{number}" for number in range(count)]]
    bought = dict.fromkeys(names, ("2026-03-01", 10)) | {"boss": ("2026-01-01", 10)}
    process = test_chains.small(**test_chains.tables(bought, dict.fromkeys(names[1:], "boss")), language="ru")
    text = " ".join(said(process, answers.account_management)).replace("\N{NO-BREAK SPACE}", " ")
    assert words in text
    assert count < 3 or f"новых клиентов по его рекомендации — {count} из {count}" in text


@pytest.mark.parametrize(("days", "words"), [(1, "за 1 день"), (2, "за 2 дня"), (5, "за 5 дней"), (11, "за 11 дней"),
                                             (21, "за 21 день"), (101, "за 101 день")])
def test_a_number_of_days_stands_in_the_case_of_its_sentence(days, words):
    """40 clients, all of whom come again after so many days."""
    rows = [(f"c{number}", str(pd.Timestamp("2026-01-01") + pd.Timedelta(days=turn)), 10, 3)
            for number in range(len(MANY)) for turn in (0, days)]
    assert f"половина всех — {words}" in told(rows, of_kept.next_orders)
