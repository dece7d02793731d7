"""Groups compared: hand-made groups, planted equal owners, the demonstration's lucky owner, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from funnel_lib import CallError, MeasureError, Process, conversion, simulate
from tests.conversion.cases import BAD_INPUTS, process_of


def _groups(**won_of: tuple[int, int]):
    rows = [(0, name, {"won": 5} if number < won else {"lost": 5}) for name, (won, leads) in won_of.items()
            for number in range(leads)]
    return process_of(rows, ["won"], conversion_window_days=30)


def test_counts_shares_and_p_values_by_hand():
    table = conversion.comparison(_groups(a=(10, 100), b=(12, 100), c=(40, 100))).set_index("owner")
    assert table[["won_count", "leads_count"]].to_numpy().tolist() == [[40, 100], [12, 100], [10, 100]]
    assert table["common_share"].eq(62 / 300).all()
    raw = [fisher_exact([[won, 100 - won], [62 - won, 200 - 62 + won]]).pvalue for won in (40, 12, 10)]
    # Benjamini-Hochberg of three: the smallest × 3, the next × 3/2, the largest as it is, never falling.
    order = np.argsort(raw)
    by_hand = np.minimum.accumulate((np.array(raw)[order] * 3 / np.array([1, 2, 3]))[::-1])[::-1]
    assert table["adjusted_p_value"].to_numpy()[order] == pytest.approx(by_hand)
    assert table["verdict"].to_dict() == {"c": "above", "b": "below", "a": "below"}


def test_without_a_difference_nobody_is_ranked():
    """Rows go by number of leads; nobody differs."""
    table = conversion.comparison(_groups(a=(12, 50), b=(20, 100), c=(19, 80)))
    assert table["owner"].tolist() == ["b", "c", "a"] and not table["differs"].any()


def test_a_small_group_is_neither_tested_nor_praised():
    table = conversion.comparison(_groups(a=(50, 200), b=(55, 200), lucky=(10, 12))).set_index("owner")
    row = table.loc["lucky"]
    assert row.few and row.verdict == "too_few" and np.isnan(row.adjusted_p_value) and not row.differs
    assert 0.25 < row.pooled_share < row.won_share


def test_running_leads_are_not_lost_and_young_ones_not_counted():
    rows = [(0, "a", {"won": 5}) for _ in range(40)] + [(360, "a", {}) for _ in range(100)] + [(0, "b", {"won": 5})] * 40
    table = conversion.comparison(process_of(rows, ["won"], conversion_window_days=30)).set_index("owner")
    assert table["leads_count"].to_dict() == {"a": 40, "b": 40} and table["won_share"].eq(1).all()


def test_the_owner_with_twelve_deals_is_not_called_the_best(demo):
    table = conversion.comparison(demo.process("wholesale")).set_index("owner")
    assert table["won_share"].idxmax() == "vera" and table.loc["vera", "leads_count"] == 12
    assert table.loc["vera", "verdict"] == "too_few" and table.loc["vera", "pooled_share"] < 0.3
    assert not table["differs"].any()


def test_planted_equal_owners_are_rarely_called_different():
    """All owners of the simulator have the same true rates; six fixed seeds of two processes."""
    wrong = 0
    for seed in range(31, 37):
        company = simulate.make_company(seed=seed, leads=900, bad_rows=False)
        for name in ("retail", "wholesale"):
            leads = company.tables["leads"].query("process == @name")
            events = company.tables["stage_events"]
            events = events[events["lead_id"].isin(leads["lead_id"])]
            described = {key: company.description["processes"][name][key] for key in ("steps", "conversion_window_days", "not_leads")}
            process = Process.from_tables(name, leads=leads, stage_events=events, as_of=company.description["as_of"],
                                          observed_from=company.description["observed_from"], **described)
            wrong += bool(conversion.comparison(process)["differs"].any())
    assert wrong <= 2


def test_what_is_missing_is_said():
    with pytest.raises(MeasureError, match="segment"):
        conversion.comparison(_groups(a=(1, 2)), by="segment")
    with pytest.raises(CallError, match="by names the column"):
        conversion.comparison(_groups(a=(1, 2)), by=[])


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_gives_a_table_with_verdicts(name):
    table = conversion.comparison(BAD_INPUTS[name]())
    assert set(table["verdict"]) <= {"too_few", "no_difference"}
    assert table[["won_share", "pooled_share", "common_share"]].notna().all().all()
    if name == "final state only":
        assert table["equal_window_days"].isna().all() and table["won_count"].sum() == 200
