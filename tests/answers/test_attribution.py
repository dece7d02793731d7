"""Attribution in sentences: the numbers of the hand-made company, each meaning, each want of data."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from funnel_lib import Process, lead_flow
from funnel_lib.answers.of_attribution import attributed
from funnel_lib.answers.sentence import attempt
from tests.test_attribution import EVENTS, LEADS, TOUCHES, process


def said(one: Process) -> dict:
    """Key → sentence, with plain spaces, fit to be shown."""
    sentences = attempt(attributed, one)
    for sentence in sentences:
        assert not re.search(r"\b(nan|inf|None)\b", sentence)
    return {sentence.key: sentence for sentence in sentences}


def test_few_conversions_rank_nothing():
    sentences = said(process())
    text = sentences["attribution"].replace("\N{NO-BREAK SPACE}", " ")
    assert "On 4 conversions the models of attribution cannot be told apart (30 are needed)" in text
    assert "“a”: it gets 0 (last touch) to 2 (first touch) of 4 leads won within 30 days" in text
    assert sentences["attribution"].numbers["markov_conversions"] == pytest.approx(0.75)
    assert sentences["untouched_conversions"].numbers["untouched_count"] == 1
    assert "1 of these 4 conversions (25" in sentences["untouched_conversions"]


def test_who_opens_and_who_closes_in_the_demonstration_company(demo):
    """The largest spread of the table, and first touches that outnumber the last ones."""
    retail = demo.process("retail")
    models, sentence = lead_flow.attribution_models(retail), said(retail)["attribution"]
    assert sentence.numbers["channel"] == models["channel"].iloc[0] == "student_blog"
    assert sentence.numbers["spread_conversions"] == models["spread_conversions"].max()
    assert "brings in leads that other channels close (270 first touches, 194 last ones)" in sentence
    assert "They also disagree on “Walk-in”" in sentence
    assert "agree but for chance" in said(demo.process("custom"))["attribution"]


def _repeated(paths: dict[str, int]) -> Process:
    """So many converted leads with each path of one-letter channels, a day between touches."""
    every = [path for path, count in paths.items() for _ in range(count)]
    start = pd.Timestamp(2026, 1, 1)
    ids = [str(number) for number in range(len(every))]
    touches = [(one, name, start + pd.Timedelta(days=day)) for one, path in zip(ids, every, strict=True)
               for day, name in enumerate(path)]
    return process(leads=pd.DataFrame({"lead_id": ids, "created_at": start}),
                   stage_events=pd.DataFrame({"lead_id": ids, "step": "won", "entered_at": "2026-01-20"}),
                   touches=pd.DataFrame(touches, columns=["lead_id", "channel", "touched_at"]))


@pytest.mark.parametrize(("paths", "channel", "meaning"), [
    ({"ax": 50, "ay": 50}, "a", "brings in leads that other channels close (100 first touches, 0 last ones)"),
    ({"xa": 50, "ya": 50}, "a", "closes leads that other channels brought in (0 first touches, 100 last ones)"),
    ({"xaz": 60, "yaw": 60, "uav": 60}, "a", "helps on the way more than it opens or closes (0 first touches, 0 last ones)"),
])
def test_what_a_disagreement_means(paths, channel, meaning):
    sentence = said(_repeated(paths))["attribution"]
    assert sentence.numbers["channel"] == channel and meaning in sentence


def test_no_conversion_no_touch_one_channel_and_no_table():
    assert "Nothing can be attributed yet: none of 7 leads" in said(process(stage_events=EVENTS.assign(step="lost")))["attribution"]
    nothing = said(process(touches=TOUCHES.head(0)))
    assert "Nothing can be attributed to a channel: none of the 4 leads won" in nothing["attribution"]
    one = said(process(touches=TOUCHES.assign(channel="a")))["attribution"]
    assert "give the same credit for 4 leads won" in one and "only “a” touched them" in one
    assert "needs the table 'touches'" in said(process(touches=None))["unavailable"].lower()
    assert "Every one of these 2 conversions" in said(process(leads=LEADS.head(2)))["untouched_conversions"]
