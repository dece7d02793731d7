"""One Chromium, one set of published reports, and a page of it with somebody who listens."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.published import demonstration, published

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
HEIGHT = 844


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Where these tests are not asked for, what they import need not be installed; where they are, it must be."""
    return True if "not browser" in config.option.markexpr else None


@dataclass
class Heard:
    """What a page did beyond showing itself."""

    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; that it is missing is a failure, since this is what these tests are for."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium")
    assert found, "Chromium is not installed: apt-get install chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The rules of axe-core."""
    assert AXE.is_file(), "axe-core is not installed: make test-pages does it"
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of two runs."""
    return published(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="session")
def every_page(output: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All pages there are: of the small company, one in Russian, its findings, and of the demonstration company."""
    demo = demonstration(tmp_path_factory.mktemp("demo") / "pages")
    pages = [path for folder in (output, output.parent / "others", demo) for path in sorted(folder.rglob("*.html"))]
    assert len(pages) == 26, pages
    return pages


@pytest.fixture(scope="session")
def opened(browser: Browser) -> Callable[..., AbstractContextManager[tuple[Page, Heard]]]:
    """Opens a file at a width, with a listener; the context's other settings by name."""

    @contextmanager
    def open_page(path: Path, width: int = 1400, **settings: Any) -> Iterator[tuple[Page, Heard]]:
        context = browser.new_context(viewport={"width": width, "height": HEIGHT}, **settings)
        try:
            yield _listened(context, path)
        finally:
            context.close()

    return open_page


def _listened(context: BrowserContext, path: Path) -> tuple[Page, Heard]:
    heard = Heard()

    def route(asked: Route) -> None:
        if asked.request.url.startswith("file:") and asked.request.is_navigation_request():
            asked.continue_()
        else:
            heard.requests.append(asked.request.url)
            asked.abort()

    context.route("**/*", route)
    page = context.new_page()
    page.on("console", lambda message: heard.messages.append(message.text))
    page.on("pageerror", lambda error: heard.messages.append(str(error)))
    page.on("dialog", lambda dialog: (heard.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri())
    return page, heard
