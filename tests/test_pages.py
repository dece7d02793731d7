"""What a notebook shows: hand-written tables against the HTML read back by a parser."""

from __future__ import annotations

import json

import matplotlib.pyplot as plt
import pandas as pd
from bs4 import BeautifulSoup

from funnel_lib import Company, Process, charts, conversion, efficiency, improvement, lead_flow, pages
from funnel_lib.answers.sentence import Sentence
from funnel_lib.charts.style import title
from funnel_lib.errors import MeasureError
from funnel_lib.findings import Example, Finding
from funnel_lib.glossary import term
from funnel_lib.pages.figures import _told_of, words_of
from funnel_lib.pages.shown import ANSWER, COMPLETE, DEFINITIONS, FINDINGS, TABLE


def small_process(language: str = "en") -> Process:
    leads = pd.DataFrame({"lead_id": ["1"], "created_at": pd.to_datetime(["2026-01-05"]), "channel": ["fair"]})
    return Process.from_tables("wholesale", leads=leads, steps=["won"], currency="RUB", language=language,
                               as_of="2026-07-01", conversion_window_days=180,
                               labels={"fair": {"en": "Trade fair", "ru": "Выставка"}})


def rates() -> pd.DataFrame:
    return pd.DataFrame({"channel": ["fair", "web"], "leads_count": [12345, 3], "overall_share": [0.2, float("nan")],
                         "overall_low_share": [0.182, float("nan")], "overall_high_share": [0.24, float("nan")]})


def cells(shown: object) -> list[list[str]]:
    table = BeautifulSoup(shown._repr_mimebundle_()["text/html"], "html.parser")
    return [[cell.get_text().replace("\N{NO-BREAK SPACE}", " ") for cell in row.find_all(["th", "td"])]
            for row in table.find_all("tr")]


def test_a_table_reads_in_the_language_of_the_process() -> None:
    assert cells(pages.show(rates(), "Rates", small_process())) == [
        ["Channel", "Leads", "Of all leads", "95 % interval"], ["Trade fair", "12 345", "20.0 %", "18.2–24.0 %"],
        ["web", "3", "n/a", "n/a"]]
    assert cells(pages.show(rates(), "Доли", small_process("ru")))[1] == ["Выставка", "12 345", "20,0 %", "18,2–24,0 %"]


def test_titles_notes_and_explanations_of_heads_are_in_the_language_of_the_reader() -> None:
    shown = pages.show(rates(), "Step rates", small_process("ru"), note="Of shares in points, all else relative.")
    found = BeautifulSoup(shown.html, "html.parser")
    assert found.figcaption.get_text() == shown.data["title"] == shown.data["sheet"] == "Конверсия этапов"
    assert found.find("p", class_="note").get_text() == shown.data["note"] == "Для долей — в пунктах, для остального — относительно."
    assert [head["title"] for head in found.find_all("th", scope="col")][2:] == [
        "Дошли / лиды не моложе окна.", "Нижняя 95 % граница показателя «От всех лидов»."]
    assert BeautifulSoup(pages.show(rates(), "My rates", small_process("ru")).html, "html.parser").figcaption.get_text() == "My rates"


def test_definitions_are_in_the_language_of_the_reader() -> None:
    shown = pages.definitions(rates(), process=small_process("ru"))
    found = BeautifulSoup(shown.html, "html.parser")
    defined = dict(zip([name.get_text() for name in found.find_all("dt")], [text.get_text() for text in found.find_all("dd")],
                       strict=True))
    assert defined["От всех лидов"] == "Дошли / лиды не моложе окна. Источник: Wilson, 1927 (границы)."
    assert {entry["key"]: (entry["formula"], entry["source"]) for entry in shown.data["entries"]}["overall_high_share"] == (
        "Верхняя 95 % граница показателя «От всех лидов».", "Wilson, 1927 (границы)")


def test_a_table_over_all_processes_names_what_the_glossary_knows(demo: Company) -> None:
    table = pd.DataFrame({"stage": ["lead_generation", "all"], "process": ["retail", "wholesale"], "verdict": ["not enough", "enough"]})
    assert cells(pages.show(table, "t", demo))[1:] == [["Lead generation", "Retail", "Not enough"], ["All", "Wholesale", "Enough"]]


def test_the_data_of_a_table_are_exact_and_json() -> None:
    data = pages.show(rates(), "Rates / all")._repr_mimebundle_()[TABLE]
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["rows"] == [["fair", 12345, 0.2, 0.182, 0.24], ["web", 3, None, None, None]]
    assert [column["unit"] for column in data["columns"]] == ["text", "count", "share", "share", "share"]
    assert data["sheet"] == "Rates all"


def test_values_and_titles_are_never_markup() -> None:
    table = pd.DataFrame({"channel": ["<script>alert(1)</script>", '"><img onerror=x>', "=cmd()", "\x00"]})
    html = pages.show(table, "<b>bold</b>", note="<i>")._repr_mimebundle_()["text/html"]
    found = BeautifulSoup(html, "html.parser")
    assert not found.find_all(["script", "img", "b", "i"])
    assert [cell.get_text() for cell in found.find_all("th", scope="row")][:3] == list(table["channel"])[:3]


def test_rows_of_few_or_unfinished_cases_are_lighter_and_say_why() -> None:
    table = pd.DataFrame({"channel": ["fair", "web", "ads"], "leads_count": [1, 2, 3], "few": [True, False, False],
                          "complete": [True, False, True]})
    rows = BeautifulSoup(pages.show(table, "t").html, "html.parser").find("tbody").find_all("tr")
    assert [row.get("class") for row in rows] == [["light"], ["light"], None]
    assert [row.small.get_text() if row.small else "" for row in rows] == ["few cases", "not finished", ""]


def test_a_long_table_is_cut_and_says_what_is_left_out() -> None:
    shown = pages.show(pd.DataFrame({"leads_count": range(45)}), "Long")
    assert len(cells(shown)) == 13
    assert "… and 33 more rows in tables.xlsx" in shown.html and len(shown.data["rows"]) == 45


def test_rows_with_units_of_their_own_say_them() -> None:
    table = pd.DataFrame({"indicator": ["win_rate", "days_to_win"], "unit": ["share", "days"], "last_value": [0.25, 12.0],
                          "last_low": [0.2, 10.0], "last_high": [0.3, 15.0]})
    shown = pages.show(table, "Indicators", small_process(), columns=["indicator", "last_value", "last_low", "last_high"])
    assert cells(shown)[1:] == [["Win rate", "25.0 %", "20.0–30.0 %"], ["Days to win", "12 days", "10–15 days"]]


def test_an_empty_table_says_so() -> None:
    shown = pages.show(pd.DataFrame({"channel": []}), "Empty")
    assert "no rows" in shown.html and "<table" not in shown.html and shown.data["rows"] == []


def test_every_head_explains_itself_with_the_glossary() -> None:
    heads = BeautifulSoup(pages.show(rates(), "Rates").html, "html.parser").find_all("th", scope="col")
    assert heads[1]["title"] == term("leads_count").formula.replace("`", "")
    assert [head.get("class") for head in heads] == [None, ["n"], ["n"], ["n"]]


def test_an_answer_keeps_order_keys_and_numbers() -> None:
    verdict = Sentence("verdict", "Enough.", share=0.2, missing=float("nan"))
    shown = pages.answer([verdict, "More <b>words</b>."], small_process())
    found = BeautifulSoup(shown.html, "html.parser").find_all("li")
    assert [(line.get_text(), line.get("class")) for line in found] == [("Enough.", ["lead"]), ("More <b>words</b>.", None)]
    bundle = shown._repr_mimebundle_()[ANSWER]
    assert bundle["sentences"][0] == {"text": "Enough.", "key": "verdict", "numbers": {"share": 0.2, "missing": None}}


def test_lists_among_the_numbers_stay_lists_of_steady_numbers() -> None:
    shown = pages.answer([Sentence("next", "Text.", low=[1.0, 2 / 3, float("nan")], names=["a"])], small_process())
    numbers = shown._repr_mimebundle_()[ANSWER]["sentences"][0]["numbers"]
    assert numbers == {"low": [1.0, 0.6666666667, None], "names": ["a"]}


def test_definitions_name_every_column_once_and_the_observation() -> None:
    shown = pages.definitions(rates(), rates(), process=small_process(), keys=["step", "leads_count"])
    assert [entry["key"] for entry in shown._repr_mimebundle_()[DEFINITIONS]["entries"]] == [*rates().columns, "step"]
    text = shown.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "from 5 Jan 2026 until before 1 Jul 2026" in text and "Conversion window: 180 days" in text
    assert text.count("95 %") == 2 and "95 % interval: From the lower" in text


def test_data_quality_counts_severities_and_places() -> None:
    found = [Finding("k", "note", "leads", 1, "a <note>", "kept"),
             Finding("k", "warning", "leads", 20, "bad dates", "set aside", (Example("leads.csv", 7, "<b>"),), "wholesale"),
             Finding("k", "error", "leads", 1, "elsewhere", "stop", (), "retail")]
    shown = pages.data_quality(found, small_process())
    assert shown._repr_mimebundle_()[FINDINGS]["counts"] == {"error": 0, "warning": 1, "note": 1}
    assert [row[0] for row in cells(shown)[1:]] == ["warning", "note"]
    assert cells(shown)[1][3] == "leads.csv, line 7: <b>" and "1 warning, 1 note" in shown.html


def test_the_mark_of_a_complete_report_names_process_and_last_day() -> None:
    shown = pages.complete(small_process("ru"))
    assert shown._repr_mimebundle_()[COMPLETE]["as_of"] == "2026-07-01T00:00:00"
    assert "30\N{NO-BREAK SPACE}июн" in shown.text


def test_a_measure_without_its_data_says_why_instead_of_a_table() -> None:
    def measure(process: Process) -> pd.DataFrame:
        raise MeasureError("needs the table orders")

    shown = pages.show(pages.attempt(measure, small_process()), "Orders", small_process("ru"))
    assert "н/д: needs the table orders" in shown.html and "<table" not in shown.html and shown.data["rows"] == []


def test_the_page_may_show_fewer_columns_than_excel() -> None:
    shown = pages.show(rates(), "Rates", columns=["leads_count", "channel"])
    assert cells(shown)[0] == ["Leads", "Channel"] and len(shown.data["columns"]) == 5


def test_the_words_of_a_chart_are_its_whole_headline_and_the_lines_under_it(demo: Company) -> None:
    """A headline of two lines is one sentence to who cannot see the picture."""
    told = _told_of(charts.plot_target_share(lead_flow.target_share(demo.process("retail"))).figure)
    assert told["title"] == "On target: 79.0 % of the leads from “Recommendation”, 7.3 % from “Student blog”"
    assert told["note"].startswith("leads in a target segment / leads with a known segment") and told["note"].endswith("30 Jun 2026")


def test_a_chart_without_anything_to_draw_is_told_from_panels_inside_bare_axes(demo: Company) -> None:
    retail = demo.process("retail")
    nobody = charts.plot_qualification_match(efficiency.qualification_match(retail)).figure
    assert _told_of(nobody)["is_empty"] and _told_of(nobody)["title"] == "Nobody does the work of a dearer or a cheaper role"
    assert not _told_of(charts.plot_transitions(conversion.transitions(retail)).figure)["is_empty"]
    assert not _told_of(charts.plot_past(improvement.past_by_week(retail)).figure)["is_empty"]


def test_a_column_of_reasons_without_any_and_a_note_of_no_rows_are_left_out() -> None:
    reasons = pd.DataFrame({"channel": ["web", "fair"], "reason": ["", None]})
    assert "Reason" not in pages.show(reasons, "Channels").html
    assert "Reason" in pages.show(reasons.assign(reason=["", "too few"]), "Channels").html
    assert "Of shares" not in pages.show(reasons.head(0), "Channels", note="Of shares in points.").html


def test_the_words_of_a_chart_are_its_whole_title_and_the_lines_under_it() -> None:
    headline, below = "The title of this chart is so long " * 5, "n = 7 leads · and all that they are about " * 5
    ax = plt.subplots()[1]
    title(ax, headline, below)
    assert len(ax.texts) > 3, "both are drawn on several lines"
    assert words_of(ax.figure) == {"title": headline.strip(), "note": below.strip()}
