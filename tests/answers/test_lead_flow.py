"""The sentences on the flow of leads: planted truth of the demonstration company, and each bad input in words."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from funnel_lib import Process, lead_flow
from funnel_lib.answers.of_cards import campaigns, described
from funnel_lib.answers.of_lead_flow import signals, weekdays
from funnel_lib.answers.of_target import target_against_other
from funnel_lib.answers.sentence import attempt
from tests.lead_flow.test_flow import MONDAY, weekly
from tests.lead_flow.test_segments import LEADS, SETTINGS, TABLES
from tests.test_cards import DESCRIBED, WORK
from tests.test_cards import LEADS as CARD_LEADS


def _said(topic, process) -> str:
    return " ".join(attempt(topic, process)).replace("\N{NO-BREAK SPACE}", " ")


def test_the_planted_surge_is_told_with_its_date(demo):
    said = _said(signals, demo.process("retail"))
    assert "the week from 14 Oct 2024 with 126 leads (above)" in said and "1 week was a signal" in said
    assert "14 weeks are marked as runs of eight, but only because" in said
    assert "No week was a signal" in _said(signals, demo.process("custom"))


def test_a_level_that_has_risen_or_fallen():
    assert "The level has risen since 16 Mar 2026: 10 weeks in a row above the mean, 32 leads a week" in _said(
        signals, weekly([20, 24] * 5 + [30, 34] * 5))
    assert "The level has fallen since 16 Mar 2026" in _said(signals, weekly([30, 34] * 5 + [20, 24] * 5))
    assert "the level was higher: 8 weeks in a row above the mean, 20 leads a week. Since then" in _said(
        signals, weekly([20] * 8 + [10, 22] * 6))


def test_young_rare_and_empty_flows_say_what_cannot_be_told():
    assert "only 2 complete weeks have been observed, it takes 12" in _said(signals, weekly([5, 5]))
    assert "no complete week has been observed" in _said(signals, weekly([], unfinished=3))
    rare = weekly([1, 0, 0] * 20)
    assert "A month brings" in _said(signals, rare)
    assert "6 leads in 18 complete weeks are too few" in _said(signals, weekly([1, 0, 0] * 6))


def test_counts_alone_are_enough_for_signals_and_for_nothing_else():
    counts = pd.DataFrame({"step": "lead", "count": [100, 120] * 7, "channel": "a", "period_start": pd.date_range("2025-01-01", periods=14, freq="MS")})
    process = Process.from_tables("p", counts=counts, as_of="2026-03-01")
    assert "A month brings 110 new leads on average (14 complete months" in _said(signals, process)
    assert "once a month" in _said(weekdays, process) and "needs the table 'leads'" in _said(target_against_other, process).lower()
    assert campaigns(process) == []


def test_the_week_is_told_only_where_it_is_uneven(demo):
    said = _said(weekdays, demo.process("wholesale"))
    assert re.search(r"More than that: Wednesday \(3\.66 a day.*fewer: Saturday \(0\.949 a day", said)
    even = pd.DataFrame({"created_at": pd.date_range(MONDAY, periods=70).repeat(3)})
    process = Process.from_tables("p", leads=even.assign(lead_id=[str(n) for n in range(210)]), observed_from=MONDAY, as_of="2026-03-16")
    assert weekdays(process) == []
    assert "cannot be told yet: 6 leads came in 2 whole weeks" in _said(weekdays, weekly([3, 3]))


def test_target_leads_of_the_demonstration_company(demo):
    assert "buy more often" in _said(target_against_other, demo.process("retail"))
    said = _said(target_against_other, demo.process("custom"))
    assert "cannot be told: 33.6 %" in said and "the intervals overlap" in said
    table = lead_flow.target_conversion(demo.process("retail")).set_index("target_group")
    sentence = target_against_other(demo.process("retail"))[0]
    assert sentence.numbers["target_won_share"] == table.loc["target", "won_share"] and sentence.numbers["verdict"] == "more"


def test_target_leads_that_cannot_be_compared():
    few = _said(target_against_other, Process.from_tables("p", **TABLES, **SETTINGS))
    assert "3 of them and 1 others have been followed long enough, it takes 30 of each" in few
    unknown = {**TABLES, "leads": LEADS.assign(segment=None)}
    assert "No lead has a known segment (7 unknown)" in _said(target_against_other, Process.from_tables("p", **unknown, **SETTINGS))
    shops = {**TABLES, "leads": LEADS.assign(segment="shop")}
    assert "All 7 leads with a known segment are on target" in _said(target_against_other, Process.from_tables("p", **shops, **SETTINGS))
    assert "movement of the leads" in _said(target_against_other, Process.from_tables(
        "p", leads=LEADS, target_segments=["shop"], as_of="2025-06-15"))


def test_campaigns_are_sizes_and_no_ranking(demo):
    said = _said(campaigns, demo.process("retail"))
    assert "“Season” 25.4 % (1 873)" in said and "(1 905) name none" in said and "not merits" in said
    assert campaigns(Process.from_tables("p", leads=LEADS, as_of="2025-06-15")) == []
    nobody = Process.from_tables("p", leads=LEADS.assign(campaign=None), as_of="2025-06-15")
    assert "No lead names a campaign" in _said(campaigns, nobody)


def test_cards_against_the_log(demo):
    assert "“Registration of an enquiry” takes 5.51 minutes instead of 9" in _said(described, demo.process("retail"))
    settings = {"cards": DESCRIBED, "as_of": "2026-02-01"}
    said = _said(described, Process.from_tables("p", leads=CARD_LEADS, work=WORK, **settings))
    assert "3 technology cards of lead generation are described; never executed: “visit”." in said
    assert "3.0 hours of work (33.3 % of the stage) name no described card" in said or "3 hours of work (33.3 %" in said
    assert "without a log of work" in _said(described, Process.from_tables("p", leads=CARD_LEADS, **settings))
    assert "No technology card" in _said(described, Process.from_tables("p", leads=CARD_LEADS, work=WORK, as_of="2026-02-01"))
    assert "Needs technology cards" in _said(described, Process.from_tables("p", leads=CARD_LEADS, as_of="2026-02-01"))


BAD = {
    "two weeks old": {**TABLES, "leads": LEADS.head(6)}, "one channel": {"leads": LEADS.assign(channel="ads"), "stage_events": TABLES["stage_events"]},
    "no channel": {"leads": LEADS.drop(columns="channel")}, "unknown segments": {**TABLES, "leads": LEADS.assign(segment="unknown")},
    "nobody": {"leads": LEADS.head(0)}, "only counts": {"counts": pd.DataFrame({"step": ["lead"], "count": [5], "period_start": ["2024-01-01"]})},
    "counts without a period": {"counts": pd.DataFrame({"step": ["lead"], "count": [5]})},
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_in_words(case):
    as_of = "2024-01-15" if case == "two weeks old" else "2025-06-15"
    process = Process.from_tables("p", **BAD[case], **{**SETTINGS, "as_of": as_of})
    for topic in (signals, weekdays, target_against_other, campaigns, described):
        for sentence in attempt(topic, process):
            assert not re.search(r"\b(nan|inf|none|nat)\b", sentence.lower().replace("name none", "")), sentence
