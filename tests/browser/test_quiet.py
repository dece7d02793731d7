"""Nothing leaves a page, nothing of the data runs in it, and the browser has nothing to complain of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.browser.published import PICTURE, SCRIPT

pytestmark = pytest.mark.browser

LIMIT_BYTES = 2_000_000
FOUND = """() => ({scripts: document.scripts.length, frames: document.querySelectorAll("iframe, object, embed, link, svg").length,
 handlers: [...document.querySelectorAll("*")].filter((one) => [...one.attributes].some((name) => name.name.startsWith("on"))).length})"""
LINKS = """() => [...document.links].map((one) => [one.href, one.hash && !document.getElementById(one.hash.slice(1))])"""
INJECTED = """() => { const script = document.createElement("script"); script.textContent = "window.ran = true";
 const picture = document.createElement("img"); picture.src = "https://elsewhere.invalid/x.png";
 const style = document.createElement("style"); style.textContent = "h1 { color: rgb(1, 2, 3) }";
 document.body.append(script, picture, style);
 return [window.ran === undefined, getComputedStyle(document.querySelector("h1")).color] }"""


def test_no_request_no_script_of_the_data_no_complaint_no_lost_link(every_page: list[Path], opened: Callable) -> None:
    for path in every_page:
        with opened(path, width=900) as (page, heard):
            page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
            page.wait_for_timeout(30)  # what an image that fails would start
            assert (heard.requests, heard.messages, heard.dialogs) == ([], [], []), path
            own = int(path.name == "index.html")
            assert page.evaluate(FOUND) == {"scripts": own, "frames": 0, "handlers": 0}, path
            for address, lost in page.evaluate(LINKS):
                assert address.startswith("file:///") and not lost, (path, address)
                assert Path(unquote(urlsplit(address).path)).is_file(), (path, address)
        assert path.stat().st_size < LIMIT_BYTES, path


def test_the_listener_hears(tmp_path: Path, opened: Callable) -> None:
    """A page without our care is caught at everything."""
    bad = tmp_path / "bad.html"
    bad.write_text(f'<h1>{SCRIPT}</h1><img src="https://elsewhere.invalid/x.png" onerror="alert(2)"><script>broken(</script>'
                   '<link rel="stylesheet" href="near.css">', encoding="utf-8")
    with opened(bad) as (page, heard):
        page.wait_for_timeout(200)
        # In which order they come is the browser's affair.
        assert set(heard.requests) == {"https://elsewhere.invalid/x.png", (tmp_path / "near.css").as_uri()}
        assert set(heard.dialogs) == {"1", "2"} and any("SyntaxError" in text or "Unexpected" in text for text in heard.messages)


def test_the_policy_stops_what_cleaning_would_miss(output: Path, opened: Callable) -> None:
    for path in (output / "index.html", output / "retail/01_exercise.html", output / "retail/04_exercise.error.html"):
        with opened(path) as (page, heard):
            colour = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
            assert page.evaluate(INJECTED) == [True, colour]
            page.wait_for_timeout(50)
            assert heard.requests == [] and len(heard.messages) == 3, heard.messages


def test_values_of_the_data_are_read_as_they_are(output: Path, opened: Callable) -> None:
    with opened(output / "retail/01_exercise.html") as (page, _):
        assert SCRIPT in page.title() and PICTURE in page.title()
        cells = page.locator("td, tbody th").all_text_contents()
        assert cells.count(SCRIPT) == cells.count(PICTURE) == 4
        assert f"The best is {SCRIPT}" in page.locator("img").nth(1).get_attribute("alt")
    with opened(output / "index.html") as (page, _):
        assert page.get_by_role("heading", name=f"Retail {PICTURE}").count() == 1
        assert page.get_by_role("rowheader", name='"><svg onload=alert(3)>').count() == 1
