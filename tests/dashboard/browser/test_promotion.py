from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.dashboard.browser.conftest import Looker, overflow, serious
from tests.dashboard.traffic import ask
from tests.servers import Running

from edgewise.learning.deploy import FOLDER, Store

pytestmark = pytest.mark.slow


def bundle(page: Page, name: str) -> Locator:
    return (
        page.get_by_role("table", name="Bundles")
        .locator("tbody tr")
        .filter(has=page.get_by_role("link", name=name, exact=True))
    )


def test_a_promotion_and_its_undo_without_a_mouse(study: Looker, taught: Running) -> None:
    store = Store(taught.home / FOLDER)
    page = study("/policies")
    expect(bundle(page, "v2")).to_contain_text("in charge")
    assert serious(page) == []
    bundle(page, "v1").get_by_role("button", name="Promote").focus()
    page.keyboard.press("Enter")
    expect(bundle(page, "v1")).to_contain_text("in charge")
    expect(bundle(page, "v2")).to_contain_text("kept")
    assert store.state().current == "v1"
    assert ask(taught, "please greet about fruit")
    page.get_by_role("button", name="Roll back").focus()
    page.keyboard.press("Enter")
    expect(bundle(page, "v2")).to_contain_text("in charge")
    expect(page.get_by_role("table", name="Steps").locator("tbody tr").first).to_contain_text("rollback")
    assert store.state().current == "v2"
    page.get_by_role("link", name="against v2").click()
    expect(page.get_by_role("table", name="Two bundles")).to_contain_text("differs")


def test_a_shadow_begins_and_ends(
    study: Looker, taught: Running, picture: Callable[[Page, str], None]
) -> None:
    page = study("/policies")
    bundle(page, "v1").get_by_role("button", name="Shadow").click()
    expect(page.locator("main")).to_contain_text("v1, shadow on 20.0 %")
    picture(page, "policies")
    page.get_by_role("button", name="Roll back").click()
    expect(page.locator("main")).not_to_contain_text("shadow on")
    assert Store(taught.home / FOLDER).state().current == "v2"


@pytest.mark.parametrize("path", ["/policies?compare=v1,v2", "/policies/v1"])
def test_bundles_fit_on_a_phone_in_the_dark(study: Looker, path: str) -> None:
    page = study(path, width=390, dark=True)
    assert overflow(page) == 0
    assert serious(page) == []
