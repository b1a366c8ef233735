"""What stands on pages before there is anything to show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.dashboard.browser.conftest import Looker, overflow, serious
from tests.dashboard.traffic import CONFIG, ask
from tests.servers import Running, gateway

from edgewise.dashboard.pages import pages

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with gateway(tmp_path_factory.mktemp("fresh"), CONFIG) as running:
        yield running


@pytest.mark.parametrize("path", [page.path for page in pages()])
def test_a_fresh_gateway_has_pages_that_say_what_to_do(browser: Browser, fresh: Running, path: str) -> None:
    looker = Looker(browser, fresh.url)
    page = looker(path, width=390)
    expect(page.locator("main")).not_to_contain_text("nan")
    assert len(page.locator("main").inner_text()) > 40
    assert overflow(page) == 0
    assert serious(page) == []
    looker.close()


@pytest.mark.parametrize("path", ["/now", "/decisions", "/learning", "/money", "/privacy"])
def test_an_empty_page_fills_itself_with_the_first_request(
    browser: Browser, tmp_path: Path, path: str
) -> None:
    with gateway(tmp_path, CONFIG) as running:
        looker = Looker(browser, running.url)
        page = looker(path)
        nothing = page.locator(".empty .why").inner_text()
        ask(running, "What is the capital of France?")
        expect(page.locator("main")).not_to_contain_text(nothing)
        looker.close()
