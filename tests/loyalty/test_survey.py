"""The loyalty index: answers counted by hand, its interval by bootstrap, whether promoters recommend, bad answers, laws."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_lib import CallError, MeasureError, Process, loyalty
from funnel_lib.loyalty.survey import net_share
from funnel_lib.rates import rate
from tests.engines import assert_parity, on_engines
from tests.loyalty.test_chains import BOUGHT, BROUGHT_BY, tables

# a changed from 10 to 3; b 9; c 7; d said 9 and 6 at the same moment; one answer without a name, one that cannot be.
SURVEY = pd.DataFrame(
    [("a", "2026-01-05", 10), ("a", "2026-04-06", 3), ("b", "2026-02-06", 9), ("c", "2026-03-10", 7), ("d", "2026-04-10", 9),
     ("d", "2026-04-10", 6), (None, "2026-04-11", 10), ("f", "2026-04-12", 11)], columns=["customer_id", "answered_at", "score"])
SETTINGS = {"as_of": "2026-06-01", "observed_from": "2025-01-01"}


def asked(survey: pd.DataFrame = SURVEY, **changes) -> Process:
    return Process.from_tables("p", **{**tables(BOUGHT, BROUGHT_BY), "survey": survey, **SETTINGS, **changes})


def test_index_by_hand():
    """Promoter b, passive c, detractors a and d: 1/4 − 2/4; variance (1/4 + 2/4 − 1/16) / 4."""
    for process in on_engines("p", {"survey": SURVEY}, **SETTINGS).values():
        result = loyalty.loyalty_index(process)
        assert (result.promoters_count, result.passives_count, result.detractors_count) == (1, 1, 2)
        assert (result.customers_count, result.answers_count, result.nps_share) == (4, 6, -0.25)
        assert result.nps_low_share == -1 and result.nps_high_share == pytest.approx(-0.25 + 1.959964 * math.sqrt(0.6875 / 4))


def test_quarters_by_hand():
    """In the first quarter a was a promoter; the second is not over on the first of June."""
    table = assert_parity(loyalty.loyalty_over_time, on_engines("p", {"survey": SURVEY}, **SETTINGS))
    assert table[["promoters_count", "passives_count", "detractors_count"]].to_numpy().tolist() == [[2, 1, 0], [0, 0, 2]]
    assert table["nps_share"].tolist() == pytest.approx([2 / 3, -1]) and table["complete"].tolist() == [True, False]
    assert table["few"].all()
    with pytest.raises(CallError, match="Did you mean 'month'"):
        loyalty.loyalty_over_time(asked(), per="moth")


def test_where_all_say_the_same_the_interval_is_not_empty():
    """Ten of ten: at least 72.2 % by Wilson, so that at most 27.8 % of the others are detractors."""
    low = rate(10, 10).low_share
    assert [float(value) for value in net_share(10, 0, 10)] == pytest.approx([1, 2 * low - 1, 1])
    assert [float(value) for value in net_share(0, 10, 10)] == pytest.approx([-1, -1, 1 - 2 * low])
    assert [float(value) for value in net_share(0, 0, 10)] == pytest.approx([0, low - 1, 1 - low])
    assert all(math.isnan(value) for value in net_share(0, 0, 0))


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_laws_of_the_index(promoters, passives, detractors):
    people = promoters + passives + detractors
    share, low, high = (float(value) for value in net_share(promoters, detractors, people))
    if people:
        assert -1 <= low <= share <= high <= 1 and low < high
        assert [-high, -low] == pytest.approx([float(value) for value in net_share(detractors, promoters, people)[1:]])


def test_interval_by_bootstrap(demo):
    result = loyalty.loyalty_index(demo.process("retail"))
    counts = np.array([result.promoters_count, result.passives_count, result.detractors_count])
    draws = np.random.default_rng(7).multinomial(counts.sum(), counts / counts.sum(), 20_000)
    drawn = (draws[:, 0] - draws[:, 2]) / counts.sum()
    assert [result.nps_low_share, result.nps_high_share] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.006)


def test_index_of_the_demonstration_company_in_plain_pandas(demo):
    from funnel_lib.engine import collect

    for name in demo.process_names:
        answers = collect(demo.process(name).table("survey")).sort_values(["answered_at", "score"], ascending=[True, False])
        last = answers.drop_duplicates("customer_id", keep="last")["score"]
        result = loyalty.loyalty_index(demo.process(name))
        assert (result.promoters_count, result.detractors_count) == ((last >= 9).sum(), (last <= 6).sum())


def test_promoters_by_hand():
    """a (detractor) and b (promoter) brought somebody, c and d did not; x and f did not answer."""
    both = on_engines("p", {**tables(BOUGHT, BROUGHT_BY), "survey": SURVEY}, **SETTINGS)
    table = assert_parity(loyalty.promoters_recommend, both).set_index("answer_group")
    assert table[["customers_count", "recommended_count"]].to_numpy().tolist() == [[1, 1], [1, 0], [2, 1]]
    assert table["recommended_share"].tolist() == [1, 0, 0.5] and set(table["verdict"]) == {"too_few"}


def crowd(promoters_who: int, others_who: int) -> Process:
    """40 promoters and 40 passives; so many of each brought one new customer."""
    names = [f"p{n:02d}" for n in range(40)] + [f"q{n:02d}" for n in range(40)]
    who = names[:promoters_who] + names[40:40 + others_who]
    bought = {name: ("2025-06-01", 10) for name in names} | {f"new_{name}": ("2026-02-01", 10) for name in who}
    survey = pd.DataFrame({"customer_id": names, "answered_at": "2026-03-01", "score": [9] * 40 + [8] * 40})
    return asked(survey, **tables(bought, {f"new_{name}": name for name in who}))


def test_promoters_really_recommend_only_beyond_chance():
    assert loyalty.promoters_recommend(crowd(20, 4)).set_index("answer_group")["verdict"].to_dict() == {
        "promoter": "above", "passive": "below", "detractor": "too_few"}
    assert loyalty.promoters_recommend(crowd(12, 10))["verdict"].tolist()[:2] == ["no_difference"] * 2
    assert loyalty.promoters_recommend(crowd(3, 18))["verdict"].tolist()[:2] == ["below", "above"]


def test_only_promoters_have_nobody_to_compare_with():
    process = asked(pd.DataFrame({"customer_id": [f"p{n:02d}" for n in range(40)], "answered_at": "2026-03-01", "score": 10}))
    assert set(loyalty.promoters_recommend(process)["verdict"]) == {"too_few"}


def test_no_answer_and_no_survey():
    nothing = asked(SURVEY.head(0))
    result = loyalty.loyalty_index(nothing)
    assert math.isnan(result.nps_share) and result.customers_count == 0
    assert len(loyalty.loyalty_over_time(nothing)) == 0 and loyalty.promoters_recommend(nothing)["customers_count"].sum() == 0
    without = Process.from_tables("p", **tables(BOUGHT, BROUGHT_BY), **SETTINGS)
    for measure in (loyalty.loyalty_index, loyalty.loyalty_over_time, loyalty.promoters_recommend):
        with pytest.raises(MeasureError, match="needs the table 'survey'"):
            measure(without)
