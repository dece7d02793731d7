"""Did it work: Newcombe's published interval, process limits and counts by hand, planted measures and placebos."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from funnel_lib import Process, answers, improvement
from tests.bench.measures_planted import PLANTED, judged
from tests.engines import assert_parity, on_engines
from tests.test_improvement import SETTINGS, TABLES, measure

WEEKS = pd.date_range("2024-01-01", periods=104, freq="7D")
AS_OF = "2025-12-29"


def weekly(reached, leads=20, **more) -> dict[str, pd.DataFrame]:
    """So many leads every Monday, of which `reached(week)` are contacted at noon; nobody wins."""
    rows = [(f"{week}-{number}", day, number < reached(week)) for week, day in enumerate(WEEKS)
            for number in range(leads(week) if callable(leads) else leads)]
    frame = pd.DataFrame(rows, columns=["lead_id", "created_at", "is_contacted"])
    events = frame[frame["is_contacted"]]
    events = pd.DataFrame({"lead_id": events["lead_id"], "step": "contacted", "entered_at": events["created_at"] + pd.Timedelta(hours=12)})
    return {"leads": frame.drop(columns="is_contacted").assign(**more), "stage_events": events}


def process(tables: dict, *measures: dict, **settings) -> Process:
    return Process.from_tables("p", **tables, **{"steps": ["contacted", "won"], "as_of": AS_OF, "observed_from": "2024-01-01",
                                                 "conversion_window_days": 14, "measures": list(measures), **settings})


def judged_row(tables: dict, *measures: dict, **settings) -> pd.Series:
    return improvement.did_it_work(process(tables, *measures, **settings)).iloc[0]


# -- two groups -----------------------------------------------------------------------------------------------------------
GROUPS = {"treated": "B", "control": "A"}


def two_groups(control: tuple[int, int], treated: tuple[int, int]) -> dict[str, pd.DataFrame]:
    rows = [(f"{label}{number}", label, number < reached) for label, (reached, leads) in (("A", control), ("B", treated))
            for number in range(leads)]
    frame = pd.DataFrame(rows, columns=["lead_id", "group", "reached"]).assign(created_at=pd.Timestamp("2025-06-02"))
    early = pd.DataFrame({"lead_id": ["early"], "group": ["B"], "reached": [True], "created_at": [pd.Timestamp("2025-01-06")]})
    young = pd.DataFrame({"lead_id": ["young"], "group": ["B"], "reached": [True], "created_at": [pd.Timestamp("2025-12-22")]})
    frame = pd.concat([frame, early, young])
    events = frame[frame["reached"]]
    events = pd.DataFrame({"lead_id": events["lead_id"], "step": "contacted", "entered_at": events["created_at"] + pd.Timedelta(hours=1)})
    return {"leads": frame.drop(columns="reached"), "stage_events": events}


def test_newcombes_published_interval():
    # 56 of 70 against 48 of 80: 0.2, from 0.0524 to 0.3339 (Newcombe 1998, table II, method 10). Leads of before the start and
    # those too young for the window are in neither group.
    row = judged_row(two_groups((48, 80), (56, 70)), measure("script", "step_rate.contacted", 0.1, starts="2025-06-01", groups=GROUPS))
    assert row[["compared_count", "measured_count"]].tolist() == [80, 70]
    assert row["effect"] == pytest.approx(0.2)
    assert row[["low", "high"]].tolist() == pytest.approx([0.0524, 0.3339], abs=5e-5)
    assert (row["design"], row["verdict"]) == ("randomised", "worked") and row["forecast"] == pytest.approx(0.1)


@pytest.mark.parametrize(("control", "treated", "likely", "verdict"), [
    ((500, 1000), (505, 1000), 0.1, "did not"),        # 0.5 points, at most 5: the 10 foretold are ruled out
    ((50, 100), (52, 100), 0.1, "cannot be told"),     # 2 points, from −12 to 16
    ((500, 1000), (400, 1000), 0.1, "did not"),        # the wrong way
    ((500, 1000), (400, 1000), -0.1, "worked")])       # meant to fall
def test_verdicts(control, treated, likely, verdict):
    trial = measure("trial", "step_rate.contacted", likely, starts="2025-06-01", groups=GROUPS)
    assert judged_row(two_groups(control, treated), trial)["verdict"] == verdict


def test_groups_that_are_not_there_are_said():
    tables = two_groups((5, 10), (5, 10))
    trial = measure("trial", "step_rate.contacted", 0.1, starts="2025-06-01", groups={"treated": "B", "control": "C"})
    row = judged_row(tables, trial)
    assert row["verdict"] == "cannot be told" and "'C'" in row["reason"] and "A, B" in row["reason"]
    row = judged_row({**tables, "leads": tables["leads"].drop(columns="group")}, trial)
    assert "needs the column 'group'" in row["reason"] and np.isnan(row["effect"])


# -- before and after -----------------------------------------------------------------------------------------------------


def test_before_and_after_on_paper():
    # 10 and 12 of 20 in turn, from 2025 on 16: before 55 %, after 80 %. Leads of the last two weeks before the start were under way
    # then, those of the last two weeks are too young.
    row = judged_row(weekly(lambda week: 10 + 2 * (week % 2) if week < 52 else 16),
                     measure("quote", "step_rate.contacted", 0.2, starts="2024-12-30"))
    assert row[["compared_value", "measured_value", "effect"]].tolist() == pytest.approx([0.55, 0.8, 0.25])
    assert row["compared_count"] == 20 * 50 and row["measured_count"] == 20 * 51
    assert row["design"] == "before-after" and row["verdict"] == "worked" and bool(row["steady_before"])
    # Weeks in turn vary less than by chance, so that the interval is Newcombe's plain one.
    error = 1.96 * np.sqrt(0.55 * 0.45 / 1000 + 0.8 * 0.2 / 1020)
    assert row["high"] - row["low"] == pytest.approx(2 * error, rel=0.01)


def test_limits_and_signals_on_paper():
    # Eight weeks of records would make no months: the limits are those of weeks, 11 ± 2.66 × 2 of 20.
    tables = weekly(lambda week: 10 + 2 * (week % 2) if week < 30 else 18)
    trend = improvement.measure_trend(process(tables, measure("quote", "step_rate.contacted", 0.1, starts="2024-07-29")))
    before, after = trend[trend["side"] == "before"], trend[trend["side"] == "after"]
    assert set(trend["per"]) == {"week"} and len(before) == 28
    assert trend[["mean_value", "low_value", "high_value"]].iloc[0].tolist() == pytest.approx([0.55, 0.55 - 0.266, 0.55 + 0.266])
    assert trend["forecast_value"].iloc[0] == pytest.approx(0.65)
    assert set(after["signal"]) == {"outside_limits"} and set(before["signal"]) == {"noise"}
    assert (trend["side"] == "between").sum() == 2


def test_what_moved_before_the_start_proves_nothing():
    # The level changed half a year before the measure.
    row = judged_row(weekly(lambda week: 10 if week < 26 else 16), measure("late", "step_rate.contacted", 0.1, starts="2024-12-30"))
    assert not row["steady_before"] and row["low"] > 0
    assert row["verdict"] == "cannot be told" and "already before" in row["reason"]


def test_ups_and_downs_widen_the_interval():
    # Every month another level: with the same counts the interval must be far wider than the binomial one.
    jumpy = judged_row(weekly(lambda week: 4 if (week // 4) % 2 else 16), measure("m", "step_rate.contacted", 0.1, starts="2024-12-30"))
    plain = 2 * 1.96 * np.sqrt(0.25 / 1000 + 0.25 / 1000)
    assert jumpy["high"] - jumpy["low"] > 2 * plain


def test_a_flow_of_leads_is_relative():
    # 10 leads a week, from 2025 on 15: half as many more; counts vary as by chance: exp(± 1.96 √(1/520 + 1/780)).
    tables = weekly(lambda week: 0, leads=lambda week: 10 if week < 52 else 15, channel="site")
    row = judged_row(tables, measure("ads", "lead_flow.site", 0.3, starts="2024-12-30"), channels=["site"])
    factor = np.exp(1.959964 * np.sqrt(1 / 520 + 1 / 780))
    assert row[["effect", "low", "high"]].tolist() == pytest.approx([0.5, 1.5 / factor - 1, 1.5 * factor - 1], rel=1e-6)
    assert row[["compared_value", "measured_value", "compared_count", "measured_count"]].tolist() == [10, 15, 52, 52]


def test_figures_of_customers_and_orders_by_plain_pandas():
    tables, settings = TABLES, {**SETTINGS, "referral_channels": ["site"]}
    # Every second customer came again; all came by the site, which here counts as a recommendation.
    table = improvement.did_it_work(Process.from_tables("p", **tables, **{**settings, "measures": [
        measure("bonus", "repeat_rate", 0.1, starts="2025-01-06", ends="2025-12-01"),
        measure("ask", "referral_share", 0.1, starts="2025-01-01"), measure("more", "mean_amount", 0.1, starts="2025-01-01"),
        measure("target", "target_share.site", 0.1, starts="2025-01-01")]})).set_index("measure")
    orders = tables["orders"][tables["orders"]["ordered_at"] < AS_OF]
    before = orders.loc[orders["ordered_at"] < "2025-01-01", "amount"]
    after = orders.loc[orders["ordered_at"] >= "2025-01-01", "amount"]
    assert table.loc["more", ["compared_value", "measured_value"]].tolist() == pytest.approx([before.mean(), after.mean()])
    assert table.loc["more", "effect"] == pytest.approx(after.mean() / before.mean() - 1)
    assert table.loc["ask", ["compared_value", "measured_value", "effect"]].tolist() == [1, 1, 0]
    assert table.loc["target", ["compared_value", "measured_value"]].tolist() == [0.5, 0.5]
    # Nobody who came before 2025 has been followed for a year at the start.
    assert table.loc["bonus", "verdict"] == "cannot be told" and "followed long enough" in table.loc["bonus", "reason"]


def test_a_repeat_rate_needs_a_year_on_both_sides():
    three_years = [TABLES, *[{name: frame.assign(**{column: frame[column] + pd.Timedelta(weeks=104) for column in frame.select_dtypes(
        "datetime")}, **{key: frame[key] + " b" for key in ("lead_id", "order_id", "customer_id") if key in frame})
        for name, frame in TABLES.items() if name in ("leads", "stage_events", "orders")}]]
    tables = {name: pd.concat([part[name] for part in three_years]) for name in ("leads", "stage_events", "orders")}
    row = improvement.did_it_work(Process.from_tables("p", **tables, **{**SETTINGS, "as_of": "2027-12-27", "measures": [
        measure("bonus", "repeat_rate", 0.1, starts="2025-12-29")]})).iloc[0]
    # Customers of the first year, half of whom came again; of the third year likewise.
    assert row[["compared_value", "measured_value", "effect"]].tolist() == pytest.approx([0.5, 0.5, 0], abs=0.02)
    assert row["compared_count"] == pytest.approx(52, abs=1) and row["measured_count"] == pytest.approx(52, abs=1)


def test_other_measures_of_the_same_lever_are_named():
    table = improvement.did_it_work(process(weekly(lambda week: 10), measure("one", "step_rate.contacted", 0.1, starts="2024-12-30"),
                                            measure("two", "step_rate.contacted", 0.1, starts="2025-03-03"),
                                            measure("other", "step_rate.won", 0.1, starts="2025-03-03"))).set_index("measure")
    assert table["also_started"].to_dict() == {"one": "two", "two": "one", "other": ""}


def test_what_the_tables_do_not_show_cannot_be_told():
    row = judged_row(weekly(lambda week: 10), measure("faster", "step_days.won", -0.1, starts="2025-01-06"))
    assert row["verdict"] == "cannot be told" and "do not show 'step_days.won'" in row["reason"] and np.isnan(row["effect"])


def test_an_unknown_lever_is_a_finding_and_not_a_row():
    bad = process(weekly(lambda week: 10), measure("typo", "step_rate.contcted", 0.1, starts="2025-01-06"))
    assert improvement.did_it_work(bad).empty and improvement.measure_trend(bad).empty
    assert "Did you mean 'contacted'" in improvement.past_findings(bad)[0].message


def test_only_what_has_started_is_judged():
    tables = weekly(lambda week: 10)
    assert improvement.did_it_work(process(tables)).empty
    assert improvement.did_it_work(process(tables, measure("to_come", "step_rate.contacted", 0.1, starts=AS_OF))).empty
    young = judged_row(tables, measure("young", "step_rate.contacted", 0.1, starts="2025-12-22"))
    assert young["verdict"] == "cannot be told" and "since it works" in young["reason"]


def test_the_same_on_every_engine():
    settings = {**SETTINGS, "measures": [measure("quote", "step_rate.won", 0.1, starts="2025-01-06"),
                                         measure("flow", "lead_flow", 0.1, starts="2025-01-06"),
                                         measure("bonus", "repeat_rate", 0.1, starts="2025-01-06"),
                                         measure("ask", "referral_share", 0.1, starts="2025-01-06"),
                                         measure("more", "mean_amount", 0.1, starts="2025-01-06"),
                                         measure("target", "target_share.site", 0.1, starts="2025-01-06")]}
    assert_parity(improvement.did_it_work, on_engines("p", TABLES, **settings))


# -- planted truth --------------------------------------------------------------------------------------------------------


def test_planted_uplifts_are_found_and_placebos_are_nothing():
    """Two fixed seeds of four measures; the benchmark has a hundred."""
    found = judged(range(2))
    placebos = {planted.name for planted in PLANTED if planted.points == 0}
    assert all(one.verdict != "worked" for one in found if one.name in placebos)
    assert all(one.verdict == "worked" for one in found if one.name not in placebos)
    assert sum(one.holds for one in found) >= len(found) - 1


# -- in words -------------------------------------------------------------------------------------------------------------


def test_the_answer_says_what_it_rests_on_and_what_it_cannot_show():
    tables = {**TABLES, "leads": TABLES["leads"].assign(group=np.where(TABLES["leads"]["lead_id"].str[0].isin(["a", "c"]), "A", "B"))}
    said = answers.improvement(Process.from_tables("p", **tables, **{**SETTINGS, "measures": [
        measure("trial", "step_rate.contacted", 0.1, starts="2025-01-06", groups=GROUPS),
        measure("quote", "step_rate.won", 0.1, starts="2025-01-06"), measure("days", "step_days.won", -0.1, starts="2025-01-06")]}))
    by_measure = {sentence.numbers["measure"]: sentence for sentence in said if sentence.key == "whether_it_worked"}
    assert "control group, drawn at random" in by_measure["trial"] and "foretold: +10 points" in by_measure["trial"]
    assert "By process limits" in by_measure["quote"] and "before" in by_measure["quote"]
    assert "cannot be told" in by_measure["days"]
    warning = next(sentence for sentence in said if sentence.key == "before_after_warning")
    assert warning.startswith("Before and after is no proof") and warning.numbers["measures"] == ["quote"]
    assert said[-1].key == "limits"
