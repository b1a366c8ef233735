"""What holds for every page that the navigation shows."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.dashboard.browser.conftest import Looker, overflow, serious

from edgewise.dashboard.pages import pages

PATHS = [page.path for page in pages()]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(look: Looker, path: str, dark: bool) -> None:
    assert serious(look(path, dark=dark)) == []


@pytest.mark.parametrize("path", PATHS)
def test_it_fits_on_a_phone(look: Looker, path: str) -> None:
    page = look(path, width=390)
    assert overflow(page) == 0
    assert serious(page) == []


@pytest.mark.parametrize("path", PATHS)
def test_the_keyboard_reaches_the_content_first(look: Looker, path: str) -> None:
    page = look(path)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("path", PATHS)
def test_the_navigation_says_where_one_is(look: Looker, path: str) -> None:
    page = look(path)
    here = page.get_by_role("navigation", name="Pages").locator("[aria-current=page]")
    expect(here).to_have_text(page.locator("h1").inner_text())
