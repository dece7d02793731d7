"""The levels of technology: one log for each level, laws, planted stories."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from funnel_lib import MeasureError, Process, efficiency
from tests.conftest import ROOT
from tests.efficiency.company import SETTINGS, TABLES
from tests.engines import assert_parity, on_engines

# -- the levels of technology --------------------------------------------------------------------------------------------

CARDS = [{"key": key, "stage": "conversion", "role": "caller", "level": level} for key, level in
         [("automatic", 4), ("assisted", 3), ("scripted", 2), ("described", 3), ("craft", 0), ("rare", 2), ("idle", 1)]]


def _log(card: str, executions: list[tuple[str, str, float, bool]]) -> list[tuple]:
    return [("2026-01-05", "conversion", role, hours, employee, card, automated)
            for role, employee, hours, automated in executions]


# One log per level, at the edge of its rule.
LOG = pd.DataFrame(
    _log("automatic", [("caller", "ann", 1.0, False)] * 2 + [("robot", None, 0.1, True)] * 18)
    + _log("assisted", [("caller", "ann", 1.0, False)] * 14 + [("caller", "ann", 1.0, True)] * 6)
    + _log("scripted", [("caller", "ann", 1.0, False)] * 16 + [("caller", "bob", 2.0, False)] * 4)
    # Two employees, but the second does less than a fifth.
    + _log("described", [("caller", "ann", 1.0, False)] * 18 + [("caller", "bob", 1.0, False)] * 3)
    # Two employees, but the hours vary too much, and 65 % are by the card's role.
    + _log("craft", [("caller", "ann", 0.1, False)] * 13 + [("seller", "sue", 5.0, False)] * 7)
    + _log("rare", [("caller", "ann", 1.0, False)] * 19)
    + _log("undescribed", [("caller", "ann", 1.0, False)] * 20),
    columns=["date", "stage", "role", "hours", "employee", "card", "automated"])
LEVEL_SETTINGS = {"as_of": "2026-03-02", "observed_from": "2026-01-01", "cards": CARDS, "roles": SETTINGS["roles"]}


def test_one_log_for_each_level():
    cards = assert_parity(efficiency.technologization, on_engines("p", {"work": LOG}, **LEVEL_SETTINGS)).set_index("card")
    assert cards["shown_level"].dropna().to_dict() == {"automatic": 4, "assisted": 3, "scripted": 2, "described": 1, "craft": 0,
                                                       # Nobody says whose work it is, and one employee does it.
                                                       "undescribed": 0}
    assert cards.loc["rare", "executions_count"] == 19
    assert cards.loc["idle", ["executions_count", "hours"]].tolist() == [0, 0]
    assert cards.loc["described", "level_gap"] == 2
    assert np.isnan(cards.loc["undescribed", "claimed_level"])


def test_the_evidence_beside_the_level():
    row = efficiency.technologization(Process.from_tables("p", work=LOG, **LEVEL_SETTINGS)).set_index("card").loc["scripted"]
    hours = np.array([1.0] * 16 + [2.0] * 4)
    assert row["performers_count"] == 2
    assert row["hours_variation"] == pytest.approx(hours.std(ddof=1) / hours.mean())
    assert (row["automated_share"], row["by_role_share"]) == (0, 1)


def test_the_level_of_a_stage_weighs_cards_by_their_hours():
    levels = efficiency.stage_levels(Process.from_tables("p", work=LOG, **LEVEL_SETTINGS)).set_index("stage")
    hours = LOG.groupby("card")["hours"].sum()
    shown = pd.Series({"automatic": 4, "assisted": 3, "scripted": 2, "described": 1, "craft": 0, "undescribed": 0})
    weights = hours[shown.index]
    assert levels.loc["conversion", "shown_level"] == pytest.approx((shown * weights).sum() / weights.sum())
    assert levels.loc["all", "hours"] == pytest.approx(hours.sum())
    assert levels.loc["conversion", "known_hours_share"] == pytest.approx(weights.sum() / hours.sum())


def test_payback_of_the_next_level_by_hand():
    # 60 hours in two months of 30.4375 days, at 10 an hour: 30 hours a month, of which half are freed: 150 a month.
    month = 30.4375
    work = pd.DataFrame([("2026-01-05", "conversion", "caller", 3.0, "call")] * 20,
                        columns=["date", "stage", "role", "hours", "card"])
    settings = {"as_of": pd.Timestamp("2026-01-01") + pd.Timedelta(days=2 * month), "observed_from": "2026-01-01",
                "roles": SETTINGS["roles"]}
    for monthly, payback in [(50, 3.0), (150, np.nan), (200, np.nan)]:
        card = {"key": "call", "stage": "conversion", "role": "caller",
                "next_level": {"setup_cost": 300, "monthly_cost": monthly, "hours_saved_share": 0.5}}
        row = efficiency.technologization(Process.from_tables("p", work=work, cards=[card], **settings)).iloc[0]
        assert row["freed_hours_per_month"] == pytest.approx(15)
        assert row["monthly_gain_amount"] == pytest.approx(150 - monthly)
        assert row["payback_months"] == pytest.approx(payback, nan_ok=True)


def test_cards_without_a_log_claim_and_show_nothing():
    cards = efficiency.technologization(Process.from_tables("p", leads=TABLES["leads"], cards=CARDS))
    assert len(cards) == len(CARDS)
    assert cards["shown_level"].isna().all()
    with pytest.raises(MeasureError, match="technology cards"):
        efficiency.technologization(Process.from_tables("p", leads=TABLES["leads"]))


def test_planted_levels_are_found(demo):
    truth = json.loads((ROOT / "data" / "demo" / "truth.json").read_text("utf-8"))
    for name, process in truth["processes"].items():
        cards = efficiency.technologization(demo.process(name)).set_index("card")
        planted = process["stories"]["card_levels"]
        assert cards["claimed_level"].to_dict() == {card: levels["claimed"] for card, levels in planted.items()}
        assert cards["shown_level"].to_dict() == {card: levels["shown"] for card, levels in planted.items()}
