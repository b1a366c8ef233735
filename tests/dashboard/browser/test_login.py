from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from tests.dashboard.browser.conftest import Looker, overflow, serious
from tests.dashboard.traffic import CONFIG
from tests.servers import Running, gateway

from edgewise.settings import hash_key, new_key

pytestmark = pytest.mark.slow
KEY = new_key()


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    keys = f'[[server.keys]]\nname = "ann"\nhash = "{hash_key(KEY)}"\nscopes = ["admin"]\n'
    with gateway(tmp_path_factory.mktemp("login"), CONFIG + keys) as running:
        yield running


@pytest.fixture
def locked(browser: Browser, keyed: Running) -> Iterator[Looker]:
    looker = Looker(browser, keyed.url)
    yield looker
    looker.close()


def test_a_key_opens_every_page_and_logging_out_closes_them(locked: Looker) -> None:
    page = locked("/try")
    expect(page.get_by_label("Key")).to_be_focused()
    assert serious(page) == []
    page.keyboard.type("ew-wrong")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("That is no key with the scope admin.")
    page.get_by_label("Key").fill(KEY)
    page.keyboard.press("Enter")
    page.wait_for_url("**/try")
    page.locator("#prompt").fill("Does the cookie do for requests, too?")
    expect(page.locator("#decision table")).to_be_visible()
    page.get_by_role("button", name="Ask them").click()
    expect(page.locator("#answers article")).to_contain_text("done after")
    assert page.evaluate("document.cookie") == "", "no script can read it"
    page.goto(locked.url + "/decisions")
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    page.goto(locked.url + "/decisions")
    page.wait_for_url("**/login?next=%2Fdecisions")


def test_the_form_fits_on_a_phone(locked: Looker) -> None:
    page = locked("/", width=390, dark=True)
    assert overflow(page) == 0
    assert serious(page) == []
