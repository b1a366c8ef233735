"""One browser and one gateway for all pages. `look` opens a page; what goes wrong in it fails the test."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.dashboard.learned import learned
from tests.dashboard.looking import OPTIONS, chromium
from tests.dashboard.traffic import CONFIG, a_day, begin
from tests.servers import Running, gateway

PATIENCE_MS = 60_000.0
SERIOUS = ("serious", "critical")
PICTURES = os.environ.get("EDGEWISE_PICTURES")  # a folder: screenshots for the documentation go there


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playing:
        started = playing.chromium.launch(executable_path=chromium(), args=[*OPTIONS])
        yield started
        started.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway with a day's worth of requests behind it."""
    home = tmp_path_factory.mktemp("site")
    a_day(home / "edgewise.sqlite")
    with gateway(home, CONFIG) as running:
        begin(running)
        yield running


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway with bundles, and a log of theirs."""
    with learned(tmp_path_factory.mktemp("taught")) as running:
        yield running


@dataclass
class Looker:
    """Opens pages, and remembers what they did that a page must not do."""

    browser: Browser
    url: str
    contexts: list[BrowserContext] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __call__(self, path: str, *, width: int = 1280, dark: bool = False, **options: Any) -> Page:
        """The page at `path`, in a window of its own, so wide, in the colours that the system asks for."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 844 if width < 500 else 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            timezone_id="UTC",
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: self._said(said.type, said.text))
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("request", lambda asked: self._asked(asked.url))
        page.goto(self.url + path, wait_until="load")
        return page

    def forgive(self, words: str) -> None:
        """What a test brings about on purpose is no mistake of the page's."""
        self.wrong = [one for one in self.wrong if words not in one]

    def close(self) -> None:
        """Close its windows; what they did wrong is an error now."""
        for context in self.contexts:
            context.close()
        assert self.wrong == []

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.wrong.append(f"{kind}: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.url, "blob:", "data:")):
            self.wrong.append(f"outside request: {url}")


@pytest.fixture
def look(browser: Browser, site: Running) -> Iterator[Looker]:
    """Opens pages of the site; in the end there must be no console error and no request to anybody else."""
    looker = Looker(browser, site.url)
    yield looker
    looker.close()


@pytest.fixture
def study(browser: Browser, taught: Running) -> Iterator[Looker]:
    """Opens pages of the gateway that has learned, and is as strict."""
    looker = Looker(browser, taught.url)
    yield looker
    looker.close()


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keeps a screenshot under a name, where EDGEWISE_PICTURES names a folder."""

    def taken(page: Page, name: str) -> None:
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"dashboard-{name}.png")

    return taken


def serious(page: Page) -> list[str]:
    """What axe takes for serious or worse: the rule, and where."""
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    return [
        f"{one['id']}: {one['help']}: {json.dumps([node['target'] for node in one['nodes']][:5])}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
    ]


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return max(0, width)
