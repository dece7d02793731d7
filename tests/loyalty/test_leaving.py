"""Who is leaving and on whom the money hangs: small companies counted by hand, second ways, planted truth, bad input."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import CallError, MeasureError, Process, loyalty
from funnel_lib.customers import money_rows
from funnel_lib.engine import collect
from funnel_lib.loyalty.concentration import _gini, _limited, _top_share
from funnel_lib.loyalty.lateness import CameBack
from tests.conftest import ROOT
from tests.engines import assert_parity, on_engines
from tests.loyalty.bad_input import BAD, SETTINGS, TABLES
from tests.test_loyalty import SETTINGS as LOYALTY_SETTINGS
from tests.test_loyalty import TABLES as LOYALTY_TABLES

START = pd.Timestamp("2024-01-01 12:00")


def visits(days: dict[str, list[int]], amount: dict[str, float] | None = None) -> dict:
    """Tables of clients with an order on each of these days since 1 January 2024."""
    rows = [(f"{name}{turn:02}", name, START + pd.Timedelta(days=day), (amount or {}).get(name, 10.0), 3.0)
            for name, own in days.items() for turn, day in enumerate(own)]
    return {"orders": pd.DataFrame(rows, columns=["order_id", "customer_id", "ordered_at", "amount", "margin"])}


# Observation ends at noon of day 600: silences are whole days.
UNTIL = {"as_of": START + pd.Timedelta(days=600), "observed_from": "2024-01-01"}


# -- late clients -----------------------------------------------------------------------------------------------------------


def test_the_list_names_the_last_day_the_expected_one_and_the_owner():
    """a ordered last on 30 April at noon and usually comes after (10³ · 20²)^(1/5) = 13.2 days: on 13 May."""
    leads = LOYALTY_TABLES["leads"].assign(owner=["ann", "bob"])
    tables = {**LOYALTY_TABLES, "leads": leads}
    table = assert_parity(loyalty.lateness, on_engines("p", tables, **LOYALTY_SETTINGS)).set_index("customer_id")
    assert table.loc["a", "last_day"] == pd.Timestamp("2026-04-30") and table.loc["a", "expected_day"] == pd.Timestamp("2026-05-13")
    assert table["owner"].fillna("").to_dict() == {"a": "ann", "b": "bob", "c": "", "d": ""}
    once = loyalty.lateness(Process.from_tables("p", **BAD["everybody once"], **SETTINGS))
    assert once["expected_day"].isna().all() and once["owner"].isna().all()


# Gaps: c 10, 10, 80; d 10, 10; e 10, 500. Their median is 10, every limit 30 days, but that of e after the long gap:
# exp((2 ln 255 + 2 ln 10) / 4) = 50.5, limit 151.
SILENT = {"c": [0, 10, 20, 100], "d": [0, 10, 20], "e": [0, 10, 510]}


def test_came_back_by_hand():
    """c passed its limit on day 50 and came on day 100; again on day 130, and did not. d passed it on day 50, e on day 40 and came
    470 days later, too late; on day 600 e is silent for 90 days, which is not late."""
    for process in on_engines("p", visits(SILENT), **UNTIL).values():
        found = loyalty.came_back_after_silence(process)
        assert (found.silences_count, found.came_back_count, found.came_back_share, found.customers_count) == (4, 1, 0.25, 3)
        assert found.came_back_low_share < 0.25 < found.came_back_high_share


def test_a_silence_needs_a_whole_year_after_its_limit():
    """On day 414 the silences that passed their limit on day 50 were followed for 364 days, that of e, since day 40, for 374."""
    early = Process.from_tables("p", **visits({"c": [0, 10, 20, 100], "d": [0, 10, 20], "e": [0, 10]}), observed_from="2024-01-01",
                                as_of=START + pd.Timedelta(days=414))
    assert loyalty.came_back_after_silence(early).silences_count == 1
    none = loyalty.came_back_after_silence(Process.from_tables("p", **TABLES, **SETTINGS))
    assert none.silences_count == 0 and math.isnan(none.came_back_share) and isinstance(none, CameBack)


@pytest.mark.parametrize("name", ["wholesale", "retail"])
def test_came_back_of_the_demonstration_company_in_plain_python(demo, name):
    process = demo.process(name)
    rows = collect(process.table("orders").select("order_id", "customer_id", "ordered_at", "amount"))
    rows = rows[rows["amount"] > 0].sort_values(["customer_id", "ordered_at", "order_id"])
    own_days = {}
    for customer, own in rows.groupby("customer_id"):
        times = own["ordered_at"].tolist()
        starts = [(times[0], None)] + [(now, before) for before, now in pairwise(times) if now.date() != before.date()]
        own_days[customer] = (starts, times)
    gap_of = {customer: [max((now - before) / pd.Timedelta(days=1), 1) for now, before in starts[1:]]
              for customer, (starts, _) in own_days.items()}
    typical = float(np.median([gap for gaps in gap_of.values() for gap in gaps]))
    silences = back = 0
    for customer, (_, times) in own_days.items():
        gaps = gap_of[customer]
        ends = np.cumsum(gaps[::-1])[::-1] if gaps else []
        last = (process.as_of - times[-1]) / pd.Timedelta(days=1)
        for turn, gap in enumerate([*gaps, None]):
            middle = math.log(np.median(gaps[:turn])) if turn else 0
            limit = 3 * math.exp((turn * middle + 2 * math.log(typical)) / (turn + 2))
            seen = last + (ends[turn] if gap is not None else 0)
            if (last if gap is None else gap) > limit and seen - limit >= 365:
                silences += 1
                back += gap is not None and gap - limit <= 365
    found = loyalty.came_back_after_silence(process)
    # Same-day orders move a start by hours, so a silence at the very border may fall on the other side.
    assert abs(found.silences_count - silences) <= 2 and abs(found.came_back_count - back) <= 2


# -- groups of clients -------------------------------------------------------------------------------------------------------


TENS = {"best": list(range(400, 600, 10)), "regular": list(range(400, 600, 10)), "new": [590], "cooling": [560, 570, 580],
        "leaving": [480, 490, 500], "once": [100], "gone": [80, 90, 100]}


def test_groups_by_hand():
    """Everybody's usual gap is 10 days, the limit 30: silent for 10 (best, regular, new), 20 (cooling: over 15), 100 (leaving: 70 days
    beyond the limit) and 500 days (gone, once). Of two regular clients the one with more money is above the four-fifths mark."""
    tables = visits(TENS, {"best": 100.0, "regular": 20.0, "gone": 1000.0})
    table = assert_parity(loyalty.rfm_groups, on_engines("p", tables, **UNTIL)).set_index("client_group")
    assert table.index.str.removeprefix("client_").tolist() == ["best", "regular", "new", "cooling", "leaving", "once", "gone"]
    assert table["customers_count"].tolist() == [1] * 7 and table["clients_share"].tolist() == pytest.approx([1 / 7] * 7)
    assert table["yearly_amount"].tolist() == [2000, 400, 10, 30, 30, 10, 3000]
    assert table["yearly_amount_share"].tolist() == pytest.approx((table["yearly_amount"] / 5480).tolist())
    assert table["what_to_do"].is_unique


def test_who_was_known_before_is_not_new_and_nobody_stands_out_among_equals():
    days = {"older": [590], "one": [570, 580, 590], "two": [570, 580, 590]}
    known = pd.DataFrame({"customer_id": ["older"], "first_order_at": ["2020-01-01"]})
    table = loyalty.rfm_groups(Process.from_tables("p", **visits(days, {"older": 30.0}), customers=known, **UNTIL))
    assert table.set_index("client_group")["customers_count"].loc[lambda counts: counts > 0].to_dict() == {"client_regular": 3}


def test_without_a_rhythm_all_are_new():
    table = loyalty.rfm_groups(Process.from_tables("p", **BAD["everybody once"], **SETTINGS)).set_index("client_group")
    assert table.loc["client_new", "customers_count"] == table["customers_count"].sum() == 40


@pytest.mark.parametrize("name", ["wholesale", "retail", "custom"])
def test_groups_add_up_and_agree_with_the_list_of_late_clients(demo, name):
    table, late = loyalty.rfm_groups(demo.process(name)), loyalty.lateness(demo.process(name))
    rows = table.set_index("client_group")
    assert rows["customers_count"].sum() == len(late) and rows["yearly_amount"].sum() == pytest.approx(late["yearly_amount"].sum())
    assert rows.loc[["client_leaving", "client_once", "client_gone"], "customers_count"].sum() == late["is_late"].sum()
    assert rows["yearly_amount_share"].sum() == pytest.approx(1)


# -- concentration ------------------------------------------------------------------------------------------------------------


# The year before 2026-07-01 begins on 1 July 2025: a's 40, b's 20 and c's 15 lie in it; r returned more than was bought.
MONEY = {"orders": pd.DataFrame(
    [("1", "a", "2025-06-30 23:59", 20), ("2", "a", "2025-07-01", 40), ("3", "b", "2025-12-01", 20), ("4", "c", "2026-01-01", 15),
     ("5", "c", "2026-01-05", -5), ("6", "d", "2025-01-01", 10), ("7", "r", "2026-01-01", 10), ("8", "r", "2026-02-01", -15),
     ("9", None, "2026-03-01", 500)], columns=["order_id", "customer_id", "ordered_at", "amount"])}
YEAR = {"as_of": "2026-07-01", "observed_from": "2024-07-01"}


def test_concentration_by_hand():
    """60, 20, 10, 10: differences 40, 50, 50, 10, 10, 0, so Gini = 2 · 160 / 4² / (2 · 25). In the last year 40, 20, 10."""
    table = assert_parity(loyalty.concentration, on_engines("p", MONEY, **YEAR)).set_index("period")
    row = table.loc["all_observed"]
    assert (row.customers_count, row.refunded_count, row.amount, row.largest_share) == (4, 1, 100, 0.6)
    assert (row.top_1_count, row.top_20_count, row.top_20_share, row.few) == (1, 1, 0.6, True) and row.gini == pytest.approx(0.4)
    last = table.loc["last_year"]
    assert (last.customers_count, last.amount, last.largest_share) == (3, 70, 40 / 70) and last.gini == pytest.approx(2 / 7)
    assert len(loyalty.concentration(Process.from_tables("p", **MONEY, **{**YEAR, "observed_from": "2025-07-01"}))) == 1


def test_lorenz_by_hand():
    curve = assert_parity(loyalty.lorenz, on_engines("p", MONEY, **YEAR))
    assert curve["clients_count"].tolist() == [0, 1, 2, 3, 4] and curve["clients_amount"].tolist() == [0, 60, 80, 90, 100]
    assert curve["clients_share"].tolist() == [0, 0.25, 0.5, 0.75, 1] and curve["clients_amount_share"].iloc[-2] == 0.9
    assert loyalty.lorenz(Process.from_tables("p", **MONEY, **YEAR), period="last_year")["clients_count"].tolist() == [0, 1, 2, 3]
    with pytest.raises(CallError, match="Did you mean 'last_year'"):
        loyalty.lorenz(Process.from_tables("p", **MONEY, **YEAR), period="last year")


def test_largest_clients_by_hand():
    table = assert_parity(loyalty.largest_clients, on_engines("p", MONEY, **YEAR)).set_index("customer_id")
    assert table.index.tolist() == ["a", "b", "c", "d"] and table["amount_share"].tolist() == [0.6, 0.2, 0.1, 0.1]
    assert table["last_year_amount"].tolist() == [40, 20, 10, 0]
    assert table["last_year_share"].tolist() == pytest.approx([40 / 70, 20 / 70, 10 / 70, 0])
    assert table.loc["a", "last_day"] == pd.Timestamp("2025-07-01") and table["orders_count"].tolist() == [2, 1, 1, 1]
    assert len(loyalty.largest_clients(Process.from_tables("p", **MONEY, **YEAR), most=2)) == 2


def test_one_client_is_the_planted_share_of_wholesale(demo):
    story = json.loads((ROOT / "data" / "demo" / "truth.json").read_text(encoding="utf-8"))["processes"]["wholesale"]["stories"]
    row = loyalty.largest_clients(demo.process("wholesale")).iloc[0]
    assert row.customer_id == story["key_client"]["customer_id"]
    assert row.amount_share == pytest.approx(story["key_client"]["amount_share"], abs=0.002)


@pytest.mark.parametrize("name", ["wholesale", "retail", "custom"])
def test_concentration_of_the_demonstration_company_in_plain_pandas(demo, name):
    process = demo.process(name)
    amounts = collect(money_rows(process)).groupby("customer_id")["amount"].sum()
    amounts = amounts[amounts > 0].sort_values(ascending=False).to_numpy() / 100
    row = loyalty.concentration(process).iloc[0]
    fifth = math.ceil(len(amounts) / 5)
    assert (row.top_20_count, row.top_20_share) == (fifth, pytest.approx(amounts[:fifth].sum() / amounts.sum()))
    differences = np.abs(amounts[:, None] - amounts[None, :]).mean()
    assert row.gini == pytest.approx(differences / 2 / amounts.mean())
    curve = loyalty.lorenz(process)
    assert len(curve) == 101 and curve["clients_count"].iloc[20] == fifth
    assert curve["clients_amount_share"].tolist() == pytest.approx(
        [amounts[:count].sum() / amounts.sum() for count in curve["clients_count"]])


def test_limits_by_linearization_agree_with_the_jackknife():
    amounts = np.sort(np.random.default_rng(2).lognormal(0, 1, 300))[::-1]
    for measure, top in ((lambda values: _gini(values), None), (lambda values: _top_share(values, len(values) // 5), 60)):
        moved = measure(amounts)[1]
        one_less = np.array([measure(np.delete(amounts, at))[0] for at in range(len(amounts))])
        jackknife = np.sqrt(299 / 300 * ((one_less - one_less.mean())**2).sum())
        assert np.sqrt((moved**2).sum() / 300 / 299) == pytest.approx(jackknife, rel=0.05), top
        assert moved.sum() == pytest.approx(0, abs=1e-9)


def test_limits_cover_the_true_gini():
    """Lognormal amounts with σ = 0.8 have Gini 2 Φ(σ / √2) − 1 = 0.4284; the limits hold it in nine of ten samples at least."""
    from scipy.stats import norm

    rng, true = np.random.default_rng(3), 2 * norm.cdf(0.8 / np.sqrt(2)) - 1
    held = [low <= true <= high for _, low, high in
            (_limited(*_gini(np.sort(rng.lognormal(0, 0.8, 300))[::-1])) for _ in range(300))]
    assert true == pytest.approx(0.4284, abs=1e-4) and 0.9 <= np.mean(held) <= 0.99


@settings(max_examples=12)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(-20, 100)), min_size=1, max_size=40), st.randoms())
def test_laws(rows, random):
    """A Lorenz curve rises, bends one way and ends at one; permuting rows and scaling the money change no share."""
    def company(rows: list[tuple], factor: int = 1) -> Process:
        frame = pd.DataFrame([(f"{n:02}", name, "2026-01-01", amount * factor) for n, (name, amount) in enumerate(rows)],
                             columns=["order_id", "customer_id", "ordered_at", "amount"])
        return Process.from_tables("p", orders=frame, **YEAR)

    process, mixed = company(rows), list(rows)
    random.shuffle(mixed)
    curve, row = loyalty.lorenz(process), loyalty.concentration(process).iloc[0]
    pd.testing.assert_frame_equal(curve, loyalty.lorenz(company(mixed)))
    if row.customers_count:
        steps = np.diff(curve["clients_amount_share"])
        assert (steps > 0).all() and (np.diff(steps) <= 1e-12).all() and curve["clients_amount_share"].iloc[-1] == pytest.approx(1)
        assert 0 <= row.gini < 1 and row.largest_share <= row.top_20_share <= 1
        tenfold = loyalty.concentration(company(rows, 10)).iloc[0]
        assert (tenfold.gini, tenfold.top_5_share) == (pytest.approx(row.gini), pytest.approx(row.top_5_share))
    people = {name for name, amount in rows if amount != 0}
    assert row.customers_count + row.refunded_count == len(people)


# -- bad input ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gives_a_table_or_a_reason(case):
    process = Process.from_tables("p", **{**SETTINGS, **BAD[case]})
    for measure in (loyalty.lateness, loyalty.rfm_groups, loyalty.came_back_after_silence, loyalty.concentration, loyalty.lorenz,
                    loyalty.largest_clients):
        if case == "no orders":
            with pytest.raises(MeasureError, match="p: needs the table 'orders'"):
                measure(process)
        else:
            found = measure(process)
            assert not (isinstance(found, pd.DataFrame) and np.isinf(found.select_dtypes("number")).any(axis=None))


def test_one_giant_client_and_one_client():
    giant = loyalty.concentration(Process.from_tables("p", **BAD["one giant client"], **SETTINGS)).iloc[0]
    assert giant.largest_share > 0.999 and giant.gini == pytest.approx(40 / 41, abs=1e-3) and giant.gini_high <= 1
    one = loyalty.concentration(Process.from_tables("p", **BAD["one client"], **SETTINGS)).iloc[0]
    assert (one.largest_share, one.gini, one.customers_count) == (1, 0, 1) and math.isnan(one.gini_low)
    equal = loyalty.concentration(Process.from_tables("p", **BAD["everybody once"], **SETTINGS)).iloc[0]
    assert (equal.top_20_share, equal.gini) == (pytest.approx(0.2), pytest.approx(0)) and math.isnan(equal.top_20_low_share + equal.gini_high)


def test_refunds_above_purchases_leave_a_client_out():
    row = loyalty.concentration(Process.from_tables("p", **BAD["refunds above purchases"], **SETTINGS)).iloc[0]
    assert (row.customers_count, row.refunded_count, row.largest_share) == (1, 1, 1)
    nothing = loyalty.concentration(Process.from_tables("p", **BAD["all is refunded"], **SETTINGS)).iloc[0]
    assert (nothing.customers_count, nothing.refunded_count) == (0, 1) and math.isnan(nothing.gini)
    assert loyalty.lorenz(Process.from_tables("p", **BAD["all is refunded"], **SETTINGS)).empty
