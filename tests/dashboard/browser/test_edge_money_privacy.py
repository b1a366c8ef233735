from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.dashboard.browser.conftest import Looker, overflow, serious
from tests.dashboard.traffic import ask
from tests.servers import Running

pytestmark = pytest.mark.slow


def live(look: Looker, path: str) -> Page:
    page = look(path)
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    return page


def test_a_text_that_leaves_is_shown_while_one_looks(
    look: Looker, site: Running, picture: Callable[[Page, str], None]
) -> None:
    page = live(look, "/privacy")
    before = page.locator("#texts").inner_text()
    ask(site, "This goes to a cloud.", model="grand")
    expect(page.locator("#texts")).not_to_have_text(before)
    ask(site, "This stays here.", edgewise={"privacy": "local"})
    expect(page.locator("#texts")).to_contain_text("had to stay on this machine did")
    picture(page, "privacy")


def test_money_is_counted_while_one_looks(
    look: Looker, site: Running, picture: Callable[[Page, str], None]
) -> None:
    page = live(look, "/money")
    before = page.locator("main").inner_text()
    ask(site, "How much is this?", model="grand")
    expect(page.locator("main")).not_to_have_text(before)
    picture(page, "money")
    page.get_by_role("link", name="mini").first.click()
    expect(page.locator("main")).to_contain_text("Always mini")
    assert serious(page) == []


def test_placements_are_counted_beside_the_signals_while_one_looks(
    study: Looker, taught: Running, picture: Callable[[Page, str], None]
) -> None:
    page = live(study, "/edge")
    placements = page.locator("figure", has_text="Placements").locator("table")
    counted = "all => all.reduce((sum, cell) => sum + Number(cell.value || 0), 0)"
    before = placements.locator("td data").evaluate_all(counted)
    ask(taught, "please greet about fruit")
    page.wait_for_function(
        """before => [...document.querySelectorAll("#chart-placements td data")]
            .reduce((sum, cell) => sum + Number(cell.value || 0), 0) > before""",
        arg=before,
    )
    expect(page.locator("#signals")).to_contain_text("cpu")
    assert serious(page) == []
    picture(page, "edge")


def test_the_device_fits_on_a_phone_in_the_dark(study: Looker) -> None:
    page = study("/edge", width=390, dark=True)
    assert overflow(page) == 0
    assert serious(page) == []
