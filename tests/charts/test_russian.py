"""Charts in Russian: every text that a reader sees is Russian, numbers and dates of the axes included."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.text import Text

from funnel_lib import cards, charts, conversion, efficiency, improvement, lead_flow, loyalty, overview, read_company
from funnel_lib.charts import period_words, style
from funnel_lib.company import Process
from funnel_lib.glossary import GLOSSARY
from funnel_lib.language.formats import SPACE
from tests.conftest import ROOT
from tests.language.test_catalogs import LATIN

# Abbreviations that the Russian terms of the glossary have themselves.
TERMS = {word for term in GLOSSARY.values() for word in re.findall("[A-Za-z]{2,}", term.ru)}
# Numbers of clients, the one value of the demonstration company that nothing names.
VALUES = re.compile(r"\b[A-Z]{2}\d{6}\b|\bFAMILY\b")
ENGLISH_NUMBER = re.compile(r"\d\.\d")


@pytest.fixture(scope="module")
def company():
    return read_company(ROOT / "data" / "demo", language="ru")


def texts(ax) -> list[str]:
    """What stands on the picture; axes that are switched off show no ticks."""
    figure = ax.figure
    figure.draw_without_rendering()
    hidden = {id(text) for one in figure.findobj(type(ax)) if not one.axison for axis in (one.xaxis, one.yaxis)
              for text in axis.findobj(Text)}
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text() and id(text) not in hidden]


def assert_russian(ax) -> None:
    said = texts(ax)
    assert any(re.search("[а-яё]", text) for text in said)
    for text in said:
        foreign = set(re.findall("[A-Za-z]{2,}", VALUES.sub(" ", text))) - LATIN - TERMS
        assert not foreign, f"{sorted(foreign)} in: {text}"
        assert not ENGLISH_NUMBER.search(text), text


def kept(process: Process, **how: object) -> pd.DataFrame:
    return loyalty.average_retention(loyalty.cohort_retention(process, **how))


# Chart → how it is drawn of a process of the demonstration company, by measures that take no long time.
DRAWN = {
    "plot_cards": lambda p: charts.plot_cards(cards.cards(p, "lead_generation")),
    "plot_lead_counts": lambda p: charts.plot_lead_counts(lead_flow.lead_counts(p)),
    "plot_flow_limits": lambda p: charts.plot_flow_limits(lead_flow.flow_limits(p)),
    "plot_weekday_profile": lambda p: charts.plot_weekday_profile(lead_flow.weekday_profile(p)),
    "plot_customer_forecast": lambda p: charts.plot_customer_forecast(lead_flow.customer_forecast(p)),
    "plot_target_share": lambda p: charts.plot_target_share(lead_flow.target_share(p)),
    "plot_target_conversion": lambda p: charts.plot_target_conversion(lead_flow.target_conversion(p)),
    "plot_channel_segments": lambda p: charts.plot_channel_segments(lead_flow.channel_segments(p)),
    "plot_channel_costs": lambda p: charts.plot_channel_costs(lead_flow.channel_economics(p), per="target_lead"),
    "plot_channel_returns": lambda p: charts.plot_channel_returns(lead_flow.channel_returns(p)),
    "plot_marginal_cost": lambda p: charts.plot_marginal_cost(lead_flow.marginal_cost(p)),
    "plot_attribution_models": lambda p: charts.plot_attribution_models(lead_flow.attribution_models(p)),
    "plot_response_by": lambda p: charts.plot_response_by(lead_flow.response_time(p, by="owner")),
    "plot_response_bands": lambda p: charts.plot_response_bands(lead_flow.response_bands(p)),
    "plot_step_rates": lambda p: charts.plot_step_rates(conversion.step_rates(p)),
    "plot_states": lambda p: charts.plot_states(conversion.states(p)),
    "plot_time_curve": lambda p: charts.plot_time_curve(conversion.time_curve(p)),
    "plot_eventual_conversion": lambda p: charts.plot_eventual_conversion(conversion.eventual_conversion(p)),
    "plot_time_to_win": lambda p: charts.plot_time_to_win(conversion.time_to_win(p, by="channel")),
    "plot_lost_reasons": lambda p: charts.plot_lost_reasons(conversion.lost_reasons(p)),
    "plot_cohort_triangle": lambda p: charts.plot_cohort_triangle(conversion.cohort_triangle(p)),
    "plot_comparison": lambda p: charts.plot_comparison(conversion.comparison(p, by="channel")),
    "plot_step_trend": lambda p: charts.plot_step_trend(conversion.step_trend(p)),
    "plot_change_decomposition": lambda p: charts.plot_change_decomposition(conversion.change_decomposition(p)),
    "plot_reconciliation": lambda p: charts.plot_reconciliation(conversion.reconciliation(p)),
    "plot_price_of_point": lambda p: charts.plot_price_of_point(improvement.price_of_point(p)),
    "plot_step_curves": lambda p: charts.plot_step_curves(conversion.step_curves(p)),
    "plot_transitions": lambda p: charts.plot_transitions(conversion.transitions(p),
                                                          standing=conversion.work_in_progress_summary(p)),
    "plot_work_in_progress": lambda p: charts.plot_work_in_progress(conversion.work_in_progress_summary(p)),
    "plot_cumulative_flow": lambda p: charts.plot_cumulative_flow(conversion.cumulative_flow(p)),
    "plot_cohort_retention": lambda p: charts.plot_cohort_retention(loyalty.cohort_retention(p)),
    "plot_kept_curves": lambda p: charts.plot_kept_curves(kept(p), kept(p, bounded=False)),
    "plot_kept_by": lambda p: charts.plot_kept_by(kept(p, per="quarter", by="channel"), "quarter"),
    "plot_cohort_values": lambda p: charts.plot_cohort_values(loyalty.cohort_retention(p, value="margin")),
    "plot_next_order": lambda p: charts.plot_next_order(loyalty.next_order(p)),
    "plot_sales_split": lambda p: charts.plot_sales_split(loyalty.sales_split(p)),
    "plot_sales_over_time": lambda p: charts.plot_sales_over_time(loyalty.sales_split(p, per="quarter")),
    "plot_referral_share": lambda p: charts.plot_referral_share(loyalty.referral_share(p)),
    "plot_referred_comparison": lambda p: charts.plot_referred_comparison(loyalty.referred_comparison(p)),
    "plot_referral_forest": lambda p: charts.plot_referral_forest(loyalty.referral_forest(p)),
    "plot_loyalty_index": lambda p: charts.plot_loyalty_index(loyalty.loyalty_over_time(p), loyalty.loyalty_index(p)),
    "plot_margin_by_order": lambda p: charts.plot_margin_by_order(loyalty.margin_by_order(p)),
    "plot_payback": lambda p: charts.plot_payback(loyalty.payback(p)),
    "plot_rfm_groups": lambda p: charts.plot_rfm_groups(loyalty.rfm_groups(p)),
    "plot_lorenz": lambda p: charts.plot_lorenz(loyalty.lorenz(p)),
    "plot_largest_clients": lambda p: charts.plot_largest_clients(loyalty.largest_clients(p)),
    "plot_lifetime": lambda p: charts.plot_lifetime(loyalty.value_by_age(p)),
    "plot_holdout": lambda p: charts.plot_holdout(loyalty.holdout(p)),
    "plot_measures": lambda p: charts.plot_measures(improvement.rank_measures(p)),
    "plot_plan_frontier": lambda p: charts.plot_plan_frontier(improvement.plan_frontier(p)),
    "plot_plan_calendar": lambda p: charts.plot_plan_calendar(improvement.plan_calendar(p, 600_000)),
    "plot_detectability": lambda p: charts.plot_detectability(improvement.detectability(p)),
    "plot_did_it_work": lambda p: charts.plot_did_it_work(improvement.did_it_work(p)),
    "plot_measure_trend": lambda p: charts.plot_measure_trend(improvement.measure_trend(p)),
    "plot_stage_shares": lambda p: charts.plot_stage_shares(efficiency.efficiency_sheet(p)),
    "plot_efficiency_sheet": lambda p: charts.plot_efficiency_sheet(efficiency.efficiency_sheet(p)),
    "plot_stage_change": lambda p: charts.plot_stage_change(efficiency.stage_change(p)),
    "plot_next_unit": lambda p: charts.plot_next_unit(improvement.next_unit(p)),
    "plot_nerves": lambda p: charts.plot_nerves(efficiency.nerves(p)),
    "plot_technologization": lambda p: charts.plot_technologization(efficiency.technologization(p)),
    "plot_qualification_match": lambda p: charts.plot_qualification_match(efficiency.qualification_match(p)),
    "plot_level_map": lambda p: charts.plot_level_map(efficiency.technologization(p)),
    "plot_next_levels": lambda p: charts.plot_next_levels(efficiency.next_levels(p)),
    "plot_scorecards": lambda p: charts.plot_scorecards(efficiency.scorecards(p)),
    "plot_employee_scores": lambda p: charts.plot_employee_scores(efficiency.employee_scores(p)),
    "plot_reach": lambda p: charts.plot_reach(efficiency.reach(p)),
    "plot_capacity": lambda p: charts.plot_capacity(efficiency.capacity(p)),
    "plot_role_load": lambda p: charts.plot_role_load(efficiency.role_load(p)),
}


# The process with the fewest leads has no measure at work and no model of purchases.
ELSEWHERE = {"plot_did_it_work": "retail", "plot_measure_trend": "wholesale", "plot_holdout": "retail"}


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_of_the_demonstration_company_speaks_russian(company, name):
    assert_russian(DRAWN[name](company.process(ELSEWHERE.get(name, "custom"))))


def test_processes_side_by_side_speak_russian(company):
    compared = overview.processes(company)
    for stage in ("lead_generation", "all"):
        assert_russian(charts.plot_processes(compared, stage=stage))


@pytest.fixture(scope="module")
def young():
    """A week of five leads, of which nothing can be told yet."""
    monday = pd.Timestamp("2026-06-01")
    leads = pd.DataFrame({"lead_id": list("абвгд"), "channel": ["почта", "почта", "звонок", "звонок", "звонок"], "owner": "Анна", "segment": None,
                          "created_at": [monday + pd.Timedelta(days=day, hours=10) for day in range(5)]})
    events = pd.DataFrame({"lead_id": ["а", "б"], "step": ["встреча", "lost"], "reason": [None, "дорого"], "employee": "Анна",
                           "entered_at": [monday + pd.Timedelta(days=2), monday + pd.Timedelta(days=3)]})
    return Process.from_tables("опт", leads=leads, stage_events=events, steps=["встреча", "оплата"], language="ru",
                               as_of=monday + pd.Timedelta(days=7), target_segments=["магазин"])


@pytest.mark.parametrize("name", [
    "plot_lead_counts", "plot_flow_limits", "plot_weekday_profile", "plot_target_share", "plot_target_conversion",
    "plot_channel_segments", "plot_response_by", "plot_step_rates", "plot_states", "plot_time_curve", "plot_eventual_conversion",
    "plot_time_to_win", "plot_lost_reasons", "plot_cohort_triangle", "plot_comparison", "plot_reconciliation", "plot_transitions",
    "plot_work_in_progress"])
def test_what_cannot_be_told_is_said_in_russian(young, name):
    assert_russian(DRAWN[name](young))


@pytest.mark.parametrize("word", ["day", "week", "month", "quarter", "year", "period"])
def test_periods_are_bent_as_russian_asks(company, word):
    about = company.process("custom").about
    said = [period_words.phrase(kind, word, about, number=3) for kind in period_words._PHRASES]
    said += [say(count, word, about) for say in (period_words.counted, period_words.out_of, period_words.complete) for count in (1, 3, 5)]
    assert not re.search("[A-Za-z{]", " ".join(said))
    assert len({period_words.counted(count, word, about).split()[1] for count in (1, 3, 5)}) == 3
    assert period_words.counted(21, word, about).split()[1] == period_words.counted(1, word, about).split()[1]


def test_a_month_in_its_cases(company):
    about = company.process("custom").about
    assert period_words.phrase("at_age", "month", about, number=12) == "в 12-м месяце"
    assert period_words.phrase("per", "week", about) == "за неделю"
    assert period_words.out_of(21, "week", about) == "из 21 недели"
    assert period_words.complete(3, "quarter", about) == "3 полных квартала"


def test_a_title_starts_with_a_capital_and_wraps_before_the_edge(company):
    about = replace(company.process("custom").about, as_of=None)
    ax = style.untold(style.new_axes(None, 2.0), "очень " * 30, "и очень " * 40, about)
    lines = texts(ax)
    assert lines[-1].startswith("Очень") or lines[0].startswith("Очень")
    right = ax.figure.get_window_extent().x1
    assert all(text.get_window_extent().x1 <= right for text in ax.figure.findobj(Text) if text.get_text())


@pytest.mark.parametrize(("value", "russian", "english"), [(0.025, "2,5 %", "2.5 %"), (-1.5, "−150 %", "−150 %"), (12, "1 200 %", "1 200 %")])
def test_shares_at_ticks_follow_the_language(company, value, russian, english):
    about = company.process("custom").about
    assert style.percent(value, about).replace(SPACE, " ") == russian
    assert style.percent(value, replace(about, language="en")).replace(SPACE, " ") == english
