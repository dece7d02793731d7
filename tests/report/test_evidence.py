"""Which table is folded under which figure, and in which order they are numbered."""

from __future__ import annotations

from bs4 import BeautifulSoup

from funnel_lib.report.evidence import Figure, Table, rendered

PIXEL = "iVBORw0KGgo="


def table(title: str, **more: bool) -> Table:
    html = f'<figure class="table"><figcaption>{title}</figcaption><div class="scroll"><table><tr><td>{title}</td></tr></table></div></figure>'
    return Table(title, html, **more)


def figure(of: Table | None) -> Figure:
    return Figure(PIXEL, {"title": "Seen <b>"}, {"width": 700, "height": 300}, of)


def test_numbers_follow_the_order_of_reading() -> None:
    """Of three tables the second and third are drawn: the first stays open and is the first that is read."""
    tables = [table("one"), table("two"), table("three")]
    html = rendered([*tables, "<p>look</p>", figure(tables[1]), figure(tables[2])], "Page", "en")
    soup = BeautifulSoup("".join(html), "html.parser")
    assert [caption.get_text() for caption in soup.find_all("figcaption")] == ["Table 1 one", "Figure 1 two", "Figure 2 three"]
    folded = soup.find_all("details", class_="behind")
    assert [one.summary.get_text() for one in folded] == ["Table 2: the numbers of this figure", "Table 3: the numbers of this figure"]
    assert [one.td.get_text() for one in folded] == ["two", "three"] and all(one.find_parent("figure") for one in folded)
    assert [one["aria-label"] for one in soup.select(".scroll")] == ["Table 1", "Figure 1", "Table 2", "Figure 2", "Table 3"]


def test_a_second_figure_of_a_table_says_where_its_numbers_are() -> None:
    shared = table("shared")
    soup = BeautifulSoup("".join(rendered([shared, figure(shared), figure(shared)], "Page", "en")), "html.parser")
    assert len(soup.find_all("table")) == 1
    link = soup.find_all("figure", class_="chart")[1].a
    assert link.get_text() == "The numbers of this figure are in table 1" and soup.find(id=link["href"][1:]).find("table")


def test_a_reason_stays_in_sight_and_words_are_text() -> None:
    reason = table("Spending", folds=False)
    soup = BeautifulSoup("".join(rendered([reason, figure(reason), figure(None)], "Page & more", "en")), "html.parser")
    assert soup.find("figure", class_="table").figcaption.get_text() == "Table 1 Spending" and not soup.find("details")
    assert [image["alt"] for image in soup.find_all("img")] == ["Chart: Seen <b>"] * 2
    assert [chart.figcaption.get_text() for chart in soup.find_all("figure", class_="chart")] == ["Figure 1 Spending", "Figure 2 Seen <b>"]


def test_a_picture_with_nothing_in_it_is_a_sentence() -> None:
    """It takes no number from the figures; its table stays folded under it."""
    shared = [table("one"), table("two")]
    empty = Figure(PIXEL, {"title": "Nobody <does> it", "is_empty": True}, {}, shared[0])
    soup = BeautifulSoup("".join(rendered([*shared, empty, figure(shared[1])], "Page", "en")), "html.parser")
    assert soup.find("figure").p.get_text() == "Nobody <does> it." and len(soup.find_all("img")) == 1
    assert [one.summary.get_text() for one in soup.find_all("details")] == [
        "Table 1: the numbers of this figure", "Table 2: the numbers of this figure"]
    assert [caption.get_text() for caption in soup.find_all("figcaption")] == ["Figure 1 two"]
