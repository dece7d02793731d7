"""Who does whose work: a log counted by hand, a second way in pandas, the sum of all hours, planted truth, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import CallError, MeasureError, Process, answers, charts, efficiency
from tests.efficiency.match_cases import CARDS, SETTINGS, WORK, company
from tests.engines import assert_parity, on_engines


def test_every_pair_of_roles_by_hand():
    table = assert_parity(efficiency.qualification_match, on_engines("p", {"work": WORK}, **SETTINGS))
    rows = {(row.card_role, row.role): row for row in table.itertuples()}
    dear = rows["caller", "seller"]
    assert (dear.match, dear.hours, dear.executions_count, dear.difference_amount) == ("dearer_role", 4, 2, 4 * (30 - 10))
    # 182.625 days are half a year of 365.25.
    assert dear.difference_per_year_amount == pytest.approx(160) and dear.hours_per_year == pytest.approx(8)
    cheap = rows["seller", "caller"]
    assert (cheap.match, cheap.hours, cheap.difference_amount) == ("cheaper_role", 2, 2 * (10 - 30))
    assert rows["caller", "clerk"].match == "same_cost"
    # Without an hour cost the qualification decides and there is no money; without both nothing is said.
    assert rows["caller", "intern"].match == "same_cost" and np.isnan(rows["caller", "intern"].difference_amount)
    assert {rows["caller", role].match for role in ("guest", "(missing)")} == {"cannot_tell"}
    assert rows["(missing)", "seller"].match == "cannot_tell"
    assert rows["seller", "seller"].match == "own_role" and rows["seller", "seller"].difference_amount == 0


def test_rows_add_up_to_all_hours_on_cards_and_agree_with_pandas():
    on_cards = WORK[WORK["card"].notna()]
    for by in ("card_role", "card"):
        table = efficiency.qualification_match(company(), by=by)
        assert table["hours"].sum() == pytest.approx(on_cards["hours"].sum()) and table["hours_share"].sum() == pytest.approx(1)
    second = on_cards.fillna({"role": "(missing)"}).groupby(["card", "role"])["hours"].sum()
    first = efficiency.qualification_match(company(), by="card").set_index(["card", "role"])["hours"]
    pd.testing.assert_series_equal(first.sort_index(), second.sort_index(), check_names=False, check_index_type=False)


def test_the_year_in_one_line():
    total = efficiency.qualification_total(company())
    assert (total.card_hours, total.dearer_hours, total.cheaper_hours, total.unmatched_hours) == (20, 4, 2, 2.5)
    assert total.dearer_per_year_amount == pytest.approx(160) and total.cheaper_per_year_amount == pytest.approx(80)
    # Two pieces of 3 and 1 hours, 20 of difference each hour: the sum of their squares, twice for a year.
    half = 1.959964 * np.sqrt(3**2 + 1**2) * 20 * 2
    assert total.dearer_per_year_high_amount == pytest.approx(160 + half) and total.dearer_per_year_low_amount == max(0, 160 - half)


def test_sentences_and_chart_name_the_dear_people():
    said = {sentence.key: sentence for sentence in answers.efficiency(company())}
    assert said["dear_people"].startswith("“Seller” does the work of the cheaper role “Caller”: 4\N{NO-BREAK SPACE}hours")
    assert said["dear_people"].numbers["dearer_per_year_amount"] == pytest.approx(160)
    assert "cheap_people" in said
    ax = charts.plot_qualification_match(efficiency.qualification_match(company()))
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([8, 4])
    assert ax.get_title(loc="left").startswith("20.0")


@pytest.mark.parametrize(("work", "settings", "missing"), [
    (None, {"leads": pd.DataFrame({"lead_id": ["a"], "created_at": "2026-01-02"})}, "table 'work'"),
    (WORK.drop(columns="card"), {}, "column 'card'"), (WORK, {"cards": []}, "names the role"),
    (WORK, {"cards": [{"key": "call", "stage": "lead_generation"}]}, "names the role")])
def test_what_is_missing_is_named_with_what_it_would_add(work, settings, missing):
    process = company(work, **settings)
    with pytest.raises(MeasureError, match=missing):
        efficiency.qualification_match(process)
    assert any(missing in sentence and "dear people" in sentence for sentence in answers.efficiency(process))


@pytest.mark.parametrize(("roles", "hours", "said"), [
    ({"caller": {"name": "Caller"}, "seller": {"name": "Seller"}}, 1.0, "cannot be told"),
    (None, 0.0, "cannot be told")])
def test_roles_without_cost_and_work_without_hours_are_said(roles, hours, said):
    work = WORK.assign(hours=WORK["hours"] * hours)
    work = work[work["role"] != work["card"].map({"call": "caller", "offer": "seller"})]
    process = company(work, roles=roles or SETTINGS["roles"])
    sentence = {one.key: one for one in answers.efficiency(process)}["dear_people"]
    assert said in sentence and "nan" not in sentence
    table = efficiency.qualification_match(process)
    assert table["hours_share"].isna().all() or table["difference_amount"].fillna(0).eq(0).all()
    ax = charts.plot_qualification_match(table)
    assert ax.get_title(loc="left")


def test_own_work_without_an_hour_cost_is_own_work():
    process = company(WORK[WORK["role"] == "caller"].query("card == 'call'"), roles={"caller": {"name": "Caller"}}, cards=CARDS[:1])
    assert efficiency.qualification_match(process)["match"].tolist() == ["own_role"]
    assert "Nobody does the work of a dearer" in charts.plot_qualification_match(
        efficiency.qualification_match(process)).get_title(loc="left")


def test_an_unknown_grouping_is_an_error():
    with pytest.raises(CallError, match="card_role"):
        efficiency.qualification_match(company(), by="employee")


def test_planted_work_of_negotiators_is_found(demo):
    process = demo.process("wholesale")
    table = efficiency.qualification_match(process)
    row = table.iloc[0]
    assert (row["role"], row["card_role"], row["match"]) == ("negotiator", "caller", "dearer_role")
    # A fifth of the negotiators' hours was planted, before the simulated craft of the reviews was drawn.
    hours = table[table["role"] == "negotiator"]["hours"].sum()
    assert abs(row["hours"] / hours - 0.2) < 0.005
    assert not (efficiency.qualification_match(demo.process("retail"))["match"] == "dearer_role").any()


def test_a_process_without_a_calendar_has_hours_but_no_year():
    process = Process.from_tables("p", work=WORK.assign(date="2026-01-01"), roles=SETTINGS["roles"], cards=CARDS,
                                  as_of="2026-01-02", observed_from="2026-01-02")
    assert efficiency.qualification_match(process)["hours_per_year"].isna().all()
