"""What holds for every page that the navigation shows."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.dashboard.browser.conftest import Looker, overflow, serious

from edgewise.dashboard.pages import pages

PATHS = [page.path for page in pages()]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("path", PATHS)
def test_it_is_accessible_and_the_keyboard_reaches_the_content_first(look: Looker, path: str) -> None:
    page = look(path)
    here = page.get_by_role("navigation", name="Pages").locator("[aria-current=page]")
    expect(here).to_have_text(page.locator("h1").inner_text())
    assert serious(page) == []
    page.locator("body").focus()
    page.locator("a.skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    first = page.locator("body > a, body > header a, body > header button").first
    expect(first).to_have_text("Skip to the content")


@pytest.mark.parametrize("path", PATHS)
def test_it_fits_on_a_phone_in_the_dark(look: Looker, path: str) -> None:
    page = look(path, width=390, dark=True)
    assert overflow(page) == 0
    assert serious(page) == []
