"""Links between the reports of a process, read back from small pages of every status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup

from funnel_lib.report.neighbours import link_neighbours

PAGE = "<html><body><h1>{}</h1><!--neighbours--><!--/neighbours--></body></html>"


def entry(folder: Path, report: str, status: str = "done", **more: Any) -> dict[str, Any]:
    """An entry of the manifest and its page on the disk."""
    name = f"{report}{'.error' if status == 'failed' else ''}.html"
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(PAGE.format(report), encoding="utf-8")
    return {"report": report, "process": report.partition("/")[0], "status": status, "title": f"Title <{report}>",
            "files": [] if status == "failed" else [name], "sizes": {name: (folder / name).stat().st_size}, **more}


def links(path: Path) -> dict[str, tuple[str, str]]:
    found = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").find_all("a")
    return {link["rel"][0]: (link["href"], link.get_text()) for link in found}


def test_each_page_has_the_one_before_and_the_one_after_of_its_process(tmp_path: Path) -> None:
    entries = [entry(tmp_path, "a/1"), entry(tmp_path, "a/2", "failed", older=None), entry(tmp_path, "a/3", "empty"), entry(tmp_path, "b/1")]
    link_neighbours(tmp_path, entries, "en")
    assert links(tmp_path / "a/1.html") == {"next": ("2.error.html", "Next → Title <a/2>")}
    assert links(tmp_path / "a/2.error.html") == {"prev": ("1.html", "← Previous Title <a/1>"), "next": ("3.html", "Next → Title <a/3>")}
    assert links(tmp_path / "a/3.html") == {"prev": ("2.error.html", "← Previous Title <a/2>")}
    assert links(tmp_path / "b/1.html") == {}
    assert all(one["sizes"][name] == (tmp_path / name).stat().st_size for one in entries for name in one["files"])


def test_an_older_page_beside_an_error_is_linked_too(tmp_path: Path) -> None:
    older = entry(tmp_path, "a/2")
    entries = [entry(tmp_path, "a/1"), entry(tmp_path, "a/2", "failed", older=older)]
    link_neighbours(tmp_path, entries, "ru")
    assert links(tmp_path / "a/1.html")["next"] == ("2.html", "Дальше → Title <a/2>")
    assert links(tmp_path / "a/2.html") == links(tmp_path / "a/2.error.html") == {"prev": ("1.html", "← Назад Title <a/1>")}
    assert older["sizes"]["a/2.html"] == (tmp_path / "a/2.html").stat().st_size


def test_new_neighbours_take_the_place_of_earlier_ones_and_nothing_is_written_twice(tmp_path: Path) -> None:
    first, third = entry(tmp_path, "a/1"), entry(tmp_path, "a/3")
    link_neighbours(tmp_path, [first, third], "en")
    link_neighbours(tmp_path, [first, entry(tmp_path, "a/2"), third], "en")
    assert links(tmp_path / "a/1.html") == {"next": ("2.html", "Next → Title <a/2>")}
    moment = (tmp_path / "a/1.html").stat().st_mtime_ns
    link_neighbours(tmp_path, [first, entry(tmp_path, "a/2"), third], "en")
    assert (tmp_path / "a/1.html").stat().st_mtime_ns == moment


def test_pages_without_a_place_and_changed_ones_stay_as_they_are(tmp_path: Path) -> None:
    entries = [entry(tmp_path, "a/1"), entry(tmp_path, "a/2"), entry(tmp_path, "a/3"), entry(tmp_path, "a/4")]
    (tmp_path / "a/1.html").write_text("changed by hand" + PAGE, encoding="utf-8")
    (tmp_path / "a/2.html").write_text(old := PAGE.replace("<!--/neighbours-->", "<!--neighbours-->_"), encoding="utf-8")
    (tmp_path / "a/3.html").unlink()
    link_neighbours(tmp_path, entries, "en")
    assert (tmp_path / "a/1.html").read_text(encoding="utf-8") == "changed by hand" + PAGE
    assert (tmp_path / "a/2.html").read_text(encoding="utf-8") == old and not (tmp_path / "a/3.html").exists()
    assert links(tmp_path / "a/4.html") == {"prev": ("3.html", "← Previous Title <a/3>")}
