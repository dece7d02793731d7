"""Step rates: hand-counted for every mode and edge, a second way in pandas, laws."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import CallError, MeasureError, Process, conversion
from tests.conftest import ROOT
from tests.conversion.seven_rows import EVENTS, LEADS, SETTINGS, TABLES
from tests.engines import assert_parity, on_engines


@pytest.fixture(scope="module")
def small():
    return on_engines("small", TABLES, **SETTINGS)


def _counts(table: pd.DataFrame) -> dict[str, tuple[int, int]]:
    return {row.step: (row.reached_count, row.base_count) for row in table.itertuples()}


def test_reached_counts_this_or_any_later_step(small):
    """Eight leads (spam never was one). Contacted: all but `lost`. Meeting: one. Proposal: straight, skipper, returner, tied,
    early (time unknown), backwards. Won: straight, skipper."""
    table = assert_parity(conversion.step_rates, small)
    assert _counts(table) == {"contacted": (7, 8), "meeting": (1, 7), "proposal": (6, 7), "won": (2, 6)}
    assert table["overall_share"].tolist() == [7 / 8, 1 / 8, 6 / 8, 2 / 8]
    assert table["amount"].tolist() == [3200, 100, 2500, 300]


def test_visited_counts_this_very_step_of_all_leads(small):
    """The skipper visited `won` only."""
    table = assert_parity(conversion.step_rates, small, mode="visited")
    assert _counts(table) == {"contacted": (6, 8), "meeting": (1, 8), "proposal": (5, 8), "won": (2, 8)}


def test_ordered_takes_each_step_after_the_one_before(small):
    """`backwards` has no proposal after a contact, `early` none with a time, the skipper no first step."""
    table = assert_parity(conversion.step_rates, small, mode="ordered")
    assert _counts(table) == {"contacted": (6, 8), "meeting": (1, 6), "proposal": (3, 6), "won": (1, 3)}


def test_window_takes_only_leads_old_enough_and_entries_within_it(small):
    """30 days: `young` (12 days old) is out; straight won after exactly 30 days counts, the skipper too; the returner's
    proposal on day 54 does not."""
    table = assert_parity(conversion.step_rates, small, window_days=30)
    assert _counts(table) == {"contacted": (6, 7), "meeting": (1, 6), "proposal": (5, 6), "won": (2, 5)}
    assert table["too_young_count"].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("window", [-1, 0, "x", float("nan"), True])
def test_a_window_is_a_number_of_days(small, window):
    with pytest.raises(CallError, match=r"window_days=.*expected a number of days above 0"):
        conversion.step_rates(small["pandas"], window_days=window)


def test_one_day_short_of_the_window(small):
    table = conversion.step_rates(small["pandas"], window_days=29)
    assert _counts(table)["won"] == (0, 4)
    # `young` is 12 days old: in at 12, out at 13.
    assert conversion.step_rates(small["pandas"], window_days=12)["leads_count"].iloc[0] == 8
    assert conversion.step_rates(small["pandas"], window_days=13)["leads_count"].iloc[0] == 7


def test_groups_keep_missing_apart_from_unknown_and_add_up(small):
    table = assert_parity(conversion.step_rates, small, by="channel")
    first = table[table["step"] == "contacted"].set_index("channel")
    assert first["leads_count"].to_dict() == {"site": 3, "call": 3, "(missing)": 1, "unknown": 1}
    total = conversion.step_rates(small["pandas"])
    sums = table.groupby("step", sort=False)["reached_count"].sum()
    assert sums.to_dict() == total.set_index("step")["reached_count"].to_dict()


def test_leads_from_before_the_recording_are_left_out_of_windowed_rates(small):
    process = Process.from_tables("x", **TABLES, **{**SETTINGS, "observed_from": "2026-01-03"})
    table = conversion.step_rates(process, window_days=30)
    assert (table["leads_count"].iloc[0], table["left_out_count"].iloc[0]) == (4, 3)


def test_counts_without_leads_hand_computed():
    counts = pd.DataFrame({"process": "shop", "step": ["lead", "lead", "won"], "count": [60, 40, 25], "channel": ["a", "b", "a"]})
    process = Process.from_tables("shop", counts=counts, steps=["won"])
    row = conversion.step_rates(process).iloc[0]
    assert (row.base_count, row.reached_count, row.step_share) == (100, 25, 0.25)
    with pytest.raises(MeasureError, match="counts are anonymous"):
        conversion.step_rates(process, returning=True)
    by_channel = conversion.step_rates(process, by="channel").set_index("channel")
    assert by_channel["reached_count"].to_dict() == {"a": 25, "b": 0}
    with pytest.raises(MeasureError, match="by channel only"):
        conversion.step_rates(process, by="owner")


def test_no_leads_at_all_gives_undefined_shares():
    process = Process.from_tables("x", leads=LEADS.head(0), stage_events=EVENTS.head(0), **SETTINGS)
    table = conversion.step_rates(process)
    assert table["leads_count"].tolist() == [0, 0, 0, 0] and table["overall_share"].isna().all()


def test_what_is_missing_is_said():
    with pytest.raises(MeasureError, match="steps of the funnel are not described"):
        conversion.step_rates(Process.from_tables("x", **TABLES))
    with pytest.raises(MeasureError, match="needs the table 'stage_events'"):
        conversion.step_rates(Process.from_tables("x", leads=LEADS, **SETTINGS))
    with pytest.raises(CallError, match=r"by='chanel': there is no such column. Did you mean 'channel'"):
        conversion.step_rates(Process.from_tables("x", **TABLES, **SETTINGS), by="chanel")
    with pytest.raises(CallError, match="Did you mean 'visited'"):
        conversion.step_rates(Process.from_tables("x", **TABLES, **SETTINGS), mode="visitd")


def test_inputs_never_change():
    leads, events = LEADS.copy(), EVENTS.copy()
    conversion.step_rates(Process.from_tables("x", leads=leads, stage_events=events, **SETTINGS))
    pd.testing.assert_frame_equal(leads, LEADS)
    pd.testing.assert_frame_equal(events, EVENTS)


def test_a_loop_of_five_hundred_returns_counts_once():
    loop = pd.DataFrame({"lead_id": "l", "step": ["contacted", "lost"] * 500,
                         "entered_at": pd.date_range("2026-01-01", periods=1000, freq="h")})
    leads = pd.DataFrame({"lead_id": ["l"], "created_at": ["2026-01-01"]})
    process = Process.from_tables("x", leads=leads, stage_events=loop, steps=["contacted", "won"], as_of=AS_OF)
    assert _counts(conversion.step_rates(process)) == {"contacted": (1, 1), "won": (0, 1)}


AS_OF = SETTINGS["as_of"]


@st.composite
def funnels(draw):
    """Random small funnels: any events in any order, ties included."""
    leads = draw(st.integers(1, 12))
    rows = draw(st.lists(st.tuples(st.integers(0, leads - 1), st.sampled_from(["a", "b", "won", "lost"]), st.integers(0, 40)),
                         max_size=40))
    start = pd.Timestamp("2026-01-01")
    return (pd.DataFrame({"lead_id": [str(n) for n in range(leads)], "created_at": start,
                          "channel": [["x", "y", None][n % 3] for n in range(leads)]}),
            pd.DataFrame({"lead_id": [str(row[0]) for row in rows], "step": [row[1] for row in rows],
                          "entered_at": [start + pd.Timedelta(days=row[2]) for row in rows]},
                         ).astype({"lead_id": "str", "step": "str", "entered_at": "datetime64[us]"}))


def _process(leads, events) -> Process:
    return Process.from_tables("x", leads=leads, stage_events=events, steps=["a", "b", "won"], as_of="2026-03-01")


@settings(max_examples=12)
@given(funnels(), st.sampled_from(["reached", "ordered"]), st.sampled_from([None, 10, 30]))
def test_counts_never_rise_down_the_funnel(funnel, mode, window):
    table = conversion.step_rates(_process(*funnel), mode=mode, window_days=window)
    assert (np.diff(table["reached_count"]) <= 0).all()
    assert (table["reached_count"] <= table["base_count"]).all()
    assert table["overall_share"].between(0, 1).all()


@settings(max_examples=12)
@given(funnels(), st.randoms(use_true_random=False))
def test_shuffling_and_repeating_rows_change_nothing(funnel, random):
    leads, events = funnel
    order = list(range(len(events)))
    random.shuffle(order)
    shuffled = pd.concat([events.iloc[order], events]).reset_index(drop=True)
    process, other = _process(leads, events), _process(leads.iloc[::-1], shuffled)
    for mode in ("reached", "visited", "ordered"):
        pd.testing.assert_frame_equal(conversion.step_rates(process, mode=mode), conversion.step_rates(other, mode=mode))


@settings(max_examples=12)
@given(funnels())
def test_ordered_is_never_more_than_visited_and_visited_never_more_than_reached(funnel):
    process = _process(*funnel)
    reached, visited, ordered = (conversion.step_rates(process, mode=mode)["reached_count"] for mode in ("reached", "visited", "ordered"))
    assert (ordered <= visited).all() and (visited <= reached).all()


def test_the_demo_counted_in_plain_pandas(demo):
    """A second way for the windowed funnel of wholesale, on the files themselves."""
    process = demo.process("wholesale")
    folder = ROOT / "data" / "demo"
    leads = _rows(folder / "leads.parquet").drop_duplicates().query("process == 'wholesale'")
    events = _rows(folder / "stage_events.parquet").merge(leads[["lead_id", "created_at"]], on="lead_id")
    as_of = pd.Timestamp("2026-07-01")
    events = events[(events["entered_at"] < as_of) | events["entered_at"].isna()]
    orders = _rows(folder / "orders.parquet").query("process == 'wholesale' and amount > 0")
    customers = pd.read_csv(folder / "customers.csv")
    before = pd.concat([orders[["customer_id", "ordered_at"]].set_axis(["customer_id", "first"], axis=1),
                        customers[["customer_id", "first_order_at"]].set_axis(["customer_id", "first"], axis=1)])
    before["first"] = pd.to_datetime(before["first"], errors="coerce")
    leads = leads.merge(before.groupby("customer_id", as_index=False)["first"].min(), on="customer_id", how="left")
    leads = leads[~(leads["first"] < leads["created_at"])]
    final = events.sort_values("entered_at", kind="stable").groupby("lead_id").last()
    never = final[(final["step"] == "lost") & final["reason"].isin(["duplicate", "spam"])].index
    won = events[events["step"] == "won"]["lead_id"]
    leads = leads[~leads["lead_id"].isin(set(never) - set(won)) & (leads["created_at"] <= as_of - pd.Timedelta(days=180))]
    within = events[events["lead_id"].isin(leads["lead_id"])
                    & (events["entered_at"] - events["created_at"] <= pd.Timedelta(days=180))]
    depth = within["step"].map({"contacted": 1, "meeting": 1, "proposal": 2, "won": 3})
    furthest = depth.groupby(within["lead_id"]).max()
    table = conversion.step_rates(process)
    chain = table[~table["optional"]]
    assert chain["leads_count"].iloc[0] == len(leads)
    assert chain["reached_count"].tolist() == [int((furthest >= position).sum()) for position in (1, 2, 3)]


def _rows(path) -> pd.DataFrame:
    return duckdb.read_parquet(str(path)).df()
