"""Who is leaving and on whom the company hangs, said: numbers counted by hand and the planted client of wholesale."""

from __future__ import annotations

import re

import pytest

from funnel_lib import Process
from funnel_lib.answers.of_leaving import came_back, groups, largest
from tests.loyalty.bad_input import BAD, SETTINGS
from tests.loyalty.test_leaving import MONEY, SILENT, TENS, UNTIL, YEAR, visits


def test_the_planted_client_of_wholesale_is_told(demo):
    said = {sentence.key: sentence for sentence in largest(demo.process("wholesale"))}
    assert list(said) == ["largest_client", "top_clients"]
    assert re.search("(one|largest|biggest) client.*18", said["largest_client"]) and "hangs on one client" in said["largest_client"]
    assert said["largest_client"].numbers["largest_share"] == pytest.approx(0.18, abs=0.002)
    assert "hangs on one client" not in " ".join(largest(demo.process("retail")))
    equal = largest(Process.from_tables("p", **BAD["everybody once"], **SETTINGS))[-1].replace("\N{NO-BREAK SPACE}", " ")
    assert "bring 20.0 % of the money, since all bring the same; the Gini" in equal


def test_silences_that_ended_by_hand():
    sentence = came_back(Process.from_tables("p", **visits(SILENT), **UNTIL))[0]
    assert "Of 4 silences" in sentence and "1 ended with an order within a year (25.0" in sentence and "rough figure" in sentence
    assert "cannot be told" in came_back(Process.from_tables("p", **BAD["by hand"], **SETTINGS))[0]


def test_groups_by_hand():
    sentence = groups(Process.from_tables("p", **visits(TENS, {"best": 100.0}), **UNTIL))[0]
    assert sentence.startswith("Of 7 clients the best 1 brings") and "1 who had come again is leaving" in sentence
    assert sentence.numbers["gone_count"] == 1 and sentence.numbers["customers_count"] == 7
    assert "No client can be told from another yet: 40 clients" in groups(Process.from_tables("p", **BAD["everybody once"], **SETTINGS))[0]


def test_the_largest_client_by_hand():
    """60 of 100, and 40 of the 70 of the last year; r returned more than was bought; four clients are too few for a pattern."""
    said = largest(Process.from_tables("p", **MONEY, **YEAR))
    assert len(said) == 1 and "60.0" in said[0] and "57.1" in said[0] and "1 client whose refunds" in said[0]
    assert said[0].numbers["refunded_count"] == 1


@pytest.mark.parametrize(("case", "said"), [
    ("one client", "There is only one client"), ("all is refunded", "No client has more purchases than refunds"),
    ("one giant client", "100.0 % of the money"), ("refunds above purchases", "There is only one client")])
def test_one_client_and_none(case, said):
    assert said in largest(Process.from_tables("p", **BAD[case], **SETTINGS))[0].replace("\N{NO-BREAK SPACE}", " ")
