"""What stands on pages before there is anything to show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.dashboard.browser.conftest import Looker, overflow, serious
from tests.dashboard.traffic import CONFIG
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
