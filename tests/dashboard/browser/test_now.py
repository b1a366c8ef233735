from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.dashboard.browser.conftest import Looker, serious
from tests.dashboard.traffic import ask
from tests.servers import Running

pytestmark = pytest.mark.slow


def test_it_says_what_happens_with_units(look: Looker, picture: Callable[[Page, str], None]) -> None:
    page = look("/")
    for label in ("Requests", "At the edge", "Latency, median", "Failed", "Quality", "Spent"):
        expect(page.locator("dt", has_text=label).first).to_be_visible()
    expect(page.locator("#figures")).to_contain_text("%")
    expect(page.locator("#figures")).to_contain_text("against")
    expect(page.locator("#health")).to_contain_text("of 100")
    for name, width, dark in (("now", 1280, False), ("now-phone", 390, True)):
        page = look("/now?window=24h", width=width, dark=dark)
        expect(page.locator("#live")).to_have_attribute("data-state", "on")
        picture(page, name)


def test_a_request_appears_by_itself_unless_that_is_paused(look: Looker, site: Running) -> None:
    page = look("/now")
    expect(page.locator("#live")).to_have_attribute("data-state", "on")
    ask(site, "I come while you look.")
    expect(page.locator("#feed")).to_contain_text("I come while you look.")
    page.get_by_role("button", name="Live").click()
    expect(page.locator("#live-state")).to_have_text("Paused")
    ask(site, "You do not see me yet.")
    page.get_by_role("button", name="Paused").click()
    expect(page.locator("#feed")).to_contain_text("You do not see me yet.")


def test_another_window_is_a_link_away(look: Looker) -> None:
    page = look("/now")
    page.get_by_role("link", name="7 days").click()
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
    expect(page.locator("#figures")).to_contain_text("in the last 7 days")


def test_a_chart_is_read_as_a_table_and_by_the_keyboard(look: Looker) -> None:
    page = look("/now")
    page.get_by_role("button", name="Live").click()  # nothing shall move while it is read
    chart = page.locator("figure.chart").first
    chart.locator("summary").click()
    expect(chart.get_by_role("table")).to_be_visible()
    last = chart.locator("tbody tr").last.inner_text().split()
    chart.locator(".plot").focus()
    page.keyboard.press("End")
    expect(chart.locator(".readout")).to_contain_text(last[0])
    page.keyboard.press("ArrowLeft")
    expect(chart.locator(".readout")).to_contain_text(
        chart.locator("tbody tr").nth(-2).inner_text().split()[0]
    )


def test_a_chart_is_saved_as_csv_and_png(look: Looker) -> None:
    page = look("/now")
    page.get_by_role("button", name="Live").click()
    for kind, begins in (("CSV", b",edge,cloud\r\n"), ("PNG", b"\x89PNG")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=f"Save Requests per minute as {kind}").click()
        path = saved.value.path()
        assert Path(path).read_bytes().startswith(begins)
        assert saved.value.suggested_filename == f"requests-per-minute.{kind.lower()}"


def test_the_theme_is_a_choice_that_stays(look: Looker) -> None:
    page = look("/now")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    button = page.locator("#theme")
    for name in ("light", "dark"):
        button.click()
        expect(button).to_have_text(f"Theme: {name}")
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    assert serious(page) == []
    button.click()
    expect(button).to_have_text("Theme: system")
    assert page.evaluate(ground) == light
