"""Open data sets through their mappings, against facts that were counted apart from this package or were published."""

from __future__ import annotations

import pandas as pd
import pytest

from funnel_lib import Process, conversion, lead_flow, loyalty, read_company
from funnel_lib.engine import collect
from funnel_lib.readers.importing import import_files
from tests.conftest import ROOT

FILES = {"olist": "olist_marketing_funnel", "cdnow": "cdnow/CDNOW_master.txt", "maven": "maven_crm_sales",
         "kag": "kag_facebook_ads"}


@pytest.fixture(scope="module")
def imported(open_data, tmp_path_factory):
    """Name → (result of the import, the company read back); each data set is imported once."""
    done = {}

    def get(name: str):
        if name not in done:
            result = import_files(ROOT / "data" / "mappings" / f"{name}.yaml", [open_data / FILES[name]],
                                  tmp_path_factory.mktemp(name) / "company")
            done[name] = result, read_company(result.folder)
        return done[name]

    return get


def rows(company, table: str) -> pd.DataFrame:
    """The rows that were kept, as plain pandas."""
    return collect(company.source_tables[table])


def test_nothing_is_an_error_and_every_row_is_accounted_for(imported):
    for name in FILES:
        result, company = imported(name)
        assert [found.text for found in (*result.findings, *company.findings) if found.severity == "error"] == []
        read, made = company.row_counts, result.row_counts
        assert (read["rows_count"] == read["kept_count"] + read["set_aside_count"] + read["duplicates_count"]).all()
        assert (made["rows_count"] == made["made_count"] + made["left_out_count"] + made["broken_count"]).all()
        assert read.set_index("table")["rows_count"].to_dict() == made.groupby("table")["made_count"].sum().to_dict()


# -- Olist -----------------------------------------------------------------------------------------------------------------

WON_BY_ORIGIN = {"organic_search": (271, 2296), "paid_search": (195, 1586), "social": (75, 1350), "unknown": (179, 1099),
                 "direct_traffic": (56, 499), "email": (15, 493), "referral": (24, 284), "other": (4, 150),
                 "display": (6, 118), "other_publicities": (3, 65), "(missing)": (14, 60)}


def test_olist_leads_and_wins_by_origin(imported):
    company = imported("olist")[1]
    leads, events = rows(company, "leads"), rows(company, "stage_events")
    assert (len(leads), len(events)) == (8000, 842)
    won = leads["lead_id"].isin(events["lead_id"])
    plain = won.groupby(leads["channel"].fillna("(missing)")).agg(["sum", "size"])
    assert {origin: tuple(counts) for origin, counts in plain.iterrows()} == WON_BY_ORIGIN

    states = conversion.states(company.process("sellers"), by="channel").set_index("channel")
    assert {origin: (row["won_count"], row["leads_count"]) for origin, row in states.iterrows()} == WON_BY_ORIGIN
    total = conversion.states(company.process("sellers")).iloc[0]
    assert (total["leads_count"], total["won_count"], total["lost_count"], total["running_count"]) == (8000, 842, 0, 7158)
    assert total["won_count"] / total["leads_count"] == pytest.approx(0.10525)


def test_olist_the_negative_duration_is_a_finding(imported):
    found = [finding for finding in imported("olist")[1].findings if finding.key == "before_lead"]
    assert [(finding.count, finding.examples[0].text) for finding in found] == [(1, "entered_at = 2018-03-06 19:38:55")]


def test_olist_days_to_won(imported):
    company = imported("olist")[1]
    both = rows(company, "stage_events").merge(rows(company, "leads"), on="lead_id", validate="one_to_one")
    days = (both["entered_at"] - both["created_at"]) / pd.Timedelta(days=1)
    quartiles = days.quantile([0.25, 0.5, 0.75, 0.9]).round(2).to_list()
    assert quartiles[:3] == [5.86, 14.65, 54.99] and round(quartiles[3], 1) == 162.6
    assert days.mean() == pytest.approx(49.10, abs=0.005)


def test_olist_open_leads_are_censored(imported):
    """Kaplan-Meier of won on all leads, open ones censored, counted with another program."""
    company = imported("olist")[1]
    process = Process.from_tables("sellers", leads=rows(company, "leads"), stage_events=rows(company, "stage_events"),
                                  steps=["won"], as_of=company.description.as_of, conversion_window_days=300)
    curve = conversion.time_curve(process).set_index("age_days")["won_share"]
    # Ages are whole days here and fractions there: a day's worth of events lies between.
    for day, share in {180: 0.0968, 240: 0.1021, 365: 0.1135, 600: 0.1165}.items():
        assert curve[curve.index <= day].iloc[-1] == pytest.approx(share, abs=0.0003), day


def test_olist_young_cohorts_are_not_taken_for_failures(imported):
    process = imported("olist")[1].process("sellers")
    assert process.observed_from == pd.Timestamp(2017, 12, 5)
    eventual = conversion.eventual_conversion(process).iloc[0]
    assert eventual["eventual_share"] > eventual["won_count"] / eventual["leads_count"], "some open leads will still be won"
    assert eventual["eventual_low_share"] < eventual["eventual_share"] < eventual["eventual_high_share"]
    days = conversion.time_to_win(process).iloc[0]
    assert 0 < days["quarter_days"] < days["median_days"] < days["three_quarters_days"] < 300


# -- CDNOW -----------------------------------------------------------------------------------------------------------------

COHORTS = {
    "1997-01": [7814, 1155, 964, 810, 679, 736, 720, 582, 559, 594, 673, 634, 528, 511, 664, 471, 497, 498],
    "1997-02": [8455, 1311, 980, 783, 847, 786, 626, 619, 666, 719, 661, 545, 568, 717, 545, 548, 551],
    "1997-03": [7231, 1032, 752, 756, 674, 564, 561, 579, 634, 569, 464, 472, 677, 420, 443, 457]}


def test_cdnow_every_row_is_an_order_of_its_own(imported):
    company = imported("cdnow")[1]
    orders = rows(company, "orders")
    assert len(orders) == 69659 and orders["order_id"].is_unique
    assert orders["amount"].sum() == 250031563, "cents"
    assert orders["customer_id"].nunique() == 23570
    assert (orders["ordered_at"].min(), orders["ordered_at"].max()) == (pd.Timestamp(1997, 1, 1), pd.Timestamp(1998, 6, 30))
    assert orders["customer_id"].str.fullmatch(r"\d{5}").all(), "leading zeros stay"
    assert [found.count for found in company.findings if found.key == "zero_amount"] == [80]
    assert not [found for found in company.findings if found.key == "duplicate_rows"], "255 repeated rows are orders"


def test_cdnow_customers_by_the_definitions(imported):
    orders = rows(imported("cdnow")[1], "orders").query("amount > 0")
    per_customer = orders.groupby("customer_id")["ordered_at"].agg(["size", "nunique"])
    assert (len(per_customer), (per_customer["size"] > 1).sum(), (per_customer["nunique"] > 1).sum()) == (23502, 11659, 11513)
    rate = loyalty.repeat_rate(imported("cdnow")[1].process("music"))
    assert (rate.whole_count, rate.part_count) == (23502, 11659)


def test_cdnow_cohorts_by_the_definitions(imported):
    table = loyalty.cohort_retention(imported("cdnow")[1].process("music"), per="month")
    for month, active in COHORTS.items():
        cohort = table[table["cohort"] == pd.Timestamp(month)].sort_values("age")
        assert cohort["active_count"].astype(int).to_list() == active
        assert set(cohort["customers_count"]) == {active[0]}


# -- Maven -----------------------------------------------------------------------------------------------------------------


def test_maven_deals_without_a_date_are_a_finding(imported):
    result, company = imported("maven")
    aside = [found for found in company.findings if found.key == "missing_value"]
    assert [(found.table, found.count) for found in aside] == [("leads", 500)]
    assert company.row_counts.set_index("table").loc["leads", ["rows_count", "kept_count"]].to_list() == [8800, 8300]
    unmatched = [found for found in result.findings if found.key == "no_match"]
    assert [found.count for found in unmatched] == [1480]
    assert unmatched[0].examples[0].text == "product = GTXPro, 1480 rows. Did you mean 'GTX Pro'?"


def test_maven_won_and_lost(imported):
    company = imported("maven")[1]
    events = rows(company, "stage_events")
    assert events["step"].value_counts().to_dict() == {"engaging": 8300, "won": 4238, "lost": 2473}
    process = company.process("deals")
    state = conversion.states(process).iloc[0]
    assert (state["won_count"], state["lost_count"], state["running_count"]) == (4238, 2473, 1589)
    assert state["won_count"] / (state["won_count"] + state["lost_count"]) == pytest.approx(0.63150, abs=5e-6)


def test_maven_by_quarter_of_the_end(imported):
    events = rows(imported("maven")[1], "stage_events").query("step in ('won', 'lost')")
    table = pd.crosstab(events["entered_at"].dt.to_period("Q").astype(str), events["step"])
    assert table["won"].to_list() == [531, 1254, 1257, 1196]
    assert table["lost"].to_list() == [116, 778, 790, 789]


def test_maven_days(imported):
    company = imported("maven")[1]
    ends = rows(company, "stage_events").query("step != 'engaging'").merge(rows(company, "leads"), on="lead_id")
    days = ((ends["entered_at"] - ends["created_at"]) / pd.Timedelta(days=1)).groupby(ends["step"]).agg(["mean", "median"])
    assert days.loc["won"].round(2).to_list() == [51.78, 57.0]
    assert days.loc["lost"].round(2).to_list() == [41.48, 14.0]
    measured = conversion.time_to_win(company.process("deals")).iloc[0]
    assert (round(measured["observed_mean_days"], 2), measured["observed_median_days"]) == (51.78, 57)


# -- KAG -------------------------------------------------------------------------------------------------------------------


def test_kag_sums_and_prices(imported):
    company = imported("kag")[1]
    counts, spend = rows(company, "counts"), rows(company, "spend")
    assert len(spend) == 1143 and spend["amount"].sum() == 5870523, "cents"
    assert counts.groupby("step")["count"].sum().to_dict() == {"lead": 3264, "won": 1079}
    assert round(58705.23 / 3264, 2) == 17.99 and round(58705.23 / 1079, 2) == 54.41
    assert company.description.as_of is None, "no table has a time"
    steps = conversion.step_rates(company.process("advertising")).set_index("step")
    assert steps.loc["won", ["base_count", "reached_count"]].to_list() == [3264, 1079]


def test_kag_cost_of_each_campaign(imported):
    """Undated spend is divided by undated counts; the whole is 17.99 an enquiry and 54.41 a purchase."""
    company = imported("kag")[1]
    counts, spend = rows(company, "counts"), rows(company, "spend")
    table = lead_flow.channel_economics(company.process("advertising")).set_index("channel")
    plain = counts.pivot_table(index="channel", columns="step", values="count", aggfunc="sum")
    cost = spend.groupby("channel")["amount"].sum() / 100
    for channel in plain.index:
        row = table.loc[channel]
        assert (row["leads_count"], row["customers_count"]) == tuple(plain.loc[channel])
        assert row["cost_amount"] == pytest.approx(cost[channel])
        assert row["cost_per_lead_amount"] == pytest.approx(cost[channel] / plain.loc[channel, "lead"])
        assert row["cost_per_customer_amount"] == pytest.approx(cost[channel] / plain.loc[channel, "won"])
    channels = table.loc[list(plain.index)]
    assert round(channels["cost_amount"].sum() / channels["leads_count"].sum(), 2) == 17.99
    assert round(channels["cost_amount"].sum() / channels["customers_count"].sum(), 2) == 54.41
