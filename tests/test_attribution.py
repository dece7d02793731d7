"""Attribution: every model counted by hand, a chain solved by hand, a second way in plain Python, laws, odd data."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel_lib import CallError, MeasureError, Process, conversion, lead_flow
from funnel_lib.engine import collect
from funnel_lib.journeys import lead_states
from funnel_lib.lead_flow.attribution import MODELS, NO_TOUCHES
from funnel_lib.lead_flow.markov import removal_effects
from tests.engines import assert_parity, on_engines

# L1 to L3 and L5 are conversions; L4 and L6 are not won, L7 only after the window, L8 is too young.
LEADS = pd.DataFrame([(f"L{number}", "2026-01-01") for number in range(1, 8)] + [("L8", "2026-05-20")],
                     columns=["lead_id", "created_at"])
EVENTS = pd.DataFrame([("L1", "2026-01-22"), ("L2", "2026-01-22"), ("L3", "2026-01-10"), ("L5", "2026-01-05"),
                       ("L7", "2026-02-20"), ("L8", "2026-05-21")], columns=["lead_id", "entered_at"]).assign(step="won")
TOUCHES = pd.DataFrame(
    [("L1", "c", "2026-01-22"), ("L1", "a", "2026-01-08"), ("L1", "b", "2026-01-15"),  # c at the very moment of the win
     ("L1", "d", "2026-01-23"),  # after the win
     ("L2", "a", "2026-01-08"), ("L2", "b", "2026-01-15"), ("L3", "c", "2025-12-25"),  # before the lead's creation
     ("L4", "b", "2026-01-02"), ("L4", "b", "2026-01-03"), ("L4", "a", "2026-02-15"),  # after the window
     ("L7", "a", "2026-01-05"), ("L7", None, "2026-01-06"), ("L8", "a", "2026-05-20"), ("nobody", "a", "2026-01-05"),
     (None, "a", "2026-01-05"), ("L6", "a", "2026-06-02")],  # at or after the end of observation
    columns=["lead_id", "channel", "touched_at"])
TABLES = {"leads": LEADS, "stage_events": EVENTS, "touches": TOUCHES}
SETTINGS = {"as_of": "2026-06-01", "observed_from": "2025-12-01", "steps": ["won"], "conversion_window_days": 30}
BY_HAND = {
    "first": {"a": 2, "b": 0, "c": 1},
    "last": {"a": 0, "b": 1, "c": 2},
    "linear": {"a": 1 / 3 + 1 / 2, "b": 1 / 3 + 1 / 2, "c": 1 / 3 + 1},
    # 14, 7 and 0 days before the win weigh 1/4, 1/2 and 1.
    "time_decay": {"a": 1 / 7 + 1 / 3, "b": 2 / 7 + 2 / 3, "c": 4 / 7 + 1},
    "position": {"a": 0.4 + 0.5, "b": 0.2 + 0.5, "c": 0.4 + 1},
    # Paths: a b c → won; a b → won; c → won; b b → none; a (missing) → none. So start → a 3/5, b 1/5, c 1/5;
    # a → b 2/3, (missing) 1/3; b → b, c, won, none 1/4 each; c → won 1.
    # Chances to convert: c 1; b = 1/4 b + 1/4 + 1/4, so 2/3; a = 2/3 · 2/3 = 4/9; P = 3/5 · 4/9 + 1/5 · 2/3 + 1/5 = 3/5.
    # Without a: 1/5 · 2/3 + 1/5 = 1/3, effect 1 − 5/9 = 4/9. Without b: 1/5, effect 2/3.
    # Without c: b = 1/4 b + 1/4, so 1/3; a 2/9; P = 2/15 + 1/15 = 1/5, effect 2/3. Without (missing): nothing is lost.
    # Effects 4/9 : 6/9 : 6/9, of 3 conversions with touches.
    "markov": {"a": 3 * 4 / 16, "b": 3 * 6 / 16, "c": 3 * 6 / 16},
}


def process(**changes) -> Process:
    return Process.from_tables("p", **{**TABLES, **SETTINGS, **changes})


@pytest.mark.parametrize("model", MODELS)
def test_each_model_by_hand(model):
    table = assert_parity(lead_flow.attribution, on_engines("p", TABLES, **SETTINGS), model=model).set_index("channel")
    assert table["conversions"].to_dict() == pytest.approx({**BY_HAND[model], "(missing)": 0, NO_TOUCHES: 1})
    assert table["touches_count"].to_dict() == {"a": 3, "b": 4, "c": 2, "(missing)": 1, NO_TOUCHES: 0}
    assert table["leads_count"].to_dict() == {"a": 3, "b": 3, "c": 2, "(missing)": 1, NO_TOUCHES: 2}
    assert table["conversions_share"].to_dict() == pytest.approx((table["conversions"] / 4).to_dict())
    assert (table["conversions_low_share"] <= table["conversions_share"]).all()
    assert table.index[-1] == NO_TOUCHES and table["conversions"].iloc[:-1].is_monotonic_decreasing
    effects = table["removal_effect_share"].drop(NO_TOUCHES)
    if model == "markov":
        assert effects.to_dict() == pytest.approx({"a": 4 / 9, "b": 2 / 3, "c": 2 / 3, "(missing)": 0})
        assert (table["removal_effect_low_share"] <= table["removal_effect_high_share"]).drop(NO_TOUCHES).all()
    else:
        assert effects.isna().all()


def test_models_side_by_side_by_hand():
    table = assert_parity(lead_flow.attribution_models, on_engines("p", TABLES, **SETTINGS)).set_index("channel")
    for model, expected in BY_HAND.items():
        assert table[f"{model}_conversions"].to_dict() == pytest.approx({**expected, "(missing)": 0, NO_TOUCHES: 1})
    assert table.loc["a", ["smallest_conversions", "largest_conversions", "spread_conversions"]].tolist() == [0, 2, 2]
    assert list(table.index) == ["a", "b", "c", "(missing)", NO_TOUCHES]  # spreads 2, 1.125, 1, 0
    assert not table["models_differ"].any(), "four conversions tell nothing"


def test_another_model_is_a_wrong_call():
    with pytest.raises(CallError, match="Did you mean 'markov'"):
        lead_flow.attribution(process(), model="markow")


# -- a second way --------------------------------------------------------------------------------------------------------


def plainly(paths: list[tuple[list[tuple[float, str]], float | None]]) -> dict[str, dict[str, float]]:
    """Per model channel → conversions, from (days and channels of the touches, day of the win) of each lead, one by one."""
    credit = {model: {} for model in MODELS}
    moves: dict[str, list[str]] = {}
    for touches, won in paths:
        touches = sorted(touches)
        names = [name for _, name in touches]
        for here, there in zip(["start", *names], [*names, "won" if won is not None else "none"], strict=True):
            moves.setdefault(here, []).append(there)
        if won is None:
            continue
        size = len(names)
        decay = np.array([2.0 ** (-(won - day) / 7) for day, _ in touches])
        position = [1.0] if size == 1 else [0.5, 0.5] if size == 2 else [0.4, *[0.2 / (size - 2)] * (size - 2), 0.4]
        for model, weights in (("first", [1] + [0] * (size - 1)), ("last", [0] * (size - 1) + [1]), ("linear", [1 / size] * size),
                               ("time_decay", decay / decay.sum()), ("position", position)):
            for name, weight in zip(names, weights, strict=True):
                credit[model][name] = credit[model].get(name, 0) + weight
    channels = sorted({name for touches, _ in paths for _, name in touches})
    whole = _chance(moves, None) if paths else 0
    effects = {name: 1 - _chance(moves, name) / whole if whole else 0 for name in channels}
    total = sum(won is not None for _, won in paths)
    credit["markov"] = {name: effects[name] / sum(effects.values()) * total if total else 0 for name in channels}
    return {model: {name: found.get(name, 0) for name in channels} for model, found in credit.items()}


def _chance(moves: dict[str, list[str]], without: str | None) -> float:
    """Probability of a conversion by stepping through the chain until nothing is left on the way."""
    at, won = {"start": 1.0}, 0.0
    for _ in range(20_000):
        after: dict[str, float] = {}
        for here, mass in at.items():
            for there in moves[here]:
                if there == "won":
                    won += mass / len(moves[here])
                elif there not in ("none", without):
                    after[there] = after.get(there, 0) + mass / len(moves[here])
        at = {name: mass for name, mass in after.items() if mass > 1e-15}
        if not at:
            return won
    raise AssertionError("the chain has no end")


touch = st.tuples(st.integers(-10, 25), st.sampled_from(["a", "b", "c", "d"]))
lead = st.tuples(st.lists(touch, max_size=5), st.one_of(st.none(), st.integers(1, 25)))


@settings(max_examples=12)
@given(st.lists(lead, min_size=1, max_size=12))
def test_laws_and_the_second_way(leads):
    """Every model sums to the conversions, whatever the paths; each agrees with the lead-by-lead way."""
    day, start = pd.Timedelta(days=1), pd.Timestamp(2026, 1, 1)
    rows = [(str(n), name, start + at * day) for n, (touches, _) in enumerate(leads) for at, name in touches]
    won = [(str(n), "won", start + at * day) for n, (_, at) in enumerate(leads) if at is not None]
    some = Process.from_tables(
        "p", **SETTINGS, leads=pd.DataFrame({"lead_id": [str(n) for n in range(len(leads))], "created_at": start}),
        stage_events=pd.DataFrame(won, columns=["lead_id", "step", "entered_at"]).astype({"entered_at": "datetime64[us]"}),
        touches=pd.DataFrame(rows, columns=["lead_id", "channel", "touched_at"]).astype({"touched_at": "datetime64[us]"}))
    table = lead_flow.attribution_models(some).set_index("channel")
    columns = [f"{model}_conversions" for model in MODELS]
    np.testing.assert_allclose(table[columns].sum(), len(won), atol=1e-9)
    assert (table[columns] >= 0).all(axis=None)
    kept = [([(at, name) for at, name in touches if end is None or at <= end], end) for touches, end in leads]
    expected = plainly([(touches, end) for touches, end in kept if touches])
    for model in MODELS:
        found = table[f"{model}_conversions"].drop(NO_TOUCHES, errors="ignore").to_dict()
        assert found == pytest.approx(expected[model], abs=1e-8), model


def test_the_demonstration_company_lead_by_lead(demo):
    retail = demo.process("retail")
    leads, touches = collect(lead_states(retail)), collect(retail.table("touches"))
    window = pd.Timedelta(days=retail.settings.conversion_window_days)
    leads = leads[(leads["created_at"] <= retail.as_of - window) & (leads["created_at"] >= retail.observed_from)]
    leads = leads.assign(won_in=leads["won_at"].where(leads["won_at"] <= leads["created_at"] + window))
    leads["end"] = leads["won_in"].fillna(leads["created_at"] + window)
    both = touches.drop(columns="cost").merge(leads[["lead_id", "created_at", "won_in", "end"]].rename(
        columns={"created_at": "born"}), on="lead_id")
    both = both[both["touched_at"] <= both["end"]]
    days = {name: (both[name] - both["born"]) / pd.Timedelta(days=1) for name in ("touched_at", "won_in")}
    both = both.assign(day=days["touched_at"], won_day=days["won_in"])
    paths = [(list(zip(part["day"], part["channel"], strict=True)), None if part["won_day"].isna().all() else part["won_day"].iloc[0])
             for _, part in both.groupby("lead_id")]
    table = lead_flow.attribution_models(retail).set_index("channel")
    for model, expected in plainly(paths).items():
        assert table[f"{model}_conversions"].drop(NO_TOUCHES).to_dict() == pytest.approx(expected, rel=1e-8), model
    reached = conversion.step_rates(retail).iloc[-1]
    assert table["markov_conversions"].sum() == pytest.approx(reached["reached_count"], abs=1e-9)
    assert lead_flow.attribution(retail)["leads_count"].iloc[-1] == reached["leads_count"] - both["lead_id"].nunique()


# -- the chain -----------------------------------------------------------------------------------------------------------


def test_thirty_channels_take_far_less_than_a_second():
    rng = np.random.default_rng(5)
    starts, moves, won, lost = (rng.integers(1, 10**6, size) for size in (30, (30, 30), 30, 30))
    before = time.perf_counter()
    effects = removal_effects(starts, moves, won, lost)
    assert time.perf_counter() - before < 0.5
    assert ((effects.low_share < effects.share) & (effects.share < effects.high_share)).mean() > 0.8


def test_limits_of_one_channel_among_two_independent_ones():
    """All paths have one touch: without a channel its own conversions are lost, a binomial share; 40 of 100 converted."""
    effects = removal_effects(np.array([100, 100]), np.zeros((2, 2)), np.array([40, 60]), np.array([60, 40]))
    assert effects.share.tolist() == pytest.approx([0.4, 0.6])
    # The share of Gamma draws: logit error √(1/40 − 1/100 + 1/60 − 1/100 + 2/100) = 0.204.
    low, high = 1 / (1 + np.exp(-(np.log(2 / 3) + np.array([-1.96, 1.96]) * 0.204)))
    assert (effects.low_share[0], effects.high_share[0]) == pytest.approx((low, high), abs=0.02)


# -- odd data ------------------------------------------------------------------------------------------------------------


def test_simultaneous_touches_go_by_the_name_of_the_channel():
    touches = pd.DataFrame({"lead_id": "L1", "channel": ["z", "m", "a"], "touched_at": "2026-01-08"})
    for order in ([0, 1, 2], [2, 0, 1]):
        both = on_engines("p", {**TABLES, "touches": touches.iloc[order]}, **SETTINGS)
        table = assert_parity(lead_flow.attribution_models, both).set_index("channel")
        assert table.loc["a", "first_conversions"] == 1 and table.loc["z", "last_conversions"] == 1
        assert table.loc[["a", "m", "z"], "time_decay_conversions"].tolist() == pytest.approx([1 / 3] * 3)


def test_one_channel_only():
    table = lead_flow.attribution_models(process(touches=TOUCHES.assign(channel="a"))).set_index("channel")
    assert table.loc["a", [f"{model}_conversions" for model in MODELS]].tolist() == pytest.approx([3] * 6)
    assert lead_flow.attribution(process(touches=TOUCHES.assign(channel="a")))["removal_effect_share"].iloc[0] == 1


def test_no_conversion_at_all():
    lost = EVENTS.assign(step="lost")
    for one in on_engines("p", {**TABLES, "stage_events": lost}, **SETTINGS).values():
        for model in MODELS:
            table = lead_flow.attribution(one, model=model)
            assert (table["conversions"] == 0).all() and table["conversions_share"].isna().all()
        assert (lead_flow.attribution_models(one)["spread_conversions"] == 0).all()


@pytest.mark.parametrize("touches", [TOUCHES.head(0), TOUCHES[TOUCHES["lead_id"] == "nobody"]])
def test_no_touch_of_these_leads(touches):
    for one in on_engines("p", {**TABLES, "touches": touches}, **SETTINGS).values():
        table = lead_flow.attribution(one)
        assert table[["channel", "conversions", "leads_count"]].to_numpy().tolist() == [[NO_TOUCHES, 4, 7]]
        assert len(lead_flow.attribution_models(one)) == 1


def test_every_lead_touched_has_no_row_without_touches():
    some = LEADS[LEADS["lead_id"].isin(["L1", "L2"])]
    assert NO_TOUCHES not in set(lead_flow.attribution(process(leads=some))["channel"])


def test_a_touch_of_decades_ago_still_sums_up():
    touches = pd.DataFrame({"lead_id": ["L1", "L2", "L2"], "channel": ["a", "a", "b"],
                            "touched_at": ["1971-01-01", "1971-01-01", "1971-01-01"]})
    table = lead_flow.attribution(process(touches=touches), model="time_decay").set_index("channel")
    assert table["conversions"].to_dict() == pytest.approx({"a": 1.5, "b": 0.5, NO_TOUCHES: 2})


def test_wins_without_a_moment_count_and_their_touches_up_to_the_window():
    events = EVENTS.assign(entered_at=EVENTS["entered_at"].where(EVENTS["lead_id"] != "L1"))
    table = lead_flow.attribution(process(stage_events=events), model="last").set_index("channel")
    assert table["conversions"].to_dict() == {"d": 1, "b": 1, "c": 1, "a": 0, "(missing)": 0, NO_TOUCHES: 1}


def test_without_a_window_and_without_moments_every_lead_counts_with_its_state():
    events = EVENTS.assign(entered_at=pd.NaT)
    for one in on_engines("p", {**TABLES, "stage_events": events}, **SETTINGS | {"conversion_window_days": None}).values():
        table = lead_flow.attribution(one, model="last").set_index("channel")
        assert table["conversions"].to_dict() == {"d": 1, "b": 1, "c": 1, "a": 1, "(missing)": 1, NO_TOUCHES: 1}


def test_without_a_window_leads_are_followed_until_nine_tenths_of_the_wins():
    """Wins after 1, 4, 9, 21, 21 and 50 days: nine tenths are in only on day 50, so L7's counts and L8 is still too young."""
    one = process(conversion_window_days=None, leads=LEADS.assign(owner="x"))
    assert conversion.comparison(one)["equal_window_days"].iloc[0] == 50
    assert lead_flow.attribution(one)["conversions"].sum() == pytest.approx(5)


def test_what_is_missing_is_said():
    with pytest.raises(MeasureError, match="needs the table 'touches'"):
        lead_flow.attribution(process(touches=None))
    with pytest.raises(MeasureError, match="needs the table 'stage_events'"):
        lead_flow.attribution(process(stage_events=None))
    with pytest.raises(MeasureError, match="needs leads at least 30 days old"):
        lead_flow.attribution_models(process(as_of="2026-01-15", observed_from=None))


def test_returning_customers_and_what_never_was_a_lead_are_left_out():
    leads = LEADS.assign(returning=LEADS["lead_id"] == "L1")
    events = pd.concat([EVENTS, pd.DataFrame([("L4", "2026-01-05", "lost", "spam")],
                                             columns=["lead_id", "entered_at", "step", "reason"])])
    table = lead_flow.attribution(process(leads=leads, stage_events=events, not_leads=["spam"]), model="first")
    assert table.set_index("channel")["conversions"].to_dict() == {"a": 1, "c": 1, "b": 0, "(missing)": 0, NO_TOUCHES: 1}
    assert table["touches_count"].sum() == 5
