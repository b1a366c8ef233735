from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.dashboard.browser.conftest import Looker, overflow, serious
from tests.dashboard.traffic import ask
from tests.servers import Running

pytestmark = pytest.mark.slow


def test_it_says_what_broke_and_shows_every_diagram(
    study: Looker, picture: Callable[[Page, str], None]
) -> None:
    page = study("/learning")
    # The log is read for drift in the background; what is found comes by itself.
    expect(page.locator("#broken")).to_contain_text("mini: quality")
    expect(page.locator("#broken")).to_contain_text("most of all prompts with code")
    for name in ("phi", "mini", "grand"):
        expect(page.locator("figure", has_text=f"Reliability of {name}").locator("circle")).not_to_have_count(
            0
        )
    expect(page.locator("figure", has_text="Latencies within their interval")).to_be_visible()
    expect(page.locator("#exploration")).to_contain_text("By the forecasts of then")
    assert serious(page) == []
    picture(page, "learning")


def test_a_label_is_counted_while_one_looks(study: Looker, taught: Running) -> None:
    chosen = ask(taught, "please greet about fruit")
    page = study("/learning")
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    expect(page.locator("#labels")).not_to_contain_text("judge:exam")
    taught.post("/v1/feedback", {"id": chosen, "quality": 0.75, "source": "judge:exam"})
    expect(page.locator("#labels")).to_contain_text("judge:exam")


def test_a_diagram_is_read_as_a_table_without_a_mouse_and_saved(study: Looker) -> None:
    page = study("/learning")
    page.get_by_role("button", name="Live").click()
    diagram = page.locator("figure", has_text="Reliability of grand")
    diagram.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(diagram.get_by_role("table")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save Reliability of grand as CSV").click()
    assert Path(saved.value.path()).read_text().startswith("forecast,its interval,measured,95 %,labels")


def test_it_fits_on_a_phone_in_the_dark(study: Looker) -> None:
    page = study("/learning", width=390, dark=True)
    expect(page.locator("#broken")).to_contain_text("mini: quality")
    assert overflow(page) == 0
    assert serious(page) == []
